//! What becomes of one event on its way to one integration: its attempts, and how much of its schedule
//! it has used.

use crate::{
    attempts::{Ended, Maker},
    carried::Carried,
};

/// Attempts of a schedule: the first, and one at each of nine slots.
pub const ATTEMPTS: u32 = 10;
/// How far an event's age may be off for each time that it was parked: the attempt itself, and
/// storing, take their time.
const TOLERANCE_MS: i64 = 40_000;
/// The same where calls are slow, functions stand still and clocks differ.
const TOLERANCE_STORM_MS: i64 = 90_000;

/// An event of a whole delivery.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what happened to it, and in no order")]
pub struct Life {
    /// When its schedule began.
    first: Option<i64>,
    /// When it was to begin, before it was tried.
    due: Option<i64>,
    parked_since: Option<i64>,
    parked_ms: i64,
    parks: i64,
    parked_copies: u32,
    scheduled_copies: u32,
    attempts: u32,
    /// Attempts that come on top of the schedule.
    on_top: u32,
    /// Attempts that what happened to its messages may have added.
    excused: u32,
    /// Its number in its delivery, by its requests.
    place: Option<u32>,
    /// It is in two places at once: its attempts and its age are those of two.
    tangled: bool,
    /// How many events were in its last request.
    together: usize,
    /// Its delivery was taken to pieces by other settings than before: it may have been tried among
    /// others, and then have been left untried, which begins its schedule anew.
    recut: bool,
    /// Whether it was tried by `drain` since it was parked.
    drained: bool,
    /// Whether nothing became of the last attempt yet.
    fresh_attempt: bool,
    /// Whether its endpoint's success was seen by the sender.
    answered: bool,
}

/// How it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// How old its delivery says that it is.
    pub claimed: i64,
    /// Whether that is what others left of a delivery.
    pub rest: bool,
    /// Whether it was stored in the same delivery already.
    pub same: bool,
    /// Whether there may be attempts at it without a request.
    pub unseen: bool,
}

impl Life {
    /// Whether its endpoint's success was seen by the sender.
    pub fn answered(&self) -> bool {
        self.answered
    }

    /// Where in its delivery a request has it, and how often. A client that was not answered sends it
    /// again, and then one delivery may hold both.
    pub fn is_at(&mut self, place: Option<u32>, copies: usize) {
        let other = place.is_some() && self.place.is_some() && place != self.place;
        self.tangled |= other || copies > 1;
        self.place = place.or(self.place);
    }

    /// It is tried. `Err` says how that is one time too many.
    pub fn begins(
        &mut self,
        maker: Maker,
        carried: &Carried,
        storm: bool,
        now: i64,
    ) -> Result<(), String> {
        let together = carried.events.len();
        self.first.get_or_insert(self.due.map_or(now, |due| due.min(now)));
        self.tangled |= storm && self.parked_copies + self.scheduled_copies > 1;
        self.recut |= carried.is_some_of_its_delivery() && self.together > together;
        self.together = together;
        self.fresh_attempt = !maker.probes;
        self.attempts += 1;
        if maker.probes {
            self.on_top += 1;
        } else if maker.drains && self.drained && storm {
            // What came of the last attempt could not be stored.
            self.excused += 1;
        }
        self.drained |= maker.drains;
        let schedules = if self.recut { 2 } else { 1 };
        let allowed = ATTEMPTS * schedules + self.on_top + self.excused;
        if self.attempts > allowed && !self.tangled {
            return Err(format!("too many attempts: {} of {allowed}", self.attempts));
        }
        Ok(())
    }

    /// It is tried again at once.
    pub fn tries_again(&mut self, maker: Maker) {
        self.fresh_attempt = !maker.probes;
    }

    /// Its request ended.
    pub fn ends(&mut self, ended: Ended, splits: bool) {
        self.answered |= ended == Ended::Well;
        // An attempt that ended is the schedule's; one that was given up comes on top if it is parked.
        if std::mem::take(&mut self.fresh_attempt) && ended == Ended::OnTop {
            self.on_top += 1;
        }
        if splits {
            // By its halves it is no further taken to pieces.
            self.together = 0;
        }
    }

    /// Something happened to its message that may add an attempt, at the same time as another: then
    /// the immediate retry of one is taken for an attempt as well.
    pub fn excuse(&mut self) {
        self.excused += 2;
    }

    /// It was put on the schedule: is its age what it should be?
    pub fn scheduled(&mut self, stored: Stored, storm: bool, now: i64) -> Result<(), String> {
        self.scheduled_copies += 1;
        self.tangled |= self.scheduled_copies > 1 && stored.same;
        let checked = self.check_age(stored, storm, now);
        self.fresh_attempt = false;
        checked
    }

    /// A message that holds it was acknowledged.
    pub fn unscheduled(&mut self) {
        self.scheduled_copies = self.scheduled_copies.saturating_sub(1);
    }

    /// It was parked; `again` if that is another version of the same object.
    pub fn parked(
        &mut self,
        stored: Stored,
        again: bool,
        storm: bool,
        now: i64,
    ) -> Result<(), String> {
        // A part takes the place of what is deleted next.
        let replaces = self.parked_copies > 0 && !stored.same;
        self.parked_copies += u32::from(!again);
        // What is also on the schedule comes from there, and what is parked is a copy.
        let copied = storm && self.scheduled_copies > 0;
        self.tangled |= self.parked_copies > 1 && (copied || !replaces);
        let checked = self.check_age(stored, storm, now);
        self.parks += 1;
        self.parked_since.get_or_insert(now);
        self.drained &= replaces;
        if std::mem::take(&mut self.fresh_attempt) {
            self.on_top += 1;
        }
        checked
    }

    /// It is replayed: its whole schedule is before it once more.
    pub fn replayed(&mut self) {
        *self = Self {
            place: self.place,
            answered: self.answered,
            parked_copies: self.parked_copies,
            scheduled_copies: self.scheduled_copies,
            // What is stored elsewhere as well has another schedule there.
            tangled: self.tangled || self.parked_copies + self.scheduled_copies > 0,
            ..Self::default()
        };
    }

    /// An operator drops a copy of it: what is left of others has an age of its own.
    pub fn dropped(&mut self) {
        self.tangled |= self.parked_copies + self.scheduled_copies > 1;
    }

    /// A parked object that held it is gone.
    pub fn unparked(&mut self, now: i64) {
        self.parked_copies = self.parked_copies.saturating_sub(1);
        if self.parked_copies > 0 && !self.tangled {
            return;
        }
        if let Some(since) = self.parked_since.take() {
            // What was parked untried has no schedule yet.
            self.parked_ms += self.first.map_or(0, |first| now - since.max(first));
        }
    }

    fn check_age(&mut self, stored: Stored, storm: bool, now: i64) -> Result<(), String> {
        let each = tolerance(storm);
        let Stored { claimed, rest, unseen, .. } = stored;
        if unseen {
            self.first.get_or_insert(now - claimed);
        }
        let anew = claimed <= each;
        if self.tangled || self.recut || (unseen && storm) {
            return Ok(());
        }
        if self.attempts == 0 && !unseen {
            // Its schedule began when it was due, even if it came later.
            let due = self.due.map_or(0, |due| now - due);
            if claimed > each + due.max(0) {
                return Err(format!("never tried, and {} s old", claimed / 1_000));
            }
            self.due.get_or_insert(now - claimed);
            return Ok(());
        }
        let age = self.age(now);
        if (claimed - age).abs() <= each * (self.parks + 1) {
            return Ok(());
        }
        // In a storm an attempt may be lost with what it came to, and the event be left untried by the next.
        if rest && anew && (self.together != 1 || storm) {
            self.recut = true;
            return Ok(());
        }
        Err(format!("says it is {} s old, and is {} s", claimed / 1_000, age / 1_000))
    }

    /// It is dead: was its schedule over?
    pub fn dead(
        &mut self,
        unseen: bool,
        storm: bool,
        now: i64,
        last_slot_ms: i64,
    ) -> Option<String> {
        if self.tangled || self.recut || (unseen && storm) {
            return None;
        }
        let age = self.age(now);
        if age + tolerance(storm) * (self.parks + 1) < last_slot_ms * 9 / 10 {
            return Some(format!("at an age of {} s", age / 1_000));
        }
        let counted = self.attempts - self.on_top;
        if !storm && !unseen && self.parks == 0 && counted != ATTEMPTS {
            return Some(format!("after {counted} attempts"));
        }
        None
    }

    /// How much of its schedule it has used: time parked does not count.
    fn age(&mut self, now: i64) -> i64 {
        let first = *self.first.get_or_insert(now);
        let parking = self.parked_since.map_or(0, |since| now - since.max(first));
        now - first - self.parked_ms - parking
    }
}

fn tolerance(storm: bool) -> i64 {
    if storm { TOLERANCE_STORM_MS } else { TOLERANCE_MS }
}
