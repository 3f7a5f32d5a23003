//! Class name patterns: `*` stands for any characters, `?` for one. Letters match as written.

/// Longest pattern looked at, in characters; class names are far shorter.
pub(super) const MAX_PATTERN_CHARS: usize = 256;

/// Whether `text` matches the whole `pattern`. Takes at most pattern × text steps.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().take(MAX_PATTERN_CHARS + 1).collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last star stood, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_a_shell() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "Set"),
            ("Set", "Set"),
            ("*Collection", "OrderedCollection"),
            ("Ordered*", "OrderedCollection"),
            ("*er*ll*", "OrderedCollection"),
            ("S?t", "Set"),
            ("**t", "Set"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn everything_else_does_not_match() {
        for (pattern, text) in [
            ("", "Set"),
            ("set", "Set"),
            ("Se", "Set"),
            ("Set?", "Set"),
            ("*x*", "Set"),
            ("S*x", "Set"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        let text = "a".repeat(200);
        assert!(!matches(&format!("{}b", "*a".repeat(100)), &text));
    }
}
