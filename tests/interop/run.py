"""Real clients against the demo server: recorded, explained, replayed offline, searched for leaks.

    python3 tests/interop/run.py target/release/authtape [--keep DIR] [--only NAME]

Standard library only. What a client needs (PHP, a Python with requests and httpx, Node from 22.21)
is installed by `.ci/install`; a missing one is a failure.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import canary

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "target" / "interop"

# What clients call the server; only the recorder knows where it is.
NAME = "accounts.example.com"

# What runs a command in a network that has only a loopback.
ALONE = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]

# Each variant of the thread's client, and what `explain` must say first.
VARIANTS = {
    "as-posted": "token-body-empty",
    "multipart": "token-body-multipart-as-urlencoded",
    "redirect-slash": "redirect-uri-trailing-slash",
    "json": "token-body-json",
    "basic": "token-body-empty",
    "get": "token-method-not-post",
    "correct": None,
}

# Other runtimes, each with the correct session once.
CLIENTS = {
    "curl": ["sh", str(HERE / "client.sh")],
    "python-urllib": [str(TOOLS / "venv/bin/python"), str(HERE / "client.py"), "urllib"],
    "python-requests": [str(TOOLS / "venv/bin/python"), str(HERE / "client.py"), "requests"],
    "python-httpx": [str(TOOLS / "venv/bin/python"), str(HERE / "client.py"), "httpx"],
    "python-http-client": [str(TOOLS / "venv/bin/python"), str(HERE / "client.py"), "http.client"],
    "python-aiohttp": [str(TOOLS / "venv/bin/python"), str(HERE / "client.py"), "aiohttp"],
    "wget": ["sh", str(HERE / "client_wget.sh")],
    "node-fetch": [str(TOOLS / "node_modules/node/bin/node"), str(HERE / "client.mjs")],
}


def fail(text):
    raise SystemExit(f"FAILED: {text}")


class Server:
    """The demo server, and the environment that a client finds it by."""

    def __init__(self, binary, work, listen="127.0.0.1:0"):
        ready = pathlib.Path(work, "server.json")
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [binary, "demo", "--serve", "--listen", listen, "--ready-file", str(ready)], stderr=subprocess.DEVNULL
        )
        wait_for(ready.exists, "the demo server")
        told = json.loads(ready.read_text())
        self.ca = told["ca"]
        self.secret = told["client_secret"]
        port = told["authority"].rsplit(":", 1)[1]
        self.options = ["--upstream-ca", self.ca, "--resolve", f"{NAME}:443:127.0.0.1:{port}"]
        self.environment = {
            "AS_URL": f"https://{NAME}",
            "CLIENT_ID": told["client_id"],
            "CLIENT_SECRET": told["client_secret"],
        }

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def wait_for(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            fail(f"{what} did not come")
        time.sleep(0.01)


def run(command, environment=None, expect=0):
    done = subprocess.run(
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    if expect is not None and done.returncode != expect:
        fail(f"{' '.join(map(str, command))}\nexit {done.returncode}, expected {expect}\n{done.stdout}{done.stderr}")
    return done


def session(binary, server, name, command, work, first):
    """One client: recorded live, explained; what it printed, and the canaries it used."""
    tape, canaries = work / "out" / f"{name}.yaml", work / f"{name}.canaries.json"
    environment = {**server.environment, "CANARY_FILE": str(canaries)}
    live = run([binary, "record", str(tape), *server.options, "--", *command], environment)
    (work / "out" / f"{name}.record.log").write_text(live.stdout + live.stderr)
    explained = run([binary, "explain", "--format", "json", str(tape)], expect=None)
    (work / "out" / f"{name}.explain.json").write_text(explained.stdout)
    (work / "out" / f"{name}.explain.txt").write_text(run([binary, "explain", str(tape)], expect=None).stdout)
    findings = json.loads(explained.stdout)["findings"]
    ids = [finding["rule"] for finding in findings]
    if first is None:
        loud = [finding["rule"] for finding in findings if finding["severity"] != "note"]
        if loud:
            fail(f"{name}: findings on a healthy session: {loud}")
    elif not ids or ids[0] != first:
        fail(f"{name}: expected {first} first, got {ids}")
    return live.stdout, json.loads(canaries.read_text()), ids


def offline(binary, name, command, work, environment):
    """The same client against the tape, in a network that has only a loopback."""
    tape = work / "out" / f"{name}.yaml"
    done = run([*ALONE, binary, "replay", str(tape), "--", *command], {**environment, "CANARY_FILE": "/dev/null"}, expect=None)
    (work / "out" / f"{name}.replay.log").write_text(done.stdout + done.stderr)
    return done


def play(binary, work, only):
    server = Server(binary, work)
    jobs = {f"php-{variant}": (["php", str(HERE / "client.php"), variant], first) for variant, first in VARIANTS.items()}
    jobs |= {name: (command, None) for name, command in CLIENTS.items()}
    jobs = {name: job for name, job in jobs.items() if only in name}
    lives = {}
    for name, (command, first) in jobs.items():
        if shutil.which(command[0]) is None:
            fail(f"{name}: {command[0]} is missing; run .ci/install")
        lives[name] = session(binary, server, name, command, work, first)
        print(f"  recorded   {name:20} {', '.join(lives[name][2]) or 'no finding'}")
    server.stop()
    searched = 0
    for name, (command, _) in jobs.items():
        live, canaries, _ = lives[name]
        done = offline(binary, name, command, work, server.environment)
        if done.stdout != live or done.returncode != 0:
            fail(f"{name}: live and replayed differ (exit {done.returncode})\n--- live\n{live}--- replayed\n{done.stdout}{done.stderr}")
        print(f"  replayed   {name:20} {live.splitlines()[-1]}")
        searched += canary.check(work / "out", canaries)
    print(f"  searched   {searched} spellings of the secrets in {len(list((work / 'out').iterdir()))} files: none is there")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--keep", help="leave what was written in this directory")
    parser.add_argument("--only", default="", help="only the clients whose name contains this")
    given = parser.parse_args()
    binary = str(pathlib.Path(given.binary).resolve())
    print(f"canary checker: {canary.self_test()} encodings caught")
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        (work / "out").mkdir()
        play(binary, work, given.only)
        if given.keep:
            shutil.copytree(work / "out", given.keep, dirs_exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
