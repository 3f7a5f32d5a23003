//! Two machines and a cable, as network namespaces of the kernel: packets can be dropped or refused
//! without either end being told.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::patience;

/// Address of the machine at the near end.
const NEAR: &str = "10.213.0.1";
/// Address of the machine at the far end.
const FAR: &str = "10.213.0.2";

/// Two namespaces with a pair of virtual interfaces between them. They go when this is dropped, or
/// when the process ends in whatever way.
#[derive(Debug)]
pub struct Networks {
    near: Namespace,
    far: Namespace,
}

/// A namespace lives as long as its process, which ends with its standard input.
#[derive(Debug)]
struct Namespace {
    holder: Child,
}

impl Networks {
    /// Two connected namespaces.
    ///
    /// # Errors
    /// Says what is missing where this user, or this kernel, cannot have them.
    pub fn linked() -> Result<Self, String> {
        let networks = Self {
            near: Namespace::new()?,
            far: Namespace::new()?,
        };
        let far = format!("/proc/{}/ns/net", networks.far.holder.id());
        let peer = ["type", "veth", "peer", "name", "cable", "netns", &far];
        networks
            .near
            .ip(&[&["link", "add", "cable"], &peer[..]].concat())?;
        for (namespace, address) in [(&networks.near, NEAR), (&networks.far, FAR)] {
            namespace.ip(&["link", "set", "lo", "up"])?;
            namespace.ip(&["addr", "add", &format!("{address}/30"), "dev", "cable"])?;
            namespace.ip(&["link", "set", "cable", "up"])?;
        }
        Ok(networks)
    }

    /// What leads a command into the near one.
    #[must_use]
    pub fn near(&self) -> Vec<String> {
        self.near.through()
    }

    /// What leads a command into the far one.
    #[must_use]
    pub fn far(&self) -> Vec<String> {
        self.far.through()
    }

    /// A place in the far one that the near one can reach, for ZeroMQ.
    #[must_use]
    pub fn endpoint(port: u16) -> String {
        format!("tcp://{FAR}:{port}")
    }

    /// From now on packets disappear, and nobody is told.
    pub fn drop_packets(&self) {
        self.far.must(&["link", "set", "cable", "down"]);
    }

    /// From now on packets are refused, both ways.
    pub fn refuse_packets(&self) {
        self.near
            .must(&["route", "add", "unreachable", &format!("{FAR}/32")]);
        self.far
            .must(&["route", "add", "unreachable", &format!("{NEAR}/32")]);
    }

    /// Packets arrive again.
    pub fn mend(&self) {
        self.far.must(&["link", "set", "cable", "up"]);
        // There may be none.
        let _ = self
            .near
            .ip(&["route", "del", "unreachable", &format!("{FAR}/32")]);
        let _ = self
            .far
            .ip(&["route", "del", "unreachable", &format!("{NEAR}/32")]);
    }
}

impl Namespace {
    fn new() -> Result<Self, String> {
        let mut holder = Command::new("unshare")
            .args(["--net", "--", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("unshare of util-linux: {error}"))?;
        let id = holder.id();
        let ours = std::fs::read_link("/proc/self/ns/net").map_err(|error| error.to_string())?;
        let apart = patience::until_within(patience::PATIENCE, &mut || {
            if holder.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Some(false);
            }
            let theirs: PathBuf = std::fs::read_link(format!("/proc/{id}/ns/net")).ok()?;
            (theirs != ours).then_some(true)
        });
        match apart {
            Some(true) => Ok(Self { holder }),
            _ => Err("permission to unshare the network (root)".to_owned()),
        }
    }

    fn through(&self) -> Vec<String> {
        let target = self.holder.id().to_string();
        ["/usr/bin/nsenter", "--net", "--target", &target, "--"]
            .map(str::to_owned)
            .to_vec()
    }

    /// Runs `ip` in it.
    fn ip(&self, arguments: &[&str]) -> Result<(), String> {
        let through = self.through();
        let output = Command::new(&through[0])
            .args(&through[1..])
            .arg("ip")
            .args(arguments)
            .output()
            .map_err(|error| format!("nsenter of util-linux: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!(
                "`ip {}` of iproute2: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            )),
        }
    }

    fn must(&self, arguments: &[&str]) {
        self.ip(arguments).unwrap_or_else(|error| panic!("{error}"));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Some(mut stdin) = self.holder.stdin.take() {
            let _ = stdin.flush();
        }
        let _ = self.holder.wait();
    }
}
