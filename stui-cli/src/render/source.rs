//! Smalltalk source with colours.

use nu_ansi_term::{Color, Style};
use stui_smalltalk::highlight::Class;
use stui_smalltalk::{Span, highlight, highlight_method};

use super::palette::Palette;

/// A method's source as a terminal shows it: lines end with LF.
pub(crate) fn method(source: &str, palette: Palette) -> String {
    let source = lines(source);
    painted(&source, highlight_method(&source), palette)
}

/// A do-it as a terminal shows it.
pub(crate) fn script(source: &str, palette: Palette) -> String {
    let source = lines(source);
    painted(&source, highlight(&source), palette)
}

/// The pieces of a do-it with their styles; together they are the whole source.
pub(crate) fn pieces(source: &str) -> Vec<(Style, &str)> {
    styled(source, highlight(source))
}

fn lines(source: &str) -> String {
    source.replace("\r\n", "\n").replace('\r', "\n")
}

fn painted(source: &str, classes: Vec<(Span, Class)>, palette: Palette) -> String {
    styled(source, classes)
        .into_iter()
        .map(|(style, text)| {
            if style == Style::new() {
                text.to_owned()
            } else {
                paint_lines(style, text, palette)
            }
        })
        .collect()
}

/// Each line of its own, so that a line can be looked at alone.
fn paint_lines(style: Style, text: &str, palette: Palette) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| palette.paint(style, line))
        .collect();
    lines.join("\n")
}

fn styled(source: &str, classes: Vec<(Span, Class)>) -> Vec<(Style, &str)> {
    let mut pieces = Vec::with_capacity(classes.len() * 2 + 1);
    let mut end = 0;
    for (span, class) in classes {
        // Pieces come in order; one that did not fit would be left out.
        let (Some(before), Some(text)) = (
            source.get(end..span.start),
            source.get(span.start..span.end),
        ) else {
            continue;
        };
        pieces.push((Style::new(), before));
        pieces.push((style(class), text));
        end = span.end;
    }
    pieces.push((Style::new(), source.get(end..).unwrap_or_default()));
    pieces.retain(|(_, text)| !text.is_empty());
    pieces
}

fn style(class: Class) -> Style {
    match class {
        Class::Comment => Style::new().dimmed(),
        Class::String | Class::Character => Color::Green.normal(),
        Class::Symbol => Color::Cyan.normal(),
        Class::Number => Color::Blue.normal(),
        Class::Keyword | Class::UnarySelector | Class::Binary => Style::new(),
        Class::Global => Color::Yellow.normal(),
        Class::PseudoVariable => Color::Magenta.normal(),
        Class::Variable => Style::new(),
        Class::Assignment | Class::Return => Style::new().bold(),
        Class::Bracket | Class::Bar | Class::Punctuation => Style::new(),
        Class::Error => Color::Red.normal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_source_again() {
        for source in ["", "  x := #(1 $a) , 'é' \"c\". ]", "'open", "日本 := 3 §"] {
            let whole: String = pieces(source).iter().map(|(_, text)| *text).collect();
            assert_eq!(whole, source);
        }
    }

    #[test]
    fn colours_do_not_run_over_line_ends() {
        let text = script("'a\r\nb' size", Palette::new(true));
        assert_eq!(text, "\u{1b}[32m'a\u{1b}[0m\n\u{1b}[32mb'\u{1b}[0m size");
        assert_eq!(script("'a' size", Palette::new(false)), "'a' size");
    }
}
