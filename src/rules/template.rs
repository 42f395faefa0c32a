//! Fills templates with fresh, random, well-formed secrets.
