#!/usr/bin/env python3
"""Measures authtape beside its peers, in one run: `run.py target/release/authtape`.

What the figures mean is in docs/performance.md. `install`, beside this, installs what it needs.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import table
from rig import BUILD, Failed, Held, Origin, Process, TOOLS, first_answer, load
from targets import Direct, Mitmdump, NAMES, Record, TARGETS

SECONDS = 2.5
SMALL = 2000
BLOCKS, BLOCK = 4, 1500
TUNNELS = (1000, 4500)
BLOB = {"method": "GET", "path": "/blob", "length": 10 << 20}
# An interpreter's share of what is measured in a second: it gets fewer tunnels, lest it takes minutes.
FEW = (Mitmdump,)


class Run:
    def __init__(self, authtape, repetitions, work):
        self.authtape, self.repetitions, self.work = authtape, repetitions, work
        self.names = NAMES * repetitions
        self.running = []
        self.origin = Origin(work)
        self.running.append(self.origin.process)

    def end(self):
        for process in self.running:
            process.kill()

    def load(self, target, request, **more):
        """Loads a target; what it answered counts as asked of it."""
        cpu = target.process.cpu() if target.process else 0
        handshakes, requests = self.origin.counts()
        found = load(target.at, self.origin, request, **more)
        found["cpu"] = (target.process.cpu() if target.process else 0) - cpu
        after = self.origin.counts()
        found["handshakes"] = after[0] - handshakes
        if after[1] - requests != found["requests"]:
            raise Failed(f"{target.name}: {found['requests']} answers, {after[1] - requests} of them the origin's")
        target.asked += found["requests"]
        return found


def per_thousand(found):
    return {
        "rate": found["requests"] / found["seconds"],
        "p50_ms": found["p50_us"] / 1e3,
        "p99_ms": found["p99_us"] / 1e3,
        "cpu": found["cpu"] / found["requests"] * 1e3,
    }


def post(connections):
    def case(run, target, repetition):
        return per_thousand(run.load(target, target.request, connections=connections, seconds=SECONDS))

    return case


def own_connection(target, found):
    """Nothing may be shared where each connection is to pay for itself."""
    if found["handshakes"] < found["requests"]:
        raise Failed(f"{target.name}: {found['requests']} connections, {found['handshakes']} to the origin")


def new(run, target, repetition):
    found = run.load(target, target.request, connections=16, seconds=SECONDS, reconnect=1)
    own_connection(target, found)
    return per_thousand(found)


def names(run, target, repetition):
    more = {"connections": 4, "requests": NAMES, "reconnect": 1, "first-name": repetition * NAMES}
    rows = []
    for _ in range(2):
        found = run.load(target, {**target.request, "host": "h{}.idp.test"}, **more)
        own_connection(target, found)
        rows.append(per_thousand(found))
    never_seen, again = rows
    return {**never_seen, "again_cpu": again["cpu"], "again_p50_ms": again["p50_ms"]}


def blob(run, target, repetition):
    before = 0
    if target.process:
        target.process.forget_peak()
        before = target.process.memory("VmRSS")
    found = run.load(target, BLOB, connections=1, seconds=SECONDS)
    peak = target.process.memory("VmHWM") if target.process else 0
    return {
        "rate": found["bytes"] / found["seconds"] / 1e6,
        "cpu": found["cpu"] / found["bytes"] * 1e9,
        "peak_mib": peak,
        "growth_mib": peak - before,
    }


def stall(run, target, repetition):
    row = {}
    for method in ("POST", "GET", "PUT"):
        for size in (100, 5000):
            request = {"method": method, "path": f"/size/{size}", "length": size}
            if method != "GET":
                request |= {"type": "text/plain", "body": "x" * size}
            found = run.load(target, request, connections=1, requests=60)
            row[f"{method} {size}"] = found["p50_us"] / 1e3
    return row


def start(run, target, repetition):
    if isinstance(target, Direct):
        return None
    began = time.perf_counter()
    target.start(wait=False)
    target.process.listening(target.at["port"])
    listens = time.perf_counter() - began
    target.ready()
    first_answer(target.at, run.origin, target.request)
    answers = time.perf_counter() - began
    target.asked += 1
    run.load(target, target.request, connections=16, requests=SMALL)
    row = {"listens_ms": listens * 1e3, "answers_ms": answers * 1e3, "peak_mib": target.process.memory("VmHWM")}
    target.stop()
    return row


def idle(run, target, repetition):
    if isinstance(target, Direct):
        return None
    row = {}
    for count in TUNNELS[:1] if isinstance(target, FEW) else TUNNELS:
        target.start()
        run.load(target, target.request, connections=1, requests=1)
        before = target.process.memory("VmRSS")
        held = Held(target.at, run.origin, target.request, count)
        time.sleep(0.5)
        row[f"kb_each_{count}"] = (target.process.memory("VmRSS") - before) * 1024 / count
        held.close()
        target.asked += count
        target.stop()
    return row


def many(run, target, repetition):
    if target.name not in ("mitmdump -w", "authtape record"):
        return None
    target.start()
    request = {**target.request, "path": "/fresh"}
    blocks = [per_thousand(run.load(target, request, connections=16, requests=BLOCK)) for _ in range(BLOCKS)]
    row = {f"block_{number}": block["cpu"] for number, block in enumerate(blocks, 1)}
    row["peak_mib"] = target.process.memory("VmHWM")
    target.stop()
    return row


CASES = {
    "post1": post(1),
    "post16": post(16),
    "new16": new,
    "names": names,
    "blob": blob,
    "stall": stall,
    "start": start,
    "idle": idle,
    "many": many,
}
FRESH = ("new16", "names")
ALONE = ("start", "idle", "many")


def measure(run, cases, targets):
    rows = []
    for repetition in range(run.repetitions):
        shared, fresh = {}, {}
        for kind in targets:
            shared[kind] = standing(run, kind, False) if set(cases) - set(FRESH) - set(ALONE) else None
            if set(cases) & set(FRESH):
                fresh[kind] = standing(run, kind, True) if kind.shares or not shared[kind] else shared[kind]
        order = targets if repetition % 2 == 0 else targets[::-1]
        for case in cases:
            for kind in order:
                target = kind(run) if case in ALONE else (fresh if case in FRESH else shared)[kind]
                row = CASES[case](run, target, repetition)
                if row is None:
                    continue
                row = {"case": case, "target": kind.name, "repetition": repetition,
                       "load": os.getloadavg()[0], **row}
                rows.append(row)
                print(json.dumps({name: round(value, 4) if isinstance(value, float) else value
                                  for name, value in row.items()}), file=sys.stderr, flush=True)
        for target in {id(target): target for target in [*shared.values(), *fresh.values()] if target}.values():
            target.stop()
    return rows


def standing(run, kind, fresh):
    """A target that stays up for a repetition, and is warm."""
    target = kind(run)
    target.start(fresh)
    run.load(target, target.request, connections=16, requests=300)
    return target


def versions(authtape):
    told = {"authtape": [authtape, "--version"], "nginx": ["nginx", "-v"], "rustc": ["rustc", "--version"],
            "mitmproxy": [TOOLS / "venv/bin/mitmdump", "--version"]}
    found = {}
    for name, words in told.items():
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True, timeout=60)
        found[name] = (done.stdout + done.stderr).strip().splitlines()[0]
    lock = (Path(__file__).parent / "Cargo.lock").read_text()
    for name in ("hudsucker", "hyper", "rustls", "aws-lc-rs"):
        found[name] = lock.split(f'name = "{name}"\nversion = "', 1)[1].split('"', 1)[0]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("authtape", type=Path)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", action="append", choices=CASES, help="this case (repeatable)")
    parser.add_argument("--target", action="append", choices=[kind.name for kind in TARGETS],
                        help="this target, beside direct and nginx (repeatable)")
    given = parser.parse_args()
    if not (BUILD / "load").exists():
        parser.error("run benches/compare/install first")
    targets = [kind for kind in TARGETS
               if not given.target or kind.name in (*given.target, "direct", "nginx")]
    # A tunnel has two ends in the proxy.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard < 20000 and hard > 0 else 20000, hard))
    work = Path(tempfile.mkdtemp(prefix="authtape-compare-"))
    os.chmod(work, 0o755)
    run = None
    try:
        run = Run(given.authtape.resolve(), given.repetitions, work)
        rows = measure(run, given.only or list(CASES), targets)
    except Failed as failed:
        print(f"failed: {failed}", file=sys.stderr)
        print(f"left in {work}", file=sys.stderr)
        return 1
    finally:
        if run:
            run.end()
    shutil.rmtree(work)
    results = {"versions": versions(given.authtape.resolve()), "rows": rows}
    (TOOLS / "results.json").write_text(json.dumps(results, indent=1))
    print(table.write(results))
    return table.verdict(results)


if __name__ == "__main__":
    sys.exit(main())
