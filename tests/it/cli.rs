//! The command line as a user meets it: help, errors, exit codes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

pub(crate) fn authtape(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_authtape"))
        .args(arguments)
        .current_dir(directory)
        .env("COLUMNS", "100")
        .output()
        .expect("it starts")
}

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn shipped(variant: &str) -> String {
    format!(
        "{}/cassettes/accounts.example.com/thread-{variant}.yaml",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[test]
fn every_command_has_its_help() {
    let here = tempfile::tempdir().expect("a directory");
    for command in [
        "", "record", "replay", "explain", "rules", "show", "diff", "mutate", "audit", "scrub",
        "import", "recover", "ca", "demo", "doctor",
    ] {
        let arguments: Vec<&str> = [command, "--help"]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        let output = authtape(here.path(), &arguments);
        assert!(output.status.success());
        insta::assert_snapshot!(format!("help {command}"), said(&output));
    }
}

#[test]
fn each_mistake_is_said_clearly_and_has_its_exit_code() {
    let here = tempfile::tempdir().expect("a directory");
    let write =
        |name: &str, text: &[u8]| std::fs::write(here.path().join(name), text).expect("written");
    let good = std::fs::read_to_string(shipped("correct")).expect("a cassette");
    write("taken.yaml", b"mine");
    write(
        "key.yaml",
        good.replace(
            "  step: authorization_request",
            "  stepp: authorization_request",
        )
        .as_bytes(),
    );
    write(
        "version.yaml",
        good.replace("authtape: 1", "authtape: 7").as_bytes(),
    );
    write("other.yaml", b"version: '3'\nservices: {}\n");
    write("binary.yaml", &[0x61, 0x0a, 0xff, 0xfe]);
    write(
        "control.yaml",
        good.replace("client_id", "client\u{1b}[31m_id").as_bytes(),
    );
    write(
        "anchor.yaml",
        good.replace("method: GET", "method: &a GET").as_bytes(),
    );
    write("empty.yaml", b"");
    for (name, from, to) in [
        ("colon.yaml", "  step: auth", "  step auth"),
        ("number.yaml", "status: 302", "status: found"),
        ("twice.yaml", "- id: 2", "- id: 1"),
        ("key-twice.yaml", "- id: 1\n", "- id: 1\n  id: 1\n"),
        ("no-request.yaml", "  request:\n", ""),
        ("no-method.yaml", "    method: GET\n", ""),
        ("tab.yaml", "    method: GET", "\tmethod: GET"),
        ("indent.yaml", "    method: GET", "   method: GET"),
        ("quote.yaml", "http: \"1.1\"", "http: \"1.1"),
        ("list.yaml", "    headers:\n", "    headers: none\n"),
        ("mark.yaml", "authtape: 1", "\u{feff}authtape: 1"),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{name}");
        write(name, text.as_bytes());
    }
    write(
        "cut.yaml.part",
        &good.as_bytes()[..good.find("# end 1").expect("an end") - 10],
    );
    let file = std::fs::File::create(here.path().join("zeros.yaml")).expect("a file");
    file.set_len(100 << 20).expect("100 MB of zeros");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = port.local_addr().expect("an address").to_string();
    let rows: &[(&[&str], i32)] = &[
        (&["explain"], 2),
        (&["explain", "missing.yaml"], 3),
        (&["explain", "key.yaml"], 3),
        (&["explain", "version.yaml"], 3),
        (&["explain", "other.yaml"], 3),
        (&["explain", "binary.yaml"], 3),
        (&["explain", "control.yaml"], 3),
        (&["explain", "anchor.yaml"], 3),
        (&["explain", "empty.yaml"], 3),
        (&["explain", "zeros.yaml"], 3),
        (&["explain", "colon.yaml"], 3),
        (&["explain", "number.yaml"], 3),
        (&["explain", "twice.yaml"], 3),
        (&["explain", "key-twice.yaml"], 3),
        (&["explain", "no-request.yaml"], 3),
        (&["explain", "no-method.yaml"], 3),
        (&["explain", "tab.yaml"], 3),
        (&["explain", "indent.yaml"], 3),
        (&["explain", "quote.yaml"], 3),
        (&["explain", "list.yaml"], 3),
        (&["explain", "mark.yaml"], 3),
        (&["replay", "key.yaml", "--", "true"], 3),
        (&["recover", "cut.yaml.part"], 3),
        (&["recover", "taken.yaml"], 3),
        (&["rules", "token-body-jsn"], 2),
        (&["rules", "nope"], 2),
        (&["rules", "nope", "json"], 2),
        (&["explain", "key.yaml", "--rule", "nope"], 2),
        (&["explain", "key.yaml", "--error", "invalid_grant"], 2),
        (&["explain", "--error", "x", "--format", "sarif"], 2),
        (&["import", "key.yaml", "-o", "y.yaml"], 3),
        (&["import", "good.yaml", "-o", "taken.yaml"], 3),
        (&["record", "x.yaml", "php", "login.php"], 2),
        (&["record", "x.yaml", "--hots", "idp.example"], 2),
        (
            &[
                "record",
                "x.yaml",
                "--host",
                "https://idp.example/",
                "--",
                "true",
            ],
            2,
        ),
        (
            &[
                "record",
                "x.yaml",
                "--host",
                "idp.example:443",
                "--",
                "true",
            ],
            2,
        ),
        (&["record", "x.yaml", "--listen", "8080", "--", "true"], 2),
        (&["record", "x.yaml", "--limit", "idle=5", "--", "true"], 2),
        (
            &["record", "x.yaml", "--limit", "bodies=5M", "--", "true"],
            2,
        ),
        (&["record", ".", "--overwrite", "--", "true"], 3),
        (&["record", "taken.yaml", "--", "true"], 3),
        (&["record", "other.yaml/x.yaml", "--", "true"], 3),
        (
            &[
                "record",
                "x.yaml",
                "--upstream-ca",
                "taken.yaml",
                "--",
                "true",
            ],
            3,
        ),
        (
            &["record", "x.yaml", "--resolve", "nonsense", "--", "true"],
            2,
        ),
        (&["record", "x.yaml", "--listen", &listen, "--", "true"], 3),
        (
            &["record", "x.yaml", "--listen", "0.0.0.0:0", "--", "true"],
            3,
        ),
        (&["record", "x.yaml", "--", "no-such-program-here"], 127),
    ];
    let mut told = Vec::new();
    for (arguments, code) in rows {
        let output = authtape(here.path(), arguments);
        assert_eq!(
            output.status.code(),
            Some(*code),
            "{arguments:?}: {}",
            said(&output)
        );
        told.push(format!(
            "$ authtape {}\n{}",
            arguments.join(" "),
            said(&output)
        ));
        let _ = std::fs::remove_file(here.path().join("x.yaml"));
    }
    assert_eq!(
        std::fs::read(here.path().join("taken.yaml")).expect("a file"),
        b"mine"
    );
    insta::assert_snapshot!(told.join("\n").replace(&listen, "127.0.0.1:PORT"));
}

#[test]
fn the_programs_own_status_is_kept_and_the_cassette_up_to_then() {
    let here = tempfile::tempdir().expect("a directory");
    for (n, (script, code)) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)]
        .into_iter()
        .enumerate()
    {
        let tape = format!("{n}.yaml");
        let script = format!("{ASK}; {script}");
        let command = ["--keep", "all", "--", "bash", "-c", &script];
        let output = authtape(here.path(), &[&["record", &tape][..], &command].concat());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{script}: {}",
            said(&output)
        );
        let shown = authtape(here.path(), &["show", &tape]);
        assert!(shown.status.success(), "{script}: {}", said(&shown));
    }
}

/// Asks the proxy for a server that is not there.
const ASK: &str = r#"exec 3<>"/dev/tcp/127.0.0.1/${HTTP_PROXY##*:}"; printf 'GET http://nowhere.invalid/ HTTP/1.0\r\n\r\n' >&3; cat <&3 >/dev/null"#;

#[test]
fn what_holds_nothing_is_not_written_and_replaces_nothing() {
    let here = tempfile::tempdir().expect("a directory");
    for (command, code, expected) in [
        (["sh", "-c", "exit 0"], 1, "nothing came through the proxy"),
        (
            ["bash", "-c", ASK],
            1,
            "nowhere.invalid: its name does not resolve",
        ),
        (["no-such-program", "", ""], 127, "there is no program"),
    ] {
        std::fs::write(here.path().join("x.yaml"), "mine").expect("written");
        let record = ["record", "x.yaml", "--overwrite", "--"];
        let output = authtape(here.path(), &[&record[..], &command].concat());
        let told = said(&output);
        assert_eq!(output.status.code(), Some(code), "{command:?}: {told}");
        assert!(told.contains(expected), "{command:?}: {told}");
        let names: Vec<_> = std::fs::read_dir(here.path())
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["x.yaml"], "{command:?}");
        let left = std::fs::read(here.path().join("x.yaml")).expect("a file");
        assert_eq!(left, b"mine", "{command:?}");
    }
}

#[test]
fn explain_ends_with_1_for_errors_and_0_without() {
    let here = tempfile::tempdir().expect("a directory");
    for (variant, code) in [("json", 1), ("correct", 0)] {
        assert_eq!(
            authtape(here.path(), &["explain", &shipped(variant)])
                .status
                .code(),
            Some(code),
            "{variant}"
        );
    }
}

#[test]
fn explain_names_a_request_that_got_no_answer() {
    let here = tempfile::tempdir().expect("a directory");
    let tape = "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n- id: 1\n  step: token_request\n  at: 0.0\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"1.1\"\n    headers:\n    - Content-Type: application/x-www-form-urlencoded\n    form:\n    - grant_type: client_credentials\n  error:\n    kind: dns_failure\n    phase: connect\n    after: 0.001\n";
    std::fs::write(here.path().join("x.yaml"), tape).expect("written");
    let output = authtape(here.path(), &["explain", "x.yaml"]);
    let expected = "x.yaml: no rule applies, but not every request got its answer:\n  1 token request (https://as.example/token): the server's name does not resolve (dns_failure during connect)\n";
    assert_eq!(said(&output), expected);
    let both = std::fs::read_to_string(shipped("json")).expect("a cassette");
    let (_, unanswered) = tape.split_once("interactions:\n").expect("a head");
    let both = format!("{both}\n{}", unanswered.replace("id: 1", "id: 9"));
    std::fs::write(here.path().join("x.yaml"), both).expect("written");
    let output = authtape(here.path(), &["explain", "x.yaml"]);
    let end = ", 1 note\n\nnot every request got its answer:\n  9 token request (https://as.example/token): the server's name does not resolve (dns_failure during connect)\n";
    assert!(said(&output).ends_with(end), "{}", said(&output));
}

#[test]
fn a_run_that_is_not_on_tape_ends_with_1() {
    let here = tempfile::tempdir().expect("a directory");
    let output = authtape(
        here.path(),
        &["replay", &shipped("correct"), "--json", "--", "true"],
    );
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["unplayed"].as_array().map(Vec::len), Some(2));
}

#[test]
fn where_ci_is_set_a_cassette_that_is_missing_is_a_fault() {
    let here = tempfile::tempdir().expect("a directory");
    for (ci, code) in [("true", 3), ("", 1)] {
        let output = Command::new(env!("CARGO_BIN_EXE_authtape"))
            .args(["replay", "x.yaml", "--mode", "once", "--", "true"])
            .current_dir(here.path())
            .env("CI", ci)
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{ci}: {}", said(&output));
    }
}

#[test]
fn a_miss_may_be_the_end() {
    let here = tempfile::tempdir().expect("a directory");
    let endless = "curl -s https://nowhere.example/x >/dev/null; sleep 600";
    let arguments = [
        "replay",
        &shipped("correct"),
        "--on-miss",
        "fail",
        "--",
        "sh",
        "-c",
        endless,
    ];
    let output = authtape(here.path(), &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("nothing recorded went to this URL"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_cassette_with_a_broken_label_is_refused_with_its_line() {
    let here = tempfile::tempdir().expect("a directory");
    let text = std::fs::read_to_string(shipped("correct")).expect("a cassette");
    let broken = text.replacen("REDACTED-state-1", "REDACTED-state", 1);
    std::fs::write(here.path().join("x.yaml"), broken).expect("written");
    let output = authtape(here.path(), &["replay", "x.yaml", "--", "true"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let line = text
        .lines()
        .position(|line| line.contains("REDACTED-state-1"));
    let line = format!("line {}, ", line.expect("a label") + 1);
    assert!(said(&output).contains(&line), "{line}: {}", said(&output));
}

#[test]
fn audit_points_and_does_not_show() {
    let here = tempfile::tempdir().expect("a directory");
    std::fs::write(
        here.path().join("log.txt"),
        "x\nAuthorization: Bearer SlAV32hkKG8xyzQW12\n",
    )
    .expect("written");
    let output = authtape(here.path(), &["audit", "log.txt", &shipped("correct")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "log.txt:2:23: credentials behind an authorization scheme\n"
    );
    let clean = authtape(here.path(), &["audit", &shipped("correct")]);
    assert_eq!(
        (clean.status.code(), said(&clean)),
        (
            Some(0),
            "nothing that looks like a secret in 1 file\n".to_owned()
        )
    );
}

#[test]
fn a_kept_authority_is_made_shown_and_used() {
    let here = tempfile::tempdir().expect("a directory");
    let made = authtape(here.path(), &["ca", "new", "ca"]);
    assert!(made.status.success(), "{}", said(&made));
    let shown = authtape(here.path(), &["ca", "show", "ca"]);
    assert_eq!(made.stdout, shown.stdout);
    let again = authtape(here.path(), &["ca", "new", "ca"]);
    assert_eq!(again.status.code(), Some(3), "{}", said(&again));
    let script = "grep -c 'BEGIN CERTIFICATE' \"$SSL_CERT_FILE\" >/dev/null && tail -n 3 \"$SSL_CERT_FILE\" | head -n 1";
    let used = authtape(
        here.path(),
        &[
            "record", "x.yaml", "--ca", "ca", "--quiet", "--", "sh", "-c", script,
        ],
    );
    let line = String::from_utf8_lossy(&used.stdout).trim().to_owned();
    let pem = std::fs::read_to_string(here.path().join("ca/ca.pem")).expect("a certificate");
    assert!(!line.is_empty() && pem.contains(&line), "{}", said(&used));
}

#[test]
fn the_demo_leaves_its_cassette_and_never_replaces_one() {
    let here = tempfile::tempdir().expect("a directory");
    for name in ["authtape-demo.yaml", "authtape-demo-2.yaml"] {
        let output = authtape(here.path(), &["demo"]);
        assert!(output.status.success(), "{}", said(&output));
        let text = said(&output);
        assert!(
            text.contains("error[redirect-uri-trailing-slash]"),
            "{text}"
        );
        assert!(
            text.contains("The client got the same answers, from the tape alone."),
            "{text}"
        );
        assert!(here.path().join(name).exists(), "{name}");
    }
}

#[test]
fn the_proxys_password_is_given_to_the_program_and_shown_to_nobody() {
    let here = tempfile::tempdir().expect("a directory");
    let password = "Cn7kQ9zR2vXpL0aM";
    let record = |cassette: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_authtape"));
        command
            .args(["record", cassette, "--ready-file", "ready.json"])
            .current_dir(here.path())
            .env("AUTHTAPE_PROXY_PASSWORD", password);
        command
    };
    let mut waiting = record("x.yaml");
    let mut waiting = waiting.stderr(Stdio::piped()).spawn().expect("it starts");
    let told = BufReader::new(waiting.stderr.take().expect("a pipe")).lines();
    let told: Vec<_> = told
        .map(|line| line.expect("text"))
        .take_while(|line| !line.starts_with("Ctrl-C"))
        .collect();
    let file = told.iter().find_map(|line| line.strip_prefix("  . "));
    let file = file.unwrap_or_else(|| panic!("{told:?}"));
    let text = std::fs::read_to_string(file).expect("a file");
    waiting.kill().expect("ended");
    waiting.wait().expect("ended");
    let told = told.join("\n");
    assert!(!told.contains(password), "{told}");
    assert!(!text.contains(password), "{text}");
    let export = "export HTTPS_PROXY=''\"http://authtape:$AUTHTAPE_PROXY_PASSWORD@127.0.0.1:";
    assert!(text.contains(export), "{text}");
    let ready = std::fs::read_to_string(here.path().join("ready.json")).expect("a file");
    assert!(!ready.contains(password), "{ready}");

    let program = ["--", "sh", "-c", "echo $HTTPS_PROXY"];
    let ran = record("y.yaml").args(program).output().expect("it starts");
    let given = String::from_utf8_lossy(&ran.stdout).into_owned();
    let start = format!("http://authtape:{password}@127.0.0.1:");
    assert!(given.starts_with(&start), "{given}");
}

#[test]
fn doctor_says_whether_a_program_comes_through() {
    let here = tempfile::tempdir().expect("a directory");
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", server.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in server.incoming().flatten() {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            // A client that is gone is the test's to notice.
            let _ = std::io::Read::read(&mut &stream, &mut [0; 4096]);
            let _ = std::io::Write::write_all(&mut &stream, answer);
        }
    });
    let through = authtape(here.path(), &["doctor", "--", "curl", "-s", &url]);
    assert_eq!(through.status.code(), Some(0), "{}", said(&through));
    assert!(said(&through).contains("1 recorded\nit seems to be: curl"));
    let direct = ["doctor", "--", "curl", "-s", "--noproxy", "*", &url];
    let direct = authtape(here.path(), &direct);
    assert_eq!(direct.status.code(), Some(1), "{}", said(&direct));
    assert!(said(&direct).contains("not covered: nothing came through"));
    let canary = "Cn4uV7xQ1mZ8kR2tW5yB9dF3gH6jL0nP";
    let with_secrets = [
        "curl",
        "-s",
        "-u",
        &format!("shop:{canary}"),
        "-A",
        &format!("{canary}/1.0"),
        "-H",
        &format!("X-Unheard-Of: {canary}"),
        "-d",
        &format!("code={canary}"),
        &format!("{url}{canary}?{canary}=1&state={canary}"),
    ];
    for form in [&["doctor", "--"][..], &["doctor", "--json", "--"]] {
        let told = authtape(here.path(), &[form, &with_secrets[..]].concat());
        assert_eq!(told.status.code(), Some(0), "{}", said(&told));
        let told = [told.stdout, told.stderr].concat();
        assert!(!String::from_utf8_lossy(&told).contains(canary));
    }
}
