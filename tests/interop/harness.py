"""Snapshots with Cargo's own tools: a changed client fails its Rust test readably, and cargo-insta takes our files.

    python3 tests/interop/harness.py target/release/authtape
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "target/interop/bin"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("INSTA_") and name not in ("CI", "SNAPSHOTS")}
CLIENT = (
    "curl -s -o /dev/null 'https://accounts.example.com/app/oauth/authorize?client_id=8kqf3mz2x7&response_type=code"
    "&redirect_uri=https%3A%2F%2Fshop.example.org%2Foauth%2Fcallback&state=k3v9x2m7q8w4e6r1t5y0u2i8o9p3a7s4"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256'"
)


def run(*command, code=0, cwd=ROOT, **variables):
    """What a command prints that ends so."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env={**CLEAN, **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    if done.returncode != code:
        raise SystemExit(f"FAILED: {command} ended with {done.returncode}, not {code}:\n{done.stdout}")
    return done.stdout


def must(text, *parts):
    for part in parts:
        if part not in text:
            raise SystemExit(f"FAILED: {part!r} is not in:\n{text}")


def changed_client():
    """The example's test, with a client that sends another redirect URI."""
    test = ("cargo", "test", "--quiet", "--example", "login_test", "--features", "insta,reqwest")
    run(*test, CI="true")
    changed = {"CI": "true", "REDIRECT_URI": "https://shop.example.org/oauth/callback/", "RUST_BACKTRACE": "0"}
    told = run(*test, code=101, **changed)
    must(told, "form redirect_uri: https://shop.example.org/oauth/callback\n", "form redirect_uri: https://shop.example.org/oauth/callback/\n")
    must(told, "! redirect_uri is not that of the authorization request", "+new results")
    print("  rust       a changed client fails, and the diff says how")


def ours_by_insta(binary, directory):
    """A file that waits, made by us in a package, is listed and accepted by cargo-insta."""
    (directory / "Cargo.toml").write_text('[package]\nname = "client"\nversion = "0.1.0"\nedition = "2021"\n\n[workspace]\n')
    (directory / "src").mkdir()
    (directory / "src/lib.rs").write_text("")
    shutil.copy(ROOT / "cassettes/accounts.example.com/thread-correct.yaml", directory / "login.yaml")
    replay = (binary, "replay", "login.yaml", "--allow-unused", "--snapshot", "tests/snapshots/login.snap", "--", "sh", "-c", CLIENT)
    run(*replay, code=1, cwd=directory)
    insta = {"PATH": f"{TOOLS}:{os.environ['PATH']}"}
    listed = run("cargo", "insta", "pending-snapshots", "--as-json", cwd=directory, **insta)
    paths = [json.loads(line)["path"] for line in listed.splitlines() if line.startswith("{")]
    if len(paths) != 1 or not paths[0].endswith("tests/snapshots/login.snap"):
        raise SystemExit(f"FAILED: cargo-insta lists {listed}")
    run("cargo", "insta", "accept", cwd=directory, **insta)
    must((directory / "tests/snapshots/login.snap").read_text(), "authtape transcript 1")
    run(*replay, cwd=directory)
    print("  cargo-insta lists and accepts what waits")


def theirs_by_us(binary, directory):
    """What insta leaves is found and rejected by us."""
    waits = directory / "tests/snapshots/login.snap.new"
    text = (directory / "tests/snapshots/login.snap").read_text()
    waits.write_text(text.replace("---\n", "---\nassertion_line: 7\n", 1).replace("<state-1>", "<state-2>"))
    pending = json.loads(run(binary, "review", "--json", code=1, cwd=directory))["pending"]
    if [entry["snapshot"] for entry in pending] != ["./tests/snapshots/login.snap"]:
        raise SystemExit(f"FAILED: {pending}")
    run(binary, "accept", cwd=directory)
    accepted = (directory / "tests/snapshots/login.snap").read_text()
    if waits.exists() or "assertion_line" in accepted or "<state-2>" not in accepted:
        raise SystemExit(f"FAILED: {accepted}")
    print("  accept     takes what insta leaves")


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    changed_client()
    with tempfile.TemporaryDirectory() as directory:
        ours_by_insta(binary, pathlib.Path(directory))
        theirs_by_us(binary, pathlib.Path(directory))


if __name__ == "__main__":
    main()
