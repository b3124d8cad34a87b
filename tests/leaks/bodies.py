"""The places in bodies, and those of more than one message."""

import base64
import html
import json
import re
import urllib.parse
import zlib

from exchanges import Exchange
from kinds import base64url
from places import FORM, Senseless, answered, asked, form, place, posted, redirected


def either(c, target, body, content_type):
    """In a request's body or in an answer's, by turns."""
    build = posted if c.number % 2 else answered
    return [build(target, body.encode(), content_type)]


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
    disposition = 'Content-Disposition: form-data; name="files"'
    part = f"{disposition}\r\nContent-Type: multipart/mixed; boundary=leak-inner"
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
    return either(
        c, "/api/items", f'{{"kind":"item","members":{{"{c.json()}":true}}}}', "application/json"
    )


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


@place("jwt-claim-name")
def _(c):
    return [token_answer(token("", f',"x_leak":{{"{c.json()}":true}}'))]


@place("jwt-cookie", named=True)
def _(c):
    value = token("", f',"{c.name}":"{c.json()}"')
    return [asked(("Cookie", f"theme=dark; id={value}"))]


def page(body, content_type="text/html; charset=utf-8"):
    return [answered("/login", body.encode(), content_type)]


@place("html-hidden")
def _(c):
    return page(
        '<html><form method="post">'
        f'<input type="hidden" name="{c.name}" value="{c.html()}"></form></html>'
    )


@place("html-said", named=True)
def _(c):
    """In a field that nobody sees, and again where the words of a sentence are kept."""
    form = f'<form method="post"><input type="hidden" name="{c.name}" value="{c.html()}"></form>'
    text = f'{{"error":"invalid_grant","error_description":"The value {c.json()} was not found."}}'
    return [
        *page(f"<html>{form}</html>"),
        answered("/api/items", text.encode(), "application/json", status=400),
    ]


@place("script-said")
def _(c):
    """In a script, and again as the name of a client, which is kept where nobody knows better."""
    if c.level:
        raise Senseless("a name of a client in the escapes of another syntax")
    value = json.dumps(c.text, ensure_ascii=False).replace("/", "\\/")
    return [
        *page(f"<html><script>var config = {{ctx: {value}}};</script></html>"),
        asked(target=f"/authorize?response_type=code&client_id={c.url()}"),
    ]


@place("attribute-said")
def _(c):
    """In what a page says of itself, and again as the name of a client."""
    if c.level:
        raise Senseless("a name of a client in the escapes of another syntax")
    return [
        *page(f'<html><meta name="context" content="{html.escape(c.text)}"></html>'),
        asked(target=f"/authorize?response_type=code&client_id={c.url()}"),
    ]


@place("form-action", named=True)
def _(c):
    action = f"/login?page=2&amp;{c.name}={html.escape(c.url())}"
    return page(f'<html><form method="post" action="{action}"></form></html>')


@place("form-choice")
def _(c):
    """One that is chosen of a list, whose name says nothing."""
    option = f'<option value="{c.html()}" selected></option>'
    return page(f'<html><form method="post"><select name="choice">{option}</select></form></html>')


@place("form-field-name")
def _(c):
    return page(f'<html><form method="post"><input name="{c.html()}" value="1"></form></html>')


@place("form-post", named=True)
def _(c):
    return page(
        '<html><body onload="document.forms[0].submit()"><form method="post" '
        'action="https://client.example/cb"><input type="hidden" name="state" value="leak-state">'
        f'<input type="hidden" name="{c.name}" value="{c.html()}"></form></body></html>'
    )


@place("html-href")
def _(c):
    return page(
        f'<html><a href="/next?page=2&amp;{c.name}={html.escape(c.url())}">go on</a></html>'
    )


@place("inline-js")
def _(c):
    return page(f'<html><script>var {c.name} = "{c.json()}";</script></html>')


@place("js-file")
def _(c):
    return page(f'window.{c.name} = "{c.json()}";', "application/javascript")


@place("xml")
def _(c):
    return page(
        f'<?xml version="1.0"?><item id="{c.html()}"><v>{c.html()}</v></item>', "application/xml"
    )


@place("saml-post")
def _(c):
    document = f"<samlp:Response><saml:NameID>{c.html()}</saml:NameID></samlp:Response>"
    value = urllib.parse.quote(base64.b64encode(document.encode()).decode(), safe="")
    return [posted("/acs", form([("SAMLResponse", value), ("RelayState", "leak-relay")]), FORM)]


@place("saml-said", named=True)
def _(c):
    """Deflated in a query, and again as the name of a client."""
    if c.level:
        raise Senseless("a name of a client in the escapes of another syntax")
    document = f"<samlp:Response><saml:NameID>{html.escape(c.text)}</saml:NameID></samlp:Response>"
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(document.encode()) + packer.flush()
    value = urllib.parse.quote(base64.b64encode(packed).decode(), safe="")
    return [
        asked(target=f"/sso?SAMLResponse={value}&RelayState=leak-relay"),
        asked(target=f"/authorize?response_type=code&client_id={c.url()}"),
    ]


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
    return [
        Exchange(
            "GET",
            "/socket",
            how="websocket",
            answer=f'{{"value":"{c.json()}"}}'.encode(),
            headers=[
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", base64.b64encode(b"leak-test-socket").decode()),
            ],
        )
    ]


@place("event-stream")
def _(c):
    lines = "".join(f"data: {line}\n" for line in c.plain().split("\r\n"))
    body = f"event: item\n{lines}\n".encode()
    middle = len(body) // 2
    return [
        answered(
            "/events",
            body,
            "text/event-stream",
            chunks=(middle - 3, middle, middle + 2),
            changes="",
        )
    ]


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
