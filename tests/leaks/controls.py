"""Does the benchmark see it when a rule is missing? Each rule is switched off in turn.

    python3 tests/leaks/controls.py [--check] [--only WORD] [--from N]

A tree of its own is built with each mutation of `mutations.py`; at least one cell must fail that
does not fail without it, or the test that the mutation names. The cells end with the first that
fail. `--check` only says which mutations still fit the source. Takes about half a minute for each:
no part of CI.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from mutations import MUTATIONS

ROOT = pathlib.Path(__file__).parents[2]
HERE = ROOT / "target" / "controls"
# Nobody debugs these builds, and they are many.
ENVIRONMENT = {
    **os.environ,
    "CARGO_TARGET_DIR": str(HERE / "target"),
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "RUSTFLAGS": "-Awarnings",
}


def git(*arguments):
    subprocess.run(["git", *map(str, arguments)], cwd=ROOT, check=True, capture_output=True)


def build(tree):
    """The binary of the tree as it stands; `None` where it does not build."""
    done = subprocess.run(
        ["cargo", "build", "--quiet", "--locked"],
        cwd=tree,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    if done.returncode != 0:
        print(done.stderr[-600:])
        return None
    return HERE / "target" / "debug" / "authtape"


def leaking(binary, *which):
    """The names of cells that leak, of those that `run.py` is asked for."""
    run = pathlib.Path(__file__).with_name("run.py")
    done = subprocess.run(
        [sys.executable, run, binary, "--json", *which], capture_output=True, text=True, timeout=600
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
    parser.add_argument("--from", type=int, default=1, dest="first", metavar="N")
    options = parser.parse_args()
    wanted = [mutation for mutation in MUTATIONS if options.only in mutation.name]
    wanted = wanted[options.first - 1 :]
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
        fit = [mutation for mutation in wanted if mutation.name not in bad]
        # All of the sound tree first: each mutation is then built once.
        tests = {mutation.test for mutation in fit if mutation.test}
        before = {test: tested(tree, test) for test in tests}
        sound = shutil.copy(build(tree), HERE / "sound")
        for mutation in fit:
            killed += kills(tree, mutation, before, sound)
    finally:
        git("worktree", "remove", "--force", tree)
    print(f"controls: {killed} of {len(wanted)} rules, switched off, are missed")
    return 0 if killed == len(wanted) else 1


def kills(tree, mutation, before, sound):
    """Whether cells fail with the mutation that do not without it, or its test."""
    path = tree / mutation.file
    whole = path.read_text()
    path.write_text(whole.replace(mutation.old, mutation.new))
    try:
        if mutation.test:
            ends = before[mutation.test], tested(tree, mutation.test)
            good, what = ends == ("ok", "FAILED"), f"its test {ends[0]}, then {ends[1]}"
        else:
            binary = build(tree)
            found = leaking(binary, "--first", "--only", mutation.cells) if binary else set()
            named = [word for cell in found for word in ("--cell", cell)]
            more = found - leaking(sound, *named) if found else found
            good, what = bool(more), f"{len(more)} cells more{'' if binary else ' (does not build)'}"
    finally:
        path.write_text(whole)
    print(f"{'ok' if good else 'FAIL'} {mutation.name}: {what}", flush=True)
    return good


def tested(tree, test):
    """What cargo says of a test: `ok` or `FAILED`; a test that is not there is neither."""
    done = subprocess.run(
        ["cargo", "test", "--locked", *test.split()],
        cwd=tree,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    told = re.search(r"^test result: (\w+)\. (\d+) passed; (\d+) failed", done.stdout, re.M)
    if not told:
        return "does not build"
    return told[1] if int(told[2]) + int(told[3]) else "is not there"


if __name__ == "__main__":
    sys.exit(main())
