//! Whatever a file's encoding, mark, line ends and last line are, an edit changes what it is asked
//! to and not a byte more.

use proptest::prelude::*;
use serde_json::json;

use crate::bench::bench;

const FORMS: [&str; 4] = ["utf-8", "latin-1", "utf-16le", "utf-16be"];

fn encode(text: &str, form: &str, bom: bool) -> Vec<u8> {
    let mark = if bom { "\u{feff}" } else { "" };
    let wide = format!("\u{feff}{text}");
    match form {
        "latin-1" => text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect(),
        "utf-16le" => wide.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => wide.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => format!("{mark}{text}").into_bytes(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_was_asked_for_changes(
        lines in prop::collection::vec(("[a-cé ]{0,5}", 0..3_usize), 1..8),
        at in 0..8_usize,
        new in prop::collection::vec("[x-zü]{1,4}", 0..4),
        form in 0..4_usize,
        bom: bool,
        ended: bool,
        uniform: bool,
    ) {
        let ends = ["\n", "\r\n", if uniform { "\r" } else { "\n" }];
        let first = lines[0].1;
        let end = |own: usize| ends[if uniform { first } else { own }];
        let at = at % lines.len();
        // The place to edit: a line of its own kind, so that it is unique.
        let (mut before, mut after) = (String::new(), String::new());
        for (index, (line, own)) in lines.iter().enumerate() {
            let last = index + 1 == lines.len();
            let side = if index <= at { &mut before } else { &mut after };
            side.push_str(line);
            side.push_str(if index == at { "<ö>" } else { "" });
            side.push_str(if last && !ended { "" } else { end(*own) });
        }
        let old = "<ö>";
        let spot = before.rfind(old).unwrap();
        let here = &before[spot + old.len()..];
        // Line ends that go in are those of the line they go to; without one, the line before's.
        let near = match here {
            "" if uniform && lines.len() > 1 => ends[first],
            "" if before[..spot].ends_with("\r\n") => "\r\n",
            "" => match before[..spot].rfind('\n') {
                Some(feed) if before[..feed].ends_with('\r') => "\r\n",
                _ => "\n",
            },
            own => own,
        };
        let text = format!("{before}{after}");
        let wanted = format!("{}{}{here}{after}", &before[..spot], new.join(near));
        let form = FORMS[form];
        let (input, output) = (encode(&text, form, bom), encode(&wanted, form, bom));

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut b = bench();
            b.world.file("f", &input);
            b.ok("read_file", json!({"path": "f"})).await;
            let edit = json!({"path": "f", "old_string": old, "new_string": new.join("\n")});
            b.ok("edit_file", edit).await;
            prop_assert_eq!(b.world.bytes("f"), output);
            Ok(())
        })?;
    }

    #[test]
    fn replacing_all_is_what_replacing_in_the_shown_text_would_be(
        text in "[ab\n]{1,30}",
        old in "[ab\n]{1,3}",
        new in "[bx\n]{0,3}",
        crlf: bool,
    ) {
        let wanted = text.replace(&old, &new);
        prop_assume!(wanted != text);
        let form = |text: &str| if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        // Without any line end to go by, the file would be a plain one.
        let (text, wanted) = (text + "\n", wanted + "\n");
        prop_assume!(text.replace(&old, &new) == wanted);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut b = bench();
            b.world.file("f", form(&text));
            b.ok("read_file", json!({"path": "f"})).await;
            let edit = json!({"path": "f", "old_string": old, "new_string": new, "replace_all": true});
            b.ok("edit_file", edit).await;
            prop_assert_eq!(b.world.read("f"), form(&wanted));
            Ok(())
        })?;
    }
}
