//! The rule book as specs.

mod check;
mod cost;
mod golden;
mod play;
mod rules;
