//! Files of the state directory: a header, records with checksums, an end.
//!
//! ```text
//! magic (8 bytes) · format (u16) · records · end record
//! record: kind (u8) · length of payload (u32) · CRC-32 of kind, length and payload · payload
//! end record: kind 0, payload: number of records before it (u32)
//! ```
//! Numbers are little-endian. Whatever is wrong with the bytes is told, never guessed around: a
//! file is whole or it is damaged.

use thiserror::Error;

/// The format that is written.
pub(super) const FORMAT: u16 = 1;

/// Kind of the record that ends a file.
const END: u8 = 0;

/// Most records of one file: variables, classes and methods of a large project.
const MAX_RECORDS: u32 = 1_000_000;

const MAGIC_BYTES: usize = 8;
const RECORD_HEAD_BYTES: usize = 1 + 4 + 4;

/// One record. What a kind means is the matter of the file that uses it; 0 is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// What the payload is.
    pub(super) kind: u8,
    /// The bytes.
    pub(super) payload: Vec<u8>,
}

/// Why bytes are no such file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Damaged {
    #[error("it is a file of another kind")]
    Magic,
    #[error("it was written by a newer version (format {0}); use that version")]
    Format(u16),
    #[error("it ends too early")]
    Short,
    #[error("the checksum of record {0} is wrong")]
    Checksum(usize),
    #[error("it has the wrong number of records")]
    Count,
    #[error("something follows its end")]
    Trailing,
    #[error("record {0} cannot be read: {1}")]
    Content(usize, String),
}

/// The bytes of a file.
pub(super) fn encode(magic: &[u8; MAGIC_BYTES], records: &[Record]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend(FORMAT.to_le_bytes());
    for record in records {
        push(&mut bytes, record.kind, &record.payload);
    }
    let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
    push(&mut bytes, END, &count.to_le_bytes());
    bytes
}

fn push(bytes: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    // Payloads are bounded far below 4 GiB by those who make them.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    bytes.push(kind);
    bytes.extend(length.to_le_bytes());
    bytes.extend(checksum(kind, length, payload).to_le_bytes());
    bytes.extend(payload);
}

fn checksum(kind: u8, length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Reads a whole file.
pub(super) fn decode(magic: &[u8; MAGIC_BYTES], bytes: &[u8]) -> Result<Vec<Record>, Damaged> {
    let mut reader = Reader::open(magic, bytes)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        records.push(record);
    }
    Ok(records)
}

/// Reads the first record only; the rest of the bytes may be missing.
pub(super) fn decode_first(magic: &[u8; MAGIC_BYTES], bytes: &[u8]) -> Result<Record, Damaged> {
    Reader::open(magic, bytes)?.next()?.ok_or(Damaged::Count)
}

struct Reader<'a> {
    bytes: &'a [u8],
    records: usize,
}

impl<'a> Reader<'a> {
    fn open(magic: &[u8; MAGIC_BYTES], bytes: &'a [u8]) -> Result<Self, Damaged> {
        let mut reader = Self { bytes, records: 0 };
        if reader.take(MAGIC_BYTES).map_err(|_| Damaged::Magic)? != magic {
            return Err(Damaged::Magic);
        }
        let format = reader.array::<2>().map(u16::from_le_bytes)?;
        if format != FORMAT {
            return Err(Damaged::Format(format));
        }
        Ok(reader)
    }

    fn next(&mut self) -> Result<Option<Record>, Damaged> {
        let [kind] = self.array::<1>()?;
        let length = u32::from_le_bytes(self.array()?);
        let expected = u32::from_le_bytes(self.array()?);
        let payload = self.take(usize::try_from(length).map_err(|_| Damaged::Short)?)?;
        if checksum(kind, length, payload) != expected {
            return Err(Damaged::Checksum(self.records + 1));
        }
        if kind != END {
            self.records += 1;
            if self.records > MAX_RECORDS as usize {
                return Err(Damaged::Count);
            }
            return Ok(Some(Record {
                kind,
                payload: payload.to_vec(),
            }));
        }
        let count = payload.try_into().map(u32::from_le_bytes).ok();
        if count.map(|count| count as usize) != Some(self.records) {
            return Err(Damaged::Count);
        }
        if !self.bytes.is_empty() {
            return Err(Damaged::Trailing);
        }
        Ok(None)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(Damaged::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        self.take(N)?.try_into().map_err(|_| Damaged::Short)
    }
}

/// Most bytes that the first record of a file takes, with the head of the file: what has to be
/// read of a file to know its first record when that has `payload` bytes at most.
pub(super) const fn first_record_bytes(payload: usize) -> usize {
    MAGIC_BYTES + 2 + RECORD_HEAD_BYTES + payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAGIC: &[u8; 8] = b"stuitest";

    fn records() -> Vec<Record> {
        [(1, &b"first"[..]), (2, b""), (7, &[0xff; 300])]
            .map(|(kind, payload)| Record {
                kind,
                payload: payload.to_vec(),
            })
            .to_vec()
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let bytes = encode(MAGIC, &records());
        assert_eq!(decode(MAGIC, &bytes), Ok(records()));
        let head = &bytes[..first_record_bytes(5)];
        assert_eq!(decode_first(MAGIC, head), Ok(records()[0].clone()));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = encode(MAGIC, &records());
        for end in 0..bytes.len() {
            assert!(decode(MAGIC, &bytes[..end]).is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut wrong = bytes.clone();
                wrong[at] ^= 1 << bit;
                assert!(decode(MAGIC, &wrong).is_err(), "bit {bit} of byte {at}");
            }
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(decode(MAGIC, &longer), Err(Damaged::Trailing));
    }

    #[test]
    fn a_file_of_another_kind_or_format_is_named_so() {
        let mut bytes = encode(MAGIC, &[]);
        assert_eq!(decode(b"otherfil", &bytes), Err(Damaged::Magic));
        assert_eq!(decode(MAGIC, b"{}"), Err(Damaged::Magic));
        bytes[8] = 9;
        assert_eq!(decode(MAGIC, &bytes), Err(Damaged::Format(9)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = encode(MAGIC, &[]);
            bytes.truncate(10);
            bytes.extend(tail);
            let _ = decode(MAGIC, &bytes);
        }
    }
}
