#![allow(unused)]

use orm::prelude::*;

#[derive(Model)]
pub struct Post {
    pub id: Id<Post>,
    pub author: i64,
    pub score: Option<i64>,
}

#[derive(Model)]
#[orm(view = || Post::query().group_by(|p| p.author).select(|g| (g.key(), g.max(|p| p.score))))]
pub struct Best {
    pub author: i64,
    pub score: i64,
}

fn main() {}
