//! The cost of one exchange on its way to the tape: redaction, writing, and the audit of what is
//! written.
//!
//! `cargo bench --bench tape`, or `cargo bench --bench tape -- NAME` for the cases whose name holds
//! NAME. One thread and no wire; what counts is the CPU time per exchange,
//! and how it grows with what the tape holds already.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it cannot do, and prints"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use authtape::model::{Captured, Exchange, Headers, Heard, Said, Url, Version};
use authtape::record::{Options, Tape};
use authtape::redact::audit;

fn main() {
    println!("{:<44} {:>8} {:>14}", "case", "secrets", "per exchange");
    let asked = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"));
    let cases: [(&str, Case); 5] = [
        ("not kept", |case| blocks(case, plain_exchange)),
        ("the same secrets each time", |case| {
            blocks(case, |n| token_exchange(n, 0));
        }),
        ("three new secrets each time", |case| {
            blocks(case, |n| token_exchange(n, n));
        }),
        ("20 kB with 50 new secrets", large_exchange),
        ("whole cassette", |_| whole_cassette()),
    ];
    for (case, run) in cases {
        if asked.as_ref().is_none_or(|asked| case.contains(asked)) {
            run(case);
        }
    }
}

/// Runs a case of this name, and prints what it took.
type Case = fn(&str);

/// Exchanges as large as those of the wire's benchmark.
fn blocks(case: &str, nth: impl Fn(u64) -> Exchange) {
    let mut tape = tape();
    for block in 0..4 {
        let exchanges: Vec<_> = (block * BLOCK..(block + 1) * BLOCK).map(&nth).collect();
        let started = Instant::now();
        for exchange in exchanges {
            black_box(tape.record(exchange));
        }
        let each = started.elapsed() / u32::try_from(BLOCK).expect("few");
        print(case, secrets(&tape), each);
    }
}

/// 20 kB of JSON with 50 secrets.
fn large_exchange(case: &str) {
    let mut tape = tape();
    let mut took = Duration::ZERO;
    for n in 0..ROUNDS {
        let members: Vec<_> = (0..50)
            .map(|m| {
                format!(
                    "\"x_{m}_token\":\"{}{}\"",
                    value(n * 50 + m),
                    "y".repeat(330)
                )
            })
            .collect();
        let exchange = exchange(
            n,
            "grant_type=refresh_token",
            &format!("{{{}}}", members.join(",")),
        );
        let started = Instant::now();
        black_box(tape.record(exchange));
        took += started.elapsed();
    }
    let each = took / u32::try_from(ROUNDS).expect("few");
    print(case, secrets(&tape), each);
}

/// About 5 MB with 500 secrets, finished and audited at the end of a recording, then by `audit`.
fn whole_cassette() {
    let mut tape = tape();
    for n in 0..4_000 {
        tape.record(token_exchange(n, n % 165));
    }
    let started = Instant::now();
    let text = tape.finish().expect("nothing leaks");
    println!(
        "finish and audit {:.1} MB with {} secrets: {:.0} ms",
        f64::from(u32::try_from(text.len()).expect("some megabytes")) / 1e6,
        secrets(&tape),
        started.elapsed().as_secs_f64() * 1e3
    );
    let started = Instant::now();
    black_box(audit(&text));
    println!(
        "`authtape audit` of it: {:.0} ms",
        started.elapsed().as_secs_f64() * 1e3
    );
}

fn print(case: &str, secrets: u32, each: Duration) {
    let micros = each.as_secs_f64() * 1e6;
    println!("{case:<44} {secrets:>8} {micros:>11.0} µs");
}

fn tape() -> Tape {
    Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned())
}

fn secrets(tape: &Tape) -> u32 {
    tape.redacted().iter().map(|kind| kind.value).sum()
}

/// 40 characters that no other number has.
fn value(n: u64) -> String {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[(state % 62) as usize]
    };
    (0..40).map(|_| char::from(next())).collect()
}

/// Nothing of OAuth's.
fn plain_exchange(n: u64) -> Exchange {
    let rows = format!("{{\"rows\":\"{}\"}}", "x".repeat(150));
    exchange(n, &rows, &format!("{{\"rows\":\"{}\"}}", "y".repeat(300)))
}

fn token_exchange(n: u64, salt: u64) -> Exchange {
    let (secret, refresh, access) = (value(1), value(salt * 3 + 2), value(salt * 3 + 3));
    let next = value(salt * 3 + 4);
    exchange(
        n,
        &format!(
            "grant_type=refresh_token&client_id=8kqf3mz2x7&client_secret={secret}&refresh_token={refresh}"
        ),
        &format!(
            "{{\"access_token\":\"{access}\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"{next}\",\"scope\":\"openid email\"}}"
        ),
    )
}

fn exchange(n: u64, form: &str, json: &str) -> Exchange {
    let fields = |fields: &[(&str, &str)]| -> Headers { fields.iter().copied().collect() };
    Exchange {
        id: n + 1,
        at: Duration::from_millis(n),
        clock: 1_795_000_000,
        request: Said {
            method: "POST".to_owned(),
            url: Url::parse("https://accounts.example.com/token").expect("a URL"),
            version: Version::Http11,
            headers: fields(&[
                ("Host", "accounts.example.com"),
                ("User-Agent", "bench"),
                ("Accept", "application/json"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ]),
            body: Captured::of(form.as_bytes(), 1 << 20),
            alias: None,
        },
        response: Some(Heard {
            status: 200,
            reason: None,
            version: Version::Http11,
            headers: fields(&[
                ("Content-Type", "application/json"),
                ("Cache-Control", "no-store"),
            ]),
            body: Captured::of(json.as_bytes(), 1 << 20),
            after: Duration::from_millis(12),
        }),
        failure: None,
    }
}

const BLOCK: u64 = 500;
const ROUNDS: u64 = 10;
