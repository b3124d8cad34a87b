//! Replay: the shipped cassettes, played to clients that are right, wrong, or wrong otherwise.

use authtape::model::{Params, Response, Url, percent_decode, percent_encode};
use authtape::oauth::pkce;
use authtape::replay::{Answer, Miss, Pages, PlayOptions, Player};

use crate::support::{FORM, NOW, VERIFIER, body, played, player, said, thread};

const AUTHORIZE: &str = "https://accounts.example.com/app/oauth/authorize";
const TOKEN: &str = "https://accounts.example.com/token";
const CALLBACK: &str = "https://shop.example.org/oauth/callback";
const DENIED: &str = r#"{"error":"invalid_grant","error_description":"Unable to authenticate username and password"}"#;

struct Client {
    player: Player,
}

impl Client {
    fn of(variants: &[&str]) -> Self {
        let cassettes = variants.iter().map(|variant| thread(variant)).collect();
        Self {
            player: Player::new(
                cassettes,
                &PlayOptions {
                    seed: [3; 32],
                    ..PlayOptions::default()
                },
            ),
        }
    }

    /// The authorization leg; the code that came back.
    fn authorize(&mut self, redirect_uri: &str, state: &str) -> String {
        let challenge = pkce::s256(VERIFIER);
        let uri = percent_encode(redirect_uri);
        let url = format!(
            "{AUTHORIZE}?state={state}&code_challenge={challenge}&redirect_uri={uri}&client_id=8kqf3mz2x7\
             &code_challenge_method=S256&response_type=code"
        );
        let response = self.response(&said("GET", &url, &[], ""));
        let location =
            Url::parse(response.headers.get("location").expect("a redirect")).expect("a URL");
        assert_eq!(
            location.endpoint(),
            redirect_uri,
            "it goes to this run's redirect URI"
        );
        let query = Params::parse(location.query.as_deref().expect("a query"));
        assert_eq!(
            query.get("state").map(percent_encode),
            Some(state.to_owned()),
            "this run's state comes back"
        );
        query.get("code").expect("a code").to_owned()
    }

    fn token(&mut self, headers: &[(&str, &str)], body: &str) -> Answer {
        self.player.play(&said("POST", TOKEN, headers, body), NOW)
    }

    fn response(&mut self, request: &authtape::model::Said) -> Response {
        played(&mut self.player, request)
    }
}

fn form(code: &str, redirect_uri: &str, verifier: &str) -> String {
    // In another order than the recorded one.
    format!(
        "redirect_uri={}&code_verifier={verifier}&code={code}&client_secret=whatever-it-is&client_id=8kqf3mz2x7&grant_type=authorization_code",
        percent_encode(redirect_uri)
    )
}

fn miss(answer: Answer) -> Miss {
    match answer {
        Answer::Miss(miss) => miss,
        other => panic!("{other:?}"),
    }
}

fn denied(answer: Answer) {
    match answer {
        Answer::Response(response) => {
            assert_eq!(response.status, 401);
            assert_eq!(body(&response), DENIED);
        }
        other => panic!("{other:?}"),
    }
}

/// What each variant sends, made of a code.
fn sent(variant: &str, code: &str) -> authtape::model::Said {
    let correct = form(code, CALLBACK, VERIFIER);
    let json = format!(
        r#"{{"client_id":"8kqf3mz2x7","client_secret":"s","code":"{code}","grant_type":"authorization_code","redirect_uri":"{CALLBACK}","code_verifier":"{VERIFIER}"}}"#
    );
    let field = |pair: &str| {
        let (name, value) = pair.split_once('=').expect("a pair");
        format!(
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{}\r\n",
            percent_decode(value)
        )
    };
    let multipart = correct.split('&').map(field).collect::<String>() + "--x--\r\n";
    let boundary = (
        "Content-Type",
        "application/x-www-form-urlencoded; boundary=x",
    );
    match variant {
        "as-posted" => said(
            "POST",
            TOKEN,
            &[
                FORM,
                ("Expect", "100-continue"),
                ("Transfer-Encoding", "chunked"),
            ],
            "",
        ),
        "multipart" => said("POST", TOKEN, &[boundary], &multipart),
        "json" => said(
            "POST",
            TOKEN,
            &[("Content-Type", "application/json")],
            &json,
        ),
        "basic" => said(
            "POST",
            TOKEN,
            &[FORM, ("Authorization", "Basic OGtxZjNtejJ4NzpzZWNyZXQ=")],
            "",
        ),
        "get" => said("GET", &format!("{TOKEN}?{correct}"), &[], ""),
        _ => said("POST", TOKEN, &[FORM], &correct),
    }
}

#[test]
fn a_recorded_failure_is_played_while_the_defect_is_there() {
    for variant in [
        "as-posted",
        "multipart",
        "json",
        "basic",
        "get",
        "redirect-slash",
    ] {
        let mut client = Client::of(&[variant]);
        let asked = if variant == "redirect-slash" {
            format!("{CALLBACK}/")
        } else {
            CALLBACK.to_owned()
        };
        let code = client.authorize(&asked, "s1");
        denied(client.player.play(&sent(variant, &code), NOW));
        assert!(
            client.player.report().is_clean(),
            "{variant}: {:?}",
            client.player.report().lines()
        );
    }
}

#[test]
fn a_recorded_failure_is_not_played_when_the_defect_is_gone() {
    let mut told = Vec::new();
    for variant in [
        "as-posted",
        "multipart",
        "json",
        "basic",
        "get",
        "redirect-slash",
    ] {
        let mut client = Client::of(&[variant]);
        let asked = if variant == "redirect-slash" {
            format!("{CALLBACK}/")
        } else {
            CALLBACK.to_owned()
        };
        let code = client.authorize(&asked, "s1");
        let missed = miss(client.token(&[FORM], &form(&code, &asked, VERIFIER)));
        told.push(format!("{variant}\n{}", missed.lines().join("\n")));
        assert!(!client.player.report().is_clean());
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_defect_of_a_request_that_the_server_took_is_gone_too() {
    for (asked, reason) in [
        (
            CALLBACK,
            "the defect recorded here is gone: redirect_uri is that of 2 token request (POST https://accounts.example.com/token)",
        ),
        (
            "https://shop.example.org/other",
            "redirect_uri is another than was recorded",
        ),
    ] {
        let mut client = Client::of(&["redirect-slash"]);
        let url = format!(
            "{AUTHORIZE}?state=s1&code_challenge={}&redirect_uri={}&client_id=8kqf3mz2x7&code_challenge_method=S256&response_type=code",
            pkce::s256(VERIFIER),
            percent_encode(asked)
        );
        let missed = miss(client.player.play(&said("GET", &url, &[], ""), NOW));
        assert_eq!(missed.reason, reason);
    }
}

#[test]
fn when_the_defect_is_gone_the_success_of_another_cassette_is_played() {
    let mut client = Client::of(&["json", "correct"]);
    let code = client.authorize(CALLBACK, "s1");
    let Answer::Response(response) = client.token(&[FORM], &form(&code, CALLBACK, VERIFIER)) else {
        panic!("the success is there");
    };
    assert_eq!(response.status, 200);
}

#[test]
fn a_right_client_gets_tokens_once_and_a_wrong_one_is_refused() {
    let mut client = Client::of(&["correct"]);
    let code = client.authorize(CALLBACK, "a%2Fb%20c");
    assert_eq!(code.len(), 24, "minted in the declared shape");
    let Answer::Response(response) = client.token(&[FORM], &form(&code, CALLBACK, VERIFIER)) else {
        panic!("a right client");
    };
    let tokens: serde_json::Value = serde_json::from_str(&body(&response)).expect("JSON");
    assert_eq!(tokens["access_token"].as_str().map(str::len), Some(32));
    assert_eq!(tokens["expires_in"], 86400);
    assert!(client.player.report().is_clean());

    let refused = [
        (
            "the code again",
            form(&code, CALLBACK, VERIFIER),
            "redeemed before",
        ),
        (
            "another verifier",
            form(
                "CODE",
                CALLBACK,
                "wrong-verifier-wrong-verifier-wrong-verifier",
            ),
            "code_verifier is not the one of the challenge",
        ),
        (
            "no verifier",
            form("CODE", CALLBACK, "").replace("&code_verifier=", "&unheard_of="),
            "code_verifier is not sent",
        ),
        (
            "another redirect URI",
            form("CODE", "https://shop.example.org/oauth/callback/", VERIFIER),
            "trailing-slash",
        ),
        (
            "a made-up code",
            form("made-up-by-the-client-00", CALLBACK, VERIFIER),
            "not one that was issued here",
        ),
        (
            "a code encoded twice",
            form("CODE", CALLBACK, VERIFIER).replace("code=CODE", "code=%2543ODE"),
            "code is",
        ),
        (
            "no client authentication",
            form("CODE", CALLBACK, VERIFIER).replace("client_secret", "unheard_of"),
            "client_secret is not sent",
        ),
    ];
    for (name, body, why) in refused {
        let mut client = if name == "the code again" {
            client_that_redeemed(&code)
        } else {
            Client::of(&["correct"])
        };
        let fresh = if name == "the code again" {
            code.clone()
        } else {
            client.authorize(CALLBACK, "s1")
        };
        let body = body.replace("CODE", &fresh);
        let Answer::Response(response) = client.token(&[FORM], &body) else {
            panic!("{name}: refused, not missed")
        };
        assert!(
            (400..500).contains(&response.status),
            "{name}: {}",
            response.status
        );
        let told = client.player.report().refused.join("\n");
        assert!(told.contains(why), "{name}: {told}");
        assert!(!client.player.report().is_clean(), "{name}");
    }
}

fn client_that_redeemed(code: &str) -> Client {
    let mut client = Client::of(&["correct"]);
    assert_eq!(
        client.authorize(CALLBACK, "s1"),
        code,
        "the same seed makes the same code"
    );
    client.token(&[FORM], &form(code, CALLBACK, VERIFIER));
    client
}

#[test]
fn a_wrong_method_or_body_is_refused_as_a_server_would() {
    for (variant, status, error) in [
        ("get", 405, "invalid_request"),
        ("json", 400, "unsupported_grant_type"),
        ("as-posted", 400, "unsupported_grant_type"),
    ] {
        let mut client = Client::of(&["correct"]);
        let code = client.authorize(CALLBACK, "s1");
        let Answer::Response(response) = client.player.play(&sent(variant, &code), NOW) else {
            panic!("{variant}: refused")
        };
        assert_eq!(response.status, status, "{variant}");
        let body = body(&response);
        assert!(body.contains(error), "{variant}: {body}");
    }
}

#[test]
fn what_is_not_on_tape_is_a_miss_that_explains_itself() {
    let mut client = Client::of(&["correct"]);
    let elsewhere = miss(client.player.play(
        &said(
            "POST",
            "https://other.example/token",
            &[FORM],
            "grant_type=password&password=hunter2hunter2",
        ),
        NOW,
    ));
    let scope = format!(
        "{AUTHORIZE}?client_id=8kqf3mz2x7&response_type=code&redirect_uri=https%3A%2F%2Fother.example%2Fcb&state=hunter3hunter3&code_challenge=c&code_challenge_method=S256"
    );
    let redirected = miss(client.player.play(&said("GET", &scope, &[], ""), NOW));
    insta::assert_snapshot!(format!(
        "{}\n\n{}",
        elsewhere.lines().join("\n"),
        redirected.lines().join("\n")
    ));
    let response = elsewhere.response();
    assert_eq!(response.status, 501);
    assert!(response.headers.has("authtape-miss"));
    let all = format!(
        "{} {} {}",
        elsewhere.lines().join(" "),
        redirected.lines().join(" "),
        client.player.report().json()
    );
    assert!(!all.contains("hunter"), "no live value of a secret: {all}");
}

#[test]
fn a_miss_shows_no_segment_that_may_be_a_secret() {
    let mut client = Client::of(&["correct"]);
    let code = client.authorize(CALLBACK, "s1");
    let random = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz";
    let encoded: String = code.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for (segment, shown) in [
        ("tokens", "tokens"),
        (random, "…"),
        ("ada%40mail.example", "…"),
        (code.as_str(), "…"),
        (encoded.as_str(), "…"),
    ] {
        let url = format!("https://accounts.example.com/users/{segment}/info");
        let asked = miss(client.player.play(&said("GET", &url, &[], ""), NOW));
        let expected = format!("GET https://accounts.example.com/users/{shown}/info");
        assert_eq!(asked.asked, expected);
    }
    let told = client.player.report().json();
    assert!(
        ![random, code.as_str(), encoded.as_str()]
            .iter()
            .any(|secret| told.contains(secret))
    );
}

#[test]
fn misses_beyond_a_thousand_are_only_counted() {
    let mut client = Client::of(&["correct"]);
    for _ in 0..1_003 {
        client
            .player
            .play(&said("GET", "https://other.example/", &[], ""), NOW);
    }
    let report = client.player.report();
    assert_eq!((report.misses.len(), report.untold), (1_000, 3));
    assert_eq!(
        report.counts(),
        "0 played, 1000 missed, 3 more of these, 2 never asked for"
    );
}

#[test]
fn the_report_names_what_was_never_asked_for() {
    let mut client = Client::of(&["correct"]);
    client.authorize(CALLBACK, "s1");
    let report = client.player.report();
    assert_eq!(
        report.unplayed,
        ["2 token request (POST https://accounts.example.com/token)"]
    );
    assert!(!report.is_clean());
}

#[test]
fn the_report_names_what_was_asked_for_again() {
    let mut client = Client::of(&["correct"]);
    for state in ["s1", "s2", "s3"] {
        client.authorize(CALLBACK, state);
    }
    let code = client.authorize(CALLBACK, "s4");
    client.token(&[FORM], &form(&code, CALLBACK, VERIFIER));
    let report = client.player.report();
    let title = format!("1 authorization request (GET {AUTHORIZE})");
    assert_eq!(report.extra, [(title.clone(), 3)]);
    let told = format!("asked for 3 times more: {title}");
    assert!(report.lines().contains(&told), "{:?}", report.lines());
    let read: serde_json::Value = serde_json::from_str(&report.json()).expect("JSON");
    assert_eq!(read["extra"][0]["times"], 3);
    assert!(report.is_clean(), "it is no fault");
}

#[test]
fn as_recorded_plays_the_tape_blindly() {
    let cassettes = vec![thread("redirect-slash")];
    let mut player = Player::new(
        cassettes,
        &PlayOptions {
            as_recorded: true,
            ..PlayOptions::default()
        },
    );
    denied(player.play(&said("POST", TOKEN, &[FORM], "grant_type=whatever"), NOW));
}

#[test]
fn a_native_client_may_listen_on_another_port() {
    let text = std::fs::read_to_string("cassettes/accounts.example.com/thread-correct.yaml")
        .expect("a cassette");
    let native = text.replace(CALLBACK, "http://127.0.0.1:51004/callback");
    let cassette = authtape::cassette::load(native.as_bytes()).expect("a cassette");
    let mut client = Client {
        player: Player::new(vec![cassette], &PlayOptions::default()),
    };
    let live = "http://127.0.0.1:60007/callback";
    let code = client.authorize(live, "s1");
    let Answer::Response(response) = client.token(&[FORM], &form(&code, live, VERIFIER)) else {
        panic!("played")
    };
    assert_eq!(response.status, 200);
}

#[test]
fn pages_that_lead_back_to_the_authorization_endpoint_are_skipped() {
    let asked = r"  request:
    method: GET
    url: https://as.example/authorize
    http: '1.1'
    query:
    - client_id: c1
    - response_type: code
    - redirect_uri: https://shop.example/cb
    - state: REDACTED-state-1
";
    let answered = |status: u16, location: &str| {
        format!(
            "  response:\n    status: {status}\n    after: 0.010\n    headers:\n    - Location: {location}\n"
        )
    };
    let interactions = [
        (
            "authorization_request",
            asked.to_owned(),
            answered(302, "/login"),
        ),
        (
            "login_page",
            "  request:\n    method: POST\n    url: https://as.example/login\n    http: '1.1'\n"
                .to_owned(),
            answered(302, "/authorize?state=REDACTED-state-1"),
        ),
        (
            "authorization_request",
            asked.to_owned(),
            "  response:\n    status: 200\n    after: 0.010\n".to_owned(),
        ),
        (
            "authorization_request",
            asked.replace("GET", "POST"),
            answered(
                302,
                "https://shop.example/cb?code=REDACTED-code-1&state=REDACTED-state-1",
            ),
        ),
    ];
    let tape: Vec<String> = (1..)
        .zip(interactions)
        .map(|(id, (step, request, response))| {
            format!("- id: {id}\n  step: {step}\n  at: {id}.000\n{request}{response}")
        })
        .collect();
    let tape = format!(
        "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: '2026-11-23T10:02:11Z'\ninteractions:\n{}",
        tape.concat()
    );
    let cassette = authtape::cassette::load(tape.as_bytes()).expect("a cassette");
    let mut player = Player::new(vec![cassette], &PlayOptions::default());
    let url = "https://as.example/authorize?client_id=c1&response_type=code&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&state=live";
    let Answer::Response(response) = player.play(&said("GET", url, &[], ""), NOW) else {
        panic!("played")
    };
    let location = response.headers.get("location").expect("a location");
    assert!(
        location.starts_with("https://shop.example/cb?code="),
        "{location}"
    );
    assert!(location.ends_with("&state=live"), "{location}");
    assert_eq!(player.report().unplayed, Vec::<String>::new());
}

#[test]
fn pages_between_the_request_and_its_response_are_skipped() {
    let tape = r#"authtape: 1
recorded_by: authtape/0.1.0
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
    - Location: https://as.example/login
- id: 2
  step: login_page
  at: 1.000
  request:
    method: POST
    url: https://as.example/login
    http: "1.1"
    form:
    - username: REDACTED-username-1
    - password: REDACTED-password-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: https://shop.example/cb?code=REDACTED-code-1&state=REDACTED-state-1
"#;
    let cassette = authtape::cassette::load(tape.as_bytes()).expect("a cassette");
    let mut player = Player::new(vec![cassette], &PlayOptions::default());
    let url = "https://as.example/authorize?client_id=c1&response_type=code&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&state=live";
    let Answer::Response(response) = player.play(&said("GET", url, &[], ""), NOW) else {
        panic!("played")
    };
    let location = response.headers.get("location").expect("a redirect");
    assert!(
        location.starts_with("https://shop.example/cb?code=") && location.ends_with("&state=live"),
        "{location}"
    );
    assert!(player.report().is_clean(), "{:?}", player.report().lines());
}

/// A session whose authorization response comes in a form (OAuth 2.0 Form Post Response Mode).
const POSTED: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
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
    - response_mode: form_post
    - redirect_uri: http://127.0.0.1:51004/cb
    - state: REDACTED-state-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: https://as.example/login/REDACTED-value-1
- id: 2
  step: login_page
  at: 0.500
  request:
    method: GET
    url: https://as.example/login/REDACTED-value-1
    http: "1.1"
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: text/html
    - Content-Security-Policy: "script-src 'self'"
    body: {dropped: page, size: 2048, sniff: html}
    forms:
    - method: post
      action: https://as.example/login/REDACTED-value-1
      fields:
      - username: {type: text}
      - password: {type: password}
      - csrf: {type: hidden, value: REDACTED-csrf-1}
      - go: {type: submit, value: yes & no}
- id: 3
  step: login_page
  at: 1.000
  request:
    method: POST
    url: https://as.example/login/REDACTED-value-1
    http: "1.1"
    form:
    - username: REDACTED-username-1
    - password: REDACTED-password-1
    - csrf: REDACTED-csrf-1
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

const ASK: &str = "https://as.example/authorize?client_id=c1&response_type=code&response_mode=form_post\
                   &redirect_uri=http%3A%2F%2F127.0.0.1%3A60001%2Fcb";

fn posting(pages: Pages) -> Client {
    let options = PlayOptions {
        pages,
        ..PlayOptions::default()
    };
    Client {
        player: player(POSTED, &options),
    }
}

/// The value of the field of that name in a page.
fn field(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    Some(rest.split('"').next().expect("an end").to_owned())
}

#[test]
fn a_response_in_a_form_is_posted_to_this_runs_redirect_uri_with_this_runs_state() {
    let mut client = posting(Pages::Skipped);
    let page = body(&client.response(&said("GET", &format!("{ASK}&state=a%22%26b"), &[], "")));
    assert!(
        page.contains("action=\"http://127.0.0.1:60001/cb\""),
        "{page}"
    );
    assert!(page.contains("submit.call(document.forms[0])"), "{page}");
    assert_eq!(field(&page, "state").as_deref(), Some("a&quot;&amp;b"));
    assert_eq!(
        field(&page, "code").map(|code| code.len()),
        Some(32),
        "{page}"
    );
    assert!(client.player.report().is_clean());

    let without = body(&posting(Pages::Skipped).response(&said("GET", ASK, &[], "")));
    assert!(
        !without.contains("state") && without.contains("code"),
        "{without}"
    );
}

#[test]
fn pages_are_shown_as_their_forms_where_that_is_asked_for() {
    let mut client = posting(Pages::Kept);
    let moved = client.response(&said("GET", &format!("{ASK}&state=s1"), &[], ""));
    let login = moved
        .headers
        .get("location")
        .expect("a redirect")
        .to_owned();
    assert!(
        !login.contains("REDACTED") && !login.contains('?'),
        "{login}"
    );
    let shown = client.response(&said("GET", &login, &[], ""));
    assert_eq!(shown.headers.get("content-security-policy"), None);
    let page = body(&shown);
    assert!(page.contains(&format!("action=\"{login}\"")), "{page}");
    assert!(!page.contains("onload"), "{page}");
    assert_eq!(field(&page, "go").as_deref(), Some("yes &amp; no"));
    let csrf = field(&page, "csrf").expect("a hidden value");

    let post = |csrf: &str| {
        said(
            "POST",
            &login,
            &[FORM],
            &format!("username=u&password=p&csrf={csrf}"),
        )
    };
    let refused = miss(client.player.play(&post("another"), NOW));
    assert_eq!(refused.reason, "csrf is not the one this run used before");
    let answer = body(&client.response(&post(&csrf)));
    assert_eq!(field(&answer, "state").as_deref(), Some("s1"));
    assert!(
        answer.contains("action=\"http://127.0.0.1:60001/cb\""),
        "{answer}"
    );
}

#[test]
fn a_person_who_is_asked_approves_or_denies() {
    for (cassette, ask, expected) in [
        (
            thread("correct"),
            format!(
                "{AUTHORIZE}?response_type=code&client_id=8kqf3mz2x7&redirect_uri={}&state=a%22b&code_challenge={}&code_challenge_method=S256",
                percent_encode(CALLBACK),
                pkce::s256(VERIFIER)
            ),
            format!("{CALLBACK}?error=access_denied&state=a%22b"),
        ),
        (
            authtape::cassette::load(POSTED.as_bytes()).expect("a cassette"),
            format!("{ASK}&state=a%22b"),
            "name=\"error\" value=\"access_denied\"".to_owned(),
        ),
    ] {
        let options = PlayOptions {
            pages: Pages::Asked,
            ..PlayOptions::default()
        };
        let mut client = Client {
            player: Player::new(vec![cassette], &options),
        };
        let endpoint = ask.split('?').next().expect("an endpoint").to_owned();
        let decide = |page: &str, decision: &str| {
            let number = field(page, "authtape_request").expect("a number");
            format!("{endpoint}?authtape_request={number}&authtape_decision={decision}")
        };
        let asked = client.response(&said("GET", &ask, &[], ""));
        let policy = asked.headers.get("content-security-policy");
        assert!(policy.expect("a policy").contains("default-src 'none'"));
        let page = body(&asked);
        assert!(
            !page.contains("<script") && !page.contains("a\"b"),
            "{page}"
        );
        let denied = decide(&page, "deny");
        let answer = client.response(&said("GET", &denied, &[], ""));
        let told = answer.headers.get("location").map(str::to_owned);
        let told = told.unwrap_or_else(|| body(&answer));
        assert!(told.contains(&expected), "{told}");
        assert!(
            client.player.report().is_clean(),
            "{:?}",
            client.player.report()
        );
        let again = client.response(&said("GET", &denied, &[], ""));
        assert_eq!(again.status, 410, "one decision each");

        let page = body(&client.response(&said("GET", &ask, &[], "")));
        let approved = client.response(&said("GET", &decide(&page, "approve"), &[], ""));
        let told = approved.headers.get("location").map(str::to_owned);
        let told = told.unwrap_or_else(|| body(&approved));
        assert!(told.contains("code"), "{told}");
    }
}

#[test]
fn a_device_waits_for_the_person_at_its_page() {
    const PAGE: &str = "https://as.example/activate";
    for (decision, told_first) in [("deny", "access_denied"), ("approve", "access_token")] {
        let options = PlayOptions {
            pages: Pages::Asked,
            ..PlayOptions::default()
        };
        let cassette = authtape::cassette::load(DEVICE.as_bytes()).expect("a cassette");
        let mut client = Client {
            player: Player::new(vec![cassette], &options),
        };
        let form = "client_id=c1";
        let begun = said("POST", "https://as.example/device", &[FORM], form);
        let begun: serde_json::Value =
            serde_json::from_str(&body(&client.response(&begun))).expect("JSON");
        let text = |name: &str| begun[name].as_str().expect(name).to_owned();
        let (code, user_code) = (text("device_code"), text("user_code"));
        let poll = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=c1&device_code={code}"
        );
        let poll = said("POST", "https://as.example/token", &[FORM], &poll);
        for _ in 0..3 {
            let told = body(&client.response(&poll));
            assert!(told.contains("authorization_pending"), "{told}");
        }
        let mut page = |query: &str| {
            let asked = said("GET", &format!("{PAGE}{query}"), &[], "");
            body(&client.response(&asked))
        };
        assert!(page("").contains("name=\"user_code\""));
        assert!(page("?user_code=WRONG").contains("No device waits"));
        let typed = user_code.replace('-', "").to_lowercase();
        let shown = page(&format!("?user_code={typed}"));
        assert_eq!(
            field(&shown, "user_code"),
            Some(user_code.clone()),
            "{shown}"
        );
        let query = format!("?user_code={user_code}&authtape_decision={decision}");
        page(&query);
        for expected in [told_first, "redeemed before"] {
            let told = body(&client.response(&poll));
            assert!(told.contains(expected), "{decision}: {told}");
        }
        assert_eq!(client.player.report().unplayed, Vec::<String>::new());
    }
}

#[test]
fn a_client_that_says_that_nobody_is_there_asks_nobody() {
    let options = PlayOptions {
        pages: Pages::Asked,
        ..PlayOptions::default()
    };
    let text = POSTED.replace("client_id: c1", "prompt: none\n    - client_id: c1");
    let cassette = authtape::cassette::load(text.as_bytes()).expect("a cassette");
    let mut client = Client {
        player: Player::new(vec![cassette], &options),
    };
    let page = body(&client.response(&said("GET", &format!("{ASK}&prompt=none"), &[], "")));
    assert!(page.contains("name=\"code\""), "{page}");
}

#[test]
fn a_request_in_the_middle_of_nowhere_is_explained() {
    let steps = [
        (
            "a token request",
            said(
                "POST",
                TOKEN,
                &[FORM],
                &form("c0de-of-another-run-777", CALLBACK, VERIFIER),
            ),
        ),
        (
            "a callback",
            said(
                "GET",
                &format!("{CALLBACK}?code=c0de-of-another-run-777&state=s"),
                &[],
                "",
            ),
        ),
        (
            "a refresh",
            said(
                "POST",
                TOKEN,
                &[FORM],
                "grant_type=refresh_token&refresh_token=c0de-of-another-run-777&client_id=8kqf3mz2x7&client_secret=c0de-of-another-run-777",
            ),
        ),
        (
            "a page",
            said(
                "GET",
                "https://accounts.example.com/c0de-of-another-run-777",
                &[],
                "",
            ),
        ),
    ];
    for (name, request) in steps {
        let mut client = Client::of(&["correct"]);
        let told = match client.player.play(&request, NOW) {
            Answer::Miss(miss) => {
                let response = miss.response();
                assert!(response.headers.has("authtape-miss"), "{name}");
                assert!(miss.expected.is_some(), "{name}");
                miss.lines().join("\n") + &body(&response)
            }
            Answer::Response(refused) => {
                assert!((400..500).contains(&refused.status), "{name}");
                client.player.report().lines().join("\n") + &body(&refused)
            }
            other => panic!("{name}: {other:?}"),
        };
        assert!(!told.contains("c0de-of-another-run-777"), "{name}: {told}");
        assert!(!client.player.report().is_clean(), "{name}");
    }
}

#[test]
fn what_is_allowed_is_no_fault() {
    let mut allow = authtape::replay::Allow::default();
    let player = |allow| {
        let options = PlayOptions {
            allow,
            seed: [3; 32],
            ..PlayOptions::default()
        };
        Client {
            player: Player::new(vec![thread("correct")], &options),
        }
    };
    let mut client = player(allow);
    client.authorize(CALLBACK, "s1");
    assert_eq!(client.player.report().unplayed.len(), 1);
    allow.unused = true;
    let mut client = player(allow);
    let code = client.authorize(CALLBACK, "s1");
    assert!(client.player.report().is_clean());
    for (repeats, status) in [(false, 400), (true, 200)] {
        allow.repeats = repeats;
        let mut client = player(allow);
        assert_eq!(client.authorize(CALLBACK, "s1"), code);
        let request = said("POST", TOKEN, &[FORM], &form(&code, CALLBACK, VERIFIER));
        assert_eq!(client.response(&request).status, 200);
        assert_eq!(client.response(&request).status, status, "{repeats}");
    }
}

const CALLS: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: other
  at: 0.0
  request:
    method: GET
    url: https://api.example/items
    http: "1.1"
    query:
    - page: "1"
    - size: "2"
  response:
    status: 200
    after: 0.010
    text: first
- id: 2
  step: other
  at: 1.0
  request:
    method: POST
    url: https://api.example/items
    http: "1.1"
    json: '{"name":"a","tags":["b"]}'
    wire: exact
  response:
    status: 201
    after: 0.010
    text: second
"#;

#[test]
fn what_is_no_step_of_the_protocol_is_found_by_the_parts_that_are_asked_for() {
    use authtape::replay::Part::{Body, Host, Method, Path, Query, Uri};
    let json = "{\"tags\":[\"b\"],\"name\":\"a\"}";
    for (parts, method, url, sent, expected) in [
        (
            &[][..],
            "GET",
            "https://api.example/items?page=2",
            "",
            Some("first"),
        ),
        (
            &[Query],
            "GET",
            "https://api.example/items?size=2&page=1",
            "",
            Some("first"),
        ),
        (
            &[Query],
            "GET",
            "https://api.example/items?page=2&size=2",
            "",
            None,
        ),
        (
            &[Query],
            "GET",
            "https://api.example/items?page=1&size=2&x",
            "",
            None,
        ),
        (
            &[Method, Uri],
            "GET",
            "https://api.example/items?page=1&size=2",
            "",
            Some("first"),
        ),
        (
            &[Method, Uri],
            "GET",
            "https://other.example/items?page=1&size=2",
            "",
            None,
        ),
        (
            &[Method, Path, Query],
            "GET",
            "https://other.example/items?page=1&size=2",
            "",
            Some("first"),
        ),
        (
            &[Method, Host],
            "GET",
            "https://api.example/elsewhere",
            "",
            Some("first"),
        ),
        (&[Method], "DELETE", "https://api.example/items", "", None),
        (
            &[Method, Uri, Body],
            "POST",
            "https://api.example/items",
            json,
            Some("second"),
        ),
        (
            &[Method, Body],
            "POST",
            "https://other.example/x",
            json,
            Some("second"),
        ),
        (
            &[Method, Body],
            "POST",
            "https://api.example/items",
            "{\"name\":\"b\"}",
            None,
        ),
    ] {
        let options = PlayOptions {
            match_on: parts.to_vec(),
            ..PlayOptions::default()
        };
        let cassette = authtape::cassette::load(CALLS.as_bytes()).expect("a cassette");
        let mut player = Player::new(vec![cassette], &options);
        let name = format!("{parts:?} {method} {url} {sent}");
        match (player.play(&said(method, url, &[], sent), NOW), expected) {
            (Answer::Response(response), Some(expected)) => {
                assert_eq!(body(&response), expected, "{name}");
            }
            (Answer::Miss(miss), None) => assert!(!miss.reason.is_empty(), "{name}"),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_strict_match_holds_the_protocols_own_requests_too() {
    let options = PlayOptions {
        match_on: vec![authtape::replay::Part::Body],
        seed: [3; 32],
        ..PlayOptions::default()
    };
    for (more, is_missed) in [("", false), ("&unheard_of=1", true)] {
        let mut client = Client {
            player: Player::new(vec![thread("correct")], &options),
        };
        let code = client.authorize(CALLBACK, "s1");
        let sent = form(&code, CALLBACK, VERIFIER) + more;
        let answer = client.token(&[FORM], &sent);
        assert_eq!(matches!(answer, Answer::Miss(_)), is_missed, "{answer:?}");
    }
}

const PAGES: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: authorization_request
  at: 0.0
  request:
    method: GET
    url: http://as.example/authorize
    http: "1.1"
    query:
    - response_type: code
    - client_id: shop
    - redirect_uri: http://shop.example/cb
    - state: REDACTED-state-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: http://as.example/login
- id: 2
  step: login_page
  at: 0.1
  request:
    method: GET
    url: http://as.example/login
    http: "1.1"
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: text/html
    body: {dropped: page, size: 512, sniff: html}
    forms:
    - method: post
      action: /login
      fields:
      - csrf: {type: hidden, value: REDACTED-csrf-1}
      - user: {type: text}
      - password: {type: password}
- id: 3
  step: login_page
  at: 0.2
  request:
    method: POST
    url: http://as.example/login
    http: "1.1"
    form:
    - csrf: REDACTED-csrf-1
    - user: REDACTED-username-1
    - password: REDACTED-password-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: http://as.example/consent?x=1
- id: 4
  step: login_page
  at: 0.3
  request:
    method: GET
    url: http://as.example/consent
    http: "1.1"
    query:
    - x: "1"
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: text/html
    body: {dropped: page, size: 512, sniff: html}
    forms:
    - method: post
      action: /consent
      fields:
      - csrf: {type: hidden, value: REDACTED-csrf-2}
- id: 5
  step: login_page
  at: 0.4
  request:
    method: POST
    url: http://as.example/consent
    http: "1.1"
    form:
    - csrf: REDACTED-csrf-2
  response:
    status: 302
    after: 0.010
    headers:
    - Location: http://shop.example/cb?code=REDACTED-code-1&state=REDACTED-state-1
"#;

#[test]
fn pages_are_kept_one_behind_the_other_up_to_the_response() {
    let options = PlayOptions {
        pages: Pages::Kept,
        ..PlayOptions::default()
    };
    let cassette = authtape::cassette::load(PAGES.as_bytes()).expect("a cassette");
    let mut client = Client {
        player: Player::new(vec![cassette], &options),
    };
    let ask = "http://as.example/authorize?response_type=code&client_id=shop&redirect_uri=http%3A%2F%2Fshop.example%2Fcb&state=xyz";
    let location = |response: &Response| {
        let location = response.headers.get("location").expect("a redirect");
        location.to_owned()
    };
    let login = location(&client.response(&said("GET", ask, &[], "")));
    assert_eq!(login, "http://as.example/login");
    let page = body(&client.response(&said("GET", &login, &[], "")));
    let csrf = field(&page, "csrf").expect("a value of this run");
    let sent = format!("csrf={csrf}&user=u&password=p");
    let consent = location(&client.response(&said("POST", &login, &[FORM], &sent)));
    assert_eq!(consent, "http://as.example/consent?x=1");
    let page = body(&client.response(&said("GET", &consent, &[], "")));
    let second = field(&page, "csrf").expect("a value of this run");
    assert_ne!(csrf, second);
    let url = "http://as.example/consent";
    let sent = format!("csrf={second}");
    let callback = location(&client.response(&said("POST", url, &[FORM], &sent)));
    assert!(
        callback.starts_with("http://shop.example/cb?code="),
        "{callback}"
    );
    assert!(callback.ends_with("&state=xyz"), "{callback}");
    let report = client.player.report();
    assert!(report.is_clean(), "{:?}", report.lines());
}

/// A device whose person had approved before its first poll.
const DEVICE: &str = r#"authtape: 1
recorded_by: other/1
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: device_authorization_request
  at: 0.0
  request:
    method: POST
    url: https://as.example/device
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - client_id: c1
  response:
    status: 200
    after: 0.1
    headers:
    - Content-Type: application/json
    json: '{"device_code":"REDACTED-device_code-1","user_code":"REDACTED-user_code-1","verification_uri":"https://as.example/activate","expires_in":600}'
    wire: exact
  secrets: {device_code-1: {length: 32, alphabet: alnum}, user_code-1: {}}
- id: 2
  step: token_request
  at: 5.0
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: urn:ietf:params:oauth:grant-type:device_code
    - client_id: c1
    - device_code: REDACTED-device_code-1
  response:
    status: 200
    after: 0.1
    headers:
    - Content-Type: application/json
    json: '{"access_token":"REDACTED-access_token-1","token_type":"Bearer"}'
    wire: exact
  secrets: {access_token-1: {length: 32, alphabet: alnum}}
"#;
