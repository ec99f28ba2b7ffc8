//! The least a program can do to ask a model: post a file over a plain socket and read the answer.
//!
//! `bare_client http://HOST:PORT/v1 REQUEST.json`. What purlin's start is measured beside.

use std::io::{self, Read, Write};
use std::net::TcpStream;

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(file)) = (args.next(), args.next()) else {
        return Err(io::Error::other("usage: bare_client URL FILE"));
    };
    let host = url.trim_start_matches("http://").trim_end_matches("/v1");
    let body = std::fs::read(file)?;
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    let mut request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes();
    request.extend(body);
    stream.write_all(&request)?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}
