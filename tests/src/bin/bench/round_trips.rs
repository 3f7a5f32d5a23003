//! From a request to its reply: directly at the image, through a `zmq_proxy`, through `stuid`; all
//! three at the same image.

use std::path::PathBuf;

use serde_json::{Value, json};
use stui_tests::asking::new_id;
use stui_tests::{Daemon, Image};

use crate::load::{self, Client, Turn};
use crate::numbers::{median, shown};
use crate::plan::Plan;
use crate::proxy::Proxy;
use crate::report::Report;
use crate::speaker::Speaker;

/// Something to ask for.
struct Question {
    name: &'static str,
    /// What is evaluated, if it is an evaluation.
    code: Option<&'static str>,
    /// Clients at most: each that evaluates has a session, and a user may have 500.
    most: usize,
}

const QUESTIONS: [Question; 3] = [
    Question {
        name: "ping",
        code: None,
        most: 1000,
    },
    Question {
        name: "`3 + 4`",
        code: Some("3 + 4"),
        most: 100,
    },
    Question {
        name: "a loop of 2,000",
        code: Some("(1 to: 2000) inject: 0 into: [:sum :each | sum + each]"),
        most: 100,
    },
];

/// So many clients go through the proxy at most. It is one peer of the image, which holds a hundred
/// replies for each and drops what is more: no REQ socket ever gets over that.
const MOST_BEHIND_PROXY: usize = 50;

/// How one comes to the image.
enum Way {
    Req(zmq::Context, String),
    Daemon(PathBuf),
}

/// A way with the clients that go it, and what they have measured.
struct Runner {
    name: &'static str,
    clients: Vec<Client>,
    turns: Vec<Turn>,
}

pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let proxy = Proxy::start(image.endpoint());
    let daemon = Daemon::quiet(&["--image", image.endpoint(), "--image-events", &events]);
    report.table(
        "Round trips",
        &[
            "request",
            "clients",
            "way",
            "p50",
            "p99",
            "per second",
            "p50 ÷ direct",
            "p99 ÷ direct",
            "per second ÷ direct",
        ],
    );
    for question in &QUESTIONS {
        for count in plan.clients.iter().filter(|count| **count <= question.most) {
            let ways = [
                ("direct", req(image.endpoint())),
                ("zmq_proxy", req(proxy.endpoint())),
                ("stuid", Way::Daemon(daemon.socket())),
            ];
            let all = ways.into_iter();
            let mut runners: Vec<Runner> = all
                .filter(|(name, _)| *name != "zmq_proxy" || *count <= MOST_BEHIND_PROXY)
                .map(|(name, way)| Runner {
                    name,
                    clients: (0..*count).map(|_| way.client(question)).collect(),
                    turns: Vec::new(),
                })
                .collect();
            race(plan, &mut runners);
            tell(question.name, *count, &runners, report);
        }
    }
}

fn req(endpoint: &str) -> Way {
    Way::Req(zmq::Context::new(), endpoint.to_owned())
}

impl Way {
    fn client(&self, question: &Question) -> Client {
        let mut speaker = match self {
            Self::Req(context, endpoint) => Speaker::req(context, endpoint),
            Self::Daemon(socket) => Speaker::line(socket),
        };
        let Some(code) = question.code else {
            return Client::new(speaker, "ping", json!({}));
        };
        let parameters = evaluation(&mut speaker, code);
        Client::new(speaker, "evaluate", parameters)
    }
}

fn evaluation(speaker: &mut Speaker, code: &str) -> Value {
    let mut parameters = speaker.session(&new_id("bench"));
    parameters["code"] = code.into();
    parameters["wait_ms"] = 5000.into();
    parameters["keep_result"] = false.into();
    parameters
}

/// Everybody in turn, again and again. The first turn warms up.
fn race(plan: &Plan, runners: &mut [Runner]) {
    for turn in 0..=plan.turns {
        for runner in &mut *runners {
            let measured = load::turn(&mut runner.clients, plan.turn);
            if turn > 0 {
                runner.turns.push(measured);
            }
        }
    }
}

fn tell(question: &str, count: usize, runners: &[Runner], report: &mut Report) {
    let direct = &runners[0];
    for runner in runners {
        let of = |number: fn(&Turn) -> f64| median(runner.turns.iter().map(number));
        let ratio = |number: fn(&Turn) -> f64| {
            let pairs = runner.turns.iter().zip(&direct.turns);
            let ratio = median(pairs.map(|(mine, direct)| number(mine) / number(direct)));
            format!("{ratio:.2}")
        };
        let p50 = |turn: &Turn| turn.times.p50().as_secs_f64();
        let p99 = |turn: &Turn| turn.times.p99().as_secs_f64();
        let rate = |turn: &Turn| turn.rate;
        report.row(vec![
            question.to_owned(),
            count.to_string(),
            runner.name.to_owned(),
            shown(std::time::Duration::from_secs_f64(of(p50))),
            shown(std::time::Duration::from_secs_f64(of(p99))),
            format!("{:.0}", of(rate)),
            ratio(p50),
            ratio(p99),
            ratio(rate),
        ]);
    }
}
