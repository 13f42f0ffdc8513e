//! What goes in and out of `/api/v1`, as Rust types; the OpenAPI document is written from them. A change
//! here is a change of a promise to integrators: fields are added, never renamed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::server::{tenants::ClaimedRole, wire::WireGrant, wire::WireLanguage};

/// A session to be opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// What people see above the rooms.
    #[schema(min_length = 1, max_length = 120, example = "Asukasilta")]
    pub title: String,
    /// `fi`, `sv` or `en`: what is spoken, unless a person says otherwise.
    #[schema(value_type = String, example = "fi")]
    pub language: WireLanguage,
    /// Days for which it is kept after the last thing that happened in it. Absent: as the server does.
    #[schema(minimum = 1, maximum = 3650)]
    #[serde(default)]
    pub keep_days: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Sorts by the time of opening.
    #[schema(example = "01KB4XG6TQ4PZ0S0FZX2M9T9AV")]
    pub id: String,
    pub title: String,
    #[schema(value_type = String, example = "fi")]
    pub language: WireLanguage,
    /// Milliseconds since 1970.
    pub opened_unix_ms: u64,
    /// Whether it is over. Exports are whole from then on.
    pub ended: bool,
}

/// A session with the links to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionWithLinks {
    #[serde(flatten)]
    pub session: Session,
    /// Days for which it is kept after the last thing that happened in it.
    pub keep_days: u32,
    pub links: Links,
}

/// Each carries a right for 90 days after `#`, which browsers send to nobody: hand them out with care.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    pub host: String,
    pub join: String,
    pub review: String,
}

/// Carries a reviewer's right to each of the sessions for 90 days after `#`, which browsers send to
/// nobody: hand it out with care.
#[derive(Debug, Serialize, ToSchema)]
pub struct Library {
    pub url: String,
    /// How many it shows.
    pub sessions: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// Latest first.
    pub sessions: Vec<Session>,
    /// `before` of the next page; null: there is none.
    pub next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    /// The number of their seat, as in events.
    pub participant: u32,
    /// As they are called in the session; a code where they do not agree that what they say is kept, or
    /// have taken their name back.
    pub name: String,
    /// `main` or `room-N`; null: they have left.
    #[schema(example = "room-2")]
    pub room: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PersonList {
    /// Everybody who ever had a seat, in the order of joining.
    pub people: Vec<Person>,
}

/// Somebody who shall come in by a one-time ticket.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// Your own name for them, the same whenever they come. Nobody is shown it.
    #[schema(max_length = 100)]
    pub person: String,
    /// What everybody sees. Absent: they are asked.
    #[schema(max_length = 60)]
    #[serde(default)]
    pub name: Option<String>,
    pub role: ClaimedRole,
    /// By which people are mixed: at most five.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// What a participant may do beside speaking. Absent: everything.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default)]
    pub grants: Option<BTreeSet<WireGrant>>,
    /// How long what they get for the ticket is good for, in seconds. Absent: half a day.
    #[schema(minimum = 60, maximum = 86400)]
    #[serde(default)]
    pub valid_s: Option<u32>,
}

/// A token of yours, to be turned into a ticket.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenForTicket {
    pub token: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Ticket {
    /// Works once.
    pub ticket: String,
    /// The address for an `<iframe>`, with the ticket after `#`.
    pub frame: String,
    /// How long the ticket can be used.
    #[schema(example = 60)]
    pub valid_s: u32,
}

/// A refusal (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `/api/v1#CODE`, where the codes are explained.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// Stable, for programs.
    #[schema(example = "unknown-session")]
    pub code: String,
    /// What in particular, where more can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
