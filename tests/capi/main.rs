//! The C ABI: the header, the symbols and the layouts are what they are said to be, and from C the
//! library does what it does from Rust.
//!
//! What needs a C compiler says `SKIPPED` where there is none. CC and CXX name others than `cc` and
//! `c++`, DW_TEST_CFLAGS has options for them (`-fsanitize=address,undefined`), and DW_TEST_RUNNER
//! a program to run what they make under (`valgrind -q --error-exitcode=9`).
//!
//! `out_of_memory` installs an allocator for all of this binary. It fails only on a thread that asked for that,
//! and there only during a call of the library, so the other tests do not notice it.

mod abi;
#[cfg(unix)]
mod driver;
mod header;
mod out_of_memory;
mod programs;
mod replay;
mod server;
mod toolchain;
