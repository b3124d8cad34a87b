//! JWTs made anew for this run: the recorded claims, this run's values and times, a test key's signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::model::{Params, Url, percent_decode};
use crate::oauth::jwt::{Alg, half_hash};
use crate::oauth::tokens::hmac_of;
use crate::oauth::{Step, jwt, name};
use crate::redact::{Declaration, Interaction, Label, cores, escape, only_label};
use crate::replay::keys::sign;
use crate::replay::render::Rendering;
use crate::replay::values::client_password;

/// A JWT that a recorded answer brought.
#[derive(Clone, Copy)]
struct Recorded<'a> {
    label: &'a Label,
    /// The interaction that brought it.
    by: &'a Interaction,
    declared: &'a Declaration,
}

impl<'s> Rendering<'s> {
    /// The JWT for a label that stands for one; `None` where nothing is known of its parts.
    pub(super) fn jwt(
        &mut self,
        label: &Label,
        by: &'s Interaction,
        declared: &'s Declaration,
    ) -> Option<String> {
        let header = declared.jwt_header.as_deref()?;
        let token = Recorded {
            label,
            by,
            declared,
        };
        match &declared.jwt_claims {
            Some(claims) => self.signed(token, header, claims),
            None => Some(self.encrypted(token, header)),
        }
    }

    fn signed(&mut self, token: Recorded<'_>, header: &str, claims: &str) -> Option<String> {
        let recorded: Map<String, Value> = serde_json::from_str(header).ok()?;
        let member = |name: &str| recorded.get(name).and_then(Value::as_str);
        let alg = Alg::from_word(member("alg")?)?;
        let keys = self.repertoire.keys(self.cassette);
        let which = keys.which(alg, member("kid"));
        let claims = self.claims(token, alg, claims)?;
        let header = self.json(header);
        // What is signed cannot be rewritten on its way to a client that calls the server otherwise.
        let localised = |text: String| match self.alias {
            Some(alias) => alias.localised_text(&text),
            None => text,
        };
        let (header, claims) = (localised(header), localised(claims));
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let signed = format!(
            "{}.{}",
            encode(header.as_bytes()),
            encode(claims.as_bytes())
        );
        let is_bad = token.by.facts().has_bad_signature(&token.label.kind);
        let secret = hmac_of(alg).and_then(|_| self.client_secret(token));
        let mut secret = secret.unwrap_or_default();
        if is_bad {
            secret.push('!');
        }
        let which = if is_bad { which.other() } else { which };
        let signature = sign(alg, which, secret.as_bytes(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", encode(&signature)))
    }

    /// Five parts of which the first can be read: nobody here has the key that the others are for.
    fn encrypted(&mut self, token: Recorded<'_>, header: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(self.json(header));
        let length = token.declared.length.unwrap_or_default() as usize;
        let (key, vector, tag) = (ENCRYPTED_KEY, 16, 22);
        let rest = length.saturating_sub(header.len() + key + vector + tag + 4);
        let lengths = [key, vector, rest.max(64), tag];
        let run = self.bindings.letters(token.label, lengths.iter().sum());
        let mut rest = run.as_str();
        lengths.iter().fold(header, |out, length| {
            let (part, behind) = rest.split_at(*length);
            rest = behind;
            format!("{out}.{part}")
        })
    }

    /// The claims as JSON: in their order, of this run.
    fn claims(&mut self, token: Recorded<'_>, alg: Alg, recorded: &str) -> Option<String> {
        let mut claims: Map<String, Value> = serde_json::from_str(recorded).ok()?;
        self.bind_nonce(token, &mut claims);
        if token.label.kind == name::RESPONSE {
            put(&mut claims, name::STATE, self.asked.live.get(name::STATE));
        }
        for (claim, of) in HASHES {
            let is_wrong = token.by.facts().has_bad_hash(claim);
            if claims.contains_key(*claim)
                && let Some(of) = self.hashed(token.by, of)
            {
                let of = if is_wrong { format!("{of}!") } else { of };
                put(&mut claims, claim, half_hash(alg, &of).as_deref());
            }
        }
        let claims = serde_json::to_string(&claims).ok()?;
        let claims = self.times.claims(&claims);
        Some(self.json(&claims))
    }

    /// The nonce is the one of this run's authorization request, and none where that had none. One
    /// that was another then is another still.
    fn bind_nonce(&self, token: Recorded<'_>, claims: &mut Map<String, Value>) {
        let live = self.live_nonce();
        match claims.get(name::NONCE).and_then(Value::as_str) {
            Some(recorded) if self.is_unsent(recorded) => {
                put(claims, name::NONCE, live.as_deref());
            }
            None if token.label.kind == name::ID_TOKEN && !self.was_asked_with(name::NONCE) => {
                put(claims, name::NONCE, live.as_deref());
            }
            _ => {}
        }
    }

    /// Whether a recorded value came with an authorization request, and none came in this run.
    fn is_unsent(&self, recorded: &str) -> bool {
        let Some(label) = only_label(recorded) else {
            return false;
        };
        let mut senders = self
            .repertoire
            .relations(self.cassette)
            .senders(&label)
            .iter();
        !self.bindings.is_bound(self.cassette, &label)
            && senders.any(|sender| asks(self.repertoire.step(*sender)))
    }

    /// The interactions of the cassette with such a step; the others are not read.
    fn session(&self, is: fn(Step) -> bool) -> impl Iterator<Item = &'s Interaction> + use<'s> {
        let repertoire = self.repertoire;
        let tracks = repertoire.tracks_of(self.cassette);
        let tracks = tracks.filter(move |at| is(repertoire.step(*at)));
        tracks.map(|at| repertoire.interaction(at))
    }

    /// Whether a recorded authorization request had a parameter of this name.
    fn was_asked_with(&self, name: &str) -> bool {
        self.session(asks).any(|asked| {
            let request = asked.request();
            request.query_params().has(name) || request.body_params().has(name)
        })
    }

    fn live_nonce(&self) -> Option<String> {
        let asked = &self.asked.live;
        let in_object = || {
            let object = jwt::parse(asked.get(name::REQUEST)?)?;
            Some(object.claims.get(name::NONCE)?.as_str()?.to_owned())
        };
        let plain = asked.get(name::NONCE).map(str::to_owned);
        plain.or_else(in_object)
    }

    /// What this run's answer, or else the request, has in the place of what was hashed.
    fn hashed(&mut self, by: &Interaction, name: &str) -> Option<String> {
        if name == name::STATE {
            return self.asked.live.get(name).map(str::to_owned);
        }
        let request = by.request();
        let recorded =
            answered(by, name).or_else(|| request.body_params().get(name).map(str::to_owned))?;
        Some(self.fill(&recorded, str::to_owned))
    }

    /// The client's secret as this run's client sent it, if it has sent one: made up, it would be
    /// held against the client.
    fn client_secret(&mut self, token: Recorded<'_>) -> Option<String> {
        let recorded = secret_of(token.by)
            .or_else(|| self.session(Step::authenticates_client).find_map(secret_of))?;
        let is_known = |label| self.bindings.is_bound(self.cassette, &label);
        if !cores(&recorded.text).all(is_known) {
            return None;
        }
        let secret = self.fill(&recorded.text, str::to_owned);
        // RFC 6749 section 2.3.1: it is encoded as in a form before it is in base64.
        let is_encoded = recorded.is_basic && secret.contains('%');
        Some(if is_encoded {
            percent_decode(&secret.replace('+', " "))
        } else {
            secret
        })
    }
}

struct Secret {
    text: String,
    is_basic: bool,
}

fn secret_of(interaction: &Interaction) -> Option<Secret> {
    if let Some(text) = client_password(interaction) {
        return Some(Secret {
            text: text.to_owned(),
            is_basic: true,
        });
    }
    let sent = interaction.request().body_params();
    let text = sent.get(name::CLIENT_SECRET)?.to_owned();
    Some(Secret {
        text,
        is_basic: false,
    })
}

/// What an answer has under a name: in its body, or in where it leads.
fn answered(by: &Interaction, name: &str) -> Option<String> {
    let response = by.response()?;
    if let Some(value) = response.body_params().get(name) {
        return Some(value.to_owned());
    }
    response.locations().iter().find_map(|location| {
        let location = Url::parse(location)?;
        let parts = [location.query, location.fragment];
        let mut parts = parts.into_iter().flatten();
        parts.find_map(|part| Params::parse(&part).get(name).map(str::to_owned))
    })
}

/// Whether a step is an authorization request, or what one refers to.
fn asks(step: Step) -> bool {
    matches!(
        step,
        Step::AuthorizationRequest | Step::PushedAuthorizationRequest
    )
}

/// Sets a claim in its place, or removes it.
fn put(claims: &mut Map<String, Value>, claim: &str, value: Option<&str>) {
    match value {
        Some(value) => {
            claims.insert(claim.to_owned(), escape(value).into());
        }
        None => {
            claims.shift_remove(claim);
        }
    }
}

/// The claims that are hashes (OpenID Connect Core section 3.3.2.11, FAPI), and of what.
const HASHES: &[(&str, &str)] = &[
    (name::AT_HASH, name::ACCESS_TOKEN),
    (name::C_HASH, name::CODE),
    (name::RT_HASH, name::REFRESH_TOKEN),
    (name::S_HASH, name::STATE),
    ("urn:ietf:params:oauth:rt_hash", name::REFRESH_TOKEN),
];
/// Characters of a key that was encrypted with RSA-2048.
const ENCRYPTED_KEY: usize = 342;
