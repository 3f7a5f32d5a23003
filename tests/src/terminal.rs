//! A real terminal with the real `stui` in it.

use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use crate::binaries;
use crate::cli::Cli;
use crate::patience::{self, PATIENCE};

const SIZE: PtySize = PtySize {
    rows: 50,
    cols: 120,
    pixel_width: 0,
    pixel_height: 0,
};

/// Lines that scroll out are kept: a story may ask for what was shown long ago.
const SCROLLBACK: usize = 10_000;

/// Keys that are no text.
pub mod key {
    /// End of a line.
    pub const ENTER: &str = "\r";
    /// Interrupt.
    pub const CTRL_C: &str = "\x03";
    /// End of input.
    pub const CTRL_D: &str = "\x04";
    /// Stop.
    pub const CTRL_Z: &str = "\x1a";
    /// The line before.
    pub const UP: &str = "\x1b[A";
}

/// A terminal: what is typed into it goes to `stui`, what `stui` writes is on its screen.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Keyboard,
    screen: Arc<Screen>,
    // Open as long as the terminal is there.
    _master: Box<dyn MasterPty + Send>,
}

type Keyboard = Arc<Mutex<Box<dyn Write + Send>>>;

/// The screen, and word when it changes.
struct Screen {
    parser: Mutex<vt100::Parser<Answers>>,
    changed: Condvar,
}

/// What a terminal answers by itself when a program asks where the cursor is or what it can.
#[derive(Default)]
struct Answers {
    text: String,
}

impl vt100::Callbacks for Answers {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        _: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        last: char,
    ) {
        let (row, column) = screen.cursor_position();
        match (last, params) {
            ('n', [[6]]) => self.text += &format!("\x1b[{};{}R", row + 1, column + 1),
            ('c', _) => self.text += "\x1b[?62c",
            _ => {}
        }
    }
}

impl Terminal {
    /// Opens a terminal with `stui` and these arguments in it.
    #[must_use]
    pub fn open(user: &Cli, arguments: &[&str]) -> Self {
        Self::with(user, CommandBuilder::new(binaries::stui()), arguments)
    }

    /// Opens a terminal with a shell in it that knows the jobs it has started.
    #[must_use]
    pub fn shell(user: &Cli) -> Self {
        let mut terminal = Self::with(user, CommandBuilder::new("sh"), &["-i"]);
        terminal.enters(&format!(
            "PS1='shell$ '; alias stui={}",
            binaries::stui().display()
        ));
        terminal.shows_what("a prompt", |screen| screen.trim_end().ends_with("shell$"));
        terminal
    }

    fn with(user: &Cli, mut command: CommandBuilder, arguments: &[&str]) -> Self {
        let pair = native_pty_system().openpty(SIZE).expect("a terminal");
        command.env_clear();
        for (name, value) in user.environment() {
            command.env(name, value);
        }
        command.args(arguments);
        let child = pair.slave.spawn_command(command).expect("starting it");
        let reader = pair
            .master
            .try_clone_reader()
            .expect("the terminal's output");
        let writer = pair.master.take_writer().expect("the terminal's input");
        let keyboard = Arc::new(Mutex::new(writer));
        let screen = Arc::new(Screen {
            parser: Mutex::new(vt100::Parser::new_with_callbacks(
                SIZE.rows,
                SIZE.cols,
                SCROLLBACK,
                Answers::default(),
            )),
            changed: Condvar::new(),
        });
        let (shown, answers) = (Arc::clone(&screen), Arc::clone(&keyboard));
        // It ends when the program at the other end has gone.
        thread::spawn(move || show(reader, &shown, &answers));
        Self {
            child,
            keyboard,
            screen,
            _master: pair.master,
        }
    }

    /// The process of `stui`.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process")
    }

    /// Types text or a [`key`].
    pub fn types(&mut self, text: &str) {
        let mut keyboard = lock(&self.keyboard);
        keyboard.write_all(text.as_bytes()).expect("typing");
        keyboard.flush().expect("typing");
    }

    /// Types a line.
    pub fn enters(&mut self, line: &str) {
        self.types(&format!("{line}{}", key::ENTER));
    }

    /// Waits until the text is on the screen.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        self.shows_what(&format!("{text:?}"), |screen| screen.contains(text));
    }

    /// Waits until `is_it` holds for the text on the screen.
    #[track_caller]
    pub fn shows_what(&self, what: &str, is_it: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut parser = lock(&self.screen.parser);
        while !is_it(&parser.screen().contents()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let screen = parser.screen().contents();
            assert!(!left.is_zero(), "{what} is not on the screen:\n{screen}");
            parser = self
                .screen
                .changed
                .wait_timeout(parser, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// What is on the screen now.
    #[must_use]
    pub fn screen(&self) -> String {
        lock(&self.screen.parser).screen().contents()
    }

    /// Waits for the end of `stui`; answers its exit code.
    pub fn end(&mut self) -> u32 {
        let screen = Arc::clone(&self.screen);
        let ended = patience::until_within(PATIENCE, &mut || self.child.try_wait().ok().flatten());
        let shown = || lock(&screen.parser).screen().contents();
        ended
            .unwrap_or_else(|| panic!("stui goes on:\n{}", shown()))
            .exit_code()
    }

    /// Sends `stui` a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.process_id().and_then(|pid| {
            let pid = pid.try_into().ok()?;
            Pid::from_raw(pid)
        });
        kill_process(pid.expect("a process id"), signal).expect("sending a signal");
    }

    /// Kills `stui` without warning, as a broken terminal does.
    pub fn kill(&mut self) {
        self.child.kill().expect("killing stui");
        self.child.wait().expect("the end of stui");
    }
}

/// Puts on the screen what the program writes, and answers its questions.
fn show(mut output: Box<dyn Read + Send>, screen: &Screen, keyboard: &Keyboard) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = output.read(&mut buffer) {
        let mut parser = lock(&screen.parser);
        parser.process(&buffer[..count]);
        let answer = std::mem::take(&mut parser.callbacks_mut().text);
        drop(parser);
        screen.changed.notify_all();
        if !answer.is_empty() {
            // A program that asks and goes away does not want the answer.
            let _ = lock(keyboard).write_all(answer.as_bytes());
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the terminal shows:\n{}\n---", self.screen());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("screen", &self.screen())
            .finish_non_exhaustive()
    }
}
