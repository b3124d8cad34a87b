//! Many patterns, searched at once, to which more are added at any time.
//!
//! An automaton over all patterns would be built anew for every secret that is learned, which cost
//! more than everything else together. Here a pattern is filed under its first bytes; a text is
//! read window by window against a filter that fits the first-level cache.

use std::collections::HashMap;

use zeroize::Zeroize as _;

/// Patterns with what each stands for. They are wiped when it is dropped.
pub(super) struct Index<T> {
    patterns: Vec<(Vec<u8>, T)>,
    by_start: HashMap<u64, Vec<usize>>,
    filter: Filter,
}

/// Where a pattern stands in a text.
#[derive(Clone, Copy)]
pub(super) struct Hit<'a, T> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: &'a T,
}

impl<T> Index<T> {
    /// Files a pattern; one that is shorter than [`WINDOW`] is never found.
    pub(super) fn add(&mut self, pattern: Vec<u8>, value: T) {
        let Some(start) = window(&pattern) else {
            return;
        };
        if self.filter.is_crowded(self.by_start.len()) {
            self.filter = Filter::of(self.by_start.keys().copied());
        }
        self.filter.insert(start);
        self.by_start
            .entry(start)
            .or_default()
            .push(self.patterns.len());
        self.patterns.push((pattern, value));
    }

    /// The first place from `at` on where a pattern stands, and the longest one there.
    pub(super) fn find(&self, text: &[u8], mut at: usize) -> Option<Hit<'_, T>> {
        if self.patterns.is_empty() {
            return None;
        }
        while let Some(start) = text.get(at..).and_then(window) {
            if self.filter.may_hold(start)
                && let Some(known) = self.by_start.get(&start)
                && let Some((pattern, value)) = self.longest(known, &text[at..])
            {
                return Some(Hit {
                    start: at,
                    end: at + pattern.len(),
                    value,
                });
            }
            at += 1;
        }
        None
    }

    fn longest(&self, known: &[usize], text: &[u8]) -> Option<&(Vec<u8>, T)> {
        known
            .iter()
            .filter_map(|at| self.patterns.get(*at))
            .filter(|(pattern, _)| text.starts_with(pattern))
            .max_by_key(|(pattern, _)| pattern.len())
    }
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self {
            patterns: Vec::new(),
            by_start: HashMap::new(),
            filter: Filter::default(),
        }
    }
}

impl<T> Drop for Index<T> {
    fn drop(&mut self) {
        for (pattern, _) in &mut self.patterns {
            pattern.zeroize();
        }
    }
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
    fn of(windows: impl ExactSizeIterator<Item = u64>) -> Self {
        let room = windows.len() * 2 * SPARSENESS;
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

    fn index(patterns: &[&str]) -> Index<usize> {
        let mut index = Index::default();
        for (at, pattern) in patterns.iter().enumerate() {
            index.add(pattern.as_bytes().to_vec(), at);
        }
        index
    }

    fn found(index: &Index<usize>, text: &str) -> Vec<(usize, usize, usize)> {
        let mut hits = Vec::new();
        let mut at = 0;
        while let Some(hit) = index.find(text.as_bytes(), at) {
            hits.push((hit.start, hit.end, *hit.value));
            at = hit.end;
        }
        hits
    }

    #[test]
    fn the_first_and_longest_is_found() {
        let index = index(&["abcdef", "abcdefgh", "defghi"]);
        assert_eq!(found(&index, "abcdefghi"), [(0, 8, 1)]);
        assert_eq!(found(&index, "xabcdefg"), [(1, 7, 0)]);
        assert_eq!(
            found(&index, "abcdeabcdef defghi"),
            [(5, 11, 0), (12, 18, 2)]
        );
        assert_eq!(found(&index, "abcde"), []);
        assert_eq!(found(&index, ""), []);
    }

    #[test]
    fn all_of_many_are_found_wherever_they_stand() {
        let patterns: Vec<String> = (0..20_000).map(|n| format!("{n:06}-secret-{n}")).collect();
        let all: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let index = index(&all);
        for (n, pattern) in all.iter().enumerate().step_by(97) {
            for before in 0..9 {
                let text = format!("{}{pattern}", "x".repeat(before));
                assert_eq!(found(&index, &text), [(before, text.len(), n)]);
            }
        }
    }
}
