//! Names of constraints and indexes that fit every database.

/// Identifiers longer than this many bytes are cut by a database without an error.
pub const MAX_BYTES: usize = 63;

/// The name itself, or its beginning with eight hexadecimal digits of its hash, at most 63 bytes long.
///
/// ```
/// use orm_core::schema::name::short;
/// assert_eq!(short("ix_posts_author_id"), "ix_posts_author_id");
/// assert_eq!(short(&"x".repeat(100)).len(), 63);
/// ```
pub fn short(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let mut end = MAX_BYTES - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{:08x}", &name[..end], fnv1a(name.as_bytes()))
}

/// FNV-1a of 32 bits: the same on every machine and in every version, unlike the hashes of the standard library.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, b| {
        (hash ^ *b as u32).wrapping_mul(0x0100_0193)
    })
}

/// `prefix_table_column_column`, shortened.
pub fn conventional<'a>(prefix: &str, table: &str, columns: impl IntoIterator<Item = &'a str>) -> String {
    let mut name = format!("{prefix}_{table}");
    for column in columns {
        name.push('_');
        name.push_str(column);
    }
    short(&name)
}

#[cfg(test)]
mod tests {
    use crate::schema::name::{conventional, short};

    #[test]
    fn cut_at_a_character_and_told_apart() {
        let long = "é".repeat(40);
        let cut = short(&long);
        assert!(cut.len() <= 63 && cut.starts_with("éé"));
        assert_ne!(cut, short(&format!("{long}x")));
        assert_eq!(short(&"a".repeat(63)).len(), 63);
        assert_eq!(short(&"a".repeat(64)), short(&"a".repeat(64)));
        assert_eq!(
            conventional("ix", "posts", ["author_id", "id"]),
            "ix_posts_author_id_id"
        );
    }
}
