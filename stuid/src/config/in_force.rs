//! The configuration while the daemon runs: what is in force, and reading it again.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use stui_protocol::daemon::{Reloaded, ShownKey};

use super::{Config, ConfigError, Environment, Layered, load};
use crate::limits::Current;
use crate::telemetry::Level;

/// Takes a key's value from a newer configuration.
type Take = fn(&mut Config, &Config);

/// The keys that can change at run time. All others come into force at the next start.
const RELOADABLE: [(&str, Take); 17] = [
    ("clients.stall_timeout_ms", |old, new| {
        old.clients.stall_timeout = new.clients.stall_timeout;
    }),
    ("image.request_timeout_ms", |old, new| {
        old.image.request_timeout = new.image.request_timeout;
    }),
    ("limits.clients_per_owner", |old, new| {
        old.limits.clients_per_owner = new.limits.clients_per_owner;
    }),
    ("limits.queue", |old, new| {
        old.limits.queue = new.limits.queue;
    }),
    ("limits.queue_per_owner", |old, new| {
        old.limits.queue_per_owner = new.limits.queue_per_owner;
    }),
    ("limits.queue_per_session", |old, new| {
        old.limits.queue_per_session = new.limits.queue_per_session;
    }),
    ("limits.request_bytes", |old, new| {
        old.limits.request_bytes = new.limits.request_bytes;
    }),
    ("limits.request_bytes_per_owner", |old, new| {
        old.limits.request_bytes_per_owner = new.limits.request_bytes_per_owner;
    }),
    ("limits.requests", |old, new| {
        old.limits.requests = new.limits.requests;
    }),
    ("limits.requests_per_owner", |old, new| {
        old.limits.requests_per_owner = new.limits.requests_per_owner;
    }),
    ("limits.sessions_per_owner", |old, new| {
        old.limits.sessions_per_owner = new.limits.sessions_per_owner;
    }),
    ("log.level", |old, new| {
        old.log.level.clone_from(&new.log.level);
    }),
    ("sessions.autosave", |old, new| {
        old.sessions.autosave = new.sessions.autosave;
    }),
    ("sessions.autosave_s", |old, new| {
        old.sessions.autosave_period = new.sessions.autosave_period;
    }),
    ("sessions.expire_idle_s", |old, new| {
        old.sessions.expire_after = new.sessions.expire_after;
    }),
    ("sessions.expire_warning_s", |old, new| {
        old.sessions.expire_warning = new.sessions.expire_warning;
    }),
    ("shutdown.timeout_ms", |old, new| {
        old.shutdown.timeout = new.shutdown.timeout;
    }),
];

/// Where the configuration comes from, at the start and at each reload.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file that stands for the usual ones.
    pub file: Option<PathBuf>,
    /// The environment at the start.
    pub environment: Environment,
    /// Keys that flags set.
    pub flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// Reads it.
    ///
    /// # Errors
    /// When anything in it is wrong; the sentence says where.
    pub fn load(&self) -> Result<Layered, ConfigError> {
        load(self.file.as_deref(), &self.environment, &self.flags)
    }
}

/// The configuration in force. Cheap to clone; all clones see a reload.
#[derive(Clone, Debug)]
pub struct InForce {
    sources: Arc<Sources>,
    now: Arc<RwLock<Arc<Layered>>>,
    limits: Current,
    level: Level,
}

impl InForce {
    /// What was read at the start.
    #[must_use]
    pub fn new(sources: Sources, layered: Layered, level: Level) -> Self {
        Self {
            sources: Arc::new(sources),
            limits: Current::new(layered.config.limits),
            now: Arc::new(RwLock::new(Arc::new(layered))),
            level,
        }
    }

    /// What is in force now.
    #[must_use]
    pub fn now(&self) -> Arc<Layered> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// For one exchange with the image.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        self.now().config.image.request_timeout
    }

    /// How much may wait.
    #[must_use]
    pub fn limits(&self) -> Current {
        self.limits.clone()
    }

    /// Reads the configuration again and applies what can change at run time. When anything in it
    /// is wrong, nothing changes.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn reload(&self) -> Result<Reloaded, ConfigError> {
        let read = self.sources.load()?;
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        let (next, reloaded) = merge(&now, &read);
        if let Err(why) = self.level.set(&next.config.log.level) {
            return Err(ConfigError::WrongValue {
                place: "the configuration".to_owned(),
                key: "log.level".to_owned(),
                why,
            });
        }
        self.limits.set(next.config.limits);
        *now = Arc::new(next);
        drop(now);
        let Reloaded {
            applied,
            at_next_start,
        } = &reloaded;
        tracing::info!(?applied, ?at_next_start, "the configuration was read again");
        Ok(reloaded)
    }

    /// Changes what is logged until the next reload.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn set_log_level(&self, level: &str) -> Result<(), String> {
        self.level.set(level)
    }

    /// Every key with its value and where that comes from.
    #[must_use]
    pub fn keys(&self) -> Vec<ShownKey> {
        let now = self.now();
        let shown = |(key, (value, place)): (&String, &(String, String))| ShownKey {
            key: key.clone(),
            value: value.clone(),
            place: place.clone(),
            reloadable: is_reloadable(key),
        };
        now.origins.iter().map(shown).collect()
    }
}

/// Whether a change of that key comes with a reload.
pub(super) fn is_reloadable(key: &str) -> bool {
    take_of(key).is_some()
}

fn take_of(key: &str) -> Option<Take> {
    let found = RELOADABLE.iter().find(|(reloadable, _)| *reloadable == key);
    found.map(|(_, take)| *take)
}

/// The old configuration with what can be taken from the new one.
fn merge(old: &Layered, new: &Layered) -> (Layered, Reloaded) {
    let mut merged = Layered {
        config: old.config.clone(),
        links: old.links.clone(),
        origins: old.origins.clone(),
    };
    let mut reloaded = Reloaded::default();
    for (key, origin) in &new.origins {
        let changes = old.origins.get(key).map(|(value, _)| value) != Some(&origin.0);
        match take_of(key) {
            Some(take) => {
                take(&mut merged.config, &new.config);
                merged.origins.insert(key.clone(), origin.clone());
                if changes {
                    reloaded.applied.push(key.clone());
                }
            }
            None if changes => reloaded.at_next_start.push(key.clone()),
            None => {}
        }
    }
    (merged, reloaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(flags: &[(&str, &str)]) -> Layered {
        let flags: Vec<_> = flags
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()))
            .collect();
        load(None, &Environment::default(), &flags).unwrap()
    }

    #[test]
    fn what_can_change_is_taken_and_the_rest_stays_as_it_was() {
        let old = of(&[("log.level", "info")]);
        let new = of(&[
            ("log.level", "debug"),
            ("listen.mode", "0660"),
            ("shutdown.timeout_ms", "3000"),
        ]);

        let (merged, reloaded) = merge(&old, &new);

        assert_eq!(reloaded.applied, ["log.level"]);
        assert_eq!(reloaded.at_next_start, ["listen.mode"]);
        assert_eq!(merged.config.log.level, "debug");
        assert_eq!(merged.config.listen.mode, 0o600);
        assert_eq!(merged.origins["listen.mode"].0, "0600");
        let (_, again) = merge(&merged, &new);
        assert_eq!(again.applied, [""; 0]);
        assert_eq!(again.at_next_start, ["listen.mode"], "it still waits");
    }

    #[test]
    fn every_reloadable_key_is_one() {
        let keys = of(&[]).origins;
        for (key, _) in RELOADABLE {
            assert!(keys.contains_key(key), "{key}");
        }
    }
}
