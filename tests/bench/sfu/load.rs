//! Drives all clients on one thread: sends what is due, takes what comes, and counts.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    os::fd::{AsRawFd, RawFd},
    time::{Duration, Instant},
};

use super::{
    client::{Arrival, Client, Noticed, VIDEO_PACKETS_PER_FRAME},
    net::Inbox,
};

/// As Opus has it.
pub const AUDIO_EVERY: Duration = Duration::from_millis(20);
const VIDEO_EVERY: Duration = Duration::from_micros(33_333);
const ASKED_EVERY: Duration = Duration::from_millis(1_500);
const REPORTED_EVERY: Duration = Duration::from_millis(1_000);
const FED_BACK_EVERY: Duration = Duration::from_millis(100);

/// Sockets asked at one look for what has come.
const READY_MAX: usize = 256;

/// What came of one measured stretch.
#[derive(Default)]
pub struct Counted {
    pub sent: u64,
    /// Deliveries of what must be delivered: video, and voices that their level says are ones.
    pub expected: u64,
    pub wanted: u64,
    /// Of everything, with what a server need not have forwarded.
    pub received: u64,
    pub skipped: u64,
    pub late: u64,
    pub broken: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Packets that were sent more than one period after their time: the generator itself is late.
    pub overdue: u64,
}

impl Counted {
    pub fn delivered(&self) -> f64 {
        self.wanted as f64 / self.expected.max(1) as f64
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Ask(usize),
    Report(usize),
    FeedBack(usize),
    Send(usize, usize),
}

pub struct Load {
    pub clients: Vec<Client>,
    room: usize,
    epoll: RawFd,
    due: BinaryHeap<Reverse<(Instant, Due)>>,
    inbox: Inbox,
    noticed: Noticed,
    overdue: u64,
    is_sending: bool,
    audio_every: Duration,
}

impl Load {
    /// `room`: people in each room, by which is known how many are to receive a packet.
    pub fn new(clients: Vec<Client>, room: usize, audio_every: Duration) -> Self {
        // SAFETY: no pointers.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        for (index, client) in clients.iter().enumerate() {
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: index as u64 };
            let socket = client.socket.as_raw_fd();
            // SAFETY: the pointer is to an event of ours.
            let added =
                unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, socket, &raw mut event) };
            assert_eq!(added, 0, "a socket is watched");
        }
        let (now, mut due) = (Instant::now(), BinaryHeap::new());
        for (index, client) in clients.iter().enumerate() {
            due.push(Reverse((now + spread(index, ASKED_EVERY), Due::Ask(index))));
            due.push(Reverse((now + spread(index, REPORTED_EVERY), Due::Report(index))));
            if client.wishes.transport.is_some() {
                due.push(Reverse((now + spread(index, FED_BACK_EVERY), Due::FeedBack(index))));
            }
            for (stream, it) in client.streams.iter().enumerate() {
                let every = if it.is_video { VIDEO_EVERY } else { audio_every };
                due.push(Reverse((now + spread(index, every), Due::Send(index, stream))));
            }
        }
        Self {
            clients,
            room,
            epoll,
            due,
            inbox: Inbox::default(),
            noticed: Noticed::default(),
            overdue: 0,
            is_sending: false,
            audio_every,
        }
    }

    /// Connects everybody. `false`: not all within the time.
    pub fn connect(&mut self, within: Duration) -> bool {
        let end = Instant::now() + within;
        while Instant::now() < end {
            for client in self.clients.iter_mut().filter(|it| !it.is_connected()) {
                client.ask();
                client.tick(Instant::now());
            }
            self.run(Duration::from_millis(100));
            if self.clients.iter().all(Client::is_connected) {
                return true;
            }
        }
        false
    }

    /// The clients, to be driven by another.
    pub fn release(mut self) -> Vec<Client> {
        std::mem::take(&mut self.clients)
    }

    /// Sends for a time, unmeasured.
    pub fn warm(&mut self, time: Duration) {
        self.is_sending = true;
        self.run(time);
        self.is_sending = false;
        self.run(Duration::from_millis(300));
    }

    /// As `measure`, and tells of every packet that came, in the order in which they came.
    pub fn trace(&mut self, time: Duration) -> (Counted, Vec<Arrival>) {
        self.noticed.trace = Some(Vec::new());
        let counted = self.measure(time);
        (counted, self.noticed.trace.take().unwrap_or_default())
    }

    /// Sends for a time, waits for what is still under way, and counts.
    pub fn measure(&mut self, time: Duration) -> Counted {
        let trace = self.noticed.trace.take();
        self.noticed = Noticed::default();
        self.noticed.trace = trace;
        self.overdue = 0;
        for client in &mut self.clients {
            client.streams.iter_mut().for_each(|it| it.sent = 0);
            for stream in &mut client.received {
                (stream.packets, stream.skipped, stream.late) = (0, 0, 0);
            }
        }
        self.is_sending = true;
        self.run(time);
        self.is_sending = false;
        self.run(Duration::from_millis(500));
        let mut counted = Counted { broken: self.noticed.broken, ..Default::default() };
        let streams = self.clients.iter().flat_map(|it| &it.streams);
        let wanted: BTreeSet<_> = streams.filter(|it| it.is_wanted).map(|it| it.ssrc).collect();
        for client in &self.clients {
            for stream in &client.streams {
                counted.sent += stream.sent;
                let others = self.room as u64 - 1;
                counted.expected += if stream.is_wanted { stream.sent * others } else { 0 };
            }
            for stream in &client.received {
                counted.received += stream.packets;
                counted.wanted += if wanted.contains(&stream.sender) { stream.packets } else { 0 };
                counted.skipped += stream.skipped;
                counted.late += stream.late;
            }
        }
        counted.overdue = self.overdue;
        self.noticed.delays_us.sort_unstable();
        let delays = &self.noticed.delays_us;
        let part = |it: f64| {
            let at = (delays.len() as f64 * it) as usize;
            delays.get(at).map_or(f64::NAN, |it| f64::from(*it) / 1_000.0)
        };
        (counted.p50_ms, counted.p99_ms) = (part(0.5), part(0.99));
        counted
    }

    fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        // SAFETY: events are plain numbers.
        let mut ready: [libc::epoll_event; READY_MAX] = unsafe { std::mem::zeroed() };
        loop {
            let mut now = Instant::now();
            if end <= now {
                return;
            }
            let mut next = end;
            // A few at a time: what comes in must not wait for a long row of what goes out.
            for _ in 0..64 {
                let Some(Reverse((at, what))) = self.due.peek().copied() else { break };
                if now < at {
                    next = next.min(at);
                    break;
                }
                self.due.pop();
                let again = self.perform(what, at, now);
                self.due.push(Reverse((again, what)));
                now = Instant::now();
                next = now;
            }
            let wait = next.saturating_duration_since(now);
            let wait = libc::timespec {
                tv_sec: wait.as_secs() as libc::time_t,
                tv_nsec: libc::c_long::from(wait.subsec_nanos()),
            };
            // SAFETY: the pointers are to values of ours; there is no signal mask.
            let count = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    self.epoll,
                    ready.as_mut_ptr(),
                    READY_MAX as libc::c_int,
                    &raw const wait,
                    std::ptr::null::<libc::sigset_t>(),
                    0_usize,
                )
            };
            for event in &ready[..usize::try_from(count).unwrap_or(0)] {
                let client = &mut self.clients[event.u64 as usize];
                let socket = client.socket.as_raw_fd();
                for index in 0..self.inbox.receive(socket, libc::MSG_DONTWAIT) {
                    let at_ns = self.inbox.at_ns(index);
                    client.receive(self.inbox.datagram(index), at_ns, &mut self.noticed);
                }
            }
        }
    }

    /// Does one thing; returns when it is due again.
    fn perform(&mut self, what: Due, at: Instant, now: Instant) -> Instant {
        let (index, every) = match what {
            Due::Ask(index) => {
                self.clients[index].ask();
                (index, ASKED_EVERY)
            }
            Due::Report(index) => {
                self.clients[index].report();
                (index, REPORTED_EVERY)
            }
            Due::FeedBack(index) => {
                self.clients[index].feed_back();
                (index, FED_BACK_EVERY)
            }
            Due::Send(index, stream) => {
                let is_video = self.clients[index].streams[stream].is_video;
                let every = if is_video { VIDEO_EVERY } else { self.audio_every };
                if self.is_sending {
                    self.overdue += u64::from(at + every < now);
                    for _ in 0..if is_video { VIDEO_PACKETS_PER_FRAME } else { 1 } {
                        self.clients[index].send(stream);
                    }
                }
                (index, every)
            }
        };
        // Behind by more than a few periods: those are left out, not sent in one heap.
        if at + every * 5 < now { now + spread(index, every) } else { at + every }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours.
        unsafe { libc::close(self.epoll) };
    }
}

/// Senders are spread over their period: all at once would measure the socket's buffer.
fn spread(index: usize, every: Duration) -> Duration {
    Duration::from_micros(index as u64 * 7_919 % every.as_micros() as u64)
}
