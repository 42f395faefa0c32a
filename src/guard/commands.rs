//! The commands that clean what was not pushed, in the words of a shell.

use std::borrow::Cow;

use super::cleaning::{Cleaning, Commits, Spot};
use crate::git::object::Commit;

/// So many references at most are told how to clean.
const MOST_WAYS: usize = 3;

/// Lines of commands, to be run from top to bottom.
pub fn commands(cleanings: &[Cleaning]) -> Vec<String> {
    let ways = ways(cleanings);
    let shown = if ways.len() > MOST_WAYS {
        MOST_WAYS - 1
    } else {
        ways.len()
    };
    let lines = (0..shown).flat_map(|at| ways[at].lines(&ways[..at]));
    let mut lines: Vec<String> = lines.collect();
    if ways.len() > shown {
        let more = ways.len() - shown;
        lines.push(format!("  and so with {more} more branches or tags"));
    }
    lines
}

/// A reference to clean, and what the commands call it.
struct Way<'c> {
    cleaning: &'c Cleaning,
    /// Its short name, or a word for it.
    name: Cow<'c, str>,
}

/// References in the order in which they are cleaned, each with a name that no other has.
fn ways(cleanings: &[Cleaning]) -> Vec<Way<'_>> {
    let mut cleanings: Vec<&Cleaning> = cleanings.iter().collect();
    // A tag of the same commit follows its branch.
    cleanings.sort_by_key(|cleaning| cleaning.branch().is_none());
    let mut hidden = 0;
    let ways = cleanings.into_iter().map(|cleaning| {
        let name = &*cleaning.name;
        let (name, word) = match (cleaning.branch(), tag(cleaning)) {
            (Some(branch), _) => (branch, "BRANCH"),
            (_, Some(tag)) => (tag, "TAG"),
            _ => (name, "REFERENCE"),
        };
        hidden += usize::from(!can_be_told(name));
        let name = match (can_be_told(name), hidden) {
            (true, _) => name.into(),
            (false, 1) => word.into(),
            (false, number) => format!("{word}-{number}").into(),
        };
        Way { cleaning, name }
    });
    ways.collect()
}

/// The short name of a tag.
fn tag(cleaning: &Cleaning) -> Option<&str> {
    cleaning.name.strip_prefix("refs/tags/")
}

impl Way<'_> {
    /// Commands that were tried as they stand here, after those for `others`.
    fn lines(&self, others: &[Self]) -> Vec<String> {
        let is_clean = |other: &&Self| {
            let tip = other.cleaning.tip();
            tip.is_some() && tip == self.cleaning.tip() && other.cleaning.branch().is_some()
        };
        let clean = others.iter().find(is_clean);
        // A branch and a tag may have one name, of which git takes whichever it likes.
        let clean = clean.map(|branch| quoted(&format!("refs/heads/{}", branch.name)));
        if let (Some(_), Some(commits)) = (self.cleaning.branch(), &self.cleaning.commits) {
            return self.branch_lines(commits, clean);
        }
        if tag(self.cleaning).is_some() {
            return self.tag_lines(clean);
        }
        // Notes, reviews: no branch of the working copy is known to be what was pushed.
        vec![format!(
            "  leave out {}, or make its commits anew without it",
            self.name
        )]
    }

    /// `clean` is a branch of the same commit that will have been cleaned.
    fn branch_lines(&self, commits: &Commits, clean: Option<String>) -> Vec<String> {
        let branch = quoted(&self.name);
        if let Some(clean) = clean {
            return vec![format!("  git branch --force {branch} {clean}")];
        }
        let mut steps = anew(commits);
        if commits.is_orphan() {
            steps.push(format!("git branch --move --force {branch}"));
        }
        checked_out(&format!("git switch {branch}"), &steps, commits, "")
    }

    fn tag_lines(&self, clean: Option<String>) -> Vec<String> {
        let Self { cleaning, name } = self;
        let annotate = if cleaning.annotated {
            "--annotate "
        } else {
            ""
        };
        let mark = format!("git tag --force {annotate}{}", quoted(name));
        let message = "with another message";
        match (&cleaning.commits, clean) {
            (None, _) => vec![format!(
                "  {mark} {} && : {message}",
                quoted(&format!("refs/tags/{name}^{{}}"))
            )],
            (_, Some(clean)) if cleaning.tag_tells => {
                vec![format!("  {mark} {clean} && : {message}")]
            }
            (_, Some(clean)) => vec![format!("  {mark} {clean}")],
            (Some(commits), None) => {
                let mut steps = anew(commits);
                steps.push(mark);
                let also = if cleaning.tag_tells {
                    ", and the tag with another message"
                } else {
                    ""
                };
                let tag = quoted(&format!("refs/tags/{name}"));
                let switch = format!("git switch --detach {tag}");
                checked_out(&switch, &steps, commits, also)
            }
        }
    }
}

/// Lines that take `steps` where `switch` leads, and none where that fails. Files that must be edited
/// first are there only once it is done; done twice it changes nothing. Hints are words that a shell
/// passes over: not all take comments from who types.
fn checked_out(switch: &str, steps: &[String], commits: &Commits, also: &str) -> Vec<String> {
    let edit = match (commits.in_files, commits.in_names) {
        (true, true) => Some("take it out of the files that still have it, git mv those so named"),
        (true, false) => Some("take it out of the files that still have it"),
        (false, true) => Some("git mv the files that have it in their names"),
        (false, false) => None,
    };
    let edit = edit.map(|edit| format!("  {switch} && : then {edit}"));
    let hints = hints(commits).join(", ");
    let steps = format!("  {switch} && {} && : {hints}{also}", steps.join(" && "));
    edit.into_iter().chain([steps]).collect()
}

/// What to know before commits are made anew.
fn hints(commits: &Commits) -> Vec<String> {
    let has = |spot| commits.spots.contains(&spot);
    let mut before = Vec::new();
    before.extend(commits.edit().then_some("that edit"));
    before.extend(has(Spot::Name).then_some("changing user.name"));
    before.extend(has(Spot::Mail).then_some("changing user.email"));
    let mut hints = Vec::new();
    if !before.is_empty() {
        hints.push(format!("after {}", before.join(" and ")));
    }
    if commits.only_last {
        hints.extend(has(Spot::Signature).then(|| "its header gpgsig has it".to_owned()));
        hints.extend(has(Spot::MergeTag).then(|| "its header mergetag has it".to_owned()));
        hints.extend(has(Spot::Header).then(|| "one of its headers has it".to_owned()));
        if has(Spot::Message) || hints.is_empty() {
            hints.push("with another message".to_owned());
        }
    } else if !commits.edit() {
        hints.push("no newest file has it, older commits do".to_owned());
    }
    hints.extend(squashed(commits));
    hints
}

/// What becomes of commits that are not made anew one by one.
fn squashed(commits: &Commits) -> Option<String> {
    match commits.count {
        _ if commits.only_last => None,
        _ if commits.merges => Some("makes all that is new one commit".to_owned()),
        1 => None,
        count => Some(format!("makes {count} commits one")),
    }
}

/// Makes the commits that lead to the checked-out one anew.
fn anew(commits: &Commits) -> Vec<String> {
    // Where nothing is left to commit too, the commit is made: else the chain would end.
    let commit = "git commit --all --allow-empty".to_owned();
    if commits.only_last {
        let identity = commits.spots.iter().any(|spot| spot.is_identity());
        let author = if identity { " --reset-author" } else { "" };
        let amend = format!("{commit} --amend{author}");
        return commits.parts.iter().map(bare).chain([amend]).collect();
    }
    match &commits.base {
        Some(base) => vec![format!("git reset --soft {}", base.short()), commit],
        None => {
            let branch = format!("clean-{}", commits.tip.short());
            vec![format!("git checkout --orphan {branch}"), commit]
        }
    }
}

/// Makes a commit of the tree and the parents of another, without the headers that an amended one keeps.
fn bare(parts: &Commit) -> String {
    let parents = parts.parents.iter().map(|id| format!("-p {} ", id.short()));
    let parents: String = parents.collect();
    let tree = parts.tree.short();
    format!("git reset --soft $(git commit-tree -m anew {parents}{tree})")
}

/// Whether a name is as it is shown, and can be quoted for a shell. One with a secret is masked, and no
/// name of git has a star.
fn can_be_told(name: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || c.is_ascii_graphic() && !"'*".contains(c);
    name.chars().all(fine) && !name.starts_with('-')
}

/// A name as a shell takes it for one.
fn quoted(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    match name.chars().all(safe) {
        true => name.to_owned(),
        false => format!("'{name}'"),
    }
}
