//! Tenants: whose sessions these are, where several share a server. Each has its own keys and pages, and
//! none sees another's sessions. What they may do with it stands in `server/integrators.md`.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};

use crate::{
    app::config::{HIDDEN, hide, is_origin},
    domain::ids::TenantId,
};

/// Characters of a key that is kept secret, at least.
pub const SECRET_CHARS_MIN: usize = 32;

/// How many there may be, of tenants and of the keys of one.
const TENANTS_MAX: usize = 100;
const KEYS_MAX: usize = 8;
const ORIGINS_MAX: usize = 50;

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct TenantConfig {
    /// 1 to 40 lower-case letters, digits and hyphens; `iss` of its tokens. Its sessions belong to it
    /// for good: do not change it, and do not give it to another.
    pub id: String,
    /// Origins whose pages may show its sessions, such as `https://webinaari.lahti.example`.
    pub origins: Vec<String>,
    /// Whoever sends it as a bearer token may use `/api/v1` for this tenant. 32 characters or more.
    /// Default: none, nobody may.
    pub api_key: Option<String>,
    /// With which its own server signs tokens for people. Several, while one takes another's place.
    pub keys: Vec<TenantKey>,
    /// Its own server, to be told what happens in its sessions. Default: none.
    pub webhook: Option<WebhookConfig>,
    /// Its learning platform, such as Moodle, which opens sessions in its own page (LTI 1.3). Default:
    /// none.
    pub lti: Option<LtiConfig>,
}

/// As the platform tells them, where the tool is registered.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LtiConfig {
    /// "Platform ID".
    pub issuer: String,
    /// "Client ID".
    pub client_id: String,
    /// "Authentication request URL".
    pub authorization: String,
    /// "Public keyset URL".
    pub keys: String,
    /// "Deployment ID". Default: any.
    #[serde(default)]
    pub deployment_id: Option<String>,
}

/// One of the two, and by it the only algorithm that is taken.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct TenantKey {
    /// `kid` of the tokens signed with it. Default: any, also none.
    pub id: Option<String>,
    /// A secret that both share (HS256), 32 characters or more.
    pub hs256: Option<String>,
    /// A public key (EdDSA, Ed25519), as PEM or as the `x` of a JWK.
    pub eddsa: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// `https`; or `http` on this machine, to try it.
    pub url: String,
    /// `whsec_` and at least 24 bytes in base64: what the messages are signed with.
    pub secret: String,
}

impl TenantConfig {
    /// One with keys of its own, to begin with. `random`: chance, 32 bytes at a time.
    pub fn fresh(
        id: &TenantId,
        origins: Vec<String>,
        webhook: Option<String>,
        random: impl Fn() -> [u8; 32],
    ) -> Self {
        let secret = || BASE64_URL_SAFE_NO_PAD.encode(random());
        let receiver = |url| WebhookConfig {
            url,
            secret: format!("whsec_{}", BASE64_STANDARD.encode(random())),
        };
        Self {
            id: id.to_string(),
            origins,
            api_key: Some(secret()),
            keys: vec![TenantKey { hs256: Some(secret()), ..TenantKey::default() }],
            webhook: webhook.map(receiver),
            lti: None,
        }
    }

    /// As it stands in the configuration.
    pub fn to_toml(&self) -> String {
        #[derive(Serialize)]
        struct File<'a> {
            tenants: [&'a TenantConfig; 1],
        }
        toml::to_string(&File { tenants: [self] })
            .unwrap_or_else(|it| format!("# cannot be shown: {it}\n"))
    }

    /// Before it is shown to anybody.
    pub(super) fn hide_secrets(&mut self) {
        hide(&mut self.api_key);
        self.keys.iter_mut().for_each(|it| hide(&mut it.hs256));
        if let Some(webhook) = &mut self.webhook {
            HIDDEN.clone_into(&mut webhook.secret);
        }
    }

    /// What is wrong with it, and where.
    pub fn problem(&self) -> Option<String> {
        let id = &self.id;
        let wrong = |what: &str| Some(format!("tenant {id:?}: {what}"));
        if id.parse::<TenantId>().is_err() {
            return wrong("id must be 1 to 40 lower-case letters, digits and hyphens");
        }
        if ORIGINS_MAX < self.origins.len() || KEYS_MAX < self.keys.len() {
            return wrong("at most 50 origins and 8 keys");
        }
        if let Some(origin) = self.origins.iter().find(|it| !is_page(it)) {
            return Some(format!("tenant {id:?}: origins: {}", no_origin(origin)));
        }
        if self.api_key.as_ref().is_some_and(|it| it.len() < SECRET_CHARS_MIN) {
            return wrong("api_key must have 32 characters or more");
        }
        for key in &self.keys {
            match (&key.hs256, &key.eddsa) {
                (Some(secret), None) if secret.len() < SECRET_CHARS_MIN => {
                    return wrong("keys: hs256 must have 32 characters or more");
                }
                (None, Some(key)) if ed25519(key).is_none() => {
                    return wrong("keys: eddsa must be an Ed25519 public key, PEM or base64url");
                }
                (Some(_), None) | (None, Some(_)) => (),
                _ => return wrong("keys: each has either hs256 or eddsa"),
            }
        }
        let addresses = |it: &LtiConfig| is_receiver(&it.authorization) && is_receiver(&it.keys);
        if self.lti.as_ref().is_some_and(|it| !addresses(it)) {
            return wrong("lti.authorization and lti.keys must be https, or http on localhost");
        }
        let webhook = self.webhook.as_ref()?;
        if !is_receiver(&webhook.url) {
            return wrong("webhook.url must be https, or http on localhost");
        }
        if webhook_secret(&webhook.secret).is_none() {
            return wrong("webhook.secret must be `whsec_` and 24 to 64 bytes in base64");
        }
        None
    }
}

/// What is wrong with all of them together.
pub fn problem(tenants: &[TenantConfig]) -> Option<String> {
    if TENANTS_MAX < tenants.len() {
        return Some(format!("at most {TENANTS_MAX} tenants"));
    }
    let twice = |(at, it): (usize, &TenantConfig)| {
        let same = |other: &TenantConfig| {
            other.id == it.id || (it.api_key.is_some() && other.api_key == it.api_key)
        };
        let told = format!("tenant {:?}: another has the same id or api_key", it.id);
        tenants.iter().take(at).any(same).then_some(told)
    };
    let alone = tenants.iter().find_map(TenantConfig::problem);
    alone.or_else(|| tenants.iter().enumerate().find_map(twice))
}

/// Whether it is the origin of a page.
pub fn is_page(text: &str) -> bool {
    is_origin(text, ["https://", "http://"])
}

pub fn no_origin(text: &str) -> String {
    format!(
        "{text:?} is not an origin; write for example \"https://tapahtuma.example.fi\", without a path"
    )
}

fn is_receiver(url: &str) -> bool {
    let host = |it: &str| it.split(['/', ':', '?']).next().unwrap_or_default().to_owned();
    let plain =
        url.len() <= 500 && url.bytes().all(|it| it.is_ascii_graphic()) && !url.contains('@');
    let here = |it: &str| matches!(host(it).as_str(), "localhost" | "127.0.0.1");
    plain
        && (url.strip_prefix("https://").is_some_and(|it| !host(it).is_empty())
            || url.strip_prefix("http://").is_some_and(here))
}

/// The 32 bytes of an Ed25519 public key, as PEM (RFC 8410) or as base64url.
pub fn ed25519(text: &str) -> Option<[u8; 32]> {
    /// Of every Ed25519 public key in DER: what it is, and its length.
    const BEFORE: [u8; 12] =
        [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let bytes = match text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----") {
        Some(rest) => {
            let body = rest.split("-----END PUBLIC KEY-----").next().unwrap_or_default();
            let body: String = body.split_whitespace().collect();
            BASE64_STANDARD.decode(body).ok()?.strip_prefix(&BEFORE)?.to_vec()
        }
        None => BASE64_URL_SAFE_NO_PAD.decode(text.trim()).ok()?,
    };
    bytes.try_into().ok()
}

/// The bytes that webhooks are signed with.
pub fn webhook_secret(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
    (24..=64).contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_tenant_is_one_that_can_be_used() {
        let id = "lahti".parse().unwrap();
        let webhook = Some("https://lahti.example/vuoro".to_owned());
        let origins = vec!["https://lahti.example".to_owned()];
        let tenant = TenantConfig::fresh(&id, origins, webhook, || [7; 32]);
        assert_eq!(tenant.problem(), None);
        assert!(
            tenant.to_toml().starts_with("[[tenants]]\nid = \"lahti\"\n"),
            "{}",
            tenant.to_toml()
        );
    }

    #[test]
    fn a_public_key_is_read_as_openssl_and_as_browsers_write_it() {
        // openssl pkey -pubout, and `x` of the same key as a JWK (RFC 8037, A.2).
        let pem = "-----BEGIN PUBLIC KEY-----\n\
                   MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
                   -----END PUBLIC KEY-----\n";
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert!(ed25519(x).is_some());
        assert_eq!(ed25519(pem), ed25519(x));
        assert_eq!(ed25519("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), None);
        assert_eq!(ed25519(""), None);
    }
}
