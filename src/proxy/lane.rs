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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[tokio::test]
    async fn each_lane_has_its_turn_on_a_thread_of_its_own() {
        let lanes = Lanes::open().expect("threads");
        let count = lanes.handles.len();
        let mut turns = BTreeMap::new();
        for _ in 0..3 * count {
            let on = lanes.next().spawn(async { thread::current().id() });
            let on = format!("{:?}", on.await.expect("a turn"));
            *turns.entry(on).or_insert(0) += 1;
        }
        assert_eq!(turns.into_values().collect::<Vec<_>>(), vec![3; count]);
    }

    #[tokio::test]
    async fn what_is_on_a_lane_ends_with_it() {
        let lanes = Lanes::open().expect("threads");
        let task = lanes.next().spawn(std::future::pending::<()>());
        drop(lanes);
        assert!(task.await.expect_err("ended").is_cancelled());
    }
}
