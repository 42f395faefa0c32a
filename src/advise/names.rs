//! One name for each value across all findings, the same at every run.
//!
//! The same value gets one name everywhere. Different values that would get the same name are all
//! qualified, so that none takes the plain name by accident. What a location was once called is
//! remembered in a file that holds places and names, no values and no hashes of values. A name in it is
//! given to no other location, whose value may be another.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::name;
use crate::error::{Error, ErrorKind};
use crate::finding::Finding;
use crate::unit::PathKey;

/// What wants a name.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The path as it is printed.
    pub path: &'a str,
    /// What tells its file apart from others.
    pub key: &'a PathKey,
    /// Keys or identifier, which do not move when lines do.
    pub place: String,
    /// The text that goes into the vault. Compared within a run, never kept.
    pub value: &'a [u8],
    pub wanted: String,
    /// Whether the host works with this name only.
    pub forced: bool,
    /// What its file holds, and what stands before a name that is looked up there.
    pub text: &'a [u8],
    pub lead: &'static str,
}

impl Wish<'_> {
    /// How often its file looks a name up already.
    fn reads(&self, name: &str) -> usize {
        if self.lead.is_empty() {
            return 0;
        }
        let call = format!("{}{name}", self.lead);
        let mut forms = vec![call.replace('"', "'"), call.replace('"', "\\\""), call];
        forms.dedup();
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
        let count = |form: &String| {
            let found = memchr::memmem::find_iter(self.text, form);
            let ends = found.map(|at| self.text.get(at + form.len()));
            ends.filter(|next| !next.is_some_and(is_part)).count()
        };
        forms.iter().map(count).sum()
    }
}

/// What in its file a finding is called, whatever line it is on: its keys, its name, else its rule.
pub fn place(finding: &Finding) -> String {
    let keys = finding.host.keys.join(".");
    match keys.is_empty() {
        true => finding
            .name
            .as_deref()
            .unwrap_or(&finding.rule.id)
            .to_owned(),
        false => keys,
    }
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

    /// Places and the names that they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(place, name)| (&**place, &**name))
    }

    /// The name that was given where a finding stands, if that place had one value only.
    pub fn known(&self, finding: &Finding) -> Option<&str> {
        if finding.shown_path != finding.origin.path {
            return None;
        }
        let plain = format!("{}#{}", finding.path(), place(finding));
        let is_only = !self.names.contains_key(&format!("{plain}~2"));
        self.names
            .get(&plain)
            .filter(|_| is_only)
            .map(String::as_str)
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
        let locations = self.locations(wishes);
        let mut groups = self.groups(wishes, &locations);
        let taken = self.names.values().map(|name| name.to_ascii_lowercase());
        qualify(&mut groups, wishes, &taken.collect());
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

    /// Path and place, with a number where that is not enough.
    fn locations(&self, wishes: &[Wish<'_>]) -> Vec<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let locate = |wish: &Wish<'_>| {
            let plain = format!("{}#{}", wish.key.text, wish.place);
            let count = seen.entry(plain.clone()).or_default();
            loop {
                *count += 1;
                let location = match *count {
                    1 => plain.clone(),
                    count => format!("{plain}~{count}"),
                };
                if self.is_open(&location, wish) {
                    return location;
                }
            }
        };
        wishes.iter().map(locate).collect()
    }

    /// Whether the name of a location, if it has one, can be for what stands there now.
    fn is_open(&self, location: &str, wish: &Wish<'_>) -> bool {
        let Some(name) = self.names.get(location) else {
            return true;
        };
        // What an earlier run named by a key of several files may stand in another of them.
        if !wish.key.is_own {
            return false;
        }
        let reads = wish.reads(name);
        if reads == 0 {
            return true;
        }
        // Where all that had the name look it up, what stands there now came later.
        let file = format!("{}#", wish.key.text);
        let places = self.names.range(file.clone()..);
        let places = places.take_while(|(place, _)| place.starts_with(&file));
        reads < places.filter(|(_, given)| *given == name).count()
    }

    /// Wishes with the same value, under the name that earlier runs or the shortest wish gives.
    fn groups(&self, wishes: &[Wish<'_>], locations: &[String]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut of_value: HashMap<&[u8], usize> = HashMap::new();
        // Locations that had one value once may have several now.
        let mut kept = HashSet::new();
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
            let is_kept = |known: &&String| kept.insert(known.to_ascii_lowercase());
            if let Some(known) = known.filter(|_| !group.fixed).filter(is_kept) {
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

/// Tells apart what would share a name, or have one of `taken`: by the file's stem, by the folder, last by
/// the place.
fn qualify(groups: &mut [Group], wishes: &[Wish<'_>], taken: &HashSet<String>) {
    for step in 0..2 {
        for at in unclear(groups, taken) {
            let group = &mut groups[at];
            let wish = &wishes[group.members[0]];
            group.name = match step {
                0 => prefixed(&stem(wish.path), &wish.wanted),
                _ => prefixed(&folder(wish.path), &group.name),
            };
        }
    }
    let unclear = unclear(groups, taken);
    let mut taken = taken.clone();
    taken.extend(groups.iter().map(|group| group.name.to_ascii_lowercase()));
    for at in unclear {
        let member = groups[at].members[0];
        let wish = &wishes[member];
        let mut hashed = (member..).map(|number| {
            let place = format!("{}\0{}\0{number}", wish.path, wish.place);
            format!("{}-{}", wish.wanted, name::hash(&place, 3))
        });
        let free = hashed.find(|name| taken.insert(name.to_ascii_lowercase()));
        groups[at].name = free.expect("numbers do not end");
    }
}

/// The groups that are still to be named otherwise. To a vault, names in other letters are the same.
fn unclear(groups: &[Group], taken: &HashSet<String>) -> Vec<usize> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for group in groups {
        *counts.entry(group.name.to_ascii_lowercase()).or_default() += 1;
    }
    let is_unclear = |group: &Group| {
        let name = group.name.to_ascii_lowercase();
        !group.fixed && (counts[&name] > 1 || taken.contains(&name))
    };
    let all = 0..groups.len();
    all.filter(|at| is_unclear(&groups[*at])).collect()
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

    fn wish<'a>(key: &'a PathKey, value: &'a str, wanted: &str) -> Wish<'a> {
        Wish {
            path: key.text.split('~').next().unwrap_or_default(),
            key,
            place: wanted.into(),
            value: value.as_bytes(),
            wanted: wanted.into(),
            forced: false,
            text: b"",
            lead: "",
        }
    }

    #[test]
    fn one_value_has_one_name_and_the_shortest() {
        let [a, b] = ["a.py", "b.py"].map(PathKey::plain);
        let wishes = [
            wish(&a, "v", "storage-account-key"),
            wish(&b, "v", "account-key"),
        ];
        let names = NameMap::default().assign(&wishes);
        assert_eq!(names, ["account-key", "account-key"]);
    }

    #[test]
    fn different_values_are_all_qualified() {
        let [a, b, c] = ["dev/a.py", "prod/a.py", "c.py"].map(PathKey::plain);
        let wishes = [
            wish(&a, "1", "key"),
            wish(&b, "2", "key"),
            wish(&c, "3", "key"),
        ];
        let names = NameMap::default().assign(&wishes);
        assert_eq!(names, ["dev-a-key", "prod-a-key", "c-key"]);
        let same = [wish(&c, "1", "key"), wish(&c, "2", "key")];
        let names = NameMap::default().assign(&same);
        assert_ne!(names[0], names[1]);
        assert!(
            names.iter().all(|n| n != "key" && name::is_valid(n)),
            "{names:?}"
        );
    }

    #[test]
    fn what_was_once_named_keeps_its_name() {
        let [a, b] = ["a.py", "b.py"].map(PathKey::plain);
        let mut map = NameMap::default();
        map.assign(&[wish(&a, "1", "key")]);
        let later = [wish(&a, "1", "key"), wish(&b, "2", "key")];
        let names = map.assign(&later);
        assert_eq!(names[0], "key");
        assert_ne!(names[1], "key");
        let text = map.to_text();
        assert_eq!(NameMap::parse(&text).expect("the same form"), map);
    }

    #[test]
    fn a_name_of_an_earlier_run_is_given_to_no_other_place() {
        let keys = ["a.py", "x/b.py", "x/b.yml", "y/b.py"].map(PathKey::plain);
        let mut map = NameMap::default();
        let names: Vec<String> = ["1", "2", "3", "4"]
            .iter()
            .zip(&keys)
            .flat_map(|(value, key)| map.assign(&[wish(key, value, "Key")]))
            .collect();
        assert_eq!(names[..2], ["Key", "b-Key"]);
        let all: HashSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(all.len(), keys.len(), "{names:?}");
        // Each keeps its own, and two values that had one are parted.
        let again = [0, 1, 2, 3].map(|at| wish(&keys[at], "5", "Key"));
        assert_eq!(map.clone().assign(&again[3..]), names[3..]);
        map.assign(&again);
        let parted = [wish(&keys[0], "6", "Key"), wish(&keys[1], "7", "Key")];
        let names = map.assign(&parted);
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn a_key_of_several_files_gives_none_the_name_of_another() {
        let key = PathKey {
            text: "********.py~0".into(),
            is_own: false,
        };
        let mut map = NameMap::default();
        let mut names = ["1", "2"].map(|value| map.assign(&[wish(&key, value, "key")]));
        assert_ne!(names[0], names[1]);
        names = ["1", "2"].map(|value| map.assign(&[wish(&key, value, "key")]));
        assert_ne!(names[0], names[1]);
    }
}
