//! Text measured in terminal columns: wide characters take two, combining ones none.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands where a text was cut.
const CUT: char = '…';

/// Columns from one tab stop to the next in shown source.
const TAB: usize = 4;

/// How many columns a text takes. Control characters take none.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text on one line: line ends and tabs are blanks, other control characters are dropped.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            c if c.is_control() => {}
            c => line.push(c),
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// The text, or its beginning and `…`, in at most so many columns.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut left = columns.saturating_sub(1);
    for character in text.chars() {
        let takes = character.width().unwrap_or(0);
        if takes > left {
            break;
        }
        left -= takes;
        fitted.push(character);
    }
    if columns > 0 {
        fitted.push(CUT);
    }
    fitted
}

/// The text with blanks up to so many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// A source line with its tabs as blanks, and the column (from 0) at which its character number
/// `at` (from 0) then stands.
pub(crate) fn expand_tabs(line: &str, at: usize) -> (String, usize) {
    let mut expanded = String::with_capacity(line.len());
    let (mut column, mut found) = (0, None);
    for (index, character) in line.chars().enumerate() {
        if index == at {
            found = Some(column);
        }
        let shown = match character {
            '\t' => " ".repeat(TAB - column % TAB),
            c if c.is_control() => "�".to_owned(),
            c => c.to_string(),
        };
        column += width(&shown);
        expanded.push_str(&shown);
    }
    (expanded, found.unwrap_or(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_never_takes_more_columns_than_it_may() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 6), "abcde…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn a_line_has_no_control_characters() {
        assert_eq!(one_line("a\r\n\tb\u{1b}[31mc\n"), "a b[31mc");
    }

    #[test]
    fn a_tab_ends_at_the_next_stop() {
        assert_eq!(expand_tabs("a\tb", 2), ("a   b".to_owned(), 4));
        assert_eq!(expand_tabs("日\tb", 2), ("日  b".to_owned(), 4));
        assert_eq!(expand_tabs("ab", 7), ("ab".to_owned(), 2));
    }
}
