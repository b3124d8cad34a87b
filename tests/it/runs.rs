//! How `record`, `replay` and `doctor` run a program, and what their exit codes say of it.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::plain_server;

fn authtape(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authtape"));
    command.args(arguments).current_dir(directory);
    command
}

fn ran(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    told(&authtape(directory, arguments).output().expect("it starts"))
}

fn told(output: &Output) -> (Option<i32>, String) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.code(), said)
}

fn shipped(variant: &str) -> String {
    format!(
        "{}/cassettes/accounts.example.com/thread-{variant}.yaml",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// A server without TLS that answers every request with its own first line.
fn echo() -> SocketAddr {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in server.incoming().flatten() {
            let mut heard = BufReader::new(&stream);
            let mut line = String::new();
            // A client that is gone is the test's to notice.
            let _ = heard.read_line(&mut line);
            let rest = heard.lines().map_while(Result::ok);
            let host = rest.take_while(|line| !line.is_empty());
            let host: Vec<_> = host
                .filter(|line| line.to_ascii_lowercase().starts_with("host:"))
                .collect();
            let body = format!("{} {}", line.trim(), host.join(" "));
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = std::io::Write::write_all(&mut &stream, answer.as_bytes());
        }
    });
    address
}

#[test]
fn the_programs_failure_is_told_even_where_the_cassette_cannot_be_written() {
    let here = tempfile::tempdir().expect("a directory");
    let url = format!("http://{}/token", echo());
    let script = format!("curl -s -d grant_type=x {url}; echo mine > x.yaml; exit 7");
    for (script, code) in [(script.as_str(), 7), (&script.replace("exit 7", "true"), 3)] {
        let (ended, said) = ran(here.path(), &["record", "x.yaml", "--", "sh", "-c", script]);
        assert_eq!(ended, Some(code), "{said}");
        assert!(
            said.contains("came into being during the recording"),
            "{said}"
        );
        let left = std::fs::read_to_string(here.path().join("x.yaml")).expect("a file");
        assert_eq!(left, "mine\n");
        let (saved, said) = ran(here.path(), &["recover", "x.yaml.part"]);
        assert_eq!(saved, Some(0), "{said}");
        assert!(said.contains("1 interaction in x.recovered.yaml"), "{said}");
        assert!(
            said.contains("next: authtape explain x.recovered.yaml"),
            "{said}"
        );
        for name in ["x.yaml", "x.recovered.yaml"] {
            std::fs::remove_file(here.path().join(name)).expect("removed");
        }
    }
}

#[test]
fn doctor_ends_as_record_does() {
    let here = tempfile::tempdir().expect("a directory");
    for (command, code) in [
        (&["no-such-program-here"][..], 127),
        (&["sh", "-c", "exit 7"], 7),
        (&["/dev/null"], 126),
        (&["true"], 1),
    ] {
        let (ended, said) = ran(here.path(), &[&["doctor", "--"], command].concat());
        assert_eq!(ended, Some(code), "{command:?}: {said}");
    }
}

#[test]
fn a_recording_of_nothing_is_a_failure_and_said_even_to_the_quiet() {
    let here = tempfile::tempdir().expect("a directory");
    let nothing = "nothing to record, so x.yaml was not written";
    let (ended, said) = ran(here.path(), &["record", "x.yaml", "-q", "--", "true"]);
    assert_eq!(ended, Some(1), "{said}");
    assert!(said.contains(nothing), "{said}");
    let (ended, said) = ran(here.path(), &["record", "x.yaml", "-q", "--", "false"]);
    assert_eq!((ended, said.as_str()), (Some(1), ""));
}

#[test]
fn what_is_wrong_is_said_at_the_end_of_a_recording_and_to_the_curious_at_once() {
    let here = tempfile::tempdir().expect("a directory");
    let url = format!(
        "http://127.0.0.1:{}/token",
        plain_server("{\"error\":\"unsupported_grant_type\"}")
    );
    let json = "{\"grant_type\":\"client_credentials\",\"client_id\":\"shop\"}";
    let script = format!("curl -s -H 'Content-Type: application/json' -d '{json}' {url}");
    let (line, finding) = ("1 token request: POST", "error[token-body-json]");
    for (flag, lines, findings) in [("--verbose", 1, 1), ("--http1", 0, 1), ("--quiet", 0, 0)] {
        let run = ["record", "x.yaml", "--overwrite", flag, "--", "sh", "-c"];
        let (code, said) = ran(here.path(), &[&run[..], &[&script]].concat());
        assert_eq!(code, Some(0), "{flag}: {said}");
        assert_eq!(said.matches(line).count(), lines, "{flag}: {said}");
        assert_eq!(said.matches(finding).count(), findings, "{flag}: {said}");
    }
}

#[test]
fn a_play_that_nobody_heard_is_not_clean() {
    let here = tempfile::tempdir().expect("a directory");
    let text = std::fs::read_to_string(shipped("correct")).expect("a cassette");
    // No step of it is required, and still none was played.
    let repeatable = text.replace("step: authorization_request", "step: discovery");
    let repeatable = repeatable.replace("step: token_request", "step: jwks");
    std::fs::write(here.path().join("x.yaml"), repeatable).expect("written");
    let head = text.split("interactions:").next().expect("a head");
    std::fs::write(
        here.path().join("empty.yaml"),
        format!("{head}interactions:\n"),
    )
    .expect("written");
    for (cassette, code, clean) in [("x.yaml", 1, false), ("empty.yaml", 0, true)] {
        let output = authtape(here.path(), &["replay", cassette, "--json", "--", "true"]);
        let output = { output }.output().expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{cassette}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(report["clean"], clean, "{cassette}");
    }
}

#[test]
fn clients_that_were_waited_for_are_judged_too() {
    let here = tempfile::tempdir().expect("a directory");
    let (one, two) = (shipped("correct"), shipped("json"));
    let mut waiting = authtape(here.path(), &["replay", &one, &two])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(waiting.stderr.take().expect("a pipe")).lines();
    let mut line = || said.next().expect("a line").expect("text");
    let proxy = line();
    let proxy = proxy.strip_prefix("listening on ").expect("a proxy");
    while !line().starts_with("Ctrl-C") {}
    let asked = Command::new("curl")
        .args(["-s", "-x", proxy, "http://accounts.example.com/nowhere"])
        .output()
        .expect("curl");
    assert!(asked.status.success());
    let pid = waiting.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.expect("kill").success());
    assert_eq!(waiting.wait().expect("ended").code(), Some(1));
    let rest: Vec<_> = said.map(|line| line.expect("text")).collect();
    let misses = rest.iter().filter(|line| line.contains("miss: "));
    assert_eq!(misses.count(), 1, "{rest:?}");
    let unasked = |cassette: &String| {
        let start = format!("  never asked for: {cassette}: ");
        rest.iter().any(|line| line.starts_with(&start))
    };
    assert!(unasked(&one) && unasked(&two), "{rest:?}");
}

/// A port that is free, below those that the system gives to whoever asks for any.
fn free_port() -> u16 {
    (20_000..32_000)
        .skip(std::process::id() as usize % 10_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port")
}

#[test]
fn a_client_that_reads_the_proxys_variables_comes_to_a_local_origin() {
    let here = tempfile::tempdir().expect("a directory");
    let server = echo();
    let local = format!("127.0.0.1:{}", free_port());
    let reverse = format!("http://{server}={local}");
    let url = format!("http://{local}/token?x=1");
    let node = format!("fetch('{url}').then(r => r.text()).then(t => console.log(t))");
    let python = format!(
        "import http.client as h; c = h.HTTPConnection('{local}'); c.request('GET', '/token?x=1'); print(c.getresponse().read().decode())"
    );
    for client in [
        &["curl", "-s", &url][..],
        &["curl", "-s", "-p", &url],
        &["node", "-e", &node],
        &["python3", "-c", &python],
    ] {
        if Command::new(client[0]).arg("--version").output().is_err() {
            continue;
        }
        let record = ["record", "x.yaml", "--overwrite", "--keep", "all"];
        let reverse = ["--reverse", &reverse, "--"];
        let (ended, said) = ran(here.path(), &[&record[..], &reverse, client].concat());
        assert_eq!(ended, Some(0), "{client:?}: {said}");
        let answer = format!("GET /token?x=1 HTTP/1.1 Host: {server}");
        assert!(
            said.to_lowercase().contains(&answer.to_lowercase()),
            "{client:?}: {said}"
        );
        let (_, shown) = ran(here.path(), &["show", "x.yaml", "--list"]);
        assert!(
            shown.contains(&format!("http://{server}/token -> 200")),
            "{client:?}: {shown}"
        );
    }
}

#[test]
fn what_authtape_refused_itself_is_never_played() {
    let here = tempfile::tempdir().expect("a directory");
    let url = "http://169.254.169.254/token";
    let asks = ["curl", "-s", "-d", "grant_type=x", url];
    let (ended, said) = ran(
        here.path(),
        &[&["record", "x.yaml", "--"][..], &asks].concat(),
    );
    assert_eq!(ended, Some(0), "{said}");
    let (ended, said) = ran(
        here.path(),
        &[&["replay", "x.yaml", "--"][..], &asks].concat(),
    );
    assert_eq!(ended, Some(1), "{said}");
    assert!(said.contains("0 played, 1 missed"), "{said}");
    assert!(said.contains("authtape itself refused this call"), "{said}");
}

#[test]
fn the_password_does_not_fail_open() {
    use std::os::unix::ffi::OsStrExt as _;
    let here = tempfile::tempdir().expect("a directory");
    let beyond = ["--listen", "0.0.0.0:0"];
    let here_alone = ["--listen", "localhost:0"];
    for (password, listen, expected) in [
        (
            &b""[..],
            here_alone,
            "AUTHTAPE_PROXY_PASSWORD is set, and is no password",
        ),
        (
            b"caf\xe9caf\xe9",
            here_alone,
            "AUTHTAPE_PROXY_PASSWORD is set, and is no password",
        ),
        (b"7-chars", beyond, "must have at least 8 characters"),
        (b"7-chars", here_alone, "nothing came through"),
        (b"8-charss", beyond, "nothing came through"),
    ] {
        let arguments = [&["record", "x.yaml"], &listen[..], &["--", "true"]].concat();
        let mut command = authtape(here.path(), &arguments);
        let set = std::ffi::OsStr::from_bytes(password);
        let (ended, said) = told(
            &command
                .env("AUTHTAPE_PROXY_PASSWORD", set)
                .output()
                .expect("it starts"),
        );
        let code = if expected.starts_with("nothing") {
            1
        } else {
            3
        };
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let browser = ["record", "x.yaml", "--browser", "https://app.example/"];
    let mut command = authtape(here.path(), &browser);
    let (ended, said) = told(
        &command
            .env("AUTHTAPE_PROXY_PASSWORD", "8-charss")
            .output()
            .expect("it starts"),
    );
    assert_eq!(ended, Some(2), "{said}");
    let mut command = authtape(here.path(), &["record", "x.yaml", "--", "true"]);
    let passphrase = std::ffi::OsStr::from_bytes(b"caf\xe9");
    let command = command.env("AUTHTAPE_CLIENT_CERT_PASSPHRASE", passphrase);
    let (ended, said) = told(&command.output().expect("it starts"));
    assert_eq!(ended, Some(3), "{said}");
}

#[test]
fn the_program_is_not_told_what_only_the_recorder_needs() {
    let here = tempfile::tempdir().expect("a directory");
    let mut command = authtape(here.path(), &["record", "x.yaml", "-q", "--", "env"]);
    let command = command
        .env("AUTHTAPE_PROXY_PASSWORD", "8-charss")
        .env("AUTHTAPE_CLIENT_CERT_PASSPHRASE", "open");
    let (_, said) = told(&command.output().expect("it starts"));
    assert!(
        said.contains("HTTPS_PROXY=http://authtape:8-charss@"),
        "{said}"
    );
    assert!(!said.contains("AUTHTAPE_"), "{said}");
}

#[test]
fn a_browser_that_fails_is_heard_and_one_that_does_not_is_not() {
    let here = tempfile::tempdir().expect("a directory");
    let path = here.path().join("browser");
    for (script, expected, hidden) in [
        (
            "echo noise >&2; exit 5",
            "the browser ended with status 5\n  noise\n",
            "HTTPS_PROXY",
        ),
        (
            "echo noise >&2",
            "nothing came through the proxy\n",
            "noise",
        ),
    ] {
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("changed");
        let program = path.to_string_lossy();
        let browser = ["record", "x.yaml", "--browser", "https://app.example/"];
        let named = ["--browser-program", &program];
        let (_, said) = ran(here.path(), &[&browser[..], &named].concat());
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains(hidden), "{said}");
    }
}

#[test]
fn a_recording_that_could_not_begin_leaves_nothing() {
    let here = tempfile::tempdir().expect("a directory");
    let binary = env!("CARGO_BIN_EXE_authtape");
    let script = format!("ulimit -f 0; {binary} record x.yaml -- true");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(here.path())
        .output()
        .expect("it starts");
    let (ended, said) = told(&output);
    assert_eq!(ended, Some(3), "{said}");
    assert!(said.contains("cannot write x.yaml.part"), "{said}");
    assert_eq!(
        std::fs::read_dir(here.path()).expect("a directory").count(),
        0
    );
}

#[test]
fn what_cannot_be_prepared_is_said_by_the_names_that_were_given() {
    let here = tempfile::tempdir().expect("a directory");
    let ready = [
        "record",
        "x.yaml",
        "--ready-file",
        "/nonexistent/ready",
        "--",
        "true",
    ];
    let (ended, said) = ran(here.path(), &ready);
    assert_eq!(ended, Some(3), "{said}");
    let expected =
        "error: cannot write /nonexistent/ready: No such file or directory (os error 2)\n";
    assert_eq!(said, expected);
    let mut command = authtape(here.path(), &["record", "x.yaml", "--", "true"]);
    let output = command.env("TMPDIR", "/nonexistent").output();
    let (ended, said) = told(&output.expect("it starts"));
    assert_eq!(ended, Some(3), "{said}");
    assert!(
        said.contains("/nonexistent") && said.contains("TMPDIR"),
        "{said}"
    );
}

#[test]
fn hosts_that_pass_unread_are_named_and_their_private_roots_are_trusted() {
    let here = tempfile::tempdir().expect("a directory");
    let server = echo();
    let url = format!("http://{server}/");
    let record = [
        "record",
        "x.yaml",
        "--host",
        "idp.example",
        "--",
        "curl",
        "-s",
        &url,
    ];
    let (_, said) = ran(here.path(), &record);
    assert!(
        said.contains(&format!("{server}: passed unread, no --host matches it")),
        "{said}"
    );

    let (ended, said) = ran(here.path(), &["ca", "new", "theirs"]);
    assert_eq!(ended, Some(0), "{said}");
    let (ended, said) = ran(here.path(), &["ca", "new", "mine"]);
    assert_eq!(ended, Some(0), "{said}");
    let count = "grep -c 'BEGIN CERT' $CURL_CA_BUNDLE; grep -c 'BEGIN CERT' $NODE_EXTRA_CA_CERTS";
    let trusting = |more: &[&str], own: Option<&str>| {
        let arguments = [
            &["record", "x.yaml", "-q"],
            more,
            &["--", "sh", "-c", count],
        ]
        .concat();
        let mut command = authtape(here.path(), &arguments);
        if let Some(own) = own {
            command.env("REQUESTS_CA_BUNDLE", own);
        }
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let counts = said
            .lines()
            .map(|line| line.parse::<usize>().expect("a number"));
        counts.collect::<Vec<_>>()
    };
    let before = trusting(&[], None);
    let upstream = trusting(&["--upstream-ca", "theirs/ca.pem"], None);
    let own = trusting(&["--upstream-ca", "theirs/ca.pem"], Some("mine/ca.pem"));
    let counts = [&before, &upstream, &own].map(|counts| counts[0] - before[0]);
    assert_eq!(counts, [0, 1, 2]);
    assert_eq!(upstream[1], before[1] + 1);
}

#[test]
fn the_shims_know_an_address_in_brackets() {
    let here = tempfile::tempdir().expect("a directory");
    let server = echo();
    let python = format!(
        "import http.client as h; c = h.HTTPConnection('{server}'); c.request('GET', '/a'); print(c.getresponse().read().decode())"
    );
    let node = format!(
        "require('http').get('http://{server}/a', {{agent: new (require('http').Agent)()}}, r => r.on('data', d => console.log(String(d))))"
    );
    for client in [&["python3", "-c", &python][..], &["node", "-e", &node]] {
        if Command::new(client[0]).arg("--version").output().is_err() {
            continue;
        }
        let record = ["record", "x.yaml", "--overwrite", "--keep", "all"];
        let listen = ["--listen", "[::1]:0", "--"];
        let (ended, said) = ran(here.path(), &[&record[..], &listen, client].concat());
        assert_eq!(ended, Some(0), "{client:?}: {said}");
        assert!(said.contains("GET /a HTTP/1.1"), "{client:?}: {said}");
        assert!(
            said.contains("1 interaction in x.yaml"),
            "{client:?}: {said}"
        );
    }
}

#[test]
fn phps_word_for_no_file_is_no_file() {
    if Command::new("php").arg("--version").output().is_err() {
        return;
    }
    let here = tempfile::tempdir().expect("a directory");
    let ini = here.path().join("ini");
    std::fs::create_dir(&ini).expect("a directory");
    let run = |setting: &str| {
        std::fs::write(ini.join("own.ini"), setting).expect("written");
        let record = ["record", "x.yaml", "-q", "--", "php", "run.php"];
        std::fs::write(here.path().join("run.php"), "<?php echo 'ran';").expect("written");
        let mut command = authtape(here.path(), &record);
        let scanned = format!(":{}", ini.display());
        let output = command.env("PHP_INI_SCAN_DIR", scanned).output();
        String::from_utf8_lossy(&output.expect("it starts").stdout).into_owned()
    };
    assert_eq!(run("auto_prepend_file = none\n"), "ran");
    let before = here.path().join("before.php");
    std::fs::write(&before, "<?php echo 'before, ';").expect("written");
    let setting = format!("auto_prepend_file = {}\n", before.display());
    assert_eq!(run(&setting), "before, ran");
}
