//! Output shown while a command runs: at once, but never a flood, for events queue in memory.

use std::time::Instant;

use super::text::clean;

/// Bytes shown at once at most, and per second.
const FLOW: usize = 32 << 10;

/// How much may be shown now.
pub(super) struct Progress {
    allowed: usize,
    since: Instant,
}

impl Default for Progress {
    fn default() -> Self {
        Progress { allowed: FLOW, since: Instant::now() }
    }
}

impl Progress {
    /// The end of the piece, as much of it as may be shown.
    pub(super) fn take(&mut self, piece: &[u8]) -> Option<String> {
        let earned = self.since.elapsed().as_millis() * FLOW as u128 / 1000;
        if earned > 0 {
            self.since = Instant::now();
            self.allowed = FLOW.min(self.allowed + usize::try_from(earned).unwrap_or(FLOW));
        }
        let shown = &piece[piece.len().saturating_sub(self.allowed)..];
        self.allowed -= shown.len();
        (!shown.is_empty()).then(|| clean(&String::from_utf8_lossy(shown)))
    }
}
