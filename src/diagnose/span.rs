//! Spans of time in the words of people.

use std::time::Duration;

/// `40 ms`, `2.5 s`, `72 s`, `12 min`.
pub(super) fn in_words(span: Duration) -> String {
    let millis = span.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..10_000 if millis % 1_000 >= 100 => {
            format!("{}.{} s", millis / 1_000, millis % 1_000 / 100)
        }
        1_000..120_000 => format!("{} s", millis / 1_000),
        _ => format!("{} min", (millis + 30_000) / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_as_people_tell_it() {
        for (millis, expected) in [
            (0, "0 ms"),
            (40, "40 ms"),
            (1_000, "1 s"),
            (2_540, "2.5 s"),
            (72_900, "72 s"),
            (719_990, "12 min"),
        ] {
            assert_eq!(in_words(Duration::from_millis(millis)), expected);
        }
    }
}
