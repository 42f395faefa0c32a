//! One name for each value across all findings, the same at every run.
//!
//! The same value gets one name everywhere. Different values that would get the same name are all
//! qualified, so that none takes the plain name by accident. What a location was once called is
//! remembered in a file that holds places and names, no values and no hashes of values.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::name;
use crate::error::{Error, ErrorKind};

/// What wants a name.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub path: &'a str,
    /// Keys or identifier, which do not move when lines do.
    pub place: String,
    /// The text that goes into the vault. Compared within a run, never kept.
    pub value: &'a [u8],
    pub wanted: String,
    /// Whether the host works with this name only.
    pub forced: bool,
}

/// The memory of earlier runs: location to name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameMap {
    names: BTreeMap<String, String>,
}

/// The map as a file. No place is a key: places end in words such as `password`, and a name under
/// such a key would look like one to any scanner.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    version: u32,
    names: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    place: String,
    name: String,
}

impl NameMap {
    /// Reads a map; one that does not exist is empty.
    ///
    /// # Errors
    /// When it cannot be read or is no such map.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Error::io(path, error)),
        };
        let map = Self::parse(&text).map_err(|error| {
            Error::new(ErrorKind::Usage, format!("{}: {error}", path.display()))
        })?;
        if let Some(bad) = map.names.values().find(|name| !name::is_valid(name)) {
            let path = path.display();
            return Err(Error::usage(format!(
                "{path}: {bad:?} is no name for a secret"
            )));
        }
        Ok(map)
    }

    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let file: MapFile = serde_json::from_str(text)?;
        let names = file
            .names
            .into_iter()
            .map(|entry| (entry.place, entry.name));
        Ok(Self {
            names: names.collect(),
        })
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// As a file, the same bytes for the same names.
    pub fn to_text(&self) -> String {
        let entry = |(place, name): (&String, &String)| Entry {
            place: place.clone(),
            name: name.clone(),
        };
        let file = MapFile {
            version: 1,
            names: self.names.iter().map(entry).collect(),
        };
        // Strings and numbers always serialise.
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// Names all wishes and remembers them. The answers are in the order of the wishes, which must
    /// be in the order of path and place.
    pub fn assign(&mut self, wishes: &[Wish<'_>]) -> Vec<String> {
        let locations = locations(wishes);
        let mut groups = self.groups(wishes, &locations);
        qualify(&mut groups, wishes);
        let mut names = vec![String::new(); wishes.len()];
        for group in groups {
            for member in group.members {
                names[member].clone_from(&group.name);
                let location = locations[member].clone();
                self.names.insert(location, group.name.clone());
            }
        }
        names
    }

    /// Wishes with the same value, under the name that earlier runs or the shortest wish gives.
    fn groups(&self, wishes: &[Wish<'_>], locations: &[String]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut of_value: HashMap<&[u8], usize> = HashMap::new();
        for (index, wish) in wishes.iter().enumerate() {
            let known = self.names.get(&locations[index]);
            if wish.forced {
                groups.push(Group::new(index, wish.wanted.clone(), true));
                continue;
            }
            let at = *of_value.entry(wish.value).or_insert_with(|| {
                groups.push(Group::new(usize::MAX, String::new(), false));
                groups.len() - 1
            });
            let group = &mut groups[at];
            group.members.push(index);
            if let Some(known) = known.filter(|_| !group.fixed) {
                group.name.clone_from(known);
                group.fixed = true;
            } else if !group.fixed && better(&wish.wanted, &group.name) {
                group.name.clone_from(&wish.wanted);
            }
        }
        groups
    }
}

/// One value.
struct Group {
    name: String,
    members: Vec<usize>,
    /// Named by the host or by an earlier run.
    fixed: bool,
}

impl Group {
    fn new(member: usize, name: String, fixed: bool) -> Self {
        let members = if member == usize::MAX {
            Vec::new()
        } else {
            vec![member]
        };
        Self {
            name,
            members,
            fixed,
        }
    }
}

fn better(wanted: &str, held: &str) -> bool {
    held.is_empty() || (wanted.len(), wanted) < (held.len(), held)
}

/// Path and place, with a number where that is not enough.
fn locations(wishes: &[Wish<'_>]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let locate = |wish: &Wish<'_>| {
        let plain = format!("{}#{}", wish.path, wish.place);
        let count = seen.entry(plain.clone()).or_default();
        *count += 1;
        if *count == 1 {
            plain
        } else {
            format!("{plain}~{count}")
        }
    };
    wishes.iter().map(locate).collect()
}

/// Tells apart what would share a name: by the file's stem, by the folder, last by the place.
fn qualify(groups: &mut [Group], wishes: &[Wish<'_>]) {
    for step in 0..3 {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for group in groups.iter() {
            *counts.entry(group.name.to_ascii_lowercase()).or_default() += 1;
        }
        for group in groups.iter_mut() {
            let shared = counts
                .get(&group.name.to_ascii_lowercase())
                .is_some_and(|n| *n > 1);
            if !shared || group.fixed {
                continue;
            }
            let wish = &wishes[group.members[0]];
            let plain = &wish.wanted;
            group.name = match step {
                0 => prefixed(&stem(wish.path), plain),
                1 => prefixed(&folder(wish.path), &group.name),
                _ => {
                    let place = format!("{}\0{}\0{}", wish.path, wish.place, group.members[0]);
                    format!("{plain}-{}", name::hash(&place, 3))
                }
            };
        }
    }
}

fn prefixed(qualifier: &str, name: &str) -> String {
    let words = name::tokens(qualifier).join("-");
    if words.is_empty() || words.len() + name.len() > 100 || name.starts_with(&words) {
        return name.to_owned();
    }
    let joined = format!("{words}-{name}");
    if joined.starts_with(|c: char| c.is_ascii_digit()) {
        format!("s-{joined}")
    } else {
        joined
    }
}

fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or_default();
    let file = file.trim_start_matches('.');
    file.split('.').next().unwrap_or_default().to_owned()
}

/// The nearest folder that names an environment, else the nearest one.
fn folder(path: &str) -> String {
    const ENVIRONMENTS: [&str; 9] = [
        "dev",
        "development",
        "test",
        "qa",
        "stage",
        "staging",
        "prod",
        "production",
        "live",
    ];
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    let environment = folders.iter().rev().find(|f| ENVIRONMENTS.contains(f));
    environment
        .or(folders.last())
        .copied()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish<'a>(path: &'a str, value: &'a [u8], wanted: &str) -> Wish<'a> {
        Wish {
            path,
            place: wanted.into(),
            value,
            wanted: wanted.into(),
            forced: false,
        }
    }

    #[test]
    fn one_value_has_one_name_and_the_shortest() {
        let wishes = [
            wish("a.py", b"v", "storage-account-key"),
            wish("b.py", b"v", "account-key"),
        ];
        let names = NameMap::default().assign(&wishes);
        assert_eq!(names, ["account-key", "account-key"]);
    }

    #[test]
    fn different_values_are_all_qualified() {
        let wishes = [
            wish("dev/a.py", b"1", "key"),
            wish("prod/a.py", b"2", "key"),
            wish("c.py", b"3", "key"),
        ];
        let names = NameMap::default().assign(&wishes);
        assert_eq!(names, ["dev-a-key", "prod-a-key", "c-key"]);
        let same = [wish("a.py", b"1", "key"), wish("a.py", b"2", "key")];
        let names = NameMap::default().assign(&same);
        assert_ne!(names[0], names[1]);
        assert!(
            names.iter().all(|n| n != "key" && name::is_valid(n)),
            "{names:?}"
        );
    }

    #[test]
    fn what_was_once_named_keeps_its_name() {
        let mut map = NameMap::default();
        map.assign(&[wish("a.py", b"1", "key")]);
        let later = [wish("a.py", b"1", "key"), wish("b.py", b"2", "key")];
        let names = map.assign(&later);
        assert_eq!(names[0], "key");
        assert_ne!(names[1], "key");
        let text = map.to_text();
        assert_eq!(NameMap::parse(&text).expect("the same form"), map);
    }
}
