//! Who is at the other end of a Unix socket: the kernel's word, not the client's.

use std::io;

use tokio::net::UnixStream;

/// A process and its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its group; of several, the primary one.
    pub gid: u32,
    /// Its process; 0 when the kernel does not tell.
    pub pid: u32,
}

impl Peer {
    /// The process that connected the socket.
    ///
    /// # Errors
    /// When the kernel cannot tell.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = stream.peer_cred()?;
        Ok(Self {
            uid: credentials.uid(),
            gid: credentials.gid(),
            pid: credentials
                .pid()
                .and_then(|pid| pid.try_into().ok())
                .unwrap_or(0),
        })
    }

    /// Whether it may operate the daemon: root and the daemon's own user may. They could read the
    /// daemon's memory anyway.
    #[must_use]
    pub fn may_operate(&self) -> bool {
        self.uid == 0 || self.uid == own_uid()
    }

    /// Under which name its sessions are kept in the image.
    #[must_use]
    pub fn client_id(&self) -> String {
        client_id(self.uid)
    }
}

/// The user of this process.
#[must_use]
pub fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The image's name for a user.
#[must_use]
pub fn client_id(uid: u32) -> String {
    format!("uid:{uid}")
}

/// The user that the image's name means; none for names that are not of a user.
#[must_use]
pub fn uid_of(client_id: &str) -> Option<u32> {
    client_id.strip_prefix("uid:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_and_the_daemons_own_user_may_operate_it() {
        let of = |uid| Peer {
            uid,
            gid: 100,
            pid: 1,
        };
        assert!(of(0).may_operate() && of(own_uid()).may_operate());
        assert!(!of(own_uid() + 1).may_operate());
    }

    #[test]
    fn a_user_comes_back_from_its_name_in_the_image() {
        assert_eq!(uid_of(&client_id(1000)), Some(1000));
        assert_eq!(uid_of("someone"), None);
        assert_eq!(uid_of("uid:-1"), None);
    }
}
