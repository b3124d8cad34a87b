//! What holds so many entries, and lets go of the oldest.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hash};

use foldhash::quality::RandomState;
use foldhash::{HashMap, HashMapExt as _};

/// What is remembered of those who may go on for ever, in the order in which it came. What it holds
/// may be secret: no `Debug`.
pub(crate) struct Bounded<K, V = ()> {
    max: usize,
    /// How many it let go of.
    gone: usize,
    entries: VecDeque<(K, V)>,
    /// Where each stands among all that ever came.
    places: HashMap<K, usize>,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    /// One that holds at most so many.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            gone: 0,
            entries: VecDeque::new(),
            places: HashMap::new(),
        }
    }

    /// The value of a key.
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.get(key)?;
        self.entries.get(place - self.gone).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.get(key)?;
        let entry = self.entries.get_mut(place - self.gone);
        entry.map(|(_, value)| value)
    }

    /// Whether there is a value for the key.
    pub(crate) fn contains<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.places.contains_key(key)
    }

    /// Takes in a value; one of a known key takes the place, and the age, of that before it.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if let Some(known) = self.get_mut(&key) {
            *known = value;
            return;
        }
        self.places
            .insert(key.clone(), self.gone + self.entries.len());
        self.entries.push_back((key, value));
        if self.entries.len() > self.max
            && let Some((oldest, _)) = self.entries.pop_front()
        {
            self.places.remove(&oldest);
            self.gone += 1;
        }
    }

    /// How many ever came.
    pub(crate) fn came(&self) -> usize {
        self.gone + self.entries.len()
    }

    /// The entries, the oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The values, the oldest first.
    pub(crate) fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }
}

impl<K: Clone + Eq + Hash, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self::new(REMEMBERED_MAX)
    }
}

/// Values by their hashes, of which no secret can be had.
#[derive(Default)]
pub(crate) struct Remembered {
    hasher: RandomState,
    hashes: Bounded<u64>,
}

impl Remembered {
    /// Whether the value came before.
    pub(crate) fn has(&self, value: &str) -> bool {
        self.hashes.contains(&self.hasher.hash_one(value))
    }

    /// Takes in a value.
    pub(crate) fn add(&mut self, value: &str) {
        self.hashes.insert(self.hasher.hash_one(value), ());
    }

    /// Whether nothing came.
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.came() == 0
    }
}

/// More than any client has open at a time, and less than fills the memory.
const REMEMBERED_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_let_go_of_and_the_order_stays() {
        let mut bounded = Bounded::new(2);
        for (key, value, left) in [
            ("a", 1, vec![("a", 1)]),
            ("b", 2, vec![("a", 1), ("b", 2)]),
            ("a", 3, vec![("a", 3), ("b", 2)]),
            ("c", 4, vec![("b", 2), ("c", 4)]),
            ("a", 5, vec![("c", 4), ("a", 5)]),
        ] {
            bounded.insert(key.to_owned(), value);
            let entries = bounded.iter().map(|(key, value)| (key.as_str(), *value));
            assert_eq!(entries.collect::<Vec<_>>(), left, "{key} {value}");
            assert_eq!(bounded.get(key), Some(&value));
        }
        assert!(!bounded.contains("b"));
        assert_eq!(bounded.get_mut("b"), None);
        assert_eq!(bounded.came(), 4);
    }

    #[test]
    fn a_value_is_remembered_until_many_came_behind_it() {
        let mut remembered = Remembered::default();
        assert!(remembered.is_empty());
        for number in 0..=REMEMBERED_MAX {
            remembered.add(&number.to_string());
        }
        assert!(!remembered.is_empty());
        for (number, expected) in [(0, false), (1, true), (REMEMBERED_MAX, true)] {
            assert_eq!(remembered.has(&number.to_string()), expected, "{number}");
        }
    }

    #[test]
    fn what_nobody_limits_is_limited() {
        let mut bounded = Bounded::default();
        for number in 0..=REMEMBERED_MAX {
            bounded.insert(number, ());
        }
        assert_eq!(bounded.iter().count(), REMEMBERED_MAX);
        assert!(!bounded.contains(&0) && bounded.contains(&REMEMBERED_MAX));
    }
}
