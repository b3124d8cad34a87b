"""Searches files for secrets in every encoding that may carry them.

Written apart from the product on purpose: one decoding bug must not hide itself. Standard library
only. `check` raises where a canary is found; `self_test` proves that each encoding is caught.
"""

import base64
import json
import pathlib
import tempfile
import urllib.parse


def encodings(value):
    """Every spelling of a value, by name."""
    raw = value.encode()
    forms = {
        "raw": value,
        "percent": urllib.parse.quote(value, safe=""),
        "percent, lower case": lower_escapes(urllib.parse.quote(value, safe="")),
        "percent, all bytes": "".join(f"%{byte:02X}" for byte in raw),
        "percent, twice": urllib.parse.quote(urllib.parse.quote(value, safe=""), safe=""),
        "form": urllib.parse.quote_plus(value),
        "JSON": json.dumps(value)[1:-1],
        "JSON, all escaped": "".join(f"\\u{ord(c):04x}" for c in value),
        "hex": raw.hex(),
        "hex, upper case": raw.hex().upper(),
    }
    for shift in range(3):
        padded = b"\0" * shift + raw
        stable = len(padded) * 8 // 6
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            core = encode(padded).decode()[-(-8 * shift // 6):stable]
            if len(core) >= 8:
                forms[f"{name} at {shift}"] = core
    return forms


def lower_escapes(text):
    parts = text.split("%")
    return parts[0] + "".join("%" + part[:2].lower() + part[2:] for part in parts[1:])


def findings(root, canaries):
    """Pairs of file and what was found in it."""
    found = []
    for path in sorted(pathlib.Path(root).rglob("*")):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            for kind, value in canaries.items():
                for name, form in encodings(value).items():
                    if form in text:
                        found.append((path, f"{kind}, {name}"))
    return found


def check(root, canaries):
    """How many spellings were searched for; raises where one is there."""
    found = findings(root, canaries)
    if found:
        raise SystemExit("LEAK: " + "; ".join(f"{path}: {what}" for path, what in found))
    return sum(len(encodings(value)) for value in canaries.values())


def self_test():
    """Plants a canary in each encoding: every one must be found, and a clean file must not."""
    value = "Cn/7+kQ9 zR&2\"vXpL0aM=tB5eW"
    for name, form in encodings(value).items():
        with tempfile.TemporaryDirectory() as root:
            pathlib.Path(root, "planted.txt").write_text(f"before {form} after")
            if not any(what.endswith(name) for _, what in findings(root, {"canary": value})):
                raise SystemExit(f"the checker is blind to {name}")
    with tempfile.TemporaryDirectory() as root:
        pathlib.Path(root, "clean.txt").write_text("REDACTED-code-1 and other text")
        if findings(root, {"canary": value}):
            raise SystemExit("the checker sees canaries where there are none")
    return len(encodings(value))


if __name__ == "__main__":
    print(f"canary checker: {self_test()} encodings caught")
