//! Automation for the project, one file per command: `cargo xtask help`.

mod bench;
mod ci;
mod client;
mod deny;
mod docs;
mod e2e;
mod fuzz;
mod install;
mod next;
mod run;
mod test;
mod tidy;
mod totals;
mod web;
mod workspace;

use std::process::ExitCode;

use totals::Totals;

const HELP: &str = "\
cargo xtask <command>

  test           every test: Rust, documentation examples, end to end (installs what they need)
  ci             what CI runs: test, tidy, format, clippy, docs, licences, pages, npm package, short fuzz runs
  tidy           the house rules that a compiler does not check
  e2e [FILE..]   end-to-end tests only, of all files or of those named
  docs           write the pages in docs/ that come from the code
  client         check and build the npm package in clients/js
  web            build the pages in web/ and fail if the committed output differs
  deny           licences, banned crates and sources of the dependency tree
  fuzz [SECONDS] run the fuzz targets for that long in all (default 30)
  bench [FLAGS]  measure against the peers; `cargo xtask bench --help`
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match command {
        "bench" => bench::run(rest).map(|()| None),
        "ci" => ci::run().map(Some),
        "client" => client::run().map(|()| None),
        "deny" => deny::run().map(|()| None),
        "docs" => docs::run().map(|()| None),
        "e2e" => e2e::run(rest).map(Some),
        "fuzz" => fuzz::run(rest).map(|()| None),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(None)
        }
        "test" => test::run().map(Some),
        "tidy" => tidy::run().map(|()| None),
        "web" => web::run().map(|()| None),
        unknown => Err(anyhow::anyhow!("unknown command `{unknown}`\n\n{HELP}")),
    };
    report(outcome)
}

/// Prints the totals as the last line, where a command has any.
fn report(outcome: anyhow::Result<Option<Totals>>) -> ExitCode {
    match outcome {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(totals)) => {
            println!("{totals}");
            if totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
