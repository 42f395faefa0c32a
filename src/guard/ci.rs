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
    /// Where it may begin; the first of these that the clone has counts.
    pub bases: Vec<String>,
    /// Whether all that leads to the head is judged when the clone has none of them; else that is
    /// an error.
    pub or_all: bool,
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
        System::GitHub => {
            let event = get("GITHUB_EVENT_PATH").and_then(|path| event(&path));
            if event.as_ref().is_some_and(is_deletion) {
                return Err(Error::usage(
                    "what was pushed was deleted: there is nothing to judge",
                ));
            }
            event.and_then(|event| github(&event))
        }
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

/// From what a pull request names to its head: without that base nothing can be said.
fn ends(base: impl Into<String>, head: impl Into<String>) -> Ends {
    Ends {
        bases: vec![base.into()],
        or_all: false,
        head: head.into(),
    }
}

/// From what stood there before to its head. Without that, all of it is new: nobody has judged it.
fn since(before: Option<String>, head: impl Into<String>) -> Ends {
    Ends {
        bases: before.into_iter().collect(),
        or_all: true,
        head: head.into(),
    }
}

/// What a push of `branch` brought, held against the default branch when nothing stood there before.
///
/// A push of the default branch itself has moved that too, as may one whose branch is not told.
fn pushed(
    branch: Option<&str>,
    default: Option<&str>,
    before: Option<String>,
    head: String,
) -> Option<Ends> {
    if branch.is_none() || branch == default {
        return Some(since(before, head));
    }
    let bases: Vec<String> = before.into_iter().chain(default.map(remote)).collect();
    (!bases.is_empty()).then_some(Ends {
        bases,
        or_all: false,
        head,
    })
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|b| b == b'0')
}

/// A branch without what git writes before its name.
fn short(branch: &str) -> &str {
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}

/// The branch `refs/heads/NAME` as a clone of it is called.
fn remote(branch: &str) -> String {
    format!("refs/remotes/origin/{}", short(branch))
}

/// Whether a push to GitHub took a branch or a tag away.
fn is_deletion(event: &Value) -> bool {
    event["after"].as_str().is_some_and(is_zero)
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
    let branch = text("/ref");
    let branch = branch.as_deref().map(short);
    let default = text("/repository/default_branch");
    let default = default.as_deref();
    let before = text("/before").filter(|id| !is_zero(id));
    // What was overwritten may have left main long ago: other branches are held against that.
    let forced = event.get("forced").and_then(Value::as_bool) == Some(true);
    let moved = before.filter(|_| !forced || branch.is_none() || branch == default);
    pushed(branch, default, moved, after)
}

fn azure(get: Get<'_>) -> Ends {
    let target = get("SYSTEM_PULLREQUEST_TARGETBRANCH");
    match target.filter(|_| get("BUILD_REASON").as_deref() == Some("PullRequest")) {
        Some(target) => {
            let head = get("SYSTEM_PULLREQUEST_SOURCECOMMITID");
            ends(remote(&target), head.unwrap_or_else(|| "HEAD".to_owned()))
        }
        // Nothing says what was pushed together: the newest commit, with all that a merge brought.
        None => since(Some("HEAD^".to_owned()), "HEAD"),
    }
}

fn gitlab(get: Get<'_>) -> Option<Ends> {
    let head = get("CI_COMMIT_SHA")?;
    if let Some(base) = get("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
        // The pipeline of a merged result runs on a commit that only GitLab made.
        let source = get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA");
        return Some(ends(base, source.unwrap_or(head)));
    }
    // A tag may have a message of its own, of which the commit does not know.
    let tag = get("CI_COMMIT_TAG").map(|tag| format!("refs/tags/{tag}"));
    let head = tag.unwrap_or(head);
    // A clone has it no more after it was overwritten, which GitLab does not say.
    let before = get("CI_COMMIT_BEFORE_SHA").filter(|id| !is_zero(id));
    let branch = get("CI_COMMIT_REF_NAME");
    let default = get("CI_DEFAULT_BRANCH");
    pushed(branch.as_deref(), default.as_deref(), before, head)
}

fn bitbucket(get: Get<'_>) -> Ends {
    let head = get("BITBUCKET_COMMIT").unwrap_or_else(|| "HEAD".to_owned());
    if let Some(base) = get("BITBUCKET_PR_DESTINATION_COMMIT") {
        return ends(base, head);
    }
    match get("BITBUCKET_PR_DESTINATION_BRANCH") {
        Some(branch) => ends(remote(&branch), head),
        None => since(Some(format!("{head}^")), head),
    }
}

fn jenkins(get: Get<'_>) -> Option<Ends> {
    if let Some(target) = get("CHANGE_TARGET") {
        // A job may have merged the target already: what counts is what the target has not.
        return Some(ends(remote(&target), "HEAD"));
    }
    // What was built before without success may be what was refused.
    let before = get("GIT_PREVIOUS_SUCCESSFUL_COMMIT");
    Some(since(before, get("GIT_COMMIT")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(system: System, vars: &[(&str, &str)], event: &Value) -> Option<Ends> {
        let get = |name: &str| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(System::detect(&get), Some(system));
        range(system, &get, |_| Some(event.clone())).ok()
    }

    fn pair(base: &str, head: &str) -> Option<Ends> {
        Some(ends(base, head))
    }

    fn or_all(base: Option<&str>, head: &str) -> Option<Ends> {
        Some(since(base.map(str::to_owned), head))
    }

    fn either(bases: [&str; 2], head: &str) -> Option<Ends> {
        Some(Ends {
            bases: bases.map(str::to_owned).to_vec(),
            ..ends("", head)
        })
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
        let push = |name: &str, before: &str, forced: bool| {
            json!({"ref": name, "before": before, "after": "h", "forced": forced,
                   "repository": {"default_branch": "main"}})
        };
        let (main, topic) = ("refs/heads/main", "refs/heads/topic");
        let default = "refs/remotes/origin/main";
        assert_eq!(told(push(topic, "b", false)), either(["b", default], "h"));
        for event in [push(topic, "b", true), push(topic, "0000", false)] {
            assert_eq!(told(event), pair(default, "h"));
        }
        // The default branch is no base for a push that moved it.
        for forced in [false, true] {
            assert_eq!(told(push(main, "b", forced)), or_all(Some("b"), "h"));
        }
        assert_eq!(told(push(main, "0000", false)), or_all(None, "h"));
        let mut unnamed = push(main, "0000", false);
        unnamed["ref"] = Value::Null;
        assert_eq!(told(unnamed), or_all(None, "h"));
        assert_eq!(told(json!({"schedule": "daily"})), None);
        let get = |_: &str| Some("x".to_owned());
        let deleted = json!({"ref": topic, "before": "b", "after": "0000", "deleted": true});
        let refused = range(System::GitHub, &get, |_| Some(deleted.clone()));
        assert!(refused.is_err_and(|error| error.to_string().contains("nothing to judge")));
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
            or_all(Some("HEAD^"), "HEAD")
        );
        let gitlab = |own: &'static str| {
            [
                ("GITLAB_CI", "true"),
                ("CI_COMMIT_SHA", "h"),
                ("CI_DEFAULT_BRANCH", "main"),
                ("CI_COMMIT_REF_NAME", own),
                ("CI_COMMIT_BEFORE_SHA", "b"),
                ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "m"),
            ]
        };
        let topic = gitlab("topic");
        assert_eq!(told(System::GitLab, &topic, &none), pair("m", "h"));
        let pushed = told(System::GitLab, &topic[..5], &none);
        assert_eq!(pushed, either(["b", main], "h"));
        assert_eq!(told(System::GitLab, &topic[..4], &none), pair(main, "h"));
        let own = gitlab("main");
        let pushed = told(System::GitLab, &own[..5], &none);
        assert_eq!(pushed, or_all(Some("b"), "h"));
        for vars in [&own[..4], &own[..3]] {
            assert_eq!(told(System::GitLab, vars, &none), or_all(None, "h"));
        }
        let tagged = [&gitlab("v1")[..4], &[("CI_COMMIT_TAG", "v1")]].concat();
        assert_eq!(
            told(System::GitLab, &tagged, &none),
            pair(main, "refs/tags/v1")
        );
        let bitbucket = [
            ("BITBUCKET_BUILD_NUMBER", "1"),
            ("BITBUCKET_COMMIT", "h"),
            ("BITBUCKET_PR_DESTINATION_COMMIT", "b"),
        ];
        assert_eq!(told(System::Bitbucket, &bitbucket, &none), pair("b", "h"));
        assert_eq!(
            told(System::Bitbucket, &bitbucket[..2], &none),
            or_all(Some("h^"), "h")
        );
        let jenkins = [("JENKINS_URL", "x"), ("CHANGE_TARGET", "main")];
        assert_eq!(told(System::Jenkins, &jenkins, &none), pair(main, "HEAD"));
        assert_eq!(told(System::Jenkins, &jenkins[..1], &none), None);
        let built = [
            ("JENKINS_URL", "x"),
            ("GIT_COMMIT", "h"),
            ("GIT_PREVIOUS_COMMIT", "refused"),
            ("GIT_PREVIOUS_SUCCESSFUL_COMMIT", "b"),
        ];
        let since_success = told(System::Jenkins, &built, &none);
        assert_eq!(since_success, or_all(Some("b"), "h"));
        assert_eq!(told(System::Jenkins, &built[..3], &none), or_all(None, "h"));
    }
}
