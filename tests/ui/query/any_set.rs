#![allow(unused)]

#[path = "../any_models.rs"]
mod models;

use models::*;
use orm::prelude::*;

fn no_target(user: &User) {
    Note::update_where(|n| n.subject.is_a::<Post>()).set(|n| n.subject.to(user));
}

fn main() {}
