//! Values that stand for a secret without being one.

/// Why `value` is a placeholder, a reference or a template rather than a secret, if it is.
pub fn reason(_value: &[u8]) -> Option<&'static str> {
    None
}
