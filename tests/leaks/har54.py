"""What HAR sanitizers leave readable of 54 canaries in a ten-entry OAuth session.

    python3 tests/leaks/har54.py --self-test                       the checker sees what it must
    python3 tests/leaks/har54.py target/debug/authtape             authtape alone: 0 of 54, or failure
    python3 tests/leaks/har54.py target/debug/authtape --compare   installs the others, prints the table
    python3 tests/leaks/har54.py target/debug/authtape --compare --write docs/redaction.md

Standard library only, and written apart from the product: one decoding bug must not hide itself.
Every canary is made here and was never a secret of anybody's. A canary is readable where its value,
or 12 characters in a row of a random one, stands in the output after any chain of up to four of the
decoders below. What is kept on purpose (hosts, client_id) is no canary; a redactor that keeps
nothing leaks nothing either, so 20 things that support needs are looked for as well.
"""

import argparse
import base64
import gzip
import hashlib
import html
import json
import pathlib
import quopri
import re
import subprocess
import sys
import tempfile
import urllib.parse
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "target" / "baselines"
BEGIN, END = "<!-- har54 -->", "<!-- /har54 -->"


# Counts the files: each has canaries of its own, the same on every run.
ROUND = [0]


def random_text(name, length=28):
    """Letters and digits, the same on every run, and no word."""
    digest = hashlib.sha512(f"har54 {ROUND[0]} {name}".encode()).digest()
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
    return "Cn" + "".join(letters[byte % len(letters)] for byte in digest)[: length - 2]


class Canaries(dict):
    """Canaries by name; each is made when it is first asked for."""

    def __missing__(self, name):
        self[name] = random_text(name)
        return self[name]

    def plain(self, name, value):
        """One with a grammar of its own."""
        return self.setdefault(name, value)


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(claims, signature):
    head = b64url(b'{"alg":"RS256","kid":"key-1","typ":"JWT"}')
    return f"{head}.{b64url(json.dumps(claims).encode())}.{signature}"


def query(**pairs):
    return urllib.parse.urlencode(pairs)


def entry(number, method, url, status, asked=(), answered=(), posted=None, content=None, **more):
    """An entry as Chrome writes it."""
    split = urllib.parse.urlsplit(url)
    fields = [{"name": name, "value": value} for name, value in asked]
    cookies = [
        dict(zip(("name", "value"), part.strip().split("=", 1)))
        for name, value in asked
        if name == "Cookie"
        for part in value.split(";")
    ]
    set_cookies = [
        dict(zip(("name", "value"), value.split(";")[0].split("=", 1))) for name, value in answered if name == "Set-Cookie"
    ]
    location = dict(answered).get("Location", "")
    request = {
        "method": method,
        "url": url,
        "httpVersion": "http/2.0",
        "cookies": cookies,
        "headers": fields,
        "queryString": [{"name": n, "value": v} for n, v in urllib.parse.parse_qsl(split.query)],
        "headersSize": -1,
        "bodySize": len((posted or {}).get("text", "")),
    }
    if posted:
        request["postData"] = posted
    response = {
        "status": status,
        "statusText": "",
        "httpVersion": "http/2.0",
        "cookies": set_cookies,
        "headers": [{"name": name, "value": value} for name, value in answered],
        "content": content or {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": location,
        "headersSize": -1,
        "bodySize": -1,
    }
    return {
        "startedDateTime": f"2026-11-23T11:00:{number:02}.000Z",
        "time": 40,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "send": 0, "wait": 39, "receive": 1, "ssl": -1},
        **more,
    }


def form(**pairs):
    text = query(**pairs)
    params = [{"name": name, "value": urllib.parse.quote_plus(value)} for name, value in pairs.items()]
    return {"mimeType": "application/x-www-form-urlencoded", "text": text, "params": params}


def as_json(value, **more):
    text = json.dumps(value)
    return {"size": len(text), "mimeType": "application/json", "text": text, **more}


def authorization(c):
    """Entries 1 to 4: from the authorization request to the redirect URI."""
    email = c.plain("login_hint", "cnaria.voss@mail.example")
    url = "https://idp.example/oauth2/authorize?" + query(
        response_type="code id_token token", client_id="web-portal", scope="openid email offline_access",
        redirect_uri="https://app.example/callback", state=c["state"], nonce=c["nonce"],
        code_challenge=c["code_challenge"], code_challenge_method="S256", login_hint=email,
    )
    first = entry(
        1, "GET", url, 302,
        asked=[("Cookie", f"sid={c['session cookie']}; lang=en"), ("X-Device-Token", c["custom request header"]),
               ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")],
        answered=[("Set-Cookie", f"flow={c['Set-Cookie value']}; Path=/; Secure; HttpOnly"),
                  ("Location", f"https://idp.example/login?session_code={c['session_code']}"),
                  ("X-Request-Id", "6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10")],
        pageref="page_1",
    )
    page = (
        f'<html><form method="post"><input type="hidden" name="csrf" value="{c["hidden input"]}">'
        f'</form>'
        f'<script>window.boot = {{"key": "{c["inline script"]}"}}</script></html>'
    )
    second = entry(
        2, "GET", f"https://idp.example/login?session_code={c['session_code']}", 200,
        asked=[("Referer", f"https://portal.example/start?ticket={c['Referer query']}")],
        answered=[("Content-Type", "text/html; charset=utf-8")],
        content={"size": len(page), "mimeType": "text/html", "text": page},
        pageref="page_1", _initiator={"type": "script", "stack": {"callFrames": [
            {"functionName": "go", "url": f"https://cdn.example/a.js?sig={c['initiator stack']}"}]}},
    )
    password = c.plain("password", "Cn zürich & 7 Köche + 1")
    third = entry(
        3, "POST", "https://idp.example/login", 302,
        posted=form(username=c.plain("username", "cnbert.okonjo@mail.example"), password=password,
                    otp=c.plain("one-time code", "483920"), csrf=c["hidden input"]),
        asked=[("Content-Type", "application/x-www-form-urlencoded")],
        answered=[("Set-Cookie", "seen=; Max-Age=1209600; Path=/"),
                  ("Location", "https://app.example/callback#" + query(
                      code=c["code"], state=c["state"], access_token=c["access token in a fragment"],
                      id_token=jwt({"iss": "https://idp.example", "sub": c["sub claim"]}, c["JWT signature"])))],
    )
    fourth = entry(
        4, "GET", "https://app.example/callback#" + query(code=c["code"], state=c["state"]), 200,
        answered=[("Content-Type", "text/plain")],
        content={"size": 40, "mimeType": "text/plain", "text": f"your recovery word is {c['plain text body']}\n"},
        comment=f"retry with {c['entry comment']}",
    )
    return [first, second, third, fourth]


def tokens(c):
    """Entries 5 to 7: the token requests and UserInfo."""
    secret = c.plain("client secret in Basic", "Cn+9/tRq2v==WmX4pLk8ZsYb6N")
    basic = base64.b64encode(f"web-portal:{urllib.parse.quote_plus(secret)}".encode()).decode()
    fifth = entry(
        5, "POST", "https://idp.example/oauth2/token", 200,
        asked=[("Authorization", f"Basic {basic}"), ("Content-Type", "application/x-www-form-urlencoded")],
        answered=[("Content-Type", "application/json"), ("Cache-Control", "no-store")],
        posted=form(grant_type="authorization_code", code=c["code"], redirect_uri="https://app.example/callback",
                    code_verifier=c["code_verifier"]),
        content=as_json({
            "access_token": c["access token"], "token_type": "Bearer", "expires_in": 3599,
            "refresh_token": c["refresh token"], "scope": "openid email offline_access",
            "id_token": jwt({"name": c.plain("name claim", "Cnedric Vantongeren")}, "c2ln" * 8),
        }),
    )
    sixth = entry(
        6, "GET", "https://idp.example/oauth2/userinfo", 200,
        asked=[("Authorization", f"Bearer {c['Bearer of another client']}")],
        answered=[("Content-Type", "application/json")],
        content=as_json({
            "email_verified": True, "phone_number": c.plain("phone", "+1 202 555 0143"),
            "plan": {"limits": [{"ref": c["deep JSON"]}]},
            c["JSON key"]: 1, "account": 901773554218,
            "next": f"https://api.example/v1/items?cursor={c['URL in JSON']}",
        }),
    )
    c.plain("JSON number", "901773554218")
    posted = {"grant_type": "refresh_token", "client_assertion": jwt({"iss": "web-portal", "jti": c["jti claim"]}, "c2ln" * 8),
              "context": json.dumps({"inner": {"key": c["JSON in JSON"]}})}
    mail = c.plain("e-mail in an error text", "cnora.lindqvist@mail.example")
    seventh = entry(
        7, "POST", "https://idp.example/oauth2/token", 400,
        asked=[("Content-Type", "application/json"), ("Authorization", f'Custom key="{c["unknown scheme"]}"')],
        answered=[("Content-Type", "application/json"),
                  ("WWW-Authenticate", f'Bearer error="invalid_token", error_description="no {c["WWW-Authenticate"]}"')],
        posted={"mimeType": "application/json", "text": json.dumps(posted)},
        content=as_json({"error": "invalid_grant",
                         "error_description": f"the refresh token {c['token in an error text']} of {mail} is revoked"}),
    )
    return [fifth, sixth, seventh]


def others(c):
    """Entries 8 to 10: a device, an API, SAML."""
    code = c.plain("user_code", "WDJB-MJHT")
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    part = 'Content-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    parts = [part.format("client_id", "", "tv-app"), part.format("device_key", "", c["multipart field"]),
             part.format("upload", f'; filename="{c["file name"]}.txt"', "x")]
    body = "".join(f"--{boundary}\r\n{text}" for text in parts) + f"--{boundary}--\r\n"
    eighth = entry(
        8, "POST", "https://idp.example/oauth2/device_authorization", 200,
        asked=[("Content-Type", f"multipart/form-data; boundary={boundary}")],
        answered=[("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
        posted={"mimeType": "multipart/form-data", "text": body},
        # In base64, as browsers write it too, har-sanitizer would stop at it.
        content=as_json({
            "device_code": c["device_code"], "user_code": code, "interval": 5, "verification_uri": "https://idp.example/device",
            "verification_uri_complete": f"https://idp.example/device?user_code={code}"}),
    )
    url = f"https://api:{c['userinfo password']}@api.example/v1/keys/{c['path segment']}?api_key={c['API key in the query']}&{c['name in the query']}=1"
    ninth = entry(
        9, "GET", url, 503,
        asked=[("X-Forwarded-For", c.plain("client address", "198.51.100.73")), ("Accept", "application/json")],
        answered=[("Content-Type", "application/octet-stream"), ("Retry-After", "120")],
        content={"size": 90, "mimeType": "application/octet-stream", "encoding": "base64", "text": base64.b64encode(
            gzip.compress(json.dumps({"key": c["gzip in base64"]}).encode(), mtime=0)).decode()},
        serverIPAddress=c.plain("server address", "203.0.113.88"),
    )
    saml = f'<samlp:Response ID="{c["SAML assertion"]}"><saml:NameID>x</saml:NameID></samlp:Response>'
    tenth = entry(
        10, "POST", "https://app.example/saml/acs", 200,
        posted=form(SAMLResponse=base64.b64encode(saml.encode()).decode(), RelayState=c["RelayState"]),
        asked=[("Content-Type", "application/x-www-form-urlencoded")], answered=[],
        _webSocketMessages=[{"type": "send", "time": 1.5, "opcode": 1, "data": json.dumps({"auth": c["WebSocket message"]})}],
    )
    # Some tools list cookies without their header field.
    tenth["request"]["cookies"].append({"name": "legacy", "value": c["cookie in the list only"]})
    return [eighth, ninth, tenth]


def build():
    """The HAR file as text, and its canaries."""
    canaries = Canaries()
    entries = authorization(canaries) + tokens(canaries) + others(canaries)
    title = f"https://app.example/welcome?invite={canaries['page title']}"
    har = {"log": {
        "version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"},
        "pages": [{"startedDateTime": "2026-11-23T11:00:01.000Z", "id": "page_1", "title": title,
                   "pageTimings": {"onContentLoad": 210.5, "onLoad": 320}}],
        "entries": entries}}
    return json.dumps(har, indent=1), dict(canaries)


# What support needs of this session, and is no secret.
NEEDED = [
    "/oauth2/authorize", "web-portal", "offline_access", "https%3A%2F%2Fapp.example%2Fcallback", "code_challenge_method",
    "S256", "6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10", "Max-Age=1209600", "authorization_code", "3599", "no-store",
    "refresh_token", "invalid_grant", "is revoked", "invalid_token", "503", "120", "/oauth2/device_authorization",
    "email_verified", "Mozilla/5.0 (X11; Linux x86_64)",
]


def unescape_json(text):
    """One pass from left to right; two passes lose every other level."""
    short = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

    def one(found):
        what = found.group(1)
        return chr(int(what[1:], 16)) if len(what) == 5 else short.get(what, what)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", one, text, flags=re.S)


def texts_of(data):
    """What bytes may say as text: inflated, or as they are."""
    for inflate in (gzip.decompress, zlib.decompress, lambda raw: zlib.decompress(raw, -15)):
        try:
            yield inflate(data).decode("utf-8", "replace")
        except (OSError, EOFError, zlib.error):
            continue
    text = data.decode("utf-8", "replace")
    if sum(c.isprintable() or c in "\r\n\t" for c in text) > 0.8 * len(text):
        yield text


def decoded_runs(text):
    for run in set(re.findall(r"[A-Za-z0-9+/_-]{8,}", text)):
        standard = run.replace("-", "+").replace("_", "/")
        for start in range(4):
            piece = standard[start:]
            piece = piece[: len(piece) - len(piece) % 4] if len(piece) % 4 == 1 else piece + "=" * (-len(piece) % 4)
            try:
                yield from texts_of(base64.b64decode(piece))
            except ValueError:
                continue
    for run in set(re.findall(r"(?:[0-9a-fA-F]{2}){6,}", text)):
        yield from texts_of(bytes.fromhex(run))


def decodings(text):
    yield unescape_json(text)
    yield urllib.parse.unquote(text)
    yield urllib.parse.unquote_plus(text)
    yield html.unescape(text)
    yield quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    yield re.sub(r"\s+", "", text)
    yield from decoded_runs(text)


def closure(text, depth=4, limit=64 << 20):
    """The text, and all that a chain of decoders makes of it."""
    seen, level, size = {text}, [text], len(text)
    for _ in range(depth):
        fresh = []
        for one in level:
            for other in decodings(one):
                if len(other) >= 6 and other not in seen:
                    size += len(other)
                    if size > limit:
                        raise SystemExit("the decoders make more of this text than the checker takes")
                    seen.add(other)
                    fresh.append(other)
        level = fresh
    return seen


def readable(text, canaries):
    """The names of the canaries that can be read in a text."""
    texts = closure(text)
    found = []
    for name, value in canaries.items():
        random = value == random_text(name)
        pieces = [value[at : at + 12] for at in range(2, len(value) - 11)] if random else [value]
        if any(piece in one for one in texts for piece in pieces):
            found.append(name)
    return found


def self_test():
    """Plants a canary in every encoding: each must be read; a clean text must not be."""
    value = random_text("self-test")
    canary = {"self-test": value}
    quote = urllib.parse.quote
    percent = "".join(f"%{byte:02x}" for byte in value.encode())
    planted = {
        "raw": value,
        "a piece": value[5:19],
        "percent": percent,
        "percent, twice": quote(percent, safe=""),
        "base64": base64.b64encode(value.encode()).decode(),
        "base64 behind 1 byte": base64.b64encode(b"x" + value.encode()).decode(),
        "base64 behind 2 bytes": base64.b64encode(b"xy" + value.encode()).decode(),
        "base64url in a JWT": jwt({"sub": value}, "c2ln"),
        "base64 twice": base64.b64encode(base64.b64encode(value.encode())).decode(),
        "hex": value.encode().hex(),
        "JSON, escaped": "".join(f"\\u{ord(c):04x}" for c in value),
        "JSON in JSON": json.dumps(json.dumps({"a": "".join(f"\\u{ord(c):04x}" for c in value)})),
        "HTML": "".join(f"&#{ord(c)};" for c in value),
        "quoted-printable": "".join(f"={ord(c):02X}" for c in value),
        "folded": value[:9] + "\n  " + value[9:],
        "gzip in base64": base64.b64encode(gzip.compress(value.encode(), mtime=0)).decode(),
        "deflate in base64url": b64url(zlib.compress(value.encode())),
    }
    for name, text in planted.items():
        if not readable(json.dumps({"before": 1, "it": f"a {text} b"}), canary):
            raise SystemExit(f"the checker is blind to: {name}")
    if readable(json.dumps({"it": "a REDACTED-code-1 b", "other": random_text("other")}), canary):
        raise SystemExit("the checker sees a canary where there is none")
    text, canaries = build()
    unread = set(canaries) - set(readable(text, canaries))
    if len(canaries) != 54 or unread:
        raise SystemExit(f"{len(canaries)} canaries, of which these cannot be read in the original: {sorted(unread)}")
    missing = [needed for needed in NEEDED if needed not in text]
    if missing or len(NEEDED) != 20:
        raise SystemExit(f"what support needs is not in the original: {missing}")
    print(f"checker: {len(planted)} encodings seen, 54 of 54 canaries read in the original")


def run(command, stdin=None):
    done = subprocess.run(list(map(str, command)), input=stdin, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def install():
    """The other sanitizers, from their registries, under target/."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    packages = ["har-sanitizer@2.0.0", "har-cleaner@0.0.4", "har-validator@5.1.5"]
    run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", TOOLS, *packages])
    if not (TOOLS / "venv/bin/har-capture").exists():
        run([sys.executable, "-m", "venv", TOOLS / "venv"])
        run([TOOLS / "venv/bin/pip", "install", "--quiet", "har-capture[cli]==0.15.1"])


def node(script, text):
    return run(["node", "--input-type=module", "-e", script.replace("MODULES", str(TOOLS / "node_modules"))], text)


READ = "const all = []; for await (const c of process.stdin) all.push(c); const har = JSON.parse(Buffer.concat(all));"


def har_sanitizer(mode):
    script = READ + (
        "const { sanitize } = (await import('MODULES/har-sanitizer/dist/index.js')).default;"
        f"console.log(JSON.stringify(await sanitize(har, {{ cookies: '{mode}', tokens: '{mode}' }})));"
    )
    return lambda text: node(script, text)


def har_cleaner(everything):
    """By default, or with all of it scrubbed: its lists then name what is kept."""
    options = {}
    if everything:
        scrubbed = ["Cookies", "RequestHeaders", "ResponseHeaders", "QueryParams", "PostParams", "BodyContents"]
        listed = ["Cookie", "Header", "ResponseHeader", "QueryParam", "PostParam"]
        options = {f"scrubAll{what}": True for what in scrubbed} | {f"scrubSpecific{what}": [] for what in listed}
    script = READ + (
        "const { sanitizeHar } = (await import('MODULES/har-cleaner/lib/har-cleaner.js')).default;"
        f"console.log(JSON.stringify(sanitizeHar(har, {json.dumps(options)})));"
    )
    return lambda text: node(script, text)


def har_capture(text):
    with tempfile.TemporaryDirectory() as work:
        source, target = pathlib.Path(work, "in.har"), pathlib.Path(work, "out.har")
        source.write_text(text)
        run([TOOLS / "venv/bin/har-capture", "sanitize", source, "-o", target, "--patterns", "base"])
        return target.read_text()


def is_valid(text):
    script = READ + "const { har: valid } = (await import('MODULES/har-validator/lib/promise.js')).default;"
    script += "try { await valid(har); console.log('yes'); } catch { console.log('no'); }"
    return node(script, text).strip()


def version(name):
    return json.loads((TOOLS / "node_modules" / name / "package.json").read_text())["version"]


def scrub(binary):
    return lambda text: run([binary, "scrub", "-", "-o", "-"], text)


def compare(binary, original, canaries):
    """The rows of the table: what was run, what leaked, what is still there, whether it is a HAR."""
    install()
    npm, cleaner = version("har-sanitizer"), version("har-cleaner")
    capture = run([TOOLS / "venv/bin/pip", "show", "har-capture"]).split("Version: ")[1].split()[0]
    ours = run([binary, "--version"]).split()[1]
    tools = {
        "none": lambda text: text,
        f"har-sanitizer {npm} (npm), `obfuscate`": har_sanitizer("obfuscate"),
        f"har-sanitizer {npm} (npm), `hash`": har_sanitizer("hash"),
        f"har-capture {capture} (PyPI), `--patterns base`": har_capture,
        f"har-cleaner {cleaner} (npm), as it comes": har_cleaner(everything=False),
        f"har-cleaner {cleaner} (npm), every `scrubAll…` on, no exception": har_cleaner(everything=True),
        f"authtape {ours}, `scrub`": scrub(binary),
    }
    rows = []
    for name, tool in tools.items():
        text = tool(original)
        leaked = readable(text, canaries)
        kept = sum(needed in text for needed in NEEDED)
        rows.append((name, leaked, kept, is_valid(text)))
    return rows


def rounds(binary, count):
    """What authtape leaves readable of other canaries in the same places, by place; and how many of
    the files its audit refused, so that nothing was written."""
    leaked, refused = {}, 0
    for ROUND[0] in range(1, count + 1):
        original, canaries = build()
        done = subprocess.run([binary, "scrub", "-", "-o", "-"], input=original, capture_output=True, text=True, timeout=60)
        if done.returncode == 3 and not done.stdout and "nothing was written" in done.stderr:
            refused += 1
        elif done.returncode != 0:
            raise SystemExit(f"round {ROUND[0]}: exit {done.returncode}\n{done.stderr}")
        for name in readable(done.stdout + done.stderr, canaries):
            leaked.setdefault(name, []).append(canaries[name])
    ROUND[0] = 0
    return leaked, refused


def table(rows):
    lines = ["| tool | readable of 54 | kept of 20 | HAR 1.2 |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {name} | {len(leaked)} | {kept} | {valid} |" for name, leaked, kept, valid in rows])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--compare", action="store_true", help="install the others under target/ and run them too")
    parser.add_argument("--rounds", type=int, default=0, help="with that many other sets of canaries, authtape alone")
    parser.add_argument("--write", help="put the table between its marks in this file")
    parser.add_argument("--original", help="write the HAR file with its canaries here")
    parser.add_argument("--verbose", action="store_true", help="name what each leaves readable")
    given = parser.parse_args()
    self_test()
    original, canaries = build()
    if given.original:
        pathlib.Path(given.original).write_text(original)
    if given.self_test or not given.binary:
        return 0
    binary = str(pathlib.Path(given.binary).resolve())
    if given.rounds:
        leaked, refused = rounds(binary, given.rounds)
        total = sum(map(len, leaked.values()))
        print(f"authtape: {total} of {54 * given.rounds} readable in {given.rounds} files, {refused} of them refused")
        for name, values in leaked.items():
            print(f"  {name}: {', '.join(values)}")
        return 1 if total else 0
    if given.compare:
        rows = compare(binary, original, canaries)
    else:
        text = scrub(binary)(original)
        rows = [("authtape", readable(text, canaries), sum(needed in text for needed in NEEDED), "")]
    print(table(rows) if given.compare else f"authtape: {len(rows[0][1])} of 54 readable, {rows[0][2]} of 20 kept")
    for name, leaked, _, _ in rows:
        if leaked and (given.verbose or "authtape" in name):
            print(f"  {name}: {', '.join(leaked)}")
    if given.write:
        path = pathlib.Path(given.write)
        before, rest = path.read_text().split(BEGIN)
        path.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{rest.split(END)[1]}")
    return 1 if rows[-1][1] or rows[-1][2] < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
