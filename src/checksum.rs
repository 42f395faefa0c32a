//! Checksums inside keys and tokens: made for examples, verified for proof.
