//! The line editor as the loop wants it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use nu_ansi_term::Style;
use reedline::{
    ColumnarMenu, DefaultHinter, EditCommand, Emacs, ExternalPrinter, FileBackedHistory, KeyCode,
    KeyModifiers, MenuBuilder, Reedline, ReedlineEvent, ReedlineMenu, default_emacs_keybindings,
};

use super::above::Painted;
use super::completion::ImageCompleter;
use super::input::{CodeHighlighter, CodeValidator};
use super::live::Shared;
use super::prompt;
use crate::exit::Problem;
use crate::render::Palette;
use crate::state;
use crate::terminal;

/// Inputs that are remembered.
const HISTORY_ENTRIES: usize = 5000;

/// The menu of completions.
const MENU: &str = "completions";

/// What the editor answers for Ctrl-Z.
pub(super) const SUSPEND: &str = "suspend";

/// The editor: multi-line input, colours, history, completion, and what happens in the session
/// above the prompt.
pub(super) fn new(live: &Shared, palette: Palette) -> Reedline {
    let mut keys = default_emacs_keybindings();
    keys.add_binding(
        KeyModifiers::NONE,
        KeyCode::Tab,
        ReedlineEvent::UntilFound(vec![
            ReedlineEvent::Menu(MENU.to_owned()),
            ReedlineEvent::MenuNext,
        ]),
    );
    // The editor's own Ctrl-C leaves the line editor, which forgets whatever came in one burst with
    // it. The line is cleared where it stands, and what is typed behind it is typed into the next.
    // While the history is searched nothing of that applies, and the search ends.
    keys.add_binding(
        KeyModifiers::CONTROL,
        KeyCode::Char('c'),
        ReedlineEvent::UntilFound(vec![
            ReedlineEvent::Multiple(vec![
                ReedlineEvent::Esc,
                ReedlineEvent::Edit(vec![EditCommand::Clear]),
            ]),
            ReedlineEvent::CtrlC,
        ]),
    );
    // As in any other program of a shell; the line stays.
    keys.add_binding(
        KeyModifiers::CONTROL,
        KeyCode::Char('z'),
        ReedlineEvent::ExecuteHostCommand(SUSPEND.to_owned()),
    );
    let menu = ColumnarMenu::default()
        .with_name(MENU)
        .with_marker(prompt::INDICATOR);
    let hinter = DefaultHinter::default().with_style(Style::new().dimmed());
    let painted = Arc::default();
    let editor = Reedline::create()
        .with_ansi_colors(palette.has_colours())
        .use_bracketed_paste(true)
        .with_validator(Box::new(CodeValidator))
        .with_highlighter(Box::new(CodeHighlighter {
            painted: Arc::clone(&painted),
        }))
        .with_hinter(Box::new(hinter))
        .with_completer(Box::new(ImageCompleter { live: live.clone() }))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_edit_mode(Box::new(Emacs::new(keys)));
    let editor = match history() {
        Ok(history) => editor.with_history(Box::new(history)),
        // Without a place for it, lines are remembered only here.
        Err(_) => editor,
    };
    with_news(editor, live, painted)
}

/// Prints what happens in the session above the prompt; breaks the line off when the connection is
/// gone.
fn with_news(editor: Reedline, live: &Shared, painted: Arc<Mutex<Painted>>) -> Reedline {
    let printer = ExternalPrinter::new(1);
    let news = printer.sender();
    let gone = Arc::new(AtomicBool::new(false));
    let live = live.clone();
    editor
        .with_break_signal(Arc::clone(&gone))
        .with_external_printer(printer)
        .with_idle_callback(Box::new(move || {
            let (text, prompt) = {
                let mut live = live.lock();
                (live.idle(&gone), prompt::width(&live.scribe))
            };
            if !text.is_empty() {
                // The editor paints on standard error. A terminal that cannot be written to
                // ends the loop soon enough.
                let mut terminal = io::stderr();
                let columns = terminal::width(&terminal);
                let room = painted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .make_room(prompt, columns);
                let _ = terminal.write_all(room.as_bytes());
                // The editor takes it right after this callback, so there is always room.
                let _ = news.try_send(text);
            }
        }))
}

fn history() -> Result<FileBackedHistory, Problem> {
    let path: PathBuf = state::directory()?.join("history");
    let doing = || Problem::io(format!("opening {}", path.display()));
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(doing())?;
    FileBackedHistory::with_file(HISTORY_ENTRIES, path.clone())
        .map_err(|error| doing()(std::io::Error::other(error.to_string())))
}
