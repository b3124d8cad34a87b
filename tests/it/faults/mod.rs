//! The faults of real logins say the same before redaction as after, whatever the profile.

mod before;
mod flow;
mod table;

use std::collections::BTreeSet;

use authtape::cassette::{self, Cassette};
use authtape::diagnose;
use authtape::model::{Params, Url};
use authtape::record::{Options, Tape};
use authtape::redact::{Content, Interaction, Piece, Profile, pieces};
use authtape::replay::{Answer, PlayOptions, Player};

use before::{is_edge, raw_cassette, related_cassette, relation};
use flow::Flow;
use table::CASES;

use crate::support::NOW;

/// One fault.
pub(crate) struct Case {
    /// Where people met it, and what it is.
    name: &'static str,
    spoil: fn(&mut Flow),
    /// `error redirect-uri-scheme 1 authorize 2 token`, the first first.
    finds: &'static [&'static str],
    /// `2 pkce.check=hex`
    facts: &'static [&'static str],
    /// `2 code=REDACTED-code-1--pct`: what of the secrets is read on the cassette.
    reads: &'static [&'static str],
}

const fn case(name: &'static str, spoil: fn(&mut Flow)) -> Case {
    Case {
        name,
        spoil,
        finds: &[],
        facts: &[],
        reads: &[],
    }
}

impl Case {
    const fn finds(self, finds: &'static [&'static str]) -> Self {
        Self { finds, ..self }
    }

    const fn facts(self, facts: &'static [&'static str]) -> Self {
        Self { facts, ..self }
    }

    const fn reads(self, reads: &'static [&'static str]) -> Self {
        Self { reads, ..self }
    }
}

fn recorded(flow: &Flow, profile: Profile) -> Cassette {
    let options = Options {
        keep_all: true,
        profile,
        ..Options::default()
    };
    let mut tape = Tape::new(options, "2026-11-23T10:02:11Z".to_owned());
    for exchange in flow.exchanges() {
        tape.record(exchange);
    }
    assert_eq!(tape.withheld(), [], "{profile}");
    let text = tape.finish().expect("an audited cassette");
    cassette::load(text.as_bytes()).expect("a cassette")
}

/// The findings: how grave, which rule, and where it shows.
fn findings(cassette: &Cassette) -> Vec<String> {
    let findings = diagnose::diagnose(cassette);
    let line = |finding: &diagnose::Finding| {
        let places = finding.evidence.iter();
        let places = places.map(|place| format!(" {} {}", place.interaction, place.r#where));
        let places: String = places.collect();
        format!("{} {}{places}", finding.severity.as_str(), finding.rule.id)
    };
    findings.iter().map(line).collect()
}

fn facts(cassette: &Cassette) -> Vec<String> {
    let of = |interaction: &Interaction| {
        let words = interaction.facts().words().into_iter();
        let id = interaction.id();
        let word = move |(name, word)| format!("{id} {name}={word}");
        words.map(word).collect::<Vec<_>>()
    };
    cassette.interactions.iter().flat_map(of).collect()
}

/// Names and values, wherever they stand in an interaction.
fn said(interaction: &Interaction) -> Vec<(String, String)> {
    let request = interaction.request();
    let mut said = Vec::new();
    let mut take = |params: &Params| {
        let each = params.iter();
        said.extend(each.map(|param| (param.name.clone(), param.value.clone())));
    };
    take(&request.query_params());
    take(&request.body_params());
    if let Some(response) = interaction.response() {
        take(&response.body_params());
        for location in response.locations() {
            let query = Url::parse(&location).and_then(|url| url.query);
            take(&Params::parse(&query.unwrap_or_default()));
        }
    }
    if let Some(basic) = request.basic() {
        let password = basic.password.clone().unwrap_or_default();
        said.push(("basic.user".to_owned(), basic.user.clone()));
        said.push(("basic.password".to_owned(), password));
    }
    said
}

/// What a rule may read that is no secret: steps, methods, statuses, what the bodies are, the
/// names of parameters, and the values of those that every profile keeps.
fn plain(cassette: &Cassette) -> Vec<String> {
    let kind = |content: Content<'_>| match content {
        Content::Form { .. } => "form",
        Content::Json { .. } => "json",
        Content::Multipart(_) => "multipart",
        Content::Empty | Content::None => "nothing",
        // What no parser reads is dropped, and a fact says what it was.
        _ => "other",
    };
    let line = |interaction: &Interaction| {
        let request = interaction.request();
        let response = interaction.response().expect("a response");
        let said = said(interaction).into_iter();
        let said = said.map(|(name, value)| match name.as_str() {
            kept if KEPT.contains(&kept) => format!(" {name}={value}"),
            torn if torn.starts_with("REDACTED-name-") || flow::SECRET.contains(torn) => {
                " (torn)".to_owned()
            }
            _ => format!(" {name}"),
        });
        format!(
            "{} {} {} {:?} {} {}{}",
            interaction.step(),
            request.method(),
            kind(request.content()),
            request.headers().media_type(),
            response.status(),
            kind(response.content()),
            said.collect::<String>()
        )
    };
    cassette.interactions.iter().map(line).collect()
}

/// Every secret value of the raw cassette with what stands for it in the other.
fn labelled(raw: &Cassette, other: &Cassette) -> Vec<(String, String, String)> {
    let all = |cassette: &Cassette| {
        let of = |interaction: &Interaction| {
            let id = interaction.id();
            let each = said(interaction).into_iter();
            each.map(move |(name, value)| (format!("{id} {name}"), value))
                .collect::<Vec<_>>()
        };
        cassette
            .interactions
            .iter()
            .flat_map(of)
            .collect::<Vec<_>>()
    };
    let secret = |place: &str| {
        let (_, name) = place.split_once(' ').expect("a number");
        SECRET.contains(&name)
    };
    let pairs = all(raw).into_iter().zip(all(other));
    let pairs = pairs.filter(|((place, value), _)| secret(place) && !value.is_empty());
    pairs
        .map(|((place, raw), (_, text))| (place, raw, text))
        .collect()
}

/// The claims of the JWTs among the secrets, as they are declared.
fn claims(cassette: &Cassette) -> Vec<String> {
    let of = |interaction: &Interaction| {
        let declared = interaction.secrets().iter().filter_map(|secret| {
            let claims = secret.value.jwt_claims.as_ref()?;
            Some(format!("{} {} {claims}", interaction.id(), secret.name))
        });
        declared.collect::<Vec<_>>()
    };
    cassette.interactions.iter().flat_map(of).collect()
}

/// Checks that labels stand for raw values as these relate to each other, in the order in which
/// they were said.
fn check_relations(case: &Case, raw: &Cassette, other: &Cassette, profile: Profile) {
    let mut cores: Vec<(String, String)> = Vec::new();
    for (place, value, text) in labelled(raw, other) {
        if text == value {
            let (_, name) = place.split_once(' ').expect("a number");
            assert!(!is_secret(name, &value), "{}: {place}", case.name);
            continue;
        }
        let related = cores.iter().find_map(|(core, label)| {
            let (before, suffix, after) = relation(core, &value)?;
            Some(format!("{before}{label}{suffix}{after}"))
        });
        let expected = related.unwrap_or_else(|| {
            let core = value.trim_matches(is_edge);
            let (before, after) = value.split_once(core).expect("its core");
            let label = pieces(&text).into_iter().find_map(|piece| match piece {
                Piece::Label(label) => Some(label.core().to_string()),
                Piece::Literal(_) => None,
            });
            let label = label.expect("a label");
            assert!(
                cores.iter().all(|(_, known)| *known != label),
                "{}, {profile}: {place} is another secret than {label}",
                case.name
            );
            cores.push((core.to_owned(), label.clone()));
            format!("{before}{label}{after}")
        });
        assert_eq!(text, expected, "{}, {profile}: {place}", case.name);
    }
}

/// Checks what a profile makes of a fault against what the raw texts say, and that it is not what
/// it makes of the login without one.
fn check(case: &Case, before: &Cassette, after: &Cassette, sound: &Cassette) {
    let profile = after.header.profile;
    let of = format!("{}: {profile}", case.name);
    assert_eq!(findings(after), case.finds, "{of}");
    assert_eq!(facts(after), case.facts, "{of}");
    assert_eq!(plain(after), plain(before), "{of}");
    assert_ne!(after.interactions, sound.interactions, "{of}");
    check_relations(case, before, after, profile);
    let texts = labelled(before, after).into_iter();
    let texts = texts.map(|(place, _, text)| format!("{place}={text}"));
    let texts: Vec<_> = texts.chain(claims(after)).collect();
    for read in case.reads {
        assert!(
            texts.iter().any(|text| text == read),
            "{of}: {read} in {texts:?}"
        );
    }
}

#[test]
fn what_is_redacted_says_the_same_of_every_fault_as_what_is_not() {
    let profiles = [Profile::Support, Profile::Public, Profile::Raw];
    let sound = profiles.map(|profile| recorded(&Flow::sound(), profile));
    for sound in &sound {
        assert_eq!(findings(sound), [""; 0], "{}", sound.header.profile);
        assert_eq!(facts(sound), [""; 0], "{}", sound.header.profile);
    }
    let mut wrong = Vec::new();
    for case in CASES {
        let mut flow = Flow::sound();
        (case.spoil)(&mut flow);
        let before = raw_cassette(&flow.exchanges());
        let related = related_cassette(&flow.exchanges());
        let told = (findings(&related), facts(&before));
        if told.0 != case.finds || told.1 != case.facts {
            wrong.push(format!("{}: {told:?}", case.name));
            continue;
        }
        for sound in &sound {
            let after = recorded(&flow, sound.header.profile);
            check(case, &before, &after, sound);
        }
    }
    assert!(wrong.is_empty(), "before: {}", wrong.join("\n"));
}

#[test]
fn a_client_that_mended_its_escapes_is_not_played_the_failure() {
    let case = CASES
        .iter()
        .find(|case| case.name.starts_with("E-14: a query"));
    let mut flow = Flow::sound();
    (case.expect("the fault").spoil)(&mut flow);
    let options = PlayOptions {
        seed: [3; 32],
        ..PlayOptions::default()
    };
    let mut player = Player::new(vec![recorded(&flow, Profile::Support)], &options);
    let request = &flow.exchanges()[0].request;
    let asked = Params::parse(request.url.query.as_deref().expect("a query"));
    let Answer::Response(answer) = player.play(request, NOW) else {
        panic!("an authorization response")
    };
    let location = answer.headers.get("location").and_then(Url::parse);
    let query = location.and_then(|url| url.query).expect("a query");
    let code = Params::parse(&query);
    flow.send("code", code.get("code").expect("a code"));
    flow.send("redirect_uri", asked.get("redirect_uri").expect("a URI"));
    let Answer::Miss(miss) = player.play(&flow.exchanges()[1].request, NOW) else {
        panic!("the recorded failure")
    };
    let told = miss.reason.contains("now equals the one sent");
    assert!(told, "{}", miss.reason);
}

#[test]
fn the_table_has_what_the_catalogue_of_threads_asks_for() {
    let mut names = BTreeSet::new();
    for case in CASES {
        assert!(names.insert(case.name), "{} is there twice", case.name);
    }
    let known = |id: &String| CASES.iter().any(|case| case.name.starts_with(id.as_str()));
    let missing: Vec<_> = (1..=25)
        .map(|at| format!("E-{at:02}:"))
        .filter(|id| !known(id))
        .collect();
    assert_eq!(missing, [""; 0]);
    assert!(names.len() >= 30, "{}", names.len());
}

/// Whether a redactor must put something else there.
fn is_secret(name: &str, value: &str) -> bool {
    let is_word = value.to_ascii_lowercase();
    SECRET.contains(&name) && !value.is_empty() && !NO_SECRET.contains(&is_word.as_str())
}

const KEPT: &[&str] = &[
    "code_challenge_method",
    "error",
    "grant_type",
    "response_type",
    "scope",
    "token_type",
];
const SECRET: &[&str] = &[
    "access_token",
    "basic.password",
    "client_assertion",
    "client_secret",
    "clientSecret",
    "code",
    "code_challenge",
    "code_verifier",
    "refresh_token",
    "state",
];
/// Texts that are kept in the place of a secret.
const NO_SECRET: &[&str] = &["undefined", "your_client_secret"];
