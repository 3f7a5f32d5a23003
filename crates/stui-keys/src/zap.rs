//! Who may use a link: the questions of ZeroMQ's authentication protocol and their answers
//! (<https://rfc.zeromq.org/spec/27/>), as frames without sockets.

use crate::PublicKey;

/// Where libzmq asks, in each context.
pub const ENDPOINT: &str = "inproc://zeromq.zap.01";

/// Frames before the credentials: version, request id, domain, address, identity, mechanism.
const HEAD: usize = 6;

/// What to answer when a client asks to come in. The name of one that may is its public key as
/// text; the socket gives it with each of its messages as `User-Id`. None for what is no question.
#[must_use]
pub fn answer(
    question: &[impl AsRef<[u8]>],
    may_enter: impl FnOnce(&PublicKey) -> bool,
) -> Option<Vec<Vec<u8>>> {
    let frame = |place: usize| question.get(place).map(AsRef::as_ref);
    let (b"1.0", id) = (frame(0)?, frame(1)?) else {
        return None;
    };
    let key = match (frame(HEAD - 1)?, frame(HEAD), question.len()) {
        (b"CURVE", Some(key), 7) => <[u8; 32]>::try_from(key).ok().map(PublicKey::from),
        _ => None,
    };
    let known = key.filter(may_enter);
    let (code, text) = match known {
        Some(_) => ("200", "OK"),
        None => ("400", "this key is not known here"),
    };
    let name = known.map_or_else(String::new, |key| key.to_string());
    let words = ["1.0".as_bytes(), id, code.as_bytes(), text.as_bytes()];
    let words = words.into_iter().chain([name.as_bytes(), b""]);
    Some(words.map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyPair;

    fn question<'a>(mechanism: &'a [u8], credential: &'a [u8]) -> Vec<&'a [u8]> {
        vec![
            b"1.0",
            b"7",
            b"domain",
            b"127.0.0.1",
            b"",
            mechanism,
            credential,
        ]
    }

    #[test]
    fn a_known_key_enters_under_its_name_and_others_do_not() {
        let (known, other) = (KeyPair::new().public, KeyPair::new().public);
        let ask = |key: &PublicKey| answer(&question(b"CURVE", key.bytes()), |key| *key == known);
        let answered = ask(&known).unwrap();
        assert_eq!(answered[1..3], [b"7".to_vec(), b"200".to_vec()]);
        assert_eq!(answered[4], known.to_string().into_bytes());
        let refused = ask(&other).unwrap();
        assert_eq!(refused[2], b"400");
        assert_eq!(refused[4], b"");
    }

    #[test]
    fn whoever_has_no_key_is_refused() {
        for asked in [
            question(b"NULL", b""),
            question(b"PLAIN", b"me"),
            question(b"CURVE", b"short"),
        ] {
            let answered = answer(&asked, |_| true).unwrap();
            assert_eq!(answered[2], b"400");
        }
    }

    #[test]
    fn what_is_no_question_is_not_answered() {
        assert_eq!(answer(&[] as &[&[u8]], |_| true), None);
        assert_eq!(answer(&[&b"2.0"[..], b"1"], |_| true), None);
        assert_eq!(answer(&[&b"1.0"[..], b"1", b"d"], |_| true), None);
    }
}
