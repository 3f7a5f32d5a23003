//! A tree on one line, so that a test can show what it expects.

use crate::ast::*;

pub(crate) fn outline_method(method: &Method) -> String {
    let mut head = vec![method.selector.clone()];
    if !method.arguments.is_empty() {
        head.push(format!("({})", names(&method.arguments, "")));
    }
    head.extend(method.pragmas.iter().map(pragma));
    format!("{} => {}", head.join(" "), sequence(&method.body))
}

pub(crate) fn outline_script(script: &Script) -> String {
    sequence(&script.body)
}

fn pragma(pragma: &Pragma) -> String {
    let mut parts = vec![pragma.selector.clone()];
    parts.extend(pragma.arguments.iter().map(literal));
    format!("<{}>", parts.join(" "))
}

fn names(variables: &[Variable], before_each: &str) -> String {
    let names: Vec<_> = variables
        .iter()
        .map(|variable| format!("{before_each}{}", variable.name))
        .collect();
    names.join(" ")
}

fn sequence(sequence: &Sequence) -> String {
    let statements: Vec<_> = sequence.statements.iter().map(statement).collect();
    let statements = statements.join(" . ");
    if sequence.temporaries.is_empty() {
        statements
    } else {
        format!("|{}| {statements}", names(&sequence.temporaries, ""))
    }
}

fn statement(statement: &Statement) -> String {
    match statement {
        Statement::Expression(value) => expression(value),
        Statement::Return(answer) => format!("(^ {})", expression(&answer.value)),
    }
}

fn expression(node: &Expression) -> String {
    match node {
        Expression::Variable(variable) => variable.name.clone(),
        Expression::Literal(value) => literal(value),
        Expression::Array(array) => {
            let elements: Vec<_> = array.elements.iter().map(expression).collect();
            format!("{{{}}}", elements.join(" . "))
        }
        Expression::Block(block) if block.arguments.is_empty() => {
            format!("[{}]", sequence(&block.body))
        }
        Expression::Block(block) => {
            format!(
                "[{} | {}]",
                names(&block.arguments, ":"),
                sequence(&block.body)
            )
        }
        Expression::Assignment(assignment) => {
            format!(
                "({} := {})",
                assignment.variable.name,
                expression(&assignment.value)
            )
        }
        Expression::Send(send) => {
            format!(
                "({} {})",
                expression(&send.receiver),
                message(&send.message)
            )
        }
        Expression::Cascade(cascade) => {
            let messages: Vec<_> = cascade.messages.iter().map(message).collect();
            format!(
                "({} ; {})",
                expression(&cascade.receiver),
                messages.join(" ; ")
            )
        }
    }
}

fn message(message: &Message) -> String {
    let mut parts = vec![message.selector.clone()];
    parts.extend(message.arguments.iter().map(expression));
    parts.join(" ")
}

fn literal(literal_node: &Literal) -> String {
    match &literal_node.value {
        LiteralValue::Integer(integer) => integer
            .to_i64()
            .map_or_else(|| integer.digits.clone(), |value| value.to_string()),
        LiteralValue::Float(float) => float.to_string(),
        LiteralValue::ScaledDecimal(decimal) => {
            format!(
                "{}/10^{}s{}",
                decimal.digits, decimal.fraction_digits, decimal.scale
            )
        }
        LiteralValue::Character(character) => format!("${character}"),
        LiteralValue::String(text) => format!("'{}'", text.replace('\'', "''")),
        LiteralValue::Symbol(text) => format!("#{text}"),
        LiteralValue::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(literal).collect();
            format!("#({})", elements.join(" "))
        }
        LiteralValue::ByteArray(bytes) => {
            let bytes: Vec<_> = bytes.iter().map(u8::to_string).collect();
            format!("#[{}]", bytes.join(" "))
        }
        LiteralValue::True => "true".to_owned(),
        LiteralValue::False => "false".to_owned(),
        LiteralValue::Nil => "nil".to_owned(),
    }
}
