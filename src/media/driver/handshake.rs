//! DTLS handshakes (RFC 5764), on a thread of their own: one takes as long as a thousand packets, and
//! three hundred people may come at once. Datagrams come from addresses that ICE has validated; keys
//! and certificates go back. Whether a certificate is the right one is not judged here.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc::{
    dtls::{
        config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig},
        crypto::Certificate,
        endpoint::{Endpoint, EndpointEvent},
        extension::extension_use_srtp::SrtpProtectionProfile,
    },
    shared::TransportProtocol,
};
use sha2::{Digest, Sha256};

use crate::media::{
    driver::clock,
    engine::{
        exchange::{Handshaken, PeerKey},
        srtp::Profile,
    },
};

/// Datagrams that wait for the thread. Full: new ones are dropped, and their sender tries again.
const WAITING_MAX: usize = 4_096;

/// The keying material's label (RFC 5764, 4.2).
const LABEL: &str = "EXTRACTOR-dtls_srtp";

/// What comes of a handshake.
pub enum Progress {
    Send(Vec<u8>),
    Done(Handshaken),
    /// The browser has said goodbye.
    Closed,
}

/// Where that goes: to the core that asked. Called on the thread of handshakes.
pub type Report = Arc<dyn Fn(PeerKey, Progress) + Send + Sync>;

enum Task {
    Datagram { core: usize, peer: PeerKey, bytes: BytesMut },
    Forget { core: usize, peer: PeerKey },
}

/// Our certificate, made anew at each start: browsers know it by its fingerprint in the offer.
pub struct Identity {
    configs: Configs,
    /// As SDP writes it.
    pub fingerprint: String,
}

impl Identity {
    pub fn make() -> Result<Self, String> {
        let provider = rtc::crypto::default_provider().map_err(|it| it.to_string())?;
        let names = vec!["vuoro".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto())
            .map_err(|it| it.to_string())?;
        let der = certificate.certificate.first().ok_or("a certificate without content")?;
        let bytes: Vec<_> = Sha256::digest(der).iter().map(|it| format!("{it:02X}")).collect();
        let fingerprint = bytes.join(":");
        let config = |profile| {
            let config = ConfigBuilder::default()
                .with_crypto_provider(Arc::clone(&provider))
                .with_certificates(vec![certificate.clone()])
                .with_srtp_protection_profiles(vec![profile])
                // Any certificate: the exchange compares it with the one the answer names.
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                .with_insecure_skip_verify(true)
                .with_extended_master_secret(ExtendedMasterSecretType::Require)
                .build(false, None);
            config.map(Arc::new).map_err(|it| it.to_string())
        };
        let configs = Configs {
            gcm: config(SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm)?,
            cm: config(SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80)?,
        };
        Ok(Self { configs, fingerprint })
    }
}

/// One for each cipher: the crate takes the browser's first choice, and browsers name the dear one
/// first.
#[derive(Clone)]
struct Configs {
    gcm: Arc<HandshakeConfig>,
    cm: Arc<HandshakeConfig>,
}

impl Configs {
    /// By a browser's first datagram.
    fn fitting(&self, hello: &[u8]) -> Arc<HandshakeConfig> {
        Arc::clone(if offers_gcm(hello) { &self.gcm } else { &self.cm })
    }
}

/// Whether a ClientHello, or a piece of one, offers AEAD_AES_128_GCM: found by the form of its
/// `use_srtp` extension (RFC 5764, 4.1.1), wherever it stands.
fn offers_gcm(hello: &[u8]) -> bool {
    const USE_SRTP: [u8; 2] = [0, 14];
    const AEAD_AES_128_GCM: [u8; 2] = [0, 7];
    hello.windows(6).enumerate().any(|(at, head)| {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let profiles = usize::from(u16::from_be_bytes([head[4], head[5]]));
        // The profiles, and then the length of an identifier nobody uses.
        let has_form = head[..2] == USE_SRTP && length == profiles + 3 && profiles % 2 == 0;
        let listed = hello.get(at + 6..at + 6 + profiles).filter(|_| has_form);
        listed.is_some_and(|it| it.chunks(2).any(|it| it == AEAD_AES_128_GCM))
    })
}

/// The thread of all handshakes. Dropped with its last clone, it ends.
#[derive(Clone)]
pub struct Handshakes {
    tasks: Sender<Task>,
    waiting: Arc<AtomicUsize>,
}

impl Handshakes {
    /// `reports`: of each core, in their order.
    pub fn start(identity: &Identity, reports: Vec<Report>) -> std::io::Result<Self> {
        let (tasks, inbox) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let taken = Arc::clone(&waiting);
        let configs = identity.configs.clone();
        std::thread::Builder::new().name("handshakes".to_owned()).spawn(move || {
            Worker { configs, reports, open: BTreeMap::new() }.run(&inbox, &taken)
        })?;
        Ok(Self { tasks, waiting })
    }

    /// Never waits.
    pub fn datagram(&self, core: usize, peer: PeerKey, bytes: &[u8]) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < WAITING_MAX {
            let _ = self.tasks.send(Task::Datagram { core, peer, bytes: bytes.into() });
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub fn forget(&self, core: usize, peer: PeerKey) {
        let _ = self.tasks.send(Task::Forget { core, peer });
    }
}

/// The crate tells associations apart by address; each of ours has an endpoint of its own.
const SOMEWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// A handshake that is not done after so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// So long after a datagram that brought us no further what we said last is said again; then twice as
/// long, up to [`AGAIN_MAX`]. Above a usual round trip, so that the second half of a flight is waited for.
const AGAIN: Duration = Duration::from_millis(150);
const AGAIN_MAX: Duration = Duration::from_secs(1);

/// The type of record that handshakes are made of (RFC 6347, 4.1).
const HANDSHAKE_RECORD: u8 = 22;

struct Open {
    endpoint: Endpoint,
    since: Instant,
    is_done: bool,
    /// What we said last.
    flight: Vec<Vec<u8>>,
    /// When it is said again, and how long after the time before. The crate repeats a flight by its own
    /// timer, but only until the browser repeats its last one, which shows that ours was lost
    /// (RFC 6347, 4.2.4): then it falls silent for good. Three joins of ten at 10 % loss needed a second
    /// connection for it (`scripts/bench network`).
    again: Option<(Instant, Duration)>,
}

impl Open {
    fn new(endpoint: Endpoint, since: Instant) -> Self {
        Self { endpoint, since, is_done: false, flight: Vec::new(), again: None }
    }

    fn due(&self) -> Option<Instant> {
        let own = self.again.map(|(at, _)| at);
        self.endpoint.poll_timeout(&SOMEWHERE).into_iter().chain(own).min()
    }

    /// What the crate wants sent, kept for saying it again.
    fn take_out(&mut self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        while let Some(next) = self.endpoint.poll_transmit() {
            out.push(next.message.to_vec());
        }
        if out.first().and_then(|it| it.first()) == Some(&HANDSHAKE_RECORD) {
            self.flight.clone_from(&out);
            self.again = None;
        }
        out
    }

    /// A datagram has been read, and nothing came of it.
    fn say_again_later(&mut self, now: Instant) {
        if self.endpoint.poll_timeout(&SOMEWHERE).is_none() && self.again.is_none() {
            self.again = Some((now + AGAIN, AGAIN));
        }
    }

    /// The same records: who has had some of them passes over those.
    fn say_again(&mut self, now: Instant) -> &[Vec<u8>] {
        match self.again {
            Some((at, waited)) if at <= now => {
                let wait = (2 * waited).min(AGAIN_MAX);
                self.again = Some((now + wait, wait));
                &self.flight
            }
            _ => &[],
        }
    }
}

struct Worker {
    configs: Configs,
    reports: Vec<Report>,
    open: BTreeMap<(usize, PeerKey), Open>,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Task>, waiting: &AtomicUsize) {
        let mut looked = clock::now();
        loop {
            let due = self.open.values().filter_map(Open::due).min();
            let wait = due.map_or(PATIENCE, |it| it.saturating_duration_since(clock::now()));
            match inbox.recv_timeout(wait) {
                Ok(Task::Datagram { core, peer, bytes }) => {
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    self.read(clock::now(), core, peer, bytes);
                }
                Ok(Task::Forget { core, peer }) => _ = self.open.remove(&(core, peer)),
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = clock::now();
            if due.is_some_and(|it| it <= now) || PATIENCE <= now.duration_since(looked) {
                looked = now;
                let done = std::panic::AssertUnwindSafe(|| self.time_out(now));
                if std::panic::catch_unwind(done).is_err() {
                    tracing::error!("a library stumbles over its own handshakes; all begin anew");
                    self.open.clear();
                }
            }
        }
    }

    fn read(&mut self, now: Instant, core: usize, peer: PeerKey, bytes: BytesMut) {
        let configs = &self.configs;
        let open = self.open.entry((core, peer)).or_insert_with(|| {
            let config = Some(configs.fitting(&bytes));
            let endpoint = Endpoint::new(SOMEWHERE, TransportProtocol::UDP, config);
            Open::new(endpoint, now)
        });
        // A library's mistake over strange bytes ends this handshake and no other.
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let read = open.endpoint.read(now, SOMEWHERE, None, bytes);
            (read, open.take_out(), result(&open.endpoint))
        }));
        let Ok((read, out, done)) = read else {
            self.open.remove(&(core, peer));
            return;
        };
        if let Err(error) = &read {
            tracing::debug!(%error, "a handshake stumbles");
        }
        let report = &self.reports[core];
        let is_stuck = out.is_empty();
        out.into_iter().for_each(|it| report(peer, Progress::Send(it)));
        let mut done = done;
        for event in read.unwrap_or_default() {
            match event {
                EndpointEvent::HandshakeComplete => {
                    open.is_done = true;
                    (open.flight, open.again) = (Vec::new(), None);
                    if let Some(done) = done.take() {
                        report(peer, Progress::Done(done));
                    }
                }
                EndpointEvent::PeerClosed => report(peer, Progress::Closed),
                _ => (), // no data is carried
            }
        }
        if is_stuck && !open.is_done {
            open.say_again_later(now);
        }
    }

    fn time_out(&mut self, now: Instant) {
        let reports = &self.reports;
        self.open.retain(|(core, peer), open| {
            let lives = open.endpoint.handle_timeout(SOMEWHERE, now).is_ok();
            let out = open.take_out();
            for bytes in out.iter().chain(open.say_again(now)) {
                reports[*core](*peer, Progress::Send(bytes.clone()));
            }
            open.is_done || lives && now.duration_since(open.since) < PATIENCE
        });
    }
}

fn result(endpoint: &Endpoint) -> Option<Handshaken> {
    let state = endpoint.get_connection_state(SOMEWHERE)?;
    let profile = match state.srtp_protection_profile() {
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => Profile::Aes128Gcm,
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => Profile::Aes128CmSha1_80,
        _ => return None,
    };
    let material = state.export_keying_material(LABEL, &[], profile.material_bytes()).ok()?;
    let fingerprint = Sha256::digest(state.peer_certificates.first()?).into();
    Some(Handshaken { profile, material: material.as_ref().to_vec(), fingerprint })
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::SmallRng};

    use super::*;

    /// A browser's own patience is longer; a person's is not.
    const WITHIN: Duration = Duration::from_secs(6);
    const TRIP: Duration = Duration::from_millis(20);

    /// A browser and a server, and a line between them that loses what it is told to lose.
    struct Line {
        now: Instant,
        worker: Worker,
        said: Receiver<Progress>,
        /// The crate too, and mended the same way: browsers do repeat themselves.
        browser: Open,
    }

    impl Line {
        fn new() -> Self {
            let (tell, said) = channel();
            let report: Report = Arc::new(move |_, progress| _ = tell.send(progress));
            let configs = Identity::make().expect("a certificate").configs;
            let now = clock::now();
            let mut endpoint = Endpoint::new(SOMEWHERE, TransportProtocol::UDP, None);
            endpoint.connect(now, SOMEWHERE, config_of_browser(), None).expect("a greeting");
            let browser = Open::new(endpoint, now);
            let worker = Worker { configs, reports: vec![report], open: BTreeMap::new() };
            Self { now, worker, said, browser }
        }

        /// Twenty milliseconds go by. `loses` is asked of each datagram: whether it is the server's.
        fn goes_on(&mut self, mut loses: impl FnMut(bool) -> bool) {
            self.now += TRIP;
            let _ = self.browser.endpoint.handle_timeout(SOMEWHERE, self.now);
            let mut out = self.browser.take_out();
            out.extend_from_slice(self.browser.say_again(self.now));
            out.retain(|_| !loses(false));
            for bytes in out {
                self.worker.read(self.now, 0, PeerKey::default(), bytes[..].into());
            }
            if self.worker.open.values().filter_map(Open::due).any(|it| it <= self.now) {
                self.worker.time_out(self.now);
            }
            while let Ok(progress) = self.said.try_recv() {
                match progress {
                    Progress::Send(_) if loses(true) => (),
                    Progress::Send(bytes) => self.is_told(&bytes),
                    Progress::Done(_) => (),
                    Progress::Closed => panic!("nobody has said goodbye"),
                }
            }
        }

        fn is_told(&mut self, bytes: &[u8]) {
            let heard = self.browser.endpoint.read(self.now, SOMEWHERE, None, bytes.into());
            let events = heard.expect("what a browser understands");
            let is_done = |it: &_| matches!(it, EndpointEvent::HandshakeComplete);
            self.browser.is_done |= events.iter().any(is_done);
            // What it answers goes out with the next round.
            if !self.browser.is_done {
                self.browser.say_again_later(self.now);
            }
        }

        fn is_done_in_time(&mut self, mut loses: impl FnMut(bool) -> bool) -> bool {
            let end = self.now + WITHIN;
            while !self.browser.is_done && self.now < end {
                self.goes_on(&mut loses);
            }
            self.browser.is_done
        }
    }

    /// Repeats itself sooner than the crate on our side, as browsers do; and, as the crate does, seven times.
    fn config_of_browser() -> Arc<HandshakeConfig> {
        let provider = rtc::crypto::default_provider().expect("a provider");
        let certificate =
            Certificate::generate_self_signed(vec!["browser".to_owned()], provider.crypto());
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![certificate.expect("a certificate")])
            .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_flight_interval(Duration::from_millis(400))
            .build(true, None);
        Arc::new(config.expect("what a browser asks for"))
    }

    #[test]
    fn one_in_five_lost_keeps_nobody_out() {
        for seed in 0..100 {
            let mut chances = SmallRng::seed_from_u64(seed);
            let mut line = Line::new();
            assert!(line.is_done_in_time(|_| chances.random_bool(0.2)), "seed {seed}");
        }
    }

    #[test]
    fn a_browser_that_can_do_better_than_its_first_choice_is_noticed() {
        let hello = |profiles: &[u8]| {
            let length = profiles.len() as u8;
            let mut hello = vec![1, 0, 14, 9, 0, 14, 0, length + 3, 0, length];
            hello.extend(profiles);
            hello.extend([0, 0, 23, 0, 0]);
            hello
        };
        assert!(offers_gcm(&hello(&[0, 1, 0, 8, 0, 7])));
        assert!(!offers_gcm(&hello(&[0, 1])));
        let whole = hello(&[0, 1, 0, 7]);
        assert!((0..whole.len() - 5).all(|it| !offers_gcm(&whole[..it])));
        assert!(!offers_gcm(&[]));
    }
}
