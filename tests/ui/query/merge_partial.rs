#![allow(unused)]

use orm::prelude::*;

#[derive(Model, Clone)]
#[has_many(steps: Step)]
pub struct Journey {
    pub id: Id<Journey>,
}

#[derive(Model, Clone)]
pub struct Step {
    pub id: Id<Step>,
    #[belongs_to(journey: Journey)]
    pub journey_id: Id<Journey>,
}

async fn would_delete_the_rest(db: &Db) -> orm::Result<()> {
    let journey = Journey::query().with(|j| j.steps.limit(3)).one(db).await?;
    journey.merge(db).await?;
    Ok(())
}

fn main() {}
