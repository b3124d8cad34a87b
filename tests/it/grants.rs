//! Grants without a browser: token exchange, the back channel, and a client that registers itself.

use authtape::model::Response;
use authtape::replay::{Answer, PlayOptions};
use serde_json::{Value, json};

use crate::refusals::{Client, TOKEN, json, of};
use crate::support::{FORM, NOW, said};

#[test]
fn a_token_is_exchanged_as_often_as_the_client_likes_while_it_works() {
    let exchange = |client: &mut Client, token: &str| {
        let form = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&client_id=c1&client_secret=s\
             &subject_token={token}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
        );
        client.token(&form)
    };
    let mut client = Client::new(&of(EXCHANGE));
    let issued = client.token("grant_type=client_credentials&client_id=c1&client_secret=s");
    let token = json(&issued)["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    for round in 0..3 {
        let exchanged = exchange(&mut client, &token);
        assert_eq!(exchanged.status, 200, "round {round}");
        assert_ne!(
            json(&exchanged)["access_token"],
            token.as_str(),
            "round {round}"
        );
    }
    let report = client.player.report();
    assert!(report.is_clean(), "{:?}", report.lines());
    let refused = exchange(&mut client, "made-up-by-the-client");
    assert_eq!(refused.status, 400);
    assert_eq!(json(&refused)["error"], "invalid_request");
    let told = client.refused();
    assert!(
        told.contains("subject_token is not one that was issued here"),
        "{told}"
    );
}

fn authenticate(client: &mut Client) -> String {
    let form = "client_id=c1&client_secret=s&scope=openid&login_hint=ada";
    let response = client.play(&said(
        "POST",
        "https://as.example/bc-authorize",
        &[FORM],
        form,
    ));
    assert_eq!(response.status, 200);
    let id = json(&response)["auth_req_id"]
        .as_str()
        .expect("an identifier")
        .to_owned();
    assert!(!id.contains("REDACTED"), "{id}");
    id
}

fn poll(id: &str) -> String {
    format!(
        "grant_type=urn%3Aopenid%3Aparams%3Agrant-type%3Aciba&client_id=c1&client_secret=s&auth_req_id={id}"
    )
}

fn error(response: &Response) -> String {
    json(response)["error"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn the_back_channel_is_polled_until_the_tokens_come() {
    let mut client = Client::new(&of(CIBA));
    let first = authenticate(&mut client);
    assert_eq!(error(&client.token(&poll(&first))), "authorization_pending");
    assert_eq!(client.token(&poll(&first)).status, 200);
    let report = client.player.report();
    assert!(report.is_clean(), "{:?}", report.lines());
    let again = client.token(&poll(&first));
    assert_eq!(
        (again.status, error(&again).as_str()),
        (400, "invalid_grant")
    );
    let unknown = client.token(&poll("made-up-by-the-client"));
    assert_eq!(error(&unknown), "invalid_grant");
    let told = client.refused();
    for why in [
        "is one that was redeemed before",
        "is not one that was issued here",
    ] {
        assert!(told.contains(&format!("auth_req_id {why}")), "{told}");
    }
    let second = authenticate(&mut client);
    assert_ne!(first, second, "each request has its own");
    assert_eq!(
        error(&client.token(&poll(&second))),
        "authorization_pending"
    );
    assert_eq!(client.token(&poll(&second)).status, 200);
    let late = format!(
        "client_id=c2&{}",
        poll(&second).replace("&client_id=c1", "")
    );
    assert_eq!(error(&client.token(&late)), "invalid_client");
}

#[test]
fn who_polls_too_soon_by_the_back_channel_is_told_to_slow_down_where_time_counts() {
    let options = PlayOptions {
        realtime: true,
        ..PlayOptions::default()
    };
    let mut client = Client::with(&of(CIBA), &options);
    let form = poll(&authenticate(&mut client));
    for (late, expected) in [(5, "authorization_pending"), (7, "slow_down"), (28, "")] {
        let answer = client
            .player
            .play(&said("POST", TOKEN, &[FORM], &form), NOW + late);
        let Answer::Response(response) = answer else {
            panic!("after {late} seconds: {answer:?}");
        };
        assert_eq!(error(&response), expected, "{late}");
    }
}

#[test]
fn a_client_that_registers_itself_is_the_recorded_one_with_its_own_metadata() {
    let mut client = Client::new(&of(REGISTRATION));
    let metadata = json!({
        "client_name": "Shop", "redirect_uris": ["http://127.0.0.1:6001/cb"], "software_version": "2",
    });
    let url = "https://as.example/register";
    let headers = [("Content-Type", "application/json")];
    let response = client.play(&said("POST", url, &headers, &metadata.to_string()));
    assert_eq!(response.status, 201);
    let registered = json(&response);
    for (name, expected) in [
        ("client_id", json!("c1")),
        ("client_name", json!("Shop")),
        ("redirect_uris", json!(["http://127.0.0.1:6001/cb"])),
        ("software_version", Value::Null),
        ("client_secret_expires_at", json!(0)),
    ] {
        assert_eq!(registered[name], expected, "{name}");
    }
    let text = |name: &str| registered[name].as_str().expect(name).to_owned();
    let (secret, access) = (text("client_secret"), text("registration_access_token"));
    assert!(!secret.contains("REDACTED") && !access.contains("REDACTED"));
    let form =
        |secret: &str| format!("grant_type=client_credentials&client_id=c1&client_secret={secret}");
    assert_eq!(client.token(&form(&secret)).status, 200);
    let wrong = client.token(&form("another"));
    assert_eq!(
        (wrong.status, error(&wrong).as_str()),
        (401, "invalid_client")
    );
    let read = |client: &mut Client, token: &str| {
        let bearer = format!("Bearer {token}");
        let url = "https://as.example/register/c1";
        client
            .play(&said("GET", url, &[("Authorization", &bearer)], ""))
            .status
    };
    assert_eq!(read(&mut client, &access), 200);
    assert_eq!(read(&mut client, "made-up-by-the-client"), 401);
}

const EXCHANGE: &str = r#"- id: 1
  step: token_request
  at: 0.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: client_credentials
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
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
    - grant_type: urn:ietf:params:oauth:grant-type:token-exchange
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - subject_token: REDACTED-access_token-1
    - subject_token_type: urn:ietf:params:oauth:token-type:access_token
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "access_token": "REDACTED-access_token-2",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "bearer"
      }
    wire: compact
"#;

const CIBA: &str = r#"- id: 1
  step: backchannel_authentication_request
  at: 0.000
  request:
    method: POST
    url: https://as.example/bc-authorize
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - scope: openid
    - login_hint: REDACTED-login_hint-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "auth_req_id": "REDACTED-auth_req_id-1",
        "expires_in": 120,
        "interval": 5
      }
    wire: compact
- id: 2
  step: token_request
  at: 5.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: urn:openid:params:grant-type:ciba
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - auth_req_id: REDACTED-auth_req_id-1
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
- id: 3
  step: token_request
  at: 10.000
  request:
    method: POST
    url: https://as.example/token
    http: "1.1"
    headers:
    - Content-Type: application/x-www-form-urlencoded
    form:
    - grant_type: urn:openid:params:grant-type:ciba
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
    - auth_req_id: REDACTED-auth_req_id-1
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

const REGISTRATION: &str = r#"- id: 1
  step: registration
  at: 0.000
  request:
    method: POST
    url: https://as.example/register
    http: "1.1"
    headers:
    - Content-Type: application/json
    json: |
      {
        "client_name": "Store",
        "redirect_uris": ["http://127.0.0.1:51004/cb"]
      }
    wire: compact
  response:
    status: 201
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "client_id": "c1",
        "client_secret": "REDACTED-client_secret-1",
        "client_secret_expires_at": 0,
        "registration_access_token": "REDACTED-registration_access_token-1",
        "registration_client_uri": "https://as.example/register/c1",
        "client_name": "Store",
        "redirect_uris": ["http://127.0.0.1:51004/cb"]
      }
    wire: compact
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
    - grant_type: client_credentials
    - client_id: c1
    - client_secret: REDACTED-client_secret-1
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
- id: 3
  step: registration
  at: 2.000
  request:
    method: GET
    url: https://as.example/register/c1
    http: "1.1"
    headers:
    - Authorization: Bearer REDACTED-registration_access_token-1
  response:
    status: 200
    after: 0.010
    headers:
    - Content-Type: application/json
    json: |
      {
        "client_id": "c1"
      }
    wire: compact
"#;
