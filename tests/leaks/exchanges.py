"""A whole exchange as bytes: what the client sends, and what the origin answers."""

import dataclasses


@dataclasses.dataclass
class Exchange:
    method: str = "GET"
    target: str = "/"
    # Whose server it is, where it is not the origin's own name.
    host: str = ""
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    status: int = 200
    answer_headers: list = dataclasses.field(default_factory=list)
    answer: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)
    # The same of the request, whose body is then sent in a chunk.
    sent_trailers: list = dataclasses.field(default_factory=list)
    # Where the answer's body is split into chunks; framed by its length where there are none.
    chunks: tuple = ()
    # How the exchange ends badly: reset, cut or refused; or goes on: websocket.
    how: str = ""
    # The body that an encoding may change as a whole: the request's, the answer's, or none.
    changes: str = ""
    # Filled in by the driver: the number by which the exchange is found in the recording.
    id: str = ""

    def transform(self, change):
        """The body in another encoding; a change gives bytes and header fields."""
        if self.changes == "request":
            self.body, fields = change(self.body)
            self.headers += fields
        elif self.changes == "answer":
            self.answer, fields = change(self.answer)
            self.answer_headers += fields

    def request(self, authority, proxied=True):
        """The bytes of the request; in absolute form for a proxy."""
        authority = self.host or authority
        target = f"http://{authority}{self.target}" if proxied else self.target
        fields = [("Host", authority), ("X-Request-Id", self.id), *self.headers]
        if self.sent_trailers:
            names = ", ".join(name for name, _ in self.sent_trailers)
            fields += [("Transfer-Encoding", "chunked"), ("Trailer", names), ("TE", "trailers")]
            chunk = b"%x\r\n%s\r\n0\r\n" % (len(self.body), self.body)
            start = f"{self.method} {target} HTTP/1.1"
            return head(start, fields) + chunk + lines(self.sent_trailers) + b"\r\n"
        if self.body or self.method in ("POST", "PUT"):
            fields.append(("Content-Length", str(len(self.body))))
        return head(f"{self.method} {target} HTTP/1.1", fields) + self.body

    def response(self):
        fields = [("X-Request-Id", self.id), *self.answer_headers]
        if self.how == "websocket":
            upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
            return head("HTTP/1.1 101 Switching Protocols", upgrade + fields) + frame(self.answer)
        start = f"HTTP/1.1 {self.status} {REASONS[self.status]}"
        if self.chunks or self.trailers:
            fields.append(("Transfer-Encoding", "chunked"))
            if self.trailers:
                fields.append(("Trailer", ", ".join(name for name, _ in self.trailers)))
            ends = [*self.chunks, len(self.answer)]
            parts = [self.answer[start:end] for start, end in zip([0, *ends], ends)]
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part)
            return head(start, fields) + chunks + b"0\r\n" + lines(self.trailers) + b"\r\n"
        size = len(self.answer) + (100 if self.how == "cut" else 0)
        return head(start, [*fields, ("Content-Length", str(size))]) + self.answer

    def transcript(self):
        """All that was said, as bytes; the answer's body also without the marks of its chunks."""
        said = (self.request("origin"), self.response(), self.answer if self.chunks else b"")
        return b"\r\n\r\n".join(said)


def head(start, fields):
    return start.encode() + b"\r\n" + lines(fields) + b"\r\n"


def lines(fields):
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in fields)


def frame(data):
    """One text frame of RFC 6455, unmasked as servers send."""
    size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
    return b"\x81" + size + data


REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    502: "Bad Gateway",
}
