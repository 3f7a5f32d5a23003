//! Standard output and standard error as commands see them: writers that tests can replace, and
//! what is known about the terminal behind each.

use std::env;
use std::io::{self, IsTerminal, Write};

use crate::render::Palette;

/// Columns that are assumed when nobody says how many there are.
const USUAL_WIDTH: usize = 80;

/// One of the two streams.
pub(crate) struct Sink {
    writer: Box<dyn Write>,
    /// The colours to use on it.
    pub(crate) palette: Palette,
    /// Columns, when it is a terminal.
    pub(crate) width: Option<usize>,
}

/// Both streams.
pub(crate) struct Terminal {
    /// Results and output.
    pub(crate) out: Sink,
    /// Messages.
    pub(crate) err: Sink,
}

impl Terminal {
    /// The process's own streams. Colours only on terminals, and not with `NO_COLOR`.
    pub(crate) fn of_process() -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let out_width = out.is_terminal().then(|| width(&out));
        let err_width = err.is_terminal().then(|| width(&err));
        Self {
            out: Sink::new(Box::new(out), out_width),
            err: Sink::new(Box::new(err), err_width),
        }
    }
}

impl Sink {
    fn new(writer: Box<dyn Write>, width: Option<usize>) -> Self {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            writer,
            palette: Palette::new(width.is_some() && !plain),
            width,
        }
    }

    /// Columns to fit messages into.
    pub(crate) fn columns(&self) -> usize {
        self.width.unwrap_or(USUAL_WIDTH)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Columns of the terminal behind a stream.
pub(crate) fn width(stream: &impl std::os::fd::AsFd) -> usize {
    rustix::termios::tcgetwinsize(stream)
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(USUAL_WIDTH)
}

/// The device of the terminal that is typed on, for those who look at who is attached.
pub(crate) fn name() -> Option<String> {
    let name = rustix::termios::ttyname(io::stdin(), Vec::new()).ok()?;
    name.into_string().ok()
}
