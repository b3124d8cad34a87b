"""Hundreds of sessions of one cassette in one process, each by its user name: none gets what is another's.

    python3 tests/wire/sessions.py target/release/authtape [--count 500] [--threads 32] [--prove]

Each session signs in through a tunnel of its own: its state must come back, with a code that no other session has; then it
redeems the code of its neighbour, which must be refused, and its own, which must bring tokens that no other session has; and
its token must be good for it and for nobody else. The steps of all sessions are interleaved. `--prove` gives all sessions one
name, and succeeds where the cases fail.
"""

import base64
import json
import re
import sys
import threading
import urllib.parse

from support import Answer, Recorder, Report, binary_argument, connect, read_head, together, workspace

PROVE = "--prove" in sys.argv
HOST = "as.example"
CALLBACK = "https://shop.example/cb"

CASSETTE = """authtape: 1
recorded_by: wire-tests/1
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: authorization_request
  at: 0.000
  request:
    method: GET
    url: https://as.example/authorize
    http: "1.1"
    query:
    - client_id: c1
    - response_type: code
    - redirect_uri: https://shop.example/cb
    - state: REDACTED-state-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: https://shop.example/cb?code=REDACTED-code-1&state=REDACTED-state-1
  secrets:
    state-1: {length: 32, alphabet: alnum}
    code-1: {length: 32, alphabet: alnum}
- id: 2
  step: token_request
  at: 1.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: authorization_code
    - client_id: c1
    - code: REDACTED-code-1
    - redirect_uri: https://shop.example/cb
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: '{"access_token":"REDACTED-access_token-1","refresh_token":"REDACTED-refresh_token-1"}'
    wire: exact
  secrets:
    access_token-1: {length: 40, alphabet: alnum}
    refresh_token-1: {length: 40, alphabet: alnum}
- id: 3
  step: userinfo
  at: 2.000
  request:
    method: GET
    url: https://as.example/userinfo
    http: "1.1"
    headers:
    - Authorization: Bearer REDACTED-access_token-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: '{"sub":"REDACTED-sub-1"}'
    wire: exact
  secrets:
    sub-1: {}
"""


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


class Session:
    """One client: a tunnel under its name, and what it was given through it."""

    def __init__(self, recorder, number):
        self.number, self.state = number, f"state-of-{number}"
        name = "everybody" if PROVE else f"session-{number}"
        user = base64.b64encode(f"{name}:".encode()).decode()
        self.client = connect(recorder.port, 30)
        self.client.sendall(
            f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\nProxy-Authorization: Basic {user}\r\n\r\n".encode()
        )
        head = read_head(self.client)
        if not head.startswith(b"HTTP/1.1 200"):
            raise OSError(f"CONNECT: {head[:60]!r}")
        self.client = recorder.trust(("http/1.1",)).wrap_socket(self.client, server_hostname=HOST)

    def ask(self, method, target, body="", *fields):
        fields = [f"Host: {HOST}", f"Content-Length: {len(body)}", *fields]
        self.client.sendall("\r\n".join([f"{method} {target} HTTP/1.1", *fields, "", body]).encode())
        answer = Answer(self.client, 30)
        if not answer.whole:
            raise OSError(f"{method} {target}: {answer.head[:60]!r}")
        return answer

    def authorize(self):
        query = {"client_id": "c1", "response_type": "code", "redirect_uri": CALLBACK, "state": self.state}
        answer = self.ask("GET", f"/authorize?{urllib.parse.urlencode(query)}")
        location = re.search(rb"(?im)^location: *(\S+)", answer.head)
        given = dict(urllib.parse.parse_qsl(location[1].decode().split("?", 1)[1])) if location else {}
        self.code = given.get("code")
        return None if given.get("state") == self.state and self.code else f"{answer.status}, {given}"

    def redeem(self, code):
        form = {"grant_type": "authorization_code", "client_id": "c1", "code": code, "redirect_uri": CALLBACK}
        body = urllib.parse.urlencode(form)
        answer = self.ask("POST", "/token", body, "Content-Type: application/x-www-form-urlencoded")
        return answer.status, json.loads(answer.body)

    def steal(self, other):
        status, told = self.redeem(other.code)
        return None if status == 400 and told.get("error") == "invalid_grant" else f"{status} {told}"

    def own(self):
        status, told = self.redeem(self.code)
        self.access_token, self.refresh_token = told.get("access_token"), told.get("refresh_token")
        return None if status == 200 and self.access_token and self.refresh_token else f"{status} {told}"

    def userinfo(self, token):
        return self.ask("GET", "/userinfo", "", f"Authorization: Bearer {token}").status

    def whose(self, other):
        mine, foreign = self.userinfo(self.access_token), self.userinfo(other.access_token)
        return None if (mine, foreign == 200) == (200, False) else f"own {mine}, another's {foreign}"


def main():
    count, threads = option("--count", 500), option("--threads", 32)
    report = Report()
    with workspace() as work:
        cassette = work / "tape.yaml"
        cassette.write_text(CASSETTE)
        replay = Recorder(binary_argument(), cassette, "--limit", f"connections={count + 100}", "--json", verb="replay", output=open(work / "told", "wb"))
        replay.trust(("http/1.1",))
        sessions, lock = {}, threading.Lock()

        def opened(number):
            session = Session(replay, number)
            with lock:
                sessions[number] = session

        def all_of(name, step, numbers):
            wrong = {}

            def one(number):
                try:
                    said = step(number)
                except (OSError, ValueError) as error:
                    said = f"{type(error).__name__}: {error}"
                if said:
                    with lock:
                        wrong[number] = said

            together([lambda number=number: one(number) for number in numbers], threads)
            some = ", ".join(f"session {number}: {said}" for number, said in list(wrong.items())[:3])
            report.case(f"{len(numbers)} sessions: {name}", some and f"{len(wrong)} of them; {some}")

        numbers = list(range(count))
        other = lambda number: sessions[(number + 1) % count]
        apart = lambda values: None if len(set(values)) == count else f"{len(set(values))} different ones"
        all_of("a tunnel for each", opened, numbers)
        all_of("its own state comes back, with a code", lambda number: sessions[number].authorize(), numbers)
        report.case(f"{count} codes, all different", apart([session.code for session in sessions.values()]))
        all_of("another's code is refused", lambda number: sessions[number].steal(other(number)), numbers[::-1])
        all_of("its own code brings tokens", lambda number: sessions[number].own(), numbers)
        for token in ("access_token", "refresh_token"):
            report.case(f"{count} {token}s, all different", apart([getattr(session, token) for session in sessions.values()]))
        all_of("its own token is good, and another's is not", lambda number: sessions[number].whose(other(number)), numbers[::-1])
        memory = replay.rss()
        replay.stop()
        told = json.loads((work / "told").read_text())
        counts = {key: told[key] if isinstance(told[key], int) else len(told[key]) for key in ("sessions", "played", "refused", "misses", "untold", "unplayed")}
        expected = {"sessions": count, "played": 3 * count, "unplayed": 0}
        report.case("the report counts them", None if {**counts, **expected} == counts else f"{counts}")
        print(f"{count} sessions over {threads} threads: {counts}, {memory:.0f} MB")
    failed = report.end("sessions")
    if PROVE:
        return 0 if len(report.failed) >= 2 else 1
    return failed


sys.exit(main())
