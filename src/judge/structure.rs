//! Parsers for secrets with parts.
