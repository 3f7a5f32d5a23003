//! The class library is compiled into the binary: a change in it calls for a new one.

fn main() {
    println!("cargo::rerun-if-changed=image");
}
