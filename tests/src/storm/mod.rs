//! A storm: people talk while peers and the tracker die and the network fails. What happens is a [`plan`] made from a
//! seed; whoever conducts it writes down in a [`Ledger`] what each peer promised, and that is held against what each
//! has in the end.

mod ledger;
mod plan;

pub use ledger::Ledger;
pub use plan::{End, Fault, Step, plan};
