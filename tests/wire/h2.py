"""HTTP/2 frames by hand: enough to be a client that breaks rules, and a server that ends badly."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY_FLAG = 1, 1, 4, 8, 32
(
    NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM,
    CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM,
) = range(12)
NAMES = [
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
    "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
]


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """A frame; `length` lies about the payload's."""
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", key, value) for key, value in pairs))


def integer(value, bits, first=0):
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    out, value = [first | limit], value - limit
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def literal(name, value):
    """A field without indexing and without Huffman's code."""
    name, value = (text.encode("latin-1") if isinstance(text, str) else text for text in (name, value))
    return b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value


def block(fields):
    return b"".join(literal(name, value) for name, value in fields)


def status(payload):
    """The status that a header block begins with, where it is the first of its connection."""
    # A change of the table's size may come first.
    while payload and payload[0] & 0xE0 == 0x20:
        payload = payload[1:]
    if not payload:
        return None
    first = payload[0]
    if first & 0x80:
        return {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}.get(first & 0x7F)
    size = payload[1] & 0x7F
    text = payload[2:2 + size]
    if not payload[1] & 0x80:
        return int(text)
    bits = "".join(f"{byte:08b}" for byte in text)
    digits = ""
    while len(digits) < 3:
        width = 5 if bits[:5] in ("00000", "00001", "00010") else 6
        digits += str(int(bits[:width], 2) if width == 5 else int(bits[:width], 2) - 22)
        bits = bits[width:]
    return int(digits)


class Frames:
    """A socket that frames are read from."""

    def __init__(self, client):
        self.client, self.data = client, b""

    def read(self):
        """Kind, flags, stream and payload; `None` at the end."""
        while not (found := self.next()):
            chunk = self.client.recv(65536)
            if not chunk:
                return None
            self.data += chunk
        return found

    def next(self):
        """The next frame of what was received; `None` where it is not whole."""
        if len(self.data) < 9 or len(self.data) < 9 + int.from_bytes(self.data[:3], "big"):
            return None
        size = int.from_bytes(self.data[:3], "big")
        kind, flags, stream = self.data[3], self.data[4], int.from_bytes(self.data[5:9], "big") & 0x7FFFFFFF
        payload, self.data = self.data[9:9 + size], self.data[9 + size:]
        return kind, flags, stream, payload
