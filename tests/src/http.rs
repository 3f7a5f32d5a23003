//! Asking a server for a page.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::patience;

/// What came back.
#[derive(Debug)]
pub struct Page {
    /// Such as 200.
    pub code: u16,
    /// The lines about it.
    pub head: String,
    /// What was asked for.
    pub body: String,
}

/// Asks for a page; none when nobody answers at that address.
#[must_use]
pub fn get(address: &str, path: &str) -> Option<Page> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(patience::PATIENCE)).ok()?;
    // In this version nobody sends a page in pieces.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Page {
        code: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_lowercase(),
        body: body.to_owned(),
    })
}
