//! Splits the chunk format, in which Smalltalk code was filed out before Tonel.
//!
//! ```text
//! Object subclass: #Foo instanceVariableNames: '' classVariableNames: '' package: 'Bar'!
//! !Foo methodsFor: 'accessing'!
//! bar
//!     ^ 'one exclamation mark is doubled: !!'! !
//! ```
//!
//! A text without any `!` is one do-it. Nothing is parsed but the lines that announce methods and
//! comments.

use thiserror::Error;

use crate::ast::{Expression, LiteralValue, Message};
use crate::parser::parse_script;
use crate::span::Span;

/// Longest text that is split.
pub const MAX_FILE_BYTES: usize = 8 * 1024 * 1024;

/// One piece of a filed out text, to be executed in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// Code to evaluate.
    DoIt {
        /// The code, its exclamation marks undoubled.
        source: String,
        /// Where it stands in the text.
        span: Span,
    },
    /// A method to compile.
    Method {
        /// Into which class.
        class_name: String,
        /// Whether into the class side.
        is_class_side: bool,
        /// Under which protocol.
        category: String,
        /// Pattern and body, the exclamation marks undoubled.
        source: String,
        /// Where it stands in the text.
        span: Span,
    },
    /// A class comment to set.
    Comment {
        /// Of which class.
        class_name: String,
        /// The comment, its exclamation marks undoubled.
        text: String,
        /// Where it stands in the text.
        span: Span,
    },
}

/// Why a text is not in the chunk format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChunkError {
    /// The text has more than [`MAX_FILE_BYTES`].
    #[error("the text is longer than {MAX_FILE_BYTES} bytes")]
    TooLong,
    /// After `!` at the beginning of a chunk stands nothing that announces chunks.
    #[error("expected a line such as !Foo methodsFor: 'accessing'!")]
    UnknownPreamble {
        /// The line.
        span: Span,
    },
}

/// Splits a whole text. Empty chunks are left out; the last chunk needs no `!`.
///
/// # Errors
/// The text is too long, or a preamble is not known. Nothing is answered then.
pub fn split(text: &str) -> Result<Vec<Chunk>, ChunkError> {
    if text.len() > MAX_FILE_BYTES {
        return Err(ChunkError::TooLong);
    }
    let mut splitter = Splitter { text, at: 0 };
    let mut chunks = Vec::new();
    while let Some(is_preamble) = splitter.begin_declaration() {
        let chunk = splitter.chunk();
        if !is_preamble {
            chunks.extend(chunk.map(|(source, span)| Chunk::DoIt { source, span }));
        } else if let Some((source, span)) = chunk {
            let preamble = preamble(&source).ok_or(ChunkError::UnknownPreamble { span })?;
            splitter.announced(&preamble, &mut chunks);
        }
    }
    Ok(chunks)
}

impl Chunk {
    /// Where it stands in the text.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::DoIt { span, .. } | Self::Method { span, .. } | Self::Comment { span, .. } => {
                *span
            }
        }
    }
}

/// What is announced for the chunks that follow.
enum Preamble {
    Methods {
        class_name: String,
        is_class_side: bool,
        category: String,
    },
    Comment {
        class_name: String,
    },
    /// The order of protocols; of no use here.
    Organization,
}

struct Splitter<'t> {
    text: &'t str,
    at: usize,
}

impl Splitter<'_> {
    /// Passes blanks and text styles. Answers whether `!` announces something, or none at the end.
    fn begin_declaration(&mut self) -> Option<bool> {
        loop {
            self.skip_blanks();
            let rest = &self.text[self.at..];
            if rest.starts_with("]style[") || rest.starts_with("]lang[") {
                self.chunk();
            } else if rest.is_empty() {
                return None;
            } else {
                let announces = rest.starts_with('!');
                self.at += usize::from(announces);
                return Some(announces);
            }
        }
    }

    /// The text up to the next single `!`, which is passed. None when only blanks stand there.
    fn chunk(&mut self) -> Option<(String, Span)> {
        self.skip_blanks();
        let start = self.at;
        let mut end = self.text.len();
        let mut next = end;
        for (offset, _) in self.text[start..].match_indices('!') {
            let mark = start + offset;
            if mark < self.at {
                continue;
            }
            if !self.text[mark + 1..].starts_with('!') {
                (end, next) = (mark, mark + 1);
                break;
            }
            self.at = mark + 2;
        }
        self.at = next;
        let text = self.text[start..end].trim_end();
        let span = Span::new(start, start + text.len());
        (!text.is_empty()).then(|| (text.replace("!!", "!"), span))
    }

    fn announced(&mut self, preamble: &Preamble, chunks: &mut Vec<Chunk>) {
        match preamble {
            Preamble::Methods {
                class_name,
                is_class_side,
                category,
            } => {
                while let Some((source, span)) = self.chunk() {
                    chunks.push(Chunk::Method {
                        class_name: class_name.clone(),
                        is_class_side: *is_class_side,
                        category: category.clone(),
                        source,
                        span,
                    });
                }
            }
            Preamble::Comment { class_name } => {
                let (text, span) = self.chunk().unwrap_or((String::new(), Span::at(self.at)));
                chunks.push(Chunk::Comment {
                    class_name: class_name.clone(),
                    text,
                    span,
                });
            }
            Preamble::Organization => {
                self.chunk();
            }
        }
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }
}

/// `Foo methodsFor: 'x'`, `Foo class methodsFor: 'x' stamp: '…'`, `Foo commentStamp: '…' prior: 0`
fn preamble(source: &str) -> Option<Preamble> {
    let script = parse_script(source).ok()?;
    let Expression::Send(send) = script.body.statements.into_iter().next()?.into_expression()
    else {
        return None;
    };
    let (class_name, is_class_side) = owner(&send.receiver)?;
    match send.message.selector.split_inclusive(':').next()? {
        "methodsFor:" => {
            let category = text_argument(&send.message)?;
            Some(Preamble::Methods {
                class_name,
                is_class_side,
                category,
            })
        }
        "commentStamp:" => Some(Preamble::Comment { class_name }),
        "reorganize" => Some(Preamble::Organization),
        _ => None,
    }
}

fn owner(receiver: &Expression) -> Option<(String, bool)> {
    match receiver {
        Expression::Variable(variable) => Some((variable.name.clone(), false)),
        Expression::Send(send) if matches!(&*send.message.selector, "class" | "classTrait") => {
            owner(&send.receiver).map(|(name, _)| (name, true))
        }
        _ => None,
    }
}

fn text_argument(message: &Message) -> Option<String> {
    match message.arguments.first()? {
        Expression::Literal(literal) => match &literal.value {
            LiteralValue::String(text) | LiteralValue::Symbol(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
