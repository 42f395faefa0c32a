//! The shape of one host context. All are static data, made from `patterns/contexts/*.toml`.

/// What may be done about a secret in such a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// One edit in place leaves the file valid and sufficient.
    Rewrite,
    /// The edit needs a companion in the same file: an import, a helper, a step.
    RewritePlus,
    /// The edit needs a change somewhere else too, so it is made only on request.
    Pair,
    /// No sound edit; the recipe is told.
    Suggest,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Rewrite => "rewrite",
            Self::RewritePlus => "rewrite+",
            Self::Pair => "pair",
            Self::Suggest => "suggest",
        }
    }
}

/// What is replaced, and so how the replacement is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// A string literal of a program, by an expression.
    Expression,
    /// The text of a string, quoted as the file quotes strings.
    Scalar,
    /// A string with its quotes, by the template as it stands.
    Value,
    /// A whole member, key and value.
    Member,
    /// The object around the value.
    Parent,
    /// The member is taken out.
    Remove,
    /// The member whose value holds the member is taken out.
    RemoveParent,
    /// The line is taken out.
    RemoveLine,
    /// A `KEY=VALUE` argument of a command line.
    Setting,
    /// `param name string = 'literal'` of Bicep, which loses its default.
    BicepParameter,
    /// A value in a .NET configuration file with a configuration builder.
    ConfigBuilder,
    /// A whole Kubernetes Secret document.
    KubernetesSecret,
    /// Nothing is replaced.
    None,
}

/// The grammar that decides what a whole literal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grammar {
    Python,
    R,
    CSharp,
    Java,
    JavaScript,
    TypeScript,
    Go,
    PowerShell,
    Bash,
    Hcl,
    Bicep,
    Yaml,
    Json,
    Xml,
    Containerfile,
    /// `key = value` a line.
    Lines,
    None,
}

impl Grammar {
    /// The word reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::R => "r",
            Self::CSharp => "csharp",
            Self::Java => "java",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Go => "go",
            Self::PowerShell => "powershell",
            Self::Bash => "shell",
            Self::Hcl => "terraform",
            Self::Bicep => "bicep",
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Containerfile => "dockerfile",
            Self::Lines => "properties",
            Self::None => "command",
        }
    }
}

/// Text that must stand once in the file for the edit to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Where this stands already, nothing is inserted.
    pub key: &'static str,
    /// `imports`, `end`, `steps` or `new-file:NAME`.
    pub at: &'static str,
    pub text: &'static str,
}

/// One context: how it is recognised and what is written there.
///
/// Templates have holes: `<<secret>>` the name in the vault, `<<vault>>`, `<<vault_url>>` (with a
/// last slash), `<<vault_host>>` (without), `<<uri>>` of the secret, `<<version>>`, `<<show>>` the
/// command that reads it, `<<ident>>`, `<<env>>` and `<<setting>>` the name as an identifier, as a
/// variable and as a .NET setting, `<<key>>` and `<<config_path>>` the key as the file spells it,
/// `<<name>>` its second last part, and facts that the user gives: `<<scope>>`, `<<subscription>>`,
/// `<<resource_group>>`, `<<linked_service>>`, `<<service_connection>>`.
#[derive(Debug, PartialEq, Eq)]
pub struct Context {
    /// Of the dossier, `C01` to `C52`.
    pub id: &'static str,
    /// Tells the forms of one id apart.
    pub form: &'static str,
    pub title: &'static str,
    pub verdict: Verdict,
    pub grammar: Grammar,
    /// Lower case, without dot.
    pub extensions: &'static [&'static str],
    /// Globs on the file name, lower case, with `*` only.
    pub names: &'static [&'static str],
    /// Of which one must be part of the path.
    pub folders: &'static [&'static str],
    /// Interpreters of a `#!` line.
    pub shebang: &'static [&'static str],
    /// Languages of notebooks, lower case; none: not in notebooks.
    pub kernels: &'static [&'static str],
    /// Of which one must be in the file.
    pub any: &'static [&'static str],
    /// Which must all be in the file.
    pub all: &'static [&'static str],
    /// Of which none may be in the file.
    pub none: &'static [&'static str],
    /// Of which one must stand before the finding.
    pub before: &'static [&'static str],
    /// Of which one must be in the line of the finding.
    pub line: &'static [&'static str],
    /// Of which one must be in the key path, case aside.
    pub near_key: &'static [&'static str],
    /// Patterns of the key path: `*` is one segment, `**` any number.
    pub keys: &'static [&'static str],
    pub not_keys: &'static [&'static str],
    pub slot: Slot,
    pub template: &'static str,
    /// What stands there instead, in words, where the template is no text to copy.
    pub instead: &'static str,
    /// A name that the host forces on the vault.
    pub vault_name: &'static str,
    /// The helper that the template calls.
    pub helper: &'static str,
    /// A precondition on where the literal stands: `function`, `await`, `github-permissions`.
    pub inside: &'static str,
    /// A variable that the template uses and the file must have bound.
    pub binds: &'static str,
    /// Whether the form works with vaults of the public cloud only.
    pub public_cloud: bool,
    /// Whether the reference may stand inside a longer text.
    pub embeds: bool,
    pub companions: &'static [Companion],
    /// `key=value`: members beside, set to these.
    pub siblings: &'static [&'static str],
    /// What else must be changed, elsewhere.
    pub pair: &'static [&'static str],
    /// What must be there for it to work.
    pub needs: &'static [&'static str],
    /// Why nothing is rewritten.
    pub why: &'static str,
}
