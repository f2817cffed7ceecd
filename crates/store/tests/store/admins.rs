//! Who may open the admin page: the contract of every backend.

use crate::support::{Fixture, HASH, backends};
use roomkey_model::{AdminRole, ErrorCode, Failure, Timestamp};
use roomkey_store::{Admin, StoreError};

fn admin(name: &str, role: AdminRole) -> Admin {
    Admin {
        name: name.to_owned(),
        password_hash: HASH.to_owned(),
        role,
        created: Timestamp(7),
        seen: None,
        address: None,
    }
}

#[tokio::test]
async fn admins_are_added_once_listed_by_name_and_removed() {
    for Fixture { store, .. } in backends() {
        let (root, guest) = (admin("root", AdminRole::Admin), admin("guest", AdminRole::Viewer));
        store.create_admin(root.clone()).await.expect("is new");
        store.create_admin(guest.clone()).await.expect("is new");
        let again = store.create_admin(admin("root", AdminRole::Viewer)).await;
        assert_eq!(again, Err(StoreError::Conflict { field: "name" }));
        assert_eq!(store.admin("root").await, Ok(Some(root.clone())));
        assert_eq!(store.admin("nobody").await, Ok(None));
        assert_eq!(store.admins(10).await, Ok(vec![guest.clone(), root]));
        assert_eq!(store.admins(1).await, Ok(vec![guest.clone()]));
        assert_eq!(store.remove_admin("root").await, Ok(true));
        assert_eq!(store.remove_admin("root").await, Ok(false));
        assert_eq!(store.admins(10).await, Ok(vec![guest]));
    }
}

#[tokio::test]
async fn a_login_counts_only_with_the_password_that_is_there_by_then() {
    for Fixture { store, .. } in backends() {
        store.create_admin(admin("root", AdminRole::Admin)).await.expect("is new");
        let login =
            |hash: &str, now| store.note_admin_login("root", hash, "192.0.2.1".to_owned(), Timestamp(now));
        assert_eq!(login(HASH, 100).await, Ok(()));
        let noted = store.admin("root").await.expect("reads").expect("is there");
        assert_eq!((noted.seen, noted.address.as_deref()), (Some(Timestamp(100)), Some("192.0.2.1")));
        assert_eq!(store.replace_admin_password("root", HASH, "other".to_owned()).await, Ok(()));
        assert_eq!(login(HASH, 200).await, Err(StoreError::Denied));
        let conflict = Err(StoreError::Conflict { field: "password" });
        assert_eq!(store.replace_admin_password("root", HASH, "third".to_owned()).await, conflict);
        let told = Failure::from(StoreError::Conflict { field: "password" });
        assert_eq!((told.code, &*told.message), (ErrorCode::Conflict, "The password was changed meanwhile"));
        assert_eq!(login("other", 300).await, Ok(()));
        store.remove_admin("root").await.expect("is removed");
        assert_eq!(login("other", 400).await, Err(StoreError::Denied));
    }
}
