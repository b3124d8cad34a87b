//! Hoverfly's simulations, version 5.3: each request in matchers that are exact.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::export::message::{Message, Messages, by_name, turns};
use crate::model::{Params, percent_decode};
use crate::redact::inert;

/// The simulation.
pub(super) fn write(messages: &Messages) -> String {
    let mut pairs: Vec<_> = messages.all.iter().filter_map(pair).collect();
    follow(&mut pairs);
    let file = json!({
        "data": {
            "pairs": pairs,
            "globalActions": { "delays": [], "delaysLogNormal": [] },
        },
        "meta": { "schemaVersion": "v5.3" },
    });
    inert(&format!("{file:#}\n")).into_owned()
}

fn pair(message: &Message) -> Option<Value> {
    let answer = message.answer.as_ref()?;
    let (origin, path) = message.parts();
    let (scheme, destination) = origin.split_once("://").unwrap_or(("https", origin));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for param in &Params::parse(query) {
        asked
            .entry(param.name.clone())
            .or_default()
            .push(param.value.clone());
    }
    // Values of one name stand in one matcher.
    let query = asked
        .into_iter()
        .map(|(name, values)| (name, exact(&values.join(";"))));
    let query: Map<_, _> = query.collect();
    let kind = message.media_type();
    let headers: Map<_, _> = kind
        .map(|kind| ("Content-Type".to_owned(), exact(kind)))
        .into_iter()
        .collect();
    Some(json!({
        "request": {
            "method": exact(&message.method),
            "scheme": exact(scheme),
            "destination": exact(destination),
            "path": exact(&percent_decode(path)),
            "query": query,
            "headers": headers,
            "body": exact(&message.body),
        },
        "response": {
            "status": answer.status,
            "body": answer.body,
            "encodedBody": false,
            "headers": by_name(&answer.headers),
            "templated": false,
        },
    }))
}

fn exact(value: &str) -> Value {
    json!([{ "matcher": "exact", "value": value }])
}

/// The same request is answered by its pairs in turn, and then by the last.
fn follow(pairs: &mut [Value]) {
    let keys: Vec<_> = pairs
        .iter()
        .map(|pair| pair["request"].to_string())
        .collect();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for ((pair, key), (before, all)) in pairs.iter_mut().zip(&keys).zip(turns(&keys)) {
        if all == 1 {
            continue;
        }
        let next = names.len() + 1;
        let name = names
            .entry(key)
            .or_insert_with(|| format!("sequence:{next}"));
        pair["request"]["requiresState"] = json!({ name.as_str(): (before + 1).to_string() });
        if before + 1 < all {
            pair["response"]["transitionsState"] =
                json!({ name.as_str(): (before + 2).to_string() });
        }
    }
}
