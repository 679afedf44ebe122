//! What a reply cost: tokens and waiting.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use deltawire::Message;
use deltawire::tokens::Counter;

use super::check::Checks;
use crate::cli::outcome::Failure;
use crate::cli::picture;
use crate::cli::screen::{seconds, wrap};

/// Tokens, as far as they are known.
#[derive(Default)]
pub(super) struct Tokens {
    prompt: Option<u64>,
    completion: Option<u64>,
    /// By choice, where they were counted and there are several.
    choices: Vec<u64>,
    /// Counted here: the provider said nothing.
    is_counted: bool,
}

impl Tokens {
    /// What the provider said.
    pub(super) fn said(message: &Message) -> Self {
        Tokens {
            prompt: message.usage.input_tokens,
            completion: message.usage.output_tokens,
            ..Tokens::default()
        }
    }

    /// What the provider said, else what is counted.
    pub(super) fn counted(message: &Message, model: &str, prompt: &[(&str, &str)]) -> Self {
        let said = Tokens::said(message);
        // The model that answers is known more exactly than the one that was asked.
        let named = [message.model.as_deref().unwrap_or_default(), model];
        let counter = named.into_iter().find_map(Counter::for_model);
        let Some(counter) = counter.filter(|_| said.completion.is_none()) else {
            return said;
        };
        let each = message.choices.iter().map(|it| counter.choice(it));
        let choices: Vec<u64> = each.collect();
        Tokens {
            prompt: Some(counter.prompt(prompt.iter().copied())),
            completion: Some(choices.iter().sum()),
            choices,
            is_counted: true,
        }
    }

    fn describe(&self) -> Option<String> {
        let completion = self.completion?;
        let mut text = match self.prompt {
            Some(prompt) => {
                let total = prompt + completion;
                format!("{prompt} prompt + {completion} completion = {total} tokens")
            }
            None => format!("{completion} completion tokens"),
        };
        if self.choices.len() > 1 {
            let each: Vec<String> = self.choices.iter().map(u64::to_string).collect();
            let _ = write!(text, " ({} by choice)", each.join(", "));
        }
        if self.is_counted {
            text.push_str(", counted here");
        }
        Some(text)
    }
}

/// How many came each second between the first piece and the last.
fn rate(message: &Message, tokens: &Tokens) -> Option<String> {
    let pieces = &message.timing.pieces;
    let took = pieces.last()?.saturating_sub(*pieces.first()?);
    if took < Duration::from_millis(1) {
        return None;
    }
    let (count, what) = match tokens.completion {
        Some(count) => (count, "tokens"),
        None => (pieces.len() as u64, "pieces"),
    };
    Some(format!("{:.0} {what}/s", count as f64 / took.as_secs_f64()))
}

/// Waiting and tokens: one line, or several of `width` columns.
pub(super) fn line(message: &Message, tokens: &Tokens, width: Option<usize>) -> String {
    let timing = &message.timing;
    let first = timing.first_token();
    let parts = [
        first.map(|first| format!("first token {}", seconds(first))),
        rate(message, tokens),
        timing
            .whole
            .map(|whole| format!("whole {}", seconds(whole))),
        tokens.describe(),
    ];
    let mut text = String::new();
    let mut column = 0;
    let parts = parts.into_iter().flatten();
    let parts = parts.flat_map(|part| match width {
        Some(width) => wrap(&part, width),
        None => vec![part],
    });
    for part in parts {
        let len = part.chars().count();
        if column > 0 {
            if width.is_some_and(|width| column + 3 + len > width) {
                text.push('\n');
                column = 0;
            } else {
                text.push_str(" · ");
                column += 3;
            }
        }
        text.push_str(&part);
        column += len;
    }
    text
}

/// The table of `--timing`, a line each, or several of `width` columns.
pub(super) fn table(
    message: &Message,
    tokens: &Tokens,
    checks: Option<&Checks>,
    width: Option<usize>,
) -> String {
    let timing = &message.timing;
    let time = |time: Option<Duration>| time.map_or_else(|| "none".into(), seconds);
    let mut rows = vec![("first token", time(timing.first_token()))];
    if let Some(checks) = checks {
        rows.push(("first released", time(checks.first_released())));
        rows.push(("held back", checks.held_back()));
        rows.push(("checks", checks.took()));
    }
    if timing.median_gap().is_some() {
        let gaps = timing.pieces.windows(2);
        let longest = gaps.map(|pair| pair[1].saturating_sub(pair[0])).max();
        rows.push((
            "between pieces",
            format!(
                "{} median, {} for 95 in 100, {} at most",
                time(timing.median_gap()),
                time(timing.p95_gap()),
                time(longest)
            ),
        ));
    }
    rows.push(("last piece", time(timing.pieces.last().copied())));
    rows.push(("whole", time(timing.whole)));
    rows.push(("pieces", timing.pieces.len().to_string()));
    if let Some(rate) = rate(message, tokens) {
        rows.push(("rate", rate));
    }
    if let Some(tokens) = tokens.describe() {
        rows.push(("tokens", tokens));
    }
    let mut table = String::new();
    for (name, text) in rows {
        let lines = match width {
            Some(width) => wrap(&text, width.saturating_sub(19)),
            None => vec![text],
        };
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            let _ = writeln!(table, "  {name:<15}  {line}");
        }
    }
    table
}

/// The picture of `--svg`.
pub(super) fn draw(path: &Path, message: &Message) -> Result<(), Failure> {
    let timing = &message.timing;
    let model = message.model.as_deref().unwrap_or("a model");
    let title = format!("A reply of {model} over time");
    picture::write(path, &title, &timing.pieces, timing.whole)
}
