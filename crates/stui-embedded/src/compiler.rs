//! From the syntax tree to instructions.
//!
//! `capture` finds the variables that blocks capture, `scope` knows where each variable lives,
//! `control` and `loops` compile the sends that Pharo inlines (`ifTrue:`, `whileTrue:`, `to:do:`
//! and their like), `literal` makes the objects that literals stand for, `names`
//! finds out what a name means. Here are methods, blocks,
//! statements and plain expressions.

mod capture;
mod control;
mod emit;
mod literal;
mod loops;
mod names;
mod scope;

use std::cell::Cell;
use std::rc::Rc;

use stui_smalltalk::Span;
use stui_smalltalk::ast::{
    Assignment, Block, Cascade, Expression, Message, MessageSend, Method, Script, Sequence,
    Statement, Variable, VariableKind,
};

use crate::bytecode::{Code, Op, Site};
use crate::value::Oid;
use crate::vm::{Vm, WorkspaceId};
use capture::Captured;
use emit::Function;
use scope::Scope;

/// Why something does not compile.
#[derive(Debug, Clone)]
pub(crate) struct CompileError {
    pub(crate) message: String,
    pub(crate) span: Span,
}

type Compiled<T = ()> = Result<T, CompileError>;

/// Where a method will stand.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its instance variables and class variables are in scope.
    pub(crate) class: Oid,
    /// Its variables are in scope.
    pub(crate) workspace: Option<WorkspaceId>,
    pub(crate) category: String,
}

/// Compiles a method for a class.
pub(crate) fn compile_method(
    vm: &mut Vm,
    method: &Method,
    source: &str,
    target: &Target,
) -> Compiled<Code> {
    let captured = capture::in_method(method);
    let selector = vm.symbol(&method.selector);
    let mut compiler = Compiler::new(vm, captured, source, target, selector, false);
    compiler.begin_function(selector, &method.arguments, method.span)?;
    compiler.open_scope(&method.arguments, &method.body.temporaries, method.span)?;
    compiler.statements_for_effect(&method.body.statements)?;
    if !ends_with_return(&method.body) {
        compiler.emit(Op::SelfValue, Span::at(method.span.end));
        compiler.emit(Op::Return, Span::at(method.span.end));
    }
    compiler.close_scope();
    let mut code = compiler.end_function(method.span);
    apply_pragmas(&mut code, method);
    code.quick = emit::quick(&code);
    Ok(code)
}

/// Compiles a do-it. The second part of the answer are the unknown lower-case names in it: the
/// code refers to their bindings already, the caller declares them.
pub(crate) fn compile_script(
    vm: &mut Vm,
    script: &Script,
    source: &str,
    target: &Target,
) -> Compiled<(Code, Vec<(String, Oid)>)> {
    let captured = capture::in_script(script);
    let selector = vm.symbol("DoIt");
    let mut compiler = Compiler::new(vm, captured, source, target, selector, true);
    compiler.begin_function(selector, &[], script.span)?;
    compiler.open_scope(&[], &script.body.temporaries, script.span)?;
    compiler.statements_for_value(&script.body, script.span)?;
    compiler.emit(Op::Return, Span::at(script.span.end));
    compiler.close_scope();
    let declared = std::mem::take(&mut compiler.declared);
    Ok((compiler.end_function(script.span), declared))
}

fn apply_pragmas(code: &mut Code, method: &Method) {
    use crate::bytecode::Marker;
    use stui_smalltalk::ast::LiteralValue::Symbol;
    for pragma in &method.pragmas {
        let Some(Symbol(name)) = pragma.arguments.first().map(|argument| &argument.value) else {
            continue;
        };
        match (pragma.selector.as_str(), name.as_str()) {
            ("primitive:", name) => code.primitive = crate::primitives::find(name),
            ("marker:", "ensure") => code.marker = Marker::Ensure,
            ("marker:", "ifCurtailed") => code.marker = Marker::IfCurtailed,
            ("marker:", "onDo") => code.marker = Marker::OnDo,
            ("marker:", "signal") => code.marker = Marker::Signal,
            _ => {}
        }
    }
}

fn ends_with_return(body: &Sequence) -> bool {
    matches!(body.statements.last(), Some(Statement::Return(_)))
}

/// The state of one compilation.
struct Compiler<'v> {
    vm: &'v mut Vm,
    captured: Captured,
    source: Rc<str>,
    target: Target,
    selector: Oid,
    is_script: bool,
    functions: Vec<Function>,
    scopes: Vec<Scope>,
    /// Environments that are open around the current place.
    env_level: u16,
    declared: Vec<(String, Oid)>,
}

impl<'v> Compiler<'v> {
    fn new(
        vm: &'v mut Vm,
        captured: Captured,
        source: &str,
        target: &Target,
        selector: Oid,
        is_script: bool,
    ) -> Self {
        Self {
            vm,
            captured,
            source: Rc::from(source),
            target: target.clone(),
            selector,
            is_script,
            functions: Vec::new(),
            scopes: Vec::new(),
            env_level: 0,
            declared: Vec::new(),
        }
    }

    fn begin_function(&mut self, selector: Oid, arguments: &[Variable], at: Span) -> Compiled {
        let args = u16::try_from(arguments.len()).map_err(|_| CompileError {
            message: "Too many arguments".to_owned(),
            span: at,
        })?;
        let names = arguments
            .iter()
            .map(|argument| argument.name.clone())
            .collect();
        self.functions.push(Function::new(selector, args, names));
        Ok(())
    }

    fn end_function(&mut self, span: Span) -> Code {
        let function = self.functions.pop().unwrap_or_default();
        let locals = u16::try_from(function.names.len()).unwrap_or(u16::MAX);
        Code {
            ops: function.ops,
            ranges: function.ranges,
            literals: function.literals,
            sites: function.sites,
            blocks: function.blocks,
            args: function.args,
            temps: locals - function.args,
            names: function.names,
            selector: self.selector,
            method_class: self.target.class,
            source: Rc::clone(&self.source),
            span: (span.start, span.end),
            category: self.target.category.clone(),
            is_block: !self.functions.is_empty(),
            marker: crate::bytecode::Marker::None,
            quick: crate::bytecode::Quick::None,
            primitive: None,
            breakpoint: Cell::new(false),
            epoch: Cell::new(0),
        }
    }

    fn statements_for_effect(&mut self, statements: &[Statement]) -> Compiled {
        for statement in statements {
            match statement {
                Statement::Expression(expression) => self.effect(expression)?,
                Statement::Return(answer) => {
                    self.value(&answer.value)?;
                    self.emit_return(answer.span);
                }
            }
        }
        Ok(())
    }

    /// Leaves the value of the last statement on the stack, nil when there is none.
    fn statements_for_value(&mut self, body: &Sequence, at: Span) -> Compiled {
        let Some((last, rest)) = body.statements.split_last() else {
            self.emit(Op::Nil, at);
            return Ok(());
        };
        self.statements_for_effect(rest)?;
        match last {
            Statement::Expression(expression) => self.value(expression),
            Statement::Return(answer) => {
                self.value(&answer.value)?;
                self.emit_return(answer.span);
                // Never reached; keeps the height of the stack the same on all ways.
                self.emit(Op::Nil, answer.span);
                Ok(())
            }
        }
    }

    fn emit_return(&mut self, span: Span) {
        let op = if self.functions.len() > 1 {
            Op::ReturnHome
        } else {
            Op::Return
        };
        self.emit(op, span);
    }

    fn effect(&mut self, expression: &Expression) -> Compiled {
        match expression {
            Expression::Assignment(assignment) => self.assignment(assignment, false),
            Expression::Send(send) => self.send(send, false),
            _ => {
                self.value(expression)?;
                self.emit(Op::Pop, expression.span());
                Ok(())
            }
        }
    }

    fn value(&mut self, expression: &Expression) -> Compiled {
        match expression {
            Expression::Variable(variable) => self.read(variable),
            Expression::Literal(literal) => self.literal(literal),
            Expression::Array(array) => {
                for element in &array.elements {
                    self.value(element)?;
                }
                let count = u32::try_from(array.elements.len()).unwrap_or(u32::MAX);
                self.emit(Op::Array(count), array.span);
                Ok(())
            }
            Expression::Block(block) => self.block(block),
            Expression::Assignment(assignment) => self.assignment(assignment, true),
            Expression::Send(send) => self.send(send, true),
            Expression::Cascade(cascade) => self.cascade(cascade),
        }
    }

    fn assignment(&mut self, assignment: &Assignment, wanted: bool) -> Compiled {
        self.value(&assignment.value)?;
        let place = self.resolve(&assignment.variable, true)?;
        self.emit_store(&place, assignment.span);
        if !wanted {
            self.emit(Op::Pop, assignment.span);
        }
        Ok(())
    }

    fn read(&mut self, variable: &Variable) -> Compiled {
        let op = match variable.kind() {
            VariableKind::SelfReference | VariableKind::Super => Op::SelfValue,
            VariableKind::Nil => Op::Nil,
            VariableKind::True => Op::True,
            VariableKind::False => Op::False,
            VariableKind::ThisContext => Op::ThisContext,
            VariableKind::ThisProcess => Op::ThisProcess,
            VariableKind::Global | VariableKind::Named => {
                let place = self.resolve(variable, false)?;
                self.emit_load(&place, variable.span);
                return Ok(());
            }
        };
        self.emit(op, variable.span);
        Ok(())
    }

    /// Sends, with the inlined ones tried first. Without `wanted` nothing is left on the stack.
    fn send(&mut self, send: &MessageSend, wanted: bool) -> Compiled {
        if self.inlined(send, wanted)? {
            return Ok(());
        }
        self.value(&send.receiver)?;
        self.message(&send.message, is_super(&send.receiver), send.span)?;
        if !wanted {
            self.emit(Op::Pop, send.span);
        }
        Ok(())
    }

    /// The receiver is on the stack.
    fn message(&mut self, message: &Message, to_super: bool, span: Span) -> Compiled {
        for argument in &message.arguments {
            self.value(argument)?;
        }
        self.emit_send(&message.selector, message.arguments.len(), to_super, span)
    }

    fn cascade(&mut self, cascade: &Cascade) -> Compiled {
        let to_super = is_super(&cascade.receiver);
        self.value(&cascade.receiver)?;
        let Some((last, rest)) = cascade.messages.split_last() else {
            return Ok(());
        };
        for message in rest {
            self.emit(Op::Dup, message.span);
            self.message(message, to_super, message.span)?;
            self.emit(Op::Pop, message.span);
        }
        self.message(last, to_super, last.span)
    }

    fn block(&mut self, block: &Block) -> Compiled {
        self.begin_function(self.selector, &block.arguments, block.span)?;
        let level = self.env_level;
        self.open_scope(&block.arguments, &block.body.temporaries, block.span)?;
        self.statements_for_value(&block.body, block.span)?;
        self.emit(Op::Return, Span::at(block.span.end.saturating_sub(1)));
        self.close_scope();
        self.env_level = level;
        let code = self.end_function(block.span);
        let function = self.function();
        let index = u32::try_from(function.blocks.len()).unwrap_or(u32::MAX);
        function.blocks.push(Rc::new(code));
        self.emit(Op::Block(index), block.span);
        Ok(())
    }

    fn emit_send(&mut self, selector: &str, args: usize, to_super: bool, span: Span) -> Compiled {
        let args = u16::try_from(args).map_err(|_| CompileError {
            message: "Too many arguments".to_owned(),
            span,
        })?;
        let symbol = self.vm.symbol(selector);
        let function = self.function();
        let site = u32::try_from(function.sites.len()).unwrap_or(u32::MAX);
        let op = match (to_super, selector) {
            (true, _) => Op::Super(site),
            (false, "==") => Op::Identical,
            (false, "~~") => Op::NotIdentical,
            _ => emit::arithmetic(selector).map_or(Op::Send(site), |kind| Op::Arith(kind, site)),
        };
        if !matches!(op, Op::Identical | Op::NotIdentical) {
            function.sites.push(Site {
                selector: symbol,
                args,
            });
        }
        self.emit(op, span);
        Ok(())
    }
}

fn is_super(receiver: &Expression) -> bool {
    matches!(receiver, Expression::Variable(name) if name.kind() == VariableKind::Super)
}
