//! The whole of Flagpost in virtual time.
//!
//! The real use cases run over ports that do everything that the services' documents allow, and
//! whatever goes wrong in production goes wrong here: by chance, from a seed, and the same way each
//! time. A witness sees it all and says at once when a promise is broken.

pub mod asked;
pub mod attempts;
pub mod bus;
pub mod carried;
pub mod delivery_log;
pub mod deployment;
pub mod endpoint;
pub mod events;
pub mod executor;
pub mod fault;
pub mod function;
pub mod group;
pub mod immediate;
pub mod life;
pub mod limited;
pub mod mapping;
pub mod neighbours;
pub mod order;
pub mod owner;
pub mod population;
pub mod port;
pub mod queue;
pub mod run;
pub mod scale;
pub mod settled;
pub mod slots;
pub mod table;
pub mod tend;
pub mod told;
pub mod trace;
pub mod versioned;
pub mod witness;
pub mod workload;
pub mod world;
