"""Does the benchmark see it when a rule is missing? Each rule is switched off in turn.

    python3 tests/leaks/controls.py [--check] [--only WORD]

A tree of its own is built with each mutation of `mutations.py`; at least one cell must fail that
does not fail without it, or the test that the mutation names. `--check` only says which mutations still fit the source. Takes about half
a minute for each: no part of CI.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

from mutations import MUTATIONS

ROOT = pathlib.Path(__file__).parents[2]
HERE = ROOT / "target" / "controls"


def git(*arguments):
    subprocess.run(["git", *map(str, arguments)], cwd=ROOT, check=True, capture_output=True)


def build(tree):
    """The binary of the tree as it stands; `None` where it does not build."""
    done = subprocess.run(
        ["cargo", "build", "--quiet", "--locked"],
        cwd=tree,
        capture_output=True,
        text=True,
        env={**os.environ, "CARGO_TARGET_DIR": str(HERE / "target"), "RUSTFLAGS": "-Awarnings"},
    )
    if done.returncode != 0:
        print(done.stderr[-600:])
        return None
    return HERE / "target" / "debug" / "authtape"


def leaking(binary, cells):
    """The names of the cells that leak."""
    done = subprocess.run(
        [
            sys.executable,
            pathlib.Path(__file__).with_name("run.py"),
            binary,
            "--json",
            "--only",
            cells,
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode not in (0, 1) or not done.stdout.startswith("{"):
        raise SystemExit(f"the benchmark ended with {done.returncode}: {done.stderr[-400:]}")
    told = json.loads(done.stdout.splitlines()[0])
    return {leak["cell"] for leak in told["leaks"]} | set(told["not_recorded"])


def unfit(mutation):
    """Why a mutation does not fit the source, if so."""
    count = ROOT.joinpath(mutation.file).read_text().count(mutation.old)
    return None if count == 1 else f"its text stands in {mutation.file} {count} times"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    wanted = [mutation for mutation in MUTATIONS if options.only in mutation.name]
    bad = {mutation.name: why for mutation in wanted if (why := unfit(mutation))}
    for name, why in bad.items():
        print(f"DOES NOT FIT {name}: {why}")
    if options.check:
        print(f"controls: {len(wanted)} mutations, {len(bad)} do not fit the source")
        return 1 if bad else 0
    tree = HERE / "tree"
    if not tree.exists():
        git("worktree", "add", "--detach", tree)
    killed = 0
    try:
        git("-C", tree, "checkout", "--force", "--detach", "HEAD")
        for mutation in wanted:
            if mutation.name not in bad:
                killed += kills(tree, mutation)
    finally:
        git("worktree", "remove", "--force", tree)
    print(f"controls: {killed} of {len(wanted)} rules, switched off, are missed")
    return 0 if killed == len(wanted) else 1


def kills(tree, mutation):
    """Whether cells fail with the mutation that did not without it."""
    path = tree / mutation.file
    whole = path.read_text()
    if mutation.test:
        return is_tested(tree, mutation)
    sound = build(tree)
    before = leaking(sound, mutation.cells) if sound else set()
    path.write_text(whole.replace(mutation.old, mutation.new))
    try:
        binary = build(tree)
        more = leaking(binary, mutation.cells) - before if binary else set()
    finally:
        path.write_text(whole)
    built = "" if sound and binary else " (does not build)"
    print(f"{'ok' if more else 'FAIL'} {mutation.name}: {len(more)} cells more{built}", flush=True)
    return bool(more)


def is_tested(tree, mutation):
    """Whether the mutation's test passes without it, and fails with it."""
    path = tree / mutation.file
    whole = path.read_text()
    sound = tested(tree, mutation.test)
    path.write_text(whole.replace(mutation.old, mutation.new))
    try:
        mutant = tested(tree, mutation.test)
    finally:
        path.write_text(whole)
    good = (sound, mutant) == ("ok", "FAILED")
    print(f"{'ok' if good else 'FAIL'} {mutation.name}: its test {sound}, then {mutant}", flush=True)
    return good


def tested(tree, test):
    """What cargo says of a test: `ok` or `FAILED`; a test that is not there is neither."""
    done = subprocess.run(
        ["cargo", "test", "--locked", *test.split()],
        cwd=tree,
        capture_output=True,
        text=True,
        env={**os.environ, "CARGO_TARGET_DIR": str(HERE / "target"), "RUSTFLAGS": "-Awarnings"},
    )
    told = re.search(r"^test result: (\w+)\. (\d+) passed; (\d+) failed", done.stdout, re.M)
    if not told:
        return "does not build"
    return told[1] if int(told[2]) + int(told[3]) else "is not there"


if __name__ == "__main__":
    sys.exit(main())
