//! What is shown: the session so far.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::cassette::{Cassette, Header, load_entry};
use crate::diagnose;
use crate::record::Laid;
use crate::view::Scene;

/// A session so far, redacted. Whoever tells it something does not wait for those who look on.
pub struct Board {
    name: String,
    news: Mutex<News>,
    shown: Mutex<Shown>,
    count: watch::Sender<u64>,
}

/// What was said since somebody looked.
#[derive(Default)]
struct News {
    /// It stands in the place of all before.
    is_anew: bool,
    entries: Vec<String>,
    /// How many interactions there are, with those that are not shown.
    all: usize,
}

struct Shown {
    cassette: Cassette,
    told: Vec<String>,
    is_cut: bool,
}

impl Board {
    /// An empty board for the cassette of this name, which was begun then (RFC 3339, UTC), or goes
    /// on from these interactions.
    pub fn new(name: String, begun: Cassette) -> Self {
        let all = begun.interactions.len();
        Self {
            name,
            news: Mutex::new(News {
                all,
                ..News::default()
            }),
            shown: Mutex::new(Shown {
                cassette: begun,
                told: Vec::new(),
                is_cut: false,
            }),
            count: watch::Sender::new(0),
        }
    }

    /// Takes in what was recorded.
    pub fn take_in(&self, laid: &Laid) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = laid.entries();
        if matches!(laid, Laid::Rewritten(_)) {
            *news = News {
                is_anew: true,
                ..News::default()
            };
        }
        news.all += entries.len();
        let room = SHOWN_MAX.saturating_sub(news.all - entries.len());
        let shown = entries.into_iter().take(room).map(str::to_owned);
        news.entries.extend(shown);
        drop(news);
        self.changed();
    }

    /// Takes in lines that are told beside the session.
    pub fn tell(&self, lines: Vec<String>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.told.len() < TOLD_MAX {
            shown.told.extend(lines);
        }
        drop(shown);
        self.changed();
    }

    /// What changes each time that something is taken in.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    /// The page.
    pub(super) fn page(&self) -> String {
        self.written(|scene, findings, told| scene.live(findings, &self.name, told))
    }

    /// What stands in the page.
    pub(super) fn fragment(&self) -> String {
        self.written(|scene, findings, told| scene.live_fragment(findings, &self.name, told))
    }

    fn changed(&self) {
        self.count.send_modify(|count| *count += 1);
    }

    fn written(
        &self,
        write: impl Fn(&Scene<'_>, &diagnose::Findings, &[String]) -> String,
    ) -> String {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = std::mem::take(&mut news.entries);
        let (is_anew, all) = (std::mem::take(&mut news.is_anew), news.all);
        drop(news);
        if is_anew {
            shown.cassette.interactions.clear();
        }
        // The recorder wrote them; what cannot be read is said when the cassette is.
        let read = entries.iter().filter_map(|text| load_entry(text).ok());
        shown.cassette.interactions.extend(read);
        if all > SHOWN_MAX && !shown.is_cut {
            shown.is_cut = true;
            shown.told.push(format!(
                "more than {SHOWN_MAX} exchanges: the others are in the cassette"
            ));
        }
        let header = std::mem::replace(&mut shown.cassette.header, Header::begun(String::new()));
        shown.cassette.header = header.with_server(&shown.cassette.interactions);
        let findings = diagnose::diagnose(&shown.cassette);
        write(&Scene::new(&shown.cassette), &findings, &shown.told)
    }
}

/// More no browser shows well.
const SHOWN_MAX: usize = 2_000;
const TOLD_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: usize, path: &str) -> String {
        format!(
            "\n- id: {id}\n  step: other\n  at: 0.000\n  request:\n    method: GET\n    url: https://as.example/{path}\n    http: \"1.1\"\n    body: empty\n# end {id}\n"
        )
    }

    fn board() -> Board {
        let begun = Cassette {
            header: Header::begun("2026-11-24T08:43:42Z".to_owned()),
            interactions: Vec::new(),
        };
        Board::new("login.yaml".to_owned(), begun)
    }

    #[test]
    fn it_has_what_was_laid_and_what_was_laid_anew_in_its_place() {
        let board = board();
        let changes = board.changes();
        board.take_in(&Laid::Appended(entry(1, "first")));
        assert!(changes.has_changed().expect("a board"));
        assert!(board.fragment().contains("as.example/first"));
        board.take_in(&Laid::Appended(entry(2, "second")));
        let anew = format!(
            "authtape: 1\ninteractions:\n{}{}",
            entry(1, "mended"),
            entry(2, "second")
        );
        board.take_in(&Laid::Rewritten(anew));
        board.take_in(&Laid::Appended(entry(3, "third")));
        board.take_in(&Laid::Skipped);
        let shown = board.fragment();
        for (path, is_there) in [
            ("first", false),
            ("mended", true),
            ("second", true),
            ("third", true),
        ] {
            assert_eq!(
                shown.contains(&format!("as.example/{path}")),
                is_there,
                "{path}"
            );
        }
        assert!(shown.contains("3 exchanges"), "{shown}");
    }

    #[test]
    fn it_shows_no_more_than_a_browser_can() {
        let board = board();
        for id in 1..=SHOWN_MAX + 3 {
            board.take_in(&Laid::Appended(entry(id, &format!("path{id}-"))));
        }
        let shown = board.fragment();
        assert!(shown.contains("2000 exchanges"));
        assert!(shown.contains(&format!("path{SHOWN_MAX}-")));
        assert!(!shown.contains(&format!("path{}-", SHOWN_MAX + 1)));
        assert!(shown.contains("more than 2000 exchanges: the others are in the cassette"));
        board.tell(vec!["miss: <script>".to_owned(); TOLD_MAX + 5]);
        board.tell(vec!["one more".to_owned()]);
        let shown = board.fragment();
        assert!(shown.contains("miss: &lt;script&gt;") && !shown.contains("one more"));
    }
}
