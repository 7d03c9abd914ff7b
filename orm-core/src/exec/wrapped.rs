//! Handles that add something to every statement: who acts, for which tenant, for which request.

use std::ops::{Deref, DerefMut};

use crate::driver::{BoxFuture, TxMode};
use crate::error::Result;
use crate::exec::{Db, Exec, Handle, InTx, Raw, Tx, Writer};
use crate::value::Scalar;

/// A handle with an acting user; derefs to the handle below. Made by `db.acting_as(user_id)`.
#[derive(Clone)]
pub struct Acting<H, A> {
    pub(crate) handle: H,
    actor: A,
}

/// A handle with a tenant; derefs to the handle below. Made by `db.tenant(tenant_id)`.
#[derive(Clone)]
pub struct Tenant<H, T> {
    pub(crate) handle: H,
    tenant: T,
}

/// A handle that works for a request; derefs to the handle below. Made by `db.request("4711")`.
#[derive(Clone)]
pub struct ForRequest<H, R> {
    pub(crate) handle: H,
    request: R,
}

impl<H, R> ForRequest<H, R> {
    /// What it works for.
    pub fn request_id(&self) -> &R {
        &self.request
    }
}
impl<H, A> Acting<H, A> {
    /// Who acts.
    pub fn actor(&self) -> &A {
        &self.actor
    }
}
impl<H, T> Tenant<H, T> {
    /// Whose rows are seen and written.
    pub fn tenant_id(&self) -> &T {
        &self.tenant
    }
}

macro_rules! wrapped {
    ($W:ident, $field:ident, $scope:ident) => {
        impl<H, V> Deref for $W<H, V> {
            type Target = H;
            fn deref(&self) -> &H {
                &self.handle
            }
        }
        impl<H, V> DerefMut for $W<H, V> {
            fn deref_mut(&mut self) -> &mut H {
                &mut self.handle
            }
        }
        #[diagnostic::do_not_recommend]
        impl<H: Exec, V: Scalar + Clone> Exec for $W<H, V> {
            fn raw(&self) -> Raw<'_> {
                let mut raw = self.handle.raw();
                raw.scope.$scope = Some(self.$field.clone().into_value());
                raw
            }
        }
        #[diagnostic::do_not_recommend]
        impl<H: Writer, V: Scalar + Clone> Writer for $W<H, V> {}
        #[diagnostic::do_not_recommend]
        impl<H: Handle, V: Scalar + Clone> Handle for $W<H, V> {
            type Inner = $W<H::Inner, V>;
            type Shared<'a>
                = $W<H::Shared<'a>, V>
            where
                Self: 'a;
            fn open(&self, mode: TxMode) -> BoxFuture<'_, Result<Self::Inner>> {
                Box::pin(async move {
                    let handle = self.handle.open(mode).await?;
                    Ok($W {
                        handle,
                        $field: self.$field.clone(),
                    })
                })
            }
            fn share(&self) -> Self::Shared<'_> {
                $W {
                    handle: self.handle.share(),
                    $field: self.$field.clone(),
                }
            }
        }
        #[diagnostic::do_not_recommend]
        impl<H: InTx, V: Scalar + Clone> InTx for $W<H, V> {
            fn tx(&self) -> &Tx {
                self.handle.tx()
            }
            fn into_tx(self) -> Tx {
                self.handle.into_tx()
            }
        }
    };
}
wrapped!(Acting, actor, actor);
wrapped!(Tenant, tenant, tenant);
wrapped!(ForRequest, request, request);

impl Db {
    /// The same database, where every write is recorded as done by this user.
    pub fn acting_as<A: Scalar + Clone>(&self, actor: A) -> Acting<Db, A> {
        Acting {
            handle: self.clone(),
            actor,
        }
    }
    /// The same database, where tenant-scoped models see and write the rows of this tenant.
    pub fn tenant<T: Scalar + Clone>(&self, tenant: T) -> Tenant<Db, T> {
        Tenant {
            handle: self.clone(),
            tenant,
        }
    }
    /// The same database, where audit trails hold the name of this request, job or message beside each change.
    pub fn request<R: Scalar + Clone>(&self, request: R) -> ForRequest<Db, R> {
        ForRequest {
            handle: self.clone(),
            request,
        }
    }
}
impl Tx {
    /// The same transaction, where every write is recorded as done by this user.
    pub fn acting_as<A: Scalar + Clone>(&self, actor: A) -> Acting<&Tx, A> {
        Acting { handle: self, actor }
    }
    /// The same transaction, where tenant-scoped models see and write the rows of this tenant.
    pub fn tenant<T: Scalar + Clone>(&self, tenant: T) -> Tenant<&Tx, T> {
        Tenant { handle: self, tenant }
    }
    /// The same transaction, where audit trails hold the name of this request, job or message beside each change.
    pub fn request<R: Scalar + Clone>(&self, request: R) -> ForRequest<&Tx, R> {
        ForRequest {
            handle: self,
            request,
        }
    }
}
impl<H: Handle, A: Scalar + Clone> Acting<H, A> {
    /// The same handle with another acting user.
    pub fn acting_as<B: Scalar + Clone>(&self, actor: B) -> Acting<H::Shared<'_>, B> {
        Acting {
            handle: self.handle.share(),
            actor,
        }
    }
    /// The same handle with a tenant as well.
    pub fn tenant<T: Scalar + Clone>(&self, tenant: T) -> Tenant<Acting<H::Shared<'_>, A>, T> {
        Tenant {
            handle: self.share(),
            tenant,
        }
    }
    /// The same handle for a request as well.
    pub fn request<R: Scalar + Clone>(&self, request: R) -> ForRequest<Acting<H::Shared<'_>, A>, R> {
        ForRequest {
            handle: self.share(),
            request,
        }
    }
}
impl<H: Handle, T: Scalar + Clone> Tenant<H, T> {
    /// The same handle with an acting user as well.
    pub fn acting_as<A: Scalar + Clone>(&self, actor: A) -> Acting<Tenant<H::Shared<'_>, T>, A> {
        Acting {
            handle: self.share(),
            actor,
        }
    }
    /// The same handle for another tenant.
    pub fn tenant<B: Scalar + Clone>(&self, tenant: B) -> Tenant<H::Shared<'_>, B> {
        Tenant {
            handle: self.handle.share(),
            tenant,
        }
    }
    /// The same handle for a request as well.
    pub fn request<R: Scalar + Clone>(&self, request: R) -> ForRequest<Tenant<H::Shared<'_>, T>, R> {
        ForRequest {
            handle: self.share(),
            request,
        }
    }
}
impl<H: Handle, R: Scalar + Clone> ForRequest<H, R> {
    /// The same handle with an acting user as well.
    pub fn acting_as<A: Scalar + Clone>(&self, actor: A) -> Acting<ForRequest<H::Shared<'_>, R>, A> {
        Acting {
            handle: self.share(),
            actor,
        }
    }
    /// The same handle with a tenant as well.
    pub fn tenant<T: Scalar + Clone>(&self, tenant: T) -> Tenant<ForRequest<H::Shared<'_>, R>, T> {
        Tenant {
            handle: self.share(),
            tenant,
        }
    }
    /// The same handle for another request.
    pub fn request<S: Scalar + Clone>(&self, request: S) -> ForRequest<H::Shared<'_>, S> {
        ForRequest {
            handle: self.handle.share(),
            request,
        }
    }
}
