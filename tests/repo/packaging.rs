//! What packages install beside the command: completions and manual pages. Each is given to the
//! program that reads it, where that is installed.

use std::io::Write;
use std::process::{Command, Output, Stdio};

const COMMANDS: [&str; 9] = [
    "events",
    "deltas",
    "collect",
    "chat",
    "listen",
    "serve",
    "demo",
    "completions",
    "man",
];

fn deltawire(args: &[&str]) -> Output {
    let command = Command::new(env!("CARGO_BIN_EXE_deltawire"))
        .args(args)
        .output();
    command.expect("the command starts")
}

fn text(args: &[&str]) -> String {
    let output = deltawire(args);
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Gives `input` to a program; `None` where there is no such program.
fn read_by(program: &str, args: &[&str], input: &str) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped());
    let spawned = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        println!("SKIPPED: no {program} to read it");
        return None;
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("a reader");
    drop(stdin);
    Some(child.wait_with_output().expect("an end"))
}

#[test]
fn completions_are_scripts_of_their_shells() {
    for (shell, args) in [
        ("bash", &["-n"][..]),
        ("zsh", &["-n"]),
        ("fish", &["--no-execute"]),
    ] {
        let script = text(&["completions", shell]);
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}, {command}");
        }
        if let Some(output) = read_by(shell, args, &script) {
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && complaint.is_empty(),
                "{shell}: {complaint}"
            );
        }
    }
}

#[test]
fn bash_completes_what_the_command_takes() {
    let script = text(&["completions", "bash"]);
    let ask = format!(
        "{script}\nCOMP_WORDS=(deltawire ser); COMP_CWORD=1\n_deltawire deltawire ser deltawire\n\
         echo \"${{COMPREPLY[@]}}\"\nCOMP_WORDS=(deltawire serve --po); COMP_CWORD=2\n\
         _deltawire deltawire --po serve\necho \"${{COMPREPLY[@]}}\"\n"
    );
    if let Some(output) = read_by("bash", &[], &ask) {
        let reply = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(reply, "serve\n--port\n", "{complaint}");
    }
}

#[test]
fn manual_pages_are_set_without_a_warning() {
    for command in [None].into_iter().chain(COMMANDS.map(Some)) {
        let page = text(&[&["man"], command.as_slice()].concat());
        let name = command.map_or("deltawire".to_owned(), |command| {
            format!("deltawire-{command}")
        });
        assert!(page.contains(&format!(".TH {name} 1 ")), "{page}");
        if let Some(output) = read_by(
            "groff",
            &["-man", "-Tutf8", "-P-cbou", "-ww", "-K", "utf8"],
            &page,
        ) {
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && complaint.is_empty(),
                "{name}: {complaint}"
            );
            let set = String::from_utf8_lossy(&output.stdout);
            // No page has a section that those of other commands have not.
            assert!(!set.contains("EXTRA"), "{set}");
            assert!(
                set.contains("OPTIONS") || set.contains("SUBCOMMANDS"),
                "{set}"
            );
        }
    }
}

#[test]
fn the_first_page_names_all_others() {
    let page = text(&["man"]).replace("\\-", "-");
    let named: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("deltawire-")?.strip_suffix("(1)"))
        .collect();
    assert_eq!(named, COMMANDS);
    assert!(page.contains("EXIT STATUS"), "{page}");
}

#[test]
fn the_page_of_a_command_names_all_of_its_options() {
    let help = text(&["serve", "--help"]);
    let page = text(&["man", "serve"]).replace("\\-", "-");
    let options: Vec<&str> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .map(|word| word.trim_end_matches([',', '.', ';']))
        .collect();
    assert!(options.contains(&"--interval-ms"), "{help}");
    for option in options {
        assert!(page.contains(option), "{option}");
    }
}

#[test]
fn there_is_no_page_of_a_command_that_is_not_there() {
    let output = deltawire(&["man", "nothing"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "deltawire: `nothing` is not a command of deltawire\n"
    );
}
