//! The layers of the configuration, one over the other, and where each value came from.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use config::{File, FileFormat, Map, Source, Value, ValueKind};

use super::links::{self, Links};
use super::{Config, ConfigError, DEFAULTS, places};

/// Variables of this prefix set keys: `STUID_IMAGE__KIND` sets `image.kind`.
const PREFIX: &str = "STUID";

/// The environment as a value, so that tests need not change that of the process.
#[derive(Clone, Debug, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// The environment of this process. Variables that are no UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(key, value): (OsString, OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// An environment of these variables.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// A variable that is a path; none when it is not set or empty.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.0.get(name).filter(|value| !value.is_empty())?;
        Some(value.into())
    }
}

/// The configuration and where each key was set.
#[derive(Debug)]
pub struct Layered {
    /// What is in force.
    pub config: Config,
    /// What guards the links.
    pub links: Links,
    /// For each key its value as text and where it was set.
    pub origins: BTreeMap<String, (String, String)>,
}

impl Layered {
    /// Whether nobody has set that key.
    #[must_use]
    pub fn is_default(&self, key: &str) -> bool {
        self.origins
            .get(key)
            .is_some_and(|(_, place)| place == "default")
    }
}

/// Keys and values from one place.
struct Layer {
    place: String,
    values: BTreeMap<String, Value>,
}

/// Reads all layers. `file` stands for the usual files; `flags` are keys with their values.
///
/// # Errors
/// When anything in it is wrong; the sentence says where.
pub fn load(
    file: Option<&Path>,
    environment: &Environment,
    flags: &[(&str, String)],
) -> Result<Layered, ConfigError> {
    let defaults = Layer::of_text("default", DEFAULTS)?;
    let mut layers = derived(environment);
    layers.extend(files(file, environment)?);
    layers.extend(shared_socket(environment));
    layers.extend(from_environment(environment)?);
    layers.push(from_flags(flags));
    let mut merged = defaults.values;
    let mut places: BTreeMap<String, String> = merged
        .keys()
        .map(|key| (key.clone(), defaults.place.clone()))
        .collect();
    for layer in layers {
        for (key, value) in layer.values {
            if !merged.contains_key(&key) {
                return Err(unknown_key(&layer.place, &key, merged.keys()));
            }
            // Empty means: as if it were not set.
            if is_empty(&value) && key != "admin.address" {
                continue;
            }
            places.insert(key.clone(), layer.place.clone());
            merged.insert(key, value);
        }
    }
    settle_kind(&mut merged, &mut places)?;
    finish(merged, &places, environment)
}

impl Layer {
    fn of_text(place: &str, text: &str) -> Result<Self, ConfigError> {
        let place = place.to_owned();
        match File::from_str(text, FileFormat::Toml).collect() {
            Ok(values) => Ok(Self {
                values: flat(values),
                place,
            }),
            Err(error) => Err(ConfigError::Unreadable {
                place,
                why: error.to_string(),
            }),
        }
    }
}

/// Places that depend on the environment, as if they were defaults.
fn derived(environment: &Environment) -> Vec<Layer> {
    let layer = |key: &str, (path, place): (PathBuf, &str)| Layer {
        place: place.to_owned(),
        values: BTreeMap::from([(key.to_owned(), text(&path.to_string_lossy()))]),
    };
    let socket = layer("listen.socket", places::socket(environment));
    let state_dir = places::state_dir(environment).map(|found| layer("state.dir", found));
    [Some(socket), state_dir].into_iter().flatten().collect()
}

/// The variable that clients know, too. Like all of the environment it goes before files.
fn shared_socket(environment: &Environment) -> Option<Layer> {
    let path = environment.path(places::SOCKET_VARIABLE)?;
    let value = text(&path.to_string_lossy());
    Some(Layer {
        place: format!("environment {}", places::SOCKET_VARIABLE),
        values: BTreeMap::from([("listen.socket".to_owned(), value)]),
    })
}

fn files(file: Option<&Path>, environment: &Environment) -> Result<Vec<Layer>, ConfigError> {
    if let Some(file) = file {
        return Ok(vec![read(file)?]);
    }
    let home = environment.path("HOME").map(|home| home.join(".config"));
    let user = environment.path("XDG_CONFIG_HOME").or(home);
    let usual = [Some(PathBuf::from("/etc")), user];
    let usual = usual
        .into_iter()
        .flatten()
        .map(|dir| dir.join("stui/stuid.toml"));
    usual
        .filter(|file| file.exists())
        .map(|file| read(&file))
        .collect()
}

fn read(file: &Path) -> Result<Layer, ConfigError> {
    let place = file.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => Layer::of_text(&place, &text),
        Err(error) => Err(ConfigError::Unreadable {
            place,
            why: error.to_string(),
        }),
    }
}

fn from_environment(environment: &Environment) -> Result<Vec<Layer>, ConfigError> {
    let source = config::Environment::with_prefix(PREFIX)
        .prefix_separator("_")
        .separator("__")
        .source(Some(environment.0.clone()));
    let values = source.collect().map_err(|error| ConfigError::Unreadable {
        place: "the environment".to_owned(),
        why: error.to_string(),
    })?;
    let name = |key: &str| {
        format!(
            "environment {PREFIX}_{}",
            key.to_uppercase().replace('.', "__")
        )
    };
    let layer_of = |(key, value): (String, Value)| Layer {
        place: name(&key),
        values: BTreeMap::from([(key, value)]),
    };
    Ok(flat(values).into_iter().map(layer_of).collect())
}

fn from_flags(flags: &[(&str, String)]) -> Layer {
    Layer {
        place: "flag".to_owned(),
        values: flags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), text(value)))
            .collect(),
    }
}

/// Whoever names an endpoint means that image.
fn settle_kind(
    merged: &mut BTreeMap<String, Value>,
    places: &mut BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let get = |key: &str| merged.get(key).map(ToString::to_string).unwrap_or_default();
    let has_endpoint = !get("image.endpoint").is_empty();
    let kind_is_default = places
        .get("image.kind")
        .is_some_and(|place| place == "default");
    if has_endpoint && kind_is_default {
        merged.insert("image.kind".to_owned(), text("zeromq"));
        places.insert(
            "image.kind".to_owned(),
            "follows from image.endpoint".to_owned(),
        );
    } else if !has_endpoint && get("image.kind") == "zeromq" {
        return Err(ConfigError::Contradiction(
            "image.kind is \"zeromq\" and image.endpoint is empty: name where the image is, \
             such as tcp://127.0.0.1:5555"
                .to_owned(),
        ));
    }
    Ok(())
}

fn finish(
    merged: BTreeMap<String, Value>,
    places: &BTreeMap<String, String>,
    environment: &Environment,
) -> Result<Layered, ConfigError> {
    let place = |key: &str| places.get(key).cloned().unwrap_or_default();
    let mut builder = config::Config::builder();
    let mut origins = BTreeMap::new();
    for (key, value) in merged {
        origins.insert(key.clone(), (value.to_string(), place(&key)));
        builder = builder
            .set_override(&key, value)
            .map_err(|error| wrong_value(&key, &place(&key), &error))?;
    }
    let built = builder
        .build()
        .map_err(|error| wrong_value("", "", &error))?;
    let config = serde_path_to_error::deserialize(built).map_err(|error| {
        let key = error.path().to_string();
        wrong_value(&key, &place(&key), error.inner())
    })?;
    let links = links::settle(&config, environment).map_err(|wrong| ConfigError::WrongValue {
        place: place(wrong.key),
        key: wrong.key.to_owned(),
        why: wrong.why,
    })?;
    Ok(Layered {
        config,
        links,
        origins,
    })
}

fn wrong_value(key: &str, place: &str, error: &config::ConfigError) -> ConfigError {
    ConfigError::WrongValue {
        place: place.to_owned(),
        key: key.to_owned(),
        why: error.to_string(),
    }
}

fn unknown_key<'a>(place: &str, key: &str, known: impl Iterator<Item = &'a String>) -> ConfigError {
    ConfigError::UnknownKey {
        place: place.to_owned(),
        key: key.to_owned(),
        nearest: stui_protocol::command::nearest(key, known.map(String::as_str)).map(str::to_owned),
    }
}

fn text(value: &str) -> Value {
    Value::new(None, ValueKind::String(value.to_owned()))
}

fn is_empty(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::String(text) if text.is_empty())
}

/// A table whose keys are the user's own.
const TABLE: &str = "frontend.owners";

/// `{a: {b: 1}}` as `a.b` = 1.
fn flat(values: Map<String, Value>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (key, value) in values {
        flatten(key, value, &mut found);
    }
    found
}

fn flatten(key: String, value: Value, found: &mut BTreeMap<String, Value>) {
    match value.kind {
        ValueKind::Table(inside) if key != TABLE => {
            for (inner, value) in inside {
                flatten(format!("{key}.{inner}"), value, found);
            }
        }
        _ => {
            found.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests;
