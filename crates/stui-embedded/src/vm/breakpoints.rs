//! Breakpoints: at the start of a method, for whoever runs it.
//!
//! They belong to class and selector, so that they outlive a new compilation of the method.

use super::{DebugError, Vm};
use crate::object::Body;
use crate::value::Oid;

/// A breakpoint of this VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BreakpointId(pub(crate) u64);

/// A breakpoint and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakpoint {
    /// Its id.
    pub id: BreakpointId,
    /// `Foo`, or `Foo class`.
    pub class: String,
    /// The method's selector.
    pub selector: String,
}

impl Vm {
    /// Sets a breakpoint at the start of a method. `class` is a name, or `Foo class`.
    ///
    /// # Errors
    /// `NoSuchClass`, `NoSuchMethod`.
    pub fn set_breakpoint(
        &mut self,
        class: &str,
        selector: &str,
    ) -> Result<BreakpointId, DebugError> {
        let side = self
            .side_named(class)
            .ok_or_else(|| DebugError::NoSuchClass(class.to_owned()))?;
        let symbol = self.heap.find_symbol(selector);
        let method = symbol.and_then(|symbol| self.heap.class(side)?.methods.get(&symbol).copied());
        let Some(Body::Method(code)) = method.map(|method| &self.heap.get(method).body) else {
            return Err(DebugError::NoSuchMethod(
                class.to_owned(),
                selector.to_owned(),
            ));
        };
        code.breakpoint.set(true);
        self.last_breakpoint += 1;
        let id = BreakpointId(self.last_breakpoint);
        let breakpoint = Breakpoint {
            id,
            class: class.to_owned(),
            selector: selector.to_owned(),
        };
        self.breakpoints.insert(id, breakpoint);
        Ok(id)
    }

    /// Removes a breakpoint; says whether it was there.
    pub fn remove_breakpoint(&mut self, id: BreakpointId) -> bool {
        let Some(breakpoint) = self.breakpoints.remove(&id) else {
            return false;
        };
        let side = self.side_named(&breakpoint.class);
        let symbol = self.heap.find_symbol(&breakpoint.selector);
        if let (Some(side), Some(symbol)) = (side, symbol) {
            let still = self.has_breakpoint(side, symbol);
            let method = self
                .heap
                .class(side)
                .and_then(|class| class.methods.get(&symbol));
            if let Some(Body::Method(code)) = method.map(|method| &self.heap.get(*method).body) {
                code.breakpoint.set(still);
            }
        }
        true
    }

    /// All breakpoints, oldest first.
    #[must_use]
    pub fn breakpoints(&self) -> Vec<Breakpoint> {
        self.breakpoints.values().cloned().collect()
    }

    /// Whether a method of this class and selector, newly compiled, is to stop.
    pub(super) fn has_breakpoint(&self, class: Oid, selector: Oid) -> bool {
        if self.breakpoints.is_empty() {
            return false;
        }
        let (class, selector) = (self.name_of_class(class), self.selector_text(selector));
        self.breakpoints
            .values()
            .any(|other| other.class == class && other.selector == selector)
    }

    /// `Foo` or `Foo class`.
    fn side_named(&self, name: &str) -> Option<Oid> {
        match name.strip_suffix(" class") {
            Some(name) => self
                .class_named(name)
                .map(|class| self.heap.get(class).class),
            None => self.class_named(name),
        }
    }
}
