//! The page of a run, where one is asked for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use authtape::cassette::{Cassette, Header};
use authtape::deck::LaidListener;
use authtape::library;
use authtape::record::Laid;
use authtape::web::{self, Board, Showing};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::watch;

/// A page that shows what this run says.
pub(crate) struct Live {
    board: Arc<Board>,
    showing: Showing,
}

impl Live {
    /// Shows what is said for these cassettes; of one that is recorded on, first what it has.
    pub(crate) async fn begun(cassettes: &[PathBuf], is_extended: bool) -> anyhow::Result<Self> {
        let now = OffsetDateTime::now_utc();
        let now = now.replace_nanosecond(0).unwrap_or(now);
        let begun = match cassettes {
            [cassette] if is_extended => library::load(cassette)?,
            _ => Cassette {
                header: Header::begun(now.format(&Rfc3339)?),
                interactions: Vec::new(),
            },
        };
        let names = cassettes.iter().map(|path| path.display().to_string());
        let name = names.collect::<Vec<_>>().join(" ");
        let board = Arc::new(Board::new(name, begun));
        let showing = web::serve(Arc::clone(&board)).await?;
        Ok(Self { board, showing })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.showing.address()
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        self.showing.url()
    }

    /// What it shows.
    pub(crate) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// Says that the run has ended.
    pub(crate) async fn end(self) {
        self.showing.end().await;
    }
}

/// Who is told of what is said: the page, and whoever wants to hear it at once.
pub(crate) fn listener(live: Option<&Live>, is_verbose: bool) -> Option<LaidListener> {
    let board = live.map(Live::board);
    let watch = is_verbose.then(watch::watcher);
    (board.is_some() || watch.is_some()).then(|| {
        LaidListener::new(move |laid: &Laid| {
            if let Some(board) = &board {
                board.take_in(laid);
            }
            if let Some(watch) = &watch {
                watch(laid);
            }
        })
    })
}
