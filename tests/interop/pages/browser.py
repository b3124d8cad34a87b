"""A browser and a client in one: goes through the pages of a login, and redeems the code of the last form.

It never prints a code, a token or a secret.
"""

import base64
import html.parser
import http.cookiejar
import json
import os
import secrets
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

SERVER, CLIENT, REDIRECT = (os.environ[name] for name in ("AS_URL", "CLIENT_ID", "REDIRECT_URI"))
FIELDS = {"login": "jane-canary-4b1f", "password": "a-password-canary-77e0"}


class Forms(html.parser.HTMLParser):
    """The forms of a page, and whether a script sends the first."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self.feed(page)
        self.is_sent = "submit" in page.split("</head>")[-1].split("<form")[0] or "forms[0].submit" in page

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append((attrs.get("action", ""), []))
        elif tag == "input" and "name" in attrs and self.forms:
            self.forms[-1][1].append((attrs["name"], attrs.get("value")))


class Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(
    urllib.request.HTTPSHandler(context=ssl.create_default_context()),
    urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
    Still,
)


def ask(url, form=None):
    data = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        with opener.open(urllib.request.Request(url, data=data)) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def through_pages(url):
    """What the form says that goes to the client, and how many forms were filled in before."""
    form, filled = None, 0
    for _ in range(20):
        status, headers, body = ask(url, form)
        form = None
        if 300 <= status < 400:
            url = urllib.parse.urljoin(url, headers["Location"])
            continue
        page = Forms(body)
        if status != 200 or not page.forms:
            sys.exit(f"a page without a form, with status {status}")
        action, fields = page.forms[0]
        url = urllib.parse.urljoin(url, action)
        form = [(name, FIELDS.get(name, value) or "") for name, value in fields]
        if url == REDIRECT:
            return dict(form), page.is_sent, filled
        filled += 1
    sys.exit("no end of pages")


state, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
query = {
    "client_id": CLIENT, "response_type": os.environ["RESPONSE_TYPE"], "response_mode": "form_post",
    "redirect_uri": REDIRECT, "scope": "openid", "state": state, "nonce": nonce,
}
sent, is_sent, filled = through_pages(f"{SERVER}/auth?{urllib.parse.urlencode(query)}")
print(f"form: {' '.join(sorted(sent))}, {'our' if sent['state'] == state else 'another'} state, {'sent by a script' if is_sent else 'waits'}")
print(f"pages: {filled}", file=sys.stderr)
# The client's own address is reached by the browser alone: nobody answers there but a recording.
status, _, _ = ask(REDIRECT, sent)
print(f"callback: {status}")
pair = base64.b64encode(f"{CLIENT}:{os.environ['CLIENT_SECRET']}".encode()).decode()
opener.addheaders = [("Authorization", f"Basic {pair}")]
status, _, body = ask(f"{SERVER}/token", {"grant_type": "authorization_code", "code": sent["code"], "redirect_uri": REDIRECT})
tokens = json.loads(body)
print(f"token: {status} {' '.join(tokens)}")
with open(os.environ["CANARY_FILE"], "w") as file:
    json.dump({**{name: sent[name] for name in ("code", "id_token") if name in sent}, "state": state, "nonce": nonce,
               "client_secret": os.environ["CLIENT_SECRET"], **FIELDS,
               **{name: tokens[name] for name in ("access_token",) if name in tokens}}, file)
