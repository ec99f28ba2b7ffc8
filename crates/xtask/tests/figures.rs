//! How measured figures are told.

use xtask::bench::{Figure, median, table};

#[test]
fn a_table_says_what_was_promised_what_was_measured_and_what_stood_beside_it() {
    let figure =
        |what, measured, beside| Figure { beside, ..Figure::new(what, 8.0, measured, "ms") };
    let figures = [figure("start", 2.5, Some(("bare", 1.25))), figure("end", 12.0, None)];
    let expected = "\
figure  goal    measured        ratio
start   ≤ 8 ms  2.50 ms         2.00× bare
end     ≤ 8 ms  12.00 ms  over
";
    assert_eq!(table(&figures), expected);
}

#[test]
fn what_never_happened_is_over_every_goal() {
    let figure = Figure::new("x", 1.0, f64::NAN, "s");
    assert!(table(&[figure]).ends_with("NaN s  over\n"));
}

#[test]
fn the_median_is_the_middle_value_and_of_nothing_it_is_no_number() {
    assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    assert!(median(Vec::new()).is_nan());
}
