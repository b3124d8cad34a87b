"""Ambiguous HTTP/1 through the recorder: refused, or one meaning for origin and recording alike.

    python3 tests/wire/ambiguous.py target/release/authtape [--only TEXT] [--prove]

Every payload goes both ways, as a URL to the proxy and inside a tunnel, to four origins: one that keeps
the bytes, Python's http.server, nginx and Node. Each has a port for each case, so whatever arrives
there came of that payload. `--prove` puts a relay that passes everything on in the recorder's place,
and succeeds where the cases fail.
"""

import contextlib
import dataclasses
import http.client
import http.server
import json
import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import payloads
import support
from support import (
    HOST, Listener, Pki, Recorder, Report, binary_argument, connect, drain, interactions, read_head, ssl, status_of, together,
    wait_for, with_us, workspace,
)

# http.server's own limit is below the recorder's.
http.client._MAXHEADERS = 1000
ANSWER = b'{"active":true}'


@dataclasses.dataclass
class Seen:
    """A request as an origin understood it."""

    method: str
    target: str
    fields: list
    body: bytes

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name]


# --- Origins -----------------------------------------------------------------------------------


class Malformed(Exception):
    """Bytes that are no request."""


def parse(data):
    """The first request of some bytes and how many it takes, strictly; nothing where it is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = data[:end].split(b"\r\n")
    start = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.[01]", first)
    fields = [re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*", line) for line in lines]
    if not start or not all(fields):
        raise Malformed(data[:200])
    fields = [(field[1].decode(), field[2].decode("latin-1")) for field in fields]
    lengths = [value for name, value in fields if name.lower() == "content-length"]
    codings = [value for name, value in fields if name.lower() == "transfer-encoding"]
    at, body = end + 4, b""
    if len(lengths) + len(codings) > 1:
        raise Malformed(data[:200])
    if lengths:
        if not re.fullmatch("[0-9]{1,9}", lengths[0]):
            raise Malformed(data[:200])
        body = data[at:at + int(lengths[0])]
        if len(body) < int(lengths[0]):
            return None
        at += len(body)
    elif codings:
        if codings[0].lower() != "chunked":
            raise Malformed(data[:200])
        while True:
            line = data.find(b"\r\n", at)
            if line < 0:
                return None
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", data[at:line]):
                raise Malformed(data[at:line])
            size, at = int(data[at:line], 16), line + 2
            if len(data) < at + size + 2:
                return None
            if data[at + size:at + size + 2] != b"\r\n":
                raise Malformed(data[at:])
            body, at = body + data[at:at + size], at + size + 2
            if size == 0:
                break
    return Seen(start[1].decode(), start[2].decode(), fields, body), at


class Raw:
    """Keeps every byte; answers what is a request by its own strict reading."""

    name = "raw"

    def __init__(self, tls):
        self.bytes, self.seen, self.wrong, self.refused = b"", [], None, None
        self.listener = Listener(self.serve, tls)
        self.port = self.listener.port

    def serve(self, client):
        data = b""
        while chunk := client.recv(65536):
            self.bytes += chunk
            data += chunk
            try:
                while found := parse(data):
                    self.seen.append(found[0])
                    data = data[found[1]:]
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + ANSWER)
            except Malformed as error:
                self.wrong = f"the origin got what is no request: {error}"
                return


class Library:
    """Python's http.server, with the chunked bodies that it leaves to its handlers."""

    name = "http.server"

    def __init__(self, tls):
        self.seen, self.wrong, self.bytes, self.refused = [], None, b"", None
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def any(self):
                if self.headers.get("Transfer-Encoding"):
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    length = int(self.headers.get("Content-Length") or 0)
                    body = self.rfile.read(length)
                    if len(body) < length:
                        return
                # http.server makes one slash of two; the request line has the truth.
                origin.seen.append(Seen(self.command, self.requestline.split(" ")[1], self.headers.items(), body))
                self.send_response(200)
                self.send_header("Content-Length", str(len(ANSWER)))
                self.end_headers()
                self.wfile.write(ANSWER)

            def __getattr__(self, name):
                if name.startswith("do_"):
                    return self.any
                raise AttributeError(name)

            def log_message(self, *_):
                pass

            def log_error(self, form, *arguments):
                if "timed out" not in form:
                    origin.wrong = f"http.server refused it: {form % arguments}"

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

            def finish_request(self, client, address):
                client.settimeout(20)
                super().finish_request(tls.wrap_socket(client, server_side=True) if tls else client, address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Foreign:
    """A port of nginx or Node; what came is read from the server's log at the end."""

    def __init__(self, name, port):
        self.name, self.port, self.seen, self.wrong, self.bytes, self.refused = name, port, [], None, b"", None


def free_ports(count):
    """Ports that nothing else is given meanwhile: below those that the system hands out."""
    found = []
    for port in range(random.randrange(12000, 26000), 32000):
        with contextlib.suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            found.append(port)
        if len(found) == count:
            return found
    raise SystemExit("no free ports")


class Nginx:
    def __init__(self, work, pki, plain, tls):
        self.work, ports = work, free_ports(plain + tls)
        self.log = work / "nginx.log"
        sink = Listener(self.sink)
        certificate, key = pki.good
        servers = "".join(
            f"server {{ listen 127.0.0.1:{port}{' ssl' if n >= plain else ''}; location / {{ proxy_pass http://127.0.0.1:{sink.port}; }} }}\n"
            for n, port in enumerate(ports)
        )
        temporary = "".join(f"{kind}_temp_path {work}/nginx-{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = work / "nginx.conf"
        config.write_text(
            f"daemon off; pid {work}/nginx.pid; worker_processes 1; error_log /dev/null;\nevents {{ worker_connections 2048; }}\n"
            f"http {{ {temporary}\nlog_format it escape=json '{{\"port\":$server_port,\"line\":\"$request\",\"host\":\"$http_host\","
            '"body":"$request_body","status":$status,"hop":"$http_x_hop","proxy":"$http_proxy","proxy-authorization":'
            '"$http_proxy_authorization","authorization":"$http_authorization"}\';\n'
            f"access_log {self.log} it; merge_slashes off; large_client_header_buffers 4 128k; ssl_certificate {certificate}; "
            f"ssl_certificate_key {key};\n{servers}}}\n"
        )
        self.process = subprocess.Popen(["nginx", "-c", str(config)], stdin=subprocess.DEVNULL, stderr=open(work / "nginx.err", "wb"), preexec_fn=with_us)
        if not wait_for((work / "nginx.pid").exists, 10):
            raise SystemExit("nginx did not start: " + (work / "nginx.err").read_text())
        self.plain, self.tls = ([Foreign("nginx", port) for port in some] for some in (ports[:plain], ports[plain:]))

    @staticmethod
    def sink(client):
        read_head(client)
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + ANSWER)

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        origins = {origin.port: origin for origin in self.plain + self.tls}
        for line in self.log.read_text().splitlines():
            told = json.loads(line)
            origin, start = origins[told["port"]], told["line"].split(" ")
            if told["status"] != 200 or len(start) != 3:
                # 499 and 400 without a line: the connection was closed before the request was whole.
                if told["status"] == 400 and len(start) == 3:
                    origin.refused = "nginx refused what was passed on"
                elif told["status"] not in (400, 499) or told["line"]:
                    origin.wrong = f"nginx answered {told['status']} to {told['line'][:60]!r}"
                continue
            names = {"host": "host", "x-hop": "hop", "proxy": "proxy", "proxy-authorization": "proxy-authorization", "authorization": "authorization"}
            fields = [(name, told[key]) for name, key in names.items() if told[key]]
            origin.seen.append(Seen(start[0], start[1], fields, told["body"].encode()))


class Node:
    def __init__(self, work, pki, plain, tls):
        self.log = work / "node.log"
        script = pathlib.Path(__file__).with_name("origin.mjs")
        self.process = subprocess.Popen(
            ["node", "--max-http-header-size=200000", str(script), str(plain), str(tls), *map(str, pki.good)], stdin=subprocess.DEVNULL,
            stdout=open(self.log, "wb"), stderr=subprocess.STDOUT, preexec_fn=with_us,
        )
        if not wait_for(lambda: b"\n" in self.log.read_bytes(), 20):
            raise SystemExit("node did not start")
        ports = json.loads(self.log.read_text().splitlines()[0])
        self.plain, self.tls = ([Foreign("node", port) for port in ports[kind]] for kind in ("plain", "tls"))

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        origins = {origin.port: origin for origin in self.plain + self.tls}
        for line in self.log.read_text().splitlines()[1:]:
            told = json.loads(line)
            if "refused" in told:
                # Node calls a request without its end an error too.
                if told["refused"] != "HPE_INVALID_EOF_STATE":
                    origins[told["port"]].wrong = f"node refused it: {told['refused']}"
                continue
            fields = [tuple(field) for field in told["fields"]]
            origins[told["port"]].seen.append(Seen(told["method"], told["target"], fields, told["body"].encode("latin-1")))


# --- The exchange and its verdict --------------------------------------------------------------


@dataclasses.dataclass
class Exchange:
    """One payload, one way, to one origin."""

    payload: payloads.Payload
    where: str
    origin: object
    status: int | None = None
    ended: str = "open"
    answers: int = 0
    trouble: str = ""

    def run(self, port, context):
        authority = f"{HOST}:{self.origin.port}".encode()
        base = b"http://" + authority if self.where == "forward" else b""
        raw = self.payload.raw.replace(b"@T", base + b"/p").replace(b"@B", base).replace(b"@A", authority)
        try:
            client = connect(port)
            if self.where == "tunnel":
                client.sendall(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (authority, authority))
                read_head(client)
                client = context.wrap_socket(client, server_hostname=HOST)
        except OSError as error:
            self.trouble = f"no connection: {error}"
            return
        with client:
            try:
                client.sendall(raw)
                if self.payload.ends:
                    return
            except OSError:
                pass
            data, self.ended = drain(client, 0.4)
            if not data and self.ended == "open":
                data, self.ended = drain(client, 2.5)
            elif self.ended == "open" and (status_of(data) or 0) >= 400:
                self.ended = drain(client, 1.0)[1]
            self.status, self.answers = status_of(data), len(re.findall(rb"HTTP/1\.[01] [2-5]\d\d ", data))

    def judge(self, taped):
        """What is wrong; `taped` are the interactions of this port, or `None` where nothing records."""
        origin, want = self.origin, self.payload.want
        if self.trouble or origin.wrong:
            return self.trouble or origin.wrong
        if len(origin.seen) > 1:
            return f"{len(origin.seen)} requests at the origin, the second {origin.seen[1].target}"
        if origin.refused and want != "cut":
            return origin.refused
        if not origin.seen:
            return self.judge_refused(want, taped)
        if want in ("reject", "cut"):
            return f"passed on (client: {self.status}), must be refused"
        return self.judge_passed(origin.seen[0], taped)

    def judge_refused(self, want, taped):
        if want == "forward":
            return f"refused with {self.status}, must be passed on"
        if taped and any(one.status and int(one.status) < 300 for one in taped):
            return "nothing arrived, and the recording has a success"
        if self.payload.ends:
            return None
        if self.origin.bytes and want != "cut":
            return f"refused with {self.status}, but {len(self.origin.bytes)} bytes are at the origin"
        allowed = self.payload.statuses + ((501,) if want == "either" else ())
        if self.status not in allowed:
            return f"status {self.status}, must be one of {allowed}"
        return None if self.ended != "open" else f"refused with {self.status}, but the connection stays open"

    def judge_passed(self, seen, taped):
        payload, origin = self.payload, self.origin
        meant = (payload.method, payload.target, payload.body)
        if (seen.method, seen.target, seen.body) != meant:
            return f"the origin understood {(seen.method, seen.target, seen.body)}, meant was {meant}"
        if origin.name == "raw" and parse(origin.bytes)[1] != len(origin.bytes):
            return f"bytes behind the request: {origin.bytes[-40:]!r}"
        if len(seen.all("host")) != 1:
            return f"the origin got {len(seen.all('host'))} Host fields"
        for name in payload.absent:
            name, _, value = name.partition(": ")
            if any(not value or value in found.lower() for found in seen.all(name)):
                return f"the field {name} was passed on"
        if self.status != 200 or self.answers != 1:
            return f"passed on, and the client got {self.answers} answers, first {self.status}"
        if taped is None:
            return None
        if len(taped) != 1:
            return f"{len(taped)} interactions in the recording"
        one = taped[0]
        hosts = [value for name, value in one.pairs(one.request, "headers") if name.lower() == "host"]
        recorded = (one.method, one.target, one.body, hosts or seen.all("host"))
        if recorded != (*meant, seen.all("host")):
            return f"recorded is {recorded}, the origin has {(*meant, seen.all('host'))}"
        return None if one.status == "200" and not one.error else f"recorded with status {one.status}, error {one.error}"


# --- A relay that passes all on, for the proof -------------------------------------------------


def pass_on(client):
    """Finds the port in the first line, and passes bytes on as they are."""
    first = b""
    while b"\n" not in first and (chunk := client.recv(65536)):
        first += chunk
    found = re.search(rb"localhost:(\d+)", first)
    if not found:
        return
    server = socket.create_connection(("127.0.0.1", int(found[1])))
    if first.startswith(b"CONNECT") and b"Content-Type" not in first:
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    else:
        server.sendall(first.replace(b"http://localhost:" + found[1], b""))

    def back():
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        finally:
            client.close()

    threading.Thread(target=back, daemon=True).start()
    try:
        while data := client.recv(65536):
            server.sendall(data)
    finally:
        server.close()


def repeating(binary, work):
    """2 KiB of one letter, to a recorder of its own, which it may keep busy for long."""
    recorder, origin = Recorder(binary, work / "repeating.yaml", "--keep", "all"), Listener(support.good)
    with connect(recorder.port) as client:
        began = time.monotonic()
        client.sendall(f"GET http://{HOST}:{origin.port}/ HTTP/1.1\r\nHost: {HOST}:{origin.port}\r\nX: {'a' * 2048}\r\n\r\n".encode())
        status, took = support.Answer(client, 10).status, time.monotonic() - began
    recorder.stop(seconds=2)
    return "" if status == 200 and took < 0.5 else f"status {status} after {took:.1f} s"


# --- All of it ---------------------------------------------------------------------------------


def play(binary, work, only, prove):
    cases = [
        (payload, where)
        for payload in payloads.ALL
        for where in ("forward", "tunnel")
        if payload.where in ("both", where) and only in payload.name
    ]
    pki, report = Pki(work), Report()
    plain, tls = (sum(1 for _, way in cases if way == where) for where in ("forward", "tunnel"))
    foreign = [] if prove else [server(work, pki, plain, tls) for name, server in (("nginx", Nginx), ("node", Node)) if shutil.which(name)]
    if not prove and len(foreign) < 2:
        print(f"note: {'nor nginx nor Node' if not foreign else 'only one of nginx and Node'} here")
    ports = {where: [iter(server.plain if where == "forward" else server.tls) for server in foreign] for where in ("forward", "tunnel")}
    exchanges = []
    for payload, where in cases:
        context = pki.server() if where == "tunnel" else None
        origins = [Raw(context), Library(context), *(next(server) for server in ports[where])]
        exchanges.append([Exchange(payload, where, origin) for origin in origins])
    tape = work / "tape.yaml"
    if prove:
        recorder, port, trust = None, Listener(pass_on).port, ssl.create_default_context(cafile=pki.ca)
    else:
        recorder = Recorder(binary, tape, "--keep", "all", "--upstream-ca", pki.ca)
        port, trust = recorder.port, recorder.trust()
    together([lambda one=one: one.run(port, trust) for some in exchanges for one in some], 24)
    code = recorder.stop()[0] if recorder else 0
    for server in foreign:
        server.end()
    taped = {}
    for one in interactions(tape):
        found = re.match(rf"https?://{HOST}:(\d+)", one.url)
        if found:
            taped.setdefault(int(found[1]), []).append(one)
    if not prove and only in "a value that repeats":
        report.case("a value that repeats takes no time", repeating(binary, work))
    for some in exchanges:
        wrongs = {}
        for one in some:
            wrong = one.judge(None if prove else taped.get(one.origin.port, []))
            if wrong:
                wrongs.setdefault(wrong, []).append(one.origin.name)
        told = "; ".join(f"{wrong} [{', '.join(names)}]" for wrong, names in wrongs.items())
        report.case(f"{some[0].payload.want}: {some[0].payload.name}, {some[0].where}", told)
    if not prove:
        report.case("the recorder ends with 0", "" if code == 0 else f"it ended with {code}")
    return report


def main():
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    prove = "--prove" in sys.argv
    with workspace() as work:
        report = play(binary_argument(), work, only, prove)
    ended = report.end("ambiguous")
    if prove:
        sound = not any("forward: plain" in name for name in report.failed)
        print(f"proof: a relay fails {len(report.failed)} cases, and the controls {'pass' if sound else 'fail'}")
        return 0 if sound and len(report.failed) > 100 else 1
    return ended


if __name__ == "__main__":
    sys.exit(main())
