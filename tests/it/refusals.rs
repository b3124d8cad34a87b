//! Refusals: one good recording, and clients that are broken in each way that a server refuses.

use authtape::model::{Params, Response, Said, Url, percent_encode};
use authtape::oauth::pkce;
use authtape::replay::{Answer, PlayOptions, Player};

use crate::support::{FORM, NOW, VERIFIER, body, played, player, said};

pub(crate) const TOKEN: &str = "https://as.example/token";
const USERINFO: &str = "https://as.example/me";
const CALLBACK: &str = "https://shop.example/cb?shop=1";
/// What the recorded server said to a code that came twice.
pub(crate) const DENIED: &str =
    r#"{"error":"invalid_grant","error_description":"grant request is invalid","trace":"t-1"}"#;

/// A client that does what was recorded, and then something else.
pub(crate) struct Client {
    pub(crate) player: Player,
}

impl Client {
    pub(crate) fn new(tape: &str) -> Self {
        Self::with(tape, &PlayOptions::default())
    }

    pub(crate) fn with(tape: &str, options: &PlayOptions) -> Self {
        Self {
            player: player(tape, options),
        }
    }

    pub(crate) fn refused(&self) -> String {
        self.player.report().refused.join("\n")
    }

    pub(crate) fn play(&mut self, request: &Said) -> Response {
        played(&mut self.player, request)
    }

    pub(crate) fn authorize(&mut self, query: &str) -> Response {
        let url = format!("https://as.example/authorize?{query}");
        self.play(&said("GET", &url, &[], ""))
    }

    pub(crate) fn code(&mut self, query: &str) -> String {
        let response = self.authorize(query);
        let location = response.headers.get("location").expect("a redirect");
        let location = Url::parse(location).expect("a URL");
        let answer = Params::parse(&location.query.expect("a query"));
        answer.get("code").expect("a code").to_owned()
    }

    pub(crate) fn token(&mut self, form: &str) -> Response {
        self.play(&said("POST", TOKEN, &[FORM], form))
    }

    /// The tokens of a login that is as recorded: access and refresh token, and the code.
    pub(crate) fn login(&mut self) -> [String; 3] {
        let code = self.code(&ask());
        let response = self.token(&redeem(&code));
        assert_eq!(response.status, 200);
        let tokens = json(&response);
        let text = |name: &str| tokens[name].as_str().expect(name).to_owned();
        [text("access_token"), text("refresh_token"), code]
    }

    fn userinfo(&mut self, headers: &[(&str, &str)]) -> Response {
        self.play(&said("GET", USERINFO, headers, ""))
    }

    fn bearer(&mut self, token: &str) -> Response {
        self.userinfo(&[("Authorization", &format!("Bearer {token}"))])
    }

    fn device(&mut self) -> String {
        let form = "client_id=c1&client_secret=s&scope=api";
        let response = self.play(&said("POST", "https://as.example/device", &[FORM], form));
        json(&response)["device_code"]
            .as_str()
            .expect("a code")
            .to_owned()
    }

    pub(crate) fn push(&mut self) -> String {
        let form = format!("client_secret=s&{}", ask());
        let response = self.play(&said("POST", "https://as.example/par", &[FORM], &form));
        assert_eq!(response.status, 201);
        json(&response)["request_uri"]
            .as_str()
            .expect("a URI")
            .to_owned()
    }
}

pub(crate) fn ask() -> String {
    format!(
        "client_id=c1&response_type=code&redirect_uri={}&scope=openid+api&state=s1&code_challenge={}&code_challenge_method=S256",
        percent_encode(CALLBACK),
        pkce::s256(VERIFIER)
    )
}

pub(crate) fn redeem(code: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id=c1&client_secret=s&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
        percent_encode(CALLBACK)
    )
}

pub(crate) fn refresh(token: &str) -> String {
    format!("grant_type=refresh_token&client_id=c1&client_secret=s&refresh_token={token}")
}

fn poll(code: &str) -> String {
    format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=c1&client_secret=s&device_code={code}"
    )
}

pub(crate) fn json(response: &Response) -> serde_json::Value {
    serde_json::from_str(&body(response)).unwrap_or_default()
}

/// A way to be wrong at the token endpoint: its name, what it sends, and what it gets.
type Row = (
    &'static str,
    fn(&mut Client) -> Response,
    u16,
    &'static str,
    &'static str,
);

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_wrong_token_request_is_refused_in_the_words_of_the_recorded_server() {
    let rows: &[Row] = &[
        (
            "a GET",
            |client| {
                let code = client.code(&ask());
                client.play(&said("GET", &format!("{TOKEN}?{}", redeem(&code)), &[], ""))
            },
            405,
            "invalid_request",
            "the method is GET",
        ),
        (
            "a body of JSON",
            |client| {
                let json = format!(
                    r#"{{"grant_type":"authorization_code","code":"{}"}}"#,
                    client.code(&ask())
                );
                client.play(&said(
                    "POST",
                    TOKEN,
                    &[("Content-Type", "application/json")],
                    &json,
                ))
            },
            400,
            "unsupported_grant_type",
            "the body is json",
        ),
        (
            "a body of parts",
            |client| {
                let part =
                    "--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\n1\r\n--x--\r\n";
                client.code(&ask());
                client.play(&said("POST", TOKEN, &[FORM], part))
            },
            400,
            "unsupported_grant_type",
            "the body is multipart",
        ),
        (
            "parameters in the query alone",
            |client| {
                let url = format!("{TOKEN}?{}", redeem(&client.code(&ask())));
                client.play(&said("POST", &url, &[FORM], ""))
            },
            400,
            "unsupported_grant_type",
            "the body is empty",
        ),
        (
            "no code",
            |client| {
                client.code(&ask());
                client.token(&redeem("").replace("&code=", "&unheard_of="))
            },
            400,
            "invalid_request",
            "code is not sent",
        ),
        (
            "an empty code",
            |client| {
                client.code(&ask());
                client.token(&redeem(""))
            },
            400,
            "invalid_request",
            "code is empty",
        ),
        (
            "a parameter twice",
            |client| {
                let code = client.code(&ask());
                client.token(&format!("{}&code={code}", redeem(&code)))
            },
            400,
            "invalid_request",
            "code is sent more than once",
        ),
        (
            "an unknown client",
            |client| {
                let code = client.code(&ask());
                client.token(&redeem(&code).replace("client_id=c1", "client_id=c2"))
            },
            401,
            "invalid_client",
            "client_id is another than in the recording",
        ),
        (
            "no client authentication",
            |client| {
                let code = client.code(&ask());
                client.token(&redeem(&code).replace("client_secret=s&", ""))
            },
            401,
            "invalid_client",
            "client_secret is not sent",
        ),
        (
            "another way of client authentication",
            |client| {
                let form = redeem(&client.code(&ask())).replace("client_secret=s&", "");
                let basic = ("Authorization", "Basic YzE6cw==");
                client.play(&said("POST", TOKEN, &[FORM, basic], &form))
            },
            401,
            "invalid_client",
            "client_secret is not sent",
        ),
        (
            "two ways of client authentication",
            |client| {
                let form = redeem(&client.code(&ask()));
                let basic = ("Authorization", "Basic YzE6cw==");
                client.play(&said("POST", TOKEN, &[FORM, basic], &form))
            },
            401,
            "invalid_client",
            "client authentication is client_secret_basic and client_secret_post",
        ),
        (
            "another redirect URI",
            |client| {
                let code = client.code(&ask());
                client.token(&redeem(&code).replace("%3Fshop%3D1", "%3Fshop%3D2"))
            },
            400,
            "invalid_grant",
            "redirect_uri differs from the one sent to the authorization endpoint",
        ),
        (
            "no redirect URI",
            |client| {
                let code = client.code(&ask());
                client.token(&redeem(&code).replace("redirect_uri=", "unheard_of="))
            },
            400,
            "invalid_grant",
            "redirect_uri is not sent",
        ),
        (
            "a code that was never issued",
            |client| {
                client.code(&ask());
                client.token(&redeem("made-up-by-the-client"))
            },
            400,
            "invalid_grant",
            "code is not one that was issued here",
        ),
        (
            "a code encoded twice",
            |client| {
                let code = client.code(&ask());
                let first = format!("%25{:02X}", code.as_bytes()[0]);
                client.token(&redeem(&format!("{first}{}", &code[1..])))
            },
            400,
            "invalid_grant",
            "code is not the one that was issued, but an altered copy of it",
        ),
        (
            "a code cut short",
            |client| {
                let code = client.code(&ask());
                client.token(&redeem(&code[..code.len() - 4]))
            },
            400,
            "invalid_grant",
            "code is not the one that was issued, but an altered copy of it",
        ),
        (
            "another verifier",
            |client| {
                let code = client.code(&ask());
                client.token(&redeem(&code).replace(VERIFIER, &"x".repeat(43)))
            },
            400,
            "invalid_grant",
            "code_verifier is not the one of the challenge",
        ),
        (
            "no verifier",
            |client| {
                let code = client.code(&ask());
                client.token(&redeem(&code).replace("code_verifier=", "unheard_of="))
            },
            400,
            "invalid_grant",
            "code_verifier is not sent",
        ),
        (
            "a refresh token of nobody",
            |client| {
                client.login();
                client.token(&refresh("made-up-by-the-client"))
            },
            400,
            "invalid_grant",
            "refresh_token is not one that was issued here",
        ),
        (
            "a refresh token that was replaced",
            |client| {
                let [_, token, _] = client.login();
                assert_eq!(client.token(&refresh(&token)).status, 200);
                client.token(&refresh(&token))
            },
            400,
            "invalid_grant",
            "refresh_token is one that was redeemed before",
        ),
        (
            "a refresh token of another client",
            |client| {
                let [_, token, _] = client.login();
                client.token(&refresh(&token).replace("client_id=c1", "client_id=c2"))
            },
            401,
            "invalid_client",
            "client_id is another than in the recording",
        ),
        (
            "a device code of nobody",
            |client| {
                client.device();
                client.token(&poll("made-up-by-the-client"))
            },
            400,
            "invalid_grant",
            "device_code is not one that was issued here",
        ),
        (
            "a device code that was redeemed",
            |client| {
                let code = client.device();
                assert_eq!(
                    json(&client.token(&poll(&code)))["error"],
                    "authorization_pending"
                );
                assert_eq!(client.token(&poll(&code)).status, 200);
                client.token(&poll(&code))
            },
            400,
            "invalid_grant",
            "device_code is one that was redeemed before",
        ),
        (
            "a grant type that was never seen",
            |client| {
                client
                    .token("grant_type=password&client_id=c1&client_secret=s&username=u&password=p")
            },
            400,
            "unsupported_grant_type",
            "grant_type is another",
        ),
    ];
    for (name, run, status, error, why) in rows {
        let mut client = Client::new(&tape());
        let response = run(&mut client);
        let refused = client.refused();
        assert!(refused.contains(why), "{name}: {refused}");
        assert_eq!(response.status, *status, "{name}");
        assert_eq!(response.headers.get("x-server"), Some("recorded"), "{name}");
        let told = json(&response);
        assert_eq!(told["error"], *error, "{name}");
        assert_eq!(told["trace"], "t-1", "{name}: the server's own shape");
        if *error == "invalid_grant" {
            assert_eq!(body(&response), DENIED, "{name}: the server's own words");
        }
    }
}

#[test]
fn a_widened_scope_is_refused_and_a_narrowed_one_is_not() {
    for (scope, status, error) in [
        ("api+openid", 200, None),
        ("api+admin", 400, Some("invalid_scope")),
    ] {
        let mut client = Client::new(&tape().replace(
            "- refresh_token: REDACTED-refresh_token-1\n",
            "- refresh_token: REDACTED-refresh_token-1\n    - scope: openid api\n",
        ));
        let [_, token, _] = client.login();
        let response = client.token(&format!("{}&scope={scope}", refresh(&token)));
        assert_eq!(response.status, status, "{scope}");
        assert_eq!(json(&response)["error"].as_str(), error, "{scope}");
    }
}

#[test]
fn a_code_that_comes_again_is_the_recorded_failure_and_takes_its_tokens_with_it() {
    let mut client = Client::new(&tape());
    let [access, _, code] = client.login();
    assert_eq!(client.bearer(&access).status, 200);
    let again = client.token(&redeem(&code));
    assert_eq!((again.status, body(&again).as_str()), (400, DENIED));
    assert_eq!(
        client.player.report().refused,
        Vec::<String>::new(),
        "it was recorded so"
    );
    let response = client.bearer(&access);
    assert_eq!(response.status, 401);
    let told = client.refused();
    assert!(told.contains("the access token is revoked"), "{told}");
}

#[test]
fn a_call_without_a_good_token_is_challenged_as_the_recorded_one_was() {
    for (name, token, why) in [
        (
            "of nobody",
            Some("made-up-by-the-client"),
            "the access token is not one that was issued here",
        ),
        ("revoked", None, "the access token is revoked"),
    ] {
        let mut client = Client::new(&tape());
        let [access, ..] = client.login();
        let form = format!("client_id=c1&client_secret=s&token={access}");
        let revoke = said("POST", "https://as.example/revoke", &[FORM], &form);
        if token.is_none() {
            assert_eq!(client.play(&revoke).status, 200);
        }
        let response = client.bearer(token.unwrap_or(&access));
        assert_eq!(response.status, 401, "{name}");
        let challenge = response.headers.get("www-authenticate");
        assert_eq!(
            challenge,
            Some("Bearer realm=\"api\", error=\"invalid_token\""),
            "{name}"
        );
        let told = client.refused();
        assert!(told.contains(why), "{name}: {told}");
    }
    let mut client = Client::new(&tape());
    client.login();
    assert_eq!(client.userinfo(&[]).status, 401);
    assert_eq!(
        client.player.report().refused,
        Vec::<String>::new(),
        "it was recorded so"
    );
}

#[test]
fn what_is_late_is_refused() {
    let at = |client: &mut Client, request: &Said, late: i64| {
        let answer = client.player.play(request, NOW + late);
        match answer {
            Answer::Response(response) => response,
            other => panic!("{other:?}"),
        }
    };
    for (late, status) in [(600, 200), (601, 400)] {
        let mut client = Client::new(&tape());
        let form = redeem(&client.code(&ask()));
        let response = at(&mut client, &said("POST", TOKEN, &[FORM], &form), late);
        assert_eq!(response.status, status, "a code after {late} seconds");
    }
    for (late, status) in [(60, 200), (61, 401)] {
        let mut client = Client::new(&tape());
        let [access, ..] = client.login();
        let bearer = format!("Bearer {access}");
        let call = said("GET", USERINFO, &[("Authorization", &bearer)], "");
        let response = at(&mut client, &call, late);
        assert_eq!(response.status, status, "a token after {late} seconds");
    }
    let mut client = Client::new(&tape());
    let form = poll(&client.device());
    let response = at(&mut client, &said("POST", TOKEN, &[FORM], &form), 601);
    assert_eq!(json(&response)["error"], "expired_token");
    let uri = client.push();
    let url = format!(
        "https://as.example/authorize?client_id=c1&request_uri={}",
        percent_encode(&uri)
    );
    let response = at(&mut client, &said("GET", &url, &[], ""), 61);
    assert_eq!(response.status, 400, "what was pushed a minute ago");
}

#[test]
fn a_device_is_told_to_slow_down_where_time_counts() {
    let options = PlayOptions {
        realtime: true,
        ..PlayOptions::default()
    };
    let mut client = Client::with(&tape(), &options);
    let form = poll(&client.device());
    let request = said("POST", TOKEN, &[FORM], &form);
    // The interval of five seconds grows by as many with each `slow_down`.
    for (late, expected) in [
        (5, "authorization_pending"),
        (7, "slow_down"),
        (13, "slow_down"),
        (28, ""),
    ] {
        let Answer::Response(response) = client.player.play(&request, NOW + late) else {
            panic!("after {late} seconds");
        };
        assert_eq!(
            json(&response)["error"].as_str().unwrap_or_default(),
            expected,
            "{late}"
        );
    }
}

#[test]
fn introspection_knows_the_tokens_of_this_run() {
    let introspect = |client: &mut Client, token: &str| {
        let form = format!("client_id=c1&client_secret=s&token={token}");
        let response = client.play(&said(
            "POST",
            "https://as.example/introspect",
            &[FORM],
            &form,
        ));
        assert_eq!(response.status, 200);
        json(&response)["active"].as_bool()
    };
    let mut client = Client::new(&tape());
    let [access, ..] = client.login();
    assert_eq!(introspect(&mut client, &access), Some(true));
    assert_eq!(
        introspect(&mut client, "made-up-by-the-client"),
        Some(false)
    );
    let form = format!("client_id=c1&client_secret=s&token={access}");
    client.play(&said("POST", "https://as.example/revoke", &[FORM], &form));
    assert_eq!(introspect(&mut client, &access), Some(false));
}

#[test]
fn a_wrong_authorization_request_is_answered_at_the_clients_address_or_with_a_page() {
    for (name, query, error) in [
        (
            "an unknown scope",
            ask().replace("openid+api", "openid+admin"),
            Some("invalid_scope"),
        ),
        (
            "another response type",
            ask().replace("type=code", "type=token"),
            Some("unsupported_response_type"),
        ),
        (
            "another response mode",
            format!("{}&response_mode=web_message", ask()),
            Some("invalid_request"),
        ),
        (
            "no challenge",
            ask().replace("code_challenge=", "unheard_of="),
            Some("invalid_request"),
        ),
        (
            "a weaker challenge",
            ask().replace("S256", "plain"),
            Some("invalid_request"),
        ),
        ("a parameter twice", format!("{}&scope=openid", ask()), None),
        (
            "another client",
            ask().replace("client_id=c1", "client_id=c2"),
            None,
        ),
        (
            "nothing that was pushed",
            "client_id=c1&request_uri=urn%3Anothing".to_owned(),
            None,
        ),
    ] {
        let mut client = Client::new(&tape());
        let response = client.authorize(&query);
        let location = response.headers.get("location").and_then(Url::parse);
        assert_eq!(location.is_some(), error.is_some(), "{name}");
        assert_eq!(client.player.report().refused.len(), 1, "{name}");
        let Some(location) = location else {
            assert_eq!(response.status, 400, "{name}");
            continue;
        };
        assert_eq!(location.endpoint(), "https://shop.example/cb", "{name}");
        let answer = location.fragment.or(location.query).expect("an answer");
        let answer = Params::parse(&answer);
        assert_eq!(answer.get("error"), error, "{name}");
        assert_eq!(answer.get("state"), Some("s1"), "{name}");
    }
}

#[test]
fn what_was_pushed_is_asked_for_once_and_binds_the_code() {
    let mut client = Client::new(&tape());
    let uri = client.push();
    let query = format!("client_id=c1&request_uri={}", percent_encode(&uri));
    let code = client.code(&query);
    let wrong = client.token(&redeem(&code).replace(VERIFIER, &"x".repeat(43)));
    assert_eq!(body(&wrong), DENIED, "the challenge was pushed");
    assert_eq!(client.token(&redeem(&code)).status, 200);
    assert_eq!(client.authorize(&query).status, 400);
    let told = client.refused();
    assert!(
        told.contains("request_uri is one that was redeemed before"),
        "{told}"
    );
    let scope = ask().replace("openid+api", "openid");
    let form = format!("client_secret=s&{scope}");
    let other = client
        .player
        .play(&said("POST", "https://as.example/par", &[FORM], &form), NOW);
    assert!(
        matches!(other, Answer::Miss(_)),
        "another scope was not recorded"
    );
}

#[test]
fn a_token_of_this_run_refreshes_as_often_as_the_client_likes() {
    let mut client = Client::new(&tape());
    let [mut access, mut token, _] = client.login();
    for round in 0..4 {
        let tokens = json(&client.token(&refresh(&token)));
        let text = |name: &str| tokens[name].as_str().expect(name).to_owned();
        assert_ne!(text("access_token"), access, "round {round}");
        assert_ne!(text("refresh_token"), token, "round {round}");
        (access, token) = (text("access_token"), text("refresh_token"));
        assert_eq!(client.bearer(&access).status, 200, "round {round}");
    }
    assert_eq!(client.player.report().refused, Vec::<String>::new());
}

/// A cassette of these interactions.
pub(crate) fn of(interactions: &str) -> String {
    let (header, _) = TAPE.split_once("- id: 1").expect("interactions");
    format!("{header}{interactions}")
}

/// A failed token request of a login, whose redirect URI has this query, with this code.
fn failing(query: &str, code: &str, facts: &str) -> String {
    of(&format!(
        r#"- id: 1
  step: authorization_request
  at: 0.000
  request:
    method: GET
    url: https://as.example/authorize
    http: "1.1"
    query:
    - client_id: c1
    - response_type: code
    - redirect_uri: https://shop.example/cb{query}
  response:
    status: 302
    after: 0.010
    headers:
    - Location: https://shop.example/cb{query}&code=REDACTED-code-1
- id: 2
  step: token_request
  at: 1.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: authorization_code
    - client_id: c1
    - code: "{code}"
    - redirect_uri: https://shop.example/cb{query}
  response:
    status: 400
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {{
        "error": "invalid_grant"
      }}
    wire: compact
{facts}"#
    ))
}

fn exchange(client: &str, code: &str, redirect_uri: &str) -> Said {
    let redirect_uri = percent_encode(redirect_uri);
    let form = format!(
        "grant_type=authorization_code&client_id={client}&code={code}&redirect_uri={redirect_uri}"
    );
    said("POST", TOKEN, &[FORM], &form)
}

fn ask_for(redirect_uri: &str) -> String {
    let redirect_uri = percent_encode(redirect_uri);
    format!("client_id=c1&response_type=code&redirect_uri={redirect_uri}")
}

#[test]
fn a_client_that_sends_an_empty_code_gets_the_failure_that_was_recorded_for_it() {
    let mut client = Client::new(&failing("?a=1", "", ""));
    let uri = "https://shop.example/cb?a=1";
    client.code(&ask_for(uri));
    assert_eq!(client.play(&exchange("c1", "", uri)).status, 400);
    assert!(client.player.report().is_clean());
    let code = client.code(&ask_for(uri));
    let Answer::Miss(missed) = client.player.play(&exchange("c1", &code, uri), NOW) else {
        panic!("no success is recorded");
    };
    assert_eq!(
        missed.reason,
        "the defect recorded here is gone: it is no longer so that code is empty"
    );
}

#[test]
fn a_client_that_spells_its_redirect_uri_otherwise_again_gets_the_recorded_failure() {
    let facts = "  facts:\n    redirect_uri.spelling: pct-case\n";
    let mut client = Client::new(&failing("?o=REDACTED-value-1", "REDACTED-code-1", facts));
    let code = client.code(&ask_for("https://shop.example/cb?o=a%2Fb"));
    let wrong = exchange("c1", &code, "https://shop.example/cb?o=a%2fb");
    assert_eq!(client.play(&wrong).status, 400);
    let report = client.player.report();
    assert!(report.is_clean(), "{:?}", report.lines());
}

#[test]
fn another_client_is_told_from_a_client_without_the_defect() {
    let mut client = Client::new(&failing("?a=1", "REDACTED-code-1", ""));
    let uri = "https://shop.example/cb?a=1";
    let code = client.code(&ask_for(uri));
    let Answer::Miss(missed) = client.player.play(&exchange("c2", &code, uri), NOW) else {
        panic!("no success is recorded");
    };
    assert!(
        missed
            .reason
            .starts_with("client_id is another than in the recording"),
        "{}",
        missed.reason
    );
}

#[test]
fn a_person_that_an_answer_spoke_of_may_be_another_one_in_this_run() {
    let mut client = Client::new(&of(PERSON));
    let told = client.play(&said("GET", USERINFO, &[], ""));
    let invented = json(&told)["email"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert!(!invented.contains("REDACTED"));
    for who in ["ada", "bob"] {
        let url = format!("https://as.example/find?email={who}@shop.example");
        let answer = client.player.play(&said("GET", &url, &[], ""), NOW);
        assert!(matches!(answer, Answer::Response(_)), "{who}");
    }
}

#[test]
fn a_server_that_comes_back_to_its_authorization_endpoint_is_skipped_to_its_answer() {
    let step = |id: u32, step: &str, method: &str, path: &str, location: &str| {
        let query = if step == "authorization_request" {
            "    query:\n    - client_id: c1\n    - response_type: code\n    - redirect_uri: http://127.0.0.1:51004/cb\n    - state: REDACTED-state-1\n"
        } else {
            ""
        };
        format!(
            "- id: {id}\n  step: {step}\n  at: {id}.000\n  request:\n    method: {method}\n    url: https://as.example/{path}\n    http: \"1.1\"\n{query}  response:\n    status: 302\n    after: 0.010\n    headers:\n    - Location: {location}\n"
        )
    };
    let asked = "authorization_request";
    let back = "/authorize?client_id=c1&state=REDACTED-state-1";
    let answer = "http://127.0.0.1:51004/cb?code=REDACTED-code-1&state=REDACTED-state-1";
    let tape = [
        step(1, asked, "GET", "authorize", "/login"),
        step(2, "login_page", "POST", "login", back),
        step(3, asked, "GET", "authorize", "/consent"),
        step(4, asked, "POST", "authorize", answer),
    ];
    let mut client = Client::new(&of(&tape.concat()));
    let asks =
        "client_id=c1&response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%3A6001%2Fcb&state=s";
    let response = client.authorize(asks);
    let location = response.headers.get("location").expect("a redirect");
    assert!(
        location.starts_with("http://127.0.0.1:6001/cb?code="),
        "{location}"
    );
    let report = client.player.report();
    assert!(report.is_clean(), "{:?}", report.lines());
}

#[test]
fn a_logout_leads_to_this_runs_address_with_this_runs_state() {
    let tape = of(LOGOUT);
    for (query, expected) in [
        (
            "post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A6001%2Fbye&state=a%26b",
            Some("http://127.0.0.1:6001/bye?state=a%26b"),
        ),
        (
            "post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A6001%2Fbye",
            Some("http://127.0.0.1:6001/bye"),
        ),
        (
            "post_logout_redirect_uri=https%3A%2F%2Fother.example%2Fbye",
            None,
        ),
    ] {
        let mut client = Client::new(&tape);
        let url = format!("https://as.example/logout?client_id=c1&{query}");
        let location = match client.player.play(&said("GET", &url, &[], ""), NOW) {
            Answer::Response(response) => response.headers.get("location").map(str::to_owned),
            _ => None,
        };
        assert_eq!(location.as_deref(), expected, "{query}");
    }
    let mut client = Client::new(&tape);
    let hint =
        "post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A6001%2Fbye&id_token_hint=of-nobody";
    let url = format!("https://as.example/logout?client_id=c1&{hint}");
    assert_eq!(client.play(&said("GET", &url, &[], "")).status, 400);
    let told = client.refused();
    assert!(
        told.contains("id_token_hint is not one that was issued here"),
        "{told}"
    );
}

#[test]
fn what_a_server_does_not_look_at_is_not_refused() {
    let mut client = Client::new(&tape());
    // In another order, with other header fields, cookies and words of no standard.
    let pairs = ask();
    let mut pairs: Vec<&str> = pairs.split('&').collect();
    pairs.reverse();
    let query = pairs.join("&").replace("openid+api", "api+openid");
    let url = format!("https://as.example/authorize?shop_theme=dark&{query}");
    let headers = [
        ("Cookie", "a=1"),
        ("Accept-Language", "de"),
        ("User-Agent", "another"),
    ];
    let response = client.play(&said("GET", &url, &headers, ""));
    let location = response.headers.get("location").expect("a redirect");
    let answer = Url::parse(location)
        .and_then(|url| url.query)
        .expect("a query");
    let code = Params::parse(&answer)
        .get("code")
        .expect("a code")
        .to_owned();
    let form = redeem(&code);
    let mut pairs: Vec<&str> = form.split('&').collect();
    pairs.reverse();
    let form = format!("tracking=1&{}", pairs.join("&"));
    let mut request = said("POST", TOKEN, &[("User-Agent", "another"), FORM], &form);
    request.version = authtape::model::Version::Http2;
    assert_eq!(client.play(&request).status, 200);
    let report = client.player.report();
    assert_eq!(report.refused, Vec::<String>::new());
    assert_eq!(
        report.notes,
        [
            "the authorization request has a parameter that was not recorded: shop_theme",
            "the token request has a parameter that was not recorded: tracking"
        ]
    );
}

#[test]
fn names_that_are_labels_are_filled_in() {
    let mut client = Client::new(&of(NAMES));
    let response = client.play(&said("GET", "https://as.example/names", &[], ""));
    for field in &response.headers {
        assert!(!field.name.contains("REDACTED"), "{}", field.name);
    }
    let form = body(&response);
    assert!(
        form.ends_with("=1&b=2") && !form.contains("REDACTED"),
        "{form}"
    );
}

const PERSON: &str = r#"- id: 1
  step: userinfo
  at: 0.000
  request:
    method: GET
    url: https://as.example/me
    http: "1.1"
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "email": "REDACTED-email-1"
      }
    wire: compact
- id: 2
  step: resource
  at: 1.000
  request:
    method: GET
    url: https://as.example/find
    http: "1.1"
    query:
    - email: REDACTED-email-1
  response:
    status: 200
    after: 0.010
    body: empty
"#;

const LOGOUT: &str = r#"- id: 1
  step: end_session
  at: 0.000
  request:
    method: GET
    url: https://as.example/logout
    http: "1.1"
    query:
    - client_id: c1
    - post_logout_redirect_uri: http://127.0.0.1:51004/bye
    - state: REDACTED-state-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: http://127.0.0.1:51004/bye?state=REDACTED-state-1
"#;

const NAMES: &str = r#"- id: 1
  step: resource
  at: 0.000
  request:
    method: GET
    url: https://as.example/names
    http: "1.1"
  response:
    status: 200
    after: 0.010
    headers:
    - REDACTED-name-1: "1"
    form:
    - REDACTED-name-2: "1"
    - b: "2"
"#;

pub(crate) fn tape() -> String {
    TAPE.replace("CALLBACK", CALLBACK)
}

const TAPE: &str = r#"authtape: 1
recorded_by: authtape/0.1.0
recorded_at: "2026-11-23T10:02:11Z"
interactions:
- id: 1
  step: discovery
  at: 0.000
  request:
    method: GET
    url: https://as.example/.well-known/openid-configuration
    http: "1.1"
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "issuer": "https://as.example",
        "scopes_supported": ["openid", "api"],
        "response_types_supported": ["code"]
      }
    wire: compact
- id: 2
  step: authorization_request
  at: 1.000
  request:
    method: GET
    url: https://as.example/authorize
    http: "1.1"
    query:
    - client_id: c1
    - response_type: code
    - redirect_uri: CALLBACK
    - scope: openid api
    - state: REDACTED-state-1
    - code_challenge: REDACTED-code_challenge-1
    - code_challenge_method: S256
  response:
    status: 302
    after: 0.010
    headers:
    - Location: CALLBACK&code=REDACTED-code-1&state=REDACTED-state-1
  secrets:
    code-1: {length: 24, alphabet: lower-alnum}
- id: 3
  step: token_request
  at: 2.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: authorization_code
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - code: REDACTED-code-1
    - redirect_uri: CALLBACK
    - code_verifier: REDACTED-code_verifier-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    - X-Server: recorded
    json: |
      {
        "access_token": "REDACTED-access_token-1",
        "token_type": "bearer",
        "expires_in": 60,
        "refresh_token": "REDACTED-refresh_token-1",
        "scope": "openid api"
      }
    wire: compact
  secrets:
    access_token-1: {length: 32, alphabet: alnum}
    refresh_token-1: {length: 32, alphabet: alnum}
- id: 4
  step: userinfo
  at: 3.000
  request:
    method: GET
    url: https://as.example/me
    http: "1.1"
    headers:
    - Authorization: Bearer REDACTED-access_token-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "sub": "REDACTED-sub-1"
      }
    wire: compact
- id: 5
  step: userinfo
  at: 3.500
  request:
    method: GET
    url: https://as.example/me
    http: "1.1"
  response:
    status: 401
    after: 0.010
    headers:
    - Content-Type: application/json
    - WWW-Authenticate: "Bearer realm=\"api\", error=\"invalid_token\""
    json: |
      {
        "error": "invalid_token"
      }
    wire: compact
- id: 6
  step: token_request
  at: 4.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: refresh_token
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - refresh_token: REDACTED-refresh_token-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    - X-Server: recorded
    json: |
      {
        "access_token": "REDACTED-access_token-2",
        "token_type": "bearer",
        "expires_in": 60,
        "refresh_token": "REDACTED-refresh_token-2",
        "scope": "openid api"
      }
    wire: compact
  secrets:
    access_token-2: {length: 32, alphabet: alnum}
    refresh_token-2: {length: 32, alphabet: alnum}
- id: 7
  step: introspection
  at: 5.000
  request:
    method: POST
    url: https://as.example/introspect
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - token: REDACTED-access_token-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "active": true
      }
    wire: compact
- id: 8
  step: revocation
  at: 6.000
  request:
    method: POST
    url: https://as.example/revoke
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - token: REDACTED-access_token-1
  response:
    status: 200
    after: 0.010
    body: empty
- id: 9
  step: device_authorization_request
  at: 7.000
  request:
    method: POST
    url: https://as.example/device
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - scope: api
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "device_code": "REDACTED-device_code-1",
        "user_code": "REDACTED-user_code-1",
        "verification_uri": "https://as.example/activate",
        "expires_in": 600,
        "interval": 5
      }
    wire: compact
- id: 10
  step: token_request
  at: 8.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: urn:ietf:params:oauth:grant-type:device_code
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - device_code: REDACTED-device_code-1
  response:
    status: 400
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "error": "authorization_pending"
      }
    wire: compact
- id: 11
  step: token_request
  at: 13.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: urn:ietf:params:oauth:grant-type:device_code
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - device_code: REDACTED-device_code-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "access_token": "REDACTED-access_token-3",
        "token_type": "bearer"
      }
    wire: compact
- id: 12
  step: pushed_authorization_request
  at: 14.000
  request:
    method: POST
    url: https://as.example/par
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - client_secret: REDACTED-client_secret-1
    - client_id: c1
    - response_type: code
    - redirect_uri: CALLBACK
    - scope: openid api
    - state: REDACTED-state-2
    - code_challenge: REDACTED-code_challenge-2
    - code_challenge_method: S256
  response:
    status: 201
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "request_uri": "REDACTED-request_uri-1",
        "expires_in": 60
      }
    wire: compact
- id: 13
  step: authorization_request
  at: 15.000
  request:
    method: GET
    url: https://as.example/authorize
    http: "1.1"
    query:
    - client_id: c1
    - request_uri: REDACTED-request_uri-1
  response:
    status: 302
    after: 0.010
    headers:
    - Location: CALLBACK&code=REDACTED-code-2&state=REDACTED-state-2
- id: 14
  step: token_request
  at: 16.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: authorization_code
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - code: REDACTED-code-2
    - redirect_uri: CALLBACK
    - code_verifier: REDACTED-code_verifier-2
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "access_token": "REDACTED-access_token-4",
        "token_type": "bearer"
      }
    wire: compact
- id: 15
  step: token_request
  at: 20.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: authorization_code
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - code: REDACTED-code-1
    - redirect_uri: CALLBACK
    - code_verifier: REDACTED-code_verifier-1
  response:
    status: 400
    after: 0.010
    headers:
    - Content-Type: application/json
    - X-Server: recorded
    json: |
      {
        "error": "invalid_grant",
        "error_description": "grant request is invalid",
        "trace": "t-1"
      }
    wire: compact
"#;
