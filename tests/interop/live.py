"""The live page in Chromium, while real clients are recorded and played.

    python3 tests/interop/live.py target/release/authtape [--keep DIR]

The page must grow with the session, keep open what its reader opened, end with all that was said, hold no secret, ask
nobody but its own address, and be shown to nobody who does not name that address with its token.
"""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.parse

import canary
from run import CLIENTS, HERE, TOOLS, Server, fail, wait_for

sys.path.insert(0, str(HERE / "share"))
from payloads import ALL  # noqa: E402
from share import KNOWN  # noqa: E402

NODE = TOOLS / "node_modules/node/bin/node"
# The page's own, besides those of the page that is shared.
OWN = {"SCRIPT", "role", "lang"}

# A client that says what it is given, wherever a client can.
SAYS = """
import json, ssl, sys, urllib.error, urllib.parse, urllib.request
for text in json.load(open(sys.argv[1])):
    body = urllib.parse.urlencode({"grant_type": text, text: text, "error": text}).encode()
    for path in ("", "/" + urllib.parse.quote(text[:2000])):
        request = urllib.request.Request("https://accounts.example.com/token" + path, data=body)
        request.add_header("X-Request-Id", "".join(c for c in text[:2000] if " " <= c <= "~"))
        try:
            urllib.request.urlopen(request).read()
        except urllib.error.HTTPError as answer:
            answer.read()
"""


class Run:
    """A run with a page, whose program waits for a file between its commands."""

    def __init__(self, binary, work, name, arguments, commands, environment):
        self.work, self.name = work, name
        ready = work / f"{name}.ready.json"
        self.gates = [work / f"{name}.go{at}" for at in range(len(commands))]
        script = "".join(f"while [ ! -e {gate} ]; do sleep 0.02; done\n{command}\n" for gate, command in zip(self.gates, commands))
        self.process = subprocess.Popen(
            [binary, *arguments, "--ui", "--ready-file", ready, "--", "sh", "-c", script + "true"],
            env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        wait_for(lambda: ready.exists() and ready.read_text().endswith("\n"), "the run")
        self.url = json.loads(ready.read_text())["ui"]

    def watched(self, keep):
        """What Chromium saw; each gate opens when it is where it should be."""
        html, picture = self.work / "out" / f"{self.name}.html", self.work / f"{self.name}.png"
        watch = subprocess.Popen([NODE, HERE / "live/watch.mjs", TOOLS, self.url, html, picture], stdout=subprocess.PIPE, text=True)
        for gate, word in zip(self.gates, ["opened", "unfolded"]):
            if watch.stdout.readline().strip() != word:
                fail(f"{self.name}: the page was not {word}")
            gate.touch()
        last = [line for line in watch.stdout if line.startswith("{")]
        if watch.wait(90) != 0 or not last:
            fail(f"{self.name}: Chromium saw no end")
        out, _ = self.process.communicate(timeout=60)
        (self.work / "out" / f"{self.name}.log").write_text(out.replace(self.url, "URL"))
        if keep:
            shutil.copy(picture, keep)
        told = json.loads(last[-1])
        if wrong := {key: told[key] for key in ("dialogs", "elsewhere", "console") if told[key]}:
            fail(f"{self.name}: {str(wrong)[:2000]}")
        if unknown := [name for key in ("tags", "attributes") for name in told[key] if name not in KNOWN | OWN]:
            fail(f"{self.name}: it has elements or attributes that no page has: {unknown}")
        if "This is all that was said" not in told["state"]:
            fail(f"{self.name}: {told['state']}")
        return told


def grown(told, most):
    """It was empty, and each time had more, up to all."""
    counts = told["counts"]
    return counts[0] == 0 and counts[-1] == most and counts == sorted(counts) and len(counts) > 1


def recorded(binary, work, keep):
    server = Server(binary, work)
    tape, canaries = work / "out" / "login.yaml", work / "canaries.json"
    python = " ".join(f"'{word}'" for word in CLIENTS["python-requests"])
    commands = [python, f"php '{HERE / 'client.php'}' redirect-slash"]
    run = Run(binary, work, "record", ["record", tape, *server.options], commands, {**server.environment, "CANARY_FILE": str(canaries)})
    refused(run.url)
    told = run.watched(keep)
    server.stop()
    if "Nothing yet" not in told["first"] or not grown(told, 6):
        fail(f"record: {told['counts']}: {told['first']}")
    if told["unfolded"] not in told["open"]:
        fail(f"record: {told['unfolded']} was opened, and did not stay so: {told['open']}")
    if "differ" not in told["findings"] and "slash" not in told["findings"]:
        fail(f"record: {told['findings']}")
    print(f"  recorded   {told['counts']} exchanges as they came, {told['title']!r}")
    return tape, json.loads(canaries.read_text()), server


def played(binary, work, tape, server, keep):
    python = " ".join(f"'{word}'" for word in CLIENTS["python-requests"])
    payloads = work / "payloads.json"
    payloads.write_text(json.dumps([text for _, text in ALL]))
    says = work / "says.py"
    says.write_text(SAYS)
    canaries = work / "played.json"
    commands = [python, f"'{sys.executable}' '{says}' '{payloads}'"]
    run = Run(binary, work, "replay", ["replay", tape, "--allow-unused"], commands, {**server.environment, "CANARY_FILE": str(canaries)})
    told = run.watched(keep)
    misses = "".join(told["beside"]).count("miss: POST https://accounts.example.com/token/")
    if not grown(told, 4 + len(ALL)) or len(told["beside"]) != 1 or misses != len(ALL):
        fail(f"replay: {told['counts']}, {misses} misses")
    print(f"  played     {told['counts'][-1]} exchanges, {len(ALL)} of them with payloads, which are texts, and {misses} misses")
    return json.loads(canaries.read_text())


def refused(url):
    """Who is not shown the page, and with which status."""
    parts = urllib.parse.urlsplit(url)
    port, path = parts.port, parts.path
    here = f"127.0.0.1:{port}"
    hosts = ["evil.example", f"evil.example:{port}", "localhost", f"localhost:{port}", "127.0.0.1", f"127.0.0.2:{port}", f"[::1]:{port}", f"0.0.0.0:{port}", f"127.1:{port}", f"2130706433:{port}", f"{here}.evil.example", ""]
    cases = [("GET", path, {"Host": host}, 421) for host in hosts]
    wrong = path[:-2] + ("0" if path[-2] != "0" else "1") + "/"
    cases += [("GET", other, {"Host": here}, 404) for other in ("/", wrong, path[:-1], path[:-2] + "/", path + "../", path + "x", "/favicon.ico", wrong + "session", wrong + "events")]
    cases += [(method, path, {"Host": here}, 405) for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH")]
    cases += [("GET", path + place, {"Host": here, "Sec-Fetch-Site": site}, 403) for site in ("cross-site", "same-site") for place in ("", "session", "events")]
    cases += [("GET", f"http://{here}{path}", {"Host": here}, 421)]
    cases += [("GET", path, {"Host": here, "Sec-Fetch-Site": "none"}, 200), ("GET", path + "session", {"Host": here, "Sec-Fetch-Site": "same-origin"}, 200)]
    for method, place, fields, expected in cases:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.putrequest(method, place, skip_host=True, skip_accept_encoding=True)
        for name, value in fields.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != expected or (expected != 200 and body):
            fail(f"{method} {place} {fields}: {answer.status}, expected {expected}: {body[:80]}")
        policy = answer.headers["Content-Security-Policy"]
        if "default-src 'none'" not in policy or "unsafe" in policy or "frame-ancestors 'none'" not in policy:
            fail(f"{method} {place}: {policy}")
        connection.close()
    for other in socket.gethostbyname_ex(socket.gethostname())[2]:
        if not other.startswith("127.") and socket.socket().connect_ex((other, port)) == 0:
            fail(f"the page is shown at {other}")
    print(f"  refused    {len(cases) - 2} ways of asking for the page")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--keep", help="leave the pictures in this directory")
    given = parser.parse_args()
    binary = str(pathlib.Path(given.binary).resolve())
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        (work / "out").mkdir()
        tape, canaries, server = recorded(binary, work, given.keep)
        others = played(binary, work, tape, server, given.keep)
        searched = canary.check(work / "out", canaries)
        searched += canary.check(work / "out", others)
        print(f"  searched   {searched} spellings of the secrets in the pages: none is there")


if __name__ == "__main__":
    sys.exit(main())
