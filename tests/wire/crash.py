"""Every call that writes, as a crash point: killed, refused or interrupted there, a recording of ten loses nothing.

    python3 tests/wire/crash.py target/release/authtape [--only TEXT] [--prove]

`strace` sees to the k-th `write`, `fdatasync`, `fsync` or `rename`. At each point the old cassette or the new one
is there, whole; what was answered is in it, or recovered from the `.part`; and no request fails. `--prove`
demands one interaction more than there are, and succeeds where every point fails.
"""

import contextlib
import pathlib
import resource
import signal
import subprocess
import sys

from support import HOST, Answer, Listener, Recorder, Report, authtape, binary_argument, connect, good, interactions, together, wait_for, workspace

PROVE = "--prove" in sys.argv
COUNT = 10
TOKEN = "a-token-that-is-long-enough"
LATE = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N"
RENAMES = "rename,renameat,renameat2"
OLD = "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-01-01T00:00:00Z\"\ninteractions: []\n"


class Point:
    """A call, which of its kind, and what comes of it."""

    def __init__(self, calls, number, fault, of_part=False, late=False):
        self.calls, self.number, self.fault, self.of_part, self.late = calls, number, fault, of_part, late
        what = "the replacement of the .part: " if late else ""
        self.name = f"{what}{calls.split(',')[0]} {number}: {fault}"

    def options(self, part):
        inject = f"signal={self.fault}" if self.fault == "KILL" else f"error={self.fault}"
        path = ["-P", str(part)] if self.of_part else []
        return ["strace", "-f", "-o", "/dev/null", *path, "-e", f"trace={self.calls}", "-e", f"inject={self.calls}:{inject}:when={self.number}"]


def points():
    for number in range(1, COUNT + 1):
        for fault in ("KILL", "EIO", "ENOSPC", "EINTR"):
            yield Point("write", number, fault, of_part=True)
    for fault in ("KILL", "EIO", "ENOSPC"):
        yield Point("fdatasync", 1, fault, of_part=True)
        yield Point(RENAMES, 1, fault)
        for number in (1, 2):
            yield Point("fsync", number, fault)
    yield Point("unlink", 1, "KILL", of_part=True)
    yield Point("unlink", 1, "EIO", of_part=True)
    # The fifth request shows that what was kept in the first is a secret.
    for calls, number in (("fsync", 1), (RENAMES, 1), ("fsync", 2)):
        yield Point(calls, number, "KILL", late=True)
    yield Point("setrlimit", 1, "EFBIG")


def session(recorder, port, late):
    """Ten requests on one connection, so on one thread, which `strace` counts by; how many were answered."""
    answered = 0
    with contextlib.suppress(OSError), connect(recorder.port, 10) as client:
        for number in range(1, COUNT + 1):
            client_id = LATE if late and number == 1 else "soak"
            token = LATE if late and number == 5 else f"{TOKEN}-{number}"
            body = f"grant_type=refresh_token&client_id={client_id}&refresh_token={token}"
            client.sendall(
                f"POST http://{HOST}:{port}/token HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            answer = Answer(client, 10)
            if answer.status != 200 or not answer.whole:
                break
            answered += 1
    return answered


def count(binary, cassette):
    """How many interactions a cassette has that loads; what is wrong with one that does not."""
    shown = authtape(binary, "show", cassette)
    return (len(interactions(cassette)), "") if shown.returncode == 0 else (0, f"show {cassette.name} ends with {shown.returncode}: {shown.stderr[:200]}")


def left(binary, tape, answered, least, code):
    """What is wrong with the files that are left."""
    part, wrongs, found = pathlib.Path(f"{tape}.part"), [], 0
    if tape.read_text() != OLD:
        found, wrong = count(binary, tape)
        wrongs += [wrong] if wrong or found == COUNT else [f"the new cassette has {found} interactions"]
    if part.exists():
        recovered = authtape(binary, "recover", part)
        saved = tape.with_suffix(".recovered.yaml")
        if recovered.returncode == 0:
            more, wrong = count(binary, saved)
            found, wrongs = max(found, more), [*wrongs, wrong]
        elif least > 0 or recovered.returncode != 3 or not part.exists():
            wrongs.append(f"recover ends with {recovered.returncode}: {recovered.stderr[:200]}")
    least += COUNT if PROVE else 0
    if found < least:
        wrongs.append(f"{found} interactions are left of {least} ({answered} were answered)")
    wrongs += [f"a token is in {path.name}" for path in tape.parent.iterdir() if path.is_file() and TOKEN in path.read_text()]
    strangers = [path.name for path in tape.parent.iterdir() if path.name.startswith(".tmp")]
    if strangers and code != -signal.SIGKILL:
        wrongs.append(f"{strangers} are left")
    return wrongs


def one(binary, work, point, report):
    place = work / point.name.replace(" ", "-").replace(":", "")
    place.mkdir()
    tape, origin = place / "tape.yaml", Listener(good)
    tape.write_text(OLD)
    recorder = Recorder(binary, tape, "--keep", "all", "--overwrite")
    strace = None
    if point.fault != "EFBIG":
        log = place / "strace"
        strace = subprocess.Popen([*point.options(f"{tape}.part"), "-p", str(recorder.process.pid)], stderr=open(log, "wb"), stdin=subprocess.DEVNULL)
        if not wait_for(lambda: "attached" in log.read_text(), 10):
            raise SystemExit(f"strace cannot trace here: {log.read_text()}")
    answered = session(recorder, origin.port, point.late)
    # The file is synced now and then.
    if point.calls == "fdatasync":
        wait_for(lambda: not recorder.alive(), 0.3)
    if point.fault == "EFBIG":
        # The cassette does not fit, of which the first part is written.
        resource.prlimit(recorder.process.pid, resource.RLIMIT_FSIZE, (1000, 1000))
    code, _ = recorder.stop()
    if strace:
        strace.wait(10)
    killed = point.fault == "KILL"
    # What was recorded goes to a new file where the old one was refused a write or a sync.
    is_renewed = point.calls in ("write", "fdatasync") and not killed
    expected = -signal.SIGKILL if killed else 0 if is_renewed else 3
    wrongs = [] if code == expected else [f"it ended with {code}, must be {expected}"]
    in_write, in_sync = point.calls == "write", point.calls == "fdatasync"
    # One that is killed answers no more, and is killed before the answer to what it could not write.
    must = point.number - 1 if killed and in_write else 0 if killed and in_sync else 4 if point.late else COUNT
    wrongs += [] if answered >= must else [f"{answered} requests were answered, must be {must}"]
    least = point.number - 1 if in_write and killed else answered
    wrongs += left(binary, tape, answered, least, code)
    log = recorder.log.read_text(errors="replace")
    wrongs += ["a panic"] if "panicked" in log else []
    report.case(point.name, "; ".join(wrong for wrong in wrongs if wrong))
    origin.close()


def unborn(binary, work, report):
    """The beginning of the file is refused: it says why, and what was there is untouched."""
    for fault in ("EIO", "ENOSPC"):
        tape = work / f"unborn-{fault}.yaml"
        tape.write_text(OLD)
        point = Point("write", 1, fault, of_part=True)
        done = subprocess.run(
            [*point.options(f"{tape}.part"), binary, "record", "--overwrite", str(tape), "--", "true"],
            capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL,
        )
        wrong = "" if done.returncode == 3 and "cannot write" in done.stderr and not PROVE else f"it ended with {done.returncode}: {done.stderr[:200]}"
        report.case(f"the first write: {fault}", wrong or ("" if tape.read_text() == OLD else "the old cassette is not as it was"))


def main():
    binary, report = binary_argument(), Report()
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    with workspace() as work:

        def play(point):
            try:
                one(binary, work, point, report)
            except (Exception, SystemExit) as error:
                report.case(point.name, f"{type(error).__name__}: {error}")

        some = [point for point in points() if only in point.name]
        together([lambda point=point: play(point) for point in some], 4)
        if only in "the first write":
            unborn(binary, work, report)
    ended = report.end("crash")
    return (0 if report.passed == 0 else 1) if PROVE else ended


if __name__ == "__main__":
    sys.exit(main())
