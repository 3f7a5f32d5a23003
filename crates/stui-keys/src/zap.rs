//! Who may use a link: the questions of ZeroMQ's authentication protocol and their answers
//! (<https://rfc.zeromq.org/spec/27/>), as frames without sockets.

use crate::PublicKey;

/// Where libzmq asks, in each context.
pub const ENDPOINT: &str = "inproc://zeromq.zap.01";

/// The domain of all our sockets. One that has none is not asked about unless it has CURVE.
pub const DOMAIN: &str = "stui";

/// Somebody has connected and asks to come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    id: Vec<u8>,
    /// How the peer says who it is.
    pub credentials: Credentials,
}

/// How a peer says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all.
    None,
    /// It holds the secret of this key.
    Curve(PublicKey),
    /// In a way that no link here uses.
    Other,
}

impl Question {
    /// Reads a question: version, request id, domain, address, identity, mechanism, credentials.
    /// None for other frames, which are not answered.
    #[must_use]
    pub fn read(frames: &[impl AsRef<[u8]>]) -> Option<Self> {
        let frames: Vec<&[u8]> = frames.iter().map(AsRef::as_ref).collect();
        let [b"1.0", id, _, _, _, mechanism, credentials @ ..] = frames.as_slice() else {
            return None;
        };
        let credentials = match (*mechanism, credentials) {
            (b"NULL", _) => Credentials::None,
            (b"CURVE", [key]) => <[u8; 32]>::try_from(*key).map_or(Credentials::Other, |key| {
                Credentials::Curve(PublicKey::from(key))
            }),
            _ => Credentials::Other,
        };
        let id = id.to_vec();
        Some(Self { id, credentials })
    }

    /// Lets the peer in. The socket gives the public key as text with each of its messages, as
    /// `User-Id`.
    #[must_use]
    pub fn welcome(self) -> [Vec<u8>; 6] {
        let name = match self.credentials {
            Credentials::Curve(key) => key.to_string(),
            Credentials::None | Credentials::Other => String::new(),
        };
        self.answer("200", "OK", name)
    }

    /// Keeps the peer out for good: it is told, and its libzmq does not come again by itself.
    #[must_use]
    pub fn refuse(self, why: &str) -> [Vec<u8>; 6] {
        self.answer("400", why, String::new())
    }

    /// Keeps the peer out for now: it comes again by itself.
    #[must_use]
    pub fn later(self, why: &str) -> [Vec<u8>; 6] {
        self.answer("300", why, String::new())
    }

    fn answer(self, code: &str, text: &str, name: String) -> [Vec<u8>; 6] {
        let (version, metadata) = (b"1.0".to_vec(), Vec::new());
        let (code, text) = (code.as_bytes().to_vec(), text.as_bytes().to_vec());
        [version, self.id, code, text, name.into_bytes(), metadata]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyPair;

    fn question(mechanism: &[u8], credentials: &[&[u8]]) -> Question {
        let head: [&[u8]; 6] = [b"1.0", b"7", b"domain", b"127.0.0.1", b"", mechanism];
        Question::read(&[&head[..], credentials].concat()).unwrap()
    }

    #[test]
    fn a_key_is_welcome_under_its_name() {
        let key = KeyPair::new().public;
        let asked = question(b"CURVE", &[key.bytes()]);
        assert_eq!(asked.credentials, Credentials::Curve(key));
        let answered = asked.welcome();
        assert_eq!(answered[1..3], [b"7".to_vec(), b"200".to_vec()]);
        assert_eq!(answered[4], key.to_string().into_bytes());
    }

    #[test]
    fn whoever_is_kept_out_has_no_name() {
        let asked = question(b"NULL", &[]);
        assert_eq!(asked.credentials, Credentials::None);
        assert_eq!(asked.clone().refuse("no")[2..5], [&b"400"[..], b"no", b""]);
        assert_eq!(asked.later("full")[2], b"300");
    }

    #[test]
    fn other_credentials_are_no_key() {
        for asked in [
            question(b"PLAIN", &[b"me", b"word"]),
            question(b"CURVE", &[b"short"]),
        ] {
            assert_eq!(asked.credentials, Credentials::Other);
        }
    }

    #[test]
    fn what_is_no_question_is_not_answered() {
        assert_eq!(Question::read(&[] as &[&[u8]]), None);
        assert_eq!(
            Question::read(&[&b"2.0"[..], b"1", b"", b"", b"", b"NULL"]),
            None
        );
        assert_eq!(Question::read(&[&b"1.0"[..], b"1", b"d"]), None);
    }
}
