"""Thousands of tunnels open at once: what each costs in memory, and that one more client does not notice them.

    python3 tests/wire/many.py target/release/authtape [--count 4500] [--bound 100] [--prove]

Each tunnel has carried one request and then idles. `--bound` is the kilobytes that a tunnel may take. `--prove` demands
what nobody can do, and succeeds where every case fails.
"""

import resource
import ssl
import sys
import threading
import time

from support import HOST, Answer, Listener, Pki, Recorder, Report, binary_argument, connect, good, read_head, together, tunnel, wait_for, workspace

PROVE = "--prove" in sys.argv
# A client's port is free for each address that it comes from; this many from one.
OF_ONE_SOURCE = 20_000


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


class Origin:
    """Answers one request on each of its connections, which then idles without a thread of its own."""

    def __init__(self, context):
        self.context, self.kept = context, []
        self.listener = Listener(self.serve)
        self.port = self.listener.port

    def serve(self, client):
        secured = self.context.wrap_socket(client.dup(), server_side=True)
        read_head(secured)
        secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        self.kept.append(secured)


def open_one(recorder, port, host, trust, source):
    """A tunnel that carried its request, and what is wrong with it."""
    client = tunnel(recorder, port, host=host, seconds=30, trust=trust, source=source)
    client.sendall(f"GET /words HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    answer = Answer(client, 30)
    if answer.status != 200 or not answer.whole:
        raise OSError(f"status {answer.status}")
    return client


def many(binary, work, report, blind):
    """Opens them, looks at the recorder, and has it end."""
    count, bound = option("--count", 4500), 0 if PROVE else option("--bound", 100)
    name = "blind" if blind else "intercepted"
    pki = Pki(work)
    origin, plain = Origin(pki.server()), Listener(good)
    recorder = Recorder(binary, work / "tape.yaml", "--limit", f"connections={count + 100}", "--upstream-ca", pki.ca, *(["--host", "other.test"] if blind else []))
    trust = ssl.create_default_context(cafile=str(pki.ca) if blind else recorder.ca)
    held, wrongs, times, lock = [], [], [], threading.Lock()

    def one(number):
        try:
            client = open_one(recorder, origin.port, HOST, trust, f"127.0.0.{1 + number // OF_ONE_SOURCE}")
            with lock:
                held.append(client)
        except (OSError, AttributeError) as error:
            with lock:
                wrongs.append(f"{type(error).__name__}: {error}")

    for _ in range(20):
        one(0)
    before, began = recorder.rss(), time.monotonic()
    together([lambda number=number: one(number) for number in range(20, count)], 16)
    took = time.monotonic() - began
    report.case(f"{count} {name} tunnels are opened ({took:.1f} s)", f"{len(wrongs)} are not: {wrongs[0]}" if wrongs else "none" if PROVE else "")
    each = (recorder.rss() - before) * 1024 / max(1, len(held) - 20)
    report.case(f"{name}: {each:.1f} kB a tunnel, at most {bound}", "" if each <= bound else "it is more")

    failed = 0
    for _ in range(200):
        began = time.monotonic()
        with connect(recorder.port) as client:
            client.sendall(f"GET http://{HOST}:{plain.port}/userinfo HTTP/1.1\r\nHost: {HOST}:{plain.port}\r\nConnection: close\r\n\r\n".encode())
            failed += Answer(client).status != 200
        times.append((time.monotonic() - began) * 1000)
    p99, limit = sorted(times)[int(len(times) * 0.99)], 0 if PROVE else 100
    report.case(f"{name}: another client is answered (p99 {p99:.1f} ms, at most {limit})", "" if p99 <= limit and not failed else f"{failed} failed")
    code, took = recorder.stop(seconds=60)
    # A recording of nothing ends with 1. Two seconds are for what is in flight; none of these is.
    expected = 0 if recorder.cassette.exists() else 1
    limit = 0 if PROVE else 4
    report.case(f"{name}: it ends on SIGINT ({took:.1f} s, at most {limit} s)", "" if code == expected and took <= limit else f"with {code}")
    ended = wait_for(lambda: all(is_ended(client) for client in held[-50:]), 5)
    report.case(f"{name}: every tunnel is ended", "" if ended and not PROVE else "some are open")
    for client in held:
        client.close()


def is_ended(client):
    client.settimeout(0.01)
    try:
        return client.recv(1) == b""
    except (TimeoutError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    binary, report = binary_argument(), Report()
    for blind in (False, True):
        with workspace() as work:
            many(binary, work, report, blind)
    ended = report.end("many")
    return (0 if report.passed == 0 else 1) if PROVE else ended


if __name__ == "__main__":
    sys.exit(main())
