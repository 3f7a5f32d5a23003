//! Builds libzmq from source with CURVE, on the libsodium that its crate has built.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build/main.rs");
    let sodium = |what: &str| {
        let place = env::var_os(format!("DEP_SODIUM_{what}"));
        PathBuf::from(place.expect("libsodium-sys-stable tells where it has built libsodium"))
    };
    let (libraries, headers) = (sodium("LIB"), sodium("INCLUDE"));
    println!("cargo:rustc-link-search=native={}", libraries.display());
    // Warnings of libzmq's own source would be told as ours.
    let flags = env::var("CXXFLAGS").unwrap_or_default();
    // What its own build finds out about Linux, and the crate does not ask. Its threads wake each other
    // by an eventfd: without it they send a byte through a pair of sockets. And no descriptor of
    // its is passed on to other programs: its epolls were.
    let linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    let found = match linux {
        true => {
            "-DZMQ_HAVE_EVENTFD -DZMQ_HAVE_EVENTFD_CLOEXEC -DZMQ_HAVE_SOCK_CLOEXEC -DHAVE_ACCEPT4 \
             -DZMQ_IOTHREAD_POLLER_USE_EPOLL_CLOEXEC"
        }
        false => "",
    };
    env::set_var("CXXFLAGS", format!("{} -w {}", flags, found));
    zeromq_src::Build::new()
        .with_libsodium(Some(zeromq_src::LibLocation::new(libraries, headers)))
        .build();
}
