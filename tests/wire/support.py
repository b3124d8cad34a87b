"""What the wire tests share: a recorder, certificates, origins, raw clients, and how cases are told."""

import contextlib
import ctypes
import functools
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HOST = "localhost"


# --- Cases -------------------------------------------------------------------------------------


class Report:
    """One line for each case, and the count at the end."""

    def __init__(self):
        self.lock, self.passed, self.failed = threading.Lock(), 0, []

    def case(self, name, wrong):
        """`wrong` says what is not as it must be; nothing where all is well."""
        with self.lock:
            if wrong:
                self.failed.append(name)
                print(f"FAIL: {name}: {wrong}", flush=True)
            else:
                self.passed += 1
                print(f"ok {name}", flush=True)

    def end(self, title):
        print(f"{title}: {self.passed} ok, {len(self.failed)} failed")
        return 1 if self.failed or not self.passed else 0


def together(jobs, threads):
    """Runs functions on some threads. One that raises is told by whoever made it, so it must not."""
    queue, lock = list(reversed(jobs)), threading.Lock()

    def work():
        while True:
            with lock:
                if not queue:
                    return
                job = queue.pop()
            job()

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@contextlib.contextmanager
def workspace():
    with tempfile.TemporaryDirectory(prefix="wire-") as directory:
        yield pathlib.Path(directory)


# --- Certificates ------------------------------------------------------------------------------


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=20)


class Pki:
    """A root that the recorder trusts, and leaves by it."""

    def __init__(self, work):
        self.work = work
        self.ca, self.ca_key = work / "root.pem", work / "root.key"
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
            "-subj", "/CN=wire test root", "-keyout", self.ca_key, "-out", self.ca,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
        )
        self.good = self.leaf("good")

    def leaf(self, name, names=f"DNS:{HOST},IP:127.0.0.1", self_signed=False, dates=None):
        """Certificate and key files; `dates` are notBefore and notAfter as ASN.1 writes them."""
        key, request, pem = (self.work / f"{name}.{end}" for end in ("key", "csr", "pem"))
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={HOST}", "-out", request)
        extensions = self.work / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
        if dates:
            # Only `openssl ca` sets dates of the past, and it wants a database.
            database = self.work / f"{name}.index"
            database.write_text("")
            config = self.work / f"{name}.cnf"
            config.write_text(
                f"[ca]\ndefault_ca=it\n[it]\ndatabase={database}\nnew_certs_dir={self.work}\nrand_serial=yes\n"
                "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
            )
            openssl(
                "ca", "-batch", "-notext", "-config", config, "-cert", self.ca, "-keyfile", self.ca_key, "-in", request,
                "-out", pem, "-startdate", dates[0], "-enddate", dates[1], "-extfile", extensions,
            )
        elif self_signed:
            openssl("x509", "-req", "-in", request, "-signkey", key, "-days", 2, "-extfile", extensions, "-out", pem)
        else:
            openssl(
                "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial", "-days", 2,
                "-extfile", extensions, "-out", pem,
            )
        return pem, key

    def server(self, pair=None, alpn=("http/1.1",)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(pair or self.good))
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context


# --- The recorder ------------------------------------------------------------------------------


class Recorder:
    """`authtape record` (or `replay`), waiting for clients."""

    def __init__(self, binary, cassette, *options, verb="record", before=None, output=None, quiet=True, under=()):
        self.binary, self.cassette = binary, pathlib.Path(cassette)
        ready = self.cassette.parent / f"{self.cassette.name}.{verb}.ready"
        ready.unlink(missing_ok=True)
        self.log = self.cassette.parent / f"{self.cassette.name}.{verb}.log"
        command = [*under, binary, verb, str(cassette), *map(str, options), "--ready-file", str(ready)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command + (["--quiet"] if quiet else []), stdin=subprocess.DEVNULL, stdout=output or log, stderr=log,
                preexec_fn=lambda: (with_us(), before and before()),
            )
        if not wait_for(lambda: ready.exists() or self.process.poll() is not None, 20) or not ready.exists():
            self.process.kill()
            raise SystemExit(f"{verb} did not start: {self.log.read_text()}")
        told = json.loads(ready.read_text())
        self.ca = told["ca"]
        self.port = int(told["proxy"].rstrip("/").rsplit(":", 1)[1])

    def stop(self, number=signal.SIGINT, seconds=20):
        """The exit code, and how long it took; `None` where it had to be killed."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        return code, time.monotonic() - began

    def alive(self):
        return self.process.poll() is None

    def cpu(self):
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self):
        """Resident megabytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    @functools.cache
    def trust(self, alpn=None):
        """Read once: a bundle of roots takes long to parse, and what clients wait is measured."""
        context = ssl.create_default_context(cafile=self.ca)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context


def with_us():
    """In a child: end it when we end, however that is."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def binary_argument():
    return str(pathlib.Path(sys.argv[1]).resolve())


def authtape(binary, *arguments, seconds=20):
    return subprocess.run(
        [binary, *map(str, arguments)], capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL
    )


# --- Cassettes ---------------------------------------------------------------------------------


def scalar(text):
    text = text.strip()
    return json.loads(text) if text.startswith('"') else text.strip("'")


class Interaction:
    """One interaction of a cassette, by its lines: the emitter is ours, and its layout is fixed."""

    def __init__(self, text):
        self.text = text
        self.request = self.section("request")
        self.response = self.section("response")
        self.error = self.section("error")

    def section(self, name):
        found = re.search(rf"^  {name}:\n((?:    .*\n|\n)*)", self.text, re.M)
        return found and found[1]

    def one(self, section, key):
        found = re.search(rf"^    {key}: *(.*)$", section or "", re.M)
        return found and scalar(found[1])

    @property
    def method(self):
        return self.one(self.request, "method")

    @property
    def url(self):
        return self.one(self.request, "url")

    @property
    def status(self):
        return self.one(self.response, "status") if self.response else None

    def pairs(self, section, key):
        """The pairs of an ordered list, such as headers, query or form."""
        found = re.search(rf"^    {key}:\n((?:    - .*\n)*)", section or "", re.M)
        lines = found[1].splitlines() if found else []
        split = (re.match(r' *- ("(?:[^"\\]|\\.)*"|[^:]+): ?(.*)$', line) for line in lines)
        return [(scalar(found[1]), scalar(found[2])) for found in split if found]

    @property
    def body(self):
        form = self.pairs(self.request, "form")
        return "&".join(f"{name}={value}" for name, value in form).encode()

    @property
    def target(self):
        path = re.sub(r"^[a-z]+://[^/?]*", "", self.url)
        query = self.pairs(self.request, "query")
        return path + ("?" + "&".join(f"{name}={value}" for name, value in query) if query else "")


def interactions(cassette):
    path = pathlib.Path(cassette)
    text = path.read_text() if path.exists() else ""
    parts = re.split(r"^# end \d+\n", text, flags=re.M)
    return [Interaction(part) for part in parts if "\n  request:\n" in part]


# --- Clients -----------------------------------------------------------------------------------


def connect(port, seconds=5.0, source="127.0.0.1"):
    client = socket.create_connection(("127.0.0.1", port), timeout=seconds, source_address=(source, 0))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def read_head(client):
    """The bytes up to the empty line; what was read of them where the connection ended."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            byte = client.recv(1)
        except OSError:
            break
        if not byte:
            break
        data += byte
    return data


def tunnel(recorder, port, host=HOST, tls=True, alpn=("http/1.1",), seconds=5.0, trust=None, source="127.0.0.1"):
    """A socket inside a CONNECT tunnel."""
    # Read before: a client that is silent for a second behind its CONNECT is passed unread.
    trust = trust or (tls and recorder.trust(alpn))
    client = connect(recorder.port, seconds, source)
    client.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    head = read_head(client)
    if not head.startswith(b"HTTP/1.1 200"):
        client.close()
        raise OSError(f"CONNECT: {head[:60]!r}")
    if tls:
        client = trust.wrap_socket(client, server_hostname=host, suppress_ragged_eofs=True)
    return client


def drain(client, seconds):
    """All that comes until the end, and how it ended: `closed`, `reset` or `open`."""
    data, deadline = b"", time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return data, "open"
        client.settimeout(left)
        try:
            chunk = client.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return data, "open"
        except OSError:
            return data, "reset"
        if not chunk:
            return data, "closed"
        data += chunk


def status_of(data):
    found = re.match(rb"HTTP/1\.[01] (\d{3})", data)
    return int(found[1]) if found else None


class Answer:
    """A whole HTTP/1 response, read by its framing."""

    def __init__(self, client, seconds=10.0):
        client.settimeout(seconds)
        self.head = read_head(client)
        self.status, self.body, self.whole = status_of(self.head), b"", False
        length = re.search(rb"(?im)^content-length: *(\d+)", self.head)
        try:
            if length:
                while len(self.body) < int(length[1]):
                    chunk = client.recv(min(65536, int(length[1]) - len(self.body)))
                    if not chunk:
                        return
                    self.body += chunk
            elif re.search(rb"(?im)^transfer-encoding: *chunked", self.head):
                while True:
                    line = read_line(client)
                    if not re.fullmatch(rb"[0-9a-fA-F]+\r\n", line):
                        return
                    size = int(line, 16)
                    data = read_exactly(client, size)
                    self.body += data
                    if len(data) < size or read_line(client) != b"\r\n":
                        return
                    if size == 0:
                        break
            elif self.status not in (204, 304):
                while chunk := client.recv(65536):
                    self.body += chunk
            self.whole = self.status is not None
        except OSError:
            return


def read_line(client):
    line = b""
    while not line.endswith(b"\n"):
        byte = client.recv(1)
        if not byte:
            break
        line += byte
    return line


def read_exactly(client, size):
    data = b""
    while len(data) < size:
        chunk = client.recv(size - len(data))
        if not chunk:
            break
        data += chunk
    return data


# --- Origins -----------------------------------------------------------------------------------


class Listener:
    """A TCP (or TLS) server: `serve(socket)` for each connection, on its own thread."""

    def __init__(self, serve, tls=None, backlog=128):
        self.serve, self.tls = serve, tls
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self.socket.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        try:
            client.settimeout(60)
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            self.serve(client)
        except (OSError, ValueError):
            pass
        finally:
            with contextlib.suppress(OSError):
                client.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def good(client):
    """Answers every request on the connection with 200 and JSON; bodies by Content-Length."""
    while head := read_head(client):
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        if length:
            read_exactly(client, int(length[1]))
        client.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"active":true}')
