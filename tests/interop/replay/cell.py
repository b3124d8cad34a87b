"""A cell of the matrix: one client and one flow, by the right client and by a wrong one, in each mode."""

import os
import pathlib
import subprocess
import sys

from clients import FLOWS
from run import ALONE, TOOLS, fail
from servers import PYTHON
from ways import free_port

HERE = pathlib.Path(__file__).resolve().parent
DAYS = 366
# The modes, in the order in which they are tried.
MODES = ("direct", "recorded", "explained", "offline", "later", "refused")


class Cell:
    def __init__(self, client, flow, server, work, variants=("right", "wrong")):
        self.client, self.flow, self.server, self.variants = client, flow, server, variants
        self.work = work / f"{server.kind}.{client.id}.{flow}"
        self.work.mkdir()
        self.expected, self.failures = {}, {}

    def environment(self, variant):
        return {
            **os.environ,
            "ALGORITHM": self.client.signature(self.server.kind),
            "CLIENT_ID": self.client.named(self.flow, variant, self.server.kind),
            "CLIENT_SECRET": self.server.secret,
            "ISSUER": self.server.issuer,
            "REDIRECT_URI": f"http://127.0.0.1:{free_port()}/cb",
            "TOOLS": str(TOOLS),
        }

    def tape(self, variant):
        return self.work / f"{variant}.yaml"

    def run(self, mode, variant, around, more=()):
        """Runs the client inside of something; its log is kept."""
        # libfaketime breaks the sleep of Python where the clock of time-outs is left as it is.
        own = ["env", "-u", "FAKETIME_DONT_FAKE_MONOTONIC"] if self.client.command[0] == PYTHON else []
        command = [*around, *own, *self.client.command, self.flow, variant]
        environment = {**self.environment(variant), **dict(more)}
        out = self.work / f"{mode}.{variant}.log"
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, cwd=HERE
            )
        except subprocess.TimeoutExpired as late:
            out.write_text(f"{' '.join(command)}\n{late.stdout}\n{late.stderr}\nno end\n")
            self.failures[mode, variant] = "no end"
            return None
        out.write_text(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}\nexit {done.returncode}\n")
        return done

    def check(self, mode, variant, around, codes=(0,), more=()):
        """It must say what it said to the server."""
        done = self.run(mode, variant, around, more)
        if done and (done.stdout != self.expected[variant] or done.returncode not in codes):
            said = (done.stdout.strip().splitlines() or ["nothing"])[-1]
            self.failures[mode, variant] = f"exit {done.returncode}, {said!r}"

    def record(self, binary):
        """Against the server, without us and with us: what is said first is what has to be said from then on."""
        for variant in self.variants:
            done = self.run("direct", variant, self.server.direct)
            end = "done" if variant == "right" else f"refused: {self.client.refusal(self.flow)}"
            last = (done.stdout.splitlines() or [""])[-1] if done else ""
            if done is None or done.returncode != 0 or last != end:
                self.failures["direct", variant] = f"ends with {last!r}, not with {end!r}"
                continue
            self.expected[variant] = done.stdout
            tape = self.tape(variant)
            self.check("recorded", variant, [binary, "record", str(tape), *self.server.options, "--"])
            if tape.exists() and self.server.secret in tape.read_text():
                fail(f"{tape.name} of {self.client.name}, {self.flow}: the client's secret is in the cassette")
            if tape.exists() and variant == "right":
                self.explain(binary, tape)

    def explain(self, binary, tape):
        """A session in which all went well has nothing to be blamed for."""
        command = [binary, "explain", "--fail-on", "warning", str(tape)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip().splitlines()
            self.failures["explained", "right"] = f"exit {done.returncode}, {said[0] if said else ''!r}"

    def replay(self, binary):
        """From the tape alone, and a year later where a canary answers whoever is called."""
        alone = [*ALONE, binary, "replay"]
        watched = [sys.executable, str(HERE / "watched.py"), "faketime", "-f", f"+{DAYS}d", binary, "replay"]
        # Not the clock of time-outs; and for clients that read the time past the C library, how far it is ahead.
        later = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "LATER": str(DAYS * 86_400)}
        for variant in self.expected:
            tape = str(self.tape(variant))
            self.check("offline", variant, [*alone, tape, "--"])
            self.check("later", variant, [*watched, tape, "--"], more=later)
        if len(self.expected) == 2 and self.flow in TOLD_APART:
            # Refused, it leaves steps unplayed, and replay says so with 1.
            self.check("refused", "wrong", [*alone, str(self.tape("right")), "--"], codes=(0, 1))

    def text(self):
        """What the page says of it."""
        failed = [mode for mode in MODES if any(mode == one for one, _ in self.failures)]
        return f"fails {', '.join(failed)}" if failed else "passes"


# A device's user decides, not its client; and of a secret replay knows only that there is one.
TOLD_APART = [flow for flow in FLOWS if flow not in ("device", "client_credentials")]
