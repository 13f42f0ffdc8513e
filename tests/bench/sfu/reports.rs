//! RTCP as browsers send it: sender and receiver reports, bandwidth estimates and transport-wide
//! feedback, with real values. Pure: told the time, returns bytes. It encrypts and sends nothing.

pub const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;

/// Seconds from 1900, where RTCP begins to count, to 1970.
const NTP_OFFSET_S: u64 = 2_208_988_800;
/// What a client says it can take: more than it is sent.
const ESTIMATE_BPS: u64 = 20_000_000;
/// Packets in one transport-wide feedback.
const FED_BACK_AT_ONCE: usize = 400;

/// What is known of one stream that comes in (RFC 3550, 6.4 and A.8).
#[derive(Default)]
pub struct Reception {
    first: Option<u32>,
    highest: u32,
    received: u32,
    /// At the last report.
    expected_before: u32,
    received_before: u32,
    transit: Option<i32>,
    /// In RTP ticks, times 16.
    jitter: i64,
    /// Middle of the NTP time of the last sender report, and when it came.
    last_report: Option<(u32, u64)>,
}

impl Reception {
    /// `rate_khz`: of the stream's clock.
    pub fn packet(&mut self, packet: &[u8], rate_khz: u64, at_ns: u64) {
        let number = u32::from(u16::from_be_bytes([packet[2], packet[3]]));
        let ticks = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        match self.first {
            None => {
                self.first = Some(number);
                self.highest = number;
            }
            Some(_) => {
                let step = (number as u16).wrapping_sub(self.highest as u16);
                if step < 0x8000 {
                    self.highest += u32::from(step);
                }
            }
        }
        self.received += 1;
        let transit = ((at_ns / 1_000 * rate_khz / 1_000) as u32).wrapping_sub(ticks) as i32;
        if let Some(before) = self.transit {
            let by = i64::from(transit.wrapping_sub(before).unsigned_abs());
            self.jitter += by - ((self.jitter + 8) >> 4);
        }
        self.transit = Some(transit);
    }

    pub fn sender_report(&mut self, middle: u32, at_ns: u64) {
        self.last_report = Some((middle, at_ns));
    }

    /// Whether anything has come since the last report.
    pub fn is_fresh(&self) -> bool {
        self.received != self.received_before
    }

    pub fn block(&mut self, ssrc: u32, now_ns: u64) -> [u8; 24] {
        let expected = self.first.map_or(0, |first| self.highest - first + 1);
        let lost = expected.saturating_sub(self.received);
        let (more, got) = (expected - self.expected_before, self.received - self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        let fraction = (more.saturating_sub(got) * 255).checked_div(more).unwrap_or(0);
        let (middle, ago) = self.last_report.map_or((0, 0), |(middle, at_ns)| {
            (middle, (now_ns.saturating_sub(at_ns) as u128 * 65_536 / 1_000_000_000) as u32)
        });
        let mut block = [0; 24];
        block[..4].copy_from_slice(&ssrc.to_be_bytes());
        block[4..8].copy_from_slice(&(fraction << 24 | lost.min(0x7f_ffff)).to_be_bytes());
        block[8..12].copy_from_slice(&self.highest.to_be_bytes());
        block[12..16].copy_from_slice(&((self.jitter >> 4) as u32).to_be_bytes());
        block[16..20].copy_from_slice(&middle.to_be_bytes());
        block[20..].copy_from_slice(&ago.to_be_bytes());
        block
    }
}

pub fn sender_report(
    out: &mut Vec<u8>,
    ssrc: u32,
    now_ns: u64,
    ticks: u32,
    packets: u32,
    packet_bytes: usize,
) {
    let seconds = (now_ns / 1_000_000_000 + NTP_OFFSET_S) as u32;
    let fraction = ((now_ns % 1_000_000_000) as u128 * (1 << 32) / 1_000_000_000) as u32;
    let bytes = packets.wrapping_mul(packet_bytes as u32);
    let body = [ssrc, seconds, fraction, ticks, packets, bytes];
    append(out, SENDER_REPORT, 0, &body.map(u32::to_be_bytes).concat());
}

pub fn receiver_report(out: &mut Vec<u8>, ssrc: u32, blocks: &[[u8; 24]]) {
    let mut body = ssrc.to_be_bytes().to_vec();
    body.extend(blocks.concat());
    append(out, RECEIVER_REPORT, blocks.len() as u8, &body);
}

/// draft-alvestrand-rmcat-remb.
pub fn estimate(out: &mut Vec<u8>, ssrc: u32, of: &[u32]) {
    let exponent = (64 - ESTIMATE_BPS.leading_zeros()).saturating_sub(18);
    let mantissa = (ESTIMATE_BPS >> exponent) as u32;
    let mut body = [ssrc, 0].map(u32::to_be_bytes).concat();
    body.extend(b"REMB");
    body.extend(((of.len() as u32) << 24 | exponent << 18 | mantissa).to_be_bytes());
    of.iter().for_each(|it| body.extend(it.to_be_bytes()));
    append(out, PAYLOAD_FEEDBACK, 15, &body);
}

fn append(out: &mut Vec<u8>, kind: u8, count: u8, body: &[u8]) {
    out.extend([0x80 | count, kind]);
    out.extend(((body.len() / 4) as u16).to_be_bytes());
    out.extend(body);
}

/// The packets of a compound, each with its type.
pub fn rtcp_packets(mut compound: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let length =
            usize::from(u16::from_be_bytes([*compound.get(2)?, *compound.get(3)?])) * 4 + 4;
        let (packet, rest) = compound.split_at_checked(length)?;
        compound = rest;
        Some((packet[1], packet))
    })
}

/// The transport-wide sequence number of a packet, in its header extension `id` (RFC 8285).
pub fn transport_number(packet: &[u8], id: u8) -> Option<u16> {
    let at = 12 + usize::from(packet[0] & 15) * 4;
    let head = packet.get(at..at + 4)?;
    if packet[0] & 0x10 == 0 || head[..2] != [0xbe, 0xde] {
        return None;
    }
    let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let mut rest = packet.get(at + 4..at + 4 + words * 4)?;
    while let Some((first, more)) = rest.split_first() {
        if *first == 0 {
            rest = more;
            continue;
        }
        let length = usize::from(first & 15) + 1;
        let value = more.get(..length)?;
        if first >> 4 == id {
            return Some(u16::from_be_bytes([*value.first()?, *value.get(1)?]));
        }
        rest = &more[length..];
    }
    None
}

/// What has come since the last feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#[derive(Default)]
pub struct TransportFeedback {
    packets: Vec<(u16, u64)>,
    count: u8,
}

impl TransportFeedback {
    pub fn packet(&mut self, number: u16, at_ns: u64) {
        self.packets.push((number, at_ns));
    }

    /// The next feedback that is due; `None`: all has been told.
    pub fn next(&mut self, ssrc: u32, of: u32) -> Option<Vec<u8>> {
        let first = self.packets.first()?.0;
        let count = self.packets.len().min(FED_BACK_AT_ONCE);
        let mut told: Vec<_> = self.packets.drain(..count).collect();
        told.sort_by_key(|it| it.0.wrapping_sub(first).wrapping_add(0x4000));
        told.dedup_by_key(|it| it.0);
        let base = told.first()?.0;
        told.retain(|it| it.0.wrapping_sub(base) < 2_000);
        let span = told.last()?.0.wrapping_sub(base) + 1;
        // In units of 64 ms; deltas in units of 250 us.
        let reference = told.first()?.1 / 64_000_000;
        let mut before = reference * 64_000_000 / 250_000;
        let (mut symbols, mut deltas) = (vec![0_u16; usize::from(span)], Vec::new());
        for (number, at_ns) in &told {
            let delta = (at_ns / 250_000) as i64 - before as i64;
            before = at_ns / 250_000;
            let symbol = &mut symbols[usize::from(number.wrapping_sub(base))];
            if let Ok(small) = u8::try_from(delta) {
                *symbol = 1;
                deltas.push(small);
            } else {
                *symbol = 2;
                let delta = delta.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
                deltas.extend(delta.to_be_bytes());
            }
        }
        let mut body = [ssrc, of].map(u32::to_be_bytes).concat();
        body.extend(base.to_be_bytes());
        body.extend(span.to_be_bytes());
        body.extend(((reference as u32) << 8 | u32::from(self.count)).to_be_bytes());
        self.count = self.count.wrapping_add(1);
        for seven in symbols.chunks(7) {
            let bits = seven.iter().enumerate().map(|(at, it)| it << (12 - 2 * at));
            body.extend((0xc000 | bits.sum::<u16>()).to_be_bytes());
        }
        body.extend(deltas);
        body.resize(body.len().next_multiple_of(4), 0);
        let mut out = Vec::new();
        append(&mut out, TRANSPORT_FEEDBACK, 15, &body);
        Some(out)
    }
}
