"""Plays an exported cassette with vcrpy, or reads exported flows with mitmproxy."""

import pathlib
import sys

directory = pathlib.Path(sys.argv[2])
body = (directory / "body").read_text()
if sys.argv[1] == "vcrpy":
    import requests
    import vcr

    with vcr.use_cassette(str(directory / "login.yaml"), record_mode="none", match_on=["method", "uri", "body"]):
        answer = requests.post("https://accounts.example.com/token", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    print(answer.status_code, answer.headers["X-Request-Id"], answer.text, sep="\n")
else:
    from mitmproxy.io import FlowReader

    with open(directory / "login.flow", "rb") as file:
        flows = list(FlowReader(file).stream())
    token = next(flow for flow in flows if flow.request.url == "https://accounts.example.com/token")
    if token.request.text != body:
        raise SystemExit(f"the body is {token.request.text}")
    print(token.response.status_code, token.response.headers["X-Request-Id"], token.response.text, sep="\n")
