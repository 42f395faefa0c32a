//! A file under each of its paths.
//!
//! What is taken for a secret depends on the path, so a blob is judged once for every kind of path that
//! it has. One with findings is then judged under all of its paths: a finding is a secret in one path,
//! and whoever accepts it has not accepted the others.

use std::collections::HashSet;

use crate::decode;
use crate::error::Error;
use crate::git::changes::{Changes, Places};
use crate::git::copies;
use crate::git::fresh::Fresh;
use crate::judge::place::Place;
use crate::ledger::Reason;
use crate::pipeline::{Outcome, Progress, Sweep};
use crate::source::objects::Objects;
use crate::unit::ObjectId;

/// All that judging a text takes from its path.
pub type PathKind = (Place, bool);

/// The kind of a path; texts are judged alike under paths of one kind.
pub fn kind(path: &str) -> PathKind {
    (Place::of(path), decode::is_notebook_path(path))
}

/// Adds the findings under the paths that were not `judged` of the files that have any, and returns all
/// places of these. `changes` is what `fresh` brought in, and led to what was judged.
///
/// # Errors
/// When a commit or a tree cannot be read.
pub fn judge_rest(
    outcome: &mut Outcome,
    judged: &Objects<'_>,
    fresh: &Fresh,
    changes: &Changes<PathKind>,
    sweep: &Sweep,
) -> Result<Places, Error> {
    let in_files = outcome
        .findings
        .iter()
        .filter(|finding| finding.origin.is_file());
    let wanted: HashSet<ObjectId> = in_files
        .filter_map(|finding| Some(finding.origin.git?.object))
        .collect();
    if wanted.is_empty() {
        return Ok(Places::new());
    }
    let found = copies::find(judged.reader, fresh, changes, &wanted)?;
    let mut rest = found.places.clone();
    for (id, places) in &mut rest {
        let judged = judged.places.get(id).map_or(&[][..], |places| places);
        places.retain(|place| judged.iter().all(|other| other.path != place.path));
    }
    let mut rest = Objects::placed(judged.reader, rest);
    rest.deadline = judged.deadline;
    let more = sweep.run(&rest, &Progress::default())?;
    outcome.findings.extend(more.findings);
    outcome.ledger.merge(more.ledger);
    if !found.complete {
        outcome.ledger.leave_out(
            Reason::Unreadable,
            "(further paths)".into(),
            "a file with a secret has more paths than are told one by one",
        );
    }
    Ok(found.places)
}
