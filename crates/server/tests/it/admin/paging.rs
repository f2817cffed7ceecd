//! Pages of connections while sockets come and go.

use std::collections::BTreeSet;

use roomkey_testkit::eventually;

use super::support::Desk;

#[test]
fn pages_are_complete_and_without_duplicates_while_sockets_come_and_go() {
    let desk = Desk::start_with("");
    let (ada, root) = (desk.product.register("ada"), desk.log_in("root"));
    let connect = || desk.product.connect(&ada.token);
    let stay: Vec<_> = (0..12).map(|_| connect()).collect();
    let mut go: Vec<_> = (0..6).map(|_| connect()).collect();
    let ids = |list: &serde_json::Value| -> Vec<String> {
        let all = list["connections"].as_array().expect("a list").iter();
        all.map(|one| one["socket"].as_str().expect("an id").to_owned()).collect()
    };
    let before: Vec<_> = ids(&desk.see(&root, "/api/connections?limit=200"));
    assert_eq!(before.len(), 18);
    let (mut seen, mut cursor, mut come) = (Vec::new(), None, Vec::new());
    loop {
        let query = cursor.as_ref().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let page = desk.see(&root, &format!("/api/connections?limit=4{query}"));
        seen.extend(ids(&page));
        come.push(connect());
        let total = page["total"].as_u64().expect("a number");
        if go.pop().is_some() {
            eventually("it is gone", || {
                desk.see(&root, "/api/connections?limit=1")["total"].as_u64() <= Some(total)
            });
        }
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let unique: BTreeSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "nobody is on two pages");
    // The newest first: those who stay came first, and each of them was on some page.
    assert!(before[6..].iter().all(|id| unique.contains(id)), "{before:?} {seen:?}");
    assert!(seen.iter().all(|id| before.contains(id)), "who came later belongs on pages before these");
    drop((stay, come));
}
