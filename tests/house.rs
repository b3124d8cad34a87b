//! The house itself: who may import whom, how files begin, which words stand where.
//!
//! Each guard is a function over a path and a text, and is shown a planted violation, so that it
//! is known to fail where it must.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot do")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use authtape::model::FailureKind;

/// A module, and the modules above it in this list that it may import.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("oauth", &["model"]),
    ("redact", &["model", "oauth"]),
    ("cassette", &["model", "oauth", "redact"]),
    ("diagnose", &["model", "oauth", "redact", "cassette"]),
    (
        "view",
        &["model", "oauth", "redact", "cassette", "diagnose"],
    ),
    ("export", &["model", "redact", "cassette"]),
    ("import", &["model", "oauth"]),
    ("mutate", &["model", "oauth", "redact", "cassette"]),
    ("record", &["model", "oauth", "redact", "cassette"]),
    ("replay", &["model", "oauth", "redact", "cassette"]),
    (
        "transcript",
        &[
            "model", "oauth", "redact", "cassette", "diagnose", "record", "replay",
        ],
    ),
    ("library", &["redact", "cassette"]),
    ("snapshot", &["redact", "library"]),
    ("proxy", &["model"]),
    (
        "deck",
        &[
            "model",
            "oauth",
            "redact",
            "cassette",
            "record",
            "replay",
            "transcript",
            "library",
            "proxy",
        ],
    ),
    ("demo", &["model", "oauth", "proxy"]),
    ("launch", &["proxy"]),
    (
        "harness",
        &[
            "model",
            "redact",
            "cassette",
            "record",
            "replay",
            "transcript",
            "library",
            "proxy",
            "deck",
            "launch",
        ],
    ),
    ("web", &["cassette", "diagnose", "record", "view"]),
    ("cli", &[]),
];

/// Modules without I/O, clock and randomness.
const PURE: &[&str] = &[
    "model",
    "oauth",
    "redact",
    "cassette",
    "diagnose",
    "export",
    "import",
    "mutate",
    "record",
    "replay",
    "transcript",
    "view",
];

/// Types that hold what crossed the wire.
const RAW: &[&str] = &[
    "Body",
    "Captured",
    "Exchange",
    "Header",
    "Headers",
    "Heard",
    "Param",
    "Params",
    "Request",
    "Response",
    "Said",
    "Tape",
    "Ledger",
    "Redactor",
    "Flows",
    "Player",
    "Bindings",
    "Har",
    "Imported",
    "Raw",
    "Value",
    "Entry",
    "Declared",
    "Laid",
    "Grants",
    "Grant",
    "Call",
    "Signed",
    "Reply",
    "Judged",
    "Judgement",
    "Live",
    "Pending",
    "Undecided",
    "Seen",
    "Asked",
    "Posture",
    "Bounded",
    "Rendering",
    "Bound",
    "Checked",
    "Device",
    "Devices",
    "Given",
    "Owned",
    "Shared",
    "Unverified",
    "Waiting",
];

/// The oldest releases without a known hole (the advisory database is not in reach of CI).
const FLOOR_VERSIONS: &[(&str, (u64, u64, u64))] = &[
    ("rustls", (0, 23, 18)),
    ("rustls-webpki", (0, 103, 13)),
    ("h2", (0, 4, 4)),
    ("hyper", (1, 1, 0)),
    ("tokio", (1, 40, 0)),
    ("tungstenite", (0, 20, 1)),
    ("tracing-subscriber", (0, 3, 20)),
    ("idna", (1, 0, 0)),
];

/// Packages that are unsound, unmaintained or unwanted.
const BANNED: &[&str] = &[
    "serde_yaml",
    "serde_yml",
    "libyml",
    "unsafe-libyaml",
    "rsa",
    "openssl",
    "native-tls",
    "yaml-rust",
];

type Guard = fn(&str, &str) -> Vec<String>;

const GUARDS: &[(&str, Guard)] = &[
    ("imports", imports),
    ("first line", first_line),
    ("super", supers),
    ("purity", purity),
    ("raw types", raw_types),
    ("parameter names", parameter_names),
    ("drawers", drawers),
];

/// The top-level module of a file under `src`.
fn module(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split(['/', '.']).next().unwrap_or_default()
}

fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\n").next().unwrap_or(text)
}

fn at(path: &str, text: &str, offset: usize) -> String {
    format!("{path}:{}", text[..offset].matches('\n').count() + 1)
}

fn imports(path: &str, text: &str) -> Vec<String> {
    let own = module(path);
    let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == own) else {
        return if ["lib", "main"].contains(&own) {
            Vec::new()
        } else {
            vec![format!("{path}: `{own}` is not in the table of floors")]
        };
    };
    let mut wrong = Vec::new();
    for (offset, _) in text.match_indices("crate::") {
        if text[..offset].ends_with('$') {
            continue;
        }
        for named in first_segments(&text[offset + 7..]) {
            let known = FLOORS.iter().any(|(name, _)| *name == named);
            if known && named != own && !allowed.contains(&named.as_str()) {
                wrong.push(format!(
                    "{}: `{own}` imports `{named}`, which is not on a lower floor",
                    at(path, text, offset)
                ));
            }
        }
    }
    wrong
}

/// The modules that a path behind `crate::` names, with braces or without.
fn first_segments(rest: &str) -> Vec<String> {
    let word = |text: &str| {
        text.trim()
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    match rest.strip_prefix('{') {
        Some(inside) => inside
            .split('}')
            .next()
            .unwrap_or_default()
            .split(',')
            .map(word)
            .collect(),
        None => vec![word(rest)],
    }
}

fn first_line(path: &str, text: &str) -> Vec<String> {
    if text.starts_with("//! ") {
        Vec::new()
    } else {
        vec![format!(
            "{path}:1: the file does not open by saying what it is (`//! …`)"
        )]
    }
}

fn supers(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let root = path.ends_with("/mod.rs") && path.matches('/').count() == 2;
    for (offset, _) in code(text).match_indices("super::") {
        if text[offset + 7..].starts_with("super::") {
            wrong.push(format!("{}: `super::super`", at(path, text, offset)));
        }
        if root {
            wrong.push(format!(
                "{}: `super::` in a module's root file",
                at(path, text, offset)
            ));
        }
    }
    wrong
}

fn purity(path: &str, text: &str) -> Vec<String> {
    let root = path == format!("src/{}.rs", module(path))
        || path == format!("src/{}/mod.rs", module(path));
    let denies = text.contains("#![deny(clippy::disallowed_methods, clippy::disallowed_types)]");
    if root && PURE.contains(&module(path)) && !denies {
        return vec![format!(
            "{path}:1: a pure module denies what does I/O at its top"
        )];
    }
    Vec::new()
}

fn raw_types(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut derived = "";
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with("#[derive(") {
            derived = line;
        }
        let reaches = ["", "pub ", "pub(crate) ", "pub(super) "];
        let mut defined = reaches.iter().filter_map(|reach| {
            let rest = line.strip_prefix(reach)?;
            rest.strip_prefix("struct ")
                .or_else(|| rest.strip_prefix("enum "))
        });
        let defined = defined.next();
        if let Some(name) = defined.map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default()
        }) {
            let shown = derived.contains("Debug") || derived.contains("Serialize");
            if RAW.contains(&name)
                && shown
                && ["model", "oauth", "redact", "record", "replay", "import"]
                    .contains(&module(path))
            {
                wrong.push(format!(
                    "{path}:{}: `{name}` holds secrets and derives {derived}",
                    number + 1
                ));
            }
        }
        if !line.starts_with('#') && !line.starts_with("///") {
            derived = "";
        }
    }
    wrong
}

fn parameter_names(path: &str, text: &str) -> Vec<String> {
    // What another tool's file has under `code` is the status.
    if ["oauth", "lib", "main", "export", "import"].contains(&module(path)) {
        return Vec::new();
    }
    let names = [
        "state",
        "nonce",
        "code",
        "client_id",
        "client_secret",
        "redirect_uri",
        "code_verifier",
        "code_challenge",
        "grant_type",
        "access_token",
        "refresh_token",
        "id_token",
    ];
    let code = code(text);
    let mut wrong = Vec::new();
    for name in names {
        let quoted = format!("\"{name}\"");
        wrong.extend(code.match_indices(&quoted).map(|(offset, _)| {
            format!(
                "{}: {quoted} stands outside src/oauth; use oauth::name",
                at(path, text, offset)
            )
        }));
    }
    wrong
}

fn drawers(path: &str, _: &str) -> Vec<String> {
    let stem = Path::new(path)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let drawer = [
        "util", "utils", "helper", "helpers", "common", "misc", "types", "shared", "manager",
    ]
    .contains(&stem);
    if drawer {
        vec![format!(
            "{path}: a drawer has no subject, so everything fits into it"
        )]
    } else {
        Vec::new()
    }
}

fn versions(lock: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |key: &str| {
            package
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{key} = \"")))
                .map(|rest| rest.trim_end_matches('"'))
        };
        let (Some(name), Some(version)) = (field("name"), field("version")) else {
            continue;
        };
        if BANNED.contains(&name) {
            wrong.push(format!("Cargo.lock: {name} is banned"));
        }
        let mut numbers = version
            .split(['.', '-', '+'])
            .filter_map(|part| part.parse::<u64>().ok());
        let found = (
            numbers.next().unwrap_or(0),
            numbers.next().unwrap_or(0),
            numbers.next().unwrap_or(0),
        );
        if FLOOR_VERSIONS
            .iter()
            .any(|(known, floor)| *known == name && found < *floor)
        {
            wrong.push(format!(
                "Cargo.lock: {name} {version} is older than the floor"
            ));
        }
    }
    wrong
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join("src")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(root())
                    .expect("inside")
                    .to_string_lossy()
                    .into_owned();
                found.push((name, std::fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_house_is_as_it_is_drawn() {
    let sources = sources();
    assert!(sources.len() > 50, "the sources are found");
    let guarded = |(path, text): &(String, String)| {
        GUARDS
            .iter()
            .flat_map(|(_, guard)| guard(path, text))
            .collect::<Vec<_>>()
    };
    let wrong: Vec<String> = sources.iter().flat_map(guarded).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circle_and_names_every_module() {
    let mut above = BTreeSet::new();
    for (name, allowed) in FLOORS {
        for import in *allowed {
            assert!(
                above.contains(import),
                "`{name}` may import `{import}`, which does not stand above it"
            );
        }
        above.insert(*name);
    }
    for (path, _) in sources() {
        let own = module(&path).to_owned();
        assert!(
            above.contains(own.as_str()) || ["lib", "main"].contains(&own.as_str()),
            "{own} is not in the table"
        );
    }
}

#[test]
fn the_lock_file_stands_on_its_floor() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    let wrong = versions(&lock);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_guard_fails_where_it_must() {
    let planted: &[(&str, &str, &str, &str)] = &[
        (
            "imports",
            "src/oauth/step.rs",
            "//! x\nuse crate::proxy::serve;\n",
            "src/oauth/step.rs:2: `oauth` imports `proxy`",
        ),
        (
            "imports",
            "src/model/body.rs",
            "//! x\nuse crate::{oauth, model};\n",
            "src/model/body.rs:2: `model` imports `oauth`",
        ),
        (
            "imports",
            "src/replay/player.rs",
            "//! x\nfn f() { crate::diagnose::all(); }\n",
            "`replay` imports `diagnose`",
        ),
        (
            "imports",
            "src/attic/mod.rs",
            "//! x\n",
            "`attic` is not in the table",
        ),
        (
            "first line",
            "src/oauth/step.rs",
            "use std::fmt;\n",
            "does not open by saying",
        ),
        (
            "super",
            "src/oauth/mod.rs",
            "//! x\nuse super::model;\n",
            "in a module's root file",
        ),
        (
            "super",
            "src/oauth/a/b.rs",
            "//! x\nuse super::super::model;\n",
            "super::super",
        ),
        ("purity", "src/record.rs", "//! x\n", "denies what does I/O"),
        (
            "raw types",
            "src/model/exchange.rs",
            "//! x\n#[derive(Clone, Debug)]\n/// x\npub struct Exchange {\n",
            "`Exchange` holds secrets",
        ),
        (
            "raw types",
            "src/replay/grants/call.rs",
            "//! x\n#[derive(Debug)]\npub(crate) struct Call {\n",
            "`Call` holds secrets",
        ),
        (
            "raw types",
            "src/replay/asking.rs",
            "//! x\n#[derive(Clone, Debug)]\nstruct Undecided {\n",
            "`Undecided` holds secrets",
        ),
        (
            "parameter names",
            "src/replay/player.rs",
            "//! x\nconst A: &str = \"code_verifier\";\n",
            "stands outside src/oauth",
        ),
        ("drawers", "src/proxy/utils.rs", "//! x\n", "a drawer"),
    ];
    for (name, path, text, expected) in planted {
        let (_, guard) = GUARDS
            .iter()
            .find(|(known, _)| known == name)
            .expect("a guard");
        let said = guard(path, text).join("\n");
        assert!(said.contains(expected), "{name}: {said:?}");
    }
    let lock = "[[package]]\nname = \"rustls\"\nversion = \"0.23.1\"\n[[package]]\nname = \"serde_yml\"\nversion = \"1.0.0\"\n";
    assert_eq!(versions(lock).len(), 2);
}

#[test]
fn the_page_of_the_format_knows_every_kind_of_failure() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/design/cassette.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let kinds = page.split("`error`: `kind` (").nth(1).expect("a list");
    let kinds = kinds.split(')').next().expect("its end");
    let words = kinds.split(|c: char| c == '`' || c == ',' || c.is_whitespace());
    let told: BTreeSet<_> = words.filter(|word| !word.is_empty()).collect();
    let known = FailureKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(told, known);
}
