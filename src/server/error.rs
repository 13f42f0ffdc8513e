//! Refusals on the wire: a stable code for pages and integrators, and a sentence in English for logs
//! and people who read JSON. Pages tell them in the person's own language, by the code.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    app::{exporting::ExportError, registry::FindError},
    domain::rejection::Rejection,
    server::{
        tenants::TokenFault,
        wire::{ErrorBody, ServerMessage},
    },
};

/// A refusal with its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub text: &'static str,
}

impl Refusal {
    const fn new(status: StatusCode, code: &'static str, text: &'static str) -> Self {
        Self { status, code, text }
    }

    /// As a page's socket is told. `fatal`: the socket closes after it.
    pub fn message(self, fatal: bool) -> ServerMessage {
        ServerMessage::Error { code: self.code.to_owned(), text: self.text.to_owned(), fatal }
    }

    pub const UNKNOWN_SESSION: Self =
        Self::new(StatusCode::NOT_FOUND, "unknown-session", "There is no such session.");
    pub const BAD_TOKEN: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "bad-token",
        "The link is not right, or no longer valid. Ask for a new one.",
    );
    pub const TOKEN_EXPIRED: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "token-expired",
        "The token has run out and was not renewed.",
    );
    pub const BAD_CLAIMS: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "bad-claims",
        "What the token says is incomplete, unknown or out of bounds.",
    );
    pub const BAD_KEY: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "bad-key",
        "The key is that of no tenant of this server.",
    );
    pub const UNKNOWN_PLATFORM: Self = Self::new(
        StatusCode::NOT_FOUND,
        "unknown-platform",
        "This learning platform is not in the configuration: compare issuer and client id.",
    );
    pub const TICKET_USED: Self = Self::new(
        StatusCode::GONE,
        "ticket-used",
        "The ticket was used before, or has run out. Ask for a new one.",
    );
    pub const ORIGIN_NOT_ALLOWED: Self = Self::new(
        StatusCode::FORBIDDEN,
        "origin-not-allowed",
        "Pages of this origin may not show the session.",
    );
    pub const NOT_ALLOWED: Self =
        Self::new(StatusCode::FORBIDDEN, "not-allowed", "This link does not give that right.");
    pub const MALFORMED: Self =
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The message cannot be understood.");
    pub const TOO_LARGE: Self =
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The message is too large.");
    pub const TOO_SLOW: Self = Self::new(
        StatusCode::REQUEST_TIMEOUT,
        "too-slow",
        "The page did not read what it was sent. It may connect again.",
    );
    pub const MEDIA_FAILED: Self = Self::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "media-failed",
        "The audio and video connection could not be made.",
    );
    pub const BAD_TITLE: Self =
        Self::new(StatusCode::BAD_REQUEST, "bad-title", "The title is empty or too long.");
    pub const BAD_METHOD: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "bad-method",
        "The method or a setting of it cannot be used.",
    );
    pub const BAD_TEXT: Self =
        Self::new(StatusCode::BAD_REQUEST, "bad-text", "The text is empty or too long.");
    pub const GOES_ON: Self = Self::new(
        StatusCode::CONFLICT,
        "goes-on",
        "The session still goes on. Come back when it is over.",
    );
    pub const CHOOSE_ROOM: Self = Self::new(
        StatusCode::CONFLICT,
        "choose-room",
        "Captions are of one room, and several have some. Choose one.",
    );
    pub const SERVER_FULL: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "server-full",
        "The server holds as many sessions as it can.",
    );
    pub const INTERNAL: Self = Self::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong on the server. Nothing that was confirmed is lost.",
    );
    pub const NOT_FOUND: Self =
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here.");
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let (status, text) = match rejection {
            Rejection::RoomFull => (StatusCode::CONFLICT, "The room is full."),
            Rejection::SessionFull => (StatusCode::CONFLICT, "The session is full."),
            Rejection::SessionEnded => (StatusCode::GONE, "The session is over."),
            Rejection::UnknownRoom => (StatusCode::NOT_FOUND, "There is no such room."),
            Rejection::UnknownParticipant => (StatusCode::NOT_FOUND, "That person is not here."),
            Rejection::BadName => (StatusCode::BAD_REQUEST, "The name is empty or too long."),
            Rejection::BadRoomCount => {
                (StatusCode::BAD_REQUEST, "That many rooms cannot be opened.")
            }
            Rejection::BadMethod => (Self::BAD_METHOD.status, Self::BAD_METHOD.text),
            Rejection::BadText => (StatusCode::BAD_REQUEST, "The text is empty or too long."),
            Rejection::NotNow => (StatusCode::CONFLICT, "That does not fit what is going on."),
            Rejection::TooFast => (
                StatusCode::TOO_MANY_REQUESTS,
                "That is more at once than others can follow. Try again in a moment.",
            ),
            Rejection::AlreadyShared => {
                (StatusCode::CONFLICT, "Somebody else shares their screen in this room.")
            }
            Rejection::UnknownIdea => {
                (StatusCode::NOT_FOUND, "That idea is not before you, or has become another.")
            }
            Rejection::BadCombination => {
                (StatusCode::BAD_REQUEST, "An idea is combined of two to six.")
            }
            Rejection::SheetFull => (StatusCode::CONFLICT, "The sheet has no space for more."),
            Rejection::EnoughIdeas => {
                (StatusCode::CONFLICT, "As many ideas have been written as one may write.")
            }
            Rejection::EnoughChosen => {
                (StatusCode::CONFLICT, "The room has chosen as many ideas as it may.")
            }
            Rejection::EnoughVotes => {
                (StatusCode::CONFLICT, "No votes are left, or none for this idea.")
            }
            Rejection::EnoughOwnVotes => {
                (StatusCode::CONFLICT, "No more votes may be given to one's own ideas.")
            }
            Rejection::NotAllowed => (StatusCode::FORBIDDEN, Self::NOT_ALLOWED.text),
            Rejection::Replaced => {
                (StatusCode::CONFLICT, "The same person has opened the session somewhere else.")
            }
        };
        Self { status, code: rejection.code(), text }
    }
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Expired => Self::TOKEN_EXPIRED,
            TokenFault::Claim(claim) => Self { text: claim_text(claim), ..Self::BAD_CLAIMS },
            TokenFault::Audience => Self {
                text: "`aud` of the token is not the address of this server.",
                ..Self::BAD_CLAIMS
            },
            TokenFault::NotYet => Self { text: "The token is not valid yet.", ..Self::BAD_TOKEN },
            TokenFault::Issuer => {
                Self { text: "`iss` of the token is no tenant here.", ..Self::BAD_TOKEN }
            }
            TokenFault::Key => Self {
                text: "The token's algorithm or `kid` is that of no key of the tenant.",
                ..Self::BAD_TOKEN
            },
            TokenFault::Signature => {
                Self { text: "The token's signature is not right.", ..Self::BAD_TOKEN }
            }
            TokenFault::Malformed => {
                Self { text: "It is no token, or too long.", ..Self::BAD_TOKEN }
            }
        }
    }
}

/// Whoever makes the token reads it in the console of the page.
fn claim_text(claim: &str) -> &'static str {
    match claim {
        "session" => "The claim `session` is missing or no session's id.",
        "person" => "The claim `person` is missing, empty or too long.",
        "name" => "The claim `name` is empty or too long.",
        "role" => "The claim `role` is missing or unknown.",
        "tags" => "The claim `tags` has more than five, or one is too long.",
        "exp" => "The claim `exp` is missing or more than a day away.",
        _ => Refusal::BAD_CLAIMS.text,
    }
}

impl From<&FindError> for Refusal {
    fn from(error: &FindError) -> Self {
        match error {
            FindError::Unknown => Self::UNKNOWN_SESSION,
            FindError::Ended => Rejection::SessionEnded.into(),
            FindError::TooMany => Self::SERVER_FULL,
            FindError::BadTitle => Self::BAD_TITLE,
            FindError::Log(_) => Self::INTERNAL,
        }
    }
}

impl From<&ExportError> for Refusal {
    fn from(error: &ExportError) -> Self {
        match error {
            ExportError::Unknown => Self::UNKNOWN_SESSION,
            ExportError::SeveralRooms(_) => Self::CHOOSE_ROOM,
            ExportError::Log(_) => Self::INTERNAL,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = ErrorBody { code: self.code.to_owned(), text: self.text.to_owned() };
        let mut response = (self.status, Json(body)).into_response();
        // For whoever puts it into other words (`pages::visited`).
        response.extensions_mut().insert(self);
        response
    }
}

/// Somebody has tried too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Until the next try may come.
    pub wait_ms: u64,
}

impl TooMany {
    pub fn refusal(self) -> Refusal {
        Rejection::TooFast.into()
    }
}

impl IntoResponse for TooMany {
    fn into_response(self) -> Response {
        let wait_s = self.wait_ms.div_ceil(1000).to_string();
        ([(header::RETRY_AFTER, wait_s)], self.refusal()).into_response()
    }
}
