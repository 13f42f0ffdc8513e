//! Rights: signed tokens that say which session and as what. Rights come from here, never from the
//! page. A token is a JWT (RFC 7519), HS256, signed with a secret of this server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    app::clock::unix_ms,
    domain::ids::{ParticipantId, SessionId, TenantId},
    server::wire::WireGrant,
};

/// Links are handed out before an event and used after it, for reviewing.
const LINK_VALID_S: u64 = 90 * 24 * 3600;

/// A seat is returned to within an event.
const SEAT_VALID_S: u64 = 24 * 3600;

/// How long a learning platform may take to say who comes.
pub const LAUNCH_VALID_S: u64 = 600;

const SECRET_BYTES: usize = 32;

/// As what somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Participant,
    Facilitator,
    /// Follows all rooms and helps in them, as a facilitator does, but leads nothing.
    Assistant,
    Reviewer,
    /// The way back to the seat `pid`: what a page keeps, or lets the page around it keep. It opens
    /// nothing else, and not even that without a participant's link.
    Seat,
    /// Who sits in the seat `pid`: a page has it in memory only. To the link of their own words.
    Own,
    /// To what is kept of `pid`, after the session.
    Check,
}

impl Role {
    /// Whether it is a right to the session, and not to one person's own.
    fn is_of_session(self) -> bool {
        matches!(self, Role::Participant | Role::Facilitator | Role::Assistant | Role::Reviewer)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    sid: String,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<Person>,
    exp: u64,
}

/// That a launch from a learning platform began here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaunchClaims {
    tenant: String,
    nonce: String,
    exp: u64,
}

/// What a tenant says of the person whom it lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// The tenant's own name for them; ours to compare only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// What everybody sees; nobody but the tenant changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// By which people are mixed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What they may do beside speaking; `None`: everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<BTreeSet<WireGrant>>,
}

/// What a token proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    pub session: SessionId,
    pub role: Role,
    pub person: Person,
    /// Seconds since 1970.
    pub until_unix_s: u64,
}

impl Right {
    /// How long it still holds.
    pub fn valid_s(&self) -> u64 {
        self.until_unix_s.saturating_sub(unix_ms() / 1000)
    }

    pub fn grants(&self, grant: WireGrant) -> bool {
        self.person.grants.as_ref().is_none_or(|it| it.contains(&grant))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("cannot keep the secret {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the secret {0} is damaged; move it away and all old links become invalid")]
    Damaged(PathBuf),
}

pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Tokens {
    /// Reads the secret, or makes one that only this user may read.
    pub fn open(path: &Path) -> Result<Self, SecretError> {
        let file = |source| SecretError::File { path: path.to_owned(), source };
        let secret = match fs::read(path) {
            Ok(secret) if SECRET_BYTES <= secret.len() => secret,
            Ok(_) => return Err(SecretError::Damaged(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret: [u8; SECRET_BYTES] = rand::random();
                write_private(path, &secret).map_err(file)?;
                secret.to_vec()
            }
            Err(error) => return Err(file(error)),
        };
        Ok(Self::from_secret(&secret))
    }

    fn from_secret(secret: &[u8]) -> Self {
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }
    }

    /// A right to hand out.
    pub fn link(&self, session: SessionId, role: Role) -> String {
        let until_unix_s = unix_ms() / 1000 + LINK_VALID_S;
        self.admit(&Right { session, role, person: Person::default(), until_unix_s })
    }

    /// The right of somebody whom a tenant has sent, as a token of our own.
    pub fn admit(&self, right: &Right) -> String {
        let person = Some(right.person.clone()).filter(|it| *it != Person::default());
        self.sign(right.session, right.role, None, person, right.until_unix_s)
    }

    /// The way back to a seat, for who came there with this right and for nobody else whom its tenant lets
    /// in.
    pub fn seat(&self, right: &Right, participant: ParticipantId) -> String {
        let until_unix_s = unix_ms() / 1000 + SEAT_VALID_S;
        let external = right.person.external.clone();
        let person = external.map(|it| Person { external: Some(it), ..Person::default() });
        self.sign(right.session, Role::Seat, Some(participant.0), person, until_unix_s)
    }

    /// That somebody sits there.
    pub fn own(&self, session: SessionId, participant: ParticipantId) -> String {
        let until_unix_s = unix_ms() / 1000 + SEAT_VALID_S;
        self.sign(session, Role::Own, Some(participant.0), None, until_unix_s)
    }

    /// The right of one person to what is kept of them.
    pub fn check(&self, session: SessionId, participant: ParticipantId, valid_s: u64) -> String {
        let until_unix_s = unix_ms() / 1000 + valid_s;
        self.sign(session, Role::Check, Some(participant.0), None, until_unix_s)
    }

    /// That somebody was sent to a tenant's learning platform, with this `nonce`.
    pub fn launch(&self, tenant: &TenantId, nonce: &str) -> String {
        let exp = unix_ms() / 1000 + LAUNCH_VALID_S;
        let claims = LaunchClaims { tenant: tenant.to_string(), nonce: nonce.to_owned(), exp };
        self.encode(&claims)
    }

    /// Whose platform somebody comes from, and with which `nonce` they were sent there.
    pub fn read_launch(&self, token: &str) -> Option<(TenantId, String)> {
        let LaunchClaims { tenant, nonce, .. } = self.decode(token)?;
        Some((tenant.parse().ok()?, nonce))
    }

    /// Which session a token opens, and as what. `None`: it is not ours, or no longer valid.
    pub fn read(&self, token: &str) -> Option<(SessionId, Role)> {
        self.right(token).map(|it| (it.session, it.role))
    }

    /// Everything a token proves of a right to its session. `None` also for what is one person's own: the
    /// way back to a seat opens nothing by itself.
    pub fn right(&self, token: &str) -> Option<Right> {
        let claims = self.claims(token).filter(|it| it.role.is_of_session() && it.pid.is_none());
        let Claims { sid, role, person, exp, .. } = claims?;
        let person = person.unwrap_or_default();
        Some(Right { session: sid.parse().ok()?, role, person, until_unix_s: exp })
    }

    /// The seat to which a token is the way back for who comes with this right. Two people may share a
    /// browser, and one finds there what the other's page has kept.
    pub fn read_seat(&self, token: &str, right: &Right) -> Option<ParticipantId> {
        let seated = self.claims(token)?.person.unwrap_or_default().external;
        let participant = self.person(token, right.session, Role::Seat);
        participant.filter(|_| seated == right.person.external)
    }

    /// Who a token proves to sit, or to have sat, in a session.
    pub fn read_own(&self, token: &str, session: SessionId) -> Option<ParticipantId> {
        self.person(token, session, Role::Own)
    }

    /// Whose words a token lets be checked.
    pub fn read_check(&self, token: &str, session: SessionId) -> Option<ParticipantId> {
        self.person(token, session, Role::Check)
    }

    /// Until when a token is good, in ms since 1970.
    pub fn until_unix_ms(&self, token: &str) -> Option<u64> {
        Some(self.claims(token)?.exp.saturating_mul(1000))
    }

    fn person(&self, token: &str, session: SessionId, role: Role) -> Option<ParticipantId> {
        let claims = self.claims(token)?;
        let right = claims.role == role && claims.sid.parse() == Ok(session);
        claims.pid.filter(|_| right).map(ParticipantId)
    }

    fn sign(
        &self,
        session: SessionId,
        role: Role,
        pid: Option<u32>,
        person: Option<Person>,
        exp: u64,
    ) -> String {
        self.encode(&Claims { sid: session.to_string(), role, pid, person, exp })
    }

    fn claims(&self, token: &str) -> Option<Claims> {
        self.decode(token)
    }

    fn encode(&self, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
            .expect("claims of plain text and numbers can be signed with any secret")
    }

    /// No kind of claims is read as another: each has fields that the others must not have.
    fn decode<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_aud = false;
        // Our own clock on both sides.
        validation.leeway = 0;
        jsonwebtoken::decode::<C>(token, &self.decoding, &validation).ok().map(|it| it.claims)
    }
}

fn write_private(path: &Path, secret: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(secret)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_session_as_its_role_and_nothing_else() {
        let tokens = Tokens::from_secret(&[7; 32]);
        let (one, other) = (SessionId::new(1, 1), SessionId::new(1, 2));
        let token = tokens.link(one, Role::Participant);
        assert_eq!(tokens.read(&token), Some((one, Role::Participant)));
        let right = tokens.right(&token).unwrap();
        let elsewhere = Right { session: other, ..right.clone() };
        let seat = tokens.seat(&right, ParticipantId(3));
        assert_eq!(tokens.read_seat(&seat, &right), Some(ParticipantId(3)));
        assert_eq!(tokens.read_seat(&seat, &elsewhere), None);
        assert_eq!(tokens.read_seat(&token, &right), None);
        let check = tokens.check(one, ParticipantId(3), 60);
        assert_eq!(tokens.read_check(&check, one), Some(ParticipantId(3)));
        assert_eq!(tokens.read_check(&check, other), None);
        assert_eq!(tokens.read_check(&seat, one), None);
        assert_eq!(tokens.read_seat(&check, &right), None);
    }

    #[test]
    fn a_seat_is_found_again_by_who_sat_there_and_not_by_who_shares_their_browser() {
        let tokens = Tokens::from_secret(&[7; 32]);
        let right = |external: Option<&str>| Right {
            session: SessionId::new(1, 1),
            role: Role::Participant,
            person: Person { external: external.map(str::to_owned), ..Person::default() },
            until_unix_s: u64::from(u32::MAX),
        };
        let (aino, bo, nobody) = (right(Some("u-17")), right(Some("u-18")), right(None));
        let seat = ParticipantId(3);
        for (sat, comes, found) in [
            (&aino, &aino, Some(seat)),
            (&aino, &bo, None),
            (&aino, &nobody, None),
            (&nobody, &aino, None),
            (&nobody, &nobody, Some(seat)),
        ] {
            let kept = tokens.seat(sat, seat);
            assert_eq!(tokens.read_seat(&kept, comes), found, "{sat:?} {comes:?}");
        }
        // What her tenant says of her otherwise may change meanwhile.
        let mut renamed = aino.clone();
        renamed.person.name = Some("Aino".to_owned());
        assert_eq!(tokens.read_seat(&tokens.seat(&aino, seat), &renamed), Some(seat));
    }

    #[test]
    fn what_is_one_persons_own_opens_nothing_but_that() {
        let tokens = Tokens::from_secret(&[7; 32]);
        let (session, bo) = (SessionId::new(1, 1), ParticipantId(3));
        let right = tokens.right(&tokens.link(session, Role::Participant)).unwrap();
        let (back, own) = (tokens.seat(&right, bo), tokens.own(session, bo));
        for token in [&back, &own, &tokens.check(session, bo, 60)] {
            assert_eq!(tokens.read(token), None, "a right to the session");
        }
        assert_eq!(tokens.read_own(&own, session), Some(bo));
        assert_eq!(tokens.read_own(&back, session), None, "a kept way back leads to Bo's words");
        assert_eq!(tokens.read_seat(&own, &right), None);
        assert_eq!(tokens.read_check(&own, session), None);
    }

    #[test]
    fn a_launch_is_no_right_and_a_right_no_launch() {
        let tokens = Tokens::from_secret(&[7; 32]);
        let lahti = "lahti".parse().unwrap();
        let launch = tokens.launch(&lahti, "once");
        assert_eq!(tokens.read_launch(&launch), Some((lahti, "once".to_owned())));
        assert_eq!(tokens.read(&launch), None);
        assert_eq!(tokens.read_launch(&tokens.link(SessionId::new(1, 1), Role::Facilitator)), None);
    }

    #[test]
    fn what_has_run_out_is_nothing() {
        let tokens = Tokens::from_secret(&[7; 32]);
        let session = SessionId::new(1, 1);
        let sid = session.to_string();
        for (exp, holds) in [(1, false), (u64::from(u32::MAX), true)] {
            let launch = LaunchClaims { tenant: "lahti".into(), nonce: "once".into(), exp };
            assert_eq!(tokens.read_launch(&tokens.encode(&launch)).is_some(), holds);
            let role = Role::Participant;
            let link = Claims { sid: sid.clone(), role, pid: None, person: None, exp };
            assert_eq!(tokens.read(&tokens.encode(&link)).is_some(), holds);
        }
    }

    #[test]
    fn what_others_signed_or_nobody_signed_is_nothing() {
        let tokens = Tokens::from_secret(&[7; 32]);
        let forged = Tokens::from_secret(&[8; 32]).link(SessionId::new(1, 1), Role::Facilitator);
        assert_eq!(tokens.read(&forged), None);
        let good = tokens.link(SessionId::new(1, 1), Role::Participant);
        let mut parts: Vec<_> = good.split('.').collect();
        parts[0] = "eyJhbGciOiJub25lIn0"; // {"alg":"none"}
        assert_eq!(tokens.read(&parts.join(".")), None);
        parts[2] = "";
        assert_eq!(tokens.read(&parts.join(".")), None);
        assert_eq!(tokens.read(""), None);
    }
}
