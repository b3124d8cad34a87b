"""Clean sessions, recorded one by one: the audit raises nothing, and what support needs stays.

    python3 tests/leaks/flows.py target/release/authtape [--count 200] [--seed 1] [--keep DIRECTORY]

A redactor that drops everything leaks nothing: this is the other side of the benchmark.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import random
import re
import shutil
import sys
import tempfile
import urllib.parse
import uuid

from checker import Checker
from clients import Http1, plain
from exchanges import Exchange
from kinds import base64url, run
from origin import Origin
from support import Recorder, authtape

FORM = [("Content-Type", "application/x-www-form-urlencoded")]
JSON = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache")]
AGENTS = (
    "python-requests/2.32.3",
    "okhttp/4.12.0",
    "axios/1.7.7",
    "Go-http-client/1.1",
    "leak-client/2.0.1",
)


class Flow:
    """A session as it is made: its exchanges, what must stay readable, and what must not."""

    def __init__(self, rng):
        self.rng, self.exchanges, self.kept, self.secrets = rng, [], set(), []
        self.agent = rng.choice(AGENTS)
        self.client = f"client-{run(rng, 8)}"
        self.scope = rng.choice(
            ("openid profile email", "read write", "offline_access openid", "api:read")
        )
        self.keep(self.agent, self.client)

    def keep(self, *texts):
        self.kept.update(texts)

    def secret(self, count=43, prefix=""):
        text = run(self.rng, count)
        self.secrets.append(text)
        return prefix + text

    def send(self, method, target, fields=(), form=None, status=200, answer=None, more=()):
        """An exchange; its correlation id, status and User-Agent are to be kept."""
        correlation = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        headers = [("User-Agent", self.agent), ("Accept", "application/json"), *fields]
        body = b""
        if form is not None:
            headers += FORM
            body = urllib.parse.urlencode(form).encode()
        text = (
            answer if isinstance(answer, str) else json.dumps(answer) if answer is not None else ""
        )
        self.exchanges.append(
            Exchange(
                method,
                target,
                headers=headers,
                body=body,
                status=status,
                answer=text.encode(),
                answer_headers=[
                    *(JSON if answer is not None else []),
                    ("X-Correlation-Id", correlation),
                    *more,
                ],
            )
        )
        self.keep(correlation, f"status: {status}", target.split("?")[0] + "\n")

    def basic(self):
        pair = f"{self.client}:{self.secret(40)}"
        return ("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())

    def tokens(self, **more):
        self.keep("token_type", "Bearer", '"expires_in": 3600', self.scope)
        return {
            "access_token": self.secret(48),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": self.scope,
            **more,
        }


def authorization_code(flow):
    state, verifier, code = flow.secret(22), flow.secret(64), flow.secret(40)
    challenge = base64url(hashlib.sha256(verifier.encode()).digest())
    redirect = "https://client.example/oauth/callback"
    # Some servers end the field with a semicolon.
    attributes = "Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"
    asked = urllib.parse.urlencode(
        {
            "response_type": "code",
            "client_id": flow.client,
            "redirect_uri": redirect,
            "scope": flow.scope,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
    flow.send(
        "GET",
        f"/authorize?{asked}",
        status=302,
        more=[
            ("Location", f"{redirect}?code={code}&state={state}"),
            ("Set-Cookie", f"session={flow.secret(32)}; {attributes}{flow.rng.choice(('', ';'))}"),
        ],
    )
    flow.send(
        "POST",
        "/token",
        form={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
            "client_id": flow.client,
        },
        answer=flow.tokens(refresh_token=flow.secret(48)),
    )
    flow.keep(
        "authorization_code",
        "S256",
        redirect,
        "SameSite=Lax",
        "HttpOnly",
        "Max-Age=600",
        "no-store",
    )


def refresh(flow):
    token = flow.secret(48)
    flow.send(
        "POST",
        "/token",
        [flow.basic()],
        {"grant_type": "refresh_token", "refresh_token": token},
        answer=flow.tokens(refresh_token=flow.secret(48)),
    )
    flow.send(
        "POST",
        "/token",
        [flow.basic()],
        {"grant_type": "refresh_token", "refresh_token": token},
        status=400,
        answer={
            "error": "invalid_grant",
            "error_description": "The refresh token is expired or revoked.",
        },
    )
    flow.keep("refresh_token", "invalid_grant", "The refresh token is expired or revoked.")


def device(flow):
    letters = "".join(flow.rng.choices("BCDFGHJKLMNPQRSTVWXZ", k=8))
    code, grant = flow.secret(40), "urn:ietf:params:oauth:grant-type:device_code"
    flow.send(
        "POST",
        "/device_authorization",
        form={"client_id": flow.client, "scope": flow.scope},
        answer={
            "device_code": code,
            "user_code": f"{letters[:4]}-{letters[4:]}",
            "expires_in": 900,
            "interval": 5,
            "verification_uri": "https://as.example/device",
        },
    )
    poll = {"grant_type": grant, "device_code": code, "client_id": flow.client}
    for error in ("authorization_pending", "slow_down"):
        flow.send(
            "POST",
            "/token",
            form=poll,
            status=400,
            answer={"error": error},
            more=[("Retry-After", "5")],
        )
        flow.keep(error)
    flow.send("POST", "/token", form=poll, answer=flow.tokens())
    flow.keep(grant, "https://as.example/device", '"interval": 5', "Retry-After")


def client_credentials(flow):
    form = {"grant_type": "client_credentials", "scope": flow.scope}
    if flow.rng.random() < 0.5:
        flow.send("POST", "/token", [flow.basic()], form, answer=flow.tokens())
    else:
        form |= {"client_id": flow.client, "client_secret": flow.secret(40)}
        flow.send("POST", "/token", form=form, answer=flow.tokens())
    form["client_secret"] = flow.secret(40)
    flow.send(
        "POST",
        "/token",
        form=form,
        status=401,
        answer={"error": "invalid_client"},
        more=[
            ("WWW-Authenticate", 'Basic realm="token endpoint"'),
        ],
    )
    flow.keep("client_credentials", "invalid_client", "Basic realm=")


def pushed(flow):
    uri = f"urn:ietf:params:oauth:request_uri:{flow.secret(32)}"
    flow.send(
        "POST",
        "/par",
        [flow.basic()],
        {
            "response_type": "code",
            "client_id": flow.client,
            "redirect_uri": "https://client.example/cb",
            "state": flow.secret(22),
            "scope": flow.scope,
        },
        answer={"request_uri": uri, "expires_in": 90},
    )
    asked = urllib.parse.urlencode({"client_id": flow.client, "request_uri": uri})
    flow.send(
        "GET",
        f"/authorize?{asked}",
        status=302,
        more=[
            (
                "Location",
                f"https://client.example/cb?code={flow.secret(40)}&iss=https%3A%2F%2Fas.example",
            ),
        ],
    )
    flow.keep("response_type: code", "https://client.example/cb", flow.scope)


def introspection(flow):
    token = flow.secret(48)
    flow.send(
        "POST",
        "/introspect",
        [flow.basic()],
        {"token": token, "token_type_hint": "access_token"},
        answer={
            "active": True,
            "client_id": flow.client,
            "scope": flow.scope,
            "token_type": "Bearer",
            "exp": 1893456000,
            "sub": flow.secret(20),
        },
    )
    flow.send(
        "POST", "/revoke", [flow.basic()], {"token": token, "token_type_hint": "access_token"}
    )
    flow.keep('"active": true', "token_type_hint", flow.scope)


def openid(flow):
    base, kid = "https://as.example", f"key-{flow.rng.randrange(1, 9)}"
    flow.send(
        "GET",
        "/.well-known/openid-configuration",
        answer={
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile"],
        },
        more=[("Access-Control-Allow-Origin", "*")],
    )
    modulus = base64url(flow.rng.randbytes(256))
    flow.send(
        "GET",
        "/jwks",
        answer={
            "keys": [
                {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": modulus, "e": "AQAB"}
            ],
        },
    )
    claims = {
        "iss": base,
        "aud": flow.client,
        "sub": flow.secret(20),
        "exp": 1893456000,
        "iat": 1893452400,
        "email": f"{flow.secret(12).lower()}@mail.example",
        "nonce": flow.secret(22),
    }
    header = {"alg": "RS256", "typ": "JWT", "kid": kid}
    signature = base64url(flow.rng.randbytes(256))
    flow.secrets.append(signature)
    parts = (base64url(json.dumps(part).encode()) for part in (header, claims))
    flow.send(
        "POST",
        "/token",
        [flow.basic()],
        {
            "grant_type": "authorization_code",
            "code": flow.secret(40),
            "redirect_uri": "https://client.example/cb",
        },
        answer=flow.tokens(id_token=".".join([*parts, signature])),
    )
    flow.send(
        "GET",
        "/userinfo",
        [("Authorization", f"Bearer {flow.secret(48)}")],
        answer={
            "sub": claims["sub"],
            "email": claims["email"],
            "email_verified": True,
        },
    )
    flow.keep("RS256", kid, f"{base}/token", '"email_verified": true', "code", "public")


FLOWS = (authorization_code, refresh, device, client_credentials, pushed, introspection, openid)


def record(binary, flow, cassette):
    origin = Origin()
    # What is no OAuth is not kept by default, and is none of this.
    recorder = Recorder(binary, cassette)
    client = Http1(lambda: plain(recorder.port))
    for number, exchange in enumerate(flow.exchanges):
        exchange.id = f"00000000-0000-4000-8000-{number:012x}"
        origin.answers[exchange.id] = exchange
        client.send(exchange, f"localhost:{origin.port}", True)
    client.close()
    code, _ = recorder.stop()
    origin.close()
    return code


def faults(binary, flow, cassette):
    """What is wrong with the recording of a clean session."""
    code = record(binary, flow, cassette)
    if code != 0 or not cassette.exists():
        yield f"record ended with {code}"
        return
    text = cassette.read_text()
    audit = authtape(binary, "audit", cassette)
    if audit.returncode != 0:
        told = audit.stdout.replace(str(cassette.parent), "").strip()[:300]
        yield f"audit ended with {audit.returncode}: {told}"
    for kept in sorted(flow.kept):
        # A path stands in an URL, of which no label may be a part.
        urls = "".join(re.findall(r"url: http://localhost:\d+(/.*\n)", text))
        if kept not in (urls if kept.endswith("\n") else text):
            yield f"not kept: {kept.strip()}"
    checker = Checker()
    checker.add("flow", random=flow.secrets)
    if hits := checker.scan(text.encode()):
        yield f"a secret is readable under {hits['flow'].decoders}: {hits['flow'].look}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="put the cassettes into this directory")
    options = parser.parse_args()
    failed, kept = 0, 0
    with tempfile.TemporaryDirectory(prefix="flows-") as work:
        for number in range(options.count):
            make = FLOWS[number % len(FLOWS)]
            flow = Flow(random.Random(f"{options.seed}/{number}"))
            make(flow)
            cassette = pathlib.Path(work, f"{make.__name__}-{number}.yaml")
            wrong = list(faults(binary_path(options.binary), flow, cassette))
            kept += len(flow.kept)
            failed += bool(wrong)
            for what in wrong:
                print(f"FAIL {cassette.stem}: {what}")
            if options.keep and cassette.exists():
                pathlib.Path(options.keep).mkdir(parents=True, exist_ok=True)
                shutil.copy(cassette, options.keep)
    print(f"clean flows: {options.count} recorded, {kept} texts to be kept, {failed} with faults")
    return 1 if failed or not options.count else 0


def binary_path(name):
    return str(pathlib.Path(name).resolve())


if __name__ == "__main__":
    sys.exit(main())
