//! The order of texts that people expect in a list.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// Compares without regard to case and accents, numbers by what they are worth; texts that are the same in all of that
/// by their code points, so that the order is total.
pub(super) fn natural(left: &str, right: &str) -> Ordering {
    let (mut lefts, mut rights) = (left.chars().peekable(), right.chars().peekable());
    loop {
        let order = match (lefts.peek().copied(), rights.peek().copied()) {
            (None, None) => return left.cmp(right),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                let (a, b) = (number(&mut lefts), number(&mut rights));
                a.len().cmp(&b.len()).then(a.cmp(&b))
            }
            (Some(a), Some(b)) => {
                lefts.next();
                rights.next();
                folded(a).cmp(folded(b))
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The digits of a number without its leading zeros, so that the longer one is the larger.
fn number(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut digits = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        if !(digit == '0' && digits.is_empty()) {
            digits.push(digit);
        }
    }
    digits
}

/// A letter in lower case, without its accent where it is one of the languages written with Latin letters.
fn folded(letter: char) -> impl Iterator<Item = char> {
    letter.to_lowercase().map(|letter| match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'æ' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' | 'ð' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ł' | 'ľ' | 'ĺ' | 'ļ' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'œ' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ß' | 'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ț' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_inside_texts_count_by_their_worth_and_case_and_accents_do_not() {
        let sorted = ["", "1", "01b", "2", "10", "a", "A1", "a 2", "a2", "Á3", "a10", "b", "Über", "v", "z"];
        let mut shuffled: Vec<&str> = sorted.iter().rev().copied().collect();
        shuffled.sort_by(|a, b| natural(a, b));
        assert_eq!(shuffled, ["", "1", "01b", "2", "10", "a", "a 2", "A1", "a2", "Á3", "a10", "b", "Über", "v", "z"]);
        assert_eq!(natural("007", "7"), Ordering::Less, "the same but for the zeros: some order, and always the same");
        assert_eq!(natural("99999999999999999999999998", "99999999999999999999999999"), Ordering::Less);
    }
}
