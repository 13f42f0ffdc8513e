//! The signature of a webhook, as Standard Webhooks 1.0 has it (standardwebhooks.com), so that receivers
//! can check it with a library they may have already. `server/integrators.md` has it in three languages.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac;

/// The header `webhook-signature`: HMAC-SHA256 of id, time and body. `unix_s` stands in
/// `webhook-timestamp`; receivers refuse what is older than five minutes.
pub fn sign(secret: &[u8], id: &str, unix_s: u64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signed = hmac::sign(&key, format!("{id}.{unix_s}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(signed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::tenants::webhook_secret;

    #[test]
    fn it_is_what_other_implementations_compute() {
        // The example of the specification's own libraries.
        let secret = webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
