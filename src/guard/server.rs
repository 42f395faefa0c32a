//! A server's hook from its environment to its answer, its exit code and its audit record.
//!
//! Whatever cannot be read or done refuses the push; only for the time that is up the operator may
//! have chosen otherwise.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::answer::{self, Approvals, Manner};
use super::audit::Record;
use super::policy::{Choice, Policy};
use super::push::{self, Verdict};
use super::receiving::{Get, Receiving, Server, Update};
use crate::error::Error;
use crate::ledger::{Ledger, Reason};
use crate::pipeline::Sweep;
use crate::report::human::{counted, printable};

/// Which hook of a server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// All references of a push, as git writes them to standard input.
    PreReceive { input: String },
    /// One reference, by the hook's arguments.
    Update {
        name: String,
        old: String,
        new: String,
    },
}

/// How a hook ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// 0 accepts, 1 refuses for secrets, 2 refuses because the push could not be judged.
    pub code: u8,
    /// For the person who pushes.
    pub lines: Vec<String>,
}

/// What is decided of a push, and why.
struct Decision {
    cause: &'static str,
    code: u8,
    lines: Vec<String>,
    error: Option<String>,
}

impl Hook {
    fn name(&self) -> &'static str {
        match self {
            Self::PreReceive { .. } => "pre-receive",
            Self::Update { .. } => "update",
        }
    }

    fn updates(&self) -> Result<Vec<Update>, Error> {
        match self {
            Self::PreReceive { input } => Update::parse_all(input),
            Self::Update { name, old, new } => Ok(vec![Update::new(name, old, new)?]),
        }
    }
}

/// Runs a server's hook. `now` is in seconds since 1970; `began` is when the process began.
pub fn run(hook: &Hook, get: Get<'_>, policy: Option<&Path>, now: i64, began: Instant) -> Ended {
    let receiving = Receiving::of(get);
    let mut record = Record::begin(hook.name(), &receiving, now);
    let policy = match policy {
        Some(file) => Policy::read(file, &receiving.git_dir),
        None => Ok(Policy::default()),
    };
    let (mut decision, policy) = match policy {
        Ok(policy) => {
            let decision = decide(hook, &receiving, &policy, &mut record, now, began);
            (decision, policy)
        }
        Err(invalid) => {
            if let Ok(updates) = hook.updates() {
                record.add_updates(&updates);
            }
            let policy = Policy {
                audit: invalid.audit,
                ..Policy::default()
            };
            (failed(&invalid.error.to_string()), policy)
        }
    };
    if decision.cause == "error" {
        decision.hide(&Sweep::new(policy.options(now)));
    }
    let mut ended = log(decision, record, &policy, now, began);
    if receiving.pusher.server == Server::GitLab {
        ended.lines = answer::for_gitlab(ended.lines);
    }
    ended
}

fn decide(
    hook: &Hook,
    receiving: &Receiving,
    policy: &Policy,
    record: &mut Record,
    now: i64,
    began: Instant,
) -> Decision {
    let updates = hook.updates();
    if let Ok(updates) = &updates {
        record.add_updates(updates);
    }
    let judged = updates.and_then(|updates| within(receiving, updates, policy, now, began));
    match judged {
        Ok(verdict) => {
            record.add_verdict(&verdict);
            let approvals = approvals(hook, receiving, policy);
            let mut decision = weigh(&verdict, policy, approvals);
            decision.lines.extend(answer::note(&verdict.ledger));
            decision
        }
        Err(error) => failed(&error.to_string()),
    }
}

/// Writes the decision to the audit log, if there is one; it does not hold when that cannot be done.
fn log(decision: Decision, mut record: Record, policy: &Policy, now: i64, began: Instant) -> Ended {
    let Some(audit) = &policy.audit else {
        return decision.into();
    };
    record.decision = if decision.code == 0 {
        "accepted"
    } else {
        "refused"
    };
    record.cause = decision.cause;
    record.exit_code = decision.code;
    record.error.clone_from(&decision.error);
    record.hide(&Sweep::new(policy.options(now)));
    record.duration_ms = began.elapsed().as_millis() as u64;
    match record.append(audit) {
        Err(error) => failed(&format!("the audit log: {error}")).into(),
        Ok(()) => decision.into(),
    }
}

/// Whether a push option approves here, and why one that was given does not.
fn approvals(hook: &Hook, receiving: &Receiving, policy: &Policy) -> Approvals {
    let void = if !policy.approvals.push_options {
        "this server takes none"
    } else if !policy.approvals.may(&receiving.pusher.user) {
        "you are not one who may"
    } else {
        return match hook {
            Hook::PreReceive { .. } => Approvals::Offered,
            // git gives it no push options.
            Hook::Update { .. } => Approvals::None,
        };
    };
    if receiving.approves() {
        Approvals::Void(void)
    } else {
        Approvals::None
    }
}

/// Judges in the time allowed: what is left at the end of it is left out; and when even one object
/// takes too long, the judging is left behind, since the process ends with the answer.
fn within(
    receiving: &Receiving,
    updates: Vec<Update>,
    policy: &Policy,
    now: i64,
    began: Instant,
) -> Result<Verdict, Error> {
    if policy.budget == Duration::ZERO {
        return push::judge(receiving, &updates, policy, now, None);
    }
    let deadline = began + policy.budget;
    let (send, receive) = mpsc::channel();
    let (receiving, policy) = (receiving.clone(), policy.clone());
    let patience = policy.budget + policy.budget / 10;
    std::thread::spawn(move || {
        let judged = push::judge(&receiving, &updates, &policy, now, Some(deadline));
        // Nobody listens any more when the time is up.
        let _ = send.send(judged);
    });
    match receive.recv_timeout(patience.saturating_sub(began.elapsed())) {
        Ok(judged) => judged,
        Err(RecvTimeoutError::Timeout) => {
            let mut ledger = Ledger::default();
            let detail = "the time allowed was over while it was read";
            ledger.leave_out(Reason::OutOfTime, "(objects)".into(), detail);
            Ok(Verdict {
                ledger,
                ..Verdict::default()
            })
        }
        Err(RecvTimeoutError::Disconnected) => Err(Error::usage("judging ended without a result")),
    }
}

fn weigh(verdict: &Verdict, policy: &Policy, approvals: Approvals) -> Decision {
    let manner = Manner {
        sent: true,
        approvals,
        contact: policy.contact.as_deref(),
    };
    let late = !verdict.ledger.left_out(Reason::OutOfTime).is_empty();
    let failures = [Reason::Unreadable, Reason::Vanished];
    let failure = failures
        .iter()
        .find_map(|reason| verdict.ledger.left_out(*reason).first());
    if !verdict.findings.is_empty() {
        return Decision {
            cause: "secrets",
            code: if failure.is_some() || late { 2 } else { 1 },
            lines: answer::refusal("push", verdict, manner),
            error: failure.map(|entry| entry.detail.clone()),
        };
    }
    if let Some(entry) = failure {
        return failed(&entry.detail);
    }
    if late {
        return out_of_time(policy);
    }
    let approved = verdict.approved.len();
    let lines = (approved > 0).then(|| {
        let approved = counted(approved as u64, "finding");
        format!("keysweep: {approved} approved by push option, and logged")
    });
    Decision {
        cause: if approved > 0 { "approved" } else { "clean" },
        code: 0,
        lines: lines.into_iter().collect(),
        error: None,
    }
}

fn out_of_time(policy: &Policy) -> Decision {
    let budget = policy.budget.as_millis();
    let (code, what) = match policy.when_over {
        Choice::Accept => (0, "push accepted, but not all of it was judged"),
        Choice::Refuse => (2, "push refused, it could not be judged"),
    };
    Decision {
        cause: "time",
        code,
        lines: vec![format!(
            "keysweep: {what} within {budget} ms; push it in smaller parts"
        )],
        error: None,
    }
}

fn failed(why: &str) -> Decision {
    let why = printable(why);
    Decision {
        cause: "error",
        code: 2,
        lines: vec![format!(
            "keysweep: push refused, it could not be judged: {why}"
        )],
        error: Some(why),
    }
}

impl Decision {
    /// Masks what an error may say of a path or another name.
    fn hide(&mut self, sweep: &Sweep) {
        for text in self.lines.iter_mut().chain(&mut self.error) {
            *text = sweep.masked(text).into();
        }
    }
}

impl From<Decision> for Ended {
    fn from(decision: Decision) -> Self {
        Self {
            code: decision.code,
            lines: decision.lines,
        }
    }
}
