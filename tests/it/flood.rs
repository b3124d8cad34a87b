//! More secrets than are remembered, and values that are meant to deface a recording.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use authtape::cassette;
use authtape::model::Exchange;
use authtape::record::{Laid, Options, Tape};
use authtape::redact::{Capacity, audit};

use crate::support::{answered, heard, said};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Twelve letters and digits that no other number has.
fn value(n: u64) -> String {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(
            b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"[(state % 56) as usize],
        )
    };
    (0..12).map(|_| next()).collect()
}

fn exchange(
    id: u64,
    request: authtape::model::Said,
    headers: &[(&str, &str)],
    body: &str,
) -> Exchange {
    Exchange {
        at: Duration::from_secs(id),
        ..answered(id, request, heard(400, headers, body))
    }
}

fn token_request(id: u64, cookie: &str, form: &str, answer: &str) -> Exchange {
    let request = said(
        "POST",
        "https://as.example/token",
        &[FORM, ("Cookie", cookie)],
        form,
    );
    exchange(id, request, &[("Content-Type", "application/json")], answer)
}

fn tape(capacity: Capacity) -> Tape {
    let options = Options {
        keep_all: true,
        capacity,
        ..Options::default()
    };
    Tape::new(options, "2026-11-23T10:02:11Z".to_owned())
}

/// How many labels one cookie has in two exchanges, within each of which it has one.
fn unlinked(tape: &mut Tape, ids: [u64; 2]) -> usize {
    let cookie = value(500);
    let again = format!("a={cookie}; b={cookie}");
    let label = |id| {
        let laid = tape.record(token_request(id, &again, "grant_type=a", "{}"));
        let Laid::Appended(text) = laid else {
            panic!("appended")
        };
        let at = text.find("a=REDACTED-cookie-").expect("a label") + 2;
        let label: String = text[at..].split(';').next().unwrap_or_default().to_owned();
        assert_eq!(text.matches(&format!("={label}")).count(), 2, "{text}");
        label
    };
    let labels: HashSet<String> = ids.map(label).into_iter().collect();
    labels.len()
}

#[test]
fn a_full_ledger_drops_bodies_and_lets_nothing_through() {
    let few = Capacity {
        secrets: 6,
        ..Capacity::default()
    };
    let short = Capacity {
        bytes: 7_000,
        ..Capacity::default()
    };
    for (name, capacity) in [("secrets", few), ("bytes", short)] {
        let mut tape = tape(capacity);
        let late = value(999);
        let url = format!("https://as.example/authorize?response_type=code&client_id={late}");
        tape.record(exchange(1, said("GET", &url, &[], ""), &[], ""));
        assert!(!tape.is_full(), "{name}");
        let mut secrets = vec![late.clone()];
        for id in 2..12 {
            let (cookie, code) = (value(id), value(100 + id));
            let answer = format!(
                "{{\"error\":\"invalid_grant\",\"error_description\":\"the code {code} of sunshine\"}}"
            );
            let form = format!("grant_type=authorization_code&code={code}&password=sunshine");
            tape.record(token_request(
                id,
                &format!("sid={cookie}; again={cookie}"),
                &form,
                &answer,
            ));
            secrets.extend([cookie, code]);
        }
        assert!(tape.is_full(), "{name}");
        assert_eq!(unlinked(&mut tape, [12, 13]), 2, "{name}");
        // What stands in an earlier text is learned even so.
        let Laid::Rewritten(text) = tape.record(token_request(
            14,
            &format!("sid={late}"),
            "grant_type=a",
            "{}",
        )) else {
            panic!("{name}: rewritten")
        };
        assert!(!text.contains(&late), "{name}: {text}");
        let again = tape.record(token_request(
            15,
            &format!("sid={late}"),
            "grant_type=a",
            "{}",
        ));
        assert!(matches!(again, Laid::Appended(_)), "{name}: {again:?}");
        // A sentence of a field may say what no room was left to remember.
        let url = "https://as.example/me?password=moonlight";
        tape.record(exchange(16, said("GET", url, &[], ""), &[], ""));
        let header = [(
            "WWW-Authenticate",
            "Bearer error_description=\"no moonlight\"",
        )];
        let request = said("GET", "https://as.example/me", &[], "");
        tape.record(exchange(17, request, &header, ""));
        // A form may say it as well, where words are kept.
        let page = "<html><form><button name=go value=moonlight>go</button></form></html>";
        let request = said("GET", "https://as.example/login", &[], "");
        tape.record(exchange(
            18,
            request,
            &[("Content-Type", "text/html")],
            page,
        ));
        secrets.push(value(500));
        let text = tape.finish().expect("an audited cassette");
        for secret in secrets
            .iter()
            .map(String::as_str)
            .chain(["sunshine", "moonlight"])
        {
            assert!(!text.contains(secret), "{name}: {secret} in {text}");
        }
        assert_eq!(
            (audit(&text), tape.withheld()),
            (Vec::new(), [].as_slice()),
            "{name}"
        );
        bodies_are_dropped(&text);
    }
}

/// Asserts that the cassette says from where on there are no bodies, and that there are none.
fn bodies_are_dropped(text: &str) {
    let read = cassette::load(text.as_bytes()).expect("it loads");
    let from = read.header.ledger_full_at.expect("the header says it");
    assert!((3..8).contains(&from), "{from}");
    let behind = text.split(&format!("- id: {}\n", from + 1)).nth(1);
    let behind = behind.expect("more");
    let dropped = "body: {dropped: ledger_full, size: ";
    assert!(behind.contains(dropped), "{text}");
    for key in ["form:", "forms:", "json:", "text:"] {
        assert!(!behind.contains(key), "{key} in {behind}");
    }
}

#[test]
fn values_that_are_meant_to_deface_a_recording_do_not() {
    let body = "{\"error\":\"invalid_grant\",\"error_description\":\"the code expired\",\"expires_in\":200}";
    let clean = {
        let mut tape = tape(Capacity::default());
        tape.record(token_request(
            1,
            "sid=",
            "grant_type=authorization_code&scope=openid",
            body,
        ));
        tape.finish().expect("a cassette")
    };
    for poison in [
        "e",
        "200",
        "code",
        "openid",
        "Bearer",
        "invalid_grant",
        "authorization_code",
        "application/json",
        "application/x-www-form-urlencoded",
        "token",
        "x-request-id",
        "as.example",
        "REDACTED-code-1",
        "REDACTED-",
        "REDACTED-cookie-1--first-3-of-9",
        "interactions:",
        "- id: 1",
        "# end 1",
        "headers:",
        "recorded_at",
        "2026-11-23T10:02:11Z",
    ] {
        let mut tape = tape(Capacity::default());
        let set = format!("sid={poison}; Path=/");
        let first = exchange(
            1,
            said("GET", "https://evil.example/", &[], ""),
            &[("Set-Cookie", &set)],
            "",
        );
        tape.record(first);
        tape.record(token_request(
            2,
            "sid=",
            "grant_type=authorization_code&scope=openid",
            body,
        ));
        let text = tape
            .finish()
            .unwrap_or_else(|refused| panic!("{poison}: {refused}"));
        let of = |text: &str, id: u64| {
            let entry = text
                .split(&format!("- id: {id}\n"))
                .nth(1)
                .expect("an entry");
            let entry = entry.split("  response:").nth(1).expect("a response");
            entry.split("# end").next().unwrap_or_default().to_owned()
        };
        let (ours, theirs) = (of(&text, 2), of(&clean, 1));
        assert_eq!(ours, theirs, "{poison}");
        assert!(
            text.contains("Set-Cookie: sid=REDACTED-cookie-1; Path=/"),
            "{poison}: {text}"
        );
        assert_eq!(
            cassette::load(text.as_bytes())
                .expect(poison)
                .interactions
                .len(),
            2
        );
    }
}

/// A server without TLS that answers every request with the same token.
fn server() -> SocketAddr {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in server.incoming().flatten() {
            let heard = BufReader::new(&stream);
            let head = heard.lines().map_while(Result::ok);
            let read = head.take_while(|line| !line.is_empty()).count();
            let body = "{\"access_token\":\"Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6\"}";
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            if read > 0 {
                (&stream).write_all(answer.as_bytes()).expect("answered");
            }
        }
    });
    address
}

struct Recorder(Child);

impl Recorder {
    fn start(directory: &Path) -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_authtape"))
            .args(["record", "flood.yaml", "--keep", "all"])
            .current_dir(directory)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut told = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        told.read_line(&mut line).expect("a line");
        let proxy = line
            .trim()
            .strip_prefix("listening on http://")
            .expect(&line)
            .to_owned();
        child.stderr = Some(told.into_inner());
        (Self(child), proxy)
    }

    /// The most memory that it had so far, in KiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let digits = line.expect("a peak").trim().trim_end_matches(" kB");
        digits.parse().expect("a number")
    }

    fn end(mut self) -> (Option<i32>, String) {
        let id = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .expect("kill")
                .success()
        );
        let mut told = String::new();
        let mut stderr = self.0.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut told).expect("text");
        (self.0.wait().expect("an end").code(), told)
    }
}

#[test]
fn a_hundred_thousand_cookies_fill_neither_memory_nor_the_cassette_with_secrets() {
    let here = tempfile::tempdir().expect("a directory");
    let server = server();
    let (recorder, proxy) = Recorder::start(here.path());
    let mut sent = HashSet::new();
    for request in 0..28 {
        let mut fields = String::new();
        for field in 0..4 {
            let numbers = (0..900).map(|n| (request * 4 + field) * 900 + n);
            let cookies: Vec<_> = numbers.map(|n| format!("s={}", value(n))).collect();
            sent.extend(cookies.iter().map(|cookie| cookie[2..].to_owned()));
            fields.extend(["Cookie: ", &cookies.join(";"), "\r\n"]);
        }
        let mut stream = TcpStream::connect(&proxy).expect("the proxy");
        let head = format!(
            "GET http://{server}/userinfo HTTP/1.1\r\nHost: {server}\r\n{fields}Connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.contains("access_token"), "{request}: {answer}");
    }
    let peak = recorder.peak();
    let (code, told) = recorder.end();
    assert_eq!(code, Some(0), "{told}");
    assert!(sent.len() > 100_000, "{}", sent.len());
    assert!(peak < 256 << 10, "{peak} KiB");
    let said = "error: there were more secrets than are remembered";
    assert_eq!(told.matches(said).count(), 2, "{told}");
    let text = std::fs::read_to_string(here.path().join("flood.yaml")).expect("a cassette");
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    assert_eq!(runs.filter(|run| sent.contains(*run)).count(), 0);
    assert!(text.contains("ledger_full_at: 6\n"), "{}", &text[..400]);
    assert_eq!(text.matches("dropped: ledger_full").count(), 23);
}
