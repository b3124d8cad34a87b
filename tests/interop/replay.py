"""The matrix of replay: clients that nobody here wrote, each flow, right and wrong, recorded and replayed.

    python3 tests/interop/replay.py target/release/authtape [--only NAME] [--flow NAME] [--server NAME] [--quick]
        [--write docs/replay.md] [--keep DIR]

Each cell runs its client's script as it is against a real server (direct), behind `record`, whose tape of the right client
must leave `explain` nothing to blame (explained), and then against the tape alone: in a network that has only a loopback (offline), and a year later in a network where a canary answers
whoever is called (later). What the script prints must be the same each time. A wrong client is then played to the
tape of the right one, and must be refused as the server refused it (refused). Without `--write`, the outcome must be the page's.
"""

import argparse
import concurrent.futures
import pathlib
import re
import shutil
import sys
import tempfile
import time

from run import fail

HERE = pathlib.Path(__file__).resolve().parent / "replay"
sys.path.insert(0, str(HERE))
from cell import Cell  # noqa: E402
from clients import ALGORITHMS, BY_NAME, CLIENTS, DJANGO, DJANGO_FLOWS, FLOWS, QUICK, SIGNED_RESPONSES, VERIFIERS  # noqa: E402
from servers import Server  # noqa: E402

PAGE = HERE.parent.parent.parent / "docs" / "replay.md"
BEGIN, END = "<!-- matrix: written by tests/interop/replay.py -->", "<!-- end of matrix -->"


class Table:
    """A table of the page: what stands at each row and column is a cell, or the reason why there is none."""

    def __init__(self, title, head, server, places, variants=("right", "wrong")):
        self.title, self.head, self.server, self.variants = title, head, server, variants
        # (row, column): a client and a flow, or a reason.
        self.places, self.cells = places, {}

    def clients(self):
        return {client.id: client for client, _ in self.wanted().values()}.values()

    def wanted(self):
        return {place: what for place, what in self.places.items() if isinstance(what, tuple)}

    def columns(self):
        return list(dict.fromkeys(column for _, column in self.places))

    def text(self, row, column, written):
        """What a cell says; of one that did not run, what the page says."""
        if (row, column) in self.cells:
            return self.cells[row, column].text()
        if isinstance(self.places[row, column], str):
            return "–"
        return at(written, self, row, column) or "not tried"

    def reasons(self):
        """Who has no cell where, by reason."""
        by = {}
        for (row, column), why in self.places.items():
            if isinstance(why, str):
                by.setdefault((row, why), []).append(column)
        return [f"- {row}: no {', '.join(columns)}, {why}" for (row, why), columns in by.items()]

    def lines(self, written):
        columns = self.columns()
        yield from ("", f"### {self.title}", "", f"| {self.head} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|")
        for row in dict.fromkeys(row for row, _ in self.places):
            yield f"| {row} | {' | '.join(self.text(row, column, written) for column in columns)} |"
        if reasons := self.reasons():
            yield from ("", *reasons)


def tables():
    everything = {
        (client.name, FLOWS[flow]): client.cannot.get(flow) or (client, flow) for client in CLIENTS for flow in FLOWS
    }
    other = {(client.name, FLOWS[flow]): (client, flow) for client in DJANGO for flow in DJANGO_FLOWS}
    signed = {
        (algorithm, name): reasons.get(algorithm) or (BY_NAME[name].signed(algorithm), "code")
        for algorithm in ALGORITHMS for name, reasons in VERIFIERS.items()
    }
    responses = {
        (name, title): (BY_NAME[name], flow)
        for name in ("openid-client", "oauth4webapi") for flow, title in SIGNED_RESPONSES.items()
    }
    return [
        Table("Clients and flows, with oidc-provider", "client", "oidc-provider", everything),
        Table("The same clients with a server of another stack, django-oauth-toolkit", "client", "django-oauth-toolkit", other),
        Table("Authorization responses with a signature, with oidc-provider", "client", "oidc-provider", responses),
        Table("Signatures of ID Tokens, with oidc-provider", "algorithm", "oidc-provider", signed, ["right"]),
    ]


def is_asked(given, place, what, table):
    (row, column), (client, flow) = place, what
    if given.quick and (client.name, flow) not in QUICK[table.server]:
        return False
    named = given.only.lower() in row.lower() or given.only.lower() in column.lower()
    return named and given.flow.lower() in f"{row} {column}".lower() and given.server in table.server


def together(cells, what):
    """All of them, four at a time: most of a device's time is waiting."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for cell, _ in zip(cells, pool.map(what, cells)):
            told = "; ".join(f"{mode} {variant}: {why}" for (mode, variant), why in cell.failures.items())
            print(f"  {cell.server.kind:20} {cell.client.name:24} {cell.flow:18} {told or 'as expected'}", flush=True)


def play(binary, work, given):
    chosen, running, cells = tables(), {}, []
    for table in chosen:
        wanted = {place: what for place, what in table.wanted().items() if is_asked(given, place, what, table)}
        if wanted and table.server not in running:
            every = {client.id: client for one in chosen if one.server == table.server for client in one.clients()}
            registered = [registration for client in every.values() for registration in client.registered()]
            running[table.server] = Server(table.server, work, registered)
        table.cells = {place: Cell(*what, running[table.server], work, table.variants) for place, what in wanted.items()}
        cells.extend(table.cells.values())
    print("direct and recorded")
    together(cells, lambda cell: cell.record(binary))
    for server in running.values():
        server.stop()
    print("replayed, with the servers off")
    together(cells, lambda cell: cell.replay(binary))
    return chosen, cells


def differences(written, chosen):
    """What a page says otherwise; of what did not run, nothing."""
    for table in chosen:
        for (row, column), cell in table.cells.items():
            expected = at(written, table, row, column)
            if expected != cell.text():
                yield f"{table.title}: {row}, {column}: {cell.text()} (the page: {expected})"


def at(written, table, row, column):
    part = written.partition(f"### {table.title}\n")[2].partition("\n###")[0]
    found = re.search(rf"^\| {re.escape(row)} \|(.*)\|$", part, re.M)
    cells = [cell.strip() for cell in found[1].split("|")] if found else []
    place = table.columns().index(column)
    return cells[place] if place < len(cells) else None


def matrix(page):
    """The part of the page that a run writes."""
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    if not after:
        fail(f"{PAGE.name} has no place for the matrix")
    return before, written, after


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--only", default="", help="only the clients, or algorithms, whose name contains this")
    parser.add_argument("--flow", default="", help="only the flows whose name contains this")
    parser.add_argument("--server", default="", help="only the servers whose name contains this")
    parser.add_argument("--quick", action="store_true", help="only what runs on every change")
    parser.add_argument("--write", type=pathlib.Path, help="write what came out into this page's tables")
    parser.add_argument("--keep", help="leave what was written in this directory")
    given = parser.parse_args()
    binary, begun = str(pathlib.Path(given.binary).resolve()), time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        chosen, cells = play(binary, pathlib.Path(directory), given)
        if given.keep:
            shutil.copytree(directory, given.keep, dirs_exist_ok=True)
    passed = sum(not cell.failures for cell in cells)
    print(f"{len(cells)} cells, {passed} pass, {time.monotonic() - begun:.0f} s")
    if given.write:
        before, written, after = matrix(given.write.read_text())
        lines = "\n".join(line for table in chosen for line in table.lines(written))
        given.write.write_text(f"{before}{BEGIN}\n{lines}\n\n{END}{after}")
        return 0
    differing = list(differences(matrix(PAGE.read_text())[1], chosen))
    for line in differing:
        print(f"FAILED: {line}")
    return 1 if differing or not cells else 0


if __name__ == "__main__":
    sys.exit(main())
