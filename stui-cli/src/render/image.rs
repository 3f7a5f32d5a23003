//! The image in a few words. The embedded one is always called so: it is no Pharo.

use stui_protocol::daemon::{ImageState, ImageStatus};

/// Such as `embedded image 0.1.0 (no Pharo)`, `Pharo 12.0 (dev.image)`, `no image: …`.
pub(crate) fn summary(image: &ImageStatus) -> String {
    let which = match &image.description {
        Some(known) if known.kind == "embedded" => {
            format!("embedded image {} (no Pharo)", known.version)
        }
        Some(known) if known.kind == "pharo" => format!("Pharo {} ({})", known.version, known.name),
        Some(known) => format!("{} {} ({})", known.kind, known.version, known.name),
        None => format!("image at {}", image.endpoint),
    };
    match image.state {
        ImageState::Ready | ImageState::Busy => which,
        other => format!("{which}, {}", state_of(other, image)),
    }
}

/// The state and its reason, such as `down: connection refused`.
pub(crate) fn state(image: &ImageStatus) -> String {
    state_of(image.state, image)
}

fn state_of(state: ImageState, image: &ImageStatus) -> String {
    let name = match state {
        ImageState::Connecting => "connecting",
        ImageState::Ready => "ready",
        ImageState::Busy => "busy",
        ImageState::Unresponsive => "unresponsive",
        ImageState::Down => "down",
        ImageState::Saving => "saving itself",
    };
    match &image.reason {
        Some(reason) => format!("{name}: {reason}"),
        None => name.to_owned(),
    }
}
