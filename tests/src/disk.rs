//! A small disk that can be full or read-only.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A small file system. It is unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    dir: TempDir,
}

impl Disk {
    /// Mounts one.
    ///
    /// # Errors
    /// What is missing where that cannot be.
    pub fn small() -> Result<Self, String> {
        let dir = tempfile::tempdir().expect("a directory for a disk");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64m", "stui-disk"])
            .arg(dir.path())
            .output()
            .map_err(|error| format!("mount: {error}"))?;
        match mounted.status.success() {
            true => Ok(Self { dir }),
            false => Err("permission to mount a small file system (root)".to_owned()),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Mounts it again, such as `ro`.
    pub fn remount(&self, how: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(self.path())
            .status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "remounting it {how}"
        );
    }

    /// Leaves no byte free.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
    }

    /// Makes the room again that [`Disk::fill`] took.
    pub fn clear(&self) {
        std::fs::remove_file(self.filler()).expect("removing what fills it");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whatever still has files there does not keep the directory.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
    }
}
