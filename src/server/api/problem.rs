//! Refusals of `/api/v1`, in the shape that HTTP APIs share (RFC 9457).

use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::server::{
    api::shapes,
    error::{Refusal, TooMany},
    tenants::TokenFault,
};

/// A refusal, and what can be said of this one in particular.
#[derive(Debug)]
pub struct Problem {
    refusal: Refusal,
    detail: Option<String>,
    wait_s: Option<u64>,
}

impl Problem {
    pub fn detailed(refusal: Refusal, detail: impl ToString) -> Self {
        Self { refusal, detail: Some(detail.to_string()), wait_s: None }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, detail: None, wait_s: None }
    }
}

impl From<TooMany> for Problem {
    fn from(too_many: TooMany) -> Self {
        let wait_s = Some(too_many.wait_ms.div_ceil(1000));
        Self { refusal: too_many.refusal(), detail: None, wait_s }
    }
}

impl From<TokenFault> for Problem {
    fn from(fault: TokenFault) -> Self {
        Self::detailed(fault.into(), fault)
    }
}

/// The reader's own words say where in a body or query it stopped; they repeat no value but the wrong one.
impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::BytesRejection(_) => Refusal::TOO_LARGE.into(),
            other => Self::detailed(Refusal::MALFORMED, other.body_text()),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::detailed(Refusal::MALFORMED, rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Refusal { status, code, text } = self.refusal;
        let problem = shapes::Problem {
            kind: format!("/api/v1#{code}"),
            title: text.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: self.detail,
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(wait_s) = self.wait_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
