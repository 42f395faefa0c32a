//! What to do about a finding: the way that needs no secret, what to write in its place, who may
//! read it, and how to end the one that leaked. It never needs the value.

pub mod facts;
pub mod name;
pub mod names;
pub mod services;
pub mod template;

use std::borrow::Cow;

use crate::finding::Finding;
use crate::host::{Context, Grammar, Slot, Verdict};
use facts::Facts;
use template::Holes;

/// The least that reads one secret, and where it is given.
const READER: Role = Role {
    name: Cow::Borrowed("Key Vault Secrets User"),
    scope: Cow::Borrowed("the vault, one per application and environment"),
};

/// What a person should do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Commands or places that end the leaked one, most direct first.
    pub rotate: Vec<String>,
    /// What stops working then; empty where that is not known.
    pub breaks: Cow<'static, str>,
    /// The name the secret would have in Key Vault.
    pub vault_name: String,
    /// What to write instead, in the language of the place.
    pub reference: String,
    /// The language of `reference`.
    pub language: &'static str,
    pub context: &'static Context,
    /// All ways, best first.
    pub ways: Vec<Way>,
    /// What must be there, or be changed elsewhere, for `reference` to work.
    pub also: Vec<String>,
    /// Why nothing is rewritten; empty where something is.
    pub why: &'static str,
}

/// One way to live without the secret in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub kind: WayKind,
    pub text: String,
    pub role: Option<Role>,
}

/// In the order in which they are to be preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WayKind {
    Passwordless,
    DeployTime,
    KeyVault,
    Environment,
}

impl WayKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Passwordless => "passwordless",
            Self::DeployTime => "deploy time",
            Self::KeyVault => "key vault",
            Self::Environment => "environment",
        }
    }
}

/// A role and where it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub name: Cow<'static, str>,
    pub scope: Cow<'static, str>,
}

/// Advises on a finding, with the vault left open.
pub fn advise(finding: &Finding) -> Advice {
    advise_with(finding, &Facts::new(None))
}

/// Advises on a finding.
pub fn advise_with(finding: &Finding, facts: &Facts) -> Advice {
    let context = finding.host.context;
    let vault_name = template::vault_name(finding, &name::of(finding));
    let holes = Holes::of(finding, facts, &vault_name);
    let reference = if context.template.is_empty() {
        context.instead.to_owned()
    } else {
        holes.show(context.template)
    };
    let mut also: Vec<String> = Vec::new();
    also.extend(context.pair.iter().map(|text| holes.show(text)));
    also.extend(context.needs.iter().map(|text| holes.show(text)));
    Advice {
        rotate: finding.rotate.iter().map(ToString::to_string).collect(),
        breaks: breaks(finding),
        ways: ways(finding, context, &holes, &reference),
        vault_name,
        reference,
        language: language(context),
        context,
        also,
        why: context.why,
    }
}

/// What stops working when a finding's secret is ended; empty where that is not known.
pub fn breaks(finding: &Finding) -> Cow<'static, str> {
    let of_service = services::of(finding).map_or("", |service| service.breaks);
    services::end_of_sas(finding).unwrap_or(of_service).into()
}

fn ways(finding: &Finding, context: &Context, holes: &Holes<'_>, reference: &str) -> Vec<Way> {
    let mut ways = Vec::new();
    let way = |kind, text: &str, role| Way {
        kind,
        text: text.to_owned(),
        role,
    };
    if let Some(service) = services::of(finding) {
        let role = Role {
            name: service.role.into(),
            scope: service.role_scope.into(),
        };
        ways.push(way(WayKind::Passwordless, service.passwordless, Some(role)));
        let deploys = matches!(
            context.grammar,
            Grammar::Bicep | Grammar::Hcl | Grammar::Json
        );
        if deploys && !service.deploy_time.is_empty() {
            ways.push(way(WayKind::DeployTime, service.deploy_time, None));
        }
    }
    ways.push(way(WayKind::KeyVault, reference, Some(READER)));
    let variable = holes.show("<<env>> in the environment, filled by: <<show>>");
    ways.push(way(WayKind::Environment, &variable, Some(READER)));
    ways
}

/// The word for the language of a context's reference.
fn language(context: &Context) -> &'static str {
    match (context.slot, context.template) {
        (Slot::None, "<<show>>") => "command",
        (_, text) if text.starts_with("@Microsoft.KeyVault") => "app setting",
        _ if context.id == "C34" => "azure pipelines",
        _ => context.grammar.name(),
    }
}

/// Whether a context's edit is made without being asked for more.
pub fn is_self_sufficient(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Rewrite | Verdict::RewritePlus)
}
