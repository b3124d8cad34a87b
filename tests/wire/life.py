"""A recorder's life where the machine runs short, and its end: descriptors, disk, signals, outputs, rivals.

    python3 tests/wire/life.py target/release/authtape [--only TEXT] [--prove]

Root mounts a small tmpfs for the full disk. `--prove` demands what nobody can do (exit codes that do not
exist, recovery in no time), and succeeds where every case fails.
"""

import calendar
import contextlib
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time

from support import (
    HOST, Answer, Listener, Pki, Recorder, Report, authtape, binary_argument, connect, good, interactions, read_head, together, tunnel, wait_for,
    with_us, workspace,
)

PROVE = "--prove" in sys.argv
COULD_NOT = 3


def ask(recorder, port, seconds=5):
    """An ordinary request on a connection of its own; what is wrong with its answer."""
    try:
        with connect(recorder.port, seconds) as client:
            client.sendall(f"GET http://{HOST}:{port}/userinfo HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = Answer(client, seconds)
    except OSError as error:
        return str(error)
    return "" if answer.status == 200 and answer.whole else f"status {answer.status}"


def readable(binary, cassette, least, most=None):
    """Whether a cassette loads, and has as many interactions as it must."""
    if PROVE:
        least, most = 10**6, None
    shown = authtape(binary, "show", cassette)
    count = len(interactions(cassette))
    if shown.returncode != 0:
        return f"show ends with {shown.returncode}: {shown.stderr.strip()[:200]}"
    return "" if least <= count <= (most or count) else f"{count} interactions, must be {least} or more"


def worst(*wrongs):
    return "; ".join(wrong for wrong in wrongs if wrong)


def exit_code(code, allowed):
    allowed = (77,) if PROVE else allowed
    return "" if code in allowed else f"it ended with {code}, must be one of {allowed}"


def panicked(recorder):
    text = recorder.log.read_text(errors="replace")
    return f"a panic: {text[:200]}" if "panicked" in text or PROVE else ""


# --- File descriptors --------------------------------------------------------------------------


def descriptors(binary, work, report):
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    # As many are let in as there are descriptors for, with one more each for a server.
    for name, least, hold in [
        ("silent connections", 32, lambda recorder, port: connect(recorder.port)),
        ("requests without an answer", 50, lambda recorder, port: hanging(recorder, port)),
        ("tunnels", 50, lambda recorder, port: open_tunnel(recorder, port)),
    ]:
        origin, mute = Listener(good), Listener(mute_until_closed)
        tape = work / f"{name.split()[0]}.yaml"
        recorder = Recorder(binary, tape, "--keep", "all", before=limit)
        first = ask(recorder, origin.port)
        held = []

        def one():
            with contextlib.suppress(OSError):
                held.append(hold(recorder, mute.port))

        together([one] * 100, 100)
        time.sleep(0.2)
        used = len(os.listdir(f"/proc/{recorder.process.pid}/fd")) if recorder.alive() else 0
        # Else the case says nothing.
        short = "" if used >= least else f"only {used} descriptors were in use"
        before = recorder.cpu() if recorder.alive() else 0
        time.sleep(2)
        if not recorder.alive():
            report.case(f"64 descriptors, {name}: goes on", f"it ended with {recorder.process.returncode}")
            continue
        share = (recorder.cpu() - before) / 2
        report.case(f"64 descriptors, {name}: goes on", worst(first, short, "it must not" if PROVE else ""))
        report.case(f"64 descriptors, {name}: below 5 % of a processor", "" if share < (0 if PROVE else 0.05) else f"{share:.0%}")
        for client in held:
            client.close()
        began = time.monotonic()
        wrong = ask(recorder, origin.port)
        while wrong and time.monotonic() - began < 5:
            time.sleep(0.05)
            wrong = ask(recorder, origin.port)
        took = time.monotonic() - began
        report.case(f"64 descriptors, {name}: recovers within 1 s", "" if not wrong and took < (0 if PROVE else 1) else f"{wrong or 'an answer'} after {took:.1f} s")
        code, _ = recorder.stop()
        report.case(f"64 descriptors, {name}: ends well", worst(exit_code(code, (0,)), readable(binary, tape, 2), panicked(recorder)))


def mute_until_closed(client):
    while client.recv(65536):
        pass


def hanging(recorder, port):
    client = connect(recorder.port)
    client.sendall(f"GET http://{HOST}:{port}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
    return client


def open_tunnel(recorder, port):
    client = connect(recorder.port)
    client.sendall(f"CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
    client.settimeout(1)
    read_head(client)
    return client


# --- No room to write --------------------------------------------------------------------------


def short_of_room(binary, report, name, tape, release, prepare=lambda recorder: None):
    """200 requests, most of which cannot be written down."""
    origin = Listener(good)
    recorder = Recorder(binary, tape, "--keep", "all", quiet=False)
    prepare(recorder)
    wrongs = [wrong for wrong in (ask(recorder, origin.port) for _ in range(200)) if wrong]
    report.case(f"{name}: no request fails", worst(f"{len(wrongs)} of 200: {wrongs[0]}" if wrongs else "", "none did" if PROVE else ""))
    code, took = recorder.stop()
    said = recorder.log.read_text(errors="replace")
    report.case(f"{name}: the exit code says so", worst(exit_code(code, (COULD_NOT,)), panicked(recorder), "" if took < 5 else f"after {took:.1f} s"))
    report.case(f"{name}: it is told", "" if tape.name in said and not PROVE else f"said was {said[-300:]!r}")
    release()
    part = pathlib.Path(f"{tape}.part")
    if not tape.exists():
        if not part.exists():
            report.case(f"{name}: what was written is whole", "neither cassette nor .part is there")
            return
        recovered = authtape(binary, "recover", part)
        if recovered.returncode not in (0, 1):
            report.case(f"{name}: what was written is whole", f"recover ends with {recovered.returncode}: {recovered.stderr[:200]}")
            return
    # Not one interaction, and not all: else nothing ran short.
    report.case(f"{name}: what was written is whole", readable(binary, tape, 10, 199))


def disk_full(binary, work, report):
    small = work / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True, text=True)
    if mounted.returncode != 0:
        print(f"note: no tmpfs can be mounted here ({mounted.stderr.strip()}), a full disk is not tried")
        return
    try:
        filler = small / "filler"
        filler.write_bytes(bytes((1 << 20) - 48 * 1024))
        # The ready file and the log are elsewhere: only the cassette is short of room.
        tape = small / "tape.yaml"
        short_of_room(binary, report, "full disk", tape, filler.unlink)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def file_limit(binary, work, report):
    limit = (16384, 16384)
    # The bundle of roots, which a start writes, is longer than that: so the limit comes behind it.
    prepare = lambda recorder: resource.prlimit(recorder.process.pid, resource.RLIMIT_FSIZE, limit)
    short_of_room(binary, report, "SIGXFSZ", work / "limited.yaml", lambda: None, prepare)
    # A recorder that cannot start says so, and leaves nothing.
    tape = work / "unborn.yaml"
    done = subprocess.run(
        [binary, "record", str(tape), "--", "true"], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    wrong = "" if done.stderr.strip() else "it says nothing"
    report.case("SIGXFSZ at the start: it says why", worst(exit_code(done.returncode, (COULD_NOT,)), wrong))


# --- A disk that errs --------------------------------------------------------------------------

SECRET = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N"


def form(recorder, port, path, body):
    """A POST of a form; what is wrong with its answer."""
    head = f"POST http://{HOST}:{port}{path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded"
    with connect(recorder.port, 5) as client:
        client.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = Answer(client, 5)
    return "" if answer.status == 200 and answer.whole else f"status {answer.status}"


def erring_disk(binary, work, report):
    """The k-th call of a kind fails, or is the last: `strace` sees to it. Each with what must be left."""
    if subprocess.run(["strace", "-D", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
        raise SystemExit("strace cannot trace here")
    renames, syncs = "rename,renameat", "fsync"
    # -D: the recorder is our child, and signals are its own. The k-th call is counted for each thread.
    traced = ["env", "TOKIO_WORKER_THREADS=1", "strace", "-f", "-D", "-o", "/dev/null"]
    # A cassette that is not to replace anything gets its name by the only call of this kind.
    named = "renameat2"
    # What is left: the interactions that must be in it, and whether the cassette itself is there.
    for name, calls, fault, of_part, least, there in [
        ("EIO for a write", "write", "error=EIO:when=6+", True, 5, False),
        ("ENOSPC for one write", "write", "error=ENOSPC:when=6", True, 20, True),
        ("EINTR for a write", "write", "error=EINTR:when=6", True, 20, True),
        ("EIO for one sync while it runs", "fdatasync", "error=EIO:when=1", True, 20, True),
        ("EIO for each sync while it runs", "fdatasync,fsync", "error=EIO:when=1+", False, 1, False),
        ("EIO for the sync of the cassette", syncs, "error=EIO:when=1", False, 20, False),
        ("ENOSPC for the sync of the cassette", syncs, "error=ENOSPC:when=1", False, 20, False),
        ("EIO for the rename", named, "error=EIO:when=1", False, 20, False),
        ("EROFS for the rename", named, "error=EROFS:when=1", False, 20, False),
        ("EIO for the sync of the directory", syncs, "error=EIO:when=2", False, 20, None),
        ("EIO for the removal of the .part", "unlink,unlinkat", "error=EIO:when=1", True, 20, None),
        ("killed in a write", "write", "signal=KILL:when=6", True, 5, False),
        ("killed in the sync of the cassette", syncs, "signal=KILL:when=1", False, 20, False),
        ("killed in the rename", named, "signal=KILL:when=1", False, 20, None),
        ("killed in the sync of the directory", syncs, "signal=KILL:when=2", False, 20, None),
        ("killed in the removal of the .part", "unlink,unlinkat", "signal=KILL:when=1", True, 20, None),
    ]:
        killed = "KILL" in fault
        place = work / name.replace(" ", "-").replace(".", "")
        place.mkdir()
        tape, origin = place / "tape.yaml", Listener(good)
        part = pathlib.Path(f"{tape}.part")
        only = ["-P", str(part)] if of_part else []
        under = [*traced, *only, "-e", f"trace={calls}", "-e", f"inject={calls}:{fault}"]
        recorder = Recorder(binary, tape, "--keep", "all", quiet=False, under=under)
        answers = [ask(recorder, origin.port) for _ in range(20)]
        # Every answer up to the end must come, and if it does not end, every one.
        wrongs = [wrong for wrong in answers[:least] if wrong] if killed else [wrong for wrong in answers if wrong]
        report.case(f"{name}: no request fails", worst(f"{len(wrongs)} of 20: {wrongs[0]}" if wrongs else "", "none did" if PROVE else ""))
        # The file is synced now and then.
        if "while it runs" in name:
            time.sleep(0.5)
        code, took = recorder.stop()
        said = recorder.log.read_text(errors="replace")
        allowed = (-signal.SIGKILL,) if killed else (0,) if there else (COULD_NOT,)
        report.case(f"{name}: the exit code says so", worst(exit_code(code, allowed), panicked(recorder), "" if took < 5 else f"after {took:.1f} s"))
        if there and "EINTR" not in name:
            report.case(f"{name}: it is told", "" if "all was written again, to a new file" in said.replace("\n", " ") and not PROVE else f"said was {said[-400:]!r}")
        if allowed == (COULD_NOT,):
            report.case(f"{name}: it is told, with what to do", "" if f"recover {part}" in said.replace("\n", " ") and not PROVE else f"said was {said[-400:]!r}")
        if tape.exists() != there and there is not None:
            report.case(f"{name}: what is left is whole", f"the cassette is {'' if tape.exists() else 'not '}there")
            continue
        lefts = [tape] if tape.exists() else []
        if part.exists():
            recovered = authtape(binary, "recover", part)
            if recovered.returncode != 0:
                report.case(f"{name}: what is left is whole", f"recover ends with {recovered.returncode}: {recovered.stderr[:200]}")
                continue
            lefts.append(tape.with_suffix(".recovered.yaml") if lefts else tape)
        report.case(f"{name}: what is left is whole", worst("" if lefts else "nothing is", *(readable(binary, left, least, 20) for left in lefts)))

    # Full when the cassette is to be written, for which the disk has no room beside the `.part`.
    small = work / "full-at-the-end"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=True)
    try:
        tape, origin = small / "tape.yaml", Listener(good)
        recorder = Recorder(binary, tape, "--keep", "all", quiet=False)
        wrongs = [wrong for wrong in (ask(recorder, origin.port) for _ in range(100)) if wrong]
        filler = open(small / "filler", "wb", buffering=0)
        with contextlib.suppress(OSError):
            while filler.write(bytes(4096)):
                pass
        code, _ = recorder.stop()
        report.case("full disk at the end: told", worst(wrongs[0] if wrongs else "", exit_code(code, (COULD_NOT,)), panicked(recorder)))
        filler.truncate(0)
        strangers = sorted(path.name for path in small.iterdir() if path.name not in ("tape.yaml.part", "filler", "tape.yaml.record.log", "tape.yaml.record.ready"))
        report.case("full disk at the end: nothing half-written is left", f"{strangers} are" if strangers or PROVE else "")
        recovered = authtape(binary, "recover", f"{tape}.part")
        report.case("full disk at the end: all is recovered", worst(exit_code(recovered.returncode, (0,)), readable(binary, tape, 100, 100) if tape.exists() else "nothing is"))
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)

    # A value is kept as a client's name, and then turns out to be a token: the `.part` cannot be replaced.
    tape, origin = work / "late.yaml", Listener(good)
    part = pathlib.Path(f"{tape}.part")
    recorder = Recorder(binary, tape, quiet=False, under=[
        *traced, "-e", f"trace={renames},{named}", "-e", f"inject={renames}:error=EIO:when=2+", "-e", f"inject={named}:error=EIO:when=1+",
    ])
    first = form(recorder, origin.port, "/token", f"grant_type=refresh_token&client_id={SECRET}&refresh_token=another-that-is-long-enough")
    was_there = SECRET in part.read_text()
    second = form(recorder, origin.port, "/token", f"grant_type=refresh_token&client_id=soak&refresh_token={SECRET}")
    text = part.read_text()
    code, _ = recorder.stop()
    report.case("EIO for the replacement of the .part: no request fails", worst(first, second, "none did" if PROVE else ""))
    report.case("EIO for the replacement of the .part: the late secret is gone", worst("" if was_there else "it was never there", "it is there" if SECRET in text or PROVE else ""))
    recovered = authtape(binary, "recover", part)
    report.case("EIO for the replacement of the .part: the rest is recovered",
                worst(exit_code(code, (COULD_NOT,)), exit_code(recovered.returncode, (0,)), readable(binary, tape, 2, 2) if tape.exists() else "nothing is"))


# --- Signals -----------------------------------------------------------------------------------


def signals(binary, work, report):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        name = number.name
        tape = work / f"{name}.yaml"

        def endless(client):
            read_head(client)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                client.sendall(b"1\r\nx\r\n")
                time.sleep(0.1)

        origin, slow = Listener(good), Listener(endless)
        recorder = Recorder(binary, tape, "--keep", "all", quiet=False)
        wrongs = [wrong for wrong in (ask(recorder, origin.port) for _ in range(20)) if wrong]
        # One that idles, one that has a request half-said, one that never ends, one in a tunnel.
        idle, half, busy = (connect(recorder.port) for _ in range(3))
        half.sendall(b"GET http://")
        busy.sendall(f"GET http://{HOST}:{slow.port}/ HTTP/1.1\r\nHost: {HOST}:{slow.port}\r\n\r\n".encode())
        read_head(busy)
        inside = tunnel(recorder, slow.port, tls=False)
        time.sleep(0.3)
        # These change nothing.
        for other in (signal.SIGPIPE, signal.SIGWINCH, signal.SIGCONT):
            recorder.process.send_signal(other)
        wrongs += [wrong for wrong in [ask(recorder, origin.port)] if wrong]
        code, took = recorder.stop(number)
        # Two seconds are for what is in flight; the writing comes on top.
        limit = 0 if PROVE else 2.5
        report.case(f"{name}: ends within 2 s", worst(wrongs[0] if wrongs else "", "" if took < limit else f"after {took:.1f} s"))
        report.case(f"{name}: exit code", worst(exit_code(code, (0, 128 + number)), panicked(recorder)))
        report.case(f"{name}: the cassette is whole", worst(readable(binary, tape, 22), ".part is left" if pathlib.Path(f"{tape}.part").exists() else ""))
        for client in (idle, half, busy, inside):
            client.close()

    # A second signal does not wait for what is in flight.
    tape, slow = work / "twice.yaml", Listener(endless)
    origin, recorder = Listener(good), Recorder(binary, tape, "--keep", "all")
    wrong = ask(recorder, origin.port)
    with connect(recorder.port) as busy:
        busy.sendall(f"GET http://{HOST}:{slow.port}/ HTTP/1.1\r\nHost: {HOST}:{slow.port}\r\n\r\n".encode())
        read_head(busy)
        recorder.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        code, _ = recorder.stop(signal.SIGINT)
    report.case("SIGINT twice: the cassette is whole", worst(wrong, exit_code(code, (0, 130)), readable(binary, tape, 1)))


def child_signalled(binary, work, report):
    """The wrapped program gets the signal, and its end is ours."""
    for number in (signal.SIGINT, signal.SIGTERM):
        tape, mark = work / f"child-{number}.yaml", work / f"child-{number}"
        script = f"trap 'echo got > {mark}; exit 42' {number.name[3:]}; touch {mark}.up; while :; do sleep 0.05; done"
        process = subprocess.Popen([binary, "record", str(tape), "--keep", "all", "--quiet", "--", "sh", "-c", script], stdin=subprocess.DEVNULL)
        up = wait_for(pathlib.Path(f"{mark}.up").exists, 10)
        process.send_signal(number)
        began = time.monotonic()
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        took = time.monotonic() - began
        wrong = worst("" if up else "the program did not start", "" if mark.exists() else "the program got no signal", exit_code(code, (42, 128 + number)))
        report.case(f"{number.name} with a program: it is passed on", worst(wrong, "" if took < 3 else f"after {took:.1f} s"))


def children(binary, work, report):
    """The wrapped program's own ways, none of which are the recorder's end."""
    origin = Listener(good)
    asks = f"curl -s -o /dev/null -x \"$http_proxy\" --noproxy '' http://{HOST}:{origin.port}/userinfo"
    long = "x" * 100_000
    for name, script, expected in [
        ("ends at once", "exit 7", 7),
        ("is killed", "kill -9 $$", 137),
        ("leaves one behind that lives on", f"{asks}; sleep 20 & exit 5", 5),
        ("closes all its descriptors", f"{asks}; exec 0<&- 1>&- 2>&-; exit 6", 6),
        ("leaves children that nobody waits for", f"{asks}; for n in 1 2 3 4 5; do (exit 3) & done; exit 8", 8),
        ("has 200 kB of arguments and environment", f"test ${{#1}} = 100000 && test ${{#LONG}} = 100000 && {asks} && exit 9", 9),
    ]:
        tape = work / f"{expected}.yaml"
        began = time.monotonic()
        process = subprocess.Popen(
            [binary, "record", str(tape), "--keep", "all", "--quiet", "--", "sh", "-c", script, "sh", long], stdin=subprocess.DEVNULL,
            env={**os.environ, "LONG": long}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        took = time.monotonic() - began
        left = "" if ".part" not in str(list(work.iterdir())) else "a .part is left"
        whole = readable(binary, tape, 1, 1) if "curl" in script else "it must not" if PROVE else ""
        report.case(f"a program that {name}", worst(exit_code(code, (expected,)), whole, left, "" if took < 5 else f"after {took:.1f} s"))


def signalled_at_the_start(binary, work, report):
    """A signal that comes while the recorder starts ends it as any other, and no program is started."""
    roots = Pki(work).ca.read_bytes()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The recorder waits for the roots from this pipe, and is known to when it opens.
        pipe, tape, mark = work / f"{number}.pipe", work / f"start-{number}.yaml", work / f"{number}.started"
        os.mkfifo(pipe)
        process = subprocess.Popen(
            [binary, "record", str(tape), "--quiet", "--upstream-ca", str(pipe), "--", "touch", str(mark)], stdin=subprocess.DEVNULL, preexec_fn=with_us
        )
        with open(pipe, "wb") as writer:
            process.send_signal(number)
            writer.write(roots)
        code = process.wait(10)
        left = [path.name for path in (tape, pathlib.Path(f"{tape}.part"), mark) if path.exists()]
        report.case(f"{number.name} at the start: nothing is left or run", worst(exit_code(code, (128 + number,)), f"{left} are there" if left else ""))


def obstinate(binary, work, report):
    """A program that ignores TERM is ended after a grace, with all that it started."""
    tape, pids = work / "obstinate.yaml", work / "pids"
    script = f"trap '' TERM; sleep 20 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; for n in $(seq 200); do sleep 0.1; done"
    process = subprocess.Popen(
        [binary, "record", str(tape), "--quiet", "--", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, preexec_fn=lambda: (with_us(), os.setsid()),
    )
    up = wait_for(pids.exists, 10)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(15)
    took = time.monotonic() - began
    report.case("a program that ignores TERM: ended after 5 s", worst("" if up else "it did not start", exit_code(code, (137,)), "" if 4.5 < took < 8 else f"after {took:.1f} s"))
    gone = lambda: not any(running(pid) for pid in pids.read_text().split())
    report.case("a program that ignores TERM: what it started is ended", "" if wait_for(gone, 2) and not PROVE else "it lives on")


def running(pid):
    """Whether it is there and not merely waited for."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def inherited(binary, work, report):
    """A program gets no descriptor of ours, no signal that we ignore or block, and no child of it stays a zombie."""
    tape, told = work / "inherited.yaml", work / "told"
    script = f"ls -l /proc/self/fd > {told}; grep -E '^Sig(Blk|Ign)' /proc/self/status > {told}.signals; sleep 0.3"
    process = subprocess.Popen([binary, "record", str(tape), "--quiet", "--", "sh", "-c", script], stdin=subprocess.DEVNULL, preexec_fn=with_us)
    code = process.wait(10)
    links = [line.split(" -> ") for line in told.read_text().splitlines() if " -> " in line]
    # 3 is the directory that `ls` reads.
    ours = [link for number, link in links if int(number.split()[-1]) > 2 and not link.startswith("/proc/")]
    report.case("a program: no descriptor of ours", worst(exit_code(code, (1,)), f"{ours} are open" if ours or not links else ""))
    # SIGPIPE is what Rust ignores, SIGXFSZ what we catch; Python, which starts us, ignores both and SIGXFSZ stays so.
    masks = {line.split(":")[0]: int(line.split()[1], 16) for line in pathlib.Path(f"{told}.signals").read_text().splitlines()}
    bits = lambda *numbers: sum(1 << (number - 1) for number in numbers)
    wrong = masks["SigBlk"] or masks["SigIgn"] & bits(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)
    report.case("a program: no signal blocked or ignored", f"{masks}" if wrong or PROVE else "")
    # Who ignores SIGCHLD passes that on to us; the status is told all the same.
    done = subprocess.run([binary, "record", str(work / "deaf.yaml"), "--quiet", "--", "sh", "-c", "exit 7"], stdin=subprocess.DEVNULL,
                          preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN), timeout=10)
    report.case("SIGCHLD ignored by who starts us: the exit code is kept", exit_code(done.returncode, (7,)))


def dumped(binary, work, report):
    """A recorder that is aborted leaves no core; one that is sent the same signal beside it does."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    unlimited = lambda: (with_us(), resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
    ours = subprocess.Popen([binary, "record", str(work / "dumped.yaml"), "--ready-file", str(work / "ready")], cwd=work, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=unlimited)
    up = wait_for((work / "ready").exists, 10)
    other = subprocess.Popen(["sleep", "60"], cwd=work, preexec_fn=unlimited)
    cores = {}
    for name, process in (("ours", ours), ("other", other)):
        process.send_signal(signal.SIGABRT)
        cores[name] = os.WCOREDUMP(os.waitpid(process.pid, 0)[1])
    if not cores["other"]:
        print("note: no program leaves a core here, so whether the recorder would is not tried")
        return
    report.case("aborted: no core is left", worst("" if up else "it did not start", "a core is" if cores["ours"] or PROVE else ""))


def at_a_terminal(binary, work, report):
    """A program at a terminal reads from it, and one Ctrl-C is one interrupt to it."""
    tape, got = work / "terminal.yaml", work / "got"
    script = f"trap 'echo INT >> {got}' INT; test -t 0 && read line < /dev/tty && echo \"$line\" >> {got}; touch {got}.up; read line; echo \"$line\" >> {got}; exit 9"
    process, terminal = pty.fork()
    if process == 0:
        os.execv(binary, [binary, "record", str(tape), "--quiet", "--", "bash", "-c", script])
    os.write(terminal, b"first\n")
    up = wait_for(pathlib.Path(f"{got}.up").exists, 10)
    os.write(terminal, b"\x03")
    heard = wait_for(lambda: "INT" in got.read_text(), 5) if up else False
    os.write(terminal, b"second\n")
    ended = wait_for(lambda: os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None, 10)
    if not ended:
        os.kill(process, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(terminal)
    lines = got.read_text().split() if got.exists() else []
    wrong = "" if up and heard and lines == ["first", "INT", "second"] else f"it read {lines}"
    report.case("a program at a terminal: reads, and is interrupted once", worst(wrong, exit_code(code, (9,))))


def stopped(binary, work, report):
    """TSTP stops the recorder, CONT lets it go on with all that waited."""
    tape, origin = work / "stopped.yaml", Listener(good)
    # Nothing stops by TSTP in a group that nobody watches, as this script's own may be.
    recorder = Recorder(binary, tape, "--keep", "all", before=lambda: os.setpgid(0, 0))
    first = ask(recorder, origin.port)
    recorder.process.send_signal(signal.SIGTSTP)
    still = wait_for(lambda: pathlib.Path(f"/proc/{recorder.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T", 2)
    late = []
    waiting = threading.Thread(target=lambda: late.append(ask(recorder, origin.port)))
    waiting.start()
    # It is connected by then, and nobody answers.
    silent = not (waiting.join(0.3) or late)
    recorder.process.send_signal(signal.SIGCONT)
    waiting.join(10)
    code, _ = recorder.stop()
    wrong = worst("" if still else "it does not stop", "" if silent else "it answered while it was stopped", *late, "" if late else "no answer")
    report.case("TSTP and CONT: goes on", worst(first, wrong, exit_code(code, (0,)), readable(binary, tape, 2, 2)))
    # QUIT and KILL are a way out at once; what was recorded stays, and is recovered.
    tape = work / "quit.yaml"

    def plain():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # What a shell starts in the background ignores it.
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)

    recorder = Recorder(binary, tape, "--keep", "all", before=plain)
    wrong = ask(recorder, origin.port)
    code, _ = recorder.stop(signal.SIGQUIT)
    recovered = authtape(binary, "recover", f"{tape}.part")
    whole = readable(binary, tape, 1, 1) if tape.exists() else "nothing is"
    report.case("QUIT: ends at once, and all is recovered", worst(wrong, exit_code(code, (-signal.SIGQUIT,)), exit_code(recovered.returncode, (0,)), whole))


# --- The clock ---------------------------------------------------------------------------------


def clock(binary, work, report):
    """The clock jumps while it records: the order stays, and certificates are valid at the time of their making."""
    if not shutil.which("faketime"):
        raise SystemExit("faketime is missing")
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    pki = Pki(work)
    day = 24 * 3600
    origin = Listener(good)
    secure = Listener(good, tls=pki.server(pki.leaf("lasting", dates=(time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - day)), "20401231000000Z"))))
    # What the certificates are, is asked of the time that the recorder has.
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    over = calendar.timegm((2038, 1, 19, 5, 14, 5))
    for name, start, jump, then in [
        ("back", "+0", "-1h", time.time() - 3600), ("forth", "+0", "+1h", time.time() + 3600),
        ("over the end of 32 bits", "@2038-01-19 03:14:05", "@2038-01-19 05:14:05", over),
    ]:
        place = work / name.replace(" ", "-")
        place.mkdir()
        tape, now = place / "tape.yaml", place / "now"
        now.write_text(start)
        # Only the calendar's clock: the monotonic one does not jump, here or anywhere.
        fake = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": now, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}
        under = ["env", *(f"{key}={value}" for key, value in fake.items())]
        recorder = Recorder(binary, tape, "--keep", "all", "--upstream-ca", pki.ca, under=under)
        wrongs = [ask(recorder, origin.port) for _ in range(3)]
        now.write_text(jump)
        wrongs += [ask(recorder, origin.port) for _ in range(3)]
        # The certificate is made behind the jump.
        with tunnel(recorder, secure.port, trust=blind) as client:
            leaf = place / "leaf.pem"
            leaf.write_text(ssl.DER_cert_to_PEM_cert(client.getpeercert(binary_form=True)))
            client.sendall(b"GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            wrongs.append("" if Answer(client).status == 200 else "no answer through TLS")
        # A client's clock may be five minutes from ours.
        for skew in (-300, 300):
            checked = subprocess.run(["openssl", "verify", "-attime", str(int(then) + skew), "-CAfile", recorder.ca, leaf], capture_output=True, text=True)
            wrongs.append("" if checked.returncode == 0 else checked.stderr.strip())
        code, took = recorder.stop()
        report.case(f"the clock jumps {name}: no request fails", worst(*wrongs, "none did" if PROVE else ""))
        kept = tape.read_text() if tape.exists() else ""
        times = [float(at) for at in re.findall(r"^  at: \+?([0-9.]+)", kept, re.M)]
        order = "" if len(times) == 7 and times == sorted(times) and times[-1] < 60 else f"times are {times}"
        report.case(f"the clock jumps {name}: the order stays", worst(order, exit_code(code, (0,)), panicked(recorder), readable(binary, tape, 7), "" if took < 4 else f"after {took:.1f} s"))


# --- Outputs -----------------------------------------------------------------------------------


def closed_outputs(binary, work, report):
    reader, writer = os.pipe()
    os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    ways = {"closed pipe": (writer, None), "/dev/full": (full, None), "no descriptor": (None, lambda: os.close(1))}
    for name, (output, before) in ways.items():
        tape, origin = work / f"{name.split()[-1].replace('/', '')}.yaml", Listener(good)
        recorder = Recorder(binary, tape, "--keep", "all", output=output, before=before, quiet=False)
        wrong = ask(recorder, origin.port)
        code, _ = recorder.stop()
        report.case(f"stdout a {name}: ends well", worst(wrong, exit_code(code, (0,)), readable(binary, tape, 1), panicked(recorder)))
    # Both gone: there is nobody to tell anything.
    tape, ready, origin = work / "mute.yaml", work / "mute.ready", Listener(good)
    process = subprocess.Popen(
        [binary, "record", str(tape), "--keep", "all", "--ready-file", str(ready)], stdin=subprocess.DEVNULL, stdout=writer, stderr=writer
    )
    if wait_for(ready.exists, 10):
        process.send_signal(signal.SIGINT)
    code = process.wait(10)
    report.case("both outputs a closed pipe: ends well", worst(exit_code(code, (1,)), readable(binary, tape, 0) if tape.exists() else ""))
    for command in (["show"], ["explain"], ["rules"], ["--help"]):
        arguments = [str(work / "pipe.yaml")] if command[0] in ("show", "explain") else []
        done = subprocess.run([binary, *command, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=10, stdin=subprocess.DEVNULL)
        wrong = "a panic" if "panicked" in done.stderr else ""
        report.case(f"{command[0]} to a closed pipe: no panic", worst(wrong, exit_code(done.returncode, (0, 1, 3, 141, -13))))


# --- Rivals ------------------------------------------------------------------------------------


def rivals(binary, work, report):
    tape, origin = work / "rivals.yaml", Listener(good)
    first = Recorder(binary, tape, "--keep", "all")
    limit = 0 if PROVE else 0.5
    for when in ("before", "behind"):
        for more in ([], ["--overwrite"]):
            began = time.monotonic()
            try:
                second = authtape(binary, "record", tape, "--quiet", *more, "--", "true", seconds=5)
                took = time.monotonic() - began
                wrong = "" if second.returncode in (2, 3) else f"it ended with {second.returncode}"
                wrong = wrong or ("" if second.stderr.strip() else "it says nothing") or ("" if took < limit else f"after {took:.1f} s")
            except subprocess.TimeoutExpired:
                wrong = "it runs on"
            report.case(f"a second recorder {when} the first interaction{' with --overwrite' if more else ''}: refused at once", wrong)
        wrong = ask(first, origin.port)
        report.case(f"the first goes on {when}", worst(wrong, "it must not" if PROVE else ""))
        saved = authtape(binary, "recover", f"{tape}.part")
        said = "" if "still runs" in saved.stderr else f"said was {saved.stderr[:200]!r}"
        report.case(f"what runs is not recovered {when}", worst(exit_code(saved.returncode, (COULD_NOT,)), said))
    code, _ = first.stop()
    report.case("the first has all it heard", worst(exit_code(code, (0,)), readable(binary, tape, 2, 2)))
    again = authtape(binary, "record", tape, "--quiet", "--", "true")
    # One that died is told apart, and what it had is not lost.
    dead = work / "dead.yaml"
    victim = Recorder(binary, dead, "--keep", "all")
    wrong = ask(victim, origin.port)
    victim.stop(signal.SIGKILL)
    second = authtape(binary, "record", dead, "--quiet", "--", "true", seconds=5)
    said = "" if "did not end" in second.stderr and f"recover {dead}.part" in second.stderr.replace("\n", " ") else f"said was {second.stderr[:300]!r}"
    report.case("behind a recorder that died: refused, with what to do", worst(wrong, exit_code(second.returncode, (2, 3)), said))
    saved = authtape(binary, "recover", f"{dead}.part")
    report.case("what it had is recovered", worst(exit_code(saved.returncode, (0,)), readable(binary, dead, 1, 1) if dead.exists() else "nothing is"))
    report.case("a finished cassette is not replaced", worst("" if again.returncode in (2, 3) else f"it ended with {again.returncode}", readable(binary, tape, 2)))


def main():
    binary, report = binary_argument(), Report()
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    if os.geteuid() == 0 and not shutil.which("mount"):
        raise SystemExit("mount is missing")
    with workspace() as work:
        jobs = []
        for play in (descriptors, disk_full, file_limit, erring_disk, signals, signalled_at_the_start, stopped, child_signalled, obstinate, inherited, dumped, at_a_terminal, children, clock, closed_outputs, rivals):
            if only in play.__name__:
                place = work / play.__name__
                place.mkdir()
                jobs.append((play, place))

        def one(play, place):
            try:
                play(binary, place, report)
            except (Exception, SystemExit) as error:
                report.case(f"{play.__name__}: runs to its end", f"{type(error).__name__}: {error}")

        # Signals and descriptors are timed, so nothing else runs beside them.
        for play, place in jobs:
            one(play, place)
    ended = report.end("life")
    if PROVE:
        print(f"proof: {report.passed} cases cannot fail")
        return 0 if report.passed == 0 else 1
    return ended


if __name__ == "__main__":
    sys.exit(main())
