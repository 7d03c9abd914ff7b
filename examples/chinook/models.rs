//! The eleven tables of the Chinook store as plain structs; two of them keep an audit trail.
// a query reads most columns in the database only, and rustc does not see that
#![allow(dead_code)]

use chrono::{DateTime, Utc};
use orm::prelude::*;
use rust_decimal::Decimal;

#[derive(Model, Clone, Debug)]
#[has_many(albums: Album)]
pub struct Artist {
    pub id: Id<Artist>,
    pub name: String,
}

#[derive(Model, Clone, Debug)]
#[has_many(tracks: Track)]
pub struct Album {
    pub id: Id<Album>,
    pub title: String,
    #[belongs_to(artist: Artist)]
    #[orm(index)]
    pub artist_id: Id<Artist>,
}

#[derive(Model, Clone, Debug)]
#[has_many(tracks: Track)]
pub struct Genre {
    pub id: Id<Genre>,
    pub name: String,
}

#[derive(Model, Clone, Debug)]
#[has_many(tracks: Track)]
pub struct MediaType {
    pub id: Id<MediaType>,
    pub name: String,
}

#[derive(Model, Clone, Debug)]
#[has_many(lines: InvoiceLine)]
#[many_to_many(playlists: Playlist, via = PlaylistTrack)]
pub struct Track {
    pub id: Id<Track>,
    pub name: String,
    #[belongs_to(album: Album)]
    #[orm(index)]
    pub album_id: Option<Id<Album>>,
    #[belongs_to(media_type: MediaType)]
    #[orm(index)]
    pub media_type_id: Id<MediaType>,
    #[belongs_to(genre: Genre)]
    #[orm(index)]
    pub genre_id: Option<Id<Genre>>,
    pub composer: Option<String>,
    pub milliseconds: i64,
    pub bytes: Option<i64>,
    #[orm(decimal(10, 2))]
    pub unit_price: Decimal,
}

#[derive(Model, Clone, Debug)]
#[many_to_many(tracks: Track, via = PlaylistTrack)]
pub struct Playlist {
    pub id: Id<Playlist>,
    pub name: String,
}

/// A track may be in many playlists: the pair is the key.
#[derive(Model, Clone, Debug)]
#[orm(id(playlist_id, track_id))]
pub struct PlaylistTrack {
    #[belongs_to(playlist: Playlist, on_delete = cascade)]
    pub playlist_id: Id<Playlist>,
    #[belongs_to(track: Track, on_delete = cascade)]
    #[orm(index)]
    pub track_id: Id<Track>,
}

#[derive(Model, Clone, Debug)]
#[has_many(reports: Employee, by = reports_to)]
#[has_many(customers: Customer, by = support_rep_id)]
pub struct Employee {
    pub id: Id<Employee>,
    pub last_name: String,
    pub first_name: String,
    pub title: Option<String>,
    #[belongs_to(manager: Employee)]
    #[orm(index)]
    pub reports_to: Option<Id<Employee>>,
    pub birth_date: Option<DateTime<Utc>>,
    pub hire_date: Option<DateTime<Utc>>,
    pub address: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub country: Option<String>,
    pub postal_code: Option<String>,
    pub phone: Option<String>,
    pub fax: Option<String>,
    pub email: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[has_many(invoices: Invoice)]
pub struct Customer {
    pub id: Id<Customer>,
    pub first_name: String,
    pub last_name: String,
    pub company: Option<String>,
    pub address: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub country: String,
    pub postal_code: Option<String>,
    pub phone: Option<String>,
    pub fax: Option<String>,
    #[orm(unique)]
    pub email: String,
    #[belongs_to(support_rep: Employee)]
    #[orm(index)]
    pub support_rep_id: Option<Id<Employee>>,
}

/// Who wrote what, and what it was before, is in the audit trail.
#[derive(Model, Clone, Debug)]
#[orm(audit_trail)]
#[has_many(lines: InvoiceLine)]
pub struct Invoice {
    pub id: Id<Invoice>,
    #[belongs_to(customer: Customer)]
    #[orm(index)]
    pub customer_id: Id<Customer>,
    #[orm(index)]
    pub invoice_date: DateTime<Utc>,
    pub billing_address: Option<String>,
    pub billing_city: Option<String>,
    pub billing_state: Option<String>,
    pub billing_country: String,
    pub billing_postal_code: Option<String>,
    #[orm(decimal(10, 2))]
    pub total: Decimal,
}

#[derive(Model, Clone, Debug)]
#[orm(audit_trail)]
pub struct InvoiceLine {
    pub id: Id<InvoiceLine>,
    #[belongs_to(invoice: Invoice, on_delete = cascade)]
    #[orm(index)]
    pub invoice_id: Id<Invoice>,
    #[belongs_to(track: Track)]
    #[orm(index)]
    pub track_id: Id<Track>,
    #[orm(decimal(10, 2))]
    pub unit_price: Decimal,
    pub quantity: i32,
}

/// All tables, for `db.create_all(..)`.
pub fn schema() -> orm::schema::Schema {
    orm::schema![
        Artist,
        Album,
        Genre,
        MediaType,
        Track,
        Playlist,
        PlaylistTrack,
        Employee,
        Customer,
        Invoice,
        InvoiceLine,
        orm::AuditLog
    ]
}
