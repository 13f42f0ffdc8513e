//! What every bench ends with: figures, printed and written as JSON; and how they are asked for.

use serde_json::{Value, json};

pub struct Arguments(Vec<String>);

impl Arguments {
    pub fn read() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    pub fn at(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|it| it == name)
    }

    /// What stands after a name, the last time it is given.
    pub fn text(&self, name: &str) -> Option<String> {
        let at = self.0.iter().rposition(|it| it == name)?;
        self.0.get(at + 1).cloned()
    }

    pub fn number(&self, name: &str, usual: usize) -> usize {
        self.text(name).map_or(usual, |it| it.parse().expect(name))
    }
}

#[derive(Default)]
pub struct Figures(Vec<(String, f64, &'static str)>);

impl Figures {
    pub fn add(&mut self, name: &str, value: f64, unit: &'static str) {
        self.0.push((name.to_owned(), value, unit));
    }

    /// The median, the 95th of a hundred, and the most.
    pub fn percentiles(&mut self, name: &str, values: &[f64], unit: &'static str) {
        for (part, of) in [("p50", 0.5), ("p95", 0.95), ("most", 1.0)] {
            self.add(&format!("{name}_{part}"), percentile(values, of), unit);
        }
    }

    /// Prints them all, and writes them into the file that `--json` names, with what else is kept.
    pub fn tell(&self, arguments: &Arguments, mut kept: Value) {
        println!();
        for (name, value, unit) in &self.0 {
            println!("figure {name} {value:.3} {unit}");
        }
        let figures = self.0.iter();
        kept["figures"] = figures
            .map(|(name, value, unit)| json!({"name": name, "value": value, "unit": unit}))
            .collect();
        if let Some(path) = arguments.text("--json") {
            let json = serde_json::to_string_pretty(&kept).expect("JSON");
            std::fs::write(path, json).expect("a file");
        }
    }
}

/// What is no number is left out.
fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values: Vec<_> = values.iter().copied().filter(|it| it.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values
}

pub fn median(values: &[f64]) -> f64 {
    let values = sorted(values);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

pub fn percentile(values: &[f64], part: f64) -> f64 {
    let values = sorted(values);
    let at = (part * values.len() as f64).ceil() as usize;
    values.get(at.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// How much more the most is than the least, as a part of the least.
pub fn spread(values: &[f64]) -> f64 {
    let values = sorted(values);
    match (values.first(), values.last()) {
        (Some(least), Some(most)) => (most - least) / least,
        _ => f64::NAN,
    }
}
