"""A recording of many cells: drives them through the recorder, and gathers all that it put out."""

import contextlib
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "wire"))

from clients import Http1, Http2, plain, secure  # noqa: E402
from origin import Origin  # noqa: E402
from support import Pki, Recorder, authtape, with_us  # noqa: E402

THREADS = 3
# After so many cells the journal is looked at.
WAVE = 60
# What a session may be held against.
OTHER = str(pathlib.Path(__file__).parents[2] / "cassettes/accounts.example.com/thread-correct.yaml")
TERMINAL = (
    ("show",),
    ("show", "--diagram"),
    ("show", "--list"),
    ("show", "--json"),
    ("show", "--html"),
    ("share", "--dry-run"),
    ("share", "--markdown"),
    *(("export", "--to", form) for form in ("curl", "go-vcr", "har", "mitmproxy", "nock", "vcr", "vcrpy")),
    ("audit",),
    ("audit", "--json"),
    ("explain",),
    ("explain", "--format", "json"),
    ("explain", "--format", "markdown"),
    ("explain", "--format", "sarif"),
    ("diff", OTHER),
    ("diff", OTHER, "--json"),
)

NAMES = {"tape.yaml": "cassette", "tape.raw.yaml": "cassette", "tape.yaml.part": "", "tape.yaml.record.log": "record's output"}


class Outputs:
    """What a recorder put out: each record once, with the outputs that it stands in."""

    def __init__(self):
        self.records = {}

    def add(self, where, data):
        for record in split(data):
            self.records.setdefault(record, set()).add(where)


def split(data):
    """Interactions where these are told apart, else some lines at once."""
    if b"\n# end " in data:
        return re.split(rb"(?m)^# end \d+\n", data)
    if data.startswith(b"<!DOCTYPE html>"):
        return re.split(rb"(?=<details|<article|<section|<tr>)", data)
    # A flow of mitmproxy begins with its version, and ends without a line.
    if b"7:version;" in data[:20]:
        return re.split(rb"(?=7:version;)", data)
    # A listing in JSON is one long line, of an object for each interaction.
    lines = re.split(rb"\n|(?<=\}),(?=\{)", data)
    return [b"\n".join(lines[at : at + 40]) for at in range(0, len(lines), 40)]


class Session:
    """One recorder, one origin, one directory that everything is written in.

    The lane says how clients speak: `plain`, `tls1` or `tls2`, with `+upstream` where the recorder
    reaches servers through a proxy of ours, which takes any host's name.
    """

    def __init__(self, binary, work, lane="plain", traced=False, raw=False):
        self.binary, self.work, self.lane = binary, pathlib.Path(work), lane
        self.cassette = self.work / ("tape.raw.yaml" if raw else "tape.yaml")
        self.origin = Origin()
        self.port = self.origin.port
        self.outputs = Outputs()
        # What went another way than it must, without a canary in the words.
        self.wrong = []
        self.front, more, under = None, ["--unsafe-raw" if raw else "--ui"], ()
        if traced:
            self.calls = pathlib.Path(f"{work}.calls")
            under = ("strace", "-D", "-f", "-qq", "-e", "trace=openat,creat", "-o", self.calls)
        if lane.startswith("tls"):
            # Keys are no output of the recorder.
            self.keys = tempfile.TemporaryDirectory(prefix="leaks-keys-")
            pki = Pki(pathlib.Path(self.keys.name))
            pair = pki.leaf("front", "DNS:localhost,DNS:*.as.example")
            self.front, self.port = secure_front(self.origin.port, *pair)
            self.origin.secure_port = self.port
            more += ["--upstream-ca", pki.ca]
        if lane.endswith("+upstream"):
            more += ["--upstream-proxy", f"http://127.0.0.1:{self.origin.port}"]
        for name in ("tmp", "home", "state"):
            (self.work / name).mkdir()
        with environment(self.work):
            self.recorder = Recorder(
                binary, self.cassette, "--keep", "all", *more, quiet=False, under=under
            )

    def drive(self, units):
        """Sends the exchanges of each unit in their order, some units at once."""
        for start in range(0, len(units), WAVE):
            for exchange, answer in self.wave(units[start : start + WAVE]):
                if not answer and not exchange.how:
                    self.wrong.append(f"no answer came to {exchange.id}")
            self.gather("journal")

    def wave(self, units):
        """Every exchange of it with the answer that came, in no order."""
        lock, units, answers = threading.Lock(), list(reversed(units)), []

        def work():
            clients = {}
            while True:
                with lock:
                    if not units:
                        break
                    unit = units.pop()
                for exchange in unit:
                    answers.append((exchange, self.send(clients, exchange) or b""))
            for client in clients.values():
                client.close()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def send(self, clients, exchange):
        self.origin.answers[exchange.id] = exchange
        port = self.origin.refusing_port if exchange.how == "refused" else self.port
        host = exchange.host or "localhost"
        server = (port, host if self.lane != "plain" else "")
        if server not in clients:
            if len(clients) > 4:
                clients.pop(next(iter(clients))).close()
            clients[server] = self.client(port, host)
        tls = self.lane.startswith("tls")
        return clients[server].send(exchange, f"{host}:{port}", not tls)

    def client(self, port, host):
        if self.lane.startswith("tls2"):
            return Http2(lambda: secure(self.recorder, port, host, "h2"))
        if self.lane.startswith("tls1"):
            return Http1(lambda: secure(self.recorder, port, host, "http/1.1"))
        return Http1(lambda: plain(self.recorder.port))

    def gather(self, journal):
        """All files that there are now; `journal` is what the unfinished cassette is called."""
        for path in sorted(self.work.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with contextlib.suppress(FileNotFoundError):
                    self.outputs.add(NAMES.get(path.name, path.name) or journal, path.read_bytes())

    def finish(self, killed=()):
        """Ends the recording, and gathers what was left and what the other commands say of it.

        `killed` are exchanges in whose midst it is killed.
        """
        if killed:
            # All of it is recorded: what is sent once more is there to be killed in the middle of.
            again = threading.Thread(target=self.wave, args=(killed,), daemon=True)
            again.start()
            time.sleep(random.uniform(0, 0.1))
            self.recorder.stop(signal.SIGKILL)
            again.join()
            self.gather("journal after kill -9")
            recovered = authtape(self.binary, "recover", self.cassette.with_name("tape.yaml.part"))
            self.outputs.add("recover", (recovered.stdout + recovered.stderr).encode())
            if recovered.returncode != 0:
                self.wrong.append(
                    f"recover ended with {recovered.returncode}: {recovered.stderr.strip()}"
                )
        else:
            self.look("live page")
            code, _ = self.recorder.stop(seconds=60)
            if code != 0:
                self.wrong.append(f"record ended with {code}")
        self.gather("journal left over")
        for arguments in TERMINAL:
            done = subprocess.run(
                [self.binary, arguments[0], self.cassette, *arguments[1:]],
                capture_output=True,
                timeout=60,
            )
            name = " ".join(word for word in arguments if word != OTHER)
            self.outputs.add(name, done.stdout + done.stderr)
        self.origin.close()
        if self.front:
            self.front.kill()
            self.front.wait()
            self.keys.cleanup()

    def replay(self, units):
        """Plays the cassette to the same requests with other values in them."""
        with environment(self.work):
            self.recorder = Recorder(self.binary, self.cassette, "--ui", verb="replay", quiet=False)
        for _, answer in self.wave(units):
            self.outputs.add("replay's answers", answer)
        self.look("replay's live page")
        self.recorder.stop()
        self.outputs.add("replay's output", self.recorder.log.read_bytes())

    def look(self, name):
        """Gathers what the live page shows, where there is one."""
        address = re.search(rb"http://127\.0\.0\.1:\d+/[0-9a-f]{32}/", self.recorder.log.read_bytes())
        if address:
            without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with without_proxy.open(address.group().decode(), timeout=60) as page:
                self.outputs.add(name, page.read())
        elif self.cassette.name != "tape.raw.yaml":
            self.wrong.append(f"there is no {name}")

    def made_elsewhere(self):
        """Files that the recorder made, by its system calls, where nobody looks for them."""
        if not self.calls.exists():
            raise SystemExit("strace left no list of files")
        calls = self.calls.read_text(errors="replace")
        self.calls.unlink()
        names = set(
            re.findall(r'(?:openat\(\w+, |creat\()"([^"]+)"[^)]*(?:O_CREAT|O_TMPFILE)', calls)
        )
        if not any(name.endswith(".part") for name in names):
            raise SystemExit("strace did not see the cassette being made")
        here = str(self.work)
        return sorted(name for name in names if not name.startswith((here, "/dev/", "/proc/")))

    def recorded(self):
        """The ids of the exchanges that are on the cassette, or in what was left of it."""
        left = self.cassette.with_name("tape.yaml.part")
        text = (self.cassette if self.cassette.exists() else left).read_text(errors="replace")
        return set(re.findall(r"00000000-0000-4000-8[0-9a-f]{3}-[0-9a-f]{12}", text))


def secure_front(answers, certificate, key):
    """Node's server before the origin: its process and its port."""
    front = subprocess.Popen(
        ["node", pathlib.Path(__file__).with_name("origin.mjs"), str(answers), certificate, key],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=with_us,
    )
    return front, int(front.stdout.readline())


@contextlib.contextmanager
def environment(work):
    """What a program keeps for itself goes where it is seen."""
    names = {
        "TMPDIR": "tmp",
        "HOME": "home",
        "XDG_STATE_HOME": "state",
        "XDG_CACHE_HOME": "state",
        "XDG_CONFIG_HOME": "home",
        "XDG_DATA_HOME": "state",
        "XDG_RUNTIME_DIR": "tmp",
    }
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(work / folder) for name, folder in names.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def identifier(unit, step):
    """Shaped as identifiers of requests are, so that a recording keeps it."""
    return f"00000000-0000-4000-8{step:03x}-{unit:012x}"
