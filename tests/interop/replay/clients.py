"""The clients of the matrix: how each is run, how it is registered, and what it cannot do by its own documentation."""

import dataclasses
import re

from run import TOOLS
from servers import NODE, PYTHON

FLOWS = {
    "code": "code, PKCE, OIDC",
    "refresh": "refresh",
    "client_credentials": "client credentials",
    "device": "device",
    "par": "PAR",
    "dpop": "DPoP",
}

# Authorization responses that have a signature, of the code flow: a JWT as a whole (JARM), or an ID Token beside the code.
SIGNED_RESPONSES = {"jarm": "JARM", "hybrid": "code id_token"}

# What the server says to the wrong client of each flow, and what is wrong with it.
REFUSALS = {
    "code": "invalid_grant",
    "hybrid": "invalid_grant",
    "jarm": "invalid_grant",
    "refresh": "invalid_grant",
    "client_credentials": "invalid_client",
    "device": "access_denied",
    "par": "page: 400",
    "dpop": "invalid_token",
}

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "HS256"]


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    command: list
    auth: str = "client_secret_basic"
    algorithm: str = "RS256"
    # The flows that it does as a public client only.
    public: tuple = ()
    # By flow: why the client does not do it.
    cannot: dict = dataclasses.field(default_factory=dict)

    @property
    def id(self):
        return re.sub("[^a-z0-9]+", "-", self.name.lower())

    def named(self, flow, variant, server):
        """Its `client_id`: the user of a wrong client's device says no, and Django's applications have one grant each."""
        if server == "django-oauth-toolkit":
            return self.id + ("-machine" if flow == "client_credentials" else "")
        public = "-public" if flow in self.public else ""
        return self.id + public + ("-denied" if flow == "device" and variant == "wrong" else "")

    def signature(self, server):
        """What signs its ID Tokens: Django's server has one key, of RSA."""
        return "RS256" if server == "django-oauth-toolkit" else self.algorithm

    def refusal(self, flow):
        return REFUSALS[flow]

    def registered(self):
        kinds = {"": self.auth, **({"-public": "none"} if self.public else {})}
        return [
            {"id": self.id + kind + end, "auth": auth, "algorithm": self.algorithm}
            for kind, auth in kinds.items() for end in ("", "-denied")
        ]

    def signed(self, algorithm):
        """The same, registered for ID Tokens of another algorithm."""
        return dataclasses.replace(self, name=f"{self.name} {algorithm}", algorithm=algorithm)


def cannot(*flows, why="the library has none"):
    return dict.fromkeys(flows, why)


CLIENTS = [
    Client("openid-client", [NODE, "openid_client.mjs"]),
    Client("oauth4webapi", [NODE, "oauth4webapi.mjs"], auth="client_secret_post", algorithm="ES256"),
    Client("simple-oauth2", [NODE, "simple_oauth2.mjs"], cannot=cannot("device", "par", "dpop")),
    Client(
        "passport-oauth2", ["env", "STRATEGY=oauth2", NODE, "passport.mjs"], auth="client_secret_post",
        cannot=cannot("refresh", "client_credentials", "device", "par", "dpop"),
    ),
    Client(
        "passport-openidconnect", ["env", "STRATEGY=openidconnect", NODE, "passport.mjs"], auth="client_secret_post",
        cannot=cannot("refresh", "client_credentials", "device", "par", "dpop"),
    ),
    Client("Authlib", [PYTHON, "authlib_client.py"], algorithm="PS256", cannot=cannot("par", "dpop")),
    Client("requests-oauthlib", [PYTHON, "requests_oauthlib_client.py"], cannot=cannot("par", "dpop")),
    Client("MSAL for Python", [PYTHON, "msal_client.py"], auth="client_secret_post", public=("device",), cannot=cannot("par", "dpop")),
    Client("Go x/oauth2, go-oidc", [str(TOOLS / "replay-go")], cannot=cannot("device", "par", "dpop", why="not in Debian's version")),
    Client("Rust openidconnect", [str(TOOLS / "rust/debug/replay-client")], algorithm="EdDSA", cannot=cannot("par", "dpop")),
    Client("Ruby oauth2", ["ruby", "client.rb"], cannot=cannot("device", "par", "dpop")),
    Client(
        "Perl LWP::Authen::OAuth2", ["perl", "client.pl"], auth="client_secret_post",
        cannot=cannot("client_credentials", "device", "par", "dpop"),
    ),
    Client("PHP curl", ["php", "client.php"], cannot=cannot("dpop", why="the script signs no proofs")),
    Client("curl", ["sh", "client.sh"], cannot=cannot("dpop", why="a shell signs no proofs")),
    Client(
        "Chromium", [NODE, "chromium.mjs"],
        cannot=cannot("refresh", "client_credentials", "device", "par", "dpop", why="a browser has no part in it"),
    ),
]

BY_NAME = {client.name: client for client in CLIENTS}

# Whose pages, tokens and errors are another stack's.
DJANGO = [BY_NAME[name] for name in ("openid-client", "oauth4webapi", "Authlib", "MSAL for Python", "Go x/oauth2, go-oidc", "Rust openidconnect")]
DJANGO_FLOWS = ("code", "refresh", "client_credentials")

# Who verifies signatures, and why not those of an algorithm.
VERIFIERS = {
    "openid-client": cannot("HS256", why="it verifies none that are keyed by a secret"),
    "oauth4webapi": cannot("HS256", why="it verifies none that are keyed by a secret"),
    "Authlib": cannot("HS256", why="it takes keys from the JWKS alone"),
    "Rust openidconnect": {},
}

# What runs on every change, of clients and flows by server: one of each runtime, and each flow.
QUICK = {
    "oidc-provider": [
        *(("openid-client", flow) for flow in FLOWS), ("Authlib", "code"), ("Go x/oauth2, go-oidc", "code"),
        ("Rust openidconnect", "code"), ("curl", "client_credentials"),
    ],
    "django-oauth-toolkit": [("openid-client", "refresh")],
}
