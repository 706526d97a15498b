//! One image as planes of pixels.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{ImageFormat, ImageReader, RgbImage};

use crate::error::DataError;

/// The red, green and blue plane of the image `path`, scaled and cut to `side` x `side` pixels.
pub(super) fn planes(path: &Path, side: usize) -> Result<Vec<u8>, DataError> {
    let bytes =
        fs::read(path).map_err(|reason| DataError::Read { path: path.to_path_buf(), reason })?;
    let image =
        decode(&bytes).map_err(|problem| DataError::Image { path: path.to_path_buf(), problem })?;
    let image = square(image, side as u32);
    let plane = |channel: usize| image.as_raw().iter().skip(channel).step_by(3).copied();
    Ok((0..3).flat_map(plane).collect())
}

/// The pixels of a JPEG or PNG file, or what is wrong with it.
fn decode(bytes: &[u8]) -> Result<RgbImage, String> {
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|reason| reason.to_string())?;
    match reader.format() {
        Some(ImageFormat::Jpeg) if !has_end(bytes) => return Err("it is cut off".to_owned()),
        Some(ImageFormat::Jpeg | ImageFormat::Png) => {}
        _ => return Err("it is neither JPEG nor PNG".to_owned()),
    }
    Ok(reader.decode().map_err(|reason| reason.to_string())?.into_rgb8())
}

/// Whether a JPEG file goes on to the marker of its end. The decoder fills up with grey what a cut
/// file lacks.
fn has_end(jpeg: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[first, marker]) = jpeg.get(at..at + 2) {
        at += match (first, marker) {
            (0xff, 0xd9) => return true,
            // Pixels, a 0xff among them, filling, and markers within the pixels.
            (..0xff, _) | (_, 0x00 | 0x01 | 0xd0..=0xd8 | 0xff) => 1,
            // A segment, such as a header, a table, or a small picture with an end of its own.
            _ => match jpeg.get(at + 2..at + 4) {
                Some(&[high, low]) => 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        };
    }
    false
}

/// The middle of an image, as long as its shorter side, scaled to `side` x `side` pixels.
///
/// Each new pixel is a mean of the old ones around it, with weights that fall linearly over the
/// distance of two new pixels, or of two old ones where the image grows (bilinear, antialiased).
fn square(image: RgbImage, side: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let shorter = width.min(height);
    let (left, top) = ((width - shorter) / 2, (height - shorter) / 2);
    let middle = imageops::crop_imm(&image, left, top, shorter, shorter);
    imageops::resize(&*middle, side, side, FilterType::Triangle)
}
