//! Checks where the nodes of a tree lie. The fuzz targets include this file, too.

use crate::ast::*;
use crate::span::Span;

/// Checks that each node's children lie in it, one after the other.
struct Checker<'s> {
    source: &'s str,
}

impl Checker<'_> {
    fn children(&self, parent: Span, children: &[Span]) {
        assert!(self.source.get(parent.range()).is_some());
        for child in children {
            assert!(parent.contains(*child), "{child:?} is not in {parent:?}");
        }
        for pair in children.windows(2) {
            assert!(
                pair[0].end <= pair[1].start,
                "{pair:?} overlap or are out of order"
            );
        }
    }

    fn sequence(&self, sequence: &Sequence) {
        let mut children: Vec<_> = sequence.temporaries.iter().map(|v| v.span).collect();
        children.extend(sequence.statements.iter().map(Statement::span));
        self.children(sequence.span, &children);
        for statement in &sequence.statements {
            let expression = statement.expression();
            self.children(statement.span(), &[expression.span()]);
            self.expression(expression);
        }
    }

    fn expression(&self, expression: &Expression) {
        let span = expression.span();
        match expression {
            Expression::Variable(variable) => assert_eq!(span.text(self.source), variable.name),
            Expression::Literal(literal) => self.literal(literal),
            Expression::Array(array) => {
                let spans: Vec<_> = array.elements.iter().map(Expression::span).collect();
                self.children(span, &spans);
                array
                    .elements
                    .iter()
                    .for_each(|element| self.expression(element));
            }
            Expression::Block(block) => {
                let mut spans: Vec<_> = block.arguments.iter().map(|v| v.span).collect();
                spans.push(block.body.span);
                self.children(span, &spans);
                self.sequence(&block.body);
            }
            Expression::Assignment(node) => {
                self.children(
                    span,
                    &[node.variable.span, node.operator, node.value.span()],
                );
                self.expression(&node.value);
            }
            Expression::Send(send) => {
                self.children(span, &[send.receiver.span(), send.message.span]);
                self.expression(&send.receiver);
                self.message(&send.message);
            }
            Expression::Cascade(cascade) => {
                let mut spans = vec![cascade.receiver.span()];
                spans.extend(cascade.messages.iter().map(|message| message.span));
                self.children(span, &spans);
                self.expression(&cascade.receiver);
                cascade
                    .messages
                    .iter()
                    .for_each(|message| self.message(message));
            }
        }
    }

    fn message(&self, message: &Message) {
        let texts: String = message
            .selector_parts
            .iter()
            .map(|s| s.text(self.source))
            .collect();
        assert_eq!(texts, message.selector);
        let mut spans: Vec<_> = message.selector_parts.clone();
        spans.extend(message.arguments.iter().map(Expression::span));
        spans.sort_unstable();
        self.children(message.span, &spans);
        message
            .arguments
            .iter()
            .for_each(|argument| self.expression(argument));
    }

    fn literal(&self, literal: &Literal) {
        assert!(!literal.span.is_empty());
        if let LiteralValue::Array(elements) = &literal.value {
            let spans: Vec<_> = elements.iter().map(|element| element.span).collect();
            self.children(literal.span, &spans);
            elements.iter().for_each(|element| self.literal(element));
        }
    }
}

/// Fails when a span of the method does not fit.
pub(crate) fn check_method(source: &str, method: &Method) {
    let checker = Checker { source };
    let mut children: Vec<_> = method.arguments.iter().map(|v| v.span).collect();
    children.push(method.body.span);
    checker.children(method.span, &children);
    checker.sequence(&method.body);
}

/// Fails when a span of the script does not fit.
pub(crate) fn check_script(source: &str, script: &Script) {
    let checker = Checker { source };
    checker.children(script.span, &[script.body.span]);
    checker.sequence(&script.body);
}
