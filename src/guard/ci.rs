//! Which range a CI system's environment speaks of.
//!
//! Pure: variables and the text of the event file in, the ends of a range out.

use serde_json::Value;

use crate::error::Error;

/// The systems whose environment is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    GitHub,
    Azure,
    GitLab,
    Bitbucket,
    Jenkins,
}

impl System {
    pub const ALL: [Self; 5] = [
        Self::GitHub,
        Self::Azure,
        Self::GitLab,
        Self::Bitbucket,
        Self::Jenkins,
    ];

    /// The system that set these variables.
    pub fn detect(get: Get<'_>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|system| get(system.sign()).is_some_and(|v| v != "false"))
    }

    fn sign(self) -> &'static str {
        match self {
            Self::GitHub => "GITHUB_ACTIONS",
            Self::Azure => "TF_BUILD",
            Self::GitLab => "GITLAB_CI",
            Self::Bitbucket => "BITBUCKET_BUILD_NUMBER",
            Self::Jenkins => "JENKINS_URL",
        }
    }
}

/// The ends of a range, as revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    pub base: String,
    pub head: String,
}

/// Looks up a variable; an empty one is none.
pub type Get<'g> = &'g dyn Fn(&str) -> Option<String>;

/// The range that `system` is to judge. `event` reads the file that GitHub names.
///
/// # Errors
/// When the environment does not tell; the message says what to give instead.
pub fn range(
    system: System,
    get: Get<'_>,
    event: impl Fn(&str) -> Option<Value>,
) -> Result<Ends, Error> {
    let ends = match system {
        System::GitHub => get("GITHUB_EVENT_PATH")
            .and_then(|path| event(&path))
            .and_then(|event| github(&event)),
        System::Azure => Some(azure(get)),
        System::GitLab => gitlab(get),
        System::Bitbucket => Some(bitbucket(get)),
        System::Jenkins => jenkins(get),
    };
    ends.ok_or_else(|| {
        let message = format!(
            "{system:?} does not say which commits are new here; name them: keysweep diff BASE..HEAD"
        );
        Error::usage(message)
    })
}

fn ends(base: impl Into<String>, head: impl Into<String>) -> Ends {
    Ends {
        base: base.into(),
        head: head.into(),
    }
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|b| b == b'0')
}

/// The branch `refs/heads/NAME` as a clone of it is called.
fn remote(branch: &str) -> String {
    let name = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    format!("refs/remotes/origin/{name}")
}

fn github(event: &Value) -> Option<Ends> {
    let text = |path: &str| event.pointer(path)?.as_str().map(str::to_owned);
    if let Some(base) = text("/pull_request/base/sha") {
        return Some(ends(base, text("/pull_request/head/sha")?));
    }
    if let Some(base) = text("/merge_group/base_sha") {
        return Some(ends(base, text("/merge_group/head_sha")?));
    }
    let after = text("/after")?;
    let before = text("/before").filter(|id| !is_zero(id));
    // A new branch, and one that was overwritten, are held against the default branch.
    let forced = event.get("forced").and_then(Value::as_bool) == Some(true);
    match before.filter(|_| !forced) {
        Some(before) => Some(ends(before, after)),
        None => Some(ends(remote(&text("/repository/default_branch")?), after)),
    }
}

fn azure(get: Get<'_>) -> Ends {
    let target = get("SYSTEM_PULLREQUEST_TARGETBRANCH");
    match target.filter(|_| get("BUILD_REASON").as_deref() == Some("PullRequest")) {
        Some(target) => {
            let head = get("SYSTEM_PULLREQUEST_SOURCECOMMITID");
            ends(remote(&target), head.unwrap_or_else(|| "HEAD".to_owned()))
        }
        // Nothing says what was pushed together: the newest commit, with all that a merge brought.
        None => ends("HEAD^", "HEAD"),
    }
}

fn gitlab(get: Get<'_>) -> Option<Ends> {
    let head = get("CI_COMMIT_SHA")?;
    if let Some(base) = get("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
        // The pipeline of a merged result runs on a commit that only GitLab made.
        let source = get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA");
        return Some(ends(base, source.unwrap_or(head)));
    }
    match get("CI_COMMIT_BEFORE_SHA").filter(|id| !is_zero(id)) {
        Some(before) => Some(ends(before, head)),
        None => Some(ends(remote(&get("CI_DEFAULT_BRANCH")?), head)),
    }
}

fn bitbucket(get: Get<'_>) -> Ends {
    let head = get("BITBUCKET_COMMIT").unwrap_or_else(|| "HEAD".to_owned());
    if let Some(base) = get("BITBUCKET_PR_DESTINATION_COMMIT") {
        return ends(base, head);
    }
    match get("BITBUCKET_PR_DESTINATION_BRANCH") {
        Some(branch) => ends(remote(&branch), head),
        None => ends(format!("{head}^"), head),
    }
}

fn jenkins(get: Get<'_>) -> Option<Ends> {
    let head = || get("GIT_COMMIT").unwrap_or_else(|| "HEAD".to_owned());
    if let Some(target) = get("CHANGE_TARGET") {
        // A job may have merged the target already: what counts is what the target has not.
        return Some(ends(remote(&target), "HEAD"));
    }
    let before = get("GIT_PREVIOUS_SUCCESSFUL_COMMIT").or_else(|| get("GIT_PREVIOUS_COMMIT"));
    before.map(|before| ends(before, head()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(system: System, vars: &[(&str, &str)], event: &Value) -> Option<(String, String)> {
        let get = |name: &str| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(System::detect(&get), Some(system));
        let ends = range(system, &get, |_| Some(event.clone())).ok()?;
        Some((ends.base, ends.head))
    }

    fn pair(base: &str, head: &str) -> Option<(String, String)> {
        Some((base.to_owned(), head.to_owned()))
    }

    #[test]
    fn github_tells_by_its_event() {
        let told = |event| {
            let vars = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", "x")];
            told(System::GitHub, &vars, &event)
        };
        let pull = json!({"pull_request": {"base": {"sha": "b"}, "head": {"sha": "h"}}});
        assert_eq!(told(pull), pair("b", "h"));
        let queue = json!({"merge_group": {"base_sha": "b", "head_sha": "h"}});
        assert_eq!(told(queue), pair("b", "h"));
        let push = |before: &str, forced: bool| {
            json!({"before": before, "after": "h", "forced": forced,
                   "repository": {"default_branch": "main"}})
        };
        assert_eq!(told(push("b", false)), pair("b", "h"));
        for event in [push("b", true), push("0000", false)] {
            assert_eq!(told(event), pair("refs/remotes/origin/main", "h"));
        }
        assert_eq!(told(json!({"schedule": "daily"})), None);
    }

    #[test]
    fn the_others_tell_by_their_variables() {
        let none = json!({});
        let azure = [
            ("TF_BUILD", "True"),
            ("BUILD_REASON", "PullRequest"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
            ("SYSTEM_PULLREQUEST_SOURCECOMMITID", "h"),
        ];
        let main = "refs/remotes/origin/main";
        assert_eq!(told(System::Azure, &azure, &none), pair(main, "h"));
        assert_eq!(
            told(System::Azure, &azure[..1], &none),
            pair("HEAD^", "HEAD")
        );
        let gitlab = [
            ("GITLAB_CI", "true"),
            ("CI_COMMIT_SHA", "h"),
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_COMMIT_BEFORE_SHA", "b"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "m"),
        ];
        assert_eq!(told(System::GitLab, &gitlab, &none), pair("m", "h"));
        assert_eq!(told(System::GitLab, &gitlab[..4], &none), pair("b", "h"));
        assert_eq!(told(System::GitLab, &gitlab[..3], &none), pair(main, "h"));
        let bitbucket = [
            ("BITBUCKET_BUILD_NUMBER", "1"),
            ("BITBUCKET_COMMIT", "h"),
            ("BITBUCKET_PR_DESTINATION_COMMIT", "b"),
        ];
        assert_eq!(told(System::Bitbucket, &bitbucket, &none), pair("b", "h"));
        assert_eq!(
            told(System::Bitbucket, &bitbucket[..2], &none),
            pair("h^", "h")
        );
        let jenkins = [("JENKINS_URL", "x"), ("CHANGE_TARGET", "main")];
        assert_eq!(told(System::Jenkins, &jenkins, &none), pair(main, "HEAD"));
        assert_eq!(told(System::Jenkins, &jenkins[..1], &none), None);
    }
}
