"""Kills the recorder at random moments: what a client saw complete must be in the `.part`, which loads, and no secret.

    python3 tests/interop/kill9.py target/release/authtape [--rounds 50] [--seed 1]
"""

import argparse
import itertools
import json
import pathlib
import random
import signal
import ssl
import string
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import canary
from run import Server, fail, run, wait_for

KINDS = ("access_token", "client_secret", "code", "code_verifier", "password", "refresh_token")


def grants(secrets):
    """Token requests that carry the secrets, each in a place of its own."""
    yield {"grant_type": "refresh_token", "refresh_token": secrets["refresh_token"]}
    yield {"grant_type": "authorization_code", "code": secrets["code"], "code_verifier": secrets["code_verifier"], "redirect_uri": "https://client.example/cb"}
    yield {"grant_type": "password", "username": "somebody", "password": secrets["password"], "client_id": "c", "client_secret": secrets["client_secret"]}


def client(proxy, roots, server, secrets, seen, stop):
    """Asks for a token again and again; notes the request id of every answer that came whole."""
    context = ssl.create_default_context(cafile=roots)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": proxy}), urllib.request.HTTPSHandler(context=context)
    )
    forms = itertools.cycle([urllib.parse.urlencode(grant).encode() for grant in grants(secrets)])
    headers = {"Authorization": f"Bearer {secrets['access_token']}"}
    while not stop.is_set():
        try:
            opener.open(urllib.request.Request(f"{server}/token", data=next(forms), headers=headers), timeout=5)
        except urllib.error.HTTPError as error:
            error.read()
            if error.headers.get("X-Request-Id"):
                seen.append(error.headers["X-Request-Id"])
        except (OSError, urllib.error.URLError):
            return


def one(binary, server, work, moments):
    moment = moments.uniform(0.02, 0.5)
    secrets = {name: "".join(moments.choices(string.ascii_letters + string.digits, k=40)) for name in KINDS}
    tape, ready = work / "x.yaml", work / "ready.json"
    ready.unlink(missing_ok=True)
    recorder = subprocess.Popen(
        [binary, "record", str(tape), *server.options, "--ready-file", str(ready), "--quiet"]
    )
    wait_for(ready.exists, "the recorder")
    told = json.loads(ready.read_text())
    seen, stop = [], threading.Event()
    clients = [
        threading.Thread(
            target=client, args=(told["proxy"], told["ca"], server.environment["AS_URL"], secrets, seen, stop), daemon=True
        )
        for _ in range(2)
    ]
    for thread in clients:
        thread.start()
    time.sleep(moment)
    recorder.send_signal(signal.SIGKILL)
    recorder.wait()
    stop.set()
    for thread in clients:
        thread.join()
    part = pathlib.Path(f"{tape}.part")
    text = part.read_text()
    lost = [request for request in seen if request not in text]
    if lost:
        fail(f"killed after {moment:.3f} s: {len(lost)} of {len(seen)} answers are not in the .part")
    canary.check(work, secrets)
    if seen:
        began = time.monotonic()
        run([binary, "recover", str(part)])
        if (took := time.monotonic() - began) > 1:
            fail(f"killed after {moment:.3f} s: recover took {took:.1f} s")
        recovered = tape.read_text()
        if [request for request in seen if request not in recovered]:
            fail(f"killed after {moment:.3f} s: recover lost an interaction")
        run([binary, "show", str(tape)])
        canary.check(work, secrets)
        tape.unlink()
    else:
        part.unlink()
    return len(seen)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    binary = str(pathlib.Path(given.binary).resolve())
    moments = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as elsewhere:
        server = Server(binary, elsewhere)
        counts = [one(binary, server, pathlib.Path(directory), moments) for _ in range(given.rounds)]
        server.stop()
    idle = sum(1 for count in counts if count == 0)
    print(f"  killed     {given.rounds} recorders: {sum(counts)} complete answers, 0 lost, 0 leaks ({idle} killed before the first)")
    if sum(counts) < given.rounds:
        fail("too few answers came to say anything")


if __name__ == "__main__":
    main()
