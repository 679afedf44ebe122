//! The C library is linked for its start-up code and for `write`.
fn main() {
    println!("cargo::rustc-link-lib=c");
}
