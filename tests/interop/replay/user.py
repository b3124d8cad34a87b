"""What the Python clients share: the user with a browser, and how an end is told."""

import os
import pathlib
import subprocess
import sys

ISSUER, CLIENT, SECRET, REDIRECT = (os.environ[name] for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI"))
FLOW, IS_WRONG = sys.argv[1], sys.argv[2] == "wrong"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class Refused(Exception):
    """The server's error, or the page where it ended."""


def browse(url):
    """The URL that the browser was sent back to."""
    agent = pathlib.Path(__file__).with_name("agent.py")
    end = subprocess.run(["python3", str(agent), url, REDIRECT], check=True, capture_output=True, text=True).stdout.strip()
    if end.startswith("page: "):
        raise Refused(end)
    return end


def told(name, fields):
    print(f"{name}: {' '.join(sorted(fields))}")


def play(flows):
    try:
        flows[FLOW]()
        print("done")
    except Refused as error:
        print(f"refused: {error}")
