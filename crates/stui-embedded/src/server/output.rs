//! What one evaluation writes to the Transcript: kept for its reply, passed on as events, bounded
//! for both.

/// The output of one evaluation.
#[derive(Debug)]
pub(super) struct Output {
    kept: String,
    /// How much of `kept` was taken for events.
    taken: usize,
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

    /// What was written since the last call: the text of the next event.
    pub(super) fn take_new(&mut self) -> Option<String> {
        let new = &self.kept[self.taken..];
        self.taken = self.kept.len();
        (!new.is_empty()).then(|| new.to_owned())
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
        output.write("a");
        output.write("b");
        assert_eq!(output.take_new().as_deref(), Some("ab"));
        assert_eq!(output.take_new(), None);
        output.write("c");
        assert_eq!(output.take_new().as_deref(), Some("c"));
        assert_eq!(output.text(), "abc");
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
