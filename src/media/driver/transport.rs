//! What all media of the process shares: its ports, its certificate, its forwarding cores. It knows
//! no sessions.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::{Arc, atomic::Ordering},
};

use crate::media::{
    driver::{
        batch,
        core::{self, Command, Core},
        handshake::{Handshakes, Identity, Report},
        tcp,
    },
    engine::{exchange::Here, sdp::Candidate},
};

/// The kernel's buffers, in bytes: a burst of a full room's video must not be lost.
const SOCKET_BUFFER_BYTES: usize = 8 << 20;

/// Where media is received and how browsers reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Address and UDP port of the first core; each further one has the next port.
    pub listen: SocketAddr,
    /// TCP port of the first core, for browsers whose network lets no UDP through.
    pub tcp: TcpPort,
    /// Addresses under which browsers reach those ports, best first; none: this machine's own. With a
    /// port: where another one is mapped to the first core's UDP port.
    pub addresses: Vec<PublicAddress>,
    /// Threads that forward, each with a port of its own. At least one.
    pub cores: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpPort {
    None,
    /// The one after the last UDP port; where it is taken, none.
    Next,
    At(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicAddress {
    pub ip: IpAddr,
    pub port: Option<u16>,
}

#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("cannot open UDP port {address}: {source}")]
    Udp { address: SocketAddr, source: io::Error },
    #[error("cannot open TCP port {address} for media: {source}")]
    Tcp { address: SocketAddr, source: io::Error },
    #[error("cannot make a DTLS certificate: {0}")]
    Certificate(String),
    #[error("cannot start a forwarding core: {0}")]
    Core(io::Error),
}

pub struct Transport {
    cores: Vec<Core>,
    candidates: Vec<SocketAddr>,
}

impl Transport {
    /// Binds the ports and begins to receive. Needs a tokio runtime.
    pub fn bind(ports: &Ports) -> Result<Arc<Self>, TransportError> {
        let identity = Identity::make().map_err(TransportError::Certificate)?;
        let prepared: Vec<_> = (0..ports.cores.max(1))
            .map(|_| core::prepare())
            .collect::<io::Result<_>>()
            .map_err(TransportError::Core)?;
        let cores: Vec<_> = prepared.iter().map(|it| it.core.clone()).collect();
        let reports = cores.iter().cloned().map(report).collect();
        let handshakes = Handshakes::start(&identity, reports).map_err(TransportError::Core)?;
        let mut all = Vec::new();
        for (number, prepared) in prepared.into_iter().enumerate() {
            let address = nth(ports.listen, number);
            let udp = |source| TransportError::Udp { address, source };
            let socket = bind_udp(address).map_err(udp)?;
            let port = socket.local_addr().map_err(udp)?.port();
            let tcp_port = bind_tcp(ports, number, port, &cores[number])?;
            let addresses = public(ports, number, port);
            let own = if number == 0 { &mut all } else { &mut Vec::new() };
            own.extend(addresses.iter().copied());
            let mut candidates: Vec<_> = addresses.iter().copied().map(Candidate::Udp).collect();
            candidates.extend(tcp_port.into_iter().flat_map(|port| {
                addresses.iter().map(move |it| Candidate::Tcp(SocketAddr::new(it.ip(), port)))
            }));
            let fingerprint = identity.fingerprint.clone();
            let here = Here { fingerprint, candidates, ntp: 0 };
            prepared
                .start(number, socket, here, handshakes.clone())
                .map_err(TransportError::Core)?;
        }
        Ok(Arc::new(Self { cores, candidates: all }))
    }

    /// Where browsers are told to send to, on the first core.
    pub fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    /// Peer connections that are not closed.
    pub fn peers(&self) -> usize {
        self.cores.iter().map(|it| it.peers.load(Ordering::Relaxed)).sum()
    }

    /// The core with the fewest peers: a session lives on one, so that no packet changes thread.
    pub(super) fn core(&self) -> &Core {
        let idle = |it: &&Core| it.peers.load(Ordering::Relaxed);
        self.cores.iter().min_by_key(idle).expect("at least one core")
    }
}

fn report(core: Core) -> Report {
    Arc::new(move |peer, progress| core.tell(Command::Handshake { peer, progress }))
}

/// The port of the n-th core; 0 stays 0, which is any free one.
fn nth(first: SocketAddr, number: usize) -> SocketAddr {
    let port = if first.port() == 0 { 0 } else { first.port().saturating_add(number as u16) };
    SocketAddr::new(first.ip(), port)
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    if address.ip().is_unspecified() {
        batch::tell_local(&socket, address.is_ipv6())?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn bind_tcp(
    ports: &Ports,
    number: usize,
    udp_port: u16,
    core: &Core,
) -> Result<Option<u16>, TransportError> {
    let port = match ports.tcp {
        TcpPort::None => return Ok(None),
        TcpPort::At(0) => 0,
        TcpPort::At(port) => port.saturating_add(number as u16),
        // A port drawn by the system for UDP has free neighbours as likely as not.
        TcpPort::Next if ports.listen.port() == 0 => 0,
        TcpPort::Next => udp_port.saturating_add(ports.cores.max(1) as u16),
    };
    let address = SocketAddr::new(ports.listen.ip(), port);
    let listener = listen_tcp(address);
    match listener {
        Ok((listener, port)) => {
            tokio::spawn(tcp::accept(listener, core.clone()));
            Ok(Some(port))
        }
        Err(error) if ports.tcp == TcpPort::Next => {
            tracing::warn!(%address, %error, "no media by TCP: the port is taken");
            Ok(None)
        }
        Err(source) => Err(TransportError::Tcp { address, source }),
    }
}

fn listen_tcp(address: SocketAddr) -> io::Result<(tokio::net::TcpListener, u16)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((tokio::net::TcpListener::from_std(listener)?, port))
}

fn public(ports: &Ports, number: usize, port: u16) -> Vec<SocketAddr> {
    if ports.addresses.is_empty() {
        let own = own_addresses(ports.listen.ip());
        return own.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    }
    let mapped = |it: &PublicAddress| match it.port {
        Some(mapped) => SocketAddr::new(it.ip, mapped.saturating_add(number as u16)),
        None => SocketAddr::new(it.ip, port),
    };
    ports.addresses.iter().map(mapped).collect()
}

/// The addresses other machines see, then the loopback, when we listen on all; else the one.
fn own_addresses(listen: IpAddr) -> Vec<IpAddr> {
    if !listen.is_unspecified() {
        return vec![listen];
    }
    // Connecting a UDP socket sends nothing; it only asks the routing table. TEST-NET-1 (RFC 5737)
    // and the documentation prefix (RFC 3849).
    let outward = |bind: IpAddr, to: &str| {
        let socket = UdpSocket::bind((bind, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let v4 = outward(Ipv4Addr::UNSPECIFIED.into(), "192.0.2.1");
    let v6 = outward(Ipv6Addr::UNSPECIFIED.into(), "2001:db8::1").filter(|_| listen.is_ipv6());
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let outward = [v4, v6].into_iter().flatten().filter(|it| !it.is_loopback());
    outward.chain([loopback]).collect()
}
