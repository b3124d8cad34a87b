//! Many patterns searched for at once, in time that does not grow with their number.
//!
//! Every pattern is filed under its first bytes. A place of the text is looked at further only
//! where a filter that fits the processor's cache says that some pattern may begin there; that is
//! all that most places cost. The patterns themselves are not held here: [`Spell`] says how each is
//! spelled.
//!
//! A few patterns that begin alike are tried one after the other. More of them are a crowd, which a
//! peer makes who sends thousands of secrets with the same first bytes: it is sorted, so that a
//! place costs its logarithm.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

/// How the patterns are spelled whose values are filed.
pub(super) trait Spell<T> {
    /// The pattern of a value.
    fn spelled(&self, value: T) -> Cow<'_, [u8]>;

    /// How long the pattern of a value is, where the text begins with it; else how it compares with
    /// the text.
    fn against(&self, value: T, text: &[u8]) -> Result<usize, Ordering>;
}

/// What is filed under the first bytes of patterns.
pub(super) struct Index<T> {
    filed: Vec<Filed<T>>,
    by_start: HashMap<u64, Row>,
    crowds: HashMap<Under, Vec<u32>>,
    filter: Filter,
}

struct Filed<T> {
    value: T,
    /// What was filed under the same first bytes before.
    before: Option<u32>,
}

/// What is filed under the same first bytes.
#[derive(Clone, Copy)]
struct Row {
    last: u32,
    count: u32,
}

/// What the patterns of a crowd begin with. They are sorted, and none begins with another: what
/// does is in a crowd under that one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Under {
    Start(u64),
    Pattern(u32),
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
            crowds: HashMap::new(),
            filter: Filter::default(),
        }
    }
}

impl<T: Copy> Index<T> {
    /// Files a value under the first bytes of its pattern; one that is shorter than [`WINDOW`] is
    /// never found.
    pub(super) fn add(&mut self, pattern: &[u8], value: T, spell: &impl Spell<T>) {
        let (Some(start), Ok(at)) = (window(pattern), u32::try_from(self.filed.len())) else {
            return;
        };
        if self.filter.is_crowded(self.by_start.len()) {
            self.filter = Filter::of(self.by_start.len(), self.by_start.keys().copied());
        }
        self.filter.insert(start);
        let mut before = None;
        let row = self.by_start.entry(start).and_modify(|row| {
            before = Some(row.last);
            row.last = at;
            row.count += 1;
        });
        let count = row.or_insert(Row { last: at, count: 1 }).count;
        self.filed.push(Filed { value, before });
        match count.cmp(&(FEW + 1)) {
            Ordering::Less => {}
            Ordering::Equal => {
                let mut row: Vec<_> = self.row(at).collect();
                row.reverse();
                for at in row {
                    self.crowd(start, at, spell);
                }
            }
            Ordering::Greater => self.crowd(start, at, spell),
        }
    }

    /// How many patterns there are.
    pub(super) fn len(&self) -> usize {
        self.filed.len()
    }

    /// The first place from `at` on where a pattern stands, and the longest one there.
    pub(super) fn find(&self, text: &[u8], mut at: usize, spell: &impl Spell<T>) -> Option<Hit<T>> {
        if self.filed.is_empty() {
            return None;
        }
        while let Some((start, window)) = self.likely(text, at) {
            if let Some((value, length)) = self.longest(window, &text[start..], spell) {
                return Some(Hit {
                    start,
                    end: start + length,
                    value,
                });
            }
            at = start + 1;
        }
        None
    }

    /// The first place from `at` on where some pattern may begin, and what stands there. Nearly all
    /// of the time goes here.
    fn likely(&self, text: &[u8], at: usize) -> Option<(usize, u64)> {
        let mut windows = (at..text.len()).map_while(|at| Some((at, window(&text[at..])?)));
        windows.find(|(_, window)| self.filter.may_hold(*window))
    }

    fn longest(&self, start: u64, text: &[u8], spell: &impl Spell<T>) -> Option<(T, usize)> {
        let row = self.by_start.get(&start)?;
        if row.count > FEW {
            return self.longest_of_crowd(start, text, spell);
        }
        self.row(row.last)
            .filter_map(|at| {
                let value = self.value(at);
                Some((value, spell.against(value, text).ok()?))
            })
            .reduce(|longest, other| if other.1 > longest.1 { other } else { longest })
    }

    fn longest_of_crowd(
        &self,
        start: u64,
        text: &[u8],
        spell: &impl Spell<T>,
    ) -> Option<(T, usize)> {
        let mut under = Under::Start(start);
        let mut longest = None;
        while let Some(crowd) = self.crowds.get(&under)
            && let Some(at) = self.behind(crowd, text, spell).checked_sub(1)
            && let Ok(length) = spell.against(self.value(crowd[at]), text)
        {
            longest = Some((self.value(crowd[at]), length));
            under = Under::Pattern(crowd[at]);
        }
        longest
    }

    /// Takes a pattern into its crowd; of two that are spelled the same, the later one counts.
    fn crowd(&mut self, start: u64, at: u32, spell: &impl Spell<T>) {
        let pattern = spell.spelled(self.value(at));
        let mut under = Under::Start(start);
        loop {
            let mut crowd = self.crowds.remove(&under).unwrap_or_default();
            let behind = self.behind(&crowd, &pattern, spell);
            let before = behind.checked_sub(1).map(|before| crowd[before]);
            let begun = before.and_then(|before| {
                let length = spell.against(self.value(before), &pattern).ok()?;
                Some((before, length))
            });
            let deeper = match begun {
                Some((before, length)) if length < pattern.len() => Some(Under::Pattern(before)),
                Some((before, _)) => {
                    crowd[behind - 1] = at;
                    if let Some(longer) = self.crowds.remove(&Under::Pattern(before)) {
                        self.crowds.insert(Under::Pattern(at), longer);
                    }
                    None
                }
                None => {
                    let longer = crowd[behind..].partition_point(|other| {
                        spell.spelled(self.value(*other)).starts_with(&pattern)
                    });
                    let longer: Vec<_> = crowd.splice(behind..behind + longer, [at]).collect();
                    if !longer.is_empty() {
                        self.crowds.insert(Under::Pattern(at), longer);
                    }
                    None
                }
            };
            self.crowds.insert(under, crowd);
            match deeper {
                Some(deeper) => under = deeper,
                None => return,
            }
        }
    }

    /// How many of a crowd the text is sorted behind, or begins with.
    fn behind(&self, crowd: &[u32], text: &[u8], spell: &impl Spell<T>) -> usize {
        crowd.partition_point(|at| spell.against(self.value(*at), text) != Err(Ordering::Greater))
    }

    /// All that was filed under the same first bytes as the last of them.
    fn row(&self, last: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(last), |at| self.filed[*at as usize].before)
    }

    fn value(&self, at: u32) -> T {
        self.filed[at as usize].value
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

/// So many patterns that begin alike are no crowd: the spellings of one secret are as many.
const FEW: u32 = 16;
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

    impl Spell<usize> for Vec<&str> {
        fn spelled(&self, value: usize) -> Cow<'_, [u8]> {
            Cow::Borrowed(self[value].as_bytes())
        }

        fn against(&self, value: usize, text: &[u8]) -> Result<usize, Ordering> {
            let pattern = self[value].as_bytes();
            if text.starts_with(pattern) {
                Ok(pattern.len())
            } else {
                Err(pattern.cmp(text))
            }
        }
    }

    impl<'a> Patterns<'a> {
        fn new(all: &[&'a str]) -> Self {
            let all = all.to_vec();
            let mut index = Index::default();
            for (at, pattern) in all.iter().enumerate() {
                index.add(pattern.as_bytes(), at, &all);
            }
            Self { all, index }
        }

        fn found(&self, text: &str) -> Vec<(usize, usize, usize)> {
            let mut hits = Vec::new();
            let mut at = 0;
            while let Some(hit) = self.index.find(text.as_bytes(), at, &self.all) {
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
    fn a_crowd_finds_what_a_few_find_in_whatever_order_they_came() {
        let ends = [
            "", "a", "aa", "aaX", "ab", "abc", "b", "bab", "ba", "X", "aaaaaaaa",
        ];
        let texts = [
            "abcdefaaXb",
            "abcdefab abcdefabcd",
            "abcdefc abcdeXabcdefbabX",
            "abcdefaaaaaaab",
        ];
        for turn in 0..ends.len() {
            let mut all: Vec<_> = ends.iter().map(|end| format!("abcdef{end}")).collect();
            all.rotate_left(turn);
            if turn % 2 == 1 {
                all.reverse();
            }
            // What makes a crowd of them, and is in none of the texts; some of it twice.
            let crowd: Vec<_> = (0..40).map(|n| format!("abcdef{}", n % 30)).collect();
            let few: Vec<&str> = all.iter().map(String::as_str).collect();
            for split in [0, 7, 40] {
                let (before, after) = crowd.split_at(split);
                let many = before.iter().chain(&all).chain(after);
                let many: Vec<&str> = many.map(String::as_str).collect();
                let [few, many] = [&few, &many].map(|all| Patterns::new(all));
                let named = |patterns: &Patterns<'_>, text: &str| -> Vec<_> {
                    let found = patterns.found(text).into_iter();
                    found
                        .map(|(start, _, at)| (start, patterns.all[at].to_owned()))
                        .collect()
                };
                for text in texts {
                    let expected = named(&few, text);
                    assert_eq!(named(&many, text), expected, "{text}, {turn}, {split}");
                }
            }
        }
    }

    #[test]
    fn a_place_costs_few_comparisons_however_many_patterns_begin_alike() {
        struct Counted<'a>(Vec<&'a str>, std::cell::Cell<usize>);

        impl Spell<usize> for Counted<'_> {
            fn spelled(&self, value: usize) -> Cow<'_, [u8]> {
                Cow::Borrowed(self.0[value].as_bytes())
            }

            fn against(&self, value: usize, text: &[u8]) -> Result<usize, Ordering> {
                self.1.set(self.1.get() + 1);
                self.0.against(value, text)
            }
        }

        let all: Vec<String> = (0..4_000).map(|n| format!("secret{n:06}")).collect();
        let spell = Counted(
            all.iter().map(String::as_str).collect(),
            std::cell::Cell::new(0),
        );
        let mut index = Index::default();
        for (at, pattern) in all.iter().enumerate() {
            index.add(pattern.as_bytes(), at, &spell);
        }
        spell.1.set(0);
        let text = "secret".repeat(100);
        assert_eq!(index.find(text.as_bytes(), 0, &spell), None);
        assert!(spell.1.get() <= 100 * 14, "{}", spell.1.get());
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
