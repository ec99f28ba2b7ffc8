//! The program: reads the command line, runs, and turns what comes back into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use purlin::{Args, Code, Fatal, run};

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run(args));
            // Dropping the runtime would wait for a thread that sits in a read of stdin.
            runtime.shutdown_background();
            ended
        }
        Err(why) => Err(Fatal::new(Code::Failed, format!("starting: {why}"))),
    };
    let code = ended.unwrap_or_else(|fatal| {
        report(&fatal);
        fatal.code
    });
    ExitCode::from(code as u8)
}

#[allow(clippy::print_stderr)] // the one place that speaks for the whole program
fn report(fatal: &Fatal) {
    eprintln!("purlin: {fatal}");
}
