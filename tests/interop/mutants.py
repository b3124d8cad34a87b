"""Mutants and certified clients: each kind of `authtape mutate`, replayed to clients that nobody here wrote.

    python3 tests/interop/mutants.py target/release/authtape [--certified] [--only NAME] [--kind NAME] [--keep DIR]

Each client is recorded once for each flow against oidc-provider. Every mutant that can be made of its cassette is then
played to the same script, in a network that has only a loopback, and what became of the client must be what the kind says,
or what OTHERWISE says of it: it refuses to go on, or goes on as if nothing was wrong. A request that is not on tape counts as neither.
"""

import argparse
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from run import ALONE, fail

HERE = pathlib.Path(__file__).resolve().parent / "replay"
sys.path.insert(0, str(HERE))
from cell import Cell  # noqa: E402
from clients import BY_NAME, SIGNED_RESPONSES  # noqa: E402
from servers import Server  # noqa: E402

# Certified by the OpenID Foundation.
CERTIFIED = ["openid-client", "oauth4webapi"]
CLIENTS = [BY_NAME[name] for name in [*CERTIFIED, "Authlib", "Rust openidconnect"]]

FLOWS = ["code", "refresh", "device", "par", "dpop", "jarm", "hybrid"]
# Of the other kinds the code flow shows what becomes of them.
FLOW_OF = {
    "device-denied": "device",
    "device-expired": "device",
    "device-slow-down": "device",
    "dpop-bearer": "dpop",
    "jarm-bad-signature": "jarm",
    "jarm-expired": "jarm",
    "jarm-wrong-aud": "jarm",
    "par-rejected": "par",
    "refresh-revoked": "refresh",
    "wrong-c-hash": "hybrid",
    "wrong-s-hash": "hybrid",
}
NOT_TRIED = {"token-inactive": "none of the clients introspects"}

OUTCOMES = {"reject": "rejects", "survive": "survives"}
# What becomes of a client where its kind leaves that open, or where it does otherwise. The loop that slows down is the
# caller's for those whose scripts give up.
OTHERWISE = {
    "openid-client": {
        "dpop-bearer": "survives", "expires-in-string": "survives", "rate-limited": "rejects", "unavailable": "rejects",
        "wrong-at-hash": "survives", "wrong-c-hash": "rejects", "wrong-s-hash": "rejects",
    },
    "oauth4webapi": {
        "device-slow-down": "rejects", "dpop-bearer": "survives", "expires-in-string": "survives", "rate-limited": "rejects",
        "unavailable": "rejects", "wrong-at-hash": "survives", "wrong-c-hash": "rejects", "wrong-s-hash": "rejects",
    },
    "Authlib": {
        "code-twice": "survives", "device-slow-down": "rejects", "expires-in-string": "survives", "missing-iss": "survives",
        "no-token-type": "survives", "rate-limited": "rejects", "unavailable": "rejects", "userinfo-sub-wrong": "survives",
        "wrong-at-hash": "rejects", "wrong-iss-callback": "survives",
    },
    "Rust openidconnect": {
        "code-twice": "survives", "expires-in-string": "rejects", "key-rotation": "rejects", "missing-iss": "survives",
        "not-yet-valid": "survives", "rate-limited": "rejects", "token-type-wrong": "survives", "unavailable": "rejects",
        "userinfo-sub-wrong": "survives", "wrong-at-hash": "rejects", "wrong-iss-callback": "survives",
    },
}


class Tape:
    """What one client did in one flow, and the mutants of it."""

    def __init__(self, binary, cell):
        self.binary, self.cell = binary, cell
        self.mutants = cell.work / "mutants"

    def record(self):
        cell, tape = self.cell, self.cell.tape("right")
        done = cell.run("recorded", "right", [self.binary, "record", str(tape), *cell.server.options, "--"])
        if not done or done.returncode or not done.stdout.endswith("done\n"):
            fail(f"{cell.client.name}, {cell.flow}: it cannot be recorded")
        made = subprocess.run(
            [self.binary, "mutate", tape, "--as", "all", "-o", self.mutants], capture_output=True, text=True
        )
        if made.returncode:
            fail(f"{cell.client.name}, {cell.flow}: {made.stderr}")

    def play(self, kind):
        """What became of the client, and what it said of it."""
        mutant = self.mutants / f"right.{kind}.yaml"
        if not mutant.exists():
            return "unfit", "the kind does not fit"
        ours = ["replay", str(mutant), "--json", "--latency", "recorded", "--limit", "answer-head=3s", "--"]
        old_keys = {"OLD_KEYS": "1"} if kind == "key-rotation" else {}
        done = self.cell.run(kind, "right", [*ALONE, self.binary, *ours], old_keys)
        if done is None:
            return "hangs", "no end"
        *said, report = done.stdout.splitlines() or [""]
        try:
            misses = json.loads(report)["misses"]
        except (ValueError, KeyError):
            return "fails", f"there is no report: {report!r}"
        if misses:
            return "fails", f"{misses[0]['asked']}: {misses[0]['reason']}"
        if said and said[-1] == "done":
            return "survives", ""
        told = said[-1:] if said and said[-1].startswith("refused") else done.stderr.strip().splitlines()
        return "rejects", reason(told)


def does(client, flow):
    """Of signed authorization responses there are scripts for those only who are certified."""
    return client.name in CERTIFIED if flow in SIGNED_RESPONSES else flow not in client.cannot


def reason(lines):
    """The line that names the error."""
    named = [line.strip() for line in lines if "rror" in line or "refused" in line]
    return (named or lines or ["nothing"])[-1][:100]


def expected(client, kind):
    """What becomes of a client, as it always did."""
    return OTHERWISE[client.name].get(kind["kind"]) or OUTCOMES.get(kind["must"])


def mark(kind, outcome):
    """An outcome, and whether it is another than the kind says."""
    return outcome if outcome in ("–", OUTCOMES.get(kind["must"], outcome)) else f"{outcome} (!)"


def table(kinds, clients, outcomes):
    width = max(len(kind["kind"]) for kind in kinds) + 2
    columns = [max(len(client.name), 13) + 2 for client in clients]
    heads = "".join(client.name.ljust(column) for client, column in zip(clients, columns))
    yield f"{'kind'.ljust(width)}{'must'.ljust(9)}{heads}"
    for kind in kinds:
        cells = (mark(kind, outcomes.get((client.name, kind["kind"]), ("–", ""))[0]) for client in clients)
        row = "".join(cell.ljust(column) for cell, column in zip(cells, columns))
        yield f"{kind['kind'].ljust(width)}{kind['must'].ljust(9)}{row}".rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--only", default="", help="only the clients whose name contains this")
    parser.add_argument("--certified", action="store_true", help="only the clients that are certified")
    parser.add_argument("--kind", default="", help="only the kinds whose name contains this")
    parser.add_argument("--keep", help="leave what was written in this directory")
    given = parser.parse_args()
    binary, begun = str(pathlib.Path(given.binary).resolve()), time.monotonic()
    listed = subprocess.run([binary, "mutate", "--list", "--json"], check=True, capture_output=True)
    kinds = [kind for kind in json.loads(listed.stdout)["kinds"] if given.kind in kind["kind"]]
    tried = [kind for kind in kinds if kind["kind"] not in NOT_TRIED]
    clients = [client for client in CLIENTS if given.only.lower() in client.name.lower()]
    if given.certified:
        clients = [client for client in clients if client.name in CERTIFIED]
    with tempfile.TemporaryDirectory() as directory:
        outcomes = played(binary, pathlib.Path(directory), clients, tried)
        if given.keep:
            shutil.copytree(directory, given.keep, dirs_exist_ok=True)
    wrong = 0
    for client in clients:
        for kind in tried:
            outcome, why = outcomes.get((client.name, kind["kind"]), ("–", ""))
            if outcome not in ("–", expected(client, kind)):
                wrong += 1
                print(f"FAILED: {client.name}, {kind['kind']}: {outcome}, not {expected(client, kind)} {why}")
    print("\n".join(table(tried, clients, outcomes)))
    for kind, why in NOT_TRIED.items():
        print(f"{kind}: not tried, {why}")
    print(f"{len(outcomes)} cells, {wrong} wrong, {time.monotonic() - begun:.0f} s")
    return 1 if wrong or not outcomes else 0


def played(binary, work, clients, kinds):
    flows = sorted({FLOW_OF.get(kind["kind"], "code") for kind in kinds}, key=FLOWS.index)
    server = Server("oidc-provider", work, [entry for client in clients for entry in client.registered()])
    tapes = {
        (client.name, flow): Tape(binary, Cell(client, flow, server, work, ["right"]))
        for client in clients for flow in flows if does(client, flow)
    }
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(Tape.record, tapes.values()))
        server.stop()
        wanted = [(client.name, kind["kind"]) for client in clients for kind in kinds]
        wanted = {place: tapes.get((place[0], FLOW_OF.get(place[1], "code"))) for place in wanted}
        wanted = {place: tape for place, tape in wanted.items() if tape}
        return dict(zip(wanted, pool.map(lambda place: wanted[place].play(place[1]), wanted)))


if __name__ == "__main__":
    sys.exit(main())
