"""Exported cassettes in the hands of the tools whose format it is, and theirs in ours.

    python3 tests/interop/formats.py target/release/authtape

VCR, vcrpy, go-vcr, nock and Polly play what was exported to a real client; mitmproxy reads it; a shell runs curl's script.
Then every shipped cassette goes through every format and back: it must say the same, but for what is listed. What VCR,
vcrpy, go-vcr, nock and mitmproxy record must come in whole and without its secrets.
"""

import gzip
import http.server
import json
import os
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).parent / "formats"
TOOLS = ROOT / "target/interop"
NODE, PYTHON = TOOLS / "node_modules/node/bin/node", TOOLS / "venv/bin/python"
LOGIN = ROOT / "cassettes/accounts.example.com/thread-correct.yaml"
NAMES = {"vcr": "login.yml", "vcrpy": "login.yaml", "nock": "login.json", "mitmproxy": "login.flow", "go-vcr": "login.go.yaml", "har": "login.har", "polly": "login.polly.har", "curl": "login.sh"}


def run(*command, code=0, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, **more)
    if done.returncode != code:
        raise SystemExit(f"FAILED: {command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def check(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def answers(directory):
    """What each tool that plays answers to the token request."""
    yield "VCR", run("ruby", HERE / "play.rb", directory)
    yield "vcrpy", run(PYTHON, HERE / "play.py", "vcrpy", directory)
    yield "nock", run(NODE, HERE / "play.mjs", TOOLS, directory)
    yield "Polly", run(NODE, HERE / "play.mjs", TOOLS, directory, "polly")
    yield "go-vcr", run(TOOLS / "go-vcr", "play", directory)
    yield "mitmproxy", run(TOOLS / "mitmproxy/bin/python", HERE / "play.py", "mitmproxy", directory)


def curl(binary, directory):
    """The script asks what was asked, with the secrets that it is given."""
    script = directory / NAMES["curl"]
    names = [line.split("{")[1].split(":")[0] for line in script.read_text().splitlines() if line.startswith(': "${')]
    check("CLIENT_SECRET_1" in names and "CODE_1" in names, names)
    missing = subprocess.run(["sh", script], capture_output=True, text=True)
    check(missing.returncode != 0 and "parameter" in missing.stderr, missing.stderr)
    values = {name: f"value-of-{name.lower()}-$(touch {directory}/pwned)'\"`" for name in names}
    seen = directory / "seen"
    fake = directory / "bin"
    fake.mkdir()
    (fake / "curl").write_text(f"#!{sys.executable}\nimport json,sys\nopen({str(seen)!r},'a').write(json.dumps(sys.argv[1:])+'\\n')\n")
    (fake / "curl").chmod(0o755)
    run("sh", script, env={**os.environ, **values, "PATH": f"{fake}:{os.environ['PATH']}"})
    calls = [json.loads(line) for line in seen.read_text().splitlines()]
    check(len(calls) == 2 and not (directory / "pwned").exists(), calls)
    check(any(f"client_secret={values['CLIENT_SECRET_1']}" in word for word in calls[1]), calls[1])
    # The words of a shell are what they were, whatever they are.
    letters = "aZ09 '\"\\`$!#&|;<>()[]{}*?~-@=%^,.:/\n\té€\u0301"
    chance = random.Random(7)
    words = ["".join(chance.choice(letters) for _ in range(chance.randrange(40))) for _ in range(5000)]
    echoed = round_trip(binary, directory, [word.replace("\n", "").replace("\t", "") for word in words])
    check(echoed == 5000, f"{echoed} of 5000 words came through a shell")


def round_trip(binary, directory, words):
    """How many parameters come out of the script's URLs as they went into the cassette."""
    text = LOGIN.read_text().split("interactions:")[0] + "interactions:\n"
    form = "".join(f"    - p{at}: {json.dumps(word)}\n" for at, word in enumerate(words))
    text += f"\n- id: 1\n  step: other\n  at: 0.000\n  request:\n    method: POST\n    url: https://a.example/\n    http: \"1.1\"\n    headers:\n"
    text += "".join(f"    - X-{at}: {json.dumps(word)}\n" for at, word in enumerate(words)) + "  response:\n    status: 200\n    after: 0.001\n"
    tape, script, seen = directory / "words.yaml", directory / "words.sh", directory / "words.json"
    tape.write_text(text)
    run(binary, "export", tape, "--to", "curl", "-o", script)
    (directory / "bin/curl").write_text(f"#!{sys.executable}\nimport json,sys\njson.dump(sys.argv[1:],open({str(seen)!r},'w'))\n")
    run("sh", script, env={**os.environ, "PATH": f"{directory / 'bin'}:{os.environ['PATH']}"})
    got = json.loads(seen.read_text())
    fields = [got[at + 1] for at, word in enumerate(got) if word == "--header"]
    want = [f"X-{at}: {word}" if word else f"X-{at};" for at, word in enumerate(words)]
    return sum(a == b for a, b in zip(fields, want))


IMPORTED = ("azure-test-proxy", "go-vcr", "har", "hoverfly", "httpmock", "mitmproxy", "nock", "php-vcr", "polly", "vcr", "vcrpy")
# What explain then no longer says, since the format keeps no field of a request.
UNSAID = {("nock", "thread-multipart"): "token-body-multipart-as-urlencoded"}


def rules(binary, tape):
    told = json.loads(run(binary, "explain", tape, "--json", "--fail-on", "never"))
    return sorted(finding["rule"] for finding in told["findings"])


def back(binary, directory):
    """What was exported looks like no secret, is imported, and says the same but for what the format does not hold."""
    tapes = sorted((ROOT / "cassettes").glob("*/*.yaml"))
    check(len(tapes) >= 7, tapes)
    unsaid = dict(UNSAID)
    for tape in tapes:
        before, found = json.loads(run(binary, "show", tape, "--json"))["interactions"], rules(binary, tape)
        for form in IMPORTED:
            file, again = directory / f"back.{form}", directory / "back.yaml"
            run(binary, "export", tape, "--to", form, "-o", file, "--overwrite")
            run(binary, "audit", file)
            run(binary, "import", file, "-o", again, "--overwrite")
            after = json.loads(run(binary, "show", again, "--json"))["interactions"]
            for one, other in zip(before, after, strict=True):
                for key in ("step", "method", "url", "status", "target", "oauth_error"):
                    check(one[key] == other[key], f"{tape.stem} {form}: {key}: {one[key]} is {other[key]}")
                bodies = [[(part["name"], part["value"]) for part in side if part["where"] in ("query", "body")] for side in (one["request"], other["request"])]
                if form in ("hoverfly", "httpmock"):
                    bodies = [sorted(body) for body in bodies]
                check(bodies[0] == bodies[1], f"{tape.stem} {form}: {bodies}")
            lost = unsaid.pop((form, tape.stem), None)
            kept = [rule for rule in found if rule != lost]
            check(rules(binary, again) == kept, f"{tape.stem} {form}: {found} is {rules(binary, again)}")
    check(not unsaid, f"nothing was lost of {list(unsaid)}")
    return len(tapes)


class Server(http.server.BaseHTTPRequestHandler):
    """A token endpoint that compresses its answers."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.compress(json.dumps({"access_token": TOKEN, "token_type": "Bearer"}).encode())
        self.send_response(200)
        for name, value in [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


TOKEN, SECRET = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz", "Mn4Bv7Cx2Za9Sd6Fg1Hj8Kl3Qw5Er0Ty"
VCRPY = """
import requests, sys, vcr
with vcr.use_cassette(sys.argv[1], record_mode="all"):
    requests.post(sys.argv[2], data={"grant_type": "client_credentials", "client_id": "web", "client_secret": sys.argv[3]})
"""
MITMPROXY = """
import sys
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow
import gzip, json
flow = tflow.tflow(resp=True)
flow.request.url, flow.request.method = sys.argv[2], "POST"
flow.request.headers.clear()
flow.request.headers["Content-Type"] = "application/x-www-form-urlencoded"
flow.request.content = f"grant_type=client_credentials&client_id=web&client_secret={sys.argv[3]}".encode()
flow.response.headers.clear()
flow.response.headers["Content-Encoding"] = "gzip"
flow.response.headers["Content-Type"] = "application/json"
flow.response.headers["Cache-Control"] = "no-store"
flow.response.raw_content = gzip.compress(json.dumps({"access_token": sys.argv[4], "token_type": "Bearer"}).encode())
with open(sys.argv[1], "wb") as file:
    FlowWriter(file).add(flow)
"""


def recorders(url):
    """Who records what is sent there: the name, the file, and the command that makes it."""
    yield "vcrpy", "recorded.yaml", lambda file: run(PYTHON, "-c", VCRPY, file, url, SECRET)
    yield "VCR", "recorded.yml", lambda file: run("ruby", HERE / "record.rb", file, url, SECRET)
    yield "go-vcr", "recorded.go.yaml", lambda file: run(TOOLS / "go-vcr", "record", file, url, SECRET)
    yield "nock", "recorded.json", lambda file: run(NODE, HERE / "record.mjs", TOOLS, file, url, SECRET)
    yield "mitmproxy", "recorded.flow", lambda file: run(TOOLS / "mitmproxy/bin/python", "-c", MITMPROXY, file, url, SECRET, TOKEN)


def theirs(binary, directory):
    """What they recorded comes in whole, and without its secrets."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names = []
    for name, file, record in recorders(f"http://127.0.0.1:{server.server_port}/token"):
        recorded = directory / file
        record(recorded)
        check(SECRET.encode() in recorded.read_bytes(), f"{name} recorded nothing")
        tape = directory / "imported.yaml"
        run(binary, "import", recorded, "-o", tape, "--overwrite")
        text = tape.read_text()
        check("step: token_request" in text and "REDACTED-client_secret-1" in text, f"{name}: {text}")
        check("REDACTED-access_token-1" in text and '"token_type": "Bearer"' in text, f"{name}: the answer is not there: {text}")
        check(SECRET not in text and TOKEN not in text, f"{name}: a secret came through")
        check("access_token-1" in run(binary, "show", recorded), f"{name}: show does not read it as it is")
        check(rules(binary, recorded) == [], f"{name}: {rules(binary, recorded)}")
        names.append(name)
    return names


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        for form, name in NAMES.items():
            run(binary, "export", LOGIN, "--to", form, "-o", directory / name)
        har = json.loads((directory / "login.har").read_text())
        (directory / "body").write_text(har["log"]["entries"][1]["request"]["postData"]["text"])
        for tool, told in answers(directory):
            status, request_id, body = told.strip().split("\n", 2)
            check(status == "200" and request_id == "460e3122-a5e6-b2d9-ba4b-6507659f79e9", f"{tool}: {told}")
            check(json.loads(body)["access_token"] == "REDACTED-access_token-1", f"{tool}: {body}")
            print(f"  {tool:<10} has what was exported")
        curl(binary, directory)
        print("  curl       5000 words through a shell, secrets from the environment")
        tapes = back(binary, directory)
        print(f"  import     {tapes} cassettes in {len(IMPORTED)} formats say the same again, but for {len(UNSAID)} that lose a finding")
        print(f"  import     what {', '.join(theirs(binary, directory))} recorded, compressed, whole and without its secrets")


if __name__ == "__main__":
    main()
