//! The command `deltawire`, whose code is in `src/cli`.

fn main() -> std::process::ExitCode {
    deltawire::cli::main()
}
