//! A client's connection, as promptly served as it allows.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::proxy::patience::Patience;

/// A client's connection, whatever lies around it.
pub(super) trait Client: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// What says whether the client must send more before it is answered.
    fn awaited(&self) -> Awaited;
}

/// Whether the client must send more before it is answered, and how its connection is to end;
/// whoever knows says so.
#[derive(Clone)]
pub(super) struct Awaited(Arc<Wishes>);

struct Wishes {
    more: AtomicBool,
    reset: AtomicBool,
}

impl Awaited {
    pub(super) fn set(&self, more: bool) {
        self.0.more.store(more, Ordering::Relaxed);
    }

    /// Has the connection end with a reset.
    pub(super) fn reset(&self) {
        self.0.reset.store(true, Ordering::Relaxed);
    }
}

impl Default for Awaited {
    fn default() -> Self {
        Self(Arc::new(Wishes {
            more: AtomicBool::new(true),
            reset: AtomicBool::new(false),
        }))
    }
}

/// A client's connection whose segments are acknowledged at once while more is awaited.
///
/// Clients that send a request's head and body in two writes, without `TCP_NODELAY` (urllib3 does
/// so towards a proxy), would wait 40 ms for the acknowledgement of the first. The option does not
/// last, so it is set again with each wait; what is answered at once is acknowledged by the answer.
pub(super) struct Prompt {
    stream: TcpStream,
    awaited: Awaited,
    /// Runs while the client takes nothing of what it asked for.
    stalled: Patience,
    /// Its place among those that may be open at once.
    _place: OwnedSemaphorePermit,
}

impl Prompt {
    /// A connection in its place, which ends where the client takes nothing for so long.
    pub(super) fn new(stream: TcpStream, place: OwnedSemaphorePermit, reader: Duration) -> Self {
        // A connection without it works, with a stall for every answer in two writes.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            awaited: Awaited::default(),
            stalled: Patience::of(reader),
            _place: place,
        }
    }
}

impl Client for Prompt {
    fn awaited(&self) -> Awaited {
        self.awaited.clone()
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        if self.awaited.0.reset.load(Ordering::Relaxed) {
            // Without it the connection is closed, which is how it ends in any case.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        #[cfg(target_os = "linux")]
        if polled.is_pending() && self.awaited.0.more.load(Ordering::Relaxed) {
            // Without it the connection works, at the client's own pace.
            let _ = self.stream.set_quickack(true);
        }
        polled
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.stalled.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.stalled.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_that_is_awaited_never_waits_for_an_acknowledgement() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let places = Arc::new(tokio::sync::Semaphore::new(1));
        let place = places.try_acquire_owned().expect("a place");
        let stream = accepted.expect("accepted").0;
        let mut prompt = Prompt::new(stream, place, Duration::from_secs(1));
        assert!(prompt.stream.nodelay().expect("an option"));
        let mut client = client.expect("connected");
        for awaited in [false, true] {
            prompt.awaited().set(awaited);
            client.write_all(b"x").await.expect("sent");
            prompt.read_u8().await.expect("a byte");
            prompt.stream.set_quickack(false).expect("an option");
            let more = prompt.read_u8();
            tokio::select! {
                biased;
                _ = more => panic!("nothing was sent"),
                () = std::future::ready(()) => {}
            }
            assert_eq!(prompt.stream.quickack().expect("an option"), awaited);
        }
    }
}
