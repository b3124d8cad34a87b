//! Two sessions beside each other: what differs, and nothing that every run makes anew.

use std::time::{Duration, Instant};

use authtape::cassette::{self, Cassette};
use authtape::diagnose::report::Look;
use authtape::view::Comparison;

use crate::cli::{authtape, said};
use crate::show::long;
use crate::support::thread;

const GOOD: &str = include_str!("good.yaml");

fn look(width: usize) -> Look {
    Look {
        styled: false,
        width,
    }
}

fn load(text: &str) -> Cassette {
    cassette::load(text.as_bytes()).expect("a cassette")
}

/// The differences in short: rank, step, name, kind.
fn told(a: &Cassette, b: &Cassette) -> Vec<String> {
    let json = Comparison::new(a, b).json(["a", "b"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let word = |difference: &serde_json::Value, key: &str| {
        difference[key].as_str().expect("a word").to_owned()
    };
    let differences = json["differences"].as_array().expect("a list").iter();
    differences
        .map(|one| {
            ["rank", "step", "name", "kind"]
                .map(|key| word(one, key))
                .join(" ")
        })
        .collect()
}

type Edits<'e> = &'e [(&'e str, &'e str)];

/// The good session with texts of it replaced, each everywhere behind what it first stands in.
fn edited(edits: Edits<'_>) -> Cassette {
    let edit = |text: String, (from, to): &(&str, &str)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    load(&edits.iter().fold(GOOD.to_owned(), edit))
}

#[test]
fn what_differs_is_found_and_what_a_run_makes_anew_is_not() {
    let good = load(GOOD);
    let same: &[Edits<'_>] = &[
        &[],
        &[
            ("REDACTED-state-1", "REDACTED-state-9"),
            ("state-1:", "state-9:"),
        ],
        &[("expires_in\": 3600", "expires_in\": 3599")],
        &[("at: 0.3", "at: 0.35"), ("after: 0.010", "after: 0.700")],
        &[("recorded_at: \"2026", "recorded_at: \"2027")],
        &[("https://shop.example.org/cb", "http://127.0.0.1:51004/cb")],
    ];
    let loopback = edited(&[("https://shop.example.org/cb", "http://127.0.0.1:60000/cb")]);
    for edits in same {
        let other = edited(edits);
        let good = if edits.iter().any(|(_, to)| to.contains("127.0.0.1")) {
            &loopback
        } else {
            &good
        };
        assert_eq!(told(good, &other), [""; 0], "{edits:?}");
        assert!(Comparison::new(good, &other).is_alike(), "{edits:?}");
    }
    let rows: &[(Edits<'_>, &[&str])] = &[
        (
            &[(
                "    - code: REDACTED-code-1\n",
                "    - code: REDACTED-state-1\n",
            )],
            &["request token_request code changed"],
        ),
        (
            &[(
                "    - code: REDACTED-code-1\n",
                "    - code: REDACTED-code-1--pct\n",
            )],
            &["request token_request code changed"],
        ),
        (
            &[("    - code_verifier: REDACTED-code_verifier-1\n", "")],
            &["request token_request code_verifier missing"],
        ),
        (
            &[(
                "    - grant_type: authorization_code\n",
                "    - granttype: authorization_code\n",
            )],
            &[
                "request token_request grant_type missing",
                "request token_request granttype added",
            ],
        ),
        (
            &[(
                "- authorization: Bearer REDACTED-access_token-1",
                "- authorization: bearer REDACTED-access_token-1",
            )],
            &["header userinfo authorization changed"],
        ),
        (
            &[("\"token_type\": \"Bearer\"", "\"token_type\": \"mac\"")],
            &[
                "answer token_request token_type changed",
                "answer token_request token_type changed",
                "answer token_request token_type changed",
            ],
        ),
        (
            &[("\"userinfo_endpoint\": \"https://op.example/me\",\n", "")],
            &["rest discovery userinfo_endpoint missing"],
        ),
    ];
    for (edits, expected) in rows {
        let other = edited(edits);
        assert_eq!(told(&good, &other), *expected, "{edits:?}");
    }
}

#[test]
fn a_step_that_only_one_has_stands_alone() {
    let good = load(GOOD);
    let mut short = good.clone();
    let at = short.interactions.iter().position(|one| one.id() == 8);
    short.interactions.remove(at.expect("introspection"));
    let expected = "answer introspection the whole step";
    assert_eq!(told(&good, &short), [format!("{expected} missing")]);
    assert_eq!(told(&short, &good), [format!("{expected} added")]);
    let mut twice = thread("correct");
    twice
        .interactions
        .extend(thread("json").interactions.into_iter().map(|one| {
            let id = one.id() + 10;
            one.renumbered(id)
        }));
    let expected = ["authorization_request", "token_request"]
        .map(|step| format!("answer {step} the whole step added"));
    assert_eq!(told(&thread("correct"), &twice), expected);
}

#[test]
fn the_sessions_of_the_thread_differ_like_this() {
    for (variant, width) in [
        ("redirect-slash", 40),
        ("redirect-slash", 100),
        ("basic", 80),
        ("json", 100),
        ("multipart", 100),
        ("get", 100),
        ("as-posted", 200),
    ] {
        let (a, b) = (thread("correct"), thread(variant));
        let names = ["correct.yaml", variant];
        let text = Comparison::new(&a, &b).text(names, look(width));
        insta::assert_snapshot!(format!("diff {variant} {width}"), text);
    }
    let (a, b) = (thread("correct"), thread("redirect-slash"));
    let json = Comparison::new(&a, &b).json(["a.yaml", "b.yaml"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    insta::assert_snapshot!(
        "diff json",
        serde_json::to_string_pretty(&json).expect("JSON")
    );
}

#[test]
fn no_line_of_a_comparison_is_wider_than_the_terminal_or_obeyed() {
    let hostile = edited(&[
        (
            "https://shop.example.org/cb",
            "https://shop.example.org/\\u001b[31m\u{202e}cb",
        ),
        (
            "openid email",
            "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
        ),
    ]);
    let long = edited(&[(
        "https://shop.example.org/cb",
        &format!("https://shop.example.org/{}", "x".repeat(5000)),
    )]);
    let good = load(GOOD);
    let correct = thread("correct");
    let slash = thread("redirect-slash");
    for (a, b) in [
        (&good, &hostile),
        (&good, &long),
        (&long, &hostile),
        (&correct, &slash),
        (&correct, &good),
    ] {
        let comparison = Comparison::new(a, b);
        for width in (30..110).chain([200]) {
            let text = comparison.text(["a.yaml", "b.yaml"], look(width));
            let columns = |line: &str| {
                line.chars()
                    .map(|c| 1 + usize::from(c > '\u{2e80}'))
                    .sum::<usize>()
            };
            let widest = text.lines().map(columns).max();
            assert!(
                widest.is_some_and(|widest| widest <= width),
                "{width}: {text}"
            );
            assert!(
                !text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'),
                "{text:?}"
            );
            assert!(text.lines().count() < 1000, "{text}");
        }
    }
}

#[test]
fn ten_thousand_interactions_are_compared_at_once() {
    let (a, mut b) = (long(10_000), long(9_999));
    b.interactions.remove(5_000);
    let began = Instant::now();
    let comparison = Comparison::new(&a, &b);
    let text = comparison.text(["a", "b"], look(100));
    let took = began.elapsed();
    assert!(text.contains("(A 9999, B not there)"), "{text}");
    // Without optimisation, on a machine that does other things as well.
    assert!(took < Duration::from_secs(20), "{took:?}");
    let text = Comparison::new(&a, &thread("get")).text(["a", "b"], look(100));
    assert!(text.contains("more, which --json has"), "{text}");
}

#[test]
fn the_command_says_what_it_found_by_its_exit_code() {
    let here = tempfile::tempdir().expect("a directory");
    let write =
        |name: &str, text: &str| std::fs::write(here.path().join(name), text).expect("written");
    write("good.yaml", GOOD);
    write(
        "other.yaml",
        &GOOD.replace("- client_id: shop", "- client_id: store"),
    );
    write("bad.yaml", "authtape: 7\n");
    for (arguments, code, expected) in [
        (&["good.yaml", "good.yaml"][..], 0, "they are alike"),
        (&["good.yaml", "good.yaml", "--json"], 0, "\"alike\":true"),
        (
            &["good.yaml", "other.yaml"],
            1,
            "client_id in the query\n      A  shop\n      B  store\n",
        ),
        (&["good.yaml", "other.yaml", "--json"], 1, "\"alike\":false"),
        (&["good.yaml"], 2, "<B>"),
        (&["good.yaml", "bad.yaml"], 3, "bad.yaml"),
        (&["missing.yaml", "good.yaml"], 3, "missing.yaml"),
    ] {
        let output = authtape(here.path(), &[&["diff"], arguments].concat());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(expected),
            "{arguments:?}: {}",
            said(&output)
        );
    }
}
