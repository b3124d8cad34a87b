"""Loads cassettes with another YAML reader: every text must be read as the same text.

    target/interop/venv/bin/python tests/interop/readers.py cassettes

PyYAML speaks YAML 1.1, which retypes the most (`no`, `12:30`, `1e3`). Its loader that keeps every
scalar as text is compared with the one that guesses types: where they differ, the key must be one
whose value is a number or a truth.
"""

import pathlib
import sys

import yaml

TYPED = {"authtape", "id", "at", "after", "status", "length", "size"}


def differences(text, guessed, key, path):
    """Where a reader that guesses types reads something else than the text."""
    if isinstance(text, dict):
        for name in text:
            if name not in guessed:
                yield f"{path}: the key {name!r} is retyped"
            else:
                yield from differences(text[name], guessed[name], name, f"{path}.{name}")
    elif isinstance(text, list):
        for at, pair in enumerate(zip(text, guessed)):
            yield from differences(*pair, key, f"{path}[{at}]")
    elif text != guessed and key not in TYPED and ".redacted." not in path and ".facts." not in path:
        yield f"{path}: {text!r} is read as {guessed!r}"


def main():
    files = sorted(pathlib.Path(sys.argv[1]).rglob("*.yaml"))
    wrong = []
    for file in files:
        text = file.read_text()
        pair = yaml.load(text, yaml.BaseLoader), yaml.safe_load(text)
        wrong += [f"{file}{place}" for place in differences(*pair, "", "")]
    planted = "no: yes\nat: 1.0\nurl: 12:30\n"
    if len(list(differences(yaml.load(planted, yaml.BaseLoader), yaml.safe_load(planted), "", ""))) != 2:
        raise SystemExit("FAILED: the check does not see a retyped scalar")
    if wrong or not files:
        raise SystemExit("FAILED: " + "\n".join(wrong or ["no cassette was found"]))
    print(f"  readers    {len(files)} cassettes are read by PyYAML as they were written")


if __name__ == "__main__":
    main()
