//! A one-shot run prints with the same page: text to one stream, talk to the other.

use purlin_engine::event::{AgentId, Ended, Event, Told};
use purlin_tui::{Ink, Look, Page, Print, Reach, Setting, Stream};

use crate::sitting::{answered, reads, started, text};

#[test]
fn a_page_tells_events_without_a_session() {
    let look = Look { ink: Ink::Plain, input: Reach::Elsewhere, output: Reach::Elsewhere };
    let mut page = Page::new(look);
    page.setting = Setting::OneShot;
    let told = |event| Told { agent: AgentId::default(), event };
    let events = [
        started("1", "read_file a", reads("/a")),
        answered("1", "x"),
        Event::Notice("using a local server".into()),
        text("All is well."),
        Event::Ended(Ended::Budget("$1 of $1".into())),
    ];
    let prints: Vec<Print> = events.into_iter().flat_map(|event| page.tell(&told(event))).collect();
    let of = |stream| {
        let mine = prints.iter().filter(|print| print.to == stream);
        mine.map(|print| print.text.as_str()).collect::<String>()
    };
    assert_eq!(of(Stream::Out), "All is well.\n");
    assert_eq!(
        of(Stream::Err),
        "● read_file a\n    x\nusing a local server\nbudget: $1 of $1\n\
         hint: to go on: purlin -c -p \"continue\", with a higher --max-cost\n"
    );
}

#[test]
fn after_one_shot_a_hint_is_something_for_the_shell() {
    let look = Look { ink: Ink::Plain, input: Reach::Elsewhere, output: Reach::Elsewhere };
    let ends = [
        (Ended::Interrupted, "purlin -c"),
        (Ended::Limit("50 rounds".into()), "purlin -c"),
        (Ended::Repetition("5 times".into()), "purlin -c"),
        (Ended::Refused("rm".into()), "--yes"),
        (Ended::Auth("401".into()), "purlin -c"),
        (Ended::Provider("503".into()), "-m names another model"),
        (Ended::Failed("odd".into()), "purlin -c"),
    ];
    for (ended, hint) in ends {
        let mut page = Page::new(look);
        page.setting = Setting::OneShot;
        let told = Told { agent: AgentId::default(), event: Event::Ended(ended) };
        let said: String = page.tell(&told).into_iter().map(|print| print.text).collect();
        assert!(said.contains(hint) && !said.contains(" /"), "{said}");
    }
}
