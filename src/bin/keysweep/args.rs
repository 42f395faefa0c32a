//! What can be typed. Help, completions and the man page are made from these definitions.

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
    /// Scan files and folders
    Scan(ScanArgs),
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
pub struct ReportArgs {
    /// Form of the report
    #[arg(short, long, value_enum, default_value_t = FormatArg::Human)]
    pub format: FormatArg,

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

    /// Show no progress
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

#[derive(Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    pub command: RulesCommand,
}

#[derive(Subcommand)]
pub enum RulesCommand {
    /// One line a rule
    List,
    /// All that is known of one rule
    Show { id: String },
    /// Check rule files, or the built-in rules: their form, and that each example is found and each
    /// counter-example is not
    Check { files: Vec<PathBuf> },
}

#[derive(Args)]
pub struct DemoArgs {
    /// Where to write the repository; must be empty or not exist [default: a new temporary folder]
    pub dir: Option<PathBuf>,
}
