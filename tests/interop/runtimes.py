"""Each runtime's own client against oidc-provider over TLS: recorded, and replayed with the server off.

    python3 tests/interop/runtimes.py target/release/authtape [--only NAME] [--write docs/runtimes.md]

Every client asks for the discovery document and a token, once by a name, once as localhost; where it
goes round the recorder, by way of `--reverse`. Replays run in a network that has only a loopback, and
must print what the live run printed. Without `--write`, the outcome must be the page's.
"""

import argparse
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile

from run import ALONE, HERE, TOOLS, fail, run, wait_for
from ways import free_port, listens

sys.path.insert(0, str(HERE.parent / "wire"))
from support import Pki, with_us  # noqa: E402

NAME = "accounts.example.com"
HOME = HERE / "runtimes"
PAGE = HERE.parent.parent / "docs" / "runtimes.md"
PYTHON, NODE = str(TOOLS / "venv/bin/python"), TOOLS / "node_modules/node/bin/node"

# The name on the page, the command, how its version is asked for, and options of the recorder.
CLIENTS = [
    ("curl", ["sh", "session.sh", "curl"], ["curl", "--version"], []),
    ("wget", ["sh", "session.sh", "wget"], ["wget", "--version"], []),
    ("git", ["sh", "session.sh", "git"], ["git", "--version"], ["--keep", "all"]),
    ("PHP curl", ["php", "session.php", "curl"], ["php", "--version"], []),
    ("PHP streams", ["php", "session.php", "streams"], ["php", "--version"], []),
    ("PHP streams with a context", ["php", "session.php", "context"], ["php", "--version"], []),
    *(
        (f"Python {library}", [PYTHON, "session.py", library], [PYTHON, "--version"], [])
        for library in ("urllib", "http.client", "requests", "httpx", "aiohttp")
    ),
    *(
        (f"Node {major} {library}", [str(node), "session.mjs", library], [str(node), "--version"], [])
        for major, node in ((20, TOOLS / "node20/node_modules/node/bin/node"), (24, NODE))
        for library in ("fetch", "https")
    ),
    ("Deno", [str(TOOLS / "node_modules/.bin/deno"), "run", "-A", "session.mjs", "fetch"], [str(TOOLS / "node_modules/.bin/deno"), "--version"], []),
    ("Bun", [str(TOOLS / "node_modules/.bin/bun"), "session.mjs", "fetch"], [str(TOOLS / "node_modules/.bin/bun"), "--version"], []),
    ("Ruby net/http", ["ruby", "session.rb"], ["ruby", "--version"], []),
    ("Go net/http", [str(TOOLS / "session-go")], ["go", "version"], []),
    ("Java HttpURLConnection", ["java", "Session.java", "HttpURLConnection"], ["java", "--version"], []),
    ("Java HttpClient", ["java", "Session.java", "HttpClient"], ["java", "--version"], []),
    ("Perl LWP", ["perl", "session.pl", "LWP"], ["perl", "--version"], []),
    ("Perl HTTP::Tiny", ["perl", "session.pl", "Tiny"], ["perl", "--version"], []),
    ("Rust reqwest", [str(TOOLS / "rust/debug/session")], ["cargo", "--version"], []),
    ("Chromium", ["--browser-arg=--headless=new", "--browser-arg=--dump-dom"], ["chromium", "--version"], []),
    ("Firefox", ["--browser-program", "firefox-esr", "--browser-arg=--headless", "--browser-arg=--screenshot", f"--browser-arg={tempfile.gettempdir()}/authtape-firefox.png"], ["firefox-esr", "--version"], []),
]


class Provider:
    def __init__(self, work, program=HOME / "provider.mjs", more=()):
        self.secret, self.port = secrets.token_urlsafe(32), free_port()
        self.environment = {"CLIENT_ID": "runtimes", "CLIENT_SECRET": self.secret, **dict(more)}
        pki = Pki(work)
        pem, key = pki.leaf("provider", f"DNS:localhost,DNS:{NAME},IP:127.0.0.1")
        command = [str(NODE), str(program), str(TOOLS), f"https://{NAME}", str(self.port), str(key), str(pem)]
        self.log = work / "provider.log"
        with open(self.log, "wb") as log:
            environment = {**os.environ, **self.environment}
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, preexec_fn=with_us)
        wait_for(lambda: listens(self.port) or self.process.poll() is not None, "oidc-provider")
        if self.process.poll() is not None:
            fail(self.log.read_text())
        self.options = ["--upstream-ca", str(pki.ca), "--resolve", f"{NAME}:443:127.0.0.1:{self.port}"]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Way:
    """How a client gets to the server: the URL it is given, and the options of `record` and `replay`."""

    def __init__(self, name, url, options=()):
        self.name, self.url, self.options = name, url, list(options)


def ways(provider):
    reverse = free_port()
    local = f"http://127.0.0.1:{reverse}"
    return [
        Way("by name", f"https://{NAME}"),
        Way("localhost", f"https://localhost:{provider.port}"),
        Way("reverse", local, ["--reverse", f"https://{NAME}=127.0.0.1:{reverse}"]),
    ]


def behind(command, way):
    """What stands behind the recorder's own options."""
    if command[0].startswith("--browser"):
        return ["--browser", f"{way.url}/.well-known/openid-configuration", *command]
    return ["--", *command]


def recorded(binary, provider, tape, command, way, options):
    environment = {**provider.environment, "AS_URL": way.url}
    inner = [binary, "record", str(tape), *provider.options, *way.options, *options, *behind(command, way)]
    done = run_in_home(inner, environment)
    urls = re.findall(r"^    url: (.*)$", tape.read_text(), re.M) if tape.exists() else []
    return done, urls


def replayed(binary, provider, tape, command, way):
    environment = {**provider.environment, "AS_URL": way.url}
    inner = [binary, "replay", str(tape), *way.options, *behind(command, way)]
    return run_in_home([*ALONE, *inner], environment)


def run_in_home(command, environment):
    here = pathlib.Path.cwd()
    os.chdir(HOME)
    try:
        return run(command, environment, expect=None)
    finally:
        os.chdir(here)


def version(command):
    said = run(command, expect=None)
    found = re.search(r"\d+\.\d+[.\d]*", said.stdout + said.stderr)
    return found[0] if found else "-"


def advice(binary, only):
    """What `doctor` says where a client is not covered, by client."""
    told = json.loads(run([binary, "doctor", "--json"], expect=None).stdout)
    return {row["client"]: row["advice"] for row in told["clients"] if row["advice"]} if not only else {}


def outcomes(binary, work, only):
    provider = Provider(work)
    lives, rows = {}, {}
    home = work / "home"
    home.mkdir()
    chosen = [client for client in CLIENTS if only.lower() in client[0].lower()]
    for name, command, _, options in chosen:
        row = rows[name] = {}
        for way in ways(provider):
            if way.name == "reverse" and all(row.values()):
                continue
            tape = work / f"{len(lives)}.yaml"
            if name == "Firefox":
                provider.environment["HOME"] = str(home)
            done, urls = recorded(binary, provider, tape, command, way, options)
            row[way.name] = bool(urls)
            if urls:
                if done.returncode != 0:
                    fail(f"{name} {way.name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
                if provider.secret in tape.read_text():
                    fail(f"{name} {way.name}: the client's secret is in the cassette")
                lives[name, way.name] = (way, tape, done.stdout)
            print(f"  {'recorded ' if urls else 'direct   '}  {name:26} {way.name:10} {len(urls)} interactions", flush=True)
    provider.stop()
    # Its crash helper keeps a log of its own beside the profiles, whatever it is told.
    if touched := [path for path in home.rglob("*") if path.is_file() and path.name != "crash_helper_server.log"]:
        fail(f"Firefox wrote among the user's files: {touched}")
    for name, command, _, _ in chosen:
        for place in list(rows[name]):
            if (name, place) not in lives:
                continue
            way, tape, live = lives[name, place]
            done = replayed(binary, provider, tape, command, way)
            if done.stdout != live or done.returncode != 0:
                fail(f"{name} {place}: live and replayed differ (exit {done.returncode})\n--- live\n{live}--- replayed\n{done.stdout}{done.stderr}")
            print(f"  replayed   {name:26} {place:10} {' | '.join(live.split())[:60]}", flush=True)
    for name, row in rows.items():
        if not row["by name"] and not row.get("reverse"):
            fail(f"{name} is not covered in any way")
    return rows


def cell(row, place):
    return {True: "recorded, replayed", False: "direct", None: "not needed"}[row.get(place)]


def table(rows, versions, advices):
    lines = ["| client | version | by name | localhost | `--reverse` |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        cells = " | ".join(cell(row, place) for place in ("by name", "localhost", "reverse"))
        lines.append(f"| {name} | {versions[name]} | {cells} |")
    gaps = [name for name, row in rows.items() if not (row["by name"] and row["localhost"])]
    lines.append("\n## Where a client goes round the recorder, and what to do\n")
    for name in gaps:
        known = advices.get(name) or advices.get(re.sub(r" \d+", "", name))
        if not known:
            fail(f"{name} is not covered, and `doctor` does not say what to do")
        lines.append(f"- **{name}**: {known}")
    return "\n".join(lines) + "\n"


HEAD = """# Runtimes

Which clients are recorded and replayed without a change to their code. `tests/interop/runtimes.py` makes
this page: each client asks a certified server ([oidc-provider](https://www.npmjs.com/package/oidc-provider),
over TLS) for its discovery document and for a token behind `authtape record`, and then the cassette alone,
behind `authtape replay` in a network without a way out; what it prints must be the same both times.
*By name* is a server that has a host name, *localhost* one on this machine at a port of its own. `authtape doctor`
does the like with what is installed on your machine.

"""

FOOT = """
## Not tried here

- **.NET**: on Linux it reads the same variables. On macOS and Windows it reads the system's roots only: make an
  authority with `authtape ca new DIR`, trust `DIR/ca.pem` there, and use `record --ca DIR`. No Debian
  package has it, so it is not tried.
- **Rust with roots compiled in** (webpki-roots, as ureq has them): no variable reaches them; use `--reverse`.
- **Go and Rust's platform verifier on macOS and Windows**: as .NET.
"""


def without_versions(page):
    return re.sub(r"^(\| [^|]+ )\| [^|]+ ", r"\1", page, flags=re.M)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--only", default="", help="only the clients whose name contains this")
    parser.add_argument("--write", type=pathlib.Path, help="write the page here")
    given = parser.parse_args()
    binary = str(pathlib.Path(given.binary).resolve())
    with tempfile.TemporaryDirectory() as directory:
        rows = outcomes(binary, pathlib.Path(directory), given.only)
    if given.only:
        return
    versions = {name: version(command) for name, _, command, _ in CLIENTS}
    os.environ["PATH"] = os.pathsep.join([str(NODE.parent.parent.parent.parent / "node20/node_modules/node/bin"), str(TOOLS / "node_modules/.bin"), str(TOOLS / "venv/bin"), os.environ["PATH"]])
    page = HEAD + table(rows, versions, advice(binary, given.only)) + FOOT
    if given.write:
        given.write.write_text(page)
    elif without_versions(PAGE.read_text()) != without_versions(page):
        fail(f"{PAGE.name} is not what came out; look, and write it with --write\n{page}")
    print(f"{len(rows)} clients")


if __name__ == "__main__":
    sys.exit(main())
