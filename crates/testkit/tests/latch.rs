//! A latch opens once, for threads and for tasks.

use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::executor::block_on;
use purlin_testkit::Latch;

#[test]
fn a_closed_latch_is_waited_for_no_longer_than_the_limit() {
    let latch = Latch::new();
    assert!(!latch.wait(Duration::from_millis(5)));
    assert_eq!(latch.opened().now_or_never(), None);
    assert_eq!(latch.opened_at(), None);
}

#[test]
fn opening_wakes_threads_and_tasks() {
    let latch = Latch::new();
    thread::scope(|scope| {
        let thread = scope.spawn(|| latch.wait(Duration::from_secs(20)));
        let task = scope.spawn(|| block_on(latch.opened()));
        latch.clone().open();
        assert!(thread.join().is_ok_and(|open| open));
        assert!(task.join().is_ok());
    });
}

#[test]
fn a_latch_remembers_when_it_was_opened_first() {
    let latch = Latch::new();
    latch.open();
    let first = latch.opened_at();
    latch.open();
    assert!(first.is_some() && latch.opened_at() == first);
}
