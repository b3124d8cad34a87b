//! What a refusal says: by which way, in which words, and nothing of what the client made up.

use authtape::model::{Params, Said, Url, percent_encode};
use authtape::replay::{Answer, Pages, PlayOptions};

use crate::refusals::{Client, DENIED, TOKEN, ask, json, of, redeem, tape};
use crate::support::{FORM, NOW, VERIFIER, body, said};

/// A name that a client may have put in the place of a value.
const NAME: &str = "a-name-that-the-client-made-up";

#[test]
fn a_name_of_no_standard_is_counted_and_not_told() {
    let twice = format!("{NAME}=1&{NAME}=2");
    let mut client = Client::new(&tape());
    let page = client.authorize(&format!("{}&{twice}", ask()));
    assert_eq!(page.status, 400);
    let code = client.code(&ask());
    let form = format!("{}&{twice}&unheard_of=1&unheard_of=2", redeem(&code));
    let refused = client.token(&form);
    assert_eq!(json(&refused)["error"], "invalid_request");
    let told = client.refused();
    for count in ["a parameter", "each of 2 parameters"] {
        let words = format!("{count} of no standard is sent more than once");
        assert!(told.contains(&words), "{told}");
    }
    let told = format!("{told}{}{}", body(&page), body(&refused));
    assert!(!told.contains(NAME), "{told}");
}

fn asking() -> PlayOptions {
    PlayOptions {
        pages: Pages::Asked,
        ..PlayOptions::default()
    }
}

/// Decides on the request of a page, as a person would.
fn decide(client: &mut Client, page: &str, decision: &str) -> Params {
    let (_, number) = page
        .split_once("name=\"authtape_request\" value=\"")
        .expect("a number");
    let number = number.split('"').next().expect("its end");
    let response = client.authorize(&format!(
        "authtape_request={number}&authtape_decision={decision}"
    ));
    let location = response.headers.get("location").and_then(Url::parse);
    Params::parse(&location.and_then(|url| url.query).expect("an answer"))
}

#[test]
fn what_was_pushed_or_posted_is_denied_with_its_state() {
    type Request = fn(&mut Client) -> Said;
    let rows: [(&str, Request); 2] = [
        ("pushed", |client| {
            let uri = percent_encode(&client.push());
            let url = format!("https://as.example/authorize?client_id=c1&request_uri={uri}");
            said("GET", &url, &[], "")
        }),
        ("posted", |_| {
            let rest = ask().replace("client_id=c1&", "");
            let url = "https://as.example/authorize?client_id=c1";
            said("POST", url, &[FORM], &rest)
        }),
    ];
    for (name, request) in rows {
        let mut client = Client::with(&tape(), &asking());
        let request = request(&mut client);
        let page = client.play(&request);
        let page = body(&page);
        for told in ["https://shop.example<", "<b>c1</b>", "<li>openid</li>"] {
            assert!(page.contains(told), "{name}: {told} in {page}");
        }
        let answer = decide(&mut client, &page, "deny");
        assert_eq!(answer.get("error"), Some("access_denied"), "{name}");
        assert_eq!(answer.get("state"), Some("s1"), "{name}");
        if name == "pushed" {
            assert_eq!(client.play(&request).status, 400, "it was decided on");
            let told = client.refused();
            assert!(
                told.contains("request_uri is one that was redeemed before"),
                "{told}"
            );
        }
    }
}

#[test]
fn nobody_is_asked_where_what_was_pushed_says_so() {
    let pushed = "code_challenge_method: S256\n  response:\n    status: 201";
    let silent = pushed.replace("  response", "    - prompt: none\n  response");
    let mut client = Client::with(&tape().replace(pushed, &silent), &asking());
    let form = format!("client_secret=s&prompt=none&{}", ask());
    let response = client.play(&said("POST", "https://as.example/par", &[FORM], &form));
    let uri = percent_encode(json(&response)["request_uri"].as_str().expect("a URI"));
    client.code(&format!("client_id=c1&request_uri={uri}"));
}

#[test]
fn an_authorization_request_may_be_in_the_query_and_in_the_body() {
    let mut client = Client::new(&tape());
    let rest = ask().replace("client_id=c1&", "");
    let url = "https://as.example/authorize?client_id=c1";
    let response = client.play(&said("POST", url, &[FORM], &rest));
    let location = response.headers.get("location").expect("a redirect");
    assert!(location.contains("&state=s1"), "{location}");
}

#[test]
fn a_client_that_is_not_known_is_told_nothing_of_a_token() {
    let mut client = Client::new(&tape());
    client.login();
    let url = "https://as.example/introspect";
    let form = "client_id=c1&token=made-up-by-the-client";
    let response = client.play(&said("POST", url, &[FORM], form));
    assert_eq!(response.status, 401);
    assert_eq!(json(&response)["error"], "invalid_client");
}

#[test]
fn a_method_that_was_recorded_is_not_refused() {
    let recorded = format!("method: POST\n    url: {TOKEN}");
    let tape = tape().replace(&recorded, &recorded.replace("POST", "GET"));
    let mut client = Client::new(&tape);
    client.code(&ask());
    let refused = client.play(&said(
        "GET",
        TOKEN,
        &[FORM],
        &redeem("made-up-by-the-client"),
    ));
    assert_eq!((refused.status, body(&refused).as_str()), (400, DENIED));
}

#[test]
fn another_password_is_a_wrong_grant_and_another_secret_a_wrong_client() {
    let form = |client: &str, user: &str| {
        format!(
            "grant_type=password&client_id=c1&client_secret={client}&username=u&password={user}"
        )
    };
    for (secret, password, status, error) in [
        ("s", "p", 200, None),
        ("s", "q", 400, Some("invalid_grant")),
        ("t", "p", 401, Some("invalid_client")),
    ] {
        let mut client = Client::new(&of(PASSWORD));
        assert_eq!(client.token(&form("s", "p")).status, 200);
        let response = client.token(&form(secret, password));
        assert_eq!(response.status, status, "{secret} {password}");
        assert_eq!(
            json(&response)["error"].as_str(),
            error,
            "{secret} {password}"
        );
    }
}

#[test]
fn an_empty_word_is_no_scope() {
    for scope in ["", "openid+", "openid++"] {
        let mut client = Client::new(&tape());
        let query = ask().replace("openid+api", scope);
        let url = format!("https://as.example/authorize?{query}");
        let Answer::Miss(missed) = client.player.play(&said("GET", &url, &[], ""), NOW) else {
            panic!("{scope}: refused: {}", client.refused());
        };
        assert!(
            missed.reason.starts_with("scope is another"),
            "{}",
            missed.reason
        );
    }
}

#[test]
fn a_refused_authorization_request_is_played_to_those_who_are_as_wrong() {
    let asks =
        "client_id=c1&response_type=code&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&scope=a";
    let mut client = Client::new(&of(REFUSED));
    assert_eq!(client.authorize(&format!("{asks}&scope=b")).status, 400);
    let report = client.player.report();
    assert!(report.is_clean(), "{:?}", report.lines());
    let url = format!("https://as.example/authorize?{asks}");
    let Answer::Miss(missed) = client.player.play(&said("GET", &url, &[], ""), NOW) else {
        panic!("nothing is recorded for a request that is right");
    };
    assert_eq!(
        missed.reason,
        "the defect recorded here is gone: it is no longer so that scope is sent more than once"
    );
}

#[test]
fn a_refusal_goes_by_the_way_that_the_request_asks_for() {
    let callback = "http://127.0.0.1:6001/cb";
    let asks = format!(
        "client_id=c1&response_type=TYPES&redirect_uri={}&state=a%22b",
        percent_encode(callback)
    );
    for (name, types, mode, expected) in [
        ("in a form", "id_token", "&response_mode=form_post", None),
        (
            "in the fragment",
            "id_token",
            "&response_mode=fragment",
            Some('#'),
        ),
        (
            "in the query",
            "id_token",
            "&response_mode=query",
            Some('?'),
        ),
        ("by the response type", "id_token", "", Some('#')),
        ("as it was recorded", "none", "", None),
    ] {
        let asks = asks.replace("TYPES", types);
        let mode_line = match mode.split_once('=') {
            Some((_, mode)) => format!("    - response_mode: {mode}\n"),
            None => String::new(),
        };
        let mut client = Client::new(&of(&POSTED.replace("MODE", &mode_line)));
        let response = client.authorize(&format!("{asks}{mode}"));
        let told = client.refused();
        assert!(
            told.contains("response_type is neither recorded"),
            "{name}: {told}"
        );
        let Some(mark) = expected else {
            let page = body(&response);
            for part in [
                format!("action=\"{callback}\""),
                "name=\"error\" value=\"unsupported_response_type\"".to_owned(),
                "name=\"state\" value=\"a&quot;b\"".to_owned(),
            ] {
                assert!(page.contains(&part), "{name}: {part} in {page}");
            }
            continue;
        };
        let location = response.headers.get("location").expect("a redirect");
        let start = format!("{callback}{mark}error=unsupported_response_type&");
        assert!(location.starts_with(&start), "{name}: {location}");
        assert!(location.ends_with("&state=a%22b"), "{name}: {location}");
    }
}

#[test]
fn another_verifier_is_told_from_that_of_another_flow() {
    let mut client = Client::new(&tape());
    let other = "another-verifier-which-is-of-another-flow-4";
    client.code(&ask().replace(
        &authtape::oauth::pkce::s256(VERIFIER),
        &authtape::oauth::pkce::s256(other),
    ));
    let code = client.code(&ask());
    let refused = client.token(&redeem(&code).replace(VERIFIER, other));
    assert_eq!((refused.status, body(&refused).as_str()), (400, DENIED));
    let told = client.refused();
    assert!(told.contains("of-other-flow"), "{told}");
}

const PASSWORD: &str = r#"- id: 1
  step: token_request
  at: 0.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: password
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - username: REDACTED-username-1
    - password: REDACTED-password-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "access_token": "REDACTED-access_token-1",
        "token_type": "bearer"
      }
    wire: compact
"#;

const REFUSED: &str = r#"- id: 1
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
    - scope: a
    - scope: b
  response:
    status: 400
    after: 0.010
    headers:
    - Content-Type: text/plain
    text: no
"#;

/// A session whose authorization response comes in a form (OAuth 2.0 Form Post Response Mode).
const POSTED: &str = r#"- id: 1
  step: authorization_request
  at: 0.000
  request:
    method: GET
    url: https://as.example/authorize
    http: "1.1"
    query:
    - client_id: c1
    - response_type: code
MODE    - redirect_uri: http://127.0.0.1:51004/cb
    - state: REDACTED-state-1
  response:
    status: 200
    after: 0.010
    body: {dropped: page, size: 512, sniff: html}
    forms:
    - method: post
      action: http://127.0.0.1:51004/cb
      auto_submit: true
      fields:
      - code: {type: hidden, value: REDACTED-code-1}
      - state: {type: hidden, value: REDACTED-state-1}
"#;
