#![allow(unused)]

#[path = "../any_models.rs"]
mod models;

use models::*;
use orm::prelude::*;

fn no_target() {
    Note::query().filter(|n| n.subject.target::<User>().exist());
}

fn main() {}
