//! Names of things that live longer than one connection. Never a live reference, never reused.

use std::{fmt, str::FromStr};

/// One meeting from opening to closing. A ULID, so ids sort by the time of opening and cannot be
/// guessed (80 random bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(ulid::Ulid);

impl SessionId {
    /// `unix_ms`: when the session opens; `random`: 80 bits are taken from it.
    pub fn new(unix_ms: u64, random: u128) -> Self {
        Self(ulid::Ulid::from_parts(unix_ms, random))
    }

    /// When the session was opened, in ms since 1970.
    pub fn opened_unix_ms(self) -> u64 {
        self.0.timestamp_ms()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not the name of anything of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

impl FromStr for SessionId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        ulid::Ulid::from_string(text).map(Self).map_err(|_| NotAnId)
    }
}

/// Who a session belongs to, where several share a server: a municipality, a school. Given by the
/// administrator, and never given to another: 1 to 40 lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TenantId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
        let good = (1..=40).contains(&text.len()) && text.bytes().all(plain);
        if good { Ok(Self(text.to_owned())) } else { Err(NotAnId) }
    }
}

/// A person's seat in one session, numbered from 1 in the order of joining. It survives
/// reconnection; it means nothing in another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantId(pub u32);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

/// One live socket to the server. Numbered by the process; never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// Who can hear whom: everybody together, or one of the small rooms, numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomId {
    Main,
    Breakout(u16),
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomId::Main => write!(f, "main"),
            RoomId::Breakout(number) => write!(f, "room-{number}"),
        }
    }
}

impl FromStr for RoomId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text == "main" {
            return Ok(RoomId::Main);
        }
        let number = text.strip_prefix("room-").ok_or(NotAnId)?;
        match number.parse() {
            Ok(0) | Err(_) => Err(NotAnId),
            Ok(number) => Ok(RoomId::Breakout(number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_being_written_and_read() {
        let session = SessionId::new(1_790_000_000_000, 7);
        assert_eq!(session.to_string().parse(), Ok(session));
        for room in [RoomId::Main, RoomId::Breakout(1), RoomId::Breakout(60)] {
            assert_eq!(room.to_string().parse(), Ok(room));
        }
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in ["", "room-", "room-0", "room--1", "room-70000", "Main", "room-1 "] {
            assert_eq!(text.parse::<RoomId>(), Err(NotAnId), "{text:?}");
        }
        assert_eq!("../../etc/passwd".parse::<SessionId>(), Err(NotAnId));
        for text in ["", "Lahti", "lahti/2", "lähti", &"x".repeat(41)] {
            assert_eq!(text.parse::<TenantId>(), Err(NotAnId), "{text:?}");
        }
        assert_eq!("lahti-2".parse::<TenantId>().map(|it| it.to_string()), Ok("lahti-2".into()));
    }
}
