//! The output of an evaluation on its way into the log: each part once and in order, whoever tells
//! it first and whatever the event link loses.
//!
//! An image that says where a text stands (`from` in `output`) is asked for what was missed
//! (`output_from` in `evaluation_status`), while the evaluation runs. With another one the rest is
//! taken from the outcome, when what was told is its beginning.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use serde_json::Value;
use stui_protocol::image::{OutputData, OutputSoFar};
use stui_protocol::message::Outcome;
use stui_protocol::{Event, EventName};

use super::Session;
use super::evaluation::Evaluation;

/// Output that may wait for the end of its evaluation.
const MOST_WITHHELD_BYTES: usize = 64 * 1024;

/// How much of an evaluation's output was told.
#[derive(Debug)]
pub(crate) struct Output {
    /// Bytes of it in the log.
    bytes: usize,
    /// Check sum of these.
    sum: u64,
    heard: Heard,
    /// What was heard since an earlier daemon let the evaluation go, from an image that does not say
    /// where it stands: it waits until it is known what was said meanwhile.
    withheld: Option<String>,
}

/// What of its output is in the log already when an evaluation is found running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ToldOutput {
    bytes: usize,
    sum: u64,
    chars: u64,
}

/// Up to where the output was heard, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    To(u64),
    /// The log does not have all of it any more: what comes next is taken as it comes.
    Somewhere,
    /// The log was not read yet. The image is asked afterwards, so nothing is needed before.
    Unread,
}

/// What is to be done with a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hearing<'a> {
    Tell(Cow<'a, str>),
    /// It was told, or waits.
    Nothing,
    /// Something before it was missed: the image has to be asked for that, and for this.
    Missed,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            bytes: 0,
            sum: EMPTY_SUM,
            heard: Heard::To(0),
            withheld: None,
        }
    }
}

impl Default for ToldOutput {
    fn default() -> Self {
        Self {
            bytes: 0,
            sum: EMPTY_SUM,
            chars: 0,
        }
    }
}

impl ToldOutput {
    /// Adds what was told next.
    pub(super) fn add(&mut self, text: &str) {
        self.bytes += text.len();
        self.sum = sum(self.sum, text);
        self.chars += chars(text);
    }
}

impl Output {
    /// Of an evaluation that an earlier daemon has begun. What was told of it is not known yet.
    pub(super) fn of_earlier() -> Self {
        Self {
            heard: Heard::Unread,
            ..Self::default()
        }
    }

    /// The log was read: it has that much, or not all any more.
    pub(super) fn goes_on(&mut self, told: Option<ToldOutput>) {
        self.heard = match told {
            Some(told) => {
                (self.bytes, self.sum) = (told.bytes, told.sum);
                self.withheld = Some(String::new());
                Heard::To(told.chars)
            }
            None => {
                // No outcome begins with what the log has.
                self.sum = !EMPTY_SUM;
                Heard::Somewhere
            }
        };
    }

    /// Behind how many characters the image is to be asked for more.
    pub(super) fn wanted(&self) -> Option<u64> {
        match self.heard {
            Heard::To(chars) => Some(chars),
            Heard::Somewhere | Heard::Unread => None,
        }
    }

    /// A text was heard, which stands behind so many characters if the image says that.
    pub(super) fn hear<'a>(&mut self, text: &'a str, from: Option<u64>) -> Hearing<'a> {
        let Some(from) = from else {
            return self.hear_somewhere(text);
        };
        let fresh = match self.heard {
            Heard::Unread => return Hearing::Nothing,
            Heard::Somewhere => text,
            Heard::To(heard) if from > heard => return Hearing::Missed,
            Heard::To(heard) => behind(text, heard - from),
        };
        if fresh.is_empty() {
            return Hearing::Nothing;
        }
        // This image says where everything stands: nothing has to wait.
        self.withheld = None;
        self.heard = Heard::To(from + chars(text));
        Hearing::Tell(self.told(Cow::Borrowed(fresh)))
    }

    fn hear_somewhere<'a>(&mut self, text: &'a str) -> Hearing<'a> {
        let text = match self.withheld.take() {
            None => Cow::Borrowed(text),
            Some(before) if before.len() + text.len() <= MOST_WITHHELD_BYTES => {
                self.withheld = Some(before + text);
                return Hearing::Nothing;
            }
            // It cannot wait for the end.
            Some(before) => Cow::Owned(before + text),
        };
        if let Heard::To(heard) = &mut self.heard {
            *heard += chars(&text);
        }
        Hearing::Tell(self.told(text))
    }

    fn told<'a>(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        self.bytes += text.len();
        self.sum = sum(self.sum, &text);
        text
    }

    /// The image does not keep what is missing before this place.
    fn skip_to(&mut self, end: u64) {
        if let Heard::To(heard) = &mut self.heard {
            *heard = end.max(*heard);
        }
    }

    /// The image was asked for what is missing and does not tell such things.
    pub(super) fn asks_in_vain(&mut self) {
        self.heard = Heard::Somewhere;
    }

    /// The evaluation ends: what is still to be told.
    pub(super) fn rest<'a>(&mut self, outcome: &'a Outcome) -> Cow<'a, str> {
        let withheld = self.withheld.take();
        match self.rest_of_output(outcome) {
            Rest::Text(text) => Cow::Borrowed(text),
            Rest::Nothing => Cow::Borrowed(""),
            Rest::Unclear => Cow::Owned(withheld.unwrap_or_default()),
        }
    }

    /// The output that the outcome has and the log has not: events may be off or late.
    fn rest_of_output<'a>(&self, outcome: &'a Outcome) -> Rest<'a> {
        let output = match outcome {
            Ok(result) => result.get("output"),
            Err(failure) => failure.details.get("output"),
        };
        let output = output.and_then(Value::as_str).unwrap_or_default();
        match output.split_at_checked(self.bytes) {
            Some((told, _)) if sum(EMPTY_SUM, told) != self.sum => Rest::Unclear,
            Some((_, "")) => Rest::Nothing,
            Some((_, rest)) => Rest::Text(rest),
            None => Rest::Unclear,
        }
    }
}

/// What is left of an evaluation's output at its end.
#[derive(Debug, PartialEq, Eq)]
enum Rest<'a> {
    Text(&'a str),
    Nothing,
    /// The log has something else than the beginning of the outcome's output: events were lost,
    /// or the outcome is cut, and nobody knows which part is missing.
    Unclear,
}

impl Session {
    /// Output of an evaluation, told by the event link.
    pub(crate) fn output(&self, evaluation: &Evaluation, data: &OutputData) {
        let mut progress = evaluation.progress();
        if evaluation.is_ended() {
            // A process that it forked goes on. What the event link tells before the end, when
            // that is known from the reply already, was in the outcome.
            if evaluation.end_was_told.load(Ordering::Relaxed) {
                self.tell_output(&evaluation.id, &data.text);
            }
            return;
        }
        match progress.output.hear(&data.text, data.from) {
            Hearing::Tell(text) => self.tell_output(&evaluation.id, &text),
            Hearing::Nothing => {}
            Hearing::Missed => evaluation.ask_again(),
        }
    }

    /// What an evaluation that runs has written behind `from`, told by the image when asked.
    pub(super) fn output_so_far(&self, evaluation: &Evaluation, from: u64, so_far: OutputSoFar) {
        let data = OutputData {
            text: so_far.output,
            from: Some(from),
        };
        self.output(evaluation, &data);
        evaluation.progress().output.skip_to(so_far.output_end);
    }

    pub(super) fn tell_output(&self, evaluation_id: &str, text: &str) {
        let mut event = Event::new(EventName::Output, &OutputData::new(text));
        event.evaluation_id = Some(evaluation_id.to_owned());
        self.tell(event);
    }
}

fn chars(text: &str) -> u64 {
    text.chars().count() as u64
}

/// The text without its first characters.
fn behind(text: &str, chars: u64) -> &str {
    let skipped = usize::try_from(chars).unwrap_or(usize::MAX);
    let start = text.char_indices().nth(skipped);
    start.map_or("", |(index, _)| &text[index..])
}

/// FNV-1a of no bytes.
const EMPTY_SUM: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, over pieces of a text as over the whole. Nobody gains by making two texts alike.
fn sum(before: u64, text: &str) -> u64 {
    text.bytes().fold(before, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(pieces: &[&str]) -> Output {
        let mut output = Output::default();
        for text in pieces {
            output.hear(text, None);
        }
        output
    }

    fn tell(text: &str) -> Hearing<'_> {
        Hearing::Tell(text.into())
    }

    #[test]
    fn only_output_that_was_not_told_is_told_at_the_end() {
        let outcome: Outcome = Ok(json!({"output": "héllo world"}));
        assert_eq!(told(&[]).rest(&outcome), "héllo world");
        assert_eq!(told(&["hé", "llo"]).rest(&outcome), " world");
        assert_eq!(told(&["héllo world"]).rest(&outcome), "");
    }

    #[test]
    fn after_a_lost_event_nothing_is_told_twice() {
        let outcome: Outcome = Ok(json!({"output": "abc"}));
        assert_eq!(told(&["b"]).rest_of_output(&outcome), Rest::Unclear);
        assert_eq!(told(&["abcdefgh"]).rest(&outcome), "");
    }

    #[test]
    fn a_text_that_says_where_it_stands_is_told_once_and_in_order() {
        let mut output = Output::default();
        assert_eq!(output.hear("hé", Some(0)), tell("hé"));
        assert_eq!(output.hear("hé", Some(0)), Hearing::Nothing);
        assert_eq!(output.hear(" world", Some(5)), Hearing::Missed);
        assert_eq!(output.wanted(), Some(2));
        assert_eq!(output.hear("llo world", Some(2)), tell("llo world"));
        assert_eq!(output.hear(" world", Some(5)), Hearing::Nothing);
        assert_eq!(output.hear("ld!", Some(9)), tell("!"));
        let outcome: Outcome = Ok(json!({"output": "héllo world!\n"}));
        assert_eq!(output.rest(&outcome), "\n");
    }

    #[test]
    fn one_that_is_found_running_goes_on_where_the_log_ends() {
        let mut told = ToldOutput::default();
        told.add("hél");
        let mut output = Output::of_earlier();
        assert_eq!(output.hear("o", Some(4)), Hearing::Nothing);
        assert_eq!(output.wanted(), None);
        output.goes_on(Some(told));
        assert_eq!(output.hear("o", Some(4)), Hearing::Missed);
        assert_eq!(output.hear("lo", Some(3)), tell("lo"));
        let outcome: Outcome = Ok(json!({"output": "héllo"}));
        assert_eq!(output.rest(&outcome), "");
    }

    #[test]
    fn what_the_image_does_not_keep_is_left_out() {
        let mut output = Output::default();
        assert_eq!(output.hear("late", Some(100)), Hearing::Missed);
        output.skip_to(104);
        assert_eq!(output.hear(" later", Some(104)), tell(" later"));
    }

    #[test]
    fn from_an_image_that_does_not_say_where_it_waits_for_the_end() {
        let mut told = ToldOutput::default();
        told.add("one ");
        let mut output = Output::of_earlier();
        output.goes_on(Some(told));
        assert_eq!(output.hear("three", None), Hearing::Nothing);
        let outcome: Outcome = Ok(json!({"output": "one two three"}));
        assert_eq!(output.rest(&outcome), "two three");
        let mut output = Output::of_earlier();
        output.goes_on(Some(told));
        output.hear("three", None);
        let cut: Outcome = Ok(json!({"output": "on"}));
        assert_eq!(output.rest(&cut), "three");
    }
}
