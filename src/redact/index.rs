//! Many patterns searched for at once, in time that does not grow with their number.
//!
//! Every pattern is filed under its first bytes. A place of the text is looked at further only
//! where a filter that fits the processor's cache says that some pattern may begin there; that is
//! all that most places cost. The patterns themselves are not held here: whoever files one says
//! how to tell whether it stands at a place.

use std::collections::HashMap;

/// What is filed under the first bytes of patterns.
pub(super) struct Index<T> {
    filed: Vec<Filed<T>>,
    /// What was filed last under these first bytes.
    by_start: HashMap<u64, u32>,
    filter: Filter,
}

struct Filed<T> {
    value: T,
    /// What was filed under the same first bytes before.
    before: Option<u32>,
}

/// Where a pattern stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit<T> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: T,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self {
            filed: Vec::new(),
            by_start: HashMap::new(),
            filter: Filter::default(),
        }
    }
}

impl<T: Copy> Index<T> {
    /// Files a value under the first bytes of a pattern; one that is shorter than [`WINDOW`] is
    /// never found.
    pub(super) fn add(&mut self, pattern: &[u8], value: T) {
        let (Some(start), Ok(at)) = (window(pattern), u32::try_from(self.filed.len())) else {
            return;
        };
        if self.filter.is_crowded(self.by_start.len()) {
            self.filter = Filter::of(self.by_start.len(), self.by_start.keys().copied());
        }
        self.filter.insert(start);
        let before = self.by_start.insert(start, at);
        self.filed.push(Filed { value, before });
    }

    /// How many patterns there are.
    pub(super) fn len(&self) -> usize {
        self.filed.len()
    }

    /// The first place from `at` on where a pattern stands, and the longest one there; `length`
    /// says how long the pattern of a value is that a text begins with.
    pub(super) fn find(
        &self,
        text: &[u8],
        mut at: usize,
        length: impl Fn(T, &[u8]) -> Option<usize>,
    ) -> Option<Hit<T>> {
        if self.filed.is_empty() {
            return None;
        }
        while let Some(start) = text.get(at..).and_then(window) {
            if self.filter.may_hold(start)
                && let Some((value, length)) =
                    self.longest(start, |value| length(value, &text[at..]))
            {
                return Some(Hit {
                    start: at,
                    end: at + length,
                    value,
                });
            }
            at += 1;
        }
        None
    }

    fn longest(&self, start: u64, length: impl Fn(T) -> Option<usize>) -> Option<(T, usize)> {
        let mut next = self.by_start.get(&start).copied();
        let filed = std::iter::from_fn(|| {
            let filed = self.filed.get(next? as usize)?;
            next = filed.before;
            Some(filed.value)
        });
        filed
            .filter_map(|value| Some((value, length(value)?)))
            .reduce(|longest, other| if other.1 > longest.1 { other } else { longest })
    }
}

/// The runs of [`WINDOW`] bytes of texts, to tell that a pattern stands in none of them.
#[derive(Default)]
pub(super) struct Windows {
    count: usize,
    filter: Filter,
}

impl Windows {
    /// Takes in a text; `before` is every text that came before it.
    pub(super) fn add(&mut self, text: &str, before: &str) {
        self.count += text.len();
        if self.filter.is_crowded(self.count) {
            self.filter = Filter::of(self.count, windows(before.as_bytes()));
        }
        windows(text.as_bytes()).for_each(|window| self.filter.insert(window));
    }

    /// Whether a pattern may stand in one of the texts.
    pub(super) fn may_hold(&self, pattern: &[u8]) -> bool {
        windows(pattern).all(|window| self.filter.may_hold(window))
    }
}

fn windows(text: &[u8]) -> impl Iterator<Item = u64> + '_ {
    (0..text.len()).map_while(|at| window(&text[at..]))
}

/// The first bytes of a text as a number; `None` where it has fewer.
fn window(text: &[u8]) -> Option<u64> {
    if let Some(bytes) = text.first_chunk::<8>() {
        return Some(u64::from_le_bytes(*bytes) & MASK);
    }
    let short = text.first_chunk::<WINDOW>()?;
    let mut bytes = [0; 8];
    bytes[..WINDOW].copy_from_slice(short);
    Some(u64::from_le_bytes(bytes))
}

/// Says of most windows that no pattern begins with them.
struct Filter {
    words: Vec<u64>,
    /// How many bits of a hash say which bit is meant.
    width: u32,
}

impl Filter {
    fn with_width(width: u32) -> Self {
        Self {
            words: vec![0; 1 << (width - 6)],
            width,
        }
    }

    /// A filter with room for as many windows again.
    fn of(count: usize, windows: impl Iterator<Item = u64>) -> Self {
        let room = count * 2 * SPARSENESS;
        let mut filter = Self::with_width(room.next_power_of_two().ilog2().max(WIDTH_MIN));
        windows.for_each(|window| filter.insert(window));
        filter
    }

    fn is_crowded(&self, windows: usize) -> bool {
        windows * SPARSENESS >= self.words.len() * 64
    }

    fn insert(&mut self, window: u64) {
        let (word, bit) = self.place(window);
        self.words[word] |= bit;
    }

    fn may_hold(&self, window: u64) -> bool {
        let (word, bit) = self.place(window);
        self.words[word] & bit != 0
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the shift leaves `width` bits, far fewer than a usize has"
    )]
    fn place(&self, window: u64) -> (usize, u64) {
        let hash = (window.wrapping_mul(SPREAD) >> (64 - self.width)) as usize;
        (hash / 64, 1 << (hash % 64))
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::with_width(WIDTH_MIN)
    }
}

/// How many bytes a pattern is filed under, and so its least length.
pub(super) const WINDOW: usize = 6;
const MASK: u64 = (1 << (8 * WINDOW)) - 1;
/// Bits of the filter for each window: one look in eight goes on to the map at worst.
const SPARSENESS: usize = 8;
/// 8 KiB.
const WIDTH_MIN: u32 = 16;
/// The golden ratio as a fraction of 2^64: neighbours are spread far apart.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    struct Patterns<'a> {
        all: Vec<&'a str>,
        index: Index<usize>,
    }

    impl<'a> Patterns<'a> {
        fn new(all: &[&'a str]) -> Self {
            let mut index = Index::default();
            for (at, pattern) in all.iter().enumerate() {
                index.add(pattern.as_bytes(), at);
            }
            Self {
                all: all.to_vec(),
                index,
            }
        }

        fn found(&self, text: &str) -> Vec<(usize, usize, usize)> {
            let length = |at: usize, text: &[u8]| {
                let pattern = self.all[at];
                text.starts_with(pattern.as_bytes())
                    .then_some(pattern.len())
            };
            let mut hits = Vec::new();
            let mut at = 0;
            while let Some(hit) = self.index.find(text.as_bytes(), at, length) {
                hits.push((hit.start, hit.end, hit.value));
                at = hit.end;
            }
            hits
        }
    }

    #[test]
    fn the_first_and_longest_is_found() {
        let patterns = Patterns::new(&["abcdef", "abcdefgh", "defghi"]);
        for (text, expected) in [
            ("abcdefghi", vec![(0, 8, 1)]),
            ("xabcdefg", vec![(1, 7, 0)]),
            ("abcdeabcdef defghi", vec![(5, 11, 0), (12, 18, 2)]),
            ("abcde", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(patterns.found(text), expected, "{text}");
        }
    }

    #[test]
    fn all_of_many_are_found_wherever_they_stand() {
        let all: Vec<String> = (0..20_000).map(|n| format!("{n:06}-secret-{n}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let patterns = Patterns::new(&all);
        for (n, pattern) in all.iter().enumerate().step_by(97) {
            for before in 0..9 {
                let text = format!("{}{pattern}", "x".repeat(before));
                assert_eq!(patterns.found(&text), [(before, text.len(), n)]);
            }
        }
    }

    #[test]
    fn a_pattern_of_many_texts_may_stand_in_them_and_hardly_any_other() {
        let mut all = String::new();
        let mut windows = Windows::default();
        for n in 0..5_000 {
            let text = format!("{n:06} a text that was kept");
            windows.add(&text, &all);
            all.push_str(&text);
        }
        assert!((0..5_000).all(|n| windows.may_hold(format!("{n:06} a text").as_bytes())));
        let others =
            (0..5_000).filter(|n| windows.may_hold(format!("{n}-some-other-secret").as_bytes()));
        assert_eq!(others.count(), 0);
    }
}
