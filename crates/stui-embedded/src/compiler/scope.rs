//! Scopes: which names are declared where, in the frame or in an environment.

use stui_smalltalk::Span;
use stui_smalltalk::ast::Variable;

use super::{CompileError, Compiled, Compiler};
use crate::bytecode::{ENV_HEADER, Op};
use crate::value::Value;

/// The names of a method, block or inlined block.
#[derive(Debug)]
pub(super) struct Scope {
    names: Vec<(String, Found)>,
    has_env: bool,
}

/// A declared variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) place: Where,
    /// How many functions were open when it was declared.
    pub(super) function: usize,
    /// Arguments are not.
    pub(super) writable: bool,
}

/// Where a variable lives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Where {
    Local(u16),
    /// `level` counts the environments from the outermost one, which is 1.
    Env {
        level: u16,
        index: u16,
    },
}

/// The innermost declaration of `name`.
pub(super) fn find(scopes: &[Scope], name: &str) -> Option<Found> {
    scopes
        .iter()
        .rev()
        .flat_map(|scope| scope.names.iter().rev())
        .find(|(declared, _)| declared == name)
        .map(|(_, found)| *found)
}

impl Compiler<'_> {
    /// Opens the scope of a method or block whose arguments are the first frame slots.
    pub(super) fn open_scope(
        &mut self,
        arguments: &[Variable],
        temporaries: &[Variable],
        at: Span,
    ) -> Compiled {
        let slots = (0..arguments.len()).map(|index| u16::try_from(index).unwrap_or(u16::MAX));
        let arguments: Vec<_> = arguments.iter().zip(slots).collect();
        self.open(&arguments, temporaries, false, at)
    }

    /// Opens the scope of an inlined block; the values of its arguments are in frame slots.
    pub(super) fn open_inlined(
        &mut self,
        arguments: &[(&Variable, u16)],
        temporaries: &[Variable],
        at: Span,
    ) -> Compiled {
        self.open(arguments, temporaries, true, at)
    }

    fn open(
        &mut self,
        arguments: &[(&Variable, u16)],
        temporaries: &[Variable],
        inlined: bool,
        at: Span,
    ) -> Compiled {
        let function = self.functions.len();
        let argument_names = arguments.iter().map(|(argument, _)| *argument);
        let in_env: Vec<Value> = argument_names
            .chain(temporaries)
            .filter(|variable| self.captured.contains(variable))
            .map(|variable| Value::Obj(self.vm.symbol(&variable.name)))
            .collect();
        let has_env = !in_env.is_empty();
        if has_env {
            let names = self.vm.new_array(in_env);
            let literal = self.literal_index(names);
            self.emit(Op::Enter(literal), at);
            self.env_level += 1;
        }
        let mut next = ENV_HEADER;
        let mut names = Vec::new();
        let mut place_in_env = |level: u16| {
            let index = u16::try_from(next).unwrap_or(u16::MAX);
            next += 1;
            Where::Env { level, index }
        };
        for (argument, slot) in arguments {
            let mut place = Where::Local(*slot);
            if self.captured.contains(argument) {
                place = place_in_env(self.env_level);
                self.emit(Op::Local(*slot), at);
                self.store_into(place, at);
            }
            names.push((
                argument.name.clone(),
                Found {
                    place,
                    function,
                    writable: false,
                },
            ));
        }
        for temporary in temporaries {
            let place = if self.captured.contains(temporary) {
                place_in_env(self.env_level)
            } else {
                let slot = self.new_local(&temporary.name, temporary.span)?;
                if inlined {
                    // The frame's temporaries start as nil once; a loop comes here again.
                    self.emit(Op::Nil, at);
                    self.emit(Op::PopLocal(slot), at);
                }
                Where::Local(slot)
            };
            names.push((
                temporary.name.clone(),
                Found {
                    place,
                    function,
                    writable: true,
                },
            ));
        }
        self.scopes.push(Scope { names, has_env });
        Ok(())
    }

    fn store_into(&mut self, place: Where, at: Span) {
        if let Where::Env { index, .. } = place {
            self.emit(Op::StoreOuter { depth: 0, index }, at);
            self.emit(Op::Pop, at);
        }
    }

    /// Closes the scope of an inlined block: its environment is left.
    pub(super) fn close_inlined(&mut self, at: Span) {
        if self.scopes.pop().is_some_and(|scope| scope.has_env) {
            self.emit(Op::Leave, at);
            self.env_level -= 1;
        }
    }

    /// Closes the scope of a function: its frame ends anyway.
    pub(super) fn close_scope(&mut self) {
        if self.scopes.pop().is_some_and(|scope| scope.has_env) {
            self.env_level -= 1;
        }
    }

    /// A new frame slot; an empty name hides it from the debugger.
    pub(super) fn new_local(&mut self, name: &str, at: Span) -> Compiled<u16> {
        let function = self.function();
        let slot = u16::try_from(function.names.len()).map_err(|_| CompileError {
            message: "Too many variables".to_owned(),
            span: at,
        })?;
        function.names.push(name.to_owned());
        Ok(slot)
    }
}
