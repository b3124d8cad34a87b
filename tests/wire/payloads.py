"""HTTP/1 requests that two readers may understand differently, and what must become of each.

In a payload `@T` is the target (absolute towards the proxy, the path in a tunnel), `@B` what stands
before the path, `@A` the authority. What must become of it:

reject   refused (400, or a status that fits), the connection closed, no byte of it at the origin
cut      like reject, or the origin has the beginning and never the end: the fault comes late
either   refused, or passed on with one meaning
forward  passed on with one meaning
"""

import random
from dataclasses import dataclass

BODY = b"grant_type=refresh_token"
SECOND = b"GET @B/smuggled HTTP/1.1\r\nHost: @A\r\n\r\n"
CHUNKED = b"18\r\n" + BODY + b"\r\n0\r\n\r\n"


@dataclass
class Payload:
    name: str
    want: str
    raw: bytes
    statuses: tuple = (400,)
    where: str = "both"  # or forward, tunnel
    method: str = "POST"
    target: str = "/p"
    body: bytes = BODY
    absent: tuple = ()
    ends: bool = False  # the client closes behind it


def head(*fields, start="POST @T HTTP/1.1", host="Host: @A"):
    lines = [start, *([host] if host else []), "Content-Type: application/x-www-form-urlencoded", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def sized(*fields, **how):
    return head(*fields, "Content-Length: 24", **how) + BODY


def chunked(body, *fields, **how):
    return head(*fields, "Transfer-Encoding: chunked", **how) + body


def get(*fields, start="GET @T HTTP/1.1", host="Host: @A"):
    return "\r\n".join([start, *([host] if host else []), *fields]).encode("latin-1") + b"\r\n\r\n"


def rejected(name, raw, *also, **how):
    return Payload(name, "reject", raw, (400, *also), **how)


def filler(size):
    """Text that does not repeat: what repeats is a case of its own."""
    return "".join(random.Random(size).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size))


def framing():
    zero = b"0\r\n\r\n"
    yield rejected("content-length and transfer-encoding", head("Content-Length: 5", "Transfer-Encoding: chunked") + zero + SECOND)
    yield rejected("transfer-encoding and content-length", head("Transfer-Encoding: chunked", "Content-Length: 44") + zero + SECOND)
    yield rejected("content-length 0 and transfer-encoding", head("Content-Length: 0", "Transfer-Encoding: chunked") + CHUNKED)
    for name, *values in [
        ("twice, differing", "24", "0"), ("twice, the same", "24", "24"), ("a list of one value", "24, 24"),
        ("a list, differing", "24, 0"), ("with a plus", "+24"), ("negative", "-24"), ("hexadecimal", "0x18"),
        ("beyond 64 bits", "18446744073709551640"), ("two words", "24 24"), ("empty", ""), ("fraction", "24.0"),
        ("with a semicolon", "24;"), ("quoted", '"24"'), ("underscored", "2_4"), ("vertical tab", "\x0b24"),
        ("Latin-1 space", "24\xa0"),
    ]:
        yield rejected(f"content-length {name}", head(*(f"Content-Length: {value}" for value in values)) + BODY)
    for name, *values in [
        ("gzip, chunked", "gzip, chunked"), ("chunked twice in one", "chunked, chunked"), ("chunked twice", "chunked", "chunked"),
        ("xchunked", "xchunked"), ("identity", "identity"), ("with a parameter", "chunked;q=1"), ("chunked, identity", "chunked, identity"),
        ("chunked and identity", "chunked", "identity"), ("vertical tab", "\x0bchunked"), ("quoted", '"chunked"'), ("empty", ""),
        ("leading comma", ", chunked"),
    ]:
        yield rejected(
            f"transfer-encoding {name}", head(*(f"Transfer-Encoding: {value}" for value in values)) + CHUNKED, 501
        )
    yield Payload("transfer-encoding in capitals", "either", head("Transfer-Encoding: CHUNKED") + CHUNKED)
    yield Payload("transfer-encoding behind a tab", "either", head("Transfer-Encoding:\tchunked") + CHUNKED)
    yield Payload("chunked GET", "either", chunked(CHUNKED, start="GET @T HTTP/1.1"), method="GET")
    yield Payload("sized GET", "either", sized(start="GET @T HTTP/1.1"), method="GET")
    yield Payload("content_length", "either", sized("Content_Length: 0"))
    yield rejected("transfer-encoding on 1.0", chunked(CHUNKED, start="POST @T HTTP/1.0"))
    yield rejected("transfer-encoding on 1.0, keep-alive", chunked(CHUNKED, "Connection: keep-alive", start="POST @T HTTP/1.0"))


def chunks():
    data, end = BODY + b"\r\n", b"0\r\n\r\n"
    for name, body in [
        ("extension with a bare LF", b"18;a\nb\r\n" + data + end),
        ("extension with a bare CR", b"18;a\rb\r\n" + data + end),
        ("bare LF behind the size", b"18\n" + data + end),
        ("bare LF behind the data", b"18\r\n" + BODY + b"\n" + end),
        ("bare LF at the end", b"18\r\n" + data + b"0\n\n"),
        ("bare CR in the size", b"18\rX\r\n" + data + end),
        ("size with 0x", b"0x18\r\n" + data + end),
        ("size with a plus", b"+18\r\n" + data + end),
        ("negative size", b"-18\r\n" + data + end),
        ("size beyond 64 bits", b"10000000000000018\r\n" + data + end),
        ("empty size", b"\r\n" + data + end),
        ("size underscored", b"1_8\r\n" + data + end),
        ("data longer than its size", b"17\r\n" + data + end),
        ("data shorter than its size", b"19\r\n" + data + end),
        ("no colon in a trailer", b"18\r\n" + data + b"0\r\nnonsense\r\n\r\n"),
        ("trailer folded", b"18\r\n" + data + b"0\r\nX: a\r\n b\r\n\r\n"),
    ]:
        yield Payload(f"chunk {name}", "cut", chunked(body))
    yield Payload("chunk cut by the end", "cut", chunked(b"18\r\n" + BODY[:10]), ends=True)
    yield Payload("sized body cut by the end", "cut", head("Content-Length: 24") + BODY[:10], ends=True)
    # Extensions end at the recorder, which frames anew: they mean nothing to anybody behind it.
    yield Payload("chunk extension of 300 bytes", "either", chunked(b"18;" + b"x" * 300 + b"\r\n" + data + end))
    yield Payload("chunk extension with a control character", "either", chunked(b"18;a=\x01\r\n" + data + end))
    yield Payload("chunk size with a space", "either", chunked(b"18 \r\n" + data + end))
    yield Payload("chunk size with zeros", "either", chunked(b"00000018\r\n" + data + end))
    for field in ("Content-Length: 0", "Host: evil.test", "Authorization: Basic eDp5", "Transfer-Encoding: chunked"):
        name = field.split(":")[0].lower()
        # The head may be on its way already; then the field must not come along.
        absent = (name,) if name == "authorization" else ()
        yield Payload(
            f"forbidden trailer {name}", "either",
            chunked(b"18\r\n" + data + b"0\r\n" + field.encode() + b"\r\n\r\n", f"Trailer: {name}", "TE: trailers"), absent=absent,
        )


def fields():
    for name, field in [
        ("bare CR in a value", "X: a\rb"), ("bare CR before a field", "X: a\rTransfer-Encoding: chunked"), ("NUL in a value", "X: a\0b"),
        ("NUL in a name", "X\0Y: a"), ("control character in a value", "X: a\x01b"), ("DEL in a value", "X: a\x7fb"),
        ("obs-fold", "X: a\r\n b"), ("obs-fold that hides a field", "X: a\r\n Transfer-Encoding: chunked"),
        ("empty name", ": a"), ("space before the colon", "X : a"), ("tab before the colon", "X\t: a"),
        ("no colon", "nonsense"), ("parenthesis in a name", "X(Y): a"), ("at sign in a name", "X@Y: a"),
        ("Latin-1 in a name", "X\xe9: a"), ("bare LF behind a field", "X: a\nY: b"),
    ]:
        yield rejected(f"field {name}", sized(field))
    yield rejected("content-length space before the colon", head("Content-Length : 24") + BODY)
    yield rejected("transfer-encoding space before the colon", head("Transfer-Encoding : chunked") + CHUNKED)
    yield rejected("field folded behind the request line", sized(" X: a", host=None, start="POST @T HTTP/1.1\r\n Host: @A"))
    yield rejected("bare LF line ends", sized().replace(b"\r\n", b"\n"))
    yield rejected("two CR before LF", sized().replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\r\n"))
    yield rejected("300 fields", get(*(f"X-{n}: a" for n in range(300))), 431, method="GET", body=b"")
    yield Payload("101 fields", "either", get(*(f"X-{n}: a" for n in range(99))), (400, 431), method="GET", body=b"")
    yield rejected("a field of 20 KiB", get("X: " + filler(20480)), 431, method="GET", body=b"")
    yield rejected("70 KiB of fields", get(*(f"X-{n}: {filler(1024)}" for n in range(70))), 431, method="GET", body=b"")


def hosts():
    yield rejected("no host", sized(host=None))
    yield rejected("host twice, the same", sized("Host: @A"))
    yield rejected("host twice, differing", sized("Host: evil.test"))
    yield rejected("host a list", sized(host="Host: @A, evil.test"))
    yield rejected("host empty", sized(host="Host:"))
    yield rejected("host with a space", sized(host="Host: @A evil.test"))
    yield rejected("host with an at sign", sized(host="Host: evil@@A"))
    yield rejected("host with a path", sized(host="Host: @A/evil"))
    yield rejected("host with a bad port", sized(host="Host: localhost:99999"))
    yield rejected("host not the URL's", sized(host="Host: evil.test"), where="forward")
    yield Payload("host not the tunnel's", "either", sized(host="Host: evil.test"), where="tunnel", statuses=(400, 421))
    yield rejected("URL not the tunnel's", sized(start="POST https://evil.test/p HTTP/1.1"), 421, where="tunnel")
    yield Payload("URL in a tunnel", "either", sized(start="POST https://@A/p HTTP/1.1"), where="tunnel")
    yield rejected("userinfo in the URL", sized(start="POST http://user:pass@@A/p HTTP/1.1"))
    yield rejected("authority as userinfo", sized(start="POST http://@A@evil.test/p HTTP/1.1"))


def lines():
    for name, start in [
        ("two spaces", "POST  @T HTTP/1.1"), ("two spaces before the version", "POST @T  HTTP/1.1"), ("tab", "POST\t@T\tHTTP/1.1"),
        ("space behind", "POST @T HTTP/1.1 "), ("space before", " POST @T HTTP/1.1"), ("version in lower case", "POST @T http/1.1"),
        ("version 1.10", "POST @T HTTP/1.10"), ("version 2.0", "POST @T HTTP/2.0"), ("no version number", "POST @T HTTP/"),
        ("space in the target", "POST @T q HTTP/1.1"), ("no target", "POST HTTP/1.1"), ("NUL in the target", "POST @T\0 HTTP/1.1"),
        ("control character in the target", "POST @T\x01 HTTP/1.1"), ("DEL in the target", "POST @T\x7f HTTP/1.1"),
        ("bare CR in the target", "POST @T\rX HTTP/1.1"), ("parenthesis in the method", "PO(T @T HTTP/1.1"),
        ("no method", "@T HTTP/1.1"), ("asterisk for POST", "POST * HTTP/1.1"), ("authority for POST", "POST @A HTTP/1.1"),
        ("not a target", "POST ../p HTTP/1.1"),
    ]:
        yield rejected(f"request line {name}", sized(start=start), 414, 501, 505)
    yield rejected("HTTP/0.9", b"GET @T\r\n", 505, method="GET", body=b"")
    yield rejected("HTTP/0.9 with fields", b"GET @T\r\nHost: @A\r\n\r\n", 505, method="GET", body=b"")
    yield rejected("origin-form to the proxy", sized(start="POST /p HTTP/1.1"), where="forward")
    yield rejected("URL of 17 KiB", get(start="GET @T?scope=" + filler(17408) + " HTTP/1.1"), 414, 431, method="GET", body=b"")
    yield rejected("CONNECT with a length", head("Content-Length: 5", start="CONNECT @A HTTP/1.1") + b"hello", where="forward")
    yield rejected("CONNECT, chunked", head("Transfer-Encoding: chunked", start="CONNECT @A HTTP/1.1") + CHUNKED, where="forward")
    yield rejected("CONNECT in a tunnel", get(start="CONNECT @A HTTP/1.1"), 405, 501, where="tunnel")
    yield rejected("CONNECT without a port", get(start="CONNECT localhost HTTP/1.1", host="Host: localhost"), where="forward")
    yield rejected("CONNECT to a URL", get(start="CONNECT http://@A/ HTTP/1.1"), where="forward")
    yield Payload("an empty line before", "either", b"\r\n" + sized())
    yield Payload("fragment in the target", "either", sized(start="POST @T#x HTTP/1.1"))
    yield Payload("two slashes in the path", "either", sized(start="POST @B//evil.test/p HTTP/1.1"), target="//evil.test/p")
    yield Payload("back-tick in the target", "either", sized(start="POST @T`x HTTP/1.1"), target="/p`x")
    yield Payload("URL without a path", "either", get(start="GET http://@A?scope=openid HTTP/1.1"), where="forward", method="GET",
                  target="/?scope=openid", body=b"")
    yield Payload("1.0 without host", "either", sized(start="POST @T HTTP/1.0", host=None), where="forward")


def intentions():
    # RFC 9110 section 7.8 lets us ignore an upgrade; then nothing of it goes on.
    for name, *fields in [("h2c", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
                          ("something", "Connection: Upgrade", "Upgrade: tunnel/9")]:
        yield Payload(f"upgrade to {name}", "either", get(*fields), method="GET", body=b"", absent=("upgrade", "http2-settings", "connection: upgrade"))
    yield rejected(
        "a request behind an upgrade",
        get("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==") + SECOND,
        method="GET", body=b"",
    )
    yield rejected("a request behind an ignored upgrade", get("Connection: Upgrade", "Upgrade: other") + SECOND, 501, method="GET", body=b"")
    yield rejected("expect something", sized("Expect: 200-ok"), 417)
    yield rejected("expect 100-continue and more", sized("Expect: 100-continue, more"), 417)
    for name in ("Host", "Content-Length", "Transfer-Encoding", "Authorization"):
        raw = chunked(CHUNKED, f"Connection: {name}") if name == "Transfer-Encoding" else sized(f"Connection: {name}", "Authorization: Bearer x")
        yield rejected(f"connection names {name.lower()}", raw)
    yield Payload("connection names another", "forward", sized("Connection: X-Hop", "X-Hop: a"), absent=("x-hop", "connection: x-hop"))
    yield Payload("proxy fields", "forward", sized("Proxy: http://evil.test/", "Proxy-Authorization: Basic eDp5", "Proxy-Connection: close"),
                  absent=("proxy", "proxy-authorization", "proxy-connection"))


def control():
    """Nothing is wrong with these: whoever fails them fails all."""
    yield Payload("plain sized", "forward", sized())
    yield Payload("plain chunked", "forward", chunked(CHUNKED))
    yield Payload("plain get", "forward", get(start="GET @T?scope=openid HTTP/1.1"), method="GET", target="/p?scope=openid", body=b"")


ALL = [payload for group in (control, framing, chunks, fields, hosts, lines, intentions) for payload in group()]
