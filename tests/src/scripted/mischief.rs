//! What a scripted image may do wrong with its replies, and how often.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// One way to do it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The work is done and nothing is said.
    Lost,
    /// The reply comes after this time, and nothing else meanwhile.
    Late(Duration),
    /// The same reply comes twice.
    Doubled,
    /// The frames before the delimiter are those of no request.
    Correlation,
    /// The document is the right one with the id of nobody.
    Id,
    /// The document is that of the reply before.
    OfAnother,
    /// No JSON.
    Garbage,
    /// The delimiter is missing.
    Undelimited,
}

/// A message of several frames, as it goes out on a ROUTER socket.
pub(super) type Frames = Vec<Vec<u8>>;

/// Does some of the replies wrong, by chance.
#[derive(Debug)]
pub(super) struct Mischief {
    wrong: Wrong,
    one_in: u32,
    dice: StdRng,
    before: Option<Vec<u8>>,
    done: u64,
}

impl Mischief {
    /// One reply in `one_in` goes wrong; the same ones for the same seed.
    pub(super) fn new(wrong: Wrong, one_in: u32, seed: u64) -> Self {
        Self {
            wrong,
            one_in,
            dice: StdRng::seed_from_u64(seed),
            before: None,
            done: 0,
        }
    }

    /// How many replies have gone wrong.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// What goes out in place of a reply: the messages, after a wait.
    pub(super) fn spoil(&mut self, envelope: Frames, body: Vec<u8>) -> (Duration, Vec<Frames>) {
        let before = self.before.replace(body.clone());
        let right = |body| [envelope.clone(), vec![body]].concat();
        if !self.dice.random_ratio(1, self.one_in) {
            return (Duration::ZERO, vec![right(body)]);
        }
        self.done += 1;
        let messages = match self.wrong {
            Wrong::Lost => Vec::new(),
            Wrong::Late(late) => return (late, vec![right(body)]),
            Wrong::Doubled => vec![right(body.clone()), right(body)],
            Wrong::Correlation => vec![[readdressed(envelope), vec![body]].concat()],
            Wrong::Id => vec![right(renamed(&body))],
            Wrong::OfAnother => vec![right(before.unwrap_or_default())],
            Wrong::Garbage => vec![right(self.garbage())],
            Wrong::Undelimited => {
                let address = envelope.into_iter().filter(|frame| !frame.is_empty());
                vec![address.chain([body]).collect()]
            }
        };
        (Duration::ZERO, messages)
    }

    fn garbage(&mut self) -> Vec<u8> {
        let size = self.dice.random_range(0..200);
        (0..size).map(|_| self.dice.random()).collect()
    }
}

/// The peer stays; what follows its identity becomes that of another request.
fn readdressed(mut envelope: Frames) -> Frames {
    if let Some(byte) = envelope.get_mut(1).and_then(|frame| frame.first_mut()) {
        *byte ^= 0x40;
    }
    envelope
}

fn renamed(body: &[u8]) -> Vec<u8> {
    let mut reply: Value = serde_json::from_slice(body).expect("a reply of the image");
    reply["id"] = json!("nobody-asked-for-this");
    reply.to_string().into_bytes()
}
