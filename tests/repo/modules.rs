//! The modules of `src` depend on each other one way: no circle among the areas below `src`, nor among
//! the modules of a folder.
//!
//! The graph comes from the sources. A module depends on the module that defines what it names, in a
//! `use` or in a path that begins with `crate`, `super`, `self`, `deltawire` or a module inside it. A name
//! that is re-exported counts for the module that defines it. Code under `#[cfg(test)]` does not count.
//!
//! Each folder is checked by itself: its modules, each with all that is inside it. So `a::x` may not depend
//! on `b::y` if `b::z` depends on `a::w`. Between a folder's `mod.rs` and the modules inside it both ways are
//! allowed: the table of dialects names every dialect, and each of these names the type of its row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Circles that are known, as the test prints their members. Keep this empty.
const ALLOWED: &[&str] = &[];

/// A module by its path below the crate; the crate itself is empty.
type Module = Vec<String>;

/// The imports of a module, and the paths that it names.
#[derive(Debug, Default)]
struct Source {
    /// The name in this module, and the path that it stands for.
    imports: BTreeMap<String, Vec<String>>,
    named: Vec<Vec<String>>,
}

/// The code without comments, strings and characters, in words and signs; `::` is one of them.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let starts = |at: usize, what: &str| {
        what.chars()
            .enumerate()
            .all(|(n, c)| chars.get(at + n) == Some(&c))
    };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if starts(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if starts(at, "/*") {
            while at < chars.len() && !starts(at, "*/") {
                at += 1;
            }
            at += 2;
        } else if c == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' {
            // A lifetime has no quote after it.
            if chars.get(at + 1) == Some(&'\\') {
                at += 3;
                while at < chars.len() && chars[at] != '\'' {
                    at += 1;
                }
                at += 1;
            } else if chars.get(at + 2) == Some(&'\'') {
                at += 3;
            } else {
                at += 1;
            }
        } else if is_word(c) {
            let start = at;
            while at < chars.len() && is_word(chars[at]) {
                at += 1;
            }
            let word: String = chars[start..at].iter().collect();
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            if matches!(&*word, "r" | "br" | "cr") && chars.get(at + hashes) == Some(&'"') {
                let end = format!("\"{}", "#".repeat(hashes));
                at += hashes + 1;
                while at < chars.len() && !starts(at, &end) {
                    at += 1;
                }
                at += end.len();
            } else {
                found.push(word);
            }
        } else if starts(at, "::") {
            found.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                found.push(c.to_string());
            }
            at += 1;
        }
    }
    found
}

/// The position after what the sign at `at` opens.
fn after_group(tokens: &[String], mut at: usize) -> usize {
    let mut depth = 0;
    while at < tokens.len() {
        match &*tokens[at] {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

/// Leaves out the items under `#[cfg(test)]`; returns the modules among them, too.
fn without_tests(tokens: &[String]) -> (Vec<String>, BTreeSet<String>) {
    let (mut kept, mut modules) = (Vec::new(), BTreeSet::new());
    let mut at = 0;
    while at < tokens.len() {
        let is_test = tokens[at..].len() > 6
            && tokens[at] == "#"
            && tokens[at + 2] == "cfg"
            && tokens[at..after_group(tokens, at + 1)].contains(&"test".to_owned())
            && !tokens[at..after_group(tokens, at + 1)].contains(&"not".to_owned());
        if !is_test {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at = after_group(tokens, at + 1);
        while at < tokens.len() && !matches!(&*tokens[at], ";" | "{") {
            if tokens[at] == "mod" {
                modules.insert(tokens[at + 1].clone());
            }
            at += 1;
        }
        at = match tokens.get(at).map(String::as_str) {
            Some("{") => after_group(tokens, at),
            _ => at + 1,
        };
    }
    (kept, modules)
}

/// Reads a tree of `use` and appends its paths, each with the name that it gets here.
fn use_tree(
    tokens: &[String],
    at: &mut usize,
    prefix: &[String],
    paths: &mut Vec<(String, Vec<String>)>,
) {
    let mut path = prefix.to_vec();
    while *at < tokens.len() {
        match &*tokens[*at] {
            "::" => *at += 1,
            "{" => {
                *at += 1;
                while tokens[*at] != "}" {
                    use_tree(tokens, at, &path, paths);
                    if tokens[*at] == "," {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "as" => {
                paths.push((tokens[*at + 1].clone(), path));
                *at += 2;
                return;
            }
            ";" | "," | "}" => {
                // `{self}` names the path before it.
                if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                paths.push((path.last().cloned().unwrap_or_default(), path));
                return;
            }
            word => {
                path.push(word.to_owned());
                *at += 1;
            }
        }
    }
}

/// Makes a path begin at the crate. `None` if it is that of another crate.
fn absolute(
    path: &[String],
    module: &Module,
    inline: usize,
    modules: &BTreeSet<Module>,
) -> Option<Vec<String>> {
    let mut base = module.clone();
    let mut depth = inline;
    let mut at = 0;
    match &*path[0] {
        "crate" | "deltawire" => {
            base.clear();
            at = 1;
        }
        "self" => at = 1,
        "super" => {
            while path.get(at).is_some_and(|word| word == "super") {
                // The first ones lead out of modules that have no file.
                if depth > 0 {
                    depth -= 1;
                } else {
                    base.pop();
                }
                at += 1;
            }
        }
        child => {
            let inside = [&module[..], &[child.to_owned()]].concat();
            if !modules.contains(&inside) {
                return None;
            }
        }
    }
    base.extend_from_slice(&path[at..]);
    Some(base)
}

/// Reads what a module imports and names.
fn read(tokens: &[String], module: &Module, modules: &BTreeSet<Module>) -> Source {
    let mut source = Source::default();
    // Depths of braces at which modules without a file begin.
    let (mut depth, mut inline) = (0, Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        match &*tokens[at] {
            "{" => depth += 1,
            "}" => {
                if inline.last() == Some(&depth) {
                    inline.pop();
                }
                depth -= 1;
            }
            "mod" if tokens.get(at + 2).is_some_and(|sign| sign == "{") => inline.push(depth + 1),
            "use" => {
                at += 1;
                let mut paths = Vec::new();
                use_tree(tokens, &mut at, &[], &mut paths);
                for (name, path) in paths {
                    let Some(path) = absolute(&path, module, inline.len(), modules) else {
                        continue;
                    };
                    source.imports.insert(name, path.clone());
                    source.named.push(path);
                }
                continue;
            }
            _ if tokens.get(at + 1).is_some_and(|sign| sign == "::")
                && (at == 0 || !matches!(&*tokens[at - 1], "::" | "." | "in")) =>
            {
                let mut path = vec![tokens[at].clone()];
                while tokens.get(at + 1).is_some_and(|sign| sign == "::") {
                    let Some(word) = tokens.get(at + 2) else {
                        break;
                    };
                    if !word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                        break;
                    }
                    path.push(word.clone());
                    at += 2;
                }
                let path = absolute(&path, module, inline.len(), modules);
                source.named.extend(path);
            }
            _ => {}
        }
        at += 1;
    }
    source
}

/// The module that defines what a path names.
fn definer(
    path: &[String],
    sources: &BTreeMap<Module, Source>,
    modules: &BTreeSet<Module>,
    depth: usize,
) -> Module {
    let mut module = Module::new();
    for (at, word) in path.iter().enumerate() {
        module.push(word.clone());
        if modules.contains(&module) {
            continue;
        }
        module.pop();
        let import = sources.get(&module).and_then(|it| it.imports.get(word));
        if let Some(import) = import.filter(|_| depth < 16) {
            let target = [&import[..], &path[at + 1..]].concat();
            if target != path {
                return definer(&target, sources, modules, depth + 1);
            }
        }
        break;
    }
    module
}

/// The texts of all modules below a folder.
fn texts(folder: &Path, module: &Module, found: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut inside = module.clone();
        if path.is_dir() {
            inside.push(stem.into_owned());
            texts(&path, &inside, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            if !matches!(&*stem, "lib" | "mod") {
                inside.push(stem.into_owned());
            }
            found.insert(inside, fs::read_to_string(&path).expect("a source"));
        }
    }
}

/// Each module with those that it depends on.
fn graph(texts: &BTreeMap<Module, String>) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut code = BTreeMap::new();
    let mut modules: BTreeSet<Module> = texts.keys().cloned().collect();
    for (module, text) in texts {
        let (kept, tests) = without_tests(&tokens(text));
        for test in tests {
            modules.remove(&[&module[..], &[test]].concat());
        }
        code.insert(module.clone(), kept);
    }
    code.retain(|module, _| modules.contains(module));
    let sources: BTreeMap<Module, Source> = code
        .iter()
        .map(|(module, tokens)| (module.clone(), read(tokens, module, &modules)))
        .collect();
    let mut graph = BTreeMap::new();
    for (module, source) in &sources {
        let named = source.named.iter();
        let mut targets: BTreeSet<Module> = named
            .map(|path| definer(path, &sources, &modules, 0))
            .collect();
        targets.remove(module);
        graph.insert(module.clone(), targets);
    }
    graph
}

/// The circles of a graph, each as its members and the edges among them.
fn circles(graph: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for folder in graph.keys() {
        // A module of the folder stands for all that is inside it.
        let member = |module: &Module| {
            let is_inside = module.starts_with(folder) && module.len() > folder.len();
            is_inside.then(|| module[..=folder.len()].to_vec())
        };
        let mut edges: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        let mut because = Vec::new();
        for (module, targets) in graph {
            for target in targets {
                if let (Some(from), Some(to)) = (member(module), member(target))
                    && from != to
                {
                    edges.entry(from.clone()).or_default().insert(to.clone());
                    because.push((from, to, format!("{} -> {}", show(module), show(target))));
                }
            }
        }
        let reached = |from: &Module| {
            let mut reached = BTreeSet::new();
            let mut next = vec![from];
            while let Some(module) = next.pop() {
                for target in edges.get(module).into_iter().flatten() {
                    if reached.insert(target) {
                        next.push(target);
                    }
                }
            }
            reached
        };
        let mut done = BTreeSet::new();
        for module in edges.keys() {
            let from = reached(module);
            if !from.contains(module) || done.contains(module) {
                continue;
            }
            let members: Vec<&Module> = from
                .into_iter()
                .filter(|other| reached(other).contains(module))
                .collect();
            done.extend(members.iter().copied());
            let names: Vec<String> = members.iter().map(|module| show(module)).collect();
            let among = because
                .iter()
                .filter(|(from, to, _)| members.contains(&from) && members.contains(&to));
            found.push((
                names.join(", "),
                among.map(|(_, _, edge)| edge.clone()).collect(),
            ));
        }
    }
    found
}

fn show(module: &[String]) -> String {
    match module {
        [] => "crate".to_owned(),
        module => module.join("::"),
    }
}

#[test]
fn no_modules_depend_on_each_other_in_a_circle() {
    let mut found = BTreeMap::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    texts(&src, &Module::new(), &mut found);
    // The command's program is a crate of its own.
    found.retain(|module, _| module.first().is_none_or(|area| area != "bin"));
    let graph = graph(&found);
    let edges: usize = graph.values().map(BTreeSet::len).sum();
    println!("{} modules, {edges} edges", graph.len());
    assert!(graph.len() > 50 && edges > 150, "nothing was read");
    let circles: Vec<String> = circles(&graph)
        .into_iter()
        .filter(|(members, _)| !ALLOWED.contains(&&**members))
        .map(|(members, edges)| format!("{members}\n    {}", edges.join("\n    ")))
        .collect();
    assert!(
        circles.is_empty(),
        "{} circles:\n{}",
        circles.len(),
        circles.join("\n")
    );
}

/// The circles of modules with these texts.
fn circles_of(texts: &[(&str, &str)]) -> Vec<String> {
    let texts = texts.iter().map(|(module, text)| {
        let path = module.split("::").filter(|word| !word.is_empty());
        (path.map(str::to_owned).collect(), (*text).to_owned())
    });
    let circles = circles(&graph(&texts.collect()));
    circles.into_iter().map(|(members, _)| members).collect()
}

#[test]
fn a_circle_is_found_and_a_chain_is_not() {
    let chain = [("", "mod a; mod b;"), ("a", "use crate::b::B;"), ("b", "")];
    assert_eq!(circles_of(&chain), [""; 0]);
    for back in [
        "use crate::a::A;",
        "use super::{a::{self, A as C}};",
        "fn b() { super::a::a(); }",
        "mod inner { use super::super::a::A; }",
        "use crate::A;",
    ] {
        let lib = "mod a; mod b; pub use a::A;";
        let circle = [("", lib), ("a", "use crate::b::B;"), ("b", back)];
        assert_eq!(circles_of(&circle), ["a, b"], "{back}");
    }
    // Three, and areas whose single modules make none.
    assert_eq!(
        circles_of(&[
            ("", ""),
            ("a", "use crate::b;"),
            ("b", "use crate::c::x;"),
            ("c", "use crate::a;"),
        ]),
        ["a, b, c"]
    );
    assert_eq!(
        circles_of(&[
            ("", ""),
            ("a", ""),
            ("a::x", "use crate::b::y;"),
            ("a::w", ""),
            ("b", ""),
            ("b::y", ""),
            ("b::z", "use crate::a::w;"),
        ]),
        ["a, b"]
    );
}

#[test]
fn a_folder_and_its_modules_may_depend_both_ways() {
    let folder = "mod x; mod y; pub use y::Y; struct Own; fn f() { x::f() }";
    let mut texts = vec![
        ("", "mod a;"),
        ("a", folder),
        ("a::x", "use super::{Own, Y};"),
    ];
    texts.push(("a::y", "use super::Own;"));
    assert_eq!(circles_of(&texts), [""; 0]);
    texts[3].1 = "use super::x::X;";
    assert_eq!(circles_of(&texts), ["a::x, a::y"]);
}

#[test]
fn tests_comments_and_strings_do_not_count() {
    for silent in [
        "// crate::a::A\n/* crate::a::A */",
        "const S: &str = \"crate::a::A\"; const R: &str = r#\"crate::a \" A\"#; const C: char = '\"';",
        "#[cfg(test)] mod tests { use crate::a::A; }",
        "#[cfg(test)]\nuse crate::a::A;",
        "fn f<'a>(x: &'a str) {} // 'crate::a",
    ] {
        let texts = [("", ""), ("a", "use crate::b::B;"), ("b", silent)];
        assert_eq!(circles_of(&texts), [""; 0], "{silent}");
    }
}
