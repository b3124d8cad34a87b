"""Cassettes from strangers: every command opens each, in bounded time and memory, and shows nothing that a terminal obeys.

    python3 tests/wire/hostile.py target/release/authtape [--only TEXT]

A row is a file and what must come of it: `refused` with a message that names the place, or `opened`. Each
command is given each file under limits: 20 seconds of processor time and 400 MB of memory, some six times the largest file.
"""

import pathlib
import re
import resource
import subprocess
import sys

from support import Report, binary_argument, together, workspace

ONLY = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
GOOD = (pathlib.Path(__file__).parents[2] / "cassettes/accounts.example.com/thread-correct.yaml").read_text()
HEAD = "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-01-01T00:00:00Z\"\n"
MIB = 1 << 20
MEMORY = 400 * MIB
# What a terminal would obey, or what would turn a line around.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# What a page may say in their place.
ESCAPES = "\\e[31mred\\e]0;title\\a\\r\\b\\x9b2J\\u202eright\\u2066\\u200b"


def edited(old, new):
    """A good cassette with something else in it."""
    if old not in GOOD:
        raise SystemExit(f"the cassette has no {old!r}")
    return GOOD.replace(old, new, 1)


def interaction(number, text="  step: other\n"):
    return (
        f"\n- id: {number}\n{text}  at: 0.000\n  request:\n    method: GET\n    url: https://a.example/\n    http: \"1.1\"\n"
        "  response:\n    status: 200\n    after: 0.001\n"
    )


def secrets(declared):
    """A cassette whose answer has a secret of that declaration."""
    return (
        HEAD + "interactions:\n\n- id: 1\n  step: token_request\n  at: 0.000\n  request:\n    method: POST\n"
        "    url: https://a.example/token\n    http: \"1.1\"\n    form:\n    - grant_type: client_credentials\n  response:\n    status: 200\n    after: 0.001\n"
        "    headers:\n    - Content-Type: application/json\n    json: |-\n      {\n        \"access_token\": \"REDACTED-access_token-1\",\n        \"token_type\": \"Bearer\"\n      }\n    wire: compact\n"
        f"  secrets:\n    access_token-1: {declared}\n"
    )


def yaml_rows():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    yield "aliases of aliases", HEAD + bomb + "interactions: []\n", "refused"
    yield "one anchor, many aliases", HEAD + f"server: &s {'x' * 60_000}\ninsecure_upstream: [{', '.join(['*s'] * 7000)}]\ninteractions: []\n", "refused"
    yield "20,000 brackets deep", HEAD + "interactions: " + "[" * 20_000 + "]" * 20_000 + "\n", "refused"
    yield "2,000 blocks deep", HEAD + "interactions:\n" + "".join(" " * n + "- \n" for n in range(2000)), "refused"
    yield "a key twice", HEAD + HEAD.splitlines(keepends=True)[1] + "interactions: []\n", "refused"
    yield "a merge key", HEAD + "<<: {server: x}\ninteractions: []\n", "refused"
    yield "a tag", HEAD + "server: !!python/object/apply:os.system ['id']\ninteractions: []\n", "refused"
    yield "a scalar of 64 MiB", HEAD + f"server: {'x' * (64 * MIB - 200)}\ninteractions: []\n", "opened"
    yield "a file of 65 MiB", HEAD + f"server: {'x' * (65 * MIB)}\ninteractions: []\n", "refused"
    yield "a million keys", HEAD + "redacted: {" + ", ".join(f"k{n}: 1" for n in range(1_000_000)) + "}\ninteractions: []\n", "opened"
    yield "unknown keys without end", HEAD + "".join(f"k{n}: 1\n" for n in range(500_000)), "refused"
    yield "two documents", GOOD + "---\n" + GOOD, "refused"
    yield "a byte order mark", "\ufeff" + GOOD, "refused"
    yield "an escape as it is", edited("server: ", "server: \x1b[31m"), "refused"
    yield "a NUL", edited("server: ", "server: \0"), "refused"
    yield "no UTF-8", edited("server: ", "server: \udcff"), "refused"
    yield "an empty file", "", "refused"
    yield "another version", GOOD.replace("authtape: 1", "authtape: 99999999999999999999", 1), "refused"
    yield "no cassette", "%PDF-1.7\n", "refused"
    yield "half a cassette", GOOD[: len(GOOD) // 2], "refused"


def semantic_rows():
    yield "100,000 interactions", HEAD + "interactions:\n" + "".join(interaction(n) for n in range(1, 100_001)), "opened"
    yield "a number twice", HEAD + "interactions:\n" + interaction(1) * 2, "refused"
    yield "numbers that go back", HEAD + "interactions:\n" + interaction(2) + interaction(1), None
    yield "a time before all", edited("at: 0.043", "at: -1.000"), "refused"
    yield "no time at all", edited("at: 0.043", "at: .nan"), "refused"
    yield "a time without end", edited("at: 0.043", "at: .inf"), "refused"
    yield "a very late time", edited("at: 0.043", "at: 1.0e+300"), "refused"
    yield "an answer after a century", edited("after: 0.001", "after: 3000000000.000"), "opened"
    yield "a status of five digits", edited("status: 200", "status: 65535"), None
    yield "a status of none", edited("status: 200", "status: 0"), None
    yield "a method that ends the line", edited("method: POST", 'method: "POST / HTTP/1.1\\r\\nX: y\\r\\n\\r\\nGET"'), None
    yield "a header that ends the line", edited("- Content-Type: application/json", '- "X\\r\\nY": "a\\r\\nSet-Cookie: b=c"\n    - Content-Type: application/json'), None
    yield "an address that is none", edited("url: https://accounts.example.com/token", "url: \"javascript:alert(1)\""), None
    yield "an address with 100,000 dots", edited("url: https://accounts.example.com/token", "url: https://" + "a." * 100_000 + "example/token"), "opened"
    yield "a label that nothing brings", edited("REDACTED-code-1", "REDACTED-code-4000000000"), None
    yield "a label with many suffixes", edited("REDACTED-code-1", "REDACTED-code-1" + "--pct" * 5000), None
    yield "a part of a huge secret", edited("REDACTED-code-1", "REDACTED-code-1--first-4000000000-of-4294967295"), None
    yield "a secret of 4 GiB", secrets("{length: 4294967295, alphabet: alnum}"), None
    yield "a secret of nothing", secrets("{length: 0, alphabet: hex}"), None
    yield "a token without claims", secrets("{length: 300, alphabet: any, jwt_header: 'x', jwt_claims: '['}"), None
    yield "claims without end", secrets("{length: 300, alphabet: any, jwt_header: '{\"alg\":\"RS256\"}', jwt_claims: '" + "[" * 50_000 + "'}"), None
    yield "a token that ends far from here", secrets("{length: 300, alphabet: any, jwt_header: '{\"alg\":\"RS256\",\"kid\":\"k\"}', jwt_claims: '{\"exp\":\"+9223372036854775807\"}'}"), None
    yield "JSON that is none", edited('"token_type": "bearer"', '"token_type": "bearer'), None
    yield "JSON without end", edited('"token_type": "bearer"', '"token_type": ' + "[" * 50_000), None
    yield "a body of all bytes there are", HEAD + "interactions:\n" + interaction(1).replace("    after: 0.001\n", "    after: 0.001\n    body: {dropped: binary, size: 18446744073709551615}\n"), None
    yield "a day that is none", edited("2026-11-24T08:43:42Z", "2026-13-45T99:99:99Z"), None
    yield "the last day of all", edited("2026-11-24T08:43:42Z", "9999-12-31T23:59:59Z"), None
    yield "escapes in a server's name", edited("server: accounts.example.com", f'server: "{ESCAPES}"'), "opened"
    yield "escapes in a header", edited("- Content-Type: application/json", f'- X-Request-Id: "{ESCAPES}"\n    - Content-Type: application/json'), "opened"
    yield "escapes in a parameter", edited("- grant_type: authorization_code", f'- "{ESCAPES}": "{ESCAPES}"\n    - grant_type: authorization_code'), "opened"
    yield "escapes in an address", edited("url: https://accounts.example.com/token", f'url: "https://accounts.example.com/{ESCAPES}"'), None
    yield "escapes in a method", edited("method: POST", f'method: "{ESCAPES}"'), None
    yield "escapes in what was changed", edited("server: ", f'mutant: {{kind: "{ESCAPES}", changed: "{ESCAPES}", client: "{ESCAPES}", see: "{ESCAPES}"}}\nserver: '), None


def commands(binary, file, out):
    """What each command is called with, and the codes that it may end with where it opens the file."""
    client = ["sh", "-c", "curl -ks -o /dev/null -m 2 -d grant_type=client_credentials https://a.example/token; curl -ks -o /dev/null -m 2 https://accounts.example.com/app/oauth/authorize; true"]
    good = out / "good.yaml"
    yield "explain", [binary, "explain", file]
    yield "explain as JSON", [binary, "explain", file, "--format", "json"]
    yield "explain as Markdown", [binary, "explain", file, "--format", "markdown"]
    yield "explain as SARIF", [binary, "explain", file, "--format", "sarif"]
    yield "show", [binary, "show", file]
    yield "show as a diagram", [binary, "show", file, "--diagram"]
    yield "show as JSON", [binary, "show", file, "--json"]
    yield "diff", [binary, "diff", good, file]
    yield "audit", [binary, "audit", file]
    yield "mutate", [binary, "mutate", file, "--as", "all", "-o", out / "mutants"]
    yield "replay", [binary, "replay", file, "--json", "--", *client]
    yield "share", [binary, "share", file, "-o", out / "shared"]
    yield "share, tried", [binary, "share", file, "--dry-run"]
    for form in ("har", "vcr", "vcrpy", "mitmproxy", "curl"):
        yield f"export to {form}", [binary, "export", file, "--to", form]


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


def run(arguments):
    """The exit code, what was printed, and the memory that was taken."""
    gauge = "import resource,subprocess,sys; code=subprocess.run(sys.argv[1:]).returncode; print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open('gauge','w'))"
    with workspace() as directory:
        done = subprocess.run([sys.executable, "-c", gauge, *map(str, arguments)], cwd=directory, capture_output=True, preexec_fn=limit, timeout=120)
        code, kilobytes = pathlib.Path(directory, "gauge").read_text().split()
        return int(code), done.stdout, done.stderr, int(kilobytes) * 1024


def judged(name, arguments, expected):
    """What is wrong with how a command took a file."""
    code, out, err, memory = run(arguments)
    said = err.decode("utf-8", "replace")
    shown = said + ("" if "mitmproxy" in name else out.decode("utf-8", "replace"))
    if code not in (0, 1, 2, 3) or "panicked" in said:
        return f"it ended with {code}: {said[-300:]}"
    if memory > MEMORY:
        return f"it took {memory // MIB} MB"
    if hit := OBEYED.search(shown):
        return f"a terminal would obey {hit.group()!r} in {shown[max(0, hit.start() - 40) : hit.end() + 20]!r}"
    if expected == "refused" and name != "audit" and (code != 3 or "error: " not in said):
        return f"it was not refused: {code}: {said[:200]}"
    if expected == "opened" and name in ("show", "explain", "audit") and code == 3:
        return f"it was refused: {said[:200]}"
    return None


def main():
    binary, report = pathlib.Path(binary_argument()).resolve(), Report()

    def case(name, text, expected):
        with workspace() as directory:
            out = pathlib.Path(directory)
            file = out / "tape.yaml"
            file.write_bytes(text.encode("utf-8", "surrogateescape"))
            (out / "good.yaml").write_text(GOOD)
            faults = ((command, judged(command, arguments, expected)) for command, arguments in commands(binary, file, out))
            report.case(name, "; ".join(f"{command}: {fault}" for command, fault in faults if fault))

    def told(row):
        try:
            case(*row)
        except Exception as failed:
            report.case(row[0], f"the test failed: {failed!r}")

    rows = [row for row in (*yaml_rows(), *semantic_rows()) if ONLY in row[0]]
    together([lambda row=row: told(row) for row in rows], 2)
    sys.exit(report.end("hostile"))


if __name__ == "__main__":
    main()
