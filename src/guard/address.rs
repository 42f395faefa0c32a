//! Which repository a URL names.
//!
//! What is taken for one repository decides which commits a push need not bring. Two taken for one would
//! let a secret pass, one taken for two only makes for more reading: what is not certain to be one is two.

use std::path::{Path, PathBuf};

/// What a URL names, as far as that is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A repository in a folder of this machine, by its own folder.
    Folder(PathBuf),
    /// A repository of a service that tells which of its URLs name one.
    Service { name: &'static str, path: String },
    /// What only the same text names for certain: elsewhere another user, port, protocol or ending of a
    /// path may lead to another repository.
    Text(String),
}

impl Address {
    pub fn of(url: &str) -> Self {
        folder(url)
            .map(Self::Folder)
            .or_else(|| service(url))
            .unwrap_or_else(|| Self::Text(url.to_owned()))
    }
}

/// The folder of the repository that git finds at a path.
fn folder(url: &str) -> Option<PathBuf> {
    let path = match url.strip_prefix("file://") {
        // Git undoes escapes there.
        Some(path) if path.starts_with('/') && !path.contains('%') => path,
        // A folder below somebody's home has a name that only git makes a path of.
        None if is_path(url) && !url.starts_with('~') => url,
        _ => return None,
    };
    // Nothing is left of the root, as of the current folder.
    let path = Some(path.trim_end_matches('/')).filter(|path| !path.is_empty())?;
    let ways = ["/.git", "", ".git/.git", ".git"];
    let found = ways.iter().map(|way| PathBuf::from(format!("{path}{way}")));
    found
        .filter(|found| is_repository(found))
        .find_map(|found| found.canonicalize().ok())
}

/// Whether git takes it for a path: no colon stands before the first slash, but for that of a drive.
fn is_path(url: &str) -> bool {
    match url.find(':') {
        Some(at) => url[..at].contains('/') || (cfg!(windows) && at == 1),
        None => true,
    }
}

/// Whether git ends its search there: at a file that says where the repository is, or at one.
fn is_repository(path: &Path) -> bool {
    let has = |name: &str| path.join(name).is_dir();
    let is_one = || path.join("HEAD").symlink_metadata().is_ok() && has("objects") && has("refs");
    path.is_file() || is_one()
}

fn service(url: &str) -> Option<Address> {
    let parts = Parts::of(url)?;
    let (name, path) = match (&*parts.host, parts.by_ssh, parts.port) {
        ("github.com", _, None) | ("ssh.github.com", true, Some("443")) => {
            ("github", named(parts.path, 2..=2)?)
        }
        ("gitlab.com", _, None) | ("altssh.gitlab.com", true, Some("443")) => {
            ("gitlab", named(parts.path, 2..=usize::MAX)?)
        }
        ("bitbucket.org", _, None) | ("altssh.bitbucket.org", true, Some("443")) => {
            ("bitbucket", named(parts.path, 2..=2)?)
        }
        _ => ("azure", azure(&parts)?),
    };
    Some(Address::Service { name, path })
}

/// The parts of a URL in whose form nobody can see others.
struct Parts<'u> {
    /// By its own protocol or as `user@host:path`; else by `https`.
    by_ssh: bool,
    host: String,
    /// `None` where it is that of the protocol.
    port: Option<&'u str>,
    path: &'u str,
}

impl<'u> Parts<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let by_web = url.strip_prefix("https://");
        let by_ssh = by_web.is_none();
        let (authority, path) = match by_web.or_else(|| url.strip_prefix("ssh://")) {
            Some(rest) => rest.split_once('/')?,
            None => {
                let (authority, path) = url.split_once(':')?;
                (authority, path.strip_prefix('/').unwrap_or(path))
            }
        };
        let (user, server) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        };
        let usual = if by_ssh { "22" } else { "443" };
        // A name and a password are no part of what the web shows.
        let in_user = |c: char| is_of_name(c) || (!by_ssh && "~%:!$&+=*".contains(c));
        let in_path = |c: char| !c.is_control() && !"?#\\:".contains(c);
        let is_plain = user.chars().all(in_user) && path.chars().all(in_path);
        is_plain.then(|| Self {
            by_ssh,
            host: host.to_ascii_lowercase(),
            port: port.filter(|port| *port != usual),
            path: path.strip_suffix('/').unwrap_or(path),
        })
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._".contains(c)
}

/// The path of a repository of so many parts, where neither case nor the ending tells two apart.
fn named(path: &str, parts: std::ops::RangeInclusive<usize>) -> Option<String> {
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_name = |part: &str| !["", ".", ".."].contains(&part) && part.chars().all(is_of_name);
    let is_one = parts.contains(&path.split('/').count()) && path.split('/').all(is_name);
    // No service lets a name end so: what two endings name is not known.
    (is_one && !path.ends_with(".git")).then(|| path.to_ascii_lowercase())
}

/// The organization, project and repository that a URL of Azure DevOps names, in one of its forms:
/// `https://dev.azure.com/ORG/PROJECT/_git/REPO`, `https://ORG.visualstudio.com/PROJECT/_git/REPO`, and by
/// ssh `v3/ORG/PROJECT/REPO`. A project's repository of the same name goes without the project.
fn azure(url: &Parts<'_>) -> Option<String> {
    if url.port.is_some() {
        return None;
    }
    let path = url.path.to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').collect();
    let (by_ssh, by_web) = (url.by_ssh, !url.by_ssh);
    let organization = url.host.strip_suffix(".visualstudio.com");
    let organization = organization.filter(|name| !name.contains('.'));
    let (organization, rest) = match (&*url.host, organization, &parts[..]) {
        ("ssh.dev.azure.com" | "vs-ssh.visualstudio.com", _, ["v3", organization, rest @ ..])
            if by_ssh =>
        {
            (*organization, rest)
        }
        ("dev.azure.com", _, [organization, rest @ ..]) if by_web => (*organization, rest),
        (_, Some(organization), ["defaultcollection", rest @ ..]) if by_web => (organization, rest),
        (_, Some(organization), rest) if by_web => (organization, rest),
        _ => return None,
    };
    let (project, repository) = match *rest {
        [project, repository] if by_ssh => (project, repository),
        [project, "_git", repository] if by_web => (project, repository),
        ["_git", repository] if by_web => (repository, repository),
        _ => return None,
    };
    let names = [organization, project, repository];
    let is_name = |name: &&str| !["", ".", ".."].contains(name);
    names.iter().all(is_name).then(|| names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(one: &str, other: &str) -> bool {
        Address::of(one) == Address::of(other)
    }

    #[test]
    fn elsewhere_the_same_text_alone_names_the_same_repository() {
        for url in [
            "git@host.example:team/app.git",
            "ssh://git@host.example:2222/team/app/",
            "http://localhost:3000/app",
            "[::1]:a@b",
            "/no/such/folder",
            "~/app",
            "ext::sh -c true",
        ] {
            assert!(is_same(url, url), "{url}");
        }
        for (one, other) in [
            // A path from home is not one from the root.
            ("git@host.example:app", "git@host.example:/app"),
            ("git@host.example:app", "ssh://git@host.example/app"),
            ("git@host.example:/app", "ssh://git@host.example/app"),
            // Two folders of a plain host may be called so.
            ("git@host.example:app", "git@host.example:app.git"),
            ("git@host.example:app", "git@host.example:app/"),
            ("https://host.example/app", "https://host.example/App"),
            ("https://host.example/app", "https://other.example/app"),
            // Another user or port may lead to another server.
            ("ann@host.example:app", "ben@host.example:app"),
            ("ssh://ann@host.example/app", "https://host.example/app"),
            (
                "https://host.example:8443/app",
                "http://host.example:9000/app",
            ),
            ("http://localhost:3000/app", "http://localhost:3001/app"),
            ("http://host.example:443/app", "http://host.example/app"),
            ("https://host.example:443/app", "https://host.example/app"),
            ("C:/repo", "https://c/repo"),
            ("/no/such/folder", "host.example:no/such/folder"),
            ("git@[::1]:app", "git@[::2]:app"),
            ("ssh://[::1]:2222/app", "ssh://[::1]/app"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn services_have_one_repository_by_each_name() {
        let forms: [&[&str]; 5] = [
            &[
                "git@github.com:o/r.git",
                "git@github.com:/o/r",
                "ssh://git@github.com:22/o/r",
                "ssh://git@ssh.github.com:443/o/r",
                "https://github.com/O/r/",
                "https://github.com:443/o/r.git",
                "https://ann%40host.example:@GitHub.com/o/r",
                "org-1@github.com:O/R",
            ],
            &["git@gitlab.com:g/s/r", "ssh://altssh.gitlab.com:443/g/s/r"],
            &["git@bitbucket.org:o/r", "https://ann@bitbucket.org/o/r.git"],
            &[
                "https://dev.azure.com/org/My%20Project/_git/repo",
                "https://org@dev.azure.com/Org/my%20project/_git/Repo",
                "git@ssh.dev.azure.com:v3/org/My%20Project/repo",
                "https://org.visualstudio.com/My%20Project/_git/repo",
                "https://org.visualstudio.com/DefaultCollection/My%20Project/_git/repo",
                "org@vs-ssh.visualstudio.com:v3/org/My%20Project/repo",
            ],
            &[
                "https://dev.azure.com/org/_git/app",
                "https://org.visualstudio.com/app/_git/app",
                "git@ssh.dev.azure.com:v3/org/app/app",
            ],
        ];
        for (number, group) in forms.iter().enumerate() {
            for one in *group {
                for (other_number, other) in forms.iter().enumerate() {
                    for other in *other {
                        assert_eq!(is_same(one, other), number == other_number, "{one} {other}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_only_looks_like_a_service_is_none() {
        let true_ones = [
            "https://github.com/o/r",
            "https://gitlab.com/o/r",
            "https://bitbucket.org/o/r",
            "https://dev.azure.com/org/p/_git/r",
        ];
        for url in [
            "https://github.com.example/o/r",
            "https://github.com:8443/o/r",
            "https://github.com:/o/r",
            "https://github.com@evil.example/o/r",
            "https://evil.example@github.com@github.com/o/r",
            "https://github.com#@evil.example/o/r",
            "https://evil.example#@github.com/o/r",
            "https://evil.example?@github.com/o/r",
            "https://evil.example\\@github.com/o/r",
            "https://github.com/o/r?x",
            "https://github.com/o/r#x",
            "https://github.com/o/x/../r",
            "https://github.com//o/r",
            "https://github.com/o/r//",
            "https://github.com/o/r.git.git",
            "https://github.com/o/%72",
            "https://github.com/r",
            "http://github.com/o/r",
            "HTTPS://github.com/o/r",
            "git://github.com/o/r",
            "file://github.com/o/r",
            "foo://github.com/o/r",
            "rsync::https://github.com/o/r",
            "https::https://github.com/o/r",
            "git@ssh.github.com:o/r",
            "git@github.com:22/o/r",
            "git@github.com:2222/o/r",
            "[git@github.com:22]:o/r",
            "github.com/o/r",
            "https://dev.azure.com/org/p/_git/r.git",
            "https://dev.azure.com/v3/org/p/r",
            "https://dev.azure.com/org//_git/r",
            "https://two.visualstudio.com/p/_git/r",
            "https://a.org.visualstudio.com/p/_git/r",
            "https://.visualstudio.com/p/_git/r",
            "git@dev.azure.com:v3/org/p/r",
        ] {
            for known in true_ones {
                assert!(!is_same(url, known), "{url} {known}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_the_one_in_which_git_looks() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name).to_str().unwrap().to_owned();
        for name in ["app.git", "tree/.git"] {
            git2::Repository::init_bare(at(name)).unwrap();
        }
        std::fs::create_dir_all(at("app")).unwrap();
        std::os::unix::fs::symlink(at("app.git"), at("link")).unwrap();
        for (one, other) in [
            ("app.git", "app.git/"),
            ("app.git", "link"),
            // A folder that is no repository itself.
            ("app", "app.git"),
            ("tree", "tree/.git"),
            ("tree/../app", "app.git"),
        ] {
            assert!(is_same(&at(one), &at(other)), "{one} {other}");
            assert!(is_same(&format!("file://{}", at(one)), &at(other)), "{one}");
        }
        for (one, other) in [
            (at("app"), at("tree")),
            (format!("file:/{}", at("app")), at("app")),
            (format!("h:{}", at("app")), at("app")),
            (at("app").replace("app", "%61pp"), at("app")),
        ] {
            assert!(!is_same(&one, &other), "{one} {other}");
        }
        // That of these tests is a repository.
        assert!(!is_same("/", ".") && !is_same("file:///", "."));
    }
}
