//! `stui` in a terminal: keys in, a screen out.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::{Daemon, PATIENCE, process::STUI};

/// The size that the stories are told in.
const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// A question that terminals answer with the cursor's place.
const WHERE_IS_THE_CURSOR: &[u8] = b"\x1b[6n";

/// A terminal with `stui` in it.
pub(crate) struct Screen {
    master: Box<dyn MasterPty + Send>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    state: Arc<(Mutex<State>, Condvar)>,
}

struct State {
    parser: vt100::Parser,
    closed: bool,
}

impl Screen {
    /// Opens a terminal and runs `stui` in it.
    pub(crate) fn open(daemon: &Daemon, arguments: &[&str]) -> Self {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(STUI);
        command.env_clear();
        command.env("HOME", daemon.home());
        command.env("STUI_SOCKET", daemon.socket());
        command.env("STUI_NO_START", "1");
        command.env("TERM", "xterm-256color");
        command.args(arguments);
        let child = pty.slave.spawn_command(command).unwrap();
        let keys = Arc::new(Mutex::new(pty.master.take_writer().unwrap()));
        let state = Arc::new((
            Mutex::new(State {
                parser: vt100::Parser::new(ROWS, COLUMNS, 1000),
                closed: false,
            }),
            Condvar::new(),
        ));
        let reader = pty.master.try_clone_reader().unwrap();
        let (seen, answers) = (Arc::clone(&state), Arc::clone(&keys));
        thread::spawn(move || show(reader, &seen, &answers));
        Self {
            master: pty.master,
            keys,
            child,
            state,
        }
    }

    /// Types.
    pub(crate) fn press(&self, keys: &str) {
        let mut writer = self.keys.lock().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Waits until the screen, without blanks at line ends, is as wanted; answers its text.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        loop {
            let text = text(&state.parser);
            if wanted(&text) {
                return text;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !state.closed,
                "the screen never showed {what}:\n{text}"
            );
            (state, _) = changed.wait_timeout(state, left).unwrap();
        }
    }

    /// Waits until the screen has this text somewhere.
    pub(crate) fn shows(&self, part: &str) -> String {
        self.until(&format!("{part:?}"), |text| text.contains(part))
    }

    /// Waits until the last line with text is this one.
    pub(crate) fn ends_with(&self, line: &str) -> String {
        self.until(&format!("{line:?} at its end"), |text| {
            text.trim_end()
                .lines()
                .last()
                .is_some_and(|last| last.trim_end() == line)
        })
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        self.state
            .0
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(rows, columns);
        self.master
            .resize(PtySize {
                rows,
                cols: columns,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
    }

    /// The process of `stui`.
    pub(crate) fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Asks `stui` to end, as a machine that shuts down does.
    pub(crate) fn terminate(&self) {
        let id = self.process().to_string();
        let sent = std::process::Command::new("kill").arg(id).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of `stui`; answers its exit code and the last screen.
    pub(crate) fn end(mut self) -> (u32, String) {
        let deadline = Instant::now() + PATIENCE;
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        while !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "stui never ended:\n{}",
                text(&state.parser)
            );
            (state, _) = changed.wait_timeout(state, left).unwrap();
        }
        let code = self.child.wait().unwrap().exit_code();
        (code, text(&state.parser))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn text(parser: &vt100::Parser) -> String {
    let screen = parser.screen();
    let (_, columns) = screen.size();
    let lines: Vec<String> = screen
        .rows(0, columns)
        .map(|row| row.trim_end().to_owned())
        .collect();
    lines.join("\n").trim_end().to_owned()
}

/// Keeps the screen up to date, and answers where the cursor is when asked.
fn show(
    mut reader: Box<dyn Read + Send>,
    state: &(Mutex<State>, Condvar),
    answers: &Mutex<Box<dyn Write + Send>>,
) {
    let mut chunk = [0; 4096];
    let mut pending = Vec::new();
    loop {
        let count = reader.read(&mut chunk).unwrap_or(0);
        let mut now = state.0.lock().unwrap();
        if count == 0 {
            now.closed = true;
            state.1.notify_all();
            return;
        }
        pending.extend_from_slice(&chunk[..count]);
        while let Some(at) = find(&pending, WHERE_IS_THE_CURSOR) {
            now.parser.process(&pending[..at]);
            pending.drain(..at + WHERE_IS_THE_CURSOR.len());
            let (row, column) = now.parser.screen().cursor_position();
            let answer = format!("\x1b[{};{}R", row + 1, column + 1);
            // It may be gone already.
            let _ = answers.lock().unwrap().write_all(answer.as_bytes());
        }
        // The question may have come in two parts.
        let held = if pending.ends_with(b"\x1b")
            || pending.ends_with(b"\x1b[")
            || pending.ends_with(b"\x1b[6")
        {
            3.min(pending.len())
        } else {
            0
        };
        let ready = pending.len() - held;
        now.parser.process(&pending[..ready]);
        pending.drain(..ready);
        state.1.notify_all();
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
