"""The user with a browser: opens an authorization URL, goes through the pages, and prints where the last redirect went.

    python3 agent.py URL REDIRECT_URI

A page that asks for nothing, or refuses, is the end: it prints `page: STATUS` then. Standard library only.
"""

import html.parser
import http.cookiejar
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

FIELDS = {"login": "jane", "username": "jane", "password": "a-password-canary-77e0", "allow": "Authorize"}


class Forms(html.parser.HTMLParser):
    """The forms of a page."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append((attrs.get("action", ""), []))
        elif tag in ("input", "button") and "name" in attrs and self.forms:
            self.forms[-1][1].append((attrs["name"], attrs.get("value")))


class Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(
    urllib.request.HTTPSHandler(context=ssl.create_default_context()),
    urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
    Still,
)
opener.addheaders = [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"), ("Accept", "text/html,*/*;q=0.8")]


def ask(url, form, referrer):
    data = None if form is None else urllib.parse.urlencode(form).encode()
    headers = {"Referer": referrer} if referrer else {}
    try:
        with opener.open(urllib.request.Request(url, data=data, headers=headers)) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def through_pages(url, redirect):
    form = referrer = None
    for _ in range(20):
        status, headers, body = ask(url, form, referrer)
        form, referrer = None, url
        if 300 <= status < 400:
            url = urllib.parse.urljoin(url, headers["Location"])
            if re.split("[?#]", url)[0] == redirect:
                return url
            continue
        forms = Forms(body).forms
        if status != 200 or not forms:
            return f"page: {status}"
        action, fields = forms[0]
        url = urllib.parse.urljoin(url, action)
        form = [(name, value or FIELDS.get(name, "")) for name, value in fields]
    return "page: no end"


if __name__ == "__main__":
    print(through_pages(*sys.argv[1:]))
