"""HAR files of real tools through `scrub`: valid, without their secrets, their relations kept.

    python3 tests/interop/har.py target/release/authtape

Standard library only; Playwright, Polly and har-validator are installed by `.ci/install`.
"""

import json
import pathlib
import sys
import tempfile

import canary
from run import TOOLS, fail, run

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE / "har.mjs"
NODE = TOOLS / "node_modules/node/bin/node"

# What the server gave and the client sent on: the entry, and where in it.
RELATIONS = {
    "code": [("/authorize", ["response", "redirectURL"]), ("/token", ["request", "postData", "text"])],
    "access_token": [("/token", ["response", "content", "text"]), ("/userinfo", ["request", "headers"])],
    "state": [("/authorize", ["request", "url"]), ("/callback", ["request", "url"])],
}


def entry(log, path):
    for one in log["entries"]:
        if f"{path}?" in one["request"]["url"] or one["request"]["url"].endswith(path):
            return one
    fail(f"no entry of {path}")


def related(log, tool):
    """The label of each secret that travels stands at both ends."""
    for kind, ends in RELATIONS.items():
        for path, members in ends:
            value = entry(log, path)
            for member in members:
                value = value[member]
            if f"REDACTED-{kind}-1" not in json.dumps(value):
                fail(f"{tool}: {kind} has no label in {path} {'.'.join(members)}: {value}")


def scrubbed(binary, tool, work):
    source, secrets, out = work / f"{tool}.har", work / f"{tool}.json", work / "out" / f"{tool}.har"
    run([NODE, SCRIPT, tool, source, secrets])
    canaries = json.loads(secrets.read_text())
    there = {what.split(",")[0] for path, what in canary.findings(work, canaries) if path == source}
    if there != set(canaries):
        fail(f"{tool}: the recording lacks {set(canaries) - there}, so nothing is shown by their absence")
    told = run([binary, "scrub", source, "-o", out])
    (work / "out" / f"{tool}.log").write_text(told.stdout + told.stderr)
    before, after = (json.loads(path.read_text())["log"] for path in (source, out))
    if len(before["entries"]) != len(after["entries"]):
        fail(f"{tool}: {len(before['entries'])} entries became {len(after['entries'])}")
    related(after, tool)
    run([NODE, SCRIPT, "validate", out])
    spellings = canary.check(work / "out", canaries)
    print(f"  scrubbed   {tool:12} {len(after['entries'])} entries, valid, {spellings} spellings searched for")


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        (work / "out").mkdir()
        broken = work / "broken.har"
        broken.write_text('{"log": {"version": "1.2", "entries": [{}]}}')
        if run([NODE, SCRIPT, "validate", broken], expect=None).returncode == 0:
            fail("the validator takes what is no HAR file")
        for tool in ["playwright", "polly"]:
            scrubbed(binary, tool, work)


if __name__ == "__main__":
    sys.exit(main())
