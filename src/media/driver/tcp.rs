//! ICE-TCP (RFC 6544, passive): the same datagrams by TCP, framed (RFC 4571), for browsers whose
//! network lets no UDP through. It carries bytes and knows none of them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::{Semaphore, mpsc},
};

use crate::media::driver::{
    batch::DATAGRAM_BYTES_MAX,
    core::{Command, Core},
};

/// Connections at one time: everybody of a full session, and as many who come anew.
const CONNECTIONS_MAX: usize = 600;

/// Datagrams that wait for one connection: a quarter of a second of a full room.
const WAITING_MAX: usize = 256;

/// Datagrams of one connection that the core has not looked at yet; then it is not read.
const AHEAD_MAX: usize = 64;

/// A connection on which nothing comes for so long is closed: browsers check every few seconds.
const SILENT: Duration = Duration::from_secs(30);

/// A write that takes longer is to a network that is gone.
const WRITE: Duration = Duration::from_secs(10);

/// Accepts until the program ends. Needs a tokio runtime.
pub async fn accept(listener: TcpListener, core: Core) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: some will be given back.
                tracing::warn!(%error, "a media connection by TCP cannot be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let way = NEXT.fetch_add(1, Ordering::Relaxed);
        let core = core.clone();
        tokio::spawn(async move {
            carry(stream, address, way, &core).await;
            core.tell(Command::Closed { way });
            drop(place);
        });
    }
}

async fn carry(stream: TcpStream, address: SocketAddr, way: u64, core: &Core) {
    let _ = stream.set_nodelay(true); // only slower without
    let (incoming, outgoing) = stream.into_split();
    let (sender, waiting) = mpsc::channel(WAITING_MAX);
    core.tell(Command::Accepted { way, address, outgoing: sender });
    tokio::select! {
        () = read(incoming, way, core) => (),
        () = write(outgoing, waiting) => (),
    }
}

async fn read(mut incoming: OwnedReadHalf, way: u64, core: &Core) {
    let credit = Arc::new(Semaphore::new(AHEAD_MAX));
    loop {
        let frame = tokio::time::timeout(SILENT, async {
            let length = usize::from(incoming.read_u16().await.ok()?);
            if !(1..=DATAGRAM_BYTES_MAX).contains(&length) {
                return None;
            }
            let mut bytes = vec![0; length];
            incoming.read_exact(&mut bytes).await.ok()?;
            Some(bytes)
        });
        let Ok(Some(bytes)) = frame.await else { return };
        let Ok(_credit) = Arc::clone(&credit).acquire_owned().await else { return };
        core.tell(Command::Arrived { way, bytes, _credit });
    }
}

async fn write(mut outgoing: OwnedWriteHalf, mut waiting: mpsc::Receiver<Bytes>) {
    let mut frames = Vec::new();
    while let Some(first) = waiting.recv().await {
        frames.clear();
        let mut next = Some(first);
        // What has gathered goes in one write.
        while let Some(bytes) = next {
            let Ok(length) = u16::try_from(bytes.len()) else { return };
            frames.extend(length.to_be_bytes());
            frames.extend(&bytes);
            next = waiting.try_recv().ok().filter(|_| frames.len() < 64 * 1_024);
        }
        if !matches!(tokio::time::timeout(WRITE, outgoing.write_all(&frames)).await, Ok(Ok(()))) {
            return;
        }
    }
}
