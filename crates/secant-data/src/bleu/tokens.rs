//! The words of a sentence, told apart as by the program `mteval-v13a`.

/// `sentence` with blanks around its marks; [`split`] gives the words.
///
/// Four entities of XML are read, and line ends become blanks. Every mark of ASCII but the
/// apostrophe, comma, hyphen and full stop is a word. Full stops and commas are words unless they
/// stand between digits, and hyphens are after a digit. Each rule is applied to the whole of what
/// the one before made, to two characters at a time that do not overlap.
pub(super) fn tokenized(sentence: &str) -> String {
    let mut text = sentence.trim_end_matches(is_blank).replace("<skipped>", "");
    for (from, to) in
        [("-\n", ""), ("\n", " "), ("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")]
    {
        text = text.replace(from, to);
    }
    let mut marked = String::from(" ");
    for character in text.chars() {
        if character.is_ascii_punctuation() && !matches!(character, '\'' | ',' | '-' | '.') {
            marked.extend([' ', character, ' ']);
        } else {
            marked.push(character);
        }
    }
    marked.push(' ');
    let stop = |character| matches!(character, '.' | ',');
    let digit = |character: char| character.is_ascii_digit();
    let marked = spaced(&marked, |a, b| (!digit(a) && stop(b)).then_some([a, ' ', b, ' ']));
    let marked = spaced(&marked, |a, b| (stop(a) && !digit(b)).then_some([' ', a, ' ', b]));
    spaced(&marked, |a, b| (digit(a) && b == '-').then_some([a, ' ', b, ' ']))
}

/// The words of a sentence that [`tokenized`] made.
pub(super) fn split(tokenized: &str) -> impl Iterator<Item = &str> {
    tokenized.split(is_blank).filter(|word| !word.is_empty())
}

/// Whether Python calls this a blank, which are four more than Unicode does.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// `text` with every two characters replaced that `rule` has a replacement for.
fn spaced(text: &str, rule: impl Fn(char, char) -> Option<[char; 4]>) -> String {
    let mut spaced = String::with_capacity(2 * text.len());
    let mut rest = text.chars();
    while let Some(first) = rest.next() {
        let second = rest.clone().next();
        match second.and_then(|second| rule(first, second)) {
            Some(replacement) => {
                spaced.extend(replacement);
                rest.next();
            }
            None => spaced.push(first),
        }
    }
    spaced
}
