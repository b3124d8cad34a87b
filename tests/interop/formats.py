"""Exported cassettes in the hands of the tools whose format it is, and theirs in ours.

    python3 tests/interop/formats.py target/release/authtape

VCR, vcrpy and nock play what was exported to a real client; mitmproxy and PyYAML read it; a shell runs curl's script
against `authtape replay`. Then each file is imported again: it must say the same, and what vcrpy records of a
server must come in without its secrets.
"""

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
NAMES = {"vcr": "login.yml", "vcrpy": "login.yaml", "nock": "login.json", "mitmproxy": "login.flow", "go-vcr": "login.go.yaml", "har": "login.har", "curl": "login.sh"}


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
    yield "mitmproxy", run(TOOLS / "mitmproxy/bin/python", HERE / "play.py", "mitmproxy", directory)


def go_vcr(directory):
    """The keys of go-vcr's structs, as another YAML reader sees them."""
    read = "import json,sys,yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"
    tape = json.loads(run(PYTHON, "-c", read, directory / NAMES["go-vcr"]))
    check(tape["version"] == 2, "go-vcr: version")
    request, response = tape["interactions"][1]["request"], tape["interactions"][1]["response"]
    check(request["form"]["grant_type"] == ["authorization_code"], f"go-vcr: {request['form']}")
    check(request["headers"]["Content-Type"] == ["application/x-www-form-urlencoded"], "go-vcr: headers")
    check(response["code"] == 200 and response["status"] == "200 OK", "go-vcr: status")


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


def back(binary, directory):
    """What was exported is imported, and says the same but for what the format does not hold."""
    before = json.loads(run(binary, "show", LOGIN, "--json"))["interactions"]
    for form in ("har", "mitmproxy", "vcr", "vcrpy", "go-vcr", "nock"):
        tape = directory / f"back-{form}.yaml"
        run(binary, "import", directory / NAMES[form], "-o", tape, "--all" if form == "" else "--overwrite")
        after = json.loads(run(binary, "show", tape, "--json"))["interactions"]
        for one, other in zip(before, after, strict=True):
            for key in ("step", "method", "url", "status", "target", "oauth_error"):
                check(one[key] == other[key], f"{form}: {key}: {one[key]} is {other[key]}")
            bodies = [[(part["name"], part["value"]) for part in side if part["where"] in ("query", "body")] for side in (one["request"], other["request"])]
            check(bodies[0] == bodies[1], f"{form}: {bodies}")


class Server(http.server.BaseHTTPRequestHandler):
    """A token endpoint."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"access_token": TOKEN, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


TOKEN, SECRET = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz", "Mn4Bv7Cx2Za9Sd6Fg1Hj8Kl3Qw5Er0Ty"


def theirs(binary, directory):
    """What vcrpy recorded comes in without its secrets."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    recorded = directory / "recorded.yaml"
    record = (
        "import requests, sys, vcr\n"
        "with vcr.use_cassette(sys.argv[1], record_mode='all'):\n"
        "    requests.post(sys.argv[2], data={'grant_type': 'client_credentials', 'client_id': 'web', 'client_secret': sys.argv[3]})\n"
    )
    run(PYTHON, "-c", record, recorded, f"http://127.0.0.1:{server.server_port}/token", SECRET)
    check(SECRET in recorded.read_text() and TOKEN in recorded.read_text(), "vcrpy recorded nothing")
    tape = directory / "imported.yaml"
    run(binary, "import", recorded, "-o", tape)
    text = tape.read_text()
    check("step: token_request" in text and "REDACTED-client_secret-1" in text, text)
    check(SECRET not in text and TOKEN not in text, "a secret came through")
    check("access_token-1" in run(binary, "explain", recorded) + run(binary, "show", recorded), "show reads it as it is")


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
        go_vcr(directory)
        curl(binary, directory)
        print("  curl       5000 words through a shell, secrets from the environment")
        back(binary, directory)
        theirs(binary, directory)
        print("  import     6 formats say the same again, and no secret comes through")


if __name__ == "__main__":
    main()
