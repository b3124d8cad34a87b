//! Who talks to whom at a step.

use crate::model::words;
use crate::oauth::Step;

words! {
    /// A party of the protocol (RFC 6749 section 1.1), or what it acts through.
    Party {
        /// The resource owner's browser.
        Browser = "browser",
        /// The client; its redirection endpoint is where a browser comes back to.
        Client = "client",
        /// The authorization server.
        AuthorizationServer = "authorization server",
        /// The resource server.
        ResourceServer = "resource server",
        /// Any other server.
        OtherServer = "other server",
    }
}

impl Party {
    /// Who asks at a step, and who is asked.
    pub(super) fn of(step: Step) -> (Self, Self) {
        match step {
            Step::AuthorizationRequest | Step::LoginPage | Step::EndSession => {
                (Self::Browser, Self::AuthorizationServer)
            }
            Step::AuthorizationResponse => (Self::Browser, Self::Client),
            Step::Resource | Step::ProtectedResourceMetadata => {
                (Self::Client, Self::ResourceServer)
            }
            Step::Other => (Self::Client, Self::OtherServer),
            _ => (Self::Client, Self::AuthorizationServer),
        }
    }
}
