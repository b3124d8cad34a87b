"""Discovery and a token with the library that is named."""

import asyncio
import base64
import json
import os
import sys
import urllib.parse
import urllib.request
from http.client import HTTPConnection, HTTPSConnection

library, server = sys.argv[1], os.environ["AS_URL"]
basic = base64.b64encode(f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}".encode()).decode()


def ask(url, form=None):
    data = urllib.parse.urlencode(form) if form else None
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"} if form else {}
    method = "POST" if form else "GET"
    if library == "urllib":
        return urllib.request.urlopen(urllib.request.Request(url, data and data.encode(), headers)).read()
    if library == "http.client":
        parts = urllib.parse.urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname, parts.port)
        connection.request(method, parts.path, data, headers)
        return connection.getresponse().read()
    if library == "aiohttp":
        import aiohttp

        async def once():
            async with aiohttp.ClientSession() as session, session.request(method, url, data=data, headers=headers) as answer:
                return await answer.read()

        return asyncio.run(once())
    module = __import__(library)
    body = {"content": data} if library == "httpx" else {"data": data}
    return module.request(method, url, headers=headers, **body).content


print(len(json.loads(ask(f"{server}/.well-known/openid-configuration"))))
print(*json.loads(ask(f"{server}/token", {"grant_type": "client_credentials"})))
