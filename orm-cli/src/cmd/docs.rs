//! Diagrams and the dictionary.

use orm::migrate::docs::dictionary::{self, Dictionary};
use orm::migrate::docs::erd;
use orm::migrate::docs::evolution::Evolution;
use orm::migrate::schema::{Name, Schema};
use serde_json::{Value, json};

use crate::args::{self, Detail, DictionaryFormat, ErdFormat};
use crate::cmd::{Context, written};
use crate::reply::{Reply, Stop};

pub(crate) async fn erd(context: &Context, typed: &args::Erd) -> Result<Reply, Stop> {
    let (schema, _) = context.schema_of(&typed.of, None).await?;
    let only = named(&schema, &typed.tables)?;
    let format = match typed.format {
        ErdFormat::Mermaid => erd::Format::Mermaid,
        ErdFormat::Dot => erd::Format::Dot,
        ErdFormat::Plantuml => erd::Format::PlantUml,
    };
    let detail = match typed.detail {
        Detail::Conceptual => erd::Detail::Conceptual,
        Detail::Logical => erd::Detail::Logical,
        Detail::Physical => erd::Detail::Physical,
    };
    let text = erd::erd(&schema, &only, format, detail);
    let json = json!({ "diagram": text });
    written(text, json, typed.out.as_deref())
}

/// The tables that are meant; each has to be there.
pub(crate) fn named(schema: &Schema, tables: &[String]) -> Result<Vec<Name>, Stop> {
    let find = |wanted: &String| {
        let mut all = schema.tables.iter().map(|t| &t.name);
        let found = all.find(|n| n.to_string() == *wanted || n.name == *wanted);
        found
            .cloned()
            .ok_or_else(|| Stop::usage(format!("the schema has no table `{wanted}`")))
    };
    tables.iter().map(find).collect()
}

pub(crate) async fn dictionary(context: &Context, typed: &args::Dictionary) -> Result<Reply, Stop> {
    let (schema, _) = context.schema_of(&typed.of, None).await?;
    let models = match &context.models.schema {
        Some(models) if typed.of == "models" => Some(models()),
        _ => None,
    };
    let dictionary = Dictionary::of(&schema, models.as_ref());
    let format = match typed.format {
        DictionaryFormat::Markdown => dictionary::Format::Markdown,
        DictionaryFormat::Html => dictionary::Format::Html,
        DictionaryFormat::Json => dictionary::Format::Json,
        DictionaryFormat::Csv => dictionary::Format::Csv,
    };
    let text = dictionary.write(format)?;
    let json = serde_json::to_value(&dictionary).unwrap_or(Value::Null);
    written(text, json, typed.out.as_deref())
}

pub(crate) fn evolution(context: &Context, typed: &args::Evolution) -> Result<Reply, Stop> {
    let evolution = Evolution::of(&context.config.files()?, context.config.backend()?)?;
    let json = serde_json::to_value(&evolution).unwrap_or(Value::Null);
    written(evolution.to_markdown(), json, typed.out.as_deref())
}
