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
    env::set_var("CXXFLAGS", format!("{} -w", flags));
    zeromq_src::Build::new()
        .with_libsodium(Some(zeromq_src::LibLocation::new(libraries, headers)))
        .build();
}
