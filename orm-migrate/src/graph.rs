//! Which migration follows which. Pure: a set of migrations, and the versions that are applied.

use std::collections::{BTreeMap, BTreeSet};

use orm_core::error::{Error, Result};

use crate::{Kind, Migrations, Target};

/// The migrations and what they follow.
///
/// A migration that names no parent follows the one with the version before its own.
///
/// ```
/// use orm_migrate::{Graph, Migrations};
/// let migrations = Migrations::of([
///     ("1_root.sql", "SELECT 1"),
///     ("2_left.sql", "SELECT 1"),
///     ("3_right.sql", "-- orm: parent=1\nSELECT 1"),
/// ])?;
/// assert_eq!(Graph::of(&migrations)?.heads(), [2, 3]);
/// # Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// In the order in which they are applied: what is followed comes first, else the lower version.
    order: Vec<i64>,
    nodes: BTreeMap<i64, Node>,
    repeatable: Vec<i64>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    name: String,
    label: Option<String>,
    parents: Vec<i64>,
    /// Parents and what else has to be there before.
    needs: Vec<i64>,
    /// What it stands for.
    replaces: Vec<i64>,
}

impl Graph {
    /// Of a set of migrations.
    ///
    /// # Errors
    /// `Config` for a parent that is not there, and for a circle.
    pub fn of(migrations: &Migrations) -> Result<Self> {
        let mut graph = Graph::default();
        let mut last = None;
        for migration in migrations.iter() {
            let header = migration.header();
            if header.kind == Kind::Repeatable {
                graph.repeatable.push(migration.version);
                continue;
            }
            let parents = match &header.parents {
                Some(parents) => parents.clone(),
                None => last.into_iter().collect(),
            };
            last = Some(migration.version);
            let needs = parents.iter().chain(&header.depends_on).copied().collect();
            graph.nodes.insert(
                migration.version,
                Node {
                    name: migration.name.clone(),
                    label: header.label.clone(),
                    parents,
                    needs,
                    replaces: header.replaces.clone(),
                },
            );
        }
        graph.replace();
        for (version, node) in &graph.nodes {
            if let Some(missing) = node.needs.iter().find(|n| !graph.nodes.contains_key(n)) {
                return Err(Error::config(format!(
                    "{version}_{} follows {missing}, and there is no such migration",
                    node.name
                )));
            }
        }
        graph.sort()?;
        Ok(graph)
    }

    /// One that replaces others comes behind them, as long as they are there, and in front of what follows them.
    fn replace(&mut self) {
        let all: Vec<(i64, Vec<i64>)> = self
            .nodes
            .iter()
            .filter(|(_, n)| !n.replaces.is_empty())
            .map(|(v, n)| (*v, n.replaces.clone()))
            .collect();
        for (version, replaced) in all {
            for (other, node) in &mut self.nodes {
                if *other == version || replaced.contains(other) {
                    continue;
                }
                for list in [&mut node.parents, &mut node.needs] {
                    for parent in list.iter_mut().filter(|p| replaced.contains(p)) {
                        *parent = version;
                    }
                    list.sort_unstable();
                    list.dedup();
                }
            }
            let there: BTreeSet<i64> = replaced
                .iter()
                .copied()
                .filter(|v| self.nodes.contains_key(v))
                .collect();
            let ends = self.last_of(&there);
            if let Some(node) = self.nodes.get_mut(&version).filter(|_| !there.is_empty()) {
                node.needs.retain(|v| !replaced.contains(v));
                node.needs.extend(&there);
                node.parents = ends;
            }
        }
    }
    /// What is replaced by what.
    pub(crate) fn replaced(&self) -> impl Iterator<Item = (i64, &[i64])> {
        let all = self.nodes.iter().filter(|(_, n)| !n.replaces.is_empty());
        all.map(|(v, n)| (*v, n.replaces.as_slice()))
    }
    /// With what counts as applied: what an applied one replaces, and what replaces applied ones.
    pub(crate) fn with_replaced(&self, mut applied: BTreeSet<i64>) -> BTreeSet<i64> {
        for (version, replaced) in self.replaced() {
            if applied.contains(&version) {
                applied.extend(replaced);
            } else if replaced.iter().all(|v| applied.contains(v)) {
                applied.insert(version);
            }
        }
        applied
    }
    /// Of what is to be applied, what is run: one that replaces others, or those where the database has some of them.
    pub(crate) fn chosen(&self, mut list: Vec<i64>, applied: &BTreeSet<i64>) -> Vec<i64> {
        for (version, replaced) in self.replaced() {
            if !list.contains(&version) {
                continue;
            }
            match replaced.iter().any(|v| applied.contains(v)) {
                true => list.retain(|v| *v != version),
                false => list.retain(|v| !replaced.contains(v)),
            }
        }
        list
    }

    fn sort(&mut self) -> Result<()> {
        let mut left: BTreeSet<i64> = self.nodes.keys().copied().collect();
        while !left.is_empty() {
            let free = |v: &&i64| self.nodes[*v].needs.iter().all(|n| !left.contains(n));
            let Some(next) = left.iter().find(free).copied() else {
                let names: Vec<String> = left.iter().map(i64::to_string).collect();
                return Err(Error::config(format!(
                    "these migrations follow each other in a circle: {}",
                    names.join(", ")
                )));
            };
            left.remove(&next);
            self.order.push(next);
        }
        Ok(())
    }

    /// The order in which they are applied; repeatable ones are not part of it.
    pub fn order(&self) -> &[i64] {
        &self.order
    }
    /// Those that run again when their text changes, in their order.
    pub fn repeatable(&self) -> &[i64] {
        &self.repeatable
    }
    /// Those that none follows.
    pub fn heads(&self) -> Vec<i64> {
        self.last_of(&self.nodes.keys().copied().collect())
    }
    /// Those of the applied ones that no applied one follows: where the database is.
    pub fn current(&self, applied: &BTreeSet<i64>) -> Vec<i64> {
        self.last_of(applied)
    }
    /// What a migration follows.
    pub(crate) fn parents(&self, version: i64) -> &[i64] {
        self.nodes.get(&version).map_or(&[], |n| &n.parents)
    }
    /// As the history has it: joined by `+`.
    pub(crate) fn parents_text(&self, version: i64) -> String {
        let list = self.parents(version);
        list.iter().map(i64::to_string).collect::<Vec<_>>().join("+")
    }
    fn last_of(&self, set: &BTreeSet<i64>) -> Vec<i64> {
        let followed: BTreeSet<i64> = set
            .iter()
            .filter_map(|v| self.nodes.get(v))
            .flat_map(|n| n.parents.iter().copied())
            .collect();
        set.iter()
            .copied()
            .filter(|v| self.nodes.contains_key(v) && !followed.contains(v))
            .collect()
    }

    /// Whatever has to be applied for these, and these.
    pub fn ancestors(&self, of: &[i64]) -> BTreeSet<i64> {
        self.closure(of, |v| {
            self.nodes.get(&v).map(|n| n.needs.clone()).unwrap_or_default()
        })
    }
    /// Whatever cannot stay without these, and these.
    pub fn descendants(&self, of: &[i64]) -> BTreeSet<i64> {
        self.closure(of, |v| {
            let follows = |(version, node): (&i64, &Node)| node.needs.contains(&v).then_some(*version);
            self.nodes.iter().filter_map(follows).collect()
        })
    }
    fn closure(&self, of: &[i64], next: impl Fn(i64) -> Vec<i64>) -> BTreeSet<i64> {
        let (mut seen, mut todo) = (BTreeSet::new(), of.to_vec());
        while let Some(version) = todo.pop() {
            if seen.insert(version) {
                todo.extend(next(version));
            }
        }
        seen
    }

    /// What is applied to get from here to the target, in order.
    ///
    /// # Errors
    /// `Config` for a target that is not there, is not unique, or is behind the database.
    pub fn up(&self, applied: &BTreeSet<i64>, target: &Target) -> Result<Vec<i64>> {
        let pending = |set: &BTreeSet<i64>| -> Vec<i64> {
            let wanted = self
                .order
                .iter()
                .filter(|v| set.contains(v) && !applied.contains(v));
            wanted.copied().collect()
        };
        match target {
            Target::Head => Ok(pending(&self.ancestors(&[self.head()?]))),
            Target::Heads => Ok(pending(&self.nodes.keys().copied().collect())),
            Target::Relative(n) if *n >= 0 => {
                // forwards from here is clear only where there is one way
                let all = match self.heads().len() {
                    0 | 1 => pending(&self.nodes.keys().copied().collect()),
                    _ => pending(&self.ancestors(&[self.head()?])),
                };
                let n = usize::try_from(*n).unwrap_or(usize::MAX);
                match n <= all.len() {
                    true => Ok(all[..n].to_vec()),
                    false => Err(Error::config(format!(
                        "there are only {} migrations ahead of the database",
                        all.len()
                    ))),
                }
            }
            Target::Base | Target::Relative(_) => Err(Error::config(format!(
                "`{target}` is not ahead: that is for `down`"
            ))),
            Target::At { id, offset } => match self.find(id, *offset)? {
                Some(version) => Ok(pending(&self.ancestors(&[version]))),
                None => Ok(Vec::new()),
            },
        }
    }

    /// What is undone to get back to the target, in order.
    ///
    /// # Errors
    /// `Config` for a target that is not there or not unique.
    pub fn down(&self, applied: &BTreeSet<i64>, target: &Target) -> Result<Vec<i64>> {
        let undone = |set: &BTreeSet<i64>| -> Vec<i64> {
            let wanted = self
                .order
                .iter()
                .rev()
                .filter(|v| set.contains(v) && applied.contains(v));
            wanted.copied().collect()
        };
        match target {
            Target::Base => Ok(undone(applied)),
            Target::Relative(n) if *n <= 0 => {
                let all = undone(applied);
                let n = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
                match n <= all.len() {
                    true => Ok(all[..n].to_vec()),
                    false => Err(Error::config(format!(
                        "only {} migrations are applied",
                        all.len()
                    ))),
                }
            }
            Target::Head | Target::Heads | Target::Relative(_) => Err(Error::config(format!(
                "`{target}` is not behind: that is for `up`"
            ))),
            Target::At { id, offset } => match self.find(id, *offset)? {
                Some(version) => {
                    let mut set = self.descendants(&[version]);
                    set.remove(&version);
                    Ok(undone(&set))
                }
                None => Ok(undone(applied)),
            },
        }
    }

    /// Those not applied that an applied one follows: they came later than they stand.
    pub fn out_of_order(&self, applied: &BTreeSet<i64>) -> Vec<i64> {
        let below = self.ancestors(
            &applied
                .iter()
                .copied()
                .filter(|v| self.nodes.contains_key(v))
                .collect::<Vec<_>>(),
        );
        below.into_iter().filter(|v| !applied.contains(v)).collect()
    }

    /// The only head.
    fn head(&self) -> Result<i64> {
        match self.heads().as_slice() {
            [one] => Ok(*one),
            [] => Err(Error::config("there is no migration")),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|v| format!("{v}_{}", self.nodes[v].name))
                    .collect();
                Err(Error::config(format!(
                    "there are {} heads ({}): merge them with a migration that has `parent={}`, or say `heads`",
                    several.len(),
                    names.join(", "),
                    several.iter().map(i64::to_string).collect::<Vec<_>>().join("+")
                )))
            }
        }
    }

    /// The migration that is meant; `None` for the place before the first.
    ///
    /// # Errors
    /// `Config` when there is none, or several.
    pub fn find(&self, id: &str, offset: i64) -> Result<Option<i64>> {
        let version = match id {
            "head" => self.head()?,
            _ => self.named(id)?,
        };
        self.step(version, offset)
    }

    fn named(&self, id: &str) -> Result<i64> {
        let by = |test: &dyn Fn(&i64, &Node) -> bool| -> Vec<i64> {
            self.nodes
                .iter()
                .filter(|(v, n)| test(v, n))
                .map(|(v, _)| *v)
                .collect()
        };
        let exact = by(&|v, n| v.to_string() == id || n.name == id || format!("{v}_{}", n.name) == id);
        if exact.is_empty() && self.nodes.values().any(|n| n.label.as_deref() == Some(id)) {
            return self.labelled(id);
        }
        let found = match exact.len() {
            0 => by(&|v, n| format!("{v}_{}", n.name).starts_with(id) || n.name.starts_with(id)),
            _ => exact,
        };
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(Error::config(format!(
                "no migration begins with `{id}`, and no branch is called so"
            ))),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|v| format!("{v}_{}", self.nodes[v].name))
                    .collect();
                Err(Error::config(format!(
                    "`{id}` may be any of {}",
                    names.join(", ")
                )))
            }
        }
    }

    /// The last migration of a branch.
    fn labelled(&self, label: &str) -> Result<i64> {
        let starts: Vec<i64> = self
            .nodes
            .iter()
            .filter(|(_, n)| n.label.as_deref() == Some(label))
            .map(|(v, _)| *v)
            .collect();
        let ends = self.last_of(&self.descendants(&starts));
        match ends.as_slice() {
            [one] => Ok(*one),
            _ => Err(Error::config(format!("the branch `{label}` has several heads"))),
        }
    }

    fn step(&self, from: i64, offset: i64) -> Result<Option<i64>> {
        let mut at = from;
        for i in 0..offset.unsigned_abs() {
            let next = match offset > 0 {
                true => self
                    .nodes
                    .iter()
                    .filter(|(_, n)| n.parents.contains(&at))
                    .map(|(v, _)| *v)
                    .collect(),
                false => self.nodes[&at].parents.clone(),
            };
            match next.as_slice() {
                [one] => at = *one,
                [] if offset < 0 && i + 1 == offset.unsigned_abs() => return Ok(None),
                [] => {
                    return Err(Error::config(format!(
                        "there are no {} steps from {from}",
                        offset.unsigned_abs()
                    )));
                }
                _ => {
                    return Err(Error::config(format!(
                        "the way from {from} is not clear: {at} is where branches meet"
                    )));
                }
            }
        }
        Ok(Some(at))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{Graph, Migrations, Target};

    fn graph(files: &[(&str, &str)]) -> Graph {
        Graph::of(&Migrations::of(files.iter().copied()).unwrap()).unwrap()
    }
    fn linear() -> Graph {
        graph(&[
            ("1_a.sql", ""),
            ("2_b.sql", ""),
            ("3_c.sql", ""),
            ("4_cd.sql", ""),
        ])
    }
    /// 1 ─ 2 ─ 4 ┐
    ///   └ 3 ─ 5 ┴ 6
    fn diamond(merged: bool) -> Graph {
        let mut files = vec![
            ("1_root.sql", ""),
            ("2_left.sql", "-- orm: parent=1, label=l"),
            ("3_right.sql", "-- orm: parent=1, label=r"),
            ("4_left_on.sql", "-- orm: parent=2"),
            ("5_right_on.sql", "-- orm: parent=3"),
        ];
        if merged {
            files.push(("6_merge.sql", "-- orm: parent=4+5"));
        }
        graph(&files)
    }
    fn set(versions: &[i64]) -> BTreeSet<i64> {
        versions.iter().copied().collect()
    }
    fn up(g: &Graph, applied: &[i64], target: &str) -> Result<Vec<i64>, String> {
        let target: Target = target.parse().unwrap();
        g.up(&set(applied), &target).map_err(|e| e.message().to_owned())
    }
    fn down(g: &Graph, applied: &[i64], target: &str) -> Result<Vec<i64>, String> {
        let target: Target = target.parse().unwrap();
        g.down(&set(applied), &target).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn a_line() {
        let g = linear();
        assert_eq!(g.heads(), [4]);
        assert_eq!(up(&g, &[], "head").unwrap(), [1, 2, 3, 4]);
        assert_eq!(up(&g, &[1], "+2").unwrap(), [2, 3]);
        assert_eq!(up(&g, &[1, 2, 3], "+1").unwrap(), [4]);
        assert!(up(&g, &[1, 2, 3], "+2").is_err());
        assert_eq!(up(&g, &[1], "b").unwrap(), [2]);
        assert_eq!(up(&g, &[1], "c").unwrap(), [2, 3]);
        assert_eq!(up(&g, &[1], "cd-1").unwrap(), [2, 3]);
        assert_eq!(up(&g, &[1], "head-1").unwrap(), [2, 3]);
        assert_eq!(up(&g, &[1], "1+1").unwrap(), [2]);
        assert_eq!(up(&g, &[1, 2, 3, 4], "head").unwrap(), [0i64; 0]);
        assert_eq!(up(&g, &[1, 2], "1_a").unwrap(), [0i64; 0]);
        assert!(up(&g, &[], "base").is_err());
        assert!(up(&g, &[], "-1").is_err());
        assert!(up(&g, &[], "x").is_err());
        assert_eq!(down(&g, &[1, 2, 3], "-1").unwrap(), [3]);
        assert_eq!(down(&g, &[1, 2, 3], "-3").unwrap(), [3, 2, 1]);
        assert!(down(&g, &[1, 2, 3], "-4").is_err());
        assert_eq!(down(&g, &[1, 2, 3], "base").unwrap(), [3, 2, 1]);
        assert_eq!(down(&g, &[1, 2, 3], "1").unwrap(), [3, 2]);
        assert_eq!(down(&g, &[1, 2, 3], "a-1").unwrap(), [3, 2, 1]);
        assert!(down(&g, &[1, 2, 3], "a-2").is_err());
        assert!(down(&g, &[1], "head").is_err());
        assert_eq!(g.out_of_order(&set(&[1, 3])), [2]);
        assert_eq!(g.out_of_order(&set(&[1, 2])), [0i64; 0]);
    }

    #[test]
    fn branches_and_their_merge() {
        let open = diamond(false);
        assert_eq!(open.heads(), [4, 5]);
        assert!(up(&open, &[], "head").unwrap_err().contains("parent=4+5"));
        assert_eq!(up(&open, &[], "heads").unwrap(), [1, 2, 3, 4, 5]);
        assert_eq!(up(&open, &[], "left_on").unwrap(), [1, 2, 4]);
        assert_eq!(up(&open, &[1], "r").unwrap(), [3, 5]);
        assert!(up(&open, &[], "lef").unwrap_err().contains("2_left, 4_left_on"));
        assert!(up(&open, &[], "1+1").unwrap_err().contains("not clear"));
        assert_eq!(open.current(&set(&[1, 2, 3])), [2, 3]);
        // the other branch came later than its version says: nothing follows it
        assert_eq!(open.out_of_order(&set(&[1, 3, 5])), [0i64; 0]);
        assert_eq!(down(&open, &[1, 2, 3, 4, 5], "root").unwrap(), [5, 4, 3, 2]);
        assert_eq!(down(&open, &[1, 2, 3, 4, 5], "left").unwrap(), [4]);
        let merged = diamond(true);
        assert_eq!(merged.heads(), [6]);
        assert_eq!(up(&merged, &[1, 3, 5], "head").unwrap(), [2, 4, 6]);
        assert_eq!(down(&merged, &[1, 2, 3, 4, 5, 6], "left").unwrap(), [6, 4]);
        assert_eq!(merged.out_of_order(&set(&[6])), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_depends_on_another_branch() {
        let g = graph(&[
            ("1_a.sql", "-- orm: parent=none"),
            ("2_b.sql", "-- orm: parent=none, depends_on=4"),
            ("4_d.sql", "-- orm: parent=1"),
        ]);
        assert_eq!(g.order(), [1, 4, 2]);
        assert_eq!(up(&g, &[], "b").unwrap(), [1, 4, 2]);
        assert_eq!(down(&g, &[1, 2, 4], "1").unwrap(), [2, 4]);
    }

    #[test]
    fn what_is_wrong() {
        let of =
            |files: &[(&str, &str)]| Graph::of(&Migrations::of(files.iter().copied()).unwrap()).unwrap_err();
        assert!(
            of(&[("1_a.sql", "-- orm: parent=7")])
                .message()
                .contains("follows 7")
        );
        let circle = of(&[("1_a.sql", "-- orm: parent=2"), ("2_b.sql", "-- orm: parent=1")]);
        assert!(circle.message().contains("1, 2"), "{circle}");
        for files in [
            &[("1_a.sql", ""), ("1_b.sql", "")][..],
            &[("1_a.sql", ""), ("1_a.up.sql", "")],
            &[("1_a.down.sql", "SELECT 1")],
            &[("a.sql", "")],
            &[("1_a.up.sql", "SELECT 1"), ("1_a.down.sql", "-- nothing\n")],
            &[("0_a.sql", "")],
        ] {
            assert!(Migrations::of(files.iter().copied()).is_err(), "{files:?}");
        }
        // other files are nobody's business
        assert_eq!(
            Migrations::of([("README.md", ""), (".1_a.sql.swp", "")])
                .unwrap()
                .iter()
                .len(),
            0
        );
    }
}
