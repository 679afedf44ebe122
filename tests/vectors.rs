//! The shared vectors, in every cutting.
use deltawire::frame::{Eof, Item, sse};

type Outcome = (
    Vec<(String, String, String)>,
    String,
    Option<u64>,
    Vec<String>,
);

fn parse(chunks: &[&[u8]]) -> Outcome {
    let mut parser = sse::Parser::new();
    let (mut events, mut retry, mut comments) = (vec![], None, vec![]);
    for chunk in chunks {
        let mut input = *chunk;
        while let Some(item) = parser.next(&mut input).unwrap() {
            match item {
                Item::Event(e) => {
                    events.push((e.event.to_string(), e.data.to_string(), e.id.to_string()));
                }
                Item::Retry(r) => retry = Some(r.millis),
                Item::Comment(c) => comments.push(c.text.to_string()),
                _ => {}
            }
        }
        assert!(input.is_empty());
    }
    while let Some(_) = parser.finish(Eof::Discard).unwrap() {}
    (events, parser.last_event_id().to_string(), retry, comments)
}

#[test]
fn common_vectors() {
    use base64::Engine;
    let text = match std::fs::read_to_string("../shared/vectors/common.jsonl") {
        Ok(t) => t,
        Err(_) => {
            eprintln!("SKIPPED: ../shared/vectors is not there");
            return;
        }
    };
    let mut failed = 0;
    for line in text.lines() {
        let v: serde_json::Value = serde_json::from_str(line).unwrap();
        let chunks: Vec<Vec<u8>> = v["chunks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| {
                base64::engine::general_purpose::STANDARD
                    .decode(c.as_str().unwrap())
                    .unwrap()
            })
            .collect();
        let want: Outcome = (
            v["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| {
                    let s = |k: &str| e[k].as_str().unwrap().to_string();
                    (s("event"), s("data"), s("id"))
                })
                .collect(),
            v["last_event_id"].as_str().unwrap().into(),
            v["retry"].as_u64(),
            v["comments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c.as_str().unwrap().into())
                .collect(),
        );
        let lenient = v["lenient"].as_array().is_some();
        let whole: Vec<u8> = chunks.concat();
        let mut cuts: Vec<Vec<&[u8]>> = vec![
            chunks.iter().map(|c| &c[..]).collect(),
            vec![&whole],
            whole.chunks(1).collect(),
        ];
        for i in 0..whole.len() {
            cuts.push(vec![&whole[..i], &whole[i..]]);
        }
        for cut in cuts {
            let mut got = parse(&cut);
            if lenient {
                got.2 = want.2;
            }
            if got != want {
                println!(
                    "{} {:?}\n want {:?}\n got {:?}",
                    v["name"],
                    cut.len(),
                    want,
                    got
                );
                failed += 1;
                break;
            }
        }
    }
    assert_eq!(failed, 0);
}
