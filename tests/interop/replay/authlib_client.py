"""Authlib as its documentation says: its Flask integration for logins, its session for all else."""

import time

import flask
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from user import CLIENT, DEVICE_CODE, FLOW, IS_WRONG, ISSUER, REDIRECT, SECRET, Refused, browse, play, told

app = flask.Flask(__name__)
app.secret_key = generate_token(32)
server = OAuth(app).register(
    "server", client_id=CLIENT, client_secret=SECRET, server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid email", "code_challenge_method": "S256"},
)


@app.get("/login")
def login():
    return server.authorize_redirect(REDIRECT)


@app.get("/cb")
def callback():
    token = server.authorize_access_token()
    told("token", token)
    told("claims", token["userinfo"])
    told("userinfo", server.userinfo(token=token))
    return token


def logged_in():
    visitor = app.test_client()
    url = visitor.get("/login").location
    if IS_WRONG and FLOW == "code":
        with visitor.session_transaction() as session:
            (kept,) = (value for name, value in session.items() if name.startswith("_state_"))
            kept["data"]["code_verifier"] = generate_token(48)
            session.modified = True
    back = browse(url).split("?", 1)[1]
    return visitor.get(f"/cb?{back}").json


def endpoint(name):
    return server.load_server_metadata()[f"{name}_endpoint"]


def refresh():
    token = logged_in()
    client = OAuth2Session(CLIENT, SECRET, token=token, token_endpoint=endpoint("token"))
    fresh = client.refresh_token(endpoint("token"), token["refresh_token"])
    print(f"refreshed: {'the same' if fresh['refresh_token'] == token['refresh_token'] else 'another'} refresh token")
    told("userinfo", client.get(endpoint("userinfo")).json())
    if IS_WRONG:
        client.refresh_token(endpoint("token"), token["refresh_token"])


def client_credentials():
    client = OAuth2Session(CLIENT, SECRET + "-not" if IS_WRONG else SECRET)
    told("token", client.fetch_token(endpoint("token"), grant_type="client_credentials"))


def device():
    client = OAuth2Session(CLIENT, SECRET, scope="openid email")
    form, own = {"client_id": CLIENT, "scope": "openid email"}, client.client_auth(client.token_endpoint_auth_method)
    started = client.request("POST", endpoint("device_authorization"), data=form, withhold_token=True, auth=own).json()
    told("device", started)
    while True:
        time.sleep(started.get("interval", 5))
        try:
            told("token", client.fetch_token(endpoint("token"), grant_type=DEVICE_CODE, device_code=started["device_code"]))
            return
        except OAuthError as error:
            if error.error != "authorization_pending":
                raise


def refusing(flow):
    def played():
        try:
            flow()
        except OAuthError as error:
            raise Refused(error.error) from error

    return played


app.testing = True
flows = {"code": logged_in, "refresh": refresh, "client_credentials": client_credentials, "device": device}
play({name: refusing(flow) for name, flow in flows.items()})
