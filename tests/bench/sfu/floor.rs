//! The least that forwarding costs: receive a batch, decrypt once, encrypt for each subscriber in
//! place, send a batch. It knows who is in which room from the start, and has no ICE, no DTLS, no
//! slots, no levels, no feedback: no server can do with less, and none does as little.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddrV4},
    os::fd::AsRawFd,
};

use aes::cipher::{BlockEncrypt, KeyInit};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::net::{BATCH, Inbox, Outbox};

const TAG_BYTES: usize = 16;
const SENT_AT_ONCE: usize = 256;

/// The SRTP master key and salt of one client.
pub fn master(client: u32) -> ([u8; 16], [u8; 12]) {
    let [a, b, c, d] = client.to_be_bytes();
    ([a, b, c, d, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [d, c, b, a, 8, 7, 6, 5, 4, 3, 2, 1])
}

/// The SSRC of a client's stream, by which the floor knows whose a packet is.
pub fn ssrc(client: u32, is_video: bool) -> u32 {
    client * 2 + u32::from(is_video) + 1
}

struct Keys {
    cipher: LessSafeKey,
    salt: [u8; 12],
}

impl Keys {
    /// As RFC 3711, 4.3 and RFC 7714 derive them.
    fn of(client: u32) -> Self {
        let (key, salt) = master(client);
        let derive = |label: u8| {
            let mut block = [0; 16];
            block[..12].copy_from_slice(&salt);
            block[7] ^= label;
            let mut block = block.into();
            aes::Aes128::new(&key.into()).encrypt_block(&mut block);
            <[u8; 16]>::from(block)
        };
        let cipher = UnboundKey::new(&AES_128_GCM, &derive(0)).expect("a key of 16 bytes");
        let salt = derive(2)[..12].try_into().expect("12 bytes");
        Self { cipher: LessSafeKey::new(cipher), salt }
    }

    /// The rollover counter stays 0: no run is longer than 65,536 packets of a stream.
    fn nonce(&self, packet: &[u8]) -> Nonce {
        let mut nonce = [0; 12];
        nonce[2..6].copy_from_slice(&packet[8..12]);
        nonce[10..12].copy_from_slice(&packet[2..4]);
        nonce.iter_mut().zip(self.salt).for_each(|(it, salt)| *it ^= salt);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Serves `clients` in rooms of `size` until it is killed.
pub fn serve(port: u16, clients: u32, size: u32) -> ! {
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).expect("a socket");
    socket.set_recv_buffer_size(8 << 20).expect("a buffer");
    socket.set_send_buffer_size(8 << 20).expect("a buffer");
    socket.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into()).expect("a port");
    let socket = socket.as_raw_fd();
    let keys: Vec<_> = (0..clients).map(Keys::of).collect();
    let mut addresses = vec![None; clients as usize];
    let mut who: HashMap<SocketAddrV4, u32> = HashMap::new();
    let mut inbox = Inbox::default();
    let mut outbox = Outbox::new(SENT_AT_ONCE);
    println!("ready");
    loop {
        let count = inbox.receive(socket, libc::MSG_WAITFORONE);
        for index in 0..count.min(BATCH) {
            let from = inbox.from(index);
            let packet = inbox.datagram(index);
            if packet.len() < 12 + TAG_BYTES {
                continue;
            }
            let stream = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
            let client = *who.entry(from).or_insert((stream - 1) / 2);
            addresses[client as usize] = Some(from);
            // The clients of the floor send no header extensions.
            let (header, body) = packet.split_at_mut(12);
            let nonce = keys[client as usize].nonce(header);
            let own = &keys[client as usize].cipher;
            let Ok(plain) = own.open_in_place(nonce, Aad::from(&header), body) else { continue };
            let plain = plain.len();
            let room = client / size * size;
            for other in (room..(room + size).min(clients)).filter(|it| *it != client) {
                let Some(to) = addresses[other as usize] else { continue };
                if outbox.is_full() {
                    outbox.send(socket);
                }
                let out = outbox.push(to, 12 + plain + TAG_BYTES);
                out[..12].copy_from_slice(header);
                out[12..12 + plain].copy_from_slice(&body[..plain]);
                let (header, rest) = out.split_at_mut(12);
                let (body, tag) = rest.split_at_mut(plain);
                let keys = &keys[other as usize];
                let sealed = keys.cipher.seal_in_place_separate_tag(
                    keys.nonce(header),
                    Aad::from(&header),
                    body,
                );
                tag.copy_from_slice(sealed.expect("a packet sealed").as_ref());
            }
        }
        outbox.send(socket);
    }
}
