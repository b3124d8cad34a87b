//! A session as people see it: every line has room, whatever is on the cassette.

use std::time::{Duration, Instant};

use authtape::cassette::{self, Cassette};
use authtape::diagnose::report::Look;
use authtape::view::Scene;

use crate::cli::{authtape, said};
use crate::support::thread;

const GOOD: &str = include_str!("good.yaml");
const VARIANTS: &[&str] = &[
    "as-posted",
    "basic",
    "correct",
    "get",
    "json",
    "multipart",
    "redirect-slash",
];
const WIDTHS: &[usize] = &[40, 80, 100, 200];

fn plain(width: usize) -> Look {
    Look {
        styled: false,
        width,
    }
}

fn load(text: &str) -> Cassette {
    cassette::load(text.as_bytes()).expect("a cassette")
}

/// The texts of a cassette that are as wide as they may be.
fn fitted(cassette: &Cassette, width: usize) -> [String; 2] {
    let scene = Scene::new(cassette);
    [scene.timeline(plain(width)), scene.diagram(plain(width))]
}

fn widest(text: &str) -> usize {
    let widths = text.lines().map(|line| line.chars().count());
    widths.max().unwrap_or_default()
}

#[test]
fn the_sessions_of_the_thread_look_like_this() {
    for (variant, width) in [
        ("correct", 40),
        ("correct", 100),
        ("redirect-slash", 80),
        ("basic", 100),
        ("multipart", 200),
    ] {
        let [timeline, diagram] = fitted(&thread(variant), width);
        insta::assert_snapshot!(format!("timeline {variant} {width}"), timeline);
        insta::assert_snapshot!(format!("diagram {variant} {width}"), diagram);
    }
    insta::assert_snapshot!("list", Scene::new(&thread("correct")).list(plain(100)));
}

#[test]
fn a_long_session_looks_like_this() {
    let [timeline, diagram] = fitted(&load(GOOD), 100);
    insta::assert_snapshot!("timeline good", timeline);
    insta::assert_snapshot!("diagram good", diagram);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut cassettes: Vec<_> = VARIANTS.iter().map(|variant| thread(variant)).collect();
    cassettes.extend([load(GOOD), load(HOSTILE), load(FAILED)]);
    for cassette in &cassettes {
        for width in WIDTHS.iter().copied().chain(20..100) {
            for text in fitted(cassette, width) {
                assert!(widest(&text) <= width, "{width}: {text}");
            }
        }
    }
}

#[test]
fn colours_are_there_where_they_are_asked_for_and_add_nothing_else() {
    let cassette = thread("redirect-slash");
    let scene = Scene::new(&cassette);
    let styled = Look {
        styled: true,
        width: 100,
    };
    let pairs = [
        (scene.timeline(styled), scene.timeline(plain(100))),
        (scene.diagram(styled), scene.diagram(plain(100))),
    ];
    for (styled, plain) in pairs {
        assert!(styled.contains("\u{1b}[1m\u{1b}[31m401"), "{styled:?}");
        assert_eq!(anstream::adapter::strip_str(&styled).to_string(), plain);
    }
}

/// A cassette that wants to be obeyed, or to fill the screen.
const HOSTILE: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
server: "as\u001b[2J.example"
interactions:
- id: 1
  step: token_request
  at: 0.0
  request:
    method: "PO\u001b]0;owned\u0007ST"
    url: "https://as.example/\u202etoken"
    http: "1.1"
    headers:
    - Authorization: "Bearer \u009b31m"
    form:
    - "gr\u0008ant_type": "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"
    - "": ""
    - "a\nb": "REDACTED-code-1\r\n\u2028"
  response:
    status: 400
    after: 0.001
    headers:
    - Location: "\u001b[H"
    json: '{"error": "\u001b[31mx", "error_description": "\u001b]8;;http://x.example\u0007"}'
    wire: exact
# end 1
"#;

const FAILED: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: token_request
  at: 0.0
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    body: {dropped: too_large, size: 2097152}
  error:
    kind: dns_failure
    phase: connect
    after: 0.001
# end 1
- id: 2
  step: resource
  at: 1.5
  request:
    method: GET
    url: https://api.example/me
    http: "2"
    headers:
    - Authorization: Bearer REDACTED-access_token-1
# end 2
- id: 3
  step: authorization_response
  at: 2.5
  request:
    method: GET
    url: http://127.0.0.1:51004/cb
    http: "1.1"
    query:
    - error: access_denied
  response:
    status: 200
    after: 0.5
    body: {dropped: page, size: 4096}
# end 3
"#;

#[test]
fn what_fails_and_what_wants_to_be_obeyed_looks_like_this() {
    for (name, text) in [("hostile", HOSTILE), ("failed", FAILED)] {
        let cassette = load(text);
        let scene = Scene::new(&cassette);
        let [timeline, diagram] = fitted(&cassette, 100);
        let all = format!("{timeline}\n{diagram}\n{}", scene.list(plain(100)));
        let obeyed = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2028}".contains(c);
        assert!(!all.contains(obeyed), "{all:?}");
        insta::assert_snapshot!(format!("show {name}"), all);
    }
}

#[test]
fn nothing_on_a_cassette_is_nothing_to_show() {
    let empty = load(
        "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions: []\n",
    );
    let [timeline, diagram] = fitted(&empty, 80);
    assert_eq!(
        timeline,
        "no server, recorded 2026-11-23T10:02:11Z\nit holds no interaction\n"
    );
    assert_eq!(diagram, "no server, recorded 2026-11-23T10:02:11Z\n");
}

/// As many interactions of a session with itself as that.
pub(crate) fn long(count: u64) -> Cassette {
    let mut cassette = thread("correct");
    let both = cassette.interactions.clone();
    let all = (1..=count).zip(both.iter().cycle());
    cassette.interactions = all.map(|(id, one)| one.clone().renumbered(id)).collect();
    cassette
}

#[test]
fn ten_thousand_interactions_are_shown_at_once() {
    let cassette = long(10_000);
    let began = Instant::now();
    let [timeline, diagram] = fitted(&cassette, 100);
    let took = began.elapsed();
    assert!(timeline.contains("\n10000 token request"), "to the end");
    assert!(diagram.contains(" 10000 token request"), "to the end");
    // Without optimisation, on a machine that does other things as well.
    assert!(took < Duration::from_secs(20), "{took:?}");
    let endless = load(&HOSTILE.replace("漢字漢字", &"漢字".repeat(50_000)));
    for text in fitted(&endless, 80) {
        assert!(text.lines().count() < 100, "{}", text.lines().count());
    }
}

#[test]
fn the_json_keeps_what_it_had_and_says_who_talks_to_whom() {
    let cassette = thread("redirect-slash");
    let json = Scene::new(&cassette).json("x.yaml");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    insta::assert_snapshot!(
        "show json",
        serde_json::to_string_pretty(&json).expect("JSON")
    );
}

#[test]
fn the_command_has_its_forms_and_exit_codes() {
    let here = tempfile::tempdir().expect("a directory");
    std::fs::write(here.path().join("good.yaml"), GOOD).expect("written");
    std::fs::write(here.path().join("bad.yaml"), "authtape: 7\n").expect("written");
    let scene = load(GOOD);
    let scene = Scene::new(&scene);
    for (options, code, expected) in [
        (&["good.yaml"][..], 0, scene.timeline(plain(100))),
        (&["good.yaml", "--diagram"], 0, scene.diagram(plain(100))),
        (&["good.yaml", "--list"], 0, scene.list(plain(100))),
        (&["good.yaml", "--json"], 0, scene.json("good.yaml")),
        (&["good.yaml", "--json", "--list"], 2, String::new()),
        (&["good.yaml", "--list", "--diagram"], 2, String::new()),
        (&[], 2, String::new()),
        (&["bad.yaml"], 3, String::new()),
        (&["missing.yaml", "--diagram"], 3, String::new()),
    ] {
        let output = authtape(here.path(), &[&["show"], options].concat());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{options:?}: {}",
            said(&output)
        );
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            expected,
            "{options:?}"
        );
    }
}
