//! The time of a run: what was recorded with a point in time is played with one as far from now.

use std::str::FromStr;

use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use crate::cassette::Header;
use crate::oauth::facts::HTTP_DATE;
use crate::oauth::name;
use crate::redact::{Interaction, RecordedResponse, Scalar, quote, respell};

/// What time it is for the recorded servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clock {
    /// What says when it ends has ended: ten minutes before it is sent.
    Expired,
    /// So many seconds before or behind this machine's.
    Offset(i64),
    /// The time of the recording.
    Recorded,
    /// The time of this machine.
    #[default]
    Shifted,
}

/// The text is no clock.
#[derive(Debug, thiserror::Error)]
#[error(
    "say `shifted`, `recorded`, `expired`, or seconds with their sign, such as `+3600` or `-60`"
)]
pub struct UnknownClock;

impl FromStr for Clock {
    type Err = UnknownClock;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "expired" => Ok(Self::Expired),
            "recorded" => Ok(Self::Recorded),
            "shifted" => Ok(Self::Shifted),
            _ => offset(text).map(Self::Offset).ok_or(UnknownClock),
        }
    }
}

/// How a player treats the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOptions {
    /// What time it is for the recorded servers.
    pub clock: Clock,
    /// Whether the recorded server's clock goes wrong here as it did then.
    pub skew: Skew,
}

/// What becomes of the difference between a recorded server's clock and ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Skew {
    /// It is dropped: the server's clock is right.
    Dropped,
    /// It is as it was.
    #[default]
    Kept,
}

/// The times of one answer, in Unix seconds.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// What this machine's clock said when the answer was recorded, where that is known.
    recorded: Option<i64>,
    /// What it says in this run.
    now: i64,
    /// The server's clock minus that.
    skew: i64,
    is_expired: bool,
}

/// What a point in time says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// When something was made, which may be long ago.
    Creation,
    /// When something ends.
    End,
    Other,
}

impl Times {
    /// The times of the answer of an interaction that is sent at `now`, of a cassette that began at
    /// `begun`.
    pub(super) fn of(
        options: TimeOptions,
        now: i64,
        begun: Option<i64>,
        interaction: &Interaction,
    ) -> Self {
        let after = interaction.response().map(RecordedResponse::after);
        let since = interaction.at() + after.unwrap_or_default();
        let since = i64::try_from(since.as_secs()).unwrap_or_default();
        let recorded = begun.map(|begun| begun.saturating_add(since));
        let skew = interaction.facts().date_skew.unwrap_or_default();
        let dropped = match options.skew {
            Skew::Dropped => skew,
            Skew::Kept => 0,
        };
        let now = match options.clock {
            Clock::Expired | Clock::Shifted => now,
            Clock::Offset(seconds) => now.saturating_add(seconds),
            Clock::Recorded => recorded.unwrap_or(now),
        };
        Self {
            recorded,
            now: now.saturating_sub(dropped),
            skew,
            is_expired: options.clock == Clock::Expired,
        }
    }

    /// `Date` (RFC 9110 section 6.6.1), by the server's clock.
    pub(super) fn date(&self) -> Option<String> {
        let date = OffsetDateTime::from_unix_timestamp(self.now.saturating_add(self.skew));
        date.ok()?.format(HTTP_DATE).ok()
    }

    /// A header field whose value may be a date, or have one in it.
    pub(super) fn field(&self, name: &str, value: &str) -> Option<String> {
        match name.to_ascii_lowercase().as_str() {
            "expires" | "retry-after" => self.http_date(value),
            "set-cookie" => {
                let attribute = |attribute: &str| {
                    let moved = attribute.split_once('=').and_then(|(name, date)| {
                        let is_end = name.trim().eq_ignore_ascii_case("expires");
                        let date = is_end.then(|| self.http_date(date))??;
                        Some(format!("{name}={date}"))
                    });
                    moved.unwrap_or_else(|| attribute.to_owned())
                };
                let attributes: Vec<_> = value.split(';').map(attribute).collect();
                Some(attributes.join(";"))
            }
            _ => None,
        }
    }

    /// Whether a JSON text has points in time.
    pub(super) fn moves(&self, text: &str) -> bool {
        let mut moves = false;
        let look = |scalar: Scalar<'_>| {
            moves |= self.is_moved(&scalar);
            None
        };
        respell(text, look, |_| None);
        moves
    }

    /// A JSON text with its points in time moved, each spelled as it was.
    pub(super) fn json(&self, text: &str) -> String {
        self.moved(text, |_| None)
    }

    /// The claims of a JWT, of which most times are offsets from when it was sent.
    pub(super) fn claims(&self, text: &str) -> String {
        self.moved(text, |scalar| {
            let offset = offset(scalar.value).filter(|_| scalar.is_string)?;
            if scalar.key == UPDATED_AT {
                return Some(self.recorded.unwrap_or(self.now).saturating_add(offset));
            }
            let is_time = matches!(moment(scalar.key), Some(Moment::End | Moment::Other));
            is_time.then(|| self.now.saturating_add(offset))
        })
    }

    /// The text with its points in time moved, of which `told` knows some already.
    fn moved(&self, text: &str, told: impl Fn(&Scalar<'_>) -> Option<i64>) -> String {
        let ahead = self.now.saturating_sub(self.recorded.unwrap_or(self.now));
        let mut back = 0;
        if self.is_expired {
            let mut last = None;
            let at = |scalar: &Scalar<'_>| {
                told(scalar).or_else(|| Some(seconds(scalar)?.saturating_add(ahead)))
            };
            let look = |scalar: Scalar<'_>| {
                last = last.max(at(&scalar).filter(|_| moment(scalar.key) == Some(Moment::End)));
                None
            };
            respell(text, look, |_| None);
            let ended = self.now.saturating_sub(ENDED);
            back = last.map_or(0, |last| last.saturating_sub(ended).max(0));
        }
        let spelled = |scalar: Scalar<'_>| match told(&scalar) {
            Some(time) if scalar.key == UPDATED_AT => Some(time.to_string()),
            Some(time) => Some(time.saturating_sub(back).to_string()),
            None if self.is_moved(&scalar) => later(&scalar, ahead.saturating_sub(back)),
            None => None,
        };
        respell(text, spelled, |_| None)
    }

    /// Whether a member is a point in time near the recording. What was created long before stays.
    fn is_moved(&self, scalar: &Scalar<'_>) -> bool {
        let is_near = || {
            let recorded = self.recorded.zip(seconds(scalar));
            recorded.is_some_and(|(recorded, time)| (time - recorded).abs() < DAY)
        };
        moment(scalar.key).is_some_and(|moment| moment != Moment::Creation || is_near())
    }

    fn http_date(&self, text: &str) -> Option<String> {
        let ahead = self.now.saturating_sub(self.recorded?);
        [HTTP_DATE, COOKIE_DATE].into_iter().find_map(|format| {
            let date = PrimitiveDateTime::parse(text.trim(), format).ok()?;
            // A cookie that is taken back ends when time began.
            let is_absolute = date.assume_utc().unix_timestamp() >= FIRST;
            let date = is_absolute.then(|| date.checked_add(Duration::seconds(ahead)))?;
            date?.format(format).ok()
        })
    }
}

/// When a cassette began, in Unix seconds, where it says so.
pub(super) fn begun(header: &Header) -> Option<i64> {
    header.began().map(OffsetDateTime::unix_timestamp)
}

/// `+3600` or `-60`.
fn offset(text: &str) -> Option<i64> {
    text.starts_with(['+', '-'])
        .then(|| text.parse::<i64>().ok())?
}

/// Whether a text is a point in time, as seconds or milliseconds since 1970 or as a date.
pub(crate) fn is_point_in_time(text: &str) -> bool {
    numeric(text).is_some()
        || iso(text).is_some()
        || PrimitiveDateTime::parse(text, HTTP_DATE).is_ok()
}

/// The point in time that a member is, in Unix seconds.
fn seconds(scalar: &Scalar<'_>) -> Option<i64> {
    if let Some((number, unit, _)) = numeric(scalar.value) {
        return Some(number / unit);
    }
    let (date, _) = scalar.is_string.then(|| iso(scalar.value))??;
    Some(date.assume_utc().unix_timestamp())
}

/// The spelling of a point in time that is later by so many seconds; `None` where it is none.
fn later(scalar: &Scalar<'_>, by: i64) -> Option<String> {
    let spelled = |text: String| {
        if scalar.is_string { quote(&text) } else { text }
    };
    if let Some((number, unit, fraction)) = numeric(scalar.value) {
        let number = number.saturating_add(by.saturating_mul(unit));
        return Some(spelled(format!("{number}{fraction}")));
    }
    let (date, rest) = scalar.is_string.then(|| iso(scalar.value))??;
    let date = date.checked_add(Duration::seconds(by))?;
    let between = &scalar.value[DATE..=DATE];
    let format = format_description!("[hour]:[minute]:[second]");
    let (date, time) = (date.date(), date.time().format(format).ok()?);
    Some(spelled(format!("{date}{between}{time}{rest}")))
}

/// Whole seconds or milliseconds since 1970, how many of them are a second, and what stands behind.
fn numeric(text: &str) -> Option<(i64, i64, &str)> {
    let whole = text.find('.').unwrap_or(text.len());
    let (number, fraction) = text.split_at(whole);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<i64>().ok().filter(|_| is_digits(number))?;
    is_digits(fraction.get(1..).unwrap_or_default()).then_some(())?;
    match number {
        FIRST..LAST => Some((number, 1, fraction)),
        FIRST_MILLIS..LAST_MILLIS => Some((number, 1_000, fraction)),
        _ => None,
    }
}

/// `2026-11-23T10:02:11`, and its fraction and zone.
fn iso(text: &str) -> Option<(PrimitiveDateTime, &str)> {
    let (date, time) = (text.get(..DATE)?, text.get(DATE + 1..SECOND)?);
    let date = format!("{date}T{time}");
    let date = PrimitiveDateTime::parse(&date, ISO).ok()?;
    Some((date, &text[SECOND..]))
}

/// What a member of this name is a point in time of.
fn moment(key: &str) -> Option<Moment> {
    let key = key.replace(['_', '-'], "").to_ascii_lowercase();
    if key == name::EXP || key.ends_with("expiresat") || key.ends_with("expireson") {
        Some(Moment::End)
    } else if key == "createdat" {
        Some(Moment::Creation)
    } else {
        TIMES.contains(&key.as_str()).then_some(Moment::Other)
    }
}

/// Members that are points in time, beside those at which something ends.
const TIMES: &[&str] = &[
    "authtime",
    "clientidissuedat",
    "iat",
    "issuedat",
    "nbf",
    "notbefore",
    "pwdexp",
    "rat",
    "toe",
];
/// When somebody's data changed is no matter of the flow, and stays as it was.
const UPDATED_AT: &str = "updated_at";
/// How long what is expired has ended, in seconds: longer than the leeway that clients give.
const ENDED: i64 = 600;
const DAY: i64 = 24 * 60 * 60;
/// What is less is a duration, or says that there is no end.
const FIRST: i64 = 1_000_000_000;
const LAST: i64 = 100_000_000_000;
const FIRST_MILLIS: i64 = FIRST * 1_000;
const LAST_MILLIS: i64 = LAST * 1_000;
/// Where a date ends, and where a second does.
const DATE: usize = 10;
const SECOND: usize = 19;
const ISO: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const COOKIE_DATE: StaticFormatDescription = format_description!(
    "[weekday repr:short], [day]-[month repr:short]-[year] [hour]:[minute]:[second] GMT"
);

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: i64 = 1_763_892_131;
    const NOW: i64 = RECORDED + 365 * DAY;

    fn times(clock: Clock, skew: Skew, behind: i64) -> Times {
        let entry = format!(
            "\n- id: 1\n  step: token_request\n  at: 1.5\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"1.1\"\n  response:\n    status: 200\n    after: 0.6\n  facts:\n    time.date_skew: {behind}\n# end 1\n"
        );
        let interaction = crate::cassette::load_entry(&entry).expect("an entry");
        Times::of(
            TimeOptions { clock, skew },
            NOW,
            Some(RECORDED - 2),
            &interaction,
        )
    }

    #[test]
    fn points_in_time_are_moved_and_keep_their_spelling() {
        let times = times(Clock::Shifted, Skew::Kept, 0);
        for (text, expected) in [
            (r#"{"exp":1763895731}"#, r#"{"exp":1795431731}"#),
            (
                r#"{"expires_on": "1763895731"}"#,
                r#"{"expires_on": "1795431731"}"#,
            ),
            (
                r#"{"issued_at":"1763892131123"}"#,
                r#"{"issued_at":"1795428131123"}"#,
            ),
            (r#"{"iat":1763892131.25}"#, r#"{"iat":1795428131.25}"#),
            (
                r#"{"expiresAt":"2025-11-23T11:02:11.5Z"}"#,
                r#"{"expiresAt":"2026-11-23T11:02:11.5Z"}"#,
            ),
            (
                r#"{"refresh_token_expires_at":"2025-11-23 11:02:11+01:00"}"#,
                r#"{"refresh_token_expires_at":"2026-11-23 11:02:11+01:00"}"#,
            ),
            (
                r#"{"created_at":1763892130}"#,
                r#"{"created_at":1795428130}"#,
            ),
            (
                r#"{"created_at":1563892130,"updated_at":1763892130}"#,
                r#"{"created_at":1563892130,"updated_at":1763892130}"#,
            ),
            (
                r#"{"expires_in":3600,"client_secret_expires_at":0,"not-before-policy":0}"#,
                r#"{"expires_in":3600,"client_secret_expires_at":0,"not-before-policy":0}"#,
            ),
            (
                r#"{"keys":[{"exp":"never"}]}"#,
                r#"{"keys":[{"exp":"never"}]}"#,
            ),
        ] {
            assert_eq!(times.json(text), expected);
        }
    }

    #[test]
    fn the_claims_of_a_token_are_as_far_from_now_as_they_were() {
        let claims = r#"{"iat":"-1","exp":"+3600","auth_time":"-50","updated_at":"-500","rat":1763892130,"x":"+1"}"#;
        let played = |clock, skew, behind| times(clock, skew, behind).claims(claims);
        let updated = RECORDED - 500;
        let expected = |now: i64| {
            let [iat, exp, auth, rat] = [-1, 3600, -50, -1].map(|offset| now + offset);
            format!(
                r#"{{"iat":{iat},"exp":{exp},"auth_time":{auth},"updated_at":{updated},"rat":{rat},"x":"+1"}}"#
            )
        };
        for (clock, skew, behind, now) in [
            (Clock::Shifted, Skew::Kept, 0, NOW),
            (Clock::Shifted, Skew::Kept, -300, NOW),
            (Clock::Shifted, Skew::Dropped, -300, NOW + 300),
            (Clock::Recorded, Skew::Kept, 0, RECORDED),
            (Clock::Offset(-90), Skew::Kept, 0, NOW - 90),
        ] {
            assert_eq!(played(clock, skew, behind), expected(now));
        }
        let expired: serde_json::Value =
            serde_json::from_str(&played(Clock::Expired, Skew::Kept, 0)).expect("JSON");
        assert_eq!(expired["exp"], NOW - ENDED);
        assert_eq!(expired["iat"], NOW - ENDED - 3601);
    }

    #[test]
    fn the_date_is_by_the_servers_clock() {
        for (clock, skew, behind, expected) in [
            (
                Clock::Shifted,
                Skew::Kept,
                0,
                "Mon, 23 Nov 2026 10:02:11 GMT",
            ),
            (
                Clock::Shifted,
                Skew::Kept,
                -60,
                "Mon, 23 Nov 2026 10:01:11 GMT",
            ),
            (
                Clock::Shifted,
                Skew::Dropped,
                -60,
                "Mon, 23 Nov 2026 10:02:11 GMT",
            ),
            (
                Clock::Recorded,
                Skew::Kept,
                0,
                "Sun, 23 Nov 2025 10:02:11 GMT",
            ),
            (
                Clock::Offset(5),
                Skew::Kept,
                0,
                "Mon, 23 Nov 2026 10:02:16 GMT",
            ),
            (
                Clock::Expired,
                Skew::Kept,
                0,
                "Mon, 23 Nov 2026 10:02:11 GMT",
            ),
        ] {
            let date = times(clock, skew, behind).date();
            assert_eq!(date.as_deref(), Some(expected), "{clock:?} {behind}");
        }
    }

    #[test]
    fn fields_that_say_when_something_ends_are_moved() {
        let times = times(Clock::Shifted, Skew::Kept, 0);
        for (name, value, expected) in [
            (
                "Expires",
                "Sun, 23 Nov 2025 11:02:11 GMT",
                Some("Mon, 23 Nov 2026 11:02:11 GMT"),
            ),
            ("Expires", "0", None),
            ("Last-Modified", "Sun, 23 Nov 2025 11:02:11 GMT", None),
            ("Retry-After", "30", None),
            (
                "Set-Cookie",
                "sid=a=b; Path=/; expires=Sun, 23-Nov-2025 11:02:11 GMT; HttpOnly",
                Some("sid=a=b; Path=/; expires=Mon, 23-Nov-2026 11:02:11 GMT; HttpOnly"),
            ),
            (
                "Set-Cookie",
                "sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                Some("sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
            ),
        ] {
            assert_eq!(
                times.field(name, value).as_deref(),
                expected,
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn a_clock_is_a_word_or_seconds_with_their_sign() {
        for (text, expected) in [
            ("shifted", Some(Clock::Shifted)),
            ("recorded", Some(Clock::Recorded)),
            ("expired", Some(Clock::Expired)),
            ("+3600", Some(Clock::Offset(3600))),
            ("-60", Some(Clock::Offset(-60))),
            ("60", None),
            ("+", None),
            ("tomorrow", None),
        ] {
            assert_eq!(text.parse::<Clock>().ok(), expected, "{text}");
        }
    }
}
