//! Other recorders' files: what they say comes in, what only they understand is refused with its place.

use std::path::Path;

use authtape::export::{self, Format};
use authtape::import;

use crate::cli::{authtape, said};
use crate::support::thread;

const VCR: &str = "---
http_interactions:
- request:
    method: post
    uri: https://as.example/token
    body:
      encoding: US-ASCII
      string: grant_type=client_credentials&client_id=web
    headers:
      Content-Type:
      - application/x-www-form-urlencoded
  response:
    status:
      code: 401
      message: Unauthorized
    headers:
      Content-Type:
      - application/json
      Set-Cookie:
      - a=1
      - b=2
    body:
      encoding: UTF-8
      base64_string: |
        eyJlcnJvciI6Imludm
        FsaWRfY2xpZW50In0=
  recorded_at: Tue, 24 Nov 2026 08:43:42 GMT
recorded_with: VCR 6.4.0
";

const OLD_VCR: &str = "---
http_interactions:
- request:
    method: get
    uri: https://as.example/userinfo
    body: ''
    headers: {}
  response:
    status: {code: 200, message: OK}
    headers:
      Content-Type: application/json
    body: '{\"sub\":\"x\"}'
    http_version:
  recorded_at: Tue, 24 Nov 2026 08:43:42 GMT
recorded_with: VCR 2.9.0
";

const VCRPY: &str = "interactions:
- request:
    body: null
    headers:
      Accept: ['*/*']
    method: GET
    uri: https://as.example/.well-known/openid-configuration
  response:
    body: {string: '{\"issuer\":\"https://as.example\"}'}
    headers:
      Content-Encoding: [gzip]
      Date: ['Tue, 24 Nov 2026 08:43:42 GMT']
    status: {code: 200, message: OK}
version: 1
";

const NOCK: &str = r#"[{"scope":"https://as.example:443","method":"POST","path":"/token","body":"grant_type=client_credentials","status":200,
"response":{"access_token":"x","token_type":"Bearer"},"rawHeaders":["Content-Type","application/json"],"responseIsBinary":false}]"#;

#[test]
fn what_other_recorders_wrote_is_read() {
    for (name, text, method, url, status, body) in [
        (
            "VCR",
            VCR,
            "POST",
            "https://as.example/token",
            401,
            "{\"error\":\"invalid_client\"}",
        ),
        (
            "an old VCR",
            OLD_VCR,
            "GET",
            "https://as.example/userinfo",
            200,
            "{\"sub\":\"x\"}",
        ),
        (
            "vcrpy",
            VCRPY,
            "GET",
            "https://as.example/.well-known/openid-configuration",
            200,
            "{\"issuer\":\"https://as.example\"}",
        ),
        (
            "nock",
            NOCK,
            "POST",
            "https://as.example/token",
            200,
            "{\"access_token\":\"x\",\"token_type\":\"Bearer\"}",
        ),
    ] {
        assert!(import::is_foreign(text.as_bytes()), "{name}");
        let imported = import::read(text.as_bytes()).expect(name);
        let [exchange] = imported.exchanges.as_slice() else {
            panic!("{name}: {}", imported.exchanges.len());
        };
        let heard = exchange.response.as_ref().expect(name);
        assert_eq!(
            (
                exchange.request.method.as_str(),
                exchange.request.url.to_string().as_str(),
                heard.status
            ),
            (method, url, status),
            "{name}"
        );
        assert_eq!(String::from_utf8_lossy(&heard.body.bytes), body, "{name}");
        let begun = if name == "nock" {
            "1970-01-01T00:00:00Z"
        } else {
            "2026-11-24T08:43:42Z"
        };
        assert_eq!(imported.begun, begun, "{name}");
    }
    let imported = import::read(VCR.as_bytes()).expect("VCR");
    let heard = imported.exchanges[0].response.as_ref().expect("an answer");
    assert_eq!(
        heard.headers.all("set-cookie").collect::<Vec<_>>(),
        ["a=1", "b=2"]
    );
}

#[test]
fn what_is_not_read_is_said_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let bomb = format!("http_interactions:\n- &a [x]\n- {}\n", "[".repeat(50_000));
    for (name, text, why) in [
        (
            "ruby",
            VCR.replace("encoding: UTF-8", "encoding: !ruby/object:Encoding UTF-8"),
            "line 23: an object of Ruby",
        ),
        (
            "erb",
            VCR.replace("client_id=web", "client_id=<%= id %>"),
            "line 8: a template of ERB",
        ),
        (
            "binary",
            VCRPY
                .replace("{string: '{", "{string: !!binary '{")
                .replace("body: {string", "body:\n      string")
                .replace(
                    "'}\n    headers:\n      Content-E",
                    "'\n    headers:\n      Content-E",
                ),
            "a body in base64",
        ),
        (
            "no status",
            VCR.replace("code: 401", "code: many"),
            "VCR: line 14, column 13: this is not as the format has it",
        ),
        ("half", VCRPY[..VCRPY.len() / 2].to_owned(), "vcrpy: line"),
        ("deep", bomb, "VCR: line"),
        (
            "nock",
            NOCK.replace("\"status\":200", "\"status\":\"many\""),
            "nock: line 1",
        ),
        (
            "nowhere",
            VCRPY.replace("https://as.example", "nowhere"),
            "no recording with a request to a server",
        ),
        (
            "ours",
            "interactions: []\nrecorded_by: x\n".to_owned(),
            "no HAR file",
        ),
    ] {
        std::fs::write(directory.path().join("x.yml"), text).expect("written");
        let output = authtape(directory.path(), &["import", "x.yml", "-o", "out.yaml"]);
        assert_eq!(output.status.code(), Some(3), "{name}: {}", said(&output));
        assert!(said(&output).contains(why), "{name}: {}", said(&output));
        assert!(!directory.path().join("out.yaml").exists(), "{name}");
    }
}

#[test]
fn what_a_format_has_no_place_for_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let from = from.join("cassettes/accounts.example.com/thread-multipart.yaml");
    let text = std::fs::read_to_string(from).expect("a cassette");
    let failed = text.replacen("  response:\n    status: 302\n    after: 0.000\n", "  error:\n    kind: connection_reset\n    phase: response_head\n    after: 0.010\n  unused:\n", 1);
    let failed = failed
        .split("  unused:\n")
        .next()
        .unwrap_or_default()
        .to_owned();
    std::fs::write(directory.path().join("multipart.yaml"), &text).expect("written");
    std::fs::write(directory.path().join("reset.yaml"), failed).expect("written");
    for (file, format, expected) in [
        (
            "multipart.yaml",
            "vcr",
            "authtape: vcr has no place for the body of the request of 2 token request\n",
        ),
        (
            "reset.yaml",
            "vcrpy",
            "authtape: vcrpy has no place for 1 authorization request, which ended with connection_reset\n",
        ),
        ("reset.yaml", "mitmproxy", ""),
        ("multipart.yaml", "har", ""),
    ] {
        let output = authtape(directory.path(), &["export", file, "--to", format]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            expected,
            "{file} {format}"
        );
    }
    for (arguments, code, why) in [
        (
            &["export", "reset.yaml", "--to", "tape"][..],
            2,
            "[possible values: curl, go-vcr, har, mitmproxy, nock, vcr, vcrpy]",
        ),
        (
            &[
                "export",
                "reset.yaml",
                "--to",
                "har",
                "-o",
                "multipart.yaml",
            ],
            3,
            "multipart.yaml exists",
        ),
        (
            &["export", "nowhere.yaml", "--to", "har"],
            3,
            "cannot read nowhere.yaml",
        ),
    ] {
        let output = authtape(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
}

#[test]
fn the_files_look_like_this() {
    for format in [
        Format::Curl,
        Format::GoVcr,
        Format::Nock,
        Format::Vcr,
        Format::Vcrpy,
    ] {
        let exported = export::write(&thread("redirect-slash"), format).expect("exported");
        insta::assert_snapshot!(
            format!("export {format}"),
            String::from_utf8_lossy(&exported.bytes)
        );
    }
}
