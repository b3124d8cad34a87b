"""The 20 encodings in which a canary travels; the checker decodes without a line of this.

An encoding spells a text. `level` names the syntax whose own escapes the spelling is made of: a
place of that syntax takes it as it stands, any other place escapes it once more as it must. The
encodings with a `body` change a whole body instead.
"""

import base64
import dataclasses
import gzip
import typing
import urllib.parse
import zlib


@dataclasses.dataclass(frozen=True)
class Encoding:
    name: str
    spell: typing.Callable
    # `url`, `json` or `html`: whose escapes these are.
    level: str = ""
    # How a body is changed, with a coding to choose: to new bytes and header fields.
    body: typing.Callable | None = None
    # Line ends in the spelling: only bodies can hold them.
    lines: bool = False


def same(text):
    return text


def percent_all(text, digits="%{:02X}"):
    return "".join(digits.format(byte) for byte in text.encode())


def base64_at(shift):
    """Behind other bytes, so that the alignment is what the name says."""
    return lambda text: base64.b64encode(b"/!?"[:shift] + text.encode()).decode()


def json_unicode(text):
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def json_in_json(text):
    """A JSON text with the value in it, to stand where a string is expected."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("/", "\\/")
    return '{"in":{"value":"' + quoted + '"}}'


def html_hex(text):
    named = {
        "&": "&amp;",
        "+": "&plus;",
        "/": "&sol;",
        "=": "&equals;",
        " ": "&#x20;",
        "é": "&eacute;",
    }
    return "".join(named.get(c) or f"&#x{ord(c):x};" for c in text)


def quoted_printable(text):
    """Every byte escaped."""
    return "".join(f"={byte:02X}" for byte in text.encode())


def wrapped(text):
    """Base64 in lines of 76 characters; what stands before moves the break into the value."""
    head = b"canary in a wrapped text, after enough: "
    line = base64.b64encode(head + text.encode() + b" :end of it, and some more").decode()
    return "\r\n".join(line[at : at + 76] for at in range(0, len(line), 76))


def case_changed(text):
    """Upper case, or lower where that changes nothing."""
    return text.upper() if text.upper() != text else text.lower()


def stored_brotli(data):
    """RFC 7932 with uncompressed meta-blocks: the standard library cannot compress so."""
    out, bits, held = bytearray(), 0, 0

    def put(value, count):
        nonlocal bits, held
        bits |= value << held
        held += count
        while held >= 8:
            out.append(bits & 255)
            bits, held = bits >> 8, held - 8

    put(0, 1)
    for at in range(0, len(data), 65536):
        part = data[at : at + 65536]
        put(0, 1)
        put(0, 2)
        put(len(part) - 1, 16)
        put(1, 1)
        put(0, -held % 8)
        out += part
    put(3, 2)
    put(0, -held % 8)
    return bytes(out)


def stored_zstd(data):
    """RFC 8878 with raw blocks, for the same reason."""
    out = bytearray(b"\x28\xb5\x2f\xfd\x00\x58")
    parts = [data[at : at + 65536] for at in range(0, len(data), 65536)] or [b""]
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        out += (len(part) << 3 | last).to_bytes(3, "little") + part
    return bytes(out)


CODINGS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "br": stored_brotli,
    "zstd": stored_zstd,
}


def coded(data, coding):
    return CODINGS[coding](data), [("Content-Encoding", coding)]


def utf16(data, _coding):
    return ("\ufeff" + data.decode()).encode("utf-16-le"), []


ENCODINGS = {
    encoding.name: encoding
    for encoding in (
        Encoding("raw", same),
        Encoding("percent", lambda text: urllib.parse.quote(text, safe=""), "url"),
        Encoding("percent-lower", lambda text: percent_all(text, "%{:02x}"), "url"),
        Encoding("percent-all", percent_all, "url"),
        Encoding("percent-twice", lambda text: percent_all(text, "%25{:02X}"), "url"),
        Encoding("form-plus", urllib.parse.quote_plus, "url"),
        Encoding("base64", base64_at(0)),
        Encoding("base64-1", base64_at(1)),
        Encoding("base64-2", base64_at(2)),
        Encoding(
            "base64url", lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        ),
        Encoding("hex", lambda text: text.encode().hex()),
        Encoding("json-unicode", json_unicode, "json"),
        Encoding("json-in-json", json_in_json),
        Encoding("html-decimal", lambda text: "".join(f"&#{ord(c)};" for c in text), "html"),
        Encoding("html-hex", html_hex, "html"),
        Encoding("quoted-printable", quoted_printable),
        Encoding("wrapped", wrapped, lines=True),
        # One row, four variants: which of them is the cell's number.
        Encoding("coding", same, body=coded),
        Encoding("utf-16", same, body=utf16),
        Encoding("case", case_changed),
    )
}
