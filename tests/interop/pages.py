"""A login through oidc-provider's own pages with its answer in a form: recorded, searched, replayed offline.

    python3 tests/interop/pages.py target/release/authtape

The client asks for `response_mode=form_post`. The page that carries the code is a form on tape, with the
labels of the POST that brings it to the client; replayed, it carries this run's code and state, with the
pages before it (`--keep-pages`) or without.
"""

import http.server
import json
import pathlib
import re
import shutil
import sys
import tempfile
import threading

import canary
from run import ALONE, TOOLS, fail, run
from runtimes import NAME, Provider

HERE = pathlib.Path(__file__).resolve().parent / "pages"


class Callback(http.server.BaseHTTPRequestHandler):
    """The client's redirection endpoint."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def labels(text, name):
    """The labels of the fields of a form, or of the parameters of a request, that have this name."""
    return set(re.findall(rf"^ +- {name}: (?:\{{type: hidden, value: )?(REDACTED-[a-z_]+-\d+)", text, re.M))


def check_tape(text):
    if "auto_submit: true" not in text or "password: {type: password}" not in text:
        fail(f"the forms are not on tape:\n{text}")
    for name in ("code", "state"):
        if len(found := labels(text, name)) != 1:
            fail(f"{name} has {len(found)} labels where one value was sent: {sorted(found)}")
    if "step: authorization_response" not in text:
        fail("the POST to the client is no authorization response")


def play(binary, work, response_type):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    redirect = f"http://127.0.0.1:{server.server_port}/cb"
    provider = Provider(work, HERE / "provider.mjs", {"REDIRECT_URI": redirect})
    out = work / "out"
    out.mkdir()
    tape, client = out / "tape.yaml", [sys.executable, str(HERE / "browser.py")]
    environment = {**provider.environment, "AS_URL": f"https://{NAME}", "RESPONSE_TYPE": response_type,
                   "CANARY_FILE": str(work / "canaries.json")}
    live = run([binary, "record", str(tape), *provider.options, "--", *client], environment)
    provider.stop()
    server.shutdown()
    text = tape.read_text()
    check_tape(text)
    run([binary, "audit", str(tape)])
    (out / "record.log").write_text(live.stdout + live.stderr)
    environment["CANARY_FILE"] = "/dev/null"
    for options, pages in ([], 0), (["--keep-pages"], 2):
        done = run([*ALONE, binary, "replay", str(tape), *options, "--", *client], environment, expect=None)
        if done.stdout != live.stdout or done.returncode != 0 or f"pages: {pages}\n" not in done.stderr:
            fail(f"live and replayed differ (exit {done.returncode}, {options})\n--- live\n{live.stdout}--- replayed\n{done.stdout}{done.stderr}")
        (out / f"replay{pages}.log").write_text(done.stdout + done.stderr)
    searched = canary.check(out, json.loads((work / "canaries.json").read_text()))
    print(f"  {response_type:14} {live.stdout.splitlines()[0]}; replayed twice; {searched} spellings of secrets searched: none is there")


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    if not shutil.which("unshare") or not (TOOLS / "node_modules/oidc-provider").exists():
        fail("run .ci/install")
    for response_type in ("code", "code id_token"):
        with tempfile.TemporaryDirectory() as directory:
            play(binary, pathlib.Path(directory), response_type)


if __name__ == "__main__":
    main()
