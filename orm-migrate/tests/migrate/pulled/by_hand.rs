use orm::prelude::*;

#[derive(Model, Clone, Debug)]
#[orm(table = "Album", rename_all = "PascalCase")]
pub struct Album {
    #[orm(id)]
    pub album_id: Id<Album>,
    #[orm(ty = "nvarchar(160)")]
    pub title: String,
    #[belongs_to(artist: Artist, on_delete = no_action)]
    #[orm(ty = "INT")]
    pub artist_id: Id<Artist>,
    #[orm(ty = "boolean", default(sql = "0"))]
    pub live: bool,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "artist")]
#[has_many(albums: Album)]
pub struct Artist {
    #[orm(id, column = "ArtistId")]
    pub artist_id: Id<Artist>,
    pub name: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[has_many(string_rows: StringRow, by = code)]
pub struct Code {
    pub id: i64,
    #[orm(id)]
    pub code: String,
    #[orm(ty = "ANY")]
    pub x: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "strings")]
pub struct StringRow {
    pub id: String,
    pub flag: bool,
    #[belongs_to(code_row: Code, on_delete = set_null)]
    pub code: Option<String>,
    pub other: Option<i64>,
}

/// All models.
pub fn schema() -> orm::schema::Schema {
    orm::schema![Album, Artist, Code, StringRow]
}

// log: a table without a primary key is no model
// strings: foreign key (other) to codes: it refers to other columns than the primary key in its order
// Album: no index begins with its foreign key (ArtistId), models add one
// Album: its options are nothing, those of models STRICT
// Album: column AlbumId: models make the key AUTOINCREMENT
// Album: column Live: models add the check "Live" IN (0, 1)
// artist: column name: models have no COLLATE NOCASE
// codes: unique (id, code): models have its columns only, and no options
// codes: its options are STRICT, WITHOUT ROWID, those of models STRICT
// codes: column x: the type ANY is taken for text
// strings: index by_code: models have no collations and no NULLS NOT DISTINCT
// strings: no index begins with its foreign key (code), models add one
// strings: trigger watch: models have none of one's own
// strings: column flag: its check is written "flag" IN (0, 1) in models, without a name
// virtual table words: models have none
// view names: the types of its columns are not in the schema: write a model with `view`
