//! A one-shot run prints with the same page: text to one stream, talk to the other.

use purlin_engine::event::{AgentId, Ended, Event, Told};
use purlin_tui::{Ink, Look, Page, Print, Reach, Stream};

use crate::sitting::{answered, reads, started, text};

#[test]
fn a_page_tells_events_without_a_session() {
    let look = Look { ink: Ink::Plain, input: Reach::Elsewhere, output: Reach::Elsewhere };
    let mut page = Page::new(look);
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
         hint: the session is kept: resume it with a higher limit\n"
    );
}
