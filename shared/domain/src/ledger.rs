//! The ledger: what became of every event that an integration wanted.

use serde::{Deserialize, Serialize};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters of events, of one integration and hour or summed over hours.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counts {
            /// The counters by name, in their order.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            /// The counters from a look-up by name.
            pub fn from_named(value: impl Fn(&str) -> u64) -> Self {
                Self { $($name: value(stringify!($name))),* }
            }
        }

        impl std::ops::AddAssign for Counts {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counts! {
    /// Accepted and wanted by the integration.
    matched,
    /// Answered with success.
    delivered,
    /// Put on the retry schedule.
    scheduled,
    /// Taken off the retry schedule.
    unscheduled,
    /// Laid aside.
    parked,
    /// Taken from what was laid aside.
    unparked,
    /// Kept for replay after the schedule ran out.
    dead,
    /// Taken from what was kept for replay.
    undead,
    /// Accepted and not wanted, by the integration's filter: not among the matched.
    filtered,
    /// Deleted after the retention time.
    expired,
    /// Dropped by an operator, or because the integration was deleted.
    discarded,
}

impl Counts {
    /// Events on the retry schedule, parked and dead: in that order.
    pub fn waiting(&self) -> [i128; 3] {
        let difference = |a: u64, b: u64| i128::from(a) - i128::from(b);
        [
            difference(self.scheduled, self.unscheduled),
            difference(self.parked, self.unparked),
            difference(self.dead, self.undead),
        ]
    }

    /// Whether every matched event is accounted for, and nowhere more went away than came. True at
    /// rest, without crashes, duplicate receives or lost answers. That what waits is where the
    /// ledger says is for whoever can look there to check.
    pub fn balances(&self) -> bool {
        let ended = [self.delivered, self.expired, self.discarded];
        let ended: i128 = ended.into_iter().map(i128::from).sum();
        let waiting = self.waiting();
        i128::from(self.matched) == ended + waiting.into_iter().sum::<i128>()
            && waiting.into_iter().all(|events| events >= 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balances_when_every_matched_event_is_somewhere() {
        let mut counts = Counts { matched: 10, delivered: 4, scheduled: 6, ..Counts::default() };
        assert!(counts.balances());
        counts += Counts { unscheduled: 6, parked: 3, dead: 2, discarded: 1, ..Counts::default() };
        assert!(counts.balances());
        assert_eq!(counts.waiting(), [0, 3, 2]);
        counts += Counts { unparked: 3, expired: 2, ..Counts::default() };
        assert!(!counts.balances(), "one event is missing");
        counts.delivered += 1;
        assert!(counts.balances());
        counts += Counts { unscheduled: 1, delivered: 1, ..Counts::default() };
        assert!(!counts.balances(), "more left the schedule than went on it");
    }

    #[test]
    fn names_go_there_and_back() {
        let counts = Counts { matched: 1, dead: 2, ..Counts::default() };
        let named: Vec<_> = counts.named().collect();
        let back = Counts::from_named(|name| named.iter().find(|(n, _)| *n == name).unwrap().1);
        assert_eq!(back, counts);
    }
}
