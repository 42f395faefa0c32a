//! Shows the secrets in files: reads the blobs that hold them once more, under their paths.
//!
//! A sweep keeps of a blob where its secrets stand, not what is around them. So the trees of deltas
//! are walked again, as far as they lead to these blobs, and there only the places are searched.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use crate::decode;
use crate::finding::Finding;
use crate::git::Kind;
use crate::ledger::{Ledger, Reason};
use crate::pipeline::{Ask, Progress, Scanner};
use crate::rules::RuleRef;
use crate::secret::Secret;
use crate::unit::{ObjectId, Origin, Part, Unit};

use super::changes::Changes;
use super::near::Near;
use super::places::{self, Blobs, Place, Places, Shown};
use super::secrets::{SecretId, ValueId};
use super::walk::{LazyId, Unread, Visit, Walk};
use super::{Found, Stands};

/// Adds the secrets in some blobs to the findings. What can no longer be read is told to the ledger.
///
/// Where a blob shows something else in the place of a secret, that is looked for in the next one that has it,
/// unless another rule has shown it under that path.
pub(super) fn blobs(
    known: &Places<'_>,
    found: &Found,
    mut shown: Blobs,
    (findings, ledger): (&mut Vec<Finding>, &mut Ledger),
) {
    let values = known.run.secrets.values();
    let value = |secret: SecretId| values[secret as usize];
    let mut told: HashSet<(Arc<str>, ValueId)> = HashSet::new();
    let mut is_first = true;
    while !shown.is_empty() {
        let Round { made, mut missed } = round(known, found, shown, is_first, ledger);
        if !missed.is_empty() {
            let made = made.iter().flatten();
            let number = |finding: &Finding| value(known.run.secrets.number(finding));
            told.extend(made.map(|finding| (finding.origin.path.clone(), number(finding))));
        }
        missed.retain(|missed| !told.contains(&(missed.path.clone(), value(missed.secret))));
        // There may be very many.
        findings.reserve_exact(made.iter().map(Vec::len).sum());
        findings.extend(made.into_iter().flatten());
        let again = missed.into_iter();
        shown = places::to_show(again.filter_map(|missed| {
            let place = missed.place.next()?;
            Some((missed.path, missed.secret, place))
        }));
        is_first = false;
    }
}

/// What the blobs of one round showed, by thread, and what they did not.
struct Round {
    made: Vec<Vec<Finding>>,
    missed: Vec<Missed>,
}

/// A secret that its blob did not show under a path.
struct Missed {
    path: Arc<str>,
    secret: SecretId,
    place: Place,
}

/// Shows some blobs: many with all that their deltas lead through, the few of later rounds each by itself.
fn round(
    places: &Places<'_>,
    found: &Found,
    shown: Blobs,
    is_first: bool,
    ledger: &mut Ledger,
) -> Round {
    let left = Mutex::new(shown);
    let make = || Show {
        places,
        found,
        left: &left,
        scanner: places.run.sweep.scanner(),
        made: Vec::new(),
        missed: Vec::new(),
    };
    let walk = |unread: &Mutex<Vec<Unread>>, singly: bool| {
        let walk = Walk {
            store: places.run.store,
            reader: places.run.reader,
            kinds: &[Kind::Blob],
            progress: &Progress::default(),
            // What was found until somebody stopped the sweep is shown.
            stop: &AtomicBool::new(false),
            unread,
        };
        let ids: Vec<ObjectId> = {
            let left = left.lock().unwrap_or_else(PoisonError::into_inner);
            left.keys().copied().collect()
        };
        match singly {
            true => walk.run_singly(&ids, make),
            false => walk.run_to(&ids, make),
        }
    };
    let mut shows = match places.run.naive || !is_first {
        true => Vec::new(),
        false => walk(&Mutex::default(), false),
    };
    // Of what is broken in a pack there may be another copy.
    let unread = Mutex::default();
    shows.extend(walk(&unread, true));
    let (made, missed): (Vec<_>, Vec<_>) = shows
        .into_iter()
        .map(|show| (show.made, show.missed))
        .unzip();
    let unread = unread.into_inner().unwrap_or_else(PoisonError::into_inner);
    let left = left.into_inner().unwrap_or_else(PoisonError::into_inner);
    for Unread { id, why } in unread.into_iter().filter(|one| left.contains_key(&one.id)) {
        ledger.leave_out(Reason::Unreadable, format!("object {id}").into(), why);
    }
    Round {
        made,
        missed: missed.into_iter().flatten().collect(),
    }
}

/// Shows the blobs that come by. Every thread has its own.
struct Show<'s> {
    places: &'s Places<'s>,
    found: &'s Found,
    /// What is still to be shown: a blob may come by in several packs.
    left: &'s Mutex<Blobs>,
    scanner: Scanner<'s>,
    made: Vec<Finding>,
    missed: Vec<Missed>,
}

impl Visit for Show<'_> {
    type Seen = ();

    fn whole(&mut self, id: LazyId<'_>, _: Kind, bytes: &[u8]) {
        let id = id.read();
        let shown = {
            let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            left.remove(&id)
        };
        let holding = self.found.blobs.get(&id);
        let spots = holding.and_then(|holding| holding.places.as_ref());
        for (path, wanted) in shown.into_iter().flatten() {
            self.blob((bytes, spots), &path, wanted);
        }
    }

    fn delta(&mut self, id: LazyId<'_>, kind: Kind, (): &(), _: &Changes, bytes: &[u8]) {
        self.whole(id, kind, bytes);
    }
}

impl Show<'_> {
    /// Scans a blob under one of its paths, for the secrets that are to be shown there: only around
    /// the places of all, if they are known.
    fn blob(&mut self, (bytes, spots): (&[u8], Option<&Stands>), path: &Arc<str>, wanted: Shown) {
        let run = self.places.run;
        let unit = Unit::whole(Origin::file(path.clone()), bytes);
        let known = spots.filter(|_| !run.naive && !decode::is_notebook_path(path));
        let near = known.and_then(|spots| Near::of(spots, bytes, self.scanner.detector()));
        let mut wanted: HashMap<SecretId, Place> = wanted.into_iter().collect();
        if let Some((near, known)) = near.as_ref().zip(known) {
            let ask = Ask {
                focus: Some(near.focus()),
                known: Some(&known.all),
                ..Ask::default()
            };
            self.scan(&unit, ask, &mut wanted);
            let is_chained = |secret: &SecretId| known.chained.binary_search(secret).is_ok();
            if wanted.keys().any(is_chained) {
                self.scan(&unit, Ask::default(), &mut wanted);
            }
        } else {
            self.scan(&unit, Ask::default(), &mut wanted);
        }
        let missed = wanted.into_iter().map(|(secret, place)| Missed {
            path: path.clone(),
            secret,
            place,
        });
        self.missed.extend(missed);
    }

    /// Scans for what is asked, and takes what is found out of `wanted`.
    fn scan(&mut self, unit: &Unit<'_>, ask: Ask<'_>, wanted: &mut HashMap<SecretId, Place>) {
        let secrets = self.places.run.secrets;
        let is_wanted =
            |rule: &RuleRef, secret: &Secret| wanted.contains_key(&secrets.of(rule, secret));
        let ask = Ask {
            wanted: Some(&is_wanted),
            ..ask
        };
        for finding in self.scanner.scan_for(unit, ask).iter() {
            if let Some(place) = wanted.remove(&secrets.number(finding)) {
                let finding = finding.clone();
                self.made
                    .push(self.places.traced(finding, Part::File, &place));
            }
        }
    }
}
