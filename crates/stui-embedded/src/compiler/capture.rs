//! Finds the variables that real blocks capture: they must outlive the frame, so they live in an
//! environment. Inlined blocks are part of the function around them.

use std::collections::HashSet;

use stui_smalltalk::ast::{Expression, Message, Method, Script, Sequence, Statement, Variable};

use super::control::{Inline, inline};

/// The captured declarations, known by where they stand in the source.
#[derive(Debug, Default)]
pub(super) struct Captured(HashSet<usize>);

impl Captured {
    pub(super) fn contains(&self, declaration: &Variable) -> bool {
        self.0.contains(&declaration.span.start)
    }
}

pub(super) fn in_method(method: &Method) -> Captured {
    let mut walk = Walk::default();
    walk.scope(&method.arguments, &method.body);
    walk.captured
}

pub(super) fn in_script(script: &Script) -> Captured {
    let mut walk = Walk::default();
    walk.scope(&[], &script.body);
    walk.captured
}

#[derive(Default)]
struct Walk<'t> {
    /// Name, where it is declared, in which function.
    declared: Vec<(&'t str, usize, usize)>,
    function: usize,
    captured: Captured,
}

impl<'t> Walk<'t> {
    fn scope(&mut self, arguments: &'t [Variable], body: &'t Sequence) {
        let outside = self.declared.len();
        for variable in arguments.iter().chain(&body.temporaries) {
            self.declared
                .push((&variable.name, variable.span.start, self.function));
        }
        for statement in &body.statements {
            match statement {
                Statement::Expression(expression) => self.expression(expression),
                Statement::Return(answer) => self.expression(&answer.value),
            }
        }
        self.declared.truncate(outside);
    }

    fn use_of(&mut self, name: &str) {
        let declaration = self
            .declared
            .iter()
            .rev()
            .find(|(declared, ..)| *declared == name);
        if let Some((_, at, function)) = declaration
            && *function != self.function
        {
            self.captured.0.insert(*at);
        }
    }

    fn expression(&mut self, expression: &'t Expression) {
        match expression {
            Expression::Variable(variable) => self.use_of(&variable.name),
            Expression::Literal(_) => {}
            Expression::Array(array) => array.elements.iter().for_each(|e| self.expression(e)),
            Expression::Block(block) => {
                self.function += 1;
                self.scope(&block.arguments, &block.body);
                self.function -= 1;
            }
            Expression::Assignment(assignment) => {
                self.use_of(&assignment.variable.name);
                self.expression(&assignment.value);
            }
            Expression::Send(send) => {
                let inlined = inline(send);
                self.operand(&send.receiver, inlined);
                self.message(&send.message, inlined);
            }
            Expression::Cascade(cascade) => {
                self.expression(&cascade.receiver);
                cascade
                    .messages
                    .iter()
                    .for_each(|message| self.message(message, None));
            }
        }
    }

    fn message(&mut self, message: &'t Message, inlined: Option<Inline>) {
        message
            .arguments
            .iter()
            .for_each(|argument| self.operand(argument, inlined));
    }

    fn operand(&mut self, operand: &'t Expression, inlined: Option<Inline>) {
        match operand {
            Expression::Block(block) if inlined.is_some() => {
                self.scope(&block.arguments, &block.body);
            }
            _ => self.expression(operand),
        }
    }
}
