"""The independent checker: decodes a text in every way that it knows, and looks for canaries.

It shares no line with the product nor with what spells the canaries: what it does is decode. It
knows no brotli and no zstd, since the standard library has neither. It tells which canary stands
where, under which decoders, and never what the canary is.
"""

import base64
import binascii
import collections
import dataclasses
import html
import re
import zlib

WINDOW = 8
DEPTH = 4
# What decoding one record may come to; beyond it the check fails, since it saw only a part.
VARIANTS, CHARACTERS = 4_000, 16 << 20


class GaveUp(Exception):
    """A record that has more decodings than can be looked at."""


@dataclasses.dataclass(frozen=True)
class Hit:
    """A canary that is readable, by its owner; `look` shows it masked."""

    owner: object
    decoders: tuple
    look: str

    @property
    def depth(self):
        return len(self.decoders)


class Checker:
    """Canaries, by what must not be readable of them."""

    def __init__(self):
        # Windows of eight characters, and short parts by their length.
        self.windows, self.short = {}, collections.defaultdict(dict)

    def add(self, owner, random=(), whole=()):
        for text in random:
            for spelled, how in views(text):
                for at in range(len(spelled) - WINDOW + 1):
                    self.windows.setdefault(spelled[at : at + WINDOW], []).append(
                        (owner, how, None)
                    )
        for text in whole:
            for spelled, how in views(text):
                if len(spelled) >= WINDOW:
                    self.windows.setdefault(spelled[:WINDOW], []).append((owner, how, spelled))
                elif not spelled.isalnum():
                    raise ValueError("a part that is this short must be letters and digits")
                elif not how:
                    self.short[len(spelled)].setdefault(spelled, []).append((owner, how, spelled))

    def scan(self, data, depth=DEPTH):
        """One hit for each owner whose canary stands in the bytes, the shallowest."""
        found = {}
        for text, decoders in closure(data.decode("utf-8", "surrogateescape"), depth):
            folded = text.casefold()
            for owner, how, at, length in self.search(folded):
                if owner not in found:
                    path = decoders + ((how,) if how else ())
                    found[owner] = Hit(owner, path, self.look(folded, at, length))
        return found

    def search(self, folded):
        pieces = {folded[at : at + WINDOW] for at in range(len(folded) - WINDOW + 1)}
        for piece in pieces & self.windows.keys():
            for owner, how, rest in self.windows[piece]:
                at = folded.find(rest or piece)
                if at >= 0:
                    yield owner, how, at, len(rest or piece)
        for size, table in self.short.items():
            # By itself only: within other letters and digits it stands by chance.
            words = re.finditer(rf"(?<![0-9a-z])[0-9a-z]{{{size}}}(?![0-9a-z])", folded)
            for word in words:
                for owner, how, _ in table.get(word[0], ()):
                    yield owner, how, word.start(), size

    def tables(self):
        return [(WINDOW, self.windows), *self.short.items()]

    def look(self, folded, at, length):
        """What stands around a hit, with every canary in it masked."""
        start, end = max(0, at - 60), min(len(folded), at + length + 40)
        mask = [False] * (end - start)
        for size, table in self.tables():
            for place in range(start, end - size + 1):
                if folded[place : place + size] in table:
                    mask[place - start : place - start + size] = [True] * size
        mask[at - start : at - start + length] = [True] * length
        out = ""
        for masked, c in zip(mask, folded[start:end]):
            out += ("" if out.endswith("<CANARY>") else "<CANARY>") if masked else c
        # What is left at the edges of a canary is too short for a window: it goes with the rest.
        out = re.sub(r"[a-z0-9+/_=%.&#;\\\\-]*<CANARY>[a-z0-9+/_=%.&#;\\\\-]*", hidden, out)
        out = "".join(c if c.isprintable() else " " for c in out)
        return " ".join(re.sub(r"(?!\S*redacted-)(?=\S*\d)[a-z0-9+/_=%-]{16,}", "…", out).split())


def hidden(found):
    """A canary with the letters and digits beside it, where these are not a label or a word."""
    before, after = found[0].split("<CANARY>", 1)
    after = after.rsplit("<CANARY>", 1)[-1]
    plain = [
        part if re.fullmatch(r"[a-z_=&.#-]{0,24}|.*redacted-.*", part) else "…"
        for part in (before, after)
    ]
    return "<CANARY>".join(plain)


def views(text):
    """How a part may stand in a decoded text: folded, backwards, and in base64 without its case."""
    folded = text.casefold()
    yield folded, ""
    yield folded[::-1], "reversed"
    data = text.encode()
    for shift in range(3):
        spelled = base64.b64encode(bytes(shift) + data).decode()
        core = spelled[-(-8 * shift // 6) : (shift + len(data)) * 8 // 6]
        if len(core) >= 2 * WINDOW:
            yield core.casefold(), "base64, folded"


def closure(text, depth):
    """The text, and all that comes of it by up to so many decoders, each once."""
    seen, queue, characters = {text}, collections.deque([(text, ())]), 0
    while queue:
        text, decoders = queue.popleft()
        yield text, decoders
        if len(decoders) == depth:
            continue
        for name, decode in DECODERS:
            for decoded in decode(text):
                if len(decoded) < 4 or decoded in seen:
                    continue
                seen.add(decoded)
                characters += len(decoded)
                if len(seen) > VARIANTS or characters > CHARACTERS:
                    raise GaveUp
                queue.append((decoded, (*decoders, name)))


def as_text(data):
    return data.decode("utf-8", "surrogateescape")


def as_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def percent(text):
    if "%" in text:
        yield re.sub(
            r"(?:%[0-9A-Fa-f]{2})+",
            lambda found: as_text(bytes.fromhex(found[0].replace("%", ""))),
            text,
        )


def form(text):
    if "+" in text:
        yield from percent(text.replace("+", " ") + "%20")


ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    "0": "\0",
    "e": "\x1b",
    "a": "\a",
    "v": "\v",
}


def unescape(text):
    """JSON's escapes and those that YAML has besides, in one scan from the left."""
    if "\\" not in text:
        return

    def one(found):
        code = found[1] or found[2]
        if code:
            return chr(int(code, 16))
        return ESCAPES.get(found[3], found[3])

    yield re.sub(r"\\(?:[uU]([0-9a-fA-F]{4})|[xX]([0-9a-fA-F]{2})|(.))", one, text, flags=re.S)


def entities(text):
    if "&" in text:
        yield html.unescape(text)


def quoted_printable(text):
    if "=" in text:
        joined = re.sub(r"=[ \t]*\r?\n[ \t]*", "", text)
        yield re.sub(
            r"(?:=[0-9A-Fa-f]{2})+",
            lambda found: as_text(bytes.fromhex(found[0].replace("=", ""))),
            joined,
        )


def no_space(text):
    yield re.sub(r"\s+", "", text)


# Six characters in a row that a person could read: garbage has that once in four hundred places.
READABLE = re.compile("[\t\r\n -~\u00a0-\ud7ff]{5,}")


def readable(parts):
    """What can be read in decoded bytes, or decoded further."""
    out = []
    for data in parts:
        out += READABLE.findall(as_text(data))
        if b"\x1f\x8b" in data or b"\0" in data or data[:1] == b"\x78":
            out += ["\n", as_text(data)]
    return "\n".join(out)


def base64_runs(text):
    runs = [run.translate(STANDARD) for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", text)]
    for start in range(4):
        parts = (run[start:] for run in runs)
        yield readable(
            binascii.a2b_base64(part[: len(part) // 4 * 4] + tail(part)) for part in parts
        )


STANDARD = str.maketrans("-_", "+/")


def tail(part):
    left = part[len(part) // 4 * 4 :]
    return left + "=" * (4 - len(left)) if len(left) > 1 else ""


def hex_runs(text):
    runs = re.findall(r"[0-9A-Fa-f]{10,}", text)
    for start in range(2):
        parts = (run[start:] for run in runs)
        yield readable(bytes.fromhex(part[: len(part) // 2 * 2]) for part in parts)


def inflate(text):
    data = None
    out = []
    for magic, bits in (
        ("\x1f\udc8b", 31),
        ("x\x9c", 15),
        ("x\udc9c", 15),
        ("x\x01", 15),
        ("x^", 15),
        ("x\udcda", 15),
    ):
        at = text.find(magic)
        while at >= 0:
            data = as_bytes(text[at:])
            try:
                out.append(as_text(zlib.decompressobj(bits).decompress(data, CHARACTERS)))
            except zlib.error:
                pass
            at = text.find(magic, at + 1)
    yield "\n".join(out)


def utf16(text):
    if "\0" not in text:
        return
    data = as_bytes(text)
    for pattern, name in ((rb"(?:[^\0]\0){4,}", "utf-16-le"), (rb"(?:\0[^\0]){4,}", "utf-16-be")):
        yield "\n".join(run.decode(name, "replace") for run in re.findall(pattern, data, re.S))


DECODERS = (
    ("percent", percent),
    ("form", form),
    ("unescape", unescape),
    ("entities", entities),
    ("quoted-printable", quoted_printable),
    ("no white space", no_space),
    ("base64", base64_runs),
    ("hex", hex_runs),
    ("inflate", inflate),
    ("utf-16", utf16),
)
