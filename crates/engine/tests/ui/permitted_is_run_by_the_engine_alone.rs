//! Not even what the gate permitted is run by anybody else: no keeper would have kept what it
//! destroys.

use purlin_engine::gate::{Outcome, Permitted};

async fn run(permitted: Permitted) -> Outcome {
    permitted.run().await
}

fn main() {}
