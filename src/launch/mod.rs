//! A program that talks to the deck without knowing it: its environment, its trust, its end.
