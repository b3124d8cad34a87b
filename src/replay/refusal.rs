//! A refusal: what a recorded server would have said to a client that does worse than the recorded
//! one.

use crate::model::Response;
use crate::oauth::name;
use crate::redact::{Content, RecordedResponse, minify, quote};

/// What is wrong, and the error code for it.
pub(super) struct Refusal {
    pub(super) error: &'static str,
    pub(super) why: String,
    /// The method alone is wrong.
    pub(super) method: bool,
}

impl Refusal {
    /// In the words of a failure that was recorded for the endpoint, or else of RFC 6749 section
    /// 5.2.
    pub(super) fn response<'a>(
        &self,
        mut recorded: impl Iterator<Item = &'a RecordedResponse>,
    ) -> Response {
        let failed = |response: &&RecordedResponse| {
            response.status() >= 400 && matches!(response.content(), Content::Json { .. })
        };
        if let Some(recorded) = recorded.find(failed)
            && let Content::Json { text, .. } = recorded.content()
        {
            let media = recorded
                .headers()
                .get("content-type")
                .unwrap_or("application/json")
                .to_owned();
            return Response::new(recorded.status(), minify(text))
                .with("Content-Type", media)
                .with("authtape-replay", "1");
        }
        let status = if self.method {
            405
        } else if self.error == CLIENT {
            401
        } else {
            400
        };
        let description = quote(&format!("authtape: {}", self.why));
        let body = format!(
            "{{\"{}\":\"{}\",\"{}\":{description}}}",
            name::ERROR,
            self.error,
            name::ERROR_DESCRIPTION
        );
        Response::new(status, body)
            .with("Content-Type", "application/json")
            .with("Cache-Control", "no-store")
            .with("authtape-replay", "1")
    }
}

/// The grant is not what was issued.
pub(super) const GRANT: &str = "invalid_grant";
/// The client is not who it was.
pub(super) const CLIENT: &str = "invalid_client";
