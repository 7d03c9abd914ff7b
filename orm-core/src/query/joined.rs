//! UPDATE … FROM and DELETE … USING: writes by condition that see the rows of other tables and queries.

use crate::ast::{
    Expr as Node, FromItem, Guard, Join as NodeJoin, JoinKind, Select, Source, Statement, TableRef,
};
use crate::model::{Model, Rel, Writable};
use crate::query::changed::SetWrite;
use crate::query::{
    Changed, ColsOf, Cond, DeleteWhere, IntoSource, Join, Phantom, Selection, Sets, Sources, UpdateWhere,
    in_hand, returning,
};
use crate::relation::RelRef;
use crate::schema::Column;

/// A change of rows that sees those of other tables and queries; `C` is the tuple of their columns, the changed row's
/// first. Made by [`UpdateWhere::join`] and [`UpdateWhere::join_on`].
#[must_use = "an update does nothing until `.exec(&db)`"]
pub struct JoinedUpdate<M: Model, C> {
    join: Join<M, C>,
    set: Vec<(&'static Column, Node)>,
    each: bool,
    _p: Phantom<M>,
}

/// A delete of rows that sees those of other tables and queries. Made by [`DeleteWhere::join`] and
/// [`DeleteWhere::join_on`].
#[must_use = "a delete does nothing until `.exec(&db)`"]
pub struct JoinedDelete<M: Model, C> {
    join: Join<M, C>,
    each: bool,
    _p: Phantom<M>,
}

/// The rows of a write as a query, to join others to.
fn target<M: Model>(source: Source, filter: Vec<Node>, guard: Guard) -> Join<M, (M::Cols<M>,)> {
    let mut select = Select::from(TableRef {
        source,
        item: FromItem::Table(&M::TABLE.table),
        guard,
    });
    select.filter = filter;
    Join::new(Box::new(select))
}

impl<M: Writable> UpdateWhere<M> {
    fn joined(self) -> JoinedUpdate<M, (M::Cols<M>,)> {
        let UpdateWhere {
            source,
            set,
            filter,
            each,
            unfiltered,
            ..
        } = self;
        let guard = Guard {
            unfiltered,
            ..Guard::default()
        };
        JoinedUpdate {
            join: target(source, filter, guard),
            set,
            each,
            _p: std::marker::PhantomData,
        }
    }
    /// With the rows that a relation leads to: conditions and assignments may use their columns. Rows that lead nowhere
    /// are not changed.
    ///
    /// ```sql
    /// UPDATE "posts" SET "title" = t0."name" FROM "users" AS t0 WHERE t0."id" = "posts"."author_id"
    /// ```
    pub fn join<R: Rel<Parent = M>>(
        self,
        f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>,
    ) -> JoinedUpdate<M, (M::Cols<M>, <R::Child as Model>::Cols<M>)> {
        self.joined().join(|(m,)| f(m))
    }
    /// With the rows of any query that meet the condition: `UPDATE .. FROM ..`. Where several of them meet one row, it is
    /// changed once, by any of them.
    ///
    /// ```
    /// # use orm_core::{model::{Model, Writable}, query::{Col, JoinedUpdate, Query, UpdateWhere}};
    /// # fn build<Post: Writable, Comment: Model>(posts: UpdateWhere<Post>, per_post: Query<Comment, (i64, i64)>,
    /// #     id: fn(Post::Cols<Post>) -> Col<Post, i64>, comments: fn(Post::Cols<Post>) -> Col<Post, i64>) {
    /// // let per_post = Comment::query().group_by(|c| c.post_id).select(|g| (g.key(), g.count()));
    /// // let posts = Post::update_where(|p| p.published);
    /// let counted = posts
    ///     .join_on(per_post, |p, (post, _)| id(p).eq(post))
    ///     .set(|(p, (_, n))| comments(p).to(n));
    /// # }
    /// ```
    ///
    /// ```sql
    /// UPDATE "posts" SET "comments" = t0."_2" FROM (SELECT t1."post_id" AS "post_id", count(*) AS "_2" FROM "comments" AS t1
    /// GROUP BY t1."post_id") AS t0 WHERE "posts"."published" AND "posts"."id" = t0."post_id"
    /// ```
    pub fn join_on<N: IntoSource, P: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(M::Cols<M>, ColsOf<N, M>) -> P,
    ) -> JoinedUpdate<M, (M::Cols<M>, ColsOf<N, M>)> {
        self.joined().join_on(other, |(m,), n| f(m, n))
    }
}

impl<M: Writable> DeleteWhere<M> {
    fn joined(self) -> JoinedDelete<M, (M::Cols<M>,)> {
        let DeleteWhere {
            source,
            filter,
            each,
            unfiltered,
            ..
        } = self;
        let guard = Guard {
            unfiltered,
            ..Guard::default()
        };
        JoinedDelete {
            join: target(source, filter, guard),
            each,
            _p: std::marker::PhantomData,
        }
    }
    /// With the rows that a relation leads to, for conditions on them: `DELETE .. USING ..`. Rows that lead nowhere are
    /// not deleted.
    pub fn join<R: Rel<Parent = M>>(
        self,
        f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>,
    ) -> JoinedDelete<M, (M::Cols<M>, <R::Child as Model>::Cols<M>)> {
        self.joined().join(|(m,)| f(m))
    }
    /// With the rows of any query that meet the condition: `DELETE .. USING ..`, and where the database lacks that, the
    /// same by EXISTS. A soft delete is an `UPDATE .. FROM ..`.
    ///
    /// ```sql
    /// DELETE FROM "comments" USING "users" AS t0 WHERE "comments"."author_id" = t0."id" AND t0."blocked"
    /// -- SQLite
    /// DELETE FROM "comments" WHERE EXISTS (SELECT 1 FROM "users" AS t0 WHERE "comments"."author_id" = t0."id" AND t0."blocked")
    /// ```
    pub fn join_on<N: IntoSource, P: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(M::Cols<M>, ColsOf<N, M>) -> P,
    ) -> JoinedDelete<M, (M::Cols<M>, ColsOf<N, M>)> {
        self.joined().join_on(other, |(m,), n| f(m, n))
    }
}

/// What both have.
macro_rules! joined {
    ($Ty:ident { $($rest:ident),* }) => {
        impl<M: Model, C: Sources> $Ty<M, C> {
            /// With the rows that a relation of any of the tables so far leads to.
            pub fn join<R: Rel>(
                self,
                f: impl FnOnce(C) -> RelRef<M, R>,
            ) -> $Ty<M, C::And<<R::Child as Model>::Cols<M>>> {
                $Ty {
                    join: self.join.join(f),
                    $($rest: self.$rest,)*
                    _p: std::marker::PhantomData,
                }
            }
            /// With the rows of any query that meet the condition.
            pub fn join_on<N: IntoSource, P: Cond<M>>(
                self,
                other: N,
                f: impl FnOnce(C, ColsOf<N, M>) -> P,
            ) -> $Ty<M, C::And<ColsOf<N, M>>> {
                $Ty {
                    join: self.join.join_on(other, f),
                    $($rest: self.$rest,)*
                    _p: std::marker::PhantomData,
                }
            }
            /// With every row of a query: for one that has one row, as aggregates have.
            pub fn cross_join<N: IntoSource>(self, other: N) -> $Ty<M, C::And<ColsOf<N, M>>> {
                $Ty {
                    join: self.join.cross_join(other),
                    $($rest: self.$rest,)*
                    _p: std::marker::PhantomData,
                }
            }
        }
        impl<M: Model, C: Copy> $Ty<M, C> {
            /// Only rows that meet this condition on all of the tables.
            pub fn filter<P: Cond<M>>(self, f: impl FnOnce(C) -> P) -> Self {
                $Ty {
                    join: self.join.filter(f),
                    ..self
                }
            }
            /// See [`UpdateWhere::each`].
            pub fn each(mut self) -> Self {
                self.each = true;
                self
            }
        }
        impl<M: Writable, C: Copy> $Ty<M, C> {
            /// What comes back of the rows: see [`UpdateWhere::rows`]. The closure gets the columns of the written row alone.
            pub fn rows<T: Selection<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Changed<M, T::Out> {
                let mut rows = Vec::new();
                f(M::cols(self.join.root())).push(&mut rows);
                Changed::of(self.into_write(rows))
            }
        }
        impl<M: Model, C: Copy> $Ty<M, C> {
            /// All of what comes back.
            pub(crate) fn into_all(self) -> SetWrite {
                let rows = returning(M::TABLE, self.join.root());
                self.into_write(rows)
            }
        }
    };
}
joined!(JoinedUpdate { set, each });
joined!(JoinedDelete { each });

impl<M: Model, C: Copy> JoinedUpdate<M, C> {
    /// Adds assignments to columns of the changed row, the first of the tuple; the right side may use those of all tables.
    /// An assignment to a column of another table is an `InvalidQuery` error.
    pub fn set<A: Sets<M>>(mut self, f: impl FnOnce(C) -> A) -> Self {
        f(self.join.columns()).add_to(&mut self.set);
        self
    }
    pub(crate) fn into_write(self, returning: Vec<Node>) -> SetWrite {
        let JoinedUpdate { join, set, each, .. } = self;
        let stranger = set.iter().find(|(c, _)| M::TABLE.position(&c.column).is_none());
        let fault = stranger.map(|(column, _)| {
            let (model, field) = (M::TABLE.model, column.field);
            format!("rows of `{model}` are changed, and `{field}` is a column of another table").into()
        });
        let Sight {
            source,
            guard,
            from,
            filter,
            fault: loose,
        } = Sight::of(join);
        let write = UpdateWhere::<M>::from_parts(source, set, filter, each, guard.unfiltered);
        let mut write = write.into_write(returning);
        if let Statement::Update(update) = &mut write.statement {
            update.from = from;
        }
        write.fault = fault.or(loose);
        write
    }
}

impl<M: Model, C: Copy> JoinedDelete<M, C> {
    pub(crate) fn into_write(self, returning: Vec<Node>) -> SetWrite {
        let JoinedDelete { join, each, .. } = self;
        let Sight {
            source,
            guard,
            from,
            filter,
            fault,
        } = Sight::of(join);
        let write = DeleteWhere::<M>::from_parts(source, filter, each, guard.unfiltered);
        let mut write = write.into_write(returning);
        match &mut write.statement {
            Statement::Update(update) => update.from = from,
            Statement::Delete(delete) => delete.using = from,
            Statement::Insert(_) | Statement::Select(_) | Statement::Ddl(_) | Statement::Raw(_) => {}
        }
        write.fault = fault;
        write
    }
}

/// What a write sees beside its target: every source for itself, all conditions together, because the target is in sight
/// of no ON.
struct Sight {
    source: Source,
    guard: Guard,
    from: Vec<TableRef>,
    filter: Vec<Node>,
    fault: Option<Box<str>>,
}

impl Sight {
    fn of<M: Model, C: Copy>(join: Join<M, C>) -> Self {
        let (select, _) = join.into_table();
        let Select {
            from: target,
            joins,
            mut filter,
            fault,
            ..
        } = *select;
        let (source, guard) = target.map_or((Source::ROOT, in_hand(Default::default())), |t| {
            (t.source, t.guard)
        });
        let mut from = Vec::with_capacity(joins.len());
        for NodeJoin { kind, table, on } in joins {
            debug_assert!(matches!(kind, JoinKind::Inner | JoinKind::Cross));
            from.push(table);
            filter.extend(on);
        }
        Sight {
            source,
            guard,
            from,
            filter,
            fault,
        }
    }
}
