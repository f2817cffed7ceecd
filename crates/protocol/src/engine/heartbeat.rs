use roomkey_model::Timestamp;

/// The server's side of the heartbeat: a ping one interval after each pong, and an end when one stays unanswered. In
/// revision 3 of the protocol it only listens for the client's pings.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    interval_ms: u64,
    timeout_ms: u64,
    state: State,
    /// When the state ends.
    until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The client's next ping is awaited.
    Listening,
    /// The next ping is not due yet.
    Resting,
    /// A pong is awaited.
    Pinged,
    /// A pong is awaited, and another packet has already prolonged the wait.
    Prolonged,
}

/// What is due when the [`Heartbeat::deadline`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartbeatAction {
    /// Send a ping.
    SendPing,
    /// The client did not answer: close the session.
    TimeOut,
}

impl Heartbeat {
    /// A heartbeat whose first ping is one interval away.
    pub fn new(interval_ms: u64, timeout_ms: u64, now: Timestamp) -> Self {
        Self { interval_ms, timeout_ms, state: State::Resting, until: now.plus_ms(interval_ms) }
    }

    /// A heartbeat that the client sends: each ping must come within an interval and a timeout.
    pub fn listening(interval_ms: u64, timeout_ms: u64, now: Timestamp) -> Self {
        let until = now.plus_ms(interval_ms + timeout_ms);
        Self { interval_ms, timeout_ms, state: State::Listening, until }
    }

    /// Whether it is the client that sends it.
    pub fn is_listening(&self) -> bool {
        self.state == State::Listening
    }

    /// A ping came, of the client's own accord.
    pub fn on_ping(&mut self, now: Timestamp) {
        if self.is_listening() {
            self.until = now.plus_ms(self.interval_ms + self.timeout_ms);
        }
    }

    /// When [`Self::on_timer`] has something to do.
    pub fn deadline(&self) -> Timestamp {
        self.until
    }

    /// A pong came. One that answers no ping is ignored.
    pub fn on_pong(&mut self, now: Timestamp) {
        if matches!(self.state, State::Pinged | State::Prolonged) {
            self.state = State::Resting;
            self.until = now.plus_ms(self.interval_ms);
        }
    }

    /// Another packet came: the client lives, so the first one after a ping prolongs the wait, once.
    pub fn on_packet(&mut self, now: Timestamp) {
        if self.state == State::Pinged {
            self.state = State::Prolonged;
            self.until = now.plus_ms(self.timeout_ms);
        }
    }

    /// What is due now, if anything.
    pub fn on_timer(&mut self, now: Timestamp) -> Option<HeartbeatAction> {
        if now < self.until {
            return None;
        }
        if self.state != State::Resting {
            return Some(HeartbeatAction::TimeOut);
        }
        // Counted from when the ping was due, so that a silent client is gone one interval and one timeout after
        // its last sign of life. If we are that late ourselves, it still gets half of its time.
        let due = self.until.plus_ms(self.timeout_ms);
        self.until = due.max(now.plus_ms(self.timeout_ms / 2));
        self.state = State::Pinged;
        Some(HeartbeatAction::SendPing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEND_PING: Option<HeartbeatAction> = Some(HeartbeatAction::SendPing);
    const TIME_OUT: Option<HeartbeatAction> = Some(HeartbeatAction::TimeOut);

    fn at(ms: u64) -> Timestamp {
        Timestamp(ms)
    }

    #[test]
    fn a_silent_client_is_gone_after_interval_and_timeout() {
        let mut heartbeat = Heartbeat::new(25_000, 20_000, at(0));
        assert_eq!(heartbeat.deadline(), at(25_000));
        assert_eq!(heartbeat.on_timer(at(24_999)), None);
        assert_eq!(heartbeat.on_timer(at(25_003)), SEND_PING);
        assert_eq!(heartbeat.deadline(), at(45_000));
        assert_eq!(heartbeat.on_timer(at(44_999)), None);
        assert_eq!(heartbeat.on_timer(at(45_000)), TIME_OUT);
    }

    #[test]
    fn a_pong_starts_the_next_interval() {
        let mut heartbeat = Heartbeat::new(25_000, 20_000, at(0));
        assert_eq!(heartbeat.on_timer(at(25_000)), SEND_PING);
        heartbeat.on_pong(at(25_040));
        assert_eq!(heartbeat.deadline(), at(50_040));
        heartbeat.on_pong(at(30_000)); // unsolicited
        assert_eq!(heartbeat.deadline(), at(50_040));
        assert_eq!(heartbeat.on_timer(at(50_040)), SEND_PING);
    }

    #[test]
    fn another_packet_prolongs_the_wait_once() {
        let mut heartbeat = Heartbeat::new(25_000, 20_000, at(0));
        heartbeat.on_packet(at(24_000));
        assert_eq!(heartbeat.deadline(), at(25_000), "no ping is awaiting its pong yet");
        assert_eq!(heartbeat.on_timer(at(25_000)), SEND_PING);
        heartbeat.on_packet(at(40_000));
        assert_eq!(heartbeat.deadline(), at(60_000));
        heartbeat.on_packet(at(50_000));
        assert_eq!(heartbeat.deadline(), at(60_000));
        assert_eq!(heartbeat.on_timer(at(60_000)), TIME_OUT);
    }

    #[test]
    fn a_client_that_sends_the_pings_is_gone_after_interval_and_timeout() {
        let mut heartbeat = Heartbeat::listening(25_000, 20_000, at(0));
        assert_eq!(heartbeat.deadline(), at(45_000));
        heartbeat.on_ping(at(25_000));
        heartbeat.on_packet(at(69_000));
        heartbeat.on_pong(at(69_000));
        assert_eq!(heartbeat.deadline(), at(70_000), "only pings count");
        assert_eq!(heartbeat.on_timer(at(69_999)), None);
        assert_eq!(heartbeat.on_timer(at(70_000)), TIME_OUT);
    }

    #[test]
    fn our_own_delay_is_not_held_against_the_client() {
        let mut heartbeat = Heartbeat::new(25_000, 20_000, at(0));
        assert_eq!(heartbeat.on_timer(at(90_000)), SEND_PING);
        assert_eq!(heartbeat.deadline(), at(100_000));
    }
}
