//! The player: one session over the repertoire, which answers its requests.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::cassette::Cassette;
use crate::model::{Alias, Failure, Response, Said, percent_decode};
use crate::oauth::Step;
use crate::oauth::classify::classify;
use crate::oauth::errand::is_errand;
use crate::oauth::fields::Reading;
use crate::oauth::flows::Flows;
use crate::redact::Label;
use crate::replay::asking::Pending;
use crate::replay::bindings::Bindings;
use crate::replay::clock::TimeOptions;
use crate::replay::device::Devices;
use crate::replay::fault::{Fault, Faults};
use crate::replay::grants::{Call, Grants, Terms};
use crate::replay::judged::Judged;
use crate::replay::latency::Latency;
use crate::replay::matching::Part;
use crate::replay::miss::{Miss, Report};
use crate::replay::perform::Came;
use crate::replay::picking::Chosen;
use crate::replay::plays::Plays;
use crate::replay::render::Asked;
use crate::replay::repertoire::Repertoire;
use crate::replay::sides::{Given, said_of};
use crate::replay::values::Live;

/// How a player behaves.
#[derive(Clone, Debug, Default)]
pub struct PlayOptions {
    /// Play recorded answers whatever the request does right or wrong.
    pub as_recorded: bool,
    /// What becomes of the pages between an authorization request and its response.
    pub pages: Pages,
    /// A real server may be asked what nothing on tape answers, and what it says is recorded.
    pub records: bool,
    /// Parts of a request that must be the recorded ones, besides what the protocol asks for. A
    /// request of no step of the protocol is found by these alone.
    pub match_on: Vec<Part>,
    /// What is no fault of a run.
    pub allow: Allow,
    /// The status of a miss, where it is not 501.
    pub miss_status: Option<u16>,
    /// How long a code works, where it is not ten minutes.
    pub code_ttl: Option<Duration>,
    /// A device that polls sooner than the interval allows is told to slow down; else the recorded
    /// answers come as fast as they are asked for.
    pub realtime: bool,
    /// What is done wrong on purpose; the first that is due is done.
    pub faults: Vec<Fault>,
    /// How late answers from tape come.
    pub latency: Latency,
    /// What minted values are made of; the same seed makes the same values.
    pub seed: [u8; 32],
    /// What time it is for the recorded servers.
    pub time: TimeOptions,
}

/// What becomes of the pages between an authorization request and its response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    /// One page stands for all of them, and asks a person to approve or to deny.
    Asked,
    /// They are shown as their forms.
    Kept,
    /// They are skipped.
    #[default]
    Skipped,
}

/// What is no fault of a run, though it is not what was recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allow {
    /// Recorded steps that nobody asks for.
    pub unused: bool,
    /// A grant that is redeemed once more: it is answered as it was recorded.
    pub repeats: bool,
}

/// The answer to a request.
#[derive(Debug)]
pub enum Answer {
    /// A response from tape, or a refusal in the recorded server's words.
    Response(Response),
    /// A recorded failure on the wire.
    Failure(Failure),
    /// Nothing on tape answers.
    Miss(Miss),
    /// Nothing on tape answers, and the request is none of a session that began there: a real server
    /// may be asked. Only where the options say that one is.
    New,
}

/// Plays a repertoire for one session. It holds this run's secrets: no `Debug`.
pub struct Player {
    pub(super) repertoire: Arc<Repertoire>,
    /// Its name, where it has one.
    pub(super) session: Option<Arc<str>>,
    pub(super) plays: Plays,
    /// When the request came that is being answered.
    pub(super) now: i64,
    /// By which other origin the client calls the server that it asks, where it does.
    pub(super) alias: Option<Arc<Alias>>,
    /// The cassette that the last authorization request was answered from.
    pub(super) cassette: Option<usize>,
    /// What this run asked the authorization endpoint for, last.
    pub(super) asked: Asked,
    pub(super) bindings: Bindings,
    pub(super) flows: Flows,
    /// What this run was issued.
    pub(super) grants: Grants,
    pub(super) faults: Faults,
    /// How long what was played last took when it was recorded.
    pub(super) took: Duration,
    /// What the last request came to.
    pub(super) came: Came,
    /// Which interaction answered it, or was meant.
    pub(super) meant: Option<usize>,
    pub(super) report: Report,
    pub(super) pending: Pending,
    pub(super) devices: Devices,
    given: Given,
}

impl Player {
    /// A player of these cassettes alone.
    pub fn new(cassettes: Vec<Cassette>, options: &PlayOptions) -> Self {
        let mut repertoire = Repertoire::new(options);
        for cassette in cassettes {
            repertoire.add(String::new(), cassette);
        }
        Self::of(Arc::new(repertoire), options.seed)
    }

    /// A new session over what others may play, too; the same seed makes the same values.
    pub fn of(repertoire: Arc<Repertoire>, seed: [u8; 32]) -> Self {
        let terms = Terms {
            code_ttl: Some(repertoire.options.code_ttl.unwrap_or(CODE_TTL)),
            repeats: repertoire.options.allow.repeats,
            realtime: repertoire.options.realtime,
            is_tape: false,
        };
        let faults = Faults::new(&repertoire.options.faults);
        Self {
            repertoire,
            session: None,
            plays: Plays::default(),
            now: 0,
            alias: None,
            cassette: None,
            asked: Asked::default(),
            bindings: Bindings::new(seed),
            flows: Flows::default(),
            grants: Grants::new(terms),
            faults,
            took: Duration::ZERO,
            came: Came::Aside,
            meant: None,
            report: Report::default(),
            pending: Pending::default(),
            devices: Devices::default(),
            given: Given::default(),
        }
    }

    /// Answers a request that comes at this time, in Unix seconds.
    pub fn play(&mut self, said: &Said, now: i64) -> Answer {
        self.play_live(&Live::of(said), now)
    }

    pub(super) fn play_live(&mut self, live: &Live<'_>, now: i64) -> Answer {
        let said = live.said;
        self.now = now;
        self.alias.clone_from(&said.alias);
        let repertoire = Arc::clone(&self.repertoire);
        let is_ours = !repertoire.options.records || self.is_begun_on_tape(said);
        let is_theirs = !is_ours && self.given.is_in(said);
        if repertoire.options.records {
            self.given.say(said);
        }
        if is_theirs {
            return Answer::New;
        }
        let page = self.device_page(live).map(Answer::Response);
        if let Some(answer) = page.or_else(|| self.decided(live)) {
            return answer;
        }
        let here = self.here(&repertoire, live);
        let judged = self.judged(live, here.step);
        if let Some(refusal) = self.not_approved(live, &judged) {
            (self.came, self.meant) = (Came::Refused, self.next_of(&here));
            let response = self.refuse(&refusal, &here, &judged);
            self.note(live, &judged, &response);
            return Answer::Response(response);
        }
        let chosen = self.pick(live, &judged, &here);
        if !is_ours && !matches!(chosen, Ok(Chosen::Track(_))) {
            return Answer::New;
        }
        if !matches!(chosen, Ok(Chosen::Track(_)))
            && let Some(meant) = self.next_of(&here)
        {
            self.plays.mean(meant);
            self.meant = Some(meant);
        }
        match chosen {
            Ok(Chosen::Track(at)) => {
                if let Some(page) = self.ask(at, live, &judged) {
                    return Answer::Response(page);
                }
                (self.came, self.meant) = (Came::Played, Some(at));
                self.answer(at, live, &judged)
            }
            Ok(Chosen::Refusal(refusal)) => {
                self.came = Came::Refused;
                let refused = format!("{}: {}", self.asked(said), refusal.why);
                self.report.note_refused(self.named(refused));
                let response = self.refuse(&refusal, &here, &judged);
                self.note(live, &judged, &response);
                Answer::Response(response)
            }
            // A browser goes its own errands, and no client of OAuth does.
            Err(_) if is_errand(&said.url) => Answer::Response(Response::new(404, "")),
            Err(miss) => {
                self.came = Came::Missed;
                self.report.note_miss(Miss::clone(&miss));
                Answer::Miss(*miss)
            }
        }
    }

    /// Takes in what a real server answered.
    pub fn hear(&mut self, reading: &Reading<'_>) {
        let Some(heard) = reading.heard else { return };
        let step = classify(&self.flows, reading);
        self.flows.observe(step, reading);
        self.given.hear(heard);
    }

    /// What this run says for the labels of the first cassette, which is the one recorded on.
    pub fn values(&self) -> Vec<(Label, Zeroizing<String>)> {
        self.bindings.of(0)
    }

    /// Whether the request carries what was made here. A browser sends cookies wherever they belong,
    /// and no server minds one that it does not know.
    fn is_begun_on_tape(&self, said: &Said) -> bool {
        let path = percent_decode(&said.url.path);
        self.bindings
            .has_minted(&(said_of(said, false) + "\n" + &path))
    }

    /// A request, judged by what was issued so far.
    pub(super) fn judged(&self, live: &Live<'_>, step: Option<Step>) -> Judged {
        let call = Call::live(step.unwrap_or(Step::Other), live.said, &live.fields);
        Judged::of(call, &self.grants, self.now())
    }

    pub(super) fn now(&self) -> Duration {
        Duration::from_secs(self.now.try_into().unwrap_or_default())
    }
}

/// The longest that a code should work (RFC 6749 section 4.1.2).
const CODE_TTL: Duration = Duration::from_mins(10);
