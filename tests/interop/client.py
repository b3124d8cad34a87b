"""The correct session with urllib, http.client, requests, httpx or aiohttp. It never prints a code, a token or a secret."""

import base64
import json
import os
import secrets
import sys
import urllib.error
import urllib.parse
import urllib.request

SERVER, CLIENT, SECRET = (os.environ[name] for name in ("AS_URL", "CLIENT_ID", "CLIENT_SECRET"))
CALLBACK = "https://shop.example.org/oauth/callback"


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def with_urllib(method, url, form=None, headers=None):
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        answer = urllib.request.build_opener(Stay).open(request)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer.read()


def with_requests(method, url, form=None, headers=None):
    import requests

    answer = requests.request(method, url, data=form, headers=headers, allow_redirects=False)
    return answer.status_code, answer.headers, answer.content


def with_httpx(method, url, form=None, headers=None):
    import httpx

    answer = httpx.request(method, url, data=form, headers=headers, follow_redirects=False)
    return answer.status_code, answer.headers, answer.content


def with_http_client(method, url, form=None, headers=None):
    import http.client

    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPSConnection(parts.hostname, parts.port)
    body = urllib.parse.urlencode(form) if form else None
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    connection.request(method, url[len(f"{parts.scheme}://{parts.netloc}"):], body, {**kind, **(headers or {})})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def with_aiohttp(method, url, form=None, headers=None):
    import asyncio

    import aiohttp

    async def ask():
        async with aiohttp.ClientSession() as session:
            async with session.request(method, url, data=form, headers=headers, allow_redirects=False) as answer:
                return answer.status, answer.headers, await answer.read()

    return asyncio.run(ask())


ask = {
    "urllib": with_urllib, "requests": with_requests, "httpx": with_httpx, "http.client": with_http_client, "aiohttp": with_aiohttp,
}[sys.argv[1]]

state = secrets.token_hex(16)
query = urllib.parse.urlencode(
    {"client_id": CLIENT, "response_type": "code", "redirect_uri": CALLBACK, "state": state, "scope": "full"}
)
status, headers, _ = ask("GET", f"{SERVER}/app/oauth/authorize?{query}")
returned = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(headers["Location"]).query))
print(f"authorize: {status}, {'our' if returned['state'] == state else 'another'} state")

basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
form = {"code": returned["code"], "grant_type": "authorization_code", "redirect_uri": CALLBACK}
status, _, body = ask("POST", f"{SERVER}/token", form, {"Authorization": f"Basic {basic}"})
tokens = json.loads(body)
print(f"token: {status} {' '.join(tokens)}")
bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
status, _, body = ask("GET", f"{SERVER}/userinfo", headers=bearer)
print(f"userinfo: {status} {' '.join(json.loads(body))}")
form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
status, _, body = ask("POST", f"{SERVER}/token", form, {"Authorization": f"Basic {basic}"})
refreshed = json.loads(body)
print(f"refresh: {status} {' '.join(refreshed)}")

with open(os.environ["CANARY_FILE"], "w") as file:
    json.dump(
        {
            "state": state,
            "code": returned["code"],
            "client_secret": SECRET,
            "basic": basic,
            "access_token": tokens["access_token"],
            "refresh_token": tokens["refresh_token"],
            "second access_token": refreshed["access_token"],
            "name": "Jane Doe",
            "email": "jane.doe@shop.example.org",
        },
        file,
    )
