//! Nobody takes an answer away.

use purlin_engine::message::Step;

fn take_away(mut step: Step) -> Step {
    step.outputs.pop();
    step
}

fn main() {}
