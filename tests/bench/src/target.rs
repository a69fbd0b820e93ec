//! What a figure was to be at most, and whether it is.

use crate::say;

/// The targets of one run, as they are looked at.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    missed: usize,
}

impl Targets {
    /// Says whether `found` is at most `wanted`.
    pub(crate) fn at_most(&mut self, what: &str, found: f64, wanted: f64, unit: &str) {
        let met = found <= wanted;
        self.missed += usize::from(!met);
        let verdict = if met { "met" } else { "MISSED" };
        say(&format!("  {what}: {found:.1}{unit}, target at most {wanted:.1}{unit}: {verdict}"));
    }

    /// Whether all were met.
    pub(crate) fn all_met(&self) -> bool {
        self.missed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_missed_is_enough() {
        let mut targets = Targets::default();
        targets.at_most("this", 45.0, 45.0, " %");
        assert!(targets.all_met());
        targets.at_most("that", 45.1, 45.0, " %");
        targets.at_most("this", 1.0, 45.0, " %");
        assert!(!targets.all_met());
    }
}
