//! The links to other programs: whether they may be as they are configured, and the keys that
//! guard them.
//!
//! Whoever reaches an image can do everything in it, so a link that leaves this machine has CURVE
//! keys, or somebody has said in so many words that it needs none.

use std::path::{Path, PathBuf};

use stui_keys::file::{self, Readers};
use stui_keys::{KEY_CHARS, KeyPair, PublicKey};

use super::{Config, Environment, ImageKind};
use crate::image::{Guard, Protocol, is_remote};

/// Where systemd puts the credentials of a service.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// What guards the links.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// The keys of the links to the image; they have CURVE then.
    pub image: Option<Guard>,
    /// The front end's own pair; it has CURVE then.
    pub frontend: Option<KeyPair>,
    /// Endpoints that leave this machine unguarded, as was allowed.
    pub insecure: Vec<String>,
}

/// A key of the configuration, and what is wrong with its value.
pub(super) struct Wrong {
    pub(super) key: &'static str,
    pub(super) why: String,
}

/// Checks the links and reads their keys.
pub(super) fn settle(config: &Config, environment: &Environment) -> Result<Links, Wrong> {
    let (image, frontend) = (&config.image, &config.frontend);
    let mut links = Links {
        image: image_keys(image, environment)?,
        frontend: own_key("frontend.curve_key", &frontend.curve_key, environment)?,
        insecure: Vec::new(),
    };
    let guarded = links.image.is_some();
    let has_curve = links.frontend.is_some();
    for (key, endpoint, has_curve, allow_insecure) in [
        (
            "image.endpoint",
            &image.endpoint,
            guarded,
            image.allow_insecure,
        ),
        (
            "image.events_endpoint",
            &image.events_endpoint,
            guarded,
            image.allow_insecure,
        ),
        (
            "frontend.endpoint",
            &frontend.endpoint,
            has_curve,
            frontend.allow_insecure,
        ),
    ] {
        if !endpoint.is_empty() && leaves_unguarded(key, endpoint, has_curve, allow_insecure)? {
            links.insecure.push(endpoint.clone());
        }
    }
    check_protocol(image, guarded)?;
    if has_curve {
        check_owners(frontend.owners.keys())?;
    }
    Ok(links)
}

/// Lines over TCP are nothing but that.
fn check_protocol(image: &super::Image, guarded: bool) -> Result<(), Wrong> {
    let key = "image.protocol";
    if image.protocol == Protocol::ZeroMq || image.kind == ImageKind::Embedded {
        return Ok(());
    }
    if guarded {
        let why = "\"tcp\" knows no CURVE: use \"zeromq\", or leave out the keys".to_owned();
        return Err(Wrong { key, why });
    }
    if !image.endpoint.starts_with("tcp://") {
        let why = "\"tcp\" needs an image.endpoint such as tcp://127.0.0.1:5557".to_owned();
        return Err(Wrong { key, why });
    }
    Ok(())
}

/// Whether an endpoint leaves this machine without CURVE, which somebody has allowed.
fn leaves_unguarded(
    key: &'static str,
    endpoint: &str,
    has_curve: bool,
    allow_insecure: bool,
) -> Result<bool, Wrong> {
    if !endpoint.starts_with("tcp://") && !endpoint.starts_with("ipc://") {
        let why = "it must be tcp://HOST:PORT or ipc://PATH".to_owned();
        return Err(Wrong { key, why });
    }
    if !is_remote(endpoint) || has_curve {
        return Ok(false);
    }
    if allow_insecure {
        return Ok(true);
    }
    let section = key.split('.').next().unwrap_or(key);
    Err(Wrong {
        key,
        why: format!(
            "{endpoint} leaves this machine, where everybody on the way could read along and \
             evaluate anything: use 127.0.0.1 or ipc://, or set CURVE keys in [{section}] (`stui keys new` \
             makes them), or {section}.allow_insecure = true if the network itself is guarded"
        ),
    })
}

/// The keys of the links to the image.
fn image_keys(image: &super::Image, environment: &Environment) -> Result<Option<Guard>, Wrong> {
    let key = "image.curve_server_key";
    let own = own_key("image.curve_key", &image.curve_key, environment)?;
    match (own, image.curve_server_key.is_empty()) {
        (None, true) => Ok(None),
        (Some(own), false) => {
            let (path, _) = key_file(key, &image.curve_server_key, environment)?;
            let server = file::read_public(&path).map_err(|error| Wrong {
                key,
                why: error.to_string(),
            })?;
            Ok(Some(Guard { server, own }))
        }
        (own, _) => Err(Wrong {
            key,
            why: format!(
                "CURVE needs both keys, and {} is empty: image.curve_server_key is the file of the \
                 image's public key, image.curve_key that of the daemon's own",
                own.map_or("image.curve_key", |_| key)
            ),
        }),
    }
}

/// The pair in the file that a key names; none when it names none.
fn own_key(
    key: &'static str,
    name: &str,
    environment: &Environment,
) -> Result<Option<KeyPair>, Wrong> {
    if name.is_empty() {
        return Ok(None);
    }
    let (path, readers) = key_file(key, name, environment)?;
    let pair = file::read_pair(&path, readers).map_err(|error| Wrong {
        key,
        why: error.to_string(),
    })?;
    Ok(Some(pair))
}

/// A relative name is one of systemd's credentials.
fn key_file(
    key: &'static str,
    name: &str,
    environment: &Environment,
) -> Result<(PathBuf, Readers), Wrong> {
    let path = Path::new(name);
    if path.is_absolute() {
        return Ok((path.to_owned(), Readers::Owner));
    }
    match environment.path(CREDENTIALS) {
        Some(dir) => Ok((dir.join(path), Readers::Credential)),
        None => Err(Wrong {
            key,
            why: format!(
                "{name} is looked for in ${CREDENTIALS}, which is not set: write the whole path, or \
                 use LoadCredential= in the unit"
            ),
        }),
    }
}

/// With CURVE the owners are the keys that may come in.
fn check_owners<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> Result<(), Wrong> {
    let key = "frontend.owners";
    let wrong = |why: String| Err(Wrong { key, why });
    if names.len() == 0 {
        return wrong(
            "with frontend.curve_key only the public keys in [frontend.owners] may come in, and \
             there is none: add lines such as \"PUBLIC KEY\" = 1000"
                .to_owned(),
        );
    }
    for name in names {
        if name.parse::<PublicKey>().is_err() {
            return wrong(format!(
                "{name:?} is no public key: with frontend.curve_key it must be {KEY_CHARS} characters of Z85"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(endpoint: &str, has_curve: bool, allow: bool) -> Result<bool, String> {
        leaves_unguarded("image.endpoint", endpoint, has_curve, allow).map_err(|wrong| wrong.why)
    }

    #[test]
    fn a_link_to_another_machine_needs_keys_or_a_word() {
        for near in [
            "ipc:///run/stui/image",
            "tcp://127.0.0.1:5555",
            "tcp://[::1]:5555",
        ] {
            assert_eq!(told(near, false, false), Ok(false), "{near}");
        }
        for far in [
            "tcp://10.0.0.1:5555",
            "tcp://*:5555",
            "tcp://eth0:5555",
            "tcp://[::]:1",
        ] {
            let refused = told(far, false, false).expect_err(far);
            assert!(refused.contains("allow_insecure"), "{refused}");
            assert_eq!(told(far, true, false), Ok(false), "{far}");
            assert_eq!(told(far, false, true), Ok(true), "{far}");
        }
    }

    #[test]
    fn other_transports_are_none() {
        for endpoint in [
            "ws://127.0.0.1:80",
            "inproc://x",
            "127.0.0.1:5555",
            "udp://x:1",
        ] {
            let refused = told(endpoint, true, true).unwrap_err();
            assert!(refused.contains("tcp://HOST:PORT"), "{refused}");
        }
    }
}
