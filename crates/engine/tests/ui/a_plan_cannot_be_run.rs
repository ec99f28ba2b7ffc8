//! A plan's future cannot be reached from outside.

use purlin_engine::gate::{Outcome, Plan};

async fn run(plan: Plan) -> Outcome {
    plan.run.await
}

fn main() {}
