"""What the benchmark found, and how it is told: counts, and a table of the leaks."""

import collections
import dataclasses
import json
import subprocess


@dataclasses.dataclass(frozen=True)
class Leak:
    cell: str
    outputs: tuple
    decoders: tuple
    look: str


@dataclasses.dataclass
class Result:
    """What came of one recording."""

    cells: int = 0
    leaks: list = dataclasses.field(default_factory=list)
    not_recorded: list = dataclasses.field(default_factory=list)
    # Cells whose canary the checker does not see in what was sent: it could not have seen a leak.
    blind: list = dataclasses.field(default_factory=list)
    wrong: list = dataclasses.field(default_factory=list)
    outputs: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def add(self, other):
        for field in dataclasses.fields(self):
            whole = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, whole)


def lines(total, left_out, absent):
    """All that is printed before the last line."""
    out = [f"left out {number:6}  {reason}" for reason, number in left_out.most_common()]
    out += [f"searched {number:6}  {name}" for name, number in total.outputs.most_common()]
    out += [f"NOT IN THIS VERSION, not searched: {name}" for name in absent]
    out += by_place(total.leaks)
    out += [f"LEAK {row}" for row in table(total.leaks)]
    out += [f"NOT RECORDED: {name}" for name in total.not_recorded]
    out += [f"BLIND: the checker does not see {name} in what was sent" for name in total.blind]
    return out + [f"WRONG: {what}" for what in total.wrong]


def last_line(groups, total, left_out):
    counts = [f"{len({base(cell.name) for cell in of})} {name}" for name, of in groups.items()]
    leaks = len({base(leak.cell) for leak in total.leaks})
    return (
        f"leaks: {', '.join(counts)} in {total.cells} runs "
        f"({sum(left_out.values())} left out with reasons): {leaks} leaks, "
        f"{len(total.not_recorded)} not recorded, {len(total.blind)} blind, "
        f"{len(total.wrong)} wrong"
    )


def as_json(total, last):
    leaks = [dataclasses.asdict(leak) for leak in total.leaks]
    return json.dumps({"leaks": leaks, "not_recorded": total.not_recorded, "counts": last})


def base(name):
    """A cell by kind, place and encoding, whatever its mode."""
    return name.replace("/alone", "").replace("/known", "")


def by_place(leaks):
    """One line for each place, with its encodings."""
    places = collections.defaultdict(list)
    for leak in leaks:
        places[leak.cell.split("/")[1]].append(leak)
    for place, members in sorted(places.items(), key=lambda item: -len(item[1])):
        yield f"leaks {len(members):8}  {place}: {tally(members, 3)}; {tally(members, 2)}"


def table(leaks):
    """Leaks by place and encoding, one example of each."""
    rows = collections.defaultdict(list)
    for leak in leaks:
        rows[tuple(leak.cell.split("/")[1:3])].append(leak)
    for (place, encoding), members in sorted(
        rows.items(), key=lambda row: (row[0][0], -len(row[1]))
    ):
        example = members[0]
        outputs = sorted(set().union(*(leak.outputs for leak in members)))
        yield "\n".join(
            (
                f"{place:24} {encoding:18} {len(members):4}  {tally(members, 3)}",
                f"    kinds: {tally(members, 0)}",
                f"    in: {', '.join(outputs)}",
                f"    e.g. {example.cell}, under {' > '.join(example.decoders) or 'no encoding'}",
                f"         {example.look}",
            )
        )


def tally(leaks, part):
    """How often each kind, place, encoding or mode is among them."""
    counts = collections.Counter(leak.cell.split("/")[part] for leak in leaks)
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def outputs_of(binary):
    """Outputs that this version lacks, and those that it has and nobody here searches."""
    texts = [
        subprocess.run([binary, *call, "--help"], capture_output=True, text=True, timeout=20).stdout
        for call in ((), ("record",))
    ]
    absent = [name for name, word in OUTPUTS.items() if not any(word in text for text in texts)]
    return [*absent, "text of panics, which nothing outside causes"], sorted(
        OUTPUTS.keys() - absent
    )


# By how the help names them.
OUTPUTS = {
    "a log of traces": "--log",
}
