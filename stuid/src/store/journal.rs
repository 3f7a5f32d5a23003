//! The journal: changes in the order in which they happened, appended to a file before anybody is
//! told of them. One `write` for each; what was written survives the end of the process at any
//! instant. The tables take its changes over now and then, and then the file goes.
//!
//! A file is a header and frames: length and CRC-32 of the body (4 bytes each, little endian), then
//! the body: length of the change, the change as JSON, and the line that it is about, if any. A
//! frame that is cut or damaged ends the file: nothing after it was ever acknowledged.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::record::{Change, is_counted};

/// First bytes of each file; the last one is the version of the format.
pub(super) const HEADER: &[u8; 8] = b"stuijnl\x01";

/// Files of the journal: this and a number.
const PREFIX: &str = "journal-";

/// The largest body that is believed. A line of a log has at most one message and a little more.
const MOST_BODY_BYTES: usize = 64 * 1024 * 1024;

/// An open file of the journal.
#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    number: u64,
    file: File,
    bytes: u64,
    /// Made for each frame, kept for its room.
    frame: Vec<u8>,
}

impl Journal {
    /// Begins a new file behind all others. A disk that is full is noticed here.
    pub(super) fn begin(dir: &Path, number: u64) -> io::Result<Self> {
        let path = path_of(dir, number);
        let mut options = File::options();
        let mut file = options
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        if let Err(error) = file.write_all(HEADER) {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        Ok(Self {
            dir: dir.to_owned(),
            number,
            file,
            bytes: 0,
            frame: Vec::new(),
        })
    }

    /// Appends a change, with the line that it is about. When that fails nothing was appended, or
    /// something that reading stops at: nothing may be appended to this file any more.
    pub(super) fn append(&mut self, change: &Change, line: &[u8]) -> io::Result<()> {
        let frame = &mut self.frame;
        write_frame(frame, change, line)?;
        let written = self.file.write_all(frame);
        if written.is_err() {
            // Perhaps a part of it stands there. Reading would stop at it by itself.
            let _ = self.file.set_len(HEADER.len() as u64 + self.bytes);
        }
        written?;
        self.bytes += frame.len() as u64;
        Ok(())
    }

    /// Whether nothing was appended yet.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Bytes of the frames in it.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Goes on in a new file. The old one stays until [`remove_before`].
    pub(super) fn rotate(&mut self) -> io::Result<()> {
        *self = Self::begin(&self.dir, self.number + 1)?;
        Ok(())
    }

    /// The number of the file; those before it have smaller ones.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

/// Makes the frame of a change, with the line that it is about.
pub(super) fn write_frame(frame: &mut Vec<u8>, change: &Change, line: &[u8]) -> io::Result<()> {
    frame.clear();
    frame.extend_from_slice(&[0; 12]);
    serde_json::to_writer(&mut *frame, change)?;
    let head = small(frame.len() - 12)?;
    frame.extend_from_slice(line);
    let body = small(frame.len() - 8)?;
    frame[8..12].copy_from_slice(&head.to_le_bytes());
    let sum = crc32fast::hash(&frame[8..]);
    frame[..4].copy_from_slice(&body.to_le_bytes());
    frame[4..8].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

fn small(bytes: usize) -> io::Result<u32> {
    let fits = bytes <= MOST_BODY_BYTES;
    let small = u32::try_from(bytes).ok().filter(|_| fits);
    small.ok_or_else(|| io::ErrorKind::FileTooLarge.into())
}

fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{PREFIX}{number:08}"))
}

/// The numbers of the files that are there, smallest first. A number that no daemon comes to is
/// somebody else's file.
pub(super) fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let number = number.and_then(|number| number.parse::<u64>().ok());
        found.extend(number.filter(|number| is_counted(*number)));
    }
    found.sort_unstable();
    Ok(found)
}

/// Removes all files before that number: the tables have what stands in them.
pub(super) fn remove_before(dir: &Path, number: u64) -> io::Result<()> {
    for old in numbers(dir)?.into_iter().filter(|each| *each < number) {
        std::fs::remove_file(path_of(dir, old))?;
    }
    Ok(())
}

/// Gives all whole changes of a file to a visitor, in order; the line is empty for most.
pub(super) fn replay(dir: &Path, number: u64, visit: impl FnMut(Change, &[u8])) -> io::Result<()> {
    let path = path_of(dir, number);
    let mut bytes = Vec::new();
    File::open(&path)?.read_to_end(&mut bytes)?;
    let Some(frames) = bytes.strip_prefix(HEADER.as_slice()) else {
        if !HEADER.starts_with(&bytes) {
            tracing::error!(path = %path.display(), "this is no journal of this version, leaving it out");
        }
        return Ok(());
    };
    let cut = read_frames(frames, visit);
    if !cut.is_empty() {
        tracing::warn!(path = %path.display(), bytes = cut.len(), "the end of the journal is cut, as after a crash");
    }
    Ok(())
}

/// Gives all whole changes to a visitor; answers what stands behind them and is none.
pub(super) fn read_frames(mut rest: &[u8], mut visit: impl FnMut(Change, &[u8])) -> &[u8] {
    while let Some((change, line, behind)) = frame(rest) {
        visit(change, line);
        rest = behind;
    }
    rest
}

/// The first frame and what stands behind it.
fn frame(bytes: &[u8]) -> Option<(Change, &[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    let (sum, rest) = number(rest)?;
    let (body, behind) = rest.split_at_checked(length as usize)?;
    if crc32fast::hash(body) != sum {
        return None;
    }
    let (head, rest) = number(body)?;
    let (head, line) = rest.split_at_checked(head as usize)?;
    Some((serde_json::from_slice(head).ok()?, line, behind))
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::super::record::{LinePlace, Mark};
    use super::*;

    fn line(position: u64) -> Change {
        let place = LinePlace {
            session: 1,
            position,
            ..LinePlace::default()
        };
        Change::Line {
            place,
            mark: Mark::None,
        }
    }

    fn read(dir: &Path, number: u64) -> Vec<(Change, Vec<u8>)> {
        let mut found = Vec::new();
        replay(dir, number, |change, line| {
            found.push((change, line.to_vec()));
        })
        .unwrap();
        found
    }

    #[test]
    fn what_was_appended_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1).unwrap();
        journal.append(&line(1), b"one\n").unwrap();
        journal.append(&Change::Forgotten(7), b"").unwrap();
        journal.rotate().unwrap();
        journal.append(&line(2), b"two\n").unwrap();
        assert_eq!(numbers(dir.path()).unwrap(), [1, 2]);
        let first = [
            (line(1), b"one\n".to_vec()),
            (Change::Forgotten(7), Vec::new()),
        ];
        assert_eq!(read(dir.path(), 1), first);
        assert_eq!(read(dir.path(), 2), [(line(2), b"two\n".to_vec())]);
        remove_before(dir.path(), 2).unwrap();
        assert_eq!(numbers(dir.path()).unwrap(), [2]);
    }

    #[test]
    fn however_the_end_is_cut_what_stands_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1).unwrap();
        journal.append(&line(1), b"one\n").unwrap();
        let whole = std::fs::read(path_of(dir.path(), 1)).unwrap().len();
        journal.append(&line(2), b"two\n").unwrap();
        let bytes = std::fs::read(path_of(dir.path(), 1)).unwrap();
        for end in whole..bytes.len() {
            std::fs::write(path_of(dir.path(), 1), &bytes[..end]).unwrap();
            assert_eq!(read(dir.path(), 1), [(line(1), b"one\n".to_vec())]);
        }
        for end in 0..HEADER.len() {
            std::fs::write(path_of(dir.path(), 1), &bytes[..end]).unwrap();
            assert_eq!(read(dir.path(), 1), []);
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), 1).unwrap();
        journal.append(&line(1), b"one\n").unwrap();
        let bytes = std::fs::read(path_of(dir.path(), 1)).unwrap();
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 4;
            std::fs::write(path_of(dir.path(), 1), &damaged).unwrap();
            assert_eq!(read(dir.path(), 1), []);
        }
    }
}
