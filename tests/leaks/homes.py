"""Where a kind is at home: the exchange that teaches a recorder that a value is secret."""

import dataclasses
import json
import urllib.parse

from exchanges import Exchange
from places import FORM, answered, asked, form, posted, redirected


def home(kind, value):
    """The exchange that says what a value is."""
    return HOMES[kind.home](kind.param, value)


HOMES = {
    "token_response": lambda name, value: answered(
        "/token", json.dumps({name: value, "token_type": "Bearer"}).encode(), "application/json"
    ),
    "authorization_request": lambda name, value: asked(
        target="/authorize?response_type=code&client_id=leak-client"
        f"&{name}={urllib.parse.quote(value, safe='')}"
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
        "/device_authorization",
        json.dumps({name: value, "expires_in": 600}).encode(),
        "application/json",
    ),
    "userinfo": lambda name, value: answered(
        "/userinfo",
        json.dumps({"email_verified": True, name: value}, ensure_ascii=False).encode(),
        "application/json",
    ),
    "unknown": lambda name, value: answered(
        "/api/items", json.dumps({name: value}).encode(), "application/json"
    ),
}
