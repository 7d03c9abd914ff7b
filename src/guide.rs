//! The guide's pages, compiled and run as tests.

#[doc = include_str!("../README.md")]
struct Readme;
#[doc = include_str!("../docs/guide/01-models.md")]
struct Models;
#[doc = include_str!("../docs/guide/02-queries.md")]
struct Queries;
#[doc = include_str!("../docs/guide/03-writes.md")]
struct Writes;
#[doc = include_str!("../docs/guide/04-transactions.md")]
struct Transactions;
#[doc = include_str!("../docs/guide/05-connections.md")]
struct Connections;
#[doc = include_str!("../docs/guide/06-errors-and-logs.md")]
struct ErrorsAndLogs;
#[doc = include_str!("../docs/guide/07-traps.md")]
struct Traps;
#[doc = include_str!("../docs/guide/08-testing.md")]
struct Testing;
#[doc = include_str!("../docs/guide/09-loading.md")]
struct Loading;
#[doc = include_str!("../docs/guide/10-shapes.md")]
struct Shapes;
#[doc = include_str!("../docs/guide/11-trees.md")]
struct Trees;
#[doc = include_str!("../docs/guide/12-unit-of-work.md")]
struct UnitOfWork;
#[doc = include_str!("../docs/guide/13-polymorphic.md")]
struct Polymorphic;
#[doc = include_str!("../docs/guide/14-audit.md")]
struct AuditTrail;
#[doc = include_str!("../docs/guide/15-hooks.md")]
struct Hooks;
#[doc = include_str!("../docs/guide/16-inheritance.md")]
struct Inheritance;
#[doc = include_str!("../docs/guide/17-history.md")]
struct History;
#[doc = include_str!("../docs/guide/21-sql-to-orm.md")]
struct SqlToOrm;
#[cfg(feature = "migrate")]
#[doc = include_str!("../docs/guide/18-migrations.md")]
struct Migrations;
#[doc = include_str!("../docs/guide/19-command-line.md")]
struct CommandLine;
#[doc = include_str!("../docs/guide/23-types.md")]
struct Types;
#[doc = include_str!("../docs/guide/22-json-and-input.md")]
struct JsonAndInput;
#[doc = include_str!("../docs/guide/24-pages-and-bulk.md")]
struct PagesAndBulk;
#[doc = include_str!("../docs/guide/25-views-and-plans.md")]
struct ViewsAndPlans;
#[doc = include_str!("../docs/guide/26-search.md")]
struct Search;
#[cfg(all(feature = "migrate", feature = "sqlite"))]
#[doc = include_str!("../docs/guide/20-transfer.md")]
struct Transfer;
