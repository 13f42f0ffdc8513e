//! Everything one core forwards: the peers of its sessions, and who receives whom. Datagrams and
//! commands go in, datagrams and events come out; it is told the time, draws nothing by chance, and
//! never waits. One thread owns it, so that a packet meets no lock and no queue on its way.
//!
//! The life of one packet stands in [`packets`]; what is said about packets, in [`reports`].

mod packets;
mod peer;
mod reports;

use core::net::{IpAddr, SocketAddr};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use crate::{
    domain::{
        ids::{ParticipantId, RoomId},
        limits::SLOTS,
        view::{View, Wanted},
    },
    media::engine::{
        exchange::peer::{Edge, Line, Peer, Seat, choice_of},
        layers,
        router::{Router, SlotChange, Slots},
        sdp::{self, AnswerError, Candidate, Offer, Secrets},
        slot::WHOLE,
        srtp::{self, Profile},
        stun::Password,
        time::MediaTime,
    },
};

/// No word from a browser for so long: its connection is gone, in ms. And for one that has not
/// answered yet: somebody may be reading the browser's question for the microphone.
const SILENT_MS: u64 = 15_000;
const ANSWER_MS: u64 = 60_000;

/// Addresses one peer may be reached from at a time: each of its networks, and one to change to.
const WAYS_MAX: usize = 8;

/// Datagrams of one peer's handshake: some twenty, repeated for half a minute on a network that loses
/// most of them.
const GREETINGS_MAX: u32 = 256;

/// One session on a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey(pub u64);

/// One peer connection on a core; the number is never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(Default))]
pub struct PeerKey {
    index: u32,
    born: u32,
}

/// Two ends of a datagram by UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    pub remote: SocketAddr,
    /// The one of our addresses it was sent to, and must be answered from: a browser takes nothing
    /// from another. `None`: there is only one.
    pub local: Option<IpAddr>,
}

/// Where datagrams come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Udp(Pair),
    /// A connection by TCP, by its number.
    Tcp(u64),
}

/// What a session hears of its media.
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

/// One Opus packet of somebody who has agreed to be listened to.
#[derive(Clone, Debug)]
pub struct TappedPacket {
    pub sequence: u16,
    /// RTP clock, 48 kHz.
    pub timestamp: u32,
    pub payload: Bytes,
}

/// What the exchange does to the world. None of it may wait.
pub trait Outside {
    /// A datagram of at most `bytes_max` bytes, made in place: `fill` returns its length, or `None`
    /// when there is nothing to send after all.
    fn send(&mut self, to: Way, bytes_max: usize, fill: impl FnOnce(&mut [u8]) -> Option<usize>);
    fn event(&mut self, session: SessionKey, event: MediaEvent);
    /// The audio of somebody whose gate is open.
    fn heard(&mut self, session: SessionKey, from: ParticipantId, packet: TappedPacket);
    /// A datagram of a peer's DTLS handshake, from an address that ICE has validated.
    fn handshake(&mut self, peer: PeerKey, datagram: &[u8]);
    /// The peer is gone: its handshake may be forgotten.
    fn forget(&mut self, peer: PeerKey);
}

/// What may be done with a person's audio. Set by the session, read for each packet; at first
/// nothing but forwarding.
#[derive(Debug, Default)]
pub struct Gates {
    /// Whether it is offered to the tap.
    pub listened: AtomicBool,
    /// Whether it goes nowhere: to nobody's ears, no level, no tap.
    pub hushed: AtomicBool,
}

/// Packets of one session since the start.
#[derive(Debug, Default)]
pub struct Counters {
    pub received: AtomicU64,
    pub forwarded: AtomicU64,
    /// Not forwarded, because nobody spoke, or was to be heard, or too much was sent.
    pub silent: AtomicU64,
    /// Sent again because a subscriber missed them.
    pub repaired: AtomicU64,
}

/// What a finished handshake gives.
#[derive(Clone, Debug)]
pub struct Handshaken {
    pub profile: Profile,
    /// Exported keying material (RFC 5764).
    pub material: Vec<u8>,
    /// SHA-256 of the certificate the browser has shown.
    pub fingerprint: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    #[error("the session has no media")]
    NoSession,
    #[error("there is no peer connection")]
    NoPeer,
    #[error("cannot use the answer: {0}")]
    Answer(#[from] AnswerError),
}

/// What is the same for every peer connection.
#[derive(Clone, Debug)]
pub struct Here {
    /// Of our certificate, as SDP writes it.
    pub fingerprint: String,
    /// Where browsers reach this core, best first.
    pub candidates: Vec<Candidate>,
    /// NTP time, in 2^-32 s, at [`MediaTime::ZERO`].
    pub ntp: u64,
}

pub struct Exchange {
    here: Here,
    sessions: BTreeMap<SessionKey, Session>,
    peers: Vec<Option<Peer>>,
    free: Vec<u32>,
    born: u32,
    /// The number of the newest offer.
    offers: u32,
    by_ufrag: BTreeMap<String, PeerKey>,
    by_way: BTreeMap<Way, PeerKey>,
    /// Datagrams that belonged to nobody or were not right.
    strays: u64,
}

struct Session {
    router: Router,
    peers: BTreeMap<ParticipantId, PeerKey>,
    counters: Arc<Counters>,
}

impl Exchange {
    pub fn new(here: Here) -> Self {
        Self {
            here,
            sessions: BTreeMap::new(),
            peers: Vec::new(),
            free: Vec::new(),
            born: 0,
            offers: 0,
            by_ufrag: BTreeMap::new(),
            by_way: BTreeMap::new(),
            strays: 0,
        }
    }

    /// Peer connections that live.
    pub fn peers(&self) -> usize {
        self.peers.len() - self.free.len()
    }

    /// Datagrams that belonged to nobody or were not right, since the start.
    pub fn strays(&self) -> u64 {
        self.strays
    }

    pub fn open(&mut self, session: SessionKey, counters: Arc<Counters>) {
        let (router, peers) = (Router::default(), BTreeMap::new());
        self.sessions.insert(session, Session { router, peers, counters });
    }

    pub fn close(&mut self, session: SessionKey, out: &mut impl Outside) {
        let Some(gone) = self.sessions.remove(&session) else { return };
        gone.peers.into_values().for_each(|it| self.drop_peer(it, out));
    }

    /// A new peer connection for a person; an old one of theirs is closed.
    pub fn connect(
        &mut self,
        now: MediaTime,
        session: SessionKey,
        participant: ParticipantId,
        gates: Arc<Gates>,
        secrets: Secrets,
        out: &mut impl Outside,
    ) -> Result<Offer, ExchangeError> {
        let Some(known) = self.sessions.get_mut(&session) else {
            return Err(ExchangeError::NoSession);
        };
        let counters = Arc::clone(&known.counters);
        if let Some(before) = known.peers.remove(&participant) {
            self.drop_peer(before, out);
        }
        let (fingerprint, candidates) = (&self.here.fingerprint, &self.here.candidates);
        let offer = self.number(sdp::offer(&secrets, fingerprint, candidates, 0));
        self.born = self.born.wrapping_add(1);
        let index = self.free.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.peers.len() as u32 - 1
        });
        let key = PeerKey { index, born: self.born };
        self.by_ufrag.insert(secrets.ufrag.clone(), key);
        let peer = Peer::new(now, key, session, participant, gates, counters, secrets);
        self.peers[index as usize] = Some(peer);
        let Some(known) = self.sessions.get_mut(&session) else {
            return Err(ExchangeError::NoSession);
        };
        known.peers.insert(participant, key);
        let slots = known.router.slots(participant).copied().unwrap_or_default();
        if let Some(peer) = self.peer_mut(key) {
            peer.offered = offer.number;
            slots.iter().enumerate().for_each(|(slot, it)| peer.seat(slot, *it));
        }
        self.connect_edges(session);
        self.choose_layers(now, key, out);
        out.event(session, MediaEvent::Slots { participant, slots });
        Ok(offer)
    }

    /// The same connection by new ICE credentials (ICE restart, RFC 8445, 9): for a browser whose
    /// network has changed. `ufrag` and `password`: new ones. The old ones hold until the peer is gone.
    pub fn restart(
        &mut self,
        session: SessionKey,
        participant: ParticipantId,
        ufrag: String,
        password: String,
    ) -> Result<Offer, ExchangeError> {
        let key = self.key_of(session, participant).ok_or(ExchangeError::NoPeer)?;
        let peer = self.peer_mut(key).ok_or(ExchangeError::NoPeer)?;
        peer.version += 1;
        peer.passwords.push((ufrag.clone(), Password::new(&password)));
        (peer.secrets.ufrag, peer.secrets.password) = (ufrag.clone(), password);
        let retired = (2 < peer.passwords.len()).then(|| peer.passwords.remove(0).0);
        let (secrets, version) = (peer.secrets.clone(), peer.version);
        if let Some(retired) = retired {
            self.by_ufrag.remove(&retired);
        }
        self.by_ufrag.insert(ufrag, key);
        let (fingerprint, candidates) = (&self.here.fingerprint, &self.here.candidates);
        let offer = self.number(sdp::offer(&secrets, fingerprint, candidates, version));
        if let Some(peer) = self.peer_mut(key) {
            peer.offered = offer.number;
        }
        Ok(offer)
    }

    fn number(&mut self, offer: Offer) -> Offer {
        self.offers += 1;
        Offer { number: self.offers, ..offer }
    }

    /// Takes the browser's answer to the offer of that `number`; one to an older offer, which a newer
    /// has overtaken, says nothing. Nothing is sent to a browser before its certificate is the one its
    /// answer names.
    pub fn answer(
        &mut self,
        now: MediaTime,
        session: SessionKey,
        participant: ParticipantId,
        number: u32,
        sdp: &str,
        out: &mut impl Outside,
    ) -> Result<(), ExchangeError> {
        let key = self.key_of(session, participant).ok_or(ExchangeError::NoPeer)?;
        let answer = sdp::read_answer(sdp)?;
        let peer = self.peer_mut(key).ok_or(ExchangeError::NoPeer)?;
        if peer.offered != number {
            return Ok(());
        }
        peer.repairs = answer.repairs;
        if peer.opener.is_none() {
            peer.expected = Some(answer.fingerprint);
            self.admit(now, key, out);
        }
        Ok(())
    }

    /// Puts people into rooms: one edit of the table, however many they are. `None`: out, and their
    /// connection is closed.
    pub fn place_all(
        &mut self,
        now: MediaTime,
        session: SessionKey,
        moves: &[(ParticipantId, Option<RoomId>)],
        out: &mut impl Outside,
    ) {
        let Some(known) = self.sessions.get_mut(&session) else { return };
        let mut changes = Vec::new();
        known.router.place_all(moves, &mut changes);
        let outside = moves.iter().filter(|it| it.1.is_none());
        let gone: Vec<_> = outside.filter_map(|it| known.peers.remove(&it.0)).collect();
        gone.into_iter().for_each(|it| self.drop_peer(it, out));
        self.perform(now, session, &changes, out);
    }

    /// A person shows a screen to their room, or ends.
    pub fn show(
        &mut self,
        now: MediaTime,
        session: SessionKey,
        participant: ParticipantId,
        on: bool,
        out: &mut impl Outside,
    ) {
        let Some(known) = self.sessions.get_mut(&session) else { return };
        known.router.show(participant, on);
        self.connect_edges(session);
        if let Some(key) = self.key_of(session, participant) {
            self.ask_keyframe(now, key, Line::Screen, WHOLE, out);
        }
    }

    /// How large a person sees the others.
    pub fn view(
        &mut self,
        now: MediaTime,
        session: SessionKey,
        participant: ParticipantId,
        view: View,
        out: &mut impl Outside,
    ) {
        let Some(key) = self.key_of(session, participant) else { return };
        if let Some(peer) = self.peer_mut(key) {
            peer.view = view;
            peer.screen.slot.want((view.screen != Wanted::Nothing).then_some(WHOLE));
        }
        self.choose_layers(now, key, out);
    }

    /// The handshake of a peer has ended well.
    pub fn handshaken(
        &mut self,
        now: MediaTime,
        key: PeerKey,
        handshaken: Handshaken,
        out: &mut impl Outside,
    ) {
        // Once: new keys would begin their numbers anew.
        if let Some(peer) = self.peer_mut(key).filter(|it| it.opener.is_none()) {
            peer.handshaken = Some(handshaken);
            self.admit(now, key, out);
        }
    }

    /// A datagram of our half of a handshake.
    pub fn send_handshake(&mut self, key: PeerKey, datagram: &[u8], out: &mut impl Outside) {
        let Some(way) = self.peer_mut(key).and_then(|it| it.way) else { return };
        out.send(way, datagram.len(), |buffer| {
            buffer.copy_from_slice(datagram);
            Some(datagram.len())
        });
    }

    /// A peer is gone: its handshake failed, it said goodbye, or it made us stumble.
    pub fn fail(&mut self, key: PeerKey, out: &mut impl Outside) {
        let Some(peer) = self.peer_mut(key) else { return };
        let (session, participant) = (peer.session, peer.participant);
        self.drop_peer(key, out);
        if let Some(known) = self.sessions.get_mut(&session)
            && known.peers.get(&participant) == Some(&key)
        {
            known.peers.remove(&participant);
            known.router.lost(participant);
            self.connect_edges(session);
            out.event(session, MediaEvent::Failed { participant });
        }
    }

    /// Whose a way is.
    pub fn peer_at(&self, way: Way) -> Option<PeerKey> {
        self.by_way.get(&way).copied()
    }

    /// The way is closed, as a connection by TCP can be.
    pub fn way_closed(&mut self, way: Way) {
        if let Some(key) = self.by_way.remove(&way)
            && let Some(peer) = self.peer_mut(key)
        {
            peer.leave(way);
        }
    }

    /// Both the certificate and who was to show it are known: keys are taken if they agree.
    fn admit(&mut self, now: MediaTime, key: PeerKey, out: &mut impl Outside) {
        let Some(peer) = self.peer_mut(key) else { return };
        let (Some(expected), Some(done)) = (peer.expected, &peer.handshaken) else { return };
        let keys =
            srtp::keys(done.profile, &done.material).filter(|_| done.fingerprint == expected);
        let (session, participant) = (peer.session, peer.participant);
        let Some((opener, sealer)) = keys else {
            self.fail(key, out);
            return;
        };
        peer.handshaken = None;
        (peer.opener, peer.sealer) = (Some(opener), Some(sealer));
        out.event(session, MediaEvent::Connected { participant });
        self.choose_layers(now, key, out);
        let seated =
            self.peer(key).map(|it| it.slots.each_ref().map(|it| it.audio.slot.publisher()));
        for publisher in seated.into_iter().flatten().flatten() {
            if let Some(key) = self.key_of(session, publisher) {
                self.ask_keyframe(now, key, Line::Camera, WHOLE, out);
            }
        }
    }

    /// Applies the router's changes to the slots, in order, then to the edges, then tells.
    fn perform(
        &mut self,
        now: MediaTime,
        session: SessionKey,
        changes: &[SlotChange],
        out: &mut impl Outside,
    ) {
        for change in changes {
            if let Some(key) = self.key_of(session, change.subscriber)
                && let Some(peer) = self.peer_mut(key)
            {
                peer.seat(change.slot, change.publisher);
            }
        }
        self.connect_edges(session);
        let mut changed: Vec<_> = changes.iter().map(|it| it.subscriber).collect();
        changed.sort();
        changed.dedup();
        for participant in changed {
            if let Some(key) = self.key_of(session, participant) {
                self.choose_layers(now, key, out);
            }
            let slots = self.sessions.get(&session).and_then(|it| it.router.slots(participant));
            if let Some(slots) = slots.copied() {
                out.event(session, MediaEvent::Slots { participant, slots });
            }
        }
    }

    /// Writes the router's table down where packets find it: with each publisher.
    fn connect_edges(&mut self, session: SessionKey) {
        let Some(known) = self.sessions.get(&session) else { return };
        for key in known.peers.values() {
            if let Some(peer) = self.peers.get_mut(key.index as usize).and_then(Option::as_mut) {
                peer.edges.clear();
                peer.screen_edges.clear();
            }
        }
        for (publisher, subscriber, slot) in known.router.edges() {
            let (from, to) = (known.peers.get(&publisher), known.peers.get(&subscriber));
            let (Some(from), Some(to)) = (from, to) else { continue };
            if let Some(peer) = self.peers.get_mut(from.index as usize).and_then(Option::as_mut) {
                peer.edges.push(Edge { to: to.index, seat: Seat::Slot(slot) });
            }
        }
        for subscriber in known.router.people() {
            let Some(to) = known.peers.get(&subscriber) else { continue };
            let shown = known.router.screen(subscriber);
            if let Some(peer) = self.peers.get_mut(to.index as usize).and_then(Option::as_mut) {
                peer.screen.slot.seat(shown);
            }
            let from = shown.and_then(|it| known.peers.get(&it));
            if let Some(from) = from
                && let Some(peer) = self.peers.get_mut(from.index as usize).and_then(Option::as_mut)
            {
                peer.screen_edges.push(Edge { to: to.index, seat: Seat::Screen });
            }
        }
    }

    /// Which layer of whom a subscriber gets from now on, and asks for the keyframes it takes.
    fn choose_layers(&mut self, now: MediaTime, key: PeerKey, out: &mut impl Outside) {
        let Some(peer) = self.peer(key) else { return };
        let Some(known) = self.sessions.get(&peer.session) else { return };
        let session = peer.session;
        let mut seated: Vec<_> = (0..SLOTS)
            .filter_map(|slot| Some((slot, peer.slots[slot].video.slot.publisher()?)))
            .collect();
        seated.sort_by_key(|it| std::cmp::Reverse(known.router.heard(it.1)));
        let choices: Vec<_> = seated
            .iter()
            .map(|(slot, publisher)| {
                let publisher = known.peers.get(publisher).and_then(|it| self.peer(*it));
                choice_of(now, peer.view.slots[*slot], publisher)
            })
            .collect();
        let screen = peer.screen.slot.publisher().and_then(|it| known.peers.get(&it));
        let screen = screen.and_then(|it| self.peer(*it)).map_or(0, |it| it.screen_rate(now));
        let Some(peer) = self.peer_mut(key) else { return };
        let budget = peer.line.budget(now, peer.sent_rate).saturating_sub(screen);
        let mut wanted = Vec::new();
        for ((slot, publisher), layer) in seated.iter().zip(layers::choose(budget, &choices)) {
            let slot = &mut peer.slots[*slot].video.slot;
            slot.want(layer);
            if let Some(layer) = slot.wants_keyframe() {
                wanted.push((*publisher, layer));
            }
        }
        wanted.retain(|_| peer.is_ready());
        for (publisher, layer) in wanted {
            if let Some(key) = self.key_of(session, publisher) {
                self.ask_keyframe(now, key, Line::Camera, layer, out);
            }
        }
    }

    fn drop_peer(&mut self, key: PeerKey, out: &mut impl Outside) {
        if self.peer(key).is_none() {
            return;
        }
        if let Some(peer) = self.peers.get_mut(key.index as usize).and_then(Option::take) {
            self.free.push(key.index);
            for way in &peer.ways {
                self.by_way.remove(way);
            }
            for (ufrag, _) in &peer.passwords {
                self.by_ufrag.remove(ufrag);
            }
            out.forget(key);
        }
    }

    fn key_of(&self, session: SessionKey, participant: ParticipantId) -> Option<PeerKey> {
        self.sessions.get(&session)?.peers.get(&participant).copied()
    }

    fn peer(&self, key: PeerKey) -> Option<&Peer> {
        self.peers.get(key.index as usize)?.as_ref().filter(|it| it.key == key)
    }

    fn peer_mut(&mut self, key: PeerKey) -> Option<&mut Peer> {
        self.peers.get_mut(key.index as usize)?.as_mut().filter(|it| it.key == key)
    }
}

fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
