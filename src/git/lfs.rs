//! What Git LFS leaves in a repository in place of a file that it keeps elsewhere.

/// How the first line ends, under this name or one of those before.
const VERSIONS: [&str; 3] = [
    "https://git-lfs.github.com/spec/v1",
    "https://hawser.github.com/spec/v1",
    "http://git-media.io/v/2",
];
/// How long it can be.
const LONGEST: usize = 1024;

/// Whether a file only stands for another.
pub fn is_pointer(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"version ") else {
        return false;
    };
    let line = rest.split(|&b| b == b'\n').next().unwrap_or_default();
    let version = line.strip_suffix(b"\r").unwrap_or(line);
    bytes.len() <= LONGEST && VERSIONS.iter().any(|known| known.as_bytes() == version)
}
