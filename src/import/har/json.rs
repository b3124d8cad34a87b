//! The members of an object, whatever type a tool gave them.

use serde_json::{Map, Value};

/// An object whose members are taken out one by one; what is left was not known.
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// The members; none where the value is no object.
    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::Object(members) => Self(members),
            _ => Self(Map::new()),
        }
    }

    /// Takes a member out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Takes out a text, or a number or a word as its spelling.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).and_then(text)
    }

    /// Takes out a number, also one that was written as a text.
    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        let number = match self.take(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite())
    }

    /// Takes out a number that is no less than nothing, which is how -1 is meant.
    pub(super) fn amount(&mut self, name: &str) -> Option<f64> {
        self.number(name).filter(|number| *number >= 0.0)
    }

    /// Takes out a number of milliseconds; one of more than a day is no duration but something else.
    pub(super) fn millis(&mut self, name: &str) -> Option<f64> {
        self.amount(name).filter(|millis| *millis <= 86_400_000.0)
    }

    /// Takes out a list; empty where it is none.
    pub(super) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        }
    }

    /// Takes out an object; without members where it is none.
    pub(super) fn object(&mut self, name: &str) -> Self {
        self.take(name).map_or_else(|| Self(Map::new()), Self::of)
    }

    /// Whether nothing is left that says anything.
    pub(super) fn is_empty(&self) -> bool {
        self.0.values().all(|value| match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        })
    }
}

/// A scalar's text.
pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}
