//! System calls that take many datagrams at once, and the kernel's time of each.

use std::{mem, net::SocketAddrV4, os::fd::RawFd};

pub const BATCH: usize = 64;
pub const DATAGRAM_BYTES: usize = 1_600;

const CONTROL_BYTES: usize = 64;

/// Room for a batch of received datagrams.
pub struct Inbox {
    bytes: Vec<[u8; DATAGRAM_BYTES]>,
    names: Vec<libc::sockaddr_in>,
    controls: Vec<[u64; CONTROL_BYTES / 8]>,
    vectors: Vec<libc::iovec>,
    messages: Vec<libc::mmsghdr>,
}

impl Default for Inbox {
    fn default() -> Self {
        // SAFETY: all three are plain numbers and pointers, for which zero is a value.
        let (name, vector, message) = unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        Self {
            bytes: vec![[0; DATAGRAM_BYTES]; BATCH],
            names: vec![name; BATCH],
            controls: vec![[0; CONTROL_BYTES / 8]; BATCH],
            vectors: vec![vector; BATCH],
            messages: vec![message; BATCH],
        }
    }
}

impl Inbox {
    /// How many have come; 0: none, or an error that another's ICMP message made.
    pub fn receive(&mut self, socket: RawFd, flags: libc::c_int) -> usize {
        for index in 0..BATCH {
            self.vectors[index] = libc::iovec {
                iov_base: self.bytes[index].as_mut_ptr().cast(),
                iov_len: DATAGRAM_BYTES,
            };
            let header = &mut self.messages[index].msg_hdr;
            header.msg_name = (&raw mut self.names[index]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
            header.msg_iov = &raw mut self.vectors[index];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[index].as_mut_ptr().cast();
            header.msg_controllen = CONTROL_BYTES;
        }
        // SAFETY: every pointer is into a vector of ours that nobody else uses meanwhile.
        let count = unsafe {
            libc::recvmmsg(
                socket,
                self.messages.as_mut_ptr(),
                BATCH as u32,
                flags,
                std::ptr::null_mut(),
            )
        };
        usize::try_from(count).unwrap_or(0)
    }

    pub fn datagram(&mut self, index: usize) -> &mut [u8] {
        let length = self.messages[index].msg_len as usize;
        &mut self.bytes[index][..length]
    }

    pub fn from(&self, index: usize) -> SocketAddrV4 {
        let name = &self.names[index];
        SocketAddrV4::new(u32::from_be(name.sin_addr.s_addr).into(), u16::from_be(name.sin_port))
    }

    /// When the kernel had it (SO_TIMESTAMPNS), in ns since 1970; 0 when it does not say.
    pub fn at_ns(&self, index: usize) -> u64 {
        let header = &raw const self.messages[index].msg_hdr;
        // SAFETY: the kernel has filled the control buffer, and says in it how long each part is.
        unsafe {
            let control = libc::CMSG_FIRSTHDR(header);
            if control.is_null() || (*control).cmsg_type != libc::SCM_TIMESTAMPNS {
                return 0;
            }
            let time = libc::CMSG_DATA(control).cast::<libc::timespec>().read_unaligned();
            time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
        }
    }
}

/// Datagrams to be sent by one call.
pub struct Outbox {
    bytes: Vec<[u8; DATAGRAM_BYTES]>,
    names: Vec<libc::sockaddr_in>,
    vectors: Vec<libc::iovec>,
    messages: Vec<libc::mmsghdr>,
    count: usize,
}

impl Outbox {
    pub fn new(capacity: usize) -> Self {
        // SAFETY: all three are plain numbers and pointers, for which zero is a value.
        let (name, vector, message) = unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        Self {
            bytes: vec![[0; DATAGRAM_BYTES]; capacity],
            names: vec![name; capacity],
            vectors: vec![vector; capacity],
            messages: vec![message; capacity],
            count: 0,
        }
    }

    pub fn is_full(&self) -> bool {
        self.count == self.bytes.len()
    }

    /// Room for one datagram of `length` bytes.
    pub fn push(&mut self, to: SocketAddrV4, length: usize) -> &mut [u8] {
        let index = self.count;
        self.count += 1;
        let name = &mut self.names[index];
        name.sin_family = libc::AF_INET as u16;
        name.sin_port = to.port().to_be();
        name.sin_addr.s_addr = u32::from(*to.ip()).to_be();
        self.vectors[index].iov_base = self.bytes[index].as_mut_ptr().cast();
        self.vectors[index].iov_len = length;
        &mut self.bytes[index][..length]
    }

    pub fn send(&mut self, socket: RawFd) {
        for index in 0..self.count {
            let header = &mut self.messages[index].msg_hdr;
            header.msg_name = (&raw mut self.names[index]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
            header.msg_iov = &raw mut self.vectors[index];
            header.msg_iovlen = 1;
        }
        let mut from = 0;
        while from < self.count {
            let rest = (self.count - from) as u32;
            // SAFETY: as above.
            let sent =
                unsafe { libc::sendmmsg(socket, self.messages[from..].as_mut_ptr(), rest, 0) };
            from += usize::try_from(sent).unwrap_or(0).max(1); // what is refused is lost
        }
        self.count = 0;
    }
}
