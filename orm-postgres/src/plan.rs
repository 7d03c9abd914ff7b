//! EXPLAIN: its words, and what it prints as JSON. Pure text.

mod json;

use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::Explain;
use orm_core::sql::plan::{Actual, Buffers, Estimate, ExplainOptions, NodeKind, Plan, PlanNode};
use orm_core::value::{Type, Value};

use crate::plan::json::Json;

/// `EXPLAIN (FORMAT JSON, …)`.
pub(crate) fn explain(options: &ExplainOptions) -> Explain {
    let ExplainOptions {
        analyze,
        buffers,
        verbose,
        settings,
        wal,
        without_timing,
    } = *options;
    let mut words = String::from("EXPLAIN (FORMAT JSON");
    let given = [
        (analyze, ", ANALYZE"),
        (verbose, ", VERBOSE"),
        (buffers, ", BUFFERS"),
        // newer servers would tell them with every ANALYZE
        (analyze && !buffers, ", BUFFERS OFF"),
        (settings, ", SETTINGS"),
        (wal, ", WAL"),
        (without_timing, ", TIMING OFF"),
    ];
    words.extend(given.into_iter().filter(|(on, _)| *on).map(|(_, word)| word));
    words.push(')');
    Explain {
        words,
        columns: &[Type::Json],
    }
}

/// The plan that the one row holds.
pub(crate) fn plan(rows: Vec<Vec<Value>>) -> Result<Plan> {
    let text = rows.into_iter().flatten().find_map(|value| match value {
        Value::Json(text) | Value::Text(text) => Some(text),
        _ => None,
    });
    let text = text.ok_or_else(|| unreadable("no row"))?;
    let Json::Array(statements) = Json::parse(&text).ok_or_else(|| unreadable("no JSON"))? else {
        return Err(unreadable("no list"));
    };
    let mut plan = Plan::default();
    for statement in statements {
        let Json::Object(fields) = statement else {
            return Err(unreadable("no object"));
        };
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("Plan", Json::Object(fields)) => plan.roots.push(node(fields)),
                ("Planning Time", value) => plan.planning_ms = value.number(),
                ("Execution Time", value) => plan.execution_ms = value.number(),
                (_, Json::Array(items)) if items.is_empty() => {}
                (_, value) => plan.other.push((name, value.into_text())),
            }
        }
    }
    match plan.roots.is_empty() {
        true => Err(unreadable("no plan")),
        false => Ok(plan),
    }
}

fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("EXPLAIN answered with {what}"))
}

/// A step, with those under it. Nesting is bounded by the parser.
fn node(fields: Vec<(String, Json)>) -> PlanNode {
    let mut node = PlanNode::new(NodeKind::Other, "");
    let (mut estimate, mut actual) = ([None; 4], [None; 4]);
    let mut buffers = Buffers::default();
    let mut counted = false;
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("Node Type", Json::Text(text)) => node.name = text,
            // what is done says more than that something is written
            ("Operation", Json::Text(text)) if node.name == "ModifyTable" => {
                node.kind = NodeKind::Modify;
                node.name = text;
            }
            ("Subplan Name", Json::Text(text)) => node.subplan = Some(text),
            ("Relation Name" | "CTE Name" | "Function Name" | "Tuplestore Name", Json::Text(text)) => {
                node.relation = Some(text);
            }
            ("Schema", Json::Text(text)) => node.schema = Some(text),
            ("Alias", Json::Text(text)) => node.alias = Some(text),
            ("Index Name", Json::Text(text)) => node.index = Some(text),
            ("Join Type", Json::Text(text)) => node.join = Some(text),
            ("Index Cond" | "Hash Cond" | "Merge Cond" | "TID Cond", Json::Text(text)) => {
                node.condition = Some(text);
            }
            // that of a bitmap heap scan; the index below has it too
            ("Recheck Cond", Json::Text(text)) if node.condition.is_none() => node.condition = Some(text),
            ("Filter", Json::Text(text)) => node.filter = Some(text),
            ("Join Filter", Json::Text(text)) if node.filter.is_none() => node.filter = Some(text),
            ("Sort Key" | "Group Key", Json::Array(keys)) => {
                node.keys.extend(keys.into_iter().map(Json::into_text));
            }
            ("Rows Removed by Filter" | "Rows Removed by Join Filter", Json::Number(n)) => {
                let n: f64 = n.parse().unwrap_or_default();
                node.rows_removed = Some(node.rows_removed.unwrap_or_default() + n);
            }
            ("Startup Cost", value) => estimate[0] = value.number(),
            ("Total Cost", value) => estimate[1] = value.number(),
            ("Plan Rows", value) => estimate[2] = value.number(),
            ("Plan Width", value) => estimate[3] = value.number(),
            ("Actual Rows", value) => actual[0] = value.number(),
            ("Actual Loops", value) => actual[1] = value.number(),
            ("Actual Startup Time", value) => actual[2] = value.number(),
            ("Actual Total Time", value) => actual[3] = value.number(),
            ("Plans", Json::Array(plans)) => {
                let children = plans.into_iter().filter_map(|plan| match plan {
                    Json::Object(fields) => Some(self::node(fields)),
                    _ => None,
                });
                node.children.extend(children);
            }
            (name, Json::Number(n)) if blocks(&mut buffers, name).is_some() => {
                if let Some(place) = blocks(&mut buffers, name) {
                    *place = n.parse().unwrap_or_default();
                    counted = true;
                }
            }
            (_, value) => node.other.push((name, value.into_text())),
        }
    }
    if node.kind == NodeKind::Other {
        node.kind = kind(&node.name);
    }
    if let [Some(startup), Some(total), Some(rows), Some(width)] = estimate {
        node.estimate = Some(Estimate::new(startup, total, rows, width as u64));
    }
    if let [Some(rows), Some(loops), startup, total] = actual {
        node.actual = Some(Actual::new(rows, loops, startup, total));
    }
    node.buffers = counted.then_some(buffers);
    node
}

fn blocks<'b>(buffers: &'b mut Buffers, name: &str) -> Option<&'b mut u64> {
    Some(match name {
        "Shared Hit Blocks" => &mut buffers.shared_hit,
        "Shared Read Blocks" => &mut buffers.shared_read,
        "Shared Dirtied Blocks" => &mut buffers.shared_dirtied,
        "Shared Written Blocks" => &mut buffers.shared_written,
        "Local Hit Blocks" => &mut buffers.local_hit,
        "Local Read Blocks" => &mut buffers.local_read,
        "Local Dirtied Blocks" => &mut buffers.local_dirtied,
        "Local Written Blocks" => &mut buffers.local_written,
        "Temp Read Blocks" => &mut buffers.temp_read,
        "Temp Written Blocks" => &mut buffers.temp_written,
        _ => return None,
    })
}

fn kind(name: &str) -> NodeKind {
    match name {
        "Seq Scan" | "Sample Scan" => NodeKind::SequentialScan,
        "Index Scan" => NodeKind::IndexScan,
        "Index Only Scan" => NodeKind::IndexOnlyScan,
        "Bitmap Heap Scan" | "Bitmap Index Scan" | "BitmapAnd" | "BitmapOr" => NodeKind::BitmapScan,
        "CTE Scan" | "WorkTable Scan" | "Named Tuplestore Scan" => NodeKind::CteScan,
        "Subquery Scan" => NodeKind::SubqueryScan,
        "Function Scan" | "Table Function Scan" => NodeKind::FunctionScan,
        "Values Scan" => NodeKind::ValuesScan,
        "Tid Scan" | "Tid Range Scan" | "Foreign Scan" | "Custom Scan" => NodeKind::OtherScan,
        "Nested Loop" => NodeKind::NestedLoop,
        "Hash Join" => NodeKind::HashJoin,
        "Merge Join" => NodeKind::MergeJoin,
        "Hash" => NodeKind::Hash,
        "Sort" | "Incremental Sort" => NodeKind::Sort,
        "Aggregate" | "Group" => NodeKind::Aggregate,
        "WindowAgg" => NodeKind::Window,
        "Unique" => NodeKind::Unique,
        "Append" | "Merge Append" | "SetOp" => NodeKind::SetOperation,
        "Recursive Union" => NodeKind::Recursion,
        "Limit" => NodeKind::Limit,
        "Materialize" | "Memoize" => NodeKind::Materialize,
        "Gather" | "Gather Merge" => NodeKind::Gather,
        "LockRows" => NodeKind::Lock,
        "ModifyTable" => NodeKind::Modify,
        "Result" | "ProjectSet" => NodeKind::Result,
        _ => NodeKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::*;

    fn read(text: &str) -> Result<Plan> {
        plan(vec![vec![Value::Json(text.into())]])
    }

    #[test]
    fn what_has_no_field_is_kept_by_its_name() {
        let plan = read(
            r#"[{"Plan": {"Node Type": "Future Scan", "Alias": "t0", "Startup Cost": 0.15, "Total Cost": 8.17,
                "Plan Rows": 1, "Plan Width": 40, "Actual Rows": 2.5, "Actual Loops": 2, "Speed": "grea\u0074 \"x\"",
                "Shared Hit Blocks": 3, "Workers": [{"Worker Number": 0, "ok": true, "none": null}],
                "Plans": [{"Node Type": "Seq Scan", "Relation Name": "users", "Filter": "(id > 1)",
                "Rows Removed by Filter": 4}]}, "Settings": {"enable_seqscan": "off"}, "Triggers": [],
                "Planning Time": 0.25, "Execution Time": 1e1}]"#,
        )
        .unwrap();
        let [root] = &plan.roots[..] else {
            panic!("{plan:?}")
        };
        assert_eq!(
            (root.kind, root.get("Speed")),
            (NodeKind::Other, Some("great \"x\""))
        );
        assert_eq!(
            root.get("Workers"),
            Some(r#"[{"Worker Number": 0, "ok": true, "none": null}]"#)
        );
        assert_eq!(root.estimate, Some(Estimate::new(0.15, 8.17, 1.0, 40)));
        assert_eq!(root.actual, Some(Actual::new(2.5, 2.0, None, None)));
        assert_eq!(root.buffers.map(|b| b.shared_hit), Some(3));
        assert_eq!(plan.sequential_scans().count(), 1);
        assert_eq!(
            plan.other,
            [("Settings".into(), r#"{"enable_seqscan": "off"}"#.into())]
        );
        assert_eq!((plan.planning_ms, plan.execution_ms), (Some(0.25), Some(10.0)));
        assert_eq!(
            plan.to_string(),
            "Future Scan t0  (cost=0.15..8.17 rows=1 width=40) (actual rows=2.5 loops=2)\n  buffers: hit 3\n  \
             -> Seq Scan on users\n        filter: (id > 1)\n        rows removed: 4\nPlanning: 0.250 ms\n\
             Execution: 10.000 ms\n"
        );
    }

    #[test]
    fn what_is_no_plan_is_an_error() {
        for text in [
            "",
            "[",
            "{}",
            "[1]",
            "[{}]",
            "[{\"Plan\": 1}]",
            "[] x",
            &"[".repeat(100_000),
        ] {
            assert_eq!(read(text).unwrap_err().kind(), ErrorKind::Decode, "{text:.20}");
        }
        assert!(plan(Vec::new()).is_err());
    }
}
