//! Cassettes on disk: found, loaded, and written whole or not at all.
