"""The tables of a run: medians over its repetitions, ratios taken within each."""
import statistics
import sys
import json
from pathlib import Path

STALLS = 20.0


class Rows:
    def __init__(self, rows):
        self.rows = {(row["case"], row["target"], row["repetition"]): row for row in rows}
        self.targets = list(dict.fromkeys(row["target"] for row in rows))
        self.repetitions = sorted({row["repetition"] for row in rows})

    def values(self, case, target, field):
        found = (self.rows.get((case, target, number), {}).get(field) for number in self.repetitions)
        return [value for value in found if value is not None]

    def median(self, case, target, field):
        values = self.values(case, target, field)
        return statistics.median(values) if values else None

    def beside(self, case, target, base, field, how=lambda a, b: a / b):
        """This target and another, compared within each repetition."""
        pairs = [(self.rows.get((case, target, n), {}).get(field), self.rows.get((case, base, n), {}).get(field))
                 for n in self.repetitions]
        return [how(a, b) for a, b in pairs if a is not None and b]

    def ratio(self, case, target, base, field):
        values = self.beside(case, target, base, field)
        return statistics.median(values) if values else None

    def added(self, case, target, field):
        values = self.beside(case, target, "direct", field, lambda a, b: a - b)
        return statistics.median(values) if values else None


def shown(value, digits=3):
    return "–" if value is None else f"{value:.{digits}f}"


def spread(values, digits=2):
    if not values:
        return "–"
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def grid(title, heads, lines):
    text = [f"\n### {title}\n", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return text + ["| " + " | ".join(line) + " |" for line in lines]


def write(results):
    rows = Rows(results["rows"])
    cases = {row["case"] for row in results["rows"]}
    out = [", ".join(f"{name}: {told}" for name, told in results["versions"].items())]
    for case, title in (("post1", "POST, kept alive, 1 connection"), ("post16", "POST, kept alive, 16 connections"),
                        ("new16", "New connections, 16 at once"), ("names", "New names, 4 at once")):
        if case in cases:
            out += requests(rows, case, title)
    if "blob" in cases:
        out += blobs(rows)
    if "stall" in cases:
        out += stalls(rows)
    if "start" in cases:
        out += grid("Start, and memory after 2,000 small requests",
                    ["target", "listening, ms", "first answer, ms", "peak RSS, MiB"],
                    [[name] + [shown(rows.median("start", name, field), 1) for field in ("listens_ms", "answers_ms", "peak_mib")]
                     for name in rows.targets if rows.values("start", name, "peak_mib")])
    if "idle" in cases:
        out += grid("Idle connections, kB each", ["target", "1,000", "4,500"],
                    [[name] + [shown(rows.median("idle", name, f"kb_each_{count}"), 0) for count in (1000, 4500)]
                     for name in rows.targets if rows.values("idle", name, "kb_each_1000")])
    if "many" in cases:
        fields = [f"block_{number}" for number in range(1, 5)]
        out += grid("Recording many: CPU s per 1,000 in blocks of 1,500, with new tokens in each answer",
                    ["target", "1st", "2nd", "3rd", "4th", "peak RSS, MiB"],
                    [[name] + [shown(rows.median("many", name, field)) for field in fields]
                     + [shown(rows.median("many", name, "peak_mib"), 0)]
                     for name in rows.targets if rows.values("many", name, "block_1")])
    out += grid("Goals", ["what", "here", "floor", "goal", "verdict"], [list(line) for line in goals(rows)])
    return "\n".join(out)


def requests(rows, case, title):
    heads = ["target", "rate, 1/s", "rate × nginx", "CPU s per 1,000", "CPU × nginx", "added p50, ms", "added p99, ms"]
    more = case == "names"
    lines = []
    for name in rows.targets:
        direct = name == "direct"
        line = [name, shown(rows.median(case, name, "rate"), 0), shown(rows.ratio(case, name, "nginx", "rate"), 2)]
        line += ["–", "–"] if direct else [shown(rows.median(case, name, "cpu")), spread(rows.beside(case, name, "nginx", "cpu"))]
        line += ["–", "–"] if direct else [shown(rows.added(case, name, "p50_ms")), shown(rows.added(case, name, "p99_ms"))]
        if more:
            line.append("–" if direct else shown(new_name(rows, name)))
        lines.append(line)
    return grid(title, heads + (["CPU ms for a name"] if more else []), lines)


def new_name(rows, name):
    """CPU ms that a name costs the first time."""
    firsts, agains = rows.values("names", name, "cpu"), rows.values("names", name, "again_cpu")
    return statistics.median(a - b for a, b in zip(firsts, agains)) if firsts else None


def blobs(rows):
    lines = []
    for name in rows.targets:
        own = [] if name == "direct" else [rows.median("blob", name, "cpu")]
        lines.append([name, shown(rows.median("blob", name, "rate"), 0), shown(rows.ratio("blob", name, "nginx", "rate"), 2)]
                     + ([shown(own[0], 2), shown(rows.ratio("blob", name, "nginx", "cpu"), 2),
                         shown(rows.median("blob", name, "peak_mib"), 0), shown(rows.median("blob", name, "growth_mib"), 1)]
                        if own else ["–"] * 4))
    return grid("GET, 10 MiB, 1 connection", ["target", "MB/s", "rate × nginx", "CPU s per GB", "CPU × nginx", "peak RSS, MiB",
                                             "growth, MiB"], lines)


def stall_fields(rows):
    some = next(row for (case, *_), row in rows.rows.items() if case == "stall")
    return [field for field in some if field.split()[0] in ("POST", "GET", "PUT")]


def stalls(rows):
    fields = stall_fields(rows)
    return grid("p50 of one connection, ms, by method and bytes", ["target"] + fields,
                [[name] + [shown(rows.median("stall", name, field), 2) for field in fields] for name in rows.targets])


def goals(rows):
    """What the goals ask, what was found, and whether that is enough; what was not measured is left out."""
    kept, passed, nginx = "authtape record", "authtape not kept", "nginx"
    worst = None
    if any(case == "stall" for case, *_ in rows.rows):
        worst = max((value for name in (passed, kept) for field in stall_fields(rows)
                     for value in rows.values("stall", name, field)), default=None)
    linear = rows.values("many", kept, "block_1") and statistics.median(
        last / first for first, last in zip(rows.values("many", kept, "block_1"), rows.values("many", kept, "block_4")))
    asked = [
        ("POST not kept, 16 connections: CPU × nginx", rows.ratio("post16", passed, nginx, "cpu"), 1.4, 1.05),
        ("POST recorded, 16 connections: CPU × nginx", rows.ratio("post16", kept, nginx, "cpu"), 4, 2),
        ("the same: CPU × not kept", rows.ratio("post16", kept, passed, "cpu"), 2.5, None),
        ("the same: CPU of mitmdump -w × ours", rows.ratio("post16", "mitmdump -w", kept, "cpu"), None, -25),
        ("the same: p99 × not kept", rows.ratio("post16", kept, passed, "p99_ms"), None, 1.1),
        ("not kept, 1 connection: added p50, ms", rows.added("post1", passed, "p50_ms"), 0.2, 0.05),
        ("recorded, 1 connection: added p50, ms", rows.added("post1", kept, "p50_ms"), 0.2, 0.05),
        ("no stall: the longest p50 of any method and size, ms", worst, STALLS, STALLS),
        ("new connection: CPU × nginx", rows.ratio("new16", passed, nginx, "cpu"), 1, 0.45),
        ("new name: CPU ms more than a known one", new_name(rows, passed), 0.5, 0.05),
        ("10 MiB: rate × nginx", rows.ratio("blob", passed, nginx, "rate"), -0.7, -1),
        ("10 MiB: growth of memory, MiB", rows.median("blob", passed, "growth_mib"), None, 4),
        ("recorded with new tokens: CPU of mitmdump -w × ours", rows.ratio("many", "mitmdump -w", kept, "block_1"), None, -25),
        ("recording many: CPU of the last block × the first", linear or None, None, 1.25),
        ("start to listening, ms", rows.median("start", kept, "listens_ms"), 30, 10),
        ("start to first answer, ms", rows.median("start", kept, "answers_ms"), 60, 30),
        ("peak RSS, small requests, not kept, MiB", rows.median("start", passed, "peak_mib"), 25, 15),
        ("peak RSS, small requests, recorded, MiB", rows.median("start", kept, "peak_mib"), 25, 15),
    ]
    for what, found, floor, goal in asked:
        if found is not None:
            yield what, shown(found, 2), bound(floor), bound(goal), judged(found, floor, goal)


def bound(limit):
    """A negative limit is one from below."""
    return "–" if limit is None else f"≥ {-limit}" if limit < 0 else f"≤ {limit}"


def judged(found, floor, goal):
    def holds(limit):
        return found >= -limit if limit < 0 else found <= limit

    if goal is not None and holds(goal):
        return "goal"
    if floor is None:
        return "missed"
    return ("floor" if goal is not None else "goal") if holds(floor) else "below the floor"


def verdict(results):
    """A stall is no figure but a defect; everything else is for the reader to judge."""
    rows = Rows(results["rows"])
    if not any(case == "stall" for case, *_ in rows.rows):
        return 0
    stalled = [name for name in rows.targets if name.startswith("authtape")
               for field in stall_fields(rows) if (rows.median("stall", name, field) or 0) > STALLS]
    for name in stalled:
        print(f"failed: {name} stalls", file=sys.stderr)
    return 1 if stalled else 0


if __name__ == "__main__":
    print(write(json.loads(Path(sys.argv[1]).read_text())))
