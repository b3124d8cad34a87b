"""Clients of the recorder: plain through the forward proxy, and TLS with HTTP/1.1 or HTTP/2."""

import contextlib
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "wire"))

import h2  # noqa: E402
from origin import CHUNKED, LENGTH, read_chunks, read_head  # noqa: E402
from support import tunnel  # noqa: E402

# A connection of HTTP/2 is given up after so many streams: its windows are not counted here.
STREAMS = 40


class Http1:
    """Keeps its connection while it can; `connect` makes a new one."""

    def __init__(self, connect):
        self.connect, self.socket, self.reader = connect, None, None

    def send(self, exchange, authority, proxied):
        """The bytes of the answer; whatever came where the connection ended."""
        data = exchange.request(authority, proxied)
        for fresh in (self.socket is None, True):
            try:
                if fresh:
                    self.close()
                    self.socket = self.connect()
                    self.reader = self.socket.makefile("rb")
                self.socket.sendall(data)
                head = read_head(self.reader)
            except OSError:
                head = b""
            if head:
                return head + self.body(head, exchange.how == "websocket")
            # A connection that was kept may have been closed meanwhile; a new one ended by itself.
            self.close()
            if fresh:
                return b""
        return b""

    def body(self, head, upgrade):
        with contextlib.suppress(OSError, ValueError):
            if upgrade:
                body = self.reader.read()
                self.close()
                return body
            if CHUNKED.search(head):
                return read_chunks(self.reader)
            if length := LENGTH.search(head):
                body = self.reader.read(int(length[1]))
                if len(body) < int(length[1]):
                    self.close()
                return body
        self.close()
        return b""

    def close(self):
        if self.socket:
            with contextlib.suppress(OSError):
                self.reader.close()
                self.socket.close()
        self.socket = None


class Http2:
    """One stream after the other, by frames."""

    def __init__(self, connect):
        self.connect, self.socket, self.stream = connect, None, 0

    def send(self, exchange, authority, _proxied):
        if self.socket is None or self.stream > 2 * STREAMS:
            self.open()
        self.stream += 2
        self.socket.sendall(self.request(exchange, exchange.host or authority))
        received = b""
        with contextlib.suppress(OSError):
            while found := self.frames.read():
                kind, flags, stream, payload = found
                received += payload
                if kind == h2.DATA and payload:
                    self.more(len(payload))
                if kind == h2.SETTINGS and not flags & h2.ACK:
                    self.socket.sendall(h2.frame(h2.SETTINGS, h2.ACK))
                if kind == h2.PING and not flags & h2.ACK:
                    self.socket.sendall(h2.frame(h2.PING, h2.ACK, payload=payload))
                ended = (
                    kind in (h2.DATA, h2.HEADERS) and flags & h2.END_STREAM or kind == h2.RST_STREAM
                )
                if stream == self.stream and ended:
                    return received
                if kind == h2.GOAWAY:
                    break
        self.close()
        return received

    def open(self):
        self.close()
        self.socket, self.stream = self.connect(), -1
        self.frames = h2.Frames(self.socket)
        self.socket.sendall(h2.PREFACE + h2.settings())

    def more(self, size):
        """The windows of the connection and the stream are opened again by what was read."""
        increment = size.to_bytes(4, "big")
        with contextlib.suppress(OSError):
            self.socket.sendall(
                h2.frame(h2.WINDOW_UPDATE, 0, 0, increment)
                + h2.frame(h2.WINDOW_UPDATE, 0, self.stream, increment)
            )

    def request(self, exchange, authority):
        fields = [
            (":method", exchange.method),
            (":scheme", "https"),
            (":authority", authority),
            (":path", exchange.target),
            ("x-request-id", exchange.id),
            *((name.lower(), value) for name, value in exchange.headers),
        ]
        block = h2.block((name.encode(), value.encode()) for name, value in fields)
        out, kind = b"", h2.HEADERS
        parts = [block[at : at + 16_384] for at in range(0, len(block), 16_384)]
        for number, part in enumerate(parts):
            flags = h2.END_HEADERS if number == len(parts) - 1 else 0
            flags |= h2.END_STREAM if kind == h2.HEADERS and not exchange.body else 0
            out += h2.frame(kind, flags, self.stream, part)
            kind = h2.CONTINUATION
        body = exchange.body
        while body:
            part, body = body[:16_384], body[16_384:]
            last = not body and not exchange.sent_trailers
            out += h2.frame(h2.DATA, h2.END_STREAM if last else 0, self.stream, part)
        if exchange.sent_trailers:
            fields = (
                (name.lower().encode(), text.encode()) for name, text in exchange.sent_trailers
            )
            ends = h2.END_HEADERS | h2.END_STREAM
            out += h2.frame(h2.HEADERS, ends, self.stream, h2.block(fields))
        return out

    def close(self):
        if self.socket:
            with contextlib.suppress(OSError):
                self.socket.close()
        self.socket = None


def plain(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def secure(recorder, port, host, protocol):
    return tunnel(recorder, port, host, alpn=(protocol,), seconds=20.0)
