//! Searching all methods of the image.

use stui_smalltalk::ast::LiteralValue;
use stui_smalltalk::parse_method;

use super::{MethodInfo, Vm};
use crate::bytecode::Code;
use crate::value::Value;

/// What to search methods for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Methods that send this selector.
    Senders(String),
    /// Methods with this selector.
    Implementors(String),
    /// Methods that name this class or global.
    References(String),
    /// Methods whose source holds this text.
    Source(String),
}

/// Tells whether a method matches a search.
type Matcher<'s> = Box<dyn Fn(&Code) -> bool + 's>;

impl Vm {
    /// Methods that match, sorted by class and selector; at most `limit`.
    #[must_use]
    pub fn search(&self, search: &Search, limit: usize) -> Vec<MethodInfo> {
        let Some(matches) = self.matcher(search) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for class in self.all_classes() {
            for side in [class, self.heap.get(class).class] {
                let Some(body) = self.heap.class(side) else {
                    continue;
                };
                let mut methods: Vec<_> = self
                    .codes(body)
                    .filter(|code| matches(code))
                    .map(|code| self.method_info(body, code))
                    .collect();
                methods.sort_by(|a, b| a.selector.cmp(&b.selector));
                found.extend(methods);
                if found.len() >= limit {
                    found.truncate(limit);
                    return found;
                }
            }
        }
        found
    }

    /// What tells whether a method matches; `None` when none can.
    fn matcher<'s>(&self, search: &'s Search) -> Option<Matcher<'s>> {
        Some(match search {
            Search::Senders(selector) => {
                let symbol = self.heap.find_symbol(selector)?;
                Box::new(move |code| code.sends(symbol))
            }
            Search::Implementors(selector) => {
                let symbol = self.heap.find_symbol(selector)?;
                Box::new(move |code| code.selector == symbol)
            }
            Search::References(name) => {
                let binding = Value::Obj(self.global_binding(name)?);
                Box::new(move |code| code.has_literal(binding))
            }
            Search::Source(text) => Box::new(move |code| code.source.contains(text)),
        })
    }

    /// The methods, `Foo>>bar`, that name a primitive which this VM does not have.
    #[must_use]
    pub fn unknown_primitives(&self) -> Vec<String> {
        let methods = self.search(&Search::Source("<primitive:".to_owned()), usize::MAX);
        let is_unknown = |method: &MethodInfo| {
            let tree = parse_method(&method.source).ok()?;
            let pragma = tree
                .pragmas
                .iter()
                .find(|pragma| pragma.selector == "primitive:")?;
            match &pragma.arguments.first()?.value {
                LiteralValue::Symbol(name) => Some(crate::primitives::find(name).is_none()),
                _ => Some(true),
            }
        };
        methods
            .iter()
            .filter(|method| is_unknown(method).unwrap_or(false))
            .map(|method| format!("{}>>{}", method.class_name, method.selector))
            .collect()
    }
}
