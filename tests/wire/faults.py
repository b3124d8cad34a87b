"""Servers that fail, each in its own way and phase: told to the client, recorded, explained, replayed.

    python3 tests/wire/faults.py target/release/authtape [--only TEXT] [--prove]

`--prove` expects of every fault that the recording calls it `client_aborted`, and succeeds where all fail.
"""

import os
import re
import socket
import ssl
import struct
import sys
import time

import h2
from support import (
    HOST, Answer, Listener, Pki, Recorder, Report, authtape, binary_argument, connect, good, interactions, read_exactly, read_head, together,
    tunnel, workspace,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
STALL = 75
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


def reset(client):
    """Closes with RST."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def asked(client):
    head = read_head(client)
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    read_exactly(client, int(length[1]) if length else 0)


def says(data, then="close"):
    """A server that reads a request, says this, and ends so."""

    def serve(client):
        asked(client)
        if data:
            client.sendall(data)
        if then == "reset":
            # Not before the data has been read: RST throws away what waits.
            time.sleep(0.3)
            reset(client)
        elif then == "stall":
            time.sleep(STALL)
        elif isinstance(client, ssl.SSLSocket):
            client.unwrap()

    return serve


def no_notify(client):
    """Ends without TLS's close_notify."""
    asked(client)
    client.sendall(HEAD + b"\r\n" + b'{"active":')
    client.shutdown(socket.SHUT_RDWR)


def storm(client):
    asked(client)
    for _ in range(2000):
        client.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
    client.sendall(HEAD + b"Content-Length: 15\r\n\r\n" + b'{"active":true}')


def endless_storm(client):
    asked(client)
    while True:
        client.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)


def plain_alert(said):
    """Says this, and then a fatal alert outside of the encryption, as a broken middlebox does."""

    def serve(client):
        asked(client)
        if said:
            client.sendall(said)
        # Not before what it said has been read.
        time.sleep(1)
        os.write(client.fileno(), ALERT)
        time.sleep(1)

    return serve


def over_h2(*frames, then="close"):
    """An HTTP/2 server that answers a request with these frames."""

    def serve(client):
        read_exactly(client, len(h2.PREFACE))
        client.sendall(h2.settings())
        frames_in = h2.Frames(client)
        while frame := frames_in.read():
            if frame[0] in (h2.HEADERS, h2.DATA) and frame[1] & h2.END_STREAM:
                break
            if frame[0] == h2.SETTINGS and not frame[1] & h2.ACK:
                client.sendall(h2.frame(h2.SETTINGS, h2.ACK))
        for frame in frames:
            client.sendall(frame)
            time.sleep(0.2)
        if then == "reset":
            time.sleep(0.3)
            reset(client)
        else:
            time.sleep(STALL if then == "stall" else 1)

    return serve


H2_HEAD = h2.frame(h2.HEADERS, h2.END_HEADERS, 1, b"\x88" + h2.block([("content-type", "application/json")]))
H2_PART = h2.frame(h2.DATA, 0, 1, b'{"active":')
H2_REST = h2.frame(h2.DATA, h2.END_STREAM, 1, b'{"active":true}')
# A status that the static table has not: its name from there, its value as it is.
H2_STORM = h2.frame(h2.HEADERS, h2.END_HEADERS, 1, b"\x08\x03102") * 500


def goaway(last, code):
    return h2.frame(h2.GOAWAY, 0, 0, struct.pack(">II", last, code))


# What TCP does before any TLS.


def alert(client):
    client.recv(65536)
    client.sendall(ALERT)


def garbage(client):
    client.recv(65536)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def hang_up(client):
    client.recv(65536)


def reset_hello(client):
    client.recv(65536)
    reset(client)


def stall(client):
    time.sleep(STALL)


def full():
    """A port that takes no more connections, nor refuses them."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(server.getsockname())
    return server, waiting


class Case:
    """A fault: where it is, and what must be recorded of it."""

    def __init__(self, name, kind, phase, serve=None, tls="good", statuses=(502,), seconds=5, way="tls", host=HOST, port=None):
        self.name, self.kind, self.phase, self.serve, self.tls, self.statuses = name, kind, phase, serve, tls, statuses
        self.seconds, self.way, self.host, self.port, self.listener = seconds, way, host, port, None
        self.live = self.again = self.trouble = None

    def start(self, contexts):
        if self.serve:
            self.listener = Listener(self.serve, contexts.get("h2" if (self.way, self.tls) == ("h2", "good") else self.tls))
            self.port = self.listener.port


def cases():
    kinds = lambda *words: tuple(words)
    yield Case("refused", "connect_refused", "connect", port=1)
    yield Case("refused, http", "connect_refused", "connect", port=2, way="http")
    yield Case("unknown name", "dns_failure", "connect", host="no-such-name.invalid", port=443, seconds=15)
    yield Case("unknown name, http", "dns_failure", "connect", host="no-such-name.invalid", port=80, way="http", seconds=15)
    yield Case("no room", "connect_timeout", "connect", port="full", seconds=13, statuses=(502, 504))
    yield Case("TLS alert", "tls_failure", "connect", alert, None)
    yield Case("no TLS at all", "tls_failure", "connect", garbage, None)
    yield Case("closed in the handshake", kinds("closed_early", "tls_failure"), "connect", hang_up, None)
    yield Case("reset in the handshake", "connection_reset", "connect", reset_hello, None)
    yield Case("stall in the handshake", "connect_timeout", "connect", stall, None, seconds=13, statuses=(502, 504))
    for name in ("expired", "not yet valid", "wrong host", "self-signed"):
        yield Case(f"certificate {name}", "tls_failure", "connect", good, name)
    for way in ("tls", "http"):
        more = "" if way == "tls" else ", http"
        yield Case(f"closed before the head{more}", "closed_early", "response_head", says(b""), way=way)
        yield Case(f"reset before the head{more}", "connection_reset", "response_head", says(b"", "reset"), way=way)
        yield Case(f"closed in the head{more}", "closed_early", "response_head", says(HEAD), way=way)
        yield Case(f"reset in the head{more}", "connection_reset", "response_head", says(HEAD, "reset"), way=way)
        yield Case(f"stall before the head{more}", "read_timeout", "response_head", says(b"", "stall"), way=way, seconds=63, statuses=(502, 504))
        yield Case(f"head is no HTTP{more}", "protocol_error", "response_head", says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), way=way)
        yield Case(f"length that is none{more}", "protocol_error", "response_head", says(HEAD + b"Content-Length: x\r\n\r\n"), way=way)
        part = b"Content-Length: 15\r\n\r\n" + b'{"active":'
        yield Case(f"length cut{more}", "closed_early", "response_body", says(HEAD + part), way=way, statuses=(200,))
        yield Case(f"reset in the body{more}", "connection_reset", "response_body", says(HEAD + part, "reset"), way=way, statuses=(200,))
        yield Case(f"stall in the body{more}", "read_timeout", "response_body", says(HEAD + part, "stall"), way=way, seconds=63, statuses=(200,))
        chunk = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"act\r\n"
        yield Case(f"bad chunk{more}", "protocol_error", "response_body", says(chunk + b"zz\r\nive\r\n"), way=way, statuses=(200,))
        yield Case(f"chunks cut{more}", "closed_early", "response_body", says(chunk), way=way, statuses=(200,))
    yield Case("ended by the close", None, None, says(HEAD + b"\r\n" + b'{"active":true}'), statuses=(200,))
    # An attacker can cut there (RFC 9112 section 9.8).
    yield Case("no close_notify", "closed_early", "response_body", no_notify, statuses=(200,))
    yield Case("1xx storm", None, None, storm, statuses=(200,))
    yield Case("1xx storm without end", kinds("read_timeout", "protocol_error"), "response_head", endless_storm, seconds=63, statuses=(502, 504))
    yield Case("502", None, None, says(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"))
    yield Case("TLS alert before the head", "tls_failure", "response_head", plain_alert(b""))
    yield Case("TLS alert in the body", "protocol_error", "response_body", plain_alert(HEAD + b"Content-Length: 15\r\n\r\n" + b'{"active":'), statuses=(200,))
    ended = kinds("closed_early", "connection_reset", "protocol_error")
    yield Case("h2 goaway before the head", ended, "response_head", over_h2(goaway(0, h2.NO_ERROR)), way="h2")
    yield Case("h2 goaway with an error", ended, "response_head", over_h2(goaway(0, h2.ENHANCE_YOUR_CALM)), way="h2")
    yield Case("h2 stream reset before the head", ended, "response_head", over_h2(h2.frame(h2.RST_STREAM, 0, 1, b"\0\0\0\2")), way="h2")
    yield Case("h2 closed before the head", ended, "response_head", over_h2(then="reset"), way="h2")
    yield Case("h2 broken frame", ended, "response_head", over_h2(h2.frame(h2.SETTINGS, 0, 1)), way="h2")
    yield Case("h2 stall before the head", "read_timeout", "response_head", over_h2(then="stall"), way="h2", seconds=63, statuses=(502, 504))
    yield Case("h2 1xx storm", None, None, over_h2(H2_STORM, H2_HEAD, H2_REST), way="h2", statuses=(200,))
    yield Case("h2 certificate expired", "tls_failure", "connect", over_h2(), "expired h2", way="h2")
    yield Case("h2 stall in the body", "read_timeout", "response_body", over_h2(H2_HEAD, H2_PART, then="stall"), way="h2", seconds=63, statuses=(200,))
    yield Case("h2 stream reset in the body", ended, "response_body", over_h2(H2_HEAD, H2_PART, h2.frame(h2.RST_STREAM, 0, 1, b"\0\0\0\2")), way="h2", statuses=(200,))
    yield Case("h2 goaway in the body", ended, "response_body", over_h2(H2_HEAD, H2_PART, goaway(0, h2.INTERNAL_ERROR), then="reset"), way="h2", statuses=(200,))


# What a server does to its client's connection before the head of its answer, and replay does too.
ENDS = ("closed_early", "connection_reset", "read_timeout")


def ask(case, recorder):
    """Status, whether the answer came whole, its body, and how long it took."""
    began = time.monotonic()
    limit = case.seconds + 5
    if case.way == "http":
        client, base = connect(recorder.port, limit), f"http://{case.host}:{case.port}"
    else:
        alpn = ("h2", "http/1.1") if case.way == "h2" else ("http/1.1",)
        client, base = tunnel(recorder, case.port, case.host, alpn=alpn, seconds=limit), ""
    body = b"grant_type=client_credentials&scope=openid"
    form = "application/x-www-form-urlencoded"
    with client:
        if case.way == "h2" and client.selected_alpn_protocol() == "h2":
            status, whole, got = ask_h2(case, client, body, form)
        else:
            port = "" if (case.way, case.port) in (("tls", 443), ("http", 80)) else f":{case.port}"
            client.sendall(
                f"POST {base}/token HTTP/1.1\r\nHost: {case.host}{port}\r\nContent-Type: {form}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            )
            answer = Answer(client, limit)
            status, whole, got = answer.status, answer.whole, answer.body
    return status, whole, got, time.monotonic() - began


def ask_h2(case, client, body, form):
    fields = [(":method", "POST"), (":scheme", "https"), (":authority", f"{case.host}:{case.port}"), (":path", "/token"),
              ("content-type", form), ("content-length", str(len(body)))]
    client.sendall(
        h2.PREFACE + h2.settings() + h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.block(fields)) + h2.frame(h2.DATA, h2.END_STREAM, 1, body)
    )
    status, got, frames = None, b"", h2.Frames(client)
    try:
        while frame := frames.read():
            kind, flags, stream, payload = frame
            if kind == h2.HEADERS:
                status = h2.status(payload)
            elif kind == h2.DATA:
                got += payload
            elif kind in (h2.RST_STREAM, h2.GOAWAY):
                break
            if kind in (h2.HEADERS, h2.DATA) and flags & h2.END_STREAM:
                return status, True, got
    except OSError:
        pass
    return status, False, got


def judge(case, taped, explained, kind=None):
    if case.trouble:
        return case.trouble
    status, whole, _, took = case.live
    if status not in case.statuses:
        return f"the client got {status}, must be one of {case.statuses}"
    if took > case.seconds:
        return f"the client waited {took:.1f} s, at most {case.seconds}"
    must_be_whole = case.phase != "response_body"
    if whole != must_be_whole:
        return f"the client's answer was {'whole' if whole else 'cut'}, status {status}"
    if len(taped) != 1:
        return f"{len(taped)} interactions in the recording"
    kinds = (kind or case.kind) if isinstance(kind or case.kind, tuple) else (kind or case.kind,)
    found = tuple(taped[0].one(taped[0].error, key) for key in ("kind", "phase"))
    if found[0] not in kinds or found[1] != case.phase:
        return f"recorded is {found}, must be {kinds} while {case.phase}"
    number = re.search(r"^- id: (\d+)", taped[0].text, re.M)[1]
    if case.kind and not re.search(rf"^ +{number} .*{found[0]}", explained, re.M):
        return "explain says nothing of it"
    if case.again is None:
        return "it was not replayed"
    if found[1] == "response_head" and found[0] in ENDS:
        # We could only tell the client that there was no answer; the tape has the connection end without one.
        return "" if case.again[0] is None else f"replayed is {case.again[:3]}, must be no answer"
    # What came of an answer before its cut can be read by no parser, so the tape does not hold it.
    said = 3 if whole else 2
    if case.again[:said] != case.live[:said]:
        return f"replayed is {case.again[:3]}, live was {case.live[:3]}"
    return ""


def main():
    binary, prove = binary_argument(), "--prove" in sys.argv
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    report, some = Report(), [case for case in cases() if only in case.name]
    with workspace() as work:
        pki = Pki(work)
        expired = pki.leaf("expired", dates=("20200101000000Z", "20210101000000Z"))
        contexts = {
            "good": pki.server(), "h2": pki.server(alpn=("h2",)),
            "expired": pki.server(expired), "expired h2": pki.server(expired, alpn=("h2",)),
            "not yet valid": pki.server(pki.leaf("early", dates=("20600101000000Z", "20610101000000Z"))),
            "wrong host": pki.server(pki.leaf("wrong", names="DNS:other.test")),
            "self-signed": pki.server(pki.leaf("self", self_signed=True)),
        }
        keep = full()
        for case in some:
            case.start(contexts if case.way != "http" else {})
            if case.port == "full":
                case.port = keep[0].getsockname()[1]
        tape = work / "tape.yaml"

        def play(recorder, slot):
            def one(case):
                try:
                    setattr(case, slot, ask(case, recorder))
                except ConnectionResetError as error:
                    if slot == "again":
                        case.again = None, False, b"", 0
                    else:
                        case.trouble = case.trouble or f"{slot}: no answer at all: {error}"
                except OSError as error:
                    case.trouble = case.trouble or f"{slot}: no answer at all: {error}"

            together([lambda case=case: one(case) for case in some], len(some))
            return recorder.stop()

        code, took = play(Recorder(binary, tape, "--keep", "all", "--upstream-ca", pki.ca), "live")
        report.case("record ends within 3 s", "" if took < 3 else f"after {took:.1f} s")
        report.case("record ends with 0", "" if code == 0 else f"with {code}")
        explained = authtape(binary, "explain", tape)
        explained = explained.stdout + explained.stderr
        if "-v" in sys.argv:
            print(tape.read_text(), explained)
        for case in some:
            if case.listener:
                case.listener.close()
        code, took = play(Recorder(binary, tape, verb="replay"), "again")
        report.case("replay ends with 0", "" if code == 0 else f"with {code} after {took:.1f} s")
        taped = interactions(tape)
        for case in some:
            mine = [one for one in taped if re.match(rf"https?://{re.escape(case.host)}(:{case.port})?/", one.url) and one.url.startswith("http:") == (case.way == "http")]
            if case.port not in (80, 443):
                mine = [one for one in mine if f":{case.port}/" in one.url]
            wrong = judge(case, mine, explained, "client_aborted" if prove else None)
            expected = case.kind if isinstance(case.kind, str) else " or ".join(case.kind or ["no error"])
            report.case(f"{case.name}: {expected}{f' while {case.phase}' if case.phase else ''}", wrong)
    ended = report.end("faults")
    return (0 if len(report.failed) >= len(some) else 1) if prove else ended


if __name__ == "__main__":
    sys.exit(main())
