//! The parameters of an authorization request, wherever they stand: in the request itself, in what
//! was pushed before it, or in a request object.

use serde_json::{Map, Value};

use crate::model::Params;
use crate::oauth::{jwt, name};

/// What an authorization request asks for: a request object goes before what was pushed, and that
/// before the request itself (RFC 9101 section 6.3, RFC 9126 section 4).
///
/// `sent` are the parts of the request, of which the first goes before the others; `claims` reads
/// a request object.
pub fn asked(
    sent: &[&Params],
    pushed: Option<&Params>,
    claims: impl Fn(&str) -> Option<Params>,
) -> Params {
    let parts = || pushed.into_iter().chain(sent.iter().copied());
    let object = parts()
        .find_map(|params| params.get(name::REQUEST))
        .and_then(claims);
    let mut all: Vec<(String, String)> = Vec::new();
    for params in object.as_ref().into_iter().chain(parts()) {
        let known = all.len();
        for param in params {
            if !all[..known].iter().any(|(name, _)| *name == param.name) {
                all.push((param.name.clone(), param.value.clone()));
            }
        }
    }
    all.into_iter().collect()
}

/// The claims of a request object as parameters; what is no string keeps its spelling as JSON.
pub fn object_params(object: &str) -> Option<Params> {
    jwt::parse(object).map(|jwt| claim_params(&jwt.claims))
}

/// The same of claims that are read already.
pub fn claim_params(claims: &Map<String, Value>) -> Params {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let claim = |(name, value): (&String, &Value)| (name.clone(), text(value));
    claims.iter().map(claim).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_request_object_goes_before_what_was_pushed_and_that_before_the_query() {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let object = format!(
            "{}.{}.c2ln",
            part(r#"{"alg":"none"}"#),
            part(r#"{"state":"of the object","max_age":5}"#)
        );
        let by_object = format!("client_id=c&request={object}&state=q");
        for (sent, pushed, name, expected) in [
            ("client_id=c&state=q", None, "state", Some("q")),
            ("request_uri=u&state=q", Some("state=p"), "state", Some("p")),
            (
                "request_uri=u&client_id=c",
                Some("state=p"),
                "client_id",
                Some("c"),
            ),
            (by_object.as_str(), None, "state", Some("of the object")),
            (by_object.as_str(), None, "max_age", Some("5")),
            ("request=no.jwt&state=q", None, "state", Some("q")),
            (
                "request_uri=u",
                Some(by_object.as_str()),
                "state",
                Some("of the object"),
            ),
        ] {
            let pushed = pushed.map(Params::parse);
            let found = asked(&[&Params::parse(sent)], pushed.as_ref(), object_params);
            assert_eq!(found.get(name), expected, "{sent} {name}");
        }
    }

    #[test]
    fn what_is_asked_for_may_be_in_several_parts() {
        let (body, query) = (
            Params::parse("state=b&scope=a&scope=b"),
            Params::parse("client_id=c&state=q"),
        );
        let found = asked(&[&body, &query], None, object_params);
        assert_eq!(found.get("client_id"), Some("c"));
        assert!(found.all("state").eq(["b"]));
        assert!(found.all("scope").eq(["a", "b"]));
    }
}
