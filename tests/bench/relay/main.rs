//! A network as bad as wanted, between browsers and a server: every datagram goes through a `Road` in
//! each direction. Each browser connection has an upstream port of its own, so that to the server they
//! are as many as they are. Told what to do by one JSON object a line; it understands nothing of what
//! it carries, and carries UDP only.
//!
//!     relay --upstream IP:PORT [--seed N]
//!     {"up": {"loss": 0.1}, "down": {"delay_ms": 50}}   the directions, seen from the browser
//!     {"blackout_ms": 10000}                            nothing gets through for so long
//!     {"readdress": true}                               everybody comes from another address
//!     {"counts": true}                                  is answered by one line of JSON
#![expect(clippy::disallowed_methods, reason = "a network has a clock")]

mod road;

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, BufRead},
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    os::fd::{AsRawFd, RawFd},
    sync::mpsc,
    time::Instant,
};

use serde_json::{Value, json};

use road::{Counts, Profile, Road};

const DATAGRAM_BYTES: usize = 2_048;
/// More connections than any bench makes through one relay.
const CONNECTIONS_MAX: usize = 1_024;
const BUFFER_BYTES: usize = 4 << 20;
/// How soon a command is seen.
const LOOK_EVERY_MS: u64 = 5;

/// One browser connection.
struct Connection {
    browser: SocketAddr,
    upstream: UdpSocket,
    up: Road,
    down: Road,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    at: u64,
    /// Ties are sent in the order in which they were taken.
    order: u64,
    connection: usize,
    is_up: bool,
    datagram: Vec<u8>,
}

struct Relay {
    near: UdpSocket,
    server: SocketAddr,
    connections: Vec<Connection>,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    begun: Instant,
    seed: u64,
    order: u64,
    up: Profile,
    down: Profile,
    /// How often everybody has been given another address.
    moves: u8,
}

impl Relay {
    fn new(server: SocketAddr, seed: u64) -> io::Result<Self> {
        Ok(Self {
            // Not on all addresses: a browser takes no answer from another than it has asked.
            near: open(Ipv4Addr::LOCALHOST.into())?,
            server,
            connections: Vec::new(),
            under_way: BinaryHeap::new(),
            begun: Instant::now(),
            seed,
            order: 0,
            up: Profile::default(),
            down: Profile::default(),
            moves: 0,
        })
    }

    fn now(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }

    /// On a loopback the other address is another IP too, as when a phone leaves a wireless network.
    fn upstream(&self) -> io::Result<UdpSocket> {
        let from = match self.server.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => Ipv4Addr::new(127, 0, 0, 1 + self.moves % 200),
            _ => Ipv4Addr::UNSPECIFIED,
        };
        let socket = open(from.into())?;
        socket.connect(self.server)?;
        Ok(socket)
    }

    fn connection(&mut self, browser: SocketAddr) -> io::Result<Option<usize>> {
        let known = self.connections.iter().position(|it| it.browser == browser);
        if known.is_some() || self.connections.len() == CONNECTIONS_MAX {
            return Ok(known);
        }
        let seed = self.seed.wrapping_add(self.connections.len() as u64 * 2);
        self.connections.push(Connection {
            browser,
            upstream: self.upstream()?,
            up: Road::new(self.up.clone(), seed),
            down: Road::new(self.down.clone(), seed.wrapping_add(1)),
        });
        Ok(Some(self.connections.len() - 1))
    }

    fn take(&mut self, connection: usize, is_up: bool, datagram: &[u8]) {
        let now = self.now();
        let it = &mut self.connections[connection];
        let road = if is_up { &mut it.up } else { &mut it.down };
        let arrivals = road.take(now, datagram.len());
        for at in [arrivals.first, arrivals.copy].into_iter().flatten() {
            self.order += 1;
            let (order, datagram) = (self.order, datagram.to_vec());
            self.under_way.push(Reverse(UnderWay { at, order, connection, is_up, datagram }));
        }
    }

    /// Sends what has arrived by now; what a socket does not take is lost, as on any network.
    fn deliver(&mut self) {
        while let Some(Reverse(first)) = self.under_way.peek() {
            if self.now() < first.at {
                return;
            }
            let Some(Reverse(it)) = self.under_way.pop() else { return };
            let connection = &self.connections[it.connection];
            let _ = if it.is_up {
                connection.upstream.send(&it.datagram)
            } else {
                self.near.send_to(&it.datagram, connection.browser)
            };
        }
    }

    /// Takes what lies at the sockets, and waits for it until something is due.
    fn look(&mut self) {
        let next = self.under_way.peek().map_or(u64::MAX, |it| it.0.at);
        let wait_us = next.saturating_sub(self.now()).min(LOOK_EVERY_MS * 1_000);
        let mut polled = vec![readable(self.near.as_raw_fd())];
        polled.extend(self.connections.iter().map(|it| readable(it.upstream.as_raw_fd())));
        let wait = libc::timespec { tv_sec: 0, tv_nsec: wait_us as libc::c_long * 1_000 };
        // SAFETY: the pointers are to values of ours; there is no signal mask.
        unsafe {
            libc::ppoll(
                polled.as_mut_ptr(),
                polled.len() as libc::nfds_t,
                &raw const wait,
                std::ptr::null(),
            );
        }
        let mut bytes = [0; DATAGRAM_BYTES];
        for (index, _) in polled.iter().enumerate().filter(|(_, it)| it.revents != 0) {
            // A few at a time, so that nothing that is due waits for long.
            for _ in 0..64 {
                if index == 0 {
                    let Ok((length, from)) = self.near.recv_from(&mut bytes) else { break };
                    if let Ok(Some(connection)) = self.connection(from) {
                        self.take(connection, true, &bytes[..length]);
                    }
                } else {
                    let Ok(length) = self.connections[index - 1].upstream.recv(&mut bytes) else {
                        break;
                    };
                    self.take(index - 1, false, &bytes[..length]);
                }
            }
        }
    }

    fn obey(&mut self, command: &Value) -> io::Result<()> {
        for (is_up, name) in [(true, "up"), (false, "down")] {
            let Some(wanted) = command.get(name) else { continue };
            let profile = profile(wanted);
            for it in &mut self.connections {
                (if is_up { &mut it.up } else { &mut it.down }).change(profile.clone());
            }
            *(if is_up { &mut self.up } else { &mut self.down }) = profile;
        }
        if let Some(ms) = command.get("blackout_ms").and_then(Value::as_u64) {
            let until = self.now() + ms * 1_000;
            for it in &mut self.connections {
                it.up.darken(until);
                it.down.darken(until);
            }
        }
        if command.get("readdress").is_some() {
            self.moves = self.moves.wrapping_add(1);
            for index in 0..self.connections.len() {
                self.connections[index].upstream = self.upstream()?;
            }
        }
        if command.get("counts").is_some() {
            println!("{}", self.counts());
        }
        Ok(())
    }

    fn counts(&self) -> Value {
        let sum = |road: fn(&Connection) -> Counts| {
            let all = self.connections.iter().map(road);
            let sum = all.fold(Counts::default(), |a, b| Counts {
                taken: a.taken + b.taken,
                lost: a.lost + b.lost,
                late: a.late + b.late,
                doubled: a.doubled + b.doubled,
            });
            json!({
                "taken": sum.taken, "lost": sum.lost, "late": sum.late, "doubled": sum.doubled,
            })
        };
        json!({
            "connections": self.connections.len(),
            "up": sum(|it| it.up.counts()), "down": sum(|it| it.down.counts()),
        })
    }
}

fn open(ip: IpAddr) -> io::Result<UdpSocket> {
    let domain = socket2::Domain::for_address(SocketAddr::new(ip, 0));
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.set_send_buffer_size(BUFFER_BYTES)?;
    socket.bind(&SocketAddr::new(ip, 0).into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn readable(fd: RawFd) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

/// A field that is missing is as in a perfect network; one that is not known is a mistake.
fn profile(wanted: &Value) -> Profile {
    let mut profile = Profile::default();
    for (name, value) in wanted.as_object().expect("a profile is an object") {
        let value = value.as_f64().expect("a number");
        *match name.as_str() {
            "loss" => &mut profile.loss,
            "burst" => &mut profile.burst,
            "delay_ms" => &mut profile.delay_ms,
            "jitter_ms" => &mut profile.jitter_ms,
            "reorder" => &mut profile.reorder,
            "reorder_ms" => &mut profile.reorder_ms,
            "duplicate" => &mut profile.duplicate,
            "rate_kbps" => &mut profile.rate_kbps,
            "queue_ms" => &mut profile.queue_ms,
            _ => panic!("no network has {name}"),
        } = value;
    }
    profile
}

/// Commands as they come; the channel closes with the input.
fn commands() -> mpsc::Receiver<Value> {
    let (told, commands) = mpsc::channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let command = serde_json::from_str(&line).expect("a command is JSON");
            if told.send(command).is_err() {
                return;
            }
        }
    });
    commands
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let text = |name: &str| {
        let at = arguments.iter().position(|it| it == name);
        at.and_then(|it| arguments.get(it + 1))
    };
    let server = text("--upstream").expect("--upstream IP:PORT").parse().expect("an address");
    let seed = text("--seed").map_or(1, |it| it.parse().expect("a number"));
    let mut relay = Relay::new(server, seed).expect("a port");
    println!("{}", json!({"port": relay.near.local_addr().expect("an address").port()}));
    let commands = commands();
    loop {
        match commands.try_recv() {
            Ok(command) => relay.obey(&command).expect("a command done"),
            Err(mpsc::TryRecvError::Empty) => (),
            Err(mpsc::TryRecvError::Disconnected) => return,
        }
        relay.look();
        relay.deliver();
    }
}
