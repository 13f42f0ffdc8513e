//! TURN servers (RFC 8656) of somebody else, for networks from which only they can be reached: which
//! there are, and what a page shows them to be let in. It never talks to one.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac;

use crate::{app::config::MediaConfig, server::wire::WireRelays};

/// What a page is given is good for a day, and useless to whoever finds it later.
const VALID_S: u64 = 24 * 3_600;

/// The servers of the configuration, with credentials as coturn's `use-auth-secret` checks them
/// (draft-uberti-behave-turn-rest-00): the name is when they end, in Unix seconds, the password its
/// HMAC-SHA1. `None`: there are none, as in most houses, where media by TCP is enough.
pub fn relays(config: &MediaConfig, now_unix_ms: u64) -> Option<WireRelays> {
    let secret = config.turn_secret.as_ref().filter(|_| !config.turn_urls.is_empty())?;
    let username = format!("{}:vuoro", now_unix_ms / 1_000 + VALID_S);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let credential = BASE64_STANDARD.encode(hmac::sign(&key, username.as_bytes()));
    Some(WireRelays { urls: config.turn_urls.clone(), username, credential })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gets_what_a_turn_server_with_the_same_secret_accepts() {
        let mut config = MediaConfig::default();
        assert_eq!(relays(&config, 0), None);
        config.turn_urls = vec!["turns:turn.example.fi:443?transport=tcp".to_owned()];
        assert_eq!(relays(&config, 0), None);
        config.turn_secret = Some("north".to_owned());
        let relays = relays(&config, 1_700_000_000_999).unwrap();
        assert_eq!(relays.username, "1700086400:vuoro");
        // printf 1700086400:vuoro | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(relays.credential, "ox9+bX7o7yLgGmxUIquG/8W8HfI=");
    }
}
