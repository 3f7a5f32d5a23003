//! Failures: the message, where it happened, a short stack.

use std::fmt::Write;

use stui_protocol::error::EvaluationErrorDetails;
use stui_protocol::image::{Frame, SyntaxErrorDetails};
use stui_protocol::{ErrorType, Failure};

use super::columns::{expand_tabs, fit, one_line, width};
use super::loss::Loss;
use super::palette::Palette;

/// Frames that are shown.
const FRAMES: usize = 10;

/// Lines of a message that are shown.
const MESSAGE_LINES: usize = 12;

/// The failure as lines, fitted into so many columns.
pub(crate) fn failure(failure: &Failure, columns: usize, palette: Palette) -> String {
    if let Some(details) = failure.syntax_error() {
        return syntax_error(failure, &details, columns, palette);
    }
    if let Some(loss) = Loss::of(failure) {
        let what = palette.error(&plain(&loss.sentence()));
        return format!("{what}\n{}\n", palette.dim(&plain(&loss.advice())));
    }
    let details: EvaluationErrorDetails = match failure.error_type {
        ErrorType::EvaluationError | ErrorType::Interrupted | ErrorType::Timeout => {
            failure.details_as().unwrap_or_default()
        }
        _ => EvaluationErrorDetails::default(),
    };
    let mut text = palette.error(&message(failure, &details));
    text.push('\n');
    if !details.receiver.is_empty() {
        let receiver = format!("receiver: {}", one_line(&details.receiver));
        let _ = writeln!(text, "  {}", fit(&receiver, columns.saturating_sub(2)));
    }
    text.push_str(&stack(&details.stack, columns, palette));
    if let Some(advice) = advice(failure.error_type) {
        let _ = writeln!(text, "{}", palette.dim(advice));
    }
    text
}

/// The frames, innermost first, as lines.
pub(crate) fn stack(frames: &[Frame], columns: usize, palette: Palette) -> String {
    let mut text = String::new();
    for frame in frames.iter().take(FRAMES) {
        let place = match frame.line {
            0 => String::new(),
            line => format!(" (line {line})"),
        };
        let room = columns.saturating_sub(2 + place.len());
        let method = fit(&one_line(&frame.method), room);
        let _ = writeln!(text, "  {method}{}", palette.dim(&place));
    }
    if let Some(more) = frames.len().checked_sub(FRAMES + 1) {
        let more = format!("… {} more", more + 1);
        let _ = writeln!(text, "  {}", palette.dim(&more));
    }
    text
}

/// The class of the exception and the sentence, without saying the class twice.
fn message(failure: &Failure, details: &EvaluationErrorDetails) -> String {
    let mut lines = failure.error.lines();
    let mut sentence: String = lines
        .by_ref()
        .take(MESSAGE_LINES)
        .map(plain)
        .collect::<Vec<_>>()
        .join("\n");
    if lines.next().is_some() {
        sentence.push_str("\n…");
    }
    if sentence.is_empty() {
        sentence = failure.error_type.to_string();
    }
    if details.class.is_empty() || sentence.contains(&details.class) {
        sentence
    } else {
        format!("{}: {sentence}", plain(&details.class))
    }
}

fn plain(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}

/// What to do next, where the failure's own sentence cannot know this program.
fn advice(error_type: ErrorType) -> Option<&'static str> {
    match error_type {
        ErrorType::SessionNotFound => Some("`stui ls` lists the sessions"),
        ErrorType::ImageUnavailable => Some("`stui status` tells how the image is"),
        _ => None,
    }
}

/// The line of the source with a caret under the spot.
fn syntax_error(
    failure: &Failure,
    details: &SyntaxErrorDetails,
    columns: usize,
    palette: Palette,
) -> String {
    let said = if details.message.is_empty() {
        &failure.error
    } else {
        &details.message
    };
    let heading = palette.error(&format!("syntax error: {}", one_line(said)));
    let lines = source_lines(&details.source);
    let Some(line) = details.line.checked_sub(1).and_then(|n| lines.get(n)) else {
        return format!("{heading}\n");
    };
    let gutter = format!("{} | ", details.line);
    let room = columns.saturating_sub(gutter.len() + 1).max(20);
    let (shown, caret) = window(line, details.column.saturating_sub(1), room);
    format!(
        "{heading}\n{}{shown}\n{}{}\n",
        palette.dim(&gutter),
        " ".repeat(gutter.len() + caret),
        palette.error("^")
    )
}

/// Lines however they end: LF, CR or CR LF.
fn source_lines(source: &str) -> Vec<&str> {
    source
        .split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}

/// The part of the line around its character number `at` that fits into `room` columns, and the
/// column at which the character stands in it.
fn window(line: &str, at: usize, room: usize) -> (String, usize) {
    let (line, caret) = expand_tabs(line, at);
    if width(&line) <= room {
        return (line, caret);
    }
    let from = caret.saturating_sub(room * 2 / 3);
    if from == 0 {
        return (fit(&line, room), caret);
    }
    let (mut column, mut part) = (0, String::from("…"));
    let mut dropped = 0;
    for character in line.chars() {
        let takes = width(character.encode_utf8(&mut [0; 4]));
        if column >= from {
            part.push(character);
        } else {
            dropped = column + takes;
        }
        column += takes;
    }
    (fit(&part, room), caret + 1 - dropped.min(caret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(of: &Failure) -> String {
        failure(of, 60, Palette::new(false))
    }

    fn wrong(source: &str, line: usize, column: usize) -> Failure {
        Failure::new(ErrorType::SyntaxError, "syntax error").with_details(&SyntaxErrorDetails {
            message: "Variable or expression expected".to_owned(),
            position: 1,
            line,
            column,
            source: source.to_owned(),
        })
    }

    #[test]
    fn a_syntax_error_points_at_the_spot() {
        insta::assert_snapshot!(shown(&wrong("3 +", 1, 4)), @r"
        syntax error: Variable or expression expected
        1 | 3 +
               ^
        ");
    }

    #[test]
    fn the_caret_stands_right_after_wide_characters_and_tabs() {
        insta::assert_snapshot!(shown(&wrong("x := 1.\r\n\t'日本' + ]. y", 2, 9)), @r"
        syntax error: Variable or expression expected
        2 |     '日本' + ]. y
                         ^
        ");
    }

    #[test]
    fn a_long_line_is_shown_around_the_spot() {
        let source = format!("{}]{}", "x foo: ".repeat(40), " bar".repeat(40));
        let text = shown(&wrong(&source, 1, 281));
        let lines: Vec<&str> = text.lines().collect();
        let caret = lines[2].chars().count() - 1;
        assert_eq!(lines[1].chars().nth(caret), Some(']'), "{text}");
        assert!(lines[1].chars().count() <= 60, "{text}");
    }

    #[test]
    fn positions_that_cannot_be_are_not_shown() {
        assert_eq!(shown(&wrong("3 +", 9, 4)).lines().count(), 1);
        assert_eq!(shown(&wrong("3 +", 0, 0)).lines().count(), 1);
        assert_eq!(shown(&wrong("", 1, 5000)).lines().count(), 3);
    }

    #[test]
    fn an_error_shows_class_receiver_and_a_short_stack() {
        let stack: Vec<_> = (1..=12)
            .map(|n| json!({"method": format!("Foo>>bar{n}"), "line": n - 1}))
            .collect();
        let details = json!({"class": "ZeroDivide", "receiver": "1", "stack": stack});
        let failure =
            Failure::new(ErrorType::EvaluationError, "division by zero").with_details(&details);
        insta::assert_snapshot!(shown(&failure), @r"
        ZeroDivide: division by zero
          receiver: 1
          Foo>>bar1
          Foo>>bar2 (line 1)
          Foo>>bar3 (line 2)
          Foo>>bar4 (line 3)
          Foo>>bar5 (line 4)
          Foo>>bar6 (line 5)
          Foo>>bar7 (line 6)
          Foo>>bar8 (line 7)
          Foo>>bar9 (line 8)
          Foo>>bar10 (line 9)
          … 2 more
        ");
    }

    #[test]
    fn control_characters_of_a_message_do_not_reach_the_terminal() {
        let failure = Failure::new(ErrorType::EvaluationError, "a\u{1b}]0;title\u{7}\nb");
        assert_eq!(shown(&failure), "a]0;title\nb\n");
    }
}
