"""requests-oauthlib as its documentation says; it reads no ID Token."""

import time

import requests
from oauthlib.oauth2 import BackendApplicationClient, DeviceClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from user import CLIENT, FLOW, IS_WRONG, ISSUER, REDIRECT, SECRET, Refused, browse, play, told

BASIC = HTTPBasicAuth(CLIENT, SECRET)


def code():
    session = OAuth2Session(CLIENT, redirect_uri=REDIRECT, scope=["openid", "email"], pkce="S256")
    url, _ = session.authorization_url(f"{ISSUER}/auth")
    back = browse(url)
    if IS_WRONG and FLOW == "code":
        session = OAuth2Session(CLIENT, redirect_uri=REDIRECT, scope=["openid", "email"], state=session._state, pkce="S256")
        session.authorization_url(f"{ISSUER}/auth", state=session._state)
    # The library wants https for the redirect URI, which a loopback is none of.
    token = session.fetch_token(f"{ISSUER}/token", code=session._client.parse_request_uri_response(back.replace("http:", "https:", 1), session._state)["code"], auth=BASIC)
    told("token", token)
    told("userinfo", session.get(f"{ISSUER}/me").json())
    return session, token


def refresh():
    session, token = code()
    fresh = session.refresh_token(f"{ISSUER}/token", refresh_token=token["refresh_token"], auth=BASIC)
    print(f"refreshed: {'the same' if fresh['refresh_token'] == token['refresh_token'] else 'another'} refresh token")
    told("userinfo", session.get(f"{ISSUER}/me").json())
    if IS_WRONG:
        session.refresh_token(f"{ISSUER}/token", refresh_token=token["refresh_token"], auth=BASIC)


def client_credentials():
    session = OAuth2Session(client=BackendApplicationClient(CLIENT))
    told("token", session.fetch_token(f"{ISSUER}/token", client_id=CLIENT, client_secret=SECRET + "-not" if IS_WRONG else SECRET))


def device():
    client = DeviceClient(CLIENT)
    asked = requests.post(f"{ISSUER}/device/auth", data={"client_id": CLIENT, "scope": "openid email"}, auth=BASIC, timeout=20)
    started = asked.json()
    told("device", started)
    while True:
        time.sleep(started.get("interval", 5))
        body = client.prepare_request_body(started["device_code"], scope=[])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = requests.post(f"{ISSUER}/token", data=body, headers=form, auth=BASIC, timeout=20)
        if answer.json().get("error") == "authorization_pending":
            continue
        client.parse_request_body_response(answer.text)
        told("token", answer.json())
        return


def refusing(flow):
    def played():
        try:
            flow()
        except OAuth2Error as error:
            raise Refused(error.error) from error

    return played


flows = {"code": code, "refresh": refresh, "client_credentials": client_credentials, "device": device}
play({name: refusing(flow) for name, flow in flows.items()})
