//! The `roomkey` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    roomkey::main()
}
