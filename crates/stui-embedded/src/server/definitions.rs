//! Defining classes of any layout from data.
//!
//! The VM defines plain classes from data; indexed ones have a message in the image, as in Pharo,
//! and that is sent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failures;
use crate::value::Value;
use crate::vm::{CallError, ChangeError, ClassDefinition, ClassInfo, ClassRef, Vm};

/// How long a definition message may take.
const BUDGET: Duration = Duration::from_secs(1);

/// What instances of a class have besides their variables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    /// What the superclass gives them; nothing, most often.
    #[default]
    Normal,
    /// Elements.
    Variable,
    /// Bytes.
    Bytes,
}

impl Layout {
    /// The layout that a class adds to its superclass's.
    pub(super) fn of(vm: &mut Vm, class: &ClassInfo) -> Self {
        let above = class.superclass.as_deref().unwrap_or_default();
        if answers_true(vm, above, "isVariable") {
            Self::Normal
        } else if answers_true(vm, &class.name, "isBytes") {
            Self::Bytes
        } else if answers_true(vm, &class.name, "isVariable") {
            Self::Variable
        } else {
            Self::Normal
        }
    }

    fn selector(self) -> &'static str {
        match self {
            Self::Normal => "subclass:instanceVariableNames:classVariableNames:package:",
            Self::Variable => "variableSubclass:instanceVariableNames:classVariableNames:package:",
            Self::Bytes => "variableByteSubclass:instanceVariableNames:classVariableNames:package:",
        }
    }
}

fn answers_true(vm: &mut Vm, class: &str, selector: &str) -> bool {
    let Some(class) = vm.find_class(class) else {
        return false;
    };
    let answer = vm.call(Value::Obj(class.0), selector, &[], BUDGET);
    matches!(answer, Ok(Value::True))
}

/// Defines or redefines a class.
///
/// # Errors
/// As `Vm::define_class`.
pub(super) fn define(
    vm: &mut Vm,
    definition: &ClassDefinition,
    layout: Layout,
) -> Result<ClassRef, ChangeError> {
    if layout == Layout::Normal {
        return vm.define_class(definition);
    }
    let superclass = vm
        .find_class(&definition.superclass)
        .ok_or_else(|| ChangeError::NoSuchClass(definition.superclass.clone()))?;
    let texts = [
        definition.slots.join(" "),
        definition.class_vars.join(" "),
        definition.package.clone(),
    ];
    send(
        vm,
        Value::Obj(superclass.0),
        layout.selector(),
        Some(&definition.name),
        &texts,
    )?;
    let class = vm
        .find_class(&definition.name)
        .ok_or_else(|| ChangeError::NoSuchClass(definition.name.clone()))?;
    if !definition.class_slots.is_empty() {
        let metaclass = Value::Obj(vm.class_of(Value::Obj(class.0)).0);
        let slots = [definition.class_slots.join(" ")];
        send(vm, metaclass, "instanceVariableNames:", None, &slots)?;
    }
    Ok(class)
}

/// Sends a message with a symbol, perhaps, and strings.
fn send(
    vm: &mut Vm,
    receiver: Value,
    selector: &str,
    symbol: Option<&str>,
    texts: &[String],
) -> Result<(), ChangeError> {
    let mut pins = Vec::new();
    if let Some(symbol) = symbol {
        let value = vm.new_symbol(symbol);
        pins.push(vm.pin(value));
    }
    for text in texts {
        let value = vm.new_string(text);
        pins.push(vm.pin(value));
    }
    let arguments: Vec<Value> = pins.iter().map(|pin| vm.pinned(*pin)).collect();
    let done = vm.call(receiver, selector, &arguments, BUDGET);
    for pin in pins {
        vm.unpin(pin);
    }
    match done {
        Ok(_) => Ok(()),
        Err(CallError::Failed(report)) => Err(ChangeError::Refused(failures::sentence(&report))),
        Err(CallError::TooLong) => Err(ChangeError::Refused("it took too long".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::Limits;

    #[test]
    fn indexed_classes_are_defined_and_known_as_such() {
        let mut vm = Vm::new(Limits::default()).unwrap();
        for layout in [Layout::Normal, Layout::Variable, Layout::Bytes] {
            let definition = ClassDefinition {
                name: format!("Made{layout:?}"),
                superclass: "Object".to_owned(),
                slots: if layout == Layout::Bytes {
                    Vec::new()
                } else {
                    vec!["a".to_owned()]
                },
                class_slots: vec!["made".to_owned()],
                package: "P".to_owned(),
                ..ClassDefinition::default()
            };
            let class = define(&mut vm, &definition, layout).unwrap();
            let info = vm.class_info(class);
            assert_eq!(info.name, definition.name);
            assert_eq!(info.instance_vars, definition.slots);
            assert_eq!(info.class_instance_vars, ["made"]);
            assert_eq!(info.package, "P");
            assert_eq!(Layout::of(&mut vm, &info), layout);
        }
        let array = vm.find_class("Array").unwrap();
        let definition = ClassDefinition {
            name: "MadeArray".to_owned(),
            superclass: vm.class_name(array),
            package: "P".to_owned(),
            ..ClassDefinition::default()
        };
        let class = define(&mut vm, &definition, Layout::Normal).unwrap();
        let info = vm.class_info(class);
        assert_eq!(Layout::of(&mut vm, &info), Layout::Normal);
    }
}
