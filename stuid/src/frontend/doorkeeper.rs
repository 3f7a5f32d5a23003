//! Who comes in: ZeroMQ asks about everybody who connects, and tells who has gone.

use std::collections::HashSet;

use futures::StreamExt;
use stui_keys::PublicKey;
use stui_keys::zap::{self, Credentials, Question};
use tmq::pair::Pair;
use tmq::router::Router;
use tmq::{AsZmqSocket, FromZmqSocket, Multipart};
use zmq::DONTWAIT;

use super::socket::Front;
use crate::metrics::Frontend as Metrics;

const ACCEPTED: u16 = 0x0020;
const DISCONNECTED: u16 = 0x0200;

/// Answers ZeroMQ's questions. Handshakes wait for it, so it must be served all the time.
pub(super) struct Doorkeeper {
    questions: Router,
    comings: Pair,
    /// Keys that may come in; none when the socket has no CURVE.
    keys: Option<HashSet<PublicKey>>,
    connections: usize,
    most: usize,
}

impl Doorkeeper {
    /// Takes its place, before the socket is bound.
    pub(super) fn open(
        context: &zmq::Context,
        front: &Front,
        keys: Option<HashSet<PublicKey>>,
        most: usize,
    ) -> Result<Self, tmq::TmqError> {
        const MONITOR: &str = "inproc://comings";
        let questions = context.socket(zmq::ROUTER)?;
        questions.set_linger(0)?;
        questions.bind(zap::ENDPOINT)?;
        front
            .socket()
            .monitor(MONITOR, i32::from(ACCEPTED | DISCONNECTED))?;
        Ok(Self {
            questions: Router::from_zmq_socket(questions)?,
            comings: tmq::pair(context).connect(MONITOR)?,
            keys,
            connections: 0,
            most,
        })
    }

    /// Serves the next question or news. Can be cancelled.
    pub(super) async fn serve(&mut self, metrics: &Metrics) {
        tokio::select! {
            // News first, so that whoever has gone leaves a place for whoever asks.
            biased;
            news = self.comings.next() => match news {
                Some(Ok(news)) => self.note(&news, metrics),
                Some(Err(_)) | None => std::future::pending().await,
            },
            question = self.questions.next() => match question {
                Some(Ok(question)) => self.answer(&question, metrics),
                Some(Err(_)) | None => std::future::pending().await,
            },
        }
    }

    /// The first frame of a monitor event begins with its number, in the machine's byte order.
    fn note(&mut self, news: &Multipart, metrics: &Metrics) {
        let number = news
            .iter()
            .next()
            .and_then(|frame| frame.get(..2)?.try_into().ok());
        match number.map(u16::from_ne_bytes) {
            Some(ACCEPTED) => self.connections += 1,
            Some(DISCONNECTED) => self.connections = self.connections.saturating_sub(1),
            _ => {}
        }
        metrics
            .connections
            .set(i64::try_from(self.connections).unwrap_or(i64::MAX));
    }

    fn answer(&self, question: &Multipart, metrics: &Metrics) {
        let frames: Vec<&[u8]> = question.iter().map(|frame| &frame[..]).collect();
        // Who asks, and an empty frame, stand before the question.
        let Some((back, asked)) = frames.split_at_checked(2) else {
            return;
        };
        let Some(asked) = Question::read(asked) else {
            return;
        };
        let answer = self.judge(asked, metrics);
        let reply = back.iter().copied().chain(answer.iter().map(Vec::as_slice));
        if let Err(error) = self.questions.get_socket().send_multipart(reply, DONTWAIT) {
            tracing::warn!(%error, "answering who may come in");
        }
    }

    fn judge(&self, asked: Question, metrics: &Metrics) -> [Vec<u8>; 6] {
        let known = match (&self.keys, asked.credentials) {
            (None, Credentials::None) => true,
            (Some(keys), Credentials::Curve(key)) => keys.contains(&key),
            _ => false,
        };
        if !known {
            metrics.refused.with_label_values(&["key"]).inc();
            tracing::warn!(credentials = ?asked.credentials, "the front end refuses a client: its key is not in frontend.owners");
            return asked.refuse("this key is not known here");
        }
        if self.connections > self.most {
            metrics.refused.with_label_values(&["full"]).inc();
            tracing::warn!(
                max_clients = self.most,
                "the front end has all clients that it may"
            );
            return asked.later("all places are taken");
        }
        asked.welcome()
    }
}
