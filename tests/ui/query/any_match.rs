#![allow(unused)]

#[path = "../any_models.rs"]
mod models;

use models::*;
use orm::prelude::*;

fn forgotten(note: NoteWithSubject) {
    match note.subject {
        Some(Subject::Post(post)) => drop(post),
        None => {}
    }
}

fn main() {}
