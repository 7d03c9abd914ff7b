//! Rules about `#[derive(Embed)]`.

use crate::check::columns;
use crate::ctxt::Ctxt;
use crate::parse::embed::Embed;
use crate::parse::plain;

/// Applies every rule to an embedded struct.
pub(crate) fn embed(cx: &Ctxt, embed: &Embed) {
    if embed.fields.is_empty() {
        cx.error(
            &embed.ident,
            format!("`{}` has no fields to embed", plain(&embed.ident)),
        );
    }
    for field in &embed.fields {
        columns::field_attributes_agree(cx, field);
        columns::decimal(cx, field);
        columns::owned_type(cx, field);
    }
    for (i, field) in embed.fields.iter().enumerate() {
        let name = embed.column(field);
        if let Some(first) = embed.fields[..i]
            .iter()
            .find(|other| embed.column(other).eq_ignore_ascii_case(&name))
        {
            let (first, second) = (first.name(), field.name());
            cx.error(
                &field.ident,
                format!("`{first}` and `{second}` are both stored as column `{name}`"),
            );
        }
    }
}
