//! Options of `#[orm::test]`.

use quote::quote;

#[test]
fn a_limit_of_repeated_reads_is_at_least_two() {
    let item = quote!(
        async fn reads(db: Db) {}
    );
    let expanded = |options| crate::test::expand(options, item.clone());
    let test = expanded(quote!(n_plus_one = 2)).expect("a limit");
    assert!(test.to_string().contains("n_plus_one (2)"), "{test}");
    for limit in [quote!(1), quote!(0), quote!(-3), quote!("five")] {
        assert!(expanded(quote!(n_plus_one = #limit)).is_err());
    }
    let unknown = expanded(quote!(n_plus_two = 2)).expect_err("no option");
    assert!(unknown.to_string().contains("`n_plus_one`"), "{unknown}");
}
