#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

struct Plain;

fn named() {
    let _ = Plain::query();
}

fn generic() {
    fn of<M: Model>() {}
    of::<Plain>();
}

fn main() {}
