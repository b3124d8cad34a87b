//! An authorization server in the binary, which behaves as the one of the forum thread did.
