"""Hours of mixed traffic through one recorder: nobody healthy sees an error, and nothing piles up but the recording.

    python3 tests/wire/soak.py target/release/authtape [--minutes 2] [--rate 20] [--report 30] [--prove]

Side by side: HTTP/1 and HTTP/2 on connections that are kept, connections for one request, large bodies, clients
that go away, servers that fail, WebSockets, and token requests, which alone are recorded. At most 20,000
of those come in a run, since a cassette has an end. `--prove` demands what nobody can do, and succeeds
where every case fails.
"""

import base64
import hashlib
import os
import pathlib
import random
import re
import secrets
import socket
import struct
import sys
import threading
import time
from statistics import mean

import h2
from support import (
    HOST, Answer, Listener, Pki, Recorder, Report, authtape, binary_argument, connect, interactions, read_exactly, read_head, tunnel, workspace,
)

PROVE = "--prove" in sys.argv
LARGE = 4 << 20
MOST = 20_000
# Megabytes of memory for each that is recorded: its text, and its secrets in every encoding. Some five are measured.
PER_MB, FIXED = 6, 10
MEASURED, DRIFT = 5, 5


def option(name, default):
    return float(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


# --- Origins -----------------------------------------------------------------------------------


def answer(body, kind="text/plain", more=""):
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def origin(client):
    """By path: a token, a large body, a slow one, a WebSocket, one of several ends, or a few words."""
    while head := read_head(client):
        path = head.split(b" ", 2)[1]
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        body = b""
        if path == b"/large" and length:
            left = int(length[1])
            while left > 0 and (chunk := client.recv(min(left, 65536))):
                left -= len(chunk)
        elif length:
            body = read_exactly(client, int(length[1]))
        if path == b"/token":
            token = re.search(rb"refresh_token=([^&]+)", body)[1].decode()
            # What the client sent comes back spelled otherwise, which the recording must know again.
            text = f'{{"access_token":"{secrets.token_urlsafe(32)}","token_type":"Bearer","expires_in":3600,"refresh_token":"{token[::-1]}"}}'
            client.sendall(answer(text.encode(), "application/json", "Cache-Control: no-store\r\n"))
        elif path == b"/large":
            client.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {LARGE}\r\n\r\n".encode())
            for _ in range(LARGE >> 16):
                client.sendall(bytes(1 << 16))
        elif path == b"/slow":
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nx")
            time.sleep(0.5)
            client.sendall(b"x" * 999)
        elif path == b"/socket":
            key = re.search(rb"(?im)^sec-websocket-key: *(\S+)", head)[1]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            while chunk := client.recv(65536):
                client.sendall(chunk)
            return
        elif path == b"/closed":
            return
        elif path == b"/reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        elif path == b"/cut":
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\ncut")
            return
        else:
            client.sendall(answer(b"a few words"))


def origin_h2(client):
    client.sendall(h2.settings())
    read_exactly(client, len(h2.PREFACE))
    frames = h2.Frames(client)
    while found := frames.read():
        kind, flags, stream, payload = found
        if kind == h2.SETTINGS and not flags & h2.ACK:
            client.sendall(h2.frame(h2.SETTINGS, h2.ACK))
        elif kind == h2.PING and not flags & h2.ACK:
            client.sendall(h2.frame(h2.PING, h2.ACK, 0, payload))
        elif kind == h2.HEADERS and flags & h2.END_STREAM:
            client.sendall(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, b"\x88"))


# --- Clients -----------------------------------------------------------------------------------


class Wrong(Exception):
    """A healthy client did not get what it must."""


class World:
    def __init__(self, work, binary):
        pki = Pki(work)
        self.tls, self.plain = Listener(origin, pki.server()), Listener(origin)
        self.h2 = Listener(origin_h2, pki.server(alpn=("h2",)))
        self.tape = work / "tape.yaml"
        self.recorder = Recorder(binary, self.tape, "--upstream-ca", pki.ca, quiet=False)
        self.trust, self.trust_h2 = self.recorder.trust(("http/1.1",)), self.recorder.trust(("h2",))
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.wrongs, self.done, self.times = [], {}, []
        self.sent, self.secrets = 0, []

    def inside(self):
        return tunnel(self.recorder, self.tls.port, trust=self.trust, seconds=10)

    def token(self, client):
        secret = secrets.token_urlsafe(24)
        body = f"grant_type=refresh_token&client_id=soak&refresh_token={secret}".encode()
        head = f"POST /token HTTP/1.1\r\nHost: {HOST}:{self.tls.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        got = Answer(client)
        with self.lock:
            self.sent += got.status == 200
            self.secrets.append(secret)
        return got

    def get(self, client, path, base="", body=b""):
        port = self.plain.port if base else self.tls.port
        method, length = ("POST", f"Content-Length: {len(body)}\r\n") if body else ("GET", "")
        client.sendall(f"{method} {base}{path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n{length}\r\n".encode() + body)

    def whole(self, got):
        if got.status != 200 or not got.whole:
            raise Wrong(f"status {got.status}, {'whole' if got.whole else 'cut'}")


def kept(world):
    """Requests on one connection in a tunnel, and then another connection."""
    with world.inside() as client:
        for _ in range(random.randrange(20, 200)):
            world.get(client, "/words")
            world.whole(Answer(client))
            yield 0.02


def forward(world):
    """Requests for a URL, to the proxy itself."""
    with connect(world.recorder.port, 10) as client:
        for _ in range(random.randrange(20, 200)):
            world.get(client, "/words", f"http://{HOST}:{world.plain.port}")
            world.whole(Answer(client))
            yield 0.03


def kept_h2(world):
    with tunnel(world.recorder, world.h2.port, trust=world.trust_h2, seconds=10) as client:
        client.sendall(h2.PREFACE + h2.settings())
        frames = h2.Frames(client)
        fields = h2.block([(":method", "GET"), (":scheme", "https"), (":authority", f"{HOST}:{world.h2.port}"), (":path", "/words")])
        for stream in range(1, random.randrange(40, 400), 2):
            client.sendall(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, fields))
            while True:
                found = frames.read()
                if not found or found[0] in (h2.GOAWAY, h2.RST_STREAM):
                    raise Wrong(f"h2 ended with {found}")
                if found[0] == h2.SETTINGS and not found[1] & h2.ACK:
                    client.sendall(h2.frame(h2.SETTINGS, h2.ACK))
                if found[0] == h2.HEADERS:
                    if b"\x88" not in found[3]:
                        raise Wrong(f"h2 answered {found[3][:40]!r}")
                    if found[1] & h2.END_STREAM:
                        break
                elif found[0] == h2.DATA and found[1] & h2.END_STREAM:
                    break
            yield 0.03


def fresh(world):
    with world.inside() as client:
        world.get(client, "/words")
        world.whole(Answer(client))
    yield 0.1


def large(world):
    with world.inside() as client:
        client.settimeout(30)
        world.get(client, "/large")
        got = Answer(client, 30)
        world.whole(got)
        if len(got.body) != LARGE:
            raise Wrong(f"{len(got.body)} bytes of {LARGE}")
    yield 0.5
    with world.inside() as client:
        client.settimeout(30)
        world.get(client, "/large", body=bytes(LARGE))
        world.whole(Answer(client, 30))
    yield 0.5


def gone(world):
    """Clients that go away: before TLS, in the hello, in a head, while the answer comes, with a reset."""
    where = random.randrange(5)
    client = world.inside() if where > 1 else connect(world.recorder.port)
    if where < 2:
        client.sendall(f"CONNECT {HOST}:{world.tls.port} HTTP/1.1\r\nHost: {HOST}:{world.tls.port}\r\n\r\n".encode())
        read_head(client)
        client.sendall(b"\x16\x03\x01\x02\x00\x01"[:6 * where])
    elif where == 2:
        client.sendall(b"GET /words HTTP/1.1\r\nHo")
    else:
        world.get(client, "/slow")
        read_head(client)
        if where == 4:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    yield 0.2


def failing(world):
    """Servers that fail: told as such, and never with silence."""
    path, status, whole = random.choice([("/closed", 502, True), ("/reset", 502, True), ("/cut", 200, False), (None, 502, True)])
    with connect(world.recorder.port, 10) as client:
        base = f"http://{HOST}:{world.plain.port if path else 1}"
        world.get(client, path or "/", base) if path else client.sendall(f"GET {base}/ HTTP/1.1\r\nHost: {HOST}:1\r\n\r\n".encode())
        got = Answer(client)
        if (got.status, got.whole) != (status, whole):
            raise Wrong(f"{path}: status {got.status}, {'whole' if got.whole else 'cut'}")
    yield 0.5


def websocket(world):
    with world.inside() as client:
        key = base64.b64encode(os.urandom(16)).decode()
        client.sendall(
            f"GET /socket HTTP/1.1\r\nHost: {HOST}:{world.tls.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        if not read_head(client).startswith(b"HTTP/1.1 101"):
            raise Wrong("no 101")
        for _ in range(5):
            said = os.urandom(1000)
            client.sendall(said)
            if read_exactly(client, 1000) != said:
                raise Wrong("no echo")
            yield 0.1
    yield 0.5


def tokens(rate):
    def play(world):
        with world.inside() as client:
            for _ in range(50):
                world.whole(world.token(client))
                yield 1 / rate
    return play


def run(world, name, play):
    """Plays again and again. A failing play ends the connection, not the run."""
    while not world.stop.is_set():
        steps = play(world)
        try:
            while not world.stop.is_set():
                began = time.monotonic()
                pause = next(steps, None)
                took = time.monotonic() - began
                with world.lock:
                    world.done[name] = world.done.get(name, 0) + 1
                    if name == "kept":
                        world.times.append(took)
                if pause is None:
                    break
                world.stop.wait(max(0, pause - took))
        except (Wrong, OSError, IndexError, ValueError) as error:
            with world.lock:
                world.wrongs.append(f"{name}: {type(error).__name__}: {error}")
            world.stop.wait(0.1)
        finally:
            steps.close()


# --- The run -----------------------------------------------------------------------------------


def held(process):
    path = pathlib.Path(f"/proc/{process.pid}")
    return len(os.listdir(path / "fd")), len(os.listdir(path / "task"))


def quantile(times, part):
    return sorted(times)[min(len(times) - 1, int(len(times) * part))] * 1000 if times else 0


def main():
    minutes, every = option("--minutes", 2), option("--report", 30)
    rate = min(option("--rate", 20), MOST / (minutes * 60))
    report = Report()
    with workspace() as work:
        world = World(work, binary_argument())
        recorder = world.recorder
        part = pathlib.Path(f"{world.tape}.part")
        # Roots, certificates and buffers of the first round are no growth.
        with world.inside() as client:
            world.whole(world.token(client))
        time.sleep(0.5)
        start, (fds, tasks) = recorder.rss(), held(recorder.process)
        plays = [("kept", kept), ("kept", kept), ("forward", forward), ("h2", kept_h2), ("fresh", fresh), ("large", large), ("gone", gone),
                 ("failing", failing), ("websocket", websocket), ("tokens", tokens(rate))]
        workers = [threading.Thread(target=run, args=(world, *play), daemon=True) for play in plays]
        for worker in workers:
            worker.start()
        began, peak, rests = time.monotonic(), 0, []
        while (left := began + minutes * 60 - time.monotonic()) > 0 and recorder.alive():
            time.sleep(min(every, left))
            if not recorder.alive():
                break
            rss, (open_now, threads) = recorder.rss(), held(recorder.process)
            peak = max(peak, open_now)
            size = part.stat().st_size / (1 << 20)
            with world.lock:
                times, world.times = world.times, []
                count, wrongs = sum(world.done.values()), len(world.wrongs)
            rests.append(rss - MEASURED * size)
            print(f"  {time.monotonic() - began:6.0f} s: rss {rss:.1f} MB, {open_now} fds, {threads} threads, {count} requests, {wrongs} wrong, "
                  f".part {size:.2f} MB, p50 {quantile(times, 0.5):.1f} ms, p99 {quantile(times, 0.99):.1f} ms, cpu {recorder.cpu():.0f} s", flush=True)
        world.stop.set()
        for worker in workers:
            worker.join(40)
        report.case("it ran to the end", "" if recorder.alive() and not PROVE else f"it ended with {recorder.process.poll()}: {recorder.log.read_text()[-300:]}")
        wrongs = [wrong for wrong in world.wrongs]
        least = 0 if not PROVE else 10**9
        counted = " ".join(f"{name} {count}" for name, count in sorted(world.done.items()))
        report.case(f"no healthy client saw an error ({counted})", f"{len(wrongs)}: {'; '.join(wrongs[:3])}" if wrongs or PROVE else "")
        idle = [name for name, _ in plays if world.done.get(name, 0) <= minutes * 10 + least]
        report.case("every kind of traffic came", f"next to none of {idle}" if idle else "")
        # A thread that looked a name up is kept for ten seconds.
        deadline = time.monotonic() + 30
        is_back = lambda left: left[0] <= fds + 4 and left[1] <= tasks + 4
        while recorder.alive() and not is_back(held(recorder.process)) and time.monotonic() < deadline:
            time.sleep(0.1)
        left = held(recorder.process)
        report.case(f"descriptors are back ({fds}, at most {peak}, then {left[0]}; threads {tasks}, then {left[1]})",
                    "" if is_back(left) and not PROVE else "they are not")
        size, rss = part.stat().st_size / (1 << 20), recorder.rss()
        bound = start + FIXED + PER_MB * size
        report.case(f"memory is what was recorded ({start:.1f} MB, then {rss:.1f} MB for {size:.2f} MB of .part; at most {bound:.0f} MB)",
                    "" if rss <= bound and not PROVE else f"{rss - bound:.1f} MB too much")
        middle = len(rests) // 2
        drift = mean(rests[middle:]) - mean(rests[:middle]) if middle else 0
        report.case(f"what is not recording stays as it is ({drift:+.1f} MB from the first half to the second, at most {DRIFT} MB)",
                    "" if drift <= DRIFT and not PROVE else "it grows")
        code, took = recorder.stop(seconds=120)
        # Two seconds are for connections; the whole cassette is audited and written besides.
        limit = 0 if PROVE else 2 + size / 4
        report.case(f"it ends on SIGINT ({took:.1f} s, at most {limit:.1f} s)", "" if code == 0 and took <= limit else f"with {code} after {took:.1f} s")
        shown = authtape(sys.argv[1], "show", world.tape, seconds=120)
        count = len(interactions(world.tape))
        # A token request that was cut off by our end may have been recorded and not counted.
        most = world.sent + (0 if PROVE else 1)
        report.case(f"the cassette loads with all {world.sent} token requests",
                    "" if shown.returncode == 0 and world.sent <= count <= most and not PROVE else f"show ends with {shown.returncode}, {count} interactions")
        text = world.tape.read_text() if world.tape.exists() else ""
        # Each is as long as the others, so one look at every run of their alphabet finds all.
        width = len(world.secrets[0])
        parts = {run[at:at + width] for run in re.findall(rf"[\w-]{{{width},}}", text) for at in range(len(run) - width + 1)}
        leaks = parts & {*world.secrets, *(secret[::-1] for secret in world.secrets)}
        report.case("no secret is in it", f"{len(leaks)} are" if leaks or PROVE else "")
    ended = report.end("soak")
    if PROVE:
        print(f"proof: {report.passed} cases cannot fail")
        return 0 if report.passed == 0 else 1
    return ended


if __name__ == "__main__":
    sys.exit(main())
