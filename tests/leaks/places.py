"""The 46 places where a canary may stand: each builds the exchanges that carry it there.

A place names its syntax, and escapes what is not in that syntax's own escapes already; what cannot
stand there at all is refused with the reason.
"""

import base64
import dataclasses
import html
import json
import re
import typing
import urllib.parse

from exchanges import Exchange
from kinds import base64url

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
LABEL = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?")


class Senseless(Exception):
    """Why a canary cannot stand in a place."""


@dataclasses.dataclass(frozen=True)
class Carried:
    """A spelled canary on its way into a place."""

    text: str
    # The syntax whose escapes it is spelled in, if any.
    level: str
    # The name of the parameter or field that carries it.
    name: str
    # Varies what is not said by the cell: which header, which side, which failure.
    number: int

    def url(self):
        return self.text if self.level == "url" else urllib.parse.quote(self.text, safe="")

    def json(self):
        return self.text if self.level == "json" else json.dumps(self.text, ensure_ascii=False)[1:-1]

    def html(self):
        return self.text if self.level == "html" else html.escape(self.text)

    def line(self):
        """In a header field."""
        if any(ord(c) < 32 for c in self.text):
            raise Senseless("a line end in a header field ends the field")
        return self.text

    def token(self):
        if not TOKEN.fullmatch(self.text):
            raise Senseless("not a token, which names of fields and cookies are")
        return self.text

    def label(self):
        if not LABEL.fullmatch(self.text):
            raise Senseless("not a label of a host name")
        return self.text

    def plain(self):
        return self.text


@dataclasses.dataclass(frozen=True)
class Place:
    name: str
    build: typing.Callable
    # Whether a registered name stands by the value there and says what it is.
    named: bool = False
    # Whether words around it are kept, so that a word nobody knows can be told.
    prose: bool = False
    # `plain`, `upstream` (through a proxy of ours, for any host name) or `tls`.
    lane: str = "plain"


PLACES = {}


def place(name, **traits):
    def register(build):
        PLACES[name] = Place(name, build, **traits)
        return build
    return register


def form(fields):
    return "&".join(f"{name}={value}" for name, value in fields).encode()


def posted(target, body, content_type, **more):
    return Exchange(
        "POST", target, headers=[("Content-Type", content_type)], body=body, changes="request",
        answer=b'{"ok":true}', answer_headers=[("Content-Type", "application/json")], **more,
    )


def answered(target, body, content_type, **more):
    more = {"changes": "answer", **more}
    fields = [("Content-Type", content_type), *more.pop("fields", [])]
    return Exchange("GET", target, answer=body, answer_headers=fields, **more)


def either(c, target, body, content_type):
    """In a request's body or in an answer's, by turns."""
    build = posted if c.number % 2 else answered
    return [build(target, body.encode(), content_type)]


def redirected(location, target="/authorize?response_type=code&client_id=leak-client"):
    return Exchange("GET", target, status=302, answer_headers=[("Location", location)])


def asked(*fields, target="/api/items"):
    json_answer = [("Content-Type", "application/json")]
    return Exchange("GET", target, headers=list(fields), answer=b'{"ok":true}', answer_headers=json_answer)


FORM = "application/x-www-form-urlencoded"


# --- The request line --------------------------------------------------------------------------


@place("query", named=True)
def _(c):
    return [asked(target=f"/authorize?response_type=code&client_id=leak-client&{c.name}={c.url()}")]


@place("repeated-query", named=True)
def _(c):
    return [asked(target=f"/authorize?client_id=leak-client&{c.name}=first-value&{c.name}={c.url()}")]


@place("query-name")
def _(c):
    return [asked(target=f"/search?page=2&{c.url()}=1")]


@place("fragment", named=True)
def _(c):
    return [redirected(f"https://client.example/cb#token_type=Bearer&{c.name}={c.url()}")]


@place("path")
def _(c):
    return [asked(target=f"/users/{c.url()}/profile")]


@place("userinfo")
def _(c):
    return [redirected(f"https://somebody:{c.url()}@client.example/cb")]


@place("host", lane="upstream")
def _(c):
    exchange = asked()
    exchange.host = f"{c.label()}.as.example"
    return [exchange]


# --- Header fields -----------------------------------------------------------------------------


@place("request-header")
def _(c):
    kept = (
        ("User-Agent", "leak-client/1.0 ({})"), ("Accept-Language", "en;q=0.5, {}"),
        ("X-Requested-With", "{}"), ("Cache-Control", 'no-cache, ext="{}"'),
    )
    name, pattern = kept[c.number % len(kept)]
    return [asked((name, pattern.format(c.line())))]


@place("custom-request-header")
def _(c):
    name = ("X-Leak-Custom", "X-Correlation-Id")[c.number % 2]
    return [asked((name, c.line()))]


@place("custom-response-header")
def _(c):
    exchange = asked()
    exchange.answer_headers.append((("X-Leak-Answer", "Server-Timing")[c.number % 2], c.line()))
    return [exchange]


@place("basic")
def _(c):
    pair = base64.b64encode(f"leak-client:{c.plain()}".encode()).decode()
    body = form([("grant_type", "client_credentials")])
    exchange = posted("/token", body, FORM)
    exchange.changes = ""
    exchange.headers.append(("Authorization", f"Basic {pair}"))
    return [exchange]


@place("bearer")
def _(c):
    return [asked(("Authorization", f"Bearer {c.line()}"))]


@place("scheme")
def _(c):
    schemes = ('Digest realm="leak", response="{}"', 'Leak-Hmac key="{}"', "Leak-Token {}")
    return [asked(("Authorization", schemes[c.number % len(schemes)].format(c.line())))]


@place("cookie")
def _(c):
    return [asked(("Cookie", f"theme=dark; sid={c.line()}"))]


@place("cookie-name")
def _(c):
    return [asked(("Cookie", f"theme=dark; {c.token()}=1"))]


@place("set-cookie")
def _(c):
    exchange = asked(target="/login")
    exchange.answer_headers.append(("Set-Cookie", f"sid={c.line()}; Path=/; Secure; HttpOnly"))
    return [exchange]


@place("set-cookie-attribute")
def _(c):
    exchange = asked(target="/login")
    exchange.answer_headers.append(("Set-Cookie", f"theme=dark; Path=/app/{c.line()}; Secure"))
    return [exchange]


@place("www-authenticate", prose=True)
def _(c):
    text = c.line().replace("\\", "\\\\").replace('"', '\\"')
    challenge = f'Bearer realm="leak", error="invalid_token", error_description="The token {text} is old"'
    exchange = asked(("Authorization", "Bearer expired"))
    exchange.status = 401
    exchange.answer_headers.append(("WWW-Authenticate", challenge))
    return [exchange]


@place("referer", named=True)
def _(c):
    return [asked(("Referer", f"https://client.example/page?{c.name}={c.url()}"))]


@place("trailers")
def _(c):
    exchange = asked()
    exchange.trailers = [("X-Leak-Trailer", c.line())]
    return [exchange]


# --- Bodies ------------------------------------------------------------------------------------


@place("form", named=True)
def _(c):
    fields = [("grant_type", "authorization_code"), ("client_id", "leak-client"), (c.name, c.url())]
    return [posted("/token", form(fields), FORM)]


@place("form-name")
def _(c):
    return [posted("/profile", form([("page", "2"), (c.url(), "1")]), FORM)]


def multipart(parts, boundary="leak-boundary"):
    rows = "".join(f"--{boundary}\r\n{head}\r\n\r\n{body}\r\n" for head, body in parts)
    return f"{rows}--{boundary}--\r\n"


def multiparted(parts):
    body = multipart(parts).encode()
    exchange = posted("/upload", body, "multipart/form-data; boundary=leak-boundary")
    # A boundary in another encoding would be none.
    exchange.changes = ""
    return [exchange]


@place("multipart", named=True)
def _(c):
    part = (f'Content-Disposition: form-data; name="{c.name}"', c.plain())
    return multiparted([('Content-Disposition: form-data; name="page"', "2"), part])


@place("multipart-filename")
def _(c):
    name = c.line().replace('"', "%22")
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    return multiparted([(f"{disposition}\r\nContent-Type: text/plain", "nothing")])


@place("multipart-nested")
def _(c):
    inner = multipart([("Content-Disposition: file; filename=a.txt", c.plain())], "leak-inner")
    part = 'Content-Disposition: form-data; name="files"\r\nContent-Type: multipart/mixed; boundary=leak-inner'
    return multiparted([(part, inner)])


@place("json", named=True)
def _(c):
    return either(c, "/api/items", f'{{"kind":"item","{c.name}":"{c.json()}"}}', "application/json")


@place("json-deep", named=True)
def _(c):
    body = f'{{"a":{{"b":[{{"c":{{"d":{{"{c.name}":"{c.json()}"}}}}}}]}}}}'
    return either(c, "/api/items", body, "application/json")


@place("json-key")
def _(c):
    return either(c, "/api/items", f'{{"kind":"item","members":{{"{c.json()}":true}}}}', "application/json")


@place("json-array")
def _(c):
    value = c.text if re.fullmatch("[1-9][0-9]*", c.text) else f'"{c.json()}"'
    return either(c, "/api/items", f'{{"items":[1,"two",{value}]}}', "application/json")


@place("json-in-json", named=True)
def _(c):
    inner = json.dumps(f'{{"{c.name}":"{c.json()}"}}', ensure_ascii=False)
    return either(c, "/api/items", f'{{"payload":{inner}}}', "application/json")


def token_answer(token):
    body = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600})
    exchange = answered("/token", body.encode(), "application/json")
    exchange.method, exchange.body = "POST", form([("grant_type", "client_credentials")])
    exchange.headers = [("Content-Type", FORM)]
    return exchange


def token(header, claims):
    parts = (f'{{"alg":"RS256","typ":"JWT"{header}}}', f'{{"iss":"https://as.example"{claims}}}')
    signed = base64url(b"a signature that says nothing, and is long")
    return ".".join([*(base64url(part.encode()) for part in parts), signed])


@place("jwt-header")
def _(c):
    return [token_answer(token(f',"x_leak":"{c.json()}"', ""))]


@place("jwt-claim", named=True)
def _(c):
    return [token_answer(token("", f',"{c.name}":"{c.json()}"'))]


@place("jwt-cookie", named=True)
def _(c):
    value = token("", f',"{c.name}":"{c.json()}"')
    return [asked(("Cookie", f"theme=dark; id={value}"))]


def page(body, content_type="text/html; charset=utf-8"):
    return [answered("/login", body.encode(), content_type)]


@place("html-hidden")
def _(c):
    return page(
        f'<html><form method="post"><input type="hidden" name="{c.name}" value="{c.html()}"></form></html>'
    )


@place("html-href")
def _(c):
    return page(f'<html><a href="/next?page=2&amp;{c.name}={html.escape(c.url())}">go on</a></html>')


@place("inline-js")
def _(c):
    return page(f'<html><script>var {c.name} = "{c.json()}";</script></html>')


@place("js-file")
def _(c):
    return page(f'window.{c.name} = "{c.json()}";', "application/javascript")


@place("xml")
def _(c):
    return page(f'<?xml version="1.0"?><item id="{c.html()}"><v>{c.html()}</v></item>', "application/xml")


@place("saml-post")
def _(c):
    document = f"<samlp:Response><saml:NameID>{c.html()}</saml:NameID></samlp:Response>"
    value = urllib.parse.quote(base64.b64encode(document.encode()).decode(), safe="")
    return [posted("/acs", form([("SAMLResponse", value), ("RelayState", "leak-relay")]), FORM)]


@place("text", prose=True)
def _(c):
    return page(f"The value {c.plain()} was not found.\n", "text/plain")


@place("error-description", prose=True)
def _(c):
    body = f'{{"error":"invalid_grant","error_description":"The value {c.json()} was not found."}}'
    exchange = answered("/token", body.encode(), "application/json", status=400)
    exchange.method, exchange.body = "POST", form([("grant_type", "authorization_code")])
    exchange.headers = [("Content-Type", FORM)]
    return [exchange]


# --- More than one message ---------------------------------------------------------------------


@place("redirect-chain", named=True)
def _(c):
    value = c.url()
    nested = urllib.parse.quote(f"/end?{c.name}={value}", safe="")
    return [
        redirected(f"/hop?{c.name}={value}", "/start"),
        redirected(f"/last?next={nested}", f"/hop?{c.name}={value}"),
        redirected(f"/end?{c.name}={value}", f"/last?next={nested}"),
    ]


@place("http2", lane="tls")
def _(c):
    return [asked(target=f"/items/{c.url()}?page={c.url()}")]


@place("websocket")
def _(c):
    return [Exchange(
        "GET", "/socket", how="websocket", answer=f'{{"value":"{c.json()}"}}'.encode(),
        headers=[
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", base64.b64encode(b"leak-test-socket").decode()),
        ],
    )]


@place("event-stream")
def _(c):
    lines = "".join(f"data: {line}\n" for line in c.plain().split("\r\n"))
    body = f"event: item\n{lines}\n".encode()
    middle = len(body) // 2
    return [answered(
        "/events", body, "text/event-stream", chunks=(middle - 3, middle, middle + 2), changes=""
    )]


@place("failing", named=True)
def _(c):
    fields = [("grant_type", "authorization_code"), ("client_id", "leak-client"), (c.name, c.url())]
    how = ("reset", "cut", "refused", "bad-gateway")[c.number % 4]
    exchange = posted("/token", form(fields), FORM, how=how)
    exchange.changes = "request"
    if how == "bad-gateway":
        exchange.how, exchange.status = "", 502
    if how in ("cut", "bad-gateway"):
        exchange.answer = f'{{"error":"{c.json()}"'.encode() if how == "cut" else c.plain().encode()
    return [exchange]


# --- Where a kind is at home -------------------------------------------------------------------


def home(kind, value):
    """The exchange that says what a value is."""
    return HOMES[kind.home](kind.param, value)


HOMES = {
    "token_response": lambda name, value: either(
        Carried("", "", "", 0), "/token", json.dumps({name: value, "token_type": "Bearer"}), "application/json"
    )[0],
    "authorization_request": lambda name, value: asked(
        target=f"/authorize?response_type=code&client_id=leak-client&{name}={urllib.parse.quote(value, safe='')}"
    ),
    "authorization_response": lambda name, value: redirected(
        f"https://client.example/cb?{name}={urllib.parse.quote(value, safe='')}"
    ),
    "token_request": lambda name, value: posted(
        "/token", form([("grant_type", "password"), (name, urllib.parse.quote_plus(value))]), FORM
    ),
    "basic": lambda name, value: dataclasses.replace(
        posted("/token", form([("grant_type", "client_credentials")]), FORM),
        headers=[("Content-Type", FORM), ("Authorization", f"Basic {value}")],
    ),
    "set_cookie": lambda name, value: Exchange(
        "GET", "/login", answer_headers=[("Set-Cookie", f"{name}={value}; Path=/; Secure")]
    ),
    "device_response": lambda name, value: answered(
        "/device_authorization", json.dumps({name: value, "expires_in": 600}).encode(), "application/json"
    ),
    "userinfo": lambda name, value: answered(
        "/userinfo", json.dumps({"email_verified": True, name: value}, ensure_ascii=False).encode(),
        "application/json",
    ),
    "unknown": lambda name, value: answered(
        "/api/items", json.dumps({name: value}).encode(), "application/json"
    ),
}
