#!/usr/bin/env python3
"""Whether what a hostile peer sends costs no more than its length: `work.py target/release/authtape`.

Each text is scrubbed at two lengths by the program itself, and the instructions that this takes are counted by
valgrind, which says the same every time. Four times the length may cost four times the work, and a bit.
"""
import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
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


def html(*parts):
    """A page of the parts that are no whole ones of their own."""
    return "<html>" + "".join(parts)


def numbered(length, part):
    """As many parts as there is room for, each with a number of its own."""
    each = len(part.format("000000"))
    return "".join(part.format(f"{n:06}") for n in range(length // each + 1))


def alike(length):
    """Secrets that begin as a word does, and a text that says nothing but this word."""
    secrets = numbered(length // 2, '"expired{}",').rstrip(",")
    said = until(length // 2, "expired ")
    return f'{{"error_description": "{said}", "refresh_token": [{secrets}]}}'


def saml(xml):
    return grant("SAMLResponse", urllib.parse.quote(base64.b64encode(f"<Response>{xml}".encode())))


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
    "a script of escaped quotes": ("answer", lambda length: html("<script>'", until(length, "\\'"))),
    "a script of escaped quotes of each kind": ("answer", lambda length: html("<script>'\"`", until(length, "\\'\\\"\\`"))),
    "a script of quotes that nothing closes": ("answer", lambda length: html("<script>`", until(length, "'\n\\\"`\""))),
    "a script of literals": ("answer", lambda length: html("<script>", numbered(length, "go('zqxk{}');"))),
    "a script of literals in literals": ("answer", lambda length: html("<script>'", until(length, "\"`zqxkvj1`\""), "'")),
    "a script of backslashes": ("answer", lambda length: html("<script>'", until(length, "\\"))),
    "an element of many attributes": ("answer", lambda length: html("<p ", numbered(length, "a{0}=zqxk{0} "), ">")),
    "one attribute many times": ("answer", lambda length: html("<p ", until(length, "title=zqxkvj12 "), ">")),
    "elements of one attribute": ("answer", lambda length: html(numbered(length, "<p title=zqxk{}>"))),
    "one long attribute": ("answer", lambda length: html("<p title='", until(length, "zqxk1 "), "'>")),
    "addresses in an address": ("answer", lambda length: html("<a href='/", until(length, "?a=//zqxk1/"), "'>")),
    "many addresses": ("answer", lambda length: html(numbered(length, "<a href=/zqxk{0}?x=zqxk{0}>"))),
    "tags in tags": ("answer", lambda length: html(until(length, "<b>"))),
    "tags that do not end": ("answer", lambda length: html(until(length, "<b "))),
    "a remark that does not end": ("answer", lambda length: html("<!--", until(length, "--"))),
    "many forms": ("answer", lambda length: html(numbered(length, "<form action=/a{0}><input name=x value=zqxk{0}>"))),
    "a form of many fields": ("answer", lambda length: html("<form>", numbered(length, "<input name=a{0} value=zqxk{0}>"))),
    "a list of many choices": ("answer", lambda length: html("<form><select name=a>", numbered(length, "<option value=zqxk{} selected>"))),
    "a field of many texts": ("answer", lambda length: html("<form><textarea name=a>", until(length, "zqxk</b>"))),
    "an XML document": ("answer", lambda length: '<?xml version="1.0"?><a>' + numbered(length, "<b c='zqxk{0}'>vjqx{0}</b>")),
    "XML of elements in elements": ("answer", lambda length: '<?xml version="1.0"?>' + until(length, "<a>")),
    "XML of many attributes": ("answer", lambda length: '<?xml version="1.0"?><a ' + numbered(length, "a{0}='zqxk{0}' ") + "/>"),
    "XML of references": ("answer", lambda length: '<?xml version="1.0"?><a>' + until(length, "&amp;&#65;&b;")),
    "a SAML message": ("request", lambda length: saml(numbered(length, "<b c='zqxk{0}'>vjqx{0}</b>"))),
    "a SAML message of subjects": ("request", lambda length: saml(numbered(length, "<NameID>zqxk{0}</NameID>"))),
    "an unknown text": ("answer", lambda length: "~" + until(length, "x1\n'y\" ")),
    "secrets that begin alike": ("answer", alike),
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
    words = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", authtape, "scrub", source,
             "-o", source.with_suffix(".clean.har"), "--overwrite"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"work: {name}: scrub ended with {done.returncode}: {done.stderr[-600:]}")
    return int(re.search(r"I +refs: +([\d,]+)", done.stderr)[1].replace(",", ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("authtape", type=Path)
    parser.add_argument("--only", default="", metavar="WORD", help="only the texts with this word in their name")
    asked = parser.parse_args()
    texts = {name: text for name, text in TEXTS.items() if asked.only in name}
    work = Path(tempfile.mkdtemp(prefix="authtape-work-"))
    jobs = {("nothing", 0): ("answer", error("no"))}
    for name, (place, text) in texts.items():
        for length in (SMALL, SMALL * FACTOR):
            jobs[name, length] = (place, text(length))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        run = {key: pool.submit(instructions, asked.authtape, work, f"{key[0]} {key[1]}", *job) for key, job in jobs.items()}
        counts = {key: job.result() for key, job in run.items()}
    start = counts["nothing", 0]
    steep = 0
    for name in texts:
        small, large = (counts[name, length] - start for length in (SMALL, SMALL * FACTOR))
        growth = large / small
        steep += growth > MOST
        print(f"{'ok  ' if growth <= MOST else 'STEEP'} {name}: {small / 1e6:.0f} M, {large / 1e6:.0f} M instructions, x {growth:.1f}")
    print(f"work: {len(texts) - steep} ok, {steep} failed")
    return 1 if steep else 0


if __name__ == "__main__":
    sys.exit(main())
