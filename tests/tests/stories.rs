//! The stories: what users, scripts and operators live through, told with the real programs.
//!
//! One test binary, so that the programs are built once and the stories share one image. They
//! run beside each other; each has its own sessions, classes, directories and sockets.

#![allow(clippy::unwrap_used, clippy::expect_used)] // test code, also outside of test functions

mod stories {
    // The image link.
    mod conformance;
    mod pharo_scripts;
    mod python;
    mod wire;

    // The daemon and its client link.
    mod client_link;
    mod conversations;
    mod daemon_life;
    mod earlier_clients;
    mod flooding;
    mod garbage;
    mod http_port;
    mod image_life;
    mod operator;
    mod outliving;
    mod slow_clients;

    // What may go wrong.
    mod faults;

    // What operators live through.
    mod doctor;
    mod handover;
    mod logs;
    mod monitoring;
    mod package;
    mod service;

    // What users see.
    mod command_line;
    mod detached_work;
    mod guessing;
    mod reconnecting;
    mod recreating;
    mod resting;
    mod sharing;
    mod terminal;
}
