//! Many datagrams with one system call (recvmmsg, sendmmsg), and those of one size to one address as
//! one (UDP GSO): the kernel's work is most of what forwarding costs, and it is done per call. On
//! systems without these calls, one by one. It looks into no datagram.

use std::{collections::HashMap, io};

use crate::media::engine::exchange::Pair;

/// Received with one call at most.
pub const BATCH: usize = 64;

/// Largest datagram we take, in bytes; WebRTC keeps below 1,500.
pub const DATAGRAM_BYTES_MAX: usize = 2_048;

/// Sent with one call at most. More waits for the next call.
const RUNS_MAX: usize = 256;

/// Of one run: what the kernel takes (UDP_MAX_SEGMENTS), and what fits one datagram before it is cut.
const SEGMENTS_MAX: usize = 64;
const RUN_BYTES_MAX: usize = 60_000;

/// What is longer may not fit the network's frames, which the kernel refuses to cut into, in bytes.
const SEGMENT_BYTES_MAX: usize = 1_400;

/// Datagrams to one address, which all but the last have one length.
#[derive(Debug)]
struct Run {
    to: Pair,
    segment: usize,
    segments: usize,
    bytes: Vec<u8>,
}

impl Run {
    /// Whether a datagram of `length` more is still one run: none may be longer, none after a shorter.
    fn takes(&self, length: usize) -> bool {
        let is_open = self.bytes.len() == self.segment * self.segments;
        is_open
            && length <= self.segment
            && self.segment <= SEGMENT_BYTES_MAX
            && self.segments < SEGMENTS_MAX
            && self.bytes.len() + length <= RUN_BYTES_MAX
    }
}

/// What waits to be sent.
#[derive(Debug)]
pub struct Outbox {
    runs: Vec<Run>,
    /// Runs that can be used again; their memory stays.
    spare: Vec<Run>,
    /// The run of each address that may still be open.
    open: HashMap<Pair, usize>,
    /// Whether the kernel and the card take runs.
    cuts: bool,
    dropped: u64,
}

impl Default for Outbox {
    fn default() -> Self {
        let cuts = cfg!(target_os = "linux");
        Self { runs: Vec::new(), spare: Vec::new(), open: HashMap::new(), cuts, dropped: 0 }
    }
}

impl Outbox {
    /// One datagram of at most `bytes_max` bytes. `fill` writes it and says how long it is.
    pub fn put(
        &mut self,
        to: Pair,
        bytes_max: usize,
        fill: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) {
        let open = self.open.get(&to).copied().filter(|_| self.cuts);
        let index = open.filter(|it| self.runs[*it].takes(1)).unwrap_or_else(|| self.begin(to));
        let run = &mut self.runs[index];
        let start = run.bytes.len();
        run.bytes.resize(start + bytes_max, 0);
        let length = fill(&mut run.bytes[start..]).filter(|it| 0 < *it).unwrap_or(0);
        run.bytes.truncate(start + length);
        if length == 0 {
            if start == 0 {
                self.take_back(to);
            }
        } else if start == 0 {
            run.segment = length;
            run.segments = 1;
        } else if run.takes_at(start, length) {
            run.segments += 1;
        } else {
            let alone = run.bytes.split_off(start);
            let index = self.begin(to);
            let run = &mut self.runs[index];
            run.bytes.extend(alone);
            (run.segment, run.segments) = (length, 1);
        }
    }

    pub fn is_full(&self) -> bool {
        RUNS_MAX <= self.runs.len()
    }

    /// Datagrams the kernel did not take, since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn begin(&mut self, to: Pair) -> usize {
        let mut run = self.spare.pop().unwrap_or_else(|| Run {
            to,
            segment: 0,
            segments: 0,
            bytes: Vec::new(),
        });
        (run.to, run.segment, run.segments) = (to, 0, 0);
        run.bytes.clear();
        self.runs.push(run);
        self.open.insert(to, self.runs.len() - 1);
        self.runs.len() - 1
    }

    /// The run that was begun last came to nothing.
    fn take_back(&mut self, to: Pair) {
        self.open.remove(&to);
        self.spare.extend(self.runs.pop());
    }

    /// Sends all. What the kernel does not take is lost and counted, as on any network.
    pub fn flush(&mut self, socket: &mio::net::UdpSocket) {
        if self.runs.is_empty() {
            return;
        }
        let mut from = 0;
        while from < self.runs.len() {
            match send_some(socket, &self.runs[from..]) {
                Ok(sent) => from += sent.max(1),
                Err(error) => {
                    let run = &self.runs[from];
                    // A kernel or a card that cannot cut: from now on one by one.
                    self.cuts &= !is_no_cutter(&error);
                    if 1 < run.segments && is_refused(&error) {
                        for segment in run.bytes.chunks(run.segment) {
                            let (segments, bytes) = (1, segment.to_vec());
                            let alone = Run { to: run.to, segment: bytes.len(), segments, bytes };
                            self.dropped += u64::from(send_some(socket, &[alone]).is_err());
                        }
                    } else if error.kind() != io::ErrorKind::Interrupted {
                        self.dropped += run.segments as u64;
                    } else {
                        continue;
                    }
                    from += 1;
                }
            }
        }
        self.spare.append(&mut self.runs);
        self.open.clear();
    }
}

impl Run {
    fn takes_at(&self, start: usize, length: usize) -> bool {
        start == self.segment * self.segments && length <= self.segment
    }
}

#[cfg(target_os = "linux")]
pub use linux::{Inbox, tell_local};
#[cfg(target_os = "linux")]
use linux::{is_no_cutter, is_refused, send_some};
#[cfg(not(target_os = "linux"))]
pub use plain::{Inbox, tell_local};
#[cfg(not(target_os = "linux"))]
use plain::{is_no_cutter, is_refused, send_some};

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        io, mem,
        net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
        os::fd::AsRawFd,
        ptr,
    };

    use super::{BATCH, DATAGRAM_BYTES_MAX, Pair, RUNS_MAX, Run};

    const NAME_BYTES: u32 = size_of::<libc::sockaddr_in6>() as u32;

    /// Room for two control messages, aligned as the kernel wants it: one of our addresses, and the
    /// size of a segment.
    type Control = [u64; 8];

    /// Has the kernel say to which of our addresses each datagram was sent.
    pub fn tell_local(socket: &socket2::Socket, is_v6: bool) -> io::Result<()> {
        let on: libc::c_int = 1;
        let (level, option) = match is_v6 {
            true => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
            false => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        };
        // SAFETY: the option takes an int, and the descriptor is ours.
        let done = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                level,
                option,
                (&raw const on).cast(),
                size_of::<libc::c_int>() as u32,
            )
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Either family; the shorter lies within the longer.
    type Name = libc::sockaddr_in6;

    /// Room for a batch of received datagrams.
    pub struct Inbox {
        bytes: Vec<[u8; DATAGRAM_BYTES_MAX]>,
        names: Vec<Name>,
        lengths: [usize; BATCH],
        locals: [Option<IpAddr>; BATCH],
    }

    impl Default for Inbox {
        fn default() -> Self {
            Self {
                bytes: vec![[0; DATAGRAM_BYTES_MAX]; BATCH],
                // SAFETY: plain numbers, for which zero is a value.
                names: vec![unsafe { mem::zeroed() }; BATCH],
                lengths: [0; BATCH],
                locals: [None; BATCH],
            }
        }
    }

    impl Inbox {
        /// How many have come; 0: none.
        pub fn receive(&mut self, socket: &mio::net::UdpSocket) -> usize {
            // SAFETY: plain numbers and pointers, for which zero is a value.
            let mut messages: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
            // SAFETY: as above.
            let mut vectors: [libc::iovec; BATCH] = unsafe { mem::zeroed() };
            let mut controls: [Control; BATCH] = [[0; 8]; BATCH];
            for index in 0..BATCH {
                vectors[index].iov_base = self.bytes[index].as_mut_ptr().cast();
                vectors[index].iov_len = DATAGRAM_BYTES_MAX;
                let header = &mut messages[index].msg_hdr;
                header.msg_name = (&raw mut self.names[index]).cast();
                header.msg_namelen = NAME_BYTES;
                header.msg_iov = &raw mut vectors[index];
                header.msg_iovlen = 1;
                header.msg_control = controls[index].as_mut_ptr().cast();
                header.msg_controllen = size_of::<Control>();
            }
            // SAFETY: every pointer is into memory of ours that nobody else uses meanwhile, and each
            // length is that of what it points to.
            let count = unsafe {
                libc::recvmmsg(
                    socket.as_raw_fd(),
                    messages.as_mut_ptr(),
                    BATCH as u32,
                    libc::MSG_DONTWAIT,
                    ptr::null_mut(),
                )
            };
            // An error here is that nothing waits, or another's ICMP message.
            let count = usize::try_from(count).unwrap_or(0);
            for (index, message) in messages[..count].iter().enumerate() {
                self.lengths[index] = message.msg_len as usize;
                self.locals[index] = local(&message.msg_hdr);
            }
            count
        }

        /// One of the last batch, and whence it came. `None`: of an address family we do not speak.
        pub fn datagram(&mut self, index: usize) -> Option<(Pair, &mut [u8])> {
            let pair = Pair { remote: address(&self.names[index])?, local: self.locals[index] };
            Some((pair, &mut self.bytes[index][..self.lengths[index].min(DATAGRAM_BYTES_MAX)]))
        }
    }

    /// To which of our addresses a datagram was sent; `None`: the kernel was not asked.
    fn local(header: &libc::msghdr) -> Option<IpAddr> {
        if header.msg_controllen == 0 {
            return None;
        }
        // SAFETY: the kernel has filled the control buffer, which lives as long as the header, and
        // says in it how long each message is.
        unsafe {
            let control = libc::CMSG_FIRSTHDR(header);
            if control.is_null() {
                return None;
            }
            let data = libc::CMSG_DATA(control);
            match ((*control).cmsg_level, (*control).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into())
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into())
                }
                _ => None,
            }
        }
    }

    fn address(name: &Name) -> Option<SocketAddr> {
        match i32::from(name.sin6_family) {
            libc::AF_INET => {
                // SAFETY: the kernel says that it has written this family here; it is shorter.
                let name = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
                let ip = u32::from_be(name.sin_addr.s_addr).into();
                Some(SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(name.sin_port))))
            }
            libc::AF_INET6 => {
                let (ip, port) = (Ipv6Addr::from(name.sin6_addr.s6_addr), name.sin6_port);
                let (flow, scope) = (name.sin6_flowinfo, name.sin6_scope_id);
                Some(SocketAddr::V6(SocketAddrV6::new(ip, u16::from_be(port), flow, scope)))
            }
            _ => None,
        }
    }

    fn name(address: &SocketAddr) -> (Name, u32) {
        // SAFETY: plain numbers, for which zero is a value.
        let mut name: Name = unsafe { mem::zeroed() };
        match address {
            SocketAddr::V4(address) => {
                // SAFETY: the shorter family lies within the longer, which is ours.
                let short = unsafe { &mut *(&raw mut name).cast::<libc::sockaddr_in>() };
                short.sin_family = libc::AF_INET as u16;
                short.sin_port = address.port().to_be();
                short.sin_addr.s_addr = u32::from(*address.ip()).to_be();
                (name, size_of::<libc::sockaddr_in>() as u32)
            }
            SocketAddr::V6(address) => {
                name.sin6_family = libc::AF_INET6 as u16;
                name.sin6_port = address.port().to_be();
                name.sin6_addr.s6_addr = address.ip().octets();
                (name.sin6_flowinfo, name.sin6_scope_id) = (address.flowinfo(), address.scope_id());
                (name, NAME_BYTES)
            }
        }
    }

    /// Sends the first runs; how many the kernel took, or why it did not take the first.
    pub fn send_some(socket: &mio::net::UdpSocket, runs: &[Run]) -> io::Result<usize> {
        const AT_ONCE: usize = RUNS_MAX / 4;
        let runs = &runs[..runs.len().min(AT_ONCE)];
        // SAFETY: plain numbers and pointers, for which zero is a value.
        let mut messages: [libc::mmsghdr; AT_ONCE] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut vectors: [libc::iovec; AT_ONCE] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut names: [Name; AT_ONCE] = unsafe { mem::zeroed() };
        let mut controls: [Control; AT_ONCE] = [[0; 8]; AT_ONCE];
        for (index, run) in runs.iter().enumerate() {
            let length;
            (names[index], length) = name(&run.to.remote);
            vectors[index].iov_base = run.bytes.as_ptr().cast_mut().cast();
            vectors[index].iov_len = run.bytes.len();
            let header = &mut messages[index].msg_hdr;
            header.msg_name = (&raw mut names[index]).cast();
            header.msg_namelen = length;
            header.msg_iov = &raw mut vectors[index];
            header.msg_iovlen = 1;
            let segment = (1 < run.segments).then_some(run.segment as u16);
            if segment.is_some() || run.to.local.is_some() {
                header.msg_control = controls[index].as_mut_ptr().cast();
                header.msg_controllen = size_of::<Control>();
                // SAFETY: the control buffer is zeroed and has room for both messages.
                header.msg_controllen = unsafe { control(header, segment, run.to.local) };
            }
        }
        // SAFETY: every pointer is into memory that lives until the call returns; the kernel only
        // reads what is to be sent.
        let sent = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                messages.as_mut_ptr(),
                runs.len() as u32,
                libc::MSG_DONTWAIT,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    /// Writes the control messages of a run; how many bytes they are.
    ///
    /// # Safety
    /// The header's control buffer must be zeroed and have room for a size and an address.
    unsafe fn control(
        header: &mut libc::msghdr,
        segment: Option<u16>,
        local: Option<IpAddr>,
    ) -> usize {
        let mut used = 0;
        let mut put = |level, kind, bytes: &[u8]| {
            // SAFETY: as the caller has promised; each message is put behind the one before.
            unsafe {
                let at = header.msg_control.cast::<u8>().add(used).cast::<libc::cmsghdr>();
                (*at).cmsg_level = level;
                (*at).cmsg_type = kind;
                (*at).cmsg_len = libc::CMSG_LEN(bytes.len() as u32) as usize;
                ptr::copy_nonoverlapping(bytes.as_ptr(), libc::CMSG_DATA(at), bytes.len());
                used += libc::CMSG_SPACE(bytes.len() as u32) as usize;
            }
        };
        if let Some(segment) = segment {
            put(libc::SOL_UDP, libc::UDP_SEGMENT, &segment.to_ne_bytes());
        }
        match local {
            // An interface index of 0 leaves the choice of the road to the kernel.
            Some(IpAddr::V4(local)) => {
                let mut info = [0; size_of::<libc::in_pktinfo>()];
                info[4..8].copy_from_slice(&local.octets());
                put(libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
            }
            Some(IpAddr::V6(local)) => {
                let mut info = [0; size_of::<libc::in6_pktinfo>()];
                info[..16].copy_from_slice(&local.octets());
                put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
            }
            None => (),
        }
        used
    }

    /// What a kernel or a network card says that cannot cut runs.
    pub fn is_no_cutter(error: &io::Error) -> bool {
        matches!(error.raw_os_error(), Some(libc::EIO | libc::EOPNOTSUPP))
    }

    /// What a kernel says that cannot cut this one.
    pub fn is_refused(error: &io::Error) -> bool {
        is_no_cutter(error) || matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EMSGSIZE))
    }
}

#[cfg(not(target_os = "linux"))]
mod plain {
    use std::{io, net::SocketAddr};

    use super::{BATCH, DATAGRAM_BYTES_MAX, Pair, Run};

    pub fn tell_local(_: &socket2::Socket, _: bool) -> io::Result<()> {
        Ok(())
    }

    pub struct Inbox {
        datagrams: Vec<([u8; DATAGRAM_BYTES_MAX], usize, Option<SocketAddr>)>,
    }

    impl Default for Inbox {
        fn default() -> Self {
            Self { datagrams: vec![([0; DATAGRAM_BYTES_MAX], 0, None); BATCH] }
        }
    }

    impl Inbox {
        pub fn receive(&mut self, socket: &mio::net::UdpSocket) -> usize {
            for (index, (bytes, length, from)) in self.datagrams.iter_mut().enumerate() {
                match socket.recv_from(bytes) {
                    Ok((received, address)) => (*length, *from) = (received, Some(address)),
                    Err(_) => return index,
                }
            }
            BATCH
        }

        pub fn datagram(&mut self, index: usize) -> Option<(Pair, &mut [u8])> {
            let (bytes, length, from) = &mut self.datagrams[index];
            Some((Pair { remote: (*from)?, local: None }, &mut bytes[..*length]))
        }
    }

    pub fn send_some(socket: &mio::net::UdpSocket, runs: &[Run]) -> io::Result<usize> {
        socket.send_to(&runs[0].bytes, runs[0].to.remote).map(|_| 1)
    }

    pub fn is_no_cutter(_: &io::Error) -> bool {
        false
    }

    pub fn is_refused(_: &io::Error) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;

    fn socket() -> mio::net::UdpSocket {
        mio::net::UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap()
    }

    fn to(remote: SocketAddr) -> Pair {
        Pair { remote, local: None }
    }

    fn put(outbox: &mut Outbox, to: Pair, bytes: &[u8]) {
        outbox.put(to, bytes.len() + 7, |buffer| {
            buffer[..bytes.len()].copy_from_slice(bytes);
            Some(bytes.len())
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Whatever lengths go to whom, each gets what was sent to it, whole and in order, through
        /// the kernel.
        #[test]
        fn each_gets_its_own(sent in prop::collection::vec((0usize..3, prop_oneof![Just(100usize), 1usize..300]), 1..150)) {
            let (from, sockets) = (socket(), [socket(), socket(), socket()]);
            let addresses = sockets.each_ref().map(|it| to(it.local_addr().unwrap()));
            let mut outbox = Outbox::default();
            let mut expected = [vec![], vec![], vec![]];
            for (index, (who, length)) in sent.iter().enumerate() {
                let bytes = vec![index as u8; *length];
                put(&mut outbox, addresses[*who], &bytes);
                expected[*who].push(bytes);
                if outbox.is_full() || index % 50 == 49 {
                    outbox.flush(&from);
                }
            }
            outbox.flush(&from);
            prop_assert_eq!(outbox.dropped(), 0);
            let mut inbox = Inbox::default();
            for (socket, expected) in sockets.iter().zip(&expected) {
                let mut received = vec![];
                loop {
                    let count = inbox.receive(socket);
                    for index in 0..count {
                        let (pair, bytes) = inbox.datagram(index).unwrap();
                        prop_assert_eq!(pair, to(from.local_addr().unwrap()));
                        received.push(bytes.to_vec());
                    }
                    if count == 0 {
                        break;
                    }
                }
                prop_assert_eq!(&received, expected);
            }
        }
    }

    #[test]
    fn what_comes_to_nothing_is_not_sent() {
        let (from, far) = (socket(), socket());
        let address = to(far.local_addr().unwrap());
        let mut outbox = Outbox::default();
        outbox.put(address, 10, |_| None);
        put(&mut outbox, address, b"one");
        outbox.put(address, 10, |_| None);
        put(&mut outbox, address, b"two");
        assert_eq!(outbox.runs.len(), usize::from(outbox.cuts));
        outbox.flush(&from);
        let mut inbox = Inbox::default();
        assert_eq!(inbox.receive(&far), 2);
        assert_eq!(inbox.datagram(1).unwrap().1, b"two");
    }

    /// A machine with several addresses answers from the one that was asked.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_answer_comes_from_where_the_question_went() {
        for (any, ours, theirs) in [
            ("0.0.0.0:0", "127.0.0.3", "127.0.0.1:0"),
            ("[::]:0", "::ffff:127.0.0.3", "127.0.0.1:0"),
        ] {
            let any: SocketAddr = any.parse().unwrap();
            let domain = socket2::Domain::for_address(any);
            let server = socket2::Socket::new(domain, socket2::Type::DGRAM, None).unwrap();
            if any.is_ipv6() {
                server.set_only_v6(false).unwrap();
            }
            tell_local(&server, any.is_ipv6()).unwrap();
            server.bind(&any.into()).unwrap();
            server.set_nonblocking(true).unwrap();
            let server = mio::net::UdpSocket::from_std(server.into());
            let port = server.local_addr().unwrap().port();
            let client = std::net::UdpSocket::bind(theirs).unwrap();
            client.connect(("127.0.0.3", port)).unwrap(); // hears nobody else
            client.send(b"who").unwrap();
            let (mut inbox, mut outbox) = (Inbox::default(), Outbox::default());
            while inbox.receive(&server) == 0 {}
            let (pair, _) = inbox.datagram(0).unwrap();
            assert_eq!(pair.local, Some(ours.parse().unwrap()));
            for answer in [b"me!", b"too"] {
                put(&mut outbox, pair, answer);
            }
            outbox.flush(&server);
            let mut answer = [0; 9];
            for expected in [b"me!", b"too"] {
                let length = client.recv(&mut answer).unwrap();
                assert_eq!(&answer[..length], expected);
            }
        }
    }
}
