//! A refusal: what a recorded server would have said to a client that does worse than the recorded
//! one.

use serde_json::{Map, Value};

use crate::model::{Body, Params, Response};
use crate::oauth::error_code::{ONGOING, is_registered};
use crate::oauth::{Step, name};
use crate::redact::{Content, RecordedResponse, quote};
use crate::replay::document::document;
use crate::replay::grants::challenged_error;
use crate::replay::judged::Judged;
use crate::replay::page::attribute;
use crate::replay::picking::Here;
use crate::replay::player::Player;

/// What is wrong, and the error code for it.
pub(super) struct Refusal {
    pub(super) error: &'static str,
    pub(super) why: String,
    pub(super) manner: Manner,
}

/// How a server says no.
pub(super) enum Manner {
    /// In a body (RFC 6749 section 5.2).
    Body,
    /// The same, where the method alone is wrong.
    Method,
    /// In a challenge (RFC 6750 section 3).
    Challenge {
        scheme: &'static str,
        /// Without an access token there is no error to name.
        is_without: bool,
    },
    /// As no more than the truth about a token (RFC 7662 section 2.2).
    Inactive,
    /// To the user, where nobody can be trusted to be the client (RFC 6749 section 4.1.2.1).
    Page,
    /// To the client, as the answer to this recorded request went.
    Redirect(usize),
}

impl Player {
    /// The answer of a refusal, in the words of a failure that was recorded, or else of the
    /// standards.
    pub(super) fn refuse(
        &mut self,
        refusal: &Refusal,
        here: &Here<'_>,
        judged: &Judged,
    ) -> Response {
        let response = match &refusal.manner {
            Manner::Redirect(at) => self.redirect(refusal, *at, &judged.wanted),
            Manner::Inactive => self.with_headers_of(here, 200, inactive()),
            manner => match self.dialect(refusal, here) {
                Some(at) => refusal.patched(self.render(at)),
                None if matches!(manner, Manner::Page) => refusal.page(),
                None => self.with_headers_of(here, refusal.status(None), refusal.body()),
            },
        };
        let response = refusal.challenging(response);
        if response.headers.has(MARK) {
            response
        } else {
            response.with(MARK, "1")
        }
    }

    fn redirect(&mut self, refusal: &Refusal, at: usize, wanted: &Params) -> Response {
        let description = refusal.description();
        let error = [
            (name::ERROR, refusal.error),
            (name::ERROR_DESCRIPTION, description.as_str()),
        ];
        let response = self.error_response(at, wanted, &error);
        response.unwrap_or_else(|| refusal.page())
    }

    /// A recorded failure whose words are those of this server: of the same error, or of another.
    fn dialect(&self, refusal: &Refusal, here: &Here<'_>) -> Option<usize> {
        let of_endpoint: Vec<usize> = here
            .all()
            .filter(|at| self.is_model(refusal, *at))
            .collect();
        let elsewhere = || {
            let cassette = here.all().next().map(|at| self.repertoire.cassette(at));
            let tracks = cassette.map_or(0..0, |cassette| self.repertoire.tracks_of(cassette));
            let is_akin = |at: &usize| {
                let akin = match refusal.manner {
                    Manner::Page => false,
                    Manner::Challenge { .. } => !self.repertoire.step(*at).authenticates_client(),
                    _ => self.repertoire.step(*at).authenticates_client(),
                };
                akin && self.is_model(refusal, *at)
            };
            tracks.filter(is_akin).collect()
        };
        let models: Vec<usize> = if of_endpoint.is_empty() {
            elsewhere()
        } else {
            of_endpoint
        };
        let error = |at: usize| self.repertoire.response(at).and_then(error_of);
        let same = |at: &&usize| error(**at).as_deref() == Some(refusal.error);
        // These say to go on, and nothing of what the server says to a defect.
        let is_of_defect = |at: &&usize| {
            let error = error(**at);
            let is_ongoing = ONGOING.contains(&error.as_deref().unwrap_or_default());
            !is_ongoing || ONGOING.contains(&refusal.error)
        };
        let mut others = models.iter();
        let found = models.iter().find(same);
        found.or_else(|| others.find(is_of_defect)).copied()
    }

    fn is_model(&self, refusal: &Refusal, at: usize) -> bool {
        let Some(response) = self.repertoire.response(at) else {
            return false;
        };
        let is_json = matches!(response.content(), Content::Json { .. });
        match refusal.manner {
            Manner::Challenge { .. } => response.status() == 401,
            Manner::Page => {
                response.status() >= 400 && self.repertoire.step(at) == Step::AuthorizationRequest
            }
            _ => is_json && (response.status() >= 400 || response.says_error()),
        }
    }

    /// A body with those fields that the endpoint always has.
    fn with_headers_of(&mut self, here: &Here<'_>, status: u16, body: String) -> Response {
        let json = |at: &usize| {
            let response = self.repertoire.response(*at);
            response.is_some_and(|response| matches!(response.content(), Content::Json { .. }))
        };
        let model = here.all().find(json);
        let mut response = Response::new(status, body);
        response.headers = match model {
            Some(at) => self.head(at),
            None => [
                ("Content-Type", "application/json"),
                ("Cache-Control", "no-store"),
            ]
            .into_iter()
            .collect(),
        };
        // They are of the other answer.
        let is_of_other = |name: &str| ["set-cookie", "etag", "location"].contains(&name);
        response
            .headers
            .retain(|field| !is_of_other(&field.name.to_ascii_lowercase()));
        response
    }
}

impl Refusal {
    fn status(&self, recorded: Option<u16>) -> u16 {
        match (&self.manner, recorded) {
            (Manner::Method, _) => 405,
            (Manner::Challenge { .. }, _) => 401,
            (_, None | Some(400)) if self.error == CLIENT => 401,
            (_, recorded) => recorded.unwrap_or(400),
        }
    }

    fn body(&self) -> String {
        let description = quote(&self.description());
        format!(
            "{{\"{}\":\"{}\",\"{}\":{description}}}",
            name::ERROR,
            self.error,
            name::ERROR_DESCRIPTION
        )
    }

    fn description(&self) -> String {
        format!("authtape: {}", self.why)
    }

    /// A recorded failure that says this error. A server that has none of the registered codes says
    /// what it says.
    fn patched(&self, mut response: Response) -> Response {
        if let Body::Full(bytes) = &response.body
            && let Ok(mut members) = serde_json::from_slice::<Map<String, Value>>(bytes)
            && let Some(Value::String(recorded)) = members.get(name::ERROR)
            && recorded != self.error
            && is_registered(recorded)
        {
            response.status = self.status(Some(response.status));
            members.insert(name::ERROR.to_owned(), Value::from(self.error));
            if members.contains_key(name::ERROR_DESCRIPTION) {
                let description = Value::from(self.description());
                members.insert(name::ERROR_DESCRIPTION.to_owned(), description);
            }
            members.remove(name::ERROR_URI);
            response.body = Value::Object(members).to_string().into();
        }
        if matches!(self.manner, Manner::Method) {
            response.status = 405;
        }
        response
    }

    /// With the header fields that the manner asks for.
    fn challenging(&self, mut response: Response) -> Response {
        match self.manner {
            Manner::Challenge { scheme, is_without } => {
                let said = response.headers.get(CHALLENGE).and_then(challenged_error);
                let is_said = said == Some(self.error) || (said.is_none() && is_without);
                if !(is_said && response.headers.has(CHALLENGE)) {
                    response
                        .headers
                        .retain(|field| !field.name.eq_ignore_ascii_case(CHALLENGE));
                    let error = format!(
                        " {}=\"{}\", {}=\"{}\"",
                        name::ERROR,
                        self.error,
                        name::ERROR_DESCRIPTION,
                        self.description()
                    );
                    let error = if is_without { "" } else { error.as_str() };
                    return response.with(CHALLENGE, format!("{scheme}{error}"));
                }
                response
            }
            Manner::Method if !response.headers.has("allow") => response.with("Allow", "POST"),
            Manner::Body if response.status == 401 && !response.headers.has(CHALLENGE) => {
                response.with(CHALLENGE, "Basic")
            }
            _ => response,
        }
    }

    fn page(&self) -> Response {
        let (error, why) = (attribute(self.error), attribute(&self.description()));
        document(400, &format!("<h1>{error}</h1>\n<p>{why}</p>"))
    }
}

fn inactive() -> String {
    format!("{{\"{}\":false}}", name::ACTIVE)
}

fn error_of(response: &RecordedResponse) -> Option<String> {
    let members = response.body_params();
    let headers = response.headers();
    let challenged = headers.get(CHALLENGE).and_then(challenged_error);
    members.get(name::ERROR).or(challenged).map(str::to_owned)
}

/// The grant is not what was issued.
pub(super) const GRANT: &str = "invalid_grant";
/// The client is not who it was.
pub(super) const CLIENT: &str = "invalid_client";

const CHALLENGE: &str = "www-authenticate";
/// The header field that says to the client that its answer is none of a server.
pub const MARK: &str = "authtape-replay";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_what_is_wrong_as_text() {
        let refusal = Refusal {
            error: "invalid_request",
            why: "<script> & \"so on\"".to_owned(),
            manner: Manner::Page,
        };
        let Body::Full(page) = refusal.page().body else {
            panic!("a page is whole");
        };
        let page = String::from_utf8_lossy(&page);
        assert!(
            page.contains("&lt;script&gt; &amp; &quot;so on&quot;"),
            "{page}"
        );
        assert!(!page.contains("<script"), "{page}");
    }
}
