//! `scrub` as a user meets it: HAR files of several tools in, a HAR file without secrets out.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cli::{authtape, said};
use crate::secrets::{CANARY, search};

const CODE: &str = "Cn4xKp7tVb2nQw9sLm3eRy6u";

/// An authorization request and a token request, as Chrome writes them.
fn session() -> Value {
    let location = format!("https://app.example/cb?code={CODE}&state=Cn8vTq2mXz5wPk1s");
    let form = format!(
        "grant_type=authorization_code&code={CODE}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
    );
    json!({ "log": { "version": "1.2", "creator": { "name": "WebInspector", "version": "1" }, "pages": [], "entries": [
        {
            "startedDateTime": "2026-11-23T11:00:00.000Z", "time": 12.5,
            "request": {
                "method": "GET", "httpVersion": "h2",
                "url": "https://idp.example/authorize?response_type=code&client_id=web&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=Cn8vTq2mXz5wPk1s",
                "headers": [{ "name": ":method", "value": "GET" }],
            },
            "response": {
                "status": 302, "headers": [{ "name": "location", "value": location }],
                "redirectURL": location, "content": { "size": 0, "mimeType": "x-unknown" },
            },
            "timings": { "send": 0.5, "wait": 11, "receive": 1 },
        },
        {
            "startedDateTime": "2026-11-23T11:00:01.000Z", "time": 9,
            "request": {
                "method": "POST", "url": "https://idp.example/token", "httpVersion": "h2",
                "headers": [{ "name": "content-type", "value": "application/x-www-form-urlencoded" }],
                "postData": { "mimeType": "application/x-www-form-urlencoded", "text": form },
            },
            "response": {
                "status": 400, "headers": [{ "name": "content-type", "value": "application/json" }],
                "content": { "size": 25, "mimeType": "application/json", "text": "{\"error\":\"invalid_grant\"}" },
            },
            "timings": { "send": 1, "wait": 8, "receive": 0 },
        },
    ] } })
}

fn written(directory: &Path, har: &Value, options: &[&str]) -> (Output, Option<Value>) {
    fs::write(directory.join("in.har"), har.to_string()).expect("written");
    let arguments = [&["scrub", "in.har", "-o", "out.har"], options].concat();
    let output = authtape(directory, &arguments);
    let read = fs::read(directory.join("out.har")).ok();
    let read = read.map(|bytes| serde_json::from_slice(&bytes).expect("JSON"));
    (output, read)
}

#[test]
fn a_session_keeps_its_relations_and_loses_its_secrets() {
    let here = tempfile::tempdir().expect("a directory");
    let (output, har) = written(here.path(), &session(), &[]);
    let told = "authtape: 2 entries, 2 of OAuth\n  replaced by labels: 1 code, 1 state\n  no entry has Cookie, Set-Cookie or Authorization: browsers leave them out of what they export unless told otherwise\n";
    assert_eq!(
        (output.status.code(), said(&output).as_str()),
        (Some(0), told)
    );
    let har = har.expect("a file");
    let entries = &har["log"]["entries"];
    let location = "https://app.example/cb?code=REDACTED-code-1&state=REDACTED-state-1";
    assert_eq!(entries[0]["response"]["redirectURL"], location);
    assert_eq!(
        entries[1]["request"]["postData"]["text"],
        "grant_type=authorization_code&code=REDACTED-code-1&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
    );
    assert_eq!(
        entries[1]["response"]["content"]["text"],
        "{\"error\":\"invalid_grant\"}"
    );
    assert_eq!(entries[0]["time"], json!(12.5));
    let mode = fs::metadata(here.path().join("out.har"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// The same, with what carries secrets in other ways.
fn much() -> Value {
    let mut har = session();
    let entries = &mut har["log"]["entries"];
    let basic = STANDARD.encode("web:Cn8Qw3Er5Ty7Ui9Op1As");
    entries[1]["request"]["headers"] = json!([
        { "name": "content-type", "value": "application/x-www-form-urlencoded" },
        { "name": "authorization", "value": format!("Basic {basic}") },
        { "name": "cookie", "value": "sid=Cn3Df4Gh6Jk8Lz0Xc2Vb" },
        { "name": "x-api-key", "value": "Cn7Kq9zR2vXpL0aMtB5e" },
    ]);
    entries[1]["response"]["content"]["text"] = json!(format!(
        "{{\"error\":\"invalid_grant\",\"error_description\":\"The code {CODE} of jane@corp.example is old\",\"otp\":482913,\"x\":\"{}\"}}",
        &CODE[..12]
    ));
    har
}

#[test]
fn labels_that_stand_in_the_file_stay_what_they_are() {
    for options in [&[][..], &["--public"]] {
        let here = tempfile::tempdir().expect("a directory");
        let (output, once) = written(here.path(), &much(), options);
        let mut once = once.unwrap_or_else(|| panic!("{}", said(&output)));
        let overwrite = [options, &["--overwrite"]].concat();
        let (output, twice) = written(here.path(), &once, &overwrite);
        let twice = twice.unwrap_or_else(|| panic!("{}", said(&output)));
        let texts = |har: &Value| {
            let entries = har["log"]["entries"].as_array().expect("a list").iter();
            let parts = |entry: &Value| {
                let mut request = entry["request"].clone();
                // What the credentials were says a comment, which is not taken over.
                for field in request["headers"].as_array_mut().expect("a list") {
                    field.as_object_mut().expect("a field").remove("comment");
                }
                [request, entry["response"].clone()]
            };
            entries.flat_map(parts).collect::<Vec<_>>()
        };
        assert_eq!(texts(&twice), texts(&once), "{options:?}");
        // A secret that nobody had seen has a number that nobody had.
        once["log"]["entries"][0]["request"]["headers"] =
            json!([{ "name": "Cookie", "value": "sid=Cn1Aa2Bb3Cc4Dd5Ee6Ff" }]);
        let (output, more) = written(here.path(), &once, &overwrite);
        let more = more.unwrap_or_else(|| panic!("{}", said(&output)));
        let header = |entry: usize, at: usize| {
            more["log"]["entries"][entry]["request"]["headers"][at]["value"].clone()
        };
        assert_eq!(header(0, 0), "sid=REDACTED-cookie-2", "{options:?}");
        assert_eq!(header(1, 2), "sid=REDACTED-cookie-1", "{options:?}");
    }
}

#[test]
fn what_is_piped_through_is_the_same_file() {
    let here = tempfile::tempdir().expect("a directory");
    let (_, file) = written(here.path(), &session(), &[]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_authtape"))
        .args(["scrub", "-", "-o", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(session().to_string().as_bytes())
        .expect("sent");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", said(&output));
    let piped: Value = serde_json::from_slice(&output.stdout).expect("nothing but the file");
    assert_eq!(Some(piped), file);
}

#[test]
fn words_of_the_format_and_whole_urls_as_secrets_do_not_stand_in_the_way() {
    let here = tempfile::tempdir().expect("a directory");
    let mut har = session();
    let next = "{\"next\":\"https://idp.example/token?scope=openid\"}";
    har["log"]["entries"][0]["response"]["content"] = json!({ "text": next });
    har["log"]["entries"][1]["request"]["url"] = json!("https://idp.example/token?scope=openid");
    har["log"]["entries"][0]["request"]["headers"] =
        json!([{ "name": "Cookie", "value": "a=startedDateTime" }]);
    let (output, file) = written(here.path(), &har, &[]);
    assert!(output.status.success(), "{}", said(&output));
    let file = file.expect("a file");
    let entries = &file["log"]["entries"];
    let cookie = &entries[0]["request"]["headers"][0]["value"];
    let url = &entries[1]["request"]["url"];
    let next = &entries[0]["response"]["content"]["text"];
    assert_eq!(cookie, "a=REDACTED-cookie-1");
    assert_eq!(url, "https://idp.example/token?scope=openid");
    assert_eq!(next, "{\"next\":\"REDACTED-value-1\"}");
}

#[test]
fn what_stands_in_the_unsent_parts_of_a_url_is_known_elsewhere() {
    let here = tempfile::tempdir().expect("a directory");
    let url = "https://web:cnopensesamecn@app.example/#access_token=cnwinterappletreecn";
    let text = "{\"error\":\"x\",\"error_description\":\"neither cnopensesamecn nor cnwinterappletreecn\"}";
    let mut har = session();
    har["log"]["entries"][1]["response"]["content"]["text"] = json!(text);
    let (_, before) = written(here.path(), &har, &[]);
    let content = |file: Option<Value>| {
        let file = file.expect("a file");
        file["log"]["entries"][1]["response"]["content"]["text"].clone()
    };
    let unknown =
        "{\"error\":\"x\",\"error_description\":\"neither REDACTED-word-1 nor REDACTED-word-2\"}";
    assert_eq!(content(before), unknown, "no list has these words");
    har["log"]["entries"][0]["request"]["url"] = json!(url);
    let (_, after) = written(here.path(), &har, &["--overwrite"]);
    let expected = "{\"error\":\"x\",\"error_description\":\"neither REDACTED-password-1 nor REDACTED-access_token-1\"}";
    assert_eq!(content(after), expected);
}

#[test]
fn what_was_scrubbed_can_be_scrubbed_again() {
    let here = tempfile::tempdir().expect("a directory");
    let (_, once) = written(here.path(), &session(), &[]);
    let once = once.expect("a file");
    let (output, twice) = written(here.path(), &once, &["--overwrite"]);
    assert!(output.status.success(), "{}", said(&output));
    let twice = twice.expect("a file");
    assert_eq!(
        once["log"]["entries"][1]["request"],
        twice["log"]["entries"][1]["request"]
    );
}

#[test]
fn nothing_that_exists_is_touched_and_nothing_partial_is_left() {
    let here = tempfile::tempdir().expect("a directory");
    let path = |name: &str| here.path().join(name);
    let good = session().to_string();
    fs::write(path("in.har"), &good).expect("written");
    fs::write(path("mine.har"), "mine").expect("written");
    fs::write(path("empty.har"), "").expect("written");
    fs::write(path("page.har"), "<html>").expect("written");
    fs::write(path("other.har"), "{\"a\": [1, 2]}").expect("written");
    fs::write(path("cut.har"), &good[..good.len() / 2]).expect("written");
    fs::write(path("blank.har"), "{\"log\": {\"entries\": []}}").expect("written");
    std::os::unix::fs::symlink(path("elsewhere"), path("link.har")).expect("a link");
    let mut poisoned = session();
    poisoned["log"]["entries"][0]["request"]["headers"] =
        json!([{ "name": "Cookie", "value": "a=token request" }]);
    fs::write(path("poisoned.har"), poisoned.to_string()).expect("written");
    let list = || {
        let names = fs::read_dir(here.path()).expect("a directory");
        let mut names: Vec<_> = names
            .map(|entry| entry.expect("a name").file_name())
            .collect();
        names.sort();
        names
    };
    let before = list();
    let rows: &[(&[&str], i32)] = &[
        (&["in.har"], 2),
        (&["in.har", "-o", "out.har", "--max-size", "64 MB"], 2),
        (&["in.har", "-o", "mine.har"], 3),
        (&["in.har", "-o", "link.har", "--overwrite"], 3),
        (&["in.har", "-o", "no/such/directory.har"], 3),
        (&["in.har", "-o", "out.har", "--max-size", "1K"], 3),
        (&["missing.har", "-o", "out.har"], 3),
        (&["empty.har", "-o", "out.har"], 3),
        (&["page.har", "-o", "out.har"], 3),
        (&["other.har", "-o", "out.har"], 3),
        (&["cut.har", "-o", "out.har"], 3),
        (&["blank.har", "-o", "out.har"], 3),
        (&["poisoned.har", "-o", "out.har"], 3),
        (&["poisoned.har", "-o", "mine.har", "--overwrite"], 3),
        (&["in.har", "-o", "-", "--max-size", "1"], 3),
    ];
    let mut told = Vec::new();
    for (arguments, code) in rows {
        let output = authtape(here.path(), &[&["scrub"], *arguments].concat());
        assert_eq!(
            output.status.code(),
            Some(*code),
            "{arguments:?}: {}",
            said(&output)
        );
        assert_eq!(list(), before, "{arguments:?}");
        assert_eq!(
            fs::read(path("mine.har")).expect("a file"),
            b"mine",
            "{arguments:?}"
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
        told.push(format!(
            "$ authtape scrub {}\n{}",
            arguments.join(" "),
            said(&output)
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
    let replaced = authtape(
        here.path(),
        &["scrub", "in.har", "-o", "mine.har", "--overwrite"],
    );
    assert!(replaced.status.success(), "{}", said(&replaced));
    assert_ne!(fs::read(path("mine.har")).expect("a file"), b"mine");
}

/// Each place of a HAR file that no message has, with a canary in it.
fn places() -> Vec<(&'static str, Value)> {
    let c = CANARY;
    let entry = |name, member: &str, value: Value| {
        let mut har = session();
        har["log"]["entries"][0][member] = value;
        (name, har)
    };
    let message = |name, side: &str, member: &str, value: Value| {
        let mut har = session();
        har["log"]["entries"][0][side][member] = value;
        (name, har)
    };
    let log = |name, member: &str, value: Value| {
        let mut har = session();
        har["log"][member] = value;
        (name, har)
    };
    let named = json!([{ "name": c, "value": c, "comment": c, "_x": c }]);
    let page = json!([{ "id": c, "title": format!("https://x.example/{c}"), "comment": c, "pageTimings": { "onLoad": c } }]);
    let stack = json!({ "type": c, "stack": { "callFrames": [{ "url": c }] } });
    let posted = json!({ "mimeType": c, "text": "a=b", "params": named, "comment": c });
    vec![
        log("creator", "creator", json!({ "name": c, "version": c })),
        log("browser", "browser", json!({ "name": c, "version": c })),
        log("comment", "comment", json!(c)),
        log("page", "pages", page),
        log("unknown member", "_x", json!([{ "deep": c }])),
        log(c, c, json!(c)),
        entry("page reference", "pageref", json!(c)),
        entry("initiator", "_initiator", stack),
        entry("WebSocket", "_webSocketMessages", json!([{ "data": c }])),
        entry("server address", "serverIPAddress", json!(c)),
        entry("connection", "connection", json!(c)),
        entry("cache", "cache", json!({ "beforeRequest": { "eTag": c } })),
        entry("comment", "comment", json!(c)),
        entry("time", "startedDateTime", json!(c)),
        entry("duration", "time", json!(c)),
        entry(
            "timings",
            "timings",
            json!({ "wait": c, "_blocked_queueing": c, c: 1 }),
        ),
        entry("unknown", c, json!(c)),
        message("method", "request", "method", json!(c)),
        message("version", "request", "httpVersion", json!(c)),
        message(
            "fragment",
            "request",
            "url",
            json!(format!("https://x.example/#access_token={c}")),
        ),
        message(
            "userinfo",
            "request",
            "url",
            json!(format!("https://{c}:{c}@x.example/")),
        ),
        message("query list", "request", "queryString", named.clone()),
        message("cookie list", "request", "cookies", named.clone()),
        message("posted", "request", "postData", posted),
        message("unknown", "request", "_x", json!({ "deep": [c] })),
        message("cookie list", "response", "cookies", named),
        message(
            "redirect URL",
            "response",
            "redirectURL",
            json!(format!("/cb?x={c}")),
        ),
        message("reason", "response", "statusText", json!(c)),
        message("version", "response", "httpVersion", json!(c)),
        message("status", "response", "status", json!(c)),
        message("error", "response", "_error", json!(c)),
        message(
            "content",
            "response",
            "content",
            json!({ "mimeType": c, "text": c, "comment": c, "_x": c }),
        ),
        message(
            "encoding",
            "response",
            "content",
            json!({ "mimeType": "", "text": c, "encoding": c }),
        ),
    ]
}

#[test]
fn no_place_of_a_har_file_lets_a_canary_through() {
    let here = tempfile::tempdir().expect("a directory");
    for (place, har) in places() {
        let (output, file) = written(here.path(), &har, &["--overwrite"]);
        assert_eq!(output.status.code(), Some(0), "{place}: {}", said(&output));
        search(place, "output", &said(&output));
        search(place, "HAR file", &file.expect("a file").to_string());
    }
}
