"""A recording of many cells: drives them through the recorder, and gathers all that it put out."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "wire"))

from origin import LENGTH, CHUNKED, Origin, read_chunks, read_head  # noqa: E402
from support import Recorder, authtape  # noqa: E402

THREADS = 3
# After so many cells the journal is looked at.
WAVE = 60
TERMINAL = (
    ("show",), ("show", "--json"), ("audit",), ("audit", "--json"), ("explain",), ("explain", "--format", "json"),
)

NAMES = {"tape.yaml": "cassette", "tape.yaml.part": "", "tape.yaml.record.log": "record's output"}


class Client:
    """Keeps its connection to the proxy while it can."""

    def __init__(self, port):
        self.port, self.socket, self.reader = port, None, None

    def send(self, data, upgrade=False):
        """The bytes of the answer; whatever came where the connection ended."""
        for fresh in (self.socket is None, True):
            if fresh:
                self.close()
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=20)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.reader = self.socket.makefile("rb")
            try:
                self.socket.sendall(data)
                head = read_head(self.reader)
            except OSError:
                head = b""
            if head:
                return head + self.body(head, upgrade)
            # A connection that was kept may have been closed meanwhile; a new one ended by itself.
            self.close()
            if fresh:
                return b""
        return b""

    def body(self, head, upgrade):
        with contextlib.suppress(OSError, ValueError):
            if upgrade:
                body = self.reader.read()
                self.close()
                return body
            if CHUNKED.search(head):
                return read_chunks(self.reader)
            if length := LENGTH.search(head):
                body = self.reader.read(int(length[1]))
                if len(body) < int(length[1]):
                    self.close()
                return body
        self.close()
        return b""

    def close(self):
        if self.socket:
            with contextlib.suppress(OSError):
                self.reader.close()
                self.socket.close()
        self.socket = None


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
    lines = data.split(b"\n")
    return [b"\n".join(lines[at:at + 40]) for at in range(0, len(lines), 40)]


class Session:
    """One recorder, one origin, one directory that everything is written in."""

    def __init__(self, binary, work, lane="plain", options=(), under=()):
        self.binary, self.work = binary, pathlib.Path(work)
        self.cassette = self.work / "tape.yaml"
        self.origin = Origin()
        self.outputs = Outputs()
        for name in ("tmp", "home", "state"):
            (self.work / name).mkdir()
        more = ["--upstream-proxy", f"http://127.0.0.1:{self.origin.port}"] if lane == "upstream" else []
        with environment(self.work):
            self.recorder = Recorder(
                binary, self.cassette, "--keep", "all", *more, *options, quiet=False, under=under
            )
        self.authority = f"localhost:{self.origin.port}"

    def drive(self, units, after=None):
        """Sends the exchanges of each unit in their order; some units at once. `after` sees each wave."""
        for number, start in enumerate(range(0, len(units), WAVE)):
            wave = units[start:start + WAVE]
            self.wave(list(reversed(wave)))
            self.gather("journal")
            if after:
                after(number, wave)

    def wave(self, units):
        lock = threading.Lock()

        def work():
            client = Client(self.recorder.port)
            while True:
                with lock:
                    if not units:
                        break
                    unit = units.pop()
                for exchange in unit:
                    self.send(client, exchange)
            client.close()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def send(self, client, exchange):
        self.origin.answers[exchange.id] = exchange
        refused = exchange.how == "refused"
        authority = f"localhost:{self.origin.refusing_port}" if refused else self.authority
        return client.send(exchange.request(authority), upgrade=exchange.how == "websocket")

    def gather(self, journal):
        """All files that there are now; `journal` is what the unfinished cassette is called."""
        for path in sorted(self.work.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with contextlib.suppress(FileNotFoundError):
                    self.outputs.add(NAMES.get(path.name, path.name) or journal, path.read_bytes())

    def finish(self, killed=False):
        """Ends the recording, and gathers what was left and what the other commands say of it."""
        if killed:
            self.recorder.stop(signal.SIGKILL)
            self.gather("journal after kill -9")
            recovered = authtape(self.binary, "recover", self.cassette.with_name("tape.yaml.part"))
            self.outputs.add("recover", (recovered.stdout + recovered.stderr).encode())
        else:
            code, _ = self.recorder.stop(seconds=60)
            if code != 0:
                raise SystemExit(f"record ended with {code}: {self.recorder.log.read_text()[-500:]}")
        self.gather("journal left over")
        for arguments in TERMINAL:
            done = subprocess.run(
                [self.binary, arguments[0], self.cassette, *arguments[1:]], capture_output=True, timeout=60
            )
            self.outputs.add(" ".join(arguments), done.stdout + done.stderr)
        self.origin.close()

    def recorded(self):
        """The ids of the exchanges that are on the cassette."""
        if not self.cassette.exists():
            return set()
        text = self.cassette.read_text(errors="replace")
        return set(re.findall(r"00000000-0000-4000-8[0-9a-f]{3}-[0-9a-f]{12}", text))


@contextlib.contextmanager
def environment(work):
    """What a program keeps for itself goes where it is seen."""
    names = {
        "TMPDIR": "tmp", "HOME": "home", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "state",
        "XDG_CONFIG_HOME": "home", "XDG_DATA_HOME": "state", "XDG_RUNTIME_DIR": "tmp",
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
