"""Validates cassettes against the JSON Schema that authtape prints, with another library.

    target/interop/venv/bin/python tests/interop/schema.py BINARY

Every shipped cassette and every session of tests/rules is valid. A cassette with one fault is not,
and authtape does not load it either.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
import yaml


def at(value, *path):
    """What stands there."""
    for step in path:
        value = value[step]
    return value


# Each makes one fault in a cassette.
FAULTS = {
    "an unknown key at the top": lambda tape: tape.update(colour="red"),
    "an unknown key in a request": lambda tape: at(tape, "interactions", 0, "request").update(colour="red"),
    "another version": lambda tape: tape.update(authtape=2),
    "no time of recording": lambda tape: tape.pop("recorded_at"),
    "an unknown step": lambda tape: at(tape, "interactions", 0).update(step="token_reply"),
    "a status that is a word": lambda tape: at(tape, "interactions", 0, "response").update(status="found"),
    "a negative time": lambda tape: at(tape, "interactions", 0).update(at=-1.0),
    "headers as one map": lambda tape: at(tape, "interactions", 0, "request").update(headers={"A": "b", "C": "d"}),
    "a header of two keys": lambda tape: at(tape, "interactions", 0, "request", "headers", 0).update(B="c"),
    "an unknown fact": lambda tape: at(tape, "interactions", 0).update(facts={"pkce.mood": "good"}),
    "a body that is neither": lambda tape: at(tape, "interactions", 0, "request").update(body="full"),
    "a secret's length as a word": lambda tape: at(tape, "interactions", 0).update(secrets={"code-1": {"length": "long"}}),
}


def loads(binary, tape):
    """Whether authtape loads it; JSON is YAML, too."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "tape.yaml")
        # The loader wants its version on the first line.
        body = yaml.safe_dump({key: value for key, value in tape.items() if key != "authtape"}, sort_keys=False)
        path.write_text(f"authtape: {tape['authtape']}\n{body}")
        return subprocess.run([binary, "show", path], capture_output=True).returncode == 0


def main():
    binary = sys.argv[1]
    schema = json.loads(subprocess.run([binary, "schema"], check=True, capture_output=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = sorted([*pathlib.Path("cassettes").rglob("*.yaml"), *pathlib.Path("tests/rules").rglob("*.yaml")])
    tapes = [(file, yaml.safe_load(text)) for file in files for text in file.read_text().split("---\n")]
    wrong = [f"{file}: {error.json_path}: {error.message}" for file, tape in tapes for error in validator.iter_errors(tape)]
    good = yaml.safe_load(pathlib.Path("cassettes/accounts.example.com/thread-correct.yaml").read_text())
    if not loads(binary, good):
        wrong.append("authtape does not load a good cassette that PyYAML wrote")
    for name, fault in FAULTS.items():
        tape = copy.deepcopy(good)
        fault(tape)
        if validator.is_valid(tape):
            wrong.append(f"{name} is valid")
        if loads(binary, tape):
            wrong.append(f"authtape loads {name}")
    if wrong or len(tapes) < 500:
        raise SystemExit("FAILED: " + "\n".join(wrong or [f"only {len(tapes)} sessions were found"]))
    print(f"  schema     {len(tapes)} sessions are valid, {len(FAULTS)} with a fault are not")


if __name__ == "__main__":
    main()
