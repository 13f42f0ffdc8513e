//! The words on the wire, as Rust types. `protocol.md` beside this file tells what they mean, in the
//! order of a session's life; `web/src/wire/wire.ts` is written from them by a test.
//!
//! Only this file, the log's records and the configuration know serde.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    app::session_task::Offer,
    domain::{
        fact,
        language::Language,
        message::{BalanceView, Caption, PersonView, RoomView},
        time::SessionTime,
    },
};

/// From a page to the server, over the WebSocket. Unknown fields and types are refused.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message of a participant's page.
    Join {
        token: String,
        /// From an earlier `welcome` of this person: asks for the same seat.
        #[serde(default)]
        seat: Option<String>,
        name: String,
        language: WireLanguage,
        consent: WireConsent,
    },
    /// The first message of a facilitator's page.
    Watch {
        token: String,
    },
    /// Asks for an `offer`: at first, and again when the media connection has failed.
    Media,
    /// The answer to the last `offer`.
    Answer {
        sdp: String,
    },
    SetConsent {
        consent: WireConsent,
    },
    SetMicrophone {
        on: bool,
    },
    SetCamera {
        on: bool,
    },
    /// Gives the seat up.
    Leave,
    /// Facilitator: breakout rooms 1 to `count` are open from now on; 0 brings everybody back.
    OpenRooms {
        count: u16,
    },
    /// Facilitator: puts a person into a room.
    Move {
        participant: u32,
        room: String,
    },
    /// Facilitator: ends the session for everybody.
    End,
}

/// From the server to a page, over the WebSocket.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ServerMessage {
    Welcome {
        participant: u32,
        /// Proof of this seat, for `join` after a lost connection.
        seat: String,
        title: String,
        language: WireLanguage,
        room: WireRoom,
        transcription: Transcription,
    },
    /// The one offer of a media connection: two lines to send on, then the receiving slots.
    Offer {
        sdp: String,
        send: Mids,
        slots: Vec<Mids>,
    },
    /// Who is in each receiving slot, in the order of the offer's `slots`. Never negotiated.
    Slots {
        participants: Vec<Option<u32>>,
    },
    Room {
        room: WireRoom,
    },
    Speaking {
        participant: u32,
        on: bool,
    },
    Caption(WireCaption),
    Balance {
        /// Largest first, without names.
        shares: Vec<f64>,
        effective_voices: f64,
        own_talk_ms: u32,
        own_turns: u32,
        own_share: f64,
    },
    Overview {
        title: String,
        language: WireLanguage,
        rooms: Vec<WireRoom>,
        transcription: Transcription,
    },
    /// The session is over. The socket closes.
    Ended,
    /// A refusal or a fault. `code` is stable; `text` is English, for logs and integrators.
    Error {
        code: String,
        text: String,
        /// Whether the socket closes after this.
        fatal: bool,
    },
}

/// The media lines of one direction or slot, named by their SDP `mid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Mids {
    pub audio: String,
    pub video: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum WireLanguage {
    #[serde(rename = "fi")]
    Finnish,
    #[serde(rename = "sv")]
    Swedish,
    #[serde(rename = "en")]
    English,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WireConsent {
    On,
    OffTheRecord,
    Declined,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WirePerson {
    pub participant: u32,
    pub name: String,
    pub language: WireLanguage,
    pub consent: WireConsent,
    pub microphone: bool,
    pub camera: bool,
    pub present: bool,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireRoom {
    /// `main` or `room-N`.
    pub room: String,
    pub people: Vec<WirePerson>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct WireCaption {
    pub participant: u32,
    pub name: String,
    pub start_ms: u32,
    pub end_ms: u32,
    pub language: WireLanguage,
    pub text: String,
}

/// Whether this server turns speech into text, and if not, why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Transcription {
    On {
        model: String,
    },
    /// The administrator has switched it off.
    Off,
    /// There is no model file.
    ModelMissing,
    /// The model file is not what its checksum says, or whisper cannot load it.
    ModelDamaged,
}

/// `POST /api/sessions`.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    pub title: String,
    pub language: WireLanguage,
}

/// Answer to `POST /api/sessions`. The links carry their right after `#`, which no server logs.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SessionCreated {
    pub session: String,
    /// `/host/ID#TOKEN`
    pub host_path: String,
    /// `/join/ID#TOKEN`
    pub join_path: String,
    /// `/review/ID#TOKEN`
    pub review_path: String,
}

/// `GET /api/status`.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ServerStatus {
    pub version: String,
    pub transcription: Transcription,
}

/// `GET /api/sessions/ID`, for any token of the session.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SessionAbout {
    pub session: String,
    pub title: String,
    pub language: WireLanguage,
    /// Milliseconds since 1970.
    #[ts(type = "number")]
    pub opened_unix_ms: u64,
    pub ended: bool,
    /// Everybody who ever had a seat. Only for facilitators and reviewers; else empty.
    pub people: Vec<PersonAbout>,
    /// Links to hand out. Only for facilitators.
    pub links: Option<SessionCreated>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct PersonAbout {
    pub participant: u32,
    pub name: String,
}

/// Query of `GET /api/sessions/ID/search`, for facilitators and reviewers.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// Words; `"in quotes"` a phrase. Empty: everything said, in the order of time.
    #[serde(default)]
    pub q: String,
    #[serde(default)]
    #[ts(optional)]
    pub participant: Option<u32>,
    /// `main` or `room-N`.
    #[serde(default)]
    #[ts(optional)]
    pub room: Option<String>,
    #[serde(default)]
    #[ts(optional)]
    pub offset: Option<u32>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct SearchAnswer {
    /// All that match, of which `hits` is one page.
    pub total: u32,
    pub hits: Vec<SearchHit>,
    /// Every room in which something was said in this session.
    pub rooms: Vec<String>,
}

#[derive(Clone, Debug, Serialize, TS)]
pub struct SearchHit {
    pub participant: u32,
    pub name: String,
    pub room: String,
    pub start_ms: u32,
    pub end_ms: u32,
    pub language: WireLanguage,
    /// What was said, in order; `hit` marks what matched. Their texts add up to the whole.
    pub parts: Vec<TextPart>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TextPart {
    pub text: String,
    pub hit: bool,
}

/// Body of every HTTP answer that is not a success.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ErrorBody {
    pub code: String,
    pub text: String,
}

impl From<WireLanguage> for Language {
    fn from(it: WireLanguage) -> Language {
        match it {
            WireLanguage::Finnish => Language::Finnish,
            WireLanguage::Swedish => Language::Swedish,
            WireLanguage::English => Language::English,
        }
    }
}

impl From<Language> for WireLanguage {
    fn from(it: Language) -> WireLanguage {
        match it {
            Language::Finnish => WireLanguage::Finnish,
            Language::Swedish => WireLanguage::Swedish,
            Language::English => WireLanguage::English,
        }
    }
}

impl From<WireConsent> for fact::Consent {
    fn from(it: WireConsent) -> fact::Consent {
        match it {
            WireConsent::On => fact::Consent::On,
            WireConsent::OffTheRecord => fact::Consent::OffTheRecord,
            WireConsent::Declined => fact::Consent::Declined,
        }
    }
}

impl From<fact::Consent> for WireConsent {
    fn from(it: fact::Consent) -> WireConsent {
        match it {
            fact::Consent::On => WireConsent::On,
            fact::Consent::OffTheRecord => WireConsent::OffTheRecord,
            fact::Consent::Declined => WireConsent::Declined,
        }
    }
}

impl From<RoomView> for WireRoom {
    fn from(it: RoomView) -> Self {
        let people = it.people.into_iter().map(WirePerson::from).collect();
        WireRoom { room: it.room.to_string(), people }
    }
}

impl From<PersonView> for WirePerson {
    fn from(it: PersonView) -> Self {
        WirePerson {
            participant: it.participant.0,
            name: it.name,
            language: it.language.into(),
            consent: it.consent.into(),
            microphone: it.microphone,
            camera: it.camera,
            present: it.present,
        }
    }
}

impl From<Caption> for WireCaption {
    fn from(it: Caption) -> Self {
        WireCaption {
            participant: it.participant.0,
            name: it.name,
            start_ms: wire_ms(it.span.start),
            end_ms: wire_ms(it.span.end),
            language: it.language.into(),
            text: it.text,
        }
    }
}

impl From<BalanceView> for ServerMessage {
    fn from(it: BalanceView) -> Self {
        ServerMessage::Balance {
            shares: it.shares,
            effective_voices: it.effective_voices,
            own_talk_ms: u32::try_from(it.own.talk_ms).unwrap_or(u32::MAX),
            own_turns: it.own.turns,
            own_share: it.own.share,
        }
    }
}

impl From<Offer> for ServerMessage {
    fn from(it: Offer) -> Self {
        let mids = |[audio, video]: [String; 2]| Mids { audio, video };
        let slots = it.slots.into_iter().map(mids).collect();
        ServerMessage::Offer { sdp: it.sdp, send: mids(it.send), slots }
    }
}

/// A session is over long before 49 days, where this would stop.
pub fn wire_ms(at: SessionTime) -> u32 {
    u32::try_from(at.as_ms()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fmt::Write as _, fs, path::Path};

    /// The types as the pages know them, in the order of this file.
    fn typescript() -> String {
        let config = ts_rs::Config::new();
        let mut text = String::from(
            "// The words on the wire. Written by a test from `src/server/wire.rs`; never by hand.\n",
        );
        macro_rules! declare {
            ($($type:ty),* $(,)?) => {
                $(writeln!(text, "\nexport {}", <$type>::decl(&config)).unwrap();)*
            };
        }
        declare!(
            ClientMessage,
            ServerMessage,
            Mids,
            WireLanguage,
            WireConsent,
            WirePerson,
            WireRoom,
            WireCaption,
            Transcription,
            NewSession,
            SessionCreated,
            ServerStatus,
            SessionAbout,
            PersonAbout,
            SearchQuery,
            SearchAnswer,
            SearchHit,
            TextPart,
            ErrorBody,
        );
        text
    }

    #[test]
    fn the_pages_know_the_same_words() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src/wire/wire.ts");
        let (written, kept) = (typescript(), fs::read_to_string(&path).unwrap_or_default());
        if written != kept {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, written).unwrap();
            panic!("web/src/wire/wire.ts was stale and has been written anew: commit it");
        }
    }

    #[test]
    fn messages_with_unknown_words_are_refused() {
        let read = |text| serde_json::from_str::<ClientMessage>(text).is_ok();
        assert!(read(r#"{"type":"set-microphone","on":true}"#));
        assert!(!read(r#"{"type":"set-microphone","on":true,"loud":1}"#));
        assert!(!read(r#"{"type":"become-host"}"#));
        assert!(!read(r#"{"type":"move","participant":-1,"room":"main"}"#));
        assert!(!read("[]"));
    }
}
