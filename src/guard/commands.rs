//! The commands that clean what was not pushed, in the words of a shell.

use std::borrow::Cow;

use super::cleaning::{Cleaning, Cleanings, Commits, Spot};
use crate::report::human::shell_word;

/// So many files at most are named.
const MOST_FILES: usize = 3;

/// Lines of commands, to be run from top to bottom.
pub fn commands(cleanings: &Cleanings) -> Vec<String> {
    let ways = ways(&cleanings.told);
    let lines = (0..ways.len()).filter_map(|at| {
        let goes = |other: &&Way<'_>| ways[at].goes_with(other);
        let is_first = !ways[..at].iter().any(|other| goes(&other));
        is_first.then(|| ways[at].lines(&ways[at + 1..].iter().filter(goes).collect::<Vec<_>>()))
    });
    let mut lines: Vec<String> = lines.flatten().collect();
    if cleanings.more > 0 {
        let more = cleanings.more;
        lines.push(format!("  and so with {more} more branches or tags"));
    }
    lines
}

/// What a working copy can make of a reference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Branch,
    /// A commit that is checked out without a branch.
    Head,
    Tag,
    /// Notes, reviews: no branch of the working copy is known to be what was pushed.
    Other,
}

/// A reference to clean, and what the commands call it.
struct Way<'c> {
    cleaning: &'c Cleaning,
    sort: Sort,
    /// Its short name, or a word for it.
    name: Cow<'c, str>,
}

/// Each reference with a name that no other has.
fn ways(cleanings: &[Cleaning]) -> Vec<Way<'_>> {
    let mut hidden = 0;
    let ways = cleanings.iter().map(|cleaning| {
        let (sort, name, word) = sorted(&cleaning.name);
        hidden += usize::from(!can_be_told(name));
        let name = match (can_be_told(name), hidden) {
            (true, _) => name.into(),
            (false, 1) => word.into(),
            (false, number) => format!("{word}-{number}").into(),
        };
        Way {
            cleaning,
            sort,
            name,
        }
    });
    ways.collect()
}

/// The short name of a reference, and the word for it.
fn sorted(name: &str) -> (Sort, &str, &'static str) {
    if let Some(branch) = name.strip_prefix("refs/heads/") {
        return (Sort::Branch, branch, "BRANCH");
    }
    if let Some(tag) = name.strip_prefix("refs/tags/") {
        return (Sort::Tag, tag, "TAG");
    }
    let sort = if name == "HEAD" {
        Sort::Head
    } else {
        Sort::Other
    };
    (sort, name, "REFERENCE")
}

impl Way<'_> {
    /// Whether it leads to the same commit, and so has to lead to the same new one.
    fn goes_with(&self, other: &Self) -> bool {
        let can_move = self.sort != Sort::Other && other.sort != Sort::Other;
        let tip = self.cleaning.tip();
        can_move && tip.is_some() && tip == other.cleaning.tip()
    }

    /// Commands that were tried as they stand here, for this one and `others` that go with it.
    fn lines(&self, others: &[&Self]) -> Vec<String> {
        let Some(commits) = &self.cleaning.commits else {
            return vec![self.retold()];
        };
        let detached = format!("git switch --detach {}", commits.tip.short());
        let mut steps = anew(commits);
        let branch = shell_word(&self.name);
        let switch = match self.sort {
            Sort::Other => return vec![self.left_out()],
            Sort::Branch if commits.is_amended() => {
                self.guarded(commits, &format!("git switch {branch}"))
            }
            Sort::Branch => {
                // The branch stays where it is until the commit is made, so that all can be tried again.
                steps.push(format!("git switch --force-create {branch}"));
                self.guarded(commits, &detached)
            }
            Sort::Head => detached,
            Sort::Tag => {
                steps.push(self.mark());
                detached
            }
        };
        steps.extend(others.iter().filter_map(|other| other.moved(commits)));
        let mut all = others.iter().chain([&self]);
        let also = match all.any(|way| way.cleaning.tag_tells) {
            true => ", and the tag with another message",
            false => "",
        };
        checked_out(&switch, &steps, commits, also)
    }

    /// Moves it to the commit that is checked out.
    fn moved(&self, commits: &Commits) -> Option<String> {
        let force = format!("git branch --force {}", shell_word(&self.name));
        match self.sort {
            Sort::Branch => Some(self.guarded(commits, &force)),
            Sort::Tag => Some(self.mark()),
            Sort::Head | Sort::Other => None,
        }
    }

    /// A command that is run only where the branch is what was pushed. A server knows that by its own
    /// name, which in the working copy may be that of another one. To set a reference to what it is
    /// changes nothing, and fails with both commits told where it is not that.
    fn guarded(&self, commits: &Commits, command: &str) -> String {
        let name = shell_word(&format!("refs/heads/{}", self.name));
        let tip = commits.tip.short();
        format!("git update-ref {name} {tip} {tip} && {command}")
    }

    /// Moves the tag to the commit that is checked out.
    fn mark(&self) -> String {
        let annotate = if self.cleaning.annotated {
            "--annotate "
        } else {
            ""
        };
        format!("git tag --force {annotate}{}", shell_word(&self.name))
    }

    /// Makes a tag of a clean commit anew.
    fn retold(&self) -> String {
        if self.sort != Sort::Tag {
            return self.left_out();
        }
        let target = shell_word(&format!("refs/tags/{}^{{}}", self.name));
        format!("  {} {target} && : with another message", self.mark())
    }

    fn left_out(&self) -> String {
        let name = &self.name;
        format!("  leave out {name}, or make its commits anew without it")
    }
}

/// Lines that take `steps` where `switch` leads, and none where that fails. Files that must be edited
/// first are there only once it is done; done twice it changes nothing. Hints are words that a shell
/// passes over: not all take comments from who types.
fn checked_out(switch: &str, steps: &[String], commits: &Commits, also: &str) -> Vec<String> {
    let edit = match (!commits.files.is_empty(), commits.in_names) {
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
    hints.extend(takes_all(commits).then(|| "commits all that is changed".to_owned()));
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
    let made = (!commits.is_amended()).then(|| bare(commits));
    let identity = commits.only_last && commits.spots.iter().any(|spot| spot.is_identity());
    let author = if identity { " --reset-author" } else { "" };
    // Where nothing is left to commit too, the commit is made: else the chain would end.
    let taken = taken(commits);
    let amend = format!("git commit --allow-empty --amend{author}{taken}");
    made.into_iter().chain([amend]).collect()
}

/// Makes a commit of the tree of the newest one, without a word or a header of those in whose stead it is.
/// Amended right after it gets a message: git takes none that is empty. It is quoted, since git would go on
/// with nothing in its place if it could not be made.
fn bare(commits: &Commits) -> String {
    let parents = commits.parents.iter();
    let parents: String = parents.map(|id| format!("-p {} ", id.short())).collect();
    let tip = commits.tip.short();
    format!("git reset --soft \"$(git commit-tree -m '' {parents}{tip}:)\"")
}

/// What of the working tree is committed. Other changes there, staged or not, would be pushed unasked.
fn taken(commits: &Commits) -> String {
    if takes_all(commits) {
        return " --all".to_owned();
    }
    match (&commits.files[..], commits.in_names) {
        ([], false) => " --only".to_owned(),
        // What was moved is in the index.
        ([], true) => String::new(),
        (files, _) => {
            let files = files.iter().map(|file| format!(":(top){file}"));
            files
                .map(|file| format!(" {}", shell_word(&file)))
                .collect()
        }
    }
}

/// Whether all changes are committed, since the files are too many to be named, or cannot be.
fn takes_all(commits: &Commits) -> bool {
    let files = &commits.files;
    let can_be_named = !commits.in_names
        && files.len() <= MOST_FILES
        && files.iter().all(|file| can_be_told(file));
    !files.is_empty() && !can_be_named
}

/// Whether a name is as it is shown, and can be quoted for a shell. One with a secret is masked by stars,
/// which no reference has in its name.
fn can_be_told(name: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || c == ' ' || c.is_ascii_graphic() && c != '*';
    name.chars().all(fine) && !name.starts_with('-')
}
