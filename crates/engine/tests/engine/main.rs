//! The engine's tests: through its public seams, with a scripted model and tools of our own.

mod common;

mod consent;
mod context;
mod fold;
mod gate;
mod interrupt;
mod journal;
mod lessons;
mod schedule;
mod tokens;
mod tools;
mod turn;
