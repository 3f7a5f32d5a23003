//! Whether somebody who is connected could connect now.
//!
//! The kernel asks that only when a connection is made. When it cannot be told for sure the answer
//! is no, and the client connects again, or is refused by the kernel.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::identity::Peer;

const WRITE: u32 = 0o2;
const SEARCH: u32 = 0o1;

/// Whether the peer may write to the socket and pass its directory, by their owners and modes.
pub(super) fn may_connect(socket: &Path, peer: Peer) -> bool {
    if peer.uid == 0 {
        return true;
    }
    let groups = Groups::of(peer);
    let allows = |path: &Path, what| {
        let found = fs::metadata(path);
        found.is_ok_and(|found| groups.may(what, &found))
    };
    allows(socket, WRITE) && socket.parent().is_some_and(|dir| allows(dir, SEARCH))
}

/// A user with the groups that its process has.
struct Groups {
    uid: u32,
    groups: Vec<u32>,
}

impl Groups {
    fn of(peer: Peer) -> Self {
        let status = fs::read_to_string(format!("/proc/{}/status", peer.pid));
        // The process may be gone, and its number another's.
        let status = status.ok().filter(|status| is_of(status, peer.uid));
        let mut groups = vec![peer.gid];
        groups.extend(status.iter().flat_map(|status| numbers(status, "Groups:")));
        Self {
            uid: peer.uid,
            groups,
        }
    }

    /// As the kernel decides: what the owner may, the owner may; else the group; else others.
    fn may(&self, what: u32, found: &Metadata) -> bool {
        let shift = if found.uid() == self.uid {
            6
        } else if self.groups.contains(&found.gid()) {
            3
        } else {
            0
        };
        found.mode() >> shift & what == what
    }
}

fn is_of(status: &str, uid: u32) -> bool {
    let mut uids = numbers(status, "Uid:").peekable();
    uids.peek().is_some() && uids.all(|each| each == uid)
}

/// The numbers in that line of proc_pid_status(5).
fn numbers<'s>(status: &'s str, key: &str) -> impl Iterator<Item = u32> + use<'s> {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let words = line.unwrap_or_default().split_whitespace();
    words.filter_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const STATUS: &str =
        "Name:\tstui\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\nGroups:\t100 27 \n";

    #[test]
    fn a_process_is_believed_only_when_all_its_users_are_the_one() {
        assert!(is_of(STATUS, 1000));
        assert!(!is_of(STATUS, 1001));
        assert!(!is_of(&STATUS.replace("\t1000\n", "\t0\n"), 1000));
        assert!(!is_of("", 1000));
        assert_eq!(numbers(STATUS, "Groups:").collect::<Vec<_>>(), [100, 27]);
    }

    #[test]
    fn owner_group_and_others_may_what_the_mode_says_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("socket");
        fs::write(&file, "").unwrap();
        let found = fs::metadata(&file).unwrap();
        let may = |mode: u32, uid: u32, gid: u32| {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let groups = vec![gid];
            Groups { uid, groups }.may(WRITE, &fs::metadata(&file).unwrap())
        };
        let (owner, group) = (found.uid(), found.gid());
        let (other, others) = (owner + 1, group + 1);
        assert!(may(0o660, owner, others) && may(0o660, other, group));
        assert!(!may(0o660, other, others) && may(0o666, other, others));
        assert!(!may(0o600, other, group));
        // The owner is not among the others.
        assert!(!may(0o466, owner, group) && !may(0o646, other, group));
    }

    #[test]
    fn a_directory_that_does_not_let_through_is_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        fs::write(&socket, "").unwrap();
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
        let stranger = Peer {
            uid: 64_321,
            gid: 64_321,
            pid: 0,
        };
        for (mode, may) in [(0o755, true), (0o700, false)] {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(may_connect(&socket, stranger), may);
        }
        assert!(!may_connect(Path::new("/nowhere/socket"), stranger));
    }
}
