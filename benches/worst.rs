//! A search for the stream for which templates cost most; `benches/worst.sh` runs it.
//!
//!     worst FILE [STEPS]    under callgrind, which writes FILE.1, FILE.2, … behind each call
//!
//! A stream is made by a recipe: some events that templates take, then some that they fail at, and
//! so on; the first so that attempts go on, the others in all the ways known to make an attempt, or
//! learning from its failure, dear. First a grid of recipes is counted with templates and without,
//! then the worst ones are changed one part at a time, and a change that makes one worse is kept.
mod common;

use std::fmt::Write as _;
use std::hint::black_box;

use deltawire::{Decoder, Delta, Options};

use common::decode;

/// All that is counted: every delta is read.
#[inline(never)]
fn measured(decoder: &mut Decoder, pieces: &[&[u8]]) -> usize {
    let mut bytes = 0;
    decode(decoder, pieces.iter().copied(), |delta| {
        if let Delta::Text { text, .. } = black_box(delta) {
            bytes += text.len();
        }
    });
    bytes
}

/// Whose events they are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Chat,
    Anthropic,
    Responses,
    Ollama,
}

/// Why templates fail at an event.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Miss {
    /// A member whose name never comes again.
    NewMember,
    /// A value that is a string, then a number, then null.
    OtherType,
    /// Another model or block each time, so that what is known of the response changes.
    NewVersion,
    /// Text with an escape that is left to the full path.
    Escape,
    /// Text that is no UTF-8.
    NotUtf8,
    /// No text at all.
    Empty,
    /// Each time one more of the ignored members has changed.
    MoreHoles,
    /// As many ignored members change as are too many.
    ManyHoles,
    /// White space between tokens, in other places each time.
    Padding,
    /// An ID line, which makes it no template.
    IdLine,
    /// Several texts in one event, a different number each time.
    MoreTexts,
    /// The payload is cut, and no JSON.
    NotJson,
}

const KINDS: [Kind; 4] = [Kind::Chat, Kind::Anthropic, Kind::Responses, Kind::Ollama];
const MISSES: [Miss; 12] = [
    Miss::NewMember,
    Miss::OtherType,
    Miss::NewVersion,
    Miss::Escape,
    Miss::NotUtf8,
    Miss::Empty,
    Miss::MoreHoles,
    Miss::ManyHoles,
    Miss::Padding,
    Miss::IdLine,
    Miss::MoreTexts,
    Miss::NotJson,
];
/// Bytes of ignored members in an event.
const SIZES: [usize; 6] = [0, 100, 400, 1500, 5000, 14000];

#[derive(Debug, Clone, Copy, PartialEq)]
struct Recipe {
    kind: Kind,
    miss: Miss,
    /// Shapes that the events that repeat alternate between.
    shapes: usize,
    /// So many that repeat, then so many that do not.
    hits: usize,
    misses: usize,
    /// What the two have beside their text.
    hit_size: usize,
    miss_size: usize,
    /// The filling is many small members and not one long string.
    has_members: bool,
    /// The failure is at the end of the event and not at its start.
    is_late: bool,
}

impl Recipe {
    fn event(&self, n: usize) -> Vec<u8> {
        let period = self.hits + self.misses;
        let (round, at) = (n / period, n % period);
        let is_miss = at >= self.hits;
        // What differs from one miss to the next.
        let serial = round * self.misses + at.wrapping_sub(self.hits);
        let filling = self.filling(is_miss, serial);
        let size_of = |end: bool| {
            if end == self.is_late {
                filling.as_str()
            } else {
                ""
            }
        };
        let shape = if is_miss { 0 } else { n % self.shapes };
        let mut text = ["the", " of", " stream", "1"][n % 4].to_owned();
        let mut spaces = [0; 4];
        let mut version = 0;
        let mut texts = 1;
        // A member in front of the filling or behind it.
        let mut odd = format!(r#""shape_{shape}":null,"#);
        let mut line = String::new();
        if is_miss {
            match self.miss {
                Miss::NewMember => odd = format!(r#""m{:07}":null,"#, serial % 9_999_999),
                Miss::OtherType => {
                    let value = [r#""x""#, "1", "null", "[]", "true"][serial % 5];
                    odd = format!(r#""odd":{value},"#);
                }
                Miss::NewVersion => version = serial + 1,
                Miss::Escape => text = format!("\\u00e9{}", serial % 10),
                Miss::NotUtf8 => text = "\u{1}".to_owned(),
                Miss::Empty => text.clear(),
                Miss::MoreHoles | Miss::ManyHoles => {}
                Miss::Padding => {
                    spaces[serial % 4] = 1 + serial % 7;
                    odd = format!(r#""m{:07}":null,"#, serial % 9_999_999);
                }
                Miss::IdLine => line = format!("id: {serial}\n"),
                Miss::MoreTexts => texts = 2 + serial % 5,
                Miss::NotJson => odd = format!(r#""m{:07}":nul,"#, serial % 9_999_999),
            }
        }
        let [a, b, c, d] = spaces.map(|spaces| " ".repeat(spaces));
        let early = size_of(false);
        let late = size_of(true);
        let (first, last) = if self.is_late {
            ("", odd.as_str())
        } else {
            (odd.as_str(), "")
        };
        let mut event = match self.kind {
            Kind::Chat => {
                let choices: Vec<String> = (0..texts)
                    .map(|n| {
                        format!(
                            concat!(
                                r#"{{"index":{n},"delta":{{"content":"{text}"}},"#,
                                r#""logprobs":null,"finish_reason":null}}"#
                            ),
                            n = n,
                            text = text
                        )
                    })
                    .collect();
                format!(
                    concat!(
                        r#"data: {a}{{"id":"chatcmpl-CXo3LkUBYYIuCbxyOqbF4LtmgjSIE",{first}{early}"#,
                        r#""object":"chat.completion.chunk","created":1762183171,{b}"#,
                        r#""model":"gpt-4o-{version}","choices":[{choices}]{c},{late}{last}"#,
                        r#""obfuscation":"Kd0z"{d}}}"#
                    ),
                    a = a,
                    b = b,
                    c = c,
                    d = d,
                    first = first,
                    early = early,
                    version = version,
                    choices = choices.join(","),
                    late = late,
                    last = last,
                )
            }
            Kind::Anthropic => format!(
                concat!(
                    "event: content_block_delta\n",
                    r#"data: {a}{{"type":"content_block_delta",{first}{early}"index":{version},{b}"#,
                    r#""delta":{{"type":"text_delta","text":"{text}"}},{c}{late}{last}"#,
                    r#""p":"abc"{d}}}"#
                ),
                a = a,
                b = b,
                c = c,
                d = d,
                first = first,
                early = early,
                version = version,
                text = text,
                late = late,
                last = last,
            ),
            Kind::Responses => format!(
                concat!(
                    "event: response.output_text.delta\n",
                    r#"data: {a}{{"type":"response.output_text.delta","sequence_number":{n},"#,
                    r#"{first}{early}"item_id":"msg_{version}","output_index":0,{b}"#,
                    r#""content_index":0,"delta":"{text}",{c}{late}{last}"obfuscation":"abc"{d}}}"#
                ),
                n = n,
                a = a,
                b = b,
                c = c,
                d = d,
                first = first,
                early = early,
                version = version,
                text = text,
                late = late,
                last = last,
            ),
            Kind::Ollama => format!(
                concat!(
                    r#"{a}{{"model":"llama-{version}","created_at":"2025-11-03T15:{n:06}Z",{b}"#,
                    r#"{first}{early}"message":{{"role":"assistant","content":"{text}"}},"#,
                    r#"{c}{late}{last}"done":false{d}}}"#
                ),
                n = n,
                a = a,
                b = b,
                c = c,
                d = d,
                first = first,
                early = early,
                version = version,
                text = text,
                late = late,
                last = last,
            ),
        };
        if self.kind == Kind::Ollama {
            event.push('\n');
        } else {
            event.push_str("\n\n");
            event.insert_str(0, &line);
        }
        let mut event = event.into_bytes();
        if let Some(at) = event.iter().position(|byte| *byte == 1) {
            event[at] = 0xff;
        }
        event
    }

    /// Members that no dialect looks at.
    fn filling(&self, is_miss: bool, serial: usize) -> String {
        let size = if is_miss {
            self.miss_size
        } else {
            self.hit_size
        };
        let changed = match self.miss {
            Miss::MoreHoles if is_miss => serial % 24,
            Miss::ManyHoles if is_miss => 17,
            _ => 0,
        };
        let mut filling = String::new();
        for n in 0..changed {
            let _ = write!(filling, r#""v{n}":{},"#, serial + 1000);
        }
        if !self.has_members {
            let _ = write!(filling, r#""filling":"{}","#, "x".repeat(size));
        }
        while self.has_members && filling.len() < size {
            let _ = write!(filling, r#""k{}":0,"#, filling.len());
        }
        filling
    }

    /// The recipe with one part changed.
    fn changed(self, random: &mut Random) -> Recipe {
        let mut new = self;
        match random.below(9) {
            0 => new.kind = KINDS[random.below(KINDS.len())],
            1 => new.miss = MISSES[random.below(MISSES.len())],
            2 => new.shapes = 1 + random.below(6),
            3 => new.hits = random.below(6),
            4 => new.misses = 1 + random.below(12),
            5 => new.hit_size = SIZES[random.below(SIZES.len())],
            6 => new.miss_size = SIZES[random.below(SIZES.len())],
            7 => new.has_members = !new.has_members,
            _ => new.is_late = !new.is_late,
        }
        new
    }

    fn name(&self) -> String {
        format!(
            "{:?}, {} hits of {} shapes with {} bytes, {} misses by {:?} {} with {} bytes of {}",
            self.kind,
            self.hits,
            self.shapes,
            self.hit_size,
            self.misses,
            self.miss,
            if self.is_late {
                "at the end"
            } else {
                "at the start"
            },
            self.miss_size,
            if self.has_members {
                "members"
            } else {
                "string"
            },
        )
    }
}

/// SplitMix64: the search is the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

/// Reads what callgrind counted.
struct Counter {
    file: String,
    calls: usize,
}

impl Counter {
    fn count(&mut self, templates: bool, pieces: &[&[u8]]) -> Option<u64> {
        let mut options = Options::default();
        options.templates = templates;
        let mut decoder = Decoder::with_options(options);
        measured(&mut decoder, pieces);
        self.calls += 1;
        let path = format!("{}.{}", self.file, self.calls);
        let dump = std::fs::read_to_string(&path).ok()?;
        // It is of no more use, and there are hundreds.
        let _ = std::fs::remove_file(path);
        let total = dump
            .lines()
            .find_map(|line| line.strip_prefix("totals: "))?;
        total.trim().parse().ok()
    }

    /// What templates cost, as a multiple of the same stream without.
    fn ratio(&mut self, recipe: &Recipe) -> Option<f64> {
        // Enough for the first attempts not to weigh more than in a short reply of 200 tokens.
        let events: Vec<Vec<u8>> = (0..200).map(|n| recipe.event(n)).collect();
        let pieces: Vec<&[u8]> = events.iter().map(Vec::as_slice).collect();
        let on = self.count(true, &pieces)?;
        let off = self.count(false, &pieces)?;
        Some(on as f64 / off as f64)
    }
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let Some(file) = args.first() else {
        eprintln!("run benches/worst.sh");
        return;
    };
    let steps: usize = args
        .get(1)
        .map_or(1_000, |steps| steps.parse().expect("a number"));
    let mut counter = Counter {
        file: file.clone(),
        calls: 0,
    };
    let plain = Recipe {
        kind: Kind::Chat,
        miss: Miss::NewMember,
        shapes: 1,
        hits: 0,
        misses: 1,
        hit_size: 0,
        miss_size: 100,
        has_members: true,
        is_late: true,
    };
    // What all decoders of a thread share is made before anything is counted.
    let large = Recipe {
        miss_size: 14000,
        ..plain
    };
    let event = large.event(0);
    decode(&mut Decoder::new(), [event.as_slice()], |_| {});

    let mut found: Vec<(f64, Recipe)> = Vec::new();
    let mut grid = Vec::new();
    for miss in MISSES {
        for (hits, misses) in [(0, 1), (1, 2), (1, 6)] {
            for miss_size in [100, 5000] {
                let mut recipe = plain;
                (recipe.miss, recipe.hits, recipe.misses) = (miss, hits, misses);
                recipe.miss_size = miss_size;
                grid.push(recipe);
            }
        }
    }
    for recipe in grid {
        let Some(ratio) = counter.ratio(&recipe) else {
            eprintln!("callgrind has written nothing: run benches/worst.sh");
            return;
        };
        found.push((ratio, recipe));
    }
    let tried = found.len();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut random = Random(1);
    // Several climbs from misses of several kinds, so that one that ends on a hill of its own is not
    // all there is.
    const CLIMBS: usize = 4;
    let mut starts: Vec<(f64, Recipe)> = Vec::new();
    for (ratio, recipe) in &found {
        if starts.len() < CLIMBS && starts.iter().all(|start| start.1.miss != recipe.miss) {
            starts.push((*ratio, *recipe));
        }
    }
    for (mut best, mut recipe) in starts {
        for _ in 0..steps / CLIMBS {
            let mut new = recipe.changed(&mut random);
            if random.below(2) == 0 {
                new = new.changed(&mut random);
            }
            if found.iter().any(|(_, known)| *known == new) {
                continue;
            }
            let Some(ratio) = counter.ratio(&new) else {
                continue;
            };
            found.push((ratio, new));
            if ratio > best {
                (best, recipe) = (ratio, new);
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (worst, recipe) = found[0];
    println!("worst\t{worst:.3}\t{}", recipe.name());
    println!("\n{} recipes, {tried} of them from the grid", found.len());
    for (ratio, recipe) in found.iter().take(15) {
        println!("{ratio:.3}\t{}", recipe.name());
    }
    println!("\nthe worst of each kind of miss");
    for miss in MISSES {
        if let Some((ratio, recipe)) = found.iter().find(|(_, recipe)| recipe.miss == miss) {
            println!("{ratio:.3}\t{}", recipe.name());
        }
    }
}
