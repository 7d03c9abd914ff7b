//! What PostgreSQL's catalogue is asked, and the rows that come back. One statement with a list for each kind of object,
//! so that all lists show the same moment. Columns of the catalogue that older servers have not (below 15, below 18) are
//! read through JSON, where they are absent instead of an error.

use serde::{Deserialize, Deserializer};

/// What stands before the condition on the schemas that are read, and behind it.
///
/// `names` are all schemas, without a name for the default one; `ns` those that are read; `owned` what extensions own.
pub(crate) const HEAD: &str = "\
with names as materialized (
  select oid, nspname, case when nspname = coalesce(current_schema(), 'public') then null else nspname::text end as name
  from pg_namespace
),
owned as materialized (
  select classid, objid from pg_depend where refclassid = 'pg_extension'::regclass and deptype = 'e'
),
ns as materialized (
  select names.* from names where ";
pub(crate) const ALL_SCHEMAS: &str = "nspname !~ '^pg_' and nspname <> 'information_schema'";
pub(crate) const NAMED_SCHEMAS: &str = "nspname::text in (";
pub(crate) const NAMED_SCHEMAS_END: &str = ")";
pub(crate) const LISTS: &str = "
),
rel as materialized (
  select c.*, ns.name as schema, d.description as comment from pg_class c
  join ns on ns.oid = c.relnamespace
  left join pg_description d on d.objoid = c.oid and d.classoid = c.tableoid and d.objsubid = 0
  where (c.tableoid, c.oid) not in (select classid, objid from owned)
),
tab as (select * from rel where relkind in ('r', 'p')),
typ as (
  select t.*, ns.name as schema, obj_description(t.oid, 'pg_type') as comment from pg_type t
  join ns on ns.oid = t.typnamespace
  where (t.tableoid, t.oid) not in (select classid, objid from owned)
),
collations as (
  select c.oid, case when n.nspname = 'pg_catalog' or pg_collation_is_visible(c.oid) then '' else quote_ident(n.nspname) || '.'
    end || quote_ident(c.collname) as sql
  from pg_collation c join pg_namespace n on n.oid = c.collnamespace
),
classes as (
  select o.oid, o.opcdefault, case when pg_opclass_is_visible(o.oid) then '' else quote_ident(n.nspname) || '.' end
    || quote_ident(o.opcname) as sql
  from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace
),
seq as (
  select r.oid, r.schema, r.relname::text as name, format_type(s.seqtypid, null) as ty, s.seqstart as start,
    s.seqincrement as increment, s.seqmin as min, s.seqmax as max, s.seqcache as cache, s.seqcycle as cycle, r.comment
  from rel r join pg_sequence s on s.seqrelid = r.oid
),
belongs as (
  select d.objid, d.deptype, d.refobjid, d.refobjsubid, names.name as schema, c.relname::text as table, a.attname::text as column
  from pg_depend d
  join pg_class c on c.oid = d.refobjid
  join names on names.oid = c.relnamespace
  join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
  where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
),
identities as (
  select b.refobjid, b.refobjsubid, row_to_json(s) as sequence from seq s
  join belongs b on b.objid = s.oid where b.deptype = 'i'
),
schemas as (
  select name from ns
  where name is not null and ('pg_namespace'::regclass, oid) not in (select classid, objid from owned)
),
extensions as (
  select e.extname::text as name, names.name as schema from pg_extension e
  join names on names.oid = e.extnamespace
  where e.extname <> 'plpgsql' and (names.oid in (select oid from ns) or names.nspname ~ '^pg_')
),
enums as (
  select t.schema, t.typname::text as name, t.comment,
    (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) as labels
  from typ t where t.typtype = 'e'
),
domains as (
  select t.schema, t.typname::text as name, t.comment,
    format_type(t.typbasetype, t.typtypmod) || coalesce(' COLLATE ' || case when t.typcollation <> b.typcollation then l.sql end, '')
      as ty,
    t.typnotnull as not_null, pg_get_expr(t.typdefaultbin, 0) as default,
    (select json_agg(json_build_object('name', k.conname, 'condition', pg_get_expr(k.conbin, 0), 'valid', k.convalidated,
      'no_inherit', false)) from pg_constraint k where k.contypid = t.oid and k.contype = 'c') as checks
  from typ t
  join pg_type b on b.oid = t.typbasetype
  left join collations l on l.oid = t.typcollation
  where t.typtype = 'd'
),
composites as (
  select t.schema, t.typname::text as name, coalesce(t.comment, obj_description(c.oid, 'pg_class')) as comment,
    (select json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)
      || coalesce(' COLLATE ' || case when a.attcollation <> y.typcollation then l.sql end, '')) order by a.attnum)
     from pg_attribute a
     join pg_type y on y.oid = a.atttypid
     left join collations l on l.oid = a.attcollation
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as attributes
  from typ t join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
),
sequences as (
  select s.*, b.schema as owner_schema, b.table as owner_table, b.column as owner_column
  from seq s left join belongs b on b.objid = s.oid
  where b.deptype is distinct from 'i'
),
tables as (
  select t.oid, t.schema, t.relname::text as name, t.comment, t.relpersistence = 'u' as unlogged,
    t.relrowsecurity as row_security, t.relforcerowsecurity as forced,
    case when t.relkind = 'p' then pg_get_partkeydef(t.oid) end as partition_by,
    case when t.relispartition then pg_get_expr(t.relpartbound, t.oid) end as bounds,
    (select json_agg(json_build_array(names.name, p.relname) order by i.inhseqno)
     from pg_inherits i join pg_class p on p.oid = i.inhparent join names on names.oid = p.relnamespace
     where i.inhrelid = t.oid) as parents, t.relispartition as partition,
    t.reloptions as storage,
    (select array_agg('toast.' || o) from pg_class x, unnest(x.reloptions) o where x.oid = t.reltoastrelid) as toast,
    nullif(m.amname, 'heap') as method, quote_ident(s.spcname) as tablespace
  from tab t
  left join pg_am m on m.oid = t.relam
  left join pg_tablespace s on s.oid = t.reltablespace
),
columns as (
  select a.attrelid as table, a.attnum as n, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as ty, a.attnotnull as not_null,
    pg_get_expr(d.adbin, d.adrelid) as sql, a.attidentity::text as identity, a.attgenerated::text as generated,
    case when a.attcollation <> y.typcollation then l.sql end as collation, a.attislocal as local,
    o.description as comment, i.sequence
  from tab t
  join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
  join pg_type y on y.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join collations l on l.oid = a.attcollation
  left join pg_description o on o.objoid = a.attrelid and o.classoid = 'pg_class'::regclass and o.objsubid = a.attnum
  left join identities i on i.refobjid = a.attrelid and i.refobjsubid = a.attnum
),
constraints as (
  select k.conrelid as table, k.contype::text as kind, k.conname::text as name,
    (select json_agg(a.attname order by u.n) from unnest(k.conkey) with ordinality u(attnum, n)
     join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum) as columns,
    (select json_agg(a.attname order by a.attnum) from pg_attribute a
     where a.attrelid = k.conindid and a.attnum > i.indnkeyatts and k.contype in ('p', 'u')) as include,
    k.condeferrable as deferrable, k.condeferred as deferred, k.convalidated as valid, k.connoinherit as no_inherit,
    coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as nulls_not_distinct,
    pg_get_expr(k.conbin, k.conrelid) as condition,
    case when k.contype = 'x' then pg_get_constraintdef(k.oid) end as definition,
    names.name as target_schema, f.relname::text as target,
    (select json_agg(a.attname order by u.n) from unnest(k.confkey) with ordinality u(attnum, n)
     join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum) as target_columns,
    k.confdeltype::text as on_delete, k.confupdtype::text as on_update, k.confmatchtype = 'f' as match_full,
    (select json_agg(a.attname order by u.n) from jsonb_array_elements_text(nullif(to_jsonb(k) -> 'confdelsetcols', 'null'))
       with ordinality u(attnum, n)
     join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum::int) as on_delete_columns
  from tab t
  join pg_constraint k on k.conrelid = t.oid and k.contype in ('p', 'u', 'c', 'f', 'x')
  left join pg_index i on i.indexrelid = k.conindid
  left join pg_class f on f.oid = k.confrelid
  left join names on names.oid = f.relnamespace
  where k.conparentid = 0 and k.conislocal
    and coalesce(to_jsonb(k) ->> 'conperiod', 'false') = 'false' and coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
),
indexes as (
  select i.indrelid as table, c.relname::text as name, i.indisunique as unique, i.indisvalid as valid,
    coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as nulls_not_distinct,
    nullif(m.amname, 'btree') as method, c.reloptions as storage,
    pg_get_expr(i.indpred, i.indrelid) as filter,
    (select json_agg(json_build_object(
      'column', a.attname,
      'sql', case when u.attnum = 0 then pg_get_indexdef(c.oid, u.n::int, false) end,
      'collation', case
        when u.attnum <> 0 and a.attcollation <> i.indcollation[u.n - 1] then l.sql
        -- the collation of an expression is told by nothing but the text of the whole index
        when u.attnum = 0 and strpos(pg_get_indexdef(c.oid), pg_get_indexdef(c.oid, u.n::int, false) || ' COLLATE ') > 0
          then l.sql end,
      'op_class', case when not o.opcdefault or x.attoptions is not null then o.sql end,
      'options', x.attoptions,
      'order', i.indoption[u.n - 1]) order by u.n)
     from unnest(i.indkey::int2[]) with ordinality u(attnum, n)
     join pg_attribute x on x.attrelid = c.oid and x.attnum = u.n
     left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.attnum and u.attnum <> 0
     left join collations l on l.oid = i.indcollation[u.n - 1]
     left join classes o on o.oid = i.indclass[u.n - 1]
     where u.n <= i.indnkeyatts) as parts,
    (select json_agg(a.attname order by u.n) from unnest(i.indkey::int2[]) with ordinality u(attnum, n)
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.attnum where u.n > i.indnkeyatts) as include
  from rel r
  join pg_index i on i.indrelid = r.oid
  join pg_class c on c.oid = i.indexrelid
  join pg_am m on m.oid = c.relam
  where r.relkind in ('r', 'p', 'm') and not c.relispartition
    and not exists (select from pg_constraint k where k.conindid = c.oid and k.conrelid = r.oid and k.contype in ('p', 'u', 'x'))
),
triggers as (
  select g.tgrelid as table, g.tgname::text as name, pg_get_triggerdef(g.oid, true) as definition, g.tgenabled::text as enabled
  from rel r join pg_trigger g on g.tgrelid = r.oid
  where r.relkind in ('r', 'p', 'v') and not g.tgisinternal and g.tgparentid = 0
    and ('pg_trigger'::regclass, g.oid) not in (select classid, objid from owned)
),
policies as (
  select p.polrelid as table, p.polname::text as name, p.polpermissive as permissive, p.polcmd::text as command,
    (select array_agg(case when o = 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(o)) end order by 1)
     from unnest(p.polroles) o) as roles,
    pg_get_expr(p.polqual, p.polrelid) as condition, pg_get_expr(p.polwithcheck, p.polrelid) as checked
  from tab t join pg_policy p on p.polrelid = t.oid
),
views as (
  select r.oid, r.schema, r.relname::text as name, r.comment, r.relkind = 'm' as materialized,
    pg_get_viewdef(r.oid) as query, r.reloptions as storage
  from rel r where r.relkind in ('v', 'm')
),
proc as (
  select p.*, ns.name as schema, ns.nspname from pg_proc p
  join ns on ns.oid = p.pronamespace
  where p.prokind in ('f', 'p', 'w') and (p.tableoid, p.oid) not in (select classid, objid from owned)
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
),
functions as (
  select p.schema, p.proname::text as name, oidvectortypes(p.proargtypes) as arguments, p.prokind = 'p' as procedure,
    pg_get_functiondef(p.oid) as definition, quote_ident(p.nspname) as qualifier, obj_description(p.oid, 'pg_proc') as comment
  from proc p
),
acls as (
  select 'TABLE' as kind, schema, relname::text as name, '' as detail, relacl as acl, relowner as owner from rel
  where relkind in ('r', 'p', 'v', 'm')
  union all
  select 'SEQUENCE', schema, relname, '', relacl, relowner from rel where relkind = 'S'
  union all
  select 'TABLE', r.schema, r.relname, ' (' || quote_ident(a.attname) || ')', a.attacl, r.relowner
  from rel r join pg_attribute a on a.attrelid = r.oid
  where a.attacl is not null and a.attnum > 0 and not a.attisdropped and r.relkind in ('r', 'p', 'v', 'm')
  union all
  select case when prokind = 'p' then 'PROCEDURE' else 'FUNCTION' end, schema, proname || '(' || oidvectortypes(proargtypes) || ')',
    '', proacl, proowner from proc
  union all
  select 'TYPE', schema, typname, '', typacl, typowner from typ where typtype in ('e', 'd')
    or typtype = 'c' and exists (select from pg_class c where c.oid = typrelid and c.relkind = 'c')
  union all
  select 'SCHEMA', null, n.nspname, '', n.nspacl, n.nspowner from ns join pg_namespace n on n.oid = ns.oid
  where n.nspacl is distinct from
    (select i.initprivs from pg_init_privs i where i.classoid = 'pg_namespace'::regclass and i.objoid = n.oid)
),
grants as (
  select a.kind, a.schema, a.name, case when g.grantee = 0 then 'PUBLIC' else pg_get_userbyid(g.grantee)::text end as role,
    g.is_grantable as grantable, json_agg(g.privilege_type || a.detail) as privileges
  from acls a, aclexplode(a.acl) g
  where g.grantee <> a.owner
  group by 1, 2, 3, 4, 5
  union all
  select a.kind, a.schema, a.name, 'PUBLIC', false, '[]' from acls a
  where a.kind in ('FUNCTION', 'PROCEDURE', 'TYPE') and a.acl is not null
    and not exists (select from aclexplode(a.acl) g where g.grantee = 0)
)
select json_build_object(
  'schemas', (select json_agg(name) from schemas),
  'extensions', (select json_agg(x) from extensions x),
  'enums', (select json_agg(x) from enums x),
  'domains', (select json_agg(x) from domains x),
  'composites', (select json_agg(x) from composites x),
  'sequences', (select json_agg(x) from sequences x),
  'tables', (select json_agg(x) from tables x),
  'columns', (select json_agg(x order by x.table, x.n) from columns x),
  'constraints', (select json_agg(x) from constraints x),
  'indexes', (select json_agg(x) from indexes x),
  'triggers', (select json_agg(x) from triggers x),
  'policies', (select json_agg(x) from policies x),
  'views', (select json_agg(x) from views x),
  'functions', (select json_agg(x) from functions x),
  'grants', (select json_agg(x) from grants x)
)::text";

/// Everything that was read.
#[derive(Deserialize)]
pub(crate) struct Catalogue {
    #[serde(deserialize_with = "list")]
    pub(crate) schemas: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) extensions: Vec<Named>,
    #[serde(deserialize_with = "list")]
    pub(crate) enums: Vec<EnumRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) domains: Vec<DomainRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) composites: Vec<CompositeRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) sequences: Vec<SequenceRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) tables: Vec<TableRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) columns: Vec<ColumnRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) constraints: Vec<ConstraintRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) indexes: Vec<IndexRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) triggers: Vec<TriggerRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) policies: Vec<PolicyRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) views: Vec<ViewRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) functions: Vec<FunctionRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) grants: Vec<GrantRow>,
}

/// A list without rows is NULL.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(d)?.unwrap_or_default())
}

#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

#[derive(Deserialize)]
pub(crate) struct EnumRow {
    #[serde(flatten)]
    pub(crate) name: Named,
    pub(crate) comment: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) labels: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct DomainRow {
    #[serde(flatten)]
    pub(crate) name: Named,
    pub(crate) comment: Option<String>,
    pub(crate) ty: String,
    pub(crate) not_null: bool,
    pub(crate) default: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) checks: Vec<CheckRow>,
}

#[derive(Deserialize)]
pub(crate) struct CheckRow {
    pub(crate) name: String,
    pub(crate) condition: Option<String>,
    pub(crate) valid: bool,
    pub(crate) no_inherit: bool,
}

#[derive(Deserialize)]
pub(crate) struct CompositeRow {
    #[serde(flatten)]
    pub(crate) name: Named,
    pub(crate) comment: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) attributes: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub(crate) struct SequenceRow {
    #[serde(flatten)]
    pub(crate) name: Named,
    pub(crate) comment: Option<String>,
    pub(crate) ty: String,
    pub(crate) start: i64,
    pub(crate) increment: i64,
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) cache: i64,
    pub(crate) cycle: bool,
    pub(crate) owner_schema: Option<String>,
    pub(crate) owner_table: Option<String>,
    pub(crate) owner_column: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct TableRow {
    pub(crate) oid: String,
    #[serde(flatten)]
    pub(crate) name: Named,
    pub(crate) comment: Option<String>,
    pub(crate) unlogged: bool,
    pub(crate) row_security: bool,
    pub(crate) forced: bool,
    pub(crate) partition: bool,
    pub(crate) partition_by: Option<String>,
    pub(crate) bounds: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) parents: Vec<(Option<String>, String)>,
    #[serde(deserialize_with = "list")]
    pub(crate) storage: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) toast: Vec<String>,
    pub(crate) method: Option<String>,
    pub(crate) tablespace: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ColumnRow {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) ty: String,
    pub(crate) not_null: bool,
    pub(crate) sql: Option<String>,
    pub(crate) identity: String,
    pub(crate) generated: String,
    pub(crate) collation: Option<String>,
    pub(crate) local: bool,
    pub(crate) comment: Option<String>,
    pub(crate) sequence: Option<SequenceRow>,
}

#[derive(Deserialize)]
pub(crate) struct ConstraintRow {
    pub(crate) table: String,
    pub(crate) kind: String,
    #[serde(flatten)]
    pub(crate) check: CheckRow,
    #[serde(deserialize_with = "list")]
    pub(crate) columns: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) include: Vec<String>,
    pub(crate) deferrable: bool,
    pub(crate) deferred: bool,
    pub(crate) nulls_not_distinct: bool,
    pub(crate) definition: Option<String>,
    pub(crate) target_schema: Option<String>,
    pub(crate) target: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) target_columns: Vec<String>,
    pub(crate) on_delete: String,
    pub(crate) on_update: String,
    pub(crate) match_full: bool,
    #[serde(deserialize_with = "list")]
    pub(crate) on_delete_columns: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct IndexRow {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) unique: bool,
    pub(crate) valid: bool,
    pub(crate) nulls_not_distinct: bool,
    pub(crate) method: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) storage: Vec<String>,
    pub(crate) filter: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) parts: Vec<PartRow>,
    #[serde(deserialize_with = "list")]
    pub(crate) include: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct PartRow {
    pub(crate) column: Option<String>,
    pub(crate) sql: Option<String>,
    pub(crate) collation: Option<String>,
    pub(crate) op_class: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) options: Vec<String>,
    /// 1 for DESC, 2 for NULLS FIRST.
    pub(crate) order: i32,
}

#[derive(Deserialize)]
pub(crate) struct TriggerRow {
    pub(crate) table: String,
    pub(crate) name: String,
    /// Absent where the trigger was dropped meanwhile.
    pub(crate) definition: Option<String>,
    pub(crate) enabled: String,
}

#[derive(Deserialize)]
pub(crate) struct PolicyRow {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) permissive: bool,
    pub(crate) command: String,
    #[serde(deserialize_with = "list")]
    pub(crate) roles: Vec<String>,
    pub(crate) condition: Option<String>,
    pub(crate) checked: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ViewRow {
    pub(crate) oid: String,
    #[serde(flatten)]
    pub(crate) name: Named,
    pub(crate) comment: Option<String>,
    pub(crate) materialized: bool,
    /// Absent where the view was dropped meanwhile.
    pub(crate) query: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) storage: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct FunctionRow {
    #[serde(flatten)]
    pub(crate) name: Named,
    pub(crate) comment: Option<String>,
    pub(crate) arguments: String,
    pub(crate) procedure: bool,
    /// Absent where the function was dropped meanwhile.
    pub(crate) definition: Option<String>,
    pub(crate) qualifier: String,
}

#[derive(Deserialize)]
pub(crate) struct GrantRow {
    pub(crate) kind: String,
    #[serde(flatten)]
    pub(crate) name: Named,
    pub(crate) role: String,
    pub(crate) grantable: bool,
    pub(crate) privileges: Vec<String>,
}
