//! `deltawire completions` and `deltawire man`: what a package installs beside the command, made from
//! the definitions of its arguments.

use std::io::{self, Write};

use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::outcome::{Failure, Outcome};

/// What `--help` says below the arguments.
const DETAILS: &str = "\
Install the script where the shell looks for it:
    bash  /usr/share/bash-completion/completions/deltawire
    zsh   _deltawire, in a folder of $fpath
    fish  /usr/share/fish/vendor_completions.d/deltawire.fish";

/// What no definition of an argument tells, as troff.
const EXIT_STATUS: &str = r#".SH "EXIT STATUS"
.TP
\fB0\fR
Success.
.TP
\fB1\fR
The stream carried an error or was truncated.
.TP
\fB2\fR
Wrong usage, or a file could not be read.
.TP
\fB3\fR
The connection failed, or the server returned an error.
.TP
\fB130\fR
Interrupted by Ctrl\-C.
"#;

#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete for
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Print deltawire-COMMAND(1) instead of deltawire(1)
    command: Option<String>,
}

pub(crate) fn completions(
    mut all: clap::Command,
    args: &CompletionsArgs,
) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut all, "deltawire", &mut script);
    print(&script)
}

pub(crate) fn man(all: clap::Command, args: &ManArgs) -> Result<Outcome, Failure> {
    // `help` is no command with a page.
    let mut all = all.disable_help_subcommand(true);
    // Gives the commands their full names.
    all.build();
    let source = all.render_version().trim().to_owned();
    let page = match args.command.as_deref() {
        None => Man::new(all),
        Some(name) => {
            let known = all.find_subcommand(name);
            let command = known
                .ok_or_else(|| Failure::Usage(format!("`{name}` is not a command of deltawire")))?;
            Man::new(command.clone()).title(format!("deltawire-{name}"))
        }
    };
    let mut text = Vec::new();
    page.source(source)
        .render(&mut text)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    // What stands below the arguments has no name that manual pages know.
    let text = String::from_utf8_lossy(&text).replace("\n.SH EXTRA\n", "\n.SH NOTES\n");
    print(format!("{text}{EXIT_STATUS}").as_bytes())
}

fn print(text: &[u8]) -> Result<Outcome, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .map_err(|_| Failure::OutputClosed)?;
    Ok(Outcome::Done)
}
