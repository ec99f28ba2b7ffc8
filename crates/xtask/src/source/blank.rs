//! Rust text with comments and literals turned into spaces, so that a word found in it is code.
//!
//! Not a parser: it knows just enough of the lexical grammar to tell a quote from a lifetime.

/// Blanks comments, strings and characters; line breaks stay where they are.
pub fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        match literal(&chars, at) {
            Some(end) => {
                out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
                at = end;
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out
}

/// Where the comment or literal that starts at `at` ends, if one starts there.
fn literal(chars: &[char], at: usize) -> Option<usize> {
    let next = chars.get(at + 1).copied();
    match (chars[at], next) {
        ('/', Some('/')) => Some(find(chars, at, |c| c == '\n')),
        ('/', Some('*')) => Some(block_comment(chars, at)),
        ('"', _) => Some(string(chars, at + 1)),
        ('\'', _) => character(chars, at),
        ('r', Some('"' | '#')) if !is_word_before(chars, at) => raw_string(chars, at + 1),
        ('b' | 'c', Some('r')) if !is_word_before(chars, at) => raw_string(chars, at + 2),
        _ => None,
    }
}

fn find(chars: &[char], from: usize, stop: impl Fn(char) -> bool) -> usize {
    chars[from..].iter().position(|&c| stop(c)).map_or(chars.len(), |offset| from + offset)
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn string(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `'a'` and `'\n'` are characters; `'a` alone is a lifetime and stays.
fn character(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        // The escaped character may itself be a quote, so the search starts behind it.
        return Some((find(chars, (at + 3).min(chars.len()), |c| c == '\'') + 1).min(chars.len()));
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

/// `hashes` points behind the `r`. Not a raw string: a raw identifier such as `r#type`.
fn raw_string(chars: &[char], hashes: usize) -> Option<usize> {
    let open = find(chars, hashes, |c| c != '#');
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let fence = open - hashes;
    let mut at = open + 1;
    while at < chars.len() {
        let close = find(chars, at, |c| c == '"');
        let behind = find(chars, (close + 1).min(chars.len()), |c| c != '#');
        if behind.saturating_sub(close + 1) >= fence {
            return Some((close + 1 + fence).min(chars.len()));
        }
        at = close + 1;
    }
    Some(chars.len())
}

fn is_word_before(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}
