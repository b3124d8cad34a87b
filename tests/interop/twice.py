"""Records the same session twice and shows what differs: only what really does may.

    python3 tests/interop/twice.py target/release/authtape
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from run import HERE, Server, fail, run

# What may differ between two recordings of one session: when it was, how long it took, the
# identifiers that the server gives each request, and the sum over all that.
MAY_DIFFER = re.compile(r'^ *(recorded_at|at|after|audit): |^ *- X-Request-Id: ')


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as directory:
        server = Server(binary, directory)
        tapes = [str(pathlib.Path(directory, name)) for name in ("first.yaml", "second.yaml")]
        for tape in tapes:
            run(
                [binary, "record", tape, *server.options, "--", "php", str(HERE / "client.php"), "correct"],
                server.environment,
            )
        server.stop()
        diff = subprocess.run(["git", "diff", "--no-index", "-U0", *tapes], capture_output=True, text=True).stdout
    changed = [line for line in diff.splitlines() if re.match(r"[+-](?![+-])", line)]
    strange = [line for line in changed if not MAY_DIFFER.match(line[1:])]
    if "-v" in sys.argv:
        print(diff)
    if strange:
        fail("two recordings of one session differ in:\n" + "\n".join(strange))
    print(f"  twice      two recordings differ in {len(changed) // 2} lines, all of them times and request ids")


if __name__ == "__main__":
    main()
