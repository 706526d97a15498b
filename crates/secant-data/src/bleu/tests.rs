//! Tests of BLEU. The numbers are those of SacreBLEU 2.6.0.

use super::*;
use proptest::prelude::*;

/// The BLEU is as expected, to the rounding of some logarithms.
fn check(hypotheses: &[&str], references: &[&str], expected: Bleu) {
    let found = corpus_bleu(hypotheses, references).unwrap();
    let numbers = |bleu: &Bleu| [[bleu.score, bleu.brevity_penalty, 0.0, 0.0], bleu.precisions];
    for (found, expected) in numbers(&found).concat().iter().zip(numbers(&expected).concat()) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }
    let lengths = |bleu: &Bleu| (bleu.hypothesis_length, bleu.reference_length);
    assert_eq!(lengths(&found), lengths(&expected));
}

#[test]
fn a_corpus_is_scored_as_by_the_reference_program() {
    check(
        &["The cat sat on the mat.", "There is a dog in the garden, isn't there?"],
        &["The cat sat on a mat.", "There is a dog in the garden, is there not?"],
        Bleu {
            score: 61.14846545395492,
            precisions: [88.88888888888889, 68.75, 57.142857142857146, 50.0],
            brevity_penalty: 0.9459594689067654,
            hypothesis_length: 18,
            reference_length: 19,
        },
    );
}

#[test]
fn marks_numbers_entities_and_upper_case_are_those_of_the_reference_program() {
    check(
        &["He paid $1,000.50 (10-20 &quot;euros&quot;) &amp; left...", "a-b 3-4, 5,6. U.S. end"],
        &["He paid $1,000.50 (10 - 20 \"euros\") & left ...", "a-b 3 -4 , 5,6 . U.S . end"],
        Bleu {
            score: 87.05216442830519,
            precisions: [93.10344827586206, 88.88888888888889, 84.0, 82.6086956521739],
            brevity_penalty: 1.0,
            hypothesis_length: 29,
            reference_length: 28,
        },
    );
}

#[test]
fn orders_without_a_run_in_common_count_as_halves_quarters_and_so_on() {
    check(
        &["ein kleiner Hund läuft schnell über die Wiese"],
        &["Ein Hund rennt schnell durch die Wiese"],
        Bleu {
            score: 13.134549472120788,
            precisions: [50.0, 14.285714285714286, 8.333333333333334, 5.0],
            brevity_penalty: 1.0,
            hypothesis_length: 8,
            reference_length: 7,
        },
    );
}

#[test]
fn a_repeated_word_counts_as_often_as_in_the_reference_and_short_texts_are_penalised() {
    check(
        &["the the the the the the the"],
        &["The cat is on the mat, the big one"],
        Bleu {
            score: 5.08764122072739,
            precisions: [28.571428571428573, 8.333333333333334, 5.0, 3.125],
            brevity_penalty: 0.6514390575310556,
            hypothesis_length: 7,
            reference_length: 10,
        },
    );
    check(
        &["Ein Hund läuft."],
        &["Ein Hund läuft über die grüne Wiese."],
        Bleu {
            score: 23.50540321304655,
            precisions: [100.0, 66.66666666666667, 50.0, 50.0],
            brevity_penalty: 0.36787944117144233,
            hypothesis_length: 4,
            reference_length: 8,
        },
    );
}

#[test]
fn texts_with_nothing_in_common_too_short_or_without_words_score_0() {
    let zero = Bleu {
        score: 0.0,
        precisions: [0.0; 4],
        brevity_penalty: 1.0,
        hypothesis_length: 4,
        reference_length: 4,
    };
    check(&["x y z w"], &["a b c d"], zero);
    let short = [100.0, 100.0, 100.0, 0.0];
    let three = Bleu { precisions: short, hypothesis_length: 3, reference_length: 3, ..zero };
    check(&["a b c"], &["a b c"], three);
    let none = Bleu { brevity_penalty: 0.0, hypothesis_length: 0, reference_length: 2, ..zero };
    check(&[""], &["a b"], none);
    check(&["a b"], &[""], Bleu { hypothesis_length: 2, reference_length: 0, ..zero });
    check(&[], &[], Bleu { hypothesis_length: 0, reference_length: 0, ..zero });
}

#[test]
fn words_are_told_apart_as_by_the_reference_program() {
    let cases = [
        (
            "He paid $1,000.50 (10-20 &quot;euros&quot;) &amp; left...",
            "He paid $ 1,000.50 ( 10 - 20 \" euros \" ) & left . . .",
        ),
        ("Don't stop-it, a.,b 3-4 U.S.", "Don't stop-it , a . , b 3 - 4 U . S ."),
        ("a &amp;lt; b <skipped>c", "a < b c"),
        ("x.5 5.x ,7 7, -- 1--2", "x . 5 5 . x , 7 7 , -- 1 - -2"),
        (
            "zwei-\nteilig\u{a0}und\x1cmehr\u{200b}ja €5 „so“ ٣.٤",
            "zweiteilig und mehr\u{200b}ja €5 „so“ ٣ . ٤",
        ),
    ];
    for (sentence, words) in cases {
        let found = tokenized(sentence);
        assert_eq!(tokens::split(&found).collect::<Vec<_>>().join(" "), words);
    }
}

#[test]
fn unequal_numbers_of_hypotheses_and_references_are_refused() {
    let told = corpus_bleu(&["a", "b"], &["a"]).unwrap_err().to_string();
    assert!(told.contains("2 hypotheses but 1 references"), "{told}");
}

proptest! {
    #[test]
    fn what_equals_its_reference_scores_100_and_nothing_scores_more(
        references in prop::collection::vec("[a-c.,]{1,3}( [a-c.,]{1,3}){3,9}", 1..6),
        hypotheses in prop::collection::vec("[a-c.,]{1,3}( [a-c.,]{1,3}){3,9}", 6),
    ) {
        // Rounding of four logarithms and an exponential.
        let most = 100.0 * (1.0 + 1e-12);
        let same = corpus_bleu(&references, &references).unwrap();
        prop_assert!((100.0 * (1.0 - 1e-12)..=most).contains(&same.score), "{same:?}");
        let other = corpus_bleu(&hypotheses[..references.len()], &references).unwrap();
        prop_assert!((0.0..=most).contains(&other.score), "{other:?}");
    }
}
