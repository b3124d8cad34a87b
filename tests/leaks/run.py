"""The leak benchmark: canaries of every kind, in every place and encoding, through the recorder.

    python3 tests/leaks/run.py target/release/authtape [--full] [--only kind=a|b,place=c] [--first]

Everything that the recorder puts out is searched by a checker that shares nothing with it. Without
`--full`, every pair of kind, place and encoding is met at least once instead of every cell.
"""

import argparse
import collections
import dataclasses
import itertools
import multiprocessing
import os
import pathlib
import sys
import tempfile
import time

import cells
import report
from checker import Checker, GaveUp
from report import Leak, Result
from session import WAVE, Session, identifier

# A recorder's memory of secrets is bounded: so many cells to one.
BATCH = 320
# And so many where the first leak is all that is asked for.
HANDFUL = 24
# Certificates are long, full of base64, and nothing that a client said: two decoders deep will do.
SHALLOW = ("bundle.pem", "extra.pem", "roots.p12")

# How many of these are met without `--full`.
SAMPLE = {"pairs": 300, "end-to-end": 200}


@dataclasses.dataclass(frozen=True)
class Job:
    """Some cells for one recorder, and what to try with it besides."""

    binary: str
    lane: str
    cells: tuple
    seed: int
    killed: bool = False
    replayed: bool = False
    traced: bool = False


def units_of(wanted, seed):
    """Each cell's canary and its exchanges, numbered."""
    for number, cell in enumerate(wanted):
        canary, unit = cell.drawn(seed)
        for step, exchange in enumerate(unit):
            exchange.id = identifier(number, step)
        yield cell, canary, unit


def batch(job):
    """Records some cells, and looks for their canaries in all that came out."""
    checker, units, result = Checker(), [], Result(cells=len(job.cells))
    depth = max(cell.depth for cell in job.cells)
    for cell, canary, unit in units_of(job.cells, job.seed):
        checker.add(cell, canary.random, canary.whole)
        units.append(unit)
    for cell, unit in zip(job.cells, units):
        said = b"\n".join(exchange.transcript() for exchange in unit)
        if cell not in checker.scan(said, depth):
            result.blind.append(cell.name)
    with tempfile.TemporaryDirectory(prefix="leaks-") as work:
        session = Session(job.binary, work, job.lane, job.traced)
        session.drive(units)
        session.finish(units[-WAVE:] if job.killed else ())
        recorded = session.recorded()
        if job.replayed:
            session.replay([unit for _, _, unit in units_of(job.cells, job.seed + 1)])
        if job.traced:
            elsewhere = session.made_elsewhere()
            result.wrong += [
                f"the recorder made {name}, which is not searched" for name in elsewhere
            ]
            result.outputs["system calls"] += 1
    result.wrong += session.wrong
    for cell, unit in zip(job.cells, units):
        if any(exchange.id not in recorded for exchange in unit):
            result.not_recorded.append(cell.name)
    search(session.outputs, checker, result, depth)
    return result


# Records of other sessions by their hash: what stands in two of them holds no canary of one.
ELSEWHERE = set()


def search(outputs, checker, result, depth):
    found = collections.defaultdict(list)
    for record, where in outputs.records.items():
        result.outputs.update(where)
        if where <= set(SHALLOW) and hash(record) in ELSEWHERE:
            continue
        ELSEWHERE.add(hash(record))
        try:
            hits = checker.scan(record, 2 if where <= set(SHALLOW) else depth)
        except GaveUp:
            result.wrong.append(f"too many decodings of a record in {', '.join(sorted(where))}")
            continue
        for cell, hit in hits.items():
            found[cell].append((where, hit))
    for cell, hits in found.items():
        # The cassette's own record of it says most.
        where = sorted(set().union(*(where for where, _ in hits)))
        _, hit = max(hits, key=lambda pair: ("cassette" in pair[0], -pair[1].depth))
        result.leaks.append(Leak(cell.name, tuple(where), hit.decoders, hit.look))


def chosen(valid, only, full):
    """The cells to run, each in the modes to run it in."""
    for part in only:
        name, values = part.split("=", 1)
        valid = [cell for cell in valid if getattr(cell[0], name) in values.split("|")]
    if full or only:
        return list(itertools.chain(*valid))
    return cover(valid)


def cover(valid):
    """Few cells that hold every pair of kind, place and encoding that any cell holds."""
    left = {pair for modes in valid for pair in pairs(modes[0])}
    by_first = collections.defaultdict(list)
    for modes in valid:
        by_first[modes[0].kind, modes[0].place].append(modes)
    out = []

    def take(modes):
        left.difference_update(pairs(modes[0]))
        out.append(modes[modes[0].number % len(modes)])

    # Pairs of kind and place are the most: one cell for each covers nearly all others too.
    for candidates in by_first.values():
        take(max(candidates, key=lambda modes: (len(pairs(modes[0]) & left), modes[0].number)))
    for modes in valid:
        if pairs(modes[0]) & left:
            take(modes)
    return out


def pairs(cell):
    return {
        ("kp", cell.kind, cell.place),
        ("ke", cell.kind, cell.encoding),
        ("pe", cell.place, cell.encoding),
    }


def batches(binary, wanted, seed, size=BATCH):
    """Jobs of one lane each, and by turns with another end."""
    by_lane = collections.defaultdict(list)
    for cell in wanted:
        by_lane[cell.lane, cell.depth].append(cell)
    for (lane, _), members in by_lane.items():
        # Neighbours in the matrix have much in common: a recording is better mixed.
        members.sort(key=lambda cell: cell.number)
        for number, start in enumerate(range(0, len(members), size)):
            part = tuple(members[start : start + size])
            ends = {0: "replayed", 1: "killed", 2: "traced"}
            end = {ends[number % 6]: True} if number % 6 in ends and lane == "plain" else {}
            yield Job(binary, lane, part, seed, **end)


def wanted_groups(options):
    """The cells of each part of the benchmark, and what was left out of all, by reason."""
    only = [part for part in options.only.split(",") if part]
    groups, left_out = {}, collections.Counter()
    for name in options.part or (("cells",) if only or options.cell else PARTS):
        members, reasons = PARTS[name](options.seed)
        left_out += reasons
        if name == "cells" and options.cell:
            named = itertools.chain(*members)
            members = [cell for cell in named if cell.name in options.cell]
        elif name == "cells":
            members = chosen(members, only, options.full)
        elif not options.full:
            members = sorted(members, key=lambda cell: cell.number)[: SAMPLE[name]]
        groups[name] = members
    return groups, left_out


PARTS = {"cells": cells.matrix, "pairs": cells.pairs, "end-to-end": cells.end_to_end}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--cell", action="append", help="a cell by its whole name; repeatable")
    parser.add_argument("--first", action="store_true", help="end with the first that leaks")
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--report", help="write what is printed to this file too")
    options = parser.parse_args()
    binary, began = str(pathlib.Path(options.binary).resolve()), time.monotonic()
    groups, left_out = wanted_groups(options)
    everything = [cell for members in groups.values() for cell in members]
    total = Result()
    with multiprocessing.Pool(min(2, os.cpu_count() or 1)) as pool:
        size = HANDFUL if options.first else BATCH
        for result in pool.imap_unordered(batch, batches(binary, everything, options.seed, size)):
            total.add(result)
            if options.first and (total.leaks or total.not_recorded):
                break
    absent, unsearched = report.outputs_of(binary)
    total.wrong += [f"this version has {name}, which is not searched" for name in unsearched]
    lines = report.lines(total, left_out, absent)
    last = report.last_line(groups, total, left_out)
    if options.report:
        pathlib.Path(options.report).write_text("\n".join([*lines, last]) + "\n")
    print(report.as_json(total, last) if options.json else "\n".join(lines))
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    print(last)
    bad = total.leaks or total.not_recorded or total.blind or total.wrong or not total.cells
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
