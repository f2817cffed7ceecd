//! Clients that nobody knows yet: how many there are from where, so that one place cannot take all the room.

use crate::rates::{Network, Place, Places};

/// Sessions whose client has not authenticated, counted by network.
pub(crate) type Newcomers = Places<Network>;

/// Counts for one session until it is dropped: when its client has authenticated, or is gone.
pub(crate) type Newcomer = Place<Network>;
