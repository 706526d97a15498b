//! Cutting a line into fields.

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Separator {
    /// This character.
    Character(char),
    /// Any number of blanks and tabs.
    Blanks,
}

/// The fields of `line` without the blanks around them. Between characters, a field may stand in
/// single or double quotes, which are taken off.
pub(crate) fn cut(line: &str, separator: Separator) -> Result<Vec<&str>, String> {
    let Separator::Character(separator) = separator else {
        return Ok(line.split_ascii_whitespace().collect());
    };
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = first(rest, separator)?;
        fields.push(field);
        match after.strip_prefix(separator) {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

/// The first field of `text` and what follows it, which is nothing or starts with `separator`.
fn first(text: &str, separator: char) -> Result<(&str, &str), String> {
    if let Some((field, after)) = quoted(text.trim_start())? {
        let after = after.trim_start();
        return if after.is_empty() || after.starts_with(separator) {
            Ok((field, after))
        } else {
            Err(format!("'{after}' follows a closing quote"))
        };
    }
    let (field, after) = text.split_at(text.find(separator).unwrap_or(text.len()));
    Ok((field.trim(), after))
}

/// What stands in quotes at the start of `text`, as it is written, and what follows the quotes;
/// nothing where `text` does not start with a quote. A backslash keeps a quote from closing.
pub(crate) fn quoted(text: &str) -> Result<Option<(&str, &str)>, String> {
    let Some(quote) = text.chars().next().filter(|first| matches!(first, '\'' | '"')) else {
        return Ok(None);
    };
    let inside = &text[1..];
    let mut escaped = false;
    for (at, character) in inside.char_indices() {
        if character == quote && !escaped {
            return Ok(Some((&inside[..at], &inside[at + 1..])));
        }
        escaped = character == '\\' && !escaped;
    }
    Err(format!("the quote {quote} is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Separator = Separator::Character(',');

    #[test]
    fn blanks_around_fields_are_dropped_and_empty_fields_kept() {
        assert_eq!(cut(" 1,\t2 ,,four words\t", COMMA).unwrap(), ["1", "2", "", "four words"]);
        assert_eq!(cut("1;2,5;", Separator::Character(';')).unwrap(), ["1", "2,5", ""]);
        assert_eq!(cut("  1 \t2\r 3 ", Separator::Blanks).unwrap(), ["1", "2", "3"]);
    }

    #[test]
    fn quotes_of_both_kinds_are_taken_off_and_hide_separators() {
        let fields = cut(r#"'a, b' , "it's","x", '\', ',it's"#, COMMA).unwrap();
        assert_eq!(fields, ["a, b", "it's", "x", r"\', ", "it's"]);
    }

    #[test]
    fn quotes_that_do_not_close_or_close_too_early_are_told() {
        assert_eq!(cut("1,'a,2", COMMA).unwrap_err(), "the quote ' is not closed");
        assert_eq!(cut("'a' b,2", COMMA).unwrap_err(), "'b,2' follows a closing quote");
    }
}
