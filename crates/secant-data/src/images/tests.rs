//! Tests of folders of images.

use super::*;
use crate::testing::{folder, record};
use image::{Rgb, RgbImage};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const SHARES: Fractions = Fractions { validation: 0.25, test: 0.25 };

/// Writes an image of one colour, in the format that its name says.
fn plain(folder: &TempDir, name: &str, colour: [u8; 3]) -> PathBuf {
    save(folder, name, &RgbImage::from_pixel(10, 6, Rgb(colour)))
}

fn save(folder: &TempDir, name: &str, image: &RgbImage) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(&path).unwrap();
    path
}

/// Two classes of four images each; the reds tell them apart.
fn sound() -> TempDir {
    let folder = folder();
    for index in 0..4 {
        plain(&folder, &format!("dog/{index}.png"), [100 + index, 0, 255]);
        plain(&folder, &format!("cat/{index}.png"), [index, 51, 255]);
    }
    folder
}

fn message(folder: &TempDir) -> String {
    load(folder.path(), 4, SHARES, 0).unwrap_err().to_string()
}

/// The reds of all images of a part.
fn reds(part: &Dataset) -> Vec<f32> {
    (0..part.len()).map(|index| (record(part, index)[0] * 255.0).round()).collect()
}

#[test]
fn images_are_planes_from_0_to_1_with_the_classes_of_their_folders() {
    let splits = load(sound().path(), 4, Fractions { validation: 0.0, test: 0.0 }, 0).unwrap();
    let train = splits.train;
    assert_eq!(train.record_shape, [3, 4, 4]);
    assert_eq!(train.targets.class_names(), ["cat", "dog"]);
    assert_eq!(train.targets.labels(), [0, 0, 0, 0, 1, 1, 1, 1]);
    assert_eq!(reds(&train), [0.0, 1.0, 2.0, 3.0, 100.0, 101.0, 102.0, 103.0]);
    assert_eq!(record(&train, 0), [[0.0; 16], [0.2; 16], [1.0; 16]].concat());
    assert!(splits.validation.is_empty() && splits.test.is_empty());
}

#[test]
fn without_parts_all_three_are_cut_and_always_alike() {
    let folder = sound();
    let splits = load(folder.path(), 4, SHARES, 3).unwrap();
    assert_eq!(splits.parts().map(|(_, part)| part.class_counts()), [[2, 2], [1, 1], [1, 1]]);
    assert_eq!(load(folder.path(), 4, SHARES, 3).unwrap(), splits);
}

#[test]
fn parts_that_are_there_are_taken_and_the_others_cut_from_training() {
    let folder = folder();
    for index in 0..4 {
        plain(&folder, &format!("train/a/{index}.png"), [index; 3]);
        plain(&folder, &format!("train/b/{index}.png"), [10 + index; 3]);
    }
    plain(&folder, "val/b/0.png", [20; 3]);
    let splits = load(folder.path(), 2, SHARES, 0).unwrap();
    assert_eq!(splits.validation.targets.labels(), [1]);
    assert_eq!(reds(&splits.validation), [20.0]);
    assert_eq!((splits.train.len(), splits.test.class_counts()), (6, vec![1, 1]));
    plain(&folder, "test/a/0.png", [30; 3]);
    let splits = load(folder.path(), 2, SHARES, 0).unwrap();
    assert_eq!((splits.train.len(), reds(&splits.test)), (8, vec![30.0]));
}

#[test]
fn a_class_may_be_called_train() {
    let folder = sound();
    for index in 0..4 {
        plain(&folder, &format!("train/{index}.png"), [200; 3]);
    }
    let splits = load(folder.path(), 4, SHARES, 0).unwrap();
    assert_eq!(splits.train.targets.class_names(), ["cat", "dog", "train"]);
}

#[test]
fn the_middle_of_an_image_is_taken_and_one_of_the_right_size_is_not_changed() {
    let folder = sound();
    let at = |x: u32, y: u32| Rgb([(40 * x + y) as u8, (9 * x * y) as u8, 7]);
    let right = RgbImage::from_fn(4, 4, at);
    save(&folder, "cat/0.png", &right);
    // The same in the middle of a wide and of a tall image, with white beside it.
    let white = Rgb([255; 3]);
    let inside = |at: u32, from: u32| (from..from + 4).contains(&at).then(|| at - from);
    let wide = RgbImage::from_fn(9, 4, |x, y| inside(x, 2).map_or(white, |x| at(x, y)));
    save(&folder, "cat/1.png", &wide);
    let tall = RgbImage::from_fn(4, 10, |x, y| inside(y, 3).map_or(white, |y| at(x, y)));
    save(&folder, "cat/2.png", &tall);
    let splits = load(folder.path(), 4, Fractions { validation: 0.0, test: 0.0 }, 0).unwrap();
    let expected: Vec<f32> =
        (0..48).map(|i| f32::from(at(i % 4, i / 4 % 4).0[i as usize / 16]) / 255.0).collect();
    for image in 0..3 {
        assert_eq!(record(&splits.train, image), expected, "{image}");
    }
}

#[test]
fn what_rises_evenly_rises_evenly_when_it_is_scaled() {
    let folder = sound();
    let rising = RgbImage::from_fn(64, 64, |x, y| Rgb([4 * x as u8, 4 * y as u8, 0]));
    save(&folder, "cat/0.png", &rising);
    for side in [16, 24] {
        let splits =
            load(folder.path(), side, Fractions { validation: 0.0, test: 0.0 }, 0).unwrap();
        let image = record(&splits.train, 0);
        // Pixels at the border know no neighbours outside.
        for at in 1..side - 1 {
            // The middle of the new pixel in old pixels, of which the first has its middle at 0.5.
            let expected = 4.0 * ((at as f32 + 0.5) * 64.0 / side as f32 - 0.5) / 255.0;
            let (red, green) = (image[side + at], image[side * side + at * side + 1]);
            // Pixels are whole numbers, rounded once for the height and once for the width.
            assert!((red - expected).abs() <= 1.0 / 255.0, "{side} {at}: {red}, {expected}");
            assert!((green - expected).abs() <= 1.0 / 255.0, "{side} {at}: {green}, {expected}");
        }
    }
}

#[test]
fn what_a_file_is_says_its_content_and_grey_and_transparent_images_have_colours_too() {
    let folder = sound();
    let jpeg = plain(&folder, "cat/0.jpg", [120, 60, 30]);
    fs::rename(&jpeg, folder.path().join("cat/0.png")).unwrap();
    let grey = image::GrayImage::from_pixel(5, 5, image::Luma([51]));
    grey.save(folder.path().join("cat/1.png")).unwrap();
    let clear = image::RgbaImage::from_pixel(5, 5, image::Rgba([51, 51, 51, 0]));
    clear.save(folder.path().join("cat/2.png")).unwrap();
    let splits = load(folder.path(), 4, Fractions { validation: 0.0, test: 0.0 }, 0).unwrap();
    let colour = record(&splits.train, 0);
    for (channel, expected) in [120.0, 60.0, 30.0].into_iter().enumerate() {
        // JPEG keeps one colour up to its rounding to brightness and two differences.
        assert!((colour[16 * channel] * 255.0 - expected).abs() <= 2.0, "{colour:?}");
    }
    assert_eq!(record(&splits.train, 1), [0.2; 48]);
    assert_eq!(record(&splits.train, 2), [0.2; 48]);
}

#[test]
fn a_cut_image_is_named() {
    for name in ["dog/whole.png", "dog/whole.jpg"] {
        let folder = sound();
        let noise = RgbImage::from_fn(40, 30, |x, y| Rgb([(x * y * 37) as u8, x as u8, y as u8]));
        let path = save(&folder, name, &noise);
        let whole = fs::read(&path).unwrap();
        load(folder.path(), 4, SHARES, 0).unwrap();
        for length in (10..whole.len() - 20).step_by(7) {
            fs::write(&path, &whole[..length]).unwrap();
            let told = message(&folder);
            let start = format!("{} cannot be used as an image: ", path.display());
            assert!(told.starts_with(&start), "{length}: {told}");
        }
    }
}

#[test]
fn a_jpeg_without_its_end_is_cut_off_even_where_a_small_picture_in_it_has_one() {
    let folder = sound();
    let path = plain(&folder, "dog/with-preview.jpg", [9, 9, 9]);
    let whole = fs::read(&path).unwrap();
    let preview = [&[0xff, 0xe1, 0, 6, 1, 2, 0xff, 0xd9][..]].concat();
    let bytes = [&whole[..2], &preview, &whole[2..]].concat();
    fs::write(&path, &bytes).unwrap();
    load(folder.path(), 4, SHARES, 0).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 2]).unwrap();
    assert!(
        message(&folder).contains("with-preview.jpg cannot be used as an image: it is cut off")
    );
    // Some cameras write on after the end.
    fs::write(&path, [bytes, vec![0; 40]].concat()).unwrap();
    load(folder.path(), 4, SHARES, 0).unwrap();
}

#[test]
fn a_file_that_is_no_image_is_named_and_hidden_files_are_not_read() {
    let folder = sound();
    fs::write(folder.path().join("cat/.hidden"), "no image").unwrap();
    fs::write(folder.path().join("readme.txt"), "beside the folders").unwrap();
    load(folder.path(), 4, SHARES, 0).unwrap();
    for contents in ["some notes", "", "GIF89a is another format"] {
        fs::write(folder.path().join("cat/notes.png"), contents).unwrap();
        let told = message(&folder);
        assert!(
            told.contains("notes.png cannot be used") && told.contains("neither JPEG nor"),
            "{told}"
        );
    }
}

#[test]
#[cfg(unix)]
fn an_image_that_is_not_there_is_named() {
    let folder = sound();
    let link = folder.path().join("dog/gone.jpg");
    std::os::unix::fs::symlink(folder.path().join("nowhere.jpg"), &link).unwrap();
    let told = message(&folder);
    assert!(told.starts_with(&format!("cannot read {}", link.display())), "{told}");
    let missing = load(&folder.path().join("nowhere"), 4, SHARES, 0).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read ") && missing.contains("nowhere"), "{missing}");
}

#[test]
fn folders_without_classes_or_images_are_named() {
    let empty = folder();
    assert!(message(&empty).contains("has no folders of images"));
    plain(&empty, "cat/0.png", [0; 3]);
    assert!(message(&empty).contains("belong to the class 'cat'"));
    fs::create_dir(empty.path().join("dog")).unwrap();
    let told = message(&empty);
    assert!(told.contains("dog holds no images"), "{told}");
}

#[test]
fn a_class_that_training_lacks_and_a_part_without_classes_are_named() {
    let folder = folder();
    plain(&folder, "train/a/0.png", [0; 3]);
    plain(&folder, "train/b/0.png", [0; 3]);
    plain(&folder, "val/c/0.png", [0; 3]);
    let told = message(&folder);
    assert!(
        told.contains("val/c is of the class 'c', of which there is no training image"),
        "{told}"
    );
    fs::remove_dir_all(folder.path().join("val/c")).unwrap();
    assert!(message(&folder).contains("val has no folders of images"));
}

#[test]
fn images_without_pixels_or_beyond_the_memory_are_refused() {
    let folder = sound();
    assert!(load(folder.path(), 0, SHARES, 0).unwrap_err().to_string().contains("at least 1"));
    let told = load(folder.path(), 10_000, SHARES, 0).unwrap_err().to_string();
    assert!(told.contains("more than the 4 GiB allowed"), "{told}");
}
