//! The last step of `benches/run.sh`: benches/results.tsv into a picture and the tables of
//! benches/README.md.
//!
//!     chart times    prints criterion's results as lines of results.tsv
//!     chart write    writes benches/comparison.svg, and the tables between the README's marks
//!
//! A line of results.tsv is: table, row, column, value, unit; lines with `#` say where and how.
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const RESULTS: &str = "benches/results.tsv";
const PICTURE: &str = "benches/comparison.svg";
const README: &str = "benches/README.md";
/// The column that the picture shows: five of six reads off the network hold one event.
const SHOWN: &str = "one event a piece";

struct Line {
    table: String,
    row: String,
    column: String,
    value: String,
    unit: String,
}

struct Results {
    notes: Vec<String>,
    lines: Vec<Line>,
}

impl Results {
    fn read() -> Results {
        let text = fs::read_to_string(RESULTS).expect("benches/results.tsv, by benches/run.sh");
        let mut results = Results {
            notes: Vec::new(),
            lines: Vec::new(),
        };
        for line in text.lines() {
            if let Some(note) = line.strip_prefix("# ") {
                results.notes.push(note.to_owned());
                continue;
            }
            let [table, row, column, value, unit] = line
                .split('\t')
                .collect::<Vec<_>>()
                .try_into()
                .unwrap_or_else(|_| panic!("not five columns: {line}"));
            results.lines.push(Line {
                table: table.to_owned(),
                row: row.to_owned(),
                column: column.to_owned(),
                value: value.to_owned(),
                unit: unit.to_owned(),
            });
        }
        results
    }

    fn note(&self, name: &str) -> &str {
        let mut notes = self.notes.iter();
        notes
            .find_map(|note| note.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_default()
    }

    fn table<'r>(&'r self, table: &'r str) -> impl Iterator<Item = &'r Line> {
        self.lines.iter().filter(move |line| line.table == table)
    }

    /// A table with a row for each name and a column for each of its values.
    fn pivot(&self, table: &str, head: &str) -> String {
        let mut rows: Vec<&str> = Vec::new();
        let mut columns: Vec<&str> = Vec::new();
        for line in self.table(table) {
            if !rows.contains(&line.row.as_str()) {
                rows.push(&line.row);
            }
            if !columns.contains(&line.column.as_str()) {
                columns.push(&line.column);
            }
        }
        let mut out = format!("| {head} | {} |\n", columns.join(" | "));
        let _ = writeln!(out, "|---|{}", "---|".repeat(columns.len()));
        for row in rows {
            let value = |column: &&str| {
                let mut lines = self.table(table);
                let line = lines.find(|line| line.row == row && line.column == **column);
                line.map_or(String::new(), |line| line.value.clone())
            };
            let values: Vec<String> = columns.iter().map(value).collect();
            let _ = writeln!(out, "| {row} | {} |", values.join(" | "));
        }
        out
    }

    fn budgets(&self) -> String {
        let mut out = "| an event is 326 bytes of OpenAI chat | budget | measured | verdict |\n\
                       |---|---|---|---|\n"
            .to_owned();
        for line in self.table("budget") {
            let Line {
                row,
                column,
                value,
                unit,
                ..
            } = line;
            let _ = writeln!(out, "| {row} | {column} | {value} | {unit} |");
        }
        out
    }

    /// Criterion's groups: what the bytes cost anyone, deltawire, and the fastest of the others.
    fn times(&self) -> String {
        const OWN: [&str; 4] = ["memcpy", "memchr", "deltawire", "deltawire, templates off"];
        let mut out = format!("| bytes | {} | fastest of the others |\n", OWN.join(" | "));
        let _ = writeln!(out, "|---|{}", "---|".repeat(OWN.len() + 1));
        let mut groups: Vec<&str> = self.table("time").map(|line| line.row.as_str()).collect();
        groups.dedup();
        for group in groups {
            // They are in the order of their times.
            let ways: Vec<&Line> = self
                .table("time")
                .filter(|line| line.row == group)
                .collect();
            let way = |line: &Line| {
                let way = line.column.as_str();
                way.strip_suffix(", framing").unwrap_or(way).to_owned()
            };
            let own = OWN.map(|name| {
                let line = ways.iter().find(|line| way(line) == name);
                line.map_or(String::new(), |line| line.value.clone())
            });
            let other = ways.iter().find(|line| !OWN.contains(&way(line).as_str()));
            let other = other.map_or(String::new(), |line| {
                format!("{}, {}", line.value, way(line))
            });
            let _ = writeln!(out, "| {group} | {} | {other} |", own.join(" | "));
        }
        out
    }

    fn machine(&self) -> String {
        format!(
            "Machine: {}. Commit {}, {}, `{}`.\n",
            self.note("machine"),
            self.note("commit"),
            self.note("compiler"),
            self.note("command")
        )
    }
}

/// Puts text between `<!-- name -->` and `<!-- /name -->`.
fn replace(readme: &mut String, name: &str, text: &str) {
    let open = format!("<!-- {name} -->\n");
    let start = readme.find(&open).expect("the README's marks") + open.len();
    let end = start
        + readme[start..]
            .find(&format!("<!-- /{name} -->"))
            .expect("the README's marks");
    readme.replace_range(start..end, text);
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bars on a linear scale: on a logarithmic one their lengths would say nothing.
fn picture(results: &Results) -> String {
    const WIDTH: f64 = 860.0;
    const LABELS: f64 = 340.0;
    const ROW: f64 = 22.0;
    const OWN: &str = "#d9622b";
    const OTHER: &str = "#6f8fb5";
    // Grey enough to be read on white and on black.
    const INK: &str = "#808791";
    let bars: Vec<(&str, f64)> = results
        .table("peers")
        .filter(|line| line.column == SHOWN)
        .map(|line| (line.row.as_str(), line.value.parse().expect("a number")))
        .collect();
    let is_framing = |name: &str| name.ends_with(", framing");
    // The table has every pair of framing and JSON; the picture has the slow trees once.
    let is_shown = |name: &str| {
        let is_tree = name.ends_with("Value") || name.ends_with("get_many");
        !is_tree || name.starts_with("sse-stream")
    };
    let bars: Vec<(&str, f64)> = bars.into_iter().filter(|bar| is_shown(bar.0)).collect();
    let most = bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
    // Room for the longest bar's number.
    let scale = (WIDTH - LABELS - 130.0) / most;
    let mut body = String::new();
    let mut y = 26.0;
    for framing in [false, true] {
        let title = if framing {
            "Framing only"
        } else {
            "From the wire to text"
        };
        let mut group: Vec<(&str, f64)> = bars.clone();
        group.retain(|bar| is_framing(bar.0) == framing);
        group.sort_by(|a, b| a.1.total_cmp(&b.1));
        let Some(own) = group.iter().find(|bar| bar.0.starts_with("deltawire")) else {
            continue;
        };
        let own = own.1;
        let _ = writeln!(
            body,
            r#"<text x="0" y="{y}" font-weight="bold">{title}</text>"#
        );
        y += 12.0;
        for (name, value) in group {
            let name = name.strip_suffix(", framing").unwrap_or(name);
            let is_own = name.starts_with("deltawire");
            let (color, weight) = if is_own {
                (OWN, "bold")
            } else {
                (OTHER, "normal")
            };
            let width = (value * scale).max(1.0);
            let base = y + ROW - 8.0;
            let _ = writeln!(
                body,
                r#"<text x="{}" y="{base}" text-anchor="end" font-weight="{weight}">{name}</text>"#,
                LABELS - 10.0
            );
            let _ = writeln!(
                body,
                r#"<rect x="{LABELS}" y="{}" width="{width:.1}" height="{}" rx="2" fill="{color}"/>"#,
                y + 2.0,
                ROW - 6.0
            );
            let _ = writeln!(
                body,
                r#"<text x="{:.1}" y="{base}" font-weight="{weight}">{} ({:.1}×)</text>"#,
                LABELS + width + 7.0,
                thousands(value),
                value / own
            );
            y += ROW;
        }
        y += 28.0;
    }
    let notes = [
        "Instructions an event (callgrind): OpenAI chat chunks of about 326 bytes with text of random length,".to_owned(),
        "one in each read. Shorter is better. `templates off` is what an event costs that repeats no earlier one.".to_owned(),
        format!("{}, commit {}", results.note("machine"), results.note("commit")),
    ];
    for note in notes {
        let _ = writeln!(body, r#"<text x="0" y="{y}" font-size="12">{note}</text>"#);
        y += 17.0;
    }
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" "#,
            r#"height="{h}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="14" "#,
            r#"fill="{ink}">"#,
            "\n<title>Instructions to read an event: deltawire and others</title>\n{body}</svg>\n"
        ),
        w = WIDTH,
        h = y,
        ink = INK,
        body = body,
    )
}

/// All of criterion's results below a folder.
fn estimates(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.ends_with("new") && path.join("benchmark.json").exists() {
            found.push(path);
        } else if path.is_dir() {
            estimates(&path, found);
        }
    }
}

fn times() {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let mut found = Vec::new();
    estimates(&Path::new(&target).join("criterion"), &mut found);
    let mut lines: Vec<(String, f64, String)> = Vec::new();
    for path in found {
        let json = |name: &str| -> serde_json::Value {
            let text = fs::read_to_string(path.join(name)).unwrap_or_default();
            serde_json::from_str(&text).unwrap_or_default()
        };
        let (about, estimates) = (json("benchmark.json"), json("estimates.json"));
        let group = about["group_id"].as_str().unwrap_or_default();
        let way = about["function_id"].as_str().unwrap_or_default();
        let nanos = estimates["median"]["point_estimate"]
            .as_f64()
            .unwrap_or_default();
        let throughput = &about["throughput"];
        let rate = match (
            throughput["Bytes"].as_f64(),
            throughput["Elements"].as_f64(),
        ) {
            (Some(bytes), _) => format!("{:.2} GB", bytes / nanos),
            (_, Some(events)) => format!("{:.1} million events", events / nanos * 1e3),
            _ => String::new(),
        };
        let time = match nanos {
            nanos if nanos < 1e6 => format!("{:.1} µs", nanos / 1e3),
            nanos => format!("{:.2} ms", nanos / 1e6),
        };
        lines.push((group.to_owned(), nanos, format!("{way}\t{time}\t{rate}")));
    }
    lines.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    for (group, _, rest) in lines {
        println!("time\t{group}\t{rest}");
    }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("times") => return times(),
        Some("write") => {}
        _ => return eprintln!("run benches/run.sh"),
    }
    let results = Results::read();
    fs::write(PICTURE, picture(&results)).expect("the picture is written");
    let mut readme = fs::read_to_string(README).expect("benches/README.md");
    replace(&mut readme, "machine", &results.machine());
    replace(&mut readme, "budgets", &results.budgets());
    replace(
        &mut readme,
        "peers",
        &results.pivot("peers", "instructions an event"),
    );
    replace(
        &mut readme,
        "cold",
        &results.pivot("cold", "a new decoder on a new thread"),
    );
    replace(
        &mut readme,
        "fresh",
        &results.pivot("fresh", "recorded streams, a new thread for each"),
    );
    replace(&mut readme, "shares", &results.pivot("share", "dialect"));
    replace(&mut readme, "times", &results.times());
    fs::write(README, readme).expect("the README is written");
}
