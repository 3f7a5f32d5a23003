//! `Class { … }` and its kin: from pairs to a definition.

use super::reader::{Fault, Read, Reader};
use super::ston::{Pairs, Value};
use super::{ClassDefinition, Definition};

impl Reader<'_> {
    pub(super) fn definition(&mut self) -> Read<Definition> {
        let start = self.at;
        let kind = self.word().to_owned();
        if !matches!(kind.as_str(), "Class" | "Trait" | "Extension" | "Package") {
            self.at = start;
            return Err(self.missing("Class, Trait, Extension or Package"));
        }
        let entries = Entries {
            pairs: self.map(0)?,
            kind: &kind,
            offset: start,
        };
        let name = entries.text("name")?;
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(entries.fault("name", "is missing"));
        };
        Ok(match kind.as_str() {
            "Package" => Definition::Package { name },
            "Extension" => Definition::Extension { name },
            "Trait" => Definition::Trait(entries.class(name)?),
            _ => Definition::Class(entries.class(name)?),
        })
    }
}

struct Entries<'k> {
    pairs: Pairs,
    kind: &'k str,
    offset: usize,
}

impl Entries<'_> {
    fn class(&self, name: String) -> Read<ClassDefinition> {
        Ok(ClassDefinition {
            name,
            superclass: self
                .text("superclass")?
                .filter(|superclass| superclass != "nil"),
            layout: self.text("type")?.unwrap_or_else(|| "normal".to_owned()),
            instance_variables: self.texts("instVars")?,
            class_variables: self.texts("classVars")?,
            class_instance_variables: self.texts("classInstVars")?,
            pools: self.texts("pools")?,
            traits: self.text("traits")?.filter(is_composition),
            class_traits: self.text("classTraits")?.filter(is_composition),
            category: self.text("category")?,
            package: self.text("package")?,
            tag: self.text("tag")?,
        })
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.pairs
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    fn text(&self, key: &str) -> Read<Option<String>> {
        match self.value(key) {
            None | Some(Value::Nil) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.fault(key, "has to be a string")),
        }
    }

    fn texts(&self, key: &str) -> Read<Vec<String>> {
        let values = match self.value(key) {
            None | Some(Value::Nil) => return Ok(Vec::new()),
            Some(Value::List(values)) => values,
            Some(_) => return Err(self.fault(key, "has to be a list")),
        };
        let text = |value: &Value| match value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.fault(key, "has to be a list of strings")),
        };
        values.iter().map(text).collect()
    }

    fn fault(&self, key: &str, what: &str) -> Fault {
        Fault {
            message: format!("#{key} of {} {what}", self.kind),
            offset: self.offset,
        }
    }
}

fn is_composition(text: &String) -> bool {
    !text.is_empty() && text != "{}"
}

/// The protocol in the map in front of a method.
pub(super) fn category(pairs: Pairs) -> Option<String> {
    pairs.into_iter().find_map(|(key, value)| match value {
        Value::Text(text) if key == "category" || key == "protocol" => Some(text),
        _ => None,
    })
}
