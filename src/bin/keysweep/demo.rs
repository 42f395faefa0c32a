//! `keysweep demo`.

use crate::args::DemoArgs;
use crate::exit::{Exit, Fault};

pub fn run(_args: &DemoArgs) -> Result<Exit, Fault> {
    Ok(Exit::Clean)
}
