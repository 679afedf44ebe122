//! Programs in C that say themselves whether all is well.

use crate::toolchain::{checked_library, program, run, runner};

#[test]
fn misuse_does_what_the_header_says() {
    let source = "tests/capi/c/misuse.c";
    let Some(program) = program(source, "misuse", &[checked_library()]) else {
        return;
    };
    let output = run(&mut runner(&program));
    print!("{}", String::from_utf8_lossy(&output.stdout));
}
