//! Text from bytes of any of the usual encodings.

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// Windows-1252, which is Latin-1 with printed characters in place of control codes.
    Windows1252,
}

/// The characters of the bytes 0x80 to 0x9F in Windows-1252; five of them are not used there.
const FROM_0X80: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// Text with the encoding that it was in.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    pub text: String,
    pub charset: Charset,
    /// Whether it began with a byte order mark, which is left out.
    pub marked: bool,
    /// The first line that is not UTF-8, where that decided.
    pub odd_line: Option<usize>,
}

/// `bytes` as text; the number of the first line that is none where they are no text.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Decoded, usize> {
    let (charset, marked) = match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, ..] => (Charset::Utf8, true),
        [0xFF, 0xFE, ..] => (Charset::Utf16Le, true),
        [0xFE, 0xFF, ..] => (Charset::Utf16Be, true),
        _ => (unmarked_utf16(&bytes).unwrap_or(Charset::Utf8), false),
    };
    let decoded = match charset {
        Charset::Utf16Le => {
            utf16(&bytes, marked, u16::from_le_bytes).map(|text| (text, charset, None))
        }
        Charset::Utf16Be => {
            utf16(&bytes, marked, u16::from_be_bytes).map(|text| (text, charset, None))
        }
        _ => utf8_or_windows(bytes, marked),
    };
    let (text, charset, odd_line) = decoded?;
    let control =
        |&(_, byte): &(usize, u8)| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C);
    if let Some((at, _)) = text.bytes().enumerate().find(control) {
        return Err(line_of(&text.as_bytes()[..at]));
    }
    Ok(Decoded { text, charset, marked, odd_line })
}

/// UTF-16 without a byte order mark: nearly every second byte is 0.
fn unmarked_utf16(bytes: &[u8]) -> Option<Charset> {
    let pairs = &bytes[..bytes.len().min(4096) & !1];
    if !bytes.len().is_multiple_of(2) || pairs.is_empty() {
        return None;
    }
    let zeros =
        |offset: usize| pairs.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let most = 3 * pairs.len() / 8;
    if odd > most && even == 0 {
        Some(Charset::Utf16Le)
    } else if even > most && odd == 0 {
        Some(Charset::Utf16Be)
    } else {
        None
    }
}

fn utf16(bytes: &[u8], marked: bool, unit: fn([u8; 2]) -> u16) -> Result<String, usize> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().skip(usize::from(marked)).map(|&pair| unit(pair));
    let mut text = String::new();
    for character in char::decode_utf16(units) {
        text.push(character.map_err(|_| line_of(text.as_bytes()))?);
    }
    if rest.is_empty() { Ok(text) } else { Err(line_of(text.as_bytes())) }
}

fn utf8_or_windows(
    mut bytes: Vec<u8>,
    marked: bool,
) -> Result<(String, Charset, Option<usize>), usize> {
    if marked {
        bytes.drain(..3);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, Charset::Utf8, None)),
        Err(error) => {
            let line = line_of(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
            let special: Vec<char> = FROM_0X80.chars().collect();
            let character = |&byte: &u8| match byte {
                0x80..=0x9F => special[usize::from(byte - 0x80)],
                _ => char::from(byte),
            };
            Ok((error.as_bytes().iter().map(character).collect(), Charset::Windows1252, Some(line)))
        }
    }
}

/// The number of the line that follows these bytes.
fn line_of(before: &[u8]) -> usize {
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "naïve,€\n1,2\n";

    fn units(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn text_is_the_same_in_every_encoding_with_and_without_its_mark() {
        let windows = b"na\xEFve,\x80\n1,2\n".to_vec();
        let marked_text = format!("\u{feff}{TEXT}");
        for (bytes, charset, marked) in [
            (TEXT.as_bytes().to_vec(), Charset::Utf8, false),
            (marked_text.as_bytes().to_vec(), Charset::Utf8, true),
            (units(TEXT, u16::to_le_bytes), Charset::Utf16Le, false),
            (units(&marked_text, u16::to_le_bytes), Charset::Utf16Le, true),
            (units(TEXT, u16::to_be_bytes), Charset::Utf16Be, false),
            (units(&marked_text, u16::to_be_bytes), Charset::Utf16Be, true),
            (windows, Charset::Windows1252, false),
        ] {
            let decoded = decode(bytes).unwrap();
            assert_eq!(
                (decoded.text.as_str(), decoded.charset, decoded.marked),
                (TEXT, charset, marked)
            );
        }
    }

    #[test]
    fn the_first_line_that_is_not_utf_8_is_told() {
        assert_eq!(decode(b"a\nb\n\xE9\n".to_vec()).unwrap().odd_line, Some(3));
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        assert_eq!(decode(b"a,b\n\0,1\n".to_vec()), Err(2));
        assert_eq!(decode(b"\x89PNG\r\n\x1a\n\0\0".to_vec()), Err(2));
        assert_eq!(decode(vec![0xFF, 0xFE, b'a', 0, b'\n', 0, 0, 0xD8]), Err(2));
        assert_eq!(decode(vec![0xFF, 0xFE, b'a']), Err(1));
    }
}
