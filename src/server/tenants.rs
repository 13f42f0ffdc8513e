//! Tenants at the door: their keys, their pages, and the tokens that their own servers sign for people
//! (JWT, RFC 7519). A token is read strictly: the key says the algorithm, an unknown claim is refused, and
//! every text has a length. It knows nothing of sessions but their ids.

use std::collections::{BTreeMap, BTreeSet};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    app::config::tenants::{LtiConfig, TenantConfig, TenantKey, WebhookConfig, ed25519},
    domain::{
        ids::{SessionId, TenantId},
        limits::{NAME_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX, TOKEN_BYTES_MAX, TOKEN_VALID_S_MAX},
    },
    server::{
        token::{Person, Right, Role},
        wire::WireGrant,
    },
};

/// Two clocks differ.
const LEEWAY_S: u64 = 30;

/// Characters of the tenant's own name for somebody.
const PERSON_CHARS_MAX: usize = 100;

/// What a tenant's server says of a person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The tenant's id.
    pub iss: String,
    /// This server's `public_url`.
    pub aud: String,
    /// Seconds since 1970; at most a day away.
    pub exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Taken and not looked at: libraries add it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    pub session: String,
    /// The tenant's own name for the person, the same whenever they come. Nobody is shown it.
    pub person: String,
    /// What everybody sees. Absent: the person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub role: ClaimedRole,
    /// By which people are mixed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What a participant may do beside speaking. Absent: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<BTreeSet<WireGrant>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimedRole {
    Participant,
    /// Helps in the rooms, and leads nothing.
    Assistant,
    Host,
    /// Reads and searches what was said.
    Reviewer,
}

impl ClaimedRole {
    pub const ALL: [Self; 4] = [Self::Participant, Self::Assistant, Self::Host, Self::Reviewer];

    /// As it stands in a token.
    pub fn code(self) -> &'static str {
        match self {
            ClaimedRole::Participant => "participant",
            ClaimedRole::Assistant => "assistant",
            ClaimedRole::Host => "host",
            ClaimedRole::Reviewer => "reviewer",
        }
    }
}

impl From<ClaimedRole> for Role {
    fn from(role: ClaimedRole) -> Self {
        match role {
            ClaimedRole::Participant => Role::Participant,
            ClaimedRole::Assistant => Role::Assistant,
            ClaimedRole::Host => Role::Facilitator,
            ClaimedRole::Reviewer => Role::Reviewer,
        }
    }
}

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("it is no token, or too long")]
    Malformed,
    #[error("`iss` is no tenant of this server")]
    Issuer,
    #[error("its algorithm or `kid` is that of no key of the tenant")]
    Key,
    #[error("its signature is not right")]
    Signature,
    #[error("it has run out")]
    Expired,
    #[error("it is not valid yet (`nbf`)")]
    NotYet,
    #[error("`aud` is not the address of this server")]
    Audience,
    /// The claim.
    #[error("the claim `{0}` is missing or wrong")]
    Claim(&'static str),
}

/// One of the tenants of the configuration.
pub struct Tenant {
    pub id: TenantId,
    pub origins: Vec<String>,
    pub webhook: Option<WebhookConfig>,
    pub lti: Option<LtiConfig>,
    keys: Vec<Key>,
    /// Hashed, so that comparing takes as long whatever was sent.
    api_key: Option<[u8; 32]>,
}

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

#[derive(Default)]
pub struct Tenants {
    all: BTreeMap<TenantId, Tenant>,
    audience: String,
}

impl Tenants {
    /// `audience`: the address of this server. The configuration has been checked.
    pub fn new(configs: &[TenantConfig], audience: String) -> Self {
        let all = configs.iter().filter_map(|config| {
            let id: TenantId = config.id.parse().ok()?;
            let tenant = Tenant {
                id: id.clone(),
                origins: config.origins.clone(),
                webhook: config.webhook.clone(),
                lti: config.lti.clone(),
                keys: config.keys.iter().filter_map(Key::new).collect(),
                api_key: config.api_key.as_ref().map(|it| Sha256::digest(it).into()),
            };
            Some((id, tenant))
        });
        Self { all: all.collect(), audience }
    }

    pub fn get(&self, id: &TenantId) -> Option<&Tenant> {
        self.all.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Tenant> {
        self.all.values()
    }

    /// Whose key of the REST API it is.
    pub fn by_api_key(&self, key: &str) -> Option<&Tenant> {
        let key: [u8; 32] = Sha256::digest(key).into();
        self.iter().find(|it| it.api_key == Some(key))
    }

    /// What a token of one of the tenants proves, and which tenant's it is. Whether the session is the
    /// tenant's is for the caller to look up.
    pub fn right(&self, token: &str, now_unix_s: u64) -> Result<(&Tenant, Right), TokenFault> {
        if TOKEN_BYTES_MAX < token.len() {
            return Err(TokenFault::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenFault::Malformed)?;
        // Only to find the key; nothing is believed before the signature has been checked.
        #[derive(Deserialize)]
        struct Issuer {
            iss: String,
        }
        let Issuer { iss } = jsonwebtoken::dangerous::insecure_decode::<Issuer>(token)
            .map_err(|_| TokenFault::Malformed)?
            .claims;
        let tenant = iss.parse().ok().and_then(|it| self.get(&it)).ok_or(TokenFault::Issuer)?;
        let fits =
            |it: &&Key| it.algorithm == header.alg && (it.id.is_none() || it.id == header.kid);
        let mut fault = TokenFault::Key;
        for key in tenant.keys.iter().filter(fits) {
            match self.claims(token, key) {
                Ok(claims) => return Ok((tenant, right(claims, now_unix_s)?)),
                Err(error) => fault = error,
            }
        }
        Err(fault)
    }

    fn claims(&self, token: &str, key: &Key) -> Result<Claims, TokenFault> {
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation);
        decoded.map(|it| it.claims).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => TokenFault::Signature,
            ErrorKind::ExpiredSignature => TokenFault::Expired,
            ErrorKind::ImmatureSignature => TokenFault::NotYet,
            ErrorKind::InvalidAudience => TokenFault::Audience,
            ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
                TokenFault::Claim(named(claim))
            }
            ErrorKind::Json(error) => TokenFault::Claim(named(&error.to_string())),
            _ => TokenFault::Malformed,
        })
    }
}

impl Key {
    /// `None`: the configuration has no such key; it was checked when it was read.
    fn new(config: &TenantKey) -> Option<Self> {
        let (algorithm, decoding) = match (&config.hs256, &config.eddsa) {
            (Some(secret), None) => (Algorithm::HS256, DecodingKey::from_secret(secret.as_bytes())),
            (None, Some(public)) => (Algorithm::EdDSA, DecodingKey::from_ed_der(&ed25519(public)?)),
            _ => return None,
        };
        Some(Self { id: config.id.clone(), algorithm, decoding })
    }
}

/// The claim that an error is about.
fn named(text: &str) -> &'static str {
    const NAMES: [&str; 12] = [
        "session", "person", "role", "name", "tags", "grants", "exp", "aud", "iss", "iat", "nbf",
        "jti",
    ];
    let says = |it: &&&str| text == **it || text.contains(&format!("`{it}`"));
    // An unknown claim is not repeated: it may hold anything.
    let unknown = text.contains("unknown field");
    NAMES
        .iter()
        .filter(|_| !unknown)
        .find(says)
        .copied()
        .unwrap_or("one that is unknown or malformed")
}

/// What is claimed, within its bounds.
fn right(claims: Claims, now_unix_s: u64) -> Result<Right, TokenFault> {
    // Ours are not lenient: what has run out by the second would be refused at once.
    if claims.exp <= now_unix_s {
        return Err(TokenFault::Expired);
    }
    if now_unix_s + TOKEN_VALID_S_MAX + LEEWAY_S < claims.exp {
        return Err(TokenFault::Claim("exp"));
    }
    let person = person(claims.person, claims.name, claims.tags, claims.grants)?;
    Ok(Right {
        session: claims.session.parse::<SessionId>().map_err(|_| TokenFault::Claim("session"))?,
        role: claims.role.into(),
        person,
        until_unix_s: claims.exp,
    })
}

/// A person as a tenant tells of them, within its bounds.
pub fn person(
    external: String,
    name: Option<String>,
    tags: BTreeMap<String, String>,
    grants: Option<BTreeSet<WireGrant>>,
) -> Result<Person, TokenFault> {
    if !is_text(&external, PERSON_CHARS_MAX) {
        return Err(TokenFault::Claim("person"));
    }
    if name.as_ref().is_some_and(|it| !is_text(it, NAME_CHARS_MAX)) {
        return Err(TokenFault::Claim("name"));
    }
    let is_tag =
        |it: (&String, &String)| is_text(it.0, TAG_CHARS_MAX) && is_text(it.1, TAG_CHARS_MAX);
    if TAGS_MAX < tags.len() || !tags.iter().all(is_tag) {
        return Err(TokenFault::Claim("tags"));
    }
    Ok(Person { external: Some(external), name, tags, grants })
}

fn is_text(text: &str, chars_max: usize) -> bool {
    let written = !text.trim().is_empty() && text.chars().count() <= chars_max;
    written && !text.chars().any(char::is_control)
}

/// Signs what is claimed with a tenant's shared secret, as its own server would. For trying things out.
pub fn sign(claims: &Claims, key: &TenantKey) -> Option<String> {
    let secret = key.hs256.as_ref()?;
    let header = Header { kid: key.id.clone(), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).ok()
}
