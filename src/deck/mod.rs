//! The machine a cassette is put into: proxy, tape and file, wired together.
