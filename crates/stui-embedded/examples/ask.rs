fn main() {
    let a: Vec<String> = std::env::args().collect();
    let s = zmq::Context::new().socket(zmq::REQ).unwrap();
    s.set_rcvtimeo(20000).unwrap();
    s.connect(&a[1]).unwrap();
    let id = uuid::Uuid::new_v4().to_string();
    for pair in a[2..].chunks(2) {
        let p: serde_json::Value = serde_json::from_str(&pair[1]).unwrap();
        let r = serde_json::json!({"id": format!("{id}-{}", pair[0]), "command": pair[0], "parameters": p, "version": "1.1"});
        s.send(r.to_string().as_str(), 0).unwrap();
        let v: serde_json::Value = serde_json::from_slice(&s.recv_bytes(0).unwrap()).unwrap();
        println!("{}", serde_json::to_string_pretty(&v).unwrap());
    }
}
