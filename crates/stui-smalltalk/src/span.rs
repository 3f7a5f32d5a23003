//! Where something stands in a source text: byte ranges, and their translation to the character
//! positions, lines and columns that people and the protocol count in.

use std::ops::Range;

/// A half-open range of bytes in a source text. Both ends are character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// The range from `start` up to, not including, `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The empty range at `offset`.
    #[must_use]
    pub const fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// How many bytes it covers.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether it covers nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies wholly inside.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The text it covers; empty when the range does not fit `source`.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        source.get(self.range()).unwrap_or("")
    }

    /// The same as a standard range, for slicing.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A place as people count it; everything from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The character in the whole text. One past the end means "beyond the last character".
    pub character: usize,
    /// The line.
    pub line: usize,
    /// The character in its line.
    pub column: usize,
}

/// Translates byte offsets of one text to positions. Lines end with LF, CR or CR LF.
#[derive(Debug, Clone)]
pub struct LineIndex<'s> {
    source: &'s str,
    /// Byte offset and number of preceding characters of each line's start.
    lines: Vec<(usize, usize)>,
}

impl<'s> LineIndex<'s> {
    /// Reads `source` once.
    #[must_use]
    pub fn new(source: &'s str) -> Self {
        let bytes = source.as_bytes();
        let mut lines = vec![(0, 0)];
        for (characters, (at, character)) in source.char_indices().enumerate() {
            let ends_line = match character {
                '\n' => true,
                '\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends_line {
                lines.push((at + 1, characters + 1));
            }
        }
        Self { source, lines }
    }

    /// The position of the byte at `offset`. An offset beyond the end or inside a character
    /// counts as the nearest boundary before it.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let offset = floor_boundary(self.source, offset);
        let line = self.lines.partition_point(|(start, _)| *start <= offset);
        // The first line starts at 0, so at least one start is not above the offset.
        let (start, before) = self.lines[line - 1];
        let column = self.source[start..offset].chars().count() + 1;
        Position {
            character: before + column,
            line,
            column,
        }
    }

    /// The byte offset of the 1-based `character`; the end when there are fewer.
    #[must_use]
    pub fn offset(&self, character: usize) -> usize {
        let line = self
            .lines
            .partition_point(|(_, before)| *before < character)
            .max(1);
        let (start, before) = self.lines[line - 1];
        let rest = &self.source[start..];
        let skip = character.saturating_sub(before + 1);
        rest.char_indices()
            .nth(skip)
            .map_or(self.source.len(), |(at, _)| start + at)
    }
}

fn floor_boundary(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_not_bytes() {
        let index = LineIndex::new("'é' size.\nx");

        assert_eq!(
            index.position(4),
            Position {
                character: 4,
                line: 1,
                column: 4
            }
        );
        assert_eq!(
            index.position(11),
            Position {
                character: 11,
                line: 2,
                column: 1
            }
        );
    }

    #[test]
    fn the_end_is_one_past_the_last_character() {
        let index = LineIndex::new("3 + ");

        assert_eq!(index.position(4).character, 5);
        assert_eq!(index.position(4000).character, 5);
    }

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let index = LineIndex::new("a\rb\r\nc\nd");

        assert_eq!(index.position(2).line, 2);
        assert_eq!(
            index.position(5),
            Position {
                character: 6,
                line: 3,
                column: 1
            }
        );
        assert_eq!(index.position(7).line, 4);
    }

    #[test]
    fn offset_is_the_inverse_of_position() {
        let source = "é := 'ü'.\r\n→ foo";
        let index = LineIndex::new(source);

        for (at, _) in source.char_indices() {
            assert_eq!(index.offset(index.position(at).character), at);
        }
        assert_eq!(index.offset(1000), source.len());
    }
}
