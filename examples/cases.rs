//! Writes the streams that every binding in `ffi-examples` has to read, and what they give, as
//! `tests/support/src/cases.rs` says.
//!
//!     cargo run --example cases -- FOLDER
use std::path::PathBuf;

fn main() {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: cases FOLDER");
        std::process::exit(2);
    };
    println!("{} cases", deltawire_test_support::cases::write(&folder));
}
