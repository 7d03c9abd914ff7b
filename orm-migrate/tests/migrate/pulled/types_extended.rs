use orm::prelude::*;

#[derive(Model, Clone, Debug)]
pub struct Citext {
    pub id: Id<Citext>,
    #[orm(unique, default(sql = "'Ann'::citext"))]
    pub name: orm::CiText,
    pub maybe: Option<orm::CiText>,
    pub names: Vec<orm::CiText>,
}

#[derive(Model, Clone, Debug)]
pub struct Hstore {
    pub id: Id<Hstore>,
    #[orm(default(sql = "'\"a\"=>\"1\"'::hstore"))]
    pub map: orm::Hstore,
    pub maybe: Option<orm::Hstore>,
    pub maps: Vec<orm::Hstore>,
}

#[derive(Model, Clone, Debug)]
pub struct Ltree {
    pub id: Id<Ltree>,
    #[orm(default(sql = "'top.science'::ltree"))]
    pub path: orm::Ltree,
    pub maybe: Option<orm::Ltree>,
    pub paths: Vec<orm::Ltree>,
}

/// All models.
pub fn schema() -> orm::schema::Schema {
    orm::schema![Citext, Hstore, Ltree]
}
