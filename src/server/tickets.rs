//! One-time tickets: what may stand in the address of a plain iframe, because it works once and for a
//! minute. A ticket is looked up by its hash, and is in no file.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{
    domain::{
        ids::SessionId,
        limits::{TICKET_VALID_MS, TICKETS_MAX},
    },
    server::token::Right,
};

type Hash = [u8; 32];

#[derive(Default)]
pub struct Tickets {
    waiting: Mutex<BTreeMap<Hash, Waiting>>,
}

struct Waiting {
    right: Right,
    until_unix_ms: u64,
}

impl Tickets {
    /// `random`: what nobody can guess. `None`: as many wait already as there may.
    pub fn issue(&self, right: Right, random: [u8; 32], now_unix_ms: u64) -> Option<String> {
        let mut waiting = self.waiting();
        if TICKETS_MAX <= waiting.len() {
            waiting.retain(|_, it| now_unix_ms < it.until_unix_ms);
        }
        if TICKETS_MAX <= waiting.len() {
            return None;
        }
        let ticket = BASE64_URL_SAFE_NO_PAD.encode(random);
        let until_unix_ms = now_unix_ms + TICKET_VALID_MS;
        waiting.insert(Sha256::digest(&ticket).into(), Waiting { right, until_unix_ms });
        Some(ticket)
    }

    /// The right that a ticket stands for; the ticket is used up by it, also when it was offered for
    /// another session. `None`: used before, run out, or never issued.
    pub fn redeem(&self, ticket: &str, session: SessionId, now_unix_ms: u64) -> Option<Right> {
        let Waiting { right, until_unix_ms } =
            self.waiting().remove(&Hash::from(Sha256::digest(ticket)))?;
        (now_unix_ms < until_unix_ms && right.session == session).then_some(right)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Hash, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::token::{Person, Role};

    #[test]
    fn a_ticket_works_once_for_its_session_and_for_a_minute() {
        let tickets = Tickets::default();
        let [one, other] = [1, 2].map(|it| SessionId::new(1, it));
        let right = Right {
            session: one,
            role: Role::Participant,
            person: Person::default(),
            until_unix_s: 9,
        };
        let issue = |random| tickets.issue(right.clone(), [random; 32], 1_000).unwrap();
        let ticket = issue(1);
        assert_eq!(tickets.redeem(&ticket, one, 60_999), Some(right.clone()));
        assert_eq!(tickets.redeem(&ticket, one, 60_999), None, "twice");
        assert_eq!(tickets.redeem(&issue(2), one, 61_000), None, "too late");
        let elsewhere = issue(3);
        assert_eq!(tickets.redeem(&elsewhere, other, 2_000), None, "another session");
        assert_eq!(tickets.redeem(&elsewhere, one, 2_000), None, "offered elsewhere before");
        assert_eq!(tickets.redeem("", one, 2_000), None);
    }

    #[test]
    fn tickets_that_nobody_uses_make_room() {
        let tickets = Tickets::default();
        let (session, role) = (SessionId::new(1, 1), Role::Participant);
        let right = Right { session, role, person: Person::default(), until_unix_s: 9 };
        let issue = |number: usize, now| {
            let random = std::array::from_fn(|at| (number >> (8 * (at % 8))) as u8);
            tickets.issue(right.clone(), random, now)
        };
        assert!((0..TICKETS_MAX).all(|it| issue(it, 0).is_some()));
        assert_eq!(issue(TICKETS_MAX, 0), None);
        assert!(issue(TICKETS_MAX, TICKET_VALID_MS).is_some());
    }
}
