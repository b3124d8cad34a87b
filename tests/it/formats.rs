//! Other recorders' files: what they say comes in, what only they understand is refused with its place.

use std::path::Path;

use authtape::export;
use authtape::import::{self, Format, LeftOut};
use authtape::model::Exchange;
use time::OffsetDateTime;
use time::macros::datetime;

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

/// When a file is said to have been written.
const WRITTEN: OffsetDateTime = datetime!(2026-11-30 02:00:00.5 +2);
/// `{"sub":"x"}` in gzip, in base64.
const GZIP: &str = "H4sIAAAAAAACA6tWKi5NUrJSqlCqBQB4m7G0CwAAAA==";
/// The same in hexadecimal digits.
const GZIP_HEX: &str = "1f8b0800000000000203ab562a2e4d52b252aa50aa0500789bb1b40b000000";

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

/// A request for `{"sub":"x"}` as each of the others has it, coded where the tool keeps the coding.
const USERINFO: &[(&str, &str)] = &[
    ("vcr", OLD_VCR),
    (
        "vcr",
        "http_interactions:
- request: {method: get, uri: 'https://as.example/userinfo', headers: {Accept: null}}
  response:
    status: {code: '200', message: OK}
    headers: {Content-Encoding: [gzip]}
    body:
      encoding: ASCII-8BIT
      base64_string: |
        B64
  recorded_at: Tue, 24 Nov 2026 08:43:42 GMT
",
    ),
    (
        "vcr",
        r#"{"http_interactions":[{"request":{"method":"get","uri":"https://as.example/userinfo","body":{"encoding":"UTF-8","string":""}},
"response":{"status":{"code":200},"body":{"encoding":"UTF-8","string":"{\"sub\":\"x\"}"}},"recorded_at":"2026-11-24T08:43:42"}]}"#,
    ),
    (
        "vcrpy",
        "interactions:
- request:
    body: !!python/unicode ''
    headers: &same
      Date: ['Tue, 24 Nov 2026 08:43:42 GMT']
    method: GET
    uri: https://as.example/userinfo
  response:
    body:
      string: !!binary |
        B64
    headers:
      Content-Encoding: [gzip]
      <<: *same
    status: {code: 200, message: OK}
version: 1
",
    ),
    (
        "vcrpy",
        r#"{"version":1,"interactions":[{"request":{"method":"GET","uri":"https://as.example/userinfo","body":null,"headers":{}},
"response":{"status":{"code":200,"message":"OK"},"headers":{},"body":{"string":"{\"sub\":\"x\"}"}}}]}"#,
    ),
    (
        "go-vcr",
        "---
version: 1
interactions:
- request:
    body: ''
    form: {}
    headers: {}
    url: https://as.example/userinfo
    method: GET
  response:
    body: '{\"sub\":\"x\"}'
    headers: {Content-Type: [application/json]}
    status: 200 OK
    code: 200
    duration: ''
",
    ),
    (
        "php-vcr",
        "
-
    request:
        method: GET
        url: 'https://as.example/userinfo'
        headers:
            Host: as.example
    response:
        status:
            code: 200
            message: OK
        headers:
            Content-Type: application/x-gzip
            Content-Encoding: gzip
        body: B64
        curl_info:
            total_time: !!float 1
    index: 0
",
    ),
    (
        "hoverfly",
        r#"{"data":{"pairs":[{"request":{"method":[{"matcher":"exact","value":"GET"}],"destination":[{"matcher":"glob","value":"*"},{"matcher":"exact","value":"as.example"}],
"path":[{"matcher":"exact","value":"/userinfo"}]},"response":{"status":200,"encodedBody":true,"body":"B64","headers":{"Content-Encoding":["gzip"]}}}]},
"meta":{"schemaVersion":"v5.3"}}"#,
    ),
    (
        "httpmock",
        "when:
  method: GET
  scheme: https
  host: as.example
  path: /userinfo
then:
  status: 200
  header:
  - name: content-encoding
    value: gzip
  body_base64: B64
",
    ),
    (
        "azure-test-proxy",
        r#"{"Entries":[{"RequestUri":"https://as.example/userinfo","RequestMethod":"GET","RequestHeaders":{"Accept":"*/*"},"RequestBody":null,"StatusCode":200,
"ResponseHeaders":{"Content-Type":"application/json","Set-Cookie":["a=1","b=2"]},"ResponseBody":{"sub":"x"}}],"Variables":{}}"#,
    ),
    (
        "azure-test-proxy",
        r#"{"Entries":[{"RequestUri":"https://as.example/userinfo","RequestMethod":"GET","RequestHeaders":{},"RequestBody":[],"StatusCode":200,
"ResponseHeaders":{"Content-Type":"application/octet-stream","Content-Encoding":"gzip"},"ResponseBody":"B64"}]}"#,
    ),
    (
        "nock",
        r#"[{"scope":"https://as.example","path":"/userinfo","status":"200","response":["HEX1","HEX2"],"rawHeaders":["Content-Encoding","gzip"]}]"#,
    ),
    (
        "nock",
        r#"[{"scope":"https://as.example:443","method":"GET","path":"/userinfo","response":"7b22737562223a2278227d","rawHeaders":{},"responseIsBinary":true}]"#,
    ),
];

#[test]
fn what_other_recorders_wrote_is_read() {
    for (at, (format, text)) in USERINFO.iter().enumerate() {
        let text = text.replace("B64", GZIP).replace("HEX1", &GZIP_HEX[..20]);
        let text = text.replace("HEX2", &GZIP_HEX[20..]);
        let name = format!("{at}: {format}");
        let known = Format::of(text.as_bytes());
        assert_eq!(known, Format::from_word(format), "{name}");
        let imported = import::read(text.as_bytes(), None, WRITTEN).expect(&name);
        let [exchange] = imported.exchanges.as_slice() else {
            panic!("{name}: {}", imported.exchanges.len());
        };
        let (request, heard) = (&exchange.request, exchange.response.as_ref().expect(&name));
        let url = request.url.to_string();
        assert_eq!(
            (request.method.as_str(), url.as_str(), heard.status),
            ("GET", "https://as.example/userinfo", 200),
            "{name}"
        );
        assert_eq!(
            String::from_utf8_lossy(&heard.body.bytes),
            "{\"sub\":\"x\"}",
            "{name}"
        );
        let says_when = text.contains("08:43:42 GMT");
        let begun = if says_when {
            "2026-11-24T08:43:42Z"
        } else {
            "2026-11-30T00:00:00Z"
        };
        assert_eq!(imported.begun, begun, "{name}");
    }
}

#[test]
fn what_was_sent_is_read_from_each_kind_of_body() {
    let form = "grant_type=client_credentials&client_id=web";
    let php = "- request: {method: POST, url: 'https://as.example/token', post_fields: {grant_type: client_credentials, client_id: web}}\n  response: {status: 401}\n";
    let nested = "- request: {method: POST, url: 'https://as.example/token', post_fields: {a: {b: [x, y z]}}}\n  response: {status: 401}\n";
    let hoverfly = r#"{"data":{"pairs":[{"request":{"destination":[{"matcher":"exact","value":"as.example"}],"path":[{"matcher":"exact","value":"/a b"}],
"query":{"q":[{"matcher":"exact","value":"1&2"}]},"body":[{"matcher":"form","value":{"grant_type":[{"matcher":"exact","value":"client_credentials"}],"client_id":[{"matcher":"exact","value":"web"}]}}]},
"response":{"status":401,"body":""}}]}}"#;
    let httpmock = "when:\n  method: POST\n  host: as.example\n  port: 8443\n  path: /token\n  form_urlencoded_tuple:\n  - {name: grant_type, value: client_credentials}\n  - {name: client_id, value: web}\nthen:\n  status: 401\n";
    let parts = "interactions:\n- request: {method: POST, uri: 'https://as.example/token', body: [grant_type=client_credentials, '&client_id=web'], headers: {}}\n  response: {status: {code: 401}, body: {string: ''}, headers: {}}\n";
    for (name, text, url, sent) in [
        ("VCR", VCR, "https://as.example/token", form),
        ("PHP-VCR", php, "https://as.example/token", form),
        (
            "PHP-VCR, nested",
            nested,
            "https://as.example/token",
            "a%5Bb%5D%5B0%5D=x&a%5Bb%5D%5B1%5D=y%20z",
        ),
        (
            "Hoverfly",
            hoverfly,
            "https://as.example/a%20b?q=1%262",
            form,
        ),
        ("httpmock", httpmock, "https://as.example:8443/token", form),
        ("vcrpy", parts, "https://as.example/token", form),
        (
            "nock",
            NOCK,
            "https://as.example/token",
            "grant_type=client_credentials",
        ),
    ] {
        let imported = import::read(text.as_bytes(), None, WRITTEN).expect(name);
        let request = &imported.exchanges[0].request;
        assert_eq!(request.url.to_string(), url, "{name}");
        assert_eq!(String::from_utf8_lossy(&request.body.bytes), sent, "{name}");
        let kind = request.headers.get("content-type");
        assert_eq!(kind, Some("application/x-www-form-urlencoded"), "{name}");
    }
    let imported = import::read(VCR.as_bytes(), None, WRITTEN).expect("VCR");
    let heard = imported.exchanges[0].response.as_ref().expect("an answer");
    let cookies: Vec<_> = heard.headers.all("set-cookie").collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(
        String::from_utf8_lossy(&heard.body.bytes),
        "{\"error\":\"invalid_client\"}"
    );
}

#[test]
fn what_can_be_read_of_a_file_is_and_the_rest_is_named() {
    let pair = |destination: &str, more: &str| {
        format!(
            r#"{{"request":{{"destination":[{{"matcher":"{destination}","value":"as.example"}}],"path":[{{"matcher":"exact","value":"token/v1:start"}}]{more}}},"response":{{"status":200,"body":"{{}}"}}}}"#
        )
    };
    let query = r#","query":{"resource":[{"matcher":"exact","value":"a;b"}],"audience":[{"matcher":"array","value":["c","d"]}]}"#;
    let pairs = [pair("glob", ""), pair("exact", query)].join(",");
    let text = format!(r#"{{"data":{{"pairs":[{pairs}]}}}}"#);
    let read = |text: &str| import::read(text.as_bytes(), None, WRITTEN);
    let imported = read(&text).expect("Hoverfly");
    let left_out = LeftOut {
        entry: 1,
        why: "its request has no exact `destination`",
    };
    assert_eq!(imported.left_out, [left_out]);
    assert_eq!(
        imported.exchanges[0].request.url.to_string(),
        "https://as.example/token/v1:start?resource=a&resource=b&audience=c&audience=d"
    );
    let none = read(&format!(r#"{{"data":{{"pairs":[{}]}}}}"#, pair("glob", ""))).err();
    let none = none.map(|error| error.to_string()).unwrap_or_default();
    assert!(none.starts_with("hoverfly: recording 1: "), "{none}");
}

#[test]
fn json_that_is_a_list_stays_one() {
    let nock =
        r#"[{"scope":"https://as.example","path":"/scopes","response":["openid","profile"]}]"#;
    let imported = import::read(nock.as_bytes(), None, WRITTEN).expect("nock");
    let heard = imported.exchanges[0].response.as_ref().expect("an answer");
    assert_eq!(&heard.body.bytes[..], br#"["openid","profile"]"#);
    let php = r#"[{"request":{"method":"GET","url":"https://as.example/"},"response":{"status":{"code":200}}}]"#;
    assert_eq!(Format::of(php.as_bytes()), Some(Format::PhpVcr));
}

#[test]
fn recordings_stay_in_the_order_of_the_file() {
    let asked = |path: &str, date: &str| {
        format!(
            r#"{{"scope":"https://as.example","method":"GET","path":"/{path}","status":200,"response":"","rawHeaders":[{date}]}}"#
        )
    };
    let date = |at: &str| format!(r#""Date","Tue, 24 Nov 2026 08:{at} GMT""#);
    let text = [
        asked("first", ""),
        asked("second", &date("43:42")),
        asked("of-a-clock-behind", &date("40:00")),
        asked("without-a-date", ""),
        asked("last", &date("43:50")),
    ];
    let text = format!("[{}]", text.join(","));
    let imported = import::read(text.as_bytes(), None, WRITTEN).expect("nock");
    assert_eq!(imported.begun, "2026-11-24T08:43:42Z");
    let seen = |exchange: &Exchange| {
        let path = exchange.request.url.path.clone();
        (
            path,
            exchange.at.as_millis(),
            exchange.clock - 1_795_509_822,
        )
    };
    let expected = [
        ("/first", 1, 0),
        ("/second", 2, 0),
        ("/of-a-clock-behind", 3, -222),
        ("/without-a-date", 4, 0),
        ("/last", 8_005, 8),
    ];
    let expected = expected.map(|(path, at, clock)| (path.to_owned(), at, clock));
    assert_eq!(
        imported.exchanges.iter().map(seen).collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn the_time_is_when_the_id_token_was_issued_where_nothing_else_says_it() {
    // {"alg":"none"}.{"iat":1795509822}
    let token = "eyJhbGciOiJub25lIn0.eyJpYXQiOjE3OTU1MDk4MjJ9.";
    let text = NOCK.replace(
        "\"token_type\"",
        &format!("\"id_token\":\"{token}\",\"token_type\""),
    );
    let imported = import::read(text.as_bytes(), None, WRITTEN).expect("nock");
    assert_eq!(imported.begun, "2026-11-24T08:43:42Z");
}

#[test]
fn what_is_not_read_is_said_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let deep = format!("http_interactions:\n- {}\n", "[".repeat(50_000));
    let twice = |at: usize| format!("- &a{} [*a{at}, *a{at}, *a{at}]\n", at + 1);
    let bomb: String = (0..100).map(twice).collect();
    let bomb = format!("http_interactions:\n- &a0 [x]\n{bomb}");
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
            VCRPY.replace("{string: '{", "{string: !!binary '{"),
            "vcrpy: recording 1: a body that should be in base64 is not",
        ),
        (
            "no status",
            VCR.replace("code: 401", "code: many"),
            "vcr: recording 1: its answer has no status",
        ),
        ("half", VCRPY[..VCRPY.len() / 2].to_owned(), "vcrpy: line"),
        ("deep", deep, "vcr: line"),
        ("bomb", bomb, "vcr: line"),
        (
            "no list",
            "http_interactions: {}\n".to_owned(),
            "vcr: the file has no `http_interactions`, a list of recordings",
        ),
        (
            "nock",
            NOCK.replace("\"status\":200", "\"status\":\"many\""),
            "nock: recording 1: its answer has no status",
        ),
        (
            "json",
            NOCK[1..].to_owned(),
            "this is JSON, but no HAR file",
        ),
        (
            "open",
            r#"{"data":{"pairs":[{"request":{"destination":[{"matcher":"glob","value":"*"}]}}]}}"#
                .to_owned(),
            "hoverfly: recording 1: its request has no exact `destination`",
        ),
        (
            "no host",
            "when:\n  path: /\nthen:\n  status: 200\n".to_owned(),
            "httpmock: recording 1: it does not say whose answer it is; add `host: NAME` to its `when`",
        ),
        (
            "files",
            "- request: {url: 'https://as.example/', post_files: [x]}\n  response: {status: 200}\n"
                .to_owned(),
            "php-vcr: recording 1: it sends files",
        ),
        (
            "nowhere",
            VCRPY.replace("https://as.example", "nowhere"),
            "no recording with a request to a server",
        ),
        (
            "ours",
            "interactions: []\nrecorded_by: x\n".to_owned(),
            "this is no file of azure-test-proxy, go-vcr, har, hoverfly, httpmock, mitmproxy, nock, php-vcr, vcr or vcrpy; `authtape import --from` says which it is",
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
    let (before, rest) = text.split_once("    multipart:\n").expect("parts");
    let (_, after) = rest.split_once("  response:\n").expect("an answer");
    let dropped = "    body: {dropped: page, size: 7, sniff: html}\n";
    let page = format!("{before}{dropped}  response:\n{after}");
    std::fs::write(directory.path().join("multipart.yaml"), &text).expect("written");
    std::fs::write(directory.path().join("page.yaml"), page).expect("written");
    std::fs::write(directory.path().join("reset.yaml"), failed).expect("written");
    let page = "authtape: vcr has no place for the body of the request of 2 token request\n";
    let reset = "authtape: vcrpy has no place for 1 authorization request, which ended with connection_reset\n";
    for (file, format, expected) in [
        ("page.yaml", "vcr", page),
        ("multipart.yaml", "vcr", ""),
        ("multipart.yaml", "har", ""),
        ("reset.yaml", "vcrpy", reset),
        ("reset.yaml", "mitmproxy", ""),
    ] {
        let output = authtape(directory.path(), &["export", file, "--to", format]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let (told, labels) = told.split_at(expected.len());
        assert_eq!(told, expected, "{file} {format}");
        assert_eq!(labels.lines().count(), 1, "{file} {format}: {labels}");
        assert!(
            labels.starts_with("authtape: labels stand for what was secret: "),
            "{labels}"
        );
    }
    for (arguments, code, why) in [
        (
            &["export", "reset.yaml", "--to", "tape"][..],
            2,
            "[possible values: azure-test-proxy, curl, go-vcr, har, hoverfly, httpmock, mitmproxy, nock, php-vcr, polly, vcr, vcrpy]",
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
    for format in export::Format::ALL {
        if [export::Format::Har, export::Format::Mitmproxy].contains(format) {
            continue;
        }
        let exported = export::write(&thread("redirect-slash"), *format).expect("exported");
        insta::assert_snapshot!(
            format!("export {format}"),
            String::from_utf8_lossy(&exported.bytes)
        );
    }
}
