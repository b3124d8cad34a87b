//! The check that needs no ledger: what is written is read as a recorder would read it.
//!
//! Redacting what is redacted changes nothing. Where it would, a value stands in a cassette that
//! no rule lets pass.

use crate::oauth::name;
use crate::oauth::registry::{self, Place};
use crate::redact::Redactor;
use crate::redact::content::Content;
use crate::redact::entry::Named;
use crate::redact::interaction::Interaction;
use crate::redact::label::{Piece, pieces};
use crate::redact::profile::Profile;
use crate::redact::shape::Declaration;
use crate::redact::vocabulary::is_plain;

/// A value that must not stand where it stands.
///
/// It may be a secret: no `Debug`, no `Serialize`.
pub struct Stray {
    /// What it would have been replaced as.
    pub kind: String,
    /// The value, with [`STAND`] for each label in it.
    pub value: String,
}

/// What stands for a label while a text is checked; a word that may be kept anywhere.
pub const STAND: &str = "redacted";

/// The values of an interaction that a recorder would replace.
///
/// `profile` is how much it was to show, and `keep_values` are the parameters that it was told to
/// keep.
pub fn check(interaction: &Interaction, profile: Profile, keep_values: &[String]) -> Vec<Stray> {
    let mut redactor = Redactor::new(profile, keep_values.to_vec());
    redactor.strays = Some(Vec::new());
    redactor.read_request(interaction);
    redactor.read_response(interaction);
    for Named { value, .. } in interaction.secrets() {
        redactor.read_declaration(value);
    }
    redactor.strays.unwrap_or_default()
}

impl Redactor {
    /// Notes a value that would be replaced, where this only checks.
    pub(super) fn is_checked(&mut self, kind: &str, value: &str) -> bool {
        let Some(strays) = &mut self.strays else {
            return false;
        };
        if !stands_for_a_label(value) {
            strays.push(Stray {
                kind: kind.to_owned(),
                value: value.to_owned(),
            });
        }
        true
    }

    fn read_request(&mut self, interaction: &Interaction) {
        let (step, request) = (interaction.step(), interaction.request());
        let place = Place::of_request(step);
        self.url(&stood(request.url()));
        self.read_pairs(place, request.query());
        if let Some(raw) = request.raw_query() {
            self.raw_params(&stood(raw));
        }
        self.read_fields(interaction, request.header_fields());
        self.read_fields(interaction, request.trailer_fields());
        if let Some(basic) = request.basic() {
            self.basic_client(&stood(&basic.user), basic.password.as_deref());
            if let Some(password) = &basic.password {
                self.value(Place::TokenRequest, name::PASSWORD, &stood(password));
            }
        }
        self.read_content(place, request.content());
    }

    fn read_response(&mut self, interaction: &Interaction) {
        let Some(response) = interaction.response() else {
            return;
        };
        if let Some(reason) = response.reason() {
            self.sentence(&stood(reason));
        }
        self.read_fields(interaction, response.header_fields());
        self.read_fields(interaction, response.trailer_fields());
        self.read_content(Place::of_response(interaction.step()), response.content());
        for form in response.forms() {
            self.url(&stood(form.action()));
            for Named { name, value: field } in form.fields() {
                let name = stood(name);
                self.name(&name);
                let value = field.value.as_deref().unwrap_or_default();
                self.field_value(&name, field.r#type, &stood(value));
            }
        }
    }

    fn read_content(&mut self, place: Place, content: Content<'_>) {
        match content {
            Content::None | Content::Empty | Content::Dropped(_) => {}
            Content::Form { pairs, raw } => {
                self.read_pairs(place, pairs);
                if let Some(raw) = raw {
                    self.raw_params(&stood(raw));
                }
            }
            Content::Json { text, .. } => {
                self.json_text(place, &stood(text));
            }
            Content::Text(text) => {
                self.encoded_form(&stood(text));
            }
            Content::Multipart(parts) => {
                for part in parts {
                    let field = part.field();
                    let name = field.as_ref().map_or("", |(name, _)| name.as_str());
                    self.value(place, name, &stood(&part.text));
                }
            }
        }
    }

    fn read_pairs(&mut self, place: Place, pairs: &[Named<String>]) {
        for pair in pairs {
            let name = stood(&pair.name);
            self.name(&name);
            self.value(place, name.trim_start_matches("amp;"), &stood(&pair.value));
        }
    }

    fn read_fields(&mut self, interaction: &Interaction, fields: &[Named<String>]) {
        for field in fields {
            let name = stood(&field.name);
            self.field_name(&name);
            let class = registry::header_class(&name);
            self.header_value(interaction.step(), &name, &stood(&field.value), class);
        }
    }

    fn read_declaration(&mut self, declaration: &Declaration) {
        let parts = [&declaration.jwt_header, &declaration.jwt_claims];
        for part in parts.into_iter().flatten() {
            self.json_text(Place::Jwt, &stood(part));
        }
    }
}

/// The text with each label in it replaced by a word.
fn stood(text: &str) -> String {
    let piece = |piece: Piece| match piece {
        Piece::Literal(text) => text,
        Piece::Label(_) => STAND.to_owned(),
    };
    pieces(text).into_iter().map(piece).collect()
}

/// Whether there is a label, and nothing beside it that would itself be replaced.
fn stands_for_a_label(value: &str) -> bool {
    let words = |beside: &str| beside.split_whitespace().all(is_plain);
    value.contains(STAND) && value.split(STAND).all(words)
}
