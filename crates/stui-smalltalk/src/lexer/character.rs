//! What single characters may be part of. The sets are Pharo's; the letters of names are ASCII's.

/// Whether a name may start with it.
#[must_use]
pub fn is_letter(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

/// Whether a name may go on with it.
#[must_use]
pub fn is_name_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Whether operators may be made of it.
#[must_use]
pub fn is_binary(character: char) -> bool {
    matches!(
        character,
        '+' | '-'
            | '/'
            | '\\'
            | '*'
            | '~'
            | '<'
            | '>'
            | '='
            | '@'
            | ','
            | '%'
            | '|'
            | '&'
            | '?'
            | '!'
            | '\u{B7}'
            | '\u{F7}'
            | '\u{B1}'
            | '\u{D7}'
    )
}

/// Whether it parts tokens and nothing else.
#[must_use]
pub fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{C}' | '\0')
}

/// Symbols may have letters of every script, names have not.
pub(super) fn starts_symbol(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}
