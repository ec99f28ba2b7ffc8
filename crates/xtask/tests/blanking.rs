//! What counts as code.

use xtask::source::{Source, blank};

#[test]
fn comments_and_literals_become_spaces_and_lines_stay() {
    let text = "let a = \"x // \\\" y\"; // unsafe\n/* a /* b */\n c */ let b = 'u';\n";
    let expected = format!(
        "let a = {}; {}\n{}\n{} let b = {};\n",
        " ".repeat(11),
        " ".repeat(9),
        " ".repeat(12),
        " ".repeat(5),
        " ".repeat(3)
    );
    assert_eq!(blank(text), expected);
}

#[test]
fn a_lifetime_is_code_and_a_quote_is_not() {
    assert_eq!(blank("fn f<'a>(x: &'a str, q: '\\'')"), "fn f<'a>(x: &'a str, q:     )");
}

#[test]
fn raw_strings_end_at_their_own_fence() {
    assert_eq!(blank("x(r#\"a \" b\"#, br\"c\", r#type)"), "x(          ,      , r#type)");
}

#[test]
fn an_unfinished_literal_ends_with_the_file() {
    for text in ["\"abc", "\"abc\\", "r#\"abc\"", "/* abc", "'\\", "'\\n", "b", "r#", "'"] {
        assert_eq!(blank(text).chars().count(), text.chars().count(), "{text}");
    }
}

#[test]
fn the_sentence_of_a_module_is_the_first_of_its_doc() {
    let sentence = |text: &str| Source::new("crates/engine/src/a.rs", text).sentence();
    assert_eq!(
        sentence("//! The gate: the only\n//! way in. Not a lock.\n"),
        "The gate: the only way in"
    );
    assert_eq!(sentence("//! Reads e.g.this file.\n//!\n//! More.\n"), "Reads e.g.this file");
    assert_eq!(sentence("fn f() {}\n"), "");
}
