//! How often a main process that died is started again.

use std::time::{Duration, Instant};

const AT_MOST: u32 = 5;
/// A main process that lived this long was well: its end starts a new count.
const WELL_AFTER: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Restarts {
    in_a_row: u32,
}

impl Restarts {
    /// Whether to start again, after a main process that ran from `started` to `ended`.
    pub fn allow(&mut self, started: Instant, ended: Instant) -> bool {
        if ended.duration_since(started) >= WELL_AFTER {
            self.in_a_row = 0;
        }
        self.in_a_row += 1;
        self.in_a_row <= AT_MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_main_process_that_dies_at_once_is_given_up_after_five_restarts() {
        let mut restarts = Restarts::default();
        let now = Instant::now();
        let allowed = (0..7).filter(|_| restarts.allow(now, now)).count();
        assert_eq!(allowed, 5);
    }

    #[test]
    fn one_that_was_well_for_a_minute_starts_a_new_count() {
        let mut restarts = Restarts::default();
        let now = Instant::now();
        for _ in 0..5 {
            assert!(restarts.allow(now, now));
        }
        assert!(restarts.allow(now, now + WELL_AFTER));
        assert!(restarts.allow(now, now));
    }
}
