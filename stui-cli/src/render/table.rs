//! Tables: a heading and rows of one line each, fitted to the terminal.

use super::columns::{fit, one_line, pad, width};
use super::palette::Palette;

/// Columns between two columns of a table.
const GAP: &str = "  ";

/// The narrowest that the last column gets.
const LEAST: usize = 12;

/// The widest of a column that is not the last one.
const WIDEST: usize = 40;

/// A table as lines. The last column takes what room is left in `columns`; with none given,
/// nothing of it is cut.
pub(crate) fn table<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
    columns: Option<usize>,
    palette: Palette,
) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(clean).collect();
    let mut widths = headings.map(width);
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    if let (Some(columns), Some((last, others))) = (columns, widths.split_last_mut()) {
        for other in others.iter_mut() {
            *other = (*other).min(WIDEST);
        }
        let before: usize = others.iter().map(|other| other + GAP.len()).sum();
        *last = (*last).min(columns.saturating_sub(before).max(LEAST));
    }
    let mut text = palette.strong(&line(&headings.map(str::to_owned), &widths));
    text.push('\n');
    for row in &rows {
        text.push_str(&line(row, &widths));
        text.push('\n');
    }
    text
}

fn clean<const N: usize>(row: &[String; N]) -> [String; N] {
    row.each_ref().map(|cell| one_line(cell))
}

fn line<const N: usize>(cells: &[String; N], widths: &[usize; N]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| pad(&fit(cell, *width), *width))
        .collect();
    padded.join(GAP).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<[String; 2]> {
        [("日本", "a\nb"), ("x", "a long value of a field")]
            .map(|(name, value)| [name.to_owned(), value.to_owned()])
            .to_vec()
    }

    #[test]
    fn columns_line_up_under_their_headings() {
        let text = table(["NAME", "VALUE"], &rows(), None, Palette::new(false));
        assert_eq!(
            text,
            "NAME  VALUE\n日本  a b\nx     a long value of a field\n"
        );
    }

    #[test]
    fn the_last_column_gives_way_to_a_narrow_terminal() {
        let text = table(["NAME", "VALUE"], &rows(), Some(20), Palette::new(false));
        assert_eq!(text, "NAME  VALUE\n日本  a b\nx     a long value …\n");
    }
}
