//! Smalltalk and Tonel as text: lexer, parser, completeness, highlighting.
