//! Ctrl+C, Ctrl+D, and leaving in words.

use purlin_engine::event::{Ended, Event};
use purlin_engine::message::UserMessage;
use purlin_tui::{Action, Ink, Input, Look, Reach};

use crate::sitting::{Sitting, done, interrupt, permit, prompt, steer, text};

fn at_a_terminal() -> Sitting {
    let look = Look { ink: Ink::Plain, input: Reach::Terminal, output: Reach::Terminal };
    Sitting::with(look)
}

#[test]
fn ctrl_c_stops_the_turn_and_the_text_so_far_stays() {
    let mut sitting = Sitting::working();
    sitting.event(text("I was about to"));
    sitting.input(Input::Interrupt);
    assert_eq!(sitting.done(), [interrupt()]);
    sitting.event(Event::Ended(Ended::Interrupted));
    assert_eq!(
        sitting.seen(),
        "I was about to\n\
         interrupted: what was done stays done\n\
         hint: say how to go on, or /undo the last change\n\
         › "
    );
}

#[test]
fn ctrl_c_at_a_question_stops_the_turn_and_is_no_yes() {
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "make"));
    sitting.input(Input::Interrupt);
    assert_eq!(sitting.done(), [interrupt()]);
    sitting.line("y");
    assert_eq!(sitting.done(), [steer("y")], "the question is gone");
}

#[test]
fn ctrl_c_when_idle_clears_the_line_and_twice_in_a_row_leaves() {
    let mut sitting = at_a_terminal();
    sitting.input(Input::Interrupt);
    assert_eq!(sitting.seen(), "\nCtrl+C once more leaves\n› ");
    assert_eq!(sitting.done(), []);
    sitting.input(Input::Interrupt);
    assert_eq!(sitting.seen(), "\n");
    assert_eq!(sitting.done(), [Action::Quit]);
}

#[test]
fn a_line_between_two_ctrl_c_means_not_in_a_row() {
    let mut sitting = at_a_terminal();
    sitting.input(Input::Interrupt);
    sitting.line("");
    sitting.input(Input::Interrupt);
    assert_eq!(sitting.done(), []);
}

#[test]
fn a_turn_that_will_not_stop_can_be_left() {
    let mut sitting = Sitting::working();
    sitting.input(Input::Interrupt);
    sitting.input(Input::Interrupt);
    sitting.event(text("still here"));
    assert_eq!(sitting.done(), [interrupt()]);
    sitting.input(Input::Interrupt);
    assert_eq!(sitting.done(), [Action::Quit]);
}

#[test]
fn ctrl_c_also_ends_the_wait_for_a_command() {
    let mut sitting = at_a_terminal();
    sitting.line("/compact");
    sitting.done();
    sitting.input(Input::Interrupt);
    assert_eq!(sitting.done(), [interrupt()]);
    sitting.input(Input::Interrupt);
    assert_eq!(sitting.done(), [interrupt(), Action::Quit]);
}

#[test]
fn ctrl_d_leaves_and_says_how_to_come_back() {
    let mut sitting = at_a_terminal();
    sitting.input(Input::EndOfInput);
    assert_eq!((sitting.seen().as_str(), sitting.done()), ("\n", vec![Action::Quit]));

    let mut sitting = at_a_terminal();
    sitting.line("hi");
    sitting.event(Event::Said(UserMessage::person("hi")));
    sitting.event(text("Hel"));
    sitting.done();
    sitting.input(Input::EndOfInput);
    assert_eq!(sitting.seen(), "Hel\nto go on with this session: purlin --resume s1\n");
    assert_eq!(sitting.done(), [interrupt(), Action::Quit]);
}

#[test]
fn the_end_of_a_pipe_waits_for_everything_that_was_said() {
    let mut sitting = Sitting::new();
    sitting.line("one");
    sitting.line("two");
    sitting.input(Input::EndOfInput);
    assert_eq!(sitting.done(), [prompt("one"), steer("two")]);
    sitting.event(Event::Said(UserMessage::person("one")));
    sitting.event(done());
    assert_eq!(sitting.done(), [], "the second is still to come");
    sitting.event(Event::Said(UserMessage::person("two")));
    sitting.event(done());
    assert_eq!(sitting.done(), [Action::Quit]);
    assert!(sitting.seen().ends_with("purlin --resume s1\n"), "no prompt at the end");
}

#[test]
fn the_end_of_a_pipe_waits_for_a_command_too() {
    let mut sitting = Sitting::new();
    sitting.line("/sessions");
    sitting.input(Input::EndOfInput);
    assert_eq!(sitting.done(), [Action::Sessions]);
    sitting.input(Input::Sessions(Vec::new()));
    assert_eq!(sitting.done(), [Action::Quit]);
}

#[test]
fn words_that_leave() {
    for word in ["exit", "quit", "/exit", "/quit", "EXIT", "/Quit", " exit "] {
        let mut sitting = Sitting::new();
        sitting.line(word);
        assert_eq!(sitting.done(), [Action::Quit], "{word:?}");
        let mut sitting = Sitting::working();
        sitting.line(word);
        assert_eq!(sitting.done(), [interrupt(), Action::Quit], "{word:?} in a turn");
    }
    let mut sitting = Sitting::new();
    sitting.line("exit codes: which are there?");
    assert_eq!(sitting.done(), [prompt("exit codes: which are there?")]);
}

#[test]
fn nothing_happens_after_leaving() {
    let mut sitting = Sitting::new();
    sitting.line("exit");
    sitting.done();
    sitting.input(Input::Interrupt);
    sitting.input(Input::EndOfInput);
    assert_eq!(sitting.done(), []);
}

#[test]
fn an_empty_line_is_not_sent() {
    let mut sitting = Sitting::new();
    sitting.line("");
    sitting.line("  ");
    assert_eq!((sitting.seen().as_str(), sitting.done()), ("\n›   \n› ", vec![]));
}
