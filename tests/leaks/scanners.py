"""Three scanners that others wrote, over cassettes: none may find anything.

    python3 tests/leaks/scanners.py target/release/authtape [--count 200]

They are installed under `target/`, by name, from the registries of their languages. Each is first
shown a file with secrets of its own, which it must find: one that finds nothing proves nothing.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from kinds import run

ROOT = pathlib.Path(__file__).parents[2]
HERE = ROOT / "target" / "scanners"
PRESET = "@secretlint/secretlint-rule-preset-recommend"


def installed():
    """Installs what is not there yet."""
    venv, node, cargo = HERE / "venv", HERE / "node", HERE / "cargo"
    if not (venv / "bin" / "detect-secrets").exists():
        call(sys.executable, "-m", "venv", venv)
        call(venv / "bin" / "pip", "install", "--quiet", "detect-secrets==1.5.0")
    if not (node / "node_modules" / "secretlint").exists():
        node.mkdir(parents=True, exist_ok=True)
        call(
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            node,
            "secretlint@11",
            f"{PRESET}@11",
        )
    if not (cargo / "bin" / "ripsecrets").exists():
        call("cargo", "install", "--quiet", "--locked", "--root", cargo, "ripsecrets@0.1.11")
    return (
        venv / "bin" / "detect-secrets",
        node / "node_modules" / ".bin" / "secretlint",
        cargo / "bin" / "ripsecrets",
    )


def call(*command):
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


def told(*command, cwd):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, timeout=600
    )
    return done.returncode, done.stdout, done.stderr


def detect_secrets(program, folder):
    """The lines that it reports: labels are excluded as the documentation says."""
    code, out, err = told(
        program, "scan", "--all-files", "--exclude-secrets", "REDACTED-", ".", cwd=folder
    )
    if code != 0:
        raise SystemExit(f"detect-secrets ended with {code}: {err[-300:]}")
    found = json.loads(out)["results"]
    return [
        f"{name}:{hit['line_number']} {hit['type']}" for name, hits in found.items() for hit in hits
    ]


def secretlint(program, folder):
    config, out = HERE / "secretlintrc.json", HERE / "secretlint.json"
    config.write_text(json.dumps({"rules": [{"id": PRESET}]}))
    out.unlink(missing_ok=True)
    # It ends before a pipe has taken a long answer: a file has it whole.
    options = ("--secretlintrc", config, "--format", "json", "--no-color", "--output", out)
    code, _, err = told(program, *options, "**/*", cwd=folder)
    if code not in (0, 1):
        raise SystemExit(f"secretlint ended with {code}: {err[-300:]}")
    files = json.loads(out.read_text()) if out.exists() else []
    return [
        f"{file['filePath']}:{hit['loc']['start']['line']} {hit['ruleId']}"
        for file in files
        for hit in file["messages"]
    ]


def ripsecrets(program, folder):
    code, out, err = told(program, ".", cwd=folder)
    if code not in (0, 1) or code == 1 and not out:
        raise SystemExit(f"ripsecrets ended with {code}: {err[-300:]}")
    # The line itself may be a secret: only its place is told.
    return [":".join(line.split(":")[:2]) for line in out.splitlines() if line.strip()]


def planted(folder):
    """A file of secrets that were never real, in the shapes that these scanners know."""
    rng = random.Random(1)
    upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    folder.joinpath("planted.env").write_text(
        f"SLACK=xoxb-{run(rng, 12, '123456789')}-{run(rng, 12, '123456789')}-{run(rng, 24)}\n"
        f"GITHUB_TOKEN=ghp_{run(rng, 36)}\n"
        f"aws_access_key_id = AKIA{run(rng, 16, upper)}\n"
        f"aws_secret_access_key = {run(rng, 40)}\n"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    programs = dict(zip((detect_secrets, secretlint, ripsecrets), installed()))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="scanners-") as work:
        bait, generated = pathlib.Path(work, "bait"), pathlib.Path(work, "generated")
        bait.mkdir()
        planted(bait)
        flows = pathlib.Path(__file__).with_name("flows.py")
        # What is wrong with the sessions themselves, the other script fails on.
        count = ("--count", str(options.count), "--keep", str(generated))
        told(sys.executable, flows, os.path.abspath(options.binary), *count, cwd=ROOT)
        if not any(generated.glob("*.yaml")):
            raise SystemExit("no session was recorded")
        for scan, program in programs.items():
            seen = len(scan(program, bait))
            if not seen:
                print(f"FAIL {scan.__name__}: does not see what was planted for it")
                failed += 1
            for name, folder in (("cassettes", ROOT / "cassettes"), ("generated", generated)):
                hits = scan(program, folder)
                files = sum(1 for path in folder.rglob("*.yaml"))
                print(
                    f"{scan.__name__}: {len(hits)} findings in {files} files ({name}); "
                    f"{seen} in the bait"
                )
                for hit in hits[:20]:
                    print(f"  {hit}")
                failed += len(hits)
    print(f"scanners: {failed} findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
