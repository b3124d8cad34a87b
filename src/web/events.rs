//! Server-sent events: that there is more to see, and at the end all of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use http_body_util::{Either, Full};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::web::Board;

/// The body of an answer.
pub(super) type Said = Either<Full<Bytes>, Channel<Bytes>>;

/// The events of a board, until it is stopped or nobody listens.
pub(super) fn events(board: Arc<Board>, stop: CancellationToken, tasks: &TaskTracker) -> Said {
    let (sender, body) = Channel::new(1);
    tasks.spawn(tell(board, stop, sender));
    Said::Right(body)
}

async fn tell(board: Arc<Board>, stop: CancellationToken, mut sender: Sender<Bytes>) {
    let mut changes = board.changes();
    // What was said between the page and these events.
    changes.mark_changed();
    loop {
        let event = tokio::select! {
            // The board lives as long as its events.
            _ = changes.changed() => format!("data: {}\n\n", *changes.borrow_and_update()),
            () = tokio::time::sleep(SILENCE) => ":\n\n".to_owned(),
            () = stop.cancelled() => break,
        };
        if sender.send_data(event.into()).await.is_err() {
            return;
        }
    }
    let last = tokio::task::spawn_blocking(move || board.fragment()).await;
    let last = serde_json::Value::from(last.unwrap_or_default());
    // Who went away needs no farewell.
    let _ = sender
        .send_data(format!("event: end\ndata: {last}\n\n").into())
        .await;
}

/// So that what stands between does not take it for dead.
const SILENCE: Duration = Duration::from_secs(15);
