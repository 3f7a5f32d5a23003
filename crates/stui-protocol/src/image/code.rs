//! Reading and changing code: classes, methods, search, completion, syntax.

use serde::{Deserialize, Serialize};

use crate::command::commands;

/// A class in a few words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassInfo {
    /// Its name.
    pub name: String,
    /// Name of its superclass, when it has one.
    #[serde(default)]
    pub superclass: Option<String>,
    /// Its comment.
    #[serde(default)]
    pub comment: String,
    /// Its package.
    #[serde(default)]
    pub package: String,
    /// Whether it came with the image.
    #[serde(default)]
    pub is_system: bool,
}

/// A method with its source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MethodInfo {
    /// Its class; the class itself also for the class side.
    #[serde(default)]
    pub class_name: String,
    /// Its selector.
    pub name: String,
    /// Its source.
    pub source: String,
    /// Its protocol.
    #[serde(default)]
    pub category: String,
    /// Whether it is on the class side.
    #[serde(default)]
    pub is_class_method: bool,
    /// Names of its arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Its first comment.
    #[serde(default)]
    pub comment: String,
}

/// Look at a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrowseClass {
    /// Which class.
    pub class_name: String,
    /// Whether to answer its methods.
    #[serde(default = "yes")]
    pub include_methods: bool,
    /// Whether to answer the names of its instance variables.
    #[serde(default = "yes")]
    pub include_instance_vars: bool,
    /// Whether to answer the names of its class variables.
    #[serde(default = "yes")]
    pub include_class_vars: bool,
}

fn yes() -> bool {
    true
}

/// What `browse_class` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrowseClassResult {
    /// The class.
    pub class_info: ClassInfo,
    /// Methods of its instances.
    #[serde(default)]
    pub instance_methods: Vec<MethodInfo>,
    /// Methods of the class itself.
    #[serde(default)]
    pub class_methods: Vec<MethodInfo>,
    /// Its own instance variables.
    #[serde(default)]
    pub instance_vars: Vec<String>,
    /// Its own class variables.
    #[serde(default)]
    pub class_vars: Vec<String>,
    /// Names of its direct subclasses.
    #[serde(default)]
    pub subclasses: Vec<String>,
    /// Names of its traits.
    #[serde(default)]
    pub traits: Vec<String>,
}

/// Find classes by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListClasses {
    /// Names that match (`*` and `?`); all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether classes that came with the image count.
    #[serde(default = "yes")]
    pub include_system: bool,
    /// Most classes to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Classes to skip.
    #[serde(default)]
    pub offset: usize,
}

/// What `list_classes` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListClassesResult {
    /// Sorted by name.
    pub classes: Vec<ClassInfo>,
    /// How many match in all.
    pub total_count: u64,
}

/// Look at a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GetMethod {
    /// Its class.
    pub class_name: String,
    /// Its selector.
    pub method_name: String,
    /// Whether it is on the class side.
    #[serde(default)]
    pub is_class_method: bool,
}

/// What `get_method` and `compile_method` answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodResult {
    /// The method.
    pub method: MethodInfo,
}

/// Ask for endings of what is being typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Complete {
    /// The whole text.
    pub source: String,
    /// Where the cursor stands: characters before it.
    pub position: usize,
    /// Whose variables count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// What `complete` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompleteResult {
    /// Likeliest first.
    pub candidates: Vec<Candidate>,
    /// The candidates replace the text from here (characters before it) to the cursor.
    pub start: usize,
}

/// One ending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The whole word.
    pub text: String,
    /// `variable`, `global` or `selector`.
    pub kind: String,
}

/// Is this code whole?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckSyntax {
    /// The code.
    pub source: String,
}

/// What `check_syntax` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckSyntaxResult {
    /// What was found.
    pub syntax: Syntax,
    /// The error, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SyntaxErrorDetails>,
}

/// Whether code can be evaluated as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Syntax {
    /// It can.
    Complete,
    /// More may follow.
    Incomplete,
    /// It cannot, whatever follows.
    Error,
}

/// Details of a `SyntaxError`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntaxErrorDetails {
    /// What is wrong, in the compiler's words.
    #[serde(default)]
    pub message: String,
    /// Where, in characters from 1; one beyond the end when something is missing there.
    pub position: usize,
    /// The line of it, from 1.
    pub line: usize,
    /// The column in that line, from 1, in characters.
    pub column: usize,
    /// The code.
    #[serde(default)]
    pub source: String,
}

/// Find methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// What to look for.
    pub kind: SearchKind,
    /// A selector, a class name or a piece of source.
    pub text: String,
    /// Most methods to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Methods to skip.
    #[serde(default)]
    pub offset: usize,
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchKind {
    /// Methods that send the selector.
    Senders,
    /// Methods named by the selector.
    Implementors,
    /// Methods that name the class or global.
    References,
    /// Methods whose source has the text.
    Source,
}

/// What `search` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchResult {
    /// Sorted by class and selector.
    pub methods: Vec<MethodInfo>,
    /// How many were found in all.
    pub total_count: u64,
}

/// Define a class by its definition message, in either form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DefineClass {
    /// Such as `Object << #Point3 slots: { #x. #y. #z }; package: 'Geometry'`.
    pub definition: String,
}

/// What `define_class` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassResult {
    /// The class as it is now.
    pub class_info: ClassInfo,
}

/// Add or replace a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompileMethod {
    /// Its class.
    pub class_name: String,
    /// Its source, pattern first.
    pub source: String,
    /// Whether it is for the class side.
    #[serde(default)]
    pub is_class_method: bool,
    /// Its protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// Remove a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemoveMethod {
    /// Its class.
    pub class_name: String,
    /// Its selector.
    pub method_name: String,
    /// Whether it is on the class side.
    #[serde(default)]
    pub is_class_method: bool,
}

/// What `remove_method` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemoveMethodResult {
    /// True: it was there and is gone.
    pub removed: bool,
}

/// Load source: chunks (`!Foo methodsFor: 'x'! …`) or one Tonel class file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileIn {
    /// The whole text.
    pub source: String,
}

/// What `file_in` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileInResult {
    /// Classes that were defined.
    pub classes: Vec<String>,
    /// Methods that were compiled, as `Class>>selector`.
    pub methods: Vec<String>,
    /// Expressions that were evaluated.
    pub expressions: u64,
}

commands! {
    BrowseClass => BrowseClassResult, "browse_class", ["class_name"];
    ListClasses => ListClassesResult, "list_classes", [];
    GetMethod => MethodResult, "get_method", ["class_name", "method_name"];
    Complete => CompleteResult, "complete", ["source", "position"];
    CheckSyntax => CheckSyntaxResult, "check_syntax", ["source"];
    Search => SearchResult, "search", ["kind", "text"];
    DefineClass => ClassResult, "define_class", ["definition"];
    CompileMethod => MethodResult, "compile_method", ["class_name", "source"];
    RemoveMethod => RemoveMethodResult, "remove_method", ["class_name", "method_name"];
    FileIn => FileInResult, "file_in", ["source"];
}
