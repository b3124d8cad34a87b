//! Flows and sessions: who began on one goes on in it, and gets nothing of another.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use authtape::cassette::{Cassette, load};
use authtape::model::{Body, Failure, Params, Request, Response, Url};
use authtape::proxy::Handler;
use authtape::replay::{Answer, PlayOptions, Player, Repertoire, Sessions};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{FORM, NOW, head_of, offline, said};
use crate::ways::{ask, call, read_all};

const HEAD: &str =
    "authtape: 1\nrecorded_by: other/1\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n";

/// The interactions of users who sign in at the same time: all are sent on to the login page, then
/// each comes back, and then each redeems its code and asks who it is.
fn cassette(users: &[&str]) -> Cassette {
    let mut text = HEAD.to_owned();
    let mut id = 0;
    let mut add = |step: &str, request: &str, response: &str, brings: &str| {
        id += 1;
        let declared = |key| format!("{key}: {{length: 40, alphabet: alnum}}");
        let brings = brings.split(' ').map(declared).collect::<Vec<_>>();
        let brings = brings.join(", ");
        write!(
            text,
            "- id: {id}\n  step: {step}\n  at: {id}.000\n  request:\n    http: \"1.1\"\n{request}  response:\n    after: 0.010\n{response}  secrets: {{{brings}}}\n"
        )
        .expect("a string");
    };
    let numbered = || (1..).zip(users);
    for (n, _) in numbered() {
        add(
            "authorization_request",
            &format!(
                "    method: GET\n    url: https://as.example/authorize\n    query:\n    - client_id: c1\n    - response_type: code\n    - redirect_uri: https://shop.example/cb\n    - state: REDACTED-state-{n}\n"
            ),
            "    status: 302\n    headers:\n    - Location: https://as.example/login\n",
            &format!("state-{n}"),
        );
    }
    for (n, _) in numbered() {
        add(
            "login_page",
            &format!(
                "    method: POST\n    url: https://as.example/login\n    form:\n    - username: REDACTED-username-{n}\n"
            ),
            &format!(
                "    status: 302\n    headers:\n    - Location: https://shop.example/cb?code=REDACTED-code-{n}&state=REDACTED-state-{n}\n"
            ),
            &format!("code-{n} username-{n}"),
        );
    }
    for (n, user) in numbered() {
        add(
            "token_request",
            &format!(
                "    method: POST\n    url: https://as.example/token\n    headers:\n    - Content-Type: application/x-www-form-urlencoded\n    form:\n    - grant_type: authorization_code\n    - client_id: c1\n    - code: REDACTED-code-{n}\n    - redirect_uri: https://shop.example/cb\n"
            ),
            &format!(
                "    status: 200\n    headers:\n    - Content-Type: application/json\n    json: '{{\"access_token\":\"REDACTED-access_token-{n}\",\"whose\":\"{user}\"}}'\n    wire: exact\n"
            ),
            &format!("access_token-{n}"),
        );
    }
    for (n, user) in numbered() {
        add(
            "userinfo",
            &format!(
                "    method: GET\n    url: https://as.example/userinfo\n    headers:\n    - Authorization: Bearer REDACTED-access_token-{n}\n"
            ),
            &format!("    status: 200\n    json: '{{\"whose\":\"{user}\"}}'\n    wire: exact\n"),
            &format!("value-{n}"),
        );
    }
    load(text.as_bytes()).expect("a cassette")
}

fn body(answer: Answer) -> String {
    match answer {
        Answer::Response(response) => match response.body {
            Body::Full(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
            Body::Live(_) => panic!("a replayed body is whole"),
        },
        other => panic!("{other:?}"),
    }
}

fn member(body: &str, name: &str) -> Option<String> {
    let read: serde_json::Value = serde_json::from_str(body).ok()?;
    Some(read.get(name)?.as_str()?.to_owned())
}

/// The code that comes back for a state.
fn authorize(play: &mut dyn FnMut(&authtape::model::Said) -> Answer, state: &str) -> String {
    let url = format!(
        "https://as.example/authorize?client_id=c1&response_type=code&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&state={state}"
    );
    let Answer::Response(response) = play(&said("GET", &url, &[], "")) else {
        panic!("answered")
    };
    let location = Url::parse(response.headers.get("location").expect("a redirect"));
    let query = location
        .and_then(|location| location.query)
        .expect("a query");
    let query = Params::parse(&query);
    assert_eq!(query.get("state"), Some(state));
    query.get("code").expect("a code").to_owned()
}

fn redeem(play: &mut dyn FnMut(&authtape::model::Said) -> Answer, code: &str) -> String {
    let form = format!(
        "grant_type=authorization_code&client_id=c1&code={code}&redirect_uri=https%3A%2F%2Fshop.example%2Fcb"
    );
    body(play(&said(
        "POST",
        "https://as.example/token",
        &[FORM],
        &form,
    )))
}

fn userinfo(play: &mut dyn FnMut(&authtape::model::Said) -> Answer, token: &str) -> String {
    let bearer = format!("Bearer {token}");
    let asked = said(
        "GET",
        "https://as.example/userinfo",
        &[("Authorization", &bearer)],
        "",
    );
    body(play(&asked))
}

#[test]
fn flows_of_one_cassette_keep_their_codes_and_tokens_in_any_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let users = ["ada", "bob", "eve"];
        let mut player = Player::new(vec![cassette(&users)], &PlayOptions::default());
        let play = &mut |asked: &authtape::model::Said| player.play(asked, NOW);
        let codes = ["s1", "s2", "s3"].map(|state| authorize(play, state));
        let mut tokens = vec![String::new(); 3];
        for user in order {
            let told = redeem(play, &codes[user]);
            assert_eq!(member(&told, "whose").as_deref(), Some(users[user]));
            tokens[user] = member(&told, "access_token").expect("a token");
        }
        for user in order.into_iter().chain(order) {
            let told = userinfo(play, &tokens[user]);
            assert_eq!(member(&told, "whose").as_deref(), Some(users[user]));
        }
        let again = redeem(play, &codes[order[0]]);
        assert!(member(&again, "error").is_some(), "spent: {again}");
        assert_eq!(player.report().unplayed, Vec::<String>::new());
    }
}

#[test]
fn a_flow_that_is_begun_again_brings_new_values_and_leaves_the_old_ones_alone() {
    let mut player = Player::new(vec![cassette(&["ada"])], &PlayOptions::default());
    let play = &mut |asked: &authtape::model::Said| player.play(asked, NOW);
    let mut tokens = BTreeSet::new();
    for state in ["s1", "s2", "s3"] {
        let code = authorize(play, state);
        let token = member(&redeem(play, &code), "access_token").expect("a token");
        tokens.insert(token);
    }
    assert_eq!(tokens.len(), 3);
    for token in tokens {
        assert_eq!(
            member(&userinfo(play, &token), "whose").as_deref(),
            Some("ada")
        );
    }
}

#[test]
fn a_flow_that_is_gone_through_several_times_at_once_brings_each_its_own() {
    let mut player = Player::new(vec![cassette(&["ada"])], &PlayOptions::default());
    let play = &mut |asked: &authtape::model::Said| player.play(asked, NOW);
    let codes = ["s1", "s2", "s3"].map(|state| authorize(play, state));
    let mut tokens = BTreeSet::new();
    for code in codes.iter().rev() {
        let token = member(&redeem(play, code), "access_token").expect("a token");
        tokens.insert(token);
    }
    assert_eq!(tokens.len(), 3);
    for token in &tokens {
        let told = userinfo(play, token);
        assert_eq!(member(&told, "whose").as_deref(), Some("ada"));
    }
    for code in &codes {
        assert!(member(&redeem(play, code), "error").is_some(), "spent");
    }
}

#[test]
fn a_flow_that_began_on_one_cassette_goes_on_there() {
    let cassettes = vec![cassette(&["ada"]), cassette(&["bob"])];
    let mut player = Player::new(cassettes, &PlayOptions::default());
    let play = &mut |asked: &authtape::model::Said| player.play(asked, NOW);
    let codes = ["s1", "s2"].map(|state| authorize(play, state));
    for (code, user) in [(&codes[1], "bob"), (&codes[0], "ada")] {
        let told = redeem(play, code);
        assert_eq!(member(&told, "whose").as_deref(), Some(user));
        let token = member(&told, "access_token").expect("a token");
        assert_eq!(
            member(&userinfo(play, &token), "whose").as_deref(),
            Some(user)
        );
    }
}

#[test]
fn sessions_share_the_cassette_and_nothing_else() {
    let sessions = sessions();
    let names = ["one", "two", ""];
    let mut codes = BTreeSet::new();
    for name in names {
        let play =
            &mut |asked: &authtape::model::Said| sessions.perform(Some(name), asked, NOW).answer;
        codes.insert(authorize(play, "the-same-state"));
    }
    assert_eq!(codes.len(), names.len(), "each has a code of its own");
    let foreign = codes.first().expect("a code").clone();
    let mut played = 0;
    for name in names {
        let play =
            &mut |asked: &authtape::model::Said| sessions.perform(Some(name), asked, NOW).answer;
        let told = redeem(play, &foreign);
        played += usize::from(member(&told, "whose").is_some());
    }
    assert_eq!(played, 1, "only the one that was given it redeems it");
    let report = sessions.report();
    assert_eq!(
        (report.sessions, report.played, report.refused.len()),
        (3, 4, 2)
    );
    let named = report
        .refused
        .iter()
        .filter(|why| why.starts_with("session "));
    assert!(named.count() >= 1, "{:?}", report.refused);
}

#[test]
fn a_session_makes_the_same_values_whatever_others_there_are() {
    let code = |before: &[&str]| {
        let sessions = sessions();
        for other in before {
            authorize(
                &mut |asked| sessions.perform(Some(other), asked, NOW).answer,
                "s",
            );
        }
        authorize(
            &mut |asked| sessions.perform(Some("mine"), asked, NOW).answer,
            "s",
        )
    };
    let alone = code(&[]);
    assert_eq!(alone, code(&["one", "two"]));
    let other = authorize(
        &mut |asked| sessions().perform(Some("other"), asked, NOW).answer,
        "s",
    );
    assert_ne!(alone, other);
}

#[test]
fn there_are_so_many_sessions_and_no_more() {
    let sessions = sessions();
    let asked = said("GET", "https://as.example/jwks", &[], "");
    for name in 0..10_000 {
        sessions.perform(Some(&name.to_string()), &asked, NOW);
    }
    for name in ["10000", &"x".repeat(257)] {
        let Answer::Miss(miss) = sessions.perform(Some(name), &asked, NOW).answer else {
            panic!("turned away")
        };
        assert!(miss.reason.contains("session"), "{}", miss.reason);
    }
    assert_eq!(sessions.report().sessions, 10_000);
}

#[test]
fn a_fault_that_nobody_came_for_is_told() {
    let fault = "token: 503".parse().expect("a fault");
    let sessions = Sessions::new(Repertoire::new(&PlayOptions {
        faults: vec![fault],
        ..PlayOptions::default()
    }));
    let told = |name: Option<&str>| {
        if let Some(name) = name {
            let asked = said("GET", "https://as.example/jwks", &[], "");
            sessions.perform(Some(name), &asked, NOW);
        }
        let faults = sessions.report().faults;
        faults.into_iter().map(|(_, done)| done).collect::<Vec<_>>()
    };
    assert_eq!(
        [told(None), told(Some("one")), told(Some("two"))].concat(),
        [0; 3]
    );
}

fn sessions() -> Sessions {
    let mut repertoire = Repertoire::new(&PlayOptions::default());
    repertoire.add("x.yaml".to_owned(), cassette(&["ada"]));
    Sessions::new(repertoire)
}

/// Answers with whom the client called itself.
fn whose() -> impl Handler {
    |request: Request| {
        let user = request.user.as_deref().unwrap_or("nobody");
        Ok::<_, Failure>(Response::new(200, format!("[{user}]")))
    }
}

/// `ada:` and `bob:x`
const ADA: &str = "Proxy-Authorization: Basic YWRhOg==\r\n";
const BOB: &str = "Proxy-Authorization: Basic Ym9iOng=\r\n";

#[tokio::test]
async fn each_request_to_the_proxy_names_its_session() {
    let serving = offline(&[], whose()).await;
    let target = "http://as.example/";
    for (fields, expected) in [
        (vec![""], "[nobody]"),
        (vec![ADA], "[ada]"),
        (vec![ADA, "", BOB], "[ada][nobody][bob]"),
    ] {
        let last = fields.len() - 1;
        let request = |(at, field): (usize, &&str)| {
            let close = if at == last {
                "Connection: close\r\n"
            } else {
                ""
            };
            format!("GET {target} HTTP/1.1\r\nHost: as.example\r\n{field}{close}\r\n")
        };
        let requests: String = fields.iter().enumerate().map(request).collect();
        let answers = ask(serving.address(), &requests).await;
        let told: String = answers
            .split_inclusive(']')
            .filter_map(|answer| Some(answer.split_at(answer.find('[')?).1))
            .collect();
        assert_eq!(told, expected, "{answers}");
    }
}

#[tokio::test]
async fn what_comes_through_a_tunnel_is_of_whoever_asked_for_it() {
    let serving = offline(&[], whose()).await;
    for (field, expected) in [("", "[nobody]"), (ADA, "[ada]"), (BOB, "[bob]")] {
        let tunnel = async || {
            let mut stream = TcpStream::connect(serving.address())
                .await
                .expect("connected");
            let connect =
                format!("CONNECT as.example:80 HTTP/1.1\r\nHost: as.example:80\r\n{field}\r\n");
            stream.write_all(connect.as_bytes()).await.expect("sent");
            let head = head_of(&mut stream).await;
            assert!(head.starts_with(b"HTTP/1.1 200"), "{field}");
            stream
        };
        let mut stream = tunnel().await;
        // What it says to the server is not meant for the proxy.
        let request =
            format!("GET / HTTP/1.1\r\nHost: as.example\r\n{ADA}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let answer = read_all(&mut stream).await;
        assert!(answer.ends_with(expected), "{field}: {answer}");
        let (parts, body, _) = call(tunnel().await, "http://as.example/").await;
        assert_eq!(parts.status, 200, "HTTP/2 {field}");
        assert_eq!(body, expected, "HTTP/2 {field}");
    }
}
