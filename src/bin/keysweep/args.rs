//! What can be typed. Help, completions and the man page are made from these definitions.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Find leaked secrets in notebooks, source files and git history
#[derive(Parser)]
#[command(
    name = "keysweep",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 nothing found, 1 secrets found, 2 something could not be read or done."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Scan files and folders, and their names
    Scan(ScanArgs),
    /// Sweep everything in a git repository: all commits, branches, tags and what is left of others
    ///
    /// Looks at files of all commits, at commit and tag messages, authors, and the names of files
    /// and references; in objects that nothing leads to as well, unless --reachable-only is given.
    /// Findings are grouped by secret, with the commit that brought it in, the last that has it, and
    /// whether it is still there.
    History(HistoryArgs),
    /// Judge what a range of commits, the index or the working tree brings in
    #[command(visible_alias = "ci")]
    Diff(DiffArgs),
    /// Be a git hook, or install and try one
    Hook {
        #[command(subcommand)]
        command: HookCommand,
    },
    /// Replace secrets by Key Vault references; shows the changes unless told to write them
    Fix(FixArgs),
    /// Write a script that puts the NEW values into the vault
    Migrate(MigrateArgs),
    /// Say what to rotate, what goes into the vault, and how to clean the history
    ///
    /// Looks at the files, and at everything in the repository around the first PATH, which may be a
    /// bare one.
    Plan(PlanArgs),
    /// A git filter that masks secrets in notebooks' outputs as they are added
    Filter(FilterArgs),
    /// List, explain and check rules
    Rules(RulesArgs),
    /// Write a small repository with freshly made secrets and scan it
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

#[derive(Args)]
pub struct ScanArgs {
    /// Files and folders; `-` reads standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// The file name by which standard input is judged and reported
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    pub stdin_name: String,

    /// Also read files that .gitignore and other ignore files exclude
    #[arg(long)]
    pub no_ignore: bool,

    /// Leave out files over so many bytes (they are read in windows otherwise)
    #[arg(long, value_name = "BYTES")]
    pub max_size: Option<u64>,

    /// A file with further rules; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,

    /// Number of threads [default: one per processor]
    #[arg(short = 'j', long, value_name = "N")]
    pub threads: Option<usize>,

    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Args)]
pub struct HistoryArgs {
    /// The repository, or a folder in it; bare repositories and linked worktrees too
    #[arg(value_name = "REPO", default_value = ".")]
    pub repo: PathBuf,

    /// Leave out what no branch, tag or other reference leads to
    #[arg(long)]
    pub reachable_only: bool,

    /// Read every object by itself, slowly; finds the same, and serves to prove it
    #[arg(long)]
    pub naive: bool,

    /// Prove a clean-up: nothing may be found in anything the repository holds. With a REPORT of
    /// before, made by `plan --report` or `history --format json`, say of each of its secrets
    /// whether it is gone or where it still is
    #[arg(long, value_name = "REPORT", num_args = 0..=1, require_equals = true, conflicts_with = "reachable_only")]
    pub verify: Option<Option<PathBuf>>,

    /// A file with further rules; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,

    /// Number of threads [default: one per processor]
    #[arg(short = 'j', long, value_name = "N")]
    pub threads: Option<usize>,

    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Args)]
pub struct DiffArgs {
    /// BASE..HEAD, or BASE for BASE..HEAD of the checked-out commit [default: what the CI system
    /// says, else what the upstream branch has not]
    #[arg(value_name = "RANGE", conflicts_with_all = ["staged", "unstaged"])]
    pub range: Option<String>,

    /// Judge the index against the checked-out commit
    #[arg(long, conflicts_with = "unstaged")]
    pub staged: bool,

    /// Judge the changed files of the working tree against the index
    #[arg(long)]
    pub unstaged: bool,

    /// The repository
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,

    /// A file with further rules, read from the base revision when it is part of the repository;
    /// may be given more than once
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,

    #[command(flatten)]
    pub report: ReportArgs,
}

#[derive(Subcommand)]
pub enum HookCommand {
    /// A server's hook: judge all that a push brings, before any reference moves
    PreReceive {
        /// The operator's policy, a file outside of the repository [default: KEYSWEEP_POLICY]
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// A server's hook: judge one reference of a push
    Update {
        /// The operator's policy, a file outside of the repository [default: KEYSWEEP_POLICY]
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        #[arg(value_name = "REF")]
        name: OsString,
        old: String,
        new: String,
    },
    /// A working copy's hook: judge the index before it is committed
    PreCommit,
    /// A working copy's hook: judge the commits that a remote does not have yet
    PrePush {
        remote: OsString,
        url: Option<OsString>,
    },
    /// Install hooks, keeping those that are there
    Install(InstallArgs),
    /// Try the installed hooks: push a made-up secret through each in a throw-away repository
    Test {
        /// Which hooks [default: all that are installed]
        #[arg(value_enum)]
        kinds: Vec<KindArg>,

        /// The repository
        #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
        repo: PathBuf,
    },
}

#[derive(Args)]
pub struct InstallArgs {
    /// Which hooks [default: pre-receive on a server, pre-commit and pre-push in a working copy]
    #[arg(value_enum)]
    pub kinds: Vec<KindArg>,

    /// The repository, or for `ghes` the folder of scripts
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,

    /// Whose folders to use
    #[arg(long, value_enum, default_value_t = LayoutArg::Git)]
    pub layout: LayoutArg,

    /// The operator's policy, for hooks of servers
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// The program that the hook calls [default: this one]
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,

    /// Remove the hooks and put back those that were there before
    #[arg(long)]
    pub uninstall: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    PreCommit,
    PrePush,
    PreReceive,
    Update,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayoutArg {
    /// git's own
    Git,
    Gitlab,
    Gitea,
    Forgejo,
    /// GitHub Enterprise Server: a script for its repository of hooks
    Ghes,
    Bitbucket,
}

#[derive(Args, Clone)]
pub struct ReportArgs {
    /// Form of the report [default: human, or what the CI system reads that runs `diff`]
    #[arg(short, long, value_enum)]
    pub format: Option<FormatArg>,

    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Report findings of at least this confidence
    #[arg(long, value_enum, default_value_t = LevelArg::Medium)]
    pub min_confidence: LevelArg,

    /// Print secrets in full; refused in CI, where logs are kept and shared
    #[arg(long)]
    pub show_secrets: bool,

    /// Say of each generic secret what every feature added to its score
    #[arg(long)]
    pub explain: bool,

    /// Make fingerprints under the key in this file, so that others cannot test guesses
    #[arg(long, value_name = "FILE")]
    pub fingerprint_key: Option<PathBuf>,

    /// When to use colour
    #[arg(long, value_enum, default_value_t = ColourArg::Auto, value_name = "WHEN")]
    pub color: ColourArg,

    /// Show no progress, and no summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For reading at a terminal
    Human,
    /// One JSON document with findings and coverage
    Json,
    /// One JSON finding a line
    Jsonl,
    /// SARIF 2.1.0
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// Issues of Azure Pipelines
    Azure,
    /// GitLab's secret detection report
    Gitlab,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LevelArg {
    Low,
    Medium,
    High,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourArg {
    Auto,
    Always,
    Never,
}

/// Which files, and which vault.
#[derive(Args, Clone)]
pub struct TargetArgs {
    /// Files and folders
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// The Key Vault: its name, or its URL
    #[arg(long, value_name = "NAME|URL")]
    pub vault: Option<String>,

    /// The cloud of a vault that is given by name
    #[arg(long, value_enum, default_value_t = CloudArg::Public)]
    pub cloud: CloudArg,

    /// A fact that some hosts need, such as scope=NAME, subscription=ID or resource-group=NAME
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub facts: Vec<String>,

    /// Where the names of secrets are kept from run to run
    #[arg(long, value_name = "FILE", default_value = ".keysweep-names.json")]
    pub names: PathBuf,

    /// Also read files that .gitignore and other ignore files exclude
    #[arg(long)]
    pub no_ignore: bool,

    /// A file with further rules; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
}

#[derive(Args)]
pub struct FixArgs {
    #[command(flatten)]
    pub target: TargetArgs,

    /// Write the changes
    #[arg(long)]
    pub write: bool,

    /// Ask for each change
    #[arg(long)]
    pub interactive: bool,

    /// Also make edits that need changes elsewhere, which are then listed
    #[arg(long)]
    pub pair: bool,

    /// Take passwords out of SQL connection strings, for the identity's own sign-in
    #[arg(long)]
    pub passwordless: bool,

    /// What to do with notebook outputs that show a secret
    #[arg(long, value_enum, default_value_t = OutputsArg::Keep)]
    pub outputs: OutputsArg,

    /// What to do with secrets that no proven edit replaces [default: mask in notebooks when
    /// --outputs is given, keep elsewhere]
    #[arg(long, value_enum)]
    pub rest: Option<RestArg>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CloudArg {
    Public,
    China,
    UsGovernment,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputsArg {
    Keep,
    Mask,
    Clear,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RestArg {
    Keep,
    Mask,
}

#[derive(Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    pub target: TargetArgs,

    /// The shell of the script
    #[arg(long, value_enum, default_value_t = ShellArg::Bash)]
    pub shell: ShellArg,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShellArg {
    Bash,
    Powershell,
}

#[derive(Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub target: TargetArgs,

    /// Write the rules for git filter-repo --replace-text here. The file holds the live secrets: it
    /// is made with mode 0600, outside of the repository is best, and must be deleted after use
    #[arg(long, value_name = "FILE")]
    pub replace_text: Option<PathBuf>,

    /// Write what was found in the history here, without values, for `history --verify` afterwards
    #[arg(long, value_name = "FILE", conflicts_with = "no_history")]
    pub report: Option<PathBuf>,

    /// Look at the files only
    #[arg(long)]
    pub no_history: bool,
}

#[derive(Args)]
pub struct FilterArgs {
    #[command(subcommand)]
    pub command: FilterCommand,
}

#[derive(Subcommand)]
pub enum FilterCommand {
    /// Register the filter for *.ipynb in this repository
    Install,
    /// Take the registration back
    Uninstall,
    /// Mask the outputs of the notebook on standard input
    Clean {
        /// The file's name, as git gives it
        path: Option<String>,
    },
    /// Pass standard input on as it is
    Smudge,
}

#[derive(Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    pub command: RulesCommand,
}

#[derive(Subcommand)]
pub enum RulesCommand {
    /// One line a rule
    List {
        /// Form of the list
        #[arg(short, long, value_enum, default_value_t = ListFormat::Human)]
        format: ListFormat,
    },
    /// All that is known of one rule
    Show { id: String },
    /// Check rule files, or the built-in rules: their form, that no two find the same, that keywords
    /// are rare, that each example is found and each counter-example is not
    Check {
        /// Fill the examples with other random text than usual; a number stands for the same text
        /// every time
        #[arg(long, value_name = "N", default_value_t = keysweep::exam::SEED)]
        seed: u64,
        files: Vec<PathBuf>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For reading at a terminal
    Human,
    /// One JSON array
    Json,
}

#[derive(Args)]
pub struct DemoArgs {
    /// Where to write the repository; must be empty or not exist [default: a new temporary folder]
    pub dir: Option<PathBuf>,
}
