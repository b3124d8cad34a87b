"""Processes, ports, clocks: what a comparison is made with. Standard library only, Linux, loopback."""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "target/compare"
BUILD = TOOLS / "build/release"
HOST = "idp.test"


class Failed(Exception):
    """Something did not do what it must; there is no result then."""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Process:
    """A program in a session of its own, so that its children are counted with it."""

    def __init__(self, words, log, environment=None):
        self.log = log
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                [str(word) for word in words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )

    def pids(self):
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.getsid(int(entry)) == self.popen.pid:
                    found.append(int(entry))
            except ProcessLookupError:
                pass
        return found

    def cpu(self):
        """CPU seconds of all its processes: the clock of each, in nanoseconds, not in ticks of 10 ms."""
        self.alive()
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self.pids())

    def memory(self, field):
        """MiB, summed over its processes: `VmRSS` now, `VmHWM` the peak since `forget_peak`."""
        self.alive()
        total = 0
        for pid in self.pids():
            status = Path(f"/proc/{pid}/status").read_text()
            total += int(re.search(rf"{field}:\s+(\d+) kB", status).group(1))
        return total / 1024

    def forget_peak(self):
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def alive(self):
        if self.popen.poll() is not None:
            raise Failed(f"{self.popen.args[0]} ended with {self.popen.returncode}; see {self.log}")

    def listening(self, port, patience=60):
        began = time.monotonic()
        while time.monotonic() - began < patience:
            self.alive()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.001)
        raise Failed(f"{self.popen.args[0]} does not listen; see {self.log}")

    def stop(self, patience=120):
        """Asks it to end, and waits; its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{self.popen.args[0]} did not end when asked to")

    def kill(self):
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()


class Origin:
    """The server behind all targets, and the certificates of the run."""

    def __init__(self, work):
        self.pki = work / "pki"
        self.pki.mkdir()
        subprocess.run([BUILD / "origin", "--make", self.pki], check=True, timeout=30)
        self.ca = self.pki / "ca.pem"
        self.port, self.plain = free_port(), free_port()
        words = [BUILD / "origin", "--pki", self.pki, "--port", self.port, "--plain-port", self.plain]
        self.process = Process(words, work / "origin.log")
        self.process.listening(self.port)
        self.process.listening(self.plain)

    def counts(self):
        """How many handshakes and requests it has seen."""
        with socket.create_connection(("127.0.0.1", self.plain), 5) as stream:
            stream.sendall(b"GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: stream.recv(4096), b""))
        handshakes, requests = answer.rsplit(b"\r\n\r\n", 1)[1].split()
        return int(handshakes), int(requests)


def load_words(at, origin, request, more):
    """The load's command line for a target that listens there."""
    return [BUILD / "load", "--to", f"127.0.0.1:{at['port']}", "--by", at["by"], "--ca", at["ca"],
            "--port", origin.port] + [word for name, value in {**request, **more}.items() for word in (f"--{name}", value)]


def load(at, origin, request, **more):
    words = [str(word) for word in load_words(at, origin, {"host": HOST, **request}, more)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180)
    if done.returncode:
        raise Failed(f"{at['name']}: the load says {done.stderr.strip()}")
    return json.loads(done.stdout)


class Held:
    """Connections that stay open until this is closed."""

    def __init__(self, at, origin, request, count):
        words = load_words(at, origin, {"host": HOST, **request}, {"hold": 1, "connections": count})
        self.name = at["name"]
        self.popen = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.popen.stdout.readline()
        if not line or json.loads(line)["held"] != count:
            raise Failed(f"{self.name}: {self.popen.communicate()[1].strip()}")

    def close(self):
        _, told = self.popen.communicate(timeout=60)
        if self.popen.returncode:
            raise Failed(f"{self.name}: {told.strip()}")


def first_answer(at, origin, request):
    """One request over a new connection, from a client that is already running."""
    context = ssl.create_default_context(cadata=own_authority(Path(at["ca"]).read_text()))
    with socket.create_connection(("127.0.0.1", at["port"]), 30) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target = f"{HOST}:{origin.port}"
        if at["by"] == "connect":
            stream.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            head = b""
            while b"\r\n\r\n" not in head:
                got = stream.recv(4096)
                if not got:
                    raise Failed(f"{at['name']}: no answer to CONNECT")
                head += got
        with context.wrap_socket(stream, server_hostname=HOST) as inner:
            body = request["body"]
            inner.sendall(
                f"{request['method']} {request['path']} HTTP/1.1\r\nHost: {target}\r\nContent-Type: {request['type']}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            answer = b""
            while not answer.partition(b"\r\n\r\n")[2] or len(answer.partition(b"\r\n\r\n")[2]) < request["length"]:
                got = inner.recv(65536)
                if not got:
                    break
                answer += got
    if not answer.startswith(b"HTTP/1.1 200") or len(answer.partition(b"\r\n\r\n")[2]) != request["length"]:
        raise Failed(f"{at['name']}: {answer[:80]!r}")


def own_authority(bundle):
    """authtape's own certificate of a bundle that has the system's roots, too: reading those is the client's cost."""
    _, note, own = bundle.rpartition("authtape CA, valid until ")
    return own if note else bundle
