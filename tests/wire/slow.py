"""Clients that take their time, all at once: the recorder's timers close them, and others notice nothing.

    python3 tests/wire/slow.py target/release/authtape [--each 20] [--prove]

`--prove` asks for timers of a second, which the recorder does not have, and succeeds where all fail.
"""

import random
import socket
import sys
import threading
import time

from h2 import PREFACE, settings
from support import HOST, Answer, Listener, Pki, Recorder, Report, binary_argument, connect, drain, good, read_head, tunnel, workspace

SIZE = 64 << 20
ORDINARY = 50


class Big:
    """An origin whose answer nobody reads: it knows when its connection ended, by the client's port."""

    def __init__(self, tls):
        self.ended, self.listener = {}, Listener(self.serve, tls)

    def serve(self, client):
        client.settimeout(120)
        name = read_head(client).split(b" ")[1].rsplit(b"/", 1)[1].decode()
        try:
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % SIZE)
            for _ in range(SIZE >> 16):
                client.sendall(b"x" * 65536)
        except OSError:
            self.ended[name] = time.monotonic()


class World:
    def __init__(self, work, binary):
        self.pki = Pki(work)
        context = self.pki.server()
        self.plain, self.tls = Listener(good), Listener(good, context)
        self.big = {"plain": Big(None), "tunnel": Big(context)}
        self.recorder = Recorder(binary, work / "tape.yaml", "--upstream-ca", self.pki.ca, "--keep", "all")

    def inside(self, way):
        """A connection, and what stands before a path on it."""
        if way == "plain":
            return connect(self.recorder.port, 20), self.plain.port, f"http://{HOST}:{self.plain.port}"
        return tunnel(self.recorder, self.tls.port, seconds=20), self.tls.port, ""


def closed_after(client, began, limit):
    """Seconds until the other side closed; `None` where it did not."""
    ended = drain(client, began + limit + 4 - time.monotonic())[1]
    return None if ended == "open" else time.monotonic() - began


# Each starts its slowness and gives the seconds until it was closed.


def silent(world, way, limit):
    client, _, _ = world.inside(way)
    return closed_after(client, time.monotonic(), limit)


def one_byte(world, way, limit):
    client, _, _ = world.inside(way)
    began = time.monotonic()
    client.sendall(b"G")
    return closed_after(client, began, limit)


def dripped_head(world, way, limit):
    client, port, base = world.inside(way)
    began = time.monotonic()
    for byte in f"GET {base}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\nX: {'a' * 200}".encode():
        try:
            client.sendall(bytes([byte]))
        except OSError:
            return time.monotonic() - began
        _, ended = drain(client, 1)
        if ended != "open":
            return time.monotonic() - began
        if time.monotonic() - began > limit + 4:
            return None


def stalled_body(world, way, limit):
    client, port, base = world.inside(way)
    form = "application/x-www-form-urlencoded"
    client.sendall(f"POST {base}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: {form}\r\nContent-Length: 1000\r\n\r\ngrant_type=".encode())
    return closed_after(client, time.monotonic(), limit)


def stalled_chunks(world, way, limit):
    client, port, base = world.inside(way)
    client.sendall(f"POST {base}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".encode())
    return closed_after(client, time.monotonic(), limit)


def stalled_hello(world, way, limit):
    client = connect(world.recorder.port, 20)
    client.sendall(f"CONNECT {HOST}:{world.tls.port} HTTP/1.1\r\nHost: {HOST}:{world.tls.port}\r\n\r\n".encode())
    read_head(client)
    began = time.monotonic()
    client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random.randbytes(20))
    return closed_after(client, began, limit)


def no_reader(world, way, limit):
    big = world.big[way]
    port = big.listener.port
    name = str(random.getrandbits(60))
    if way == "plain":
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", world.recorder.port))
        base = f"http://{HOST}:{port}"
    else:
        client, base = tunnel(world.recorder, port, seconds=20), ""
    client.sendall(f"GET {base}/{name} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
    began = time.monotonic()
    while name not in big.ended:
        if time.monotonic() - began > limit + 4:
            return None
        time.sleep(0.2)
    client.close()
    return big.ended[name] - began


def idle(world, way, limit):
    client, port, base = world.inside(way)
    client.sendall(f"GET {base}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
    if Answer(client).status != 200:
        raise OSError("the first request failed")
    return closed_after(client, time.monotonic(), limit)


def idle_http2(world, way, limit):
    client = connect(world.recorder.port, 20)
    client.sendall(f"CONNECT {HOST}:{world.plain.port} HTTP/1.1\r\nHost: {HOST}:{world.plain.port}\r\n\r\n".encode())
    read_head(client)
    began = time.monotonic()
    client.sendall(PREFACE + settings())
    return closed_after(client, began, limit)


# Without a way over plain HTTP.
TUNNEL_ONLY = (stalled_hello, idle_http2)
CASES = [
    (silent, 10), (one_byte, 10), (dripped_head, 10), (stalled_body, 30), (stalled_chunks, 30), (stalled_hello, 10), (no_reader, 60), (idle, 60),
    (idle_http2, 60),
]


def verdict(times, limit):
    """What is wrong with the seconds of some clients."""
    wrong = [time for time in times if not isinstance(time, float)]
    if wrong:
        open_ = sum(1 for time in wrong if time is None)
        return f"{open_} of {len(times)} still open after {limit + 4} s" if open_ else f"{len(wrong)} failed: {wrong[0]}"
    if max(times) > limit + 2:
        return f"closed after {min(times):.1f} to {max(times):.1f} s, the limit is {limit} s"
    # One that is closed at once was closed by something else than the timer.
    if min(times) < limit - 3:
        return f"closed after {min(times):.1f} s already, the limit is {limit} s"
    return ""


def ordinary(world, seconds, wrong, times):
    """Requests while the others dawdle."""
    for n in range(ORDINARY):
        began = time.monotonic()
        try:
            client, port, base = world.inside(("plain", "tunnel")[n % 2])
            with client:
                client.sendall(f"GET {base}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
                answer = Answer(client, 5)
            if answer.status != 200 or not answer.whole:
                wrong.append(f"status {answer.status}")
        except OSError as error:
            wrong.append(str(error))
        times.append(time.monotonic() - began)
        time.sleep(max(0, seconds / ORDINARY - times[-1]))


def main():
    binary = binary_argument()
    each = int(sys.argv[sys.argv.index("--each") + 1]) if "--each" in sys.argv else 20
    prove = "--prove" in sys.argv
    report = Report()
    with workspace() as work:
        world = World(work, binary)
        results, threads = {}, []

        def one(play, way, limit):
            try:
                took = play(world, way, limit)
            except OSError as error:
                took = f"{type(error).__name__}: {error}"
            results.setdefault((play.__name__, way), []).append(took)

        cases = [
            (play, way, 1 if prove else limit)
            for play, limit in CASES for way in ("plain", "tunnel") if play not in TUNNEL_ONLY or way == "tunnel"
        ]
        for case in cases:
            threads += [threading.Thread(target=one, args=case, daemon=True) for _ in range(each)]
        for thread in threads:
            thread.start()
            time.sleep(0.005)
        wrong, times = [], []
        ordinary(world, 2 if prove else 55, wrong, times)
        for thread in threads:
            thread.join(70)
        for play, way, limit in cases:
            taken = results.get((play.__name__, way), [])
            told = verdict(taken, limit) if len(taken) == each else f"{each - len(taken)} never ended"
            report.case(f"{play.__name__.replace('_', ' ')}, {way}: {each} closed within {limit} s and 2", told)
        times.sort()
        slowest = times[-2] * 1000
        report.case(f"{ORDINARY} ordinary requests meanwhile", f"{len(wrong)} failed: {wrong[0]}" if wrong else "")
        report.case("their p98 is below 250 ms", "" if slowest < 250 else f"it is {slowest:.0f} ms")
        code, took = world.recorder.stop()
        report.case("the recorder ends with 0", "" if code == 0 and took < 3 else f"it ended with {code} after {took:.1f} s")
    ended = report.end("slow")
    if prove:
        return 0 if len(report.failed) >= len(cases) else 1
    return ended


if __name__ == "__main__":
    sys.exit(main())
