"""The shared page in a real browser: what a stranger's cassette says is text in it, whatever it says.

    python3 tests/interop/share.py target/release/authtape

Each of 120 payloads stands in every place that the author of a cassette controls. The page must show no dialog, request
nothing, say nothing on the console, lead nowhere, be no wider than the screen, and have the elements of the same page with a harmless
text. The HAR file beside it is validated, and read by other tools.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent / "share"))
from payloads import ALL  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "target/interop"
NODE = TOOLS / "node_modules/node/bin/node"


# What our pages are made of.
KNOWN = set(
    "HTML HEAD META TITLE STYLE BODY HEADER P H1 TIME STRONG MAIN SECTION H2 H3 ARTICLE SPAN TABLE THEAD TBODY TR TH TD A CODE Q MARK DIV PRE DETAILS SUMMARY FOOTER "
    "svg title desc line text a polygon "
    "lang charset http-equiv content name class id href scope open tabindex role aria-label aria-labelledby viewBox width height x y x1 x2 y1 y2 points".split()
)


def cassette(text):
    """A cassette that says it everywhere."""
    # Keys of YAML that stand on a line with their value are not longer.
    key, address = text[:500], "https://client.example/?x=" + urllib.parse.quote(text)
    request = {
        "method": "POST",
        "url": "https://as.example/token/" + text,
        "http": "1.1",
        "query": [{key: text}, {"state": text}],
        "headers": [{"User-Agent": text}, {"X-Request-Id": text}, {"X-" + key: text}],
        "form": [{"grant_type": text}, {key: text}, {"redirect_uri": text}, {"client_id": text}],
    }
    answer = {"error": text, "error_description": text, key: text}
    response = {"status": 400, "after": 0.1, "headers": [{"Location": address}, {"Content-Type": text}, {"X-Request-Id": text}], "json": json.dumps(answer), "wire": "exact"}
    page = {"status": 200, "after": 0.1, "headers": [{"Content-Type": "text/html"}], "forms": [{"method": "post", "action": text, "fields": [{key: {"type": "hidden", "value": text}}]}], "body": {"dropped": "page", "size": 100}}
    authorize = {"method": "GET", "url": "https://as.example/authorize", "http": "1.1", "query": [{"redirect_uri": text}, {"client_id": text}, {"scope": text}, {key: text}]}
    interactions = [
        {"id": 1, "step": "authorization_request", "at": 0.0, "request": authorize, "response": page},
        {"id": 2, "step": "token_request", "at": 0.1, "request": request, "response": response, "facts": {"placeholder.in": text}},
        {"id": 3, "step": "other", "at": 0.2, "request": {"method": text, "url": text, "http": text, "text": text}, "error": {"kind": "tls_failure", "phase": "connect", "after": 0.1}},
    ]
    head = {
        "recorded_by": text,
        "recorded_at": text,
        "server": text,
        "redacted": {key: 1},
        "mutant": {"kind": text, "changed": text, "client": text, "see": text},
        "interactions": interactions,
    }
    return "authtape: 1\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items())


def shown(binary, directory, name, text):
    """The page of any cassette, which nobody hands on."""
    tape, page = directory / f"{name}.yaml", directory / f"{name}.html"
    tape.write_text(text)
    with page.open("w") as out:
        done = subprocess.run([binary, "show", tape, "--html"], stdout=out, stderr=subprocess.PIPE, text=True, timeout=60)
    return (None, done.stderr) if done.returncode else (page, None)


def shared(binary, directory, name, text):
    """The page of a cassette, or why there is none."""
    tape = directory / f"{name}.yaml"
    tape.write_text(text)
    out = directory / name
    done = subprocess.run([binary, "share", tape, "-o", out], capture_output=True, text=True, timeout=60)
    if done.returncode:
        return None, done.stderr
    return out / "report.html", None


def faults(told, benign):
    """What a page did that it must not."""
    if told["dialogs"] or told["requests"] or told["console"] or told["links"]:
        yield {key: told[key] for key in ("dialogs", "requests", "console", "links")}
    # How many labels and lines a text has is its own matter, not that of markup.
    inside = {"SPAN", "MARK"}
    extra = {tag: count for tag, count in told["elements"].items() if tag not in inside and count > benign["elements"].get(tag, 0)}
    if extra:
        yield f"it has more elements: {extra}"
    if unknown := [name for key in ("tags", "attributes") for name in told[key] if name not in KNOWN]:
        yield f"it has elements or attributes that no page has: {unknown}"
    if told["wide"] > 0:
        yield f"it is {told['wide']} pixels wider than the screen"


def validate(files):
    """HAR files, by a public validator and another reader."""
    check = "const v=require('har-validator');const fs=require('fs');(async()=>{for(const f of process.argv.slice(1)){await v.har(JSON.parse(fs.readFileSync(f)))}})().catch(e=>{console.error(JSON.stringify(e.errors??String(e)).slice(0,600));process.exit(1)})"
    subprocess.run([NODE, "-e", check, *files], check=True, cwd=TOOLS)
    read = "import sys; from haralyzer import HarParser; import json\nfor f in sys.argv[1:]:\n    pages = HarParser(json.load(open(f)))\n    assert pages.har_data['version'] == '1.2' and pages.har_data['entries'], f"
    subprocess.run([TOOLS / "venv/bin/python", "-c", read, *files], check=True)


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        wrong, pages, names = [], [], []
        for name, text in [("benign", "harmless"), *((f"{kind}-{at}", text) for at, (kind, text) in enumerate(ALL))]:
            page, why = shown(binary, directory, name, cassette(text))
            if page is None:
                wrong.append(f"{name}: {why}")
                continue
            pages.append(str(page))
            names.append(name)
        tapes = sorted((ROOT / "cassettes").rglob("*.yaml"))
        real = [shared(binary, directory, f"real-{tape.stem}", tape.read_text()) for tape in tapes]
        wrong += [f"{tape}: {why}" for tape, (page, why) in zip(tapes, real) if page is None]
        pages += [str(page) for page, _ in real if page]
        names += [f"real-{tape.stem}" for tape, (page, _) in zip(tapes, real) if page]
        (directory / "pages.json").write_text(json.dumps(pages))
        look = pathlib.Path(__file__).parent / "share/look.mjs"
        seen = subprocess.run([NODE, look, TOOLS, directory / "pages.json"], check=True, capture_output=True, text=True, timeout=600)
        told = [json.loads(line) for line in seen.stdout.splitlines()]
        benign = told[0]
        clean = 0
        for name, one in zip(names, told):
            against = one if name.startswith("real-") else benign
            found = list(faults(one, against))
            wrong += [f"{name}: {fault}" for fault in found]
            clean += not found and not name.startswith(("real-", "benign"))
        validate([str(page.with_name("session.har")) for page, _ in real if page])
        # The eyes must see what they look for.
        bad = directory / "bad.html"
        bad.write_text("<p>x<script>alert(1)</script><img src=https://evil.example/x><a href=https://evil.example/>x</a>")
        (directory / "pages.json").write_text(json.dumps([str(bad)]))
        seen = json.loads(subprocess.run([NODE, look, TOOLS, directory / "pages.json"], check=True, capture_output=True, text=True).stdout)
        if not (seen["dialogs"] and seen["requests"] and seen["links"] and list(faults(seen, benign))):
            wrong.append(f"what is wrong is not seen: {seen}")
        if wrong or clean != len(ALL) or len(ALL) < 120:
            raise SystemExit("FAILED: " + "\n".join(str(fault)[:600] for fault in wrong[:20]) + f"\n{clean}/{len(ALL)} payloads")
        print(f"  share      {clean}/{len(ALL)} payloads are texts, {len(real)} HAR files are valid and read by haralyzer")


if __name__ == "__main__":
    main()
