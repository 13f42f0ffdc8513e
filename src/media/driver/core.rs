//! One thread that forwards: it owns a UDP port and an exchange, and is all that a packet meets
//! between two network cards. Commands reach it by a queue and a wake-up; events leave it by calls
//! that do not wait. It decides nothing that the exchange could.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    domain::{
        ids::{ParticipantId, RoomId},
        view::View,
    },
    media::{
        driver::{
            batch::{BATCH, Inbox, Outbox},
            clock::{self, Clock},
            handshake::{Handshakes, Progress},
            tap::AudioTap,
        },
        engine::{
            exchange::{
                Counters, Exchange, ExchangeError, Gates, Here, MediaEvent, Outside, PeerKey,
                SessionKey, TappedPacket, Way,
            },
            sdp::{Offer, Secrets},
            time::MediaTime,
        },
    },
};

/// How often what is due is looked for, while anybody is there.
const TICK_MS: u64 = 20;

/// From so many datagrams in a tick on they are let gather for a moment: the kernel is then asked once
/// for many. It delays a packet by a tenth of what a sound card does.
const BUSY_DATAGRAMS: u32 = 40;
const GATHER: Duration = Duration::from_micros(2_000);

/// How often losses are written to the log, in ms, and from how many strays on.
const TELL_LOST_MS: u64 = 60_000;
const STRAYS_TOLD: u64 = 1_000;

/// A connection by TCP that belongs to nobody after so long is a stranger's, in ms: a browser proves
/// whose it is with its first words.
const STRANGER_MS: u64 = 10_000;

/// Connections of one address that belong to nobody yet: a whole town hall may come from one, but not
/// in one round trip.
const STRANGERS_MAX: usize = 64;

/// Commands done before packets are looked at again.
const COMMANDS_AT_ONCE: usize = 256;

const SOCKET: mio::Token = mio::Token(0);
const WAKE: mio::Token = mio::Token(1);

/// Where events of a session go. Must not wait.
pub type MediaEvents = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// What a session is called with, on the thread of its core.
pub struct Hooks {
    pub tap: Arc<dyn AudioTap>,
    pub events: MediaEvents,
}

pub enum Command {
    Open {
        session: SessionKey,
        hooks: Hooks,
        counters: Arc<Counters>,
    },
    Close {
        session: SessionKey,
    },
    Connect {
        session: SessionKey,
        participant: ParticipantId,
        gates: Arc<Gates>,
        secrets: Box<Secrets>,
        reply: oneshot::Sender<Result<Offer, ExchangeError>>,
    },
    Restart {
        session: SessionKey,
        participant: ParticipantId,
        ufrag: String,
        password: String,
        reply: oneshot::Sender<Result<Offer, ExchangeError>>,
    },
    Answer {
        session: SessionKey,
        participant: ParticipantId,
        number: u32,
        sdp: String,
        reply: oneshot::Sender<Result<(), ExchangeError>>,
    },
    Place {
        session: SessionKey,
        moves: Vec<(ParticipantId, Option<RoomId>)>,
    },
    Show {
        session: SessionKey,
        participant: ParticipantId,
        on: bool,
    },
    View {
        session: SessionKey,
        participant: ParticipantId,
        view: View,
    },
    Handshake {
        peer: PeerKey,
        progress: Progress,
    },
    /// A connection by TCP, and where what goes to it is put.
    Accepted {
        way: u64,
        address: SocketAddr,
        outgoing: tokio::sync::mpsc::Sender<Bytes>,
    },
    Arrived {
        way: u64,
        bytes: Vec<u8>,
        /// Given back when it is done: so a connection cannot run ahead of us.
        _credit: tokio::sync::OwnedSemaphorePermit,
    },
    Closed {
        way: u64,
    },
}

/// A handle. Dropped with its last clone, the thread ends.
#[derive(Clone)]
pub struct Core {
    commands: Sender<Command>,
    waker: Arc<mio::Waker>,
    /// Peer connections that are not closed.
    pub peers: Arc<AtomicUsize>,
}

impl Core {
    /// Never waits. A core that has ended takes nothing more.
    pub fn tell(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            let _ = self.waker.wake();
        }
    }
}

/// A core that does not run yet: its handle is needed to start the handshakes it needs.
pub struct Prepared {
    pub core: Core,
    poll: mio::Poll,
    inbox: Receiver<Command>,
}

pub fn prepare() -> io::Result<Prepared> {
    let poll = mio::Poll::new()?;
    let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
    let (commands, inbox) = mpsc::channel();
    let core = Core { commands, waker, peers: Arc::default() };
    Ok(Prepared { core, poll, inbox })
}

impl Prepared {
    /// `number`: which of the process's cores it is. `here`: its `ntp` is set now.
    pub fn start(
        self,
        number: usize,
        socket: std::net::UdpSocket,
        mut here: Here,
        handshakes: Handshakes,
    ) -> io::Result<()> {
        let mut socket = mio::net::UdpSocket::from_std(socket);
        self.poll.registry().register(&mut socket, SOCKET, mio::Interest::READABLE)?;
        let clock = Clock::begin();
        here.ntp = clock.ntp_at_zero();
        let peers = Arc::clone(&self.core.peers);
        let thread = Thread {
            clock,
            exchange: Exchange::new(here),
            world: World {
                number,
                outbox: Outbox::default(),
                socket,
                handshakes,
                sessions: BTreeMap::new(),
                streams: BTreeMap::new(),
            },
            peers,
            lost: Lost::default(),
            inbox: self.inbox,
        };
        let poll = self.poll;
        std::thread::Builder::new()
            .name(format!("forward-{number}"))
            .spawn(move || thread.run(poll))?;
        Ok(())
    }
}

struct Thread {
    clock: Clock,
    exchange: Exchange,
    world: World,
    peers: Arc<AtomicUsize>,
    lost: Lost,
    inbox: Receiver<Command>,
}

/// What the log has been told of datagrams that came to nothing, and when.
#[derive(Default)]
struct Lost {
    at: MediaTime,
    strays: u64,
    dropped: u64,
}

/// What the exchange acts upon.
struct World {
    number: usize,
    outbox: Outbox,
    socket: mio::net::UdpSocket,
    handshakes: Handshakes,
    sessions: BTreeMap<SessionKey, Hooks>,
    streams: BTreeMap<u64, Stream>,
}

/// A connection by TCP. Where its `outgoing` is dropped, it closes.
struct Stream {
    address: SocketAddr,
    since: MediaTime,
    outgoing: tokio::sync::mpsc::Sender<Bytes>,
}

impl Outside for World {
    fn send(&mut self, to: Way, bytes_max: usize, fill: impl FnOnce(&mut [u8]) -> Option<usize>) {
        match to {
            Way::Udp(to) => {
                self.outbox.put(to, bytes_max, fill);
                if self.outbox.is_full() {
                    self.outbox.flush(&self.socket);
                }
            }
            Way::Tcp(way) => {
                let mut bytes = vec![0; bytes_max];
                let Some(length) = fill(&mut bytes) else { return };
                bytes.truncate(length);
                if let Some(stream) = self.streams.get(&way) {
                    // Full: the line is slower than what is said; what is late is of no use.
                    let _ = stream.outgoing.try_send(bytes.into());
                }
            }
        }
    }

    fn event(&mut self, session: SessionKey, event: MediaEvent) {
        if let Some(hooks) = self.sessions.get(&session) {
            (hooks.events)(event);
        }
    }

    fn heard(&mut self, session: SessionKey, from: ParticipantId, packet: TappedPacket) {
        if let Some(hooks) = self.sessions.get(&session) {
            hooks.tap.packet(from, packet);
        }
    }

    fn handshake(&mut self, peer: PeerKey, datagram: &[u8]) {
        self.handshakes.datagram(self.number, peer, datagram);
    }

    fn forget(&mut self, peer: PeerKey) {
        self.handshakes.forget(self.number, peer);
    }
}

impl Thread {
    fn run(mut self, mut poll: mio::Poll) {
        let mut events = mio::Events::with_capacity(4);
        let mut inbox = Inbox::default();
        let mut ticked = self.clock.now();
        let (mut datagrams, mut is_busy, mut is_drained) = (0, false, true);
        loop {
            let left_ms = TICK_MS.saturating_sub(self.clock.now().since_ms(ticked));
            let wait = match self.exchange.peers() {
                _ if !is_drained => Some(Duration::ZERO),
                0 => None,
                _ => Some(Duration::from_millis(left_ms)),
            };
            if let Err(error) = poll.poll(&mut events, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "a forwarding core cannot wait for packets and ends");
                return;
            }
            if is_busy && is_drained {
                clock::pause(GATHER);
            }
            let Some(is_told_all) = self.commands() else { return };
            loop {
                let count = inbox.receive(&self.world.socket);
                datagrams += count as u32;
                let now = self.clock.now();
                for index in 0..count {
                    if let Some((pair, bytes)) = inbox.datagram(index) {
                        self.datagram(now, Way::Udp(pair), pair.remote, bytes);
                    }
                }
                self.world.outbox.flush(&self.world.socket);
                // While more waits the poll would not tell of it again; what is due is not put off.
                is_drained = count < BATCH && is_told_all;
                if count < BATCH || TICK_MS <= now.since_ms(ticked) {
                    break;
                }
            }
            let now = self.clock.now();
            if TICK_MS <= now.since_ms(ticked) {
                ticked = now;
                is_busy = BUSY_DATAGRAMS < std::mem::take(&mut datagrams);
                self.exchange.tick(now, &mut self.world);
                self.world.outbox.flush(&self.world.socket);
                self.tell_peers();
                self.send_strangers_away(now);
                self.tell_lost(now);
            }
        }
    }

    fn tell_peers(&self) {
        self.peers.store(self.exchange.peers(), Ordering::Relaxed);
    }

    fn send_strangers_away(&mut self, now: MediaTime) {
        let exchange = &self.exchange;
        self.world.streams.retain(|way, it| {
            now.since_ms(it.since) < STRANGER_MS || exchange.peer_at(Way::Tcp(*way)).is_some()
        });
    }

    /// That packets are lost here is for the log, but not for each of them.
    fn tell_lost(&mut self, now: MediaTime) {
        let (strays, dropped) = (self.exchange.strays(), self.world.outbox.dropped());
        if now.since_ms(self.lost.at) < TELL_LOST_MS {
            return;
        }
        if self.lost.dropped < dropped {
            let more = dropped - self.lost.dropped;
            tracing::warn!(datagrams = more, "the network does not take what is sent to it");
        }
        if self.lost.strays + STRAYS_TOLD <= strays {
            let more = strays - self.lost.strays;
            tracing::info!(
                datagrams = more,
                "strangers send to the media port, or damaged packets"
            );
        }
        self.lost = Lost { at: now, strays, dropped };
    }

    /// A mistake of ours over one peer's bytes ends that peer and nobody else.
    fn datagram(&mut self, now: MediaTime, way: Way, from: SocketAddr, bytes: &mut [u8]) {
        let (exchange, world) = (&mut self.exchange, &mut self.world);
        let done =
            catch_unwind(AssertUnwindSafe(|| exchange.datagram(now, way, from, bytes, world)));
        if done.is_err() {
            tracing::error!("a datagram made us stumble; its peer is let go");
            if let Some(peer) = self.exchange.peer_at(way) {
                self.exchange.fail(peer, &mut self.world);
            }
        }
    }

    /// Whether that was all of them; `None`: nobody can send commands any more. Not more than so many
    /// at a time: packets come first.
    fn commands(&mut self) -> Option<bool> {
        for _ in 0..COMMANDS_AT_ONCE {
            match self.inbox.try_recv() {
                Ok(command) => self.command(command),
                Err(mpsc::TryRecvError::Empty) => {
                    self.world.outbox.flush(&self.world.socket);
                    self.tell_peers();
                    return Some(true);
                }
                Err(mpsc::TryRecvError::Disconnected) => return None,
            }
        }
        self.world.outbox.flush(&self.world.socket);
        Some(false)
    }

    fn command(&mut self, command: Command) {
        let now = self.clock.now();
        let (exchange, world) = (&mut self.exchange, &mut self.world);
        match command {
            Command::Open { session, hooks, counters } => {
                world.sessions.insert(session, hooks);
                exchange.open(session, counters);
            }
            Command::Close { session } => {
                exchange.close(session, world);
                world.sessions.remove(&session);
            }
            Command::Connect { session, participant, gates, secrets, reply } => {
                let offer = exchange.connect(now, session, participant, gates, *secrets, world);
                let _ = reply.send(offer); // who asked may have gone
            }
            Command::Restart { session, participant, ufrag, password, reply } => {
                let _ = reply.send(exchange.restart(session, participant, ufrag, password));
            }
            Command::Answer { session, participant, number, sdp, reply } => {
                let _ = reply.send(exchange.answer(now, session, participant, number, &sdp, world));
            }
            Command::Place { session, moves } => {
                exchange.place_all(now, session, &moves, world);
                if 1 < moves.len() {
                    let placed_us = self.clock.now().since_us(now);
                    tracing::info!(people = moves.len(), placed_us, "placed");
                }
            }
            Command::Show { session, participant, on } => {
                exchange.show(now, session, participant, on, world);
            }
            Command::View { session, participant, view } => {
                exchange.view(now, session, participant, view, world);
            }
            Command::Handshake { peer, progress } => match progress {
                Progress::Send(bytes) => exchange.send_handshake(peer, &bytes, world),
                Progress::Done(done) => exchange.handshaken(now, peer, done, world),
                Progress::Closed => exchange.fail(peer, world),
            },
            Command::Accepted { way, address, outgoing } => {
                let of_nobody = |(way, it): (&u64, &Stream)| {
                    it.address.ip() == address.ip() && exchange.peer_at(Way::Tcp(*way)).is_none()
                };
                let strangers = world.streams.iter().filter(|it| of_nobody(*it)).count();
                if strangers < STRANGERS_MAX {
                    world.streams.insert(way, Stream { address, since: now, outgoing });
                }
            }
            Command::Arrived { way, mut bytes, .. } => {
                if let Some(from) = world.streams.get(&way).map(|it| it.address) {
                    self.datagram(now, Way::Tcp(way), from, &mut bytes);
                }
            }
            Command::Closed { way } => {
                world.streams.remove(&way);
                exchange.way_closed(Way::Tcp(way));
            }
        }
    }
}
