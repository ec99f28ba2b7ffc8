//! A plan becomes runnable in the gate and nowhere else.

use purlin_engine::gate::{Permitted, Plan};

fn bypass(plan: Plan) -> Permitted {
    Permitted(plan)
}

fn main() {}
