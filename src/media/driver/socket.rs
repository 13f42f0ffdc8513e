//! One UDP port for everybody. The `webrtc` crate wants a socket per peer connection; each gets a
//! virtual one here, and datagrams find theirs by the ICE user name in STUN (RFC 8445) and then by
//! address. It answers nothing itself: what belongs to nobody is dropped, so that the port cannot be
//! used to amplify.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// The kernel's buffers, in bytes: a burst of a full room's video must not be lost.
const SOCKET_BUFFER_BYTES: usize = 8 << 20;

/// Datagrams waiting for one peer; about 0.3 s of video. Full: new ones are dropped.
const INBOX_DATAGRAMS_MAX: usize = 512;

/// Addresses one peer may be reached from at a time: each of its networks, and one to change to.
const ADDRESSES_PER_PEER_MAX: usize = 8;

/// Largest datagram we take, in bytes; WebRTC keeps below 1,500.
const DATAGRAM_BYTES_MAX: usize = 2_048;

/// The socket everybody shares.
#[derive(Debug)]
pub struct SharedSocket {
    io: tokio::net::UdpSocket,
    peers: RwLock<Peers>,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Peers {
    by_ufrag: HashMap<String, Arc<Inbox>>,
    by_address: HashMap<SocketAddr, Arc<Inbox>>,
}

#[derive(Debug)]
struct Inbox {
    ufrag: String,
    state: Mutex<InboxState>,
}

#[derive(Debug, Default)]
struct InboxState {
    datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    waker: Option<Waker>,
    addresses: VecDeque<SocketAddr>,
}

impl SharedSocket {
    /// Binds the port and begins to receive. Needs a tokio runtime.
    pub fn bind(address: SocketAddr) -> io::Result<Arc<Self>> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::DGRAM,
            None,
        )?;
        socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
        socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let shared = Arc::new(Self {
            io: tokio::net::UdpSocket::from_std(socket.into())?,
            peers: RwLock::default(),
            dropped: AtomicU64::new(0),
        });
        tokio::spawn(Arc::clone(&shared).receive());
        Ok(shared)
    }

    pub fn port(&self) -> io::Result<u16> {
        Ok(self.io.local_addr()?.port())
    }

    /// Datagrams that belonged to nobody or found a full inbox, since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Peer connections that have a virtual socket now.
    pub fn peers(&self) -> usize {
        self.peers.read().unwrap_or_else(|it| it.into_inner()).by_ufrag.len()
    }

    async fn receive(self: Arc<Self>) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            // An error here is another's ICMP message; the socket itself stays good.
            let Ok((length, from)) = self.io.recv_from(&mut buffer).await else { continue };
            let datagram = &buffer[..length];
            match self.owner_of(from, datagram) {
                Some(inbox) if inbox.push(from, datagram) => (),
                _ => _ = self.dropped.fetch_add(1, Ordering::Relaxed),
            }
        }
    }

    /// STUN always wins: an address may be used by another connection of the same browser later.
    fn owner_of(&self, from: SocketAddr, datagram: &[u8]) -> Option<Arc<Inbox>> {
        let peers = self.peers.read().unwrap_or_else(|it| it.into_inner());
        let known = peers.by_address.get(&from);
        let named = stun_ufrag(datagram).and_then(|ufrag| peers.by_ufrag.get(ufrag));
        match (known, named) {
            (Some(known), Some(named)) if Arc::ptr_eq(known, named) => Some(Arc::clone(known)),
            (_, Some(named)) => {
                let named = Arc::clone(named);
                drop(peers);
                self.learn(from, &named);
                Some(named)
            }
            (known, None) => known.cloned(),
        }
    }

    fn learn(&self, from: SocketAddr, inbox: &Arc<Inbox>) {
        let mut peers = self.peers.write().unwrap_or_else(|it| it.into_inner());
        let mut state = inbox.lock();
        state.addresses.push_back(from);
        if ADDRESSES_PER_PEER_MAX < state.addresses.len()
            && let Some(oldest) = state.addresses.pop_front()
        {
            peers.by_address.remove(&oldest);
        }
        peers.by_address.insert(from, Arc::clone(inbox));
    }

    fn forget(&self, inbox: &Arc<Inbox>) {
        let mut peers = self.peers.write().unwrap_or_else(|it| it.into_inner());
        peers.by_ufrag.remove(&inbox.ufrag);
        peers.by_address.retain(|_, it| !Arc::ptr_eq(it, inbox));
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, InboxState> {
        self.state.lock().unwrap_or_else(|it| it.into_inner())
    }

    /// `false`: full.
    fn push(&self, from: SocketAddr, datagram: &[u8]) -> bool {
        let mut state = self.lock();
        if INBOX_DATAGRAMS_MAX <= state.datagrams.len() {
            return false;
        }
        state.datagrams.push_back((from, datagram.to_vec()));
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }
}

/// The receiver's half of the USERNAME attribute of a STUN message (RFC 8489): whose it is. Any
/// bytes are allowed.
fn stun_ufrag(datagram: &[u8]) -> Option<&str> {
    const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: u16 = 0x0006;
    let (header, mut rest) = datagram.split_at_checked(20)?;
    if 3 < header[0] || header[4..8] != MAGIC {
        return None;
    }
    loop {
        let (attribute, after) = rest.split_at_checked(4)?;
        let kind = u16::from_be_bytes([attribute[0], attribute[1]]);
        let length = usize::from(u16::from_be_bytes([attribute[2], attribute[3]]));
        let value = after.get(..length)?;
        if kind == USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
}

/// The runtime a peer connection is built with: tokio, but with its socket on the shared port.
#[derive(Debug)]
pub struct SharedPortRuntime {
    shared: Arc<SharedSocket>,
    ufrag: String,
    inner: TokioRuntime,
}

impl SharedPortRuntime {
    /// `ufrag`: the ICE user name fragment of the peer connection, unguessable and its own.
    pub fn new(shared: Arc<SharedSocket>, ufrag: String) -> Self {
        Self { shared, ufrag, inner: TokioRuntime }
    }
}

/// One peer's view of the shared socket. Dropped: the peer is forgotten.
#[derive(Debug)]
struct VirtualSocket {
    shared: Arc<SharedSocket>,
    inbox: Arc<Inbox>,
    address: SocketAddr,
}

impl Drop for VirtualSocket {
    fn drop(&mut self) {
        self.shared.forget(&self.inbox);
    }
}

impl AsyncUdpSocket for VirtualSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    fn poll_send(&self, cx: &mut Context<'_>, out: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.shared.io.poll_send_to(cx, out.contents, out.destination)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.inbox.lock();
        let Some((from, datagram)) = state.datagrams.pop_front() else {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        drop(state);
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let length = datagram.len().min(buffer.len());
        buffer[..length].copy_from_slice(&datagram[..length]);
        *meta = RecvMeta::default();
        meta.addr = from;
        meta.len = length;
        meta.stride = length.max(1);
        Poll::Ready(Ok(1))
    }
}

impl Runtime for SharedPortRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }

    fn spawn_reactor(
        &self,
        index: usize,
        future: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Box<dyn JoinHandle> {
        self.inner.spawn_reactor(index, future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        // The crate binds a port of its own; only its address is used, as the candidate's base.
        let address = socket.local_addr()?;
        let inbox = Arc::new(Inbox { ufrag: self.ufrag.clone(), state: Mutex::default() });
        let mut peers = self.shared.peers.write().unwrap_or_else(|it| it.into_inner());
        peers.by_ufrag.insert(self.ufrag.clone(), Arc::clone(&inbox));
        drop(peers);
        Ok(Arc::new(VirtualSocket { shared: Arc::clone(&self.shared), inbox, address }))
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        address: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.inner.connect_tcp(address)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        self.inner.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.inner.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stun(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        message.resize(20, 0);
        for (kind, value) in attributes {
            message.extend(kind.to_be_bytes());
            message.extend((value.len() as u16).to_be_bytes());
            message.extend(*value);
            message.resize(message.len().next_multiple_of(4), 0);
        }
        message
    }

    #[test]
    fn the_user_name_tells_whose_it_is() {
        let message = stun(&[(0x8022, b"abc"), (0x0006, b"ours:theirs")]);
        assert_eq!(stun_ufrag(&message), Some("ours"));
        assert_eq!(stun_ufrag(&stun(&[])), None);
        assert_eq!(stun_ufrag(&message[..message.len() - 6]), None);
        assert_eq!(stun_ufrag(b"\x80 rtp packets are not stun messages"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(tail in prop::collection::vec(any::<u8>(), 0..64)) {
            stun_ufrag(&tail);
            stun_ufrag(&[stun(&[]), tail].concat());
        }
    }
}
