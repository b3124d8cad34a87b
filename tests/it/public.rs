//! `--public`: whose session it was is not said, and all else is as it always is.

use std::fs;

use authtape::cassette;
use authtape::model::{Body, Params, Response, Url, percent_encode};
use authtape::oauth::pkce;
use authtape::redact::{Piece, Profile, pieces};
use authtape::replay::{Answer, PlayOptions, Player};

use crate::cli::{authtape, said};
use crate::session::{
    self, CLIENT, CODE, FAULTS, Fault, ISSUER, REALM, REQUEST_ID, SHOP, STATE, VERIFIER,
};
use crate::support::{NOW, plain_server, said as request};

/// Parts of the names of hosts, and whatever else says whose session it was.
const TELLING: &[&str] = &["acme", CLIENT, REALM, REQUEST_ID, "X11", "github"];
/// The kinds of labels that no other profile has.
const KINDS: &[&str] = &["client_id", "correlation", "host", "realm"];

#[test]
fn nothing_says_whose_session_it_was() {
    for fault in FAULTS {
        let support = session::recorded(*fault, Profile::Support).to_lowercase();
        let text = session::recorded(*fault, Profile::Public);
        let public = text.to_lowercase();
        for telling in TELLING {
            let telling = telling.to_lowercase();
            assert!(!public.contains(&telling), "{fault:?}: {telling}: {text}");
            let is_there = match telling.as_str() {
                "github" => *fault == Fault::GitHub,
                _ => true,
            };
            assert_eq!(support.contains(&telling), is_there, "{fault:?}: {telling}");
        }
        assert_eq!(cassette::audit(&text).hits, [], "{fault:?}: {text}");
        let again = cassette::load(text.as_bytes()).expect("a cassette");
        assert_eq!(cassette::write(&again), text, "{fault:?}");
    }
}

#[test]
fn what_is_public_says_the_same_of_every_fault() {
    for fault in FAULTS {
        let support = session::findings(&session::loaded(*fault, Profile::Support));
        let public = session::findings(&session::loaded(*fault, Profile::Public));
        assert_eq!(public, support, "{fault:?}");
    }
}

#[test]
fn a_host_in_another_case_is_the_same_host() {
    let text = session::recorded(Fault::HostCase, Profile::Public);
    let [asked, sent] = [
        "https://REDACTED-host-2/",
        "https://REDACTED-host-2--mixed/",
    ];
    assert!(
        text.contains(&format!("redirect_uri: {asked}oauth/callback")),
        "{text}"
    );
    assert!(
        text.contains(&format!("redirect_uri: {sent}oauth/callback")),
        "{text}"
    );
}

/// A line with what the profiles treat differently masked.
fn masked(line: &str, originals: &[&str]) -> String {
    let piece = |piece| match piece {
        Piece::Label(label) if KINDS.contains(&label.kind.as_str()) || label.kind == "word" => {
            "*".to_owned()
        }
        Piece::Label(label) => label.to_string(),
        Piece::Literal(text) => text,
    };
    let line: String = pieces(line).into_iter().map(piece).collect();
    let line = line.replace(" (X11; Linux x86_64)", "");
    let line = originals
        .iter()
        .fold(line, |line, original| line.replace(original, "*"));
    // What begins with a digit is quoted, and a label is not.
    line.replace("\"*\"", "*").replace("=.*", "=*")
}

/// Lines of a header that say how much became a label.
const COUNTS: &[&str] = &["audit: ", "profile: ", "redacted: "];

#[test]
fn the_profiles_differ_in_nothing_else() {
    let originals = [
        ISSUER,
        SHOP,
        "acme-identity.example",
        CLIENT,
        REALM,
        REQUEST_ID,
    ];
    for fault in [
        Fault::None,
        Fault::FinalSlash,
        Fault::NoGrantType,
        Fault::Get,
    ] {
        let [support, public] = [Profile::Support, Profile::Public].map(|profile| {
            let text = session::recorded(fault, profile);
            let lines = text
                .lines()
                .filter(|line| !COUNTS.iter().any(|count| line.starts_with(count)));
            lines.map(ToOwned::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(support.len(), public.len(), "{fault:?}");
        let mut differing = 0;
        for (support, public) in support.iter().zip(&public) {
            assert_eq!(
                masked(support, &originals),
                masked(public, &originals),
                "{fault:?}"
            );
            differing += usize::from(support != public);
        }
        assert!(differing >= 10, "{fault:?}: {differing}");
    }
}

struct Client {
    player: Player,
    issuer: &'static str,
    shop: &'static str,
}

impl Client {
    fn of(fault: Fault, issuer: &'static str, shop: &'static str) -> Self {
        let cassettes = vec![session::loaded(fault, Profile::Public)];
        let options = PlayOptions {
            seed: [3; 32],
            ..PlayOptions::default()
        };
        Self {
            player: Player::new(cassettes, &options),
            issuer,
            shop,
        }
    }

    fn base(&self) -> String {
        format!(
            "https://{}/realms/theirs/protocol/openid-connect",
            self.issuer
        )
    }

    fn get(&mut self, url: &str) -> Response {
        match self.player.play(&request("GET", url, &[], ""), NOW) {
            Answer::Response(response) => response,
            other => panic!("{url}: {other:?}"),
        }
    }

    /// The code that comes back to this client's own host, with its own state.
    fn authorize(&mut self) -> String {
        let callback = format!("https://{}/oauth/callback", self.shop);
        let url = format!(
            "{}/auth?client_id=another&response_type=code&scope=profile&redirect_uri={}&state=s-of-this-run&code_challenge={}&code_challenge_method=S256",
            self.base(),
            percent_encode(&callback),
            pkce::s256(VERIFIER)
        );
        let response = self.get(&url);
        let location = response
            .headers
            .get("location")
            .and_then(Url::parse)
            .expect("a URL");
        assert_eq!(location.endpoint(), callback);
        let query = Params::parse(&location.query.expect("a query"));
        assert_eq!(query.get("state"), Some("s-of-this-run"));
        query.get("code").expect("a code").to_owned()
    }

    fn token(&mut self, code: &str, callback: &str) -> Answer {
        let form = format!(
            "grant_type=authorization_code&client_id=another&client_secret=its-own&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
            percent_encode(callback)
        );
        let declared = ("Content-Type", "application/x-www-form-urlencoded");
        let url = format!("{}/token", self.base());
        self.player
            .play(&request("POST", &url, &[declared], &form), NOW)
    }
}

fn body(response: Response) -> String {
    match response.body {
        Body::Full(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
        Body::Live(_) => panic!("a replayed body is whole"),
    }
}

#[test]
fn it_is_replayed_to_a_client_of_whatever_hosts() {
    for (issuer, shop) in [
        (ISSUER, SHOP),
        ("idp.test", "app.test:8443"),
        ("redacted-host-1", "redacted-host-2"),
        ("localhost:9443", "app.test"),
    ] {
        let mut client = Client::of(Fault::None, issuer, shop);
        let realm = format!("https://{issuer}/realms/theirs");
        let metadata = client.get(&format!("{realm}/.well-known/openid-configuration"));
        let expected = format!(
            "{{\"issuer\":\"{realm}\",\"token_endpoint\":\"{}/token\"",
            client.base()
        );
        let metadata = body(metadata);
        assert!(metadata.starts_with(&expected), "{metadata}");
        let code = client.authorize();
        let token = client.token(&code, &format!("https://{shop}/oauth/callback"));
        let Answer::Response(token) = token else {
            panic!("{issuer}: {token:?}")
        };
        assert_eq!(token.status, 200, "{issuer}: {:?}", client.player.report());
        assert!(
            client.player.report().is_clean(),
            "{:?}",
            client.player.report()
        );
    }
}

#[test]
fn a_defect_is_told_from_none_whatever_the_hosts_are() {
    let mut client = Client::of(Fault::FinalSlash, "idp.test", "app.test");
    let code = client.authorize();
    let Answer::Response(refused) = client.token(&code, "https://app.test/oauth/callback/") else {
        panic!("the recorded failure")
    };
    assert_eq!(refused.status, 400);
    let said = body(refused);
    let expected = "client another of app.test is unknown to idp.test";
    assert!(said.contains(expected), "{said}");
    let Answer::Miss(miss) = client.token(&code, "https://app.test/oauth/callback") else {
        panic!("the defect is gone")
    };
    assert!(
        miss.reason.contains("the defect recorded here is gone"),
        "{miss:?}"
    );
    let mut client = Client::of(Fault::None, "idp.test", "app.test");
    let code = client.authorize();
    for wrong in [
        "https://app.test/oauth/callback/",
        "https://other.test/oauth/callback",
    ] {
        let Answer::Response(refused) = client.token(&code, wrong) else {
            panic!("{wrong}")
        };
        assert_eq!(refused.status, 400, "{wrong}");
    }
}

#[test]
fn both_commands_take_the_option() {
    let here = tempfile::tempdir().expect("a directory");
    let port = plain_server(
        "{\"error\":\"invalid_client\",\"error_description\":\"ask sso.acme.example for help\"}",
    );
    let url = format!("http://login.acme.example:{port}/realms/{REALM}/token");
    let resolve = format!("login.acme.example:{port}:127.0.0.1:{port}");
    let form = format!("grant_type=client_credentials&client_id={CLIENT}");
    let record = [
        "record",
        "x.yaml",
        "--public",
        "--resolve",
        &resolve,
        "--insecure-upstream",
        "*.acme.example",
    ];
    let client = ["--", "curl", "-s", "-d", &form, &url];
    let output = authtape(here.path(), &[&record[..], &client].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let tape = fs::read_to_string(here.path().join("x.yaml")).expect("a cassette");
    assert!(tape.contains("profile: public\n"), "{tape}");
    assert!(tape.contains("server: REDACTED-host-1\n"), "{tape}");
    assert!(tape.contains("insecure_upstream: [\"*\"]"), "{tape}");
    assert!(tape.contains("ask REDACTED-host-2 for help"), "{tape}");
    let har = serde_json::json!({ "log": { "version": "1.2", "entries": [{
        "startedDateTime": "2026-11-23T11:00:00.000Z", "time": 1,
        "request": { "method": "GET", "httpVersion": "HTTP/1.1", "url": format!("https://login.acme.example/authorize?response_type=code&client_id={CLIENT}&state={STATE}"),
            "headers": [{ "name": "Host", "value": "login.acme.example" }] },
        "response": { "status": 302, "headers": [{ "name": "Location", "value": format!("https://shop.acme.example/cb?code={CODE}") }], "content": { "mimeType": "x-unknown" } },
    }] } });
    fs::write(here.path().join("in.har"), har.to_string()).expect("written");
    let scrubbed = |options: &[&str]| {
        let output = authtape(
            here.path(),
            &[&["scrub", "in.har", "-o", "-"], options].concat(),
        );
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    let (support, public) = (scrubbed(&[]), scrubbed(&["--public"]));
    for telling in ["acme", CLIENT] {
        assert!(support.contains(telling), "{support}");
        assert!(!tape.contains(telling), "{tape}");
        assert!(!public.contains(telling), "{public}");
    }
    let location = "https://REDACTED-host-2/cb?code=REDACTED-code-1";
    assert!(public.contains(location), "{public}");
}

#[test]
fn a_host_that_somebody_writes_into_it_is_found() {
    let text = session::recorded(Fault::FinalSlash, Profile::Public);
    for (from, to, kind) in [
        ("Host: REDACTED-host-1", "Host: login.acme.example", "host"),
        (
            "client_id: REDACTED-client_id-1",
            "client_id: shop-of-acme",
            "client_id",
        ),
        (
            "X-Request-Id: REDACTED-correlation-1",
            &format!("X-Request-Id: \"{REQUEST_ID}\""),
            "correlation",
        ),
        ("/realms/REDACTED-realm-1/", "/realms/acme/", "realm"),
    ] {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "{from}");
        let hits = cassette::audit(&edited).hits;
        let kinds: Vec<_> = hits.iter().map(|hit| hit.kind.as_str()).collect();
        assert_eq!(kinds, [format!("{kind} without a label")], "{to}");
    }
}
