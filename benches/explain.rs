//! The cost of explaining: thousands of cassettes of twenty interactions in one call, beside
//! nothing but reading them as YAML.
//!
//! `cargo bench --bench explain`, or `cargo bench --bench explain -- 500 2000` for these numbers of
//! cassettes. The first columns are one thread's CPU for each cassette; the last are the command's,
//! whose memory must not grow with the number of files.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it cannot do, and prints"
)]

use std::hint::black_box;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use authtape::model::{Captured, Exchange, Headers, Heard, Said, Url, Version};
use authtape::record::{Options, Tape};
use authtape::{cassette, diagnose};
use serde::de::IgnoredAny;

fn main() {
    let words = std::env::args().skip(1);
    let asked: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
    let counts = if asked.is_empty() {
        vec![1_000, 10_000]
    } else {
        asked
    };
    let text = cassette();
    let [yaml, load, explain] = [read, loaded, explained].map(|work| each(&text, work));
    println!(
        "a cassette of {INTERACTIONS} interactions, {} bytes, median of {ROUNDS}: as YAML {yaml:.0} us, \
         loaded {load:.0} us, explained {explain:.0} us: {:.2} of the speed of YAML\n",
        text.len(),
        yaml / explain
    );
    println!(
        "{:>10} {:>10} {:>14} {:>8}",
        "cassettes", "seconds", "us CPU each", "MB"
    );
    let directory = tempfile::tempdir().expect("a directory");
    for count in counts {
        let paths: Vec<_> = (0..count)
            .map(|n| directory.path().join(format!("{n:06}.yaml")))
            .collect();
        for path in &paths {
            std::fs::write(path, &text).expect("written");
        }
        let (seconds, cpu, megabytes) = command(directory.path());
        let each = cpu * 1e6 / f64::from(u32::try_from(count).expect("few"));
        println!("{count:>10} {seconds:>10.2} {each:>14.0} {megabytes:>8.1}");
        for path in &paths {
            std::fs::remove_file(path).expect("removed");
        }
    }
}

fn read(text: &str) {
    black_box(serde_yaml::from_str::<IgnoredAny>(text).expect("YAML"));
}

fn loaded(text: &str) {
    black_box(cassette::load(text.as_bytes()).expect("a cassette"));
}

fn explained(text: &str) {
    let cassette = cassette::load(text.as_bytes()).expect("a cassette");
    let findings = diagnose::diagnose(&cassette);
    black_box(diagnose::report::json(&findings, &cassette, "x.yaml"));
}

/// Microseconds.
fn each(text: &str, work: fn(&str)) -> f64 {
    let mut took: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            work(text);
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

/// The command over a directory: seconds, CPU seconds, and the most memory that was seen.
fn command(directory: &Path) -> (f64, f64, f64) {
    let begun = Instant::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_authtape"))
        .args(["explain", "--json", "--fail-on", "never"])
        .arg(directory)
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let (mut cpu, mut most) = (0.0_f64, 0.0_f64);
    loop {
        // What is asked last stands until it has ended.
        if let Some(now) = running(&process) {
            (cpu, most) = (now.0, most.max(now.1));
        }
        if let Some(ended) = process.try_wait().expect("a process") {
            assert!(ended.success(), "{ended}");
            return (begun.elapsed().as_secs_f64(), cpu, most);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// CPU seconds and MB of a process, while it runs.
fn running(process: &Child) -> Option<(f64, f64)> {
    let of = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", process.id())).ok();
    let (stat, status) = (of("stat")?, of("status")?);
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    let most = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kib = most.split_whitespace().nth(1)?.parse::<f64>().ok()?;
    Some((ticks / 100.0, kib / 1024.0))
}

/// Five logins of one client: asked, redeemed, used and refreshed.
fn cassette() -> String {
    let mut tape = Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned());
    for login in 0..INTERACTIONS / 4 {
        let secret = |kind: &str| format!("{kind}{login}Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2");
        let [code, state, access, refresh] = ["co", "st", "at", "rt"].map(secret);
        let asked = format!(
            "response_type=code&client_id=shop&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&scope=read&state={state}"
        );
        let to = format!("https://shop.example/cb?code={code}&state={state}");
        let redeemed = format!(
            "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&client_id=shop&client_secret=Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6"
        );
        let refreshed = format!(
            "grant_type=refresh_token&refresh_token={refresh}&client_id=shop&client_secret=Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6"
        );
        let tokens = |access: &str| {
            format!(
                "{{\"access_token\":\"{access}\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"{refresh}\"}}"
            )
        };
        let bearer = format!("Bearer {access}");
        let json = [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
        ];
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let steps: [Step<'_>; 4] = [
            (
                &format!("/authorize?{asked}"),
                &[],
                "",
                302,
                &[("Location", &to)],
                "",
            ),
            ("/token", &form, &redeemed, 200, &json, &tokens(&access)),
            (
                "/userinfo",
                &[("Authorization", &bearer)],
                "",
                200,
                &json,
                "{\"sub\":\"248289761001\"}",
            ),
            (
                "/token",
                &form,
                &refreshed,
                200,
                &json,
                &tokens(&secret("an")),
            ),
        ];
        for (at, step) in (0..).zip(steps) {
            tape.record(exchange(login * 4 + at, step));
        }
    }
    tape.finish().expect("nothing leaks")
}

/// Path, request fields and body, status, response fields and body.
type Step<'a> = (
    &'a str,
    &'a [(&'a str, &'a str)],
    &'a str,
    u16,
    &'a [(&'a str, &'a str)],
    &'a str,
);

fn exchange(n: u64, (path, asked, sent, status, answered, body): Step<'_>) -> Exchange {
    let fields = |fields: &[(&str, &str)]| -> Headers { fields.iter().copied().collect() };
    let method = if sent.is_empty() { "GET" } else { "POST" };
    Exchange {
        id: n + 1,
        at: Duration::from_secs(n),
        clock: 1_795_000_000,
        request: Said {
            method: method.to_owned(),
            url: Url::parse(&format!("https://as.example{path}")).expect("a URL"),
            version: Version::Http11,
            headers: fields(asked),
            body: Captured::of(sent.as_bytes(), 1 << 20),
            alias: None,
        },
        response: Some(Heard {
            status,
            reason: None,
            version: Version::Http11,
            headers: fields(answered),
            body: Captured::of(body.as_bytes(), 1 << 20),
            after: Duration::from_millis(12),
        }),
        failure: None,
    }
}

const INTERACTIONS: u64 = 20;
const ROUNDS: usize = 201;
