//! Tasks in virtual time: one thread, one random source, nothing else that could differ from run to
//! run. When nobody can go on, the clock jumps to the next timer.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The clock, its timers, and a way to start tasks. Cloned freely.
#[derive(Clone)]
pub struct Time(Arc<Mutex<Shared>>);

struct Shared {
    now: i64,
    /// Grows with each timer and task: what is due at the same time comes in a known order.
    serial: u64,
    timers: BTreeMap<(i64, u64), Waker>,
    ready: Vec<u64>,
    started: Vec<(u64, Task)>,
}

/// Runs the tasks.
pub struct Executor {
    time: Time,
    tasks: BTreeMap<u64, (Task, Arc<Woken>)>,
    /// Which of the ready tasks goes first.
    order: Pcg64Mcg,
}

struct Woken {
    task: u64,
    queued: AtomicBool,
    time: Time,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.time.shared().ready.push(self.task);
        }
    }
}

impl Time {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True time, in milliseconds of the Unix epoch.
    pub fn now(&self) -> i64 {
        self.shared().now
    }

    /// Waits for `wait`; at least until the other tasks had a turn.
    pub fn sleep(&self, wait: Duration) -> Sleep {
        let until = self.now().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self.sleep_until(until)
    }

    /// Waits until a time.
    pub fn sleep_until(&self, until: i64) -> Sleep {
        Sleep { time: self.clone(), until, timer: None }
    }

    /// Starts a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut shared = self.shared();
        shared.serial += 1;
        let id = shared.serial;
        shared.started.push((id, Box::pin(task)));
    }
}

/// A wait in virtual time.
pub struct Sleep {
    time: Time,
    until: i64,
    timer: Option<(i64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let until = self.until;
        let time = self.time.clone();
        let mut shared = time.shared();
        match self.timer {
            None => {
                shared.serial += 1;
                let timer = (until.max(shared.now), shared.serial);
                shared.timers.insert(timer, cx.waker().clone());
                self.timer = Some(timer);
                Poll::Pending
            }
            Some(timer) => match shared.timers.get_mut(&timer) {
                Some(waker) => {
                    waker.clone_from(cx.waker());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            },
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.time.shared().timers.remove(&timer);
        }
    }
}

impl Executor {
    /// A world without tasks at the time `now`.
    pub fn new(seed: u64, now: i64) -> Self {
        let shared = Shared {
            now,
            serial: 0,
            timers: BTreeMap::new(),
            ready: Vec::new(),
            started: Vec::new(),
        };
        Self {
            time: Time(Arc::new(Mutex::new(shared))),
            tasks: BTreeMap::new(),
            order: Pcg64Mcg::seed_from_u64(seed ^ 0x5eed),
        }
    }

    /// The clock.
    pub fn time(&self) -> Time {
        self.time.clone()
    }

    /// Runs until `end`, or until `stop` says so, which is asked after every step.
    pub fn run(&mut self, end: i64, stop: impl Fn() -> bool) {
        loop {
            self.take_started();
            while let Some(id) = self.next_ready() {
                self.poll(id);
                if stop() {
                    return;
                }
                self.take_started();
            }
            if !self.advance(end) {
                return;
            }
        }
    }

    fn take_started(&mut self) {
        let started = std::mem::take(&mut self.time.shared().started);
        for (id, task) in started {
            let woken =
                Arc::new(Woken { task: id, queued: AtomicBool::new(true), time: self.time() });
            self.tasks.insert(id, (task, woken));
            self.time.shared().ready.push(id);
        }
    }

    fn next_ready(&mut self) -> Option<u64> {
        let mut shared = self.time.shared();
        if shared.ready.is_empty() {
            return None;
        }
        let chosen = self.order.random_range(0..shared.ready.len());
        Some(shared.ready.swap_remove(chosen))
    }

    fn poll(&mut self, id: u64) {
        let Some((task, woken)) = self.tasks.get_mut(&id) else { return };
        woken.queued.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(woken));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.tasks.remove(&id);
        }
    }

    /// Moves the clock to the next timers and wakes who waits for them. Whether there were any.
    fn advance(&mut self, end: i64) -> bool {
        let mut due = Vec::new();
        {
            let mut shared = self.time.shared();
            let Some((&(at, _), _)) = shared.timers.first_key_value() else { return false };
            if at > end {
                shared.now = end;
                return false;
            }
            shared.now = at;
            while let Some(entry) = shared.timers.first_entry() {
                if entry.key().0 > at {
                    break;
                }
                due.push(entry.remove());
            }
        }
        for waker in due {
            waker.wake();
        }
        true
    }
}

impl Drop for Executor {
    /// Tasks, timers and what they started refer to each other: they go together.
    fn drop(&mut self) {
        self.tasks.clear();
        loop {
            let mut shared = self.time.shared();
            let started = std::mem::take(&mut shared.started);
            let timers = std::mem::take(&mut shared.timers);
            drop(shared);
            if started.is_empty() && timers.is_empty() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Log = Arc<Mutex<Vec<(i64, u32)>>>;

    fn log() -> (Log, impl Fn(i64, u32)) {
        let log = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&log);
        (log, move |at, who| to.lock().unwrap().push((at, who)))
    }

    #[test]
    fn days_pass_in_no_time_and_in_order() {
        let mut executor = Executor::new(1, 1_000);
        let (log, note) = log();
        let note = Arc::new(note);
        for (who, hours) in [(1, 48), (2, 1)] {
            let (time, note) = (executor.time(), Arc::clone(&note));
            executor.time().spawn(async move {
                time.sleep(Duration::from_hours(hours)).await;
                note(time.now(), who);
            });
        }
        executor.run(i64::MAX, || false);
        assert_eq!(*log.lock().unwrap(), [(1_000 + 3_600_000, 2), (1_000 + 48 * 3_600_000, 1)]);
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_others_give_others() {
        let order = |seed| {
            let mut executor = Executor::new(seed, 0);
            let (log, note) = log();
            let note = Arc::new(note);
            for who in 0..20 {
                let (time, note) = (executor.time(), Arc::clone(&note));
                executor.time().spawn(async move {
                    for _ in 0..3 {
                        time.sleep(Duration::ZERO).await;
                        note(time.now(), who);
                    }
                });
            }
            executor.run(i64::MAX, || false);
            log.lock().unwrap().clone()
        };
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
    }

    #[test]
    fn a_wait_that_is_dropped_wakes_nobody() {
        let mut executor = Executor::new(1, 0);
        let time = executor.time();
        executor.time().spawn(async move {
            drop(time.sleep(Duration::from_secs(9)));
            let long = Box::pin(time.sleep(Duration::from_secs(9)));
            let short = Box::pin(time.sleep(Duration::from_secs(1)));
            futures_util::future::select(long, short).await;
        });
        executor.run(i64::MAX, || false);
        assert_eq!(executor.time().now(), 1_000);
    }
}
