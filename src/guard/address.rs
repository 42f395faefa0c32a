//! Which repository a URL names.
//!
//! What is taken for one repository decides which commits a push need not bring. Two taken for one would
//! let a secret pass, one taken for two only makes for more reading: in doubt they are two.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

/// What a URL names.
#[derive(Debug, PartialEq, Eq)]
pub enum Address {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A path on a service that is known to have one repository by each name, in any case, whoever asks.
    Service { name: &'static str, path: String },
    /// A path on another host.
    Host {
        scheme: String,
        server: Server,
        path: String,
    },
}

/// Who answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    /// Empty for the web, where all see the same repository.
    user: String,
    host: String,
    /// Empty where it is that of the scheme.
    port: String,
}

/// The hosts of services, by what they are called here. Those with a port answer for the others there.
const SERVICES: [(&str, &str, &str); 6] = [
    ("github.com", "", "github"),
    ("ssh.github.com", "443", "github"),
    ("gitlab.com", "", "gitlab"),
    ("altssh.gitlab.com", "443", "gitlab"),
    ("bitbucket.org", "", "bitbucket"),
    ("altssh.bitbucket.org", "443", "bitbucket"),
];

impl Address {
    pub fn of(url: &str) -> Self {
        let folder = Path::new(url.strip_prefix("file://").unwrap_or(url));
        if let Ok(folder) = folder.canonicalize() {
            return Self::Folder(folder);
        }
        let parts = match url.split_once("://") {
            Some((scheme, rest)) => rest
                .split_once('/')
                .map(|(authority, path)| (scheme.to_ascii_lowercase(), authority, path)),
            None => short(url).map(|(authority, path)| ("ssh".to_owned(), authority, path)),
        };
        let Some((scheme, authority, path)) = parts else {
            return Self::Folder(folder.into());
        };
        let server = Server::of(&scheme, authority);
        let path = path.trim_matches('/');
        if let Some(path) = azure(&scheme, &server, path) {
            return Self::Service {
                name: "azure",
                path,
            };
        }
        let path = path.strip_suffix(".git").unwrap_or(path);
        let service = SERVICES
            .iter()
            .find(|(host, port, _)| *host == server.host && *port == server.port);
        match service {
            Some((_, _, name)) => Self::Service {
                name,
                path: path.to_ascii_lowercase(),
            },
            None => Self::Host {
                scheme,
                server,
                path: path.to_owned(),
            },
        }
    }

    /// Whether both name one repository, perhaps by two protocols, each with a port of its own.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Host {
                    scheme,
                    server,
                    path,
                },
                Self::Host {
                    scheme: other_scheme,
                    server: other_server,
                    path: other_path,
                },
            ) if scheme != other_scheme => server.host == other_server.host && path == other_path,
            _ => self == other,
        }
    }
}

impl Server {
    fn of(scheme: &str, authority: &str) -> Self {
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = host_and_port(host);
        let usual = match scheme {
            "https" => "443",
            "http" => "80",
            "ssh" => "22",
            "git" => "9418",
            _ => "",
        };
        Self {
            user: if scheme.starts_with("http") { "" } else { user }.to_owned(),
            host,
            port: if port == usual { "" } else { port }.to_owned(),
        }
    }
}

/// The parts of `user@host:path`, as `scp` writes it.
fn short(url: &str) -> Option<(&str, &str)> {
    // Colons in brackets belong to the host.
    let user = url.split_once("@[").map(|(user, _)| user);
    let in_brackets = url.starts_with('[') || user.is_some_and(|user| !user.contains([':', '/']));
    let bracket = url.find("]:").filter(|_| in_brackets);
    match bracket {
        Some(at) => Some((&url[..=at], &url[at + 2..])),
        None => url.split_once(':'),
    }
}

/// In brackets stands an address with colons of its own, or as ssh takes it a host with its port.
fn host_and_port(text: &str) -> (String, &str) {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, after)) => match inside.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, port),
            _ => (inside, after.strip_prefix(':').unwrap_or(after)),
        },
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let address = host.parse::<Ipv6Addr>();
    let host = address.map_or_else(|_| host.to_ascii_lowercase(), |address| address.to_string());
    (host, port)
}

/// The organization, project and repository that a URL of Azure DevOps names, in one of its forms:
/// `https://dev.azure.com/ORG/PROJECT/_git/REPO`, `https://ORG.visualstudio.com/PROJECT/_git/REPO`, and by
/// ssh `v3/ORG/PROJECT/REPO`. A project's repository of the same name goes without the project.
fn azure(scheme: &str, server: &Server, path: &str) -> Option<String> {
    if !server.port.is_empty() {
        return None;
    }
    let path = path.to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').collect();
    let (by_ssh, by_web) = (scheme == "ssh", scheme == "https");
    let organization = server.host.strip_suffix(".visualstudio.com");
    let (organization, rest) = match (&*server.host, organization, &parts[..]) {
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
    Some([organization, project, repository].join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(one: &str, other: &str) -> bool {
        Address::of(one).is_same(&Address::of(other))
    }

    #[test]
    fn a_repository_is_the_same_by_two_protocols_and_not_by_two_ports() {
        for (one, other) in [
            (
                "git@host.example:team/app.git",
                "https://host.example/team/app",
            ),
            (
                "ssh://git@host.example:2222/team/app/",
                "https://ann@HOST.example:8443/team/app.git",
            ),
            ("https://ann:@host.example/app", "https://host.example/app"),
            ("https://host.example:443/app", "https://host.example/app/"),
            ("ssh://git@host.example:22/app", "git@host.example:app"),
            ("git://host.example:9418/app", "git://host.example/app"),
            ("ssh://git@[::1]:22/app", "git@[0:0::1]:app"),
            ("ssh://git@[::1]:2222/app", "https://[::1]/app"),
            (
                "git@[host.example:2222]:app",
                "ssh://git@host.example:2222/app",
            ),
        ] {
            assert!(is_same(one, other), "{one} {other}");
        }
        for (one, other) in [
            (
                "https://host.example/team/app",
                "https://host.example/team/app2",
            ),
            ("https://host.example/app", "https://host.example/App"),
            ("https://host.example/app", "https://other.example/app"),
            ("http://localhost:3000/app", "http://localhost:3001/app"),
            ("http://host.example:443/app", "http://host.example/app"),
            ("ann@host.example:app", "ben@host.example:app"),
            ("/no/such/folder", "host.example:no/such/folder"),
            ("https://[::1]/app", "ssh://[::2]/app"),
            ("git@[::1]:app", "git@[::2]:app"),
            ("[::1]:a@b", "[::2]:a@b"),
            ("ssh://[::1]:2222/app", "ssh://[::1]/app"),
            ("ssh://[fe80::1%eth0]/app", "https://[fe80::1%eth1]/app"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn services_have_one_repository_by_each_name() {
        let forms: [&[&str]; 5] = [
            &[
                "git@github.com:o/r.git",
                "ssh://git@ssh.github.com:443/o/r",
                "https://github.com/O/r/",
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
        for (one, other) in [
            ("git@github.com:o/r", "git@gitlab.com:o/r"),
            ("git@github.com:o/r", "https://github.com.example/o/r"),
            ("https://github.com/o/r", "https://github.com:8443/o/r"),
            ("git@ssh.github.com:o/r", "git@github.com:o/r"),
            (
                "https://one.visualstudio.com/p/_git/r",
                "https://two.visualstudio.com/p/_git/r",
            ),
            (
                "https://dev.azure.com/org/p/_git/r.git",
                "https://dev.azure.com/org/p/_git/r",
            ),
            (
                "https://dev.azure.com/org/p/_git/r",
                "https://dev.azure.com/v3/org/p/r",
            ),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }
}
