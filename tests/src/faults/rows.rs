//! The rows: each a cast and what goes wrong in it.

mod clock;
mod descriptors;
mod disk;
mod ends;
mod everything;
mod links;
mod pauses;
mod replies;
mod sessions;

use rustix::process::Signal;

use super::image::ImageProcess;
use super::scene::Run;
use super::tally::Tally;
use crate::networks::Networks;
use crate::proxy::Weather;
use crate::scripted::Wrong;
use clock::ClockJumps;
use descriptors::DescriptorsGone;
use disk::DiskFull;
use ends::{ClientsEnd, DaemonEnds, ImageEnds};
use everything::Everything;
use links::{ClientLink, ImageLink, Packets};
use pauses::{ImageFrozen, ImageSaves};
use replies::{EvaluatorFrozen, Replies};
use sessions::SessionsComeAndGo;

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Row {
    /// How it is asked for.
    pub name: &'static str,
    /// What goes wrong in it.
    pub about: &'static str,
    play: fn(&'static str, &Run) -> Result<Tally, String>,
}

impl Row {
    /// Plays it.
    ///
    /// # Errors
    /// What is missing where it cannot be played.
    pub fn play(&self, run: &Run) -> Result<Tally, String> {
        (self.play)(self.name, run)
    }
}

/// A row whose scene can be set anywhere.
macro_rules! row {
    ($name:literal, $about:literal, $run:ident => $scene:expr) => {
        Row {
            name: $name,
            about: $about,
            play: |name, $run| Ok($run.play(name, $scene)),
        }
    };
}

/// A row whose scene needs what not every machine gives.
macro_rules! row_where_allowed {
    ($name:literal, $about:literal, $run:ident => $scene:expr) => {
        Row {
            name: $name,
            about: $about,
            play: |name, $run| Ok($run.play(name, $scene?)),
        }
    };
}

/// All rows, in the order of the table.
pub const ROWS: &[Row] = &[
    row!("image-killed", "kill -9 of the image, which begins again",
        _run => ImageEnds::new(ImageProcess::embedded(), Signal::KILL)),
    row!("image-stopped", "SIGTERM to the image, which saves itself and begins again",
        _run => ImageEnds::new(ImageProcess::embedded(), Signal::TERM)),
    row!("scripted-killed", "kill -9 of an image that writes down what it does before it says so",
        run => ImageEnds::new(ImageProcess::scripted(&run.program), Signal::KILL)),
    row!("daemon-killed", "kill -9 of the daemon; clients send again what was not answered",
        _run => DaemonEnds::new(Signal::KILL)),
    row!("daemon-stopped", "SIGTERM to the daemon; clients send again what was not answered",
        _run => DaemonEnds::new(Signal::TERM)),
    row!("clients-end", "kill -9, SIGTERM and SIGSTOP of `stui eval` beside the load",
        _run => ClientsEnd::new()),
    row!("reply-lost", "the work is done and no reply comes",
        _run => Replies::new(Wrong::Lost)),
    row!("reply-late", "replies before and after the daemon's patience is over",
        _run => Replies::late()),
    row!("reply-doubled", "each reply comes twice",
        _run => Replies::new(Wrong::Doubled)),
    row!("reply-misaddressed", "the correlation id is that of nobody",
        _run => Replies::new(Wrong::Correlation)),
    row!("reply-misnamed", "the id in the document is that of nobody",
        _run => Replies::new(Wrong::Id)),
    row!("reply-of-another", "the document is the reply to another request",
        _run => Replies::new(Wrong::OfAnother)),
    row!("reply-garbage", "the reply is no JSON",
        _run => Replies::new(Wrong::Garbage)),
    row!("reply-undelimited", "the delimiter of the envelope is missing",
        _run => Replies::new(Wrong::Undelimited)),
    row!("evaluator-frozen", "the listener answers and no code makes progress",
        _run => EvaluatorFrozen::new()),
    row!("image-frozen", "SIGSTOP and SIGCONT of the image",
        _run => ImageFrozen::new()),
    row!("image-saves", "the image saves itself, again and again",
        _run => ImageSaves::new()),
    row!("link-silent", "the links to the image carry nothing and do not break",
        _run => ImageLink::new(Weather::Silent)),
    row!("link-refused", "the links to the image break, and connections are refused",
        _run => ImageLink::new(Weather::Refused)),
    row!("link-connects", "every second connection to the image fails",
        _run => ImageLink::new(Weather::EverySecondConnect)),
    row!("link-writes", "every second message to and from the image breaks in its middle",
        _run => ImageLink::new(Weather::EverySecondWrite)),
    row!("client-connects", "every second connection to the daemon fails",
        _run => ClientLink::new(Weather::EverySecondConnect)),
    row!("client-writes", "every second message to and from the clients breaks in its middle",
        _run => ClientLink::new(Weather::EverySecondWrite)),
    row_where_allowed!(
        "packets-dropped",
        "packets between daemon and image disappear",
        run => Packets::new(run, Networks::drop_packets)
    ),
    row_where_allowed!(
        "packets-refused",
        "packets between daemon and image are refused",
        run => Packets::new(run, Networks::refuse_packets)
    ),
    row_where_allowed!(
        "disk-full",
        "the disk with the state is full",
        _run => DiskFull::new()
    ),
    row_where_allowed!(
        "clock-jumps",
        "the wall clock jumps, up to 400 days each way",
        _run => ClockJumps::new()
    ),
    row!("descriptors-gone", "the daemon has no descriptors left when clients come",
        _run => DescriptorsGone::new()),
    row!("sessions", "sessions are made, used and closed",
        run => SessionsComeAndGo::new(run.sessions)),
    row!("everything", "image, links and daemon end, break and stand still, in any order",
        run => Everything::new(run)),
];
