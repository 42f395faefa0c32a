//! What a server tells its hook: where the objects of a push lie, which references it moves, who
//! pushes, and with which options.
//!
//! Pure but for the paths it names: variables and lines in, values out.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::{Error, ErrorKind};
use crate::finding::Fingerprint;
use crate::git::quoted;
use crate::unit::ObjectId;

/// A push under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiving {
    pub git_dir: PathBuf,
    /// The folder with the objects of this push and no others. An old git, or a copy of files, has
    /// none.
    pub quarantine: Option<PathBuf>,
    /// The object folders behind the quarantine.
    pub behind: Vec<PathBuf>,
    /// The file that names the commits with which the history of a shallow clone begins.
    pub shallow: Option<PathBuf>,
    pub pusher: Pusher,
    pub options: Vec<String>,
}

/// Who pushes to what, as the server says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pusher {
    pub server: Server,
    pub user: String,
    /// The server's name for the repository; empty where it has none.
    pub repository: String,
    pub protocol: String,
}

/// The servers that are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Server {
    #[default]
    Git,
    GitLab,
    GitHub,
    Gitea,
    Bitbucket,
}

/// One reference that the push moves, makes or deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    pub name: String,
    pub old: Option<ObjectId>,
    /// `None` for a deletion.
    pub new: Option<ObjectId>,
    /// What a working copy calls what is pushed; a server does not know.
    pub source: Option<String>,
}

/// An approval given with a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub fingerprint: Fingerprint,
    pub reason: String,
}

/// Looks up a variable. What it holds need not be UTF-8: a value that is not must never count as none.
pub type Get<'g> = &'g dyn Fn(&str) -> Option<OsString>;

/// The push option that approves a finding: `keysweep-allow=FINGERPRINT:REASON`.
pub const ALLOW: &str = "keysweep-allow=";

impl Receiving {
    pub fn of(get: Get<'_>) -> Self {
        let text = text(get);
        let path = |name| get(name).filter(|value| !value.is_empty());
        let behind = path("GIT_ALTERNATE_OBJECT_DIRECTORIES").map(folders);
        let own = path("GIT_QUARANTINE_PATH").or_else(|| {
            // Some servers name the folder only by what git itself reads.
            behind.as_ref().and_then(|_| path("GIT_OBJECT_DIRECTORY"))
        });
        let options = text("GIT_PUSH_OPTION_COUNT").and_then(|count| count.parse::<usize>().ok());
        let options = (0..options.unwrap_or(0).min(1000))
            .filter_map(|index| text(&format!("GIT_PUSH_OPTION_{index}")));
        Self {
            git_dir: path("GIT_DIR").unwrap_or_else(|| ".".into()).into(),
            quarantine: own.map(PathBuf::from),
            behind: behind.unwrap_or_default(),
            shallow: path("GIT_SHALLOW_FILE").map(PathBuf::from),
            pusher: Pusher::of(&text),
            options: options.collect(),
        }
    }

    /// Whether the person who pushes wants to approve a finding.
    pub fn approves(&self) -> bool {
        self.options.iter().any(|option| option.starts_with(ALLOW))
    }

    /// The approvals among the push options.
    ///
    /// # Errors
    /// When one is not of the form that approvals have.
    pub fn approvals(&self) -> Result<Vec<Approval>, Error> {
        let given = self.options.iter().filter_map(|o| o.strip_prefix(ALLOW));
        let read = given.map(|text| {
            let (fingerprint, reason) = text.split_once(':').unwrap_or((text, ""));
            let fingerprint = Fingerprint::from_hex(fingerprint.trim());
            let reason = reason.trim().to_owned();
            match fingerprint.filter(|_| !reason.is_empty()) {
                Some(fingerprint) => Ok(Approval {
                    fingerprint,
                    reason,
                }),
                None => Err(Error::usage(format!(
                    "an approval is {ALLOW}FINGERPRINT:REASON, with 32 digits and a reason"
                ))),
            }
        });
        read.collect()
    }
}

impl Pusher {
    fn of(text: &impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| text(name));
        let server = match () {
            () if first(&["GL_ID", "GL_USERNAME", "GL_REPOSITORY"]).is_some() => Server::GitLab,
            () if first(&["GITHUB_USER_LOGIN", "GITHUB_REPO_NAME"]).is_some() => Server::GitHub,
            () if first(&["GITEA_PUSHER_NAME", "GITEA_REPO_NAME"]).is_some() => Server::Gitea,
            () if first(&["BB_USER_NAME", "BB_REPO_SLUG"]).is_some() => Server::Bitbucket,
            () => Server::Git,
        };
        let (user, repository, protocol): (&[&str], &[&str], &[&str]) = match server {
            Server::GitLab => (
                &["GL_USERNAME", "GL_ID"],
                &["GL_PROJECT_PATH", "GL_REPOSITORY"],
                &["GL_PROTOCOL"],
            ),
            Server::GitHub => (
                &["GITHUB_USER_LOGIN"],
                &["GITHUB_REPO_NAME"],
                &["GITHUB_VIA"],
            ),
            Server::Gitea => (&["GITEA_PUSHER_NAME"], &["GITEA_REPO_NAME"], &[]),
            Server::Bitbucket => (&["BB_USER_NAME"], &["BB_REPO_SLUG"], &[]),
            Server::Git => (&["REMOTE_USER", "USER", "LOGNAME"], &[], &[]),
        };
        Self {
            server,
            user: first(user).unwrap_or_default(),
            repository: first(repository).unwrap_or_default(),
            protocol: first(protocol).unwrap_or_default(),
        }
    }
}

impl Server {
    /// The word in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::GitLab => "gitlab",
            Self::GitHub => "github",
            Self::Gitea => "gitea",
            Self::Bitbucket => "bitbucket",
        }
    }
}

impl Update {
    /// Reads what git writes to a hook's standard input: `OLD NEW NAME` a line.
    ///
    /// # Errors
    /// When a line is of another form, or names objects by SHA-256; and when there is none, since
    /// git calls no hook for nothing: then what it wrote got lost on the way.
    pub fn parse_all(input: &str) -> Result<Vec<Self>, Error> {
        if input.is_empty() {
            return Err(Error::usage(
                "standard input names no reference, as git does with a line `OLD NEW NAME` for each",
            ));
        }
        input.lines().map(Self::parse).collect()
    }

    fn parse(line: &str) -> Result<Self, Error> {
        let mut fields = line.splitn(3, ' ');
        match (fields.next(), fields.next(), fields.next()) {
            (Some(old), Some(new), Some(name)) if !name.is_empty() => Self::new(name, old, new),
            _ => Err(Error::usage("a line from git is not `OLD NEW NAME`")),
        }
    }

    /// Reads the three values.
    ///
    /// # Errors
    /// When an id is none, or is one of SHA-256.
    pub fn new(name: &str, old: &str, new: &str) -> Result<Self, Error> {
        Ok(Self {
            name: name.to_owned(),
            old: id(old)?,
            new: id(new)?,
            source: None,
        })
    }
}

/// An object's name; zeros stand for none.
fn id(hex: &str) -> Result<Option<ObjectId>, Error> {
    if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = "the repository names objects by SHA-256, which keysweep cannot read yet";
        return Err(Error::new(ErrorKind::Git, message));
    }
    let id = ObjectId::from_hex(hex)
        .ok_or_else(|| Error::usage("git gave an object id that is not 40 digits"))?;
    Ok(Some(id).filter(|id| id.0 != [0; 20]))
}

/// Looks up variables that are shown and compared; an empty one is none.
fn text(get: Get<'_>) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let value = get(name).filter(|value| !value.is_empty())?;
        Some(value.to_string_lossy().into_owned())
    }
}

/// A list of folders as git writes it: separated by colons, quoted like a C string where needed.
fn folders(list: OsString) -> Vec<PathBuf> {
    let separator = if cfg!(windows) { b';' } else { b':' };
    let list = list.into_encoded_bytes();
    let mut found = Vec::new();
    let mut rest = &list[..];
    while !rest.is_empty() {
        let (entry, after) = match rest.strip_prefix(b"\"").and_then(quoted::read) {
            Some(read) => read,
            None => {
                let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        if !entry.is_empty() {
            found.push(quoted::path(entry));
        }
        rest = after.strip_prefix(&[separator]).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";

    fn receiving(vars: &[(&str, &str)]) -> Receiving {
        Receiving::of(&|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn updates_are_read_or_refused() {
        let input = format!("{ZERO} {ONE} refs/heads/new\n{ONE} {ZERO} refs/tags/a b\n");
        let updates = Update::parse_all(&input).unwrap();
        assert_eq!((updates[0].old, updates[0].new.is_some()), (None, true));
        assert_eq!((updates[1].new, &*updates[1].name), (None, "refs/tags/a b"));
        let long = "1".repeat(64);
        for (line, why) in [
            (format!("{long} {long} refs/heads/x"), "SHA-256"),
            (format!("{ONE} {ONE}"), "OLD NEW NAME"),
            (format!("{ONE} zzz refs/heads/x"), "40 digits"),
            (String::new(), "no reference"),
        ] {
            let error = Update::parse_all(&line).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn folders_may_be_quoted() {
        let list = r#"/a/objects:"/b:c \"d\" \303\251":/e"#;
        let read = folders(list.into());
        assert_eq!(
            read,
            ["/a/objects", "/b:c \"d\" é", "/e"].map(PathBuf::from)
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf_8_is_not_none() {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        let odd = |text: &[u8]| Some(OsString::from_vec(text.to_vec()));
        let allow = [ALLOW.as_bytes(), &[b'0'; 32], b":caf\xe9"].concat();
        let receiving = Receiving::of(&|name| match name {
            "GIT_QUARANTINE_PATH" => odd(b"/q\xff"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES" => odd(b"/a\xff:\"/b\\377\""),
            "GIT_PUSH_OPTION_COUNT" => odd(b"1"),
            "GIT_PUSH_OPTION_0" => odd(&allow),
            _ => None,
        });
        let bytes = |path: &PathBuf| path.as_os_str().as_bytes().to_vec();
        assert_eq!(receiving.quarantine.as_ref().map(bytes).unwrap(), b"/q\xff");
        let behind: Vec<Vec<u8>> = receiving.behind.iter().map(bytes).collect();
        assert_eq!(behind, [b"/a\xff", b"/b\xff"]);
        assert_eq!(receiving.approvals().unwrap()[0].reason, "caf\u{fffd}");
    }

    #[test]
    fn the_quarantine_needs_something_behind_it_unless_it_is_named() {
        let only = receiving(&[("GIT_OBJECT_DIRECTORY", "/o")]);
        assert_eq!(only.quarantine, None);
        let both = [
            ("GIT_OBJECT_DIRECTORY", "/o"),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/p"),
        ];
        assert_eq!(receiving(&both).quarantine, Some("/o".into()));
    }

    #[test]
    fn users_are_named_by_their_server() {
        let user = |vars| {
            let pusher = receiving(vars).pusher;
            (pusher.server, pusher.user)
        };
        let gitlab = [("GL_ID", "user-7"), ("GL_USERNAME", "ann"), ("USER", "git")];
        assert_eq!(user(&gitlab), (Server::GitLab, "ann".to_owned()));
        let gitea = [("GITEA_PUSHER_NAME", "ben"), ("USER", "git")];
        assert_eq!(user(&gitea), (Server::Gitea, "ben".to_owned()));
        assert_eq!(user(&[("USER", "cat")]), (Server::Git, "cat".to_owned()));
    }

    #[test]
    fn approvals_need_a_reason() {
        let fingerprint = "0123456789abcdef0123456789abcdef";
        let with = |option: String| {
            let vars = [
                ("GIT_PUSH_OPTION_COUNT", "1"),
                ("GIT_PUSH_OPTION_0", &option),
            ];
            receiving(&vars).approvals()
        };
        let read = with(format!("{ALLOW}{fingerprint}: a test key: really")).unwrap();
        assert_eq!(read[0].reason, "a test key: really");
        assert_eq!(with("ci.skip".to_owned()).unwrap(), []);
        for bad in [fingerprint, "0123:why", &format!("{fingerprint}: ")] {
            assert!(with(format!("{ALLOW}{bad}")).is_err(), "{bad}");
        }
    }
}
