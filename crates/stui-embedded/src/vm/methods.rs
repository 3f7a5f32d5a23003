//! Compiling methods into classes, and removing them.

use std::rc::Rc;

use stui_smalltalk::{LineIndex, parse_method};

use super::{ChangeError, ClassRef, MethodInfo, SyntaxError, Vm};
use crate::compiler::{self, CompileError, Target};
use crate::object::{Body, Object};
use crate::value::Oid;

impl Vm {
    /// Compiles a method into one side of a class; the old one stays when it does not compile.
    ///
    /// # Errors
    /// The syntax error.
    pub fn compile_method(
        &mut self,
        class: ClassRef,
        meta: bool,
        source: &str,
        category: &str,
    ) -> Result<MethodInfo, ChangeError> {
        let side = self.side(class, meta);
        let selector = self
            .install_method(side, source, category)
            .map_err(ChangeError::Syntax)?;
        self.flush_cache();
        let selector = self.selector_text(selector);
        self.method(class, meta, &selector)
            .ok_or_else(|| self.no_method(class, &selector))
    }

    /// Removes a method.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_method(
        &mut self,
        class: ClassRef,
        meta: bool,
        selector: &str,
    ) -> Result<(), ChangeError> {
        let side = self.side(class, meta);
        let symbol = self.heap.find_symbol(selector);
        let removed = self
            .heap
            .class_mut(side)
            .zip(symbol)
            .and_then(|(body, symbol)| body.methods.remove(&symbol));
        self.flush_cache();
        removed
            .map(|_| ())
            .ok_or_else(|| self.no_method(class, selector))
    }

    fn no_method(&self, class: ClassRef, selector: &str) -> ChangeError {
        ChangeError::NoSuchMethod(self.name_of_class(class.0), selector.to_owned())
    }

    /// Compiles a method into a class. The caller flushes the cache.
    pub(crate) fn install_method(
        &mut self,
        class: Oid,
        source: &str,
        category: &str,
    ) -> Result<Oid, SyntaxError> {
        let method = parse_method(source).map_err(|error| SyntaxError::parsing(source, &error))?;
        let target = Target {
            class,
            workspace: None,
            category: category.to_owned(),
        };
        let code = compiler::compile_method(self, &method, source, &target)
            .map_err(|error| SyntaxError::compiling(source, &error))?;
        let selector = code.selector;
        code.breakpoint.set(self.has_breakpoint(class, selector));
        let object = Object::with_body(self.known.method, 0, Body::Method(Rc::new(code)));
        let oid = self.allocate(object);
        if let Some(body) = self.heap.class_mut(class) {
            body.methods.insert(selector, oid);
        }
        Ok(selector)
    }
}

impl SyntaxError {
    pub(crate) fn parsing(source: &str, error: &stui_smalltalk::SyntaxError) -> Self {
        let incomplete = error.offset >= source.trim_end().len();
        Self::at(source, error.message.clone(), error.offset, incomplete)
    }

    pub(crate) fn compiling(source: &str, error: &CompileError) -> Self {
        Self::at(source, error.message.clone(), error.span.start, false)
    }

    fn at(source: &str, message: String, offset: usize, incomplete: bool) -> Self {
        let place = LineIndex::new(source).position(offset);
        let (position, line, column) = (place.character, place.line, place.column);
        Self {
            message,
            position,
            line,
            column,
            incomplete,
        }
    }
}
