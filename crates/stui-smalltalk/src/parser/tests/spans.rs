//! Every node lies where its text is.

use super::*;
use crate::ast::*;
use crate::lexer::tests::smalltalk_like;

#[test]
fn a_send_knows_its_selector_parts() {
    let source = "d at: (1 + 2) put: x";
    let script = parse_script(source).unwrap();

    let Expression::Send(send) = script.body.statements[0].expression() else {
        panic!()
    };

    let parts: Vec<_> = send
        .message
        .selector_parts
        .iter()
        .map(|s| s.text(source))
        .collect();
    assert_eq!(parts, ["at:", "put:"]);
    assert_eq!(send.message.span.text(source), "at: (1 + 2) put: x");
    assert_eq!(send.message.arguments[0].span().text(source), "1 + 2");
    assert_eq!(send.span.text(source), source);
}

#[test]
fn a_send_covers_the_parentheses_of_its_receiver() {
    let source = " (a + b) foo. ^ (c)";
    let script = parse_script(source).unwrap();

    let spans: Vec<_> = script
        .body
        .statements
        .iter()
        .map(|s| s.span().text(source))
        .collect();

    assert_eq!(spans, ["(a + b) foo", "^ (c)"]);
}

#[test]
fn a_split_number_and_split_bars_have_their_own_places() {
    let source = "[:a||t|a-3]";
    let script = parse_script(source).unwrap();

    let Expression::Block(block) = script.body.statements[0].expression() else {
        panic!()
    };
    let Expression::Send(send) = block.body.statements[0].expression() else {
        panic!()
    };

    assert_eq!(block.body.span.text(source), "|t|a-3");
    assert_eq!(send.message.selector_parts[0].text(source), "-");
    assert_eq!(send.message.arguments[0].span().text(source), "3");
}

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

fn check_script(source: &str, script: &Script) {
    let checker = Checker { source };
    checker.children(script.span, &[script.body.span]);
    checker.sequence(&script.body);
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(source in any::<String>()) {
        let _ = parse_script(&source);
        let _ = parse_method(&source);
        let _ = parse_pattern(&source);
    }

    #[test]
    fn the_spans_of_smalltalk_like_text_nest(source in smalltalk_like()) {
        match parse_script(&source) {
            Ok(script) => check_script(&source, &script),
            Err(error) => prop_assert!(source.is_char_boundary(error.offset)),
        }
        let source = format!("foo: x {source}");
        if let Ok(method) = parse_method(&source) {
            check_method(&source, &method);
        }
    }

    #[test]
    fn the_spans_of_valid_sources_nest(source in crate::source_samples::script()) {
        let script = parse_script(&source);
        prop_assert!(script.is_ok(), "{source}: {:?}", script.err());
        check_script(&source, &script.unwrap());
    }
}
