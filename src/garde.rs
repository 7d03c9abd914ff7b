//! The rules of `garde`, as a validator of rows.

use std::fmt;

use ::garde::{Report, Validate};

/// What [`garde::Validate`](::garde::Validate) says about a model, as the validator of its rows: no write of any kind
/// gets past it.
///
/// The rows are looked at as they were written, with what defaults and the database filled in, and before the commit;
/// what is refused is undone. The error is of kind [`Validation`](crate::ErrorKind::Validation) and names the fields. The
/// words of the rules stay out of it, because they may hold values (`range(min = self.start)`): `row.validate()` has them.
///
/// ```
/// use orm::prelude::*;
///
/// #[derive(Model, garde::Validate, Clone, Debug)]
/// #[orm(validate = orm::garde)]
/// #[garde(allow_unvalidated)]
/// pub struct Member {
///     pub id: Id<Member>,
///     #[garde(email)]
///     pub email: String,
///     #[garde(length(chars, min = 1, max = 20))]
///     pub name: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> orm::Result<()> {
/// # let db = Db::connect("sqlite::memory:").await?;
/// # db.create_all(&orm::schema![Member]).await?;
/// let refused = NewMember { email: "ann".into(), name: "Ann".into() }.insert(&db).await.unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::Validation);
/// assert_eq!(refused.message(), "not valid: email");
/// # Ok(()) }
/// ```
pub fn garde<M: Validate>(row: &M) -> Result<(), Invalid>
where
    M::Context: Default,
{
    row.validate().map_err(Invalid)
}

/// Which fields of a row were refused: `not valid: email, name`. A field inside a field goes by the name of the outer one.
pub struct Invalid(Report);

impl Invalid {
    /// The names of the fields, each once.
    pub fn fields(&self) -> Vec<String> {
        let mut fields: Vec<String> = Vec::new();
        for (path, _) in self.0.iter() {
            let path = path.to_string();
            // what follows may be the key of a map, which is a value
            let field = path.split(['.', '[']).next().unwrap_or_default();
            if !fields.iter().any(|known| known == field) {
                fields.push(field.to_owned());
            }
        }
        fields
    }
    /// All that was found, in the words of the rules, which may hold values.
    pub fn report(&self) -> &Report {
        &self.0
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not valid: {}", self.fields().join(", "))
    }
}

impl fmt::Debug for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invalid")
            .field("fields", &self.fields())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Invalid {}
