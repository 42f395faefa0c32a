//! Where the remotes of a working copy lead and what they write, as git reads its configuration.
//!
//! libgit2 tells the last URL of a remote alone; git fetches from the first, and pushes to all.

use std::collections::HashMap;

use git2::{Config, ConfigEntry};

use super::address::Address;
use super::refspec::Refspec;

/// The URLs of remotes, and what git makes of them.
#[derive(Debug, Default)]
pub struct Urls {
    remotes: HashMap<String, Given>,
    /// How URLs begin, and what git puts there instead.
    instead: Vec<(String, String)>,
    /// The same for URLs that are pushed to.
    push_instead: Vec<(String, String)>,
}

/// What is written for a remote.
#[derive(Debug, Default)]
struct Given {
    urls: Vec<String>,
    push_urls: Vec<String>,
    refspecs: Vec<Refspec>,
    /// Whether something has a say that is not known here.
    is_unsure: bool,
}

impl Urls {
    /// # Errors
    /// When the configuration cannot be read.
    pub fn read(config: &Config) -> Result<Self, git2::Error> {
        let mut urls = Self::default();
        config.entries(None)?.for_each(|entry| {
            // Only what is no UTF-8 has no name.
            let name = entry.name().unwrap_or_default();
            let (section, key) = name.rsplit_once('.').unwrap_or_default();
            if let Some(remote) = section.strip_prefix("remote.") {
                let remote = urls.remotes.entry(remote.to_owned()).or_default();
                remote.add(key, entry);
            } else if let Some(base) = section.strip_prefix("url.") {
                urls.add_rule(base, key, value(entry).unwrap_or_default());
            }
        })?;
        Ok(urls)
    }

    fn add_rule(&mut self, base: &str, key: &str, start: &str) {
        let rule = (start.to_owned(), base.to_owned());
        match key {
            "insteadof" => self.instead.push(rule),
            "pushinsteadof" => self.push_instead.push(rule),
            _ => {}
        }
    }

    /// What fetches write that lead to a repository, and what others do.
    pub fn refspecs(&self, to: &Address) -> (Vec<&Refspec>, Vec<&Refspec>) {
        let mut ours = Vec::new();
        let mut others = Vec::new();
        for (name, remote) in &self.remotes {
            let is_it = self.lead_only_to(name, to);
            if is_it { &mut ours } else { &mut others }.extend(&remote.refspecs);
        }
        (ours, others)
    }

    /// Whether the remote of that name fetches from there and pushes there, and leads nowhere else.
    fn lead_only_to(&self, name: &str, to: &Address) -> bool {
        let Some(remote) = self.remotes.get(name).filter(|remote| !remote.is_unsure) else {
            return false;
        };
        let fetched = remote.urls.iter().flat_map(|url| self.read_by(url));
        let mut all = fetched.chain(self.pushed(remote));
        !remote.urls.is_empty() && all.all(|url| Address::of(&url) == *to)
    }

    /// Where a push to the remote of that name goes; to what is so called where there is no such remote.
    /// `None` when it goes to several places, or that is not known.
    pub fn push_address(&self, name: &str) -> Option<Address> {
        let Some(remote) = self.remotes.get(name) else {
            return Some(Address::of(name));
        };
        let pushed = self.pushed(remote);
        let mut all = pushed.iter().map(|url| Address::of(url));
        let first = all.next().filter(|_| !remote.is_unsure)?;
        all.all(|other| other == first).then_some(first)
    }

    /// What git makes of a URL that it reads. Several where its rules do not tell here which counts.
    fn read_by(&self, url: &str) -> Vec<String> {
        let others = rewritten(&self.instead, url);
        match others.is_empty() {
            true => vec![url.to_owned()],
            false => others,
        }
    }

    /// The URLs that a remote pushes to.
    fn pushed(&self, remote: &Given) -> Vec<String> {
        if !remote.push_urls.is_empty() {
            let all = remote.push_urls.iter().flat_map(|url| self.read_by(url));
            return all.collect();
        }
        let urls = remote.urls.iter();
        let own: Vec<String> = urls
            .flat_map(|url| rewritten(&self.push_instead, url))
            .collect();
        match own.is_empty() {
            true => remote
                .urls
                .iter()
                .flat_map(|url| self.read_by(url))
                .collect(),
            false => own,
        }
    }
}

impl Given {
    fn add(&mut self, key: &str, entry: &ConfigEntry<'_>) {
        match (key, value(entry)) {
            ("url", Some(url)) => self.urls.push(url.to_owned()),
            ("pushurl", Some(url)) => self.push_urls.push(url.to_owned()),
            ("fetch", Some(refspec)) => self.refspecs.extend(Refspec::parse(refspec)),
            // A program of its own reads the URLs.
            ("vcs", _) | ("url" | "pushurl", None) => self.is_unsure = true,
            _ => {}
        }
    }
}

fn value<'e>(entry: &'e ConfigEntry<'_>) -> Option<&'e str> {
    entry.has_value().then(|| entry.value().ok()).flatten()
}

/// What the rule with the longest start makes of a URL, of rules as long each; nothing where none is for it.
fn rewritten(rules: &[(String, String)], url: &str) -> Vec<String> {
    let fitting = rules.iter().filter_map(|(start, base)| {
        Some((start.len(), base.clone() + url.strip_prefix(&**start)?))
    });
    let fitting: Vec<(usize, String)> = fitting.collect();
    let longest = fitting.iter().map(|(len, _)| *len).max();
    let best = fitting.into_iter().filter(|(len, _)| Some(*len) == longest);
    best.map(|(_, url)| url).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> (tempfile::TempDir, Urls) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        std::fs::write(&file, text).unwrap();
        let urls = Urls::read(&Config::open(&file).unwrap()).unwrap();
        (dir, urls)
    }

    #[test]
    fn a_remote_leads_where_all_of_its_urls_do() {
        let (_dir, urls) = urls(
            "[remote \"one\"]\nurl = git@h:a\n\
             [remote \"two\"]\nurl = git@h:a\nurl = git@h:b\n\
             [remote \"away\"]\nurl = git@h:a\npushurl = git@h:b\n\
             [remote \"forms\"]\nurl = https://github.com/o/r\npushurl = git@github.com:o/r.git\n\
             [remote \"none\"]\nfetch = +refs/heads/*:refs/remotes/none/*\n\
             [remote \"odd\"]\nurl = git@h:a\nvcs = other\n\
             [remote \"bare\"]\nurl\n",
        );
        let lead = |name: &str, url: &str| urls.lead_only_to(name, &Address::of(url));
        assert!(lead("one", "git@h:a"));
        assert!(lead("forms", "ssh://git@github.com/O/R"));
        for (name, url) in [
            ("one", "git@h:b"),
            ("two", "git@h:a"),
            ("two", "git@h:b"),
            ("away", "git@h:a"),
            ("away", "git@h:b"),
            ("none", "none"),
            ("odd", "git@h:a"),
            ("bare", ""),
            ("gone", "gone"),
        ] {
            assert!(!lead(name, url), "{name} {url}");
        }
        let address = |url: &str| Some(Address::of(url));
        assert_eq!(urls.push_address("one"), address("git@h:a"));
        assert_eq!(urls.push_address("away"), address("git@h:b"));
        assert_eq!(urls.push_address("git@h:c"), address("git@h:c"));
        assert_eq!(urls.push_address("two"), None);
    }

    #[test]
    fn urls_are_those_that_git_makes_of_them() {
        let (_dir, urls) = urls(
            "[url \"git@h:\"]\ninsteadOf = work:\n\
             [url \"git@h:team/\"]\ninsteadOf = work:team-\n\
             [url \"git@h:\"]\npushInsteadOf = https://h/\n\
             [url \"one:\"]\ninsteadOf = both:\n\
             [url \"two:\"]\ninsteadOf = both:\n\
             [remote \"short\"]\nurl = work:a\n\
             [remote \"long\"]\nurl = work:team-a\n\
             [remote \"split\"]\nurl = https://h/a\n\
             [remote \"both\"]\nurl = both:a\n\
             [remote \"plain\"]\nurl = https://h/a\npushurl = https://h/a\n",
        );
        let lead = |name: &str, url: &str| urls.lead_only_to(name, &Address::of(url));
        assert!(lead("short", "git@h:a") && lead("long", "git@h:team/a"));
        // A URL for pushes is not that of fetches, and is not written anew.
        assert!(!lead("split", "git@h:a") && !lead("split", "https://h/a"));
        assert!(lead("plain", "https://h/a"));
        assert!(!lead("both", "one:a") && !lead("both", "two:a"));
        assert_eq!(urls.push_address("split"), Some(Address::of("git@h:a")));
    }
}
