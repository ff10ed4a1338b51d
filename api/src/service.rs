//! Use cases: who may, what is there, what follows. GraphQL and REST ask here; nothing here names either of them.

pub mod attempt;
pub mod audit;
pub mod connection;
mod crossing;
pub mod deployment;
pub mod draft;
pub mod egress;
pub mod error;
pub mod expression;
pub mod feed;
pub mod follow;
pub mod hook;
pub mod key;
pub mod member;
pub mod page;
pub mod plan;
pub mod project;
pub mod quota;
pub mod retry;
pub mod role;
pub mod run;
pub mod session;
pub mod signature;
pub mod start;
pub mod surroundings;
pub mod test_run;
pub mod text;
pub mod trigger;
pub mod user;
pub mod value;
pub mod variable;
pub mod veil;
pub mod version;
pub mod workflow;
pub mod workspace;

pub use error::ServiceError;
