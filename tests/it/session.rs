//! A session with everything in it that a profile decides about, and the faults that it may have.

use std::time::Duration;

use authtape::cassette::{self, Cassette};
use authtape::diagnose;
use authtape::model::{Exchange, Heard, percent_encode};
use authtape::oauth::pkce;
use authtape::record::{Options, Tape};
use authtape::redact::Profile;

use crate::support::{self, answered, said};

pub(crate) const ISSUER: &str = "login.acme-identity.example";
pub(crate) const SHOP: &str = "shop.acme-store.example";
pub(crate) const REALM: &str = "finance";
pub(crate) const CLIENT: &str = "8kqf3mz2x7";
pub(crate) const CODE: &str = "Cn4xKp7tVb2nQw9sLm3eRy6u";
pub(crate) const SECRET: &str = "Cn8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N";
pub(crate) const STATE: &str = "Cn1d2c3b4a5968776f1d2c3b4a596877";
pub(crate) const VERIFIER: &str = "CnjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const REQUEST_ID: &str = "0d9b8c62-8f0e-4b7b-8c1f-5f7f3c2d1e90";
pub(crate) const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";

/// What a client of this session does otherwise than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    FinalSlash,
    HostCase,
    OtherHost,
    Port,
    Scheme,
    ResponseParams,
    NoRedirectUri,
    NoGrantType,
    Get,
    Json,
    TwoSecrets,
    Placeholder,
    /// No fault at the one vendor that asks for no grant.
    GitHub,
    Empty,
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault::None,
    Fault::FinalSlash,
    Fault::HostCase,
    Fault::OtherHost,
    Fault::Port,
    Fault::Scheme,
    Fault::ResponseParams,
    Fault::NoRedirectUri,
    Fault::NoGrantType,
    Fault::Get,
    Fault::Json,
    Fault::TwoSecrets,
    Fault::Placeholder,
    Fault::GitHub,
    Fault::Empty,
];

fn heard(status: u16, headers: &[(&str, &str)], body: &str) -> Heard {
    Heard {
        after: Duration::from_millis(87),
        ..support::heard(status, headers, body)
    }
}

fn exchange(id: u64, request: authtape::model::Said, response: Heard) -> Exchange {
    Exchange {
        at: Duration::from_millis(id * 1204),
        clock: 1_790_000_000,
        ..answered(id, request, response)
    }
}

/// The host of the server: a vendor's where the fault is about that.
fn issuer(fault: Fault) -> &'static str {
    if fault == Fault::GitHub {
        "github.com"
    } else {
        ISSUER
    }
}

pub(crate) fn callback() -> String {
    format!("https://{SHOP}/oauth/callback")
}

pub(crate) fn authorize_url(fault: Fault) -> String {
    format!(
        "https://{}/realms/{REALM}/protocol/openid-connect/auth?client_id={CLIENT}&response_type=code&scope=profile&redirect_uri={}&state={STATE}\
         &code_challenge={}&code_challenge_method=S256",
        issuer(fault),
        percent_encode(&callback()),
        pkce::s256(VERIFIER)
    )
}

pub(crate) fn token_url(fault: Fault) -> String {
    format!(
        "https://{}/realms/{REALM}/protocol/openid-connect/token",
        issuer(fault)
    )
}

/// The form of the token request.
pub(crate) fn form(fault: Fault) -> String {
    let uri = match fault {
        Fault::FinalSlash => format!("{}/", callback()),
        Fault::HostCase => callback().replace("shop.acme", "Shop.Acme"),
        Fault::OtherHost => callback().replace("shop.acme", "www.acme"),
        Fault::Port => callback().replace("/oauth", ":8443/oauth"),
        Fault::Scheme => callback().replace("https", "http"),
        Fault::ResponseParams => format!("{}?code={CODE}", callback()),
        _ => callback(),
    };
    let uri = match fault {
        Fault::NoRedirectUri => String::new(),
        _ => format!("&redirect_uri={}", percent_encode(&uri)),
    };
    let grant = match fault {
        Fault::NoGrantType | Fault::GitHub => "",
        _ => "grant_type=authorization_code&",
    };
    let client = match fault {
        Fault::Placeholder => "YOUR_CLIENT_ID",
        _ => CLIENT,
    };
    format!(
        "{grant}client_id={client}&client_secret={SECRET}&code={CODE}{uri}&code_verifier={VERIFIER}"
    )
}

fn token_request(fault: Fault) -> authtape::model::Said {
    let (url, form) = (token_url(fault), form(fault));
    let declared = ("Content-Type", "application/x-www-form-urlencoded");
    let host = ("Host", issuer(fault));
    match fault {
        Fault::Get => said("GET", &format!("{url}?{form}"), &[host], ""),
        Fault::Json => {
            let body = format!(
                "{{\"grant_type\":\"authorization_code\",\"code\":\"{CODE}\",\"client_id\":\"{CLIENT}\",\"redirect_uri\":\"{}\"}}",
                callback()
            );
            said(
                "POST",
                &url,
                &[host, ("Content-Type", "application/json")],
                &body,
            )
        }
        // `8kqf3mz2x7:Cn8Qw3…`
        Fault::TwoSecrets => {
            use base64::Engine as _;
            let basic =
                base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{SECRET}"));
            let basic = format!("Basic {basic}");
            said(
                "POST",
                &url,
                &[host, declared, ("Authorization", &basic)],
                &form,
            )
        }
        Fault::Empty => said("POST", &url, &[host, declared], ""),
        _ => said("POST", &url, &[host, declared], &form),
    }
}

/// Discovery, authorization, a page, and the token request, which fails where there is a fault.
pub(crate) fn exchanges(fault: Fault) -> Vec<Exchange> {
    let issuer = issuer(fault);
    let at = format!("https://{issuer}/realms/{REALM}");
    let metadata = format!(
        "{{\"issuer\":\"{at}\",\"token_endpoint\":\"{}\",\"scopes_supported\":[\"openid\"]}}",
        token_url(fault)
    );
    let discovery = format!("{at}/.well-known/openid-configuration");
    let json = ("Content-Type", "application/json");
    let location = format!("{}?code={CODE}&state={STATE}", callback());
    let parent = issuer.split_once('.').map_or("", |(_, parent)| parent);
    let cookie =
        format!("AUTH_SESSION=Cn7sQ2wE4rT6yU8iO0pA; Domain=.{parent}; Path=/realms/{REALM}/");
    let page = "<html><input name=password value=hunter2-Cn></html>";
    let said_of = format!("{REQUEST_ID}: client {CLIENT} of {SHOP} is unknown to {issuer}");
    let answer = match fault {
        Fault::None | Fault::GitHub => heard(
            200,
            &[json, ("Cache-Control", "no-store")],
            "{\"access_token\":\"Cn2bX4cV6bN8mQ0wE2rT4yU6iO8p\",\"token_type\":\"Bearer\"}",
        ),
        _ => heard(
            400,
            &[json, ("X-Request-Id", REQUEST_ID)],
            &format!("{{\"error\":\"invalid_request\",\"error_description\":\"{said_of}\"}}"),
        ),
    };
    let browser = [("Host", issuer), ("User-Agent", AGENT)];
    vec![
        exchange(
            1,
            said("GET", &discovery, &browser, ""),
            heard(200, &[json], &metadata),
        ),
        exchange(
            2,
            said("GET", &authorize_url(fault), &browser, ""),
            heard(
                302,
                &[
                    ("Location", &location),
                    ("Set-Cookie", &cookie),
                    ("X-Request-Id", REQUEST_ID),
                ],
                "",
            ),
        ),
        exchange(
            3,
            said("GET", &format!("{at}/login"), &browser, ""),
            heard(200, &[("Content-Type", "text/html")], page),
        ),
        exchange(4, token_request(fault), answer),
    ]
}

/// The text of the recorded session.
pub(crate) fn recorded(fault: Fault, profile: Profile) -> String {
    let options = Options {
        keep_all: true,
        profile,
        ..Options::default()
    };
    let mut tape = Tape::new(options, "2026-11-23T10:02:11Z".to_owned());
    for exchange in exchanges(fault) {
        tape.record(exchange);
    }
    assert_eq!(tape.withheld(), [], "{fault:?} {profile}");
    tape.finish().expect("an audited cassette")
}

pub(crate) fn loaded(fault: Fault, profile: Profile) -> Cassette {
    cassette::load(recorded(fault, profile).as_bytes()).expect("a cassette")
}

/// The findings by their rule and how grave each is.
pub(crate) fn findings(cassette: &Cassette) -> Vec<String> {
    let findings = diagnose::diagnose(cassette);
    let findings = findings.iter();
    findings
        .map(|finding| format!("{:?} {}", finding.severity, finding.rule.id))
        .collect()
}
