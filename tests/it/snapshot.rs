//! Snapshots without Cargo: `replay --snapshot`, `review`, `accept`, `reject`, and reports.

use std::path::Path;
use std::process::{Command, Output};

use crate::cli::said;

const RIGHT: &str = "https://shop.example.org/oauth/callback";
const SLASH: &str = "https://shop.example.org/oauth/callback/";

/// A directory with a cassette and a client, whose redirect URI at the token endpoint is its argument.
fn workspace() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let cassette = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("cassettes/accounts.example.com/thread-correct.yaml");
    std::fs::copy(cassette, directory.path().join("login.yaml")).expect("copied");
    std::fs::write(directory.path().join("client.sh"), CLIENT).expect("written");
    directory
}

const CLIENT: &str = "\
at=https://accounts.example.com
verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM
to=$(curl -s -o /dev/null -w '%{redirect_url}' \"$at/app/oauth/authorize?client_id=8kqf3mz2x7&response_type=code&redirect_uri=https%3A%2F%2Fshop.example.org%2Foauth%2Fcallback&state=$$a1b2c3d4e5f6&code_challenge=$challenge&code_challenge_method=S256\")
code=$(echo \"$to\" | sed 's/.*code=\\([^&]*\\).*/\\1/')
curl -s -o /dev/null \"$at/token\" -d client_id=8kqf3mz2x7 -d client_secret=Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4 -d \"code=$code\" \\
  -d grant_type=authorization_code --data-urlencode \"redirect_uri=$1\" -d code_verifier=$verifier
";

fn run(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authtape"));
    for name in [
        "CI",
        "TF_BUILD",
        "INSTA_UPDATE",
        "INSTA_FORCE_PASS",
        "INSTA_PENDING_DIR",
        "SNAPSHOTS",
    ] {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(directory)
        .output()
        .expect("it starts")
}

/// Replays with a snapshot; what it ended with, and what it said.
fn replayed(
    directory: &Path,
    redirect_uri: &str,
    variables: &[(&str, &str)],
) -> (Option<i32>, String) {
    let arguments = [
        "replay",
        "login.yaml",
        "--snapshot",
        "snapshots/login.snap",
        "--",
        "sh",
        "client.sh",
        redirect_uri,
    ];
    let output = run(directory, &arguments, variables);
    (output.status.code(), said(&output))
}

fn read(directory: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(directory.join(name)).ok()
}

const SNAP: &str = "snapshots/login.snap";
const NEW: &str = "snapshots/login.snap.new";

#[test]
fn a_snapshot_is_made_accepted_compared_and_rejected() {
    let directory = workspace();
    let at = directory.path();
    let (code, told) = replayed(at, RIGHT, &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("there is no snapshots/login.snap yet")
            && told.contains("next: authtape review"),
        "{told}"
    );
    assert!(read(at, SNAP).is_none());
    let waits = read(at, NEW).expect("it waits");

    let listed = run(at, &["review", "--json"], &[]);
    let json: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(listed.status.code(), Some(1));
    assert_eq!(json["pending"][0]["snapshot"], "./snapshots/login.snap");
    let asked = run(at, &["review"], &[]);
    assert_eq!(asked.status.code(), Some(1));
    assert!(
        said(&asked).starts_with("snapshots/login.snap.new waits\n"),
        "{}",
        said(&asked)
    );

    let accepted = run(at, &["accept"], &[]);
    assert_eq!(
        (accepted.status.code(), said(&accepted).as_str()),
        (Some(0), "accepted snapshots/login.snap\n")
    );
    assert_eq!(read(at, SNAP), Some(waits));
    assert!(read(at, NEW).is_none());

    let (code, told) = replayed(at, RIGHT, &[]);
    assert_eq!((code, told.as_str()), (Some(0), "authtape: 2 played\n"));
}

/// A workspace whose snapshot was accepted.
fn accepted() -> tempfile::TempDir {
    let directory = workspace();
    let always = [("INSTA_UPDATE", "always")];
    let (code, told) = replayed(directory.path(), RIGHT, &always);
    assert_eq!(
        (code, told.as_str()),
        (
            Some(0),
            "authtape: 2 played\nauthtape: wrote snapshots/login.snap\n"
        )
    );
    directory
}

#[test]
fn a_changed_client_is_shown_and_rejected() {
    let directory = accepted();
    let at = directory.path();
    let (code, told) = replayed(at, SLASH, &[]);
    assert_eq!(code, Some(1), "{told}");
    for line in [
        "-     form redirect_uri: https://shop.example.org/oauth/callback\n",
        "+     form redirect_uri: https://shop.example.org/oauth/callback/\n",
        "it waits in snapshots/login.snap.new; next: authtape review",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let rejected = run(at, &["reject", SNAP], &[]);
    assert_eq!(rejected.status.code(), Some(0), "{}", said(&rejected));
    assert!(read(at, NEW).is_none());
    assert!(!read(at, SNAP).expect("it is there").contains("callback/"));
    assert_eq!(
        said(&run(at, &["review"], &[])),
        "authtape: nothing waits\n"
    );

    // What waited is gone once the client says again what was looked at.
    replayed(at, SLASH, &[]);
    assert!(read(at, NEW).is_some());
    assert_eq!(replayed(at, RIGHT, &[]).0, Some(0));
    assert!(read(at, NEW).is_none());
}

#[test]
fn the_variables_of_insta_mean_what_they_mean_there() {
    for (variables, code, is_written, waits) in [
        (&[("CI", "true")][..], 1, false, false),
        (&[("INSTA_UPDATE", "no")], 1, false, false),
        (&[("INSTA_UPDATE", "new"), ("CI", "1")], 1, false, true),
        (&[("INSTA_UPDATE", "always")], 0, true, false),
        (&[("INSTA_UPDATE", "unseen")], 0, true, false),
        (&[("SNAPSHOTS", "overwrite")], 0, true, false),
        (&[("INSTA_FORCE_PASS", "1")], 0, false, true),
        (&[("INSTA_UPDATE", "perhaps")], 3, false, false),
    ] {
        let directory = workspace();
        let (ended, told) = replayed(directory.path(), RIGHT, variables);
        assert_eq!(ended, Some(code), "{variables:?}: {told}");
        assert_eq!(
            read(directory.path(), SNAP).is_some(),
            is_written,
            "{variables:?}"
        );
        assert_eq!(
            read(directory.path(), NEW).is_some(),
            waits,
            "{variables:?}"
        );
    }
}

#[test]
fn what_waits_elsewhere_is_found_and_accepted() {
    let directory = workspace();
    let at = directory.path();
    let variables = [("INSTA_PENDING_DIR", "waiting")];
    assert_eq!(replayed(at, RIGHT, &variables).0, Some(1));
    assert!(read(at, "waiting/snapshots/login.snap.new").is_some());
    assert!(read(at, NEW).is_none());
    let accepted = run(at, &["accept"], &variables);
    assert_eq!(said(&accepted), "accepted snapshots/login.snap\n");
    assert_eq!(replayed(at, RIGHT, &variables).0, Some(0));
}

#[test]
fn the_failure_of_the_program_wins_and_nothing_is_lost() {
    let directory = workspace();
    let at = directory.path();
    let arguments = [
        "replay",
        "login.yaml",
        "--snapshot",
        SNAP,
        "--",
        "sh",
        "-c",
        "sh client.sh x; exit 7",
    ];
    let output = run(at, &arguments, &[]);
    assert_eq!(output.status.code(), Some(7), "{}", said(&output));
    assert!(read(at, NEW).is_some());
}

#[test]
fn what_cannot_be_a_snapshot_is_refused_and_left_as_it_is() {
    let directory = workspace();
    let at = directory.path();
    std::fs::create_dir(at.join("snapshots")).expect("made");
    std::fs::write(at.join(SNAP), "// Jest Snapshot v1\n").expect("written");
    let (code, told) = replayed(at, RIGHT, &[]);
    assert_eq!(code, Some(3), "{told}");
    assert!(
        told.contains("snapshots/login.snap is no snapshot"),
        "{told}"
    );
    assert_eq!(read(at, SNAP).as_deref(), Some("// Jest Snapshot v1\n"));
    assert_eq!(
        said(&run(at, &["review"], &[])),
        "authtape: nothing waits\n"
    );

    std::os::unix::fs::symlink("../login.yaml", at.join("snapshots/link.snap.new"))
        .expect("linked");
    std::fs::write(at.join("snapshots/jest.snap.new"), "exports[`x`] = 1\n").expect("written");
    assert_eq!(
        said(&run(at, &["accept"], &[])),
        "authtape: nothing waits\n"
    );

    for (arguments, code, what) in [
        (
            &["replay", "login.yaml", "--snapshot", "x.txt", "--", "true"][..],
            2,
            "ends in .snap",
        ),
        (
            &[
                "replay",
                "login.yaml",
                "--mode",
                "all",
                "--snapshot",
                "x.snap",
                "--",
                "true",
            ],
            2,
            "what is replayed",
        ),
        (&["accept", "nowhere"], 2, "there is no nowhere"),
        (&["review", "snapshots/jest.snap.new"], 3, "is no snapshot"),
    ] {
        let output = run(at, arguments, &[]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(what),
            "{arguments:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn each_session_has_its_report() {
    let directory = workspace();
    let at = directory.path();
    let client = "sh client.sh \"$1\"; \
        HTTPS_PROXY=$(echo $HTTPS_PROXY | sed 's|//|//one:x@|') https_proxy=$HTTPS_PROXY sh client.sh \"$1\"; \
        export HTTPS_PROXY=$(echo $HTTPS_PROXY | sed 's|//|//..%2F..%2Ftwo:x@|') https_proxy=; sh client.sh https://else.example/";
    let arguments = [
        "replay",
        "login.yaml",
        "--report-dir",
        "reports",
        "--",
        "sh",
        "-c",
        client,
        "sh",
        RIGHT,
    ];
    let output = run(at, &arguments, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let mut files: Vec<_> = std::fs::read_dir(at.join("reports"))
        .expect("a directory")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    assert!(
        files.contains(&"junit.xml".to_owned()) && files.contains(&"replay.json".to_owned()),
        "{files:?}"
    );
    assert_eq!(files.len(), 4, "{files:?}");
    assert!(files.contains(&"one.json".to_owned()), "{files:?}");
    let report = read(at, "reports/replay.json").expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["report"]["clean"], true);
    assert_eq!(
        report["transcript"]["exchanges"][1]["step"],
        "token_request"
    );
    let junit = read(at, "reports/junit.xml").expect("a report");
    assert!(
        junit.contains("<testsuite name=\"authtape replay\""),
        "{junit}"
    );
    assert!(junit.contains("<failure message="), "{junit}");
}
