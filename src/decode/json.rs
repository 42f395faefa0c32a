//! A tolerant JSON lexer over bytes.
