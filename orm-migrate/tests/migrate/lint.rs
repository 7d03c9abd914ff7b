//! Each rule with a case that it finds and one that it leaves alone, and the safe forms.

use orm_migrate::Backend;
use orm_migrate::diff::Renames;
use orm_migrate::lint::{Finding, Options, Review, Severity, lint, lint_schema, lint_sql, safe};
use orm_migrate::plan::{Plan, plan};
use orm_migrate::schema::{
    Check, Column, Domain, Enum, Exclusion, Extension, Fill, ForeignKey, Grant, Index, IndexPart, Key, Name,
    Policy, RowSecurity, Schema, Sequence, Table, Trigger, Unique,
};

fn column(name: &str, ty: &str) -> Column {
    Column {
        name: name.into(),
        ty: ty.into(),
        nullable: true,
        ..Column::default()
    }
}
fn index(name: &str, columns: &[&str]) -> Index {
    let part = |c: &&str| IndexPart {
        key: c.to_string(),
        ..IndexPart::default()
    };
    Index {
        name: name.into(),
        parts: columns.iter().map(part).collect(),
        ..Index::default()
    }
}
fn link() -> ForeignKey {
    ForeignKey {
        name: Some("fk".into()),
        columns: vec!["boss_id".into()],
        target: Name::new("users"),
        target_columns: vec!["id".into()],
        ..ForeignKey::default()
    }
}

/// `users(id, name, age, boss_id)`.
fn users() -> Table {
    Table {
        name: Name::new("users"),
        columns: vec![
            Column {
                nullable: false,
                ..column("id", "bigint")
            },
            column("name", "text"),
            column("age", "integer"),
            column("boss_id", "bigint"),
        ],
        primary_key: Some(Key {
            name: Some("pk_users".into()),
            columns: vec!["id".into()],
            ..Key::default()
        }),
        ..Table::default()
    }
}
fn schema(change: impl FnOnce(&mut Schema)) -> Schema {
    let mut out = Schema {
        tables: vec![users()],
        ..Schema::default()
    };
    change(&mut out);
    out.normalize();
    out
}
fn table(change: impl FnOnce(&mut Table)) -> Schema {
    schema(|s| change(&mut s.tables[0]))
}
fn planned(from: &Schema, to: &Schema, database: Backend) -> Plan {
    let mut renames = Renames::default();
    loop {
        match plan(from, to, &renames, database).unwrap() {
            orm_migrate::plan::Planned::Plan(plan) => return plan,
            orm_migrate::plan::Planned::NeedsDecision(questions) => renames.denied.extend(questions),
        }
    }
}
fn findings(from: &Schema, to: &Schema, database: Backend) -> Vec<Finding> {
    lint(&planned(from, to, database), database, &Options::default())
}

/// The rule is found on the way from one schema to the other, and not on the way between the other two.
#[track_caller]
fn rule(database: Backend, rule: &str, bad: (&Schema, &Schema), good: (&Schema, &Schema)) -> Finding {
    let found = findings(bad.0, bad.1, database);
    let Some(finding) = found.iter().find(|f| f.rule == rule) else {
        panic!("{rule} was not found in {found:#?}");
    };
    let other = findings(good.0, good.1, database);
    assert!(
        !other.iter().any(|f| f.rule == rule),
        "{rule} was found in {other:#?}"
    );
    assert!(!finding.why.is_empty());
    finding.clone()
}

#[test]
fn rules_of_changes_on_postgres() {
    let pg = Backend::Postgres;
    let (none, plain) = (Schema::default(), schema(|_| {}));
    let check = |not_valid| Check {
        name: Some("ck".into()),
        condition: "age > 0".into(),
        not_valid,
        ..Check::default()
    };

    // a table that the plan creates is used by nobody
    let indexed = table(|t| t.indexes.push(index("ix", &["name"])));
    rule(pg, "index-not-concurrent", (&plain, &indexed), (&none, &indexed));
    rule(
        pg,
        "drop-index-not-concurrent",
        (&indexed, &plain),
        (&plain, &plain),
    );

    let linked = |not_valid| {
        table(|t| {
            t.foreign_keys.push(ForeignKey { not_valid, ..link() });
            t.indexes.push(index("ix", &["boss_id"]));
        })
    };
    rule(
        pg,
        "add-fk-validated",
        (&plain, &linked(false)),
        (&plain, &linked(true)),
    );
    let checked = |not_valid| table(|t| t.checks.push(check(not_valid)));
    rule(
        pg,
        "add-check-validated",
        (&plain, &checked(false)),
        (&plain, &checked(true)),
    );
    rule(
        pg,
        "may-refuse-rows",
        (&plain, &checked(true)),
        (&none, &checked(true)),
    );
    let unique = table(|t| {
        t.uniques.push(Unique {
            name: Some("uq".into()),
            columns: vec!["name".into()],
            ..Unique::default()
        });
    });
    rule(pg, "add-unique-direct", (&plain, &unique), (&none, &unique));
    let keyless = table(|t| t.primary_key = None);
    rule(pg, "add-pk-direct", (&keyless, &plain), (&none, &plain));
    let excluded = table(|t| {
        t.exclusions.push(Exclusion {
            name: "ex".into(),
            definition: "USING gist (name WITH =)".into(),
        });
    });
    rule(pg, "add-exclusion", (&plain, &excluded), (&none, &excluded));

    let required = table(|t| t.columns[1].nullable = false);
    rule(pg, "set-not-null-scan", (&plain, &required), (&none, &required));
    rule(pg, "drop-not-null", (&required, &plain), (&plain, &required));

    let added = |fill: Fill, nullable| {
        table(|t| {
            t.columns.push(Column {
                fill,
                nullable,
                ..column("extra", "uuid")
            });
        })
    };
    let with = |sql: &str| Fill::Default(sql.into());
    rule(
        pg,
        "add-required-column",
        (&plain, &added(Fill::None, false)),
        (&plain, &added(with("NULL"), true)),
    );
    // the same moment for all rows is one value
    let volatile = added(with("gen_random_uuid()"), false);
    rule(
        pg,
        "volatile-default",
        (&plain, &volatile),
        (&plain, &added(with("now()"), false)),
    );
    let stored = added(Fill::Stored("age * 2".into()), true);
    rule(pg, "stored-generated-column", (&plain, &stored), (&none, &stored));
    let identity = added(Fill::Identity { always: true }, false);
    rule(pg, "add-identity", (&plain, &identity), (&none, &identity));

    let retyped = |ty: &str| table(|t| t.columns[1].ty = ty.into());
    let rewritten = rule(
        pg,
        "type-change-rewrite",
        (&plain, &retyped("bigint")),
        (
            &retyped("character varying(10)"),
            &retyped("character varying(20)"),
        ),
    );
    assert!(rewritten.breaks_old_program);
    let defaulted = table(|t| t.columns[1].fill = with("'x'::text"));
    rule(pg, "drop-default", (&defaulted, &plain), (&plain, &defaulted));
    let unlogged = table(|t| t.unlogged = true);
    rule(pg, "set-logged", (&unlogged, &plain), (&none, &unlogged));

    let part = |of: Option<(Name, String)>| {
        schema(|s| {
            s.tables.push(Table {
                name: Name::new("part"),
                partition_of: of,
                ..users()
            });
        })
    };
    let attached = part(Some((Name::new("users"), "DEFAULT".into())));
    rule(
        pg,
        "partition-detach",
        (&attached, &part(None)),
        (&part(None), &attached),
    );
}

#[test]
fn rules_of_types_names_and_what_goes() {
    let pg = Backend::Postgres;
    let plain = schema(|_| {});
    let mood = |labels: &[&str], renamed: &[(&str, &str)]| {
        schema(|s| {
            s.enums.push(Enum {
                name: Name::new("mood"),
                labels: labels.iter().map(|l| l.to_string()).collect(),
                renamed_labels: renamed
                    .iter()
                    .map(|(a, b)| (a.to_string(), b.to_string()))
                    .collect(),
                ..Enum::default()
            });
        })
    };
    let (two, three) = (mood(&["a", "b"], &[]), mood(&["a", "b", "c"], &[]));
    rule(pg, "enum-rebuild", (&three, &two), (&two, &three));
    rule(
        pg,
        "rename-enum-label",
        (&two, &mood(&["a", "x"], &[("b", "x")])),
        (&two, &three),
    );
    rule(pg, "drop-type", (&two, &plain), (&plain, &two));
    let mut other = two.clone();
    other.enums[0].name = Name::new("humour");
    other.enums[0].renamed_from = Some("mood".into());
    rule(pg, "rename-type", (&two, &other), (&two, &two));

    let domain = |checks: Vec<Check>| {
        schema(|s| {
            s.domains.push(Domain {
                name: Name::new("positive"),
                ty: "integer".into(),
                checks,
                ..Domain::default()
            });
        })
    };
    let positive = Check {
        name: Some("ck".into()),
        condition: "VALUE > 0".into(),
        ..Check::default()
    };
    rule(
        pg,
        "domain-check",
        (&domain(vec![]), &domain(vec![positive.clone()])),
        (&plain, &domain(vec![])),
    );
    rule(
        pg,
        "drop-domain",
        (&domain(vec![positive]), &plain),
        (&plain, &plain),
    );

    let renamed = table(|t| {
        t.columns[2].name = "years".into();
        t.columns[2].renamed_from = Some("age".into());
    });
    rule(pg, "rename-column", (&plain, &renamed), (&renamed, &renamed));
    let people = table(|t| {
        t.name = Name::new("people");
        t.renamed_from = Some("users".into());
    });
    rule(pg, "rename-table", (&plain, &people), (&people, &people));
    let empty = Schema::default();
    for database in [pg, Backend::Sqlite] {
        assert!(rule(database, "drop-table", (&plain, &empty), (&empty, &plain)).breaks_old_program);
        let fewer = table(|t| drop(t.columns.remove(1)));
        rule(database, "drop-column", (&plain, &fewer), (&fewer, &plain));
    }
    let space = schema(|s| s.schemas.push("shop".into()));
    rule(pg, "drop-schema", (&space, &plain), (&plain, &space));
    let extended = schema(|s| {
        s.extensions.push(Extension {
            name: "citext".into(),
            schema: None,
        });
    });
    rule(pg, "drop-extension", (&extended, &plain), (&plain, &extended));
    let numbered = schema(|s| {
        s.sequences.push(Sequence {
            name: Name::new("numbers"),
            ty: "bigint".into(),
            ..Sequence::default()
        });
    });
    rule(pg, "drop-sequence", (&numbered, &plain), (&plain, &numbered));

    let checked = table(|t| {
        t.checks.push(Check {
            name: Some("ck".into()),
            condition: "age > 0".into(),
            ..Check::default()
        });
    });
    rule(pg, "drop-constraint", (&checked, &plain), (&plain, &checked));
    let keyless = table(|t| t.primary_key = None);
    rule(pg, "drop-primary-key", (&plain, &keyless), (&keyless, &plain));
    let triggered = table(|t| {
        t.triggers.push(Trigger {
            name: "tr".into(),
            definition: "CREATE TRIGGER tr AFTER INSERT ON users EXECUTE FUNCTION f()".into(),
            ..Trigger::default()
        });
    });
    rule(pg, "drop-trigger", (&triggered, &plain), (&plain, &triggered));
    let secured = table(|t| {
        t.row_security = RowSecurity::On;
        t.policies.push(Policy {
            name: "own".into(),
            definition: "USING (true)".into(),
        });
    });
    rule(pg, "row-security", (&secured, &plain), (&plain, &plain));
    let granted = schema(|s| {
        s.grants.push(Grant {
            kind: "TABLE".into(),
            object: Name::new("users"),
            role: "clerk".into(),
            privileges: vec!["SELECT".into()],
            ..Grant::default()
        });
    });
    rule(pg, "revoke", (&granted, &plain), (&plain, &granted));

    let typed = |ty: &str| table(|t| t.columns.push(column("extra", ty)));
    for (ty, name, better) in [
        (
            "timestamp without time zone",
            "prefer-timestamptz",
            "timestamp with time zone",
        ),
        ("json", "prefer-jsonb", "jsonb"),
        ("money", "ban-money", "numeric"),
        ("character(3)", "ban-char", "character varying(3)"),
        ("serial", "prefer-identity", "bigint"),
    ] {
        rule(pg, name, (&plain, &typed(ty)), (&plain, &typed(better)));
    }
    let key = |ty: &str| {
        schema(|s| {
            s.tables[0].columns[0].ty = ty.into();
            s.tables[0].columns[0].fill = Fill::Identity { always: false };
        })
    };
    rule(
        pg,
        "prefer-bigint",
        (&empty, &key("integer")),
        (&empty, &key("bigint")),
    );
    let named = |name: &str| table(|t| t.indexes.push(index(name, &["name"])));
    rule(
        pg,
        "identifier-too-long",
        (&plain, &named(&"x".repeat(64))),
        (&plain, &named(&"x".repeat(63))),
    );
    let wide = |columns: &[&str]| table(|t| t.indexes.push(index("ix", columns)));
    let (four, three) = (
        wide(&["id", "name", "age", "boss_id"]),
        wide(&["id", "name", "age"]),
    );
    rule(pg, "wide-index", (&plain, &four), (&plain, &three));
    let tables = |n: usize, ty: &str| {
        let one = |i: usize| Table {
            name: Name::new(format!("t{i}")),
            columns: vec![column("id", "bigint"), column("x", ty)],
            ..Table::default()
        };
        Schema {
            tables: (0..n).map(one).collect(),
            ..Schema::default()
        }
    };
    rule(
        pg,
        "many-locks",
        (&tables(5, "integer"), &tables(5, "text")),
        (&tables(4, "integer"), &tables(4, "text")),
    );
    rule(pg, "lossy-downgrade", (&empty, &plain), (&plain, &plain));
}

#[test]
fn rules_of_changes_on_sqlite() {
    let lite = Backend::Sqlite;
    let (none, plain) = (Schema::default(), schema(|_| {}));
    let required = table(|t| t.columns[1].nullable = false);
    rule(lite, "set-not-null-scan", (&plain, &required), (&none, &required));
    let added = |fill| {
        table(|t| {
            t.columns.push(Column {
                nullable: false,
                fill,
                ..column("extra", "INTEGER")
            });
        })
    };
    let default = added(Fill::Default("0".into()));
    rule(
        lite,
        "add-required-column",
        (&plain, &added(Fill::None)),
        (&plain, &default),
    );
    let checked = table(|t| {
        t.checks.push(Check {
            condition: "age > 0".into(),
            ..Check::default()
        });
    });
    rule(lite, "table-rebuild", (&plain, &checked), (&plain, &default));
    // one writes at a time in any case
    let indexed = table(|t| t.indexes.push(index("ix", &["name"])));
    assert_eq!(findings(&plain, &indexed, lite), []);
}

#[test]
fn safe_forms() {
    let plain = schema(|_| {});
    let to = table(|t| {
        t.columns[1].nullable = false;
        t.indexes.push(index("ix", &["name"]));
        t.foreign_keys.push(link());
        t.uniques.push(Unique {
            name: Some("uq".into()),
            columns: vec!["name".into(), "age".into()],
            ..Unique::default()
        });
    });
    let dangerous = planned(&plain, &to, Backend::Postgres);
    let rewritten = safe(&dangerous, Backend::Postgres);
    let statements: Vec<&str> = rewritten.up.statements().collect();
    assert_eq!(
        statements,
        [
            "ALTER TABLE \"users\" ADD CONSTRAINT \"nn_users_name\" CHECK (\"name\" IS NOT NULL) NOT VALID",
            "ALTER TABLE \"users\" VALIDATE CONSTRAINT \"nn_users_name\"",
            "ALTER TABLE \"users\" ALTER COLUMN \"name\" SET NOT NULL",
            "ALTER TABLE \"users\" DROP CONSTRAINT \"nn_users_name\"",
            "CREATE UNIQUE INDEX CONCURRENTLY \"uq\" ON \"users\" (\"name\", \"age\")",
            "ALTER TABLE \"users\" ADD CONSTRAINT \"uq\" UNIQUE USING INDEX \"uq\"",
            "CREATE INDEX CONCURRENTLY \"ix\" ON \"users\" (\"name\")",
            "ALTER TABLE \"users\" ADD CONSTRAINT \"fk\" FOREIGN KEY (\"boss_id\") REFERENCES \"users\" (\"id\") NOT VALID",
            "ALTER TABLE \"users\" VALIDATE CONSTRAINT \"fk\"",
        ]
    );
    let alone: Vec<bool> = rewritten.up.steps.iter().map(|s| s.alone).collect();
    assert_eq!(alone, [true, true, false, false, true, false, true, true, true]);
    let down: Vec<&str> = rewritten.down.statements().collect();
    assert!(down.contains(&"DROP INDEX CONCURRENTLY \"ix\""), "{down:?}");
    // what was put right is found no more, and the text says where a transaction ends
    let findings = lint(&rewritten, Backend::Postgres, &Options::default());
    assert!(!findings.iter().any(|f| f.stops()), "{findings:?}");
    assert!(
        lint(&dangerous, Backend::Postgres, &Options::default())
            .iter()
            .any(|f| f.stops())
    );
    let script = rewritten.up.to_sql();
    assert_eq!(
        script
            .lines()
            .filter(|l| *l == "-- orm: commit" || !l.starts_with("--"))
            .take(7)
            .collect::<Vec<_>>(),
        [
            statements[0].to_owned() + ";",
            "-- orm: commit".to_owned(),
            statements[1].to_owned() + ";",
            "-- orm: commit".to_owned(),
            statements[2].to_owned() + ";",
            statements[3].to_owned() + ";",
            statements[4].to_owned() + ";",
        ]
    );
    let findings = lint_sql(&script, Backend::Postgres, &Options::default()).unwrap();
    assert!(
        !findings.iter().any(|f| f.stops() || f.rule == "comment-not-read"),
        "{findings:?}"
    );
    // what is new is nobody's yet, and SQLite has one writer
    let fresh = planned(&Schema::default(), &to, Backend::Postgres);
    assert_eq!(safe(&fresh, Backend::Postgres).up, fresh.up);
    let lite = planned(&plain, &to, Backend::Sqlite);
    assert_eq!(safe(&lite, Backend::Sqlite).up, lite.up);
}

#[test]
fn a_check_that_stands_for_a_moment_has_a_free_name() {
    let taken = |table: &mut Table| {
        table.checks.push(Check {
            name: Some("nn_users_name".into()),
            condition: "name <> ''".into(),
            ..Check::default()
        });
    };
    let from = table(taken);
    let to = table(|t| {
        taken(t);
        t.columns[1].nullable = false;
    });
    let rewritten = safe(&planned(&from, &to, Backend::Postgres), Backend::Postgres);
    let first = rewritten.up.statements().next().unwrap();
    assert!(
        first.contains("ADD CONSTRAINT \"nn_users_name_2\" CHECK"),
        "{first}"
    );
    // and is no longer than a name may be
    let long = "é".repeat(31);
    let called = |nullable| {
        table(|t| {
            t.name = Name::new(&long);
            t.columns[1].nullable = nullable;
        })
    };
    let rewritten = safe(
        &planned(&called(true), &called(false), Backend::Postgres),
        Backend::Postgres,
    );
    let first = rewritten.up.statements().next().unwrap();
    let name = first.split('"').nth(3).unwrap();
    assert!(name.starts_with("nn_éé") && name.len() <= 63, "{first}");
}

#[test]
fn partitioned_tables_have_no_safe_form() {
    let divided = |change: fn(&mut Table)| {
        table(|t| {
            t.partition_by = Some("RANGE (id)".into());
            change(t);
        })
    };
    let plan = planned(
        &divided(|_| {}),
        &divided(|t| {
            t.indexes.push(index("ix", &["name"]));
            t.foreign_keys.push(link());
        }),
        Backend::Postgres,
    );
    assert_eq!(safe(&plan, Backend::Postgres).up, plan.up);
    let findings = lint(
        &safe(&plan, Backend::Postgres),
        Backend::Postgres,
        &Options::default(),
    );
    let found = findings
        .iter()
        .find(|f| f.rule == "index-not-concurrent")
        .unwrap();
    assert!(
        found.stops() && !found.rewritten && found.instead.is_empty(),
        "{found:?}"
    );
}

#[test]
fn what_is_allowed_says_why() {
    let (plain, fewer) = (schema(|_| {}), table(|t| drop(t.columns.remove(1))));
    let plan = planned(&plain, &fewer, Backend::Postgres);
    let allow = |rule: &str| Options {
        allow: vec![(rule.to_owned(), "nobody reads it".to_owned())],
        ..Options::default()
    };
    let allowed = |rule: &str| {
        let found = lint(&plan, Backend::Postgres, &allow(rule));
        found
            .into_iter()
            .find(|f| f.rule == "drop-column")
            .unwrap()
            .allowed
    };
    assert_eq!(allowed("drop-column").as_deref(), Some("nobody reads it"));
    assert_eq!(
        allowed("drop-column:users.name").as_deref(),
        Some("nobody reads it")
    );
    assert_eq!(allowed("drop-column:users.age"), None);
    assert_eq!(allowed("drop-table"), None);
}

#[test]
fn a_review_has_two_verdicts_and_the_way_back() {
    let (plain, fewer) = (schema(|_| {}), table(|t| drop(t.columns.remove(1))));
    let review = |from, to| {
        Review::of(
            &planned(from, to, Backend::Postgres),
            Backend::Postgres,
            &Options::default(),
        )
    };
    let bad = review(&plain, &fewer);
    assert_eq!((bad.safe_to_run, bad.old_program_works), (false, false));
    assert_eq!(bad.losses, ["the values of column users.name"]);
    assert_eq!(bad.rollback, ["ALTER TABLE \"users\" ADD COLUMN \"name\" text"]);
    let text = bad.to_markdown();
    assert!(
        text.contains("- Safe to run while the database is in use: **no**"),
        "{text}"
    );
    assert!(
        text.contains("- **error** `drop-column`, drop column users.name:"),
        "{text}"
    );
    assert!(bad.to_json().unwrap().contains("\"safe_to_run\": false"));
    let good = review(&fewer, &plain);
    assert_eq!((good.safe_to_run, good.old_program_works), (true, true));
    assert_eq!(good.rollback_losses, ["the values of column users.name"]);
}

#[test]
fn rules_of_schemas() {
    let found = |schema: &Schema, soft_delete| -> Vec<(&'static str, String)> {
        let options = Options {
            soft_delete,
            ..Options::default()
        };
        lint_schema(schema, &options)
            .into_iter()
            .map(|f| (f.rule, f.about))
            .collect()
    };
    let has = |schema: Schema, rule: &str| found(&schema, false).iter().any(|(r, _)| *r == rule);
    let linked = |covered: bool| {
        table(|t| {
            t.foreign_keys.push(link());
            if covered {
                t.indexes.push(index("ix", &["boss_id", "name"]));
            }
        })
    };
    assert!(has(linked(false), "fk-without-index") && !has(linked(true), "fk-without-index"));
    // a part of the rows, or another method, does not help
    let partial = table(|t| {
        t.foreign_keys.push(link());
        t.indexes.push(Index {
            filter: Some("age > 0".into()),
            ..index("ix", &["boss_id"])
        });
    });
    assert!(has(partial, "fk-without-index"));
    assert!(has(table(|t| t.primary_key = None), "no-primary-key") && !has(table(|_| {}), "no-primary-key"));
    let two = |a: &[&str], b: &[&str]| table(|t| t.indexes.extend([index("ix_a", a), index("ix_b", b)]));
    assert!(has(two(&["name"], &["name"]), "duplicate-index"));
    assert!(has(two(&["name"], &["name", "age"]), "redundant-index"));
    assert!(!has(two(&["age"], &["name", "age"]), "redundant-index"));
    assert!(has(
        table(|t| t.indexes.push(index("ix", &["id"]))),
        "redundant-index"
    ));
    let broken = table(|t| {
        t.indexes.push(Index {
            invalid: true,
            ..index("ix", &["name"])
        });
    });
    assert_eq!(
        lint_schema(&broken, &Options::default())[0].severity,
        Severity::Error
    );
    let naive = |ty: &str| table(|t| t.columns.push(column("at", ty)));
    assert!(has(naive("timestamp without time zone"), "naive-timestamp"));
    assert!(!has(naive("timestamp with time zone"), "naive-timestamp"));
    assert!(
        has(table(|t| t.columns.push(column("Mixed", "text"))), "odd-name")
            && !has(table(|_| {}), "odd-name")
    );
    let phones = |names: &[&str]| table(|t| t.columns.extend(names.iter().map(|n| column(n, "text"))));
    assert!(
        has(phones(&["phone1", "phone2"]), "repeating-columns")
            && !has(phones(&["phone1"]), "repeating-columns")
    );
    assert!(has(table(|_| {}), "nullable-everything"));
    assert!(!has(
        table(|t| t.columns[1].nullable = false),
        "nullable-everything"
    ));
    assert!(found(&schema(|_| {}), true).contains(&("no-soft-delete", "users".to_owned())));
    let soft = table(|t| t.columns.push(column("deleted_at", "timestamp with time zone")));
    assert!(!found(&soft, true).iter().any(|(r, _)| *r == "no-soft-delete"));
}
