//! What one evaluation writes to the Transcript: kept for its reply, passed on as events, bounded
//! for both.

use stui_protocol::image::{OutputData, OutputSoFar};

/// The output of one evaluation.
#[derive(Debug)]
pub(super) struct Output {
    kept: String,
    /// How much of `kept` was taken for events.
    taken: usize,
    /// The same in characters.
    taken_chars: u64,
    limit: usize,
    truncated: bool,
    /// The last character was a CR, which was kept as LF.
    after_cr: bool,
}

impl Output {
    /// Nothing yet; at most `limit` bytes ever.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            kept: String::new(),
            taken: 0,
            taken_chars: 0,
            limit,
            truncated: false,
            after_cr: false,
        }
    }

    /// Adds text; CR and CR LF become LF. What does not fit is dropped, and so is all that
    /// follows.
    pub(super) fn write(&mut self, text: &str) {
        for c in text.chars() {
            if self.truncated {
                return;
            }
            let after_cr = std::mem::replace(&mut self.after_cr, c == '\r');
            match c {
                '\n' if after_cr => {}
                '\r' => self.push('\n'),
                c => self.push(c),
            }
        }
    }

    fn push(&mut self, c: char) {
        if self.kept.len() + c.len_utf8() > self.limit {
            self.truncated = true;
        } else {
            self.kept.push(c);
        }
    }

    /// What was written since the last call: the data of the next event.
    pub(super) fn take_new(&mut self) -> Option<OutputData> {
        let text = self.kept[self.taken..].to_owned();
        let from = self.taken_chars;
        self.taken = self.kept.len();
        self.taken_chars += text.chars().count() as u64;
        (!text.is_empty()).then_some(OutputData {
            text,
            from: Some(from),
        })
    }

    /// What was kept behind so many characters, taken or not.
    pub(super) fn since(&self, from: u64) -> OutputSoFar {
        let skipped = usize::try_from(from).unwrap_or(usize::MAX);
        let output: String = self.kept.chars().skip(skipped).collect();
        let untaken = self.kept[self.taken..].chars().count() as u64;
        OutputSoFar {
            output,
            output_end: self.taken_chars + untaken,
        }
    }

    /// All that was kept.
    pub(super) fn text(&self) -> &str {
        &self.kept
    }

    /// Whether anything was dropped.
    pub(super) fn is_truncated(&self) -> bool {
        self.truncated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_get_each_text_once_and_the_reply_gets_all() {
        let mut output = Output::new(100);
        let data = |text: &str, from| {
            Some(OutputData {
                text: text.to_owned(),
                from: Some(from),
            })
        };
        output.write("ä");
        output.write("b");
        assert_eq!(output.take_new(), data("äb", 0));
        assert_eq!(output.take_new(), None);
        output.write("c");
        assert_eq!(output.take_new(), data("c", 2));
        assert_eq!(output.text(), "äbc");
    }

    #[test]
    fn whoever_has_a_part_of_it_gets_the_rest_also_what_no_event_has_told() {
        let mut output = Output::new(100);
        output.write("äb");
        output.take_new();
        output.write("cd");
        let since = |from| {
            let OutputSoFar { output, output_end } = output.since(from);
            (output, output_end)
        };
        assert_eq!(since(0), ("äbcd".to_owned(), 4));
        assert_eq!(since(1), ("bcd".to_owned(), 4));
        assert_eq!(since(4), (String::new(), 4));
        assert_eq!(since(9), (String::new(), 4));
    }

    #[test]
    fn line_ends_become_lf_even_when_a_pair_comes_in_two_parts() {
        let mut output = Output::new(100);
        output.write("a\r\nb\rc\n\nd\r");
        output.write("\ne");
        assert_eq!(output.text(), "a\nb\nc\n\nd\ne");
    }

    #[test]
    fn what_is_beyond_the_limit_is_dropped_and_said_to_be() {
        let mut output = Output::new(4);
        output.write("äb");
        assert!(!output.is_truncated());
        output.write("äx");
        output.write("y");
        assert!(output.is_truncated());
        assert_eq!(output.text(), "äb");
    }
}
