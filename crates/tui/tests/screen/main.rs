//! Scripted inputs in, the whole screen out.

mod commands;
mod keys;
mod one_shot;
mod plain;
mod questions;
mod sitting;
mod turn;
