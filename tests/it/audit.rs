//! The audit at the end of a recording, its stamp, and `authtape audit` of any file.

use std::path::Path;
use std::process::{Command, Output};

use authtape::cassette;
use authtape::record::{Options, Tape};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::support::{answered, heard, said};

const TOKEN: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A tape of a token, and of an answer with a value that the recorder was told to keep.
fn tape(hint: &str) -> Tape {
    tape_of(&[hint])
}

/// The same of several answers, each with its value.
fn tape_of(hints: &[&str]) -> Tape {
    let options = Options {
        keep_values: vec!["hint".to_owned()],
        ..Options::default()
    };
    let mut tape = Tape::new(options, "2026-11-23T10:02:11Z".to_owned());
    for (id, hint) in (1..).zip(hints) {
        record(&mut tape, id, hint);
    }
    tape
}

fn record(tape: &mut Tape, id: u64, hint: &str) {
    let answer = serde_json::json!({ "access_token": TOKEN, "token_type": "Bearer", "hint": hint });
    let request = said(
        "POST",
        "https://as.example/token",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        "grant_type=client_credentials&client_id=web-shop",
    );
    let fields = [("Content-Type", "application/json")];
    tape.record(answered(
        id,
        request,
        heard(200, &fields, &answer.to_string()),
    ));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_betrays_a_secret_at_the_end_is_refused() {
    let twice = STANDARD.encode(STANDARD.encode(TOKEN));
    let wrapped: Vec<String> = twice
        .as_bytes()
        .chunks(16)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let in_hex = hex(format!("token={}", TOKEN.replace('-', "%2D")).as_bytes());
    let part = Some("part of a access_token");
    for (name, hint, expected) in [
        ("nothing", "ends as any other".to_owned(), None),
        (
            "seven characters",
            format!("ends in {}", &TOKEN[36..]),
            None,
        ),
        ("the last eight", format!("ends in {}", &TOKEN[35..]), part),
        ("in the middle", format!("has {}", &TOKEN[10..20]), part),
        ("base64 of base64", twice, Some("access_token")),
        (
            "the same in lines",
            wrapped.join("\n  "),
            Some("access_token"),
        ),
        ("a part in base64", STANDARD.encode(&TOKEN[20..32]), part),
        ("percent in hex", in_hex, part),
        (
            "SHA-256",
            hex(&Sha256::digest(TOKEN)),
            Some("hash of a access_token"),
        ),
        ("SHA-256 of another", hex(&Sha256::digest("another")), None),
    ] {
        let mut tape = tape(&hint);
        let text = tape.finish().expect("a cassette");
        let withheld = tape.withheld().first();
        let asked = withheld.map(authtape::record::Withheld::name);
        let told = withheld.map(|withheld| withheld.why.clone());
        assert_eq!(
            text.contains("dropped: audit"),
            told.is_some(),
            "{name}: {text}"
        );
        let expected = expected.map(|what| format!("a {what} would have been written"));
        assert_eq!(told, expected, "{name}: {hint}");
        let expected = expected.map(|_| "1 (POST https://as.example/token)");
        assert_eq!(asked.as_deref(), expected, "{name}");
    }
}

#[test]
fn what_betrayed_a_secret_betrays_it_again() {
    let twice = STANDARD.encode(STANDARD.encode(TOKEN));
    let part = STANDARD.encode(&TOKEN[20..32]);
    let hints = [&twice, "soon", &part, &twice, &twice, "soon", &part, &twice];
    let mut tape = tape_of(&hints);
    let text = tape.finish().expect("a cassette");
    let withheld: Vec<_> = tape.withheld().iter().map(|withheld| withheld.id).collect();
    assert_eq!(withheld, [1, 3, 4, 5, 7, 8], "{text}");
    for hint in [&twice, &part] {
        assert!(!text.contains(hint), "{text}");
    }
}

fn authtape(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_authtape"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_stamp_says_what_was_looked_for_and_notices_an_edit() {
    let here = tempfile::tempdir().expect("a directory");
    let mut tape = tape("soon");
    assert!(
        !tape.text().contains("\naudit: "),
        "a .part has no stamp: {}",
        tape.text()
    );
    let stamped = tape.finish().expect("a cassette");
    let header = cassette::load(stamped.as_bytes()).expect("it loads").header;
    let stamp = header.audit.expect("a stamp");
    assert_eq!(
        (stamp.rules, stamp.secrets, stamp.depth, stamp.hits),
        (1, 1, 4, 0)
    );
    assert!(stamp.patterns > 40, "{stamp:?}");
    let edited = stamped.replace("\"soon\"", "\"later\"");
    let leaking = stamped.replace("client_id: web-shop", "password: Winter-2025x");
    assert!(edited != stamped && leaking != stamped, "{stamped}");
    let note = |name: &str| format!("note: {name} was edited after its audit\n");
    let clean = "nothing that looks like a secret in 1 file\n";
    let found = "leaking.yaml:20:17: value of a secret parameter\n";
    for (name, text_of, code, out, told) in [
        ("stamped.yaml", &stamped, 0, clean, String::new()),
        ("edited.yaml", &edited, 0, clean, note("edited.yaml")),
        ("leaking.yaml", &leaking, 1, found, note("leaking.yaml")),
    ] {
        // The recorder was told to keep what this does not know.
        let text_of = text_of.replace("\"hint\"", "\"scope\"");
        let text_of = if name == "stamped.yaml" {
            let stamp = cassette::load(text_of.as_bytes())
                .expect(name)
                .header
                .audit
                .expect("a stamp");
            text_of.replace(&stamp.sum, &cassette::sum(&text_of))
        } else {
            text_of
        };
        std::fs::write(here.path().join(name), text_of).expect("written");
        let output = authtape(here.path(), &["audit", name]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{name}: {}",
            text(&output.stdout)
        );
        assert_eq!(
            (text(&output.stdout).as_str(), text(&output.stderr)),
            (out, told),
            "{name}"
        );
        let output = authtape(here.path(), &["audit", "--json", name]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            json["hits"].as_array().map(Vec::len),
            Some(usize::from(code == 1)),
            "{name}"
        );
        let edited = usize::from(name != "stamped.yaml");
        assert_eq!(
            json["edited"].as_array().map(Vec::len),
            Some(edited),
            "{name}: {json}"
        );
        assert_eq!(output.status.code(), Some(code), "{name}");
    }
    let output = authtape(here.path(), &["audit", "stamped.yaml", "nowhere.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_searched_is_not_called_clean() {
    let here = tempfile::tempdir().expect("a directory");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, &b"password=hunter2SuperSecret99\n".repeat(9))
        .expect("packed");
    let gzip = packer.finish().expect("packed");
    let wide: Vec<u8> = "password=hunter2SuperSecret99"
        .bytes()
        .flat_map(|byte| [byte, 0])
        .collect();
    let marked = [b"\xff\xfe".as_slice(), &wide].concat();
    let clean = "nothing that looks like a secret in 1 file\n";
    for (name, bytes, code, has_zeros) in [
        ("app.log.gz", gzip.clone(), 1, false),
        ("cut.log.gz", gzip[..gzip.len() - 9].to_vec(), 3, false),
        (
            "session.zip",
            b"PK\x03\x04\x14\x00\x00\x00\x08\x00".to_vec(),
            3,
            false,
        ),
        ("marked.log", marked, 1, false),
        ("wide.log", wide, 3, false),
        (
            "zero.log",
            b"password=hunter2SuperSecret99\0".to_vec(),
            1,
            true,
        ),
        ("clean.log", b"ready\0".to_vec(), 0, true),
        (
            "latin1.log",
            b"gr\xfc\xdfe, \x1b[31merror\x1b[0m\n".to_vec(),
            0,
            false,
        ),
        ("empty.log", Vec::new(), 0, false),
    ] {
        std::fs::write(here.path().join(name), bytes).expect("written");
        let output = authtape(here.path(), &["audit", name]);
        let (out, told) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{name}: {out}{told}");
        let is_told = told.contains(&format!("{name} is no text, so it was not searched"));
        assert_eq!(
            (is_told, out == clean),
            (code == 3, code == 0),
            "{name}: {out}{told}"
        );
        let found = out.contains(&format!("{name}:1:10: value of a secret parameter"));
        assert_eq!(found, code == 1, "{name}: {out}");
        let note = format!("note: {name} has bytes that are no text");
        assert_eq!(told.contains(&note), has_zeros, "{name}: {told}");
        let output = authtape(here.path(), &["audit", "--json", name]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let zeros = json["zeros"].as_array().map(Vec::len);
        assert_eq!(zeros, Some(usize::from(has_zeros)), "{name}: {json}");
    }
}

#[test]
fn a_cassette_that_does_not_load_is_searched_as_any_text_and_says_so() {
    let here = tempfile::tempdir().expect("a directory");
    let whole = tape("soon")
        .finish()
        .expect("a cassette")
        .replace("\"hint\"", "\"scope\"");
    let broken = whole.replace("status: 200", "status: fine");
    assert_ne!(broken, whole);
    for (name, text_of, unloaded) in [("whole.yaml", whole, 0), ("broken.yaml", broken, 1)] {
        std::fs::write(here.path().join(name), text_of).expect("written");
        let output = authtape(here.path(), &["audit", name]);
        let note = format!("note: {name} does not load as the cassette that it says it is");
        assert_eq!(
            text(&output.stderr).matches(&note).count(),
            unloaded,
            "{name}"
        );
        assert_eq!(
            output.status.code(),
            Some(0),
            "{name}: {}",
            text(&output.stdout)
        );
        let output = authtape(here.path(), &["audit", "--json", name]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            json["unloaded"].as_array().map(Vec::len),
            Some(unloaded),
            "{json}"
        );
    }
}

const VCR: &str = "http_interactions:\n- request:\n    method: post\n    uri: https://as.example/token\n    body:\n      encoding: US-ASCII\n      string: grant_type=client_credentials&client_secret=SECRET\n  response:\n    status:\n      code: 200\n    headers:\n      X-Contact:\n      - CONTACT\nrecorded_with: VCR 6.2.0\n";
const VCRPY: &str = "interactions:\n- request:\n    body: grant_type=client_credentials&client_secret=SECRET\n    headers:\n      X-Contact:\n      - CONTACT\n    method: POST\n    uri: https://as.example/token\n  response:\n    body:\n      string: '{}'\nversion: 1\n";
const POLLY: &str = "{\"log\":{\"_recordingName\":\"token\",\"creator\":{\"name\":\"Polly.JS\",\"version\":\"6.0.5\"},\"entries\":[{\"request\":{\"postData\":{\"text\":\"client_secret=SECRET\"},\"headers\":[{\"name\":\"x-contact\",\"value\":\"CONTACT\"}]}}]}}\n";
const HAR: &str = "{\n \"log\": {\n  \"creator\": {\"name\": \"WebInspector\"},\n  \"entries\": [\n   {\"request\": {\"headers\": [\n    {\"name\": \"X-Contact\", \"value\": \"CONTACT\"},\n    {\"name\": \"Authorization\", \"value\": \"Bearer SECRET\"}\n   ]}}\n  ]\n }\n}\n";

#[test]
fn any_recording_is_searched_for_secrets_and_for_people() {
    let here = tempfile::tempdir().expect("a directory");
    let log = "GET /callback?code=SECRET\nby CONTACT\n";
    let (hidden, random) = ("REDACTED-client_secret-1", "SplxlOBeZQQYbYS6WxSbIA82");
    for (name, form, is_recording) in [
        ("vcr.yml", VCR, true),
        ("vcrpy.yaml", VCRPY, true),
        ("polly.har", POLLY, true),
        ("session.har", HAR, true),
        ("some.log", log, false),
    ] {
        for (secret, contact, expected) in [
            (hidden, "nobody", 0),
            (random, "nobody", 1),
            (hidden, "jane@corp.example", usize::from(is_recording)),
            (hidden, "+4915112345678", usize::from(is_recording)),
            (hidden, "8.8.8.8", usize::from(is_recording)),
            (
                hidden,
                "2a00:1450:4001:81b::200e",
                usize::from(is_recording),
            ),
            (hidden, "/home/jane/.config", usize::from(is_recording)),
            (hidden, "192.0.2.7", 0),
            (hidden, "2001:db8::7", 0),
            (random, "jane@corp.example", 1 + usize::from(is_recording)),
        ] {
            let text_of = form.replace("SECRET", secret).replace("CONTACT", contact);
            std::fs::write(here.path().join(name), text_of).expect("written");
            let output = authtape(here.path(), &["audit", name, "--json"]);
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let hits = json["hits"].as_array().expect("a list");
            assert_eq!(hits.len(), expected, "{name}, {secret}, {contact}: {json}");
            let code = i32::from(expected > 0);
            assert_eq!(
                output.status.code(),
                Some(code),
                "{name}, {secret}, {contact}"
            );
            let all = text(&output.stdout);
            assert!(
                !all.contains(random) && !all.contains("jane"),
                "{name}: {all}"
            );
        }
    }
}

#[test]
fn a_cassette_holds_neither_random_runs_nor_people() {
    let form = "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n\n- id: 1\n  step: token_request\n  at: 0.000\n  request:\n    method: GET\n    url: https://as.example/token\n    http: \"1.1\"\n  response:\n    status: 400\n    after: 0.010\n    headers:\n    - X-Request-Id: 6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10\n    - WWW-Authenticate: 'Bearer error_description=\"SAID\"'\n    body: empty\n# end 1\n";
    for (said, is_found) in [
        ("the code expired", false),
        ("the code REDACTED-code-1 expired", false),
        ("the code SplxlOBeZQQYbYS6WxSbIA82 expired", true),
        ("ask jane@corp.example", true),
        ("not from 8.8.8.8", true),
        ("not from 192.0.2.7", false),
        ("not from 10.1.2.3", false),
        ("not from 2a00:1450:4001:81b::200e", true),
        ("call +4915112345678", true),
        ("in 3600 seconds", false),
        ("no file /home/doering/token", true),
        ("since 2026-11-23T10:02:11Z", false),
    ] {
        let text = form.replace("SAID", said);
        cassette::load(text.as_bytes()).expect(said);
        let hits = cassette::audit(&text).hits;
        assert_eq!(!hits.is_empty(), is_found, "{said}: {hits:?}");
        assert!(hits.iter().all(|hit| hit.line == 18), "{said}: {hits:?}");
    }
}
