//! A progress bar on standard error, for runs that take longer than a moment.

use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use keysweep::pipeline::Progress;

/// How long a run may take before it is worth a bar.
const MOMENT: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Runs `work`, showing how many `things` of how many are done when somebody is there to look.
pub fn watch<T>(quiet: bool, things: &str, progress: &Progress, work: impl FnOnce() -> T) -> T {
    if quiet || !io::stderr().is_terminal() {
        return work();
    }
    std::thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        scope.spawn(move || show(progress, things, &stopped));
        let result = work();
        drop(stop);
        result
    })
}

fn show(progress: &Progress, things: &str, stopped: &mpsc::Receiver<()>) {
    if stopped.recv_timeout(MOMENT) != Err(mpsc::RecvTimeoutError::Timeout) {
        return;
    }
    let bar = ProgressBar::new(0);
    let form = format!("{{bar:30}} {{human_pos}}/{{human_len}} {things}, {{msg}} ({{eta}} left)");
    if let Ok(style) = ProgressStyle::with_template(&form) {
        bar.set_style(style);
    }
    loop {
        bar.set_length(progress.expected.load(Ordering::Relaxed));
        bar.set_position(progress.done.load(Ordering::Relaxed));
        let bytes = progress.bytes.load(Ordering::Relaxed);
        bar.set_message(indicatif::HumanBytes(bytes).to_string());
        if stopped.recv_timeout(TICK) != Err(mpsc::RecvTimeoutError::Timeout) {
            return bar.finish_and_clear();
        }
    }
}
