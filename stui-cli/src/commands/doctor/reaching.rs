//! Whether the daemon is reached: its socket, and who answers there.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::finding::Finding;
use crate::exit::Problem;
use crate::socket::PassedOver;

/// Looks at the place of the socket, without connecting; `passed_over` is the machine's, when it
/// could not be used.
pub(super) fn socket(path: &Path, passed_over: Option<&PassedOver>) -> Finding {
    let also = passed_over.map_or_else(String::new, |machine| format!(", and {machine}"));
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => Finding::well("socket", shown.to_string()),
        Ok(_) => Finding::wrong(
            "socket",
            format!("{shown} is no socket"),
            "name the daemon's socket with --socket or STUI_SOCKET, or move that file away",
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Finding::wrong(
            "socket",
            format!("nothing is at {shown}{also}"),
            "`stui` starts a daemon, `systemctl start stuid.socket` one for the machine; another \
             place is named with --socket or STUI_SOCKET",
        ),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Finding::wrong(
            "socket",
            format!("you may not look into the directory of {shown}"),
            "it belongs to another user: be in the group that may use the daemon, or use your own",
        ),
        Err(error) => Finding::wrong(
            "socket",
            format!("looking at {shown}: {error}"),
            "name the daemon's socket with --socket or STUI_SOCKET",
        ),
    }
}

/// Why nobody answers as a daemon does.
pub(super) fn no_daemon(problem: &Problem, socket: &Path) -> Finding {
    let advice = match problem {
        Problem::NoDaemon(_) => {
            "the daemon has ended without cleaning up: `stui` starts another one, its log says why \
             it ended"
        }
        Problem::Unreachable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            "`ls -l` shows whose socket it is: be in the group that may use it (listen.mode), or \
             use a daemon of your own"
        }
        Problem::NoAnswer(_) => {
            "its process is stopped or hangs: `ps -o pid,stat,pcpu,cmd -C stuid`; T is stopped \
             (kill -CONT), else stop it and look at its log"
        }
        Problem::Garbled(_) => "another program listens there, or stui and stuid do not fit",
        Problem::Failed(_) => "try again when it has room or is back",
        _ => "look at the daemon's log",
    };
    let says = match problem {
        Problem::NoDaemon(_) => format!("nobody listens at {}", socket.display()),
        other => other.to_string(),
    };
    Finding::wrong("daemon", says, advice)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::super::finding::State;
    use super::*;

    #[test]
    fn what_is_no_socket_is_told_from_nothing_and_from_a_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stuid.sock");
        assert!(socket(&path, None).says.contains("nothing is at"));
        fs::write(&path, "").unwrap();
        assert!(socket(&path, None).says.contains("is no socket"));
        fs::remove_file(&path).unwrap();
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(socket(&path, None).state, State::Well);
    }
}
