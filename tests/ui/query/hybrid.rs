use orm::prelude::*;

#[derive(Model)]
struct Post {
    id: Id<Post>,
    title: String,
    note: Option<String>,
    views: i64,
    ratio: f64,
}

fn shout(text: &str) -> String {
    text.to_uppercase()
}

#[orm::hybrid]
impl Post {
    fn lower(&self) -> String {
        self.title.to_lowercase()
    }
    fn trimmed(&self) -> &str {
        self.title.trim()
    }
    fn called(&self) -> String {
        shout(&self.title)
    }
    fn looped(&self) -> i64 {
        for _ in 0..self.views {}
        1
    }
    fn half(&self) -> i64 {
        if self.views > 2 {
            return 3;
        }
        self.views
    }
    fn early(&self) -> Option<i64> {
        Some(self.note.as_ref()?.len() as i64)
    }
    fn bits(&self) -> i64 {
        self.views & 1
    }
    fn sized(&self) -> usize {
        self.title.len()
    }
    fn bound(&self) -> i64 {
        match self.views {
            n if n > 3 => 1,
            n => n,
        }
    }
    fn all(self) -> i64 {
        let Post { views, .. } = self;
        views
    }
    async fn later(&self) -> i64 {
        1
    }
    const LIMIT: i64 = 3;
    fn fine(&self) -> bool {
        self.views > Self::LIMIT
    }
}

#[orm::hybrid]
fn alone() {}

fn main() {
    let _ = Post::query().filter(|p| p.fine()).order_by(|p| p.bits().asc());
}
