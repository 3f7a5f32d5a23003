fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (_tx, rx) = std::sync::mpsc::sync_channel(1);
    stui_embedded::run_alone(
        stui_embedded::Config {
            endpoint: a[1].clone(),
            events_endpoint: Some(a[2].clone()),
            state_dir: Some(a[3].clone().into()),
            ..Default::default()
        },
        &rx,
        |i| println!("{}", i.endpoint()),
    )
    .unwrap();
}
