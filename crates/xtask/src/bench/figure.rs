//! A figure, its goal, and the table they are printed in.

use serde::{Deserialize, Serialize};

/// What one run of the benches found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures<'a> {
    /// The day.
    pub date: &'a str,
    /// What it ran on.
    pub machine: &'a str,
    /// In the order measured.
    #[serde(borrow)]
    pub figures: Vec<Figure<'a>>,
}

/// Something measured against a goal; less is better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure<'a> {
    /// What was measured.
    pub what: &'a str,
    /// The most it may be.
    pub goal: f64,
    /// What it was: a median of several runs.
    pub measured: f64,
    /// The unit of both.
    pub unit: &'a str,
    /// What was measured beside it in the same run, and in the same unit.
    pub beside: Option<(&'a str, f64)>,
}

impl<'a> Figure<'a> {
    /// A figure by itself.
    pub fn new(what: &'a str, goal: f64, measured: f64, unit: &'a str) -> Self {
        Self { what, goal, measured, unit, beside: None }
    }

    /// The same with what was measured beside it.
    #[must_use]
    pub fn beside(self, other: &'a str, measured: f64) -> Self {
        Self { beside: Some((other, measured)), ..self }
    }

    /// What was measured, with its unit, in three or four digits.
    pub fn value(&self) -> String {
        let digits = if self.measured < 100.0 { 2 } else { 0 };
        format!("{:.digits$} {}", self.measured, self.unit)
    }

    /// The name, the goal, the value, the ratio.
    pub fn row(&self) -> [String; 4] {
        let Self { what, goal, measured, unit, beside } = self;
        // Not a number is not within the goal.
        let over = if measured <= goal { "" } else { "  over" };
        let ratio = beside.map(|(other, value)| format!("{:.2}× {other}", measured / value));
        [
            (*what).to_owned(),
            format!("≤ {goal} {unit}"),
            self.value() + over,
            ratio.unwrap_or_default(),
        ]
    }
}

/// The figures in columns.
pub fn table(figures: &[Figure<'_>]) -> String {
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
