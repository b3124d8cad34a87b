"""MSAL as its documentation says, with an authority of OpenID Connect that is not Microsoft's."""

import urllib.parse

import msal
from user import CLIENT, FLOW, IS_WRONG, ISSUER, REDIRECT, SECRET, Refused, browse, play, told


def application(secret=SECRET):
    return msal.ConfidentialClientApplication(CLIENT, client_credential=secret, oidc_authority=ISSUER)


def checked(result):
    if "error" in result:
        raise Refused(result["error"])
    told("token", set(result) - {"token_source"})
    return result


def code():
    app = application()
    flow = app.initiate_auth_code_flow(["email"], redirect_uri=REDIRECT, prompt="consent")
    back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(browse(flow["auth_uri"])).query))
    if IS_WRONG and FLOW == "code":
        flow["code_verifier"] = flow["code_verifier"][::-1]
    result = checked(app.acquire_token_by_auth_code_flow(flow, back))
    told("claims", result["id_token_claims"])
    return app, result


def refresh():
    app, result = code()
    first = result["refresh_token"]
    fresh = checked(app.acquire_token_by_refresh_token(first, ["email"]))
    print(f"refreshed: {'the same' if fresh['refresh_token'] == first else 'another'} refresh token")
    if IS_WRONG:
        checked(app.acquire_token_by_refresh_token(first, ["email"]))


def client_credentials():
    checked(application(SECRET + "-not" if IS_WRONG else SECRET).acquire_token_for_client([]))


def device():
    app = msal.PublicClientApplication(CLIENT, oidc_authority=ISSUER)
    flow = app.initiate_device_flow(["email"])
    told("device", set(flow) - {"_correlation_id", "expires_at"})
    checked(app.acquire_token_by_device_flow(flow))


play({"code": code, "refresh": refresh, "client_credentials": client_credentials, "device": device})
