//! One session's media: its peers, and the table by which their packets go on. It performs what the
//! engine decides; it knows nothing of names, consent or methods.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use crate::{
    domain::{
        ids::{ParticipantId, RoomId},
        limits::SLOTS,
        time::SessionTime,
    },
    media::{
        driver::{
            peer::{MediaError, MediaPacket, Offer, Peer, PeerObserver, PeerState, Transport},
            tap::{AudioTap, Gate, TappedPacket},
        },
        engine::{
            feedback::KeyframeRequests,
            level::SpeakingDetector,
            router::{Router, SlotChange, Slots},
            slot::{Incoming, Slot, TrackKind},
            vp8,
        },
    },
};

/// Packets waiting for one subscriber: a quarter of a second of a full room. Full: new ones are
/// dropped and counted.
const EGRESS_PACKETS_MAX: usize = 512;

/// How often those who have gone quiet without a packet are noticed.
const QUIET_EVERY: Duration = Duration::from_millis(200);

/// What a session hears of its media. Sent without waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    Connected {
        participant: ParticipantId,
    },
    /// The peer connection is gone for good.
    Failed {
        participant: ParticipantId,
    },
    /// By audio level: began to speak, or stopped.
    Voice {
        participant: ParticipantId,
        on: bool,
    },
    /// Who is in a person's receiving slots.
    Slots {
        participant: ParticipantId,
        slots: Slots,
    },
}

/// Told the time of the session it belongs to.
pub type SessionClock = Arc<dyn Fn() -> SessionTime + Send + Sync>;

/// Where events go. Must not wait.
pub type MediaEvents = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// A handle; clones are the same forwarder. Dropped with the last clone, it closes every peer.
#[derive(Clone)]
pub struct Forwarder {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Arc<Transport>,
    now: SessionClock,
    events: MediaEvents,
    tap: Arc<dyn AudioTap>,
    gate: Gate,
    /// Whose audio goes nowhere.
    hushed: Gate,
    /// The control path's; packets never lock it.
    control: Mutex<Control>,
    routes: ArcSwap<Routes>,
    counters: Counters,
}

/// Packets since the start.
#[derive(Debug, Default)]
pub struct Counters {
    pub received: AtomicU64,
    pub forwarded: AtomicU64,
    /// Because a subscriber's queue was full.
    pub dropped: AtomicU64,
}

#[derive(Default)]
struct Control {
    router: Router,
    peers: BTreeMap<ParticipantId, Connected>,
}

struct Connected {
    publisher: Arc<Publisher>,
    subscriber: Arc<Subscriber>,
}

/// Publisher to the slots in which they are received.
type Routes = BTreeMap<ParticipantId, Vec<(Arc<Subscriber>, usize)>>;

impl Forwarder {
    /// Needs a tokio runtime.
    pub fn new(
        transport: Arc<Transport>,
        now: SessionClock,
        tap: Arc<dyn AudioTap>,
        events: MediaEvents,
    ) -> Self {
        let inner = Arc::new(Inner {
            transport,
            now,
            events,
            tap,
            gate: Gate::default(),
            hushed: Gate::default(),
            control: Mutex::default(),
            routes: ArcSwap::default(),
            counters: Counters::default(),
        });
        tokio::spawn(notice_quiet(Arc::downgrade(&inner)));
        Self { inner }
    }

    /// A new peer connection for a person; an old one of theirs is closed.
    pub async fn connect(&self, participant: ParticipantId) -> Result<Offer, MediaError> {
        let publisher = Arc::new(Publisher {
            participant,
            inner: Arc::downgrade(&self.inner),
            detector: Mutex::default(),
            keyframes: Mutex::default(),
            connected: AtomicBool::new(false),
        });
        let observer = Arc::clone(&publisher) as Arc<dyn PeerObserver>;
        let (peer, offer) = Peer::offer(&self.inner.transport, observer).await?;
        let subscriber = Subscriber::start(peer, Arc::clone(&self.inner));
        let mut control = self.inner.lock();
        let slots = control.router.slots(participant).copied().unwrap_or_default();
        slots.iter().enumerate().for_each(|(slot, it)| subscriber.seat(slot, *it));
        let before = control.peers.insert(participant, Connected { publisher, subscriber });
        self.inner.rebuild_routes(&control);
        drop(control);
        if let Some(before) = before {
            before.subscriber.close();
        }
        (self.inner.events)(MediaEvent::Slots { participant, slots });
        Ok(offer)
    }

    /// The receiving slots of a person whose media connection lives; `None`: there is none.
    pub fn live_slots(&self, participant: ParticipantId) -> Option<Slots> {
        let control = self.inner.lock();
        let publisher = &control.peers.get(&participant)?.publisher;
        let lives = publisher.connected.load(Ordering::Relaxed);
        control.router.slots(participant).copied().filter(|_| lives)
    }

    pub async fn answer(&self, participant: ParticipantId, sdp: String) -> Result<(), MediaError> {
        let peer = self.inner.lock().peers.get(&participant).map(|it| it.subscriber.peer.clone());
        peer.ok_or(MediaError::NoPeer)?.answer(sdp).await
    }

    /// Puts people into rooms: one edit of the table, however many they are. `None`: out, and their
    /// connection is closed.
    pub fn place_all(&self, moves: &[(ParticipantId, Option<RoomId>)]) {
        let mut control = self.inner.lock();
        let mut changes = Vec::new();
        control.router.place_all(moves, &mut changes);
        let out: Vec<_> = moves.iter().filter(|it| it.1.is_none()).map(|it| it.0).collect();
        let gone: Vec<_> = out.iter().filter_map(|it| control.peers.remove(it)).collect();
        if changes.is_empty() && !gone.is_empty() {
            self.inner.rebuild_routes(&control);
        }
        self.inner.perform(&control, &changes);
        drop(control);
        for who in out {
            self.inner.gate.set(who, false);
            self.inner.hushed.set(who, false);
        }
        gone.iter().for_each(|it| it.subscriber.close());
    }

    /// Whether a person's audio is offered to the tap. In effect for the next packet.
    pub fn listen(&self, participant: ParticipantId, on: bool) {
        self.inner.gate.set(participant, on);
    }

    /// Whether a person's audio goes nowhere: to nobody's ears, no level, no tap. In effect for the
    /// next packet.
    pub fn hush(&self, participant: ParticipantId, on: bool) {
        self.inner.hushed.set(participant, on);
    }

    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(|it| it.into_inner())
    }

    /// Applies the router's changes to the slots, in order, then to the routes, then tells.
    fn perform(&self, control: &Control, changes: &[SlotChange]) {
        if changes.is_empty() {
            return;
        }
        let mut told = BTreeMap::new();
        for change in changes {
            if let Some(connected) = control.peers.get(&change.subscriber) {
                connected.subscriber.seat(change.slot, change.publisher);
            }
            if let Some(slots) = control.router.slots(change.subscriber) {
                told.insert(change.subscriber, *slots);
            }
        }
        self.rebuild_routes(control);
        let mut wanted: Vec<_> = changes.iter().filter_map(|it| it.publisher).collect();
        wanted.sort();
        wanted.dedup();
        for publisher in wanted {
            if let Some(connected) = control.peers.get(&publisher) {
                connected.want_keyframe((self.now)());
            }
        }
        for (participant, slots) in told {
            (self.events)(MediaEvent::Slots { participant, slots });
        }
    }

    fn rebuild_routes(&self, control: &Control) {
        let mut routes = Routes::new();
        for (publisher, subscriber, slot) in control.router.edges() {
            if let Some(connected) = control.peers.get(&subscriber) {
                let edge = (Arc::clone(&connected.subscriber), slot);
                routes.entry(publisher).or_default().push(edge);
            }
        }
        self.routes.store(Arc::new(routes));
    }

    fn want_keyframe_of(&self, publisher: ParticipantId) {
        if let Some(connected) = self.lock().peers.get(&publisher) {
            connected.want_keyframe((self.now)());
        }
    }

    fn voice(&self, participant: ParticipantId, on: bool) {
        if on {
            let mut control = self.lock();
            let mut changes = Vec::new();
            control.router.spoke(participant, (self.now)(), &mut changes);
            self.perform(&control, &changes);
        }
        (self.events)(MediaEvent::Voice { participant, on });
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let control = self.control.get_mut().unwrap_or_else(|it| it.into_inner());
        control.peers.values().for_each(|it| it.subscriber.close());
    }
}

impl Connected {
    fn want_keyframe(&self, now: SessionTime) {
        let mut requests = self.publisher.keyframes.lock().unwrap_or_else(|it| it.into_inner());
        if requests.want(now) {
            let peer = Arc::clone(&self.subscriber.peer);
            tokio::spawn(async move { peer.request_keyframe().await });
        }
    }
}

/// A person's sending side.
struct Publisher {
    participant: ParticipantId,
    inner: Weak<Inner>,
    detector: Mutex<SpeakingDetector>,
    keyframes: Mutex<KeyframeRequests>,
    connected: AtomicBool,
}

impl Publisher {
    fn hear(&self, inner: &Inner, level_dbov: Option<i8>) {
        let now = (inner.now)();
        let mut detector = self.detector.lock().unwrap_or_else(|it| it.into_inner());
        let change = match level_dbov {
            Some(level) => detector.level(now, level),
            None => detector.quiet(now),
        };
        drop(detector);
        if let Some(on) = change {
            inner.voice(self.participant, on);
        }
    }
}

impl PeerObserver for Publisher {
    fn state(&self, state: PeerState) {
        let Some(inner) = self.inner.upgrade() else { return };
        let participant = self.participant;
        match state {
            PeerState::Connected => {
                self.connected.store(true, Ordering::Relaxed);
                (inner.events)(MediaEvent::Connected { participant });
                let control = inner.lock();
                let slots = control.router.slots(participant).copied().unwrap_or_default();
                drop(control);
                slots.iter().flatten().for_each(|it| inner.want_keyframe_of(*it));
            }
            PeerState::Failed => {
                let mut control = inner.lock();
                let ours = control.peers.get(&participant);
                if ours.is_some_and(|it| std::ptr::eq(&*it.publisher, self))
                    && let Some(gone) = control.peers.remove(&participant)
                {
                    inner.rebuild_routes(&control);
                    drop(control);
                    gone.subscriber.close();
                    (inner.events)(MediaEvent::Failed { participant });
                }
            }
        }
    }

    fn packet(&self, packet: MediaPacket) {
        let Some(inner) = self.inner.upgrade() else { return };
        inner.counters.received.fetch_add(1, Ordering::Relaxed);
        if packet.kind == TrackKind::Audio {
            if inner.hushed.is_open(self.participant) {
                return;
            }
            self.hear(&inner, packet.level_dbov);
            if inner.gate.is_open(self.participant) {
                let (sequence, timestamp) = (packet.sequence, packet.timestamp);
                let payload = packet.payload.clone();
                let tapped = TappedPacket { sequence, timestamp, payload };
                inner.tap.packet(self.participant, tapped);
            }
        }
        let routes = inner.routes.load();
        let Some(edges) = routes.get(&self.participant) else { return };
        let packet = Arc::new(packet);
        for (subscriber, slot) in edges {
            let queued =
                Queued { slot: *slot, publisher: self.participant, packet: Arc::clone(&packet) };
            if subscriber.queue.try_send(queued).is_err() {
                inner.counters.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn keyframe_wanted(&self, slot: usize) {
        let Some(inner) = self.inner.upgrade() else { return };
        let publisher = inner.lock().router.slots(self.participant).and_then(|it| it[slot]);
        if let Some(publisher) = publisher {
            inner.want_keyframe_of(publisher);
        }
    }
}

/// A person's receiving side: their slots, and the one task that sends to them.
struct Subscriber {
    peer: Arc<Peer>,
    slots: Mutex<Vec<SlotPair>>,
    queue: mpsc::Sender<Queued>,
}

struct SlotPair {
    audio: Slot,
    video: Slot,
}

struct Queued {
    slot: usize,
    publisher: ParticipantId,
    packet: Arc<MediaPacket>,
}

impl Subscriber {
    fn start(peer: Peer, inner: Arc<Inner>) -> Arc<Self> {
        let (queue, packets) = mpsc::channel(EGRESS_PACKETS_MAX);
        let pair =
            || SlotPair { audio: Slot::new(TrackKind::Audio), video: Slot::new(TrackKind::Video) };
        let slots = Mutex::new((0..SLOTS).map(|_| pair()).collect());
        let subscriber = Arc::new(Self { peer: Arc::new(peer), slots, queue });
        tokio::spawn(egress(Arc::downgrade(&subscriber), Arc::downgrade(&inner), packets));
        subscriber
    }

    fn seat(&self, slot: usize, publisher: Option<ParticipantId>) {
        let mut slots = self.slots.lock().unwrap_or_else(|it| it.into_inner());
        if let Some(pair) = slots.get_mut(slot) {
            pair.audio.seat(publisher);
            pair.video.seat(publisher);
        }
    }

    fn close(self: &Arc<Self>) {
        let peer = Arc::clone(&self.peer);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { peer.close().await });
        }
    }
}

/// The numbers are given here, at the last moment: what was queued for a slot before its publisher
/// changed is not sent, and leaves no hole.
async fn egress(
    subscriber: Weak<Subscriber>,
    inner: Weak<Inner>,
    mut packets: mpsc::Receiver<Queued>,
) {
    while let Some(Queued { slot, publisher, packet }) = packets.recv().await {
        let (Some(subscriber), Some(inner)) = (subscriber.upgrade(), inner.upgrade()) else {
            return;
        };
        let incoming = Incoming {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            keyframe: match packet.kind {
                TrackKind::Audio => true,
                TrackKind::Video => vp8::begins_keyframe(&packet.payload),
            },
        };
        let (numbers, wants_keyframe) = {
            let mut slots = subscriber.slots.lock().unwrap_or_else(|it| it.into_inner());
            let Some(pair) = slots.get_mut(slot) else { continue };
            let slot = match packet.kind {
                TrackKind::Audio => &mut pair.audio,
                TrackKind::Video => &mut pair.video,
            };
            (slot.pass((inner.now)(), publisher, incoming), slot.wants_keyframe())
        };
        match numbers {
            Some(numbers) => {
                inner.counters.forwarded.fetch_add(1, Ordering::Relaxed);
                subscriber.peer.send(slot, &packet, numbers).await;
            }
            None if wants_keyframe => inner.want_keyframe_of(publisher),
            None => (),
        }
    }
}

async fn notice_quiet(inner: Weak<Inner>) {
    let mut every = tokio::time::interval(QUIET_EVERY);
    loop {
        every.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let publishers: Vec<_> =
            inner.lock().peers.values().map(|it| Arc::clone(&it.publisher)).collect();
        publishers.iter().for_each(|it| it.hear(&inner, None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Deaf;

    impl AudioTap for Deaf {
        fn packet(&self, _: ParticipantId, _: TappedPacket) {}
    }

    fn forwarder(transport: &Arc<Transport>) -> (Forwarder, mpsc::UnboundedReceiver<MediaEvent>) {
        let (sender, events) = mpsc::unbounded_channel();
        let forwarder = Forwarder::new(
            Arc::clone(transport),
            Arc::new(|| SessionTime::ZERO),
            Arc::new(Deaf),
            Arc::new(move |event| _ = sender.send(event)),
        );
        (forwarder, events)
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
        let transport = Transport::bind("127.0.0.1:0".parse().unwrap(), &[]).unwrap();
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
    async fn an_answer_that_is_none_is_refused_and_harms_nobody() {
        let transport = Transport::bind("127.0.0.1:0".parse().unwrap(), &[]).unwrap();
        let (forwarder, _events) = forwarder(&transport);
        let alice = ParticipantId(1);
        let answer = forwarder.answer(alice, String::new()).await;
        assert!(matches!(answer, Err(MediaError::NoPeer)));
        forwarder.place_all(&[(alice, Some(RoomId::Main))]);
        forwarder.connect(alice).await.unwrap();
        for sdp in ["", "v=0\r\n", "m=audio\r\n\0"] {
            let answer = forwarder.answer(alice, sdp.to_owned()).await;
            assert!(matches!(answer, Err(MediaError::Answer(_))), "{sdp:?}: {answer:?}");
        }
        assert_eq!(transport.peers(), 1);
    }
}
