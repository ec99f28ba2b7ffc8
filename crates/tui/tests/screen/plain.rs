//! Text of models, files and programs is plain text.

use purlin_engine::event::{Event, Question};
use purlin_tui::view::plain::{one_line, plain};
use purlin_tui::{Input, Listed};

use crate::sitting::{Sitting, answered, permit, reads, session, started, text, thinking};

const MARKUP: &str = "[/b] [/] [bold]*x*`y` <i>&amp;";

#[test]
fn cc_21_markup_in_an_argument_is_just_text() {
    let mut sitting = Sitting::working();
    sitting.event(text(MARKUP));
    sitting.event(thinking(MARKUP));
    sitting.event(started("1", &format!("grep {MARKUP}"), reads("/p")));
    sitting.event(answered("1", MARKUP));
    sitting.event(Event::Notice(MARKUP.into()));
    assert_eq!(
        sitting.seen(),
        format!("{MARKUP}\nthinking: {MARKUP}\n● grep {MARKUP}\n    {MARKUP}\n{MARKUP}\n")
    );
    sitting.ask(1, permit("1", MARKUP));
    assert!(sitting.seen().contains(&format!("  │ {MARKUP}\n")));
}

#[test]
fn cc_21_nothing_that_is_shown_can_steer_the_terminal() {
    let evil = "a\x1b[2Jb\x1b]0;t\x07c\rd\u{9b}31me\u{202e}f\0g\u{7f}\u{8}";
    let mut sitting = Sitting::working();
    sitting.event(text(evil));
    sitting.event(thinking(evil));
    sitting.event(started("1", evil, reads("/p")));
    sitting.event(answered("1", evil));
    sitting.event(Event::Notice(evil.into()));
    sitting.event(Event::Diff(evil.into()));
    sitting.ask(1, permit("2", evil));
    let choose = Question::Choose { text: evil.into(), choices: vec![evil.into()] };
    sitting.event_of(evil, Event::Ask { ask: purlin_engine::event::AskId(2), question: choose });
    sitting.line("y");
    sitting.input(Input::Failed(evil.into()));
    sitting.input(Input::Saved(evil.into()));
    sitting.input(Input::Opened(session(evil, 3)));
    let listed =
        Listed { id: evil.into(), name: Some(evil.into()), when: evil.into(), about: evil.into() };
    sitting.input(Input::Sessions(vec![listed]));
    sitting.line(evil);
    sitting.line(&format!("/{evil}"));
    sitting.line(&format!("/help {evil}"));
    let seen = sitting.seen();
    let control = |c: &char| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c);
    assert_eq!(seen.chars().find(control), None, "{seen:?}");
}

#[test]
fn control_characters_become_visible_signs() {
    assert_eq!(plain("a\tb\nc\r\nd"), "a\tb\nc\nd");
    assert_eq!(plain("\x1b[31mred\x1b[0m\r!"), "␛[31mred␛[0m␍!");
    assert_eq!(plain("\u{9b}1m \u{202e}txt.exe"), "<U+009B>1m <U+202E>txt.exe");
    assert_eq!(plain("日本語 👩‍👩‍👧 עברית"), "日本語 👩‍👩‍👧 עברית");
}

#[test]
fn a_title_is_one_line() {
    assert_eq!(one_line("bash a\nb\tc", 40), "bash a ␊ b c");
    assert_eq!(one_line("日本語", 2), "日本…");
}

#[test]
fn a_command_cannot_pass_for_our_own_words() {
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "true\n  y yes · a always (nothing)\nanswer › y"));
    let seen = sitting.seen();
    let ours = seen.lines().filter(|line| !line.starts_with("  │ ")).count();
    assert_eq!(ours, 3, "{seen}");
}
