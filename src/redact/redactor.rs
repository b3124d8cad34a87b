//! The redactor: walks one exchange and writes down what may be kept of it.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use crate::model::{
    Exchange, Failure, Framing, Heard, Params, Url, Version, is_unreserved, percent_decode,
};
use crate::oauth::facts::Facts;
use crate::oauth::fields::Reading;
use crate::oauth::registry::Place;
use crate::oauth::{Step, name};
use crate::redact::check::Stray;
use crate::redact::content::{AbsentBody, DropReason, DroppedBody};
use crate::redact::entry::Named;
use crate::redact::examine::Public;
use crate::redact::index::{WINDOW, Windows};
use crate::redact::interaction::{Interaction, RecordedError, RecordedRequest, RecordedResponse};
use crate::redact::label::{self, Label, Piece, escape, pieces};
use crate::redact::ledger::{Capacity, Fresh, Ledger, Shape};
use crate::redact::pattern::shown;
use crate::redact::profile::Profile;
use crate::redact::sweep::{Sweeper, may_stand_in};
use crate::redact::urls::encode;
use crate::redact::values::WORD;

/// Turns exchanges into interactions, and remembers every secret it has seen.
///
/// It holds secrets: no `Debug`, no `Serialize`.
#[derive(Default)]
pub struct Redactor {
    pub(super) profile: Profile,
    pub(super) ledger: Ledger,
    pub(super) keep_values: Vec<String>,
    /// The request of this exchange has a body that nobody could read.
    pub(super) is_unread: bool,
    /// What clients called themselves where they asked for authorization.
    clients: HashSet<String>,
    /// What would be replaced, where this only checks what is written.
    pub(super) strays: Option<Vec<Stray>>,
    /// Texts that are kept as they are, by how they are walked.
    pub(super) plain: [HashSet<String>; 4],
    pub(super) sweeper: Sweeper,
    /// What is said of clients and hosts.
    pub(super) public: Public,
    /// The secrets of the last exchange that the ledger had no room for.
    passing: Sweeper,
    kept: Kept,
}

/// An interaction, and whether one of its secrets stands in what was written before it.
pub struct Redacted {
    /// What may be written.
    pub interaction: Interaction,
    /// A text kept earlier holds a secret that only this exchange made known.
    pub earlier_text_is_stale: bool,
    /// There was no room to remember its secrets: elsewhere the same ones have other labels.
    pub is_unlinked: bool,
}

impl Redactor {
    /// A redactor that shows this much, and also keeps the values of these parameters.
    pub fn new(profile: Profile, keep_values: Vec<String>) -> Self {
        Self::with_capacity(profile, keep_values, Capacity::default())
    }

    /// The same, with room for so many secrets.
    pub fn with_capacity(profile: Profile, keep_values: Vec<String>, capacity: Capacity) -> Self {
        Self {
            profile,
            ledger: Ledger::with_capacity(capacity),
            keep_values,
            ..Self::default()
        }
    }

    /// What may be written of an exchange.
    ///
    /// `reading` is what was read of it, and `step` and `facts` what that said.
    pub fn redact(
        &mut self,
        exchange: &Exchange,
        reading: &Reading<'_>,
        step: Step,
        facts: Facts,
    ) -> Redacted {
        let request = self.request(step, reading);
        let response = reading
            .heard
            .map(|heard| self.response(step, reading, heard));
        let mut fresh = self.ledger.take_fresh();
        let mut secrets = Vec::new();
        let mut at = 0;
        while let Some(next) = fresh.get(at) {
            let declared = self.declared(next, exchange.clock);
            secrets.extend(self.revealed(next, declared));
            // What is declared of a JWT may bring secrets of its own.
            fresh.append(&mut self.ledger.take_fresh());
            at += 1;
        }
        let interaction = Interaction {
            id: exchange.id,
            step,
            at: exchange.at.into(),
            request,
            response,
            error: exchange.failure.as_ref().map(recorded_error),
            facts,
            secrets,
        };
        self.settle(interaction, &fresh)
    }

    /// Searches an earlier interaction for secrets that came to be known later.
    pub fn resweep(&self, interaction: &mut Interaction) {
        let mut all = String::new();
        interaction.for_each_text(&mut |text| {
            all.push_str(text);
            all.push('\n');
        });
        // Where nothing stands in all of them, nothing does in one, but for what is written otherwise
        // because of labels.
        if !label::has_escape(&all) && self.found(&all).is_none() {
            return;
        }
        interaction.for_each_text(&mut |text| {
            if let Some(swept) = self.sweeper.replace(text) {
                *text = swept;
            }
            if let Some(swept) = self.passing.replace(text) {
                *text = swept;
            }
        });
    }

    /// How many secrets of each kind were replaced.
    pub fn counts(&self) -> Vec<Named<u32>> {
        self.ledger.counts()
    }

    /// The kind of a known secret that stands in the text in any encoding, and must not.
    pub fn leak(&self, text: &str) -> Option<String> {
        if self.profile == Profile::Raw {
            return None;
        }
        self.found(text).map(|label| label.kind)
    }

    fn found(&self, text: &str) -> Option<Label> {
        let mut sweepers = [&self.sweeper, &self.passing].into_iter();
        sweepers.find_map(|sweeper| sweeper.find(text.as_bytes()))
    }

    /// The kind of a known secret that stands in the interaction, which is written as this text.
    pub fn leak_of(&self, interaction: &Interaction, written: &str) -> Option<String> {
        self.leak(written)?;
        // What reads as the file's own keys stands in every file: anybody can set a cookie to it.
        let mut found = None;
        interaction.clone().for_each_text(&mut |text| {
            found = found.take().or_else(|| self.leak(text));
        });
        found
    }

    /// What an interaction asks for, as far as it is not secret.
    pub fn asked(&self, interaction: &Interaction) -> Option<String> {
        let request = interaction.request();
        let url = request.parsed_url()?;
        let is_secret = |segment: &str| self.leak(segment).is_some();
        Some(shown(request.method(), &url, is_secret))
    }

    /// The interaction without any of its texts, for when the audit refuses it.
    pub fn withheld(mut interaction: Interaction) -> Interaction {
        let absent = |size| {
            Some(AbsentBody::Dropped(DroppedBody {
                dropped: DropReason::Audit,
                size,
                sniff: None,
                text: None,
                base64: None,
            }))
        };
        let request = &mut interaction.request;
        *request = RecordedRequest {
            method: std::mem::take(&mut request.method),
            url: request.parsed_url().map_or_else(String::new, |url| {
                format!("{}://{}/", url.scheme, url.authority())
            }),
            http: std::mem::take(&mut request.http),
            body: absent(0),
            ..RecordedRequest::default()
        };
        if let Some(response) = &mut interaction.response {
            let (status, after) = (response.status, response.after);
            *response = RecordedResponse {
                status,
                after,
                body: absent(0),
                ..RecordedResponse::default()
            };
        }
        interaction.facts = Facts::default();
        interaction.secrets.clear();
        interaction
    }

    fn settle(&mut self, mut interaction: Interaction, fresh: &[Fresh]) -> Redacted {
        self.passing = Sweeper::default();
        let is_unlinked = fresh.iter().any(|fresh| fresh.is_passing);
        let earlier_text_is_stale = self.kept.holds(fresh);
        // What was written earlier is to be swept of it: room is made for that one.
        let is_passing = |fresh: &Fresh| fresh.is_passing && !self.kept.may_hold(fresh);
        self.ledger
            .forget(fresh.iter().filter(|fresh| is_passing(fresh)));
        // A word that no list has is nobody's secret for that.
        for fresh in fresh.iter().filter(|fresh| fresh.label.kind != WORD) {
            let sweeper = if is_passing(fresh) {
                &mut self.passing
            } else {
                &mut self.sweeper
            };
            sweeper.add(&fresh.value, &fresh.label);
        }
        self.resweep(&mut interaction);
        interaction.for_each_text(&mut |text| self.kept.note(text));
        self.note_public(&interaction);
        Redacted {
            interaction,
            earlier_text_is_stale,
            is_unlinked: is_unlinked || self.ledger.is_full(),
        }
    }

    /// Whether the value may stand in what was written before.
    pub(super) fn may_have_kept(&self, value: &str) -> bool {
        may_stand_in(&self.kept.windows, value)
    }

    /// Keeps a text in mind, to be searched for secrets that come to be known later.
    pub(super) fn keep_in_mind(&mut self, text: &str) {
        self.kept.note(text);
    }

    fn request(&mut self, step: Step, reading: &Reading<'_>) -> RecordedRequest {
        let said = reading.said;
        let place = Place::of_request(step);
        self.is_unread = false;
        self.know_client(step, reading);
        let raw_query = said.url.query.as_deref().unwrap_or_default();
        let query = self.pairs(place, &Params::parse(raw_query));
        let raw_query = (!writes_back(raw_query)).then(|| self.raw_params(raw_query));
        self.learn_unsent(&said.url);
        let basic = self.basic(step, said);
        let mut request = RecordedRequest {
            method: self.method(&said.method),
            url: format!(
                "{}://{}{}",
                escape(&said.url.scheme),
                self.authority(&said.url),
                self.path(&said.url.host, &said.url.path)
            ),
            http: said.version.as_str().to_owned(),
            query,
            raw_query,
            headers: self.headers(step, &said.headers),
            basic,
            framing: Framing::declared(&said.headers),
            ..RecordedRequest::default()
        };
        self.request_body(place, reading, &mut request);
        request.trailers = self.headers(step, &said.body.trailers);
        request
    }

    /// Learns who the client is, and its secret where it calls itself by that.
    fn know_client(&mut self, step: Step, reading: &Reading<'_>) {
        let id = reading.fields.get(name::CLIENT_ID);
        if step == Step::AuthorizationRequest {
            self.clients.extend(id.map(ToOwned::to_owned));
        } else if let (Some(id), Some(secret)) = (id, reading.fields.get(name::CLIENT_SECRET))
            && self.clients.contains(secret)
            && !self.clients.contains(id)
        {
            self.secret(name::CLIENT_SECRET, id, Shape::Declared);
        }
    }

    /// Whether an authorization request came from a client of this name.
    pub(super) fn is_client(&self, id: &str) -> bool {
        self.clients.contains(id)
    }

    /// A method, which may be anything that the client made up.
    fn method(&mut self, method: &str) -> String {
        let all = |fits: fn(&u8) -> bool| method.bytes().all(|byte| byte == b'-' || fits(&byte));
        let is_word = all(u8::is_ascii_uppercase) || all(u8::is_ascii_lowercase);
        if is_word && method.len() <= LONGEST_METHOD {
            method.to_owned()
        } else {
            self.secret("name", method, Shape::Hidden)
        }
    }

    /// Learns what stands in the parts of a URL that no server is sent, but a HAR file shows.
    fn learn_unsent(&mut self, url: &Url) {
        if let Some(userinfo) = &url.userinfo {
            let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
            self.value(Place::TokenRequest, name::USERNAME, &percent_decode(user));
            self.value(
                Place::TokenRequest,
                name::PASSWORD,
                &percent_decode(password),
            );
        }
        if let Some(fragment) = &url.fragment {
            self.raw_params(fragment);
        }
    }

    fn response(&mut self, step: Step, reading: &Reading<'_>, heard: &Heard) -> RecordedResponse {
        let said = reading.said;
        let mut response = RecordedResponse {
            status: heard.status,
            reason: heard.reason.as_deref().map(|reason| self.sentence(reason)),
            http: (heard.version != said.version).then(|| heard.version.as_str().to_owned()),
            after: heard.after.into(),
            headers: self.headers(step, &heard.headers),
            framing: response_framing(heard),
            ..RecordedResponse::default()
        };
        self.response_body(Place::of_response(step), reading, heard, &mut response);
        response.trailers = self.headers(step, &heard.body.trailers);
        response
    }

    /// Decoded pairs, each value by its row.
    pub(super) fn pairs(&mut self, place: Place, params: &Params) -> Vec<Named<String>> {
        let pair = |param: &crate::model::Param| {
            let value = self.value(place, param.name.trim_start_matches("amp;"), &param.value);
            Named::new(self.name(&param.name), value)
        };
        params.iter().map(pair).collect()
    }
}

impl Interaction {
    /// Calls `each` on every text that may hold a secret.
    pub(super) fn for_each_text(&mut self, each: &mut dyn FnMut(&mut String)) {
        let request = &mut self.request;
        let pairs = [
            &mut request.query,
            &mut request.headers,
            &mut request.form,
            &mut request.trailers,
        ];
        for pairs in pairs {
            each_pair(pairs, each);
        }
        each(&mut request.method);
        each(&mut request.url);
        let texts = [
            &mut request.raw_query,
            &mut request.raw_form,
            &mut request.json,
            &mut request.text,
        ];
        texts.into_iter().flatten().for_each(&mut *each);
        if let Some(basic) = &mut request.basic {
            each(&mut basic.user);
            basic.password.iter_mut().for_each(&mut *each);
        }
        for part in &mut request.multipart {
            each_pair(&mut part.headers, each);
            each(&mut part.text);
        }
        if let Some(response) = &mut self.response {
            each_pair(&mut response.headers, each);
            each_pair(&mut response.form, each);
            each_pair(&mut response.trailers, each);
            for form in &mut response.forms {
                each(&mut form.action);
                for field in &mut form.fields {
                    each(&mut field.name);
                    field.value.value.iter_mut().for_each(&mut *each);
                }
            }
            let texts = [
                &mut response.reason,
                &mut response.raw_form,
                &mut response.json,
                &mut response.text,
            ];
            texts.into_iter().flatten().for_each(&mut *each);
        }
        for Named {
            value: declaration, ..
        } in &mut self.secrets
        {
            declaration
                .jwt_header
                .iter_mut()
                .chain(&mut declaration.jwt_claims)
                .for_each(&mut *each);
        }
    }
}

fn each_pair(pairs: &mut [Named<String>], each: &mut dyn FnMut(&mut String)) {
    for pair in pairs {
        each(&mut pair.name);
        each(&mut pair.value);
    }
}

/// Whether the canonical encoding of the decoded pairs gives the same bytes.
pub(super) fn writes_back(raw: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| is_unreserved(byte) || byte == b'+');
    let is_plain = |pair: &str| {
        pair.split_once('=')
            .is_some_and(|(name, value)| plain(name) && plain(value))
    };
    // Nothing is encoded, as in most.
    if raw.is_empty() || raw.split('&').all(is_plain) {
        return true;
    }
    let canonical = |text: &str| encode(&escape(text)).replace("%20", "+");
    let pair = |param: &crate::model::Param| {
        format!("{}={}", canonical(&param.name), canonical(&param.value))
    };
    Params::parse(raw)
        .iter()
        .map(pair)
        .collect::<Vec<_>>()
        .join("&")
        == raw.replace("REDACTED-", "REDACTED--")
}

fn recorded_error(failure: &Failure) -> RecordedError {
    RecordedError {
        kind: failure.kind,
        phase: failure.phase,
        after: failure.after.into(),
    }
}

fn response_framing(heard: &Heard) -> Option<Framing> {
    let bodiless = heard.body.size == 0 || heard.version == Version::Http2;
    Framing::declared(&heard.headers).or_else(|| (!bodiless).then_some(Framing::Eof))
}

/// `UPDATEREDIRECTREF`, in IANA's registry of methods.
const LONGEST_METHOD: usize = 17;

/// The distinct texts that were kept, to be searched for secrets that are learned later.
#[derive(Default)]
struct Kept {
    /// The hash of each, of a hasher that nobody outside can foresee.
    seen: HashSet<u64>,
    hasher: RandomState,
    text: String,
    windows: Windows,
}

impl Kept {
    fn note(&mut self, text: &str) {
        if text.len() < WINDOW || !self.seen.insert(self.hasher.hash_one(text)) {
            return;
        }
        if !label::may_hold(text) {
            return self.take_in(text);
        }
        for piece in pieces(text) {
            if let Piece::Literal(literal) = piece
                && literal.len() >= WINDOW
                && self.seen.insert(self.hasher.hash_one(&literal))
            {
                self.take_in(&literal);
            }
        }
    }

    fn take_in(&mut self, literal: &str) {
        self.windows.add(literal, &self.text);
        self.text.push_str(literal);
        self.text.push('\n');
    }

    fn may_hold(&self, fresh: &Fresh) -> bool {
        fresh.label.kind != WORD && may_stand_in(&self.windows, &fresh.value)
    }

    /// Whether one of the secrets stands in one of the texts.
    fn holds(&self, secrets: &[Fresh]) -> bool {
        let mut likely = secrets
            .iter()
            .filter(|fresh| self.may_hold(fresh))
            .peekable();
        if likely.peek().is_none() {
            return false;
        }
        let mut sweeper = Sweeper::default();
        likely.for_each(|fresh| sweeper.add(&fresh.value, &fresh.label));
        sweeper.find(self.text.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_kept_is_not_kept_once_a_word_of_it_is_secret() {
        let mut redactor = Redactor::default();
        assert_eq!(redactor.free_text("no sunshine today"), "no sunshine today");
        assert_eq!(redactor.kept("12345"), "12345");
        redactor.secret("password", "sunshine", Shape::Hidden);
        redactor.secret("otp", "12345", Shape::Hidden);
        let host = Url::parse("https://sunny-shop.example/").expect("a URL");
        assert_eq!(redactor.authority(&host), "sunny-shop.example");
        redactor.secret("otp", "sunny-shop", Shape::Hidden);
        assert_eq!(redactor.authority(&host), "REDACTED-otp-2.example");
        let swept = redactor.free_text("no sunshine today");
        assert_eq!(swept, "no REDACTED-password-1 today");
        assert_eq!(redactor.kept("12345"), "REDACTED-otp-1");
    }

    #[test]
    fn a_secret_that_is_a_plain_word_is_found_whatever_it_touches() {
        let mut redactor = Redactor::default();
        redactor.secret("password", "rainbows", Shape::Hidden);
        for text in [
            "bad login admin:rainbows",
            "bad login user/rainbows",
            "the account-rainbows is wrong",
            "file:///home/rainbows",
            "user@rainbows",
            "rainbows_is_wrong",
            "Rainbows is wrong",
            "RAINBOWS!",
            "login?password=rainbows",
            "admin%3Arainbows",
        ] {
            for written in [redactor.free_text(text), redactor.kept(text)] {
                let lower = written.to_ascii_lowercase();
                assert!(!lower.contains("rainbows"), "{text}: {written}");
                assert!(written.contains("REDACTED-"), "{text}: {written}");
            }
        }
        for path in ["/account/login:rainbows/edit", "/error/rainbows-wrong"] {
            let written = redactor.url(path);
            assert!(!written.contains("rainbows"), "{path}: {written}");
        }
        assert_eq!(redactor.free_text("no rain, no bows"), "no rain, no bows");
        for name in ["x-rainbows-id", "rainbows"] {
            assert!(!redactor.field_name(name).contains("rainbows"), "{name}");
        }
    }

    #[test]
    fn what_a_sentence_calls_a_password_is_replaced() {
        let mut redactor = Redactor::default();
        for (text, expected) in [
            (
                "password hunter2 expired",
                "password REDACTED-word-1 expired",
            ),
            (
                "wrong password: Sunshine!",
                "wrong password: REDACTED-word-2!",
            ),
            ("no such user summer2024", "no such user REDACTED-word-3"),
            (
                "error code AADSTS50011: wrong",
                "error code AADSTS50011: wrong",
            ),
            ("the password is wrong", "the password is wrong"),
        ] {
            assert_eq!(redactor.free_text(text), expected);
        }
    }

    #[test]
    fn a_realm_that_is_called_as_a_host_leaves_the_host_alone() {
        let mut redactor = Redactor::default();
        let host = Url::parse("https://login.siemens.example/").expect("a URL");
        let path = redactor.path("login.siemens.example", "/realms/siemens/token");
        assert_eq!(path, "/realms/REDACTED-value-1/token");
        assert_eq!(redactor.authority(&host), "login.siemens.example");
        for (kind, expected) in [
            ("page", "acmecorp.example"),
            ("xml", "acmecorp.example"),
            ("username", "REDACTED-username-1.example"),
        ] {
            let mut redactor = Redactor::default();
            redactor.secret(kind, "acmecorp", Shape::Hidden);
            let host = Url::parse("https://acmecorp.example/").expect("a URL");
            assert_eq!(redactor.authority(&host), expected, "{kind}");
        }
    }

    #[test]
    fn what_is_nearly_a_secret_is_as_secret() {
        for (known, nearly, text) in [
            ("sunshine", "SUNSHINE", "Wrong password SUNSHINE"),
            ("Sunshine", "sunshine", "No sunshine"),
            ("rainbows", "rainbows/", "it was rainbows/"),
            // Cut off where the words of a random secret end.
            ("sunshineK3v9x2M7q8W4e6R1t5Y0", "sunshine", "No sunshine"),
        ] {
            let mut redactor = Redactor::default();
            redactor.secret("password", known, Shape::Hidden);
            redactor.secret("password", nearly, Shape::Hidden);
            let written = redactor.free_text(text).to_ascii_lowercase();
            for secret in [known, nearly].map(str::to_ascii_lowercase) {
                assert!(!written.contains(&secret), "{written}");
            }
        }
    }

    #[test]
    fn what_a_dropped_text_said_is_nobodys_public_name() {
        let mut redactor = Redactor::default();
        let place = Place::AuthorizationRequest;
        let heard = "k3v9x2m7q8w4e6r1t5y0u2i8";
        redactor.ledger.hear(heard);
        let id = redactor.value(place, name::CLIENT_ID, heard);
        assert_eq!(id, "REDACTED-value-1");
        redactor.clients.insert("8kqf3mz".to_owned());
        redactor.ledger.hear("8kqf3mz");
        assert_eq!(redactor.value(place, name::CLIENT_ID, "8kqf3mz"), "8kqf3mz");
    }

    #[test]
    fn where_nothing_more_is_remembered_nothing_random_is_public() {
        let few = Capacity {
            secrets: 1,
            ..Capacity::default()
        };
        let mut redactor = Redactor::with_capacity(Profile::Support, Vec::new(), few);
        let place = Place::AuthorizationRequest;
        assert_eq!(redactor.value(place, name::CLIENT_ID, "8kqf3mz"), "8kqf3mz");
        redactor.secret("cookie", "the only one", Shape::Hidden);
        let id = redactor.value(place, name::CLIENT_ID, "8kqf3mz");
        assert!(id.starts_with("REDACTED-"), "{id}");
    }

    #[test]
    fn what_stands_around_a_secret_by_mistake_is_no_part_of_it() {
        for (value, expected) in [
            ("Cn8Qw3Er5Ty7Ui9O\r\n", "REDACTED-code-1\r\n"),
            ("\"Cn8Qw3Er5Ty7Ui9O\"", "\"REDACTED-code-1\""),
            ("\u{feff}Cn8Qw3Er5Ty7Ui9O", "\u{feff}REDACTED-code-1"),
            ("Cn8Qw3Er5Ty7Ui9O", "REDACTED-code-1"),
            ("\"Cn8\"", "REDACTED-code-1"),
        ] {
            let mut redactor = Redactor::default();
            let written = redactor.value(Place::TokenRequest, name::CODE, value);
            assert_eq!(written, expected, "{value:?}");
        }
        let mut redactor = Redactor::default();
        redactor.secret(name::CODE, "Cn8Qw3Er5Ty7Ui9O", Shape::Declared);
        let cut_late = "Cn8Qw3Er5Ty7Ui9O&scope=openid&state=Cn1d2c3b4a596877";
        let written = redactor.value(Place::TokenRequest, name::CODE, cut_late);
        assert_eq!(
            written,
            "REDACTED-code-1&scope=openid&state=REDACTED-state-1"
        );
    }

    #[test]
    fn a_redirect_uri_is_read_however_often_it_is_encoded() {
        let plain = "https://shop.example/cb?code=Cn8Qw3Er5Ty7Ui9O";
        let mut redactor = Redactor::default();
        let [mut sent, mut written] =
            [plain, "https://shop.example/cb?code=REDACTED-code-1"].map(ToOwned::to_owned);
        for _ in 0..3 {
            let value = redactor.value(Place::TokenRequest, name::REDIRECT_URI, &sent);
            assert_eq!(value, written);
            [sent, written] = [sent, written].map(|text| encode(&text));
        }
        let escaped =
            redactor.raw_params("scope=a&amp;redirect_uri=https%3A%2F%2Fshop.example%2Fcb");
        assert_eq!(
            escaped,
            "scope=a&amp;redirect_uri=https%3A%2F%2Fshop.example%2Fcb"
        );
    }

    #[test]
    fn an_authorization_request_inside_of_a_value_is_read_as_one() {
        let asked = "/o/authorize/?client_id=web&response_type=code&state=Cn8Qw3Er5Ty7Ui9O&redirect_uri=http%3A%2F%2F127.0.0.1%3A36225%2Fcb";
        let mut redactor = Redactor::default();
        for (value, expected) in [
            (asked, asked.replace("Cn8Qw3Er5Ty7Ui9O", "REDACTED-state-1")),
            ("/home?user=Cn8Qw3Er5Ty7Ui9P", "REDACTED-value-1".to_owned()),
            (
                "client_id=web&response_type=code",
                "REDACTED-value-2".to_owned(),
            ),
        ] {
            assert_eq!(redactor.value(Place::Any, "next", value), expected);
        }
    }
}
