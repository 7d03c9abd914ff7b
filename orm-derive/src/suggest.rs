//! "did you mean …": the nearest known word to a mistyped one.

/// The candidate within a third of the word's length, or one or two slips; the nearest one wins, ties go to the
/// first.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `, did you mean `x`?` or nothing.
pub(crate) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    match closest(word, candidates) {
        Some(found) => format!(", did you mean `{found}`?"),
        None => String::new(),
    }
}

/// `` `a`, `b`, `c` ``, for "expected one of …".
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words
        .into_iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Edit distance where a swap of neighbours counts as one slip. Letter case and `_` are free, since `createdAt`
/// for `created_at` is a habit and not a typo.
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (fold(left), fold(right));
    let mut before = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, &a) in left.iter().enumerate() {
        let mut row = vec![i + 1; right.len() + 1];
        for (j, &b) in right.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && a == right[j - 1] && left[i - 1] == b {
                cost = cost.min(before[j - 1] + 1);
            }
            row[j + 1] = cost;
        }
        before = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

fn fold(word: &str) -> Vec<char> {
    word.chars()
        .filter(|c| *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::suggest::{closest, distance};

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("title", "titel"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("createdAt", "created_at"), 0);
    }

    #[test]
    fn nearest_word_wins() {
        assert_eq!(closest("uniqe", ["index", "unique"]), Some("unique"));
        assert_eq!(closest("titel", ["time", "title"]), Some("title"));
        assert_eq!(closest("xyz", ["index", "unique"]), None);
    }
}
