//! One session's media: the handle by which its task tells a core who is where and what is wanted. It
//! knows nothing of names, consent or methods, and touches no packet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::oneshot;

pub use crate::media::{
    driver::core::MediaEvents,
    engine::{
        exchange::{Counters, MediaEvent},
        sdp::Offer,
    },
};
use crate::{
    domain::{
        ids::{ParticipantId, RoomId},
        limits::SLOTS,
        view::View,
    },
    media::{
        driver::{
            core::{Command, Core, Hooks},
            tap::AudioTap,
            transport::Transport,
        },
        engine::{
            exchange::{ExchangeError, Gates, SessionKey},
            router::Slots,
            sdp::{Secrets, Streams},
        },
    },
};

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("the forwarding core has ended")]
    Ended,
}

/// A handle; clones are the same forwarder. Dropped with the last clone, it closes every peer.
#[derive(Clone)]
pub struct Forwarder {
    inner: Arc<Inner>,
}

struct Inner {
    core: Core,
    session: SessionKey,
    people: Arc<People>,
    counters: Arc<Counters>,
}

/// What is known here of each person.
#[derive(Default)]
struct People(Mutex<BTreeMap<ParticipantId, Person>>);

#[derive(Default)]
struct Person {
    /// Set here, read by the core for each packet.
    gates: Arc<Gates>,
    /// As the core last told.
    connected: bool,
    slots: Slots,
}

impl People {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ParticipantId, Person>> {
        self.0.lock().unwrap_or_else(|it| it.into_inner())
    }

    fn note(&self, event: &MediaEvent) {
        if let MediaEvent::Voice { .. } = event {
            return;
        }
        let mut people = self.lock();
        match event {
            MediaEvent::Connected { participant } => {
                people.entry(*participant).or_default().connected = true;
            }
            MediaEvent::Failed { participant } => {
                people.entry(*participant).or_default().connected = false;
            }
            MediaEvent::Slots { participant, slots } => {
                people.entry(*participant).or_default().slots = *slots;
            }
            MediaEvent::Voice { .. } => (),
        }
    }
}

impl Forwarder {
    /// Needs a tokio runtime.
    pub fn new(transport: &Transport, tap: Arc<dyn AudioTap>, events: MediaEvents) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let core = transport.core().clone();
        let session = SessionKey(NEXT.fetch_add(1, Ordering::Relaxed));
        let (people, counters) = (Arc::<People>::default(), Arc::<Counters>::default());
        let noted = Arc::clone(&people);
        let events: MediaEvents = Arc::new(move |event| {
            noted.note(&event);
            events(event);
        });
        let hooks = Hooks { tap, events };
        core.tell(Command::Open { session, hooks, counters: Arc::clone(&counters) });
        Self { inner: Arc::new(Inner { core, session, people, counters }) }
    }

    /// A new peer connection for a person; an old one of theirs is closed.
    pub async fn connect(&self, participant: ParticipantId) -> Result<Offer, MediaError> {
        let (session, secrets) = (self.inner.session, Box::new(draw_secrets()));
        let (reply, answer) = oneshot::channel();
        {
            // Told under the lock: who leaves meanwhile leaves before or after, with these gates.
            let mut people = self.inner.people.lock();
            let person = people.entry(participant).or_default();
            person.connected = false;
            let gates = Arc::clone(&person.gates);
            let command = Command::Connect { session, participant, gates, secrets, reply };
            self.inner.core.tell(command);
        }
        Ok(answer.await.map_err(|_| MediaError::Ended)??)
    }

    /// The connection there is, by a new way: for a browser whose network has changed.
    pub async fn restart(&self, participant: ParticipantId) -> Result<Offer, MediaError> {
        let session = self.inner.session;
        let (ufrag, password) = (random_text(UFRAG_CHARS), random_text(PASSWORD_CHARS));
        self.ask(|reply| Command::Restart { session, participant, ufrag, password, reply }).await
    }

    /// The answer to the offer of that number.
    pub async fn answer(
        &self,
        participant: ParticipantId,
        number: u32,
        sdp: String,
    ) -> Result<(), MediaError> {
        let session = self.inner.session;
        self.ask(|reply| Command::Answer { session, participant, number, sdp, reply }).await
    }

    /// The receiving slots of a person whose media connection lives; `None`: there is none.
    pub fn live_slots(&self, participant: ParticipantId) -> Option<Slots> {
        let people = self.inner.people.lock();
        people.get(&participant).filter(|it| it.connected).map(|it| it.slots)
    }

    /// Puts people into rooms: one edit of the table, however many they are. `None`: out, and their
    /// connection is closed.
    pub fn place_all(&self, moves: &[(ParticipantId, Option<RoomId>)]) {
        let mut people = self.inner.people.lock();
        for (who, _) in moves.iter().filter(|it| it.1.is_none()) {
            if let Some(gone) = people.remove(who) {
                gone.gates.listened.store(false, Ordering::SeqCst);
            }
        }
        let (session, moves) = (self.inner.session, moves.to_vec());
        self.inner.core.tell(Command::Place { session, moves });
    }

    /// Whether a person shows a screen to their room.
    pub fn show(&self, participant: ParticipantId, on: bool) {
        let session = self.inner.session;
        self.inner.core.tell(Command::Show { session, participant, on });
    }

    /// How large a person sees the others.
    pub fn view(&self, participant: ParticipantId, view: View) {
        let session = self.inner.session;
        self.inner.core.tell(Command::View { session, participant, view });
    }

    /// Whether a person's audio is offered to the tap. In effect for the next packet.
    pub fn listen(&self, participant: ParticipantId, on: bool) {
        let mut people = self.inner.people.lock();
        people.entry(participant).or_default().gates.listened.store(on, Ordering::SeqCst);
    }

    /// Whether a person's audio goes nowhere: to nobody's ears, no level, no tap. In effect for the
    /// next packet.
    pub fn hush(&self, participant: ParticipantId, on: bool) {
        let mut people = self.inner.people.lock();
        people.entry(participant).or_default().gates.hushed.store(on, Ordering::SeqCst);
    }

    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, ExchangeError>>) -> Command,
    ) -> Result<T, MediaError> {
        let (reply, answer) = oneshot::channel();
        self.inner.core.tell(command(reply));
        Ok(answer.await.map_err(|_| MediaError::Ended)??)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.core.tell(Command::Close { session: self.session });
    }
}

/// Enough that nobody guesses them (RFC 8445, 5.3).
const UFRAG_CHARS: usize = 8;
const PASSWORD_CHARS: usize = 24;

fn draw_secrets() -> Secrets {
    let mut drawn = BTreeSet::new();
    let mut ssrc = || {
        loop {
            let ssrc = rand::random_range(1..u32::MAX);
            if drawn.insert(ssrc) {
                return ssrc;
            }
        }
    };
    let own_ssrc = ssrc();
    let audio = std::array::from_fn(|_| ssrc());
    let mut streams = || Streams { ssrc: ssrc(), repair: ssrc() };
    let video: [Streams; SLOTS] = std::array::from_fn(|_| streams());
    let screen = streams();
    Secrets {
        ufrag: random_text(UFRAG_CHARS),
        password: random_text(PASSWORD_CHARS),
        session: u64::from(rand::random::<u32>()),
        own_ssrc,
        audio,
        video,
        screen,
    }
}

/// Letters and digits from the operating system's randomness.
fn random_text(length: usize) -> String {
    use rand::{Rng, distr::Alphanumeric};
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;
    use crate::media::driver::{
        tap::TappedPacket,
        transport::{Ports, TcpPort},
    };

    struct Deaf;

    impl AudioTap for Deaf {
        fn packet(&self, _: ParticipantId, _: TappedPacket) {}
    }

    fn transport() -> Arc<Transport> {
        let listen = "127.0.0.1:0".parse().unwrap();
        let ports = Ports { listen, tcp: TcpPort::Next, addresses: vec![], cores: 1 };
        Transport::bind(&ports).unwrap()
    }

    fn forwarder(transport: &Transport) -> (Forwarder, mpsc::UnboundedReceiver<MediaEvent>) {
        let (sender, events) = mpsc::unbounded_channel();
        let told = Arc::new(move |event| _ = sender.send(event));
        (Forwarder::new(transport, Arc::new(Deaf), told), events)
    }

    async fn until_peers(transport: &Transport, count: usize) {
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            while transport.peers() != count {
                tokio::task::yield_now().await;
            }
        });
        assert!(waited.await.is_ok(), "{} peers, not {count}", transport.peers());
    }

    #[tokio::test]
    async fn people_who_come_anew_or_leave_leave_nothing_behind() {
        let transport = transport();
        let (forwarder, mut events) = forwarder(&transport);
        let (alice, bob) = (ParticipantId(1), ParticipantId(2));
        for who in [alice, bob] {
            forwarder.place_all(&[(who, Some(RoomId::Main))]);
            let offer = forwarder.connect(who).await.unwrap();
            assert_eq!(offer.slots.len(), SLOTS);
            assert!(offer.sdp.contains(&format!(" {} typ host", transport.candidates()[0].port())));
        }
        until_peers(&transport, 2).await;
        forwarder.connect(bob).await.unwrap();
        until_peers(&transport, 2).await;
        forwarder.place_all(&[(bob, None)]);
        until_peers(&transport, 1).await;
        drop(forwarder);
        until_peers(&transport, 0).await;
        let mut last = BTreeMap::new();
        while let Some(event) = events.recv().await {
            if let MediaEvent::Slots { participant, slots } = event {
                last.insert(participant, slots);
            }
        }
        assert_eq!(last.get(&alice), Some(&[None; SLOTS]), "Alice hears nobody any more");
    }

    #[tokio::test]
    async fn a_stranger_cannot_take_all_places_of_media_by_tcp() {
        const PLACES: usize = 64;
        let transport = transport();
        let (forwarder, _events) = forwarder(&transport);
        let alice = ParticipantId(1);
        forwarder.place_all(&[(alice, Some(RoomId::Main))]);
        let sdp = forwarder.connect(alice).await.unwrap().sdp;
        let line = sdp.lines().find(|it| it.contains("tcptype passive")).expect("a port for TCP");
        let port: u16 = line.split(' ').nth(5).unwrap().parse().unwrap();
        let mut streams = Vec::new();
        for _ in 0..PLACES + 1 {
            streams.push(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        }
        let is_closed = |it: &tokio::net::TcpStream| matches!(it.try_read(&mut [0]), Ok(0));
        let refused = async {
            while !streams.iter().any(is_closed) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), refused).await.expect("one is refused");
        assert_eq!(streams.iter().filter(|it| is_closed(it)).count(), 1);
    }

    #[tokio::test]
    async fn an_answer_that_is_none_is_refused_and_harms_nobody() {
        let transport = transport();
        let (forwarder, _events) = forwarder(&transport);
        let alice = ParticipantId(1);
        let answer = forwarder.answer(alice, 1, String::new()).await;
        assert!(matches!(answer, Err(MediaError::Exchange(ExchangeError::NoPeer))));
        forwarder.place_all(&[(alice, Some(RoomId::Main))]);
        forwarder.connect(alice).await.unwrap();
        for sdp in ["", "v=0\r\n", "m=audio\r\n\0"] {
            let answer = forwarder.answer(alice, 1, sdp.to_owned()).await;
            let refused = matches!(answer, Err(MediaError::Exchange(ExchangeError::Answer(_))));
            assert!(refused, "{sdp:?}: {answer:?}");
        }
        until_peers(&transport, 1).await;
    }
}
