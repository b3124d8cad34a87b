//! Lanes: threads that each serve connections of their own.
//!
//! A connection stays on the thread that it began on, together with its way to the server and all
//! that it wakes: waking a task of another thread for each request costs more than serving it.

use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::{CancellationToken, DropGuard};

/// As many lanes as there are processors; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Lanes {
    handles: Vec<Handle>,
    turn: AtomicUsize,
    _end: DropGuard,
}

impl Lanes {
    /// Opens the lanes.
    pub(super) fn open() -> io::Result<Self> {
        let end = CancellationToken::new();
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let handles: io::Result<Vec<_>> = (0..count).map(|_| lane(end.clone())).collect();
        Ok(Self {
            handles: handles?,
            turn: AtomicUsize::new(0),
            _end: end.drop_guard(),
        })
    }

    /// Where the next connection goes: each lane has its turn.
    pub(super) fn next(&self) -> &Handle {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.handles[turn % self.handles.len()]
    }
}

fn lane(end: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let serve = move || Runtime::block_on(&runtime, end.cancelled());
    thread::Builder::new()
        .name("authtape-lane".to_owned())
        .spawn(serve)?;
    Ok(handle)
}
