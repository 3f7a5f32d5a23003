//! The syntax tree: what the parser answers and the embedded image compiles.
//!
//! Every node has the span of its text. Parentheses belong to no node: in `(a + b) foo` the
//! addition covers `a + b` and the send of `foo` covers everything from `(` on. So a node's
//! children always lie inside it and never overlap.
//!
//! A walk that recurses once per node meets at most [`crate::MAX_TREE_HEIGHT`] levels.

use crate::span::Span;

mod literal;

pub use literal::{Integer, Literal, LiteralValue, ScaledDecimal};

/// A method definition: pattern, pragmas, body.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// From the pattern to the last token of the body.
    pub span: Span,
    /// The whole selector, `at:put:`.
    pub selector: String,
    /// Where its parts stand, one for a unary or binary selector, one for each keyword.
    pub selector_parts: Vec<Span>,
    /// One for each argument of the selector.
    pub arguments: Vec<Variable>,
    /// In source order, whether before or after the temporaries.
    pub pragmas: Vec<Pragma>,
    /// Temporaries and statements.
    pub body: Sequence,
    /// Every comment in the source with its quotes, in source order.
    pub comments: Vec<Span>,
}

/// A do-it: temporaries and statements without a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// From the first to the last token; empty when there is none.
    pub span: Span,
    /// Pharo allows them here, too.
    pub pragmas: Vec<Pragma>,
    /// Temporaries and statements. The value of the last statement is the script's.
    pub body: Sequence,
    /// Every comment in the source with its quotes, in source order.
    pub comments: Vec<Span>,
}

/// `<selector: literal>`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pragma {
    /// With the angle brackets.
    pub span: Span,
    /// The whole selector.
    pub selector: String,
    /// Where its parts stand.
    pub selector_parts: Vec<Span>,
    /// One for each keyword. A bare name in a `<primitive: … error: code>` pragma is a Symbol.
    pub arguments: Vec<Literal>,
}

/// Temporaries and statements of a method, script or block.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// From the first to the last token, bars and periods included; empty where nothing stands.
    pub span: Span,
    /// Declared between bars.
    pub temporaries: Vec<Variable>,
    /// In source order.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// Evaluated for its effect, or as the value of a block or script.
    Expression(Expression),
    /// `^ expression`.
    Return(Return),
}

/// `^ value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    /// From the caret to the end of the value.
    pub span: Span,
    /// What is answered.
    pub value: Expression,
}

/// Anything with a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A name, pseudo variables included.
    Variable(Variable),
    /// A literal of any kind but `nil`, `true` and `false`, which are variables here.
    Literal(Box<Literal>),
    /// `{ a. b }`.
    Array(Box<Array>),
    /// `[ :x | … ]`.
    Block(Box<Block>),
    /// `x := y`.
    Assignment(Box<Assignment>),
    /// A send of any kind.
    Send(Box<MessageSend>),
    /// `receiver foo; bar`.
    Cascade(Box<Cascade>),
}

/// A name where it is declared, read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name's text.
    pub span: Span,
    /// The name.
    pub name: String,
}

/// What a name is by its spelling alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableKind {
    /// `self`
    SelfReference,
    /// `super`
    Super,
    /// `nil`
    Nil,
    /// `true`
    True,
    /// `false`
    False,
    /// `thisContext`
    ThisContext,
    /// `thisProcess`
    ThisProcess,
    /// A capitalised name: a class, global, class variable or pool variable.
    Global,
    /// Any other name: argument, temporary, instance variable, workspace variable.
    Named,
}

/// `{ a. b }`: an Array made when evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// With the braces.
    pub span: Span,
    /// One for each element.
    pub elements: Vec<Expression>,
}

/// `[ :x | | t | … ]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// With the brackets.
    pub span: Span,
    /// Without their colons.
    pub arguments: Vec<Variable>,
    /// Temporaries and statements; no statement means the block answers nil.
    pub body: Sequence,
}

/// `variable := value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// From the name to the end of the value.
    pub span: Span,
    /// Never a pseudo variable; may be an argument, which the compiler has to refuse.
    pub variable: Variable,
    /// `:=`.
    pub operator: Span,
    /// What is stored.
    pub value: Expression,
}

/// `receiver selector: argument`.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageSend {
    /// From the receiver to the last argument, their parentheses included.
    pub span: Span,
    /// To whom; `super` as receiver starts the lookup above.
    pub receiver: Expression,
    /// What is sent.
    pub message: Message,
}

/// `receiver first; second: x; third`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cascade {
    /// From the receiver to the last message.
    pub span: Span,
    /// Evaluated once.
    pub receiver: Expression,
    /// Two or more, sent in order to the same receiver; the last one's value is the cascade's.
    pub messages: Vec<Message>,
}

/// A selector with its arguments, without a receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// From the selector to the last argument.
    pub span: Span,
    /// The whole selector, `at:put:`.
    pub selector: String,
    /// Where its parts stand.
    pub selector_parts: Vec<Span>,
    /// None for a unary selector, one for a binary one, one for each keyword.
    pub arguments: Vec<Expression>,
}

impl Statement {
    /// Its text, without the period.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Expression(expression) => expression.span(),
            Self::Return(statement) => statement.span,
        }
    }

    /// The expression, whether returned or not.
    #[must_use]
    pub fn into_expression(self) -> Expression {
        match self {
            Self::Expression(expression) => expression,
            Self::Return(statement) => statement.value,
        }
    }

    /// The expression, whether returned or not.
    #[must_use]
    pub fn expression(&self) -> &Expression {
        match self {
            Self::Expression(expression) => expression,
            Self::Return(statement) => &statement.value,
        }
    }
}

impl Expression {
    /// Its text, without parentheses round it.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Variable(variable) => variable.span,
            Self::Literal(literal) => literal.span,
            Self::Array(array) => array.span,
            Self::Block(block) => block.span,
            Self::Assignment(assignment) => assignment.span,
            Self::Send(send) => send.span,
            Self::Cascade(cascade) => cascade.span,
        }
    }
}

impl Variable {
    /// What the spelling says.
    #[must_use]
    pub fn kind(&self) -> VariableKind {
        VariableKind::of(&self.name)
    }
}

impl VariableKind {
    /// What the spelling of `name` says.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "self" => Self::SelfReference,
            "super" => Self::Super,
            "nil" => Self::Nil,
            "true" => Self::True,
            "false" => Self::False,
            "thisContext" => Self::ThisContext,
            "thisProcess" => Self::ThisProcess,
            _ if name.starts_with(char::is_uppercase) => Self::Global,
            _ => Self::Named,
        }
    }

    /// Whether it names a fixed thing that cannot be declared or assigned.
    #[must_use]
    pub fn is_pseudo(self) -> bool {
        !matches!(self, Self::Global | Self::Named)
    }
}

impl Message {
    /// Whether the selector is an operator.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        !self.arguments.is_empty() && !self.selector.ends_with(':')
    }
}
