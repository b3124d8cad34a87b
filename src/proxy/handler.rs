//! The seam between the wire and whoever answers: one request in, one response or failure out.

use std::future::Future;

use crate::model::{Failure, Incident, Request, Response};

/// Answers requests; the proxy is generic over one.
///
/// The proxy drops the future when the client goes away before the response's head is there.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Request) -> impl Future<Output = Result<Response, Failure>> + Send;

    /// Hears of a connection that never became a request.
    fn incident(&self, incident: Incident) {
        drop(incident);
    }
}

/// A closure that answers at once is a handler: a stub server in one line.
impl<F> Handler for F
where
    F: Fn(Request) -> Result<Response, Failure> + Send + Sync + 'static,
{
    async fn handle(&self, request: Request) -> Result<Response, Failure> {
        self(request)
    }
}
