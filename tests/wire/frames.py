"""HTTP/2 as RFC 9113 forbids it, inside a tunnel to the recorder: each case with the answer that the RFC asks for.

    python3 tests/wire/frames.py target/release/authtape [--only TEXT] [--strict] [--prove]

A connection error is GOAWAY with one of the codes, then the end; just ending is allowed (section 5.4.1). A
stream error is RST_STREAM with the code, or an answer of 4xx, or a connection error (5.4.2). Two cases are
`lenient`: the h2 crate lets them pass before our code sees anything, and they say what is held instead. After each
case an ordinary request on a new connection must be answered. `--prove` goes to the origin itself,
a server that ignores errors, and succeeds where all cases fail.
"""

import json
import select
import struct
import subprocess
import sys
import threading
import time

import h2
from h2 import (
    CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY,
    HEADERS, NO_ERROR, PADDED, PING, PREFACE, PRIORITY, PRIORITY_FLAG, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS,
    STREAM_CLOSED, WINDOW_UPDATE, frame, literal,
)
from support import HOST, Listener, Pki, Recorder, Report, binary_argument, read_exactly, ssl, together, tunnel, workspace, connect, interactions

START = PREFACE + h2.settings()
LAST = b"the last"


def fields(port, *more, method="GET", path="/", **other):
    """The pseudo-fields of a sound request, and more."""
    return [(":method", method), (":scheme", "https"), (":authority", f"{HOST}:{port}"), (":path", path), *more]


class Case:
    """Frames that break a rule; `make` gives them for a port, `want` is `connection`, `stream`, `bounded`, `lenient` or `fine`."""

    def __init__(self, name, want, codes, make, start=True, stream=1):
        self.name, self.want, self.codes, self.make, self.start, self.stream = name, want, codes, make, start, stream


def headers(port, stream=1, end=True, more=(), flags=None, **how):
    payload = h2.block(fields(port, *more, **how))
    return frame(HEADERS, (END_HEADERS | (END_STREAM if end else 0)) if flags is None else flags, stream, payload)


def raw_headers(payload, stream=1, flags=END_HEADERS | END_STREAM):
    return frame(HEADERS, flags, stream, payload)


def post(port, stream=1, more=()):
    return headers(port, stream, end=False, method="POST", more=more)


def word(value):
    return struct.pack(">I", value)


def cases():
    def connection(name, code, make, *also, **how):
        return Case(name, "connection", (code, *also), make, **how)

    def stream(name, code, make, *also, **how):
        return Case(name, "stream", (code, *also), make, **how)

    yield Case("control: get", "fine", (), lambda port: headers(port))
    yield Case("control: post", "fine", (), lambda port: post(port) + frame(DATA, END_STREAM, 1, b"hello"))
    yield Case("control: headers in two frames", "fine", (), lambda port: raw_headers(h2.block(fields(port))[:20], flags=END_STREAM)
               + frame(CONTINUATION, END_HEADERS, 1, h2.block(fields(port))[20:]))
    yield Case("control: an unknown frame is ignored (4.1)", "fine", (), lambda port: frame(0x42, 0xFF, 0, b"abc") + headers(port))
    yield Case("control: an unknown setting is ignored (6.5.2)", "fine", (), lambda port: h2.settings((0x4242, 1)) + headers(port))
    yield Case("control: padding", "fine", (), lambda port: raw_headers(b"\x04" + h2.block(fields(port)) + bytes(4), flags=END_HEADERS | END_STREAM | PADDED))
    yield Case("control: a ping is answered", "fine", (), lambda port: frame(PING, 0, 0, b"12345678") + headers(port))
    # 3.4
    yield connection("preface of HTTP/1.1 (3.4)", PROTOCOL_ERROR, lambda port: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(24), start=False)
    yield connection("preface with one byte wrong (3.4)", PROTOCOL_ERROR, lambda port: PREFACE[:-3] + b"X\r\n" + h2.settings(), start=False)
    # The h2 crate takes the settings' initial values until some come: one request, one answer, nothing else.
    yield Case("no settings behind the preface (3.4)", "lenient", (PROTOCOL_ERROR,), lambda port: PREFACE + headers(port), start=False)
    # 4.1, 4.2, 5.1.1
    yield connection("data on stream 0 (6.1)", PROTOCOL_ERROR, lambda port: frame(DATA, 0, 0, b"x"))
    yield connection("headers on stream 0 (6.2)", PROTOCOL_ERROR, lambda port: headers(port, 0))
    yield connection("priority on stream 0 (6.3)", PROTOCOL_ERROR, lambda port: frame(PRIORITY, 0, 0, bytes(5)))
    yield connection("rst_stream on stream 0 (6.4)", PROTOCOL_ERROR, lambda port: frame(RST_STREAM, 0, 0, bytes(4)))
    yield connection("settings on a stream (6.5)", PROTOCOL_ERROR, lambda port: frame(SETTINGS, 0, 1))
    yield connection("ping on a stream (6.7)", PROTOCOL_ERROR, lambda port: frame(PING, 0, 1, bytes(8)))
    yield connection("goaway on a stream (6.8)", PROTOCOL_ERROR, lambda port: frame(GOAWAY, 0, 1, bytes(8)))
    yield connection("continuation on stream 0 (6.10)", PROTOCOL_ERROR, lambda port: frame(CONTINUATION, END_HEADERS, 0, b""))
    yield connection("even stream from a client (5.1.1)", PROTOCOL_ERROR, lambda port: headers(port, 2))
    yield connection("stream number that falls (5.1.1)", PROTOCOL_ERROR, lambda port: headers(port, 5) + headers(port, 3), STREAM_CLOSED)
    yield connection("data on an idle stream (5.1)", PROTOCOL_ERROR, lambda port: frame(DATA, END_STREAM, 1, b"x"))
    yield connection("rst_stream on an idle stream (5.1)", PROTOCOL_ERROR, lambda port: frame(RST_STREAM, 0, 1, bytes(4)))
    yield connection("window_update on an idle stream (5.1)", PROTOCOL_ERROR, lambda port: frame(WINDOW_UPDATE, 0, 1, word(1)))
    yield connection("continuation on an idle stream (5.1)", PROTOCOL_ERROR, lambda port: frame(CONTINUATION, END_HEADERS, 1, b""))
    yield connection("headers on a closed stream (5.1)", STREAM_CLOSED, lambda port: headers(port) + headers(port), PROTOCOL_ERROR)
    yield stream("data behind the end (5.1)", STREAM_CLOSED, lambda port: headers(port) + frame(DATA, END_STREAM, 1, b"x"))
    yield connection("push_promise from a client (8.4)", PROTOCOL_ERROR, lambda port: post(port) + frame(PUSH_PROMISE, END_HEADERS, 1, word(2) + b"\x82"))
    # 4.2 sizes
    yield connection("settings of 5 bytes (6.5)", FRAME_SIZE_ERROR, lambda port: frame(SETTINGS, 0, 0, bytes(5)))
    yield connection("settings ack with a payload (6.5)", FRAME_SIZE_ERROR, lambda port: frame(SETTINGS, h2.ACK, 0, bytes(6)))
    yield connection("ping of 7 bytes (6.7)", FRAME_SIZE_ERROR, lambda port: frame(PING, 0, 0, bytes(7)))
    yield connection("rst_stream of 3 bytes (6.4)", FRAME_SIZE_ERROR, lambda port: post(port) + frame(RST_STREAM, 0, 1, bytes(3)))
    yield connection("window_update of 3 bytes (6.9)", FRAME_SIZE_ERROR, lambda port: frame(WINDOW_UPDATE, 0, 0, bytes(3)))
    yield stream("priority of 4 bytes (6.3)", FRAME_SIZE_ERROR, lambda port: frame(PRIORITY, 0, 1, bytes(4)))
    yield connection("goaway of 4 bytes (6.8)", FRAME_SIZE_ERROR, lambda port: frame(GOAWAY, 0, 0, bytes(4)), PROTOCOL_ERROR)
    yield connection("headers beyond the greatest size (4.2)", FRAME_SIZE_ERROR, lambda port: raw_headers(h2.block(fields(port, ("x", "a" * 17000)))))
    yield connection("data beyond the greatest size (4.2)", FRAME_SIZE_ERROR, lambda port: post(port) + frame(DATA, END_STREAM, 1, bytes(16385)))
    yield connection("padding longer than data (6.1)", PROTOCOL_ERROR, lambda port: post(port) + frame(DATA, END_STREAM | PADDED, 1, b"\x05abc"))
    yield connection("padding longer than headers (6.2)", PROTOCOL_ERROR, lambda port: raw_headers(b"\xff" + h2.block(fields(port))[:40], flags=END_HEADERS | END_STREAM | PADDED))
    yield stream("a stream that depends on itself (5.3.1)", PROTOCOL_ERROR,
                 lambda port: raw_headers(word(1) + b"\x10" + h2.block(fields(port)), flags=END_HEADERS | END_STREAM | PRIORITY_FLAG))
    # 6.2, 6.10
    begun = lambda port: raw_headers(h2.block(fields(port))[:20], flags=END_STREAM)
    yield connection("data between header frames (6.2)", PROTOCOL_ERROR, lambda port: begun(port) + frame(DATA, 0, 1, b"x"))
    yield connection("ping between header frames (6.2)", PROTOCOL_ERROR, lambda port: begun(port) + frame(PING, 0, 0, bytes(8)))
    yield connection("unknown frame between header frames (6.2)", PROTOCOL_ERROR, lambda port: begun(port) + frame(0x42, 0, 1, b"x"))
    yield connection("continuation of another stream (6.10)", PROTOCOL_ERROR, lambda port: begun(port) + frame(CONTINUATION, END_HEADERS, 3, b""))
    yield connection("continuation behind the last (6.10)", PROTOCOL_ERROR, lambda port: post(port) + frame(CONTINUATION, END_HEADERS, 1, b""))
    yield connection("continuations without end (CVE-2024-27316)", ENHANCE_YOUR_CALM,
                     lambda port: begun(port) + frame(CONTINUATION, 0, 1, literal("x", "a" * 16000)) * 2000, PROTOCOL_ERROR, COMPRESSION_ERROR)
    yield connection("empty continuations without end (CVE-2024-27316)", ENHANCE_YOUR_CALM, lambda port: begun(port) + frame(CONTINUATION, 0, 1) * 20000, PROTOCOL_ERROR)
    # HPACK
    hpack = lambda tail: lambda port: raw_headers(h2.block(fields(port)) + tail)
    for name, tail in [
        ("index 0", b"\x80"), ("index beyond the table", b"\xff\x80\x01"), ("name index beyond the table", b"\x7f\x80\x01\x01a"),
        ("integer without end", b"\xff" + b"\x80" * 16 + b"\x01"), ("string cut short", b"\x00\x05ab"), ("Huffman's end-of-string", b"\x00\x84\xff\xff\xff\xff\x01a"),
        ("Huffman's padding of zeros", b"\x00\x01x\x81\x18"), ("table size above the limit", b""),
    ]:
        make = hpack(tail) if tail else lambda port: raw_headers(b"\x3f\xe1\xff\x03" + h2.block(fields(port)))
        yield connection(f"hpack {name}", COMPRESSION_ERROR, make)
    # 6.5.2
    for name, pair, code in [
        ("enable_push 2", (2, 2), PROTOCOL_ERROR), ("initial window of 2^31", (4, 1 << 31), FLOW_CONTROL_ERROR),
        ("greatest frame of 16,383", (5, 16383), PROTOCOL_ERROR), ("greatest frame of 2^24", (5, 1 << 24), PROTOCOL_ERROR),
    ]:
        yield connection(f"setting {name} (6.5.2)", code, lambda port, pair=pair: h2.settings(pair) + headers(port))
    # 6.9
    yield connection("window_update of 0 (6.9)", PROTOCOL_ERROR, lambda port: frame(WINDOW_UPDATE, 0, 0, word(0)))
    yield stream("window_update of 0 on a stream (6.9)", PROTOCOL_ERROR, lambda port: post(port) + frame(WINDOW_UPDATE, 0, 1, word(0)))
    yield connection("connection window beyond 2^31-1 (6.9.1)", FLOW_CONTROL_ERROR, lambda port: frame(WINDOW_UPDATE, 0, 0, word(0x7FFFFFFF)) * 2)
    yield stream("stream window beyond 2^31-1 (6.9.1)", FLOW_CONTROL_ERROR, lambda port: post(port) + frame(WINDOW_UPDATE, 0, 1, word(0x7FFFFFFF)) * 2)
    yield connection("setting that overflows a window (6.9.2)", FLOW_CONTROL_ERROR,
                     lambda port: post(port) + frame(WINDOW_UPDATE, 0, 1, word(0x7FFF0000)) + h2.settings((4, 0x7FFFFFFF)))
    yield stream("data beyond the window (6.9.1)", FLOW_CONTROL_ERROR, lambda port: post(port, more=[("x-hold", "yes")]) + frame(DATA, 0, 1, bytes(16384)) * 200)
    # 8.2, 8.3
    for name, more in [
        ("name in upper case (8.2.1)", [("X-Case", "a")]), ("empty name (8.2.1)", [("", "a")]), ("name with a colon (8.2.1)", [("a:b", "c")]),
        ("name with a space (8.2.1)", [("a b", "c")]), ("CR LF in a value (8.2.1)", [("x", "a\r\nb: c")]), ("NUL in a value (8.2.1)", [("x", "a\0b")]),
        ("LF in a value (8.2.1)", [("x", "a\nb")]), ("value that begins with a space (8.2.1)", [("x", " a")]),
        ("connection (8.2.2)", [("connection", "close")]), ("keep-alive (8.2.2)", [("keep-alive", "timeout=5")]),
        ("proxy-connection (8.2.2)", [("proxy-connection", "close")]), ("transfer-encoding (8.2.2)", [("transfer-encoding", "chunked")]),
        ("upgrade (8.2.2)", [("upgrade", "websocket")]), ("te other than trailers (8.2.2)", [("te", "gzip")]),
        ("pseudo-field behind a field (8.3)", [("x", "a"), (":path", "/")]), ("unknown pseudo-field (8.3)", [(":unknown", "a")]),
        (":status in a request (8.3)", [(":status", "200")]), (":method twice (8.3.1)", [(":method", "GET")]), (":path twice (8.3.1)", [(":path", "/")]),
        (":scheme twice (8.3.1)", [(":scheme", "https")]), (":authority twice (8.3.1)", [(":authority", "evil.test")]),
        ("host not the authority (8.3.1)", [("host", "evil.test")]), ("two lengths (8.1.1)", [("content-length", "0"), ("content-length", "1")]),
    ]:
        yield stream(name, PROTOCOL_ERROR, lambda port, more=more: headers(port, more=more))
    for name, left in [("no :method", ":method"), ("no :scheme", ":scheme"), ("no :path", ":path")]:
        yield stream(f"{name} (8.3.1)", PROTOCOL_ERROR, lambda port, left=left: raw_headers(h2.block([pair for pair in fields(port) if pair[0] != left])))
    yield stream(":path empty (8.3.1)", PROTOCOL_ERROR, lambda port: headers(port, path=""))
    yield stream(":path without a slash (8.3.1)", PROTOCOL_ERROR, lambda port: headers(port, path="evil"))
    yield stream(":path with CR LF (8.2.1)", PROTOCOL_ERROR, lambda port: headers(port, path="/ HTTP/1.1\r\nX: a"))
    yield stream(":path with a space (8.3.1)", PROTOCOL_ERROR, lambda port: headers(port, path="/a b"))
    yield stream(":method with a space (8.3.1)", PROTOCOL_ERROR, lambda port: headers(port, method="GET /x"))
    yield stream(":authority with userinfo (8.3.1)", PROTOCOL_ERROR,
                 lambda port: raw_headers(h2.block([(":method", "GET"), (":scheme", "https"), (":authority", f"u@{HOST}:{port}"), (":path", "/")])))
    yield stream(":authority not the tunnel's", PROTOCOL_ERROR,
                 lambda port: raw_headers(h2.block([(":method", "GET"), (":scheme", "https"), (":authority", "evil.test"), (":path", "/")])))
    yield stream("length less than the data (8.1.1)", PROTOCOL_ERROR, lambda port: post(port, more=[("content-length", "1")]) + frame(DATA, END_STREAM, 1, b"hello"))
    yield stream("length more than the data (8.1.1)", PROTOCOL_ERROR, lambda port: post(port, more=[("content-length", "9")]) + frame(DATA, END_STREAM, 1, b"hello"))
    yield stream("length without data (8.1.1)", PROTOCOL_ERROR, lambda port: headers(port, more=[("content-length", "9")]))
    # The h2 crate drops it unread. No trailers are passed on, so the origin must not see any.
    yield Case("pseudo-field in trailers (8.1)", "lenient", (PROTOCOL_ERROR,),
               lambda port: post(port) + frame(DATA, 0, 1, b"x") + raw_headers(literal(":path", "/evil")))
    yield stream("headers again, not at the end (8.1)", PROTOCOL_ERROR,
                 lambda port: post(port) + frame(DATA, 0, 1, b"x") + raw_headers(literal("x", "a"), flags=END_HEADERS))
    # 5.1.2, floods
    yield Case("101 streams at once (5.1.2)", "stream", (REFUSED_STREAM, PROTOCOL_ERROR),
               lambda port: b"".join(post(port, n, more=[("x-hold", "yes")]) for n in range(1, 203, 2)), stream=201)
    yield connection("rapid reset (CVE-2023-44487)", ENHANCE_YOUR_CALM,
                     lambda port: b"".join(headers(port, n) + frame(RST_STREAM, 0, n, word(CANCEL)) for n in range(1, 20001, 2)), PROTOCOL_ERROR)
    yield connection("streams that err on purpose (CVE-2025-8671)", ENHANCE_YOUR_CALM,
                     lambda port: b"".join(post(port, n) + frame(WINDOW_UPDATE, 0, n, word(0)) for n in range(1, 20001, 2)), PROTOCOL_ERROR)
    yield Case("settings flood", "bounded", (ENHANCE_YOUR_CALM,), lambda port: h2.settings((3, 100)) * 100000)
    yield Case("ping flood", "bounded", (ENHANCE_YOUR_CALM,), lambda port: frame(PING, 0, 0, b"12345678") * 100000)
    yield Case("empty data flood", "bounded", (ENHANCE_YOUR_CALM,), lambda port: post(port, more=[("x-hold", "yes")]) + frame(DATA, 0, 1) * 100000)
    yield Case("1-byte references to a long field", "bounded", (ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION_ERROR),
               lambda port: raw_headers(h2.block(fields(port)) + b"\x40\x01x\x7f\x81\x1e" + b"a" * 4000 + b"\xbe" * 8000))
    yield Case("window stall: long answers that nobody takes", "bounded", (ENHANCE_YOUR_CALM,),
               lambda port: h2.settings((4, 0)) + b"".join(headers(port, n) for n in range(1, 201, 2)))


# --- The origin --------------------------------------------------------------------------------


class Origin:
    """An HTTP/2 server that answers every finished request with 200, looks at nothing, and counts streams.

    A long one answers with as much as it is let send, and keeps to the windows.
    """

    def __init__(self, pki, is_long=False):
        self.is_long = is_long
        self.listener = Listener(self.serve, pki and pki.server(alpn=("h2", "http/1.1")))
        self.port = self.listener.port
        self.requests, self.trailers, self.sent = 0, 0, 0

    def pour(self, client, windows, long):
        for stream in long:
            while (size := min(16384, windows[0], windows[stream])) > 0:
                client.sendall(frame(DATA, 0, stream, bytes(size)))
                windows[0], windows[stream], self.sent = windows[0] - size, windows[stream] - size, self.sent + size

    def serve(self, client):
        client.sendall(h2.settings())
        begun, long, initial, windows = set(), set(), 65535, {0: 65535}
        if read_exactly(client, len(h2.PREFACE)) != PREFACE:
            time.sleep(5)
        frames = h2.Frames(client)
        while found := frames.read():
            kind, flags, stream, payload = found
            if kind == SETTINGS and not flags & h2.ACK:
                client.sendall(frame(SETTINGS, h2.ACK))
                initial = dict(struct.iter_unpack(">HI", payload)).get(4, initial)
            elif kind == WINDOW_UPDATE:
                windows[stream] = windows.get(stream, initial) + struct.unpack(">I", payload)[0]
                self.pour(client, windows, long)
            elif kind == PING and not flags & h2.ACK:
                client.sendall(frame(PING, h2.ACK, 0, payload))
            if kind == HEADERS:
                self.trailers += stream in begun
                self.requests += stream not in begun
                begun.add(stream)
            if kind == HEADERS and self.is_long:
                client.sendall(frame(HEADERS, END_HEADERS, stream, b"\x88"))
                windows.setdefault(stream, initial)
                long.add(stream)
                self.pour(client, windows, long)
            elif kind in (HEADERS, DATA) and flags & END_STREAM:
                client.sendall(frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\x88"))


# --- The client --------------------------------------------------------------------------------


class Outcome:
    def __init__(self):
        self.goaway = self.ended = None
        self.resets, self.statuses, self.finished, self.pongs = {}, {}, set(), []

    def note(self, kind, flags, stream, payload):
        if kind == GOAWAY:
            self.goaway = struct.unpack(">II", payload[:8])[1]
        elif kind == RST_STREAM:
            self.resets[stream] = struct.unpack(">I", payload)[0]
        elif kind == HEADERS:
            self.statuses.setdefault(stream, "an answer" if self.statuses else h2.status(payload))
        elif kind == PING and flags & h2.ACK:
            self.pongs.append(payload)
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.finished.add(stream)

    def told(self):
        said = [f"goaway {h2.NAMES[self.goaway]}"] if self.goaway is not None else []
        said += [f"stream {n} reset with {h2.NAMES[code]}" for n, code in list(self.resets.items())[:2]]
        said += [f"stream {n} answered {status}" for n, status in list(self.statuses.items())[:2]]
        return ", ".join(said + [self.ended or "open"])


def converse(client, data, seconds, until):
    """Sends while reading, since a server that is flooded may stop reading until it can write."""
    outcome, frames, deadline = Outcome(), h2.Frames(client), time.monotonic() + seconds
    data = memoryview(data)
    client.settimeout(0)
    while not outcome.ended and time.monotonic() < deadline:
        if not data and until(outcome):
            break
        waits = [client]
        try:
            while data:
                data = data[client.send(data[:16384]):]
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            # Nothing more can be said; what was answered can still be read.
            data = data[:0]
        try:
            while chunk := client.recv(65536):
                frames.data += chunk
            outcome.ended = "closed"
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            select.select(waits, waits if data else [], [], max(0, min(0.2, deadline - time.monotonic())))
        except OSError:
            outcome.ended = "reset"
        while found := frames.next():
            outcome.note(*found)
    return outcome


def opened(recorder, port, context):
    """A connection in a tunnel that speaks HTTP/2, or one to the origin itself."""
    if recorder:
        client = tunnel(recorder, port, seconds=20, trust=context)
    else:
        client = context.wrap_socket(connect(port, 20), server_hostname=HOST)
    if client.selected_alpn_protocol() != "h2":
        raise OSError("the protocol is not h2")
    return client


def ordinary(recorder, port, context):
    try:
        with opened(recorder, port, context) as client:
            outcome = converse(client, START + headers(port), 5, lambda outcome: 1 in outcome.finished)
    except OSError as error:
        return str(error)
    return "" if outcome.statuses.get(1) == 200 else outcome.told()


def prior_knowledge(binary, work):
    """What curl gets that speaks HTTP/2 at once, to a local origin and in a tunnel, without TLS."""
    origin = Origin(None)
    recorder = Recorder(binary, work / "prior.yaml", "--keep", "all", "--reverse", f"http://{HOST}:{origin.port}")
    told = json.loads((work / "prior.yaml.record.ready").read_text())
    stand = next(iter(told["reverse"].values()))
    ways = {"local origin": [stand + "/"], "tunnel": ["--proxytunnel", "--proxy", told["proxy"], f"http://{HOST}:{origin.port}/"]}
    for way, arguments in ways.items():
        ask = ["curl", "-sS", "--max-time", "10", "--http2-prior-knowledge", "-w", "%{http_version} %{http_code}", *arguments]
        asked = subprocess.run(ask, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        yield f"prior knowledge, {way}", "" if asked.stdout == "2 200" else asked.stdout + asked.stderr
    recorder.stop()
    seen = len(interactions(work / "prior.yaml"))
    yield "prior knowledge is recorded", "" if (seen, origin.requests) == (2, 2) else f"{seen} recorded, {origin.requests} at the origin"


def judge(case, outcome, origin):
    if case.want == "fine":
        status = outcome.statuses.get(1)
        if "ping" in case.name and not outcome.pongs:
            return "no answer to the ping"
        return "" if status == 200 else f"must be answered with 200: {outcome.told()}"
    if case.want == "lenient" and outcome.statuses:
        # What stands for the error: the ordinary answer to one request, with nothing of what was wrong.
        wrong = "" if outcome.statuses == {1: 200} and not outcome.resets else outcome.told()
        seen = f"{origin.requests} requests and {origin.trailers} trailers at the origin"
        return wrong or ("" if (origin.requests, origin.trailers) == (1, 0) else seen)
    expected = " or ".join(h2.NAMES[code] for code in case.codes)
    if case.want == "bounded":
        if outcome.goaway is not None and outcome.goaway not in case.codes:
            return f"{outcome.told()}, must be {expected} or nothing"
        return ""
    if outcome.goaway is not None and outcome.goaway != NO_ERROR:
        # To end the connection is enough, whatever is said (5.4.1); `--strict` wants the very code.
        general = outcome.goaway == PROTOCOL_ERROR and outcome.ended and "--strict" not in sys.argv
        return "" if outcome.goaway in case.codes or general else f"{outcome.told()}, must be {expected}"
    if case.want == "stream":
        if case.stream in outcome.resets:
            return "" if outcome.resets[case.stream] in case.codes else f"{outcome.told()}, must be {expected}"
        status = outcome.statuses.get(case.stream)
        if isinstance(status, int) and 400 <= status < 500:
            return ""
    # The RFC asks for GOAWAY, and allows just to close.
    return "" if outcome.ended and not outcome.statuses else f"{outcome.told()}, must be a {case.want} error {expected}"


def play(case, recorder, origin, context, usual):
    port = origin.port
    try:
        with opened(recorder, port, context) as client:
            data = (START if case.start else b"") + case.make(port)
            if case.want == "bounded":
                data += frame(PING, 0, 0, LAST)
            # After an error of the connection the end must come too; some answers come at once.
            patience = 8 if case.want == "bounded" else 3

            def until(outcome):
                if case.want in ("fine", "stream", "lenient"):
                    return case.stream in outcome.finished or case.stream in outcome.resets
                return case.want == "bounded" and (outcome.goaway or LAST in outcome.pongs)

            outcome = converse(client, data, patience, until)
    except OSError as error:
        return f"no connection: {error}"
    return judge(case, outcome, origin) or (recorder and (wrong := ordinary(recorder, usual.port, context)) and f"an ordinary request behind it failed: {wrong}") or ""


def main():
    binary, prove = binary_argument(), "--prove" in sys.argv
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    report, some = Report(), [case for case in cases() if only in case.name]
    with workspace() as work:
        pki = Pki(work)
        origin = Origin(pki)
        recorder = None if prove else Recorder(binary, work / "tape.yaml", "--keep", "all", "--upstream-ca", pki.ca)
        context = ssl.create_default_context(cafile=recorder.ca if recorder else pki.ca)
        context.set_alpn_protocols(["h2"])

        def one(case):
            # One to whose requests no other case adds.
            is_long = "stall" in case.name
            alone = Origin(pki, is_long) if is_long or case.want == "lenient" else origin
            report.case(f"{case.name}: {case.want}", play(case, recorder, alone, context, origin))
            if is_long:
                print(f"     {alone.sent >> 10} KiB were sent that nobody took")

        # Those that flood come alone, to be measured.
        floods = [case for case in some if case.want == "bounded" or "CVE" in case.name]
        together([lambda case=case: one(case) for case in some if case not in floods], 6)
        for case in floods:
            before, ended, asked = recorder and (recorder.rss(), recorder.cpu()), threading.Event(), []

            def others():
                while recorder and not ended.wait(0.05) or recorder and not asked:
                    began = time.monotonic()
                    asked.append((ordinary(recorder, origin.port, context), time.monotonic() - began))

            other = threading.Thread(target=others)
            other.start()
            one(case)
            ended.set()
            other.join()
            if recorder:
                wrong = next((wrong for wrong, _ in asked if wrong), "")
                slowest = max(took for _, took in asked)
                report.case(f"{case.name}: another client meanwhile", wrong or ("" if slowest < 2 else f"waited {slowest:.1f} s"))
                time.sleep(0.3)
                grown, burnt = recorder.rss() - before[0], recorder.cpu()
                report.case(f"{case.name}: at most 32 MB", "" if grown <= 32 else f"{grown:.0f} MB more")
                time.sleep(0.5)
                rest = recorder.cpu() - burnt
                report.case(f"{case.name}: no work behind it", "" if rest < 0.1 else f"{rest:.2f} s of processor time in half a second")
        if recorder:
            for name, wrong in prior_knowledge(binary, work):
                report.case(name, wrong)
            code, took = recorder.stop()
            report.case("the recorder ends with 0 within 3 s", "" if code == 0 and took < 3 else f"with {code} after {took:.1f} s")
    ended = report.end("frames")
    if prove:
        sound = not any(name.startswith("control") for name in report.failed)
        errors = sum(1 for case in some if case.want in ("connection", "stream"))
        print(f"proof: of {errors} errors {len(report.failed)} go unseen by a server that looks at nothing; controls {'pass' if sound else 'fail'}")
        return 0 if sound and len(report.failed) > errors * 0.8 else 1
    return ended


if __name__ == "__main__":
    sys.exit(main())
