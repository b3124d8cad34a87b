"""django-oauth-toolkit over TLS, with OpenID Connect, Django's own sign-in page, and refresh tokens that rotate.

    python django_server.py ISSUER ADDRESS:PORT KEY CERTIFICATE
"""

import json
import logging
import os
import secrets
import sys
import tempfile
import urllib.parse

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

ISSUER, ADDRESS, KEY, CERTIFICATE = sys.argv[1:]
SIGN_IN = """<!DOCTYPE html><title>Sign in</title>
<form method="post">{% csrf_token %}{{ form }}<input type="hidden" name="next" value="{{ next }}"><button>Sign in</button></form>"""


def signing_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def configure(directory):
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{directory}/server.sqlite3", "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"}}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
        LOGIN_URL="/login",
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": ISSUER,
            "OIDC_RSA_PRIVATE_KEY": signing_key(),
            "PKCE_REQUIRED": False,
            "ROTATE_REFRESH_TOKEN": True,
            "SCOPES": {"openid": "sign you in", "offline_access": "stay signed in", "email": "read your address", "profile": "read your name"},
        },
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ROOT_URLCONF=__name__,
        SECRET_KEY=secrets.token_hex(32),
        SESSION_COOKIE_SECURE=True,
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"registration/login.html": SIGN_IN}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }],
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def register():
    """An application has one grant here: a client that asks for itself is another than one with users."""
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    User.objects.create_user("jane", "jane.doe@shop.example.org", "a-password-canary-77e0", first_name="Jane")
    grants = {"": Application.GRANT_AUTHORIZATION_CODE, "-machine": Application.GRANT_CLIENT_CREDENTIALS}
    for client in json.loads(os.environ["CLIENTS"]):
        for end, grant in grants.items():
            Application.objects.create(
                client_id=client["id"] + end, client_secret=os.environ["CLIENT_SECRET"], client_type="confidential",
                authorization_grant_type=grant, algorithm="RS256", redirect_uris="http://127.0.0.1/cb",
            )


def serve():
    from werkzeug.serving import run_simple

    host, port = ADDRESS.split(":")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    run_simple(host, int(port), get_wsgi_application(), threaded=True, ssl_context=(CERTIFICATE, KEY))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        configure(directory)
        from django.contrib.auth.views import LoginView

        mount = urllib.parse.urlsplit(ISSUER).path.strip("/")
        urlpatterns = [path("login", LoginView.as_view()), path(f"{mount}/", include("oauth2_provider.urls", namespace="oauth2_provider"))]
        register()
        serve()
