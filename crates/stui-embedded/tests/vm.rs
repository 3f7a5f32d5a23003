//! Stories about the virtual machine: what its owner asks for and what comes of it.
#![allow(clippy::unwrap_used)] // the cast fails the story where it stands

#[path = "vm/cast.rs"]
mod cast;
#[path = "vm/changes.rs"]
mod changes;
#[path = "vm/debugger.rs"]
mod debugger;
#[path = "vm/exceptions.rs"]
mod exceptions;
#[path = "vm/interrupts.rs"]
mod interrupts;
#[path = "vm/limits.rs"]
mod limits;
#[path = "vm/memory.rs"]
mod memory;
#[path = "vm/processes.rs"]
mod processes;
#[path = "vm/reflection.rs"]
mod reflection;
#[path = "vm/saving.rs"]
mod saving;
#[path = "vm/soup.rs"]
mod soup;
