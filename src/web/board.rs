//! What is shown: the session so far.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::cassette::{Cassette, Header, load_entry};
use crate::diagnose;
use crate::record::Laid;
use crate::view::{EXCHANGES_MAX, Scene};

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
    /// Its entries stand in the place of all before.
    is_anew: bool,
    entries: Vec<String>,
    told: Vec<String>,
    /// How many interactions are shown, or will be, and how many bytes they are.
    count: usize,
    bytes: usize,
    /// How many lines were told.
    lines: usize,
    /// There was more than is shown.
    is_cut: bool,
}

struct Shown {
    cassette: Cassette,
    told: Vec<String>,
}

impl Board {
    /// A board for the cassette of this name, which goes on from what this one has.
    pub fn new(name: String, begun: Cassette) -> Self {
        let count = begun.interactions.len();
        Self {
            name,
            news: Mutex::new(News {
                count,
                ..News::default()
            }),
            shown: Mutex::new(Shown {
                cassette: begun,
                told: Vec::new(),
            }),
            count: watch::Sender::new(0),
        }
    }

    /// Takes in what was recorded.
    pub fn take_in(&self, laid: &Laid) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(laid, Laid::Rewritten(_)) {
            news.is_anew = true;
            news.entries.clear();
            (news.count, news.bytes, news.is_cut) = (0, 0, false);
        }
        for entry in laid.entries() {
            if news.count >= EXCHANGES_MAX || news.bytes >= BYTES_MAX {
                news.is_cut = true;
                break;
            }
            news.count += 1;
            news.bytes += entry.len();
            news.entries.push(entry.to_owned());
        }
        drop(news);
        self.changed();
    }

    /// Takes in lines that are told beside the session.
    pub fn tell(&self, lines: Vec<String>) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let room = TOLD_MAX.saturating_sub(news.lines);
        if room > 0 && lines.len() >= room {
            news.told.extend(lines.into_iter().take(room));
            news.told.push("more is told where this runs".to_owned());
            news.lines = TOLD_MAX;
        } else if room > 0 {
            news.lines += lines.len();
            news.told.extend(lines);
        }
        drop(news);
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
        shown.told.append(&mut news.told);
        let (is_anew, is_cut) = (std::mem::take(&mut news.is_anew), news.is_cut);
        drop(news);
        if is_anew {
            shown.cassette.interactions.clear();
        }
        // The recorder wrote them; what cannot be read is said when the cassette is.
        let read = entries.iter().filter_map(|text| load_entry(text).ok());
        shown.cassette.interactions.extend(read);
        let header = std::mem::replace(&mut shown.cassette.header, Header::begun(String::new()));
        shown.cassette.header = header.with_server(&shown.cassette.interactions);
        let findings = diagnose::diagnose(&shown.cassette);
        let cut = "more was said than is shown here: it is in the cassette".to_owned();
        let told = shown.told.iter().cloned();
        let told: Vec<_> = told.chain(is_cut.then_some(cut)).collect();
        write(&Scene::new(&shown.cassette), &findings, &told)
    }
}

/// What is kept of them while nobody looks.
const BYTES_MAX: usize = 64 << 20;
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
        for id in 1..=EXCHANGES_MAX + 3 {
            board.take_in(&Laid::Appended(entry(id, &format!("path{id}-"))));
        }
        let shown = board.fragment();
        assert!(shown.contains("2000 exchanges"));
        assert!(shown.contains(&format!("path{EXCHANGES_MAX}-")));
        assert!(!shown.contains(&format!("path{}-", EXCHANGES_MAX + 1)));
        assert!(shown.contains("more was said than is shown here"));
        board.tell(vec!["miss: <script>".to_owned(); TOLD_MAX + 5]);
        board.tell(vec!["one more".to_owned()]);
        let shown = board.fragment();
        assert!(shown.contains("miss: &lt;script&gt;") && !shown.contains("one more"));
    }
}
