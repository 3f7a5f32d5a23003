//! `save_image`.

use std::time::Instant;

use serde_json::json;
use stui_protocol::image::{SaveImage, SaveImageResult};
use stui_protocol::{ErrorType, EventName, Failure};
use tracing::{error, info};

use super::contexts::store;
use super::{Done, answer};
use crate::server::image::Image;
use crate::server::snapshot;
use crate::server::store::snapshot_file;

/// `save_image`: answered when the snapshot is on the disk.
pub(super) fn run(image: &mut Image) -> Done {
    let result = save(image)?;
    answer::<SaveImage>(&result)
}

/// Writes the snapshot.
///
/// # Errors
/// `UnsupportedOperation` without a state directory or when the disk refuses.
pub(in crate::server) fn save(image: &mut Image) -> Result<SaveImageResult, Failure> {
    let path = store(image)?.snapshot_path();
    let begun = Instant::now();
    image
        .publisher
        .tell(EventName::ImageSaving, None, None, &json!({"path": path}));
    let snapshot = snapshot::take(image);
    let written = snapshot_file::write(&path, &snapshot);
    let duration_ms = (begun.elapsed().as_secs_f64() * 1_000_000.0).round() / 1000.0;
    let result = SaveImageResult {
        saved: written.is_ok(),
        path: path.display().to_string(),
        duration_ms,
    };
    image
        .publisher
        .tell(EventName::ImageSaved, None, None, &result);
    if let Err(reason) = written {
        error!(%reason, path = result.path, "saving the image");
        return Err(Failure::new(
            ErrorType::UnsupportedOperation,
            format!("the image could not be written: {reason}"),
        ));
    }
    info!(
        path = result.path,
        duration_ms, "the embedded image is saved"
    );
    Ok(result)
}
