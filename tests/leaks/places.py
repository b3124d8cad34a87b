"""The 46 places where a canary may stand: each builds the exchanges that carry it there.

Here are those of the request line and of header fields; `bodies` has the others.

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
        return (
            self.text if self.level == "json" else json.dumps(self.text, ensure_ascii=False)[1:-1]
        )

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
        "POST",
        target,
        headers=[("Content-Type", content_type)],
        body=body,
        changes="request",
        answer=b'{"ok":true}',
        answer_headers=[("Content-Type", "application/json")],
        **more,
    )


def answered(target, body, content_type, **more):
    more = {"changes": "answer", **more}
    fields = [("Content-Type", content_type), *more.pop("fields", [])]
    return Exchange("GET", target, answer=body, answer_headers=fields, **more)


def redirected(location, target="/authorize?response_type=code&client_id=leak-client"):
    return Exchange("GET", target, status=302, answer_headers=[("Location", location)])


def asked(*fields, target="/api/items"):
    json_answer = [("Content-Type", "application/json")]
    return Exchange(
        "GET", target, headers=list(fields), answer=b'{"ok":true}', answer_headers=json_answer
    )


FORM = "application/x-www-form-urlencoded"


# --- The request line --------------------------------------------------------------------------


@place("query", named=True)
def _(c):
    return [asked(target=f"/authorize?response_type=code&client_id=leak-client&{c.name}={c.url()}")]


@place("repeated-query", named=True)
def _(c):
    return [
        asked(target=f"/authorize?client_id=leak-client&{c.name}=first-value&{c.name}={c.url()}")
    ]


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
        ("User-Agent", "leak-client/1.0 ({})"),
        ("Accept-Language", "en;q=0.5, {}"),
        ("X-Requested-With", "{}"),
        ("Cache-Control", 'no-cache, ext="{}"'),
    )
    name, pattern = kept[c.number % len(kept)]
    return [asked((name, pattern.format(c.line())))]


@place("custom-request-header")
def _(c):
    name = ("X-Leak-Custom", "X-Correlation-Id")[c.number % 2]
    return [asked((name, c.line()))]


@place("header-name")
def _(c):
    exchange = asked((c.token(), "1"))
    if c.number % 2:
        exchange.headers, exchange.answer_headers = [], [(c.token(), "1"), *exchange.answer_headers]
    return [exchange]


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
    name = ("sid", "c_user")[c.number % 2]
    return [asked(("Cookie", f"theme=dark; {name}={c.line()}"))]


@place("cookie-name")
def _(c):
    known = ("", ".AspNetCore.Correlation.")[c.number % 2]
    return [asked(("Cookie", f"theme=dark; {known}{c.token()}=1"))]


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
    challenge = (
        f'Bearer realm="leak", error="invalid_token", error_description="The token {text} is old"'
    )
    exchange = asked(("Authorization", "Bearer expired"))
    exchange.status = 401
    exchange.answer_headers.append(("WWW-Authenticate", challenge))
    return [exchange]


@place("referer", named=True)
def _(c):
    return [asked(("Referer", f"https://client.example/page?{c.name}={c.url()}"))]


@place("trailers")
def _(c):
    fields = [("X-Leak-Trailer", c.line())]
    if c.number % 2:
        exchange = asked()
        exchange.trailers = fields
    else:
        exchange = posted("/token", form([("grant_type", "client_credentials")]), FORM)
        exchange.sent_trailers, exchange.changes = fields, ""
    return [exchange]
