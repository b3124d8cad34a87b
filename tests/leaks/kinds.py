"""The 24 kinds of canary: what a value looks like, what of it must not be readable, and its home.

Every value is synthetic and comes from a generator with a seed. Addresses are of ranges that are
reserved for benchmarks and documentation, and telephone numbers of a country that does not exist.
"""

import base64
import dataclasses
import json
import string
import typing

BASE62 = string.digits + string.ascii_letters


@dataclasses.dataclass(frozen=True)
class Canary:
    """A value, and its parts that must not be readable."""

    value: str
    # Random parts: eight characters of one in a row are a leak already.
    random: tuple = ()
    # Parts with little in them: only the whole part is a leak.
    whole: tuple = ()


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    # The registered name of the parameter, claim or field that carries it.
    param: str
    make: typing.Callable
    # Where it is at home: the exchange that teaches a recorder that it is a secret.
    home: str
    # How much of it nobody can guess; what has less than 96 bits is told by its name alone.
    bits: int
    # Whether an e-mail address, an IP address or the like can be told without a name.
    pattern: bool = False
    # Whether it is made of words, so that only a list of words tells it from prose.
    words: bool = False


def run(rng, count, alphabet=BASE62):
    return "".join(rng.choices(alphabet, k=count))


def opaque(rng):
    value = "Cn" + run(rng, 28)
    return Canary(value, random=(value[2:],))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(rng, **claims):
    """A JWT whose signature, subject, identifier and address are canaries."""
    subject, identifier, person = (
        "Cn" + run(rng, 20),
        "Cn" + run(rng, 20),
        "cn" + run(rng, 12).lower(),
    )
    header = {"alg": "RS256", "typ": "JWT", "kid": "leak-key"}
    body = {
        "iss": "https://as.example",
        "aud": "leak-client",
        "exp": 1893456000,
        "iat": 1893452400,
        "sub": subject,
        "jti": identifier,
        "email": f"{person}@mail.example",
        **claims,
    }
    signature = base64url(rng.randbytes(64))
    parts = [base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, body)]
    return Canary(
        ".".join([*parts, signature]), random=(signature, subject[2:], identifier[2:], person[2:])
    )


def uuids(rng):
    def one():
        digits = f"{rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    three = [one() for _ in range(3)]
    # Between the dashes are windows of eight only in what is random: the version is not.
    return Canary(".".join(three), random=tuple(p for u in three for p in (u[:8], u[24:])))


def verifier(rng):
    value = "Cn" + run(rng, 41, BASE62 + "-._~")
    return Canary(value, random=(value[2:],))


def client_secret(rng):
    # Random bytes seldom hold both characters that forms and URLs treat apart.
    text = base64.b64encode(rng.randbytes(34)).decode().rstrip("=")
    value = f"{text[:15]}+{text[16:30]}/{text[31:]}=="
    return Canary(value, random=(value[:-2],))


def basic(rng):
    secret = run(rng, 30)
    pair = f"leak-client:{secret}".encode()
    return Canary(base64.b64encode(pair).decode(), random=(secret,))


def password(rng):
    parts = [run(rng, 8) for _ in range(3)]
    return Canary(f"{parts[0]} {parts[1]}&é{parts[2]}", random=tuple(parts))


def otp(rng):
    # No zeros: numbers that have many of them stand anywhere.
    value = run(rng, 6, "123456789")
    return Canary(value, whole=(value,))


def user_code(rng):
    letters = run(rng, 8, "BCDFGHJKLMNPQRSTVWXZ")
    value = f"{letters[:4]}-{letters[4:]}"
    return Canary(value, whole=(value, letters))


def email(rng):
    local = "cn" + run(rng, 14, string.ascii_lowercase + string.digits)
    return Canary(f"{local}@mail.example", random=(local[2:],))


def person_name(rng):
    """Two names that no dictionary has, one of them with a letter beyond ASCII."""

    def word(syllables):
        return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(syllables))

    given, family = word(5).capitalize(), word(4).capitalize() + "é" + rng.choice("lnrst")
    return Canary(f"{given} {family}", whole=(given, family))


def phone(rng):
    # No country has the code 999.
    digits = run(rng, 11, string.digits)
    return Canary(f"+999{digits}", random=(digits,))


def address(rng):
    # RFC 2544 and RFC 5180: for benchmarks.
    if rng.random() < 0.5:
        value = f"198.{rng.choice((18, 19))}.{rng.randrange(100, 256)}.{rng.randrange(100, 256)}"
        return Canary(value, whole=(value,))
    groups = [f"{rng.randrange(0x1000, 0x10000):x}" for _ in range(5)]
    return Canary("2001:2:0:" + ":".join(groups), random=(":".join(groups),))


def saml(rng):
    """A response in base64, as the form of the POST binding carries it."""
    subject, signature = "Cn" + run(rng, 28), base64.b64encode(rng.randbytes(48)).decode()
    document = (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><saml:Assertion>'
        f"<ds:SignatureValue>{signature}</ds:SignatureValue><saml:Subject>"
        f"<saml:NameID>{subject}</saml:NameID></saml:Subject></saml:Assertion></samlp:Response>"
    )
    return Canary(base64.b64encode(document.encode()).decode(), random=(subject[2:], signature))


KINDS = {
    kind.name: kind
    for kind in (
        Kind("access-token", "access_token", opaque, "token_response", 166),
        Kind("access-token-jwt", "access_token", jwt, "token_response", 512),
        Kind("refresh-token", "refresh_token", opaque, "token_response", 166),
        Kind(
            "id-token", "id_token", lambda rng: jwt(rng, nonce=run(rng, 16)), "token_response", 512
        ),
        Kind("code", "code", opaque, "authorization_response", 166),
        Kind("code-uuids", "code", uuids, "authorization_response", 360),
        Kind("state", "state", opaque, "authorization_request", 166),
        Kind("nonce", "nonce", opaque, "authorization_request", 166),
        Kind("verifier", "code_verifier", verifier, "token_request", 244),
        Kind("client-secret", "client_secret", client_secret, "token_request", 250),
        Kind("client-assertion", "client_assertion", jwt, "token_request", 512),
        Kind("basic", "basic", basic, "basic", 178),
        Kind("session-cookie", "session", opaque, "set_cookie", 166),
        Kind("csrf", "csrf_token", opaque, "token_request", 166),
        Kind("device-code", "device_code", opaque, "device_response", 166),
        Kind("user-code", "user_code", user_code, "device_response", 34),
        Kind("password", "password", password, "token_request", 64),
        Kind("otp", "otp", otp, "token_request", 19),
        Kind("email", "email", email, "userinfo", 72, pattern=True),
        Kind("person-name", "name", person_name, "userinfo", 40, words=True),
        Kind("phone", "phone_number", phone, "userinfo", 36, pattern=True),
        Kind("address", "ipaddr", address, "userinfo", 20, pattern=True),
        Kind("saml", "SAMLResponse", saml, "token_request", 384),
        Kind("unknown", "x_thing", opaque, "unknown", 166),
    )
}
