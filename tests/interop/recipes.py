"""The recipes of docs/recipes, run as they stand there: the right client passes, a changed one is shown.

    python3 tests/interop/recipes.py target/release/authtape [--only NAME]

The blocks with a file name are the files, those with `run` are what is run. Each is run twice with a snapshot that was accepted, and
then with a client that sends another redirect URI to the token endpoint.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "target/interop"
ONLY = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.M | re.S)
JUNIT = ":".join(str(path) for path in sorted(pathlib.Path("/usr/share/java").glob("*.jar")) if re.match(r"(junit-(platform|jupiter)|opentest4j|apiguardian|picocli|univocity)", path.name))
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("INSTA_") and name not in ("CI", "SNAPSHOTS")},
    "PATH": f"{TOOLS / 'venv/bin'}:{TOOLS / 'node_modules/node/bin'}:{os.environ['PATH']}",
    "JEST": str(TOOLS / "node_modules/jest/bin/jest.js"),
    "JUNIT": JUNIT,
    "GOFLAGS": "-mod=mod",
    "NO_COLOR": "1",
}
# The redirect URI in a form, behind its name, in any of the languages.
SENT = re.compile(r"(redirect_uri\W{0,8})(CALLBACK|callback)")


def run(script, directory, binary, **more):
    path = f"{binary.parent}:{ENVIRONMENT['PATH']}"
    return subprocess.run(
        ["sh", "-euc", script], cwd=directory, env={**ENVIRONMENT, **more, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )


def changed(text):
    """The client, with a slash behind the second redirect URI that it sends."""
    at = list(SENT.finditer(text))[-1]
    quote = "'" if "<?php" in text else '"'
    join = " . " if "<?php" in text else " + "
    return text[: at.start()] + at.group(1) + at.group(2) + f"{join}{quote}/{quote}" + text[at.end() :]


def recipe(page, binary):
    blocks = BLOCK.findall(page.read_text())
    files = {name: text for _, name, text in blocks if name != "run"}
    runs = [text for _, name, text in blocks if name == "run"]
    client = next(name for name in files if name.lower().startswith("login.") and "test" not in name.lower())
    for script in runs:
        with tempfile.TemporaryDirectory() as directory:
            directory = pathlib.Path(directory)
            for name, text in files.items():
                (directory / name).parent.mkdir(exist_ok=True)
                (directory / name).write_text(text)
            (directory / "cassettes").mkdir()
            shutil.copy(ROOT / "cassettes/accounts.example.com/thread-correct.yaml", directory / "cassettes/login.yaml")
            first = run(script, directory, binary, INSTA_UPDATE="always")
            again = run(script, directory, binary, CI="true")
            (directory / client).write_text(changed(files[client]))
            other = run(script, directory, binary, CI="true")
            told = [line.strip() for line in other.stdout.splitlines()]
            wrong = [
                first.returncode and f"the right client ends with {first.returncode}: {first.stdout}",
                again.returncode and f"the same client ends with {again.returncode}: {again.stdout}",
                other.returncode == 0 and "a changed client passes",
                not any("-     form redirect_uri: https://shop.example.org/oauth/callback" in line for line in told) and f"the diff does not show what was sent: {other.stdout}",
                not any("+     form redirect_uri: https://shop.example.org/oauth/callback/" in line for line in told) and f"the diff does not show what is sent: {other.stdout}",
            ]
            if any(wrong):
                raise SystemExit(f"FAILED: {page.name}: {script}" + "\n".join(filter(None, wrong)))
            print(f"  {page.stem:<10} passes, and a changed client ends with {other.returncode} and its diff: {script.split(' -- ')[1].split()[0]}", flush=True)


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    pages = [page for page in sorted((ROOT / "docs/recipes").glob("*.md")) if ONLY in page.stem]
    if len(pages) < 6 and not ONLY:
        raise SystemExit(f"FAILED: there are only {len(pages)} recipes")
    for page in pages:
        recipe(page, binary)


if __name__ == "__main__":
    main()
