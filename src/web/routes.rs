//! What is asked of the page, and by whom.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::view::live_policy;
use crate::web::Board;
use crate::web::events::{Said, events};

/// Who may ask, and what is shown.
pub(super) struct Routes {
    pub(super) address: SocketAddr,
    /// The address, as a browser names it.
    pub(super) host: String,
    pub(super) token: String,
    pub(super) board: Arc<Board>,
    /// The session has ended.
    pub(super) stop: CancellationToken,
    /// Who is told of it.
    pub(super) events: TaskTracker,
}

impl Routes {
    /// The answer to a request.
    pub(super) async fn answer(&self, request: &Request<Incoming>) -> Response<Said> {
        let place = match self.place(request) {
            Ok(place) => place,
            Err(status) => return response(status, "text/plain", String::new()),
        };
        let board = Arc::clone(&self.board);
        match place {
            Place::Events => {
                let body = events(board, self.stop.clone(), &self.events);
                with_headers(Response::new(body), "text/event-stream")
            }
            Place::Page => html(move || board.page()).await,
            Place::Session => html(move || board.fragment()).await,
        }
    }

    /// What is asked for, or the status that says why it is not given. Pages of other origins learn
    /// nothing, whatever name they have for this address.
    fn place(&self, request: &Request<Incoming>) -> Result<Place, StatusCode> {
        let fields = request.headers();
        let mut hosts = fields.get_all(header::HOST).iter();
        let is_here = hosts.next().is_some_and(|host| host == self.host.as_str());
        if !is_here || hosts.next().is_some() || request.uri().host().is_some() {
            return Err(StatusCode::MISDIRECTED_REQUEST);
        }
        let site = fields.get("sec-fetch-site").map(HeaderValue::as_bytes);
        if site.is_some_and(|site| ![&b"none"[..], b"same-origin"].contains(&site)) {
            return Err(StatusCode::FORBIDDEN);
        }
        let path = request.uri().path().strip_prefix('/').unwrap_or_default();
        let (token, place) = path.split_once('/').unwrap_or((path, "-"));
        let is_known = verify_slices_are_equal(token.as_bytes(), self.token.as_bytes()).is_ok();
        let place = match place {
            "" => Place::Page,
            "events" => Place::Events,
            "session" => Place::Session,
            _ => return Err(StatusCode::NOT_FOUND),
        };
        if !is_known {
            return Err(StatusCode::NOT_FOUND);
        }
        let is_read = request.method() == Method::GET;
        is_read
            .then_some(place)
            .ok_or(StatusCode::METHOD_NOT_ALLOWED)
    }
}

enum Place {
    Events,
    Page,
    Session,
}

/// A page takes longer than who accepts connections has time for.
async fn html(write: impl FnOnce() -> String + Send + 'static) -> Response<Said> {
    match tokio::task::spawn_blocking(write).await {
        Ok(text) => response(StatusCode::OK, "text/html; charset=utf-8", text),
        Err(_panic) => response(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            String::new(),
        ),
    }
}

fn response(status: StatusCode, kind: &'static str, text: String) -> Response<Said> {
    let mut response = Response::new(Said::Left(Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    with_headers(response, kind)
}

fn with_headers(mut response: Response<Said>, kind: &'static str) -> Response<Said> {
    let policy = live_policy();
    let fields: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, &policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
