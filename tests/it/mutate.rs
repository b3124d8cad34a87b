//! Mutants: each loads, passes the audit, says what it is, and is played as it says.

use authtape::cassette::{self, Cassette};
use authtape::model::{Body, FailureKind, Params, Response, Url};
use authtape::mutate::{self, Error, Good, Must};
use authtape::oauth::Step;
use authtape::redact::Interaction;
use authtape::replay::{Answer, PlayOptions, Player};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::cli;
use crate::support::said;

const GOOD: &str = include_str!("good.yaml");
const TOKEN: &str = "https://op.example/token";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
/// In Unix seconds.
const NOW: i64 = 1_900_000_000;
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn mutant(kind: &str) -> String {
    let good = Good::read(GOOD.as_bytes()).expect("a cassette");
    let kind = mutate::kind(kind).expect(kind);
    good.mutant(kind).unwrap_or_else(|error| panic!("{error}"))
}

fn load(text: &str) -> Cassette {
    cassette::load(text.as_bytes()).expect("a cassette")
}

#[test]
fn every_kind_is_a_cassette_that_says_what_it_is() {
    let hits = cassette::audit(GOOD).hits;
    assert!(hits.is_empty(), "{hits:?}");
    let good = load(GOOD);
    let mut seen = std::collections::BTreeSet::new();
    for kind in mutate::kinds() {
        assert!(seen.insert(kind.id), "{} is there twice", kind.id);
        let text = mutant(kind.id);
        let cassette = load(&text);
        assert_eq!(cassette::audit(&text).hits.len(), 0, "{text}");
        let header = cassette.header.mutant.as_ref().expect(kind.id);
        assert_eq!(header.kind, kind.id);
        assert!(header.changed.starts_with(kind.what), "{header:?}");
        assert!(header.client.ends_with(kind.client), "{header:?}");
        assert_eq!(cassette::write(&cassette), text, "{}", kind.id);
        let requests = |cassette: &Cassette| {
            let requests = cassette.interactions.iter();
            let mut requests: Vec<_> = requests.map(|one| one.request().clone()).collect();
            requests.dedup();
            requests
        };
        assert_eq!(requests(&cassette), requests(&good), "{}", kind.id);
        assert_ne!(cassette.interactions, good.interactions, "{}", kind.id);
        // The place that it names is the one that was changed.
        let is_named = |id: u64| header.changed.ends_with(&format!(" interaction {id}"));
        let mut changed = cassette.interactions.iter();
        let changed = changed.find(|one| is_named(one.id())).expect(kind.id);
        let mut before = good.interactions.iter();
        let before = before.find(|one| one.request() == changed.request());
        let before = before.expect(kind.id);
        if cassette.interactions.len() > good.interactions.len() {
            // Who declares a secret brings it, in a message or in what a token claims.
            let written = cassette::entry(changed);
            for secret in changed.secrets() {
                let label = format!("REDACTED-{}", secret.name);
                assert!(written.contains(&label), "{}: {label}", kind.id);
            }
        }
        let parts = |one: &Interaction| {
            let (response, error) = (one.response().cloned(), one.error().cloned());
            (response, error, one.facts().clone(), one.secrets().to_vec())
        };
        assert_ne!(parts(before), parts(changed), "{}", kind.id);
    }
}

#[test]
fn what_no_mutant_is_made_of_is_told() {
    let good = |text: &str| Good::read(text.as_bytes()).map(|_| ());
    let told = good(&mutant("wrong-nonce"))
        .expect_err("it is one")
        .to_string();
    assert!(told.contains("a mutant already (`wrong-nonce`)"), "{told}");
    let raw = GOOD.replace("server:", "profile: raw\nserver:");
    assert!(matches!(good(&raw), Err(Error::Cassette(_))));
    assert!(matches!(good("x: y"), Err(Error::Cassette(_))));

    let refused = load(&mutant("invalid-grant")).interactions;
    let refused = refused.into_iter().take(4).collect();
    let refused = Cassette {
        interactions: refused,
        ..load(GOOD)
    };
    let failing = good(&cassette::write(&refused));
    assert!(matches!(failing, Err(Error::Failing)), "{failing:?}");

    let (head, _) = GOOD.split_once("\n- id: 2\n").expect("two");
    let alone = Good::read(head.as_bytes()).expect("a cassette");
    for kind in mutate::kinds() {
        let fits = ["issuer-wrong", "metadata-unavailable"].contains(&kind.id);
        match alone.mutant(kind) {
            Ok(_) => assert!(fits, "{}", kind.id),
            Err(Error::Unfit { kind: id, missing }) => {
                assert!(!fits && id == kind.id && !missing.is_empty(), "{id}");
            }
            Err(other) => panic!("{}: {other}", kind.id),
        }
    }
}

#[test]
fn an_error_with_status_200_is_no_token_response() {
    let first = |kind: &str, text: &str| {
        let good = Good::read(text.as_bytes()).expect("a cassette");
        let kind = mutate::kind(kind).expect(kind);
        let mutant = load(&good.mutant(kind).expect("a mutant"));
        let changed = mutant.header.mutant.expect("it says so").changed;
        let id = changed
            .rsplit_once(' ')
            .expect("an interaction")
            .1
            .parse::<u64>();
        id.expect("a number")
    };
    let good = first("no-token-type", GOOD);
    // The first answer says no, the one to the refresh token says yes.
    let mut mutant = load(&mutant("ok-error"));
    mutant.header.mutant = None;
    let text = cassette::write(&mutant);
    let later = first("no-token-type", &text);
    assert!(later > good, "{later}");
}

#[test]
fn what_was_answered_otherwise_has_no_facts_of_the_answer() {
    let text = load(&mutant("wrong-at-hash"));
    let at = text
        .interactions
        .iter()
        .position(|one| !one.facts().words().is_empty());
    let at = at.expect("a fact");
    let good = cassette::write(&Cassette {
        header: load(GOOD).header,
        interactions: text.interactions,
    });
    let good = Good::read(good.as_bytes()).expect("a cassette");
    for (kind, expected) in [("slow", 1), ("server-error", 0)] {
        let kind = mutate::kind(kind).expect(kind);
        let mutant = load(&good.mutant(kind).expect("a mutant"));
        let facts = mutant.interactions[at].facts().words();
        assert_eq!(facts.len(), expected, "{}", kind.id);
    }
}

#[test]
fn the_stamp_is_renewed_and_never_given_to_what_was_edited() {
    let stamp = |sum: &str| {
        format!(
            "audit: {{rules: 1, secrets: 9, patterns: 99, depth: 4, hits: 0, sum: {sum}}}\ninteractions:\n"
        )
    };
    let sum = cassette::sum(GOOD);
    for (sum, expected) in [(sum.as_str(), true), ("00c0ffee", false)] {
        let text = GOOD.replacen("interactions:\n", &stamp(sum), 1);
        let good = Good::read(text.as_bytes()).expect("a cassette");
        let kind = mutate::kind("alg-none").expect("a kind");
        let mutant = good.mutant(kind).expect("a mutant");
        assert_eq!(load(&mutant).header.audit.is_some(), expected);
        assert!(!cassette::audit(&mutant).is_edited);
    }
}

/// A client that does everything right, and takes what comes.
struct Client(Player);

impl Client {
    fn of(kind: &str) -> Self {
        let options = PlayOptions {
            seed: [3; 32],
            ..PlayOptions::default()
        };
        Self(Player::new(vec![load(&mutant(kind))], &options))
    }

    fn ask(&mut self, method: &str, url: &str, body: &str) -> Answer {
        let headers: &[_] = if body.is_empty() { &[] } else { &[FORM] };
        self.0.play(&said(method, url, headers, body), NOW)
    }

    fn response(&mut self, method: &str, url: &str, body: &str) -> Response {
        match self.ask(method, url, body) {
            Answer::Response(response) => response,
            other => panic!("{url}: {other:?}"),
        }
    }

    /// The parameters of the authorization response.
    fn authorize(&mut self) -> Params {
        let challenge = authtape::oauth::pkce::s256(VERIFIER);
        let url = format!(
            "https://op.example/auth?client_id=shop&response_type=code&redirect_uri=https://shop.example.org/cb\
             &scope=openid%20email&state=live-state&nonce=live-nonce&code_challenge={challenge}&code_challenge_method=S256"
        );
        let response = self.response("GET", &url, "");
        let location = response.headers.get("location").expect("a redirect");
        let query = Url::parse(location).and_then(|location| location.query);
        Params::parse(&query.unwrap_or_default())
    }

    fn token(&mut self) -> Answer {
        let code = self.authorize().get("code").expect("a code").to_owned();
        self.redeem(&code)
    }

    fn redeem(&mut self, code: &str) -> Answer {
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri=https://shop.example.org/cb&code_verifier={VERIFIER}&client_id=shop&client_secret=s"
        );
        self.ask("POST", TOKEN, &form)
    }
}

fn text(response: &Response) -> String {
    match &response.body {
        Body::Full(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Body::Live(_) => "cut".to_owned(),
    }
}

#[test]
fn authorization_responses_are_played_as_they_were_changed() {
    for (kind, name, expected) in [
        ("slow", "state", Some("live-state")),
        ("state-missing", "state", None),
        ("missing-iss", "iss", None),
        ("missing-iss", "state", Some("live-state")),
        (
            "wrong-iss-callback",
            "iss",
            Some("https://op.example/other"),
        ),
        ("access-denied", "error", Some("access_denied")),
        ("access-denied", "code", None),
        ("access-denied", "state", Some("live-state")),
        ("authorization-error", "error", Some("server_error")),
        ("code-missing", "code", None),
    ] {
        let params = Client::of(kind).authorize();
        assert_eq!(params.get(name), expected, "{kind}: {name}");
    }
    let wrong = Client::of("state-wrong").authorize();
    let state = wrong.get("state").expect("a state");
    assert_ne!(state, "live-state");
    assert_eq!(state.len(), 43, "it has the shape of a state: {state}");
    let twice = Client::of("code-twice").authorize();
    let codes: Vec<_> = twice.all("code").collect();
    assert!(codes.len() == 2 && codes[0] != codes[1], "{}", codes.len());
}

#[test]
fn token_responses_are_played_as_they_were_changed() {
    for (kind, status, expected) in [
        ("invalid-grant", 400, "\"error\":\"invalid_grant\""),
        ("expired-code", 400, "expired"),
        ("invalid-client", 401, "\"error\":\"invalid_client\""),
        ("ok-error", 200, "\"error\":\"invalid_grant\""),
        ("server-error", 500, "server_error"),
        ("truncated", 200, "cut"),
        ("malformed-json", 200, "{\"token_type\":\"Bearer\","),
        ("html-error", 200, "<!DOCTYPE html>"),
        ("token-type-wrong", 200, "\"token_type\":\"unknown\""),
        ("token-type-case", 200, "\"token_type\":\"BEARER\""),
        ("expires-in-string", 200, "\"expires_in\":\"3600\""),
        ("scope-narrowed", 200, "\"scope\":\"openid\""),
        ("unknown-members", 200, "\"ext_expires_in\":3600"),
    ] {
        let Answer::Response(response) = Client::of(kind).token() else {
            panic!("{kind}");
        };
        assert_eq!(response.status, status, "{kind}");
        let body = text(&response);
        assert!(body.contains(expected), "{kind}: {body}");
    }
    for (kind, without) in [
        ("no-access-token", "access_token"),
        ("no-token-type", "token_type"),
        ("no-id-token", "id_token"),
        ("empty-body", "e"),
    ] {
        let Answer::Response(response) = Client::of(kind).token() else {
            panic!("{kind}");
        };
        assert!(!text(&response).contains(without), "{kind}");
    }
    for (kind, expected) in [
        ("stall", FailureKind::ReadTimeout),
        ("reset", FailureKind::ConnectionReset),
        ("closed", FailureKind::ClosedEarly),
    ] {
        let Answer::Failure(failure) = Client::of(kind).token() else {
            panic!("{kind}");
        };
        assert_eq!(failure.kind, expected, "{kind}");
    }
}

/// The ID Token of a mutant, in its three parts.
fn id_token(kind: &str) -> [String; 3] {
    let Answer::Response(response) = Client::of(kind).token() else {
        panic!("{kind}");
    };
    let body: serde_json::Value = serde_json::from_str(&text(&response)).expect(kind);
    let token = body["id_token"].as_str().expect(kind);
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

fn read(part: &str) -> serde_json::Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn id_tokens_are_played_as_they_were_changed() {
    let [header, claims, signature] = id_token("slow");
    let good = read(&claims);
    assert_eq!(read(&header)["alg"], "RS256");
    assert_eq!(
        (&good["nonce"], &good["aud"]),
        (&"live-nonce".into(), &"shop".into())
    );
    assert_eq!(good["exp"], NOW + 3600);
    let bad = id_token("bad-signature");
    assert_eq!([&bad[0], &bad[1]], [&header, &claims]);
    assert_ne!(bad[2], signature);
    for (kind, claim, expected) in [
        ("wrong-iss", "iss", json!("https://op.example/other")),
        ("wrong-aud", "aud", json!("another")),
        ("untrusted-aud", "aud", json!(["shop", "another"])),
        ("malformed-aud", "aud", json!(1)),
        ("missing-nonce", "nonce", json!(null)),
        ("missing-exp", "exp", json!(null)),
        ("missing-iat", "iat", json!(null)),
        ("missing-sub", "sub", json!(null)),
        ("expired", "exp", json!(NOW - 3600)),
        ("not-yet-valid", "nbf", json!(NOW + 3600)),
    ] {
        let [_, claims, _] = id_token(kind);
        let claims = read(&claims);
        assert_eq!(claims[claim], expected, "{kind}");
        assert_ne!(claims[claim], good[claim], "{kind}");
    }
    for (kind, claim, length) in [
        ("wrong-nonce", "nonce", 43),
        ("wrong-at-hash", "at_hash", 22),
        ("wrong-c-hash", "c_hash", 22),
        ("wrong-s-hash", "s_hash", 22),
    ] {
        let [_, claims, _] = id_token(kind);
        let value = read(&claims)[claim].clone();
        assert_eq!(
            value.as_str().map(str::len),
            Some(length),
            "{kind}: {value}"
        );
        assert_ne!(value, good[claim], "{kind}");
    }
    let [header, _, signature] = id_token("alg-none");
    assert_eq!(
        (&read(&header)["alg"], signature.len()),
        (&json!("none"), 0)
    );
    let [header, _, _] = id_token("unknown-kid");
    assert_eq!(read(&header)["kid"], "unknown");
}

#[test]
fn authorization_responses_that_are_jwts_are_played_as_they_were_changed() {
    let response = |kind: &str| {
        let url = "https://op.example/auth?client_id=shop&response_type=code&response_mode=jwt\
             &redirect_uri=https://shop.example.org/cb&scope=openid%20email&state=live-state";
        let response = Client::of(kind).response("GET", url, "");
        let location = response.headers.get("location").expect("a redirect");
        let query = Url::parse(location).and_then(|location| location.query);
        let params = Params::parse(&query.unwrap_or_default());
        let token = params.get("response").expect("a JWT").to_owned();
        let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        <[String; 3]>::try_from(parts).expect("three parts")
    };
    let good = response("slow");
    let claims = read(&good[1]);
    assert_eq!(claims["state"], "live-state");
    assert_eq!(claims["exp"], NOW + 600);
    let forged = response("jarm-bad-signature");
    assert_eq!(forged[..2], good[..2]);
    assert_ne!(forged[2], good[2]);
    assert_eq!(read(&response("jarm-expired")[1])["exp"], NOW - 3600);
    assert_eq!(read(&response("jarm-wrong-aud")[1])["aud"], "another");
}

#[test]
fn a_server_that_has_a_client_wait_answers_the_next_time() {
    for (kind, status) in [("rate-limited", 429), ("unavailable", 503)] {
        let mut client = Client::of(kind);
        let code = client.authorize().get("code").expect("a code").to_owned();
        let statuses = [0, 1].map(|_| match client.redeem(&code) {
            Answer::Response(response) => (
                response.status,
                response.headers.get("retry-after").map(str::to_owned),
            ),
            other => panic!("{kind}: {other:?}"),
        });
        let expected = [(status, Some("1".to_owned())), (200, None)];
        assert_eq!(statuses, expected, "{kind}");
    }
    let mut client = Client::of("key-rotation");
    let keys = [0, 1, 2].map(|_| text(&client.response("GET", "https://op.example/jwks", "")));
    assert!(keys[0].contains("\"key-1-before\""), "{}", keys[0]);
    assert!(keys[1].contains("\"key-1\""), "{}", keys[1]);
    assert_eq!(keys[1], keys[2]);
    let mut client = Client::of("jwks-unavailable");
    for _ in 0..2 {
        let keys = client.response("GET", "https://op.example/jwks", "");
        assert_eq!(keys.status, 503);
    }
}

#[test]
fn the_list_has_every_kind_and_what_a_client_has_to_do() {
    let here = tempfile::tempdir().expect("a directory");
    let list = cli::said(&cli::authtape(here.path(), &["mutate", "--list"]));
    insta::assert_snapshot!("mutate list", list);
    let json = cli::authtape(here.path(), &["mutate", "--list", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let kinds = json["kinds"].as_array().expect("a list");
    assert_eq!(kinds.len(), mutate::kinds().count());
    let words = [Must::Reject, Must::Survive, Must::Either].map(Must::as_str);
    for kind in kinds {
        let must = kind["must"].as_str().expect("a word");
        assert!(words.contains(&must), "{kind}");
    }
}

#[test]
fn the_command_writes_one_or_all_and_says_what_does_not_fit() {
    let here = tempfile::tempdir().expect("a directory");
    let run = |arguments: &[&str]| {
        let output = cli::authtape(here.path(), arguments);
        (output.status.code(), cli::said(&output))
    };
    std::fs::write(here.path().join("good.yaml"), GOOD).expect("written");
    let (head, _) = GOOD.split_once("\n- id: 2\n").expect("two");
    std::fs::write(here.path().join("small.yaml"), head).expect("written");

    let one = [
        "mutate",
        "good.yaml",
        "--as",
        "wrong-nonce",
        "-o",
        "one.yaml",
    ];
    let (status, told) = run(&one);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("must refuse the ID Token"), "{told}");
    let (status, told) = run(&one);
    assert_eq!(status, Some(3), "{told}");
    assert!(told.contains("one.yaml exists"), "{told}");
    let (_, shown) = run(&["show", "one.yaml", "--list"]);
    insta::assert_snapshot!("show mutant", shown);

    let (status, told) = run(&["mutate", "small.yaml", "--as", "all", "-o", "made/here"]);
    assert_eq!(status, Some(0), "{told}");
    assert!(
        told.starts_with("authtape: 2 mutants in made/here"),
        "{told}"
    );
    assert!(
        told.matches("there is no token response on this cassette for")
            .count()
            == 1,
        "{told}"
    );
    let made = here.path().join("made/here/small.issuer-wrong.yaml");
    let made = load(&std::fs::read_to_string(made).expect("a mutant"));
    assert_eq!(made.interactions[0].step(), Step::Discovery);

    for (arguments, expected, why) in [
        (
            vec!["mutate", "small.yaml", "--as", "expired", "-o", "x.yaml"],
            3,
            "`expired` does not fit: there is no ID Token",
        ),
        (
            vec!["mutate", "good.yaml", "--as", "worse", "-o", "x.yaml"],
            2,
            "there is no kind `worse`; `authtape mutate --list` has them",
        ),
        (
            vec!["mutate", "one.yaml", "--as", "expired", "-o", "x.yaml"],
            3,
            "one.yaml: it is a mutant already",
        ),
        (vec!["mutate", "good.yaml"], 2, "--as <KIND>"),
    ] {
        let (status, told) = run(&arguments);
        assert_eq!(status, Some(expected), "{told}");
        assert!(told.contains(why), "{told}");
        assert!(!here.path().join("x.yaml").exists());
    }
}
