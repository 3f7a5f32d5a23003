use std::time::Instant;
use stui_embedded::{Config, EmbeddedImage};
#[test]
fn bench() {
    let image = EmbeddedImage::start(Config::default()).unwrap();
    let s = zmq::Context::new().socket(zmq::REQ).unwrap();
    s.connect(image.endpoint()).unwrap();
    let loops: usize = std::env::var("LOOPS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    for i in 0..loops {
        s.send(format!("{{\"id\":\"e{i}\",\"command\":\"evaluate\",\"parameters\":{{\"code\":\"[true] whileTrue\"}},\"version\":\"1.1\"}}").as_str(), 0).unwrap();
        println!("{}", s.recv_string(0).unwrap().unwrap());
    }
    let mut times = Vec::new();
    for i in 0..3000 {
        let t = Instant::now();
        s.send(
            format!("{{\"id\":\"{i}\",\"command\":\"ping\"}}").as_str(),
            0,
        )
        .unwrap();
        let r = s.recv_bytes(0).unwrap();
        if i == 2999 {
            println!("{}", String::from_utf8_lossy(&r));
        }
        times.push(t.elapsed());
    }
    times.sort();
    println!(
        "p50 {:?} p99 {:?} max {:?}",
        times[1500], times[2970], times[2999]
    );
}
