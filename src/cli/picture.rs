//! The arrival of every piece of a reply over time, as an SVG.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::cli::outcome::Failure;
use crate::cli::screen::seconds;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 90.0;
/// Half of the last label goes beyond the axis.
const RIGHT: f64 = 36.0;
const TOP: f64 = 46.0;
const ROW: f64 = 64.0;

/// One way to have a reply.
struct Row<'a> {
    name: &'a str,
    /// The arrival of each piece, in time since the request.
    pieces: &'a [Duration],
    /// What is said of it.
    note: String,
}

/// Writes the picture of a reply, as it came in pieces and as it would have come whole, with its last
/// piece and not before.
pub(crate) fn write(
    path: &Path,
    title: &str,
    pieces: &[Duration],
    whole: Option<Duration>,
) -> Result<(), Failure> {
    let streamed = pieces.first().map(|first| Row {
        name: "streamed",
        pieces,
        note: format!(
            "{} pieces, the first after {}",
            pieces.len(),
            seconds(*first)
        ),
    });
    let at_once = Row {
        name: "whole",
        pieces: whole.as_slice(),
        note: format!("all at once, after {}", seconds(whole.unwrap_or_default())),
    };
    let rows: Vec<Row<'_>> = streamed.into_iter().chain([at_once]).collect();
    fs::write(path, draw(title, &rows))
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn draw(title: &str, rows: &[Row<'_>]) -> String {
    let last = rows.iter().filter_map(|row| row.pieces.last()).max();
    let last = last.map_or(0.0, Duration::as_secs_f64).max(1e-6);
    let step = step(last);
    let ticks = (last / step).ceil().max(1.0);
    let scale = (WIDTH - LEFT - RIGHT) / (ticks * step);
    let x = |time: f64| LEFT + time * scale;
    let bottom = TOP + ROW * rows.len() as f64;
    let height = bottom + 40.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n\
         <style>.ink {{ fill: #24292f }} .faint {{ fill: #6e7781 }} .grid {{ stroke: #d0d7de }} \
         .wait {{ stroke: #b6bfc9 }} .piece {{ stroke: #0969da }} .paper {{ fill: #ffffff }} \
         @media (prefers-color-scheme: dark) {{ .ink {{ fill: #e6edf3 }} .faint {{ fill: #8d96a0 }} \
         .grid {{ stroke: #30363d }} .wait {{ stroke: #545d68 }} .piece {{ stroke: #58a6ff }} \
         .paper {{ fill: #0d1117 }} }}</style>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"ink\" x=\"16\" y=\"26\" font-weight=\"600\">{title}</text>\n",
        title = escaped(title),
    );
    for tick in 0..=ticks as u32 {
        let time = f64::from(tick) * step;
        let at = x(time);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\"/>\
             <text class=\"faint\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            label(time, step),
        );
    }
    for (at, row) in rows.iter().enumerate() {
        let top = TOP + ROW * at as f64;
        let middle = top + 24.0;
        let first = row.pieces.first().map_or(0.0, Duration::as_secs_f64);
        let _ = writeln!(
            svg,
            "<text class=\"ink\" x=\"16\" y=\"{:.1}\">{}</text>\n\
             <line class=\"wait\" x1=\"{LEFT}\" y1=\"{middle}\" x2=\"{:.1}\" y2=\"{middle}\" \
             stroke-dasharray=\"2 4\"/>",
            middle + 4.0,
            escaped(row.name),
            x(first),
        );
        let mut path = String::new();
        for piece in row.pieces {
            let at = x(piece.as_secs_f64());
            let _ = write!(path, "M{at:.2} {:.0}v24", top + 12.0);
        }
        // As thin as there are many, so that none hides another.
        let thickness = if row.pieces.len() == 1 { 4.0 } else { 1.0 };
        let _ = writeln!(
            svg,
            "<path class=\"piece\" d=\"{path}\" stroke-width=\"{thickness}\" fill=\"none\"/>\n\
             <text class=\"faint\" x=\"{LEFT}\" y=\"{:.1}\">{}</text>",
            top + 52.0,
            escaped(&row.note),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The time between two ticks, so that there are five to twelve: 1, 2 or 5 of a power of ten.
fn step(last: f64) -> f64 {
    let power = 10f64.powf((last / 5.0).log10().floor());
    let times = [5.0, 2.0, 1.0].into_iter();
    let step = times
        .map(|times| times * power)
        .find(|step| last / step >= 4.0);
    step.unwrap_or(power)
}

/// All labels of an axis have one unit, and as many digits as tell them apart.
fn label(time: f64, step: f64) -> String {
    let (scale, unit) = if step < 0.01 { (1e3, "ms") } else { (1.0, "s") };
    let digits = (-(step * scale).log10()).ceil().max(0.0) as usize;
    format!("{:.digits$} {unit}", time * scale)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_piece_is_drawn_once_and_names_are_escaped() {
        let pieces: Vec<Duration> = (1..=30).map(|at| Duration::from_millis(at * 100)).collect();
        let rows = [
            Row {
                name: "streamed",
                pieces: &pieces,
                note: "a < b".into(),
            },
            Row {
                name: "whole",
                pieces: &pieces[29..],
                note: String::new(),
            },
        ];
        let svg = draw("Q & A", &rows);
        assert_eq!(svg.matches("v24").count(), 31);
        assert!(svg.contains("Q &amp; A") && svg.contains("a &lt; b"));
        assert!(svg.contains(">3.0 s<"), "{svg}");
    }

    #[test]
    fn there_are_few_ticks_whatever_the_time() {
        for last in [1e-6, 0.004, 0.1, 0.99, 1.0, 2.97, 7.0, 59.0, 3600.0] {
            let ticks = last / step(last);
            assert!((4.0..=12.5).contains(&ticks), "{last}: {ticks}");
            let labels: Vec<String> = (0..=ticks as u32)
                .map(|tick| label(f64::from(tick) * step(last), step(last)))
                .collect();
            let units = labels.iter().map(|label| label.split(' ').nth(1));
            let mut distinct = labels.clone();
            distinct.dedup();
            assert!(units.collect::<HashSet<_>>().len() == 1, "{labels:?}");
            assert_eq!(distinct, labels);
        }
    }
}
