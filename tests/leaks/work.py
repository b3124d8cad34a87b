#!/usr/bin/env python3
"""Whether what a hostile peer sends costs no more than its length: `work.py target/release/authtape`.

Each text is scrubbed at two lengths by the program itself, and the instructions that this takes are counted by
valgrind, which says the same every time. Four times the length may cost four times the work, and a bit.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SMALL, FACTOR = 16 << 10, 4
# Four times the work, and what tables that double now and then may add.
MOST = 5.5
TOKEN_URL = "https://idp.example.com/token"


def until(length, part):
    return (part * (length // len(part) + 1))[:length]


def grant(name, value):
    return f"grant_type=refresh_token&client_id=shop&{name}={value}"


def error(text):
    return json.dumps({"error": "invalid_grant", "error_description": text})


def keyed(length):
    """A long name, and as many values under it as there is room for."""
    return '{"%s": [%s1]}' % (until(length // 2, "long_name_"), "[],1," * (length // 10))


# By name: what a text of that length is, as the body of the request or of the answer.
TEXTS = {
    "a row of brackets": ("answer", lambda length: error(until(length, "("))),
    "a row of digits in groups": ("answer", lambda length: error(until(length, "(1) "))),
    "one run of escapes": ("answer", lambda length: error(until(length, "%41,"))),
    "escapes that are none": ("answer", lambda length: error(until(length, "%zz;"))),
    "references without an end": ("answer", lambda length: error(until(length, "&amp"))),
    "quoted-printable": ("answer", lambda length: error(until(length, "=41"))),
    "backslashes": ("answer", lambda length: error(until(length, "\\"))),
    "nested escapes": ("answer", lambda length: error(until(length, "%2525252541"))),
    "a path": ("answer", lambda length: error("https://idp.example.com" + until(length, "/a/b"))),
    "a host of many labels": ("answer", lambda length: error("https://" + until(length, "a.") + "example.com/")),
    "words that nobody knows": ("answer", lambda length: error(until(length, "zq xk "))),
    "one long word": ("answer", lambda length: error(until(length, "zqxk"))),
    "label look-alikes": ("answer", lambda length: error(until(length, "REDACTED-code-1--"))),
    "colons and slashes": ("answer", lambda length: error(until(length, "://"))),
    "many members": ("answer", lambda length: "{%s\"a\":1}" % until(length, "\"scope\":\"openid\",").rpartition(",")[0].join(["", ","])),
    "values under a long name": ("answer", keyed),
    "a page": ("answer", lambda length: "<html>" + until(length, "<a href=?a=&quot;>'\"")),
    "an unknown text": ("answer", lambda length: "~" + until(length, "x1\n'y\" ")),
    "a long secret": ("request", lambda length: grant("client_secret", until(length, "aB3"))),
    "a secret of escapes": ("request", lambda length: grant("client_secret", until(length, "%2541"))),
    "a form of empty names": ("request", lambda length: grant("a", until(length, "&=&"))),
    "a name of escapes": ("request", lambda length: grant(until(length, "%41"), "b")),
}


def har(place, body):
    request, answer = (body, error("no")) if place == "request" else (grant("refresh_token", "kZ8mQ2xW4vB6nL1s"), body)
    kind = "application/x-www-form-urlencoded"
    return {"log": {"version": "1.2", "creator": {"name": "work", "version": "1"}, "entries": [{
        "startedDateTime": "2026-11-23T10:02:11.000Z", "time": 1, "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0},
        "request": {"method": "POST", "url": TOKEN_URL, "httpVersion": "HTTP/1.1", "cookies": [], "queryString": [],
                    "headers": [{"name": "Content-Type", "value": kind}], "headersSize": -1, "bodySize": len(request),
                    "postData": {"mimeType": kind, "text": request}},
        "response": {"status": 400, "statusText": "Bad Request", "httpVersion": "HTTP/1.1", "cookies": [], "redirectURL": "",
                     "headers": [{"name": "Content-Type", "value": "application/json"}], "headersSize": -1, "bodySize": len(answer),
                     "content": {"size": len(answer), "mimeType": "application/json", "text": answer}},
    }]}}


def instructions(authtape, work, name, place, text):
    source = work / f"{name}.har".replace(" ", "-")
    source.write_text(json.dumps(har(place, text)))
    words = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", authtape, "scrub", source,
             "-o", source.with_suffix(".clean.har"), "--overwrite"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"work: {name}: scrub ended with {done.returncode}: {done.stderr[-600:]}")
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("authtape", type=Path)
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="authtape-work-"))
    jobs = {("nothing", 0): ("answer", error("no"))}
    for name, (place, text) in TEXTS.items():
        for length in (SMALL, SMALL * FACTOR):
            jobs[name, length] = (place, text(length))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        run = {key: pool.submit(instructions, asked.authtape, work, f"{key[0]} {key[1]}", *job) for key, job in jobs.items()}
        counts = {key: job.result() for key, job in run.items()}
    start = counts["nothing", 0]
    steep = 0
    for name in TEXTS:
        small, large = (counts[name, length] - start for length in (SMALL, SMALL * FACTOR))
        growth = large / small
        steep += growth > MOST
        print(f"{'ok  ' if growth <= MOST else 'STEEP'} {name}: {small / 1e6:.0f} M, {large / 1e6:.0f} M instructions, x {growth:.1f}")
    print(f"work: {len(TEXTS) - steep} ok, {steep} failed")
    return 1 if steep else 0


if __name__ == "__main__":
    sys.exit(main())
