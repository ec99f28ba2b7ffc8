//! What waits for the person cannot be waved through.

use purlin_engine::gate::{Pending, Permitted};

fn yes(pending: Pending) -> Permitted {
    pending.approve_as_shown()
}

fn inside(pending: Pending) -> Permitted {
    pending.0
}

fn main() {}
