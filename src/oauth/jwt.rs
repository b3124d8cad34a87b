//! A JWT's header and claims, for reading only: no signature is trusted here (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The readable parts of a signed JWT.
pub struct Jwt {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// Reads a compact JWS whose header and payload are JSON objects; `None` for anything else.
pub fn parse(text: &str) -> Option<Jwt> {
    let mut parts = text.split('.');
    let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(Jwt {
        header: object(header)?,
        claims: object(claims)?,
    })
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_parts_with_json_objects_are_read() {
        let jwt = parse("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln").expect("a JWT");
        assert_eq!(jwt.header["alg"], "RS256");
        assert_eq!(jwt.claims["sub"], "1");
        for text in [
            "",
            "a.b.c",
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0",
            "W10.W10.W10",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
