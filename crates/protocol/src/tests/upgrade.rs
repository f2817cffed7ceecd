use roomkey_model::Timestamp;

use crate::{
    engine::{Packet, query::Transport},
    upgrade::{Upgrade, UpgradeAction, UpgradeError},
};

const TIMEOUT_MS: u64 = 10_000;

fn begun() -> Upgrade {
    let mut upgrade = Upgrade::new(Transport::Polling);
    upgrade.begin(TIMEOUT_MS, Timestamp(0)).expect("on polling");
    upgrade
}

fn send(upgrade: &mut Upgrade, packet: &str) -> Result<UpgradeAction, UpgradeError> {
    upgrade.on_packet(&Packet::decode(packet).expect("a packet"))
}

#[test]
fn probe_and_upgrade() {
    let mut upgrade = begun();
    assert_eq!(upgrade.deadline(), Some(Timestamp(10_000)));
    assert_eq!(send(&mut upgrade, "2probe"), Ok(UpgradeAction::Probe));
    assert_eq!(upgrade.transport(), Transport::Polling, "until the upgrade polling is the active transport");
    assert_eq!(send(&mut upgrade, "5"), Ok(UpgradeAction::Complete));
    assert_eq!(upgrade.transport(), Transport::Websocket);
    assert_eq!(upgrade.deadline(), None);
    assert_eq!(upgrade.begin(TIMEOUT_MS, Timestamp(1)), Err(UpgradeError::NotPolling));
}

#[test]
fn an_upgrade_without_a_probe_is_accepted() {
    assert_eq!(send(&mut begun(), "5"), Ok(UpgradeAction::Complete));
}

#[test]
fn anything_else_ends_the_websocket_but_not_the_session() {
    for packet in ["2", "2x", "3probe", "42[\"m\"]", "40", "6", "1", "0", "bAQ=="] {
        let mut upgrade = begun();
        assert_eq!(send(&mut upgrade, packet), Err(UpgradeError::Unexpected), "{packet}");
        assert_eq!(upgrade.transport(), Transport::Polling);
        assert_eq!(upgrade.deadline(), None);
        assert_eq!(upgrade.begin(TIMEOUT_MS, Timestamp(5)), Ok(()), "another one may begin");

        let mut upgrade = begun();
        assert_eq!(send(&mut upgrade, "2probe"), Ok(UpgradeAction::Probe));
        assert_eq!(send(&mut upgrade, packet), Err(UpgradeError::Unexpected), "{packet}");
    }
}

#[test]
fn one_at_a_time() {
    let mut upgrade = begun();
    assert_eq!(upgrade.begin(TIMEOUT_MS, Timestamp(1)), Err(UpgradeError::InProgress));
    assert_eq!(send(&mut upgrade, "2probe"), Ok(UpgradeAction::Probe), "the first goes on");
    upgrade.abort();
    assert_eq!(upgrade.begin(TIMEOUT_MS, Timestamp(2)), Ok(()));
    assert_eq!(upgrade.deadline(), Some(Timestamp(10_002)));
}

#[test]
fn a_session_that_began_on_websocket_never_upgrades() {
    let mut upgrade = Upgrade::new(Transport::Websocket);
    assert_eq!(upgrade.begin(TIMEOUT_MS, Timestamp(0)), Err(UpgradeError::NotPolling));
    assert_eq!(send(&mut upgrade, "5"), Err(UpgradeError::NotPolling));
    upgrade.abort();
    assert_eq!(upgrade.transport(), Transport::Websocket);
}
