#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

#[derive(Shape)]
#[shape(User)]
struct Author {
    name: String,
    #[rel]
    posts: Vec<Written>,
}

#[derive(Shape)]
#[shape(Post)]
struct Written {
    #[rel]
    author: Author,
}

fn main() {}
