//! `#[orm::hybrid]`: the methods stay what they are, and the columns of the model get each of them once more, its body as
//! an expression of SQL. What the body may say is listed here; everything else is a mistake at the token that says it.
//!
//! What does not depend on the row is left to Rust and bound as a value. The rest becomes calls of one function for each
//! operator (`orm::private::hybrid`), which have Rust's types, so that both bodies are checked by the same rules.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    BinOp, Block, Expr, ExprClosure, ExprIf, ExprMacro, ExprMatch, ExprMethodCall, FnArg, ImplItem,
    ImplItemFn, ItemImpl, Lit, LitStr, Member, Pat, RangeLimits, ReturnType, Stmt, Token, Type, UnOp,
};

use crate::attr::ungroup;
use crate::ctxt::Ctxt;
use crate::ty;

const IN_FRONT: &str = "a hybrid is one expression, with `let name = value;` in front";
const FORM: &str = "`#[orm::hybrid]` stands on an `impl` of a model: `#[orm::hybrid] impl Post { fn is_popular(&self) -> bool { .. } }`";

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let cx = Ctxt::new();
    if !options.is_empty() {
        cx.error(&options, "`#[orm::hybrid]` takes no options");
    }
    let parsed = syn::parse2::<ItemImpl>(item.clone());
    let twin = match &parsed {
        Ok(item) => columns(&cx, item),
        Err(_) => {
            cx.error_at(Span::call_site(), FORM);
            None
        }
    };
    let errors = cx.finish().err().map(|errors| errors.to_compile_error());
    // a method that only queries use is used
    let allow = parsed.is_ok().then(|| quote!(#[allow(dead_code)]));
    quote!(#allow #item #twin #errors)
}

/// The methods of the columns.
fn columns(cx: &Ctxt, item: &ItemImpl) -> Option<TokenStream> {
    let mut path = match ungroup_type(&item.self_ty) {
        Type::Path(path) if item.trait_.is_none() && item.generics.params.is_empty() => path.path.clone(),
        _ => {
            cx.error(&item.self_ty, FORM);
            return None;
        }
    };
    let model = path.clone();
    let last = path.segments.last_mut()?;
    last.ident = format_ident!(
        "{}Cols",
        last.ident.to_string().trim_start_matches("r#"),
        span = last.ident.span()
    );
    let methods: Vec<TokenStream> = item
        .items
        .iter()
        .filter_map(|item| match item {
            ImplItem::Fn(method) => self::method(cx, &model, method),
            // of use in the bodies
            ImplItem::Const(_) => None,
            other => {
                cx.error(
                    other,
                    "a hybrid is a method: move everything else into another `impl`",
                );
                None
            }
        })
        .collect();
    Some(quote! {
        #[automatically_derived]
        #[allow(unused, clippy::all, clippy::pedantic)]
        impl<__S> #path<__S> {
            #(#methods)*
        }
    })
}

fn method(cx: &Ctxt, model: &syn::Path, method: &ImplItemFn) -> Option<TokenStream> {
    let signature = &method.sig;
    let before = cx.count();
    if let Some(token) = &signature.asyncness {
        cx.error(
            token,
            "a hybrid is computed by the database as well: it cannot be `async`",
        );
    }
    if !signature.generics.params.is_empty() {
        cx.error(&signature.generics, "a hybrid has no generic parameters");
    }
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) if receiver.mutability.is_none() => {}
        _ => cx.error(&signature.ident, "a hybrid begins with `&self`"),
    }
    let result = match &signature.output {
        ReturnType::Type(_, ty) => returned(cx, ty),
        ReturnType::Default => {
            cx.error(
                &signature.ident,
                "a hybrid returns a value: `-> bool`, `-> i64`, `-> String`",
            );
            None
        }
    };
    let mut parameters = Vec::new();
    for input in &signature.inputs {
        if let FnArg::Typed(argument) = input {
            match &*argument.pat {
                Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
                    parameters.push((name.ident.clone(), (*argument.ty).clone()));
                }
                other => cx.error(other, "a hybrid's parameter is a name"),
            }
        }
    }
    let mut body = Body {
        cx,
        model,
        parameters: &parameters,
        locals: vec![Ident::new("self", Span::call_site()).to_string()],
    };
    let tokens = body.block(&method.block);
    let (vis, name, result) = (&method.vis, &signature.ident, result?);
    let docs = method
        .attrs
        .iter()
        .filter(|a| a.path().is_ident("doc") || a.path().is_ident("cfg"));
    let arguments = parameters.iter().map(|(name, ty)| quote!(#name: #ty));
    // the method is there in any case, so that its uses are no further errors
    let tokens = if cx.count() == before {
        tokens
    } else {
        quote!(::core::unreachable!())
    };
    Some(quote! {
        #(#docs)*
        #vis fn #name(self, #(#arguments),*) -> ::orm::private::Expr<__S, #result> {
            #tokens
        }
    })
}

/// What the columns return for what the instance does.
fn returned(cx: &Ctxt, ty: &Type) -> Option<TokenStream> {
    match ungroup_type(ty) {
        Type::Reference(reference) => returned(cx, &reference.elem),
        Type::Path(path) if path.path.is_ident("str") => Some(quote!(::orm::private::String)),
        Type::Path(path) if path.path.is_ident("usize") || path.path.is_ident("isize") => {
            cx.error(
                ty,
                "no column has this type: return an `i64`, with `as i64` in the body",
            );
            None
        }
        Type::ImplTrait(_) | Type::Never(_) | Type::Tuple(_) | Type::Infer(_) => {
            cx.error(
                ty,
                "a hybrid returns one column type: `bool`, `i64`, `String`, `Option<i64>`",
            );
            None
        }
        bare => match ty::option(bare) {
            Some(inner) => returned(cx, inner).map(|inner| quote!(::core::option::Option<#inner>)),
            None => Some(bare.to_token_stream()),
        },
    }
}

fn ungroup_type(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungroup_type(&group.elem),
        Type::Paren(paren) => ungroup_type(&paren.elem),
        other => other,
    }
}

/// The words of Rust that have a function of the same meaning, by the number of their arguments.
const PLAIN: &[(&str, usize, &str)] = &[
    ("abs", 0, "abs"),
    ("floor", 0, "floor"),
    ("ceil", 0, "ceil"),
    ("trunc", 0, "trunc"),
    ("len", 0, "len"),
    ("is_empty", 0, "is_empty"),
    ("to_ascii_lowercase", 0, "ascii_lower"),
    ("to_ascii_uppercase", 0, "ascii_upper"),
    ("to_string", 0, "shown"),
    ("is_some", 0, "is_some"),
    ("is_none", 0, "is_none"),
    ("unwrap_or_default", 0, "unwrap_or_default"),
    ("max", 1, "max"),
    ("min", 1, "min"),
    ("checked_div", 1, "checked_div"),
    ("checked_rem", 1, "checked_rem"),
    ("contains", 1, "contains"),
    ("starts_with", 1, "starts_with"),
    ("ends_with", 1, "ends_with"),
    ("eq_ignore_ascii_case", 1, "ascii_eq"),
    ("unwrap_or", 1, "unwrap_or"),
    ("or", 1, "or_option"),
    ("then_some", 1, "then_some"),
];
/// What changes how Rust holds a value, and not the value.
const SAME: &[&str] = &[
    "clone",
    "to_owned",
    "as_str",
    "as_ref",
    "as_deref",
    "copied",
    "cloned",
    "as_deref_mut",
    "borrow",
];
/// What Rust and the databases answer differently, and what to say instead.
const OTHERWISE: &[(&str, &str)] = &[
    (
        "to_lowercase",
        "databases differ in the case of letters beyond ASCII: `to_ascii_lowercase()`",
    ),
    (
        "to_uppercase",
        "databases differ in the case of letters beyond ASCII: `to_ascii_uppercase()`",
    ),
    ("trim", "a database trims blanks only: `trim_matches(' ')`"),
    (
        "trim_start",
        "a database trims blanks only: `trim_start_matches(' ')`",
    ),
    (
        "trim_end",
        "a database trims blanks only: `trim_end_matches(' ')`",
    ),
    ("unwrap", "SQL has no panic: `unwrap_or(value)`"),
    ("expect", "SQL has no panic: `unwrap_or(value)`"),
    (
        "round",
        "a float is rounded differently: `floor()`, or `round` in the query",
    ),
    (
        "chars",
        "of the characters a hybrid knows their number: `chars().count()`",
    ),
];

struct Body<'a> {
    cx: &'a Ctxt,
    model: &'a syn::Path,
    parameters: &'a [(Ident, Type)],
    /// `self`, and the names that stand for expressions.
    locals: Vec<String>,
}

impl Body<'_> {
    fn refuse(&self, tokens: impl ToTokens, message: impl std::fmt::Display) -> TokenStream {
        self.cx.error(tokens, message);
        TokenStream::new()
    }

    /// Whether any of it depends on the row.
    fn of_row(&self, tokens: &impl ToTokens) -> bool {
        fn any(tokens: TokenStream, locals: &[String]) -> bool {
            tokens.into_iter().any(|tree| match tree {
                TokenTree::Ident(ident) => locals.iter().any(|local| ident == local),
                TokenTree::Group(group) => any(group.stream(), locals),
                _ => false,
            })
        }
        any(tokens.to_token_stream(), &self.locals)
    }

    fn block(&mut self, block: &Block) -> TokenStream {
        let outer = self.locals.clone();
        let mut out = TokenStream::new();
        let mut last = None;
        for stmt in &block.stmts {
            if let Some(early) = last.take() {
                out.extend(self.refuse(early, IN_FRONT));
            }
            match stmt {
                Stmt::Local(local) => match (name(&local.pat), &local.init) {
                    (Some(name), Some(init)) if init.diverge.is_none() => {
                        // what is Rust's alone stays Rust's
                        if self.of_row(&init.expr) {
                            let value = self.expr(&init.expr);
                            out.extend(quote!(let #name = #value;));
                            self.locals.push(name.to_string());
                        } else {
                            let value = self.rust(&init.expr);
                            let ty = match &local.pat {
                                Pat::Type(typed) => Some(&typed.ty),
                                _ => None,
                            };
                            let ty = ty.map(|ty| quote!(: #ty));
                            out.extend(quote!(let #name #ty = #value;));
                            self.locals.retain(|local| name != local);
                        }
                    }
                    _ => out.extend(self.refuse(stmt, IN_FRONT)),
                },
                Stmt::Expr(expr, None) => last = Some(expr),
                Stmt::Expr(Expr::Return(back), Some(_)) => {
                    out.extend(self.refuse(
                        back,
                        "a hybrid is one expression: drop the `return` and use `if` and `else`",
                    ));
                }
                other => out.extend(self.refuse(other, IN_FRONT)),
            }
        }
        let before = self.cx.count();
        match last {
            Some(expr) => out.extend(self.expr(expr)),
            None if before == 0 => {
                out.extend(self.refuse(block, "a hybrid ends with the value that it computes"))
            }
            None => {}
        }
        self.locals = outer;
        quote!({ #out })
    }

    /// What Rust computes, as it was written but for `Self`, which is the columns there.
    fn rust(&self, expr: &Expr) -> TokenStream {
        fn replace(tokens: TokenStream, model: &TokenStream) -> TokenStream {
            let tree = |tree| match tree {
                TokenTree::Ident(ident) if ident == "Self" => model.clone(),
                TokenTree::Group(group) => {
                    let mut inner =
                        proc_macro2::Group::new(group.delimiter(), replace(group.stream(), model));
                    inner.set_span(group.span());
                    TokenTree::Group(inner).into()
                }
                other => other.into(),
            };
            tokens
                .into_iter()
                .flat_map(|t| -> TokenStream { tree(t) })
                .collect()
        }
        replace(expr.to_token_stream(), &self.model.to_token_stream())
    }

    /// A value that does not depend on the row.
    fn constant(&self, expr: &Expr) -> TokenStream {
        let span = expr.span();
        match expr {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => return quote_spanned!(span=> ::orm::private::hybrid::text(#text)),
                Lit::Int(_) | Lit::Float(_) | Lit::Bool(_) => {
                    return quote_spanned!(span=> ::orm::private::hybrid::literal(#lit));
                }
                _ => return self.refuse(lit, "a hybrid knows numbers, truth values and texts"),
            },
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) && matches!(*unary.expr, Expr::Lit(_)) => {
                return quote_spanned!(span=> ::orm::private::hybrid::literal(#unary));
            }
            Expr::Path(path) if path.path.is_ident("None") => {
                return quote_spanned!(span=> ::orm::private::hybrid::none());
            }
            Expr::Path(path) => {
                let parameter = self.parameters.iter().find(|(name, _)| path.path.is_ident(name));
                if let Some((name, Type::Reference(reference))) = parameter
                    && !matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str"))
                {
                    return quote_spanned!(span=> ::orm::private::hybrid::bound(::core::clone::Clone::clone(#name)));
                }
            }
            _ => {}
        }
        let value = self.rust(expr);
        quote_spanned!(span=> ::orm::private::hybrid::bound(::core::clone::Clone::clone(&(#value))))
    }

    fn expr(&mut self, expr: &Expr) -> TokenStream {
        let expr = ungroup(expr);
        let span = expr.span();
        match expr {
            Expr::Paren(inner) => return self.expr(&inner.expr),
            Expr::Reference(inner) if inner.mutability.is_none() => return self.expr(&inner.expr),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => return self.expr(&unary.expr),
            Expr::If(inner) => return self.choice(inner),
            Expr::Block(inner) if inner.label.is_none() => return self.block(&inner.block),
            Expr::Match(inner) => return self.arms(inner),
            Expr::Call(call) if is_some(&call.func) && call.args.len() == 1 => {
                let value = call.args.first().map(|value| self.expr(value));
                return quote_spanned!(span=> ::orm::private::hybrid::some(#value));
            }
            // numbers take their type from the other side, which Rust's own operators on literals would hide
            Expr::Binary(binary) if literals(expr) => {
                return self.binary(binary.op, &binary.left, &binary.right);
            }
            _ if !self.of_row(expr) => return self.constant(expr),
            _ => {}
        }
        match expr {
            Expr::Path(path) => match path.path.get_ident() {
                Some(ident) if ident == "self" => {
                    self.refuse(path, "a hybrid reads single fields: `self.field`")
                }
                Some(ident) => quote_spanned!(span=> ::core::clone::Clone::clone(&#ident)),
                None => self.constant(expr),
            },
            Expr::Field(_) => match self.field(expr) {
                Some(field) => quote_spanned!(span=> ::orm::private::hybrid::column(#field)),
                None => self.refuse(expr, "a hybrid reads the fields of `self`: `self.field`"),
            },
            Expr::Binary(binary) => self.binary(binary.op, &binary.left, &binary.right),
            Expr::Unary(unary) => {
                let (function, inner) = match unary.op {
                    UnOp::Not(_) => ("not", self.expr(&unary.expr)),
                    _ => ("neg", self.expr(&unary.expr)),
                };
                let function = Ident::new(function, unary.op.span());
                quote_spanned!(unary.op.span()=> ::orm::private::hybrid::#function(#inner))
            }
            Expr::Cast(cast) => {
                let inner = self.expr(&cast.expr);
                let ty = &cast.ty;
                quote_spanned!(ty.span()=> ::orm::private::hybrid::widen::<_, #ty, _>(#inner))
            }
            Expr::MethodCall(call) => self.call(call),
            Expr::Macro(call) => self.macro_call(call),
            Expr::Try(inner) => self.refuse(
                inner.question_token,
                "a hybrid cannot return early: `match value { Some(x) => .., None => .. }`",
            ),
            Expr::Return(back) => self.refuse(
                back,
                "a hybrid is one expression: drop the `return` and use `if` and `else`",
            ),
            Expr::Closure(closure) => self.refuse(
                closure,
                "a closure can stand in `map`, `is_some_and` and the like only",
            ),
            Expr::Call(call) => self.refuse(
                &call.func,
                "a hybrid cannot give columns to a function of Rust: write what it does, or make it a hybrid",
            ),
            Expr::ForLoop(_) | Expr::While(_) | Expr::Loop(_) => self.refuse(expr, "SQL has no loop"),
            other => self.refuse(other, "a hybrid cannot say this in SQL"),
        }
    }

    /// `self.address.city`
    fn field(&self, expr: &Expr) -> Option<TokenStream> {
        match ungroup(expr) {
            Expr::Path(path) if path.path.is_ident("self") => Some(quote!(self)),
            Expr::Paren(inner) => self.field(&inner.expr),
            Expr::Field(field) => {
                let base = self.field(&field.base)?;
                match &field.member {
                    Member::Named(name) => Some(quote!(#base.#name)),
                    Member::Unnamed(_) => None,
                }
            }
            _ => None,
        }
    }

    fn binary(&mut self, op: BinOp, left: &Expr, right: &Expr) -> TokenStream {
        let function = match op {
            BinOp::Add(_) => "add",
            BinOp::Sub(_) => "sub",
            BinOp::Mul(_) => "mul",
            BinOp::Div(_) => "div",
            BinOp::Rem(_) => "rem",
            BinOp::And(_) => "and",
            BinOp::Or(_) => "or",
            BinOp::Eq(_) => "eq",
            BinOp::Ne(_) => "ne",
            BinOp::Lt(_) => "lt",
            BinOp::Le(_) => "le",
            BinOp::Gt(_) => "gt",
            BinOp::Ge(_) => "ge",
            other => {
                return self.refuse(
                    other,
                    "a hybrid knows the operators + - * / % == != < <= > >= && || and !",
                );
            }
        };
        let (left, right) = (self.expr(left), self.expr(right));
        let function = Ident::new(function, op.span());
        quote_spanned!(op.span()=> ::orm::private::hybrid::#function(#left, #right))
    }

    fn choice(&mut self, choice: &ExprIf) -> TokenStream {
        let Some((_, otherwise)) = &choice.else_branch else {
            return self.refuse(choice, "every `if` of a hybrid needs its `else`");
        };
        let span = choice.if_token.span();
        if let Expr::Let(binding) = &*choice.cond {
            let Some(name) = some_pattern(&binding.pat) else {
                return self.refuse(&binding.pat, "a hybrid knows `if let Some(name) = value`");
            };
            let of = self.expr(&binding.expr);
            let then = self.with(&name, |body| body.block(&choice.then_branch));
            let otherwise = self.expr(otherwise);
            return quote_spanned!(span=> ::orm::private::hybrid::some_or(#of, |#name| #then, #otherwise));
        }
        let condition = self.expr(&choice.cond);
        let then = self.block(&choice.then_branch);
        let otherwise = self.expr(otherwise);
        quote_spanned!(span=> ::orm::private::hybrid::choose(#condition, #then, #otherwise))
    }

    /// With one more name for an expression.
    fn with(&mut self, name: &Pat, f: impl FnOnce(&mut Self) -> TokenStream) -> TokenStream {
        let depth = self.locals.len();
        if let Some(name) = self::name(name) {
            self.locals.push(name.to_string());
        }
        let tokens = f(self);
        self.locals.truncate(depth);
        tokens
    }

    fn arms(&mut self, choice: &ExprMatch) -> TokenStream {
        let span = choice.match_token.span();
        for arm in &choice.arms {
            if let Pat::Guard(guard) = &arm.pat {
                return self.refuse(guard, "an arm of a hybrid has no guard: write `if` and `else`");
            }
        }
        let some = choice
            .arms
            .iter()
            .position(|arm| some_pattern(&arm.pat).is_some());
        if let (Some(some), [_, _]) = (some, choice.arms.as_slice()) {
            let (some, none) = (&choice.arms[some], &choice.arms[1 - some]);
            let is_none = match &none.pat {
                Pat::Ident(name) => name.ident == "None",
                Pat::Wild(_) => true,
                _ => false,
            };
            if let (Some(name), true) = (some_pattern(&some.pat), is_none) {
                let of = self.expr(&choice.expr);
                let then = self.with(&name, |body| body.expr(&some.body));
                let otherwise = self.expr(&none.body);
                return quote_spanned!(span=> ::orm::private::hybrid::some_or(#of, |#name| #then, #otherwise));
            }
        }
        let Some((last, arms)) = choice.arms.split_last() else {
            return self.refuse(choice, "this `match` has no arm");
        };
        let of = self.expr(&choice.expr);
        let mut pairs = Vec::new();
        for arm in arms {
            let result = self.expr(&arm.body);
            for value in self.values(&arm.pat) {
                pairs.push(quote!((#value, #result)));
            }
        }
        // Rust sees to it that nothing is left for it but what it names
        if !matches!(last.pat, Pat::Wild(_)) {
            self.values(&last.pat);
        }
        let otherwise = self.expr(&last.body);
        quote_spanned!(span=>
            ::orm::private::hybrid::choose_by(#of, ::orm::private::vec![#(#pairs),*], #otherwise))
    }

    /// The values of a pattern.
    fn values(&mut self, pat: &Pat) -> Vec<TokenStream> {
        const KNOWN: &str = "a pattern of a hybrid is a literal, a constant, or several of them with `|`; the last may be `_`";
        match pat {
            Pat::Or(or) => or.cases.iter().flat_map(|pat| self.values(pat)).collect(),
            Pat::Paren(inner) => self.values(&inner.pat),
            Pat::Lit(lit) => vec![self.constant(&Expr::Lit(lit.clone()))],
            Pat::Path(path) => vec![self.constant(&Expr::Path(path.clone()))],
            // a constant; a name in lower case would take any value
            Pat::Ident(name) if name.subpat.is_none() && is_constant(&name.ident) => {
                let path = syn::parse_quote!(#name);
                vec![self.constant(&path)]
            }
            other => {
                self.refuse(other, KNOWN);
                Vec::new()
            }
        }
    }

    fn call(&mut self, call: &ExprMethodCall) -> TokenStream {
        let (name, span) = (call.method.to_string(), call.method.span());
        let receiver = ungroup(&call.receiver);
        if matches!(receiver, Expr::Path(path) if path.path.is_ident("self")) {
            return self.hybrid(call);
        }
        match (name.as_str(), call.args.len()) {
            ("contains", 1) => {
                if let Some(found) = self.membership(call) {
                    return found;
                }
            }
            ("count", 0) => match receiver {
                Expr::MethodCall(chars) if chars.method == "chars" && chars.args.is_empty() => {
                    let of = self.expr(&chars.receiver);
                    return quote_spanned!(span=> ::orm::private::hybrid::char_count(#of));
                }
                _ => {
                    return self.refuse(
                        &call.method,
                        "a hybrid counts characters: `self.name.chars().count()`",
                    );
                }
            },
            ("is_some_and" | "is_none_or" | "map", 1) => {
                let of = self.expr(receiver);
                let function = Ident::new(&name, span);
                let closure = call.args.first().map(|closure| self.closure(closure));
                return quote_spanned!(span=> ::orm::private::hybrid::#function(#of, #closure));
            }
            ("map_or", 2) => {
                let (of, none) = (self.expr(receiver), self.expr(&call.args[0]));
                let closure = self.closure(&call.args[1]);
                return quote_spanned!(span=> ::orm::private::hybrid::some_or(#of, #closure, #none));
            }
            ("trim_matches" | "trim_start_matches" | "trim_end_matches", 1) => {
                let blank = matches!(ungroup(&call.args[0]), Expr::Lit(lit) if matches!(&lit.lit, Lit::Char(c) if c.value() == ' '));
                if !blank {
                    return self.refuse(&call.args[0], "a hybrid trims blanks: `' '`");
                }
                let of = self.expr(receiver);
                let function = Ident::new(name.trim_end_matches("_matches"), span);
                return quote_spanned!(span=> ::orm::private::hybrid::#function(#of));
            }
            ("replace", 2) => {
                let from = match ungroup(&call.args[0]) {
                    Expr::Lit(lit) => match &lit.lit {
                        Lit::Str(text) if !text.value().is_empty() => Some(text.clone()),
                        _ => None,
                    },
                    _ => None,
                };
                let Some(from) = from else {
                    let message = "a hybrid replaces a literal that is not empty: of an empty text databases replace nothing";
                    return self.refuse(&call.args[0], message);
                };
                let (of, to) = (self.expr(receiver), self.expr(&call.args[1]));
                return quote_spanned!(span=> ::orm::private::hybrid::replace(#of, #from, #to));
            }
            (same, 0) if SAME.contains(&same) => return self.expr(receiver),
            _ => {}
        }
        let plain = PLAIN
            .iter()
            .find(|(word, count, _)| *word == name && *count == call.args.len());
        let Some((_, _, function)) = plain else {
            let why = OTHERWISE.iter().find(|(word, _)| *word == name);
            let message = match why {
                Some((_, why)) => format!("`{name}` cannot stand in a hybrid: {why}"),
                None => format!(
                    "`{name}` has no counterpart in SQL that a hybrid knows; on `self` it may be another hybrid"
                ),
            };
            return self.refuse(&call.method, message);
        };
        let function = Ident::new(function, span);
        let of = self.expr(receiver);
        let arguments: Vec<TokenStream> = call.args.iter().map(|argument| self.expr(argument)).collect();
        quote_spanned!(span=> ::orm::private::hybrid::#function(#of #(, #arguments)*))
    }

    /// `self.other(argument)`: another hybrid.
    fn hybrid(&mut self, call: &ExprMethodCall) -> TokenStream {
        let mut arguments = Vec::new();
        for argument in &call.args {
            if self.of_row(argument) {
                return self.refuse(argument, "what a hybrid is given cannot depend on the row");
            }
            let value = self.rust(argument);
            // a parameter may be needed again
            let owned = matches!(argument, Expr::Path(path)
                if self.parameters.iter().any(|(name, _)| path.path.is_ident(name)));
            arguments.push(match owned {
                true => quote!(::core::clone::Clone::clone(&#value)),
                false => value,
            });
        }
        let method = &call.method;
        quote_spanned!(method.span()=> self.#method(#(#arguments),*))
    }

    /// `(a..=b).contains(&x)` and `[a, b].contains(&x)`.
    fn membership(&mut self, call: &ExprMethodCall) -> Option<TokenStream> {
        let span = call.method.span();
        let mut receiver = ungroup(&call.receiver);
        while let Expr::Paren(inner) = receiver {
            receiver = ungroup(&inner.expr);
        }
        match receiver {
            Expr::Range(range) => {
                let x = self.expr(&call.args[0]);
                let low = range.start.as_deref().map(|low| self.expr(low));
                let high = range.end.as_deref().map(|high| self.expr(high));
                let above = low
                    .as_ref()
                    .map(|low| quote!(::orm::private::hybrid::ge(x.clone(), #low)));
                let below = high.as_ref().map(|high| match range.limits {
                    RangeLimits::Closed(_) => quote!(::orm::private::hybrid::le(x.clone(), #high)),
                    RangeLimits::HalfOpen(_) => quote!(::orm::private::hybrid::lt(x.clone(), #high)),
                });
                let condition = match (above, below, &range.limits) {
                    (Some(_), Some(_), RangeLimits::Closed(_)) => {
                        quote_spanned!(span=> ::orm::private::hybrid::between(x, #low, #high))
                    }
                    (Some(above), Some(below), _) => {
                        quote_spanned!(span=> ::orm::private::hybrid::and(#above, #below))
                    }
                    (Some(one), None, _) | (None, Some(one), _) => one,
                    (None, None, _) => return Some(self.refuse(range, "this range holds everything")),
                };
                Some(quote!({ let x = #x; #condition }))
            }
            Expr::Array(array) => {
                let x = self.expr(&call.args[0]);
                let items: Vec<TokenStream> = array.elems.iter().map(|item| self.expr(item)).collect();
                Some(quote_spanned!(span=>
                    ::orm::private::hybrid::one_of(#x, ::orm::private::vec![#(#items),*])))
            }
            _ => None,
        }
    }

    fn closure(&mut self, expr: &Expr) -> TokenStream {
        let parts = |closure: &ExprClosure| match closure.inputs.first() {
            Some(input) if closure.inputs.len() == 1 => bound_name(input),
            _ => None,
        };
        match ungroup(expr) {
            Expr::Closure(closure) => match parts(closure) {
                Some(name) => {
                    let body = self.with(&name, |body| body.expr(&closure.body));
                    quote!(|#name| #body)
                }
                None => self.refuse(&closure.inputs, "the closure of a hybrid has one name: `|x| ..`"),
            },
            other => self.refuse(other, "a hybrid needs a closure here: `|x| ..`"),
        }
    }

    fn macro_call(&mut self, call: &ExprMacro) -> TokenStream {
        let name = call.mac.path.get_ident().map(Ident::to_string);
        match name.as_deref() {
            Some("format") => self.format(call),
            Some("matches") => self.matches(call),
            _ => self.refuse(&call.mac.path, "a hybrid knows `format!` and `matches!`"),
        }
    }

    /// `format!("{} {}", self.a, self.b)`, the pieces one behind the other.
    fn format(&mut self, call: &ExprMacro) -> TokenStream {
        let span = call.mac.path.span();
        let arguments = call
            .mac
            .parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        let Ok(arguments) = arguments else {
            return self.refuse(
                &call.mac.tokens,
                "a hybrid knows `format!(\"{} {}\", self.a, self.b)`",
            );
        };
        let mut arguments = arguments.iter();
        let literal = match arguments.next().map(ungroup) {
            Some(Expr::Lit(lit)) => match &lit.lit {
                Lit::Str(text) => text.clone(),
                _ => return self.refuse(lit, "`format!` begins with a text"),
            },
            _ => return self.refuse(&call.mac.tokens, "`format!` begins with a text"),
        };
        let mut pieces: Vec<TokenStream> = Vec::new();
        let text = literal.value();
        let mut rest = text.as_str();
        let mut plain = String::new();
        while let Some(first) = rest.chars().next() {
            if rest.starts_with("{{") || rest.starts_with("}}") {
                plain.push(first);
                rest = &rest[2..];
                continue;
            }
            if first != '{' {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
            let (inside, behind) = rest[1..].split_once('}').unwrap_or(("", ""));
            rest = behind;
            if !plain.is_empty() {
                let text = LitStr::new(&std::mem::take(&mut plain), literal.span());
                pieces.push(quote!(::orm::private::hybrid::text(#text)));
            }
            let value = match inside {
                "" => match arguments.next() {
                    Some(value) => self.expr(value),
                    None => return self.refuse(&literal, "a `{}` of this text has no value"),
                },
                name => match LitStr::new(name, literal.span()).parse::<Ident>() {
                    Ok(ident) => self.expr(&syn::parse_quote!(#ident)),
                    Err(_) => {
                        return self.refuse(&literal, "a hybrid knows `{}` and `{name}` without a format");
                    }
                },
            };
            pieces.push(quote_spanned!(span=> ::orm::private::hybrid::shown(#value)));
        }
        if !plain.is_empty() || pieces.is_empty() {
            let text = LitStr::new(&plain, literal.span());
            pieces.push(quote!(::orm::private::hybrid::text(#text)));
        }
        pieces
            .into_iter()
            .reduce(|a, b| quote_spanned!(span=> ::orm::private::hybrid::add(#a, #b)))
            .unwrap_or_default()
    }

    /// `matches!(self.state, State::Open | State::New)`
    fn matches(&mut self, call: &ExprMacro) -> TokenStream {
        let span = call.mac.path.span();
        let parts = call.mac.parse_body_with(|input: syn::parse::ParseStream<'_>| {
            let of: Expr = input.parse()?;
            input.parse::<Token![,]>()?;
            let pat = Pat::parse_multi_with_leading_vert(input)?;
            input.parse::<Option<Token![,]>>()?;
            Ok((of, pat))
        });
        let Ok((of, pat)) = parts else {
            return self.refuse(&call.mac.tokens, "a hybrid knows `matches!(self.field, A | B)`");
        };
        let of = self.expr(&of);
        let values = self.values(&pat);
        quote_spanned!(span=> ::orm::private::hybrid::one_of(#of, ::orm::private::vec![#(#values),*]))
    }
}

fn is_constant(ident: &Ident) -> bool {
    ident.to_string().starts_with(char::is_uppercase)
}

fn is_some(function: &Expr) -> bool {
    matches!(function, Expr::Path(path) if path.path.is_ident("Some"))
}

/// Whether it consists of numbers and truth values alone.
fn literals(expr: &Expr) -> bool {
    match ungroup(expr) {
        Expr::Lit(lit) => !matches!(lit.lit, Lit::Str(_) | Lit::Char(_)),
        Expr::Paren(inner) => literals(&inner.expr),
        Expr::Unary(unary) => literals(&unary.expr),
        Expr::Binary(binary) => literals(&binary.left) && literals(&binary.right),
        _ => false,
    }
}

/// The name that a `let` gives.
fn name(pat: &Pat) -> Option<Ident> {
    match pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.mutability.is_none() && name.subpat.is_none() => {
            Some(name.ident.clone())
        }
        Pat::Type(typed) => name(&typed.pat),
        _ => None,
    }
}

/// `x`, `&x`, `_`, with or without a type.
fn bound_name(pat: &Pat) -> Option<Pat> {
    match pat {
        Pat::Reference(reference) => bound_name(&reference.pat),
        Pat::Type(typed) => bound_name(&typed.pat),
        Pat::Wild(_) => Some(pat.clone()),
        Pat::Ident(ident) => name(pat)
            .filter(|_| !is_constant(&ident.ident))
            .map(|name| syn::parse_quote!(#name)),
        _ => None,
    }
}

/// `Some(x)`
fn some_pattern(pat: &Pat) -> Option<Pat> {
    match pat {
        Pat::TupleStruct(inner) if inner.path.is_ident("Some") && inner.elems.len() == 1 => {
            inner.elems.first().and_then(bound_name)
        }
        Pat::Reference(reference) => some_pattern(&reference.pat),
        Pat::Paren(inner) => some_pattern(&inner.pat),
        _ => None,
    }
}
