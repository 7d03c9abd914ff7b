use orm::prelude::*;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Happy,
    #[orm(rename = "so so")]
    SoSo,
    #[orm(rename = "it's")]
    ItS,
}

#[derive(Model, Clone, Debug)]
#[has_many(tracks: Track)]
pub struct Album {
    pub id: Id<Album>,
    pub title: String,
    #[belongs_to(artist: Artist, on_delete = cascade)]
    pub artist_id: Id<Artist>,
    /// first line
    /// second "line"
    #[orm(comment = "first line\n  second \"line\"")]
    pub notes: Option<String>,
}

/// Who makes music.
#[derive(Model, Clone, Debug)]
#[has_many(albums: Album)]
pub struct Artist {
    pub id: Id<Artist>,
    /// As it's printed on covers.
    #[orm(unique)]
    pub name: String,
}

#[derive(Model, Clone, Debug)]
pub struct Badge {
    #[belongs_to(employee: Staff)]
    #[orm(id)]
    pub employee_id: Id<Staff>,
    pub color: String,
}

#[derive(Model, Clone, Debug)]
#[orm(id(follower, followed))]
pub struct Follow {
    #[belongs_to(follower_person: Person)]
    pub follower: String,
    #[belongs_to(followed_person: Person)]
    pub followed: String,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "new_users")]
pub struct NewUserRow {
    pub id: Id<NewUserRow>,
    #[belongs_to(user: User)]
    pub user_id: Id<User>,
}

/// Names that mean something else in Rust.
#[derive(Model, Clone, Debug)]
#[orm(table = "options")]
#[orm(index(r#unique, r#where, r#fn, name = "odd \"index\""))]
#[has_many(option_rows_by_type_option_row: OptionRow, by = type_id)]
pub struct OptionRow {
    pub id: Id<OptionRow>,
    pub r#type: String,
    pub r#where: String,
    pub r#unique: String,
    pub r#fn: String,
    #[orm(column = "self")]
    pub self_column: String,
    #[orm(column = "a b")]
    pub a_b: String,
    #[orm(column = "a-b")]
    pub a_b_2: String,
    #[orm(column = "2nd \"name\"")]
    pub n_2nd_name: String,
    #[belongs_to(type_option_row: OptionRow, on_delete = set_null)]
    pub type_id: Option<Id<OptionRow>>,
}

#[derive(Model, Clone, Debug)]
#[belongs_to(region_row: Region, by = (country, region), deferrable, initially_deferred)]
#[many_to_many(follower_people: Person, via = Follow, by = followed, to = follower)]
#[many_to_many(followed_people: Person, via = Follow, by = follower, to = followed)]
pub struct Person {
    #[orm(id)]
    pub code: String,
    pub country: String,
    pub region: i64,
    #[belongs_to(first_playlist: Playlist)]
    pub first_playlist_id: Id<Playlist>,
    #[belongs_to(second_playlist: Playlist, on_delete = set_null)]
    #[orm(unique)]
    pub second_playlist_id: Option<Id<Playlist>>,
}

#[derive(Model, Clone, Debug)]
#[orm(id(playlist_id, track_id))]
pub struct PlaylistTrack {
    #[belongs_to(playlist: Playlist, on_delete = cascade)]
    pub playlist_id: Id<Playlist>,
    #[belongs_to(track: Track, on_delete = cascade)]
    pub track_id: Id<Track>,
}

#[derive(Model, Clone, Debug)]
#[has_many(people_by_first_playlist: Person, by = first_playlist_id)]
#[has_one(person_by_second_playlist: Person, by = second_playlist_id)]
#[many_to_many(tracks: Track, via = PlaylistTrack)]
pub struct Playlist {
    pub id: Id<Playlist>,
    pub name: String,
}

#[derive(Model, Clone, Debug)]
#[orm(id(country, code))]
#[has_many(people: Person, by = (country, region))]
pub struct Region {
    pub country: String,
    pub code: i64,
    pub r#type: String,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "staff", rename_all = "camelCase")]
#[has_one(badge: Badge, by = employee_id)]
#[has_many(staffs_by_mentor: Staff, by = mentor_id)]
#[has_many(staffs_by_reports_to_staff: Staff, by = reports_to)]
pub struct Staff {
    pub id: Id<Staff>,
    pub last_name: String,
    #[belongs_to(reports_to_staff: Staff)]
    pub reports_to: Option<Id<Staff>>,
    #[belongs_to(mentor: Staff, on_delete = no_action)]
    pub mentor_id: Option<Id<Staff>>,
}

#[derive(Model, Clone, Debug)]
#[orm(unique(album_id, number))]
#[orm(index(album_id, name, where = "bytes > 0", name = "big"))]
#[orm(index(name, unit_price.desc()))]
#[orm(index("lower(name)", unique, name = "lowered"))]
#[orm(check("number <> 13", name = "ck_tracks_f6469d86"))]
#[orm(check("milliseconds > bytes", name = "long"))]
#[many_to_many(playlists: Playlist, via = PlaylistTrack)]
pub struct Track {
    pub id: Id<Track>,
    pub name: String,
    #[belongs_to(album: Album, on_delete = set_null, on_update = cascade, deferrable)]
    pub album_id: Option<Id<Album>>,
    pub number: i32,
    #[orm(check = "milliseconds > 0", default(sql = "7"))]
    pub milliseconds: i64,
    pub bytes: Option<i64>,
    #[orm(index)]
    pub unit_price: f64,
    #[orm(generated = "bytes / milliseconds")]
    pub rate: Option<i64>,
    #[orm(default(sql = "false"))]
    pub live: bool,
    #[orm(default(sql = "'it''s \"x\"'::text"))]
    pub composer: String,
    pub mood: Option<Mood>,
    pub cover: Vec<u8>,
    pub price: Scaled<10, 2>,
    pub at: Timestamp,
    pub day: Option<orm::Date>,
}

/// `NewUser` is what an insert of users takes.
#[derive(Model, Clone, Debug)]
#[has_many(new_user_rows: NewUserRow)]
pub struct User {
    pub id: Id<User>,
    pub name: String,
}

#[derive(Model, Clone, Debug)]
#[orm(schema = "search")]
#[orm(index(words, method = gin, with = "fastupdate=off"))]
#[orm(index(title.op_class("text_pattern_ops"), name = "prefix"))]
#[orm(index(title.desc().nulls_last(), include(views), where = "views > 0", name = "titles"))]
pub struct Page {
    pub id: Id<Page>,
    #[orm(ty = "character varying(40)")]
    pub title: String,
    #[orm(default(sql = "0"))]
    pub views: i32,
    pub words: Vec<String>,
    pub extra: serde_json::Value,
    pub small: i16,
    pub single: f32,
    pub time: orm::TimeOfDay,
    pub local: orm::LocalTimestamp,
}

/// All models.
pub fn schema() -> orm::schema::Schema {
    orm::schema![
        Album,
        Artist,
        Badge,
        Follow,
        NewUserRow,
        OptionRow,
        Person,
        PlaylistTrack,
        Playlist,
        Region,
        Staff,
        Track,
        User,
        Page,
    ]
}
