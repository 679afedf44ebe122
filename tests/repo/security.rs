//! `SECURITY.md` names a test for each promise: each is there, and is a test. And what it promises of the
//! sources themselves.

use std::path::{Path, PathBuf};

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// Whether a file has a test of that name: one with the attribute, or in `proptest!`, which puts it
/// there.
fn has_test(source: &str, name: &str) -> bool {
    let signature = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let above = lines[..at].iter().rev();
        line.starts_with(&signature)
            && above
                .take_while(|line| line.starts_with("#["))
                .any(|line| *line == "#[test]")
    })
}

#[test]
fn this_page_has_all_promises_and_names_only_what_is_there() {
    let page = read("SECURITY.md").expect("SECURITY.md");
    let mut tests = 0;
    for name in page.split('`').skip(1).step_by(2) {
        let name = name.split(' ').next().unwrap_or_default();
        let is_path = ["tests/", "src/", "benches/", "fuzz/", ".ci/"]
            .iter()
            .any(|start| name.starts_with(start));
        // The form that tests are named in.
        if !is_path || name.contains("FILE") {
            continue;
        }
        let (path, test) = name.split_once("::").unwrap_or((name, ""));
        let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(there.exists(), "{name} is not there");
        if !test.is_empty() {
            let source = read(path).expect("a source");
            assert!(has_test(&source, test), "{name} is no test");
            tests += 1;
        }
    }
    assert!(tests > 50, "{tests}");
    for stage in page.split("`.ci/run ").skip(1) {
        let stage = stage.split('`').next().unwrap_or_default();
        let run = read(".ci/run").expect(".ci/run");
        assert!(
            run.contains(&format!("stage_{stage}()")),
            "no stage {stage}"
        );
    }
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .collect();
    let numbers: Vec<Option<usize>> = rows
        .iter()
        .map(|row| row.split('|').nth(1)?.trim().parse().ok())
        .collect();
    assert_eq!(numbers, (1..=23).map(Some).collect::<Vec<_>>());
    for row in rows {
        let shown = row.split('|').nth(3).unwrap_or_default().trim();
        assert!(!shown.is_empty(), "nothing shows: {row}");
    }
}

#[test]
fn a_test_that_is_not_there_would_be_missed() {
    let source = "#[test]\nfn one() {}\nfn two() {}\n#[test]\n#[ignore]\nfn three() {}";
    assert!(has_test(source, "one") && has_test(source, "three"));
    assert!(!has_test(source, "two") && !has_test(source, "on"));
}

/// The Rust sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lint alone would not do: any file may allow what it denies.
#[test]
fn nothing_but_the_c_abi_is_unsafe() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut said = Vec::new();
    let mut in_capi = 0;
    for path in sources(&src) {
        let text = std::fs::read_to_string(&path).expect("a source");
        let code = text.lines().map(str::trim);
        let code = code.filter(|line| !line.starts_with("//") && line.contains("unsafe"));
        if path.starts_with(src.join("capi")) {
            in_capi += code.count();
        } else {
            let name = path.strip_prefix(&src).expect("a source").to_owned();
            said.extend(code.map(|line| (name.clone(), line.to_owned())));
        }
    }
    let lint = (PathBuf::from("lib.rs"), "#![deny(unsafe_code)]".to_owned());
    assert_eq!(said, [lint]);
    assert!(in_capi > 100, "{in_capi}: nothing was read");
}
