//! A figure, its goal, and the table they are printed in.

/// Something measured against a goal; less is better.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// The most it may be.
    pub goal: f64,
    /// What it was: a median of several runs.
    pub measured: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// What was measured beside it in the same run, and in the same unit.
    pub beside: Option<(&'static str, f64)>,
}

impl Figure {
    fn row(&self) -> [String; 4] {
        let Self { what, goal, measured, unit, beside } = self;
        // Not a number is not within the goal.
        let over = if measured <= goal { "" } else { "  over" };
        let ratio = beside.map(|(other, value)| format!("{:.2}× {other}", measured / value));
        [
            (*what).to_owned(),
            format!("≤ {goal} {unit}"),
            format!("{measured:.2} {unit}{over}"),
            ratio.unwrap_or_default(),
        ]
    }
}

/// The figures in columns.
pub fn table(figures: &[Figure]) -> String {
    let head = ["figure", "goal", "measured", "ratio"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(figures.iter().map(Figure::row)).collect();
    let width = |column: usize| {
        rows.iter().map(|row: &[String; 4]| row[column].chars().count()).max().unwrap_or_default()
    };
    let (what, goal, measured) = (width(0), width(1), width(2));
    let line = |[a, b, c, d]: &[String; 4]| {
        let text = format!("{a:<what$}  {b:<goal$}  {c:<measured$}  {d}");
        format!("{}\n", text.trim_end())
    };
    rows.iter().map(line).collect()
}

/// The middle value; the upper one of two. Nothing measured is not a number.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
