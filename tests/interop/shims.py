"""The shims of `record`: what each makes of keep-alive, plain HTTP, refusals, and of what the program has set itself.

    python3 tests/interop/shims.py target/release/authtape [--only NAME]

Each case is a few lines of Python or JavaScript against a local server, with HTTP and HTTPS at ports of
their own. It must print what is said here within its time, and so many of its requests must be on tape.
"""

import argparse
import http.server
import os
import pathlib
import re
import socketserver
import subprocess
import sys
import tempfile
import threading

from run import HERE, TOOLS

sys.path.insert(0, str(HERE.parent / "wire"))
from support import Listener, Pki, Report, read_head  # noqa: E402

PYTHON = [str(TOOLS / "venv/bin/python"), "-c"]
NODES = {major: [str(node), "--input-type=module", "-e"] for major, node in (
    (20, TOOLS / "node20/node_modules/node/bin/node"), (24, TOOLS / "node_modules/node/bin/node"),
)}
SHIMS = HERE.parent.parent / "src/launch/shims"
SECONDS = 20

# The name, what it runs, what it must print, and how many requests must be on tape.
PYTHONS = [
    ("http.client keeps its connection alive", """
        from http.client import HTTPSConnection
        connection = HTTPSConnection("localhost", HTTPS_PORT)
        for _ in range(3):
            connection.request("GET", "/")
            answer = connection.getresponse().read().decode()
        print(answer, connection.host, connection.port == HTTPS_PORT)""", "GET / localhost:HTTPS localhost True", 3),
    ("http.client connects again", """
        from http.client import HTTPConnection
        connection = HTTPConnection("localhost", HTTP_PORT)
        for _ in range(2):
            connection.request("POST", "/a?b=c", "text")
            print(connection.getresponse().read().decode())
            connection.close()""", "POST /a?b=c localhost:HTTP\nPOST /a?b=c localhost:HTTP", 2),
    ("http.client over a Unix socket is left alone", """
        import http.client, socket
        ours, theirs = socket.socketpair()
        class Unix(http.client.HTTPConnection):
            def connect(self):
                self.sock = ours
        theirs.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
        connection = Unix("docker")
        connection.request("GET", "/")
        print(connection.getresponse().read().decode(), theirs.recv(99).split()[4].decode())""", "hi docker", 0),
    ("urllib without proxies", """
        from urllib.request import ProxyHandler, build_opener
        for url in (HTTPS, HTTP):
            print(build_opener(ProxyHandler({})).open(url).read().decode())""", "GET / localhost:HTTPS\nGET / localhost:HTTP", 2),
    ("urllib with a proxy", """
        from urllib.request import urlopen
        for url in (HTTPS, HTTP):
            print(urlopen(url).read().decode())""", "GET / localhost:HTTPS\nGET / localhost:HTTP", 2),
    ("urllib3 without a proxy", """
        import urllib3
        pool = urllib3.PoolManager()
        for url in (HTTPS, HTTPS, HTTP, HTTP):
            print(pool.request("GET", url).data.decode())""", "GET / localhost:HTTPS\n" * 2 + "GET / localhost:HTTP\n" * 2, 4),
    ("requests, and a session that ignores its environment", """
        import os, requests
        session = requests.Session()
        session.trust_env, session.verify = False, os.environ["SSL_CERT_FILE"]
        for url in (HTTPS, HTTP):
            print(requests.get(url).status_code, session.get(url).text)""", "200 GET / localhost:HTTPS\n200 GET / localhost:HTTP", 4),
    ("httpx", """
        import httpx
        for url in (HTTPS, HTTP):
            print(httpx.get(url).text)""", "GET / localhost:HTTPS\nGET / localhost:HTTP", 2),
    ("aiohttp reads no .netrc", """
        import asyncio, aiohttp
        async def main():
            async with aiohttp.ClientSession() as session:
                for url in (HTTPS, HTTP, HTTPS, HTTP):
                    async with session.get(url) as answer:
                        print(await answer.text())
        asyncio.run(main())""", "GET / localhost:HTTPS\nGET / localhost:HTTP\n" * 2, 4),
    ("aiohttp that trusts its environment", """
        import asyncio, aiohttp
        async def main():
            async with aiohttp.ClientSession(trust_env=True) as session, session.get(HTTPS) as answer:
                print(answer.status)
        asyncio.run(main())""", "200", 1),
    ("a sitecustomize of the program's own is run", """
        import builtins
        from http.client import HTTPConnection
        connection = HTTPConnection("localhost", HTTP_PORT)
        connection.request("GET", "/")
        print(builtins.mine, connection.getresponse().status)""", "mine 200", 1),
]

SCRIPTS = [
    ("https with an agent of its own, many at once", """
        import https from "node:https";
        const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
        const ask = () => new Promise((done, failed) => https.get(HTTPS, { agent }, (answer) => answer.on("data", (text) => done(`${text}`))).on("error", failed));
        const told = await Promise.all(Array.from({ length: 20 }, ask));
        console.log(new Set(told).size, told[0], await ask());""", "1 GET / localhost:HTTPS GET / localhost:HTTPS", 21),
    ("https and http with the agent that is there", """
        import http from "node:http";
        import https from "node:https";
        const ask = (kind, url) => new Promise((done, failed) => kind.request(url, { method: "POST" }, (answer) => answer.on("data", (text) => done(`${text}`))).on("error", failed).end("text"));
        console.log(await ask(https, HTTPS), await ask(http, HTTP), await ask(http, HTTP));""", "POST / localhost:HTTPS POST / localhost:HTTP POST / localhost:HTTP", 3),
    ("http with agents of its own", """
        import http from "node:http";
        const ask = (agent) => new Promise((done, failed) => http.get(HTTP, { agent }, (answer) => answer.on("data", (text) => done(`${text}`))).on("error", failed));
        const agent = new http.Agent({ keepAlive: true });
        console.log(await ask(agent), await ask(agent), await ask(false));""", "GET / localhost:HTTP GET / localhost:HTTP GET / localhost:HTTP", 3),
    ("fetch, many at once, and plain", """
        const told = await Promise.all(Array.from({ length: 20 }, () => fetch(HTTPS, { method: "POST", body: "text" }).then((answer) => answer.text())));
        console.log(new Set(told).size, told[0], await (await fetch(HTTP)).text());""", "1 POST / localhost:HTTPS GET / localhost:HTTP", 21),
    ("fetch is given up", """
        console.log(await fetch(`${HTTPS}/slow`, { signal: AbortSignal.timeout(300) }).catch((error) => error.name));""", "TimeoutError", None),
    ("a recorder that is gone is an error", """
        import https from "node:https";
        process.kill(Number((await import("node:fs")).readFileSync(READY).toString().match(/"pid":(\\d+)/)[1]), "SIGKILL");
        await new Promise((done) => setTimeout(done, 200));
        console.log(await fetch(HTTPS).catch((error) => error.message));
        https.get(HTTPS, { agent: new https.Agent() }).on("error", (error) => console.log(error.code));""", "fetch failed\nECONNREFUSED", None),
    ("a Unix socket is left alone", """
        import http from "node:http";
        import os from "node:os";
        const socketPath = `${os.tmpdir()}/authtape-${process.pid}.sock`;
        const server = http.createServer((_, answer) => answer.end("unix")).listen(socketPath, () => {
          http.get({ socketPath, path: "/", agent: new http.Agent() }, (answer) => answer.on("data", (text) => console.log(`${text}`)).on("end", () => server.close()));
        });""", "unix", 0),
    ("simple-oauth2", """
        import { createRequire } from "node:module";
        const { ClientCredentials } = createRequire(TOOLS)("simple-oauth2");
        const client = { id: "shims", secret: "a-secret-of-the-shims" };
        const { token } = await new ClientCredentials({ client, auth: { tokenHost: HTTPS } }).getToken({});
        console.log(token.token_type);""", "Bearer", 1),
    ("passport-oauth2", """
        import { createRequire } from "node:module";
        const Strategy = createRequire(TOOLS)("passport-oauth2");
        const options = { authorizationURL: `${HTTPS}/authorize`, tokenURL: `${HTTPS}/oauth/token`, clientID: "shims", clientSecret: "a-secret-of-the-shims" };
        const strategy = new Strategy({ ...options, callbackURL: "https://app.test/cb" }, (token, refresh, profile, done) => done(null, { token }));
        strategy.success = (user) => console.log(Boolean(user.token));
        strategy.error = (error) => console.log(error);
        strategy.authenticate({ query: { code: "a-code-of-the-shims" }, headers: {}, session: {} }, {});""", "true", 1),
]

# Without a recorder: behind a proxy that refuses every tunnel, and behind one that hangs up.
REFUSED_PYTHONS = [
    ("http.client", """
        from http.client import HTTPException, HTTPSConnection
        try:
            HTTPSConnection("localhost", HTTPS_PORT).request("GET", "/")
        except (OSError, HTTPException):
            print("an error")"""),
    ("urllib3", """
        import urllib3
        try:
            urllib3.PoolManager(retries=False).request("GET", HTTPS)
        except urllib3.exceptions.HTTPError:
            print("an error")"""),
    ("aiohttp", """
        import asyncio, aiohttp
        async def main():
            async with aiohttp.ClientSession() as session:
                await session.get(HTTPS)
        try:
            asyncio.run(main())
        except aiohttp.ClientError:
            print("an error")"""),
]
# The last is not for a Node whose `fetch` reads the variables itself.
REFUSED_SCRIPTS = [
    ("https", """
        import https from "node:https";
        https.get(HTTPS, { agent: new https.Agent() }).on("error", () => console.log("an error"));"""),
    ("http", """
        import http from "node:http";
        http.get(HTTP, { agent: new http.Agent() }).on("error", () => console.log("an error"));"""),
    ("fetch", """
        await fetch(HTTPS).catch(() => console.log("an error"));"""),
]


class Answers(http.server.BaseHTTPRequestHandler):
    """Says what was asked, in the form in which it came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/slow":
            self.server.given_up.wait(SECONDS)
        host = self.headers["Host"]
        for name, port in self.server.names.items():
            host = host.replace(str(port), name)
        text, kind = f"{self.command} {self.path} {host}", "text/plain"
        if "Authorization" in self.headers and "oauth" not in self.path:
            text = "a credential that nobody gave"
        if self.path == "/oauth/token":
            text, kind = '{"access_token":"an-access-token-of-the-shims","token_type":"Bearer"}', "application/json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads, request_queue_size = True, 128
    names, given_up = {}, threading.Event()

    def __init__(self, name, tls=None):
        super().__init__(("127.0.0.1", 0), Answers)
        self.names[name] = self.server_port
        self.tls = tls
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client):
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client)

    def handle_error(self, *_):
        """A client that is gone is none of ours."""


def program(code, is_script, ready):
    """What a case runs, with the names that it uses."""
    values = {f"{name}_PORT": port for name, port in Server.names.items()}
    values |= {name: f"{name.lower()}://localhost:{port}" for name, port in Server.names.items()}
    values |= {"READY": str(ready), "TOOLS": str(TOOLS / "package.json")}
    assign = "const {} = {!r};\n" if is_script else "{} = {!r}\n"
    lines = [line[8:] for line in code.splitlines()[1:]]
    return "".join(assign.format(*pair) for pair in values.items()) + "\n".join(lines)


def ran(command, environment):
    """What it printed, and the end of what it said; nothing where it was not done in time."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return None, f"it was not done in {SECONDS} s"
    return done.stdout.strip(), done.stderr.strip()[-600:]


def behind_recorder(binary, work, ca, command, case, is_script):
    """What is wrong with a case."""
    _, code, expected, count = case
    own = pathlib.Path(tempfile.mkdtemp(dir=work))
    tape, ready = own / "tape.yaml", own / "ready.json"
    options = ["--upstream-ca", str(ca), "--keep", "all", "--quiet", "--ready-file", str(ready)]
    environment = {"PYTHONPATH": str(work / "mine"), "HOME": str(work / "home")}
    environment["AUTHTAPE_PROXY_PASSWORD"] = "a-password.of_the~shims"
    printed, said = ran([binary, "record", str(tape), *options, "--", *command, program(code, is_script, ready)], environment)
    if printed != expected.strip():
        return f"printed {printed!r}, not {expected.strip()!r}; {said}"
    kept = len(re.findall(r"^    url: ", tape.read_text(), re.M)) if tape.exists() else 0
    if count is not None and kept != count:
        return f"{kept} requests on tape, not {count}"
    return None


def behind_refusal(answer, command, code, is_script):
    def refuse(client):
        read_head(client)
        client.sendall(answer)

    proxy = Listener(refuse)
    environment = {
        "https_proxy": f"http://127.0.0.1:{proxy.port}", "PYTHONPATH": str(SHIMS), "NODE_OPTIONS": f"--require {SHIMS}/authtape.cjs",
        "NODE_USE_ENV_PROXY": "1", "NO_PROXY": "", "no_proxy": "",
    }
    printed, said = ran([*command, program(code, is_script, "")], environment)
    proxy.close()
    return None if printed == "an error" and proxy.accepted else f"printed {printed!r}; {proxy.accepted} connections; {said}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--only", default="", help="only the cases whose name contains this")
    given = parser.parse_args()
    binary = str(pathlib.Path(given.binary).resolve())
    report = Report()
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        (work / "mine").mkdir()
        (work / "mine/sitecustomize.py").write_text("import builtins\nbuiltins.mine = 'mine'\n")
        (work / "home").mkdir()
        (work / "home/.netrc").write_text("machine localhost login a-login password a-password\n")
        pki = Pki(work)
        Server("HTTPS", pki.server())
        Server("HTTP")
        runtimes = [("Python", PYTHON, False, PYTHONS, REFUSED_PYTHONS)]
        runtimes += [(f"Node {major}", command, True, SCRIPTS, REFUSED_SCRIPTS[: 2 if major == 24 else 3]) for major, command in NODES.items()]
        for runtime, command, is_script, cases, refused in runtimes:
            jobs = [(f"{case[0]}", lambda case=case: behind_recorder(binary, work, pki.ca, command, case, is_script)) for case in cases]
            for how, answer in (("refused", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), ("hung up on", b"")):
                jobs += [
                    (f"{name} is {how}", lambda answer=answer, code=code: behind_refusal(answer, command, code, is_script))
                    for name, code in refused
                ]
            for name, job in jobs:
                if given.only.lower() in f"{runtime}: {name}".lower():
                    report.case(f"{runtime}: {name}", job())
        Server.given_up.set()
    return report.end("shims")


if __name__ == "__main__":
    sys.exit(main())
