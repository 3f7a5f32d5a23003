//! CURVE keys of the ZeroMQ links: how they are made, how they are kept in files, and who may use
//! a link.
//!
//! ZeroMQ itself is not here: the client makes keys and does not know it. The daemon and the
//! embedded image give [`PublicKey::bytes`] and [`SecretKey::bytes`] to their sockets.

pub mod file;
pub mod zap;

use std::fmt;
use std::str::FromStr;

use x25519_dalek::StaticSecret;

/// Characters of a key as text (Z85, <https://rfc.zeromq.org/spec/32/>).
pub const KEY_CHARS: usize = 40;

/// Names the holder of a secret key. It may be shown to anybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

/// Proves who one is. It prints as nothing and is wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretKey(StaticSecret);

/// A secret key and its public one.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// For everybody.
    pub public: PublicKey,
    /// For its holder.
    pub secret: SecretKey,
}

/// A text that is no key. It does not repeat the text, which may be most of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is {KEY_CHARS} characters of Z85, such as `stui keys new` writes")]
pub struct NoKey;

impl KeyPair {
    /// A new pair, from the system's random numbers.
    #[must_use]
    pub fn new() -> Self {
        SecretKey(StaticSecret::random()).into()
    }
}

impl Default for KeyPair {
    fn default() -> Self {
        Self::new()
    }
}

impl From<SecretKey> for KeyPair {
    fn from(secret: SecretKey) -> Self {
        let public = PublicKey(x25519_dalek::PublicKey::from(&secret.0).to_bytes());
        Self { public, secret }
    }
}

impl PublicKey {
    /// As a socket takes it.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl SecretKey {
    /// As a socket takes it.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// As text: for the file that keeps it.
    fn text(&self) -> String {
        z85::encode(self.bytes())
    }
}

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for PublicKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        decode(text).map(Self)
    }
}

impl FromStr for SecretKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        decode(text).map(|bytes| Self(StaticSecret::from(bytes)))
    }
}

fn decode(text: &str) -> Result<[u8; 32], NoKey> {
    // The crate also reads text of other lengths.
    if text.len() != KEY_CHARS {
        return Err(NoKey);
    }
    let bytes = z85::decode(text).map_err(|_| NoKey)?;
    bytes.try_into().map_err(|_| NoKey)
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&z85::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_one_that_libzmq_would_make() {
        let theirs = zmq::CurveKeyPair::new().unwrap();
        let secret: SecretKey = z85::encode(theirs.secret_key).parse().unwrap();
        assert_eq!(KeyPair::from(secret).public.bytes(), &theirs.public_key);
    }

    #[test]
    fn the_libzmq_of_this_build_knows_curve() {
        assert_eq!(zmq::has("curve"), Some(true));
    }

    #[test]
    fn keys_come_back_from_text_and_other_text_is_none() {
        let pair = KeyPair::new();
        assert_eq!(pair.public.to_string().parse(), Ok(pair.public));
        let text = pair.secret.text();
        assert_eq!(
            text.parse::<SecretKey>().unwrap().bytes(),
            pair.secret.bytes()
        );
        for wrong in [
            "",
            "short",
            &text[1..],
            &text.replace(&text[..1], "\""),
            &"é".repeat(20),
        ] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(NoKey), "{wrong}");
        }
    }

    #[test]
    fn two_pairs_differ_and_no_secret_is_printed() {
        let (one, other) = (KeyPair::new(), KeyPair::new());
        assert_ne!(one.public, other.public);
        assert!(!format!("{one:?}").contains(&one.secret.text()));
    }
}
