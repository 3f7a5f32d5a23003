//! What a name means: temporaries and arguments first, then instance variables, class variables,
//! variables of the workspace, globals. What none of them knows is declared by a do-it (lower
//! case, in a workspace), or stays undeclared in a method.

use stui_smalltalk::ast::{Variable, VariableKind};

use super::emit::Place;
use super::scope::{self, Where};
use super::{CompileError, Compiled, Compiler};
use crate::value::Value;

impl Compiler<'_> {
    /// Finds a variable, for reading or writing.
    pub(super) fn resolve(&mut self, variable: &Variable, write: bool) -> Compiled<Place> {
        let refused = || CompileError {
            message: "Assignment to read-only variable".to_owned(),
            span: variable.span,
        };
        if write && variable.kind().is_pseudo() {
            return Err(refused());
        }
        let function = self.functions.len();
        if let Some(found) = scope::find(&self.scopes, &variable.name) {
            if write && !found.writable {
                return Err(refused());
            }
            return match found.place {
                Where::Local(index) if found.function == function => Ok(Place::Local(index)),
                Where::Env { level, index } => Ok(Place::Outer {
                    depth: self.env_level - level,
                    index,
                }),
                // The capture analysis has put every variable of an outer function into an
                // environment; what it missed cannot be reached.
                Where::Local(_) => Err(CompileError {
                    message: "Variable cannot be captured".to_owned(),
                    span: variable.span,
                }),
            };
        }
        self.resolve_outside(variable, write).ok_or_else(refused)?
    }

    /// Instance variables, class variables, workspace variables, globals; `None` when the global
    /// may not be assigned.
    fn resolve_outside(&mut self, variable: &Variable, write: bool) -> Option<Compiled<Place>> {
        let name = variable.name.as_str();
        if let Some(index) = self.vm.slot_index(self.target.class, name) {
            return Some(Ok(Place::Slot(index)));
        }
        let known = self
            .vm
            .class_variable(self.target.class, name)
            .or_else(|| self.vm.workspace_binding(self.target.workspace, name))
            .or_else(|| {
                self.declared
                    .iter()
                    .find(|(n, _)| n == name)
                    .map(|(_, oid)| *oid)
            });
        if let Some(binding) = known {
            return Some(Ok(Place::Binding(binding)));
        }
        if let Some(binding) = self.vm.global_binding(name) {
            let fixed = write && self.vm.is_class_binding(binding);
            return (!fixed).then_some(Ok(Place::Binding(binding)));
        }
        Some(self.resolve_unknown(variable))
    }

    fn resolve_unknown(&mut self, variable: &Variable) -> Compiled<Place> {
        let name = variable.name.as_str();
        if !self.is_script {
            return Ok(Place::Undeclared(self.vm.undeclared_binding(name)));
        }
        if variable.kind() == VariableKind::Global || self.target.workspace.is_none() {
            return Err(CompileError {
                message: "Undeclared variable".to_owned(),
                span: variable.span,
            });
        }
        let binding = self.vm.new_binding(name, Value::Nil);
        self.declared.push((name.to_owned(), binding));
        Ok(Place::Binding(binding))
    }
}
