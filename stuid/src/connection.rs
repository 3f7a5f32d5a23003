//! One client: hello, requests and their replies, farewell.
//!
//! One task for each client does both directions. Requests run beside each other and are answered
//! as they complete, but each begins before the next line is read, so that evaluations queue in
//! the order in which they were sent. What goes out is the `writer`'s business, how a request is
//! answered is in [`crate::commands`].

mod lag;
mod lines;
mod places;
mod responder;
mod writer;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use stui_protocol::codec::client::{Line, encode_event};
use stui_protocol::daemon::HelloData;
use stui_protocol::{ErrorType, Event, EventName, Failure, Version};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc;

pub use responder::{Responder, Switch};
pub use writer::Attachment;

use crate::commands::{self, Client, Services};
use crate::identity::Peer;
use crate::notes::Notes;
use crate::supervisor;
use lines::{Came, LineReader, Stopped};
use places::MOST_REQUESTS;
pub(crate) use places::{Place, Places};
use responder::Outgoing;
use writer::Writer;

/// After a client has said that it sends nothing more, it is looked this often whether it is there.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// The number of the next client, on whatever socket.
pub(crate) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Serves a client until it leaves, stalls, or the daemon stops. Then its connection is kept for the
/// next daemon, when the client understands that and nothing is under way on it.
pub async fn serve(stream: UnixStream, peer: Peer, services: Arc<Services>) {
    let number = next_number();
    tracing::debug!(
        client = number,
        pid = peer.pid,
        uid = peer.uid,
        "a client connects"
    );
    // As it is now: a reload is for those who come after it.
    let stall_timeout = services.config.now().config.clients.stall_timeout;
    let (notes, noted) = Notes::new();
    let (replies, replied) = mpsc::channel(MOST_REQUESTS);
    let client = Arc::new(Client::new(number, peer, notes));
    services.clients.add(&client);
    let (read_half, write_half) = stream.into_split();
    let writer = Writer::new(write_half, replied, noted, &client, &services);
    let reading = Reading {
        lines: LineReader::new(read_half, stall_timeout),
        places: Places::of(MOST_REQUESTS, &services.request_bytes, peer.uid),
        running: FuturesUnordered::new(),
        replies,
        client: Arc::clone(&client),
        services: Arc::clone(&services),
    };
    let mut at_rest = None;
    tokio::select! {
        () = services.stop.cancelled() => {}
        ended = converse(reading, writer, hello(&services)) => match ended {
            Ok(stream) => at_rest = stream,
            Err(error) => tracing::debug!(client = number, %error, "a client is cut off"),
        }
    }
    services.clients.remove(number);
    client.leave();
    client.gone.cancel();
    if let Some(stream) = at_rest.filter(|_| client.may_be_handed_over())
        && supervisor::keep(&stream)
    {
        services.clients.count_kept();
    }
    tracing::debug!(client = number, "a client is disconnected");
}

/// Ends when the client has sent all and got all, or at the first error of writing. Answers the
/// stream when the daemon ends and both directions are between two lines.
async fn converse(
    reading: Reading,
    mut writer: Writer,
    hello: Vec<u8>,
) -> io::Result<Option<UnixStream>> {
    let read_half = {
        let mut reading = std::pin::pin!(reading.run());
        let mut writing = std::pin::pin!(async {
            writer.write(&hello).await?;
            writer.run().await
        });
        let read_half = tokio::select! {
            ended = &mut writing => return ended.map(|()| None),
            // It drops its end of the replies: the writer ends when all are written.
            read_half = &mut reading => read_half,
        };
        writing.await?;
        read_half
    };
    // Together again they are closed without a word to the other end.
    Ok(read_half.and_then(|half| half.reunite(writer.into_stream()).ok()))
}

fn hello(services: &Services) -> Vec<u8> {
    let image = services.image.status();
    encode_event(&Event::new(
        EventName::Hello,
        &HelloData {
            protocol: Version::SPOKEN.to_vec(),
            daemon_version: crate::VERSION.to_owned(),
            instance: image.instance.clone(),
            image,
        },
    ))
}

/// The direction from the client to the daemon.
struct Reading {
    lines: LineReader,
    places: Places,
    running: FuturesUnordered<BoxFuture<'static, ()>>,
    replies: mpsc::Sender<Outgoing>,
    client: Arc<Client>,
    services: Arc<Services>,
}

impl Reading {
    /// Answers the stream when the daemon ends, all requests are done and no part of a further one
    /// was read.
    async fn run(mut self) -> Option<OwnedReadHalf> {
        let closing = self.services.closing.clone();
        let sends_more = tokio::select! {
            () = closing.cancelled() => true,
            () = self.take_requests() => false,
        };
        let lines = self.lines;
        {
            let mut gone = std::pin::pin!(lines.hangup(LOOK_AGAIN));
            while !self.running.is_empty() {
                tokio::select! {
                    _ = self.running.next() => {}
                    () = &mut gone => return None,
                }
            }
        }
        lines.into_stream().filter(|_| sends_more)
    }

    /// Takes requests until the client sends no more.
    async fn take_requests(&mut self) {
        loop {
            let mut place = loop {
                tokio::select! {
                    Some(()) = self.running.next() => {}
                    place = self.places.take() => match place {
                        Some(place) => break place,
                        None => return,
                    }
                }
            };
            let line = loop {
                tokio::select! {
                    // First, so that each request begins before the next line is read.
                    biased;
                    Some(()) = self.running.next() => {}
                    line = self.lines.next(&mut place) => break line,
                }
            };
            match line {
                Ok(Came::Line(line)) => self.begin(&line, place),
                Ok(Came::Refused(failure)) => {
                    let responder = self.responder(None, "invalid", place);
                    responder.answer(Err(failure));
                }
                Err(Stopped::Ended) => return,
                Err(Stopped::Stalled(why)) => {
                    let responder = self.responder(None, "invalid", place);
                    let failure = Failure::new(ErrorType::InvalidRequest, why);
                    return responder.answer(Err(failure));
                }
            }
        }
    }

    fn begin(&self, line: &Line, mut place: Place) {
        let room = place.claims(line.bytes());
        match line.request() {
            Ok(request) => {
                let command = commands::label(&request.command);
                let responder = self.responder(Some(request.id.clone()), command, place);
                if let Err(failure) = room {
                    return responder.answer(Err(failure));
                }
                let services = Arc::clone(&self.services);
                let client = Arc::clone(&self.client);
                self.running
                    .push(commands::dispatch(services, client, request, responder));
            }
            Err(rejected) => {
                let responder = self.responder(rejected.id, "invalid", place);
                responder.answer(Err(rejected.failure));
            }
        }
    }

    fn responder(&self, id: Option<String>, command: &'static str, place: Place) -> Responder {
        Responder::new(id, command, self.replies.clone(), place, &self.services)
    }
}
