//! Room for text above an input of several rows.
//!
//! The line editor prints text above its prompt, but finds the prompt's first row by guessing: it
//! counts bytes instead of columns and takes the cursor to be in the last line. Text would then
//! land inside the input. So right before it prints, the input is taken off the screen and the
//! cursor is put where the editor's guess leads to the right row; afterwards the editor paints
//! prompt and input anew.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// What the editor has painted last.
#[derive(Debug, Default)]
pub(super) struct Painted {
    /// The input.
    pub(super) text: String,
    /// The byte that the cursor stands before.
    pub(super) cursor: usize,
}

impl Painted {
    /// What to write to a terminal of so many columns before the editor prints above its prompt,
    /// which takes `prompt` columns in every line.
    pub(super) fn make_room(&self, prompt: usize, columns: usize) -> String {
        let columns = columns.max(1);
        let before = self.text.get(..self.cursor).unwrap_or(&self.text);
        let mut keys = String::new();
        match rows_above(before, prompt, columns) {
            0 => {}
            rows => {
                let _ = write!(keys, "\x1b[{rows}A");
            }
        }
        keys.push_str("\r\x1b[J");
        for _ in 1..guessed_rows(&self.text, columns) {
            keys.push_str("\r\n");
        }
        keys
    }
}

/// Rows between the prompt's first row and the cursor behind this text.
fn rows_above(text: &str, prompt: usize, columns: usize) -> usize {
    let (mut row, mut column) = (prompt / columns, prompt % columns);
    for character in text.chars() {
        if character == '\n' {
            row += 1 + prompt / columns;
            column = prompt % columns;
            continue;
        }
        let width = character.width().unwrap_or(0);
        if column + width > columns {
            row += 1;
            column = 0;
        }
        column += width;
    }
    // The editor moves on when a row is exactly full.
    if column == columns { row + 1 } else { row }
}

/// How many rows the editor (reedline 0.52, `print_external_message`) takes the input for: it
/// goes up by one less.
fn guessed_rows(text: &str, columns: usize) -> usize {
    text.lines()
        .enumerate()
        .map(|(number, line)| {
            let bytes = if number == 0 {
                line.len() + 3
            } else {
                line.len()
            };
            bytes / columns + 1
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_in_columns_with_the_prompt() {
        assert_eq!(rows_above("", 6, 20), 0);
        assert_eq!(rows_above("x\n", 6, 20), 1);
        assert_eq!(rows_above("12345678901234", 6, 20), 1, "exactly full");
        assert_eq!(rows_above("1234567890123", 6, 20), 0);
        // The eighth wide character would need columns 20 and 21.
        assert_eq!(rows_above("x日本日本日本日", 6, 20), 1);
        assert_eq!(rows_above("e\u{301}e\u{301}", 6, 20), 0);
    }
}
