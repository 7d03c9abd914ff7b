use orm::prelude::*;

#[derive(Embed, Clone)]
struct Address {
    city: String,
    zip: Option<String>,
}

#[derive(Model)]
struct Customer {
    id: Id<Customer>,
    #[orm(embed)]
    home: Address,
    #[orm(embed)]
    work: Option<Address>,
}

fn none_for_a_required_one() {
    let _ = Customer::update_where(|c| c.id.eq(Id::new(1))).set(|c| c.home.to(None));
}

fn another_type() {
    let _ = Customer::query().filter(|c| c.home.eq("Oslo"));
}

fn an_optional_one_for_a_required_one() {
    let _ = Customer::update_where(|c| c.id.eq(Id::new(1))).set(|c| c.home.to(c.work));
}

fn an_unknown_part() {
    let _ = Customer::query().filter(|c| c.home.town.eq("Oslo"));
}

fn an_order_without_a_direction() {
    let _ = Customer::query().order_by(|c| c.home);
}

fn is_null_of_a_required_one() {
    let _ = Customer::query().filter(|c| c.home.is_null());
}

fn main() {}
