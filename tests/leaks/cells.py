"""The matrix: which cells there are, which make no sense and why, and the exchanges of one."""

import collections
import copy
import dataclasses
import hashlib
import random

# For its places, which add themselves.
import bodies  # noqa: F401
from homes import home
from kinds import KINDS
from places import PLACES, Carried, Senseless
from spellings import CODINGS, ENCODINGS, Encoding

# Below this a value is not told from others by what it looks like.
TELLING_BITS = 96
# An encoding in which an address still looks like one.
READABLE = ("raw", "case")

# How the lane of a place is driven: a host's name needs a proxy that takes any.
LANES = {"plain": "plain", "upstream": "plain+upstream", "tls": "tls2"}
# Where pairs of encodings are tried: each holds bodies, or keeps what it is given.
PAIR_PLACES = (
    "error-description",
    "form",
    "form-name",
    "json-in-json",
    "json-key",
    "jwt-claim",
    "path",
    "request-header",
)
PAIR_KINDS = ("access-token", "client-secret", "password")


@dataclasses.dataclass(frozen=True)
class Cell:
    kind: str
    place: str
    encoding: str
    # `alone`: in the place only; `known`: at home in the same session too.
    mode: str
    # How the client speaks, where that is not what the place needs.
    through: str = ""

    @property
    def name(self):
        return "/".join(
            filter(None, (self.kind, self.place, self.encoding, self.mode, self.through))
        )

    @property
    def number(self):
        """Says what a cell leaves open, the same on every run."""
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big")

    @property
    def lane(self):
        lane = PLACES[self.place].lane
        if self.through:
            return f"{self.through}+upstream" if lane == "upstream" else self.through
        return LANES[lane]

    @property
    def depth(self):
        """How many decoders may be needed: each of a pair, what the place adds, and the record."""
        return 6 if ">" in self.encoding else 4

    def drawn(self, seed):
        """A canary, and all exchanges of the cell; one that happens not to fit is drawn again."""
        rng = random.Random(f"{seed}/{self.name}")
        for _ in range(100):
            canary = KINDS[self.kind].make(rng)
            try:
                return canary, session(self, canary)
            except Senseless:
                continue
        raise SystemExit(f"no canary of the cell {self.name} fits its place")


def encoding_of(name):
    """An encoding, or a pair of them: `first>second`."""
    if ">" not in name:
        return ENCODINGS[name]
    pair = first, second = [ENCODINGS[part] for part in name.split(">")]

    def body(data, coding):
        fields = []
        for change in filter(None, (first.body, second.body)):
            data, more = change(data, coding)
            fields += more
        return data, fields

    return Encoding(
        name,
        lambda text: second.spell(first.spell(text)),
        first.level if second.body else second.level,
        body if any(encoding.body for encoding in pair) else None,
        first.lines or second.lines,
    )


def exchanges(cell, canary):
    """What the place's exchanges are; raises where the cell makes no sense."""
    kind, encoding = KINDS[cell.kind], encoding_of(cell.encoding)
    # Known, the value stands under a name that says nothing: what is known of it must tell.
    name = kind.param if cell.mode == "alone" else "x_other"
    carried = Carried(encoding.spell(canary.value), encoding.level, name, cell.number)
    built = PLACES[cell.place].build(carried)
    if encoding.body:
        if not any(exchange.changes for exchange in built):
            raise Senseless("no body that could be encoded as a whole")
        coding = list(CODINGS)[cell.number // 7 % len(CODINGS)]
        try:
            for exchange in built:
                exchange.transform(lambda data: encoding.body(data, coding))
        except UnicodeDecodeError:
            raise Senseless("bytes that are no text have no UTF-16") from None
    return built


def session(cell, canary):
    """All exchanges of a cell in their order: the home is the first or the last by turns."""
    built = exchanges(cell, canary)
    if cell.mode == "alone":
        return built
    known = copy.deepcopy(home(KINDS[cell.kind], canary.value))
    return [known, *built] if cell.number // 3 % 2 else [*built, known]


def modes(kind, place, encoding):
    """In which modes a cell can be asked for: the value must be one that a recorder can tell."""
    kind, place = KINDS[kind], PLACES[place]
    told_by_itself = kind.bits >= TELLING_BITS
    told_by_pattern = kind.pattern and encoding in READABLE
    told_by_name = place.named and kind.home != "basic"
    told_in_prose = kind.words and place.prose and encoding == "raw"
    if told_by_itself or told_by_pattern or told_by_name or told_in_prose:
        return ("alone", "known")
    return ("known",)


def matrix(seed):
    """Every valid cell as (cell in each of its modes), and how many were left out, by reason."""
    valid, left_out = [], collections.Counter()
    for kind in KINDS:
        for place in PLACES:
            seen = {}
            for encoding in ENCODINGS:
                wanted = modes(kind, place, encoding)
                probe = Cell(kind, place, encoding, wanted[0])
                reason = senseless(probe, seen, seed)
                if reason:
                    left_out[reason] += 1
                else:
                    valid.append([Cell(kind, place, encoding, mode) for mode in wanted])
    return valid, left_out


def pairs(seed):
    """Every ordered pair of encodings, in a few places."""
    valid, left_out = [], collections.Counter()
    for kind in PAIR_KINDS:
        for place in PAIR_PLACES:
            for first in ENCODINGS:
                for second in ENCODINGS:
                    cell = Cell(kind, place, f"{first}>{second}", "known")
                    reason = senseless(cell, None, seed)
                    if reason:
                        left_out[reason] += 1
                    else:
                        valid.append(cell)
    return valid, left_out


def end_to_end(seed):
    """Every kind in every place, raw, through TLS with either version of HTTP."""
    valid, left_out = [], collections.Counter()
    for through in ("tls1", "tls2"):
        for kind in KINDS:
            for place in PLACES:
                cell = Cell(kind, place, "raw", modes(kind, place, "raw")[0], through)
                if through == "tls1" and place == "http2":
                    left_out["HTTP/2's fields over HTTP/1.1"] += 1
                elif through == "tls2" and place == "websocket":
                    left_out["a WebSocket over HTTP/2, which needs a method of its own"] += 1
                elif reason := senseless(cell, None, seed):
                    left_out[reason] += 1
                else:
                    valid.append(cell)
    return valid, left_out


def senseless(cell, seen, seed):
    # One canary for all encodings of a place, so that equal bytes are equal.
    canary = KINDS[cell.kind].make(random.Random(f"{seed}/{cell.kind}"))
    still = dataclasses.replace(cell, mode="alone")
    carried = encoding_of(cell.encoding)
    try:
        exchanges(cell, canary)
        name = KINDS[cell.kind].param
        built = PLACES[cell.place].build(
            Carried(carried.spell(canary.value), carried.level, name, 0)
        )
    except Senseless as reason:
        return str(reason)
    if carried.body or seen is None:
        return None
    said = b"".join(exchange.transcript() for exchange in built)
    if said in seen:
        return "the same bytes as in an encoding before it"
    seen[said] = still
    return None
