//! Rows of a tree, nested.

use std::collections::VecDeque;

/// A row and the rows under it. `.walk(|c| c.children).tree(&db)` yields a [`Forest`] of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree<M> {
    /// The row at the top.
    pub node: M,
    /// The trees under it.
    pub children: Forest<M>,
}

/// Trees side by side; reads like a slice of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest<M>(Vec<Tree<M>>);

/// The trees of a forest from the top, each before those under it: depth (0 at the top) and tree.
pub struct DepthFirst<'a, M> {
    /// What is left on each level.
    levels: Vec<std::slice::Iter<'a, Tree<M>>>,
    /// From the top to the tree that came last.
    path: Vec<&'a Tree<M>>,
}

/// The trees of a forest level by level: depth (0 at the top) and tree.
pub struct BreadthFirst<'a, M>(VecDeque<(usize, &'a Tree<M>)>);

impl<'a, M> Iterator for DepthFirst<'a, M> {
    type Item = (usize, &'a Tree<M>);
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let depth = self.levels.len().checked_sub(1)?;
            match self.levels.last_mut()?.next() {
                None => drop(self.levels.pop()),
                Some(tree) => {
                    self.path.truncate(depth);
                    self.path.push(tree);
                    self.levels.push(tree.children.iter());
                    return Some((depth, tree));
                }
            }
        }
    }
}

impl<'a, M> Iterator for BreadthFirst<'a, M> {
    type Item = (usize, &'a Tree<M>);
    fn next(&mut self) -> Option<Self::Item> {
        let (depth, tree) = self.0.pop_front()?;
        self.0
            .extend(tree.children.iter().map(|child| (depth + 1, child)));
        Some((depth, tree))
    }
}

fn depth_first<M>(trees: &[Tree<M>]) -> DepthFirst<'_, M> {
    DepthFirst {
        levels: vec![trees.iter()],
        path: Vec::new(),
    }
}

fn path_to<M>(trees: &[Tree<M>], mut f: impl FnMut(&M) -> bool) -> Option<Vec<&M>> {
    let mut all = depth_first(trees);
    while let Some((_, tree)) = all.next() {
        if f(&tree.node) {
            return Some(all.path.iter().map(|tree| &tree.node).collect());
        }
    }
    None
}

macro_rules! reading {
    ($self:ident => $trees:expr) => {
        /// All rows with their depths, each before those under it.
        pub fn depth_first(&$self) -> DepthFirst<'_, M> {
            depth_first($trees)
        }
        /// All rows with their depths, level by level.
        pub fn breadth_first(&$self) -> BreadthFirst<'_, M> {
            BreadthFirst($trees.iter().map(|tree| (0, tree)).collect())
        }
        /// The first row, depth first, that meets the condition, with what is under it.
        pub fn find(&$self, mut f: impl FnMut(&M) -> bool) -> Option<&Tree<M>> {
            let mut all = $self.depth_first();
            all.find(|(_, tree)| f(&tree.node)).map(|(_, tree)| tree)
        }
        /// The rows from the top to the first one that meets the condition.
        pub fn path_to(&$self, f: impl FnMut(&M) -> bool) -> Option<Vec<&M>> {
            path_to($trees, f)
        }
        /// How many levels there are.
        pub fn height(&$self) -> usize {
            $self.depth_first().map(|(depth, _)| depth + 1).max().unwrap_or(0)
        }
    };
}

impl<M> Tree<M> {
    reading!(self => std::slice::from_ref(self));
}

impl<M> Forest<M> {
    reading!(self => self.0.as_slice());
    /// The trees.
    pub fn into_vec(mut self) -> Vec<Tree<M>> {
        std::mem::take(&mut self.0)
    }
    /// Trees of rows, each of which names the row above it. Where rows stand above each other in a ring, the one of the
    /// least depth comes to the top.
    pub(crate) fn plant(rows: Vec<M>, mut above: Vec<Option<usize>>, depths: &[i64]) -> Self {
        open_rings(&mut above, depths);
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
        let mut tops = Vec::new();
        for (row, above) in above.into_iter().enumerate() {
            match above {
                Some(above) => below[above].push(row),
                None => tops.push(row),
            }
        }
        // each row behind the one above it
        let mut order = tops.clone();
        let mut at = 0;
        while let Some(row) = order.get(at) {
            order.extend_from_slice(&below[*row]);
            at += 1;
        }
        let mut rows: Vec<Option<M>> = rows.into_iter().map(Some).collect();
        let mut trees: Vec<Option<Tree<M>>> = rows.iter().map(|_| None).collect();
        for row in order.into_iter().rev() {
            let children = below[row].iter().filter_map(|child| trees[*child].take());
            let children = Forest(children.collect());
            trees[row] = rows[row].take().map(|node| Tree { node, children });
        }
        Forest(tops.into_iter().filter_map(|top| trees[top].take()).collect())
    }
}

/// Cuts each ring above its row of the least depth.
fn open_rings(above: &mut [Option<usize>], depths: &[i64]) {
    const UNSEEN: usize = usize::MAX;
    let mut seen = vec![UNSEEN; above.len()];
    for start in 0..above.len() {
        let mut at = Some(start);
        while let Some(row) = at.filter(|row| seen[*row] == UNSEEN) {
            seen[row] = start;
            at = above[row];
        }
        let Some(entry) = at.filter(|row| seen[*row] == start) else {
            continue;
        };
        let ring = std::iter::successors(above[entry], |row| above[*row].filter(|_| *row != entry));
        if let Some(top) = ring.min_by_key(|row| (depths[*row], *row)) {
            above[top] = None;
        }
    }
}

impl<M> Default for Forest<M> {
    fn default() -> Self {
        Forest(Vec::new())
    }
}
impl<M> std::ops::Deref for Forest<M> {
    type Target = [Tree<M>];
    fn deref(&self) -> &[Tree<M>] {
        &self.0
    }
}
impl<M> std::ops::DerefMut for Forest<M> {
    fn deref_mut(&mut self) -> &mut [Tree<M>] {
        &mut self.0
    }
}
impl<M> IntoIterator for Forest<M> {
    type Item = Tree<M>;
    type IntoIter = std::vec::IntoIter<Tree<M>>;
    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}
impl<'a, M> IntoIterator for &'a Forest<M> {
    type Item = &'a Tree<M>;
    type IntoIter = std::slice::Iter<'a, Tree<M>>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
impl<M> Drop for Forest<M> {
    /// Level by level: a deep tree would else be dropped by as many nested calls.
    fn drop(&mut self) {
        let mut rest = std::mem::take(&mut self.0);
        while let Some(mut tree) = rest.pop() {
            rest.append(&mut tree.children.0);
        }
    }
}

#[cfg(feature = "json")]
mod json {
    use serde::ser::{Error as _, SerializeSeq, SerializeStruct};
    use serde::{Serialize, Serializer};

    use crate::model::{Forest, Tree};

    /// Serialisers call themselves for each level: a deeper tree would use up the stack.
    const DEEPEST: usize = 128;

    struct Level<'a, T>(&'a T, usize);

    impl<M: Serialize> Serialize for Level<'_, Forest<M>> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            let Level(forest, depth) = *self;
            if depth == DEEPEST && !forest.is_empty() {
                return Err(S::Error::custom(
                    "a tree of more than 128 levels is too deep for JSON",
                ));
            }
            let mut seq = s.serialize_seq(Some(forest.len()))?;
            forest
                .iter()
                .try_for_each(|tree| seq.serialize_element(&Level(tree, depth)))?;
            seq.end()
        }
    }
    impl<M: Serialize> Serialize for Level<'_, Tree<M>> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            let Level(tree, depth) = *self;
            let mut fields = s.serialize_struct("Tree", 2)?;
            fields.serialize_field("node", &tree.node)?;
            fields.serialize_field("children", &Level(&tree.children, depth + 1))?;
            fields.end()
        }
    }
    impl<M: Serialize> Serialize for Forest<M> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            Level(self, 0).serialize(s)
        }
    }
    impl<M: Serialize> Serialize for Tree<M> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            Level(self, 0).serialize(s)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Forest;

    /// The rows depth first, indented.
    fn listed(rows: usize, above: &[Option<usize>], depths: &[i64]) -> Vec<String> {
        let forest = Forest::plant((0..rows).collect(), above.to_vec(), depths);
        let line = |(depth, tree): (usize, &crate::model::Tree<usize>)| {
            format!("{}{}", ".".repeat(depth), tree.node)
        };
        forest.depth_first().map(line).collect()
    }

    #[test]
    fn rows_in_any_order() {
        let above = [Some(3), None, Some(0), Some(1), Some(1), None];
        assert_eq!(
            listed(6, &above, &[2, 0, 3, 1, 1, 0]),
            ["1", ".3", "..0", "...2", ".4", "5"]
        );
        assert_eq!(listed(0, &[], &[]), Vec::<String>::new());
    }

    #[test]
    fn rings_are_opened_above_their_least_depth() {
        // 0 → 1 → 2 → 0 upwards, 3 hangs on 1, 4 on itself, 5 and 6 on each other
        let above = [Some(1), Some(2), Some(0), Some(1), Some(4), Some(6), Some(5)];
        let seen = listed(7, &above, &[2, 1, 0, 2, 0, 4, 4]);
        assert_eq!(seen, ["2", ".1", "..0", "..3", "4", "5", ".6"]);
    }

    #[test]
    fn a_deep_tree_is_read_and_dropped_without_recursion() {
        const LEVELS: usize = 100_000;
        let above = (0..LEVELS).map(|i| i.checked_sub(1)).collect();
        let depths: Vec<i64> = (0..LEVELS as i64).collect();
        let forest = Forest::plant((0..LEVELS).collect(), above, &depths);
        assert_eq!(forest.height(), LEVELS);
        assert_eq!(forest.breadth_first().count(), LEVELS);
        assert_eq!(
            forest.path_to(|i| *i == LEVELS - 1).map(|path| path.len()),
            Some(LEVELS)
        );
    }

    #[cfg(feature = "json")]
    #[test]
    fn as_json_up_to_a_depth() {
        let chain = |levels: usize| {
            let above = (0..levels).map(|i| i.checked_sub(1)).collect();
            Forest::plant((0..levels).collect(), above, &vec![0; levels])
        };
        let text = r#"[{"node":0,"children":[{"node":1,"children":[]}]}]"#;
        assert_eq!(serde_json::to_string(&chain(2)).unwrap(), text);
        assert!(serde_json::to_string(&chain(128)).is_ok());
        assert!(serde_json::to_string(&chain(129)).is_err());
    }
}
