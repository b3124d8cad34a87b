//! A body that is waited for: read to its end, or up to where it was cut.

use std::future::poll_fn;

use crate::model::{Body, Captured};

/// Reads a body to its end and keeps its first bytes up to the cap.
pub(super) async fn read(body: Body, cap: usize) -> Captured {
    let mut chunks = match body {
        Body::Full(bytes) => return Captured::of(&bytes, cap),
        Body::Live(chunks) => chunks,
    };
    let mut captured = Captured::default();
    while let Some(chunk) = poll_fn(|cx| chunks.as_mut().poll_chunk(cx)).await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(cut) => {
                captured.cut = Some(cut);
                break;
            }
        };
        captured.append(&chunk, cap);
    }
    captured.trailers = chunks.trailers().cloned().unwrap_or_default();
    captured
}
