//! What was done to a row, as audit trails and histories call it.

use crate::error::{Error, Result};
use crate::model::DbEnum;
use crate::value::{Cells, EnumType, Scalar, Type, Value};

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditOperation {
    /// It is new.
    Insert,
    /// It was changed.
    Update,
    /// It is gone, or softly deleted.
    Delete,
    /// It was softly deleted, and is back.
    Restore,
}

static ENUM: EnumType = EnumType {
    schema: None,
    name: "audit_operation",
    labels: &["insert", "update", "delete", "restore"],
};

impl DbEnum for AuditOperation {
    const ENUM: &'static EnumType = &ENUM;
    fn label(self) -> &'static str {
        match self {
            AuditOperation::Insert => "insert",
            AuditOperation::Update => "update",
            AuditOperation::Delete => "delete",
            AuditOperation::Restore => "restore",
        }
    }
    fn from_label(label: &str) -> Option<Self> {
        Some(match label {
            "insert" => AuditOperation::Insert,
            "update" => AuditOperation::Update,
            "delete" => AuditOperation::Delete,
            "restore" => AuditOperation::Restore,
            _ => return None,
        })
    }
}

impl Scalar for AuditOperation {
    const TYPE: Type = Type::Enum(&ENUM);
    fn into_value(self) -> Value {
        Value::Enum(&ENUM, self.label())
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(label) = cells.text(i)? else {
            return Ok(None);
        };
        let unknown = || Error::decode("a label the enum `AuditOperation` does not know");
        AuditOperation::from_label(label).map(Some).ok_or_else(unknown)
    }
}
