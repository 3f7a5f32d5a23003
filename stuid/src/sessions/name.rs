//! What a session may be called: something that can be typed without quotes.

use stui_protocol::Failure;
use stui_protocol::limits::MAX_SESSION_NAME_CHARS;

/// Checks a name.
///
/// # Errors
/// `InvalidParameter` that says what a name may be.
pub fn check(name: &str) -> Result<(), Failure> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let count = name.chars().count();
    let good = (1..=MAX_SESSION_NAME_CHARS).contains(&count)
        && name.chars().all(allowed)
        && !name.starts_with(['-', '.']);
    if good {
        return Ok(());
    }
    Err(Failure::invalid(
        "name",
        format!(
            "a session's name has 1 to {MAX_SESSION_NAME_CHARS} letters, digits, - _ or ., \
             and does not begin with - or ."
        ),
    ))
}

/// A name for a session of the image whose own name is none here.
pub(super) fn from_image(name: Option<&str>, session_id: &str) -> String {
    match name {
        Some(name) if check(name).is_ok() => name.to_owned(),
        _ => {
            let allowed = |c: &char| c.is_ascii_alphanumeric();
            let short: String = session_id.chars().filter(allowed).take(8).collect();
            format!("s{short}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_typed_without_quotes() {
        for good in ["main", "a", "x-1_y.z", "Grüße", &"x".repeat(64)] {
            assert!(check(good).is_ok(), "{good}");
        }
        for wrong in [
            "",
            " ",
            "a b",
            "-a",
            ".a",
            "a/b",
            "a:b",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_session_without_a_usable_name_is_called_by_its_id() {
        assert_eq!(from_image(Some("main"), "id"), "main");
        assert_eq!(
            from_image(Some("my session"), "12-34-56-78-9a"),
            "s12345678"
        );
        assert_eq!(from_image(None, "ab"), "sab");
    }
}
