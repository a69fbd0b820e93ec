//! The containers of one function: as many as there is work for, up to a bound, each replaced when
//! it dies.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use flagpost_tests::runtime_api::{Ended, Function};
use tokio::sync::Semaphore;

use crate::wait::{Chance, needed, now, pass};

/// As in `template.yaml`; and an attempt needs 26 s.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) struct Fleet {
    name: &'static str,
    environment: Vec<(&'static str, String)>,
    room: Semaphore,
    idle: Mutex<Vec<Function>>,
    killer: Option<Mutex<Killer>>,
}

/// Kills containers in the middle of their invocations.
pub(crate) struct Killer {
    chance: Chance,
    /// How many should be killed by now.
    due: Box<dyn Fn() -> usize + Send>,
    killed: usize,
    /// How long an invocation takes that is not killed, about.
    usual_ms: u64,
}

impl Killer {
    pub(crate) fn new(seed: u64, due: impl Fn() -> usize + Send + 'static) -> Self {
        Self { chance: Chance(seed), due: Box::new(due), killed: 0, usual_ms: 20 }
    }

    /// When to kill the container that is being invoked: at any moment of its time, and somewhat
    /// later. It is not hit if it is done by then.
    fn moment(&mut self) -> Option<Duration> {
        let is_due = self.killed < (self.due)();
        is_due.then(|| Duration::from_micros(self.chance.below(self.usual_ms * 1_250 + 1_000)))
    }

    fn spared(&mut self, took: Duration) {
        let took_ms = u64::try_from(took.as_millis()).unwrap();
        self.usual_ms = (3 * self.usual_ms + took_ms) / 4;
    }
}

impl Fleet {
    pub(crate) fn new(
        name: &'static str,
        environment: Vec<(&'static str, String)>,
        containers: usize,
        killer: Option<Killer>,
    ) -> Arc<Self> {
        let (room, killer) = (Semaphore::new(containers), killer.map(Mutex::new));
        Arc::new(Self { name, environment, room, idle: Mutex::default(), killer })
    }

    /// Invokes one of them, when one is free.
    pub(crate) async fn invoke(&self, payload: Bytes) -> Result<Bytes, Ended> {
        let _room = self.room.acquire().await.unwrap();
        let idle = self.idle.lock().unwrap().pop();
        let function = match idle {
            Some(function) => function,
            None => self.spawn().await,
        };
        let began = now();
        let moment = self.killer.as_ref().and_then(|killer| killer.lock().unwrap().moment());
        let result = match moment {
            None => function.invoke(payload, TIMEOUT).await,
            Some(moment) => tokio::select! {
                biased;
                result = function.invoke(payload, TIMEOUT) => result,
                () = pass(moment) => {
                    let status = function.kill().await;
                    self.killer.as_ref().unwrap().lock().unwrap().killed += 1;
                    Err(Ended::Died(status))
                }
            },
        };
        if matches!(result, Ok(_) | Err(Ended::Failed(_))) {
            if let Some(killer) = &self.killer {
                killer.lock().unwrap().spared(now().since(began));
            }
            self.idle.lock().unwrap().push(function);
        }
        result
    }

    /// Containers that were killed in the middle of an invocation.
    pub(crate) fn killed(&self) -> usize {
        self.killer.as_ref().map_or(0, |killer| killer.lock().unwrap().killed)
    }

    pub(crate) async fn spawn(&self) -> Function {
        let binary = Path::new(&needed("FLAGPOST_TEST_FUNCTIONS")).join(self.name);
        let environment = self.environment.iter().map(|(name, value)| (*name, value));
        let function = Function::spawn(&binary, environment).await.unwrap();
        if let Err(ended) = function.first_next().await {
            panic!("{} did not start: {ended}: {}", self.name, function.logs());
        }
        function
    }
}
