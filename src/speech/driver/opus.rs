//! Decodes Opus to 16 kHz mono, and makes up what was lost. Never resamples: libopus decodes to
//! 16 kHz itself.

use crate::speech::engine::bounds::{PACKET_BYTES_MAX, RATE_HZ};

/// Why a packet could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum OpusError {
    #[error("creating an opus decoder for {RATE_HZ} Hz: {0}")]
    Create(opus::Error),
    #[error("decoding an opus packet of {bytes} bytes: {source}")]
    Decode { bytes: usize, source: opus::Error },
    #[error("refusing an opus packet of {bytes} bytes; 1 to {PACKET_BYTES_MAX} are allowed")]
    Size { bytes: usize },
}

/// Samples in the longest Opus packet, 120 ms.
const PACKET_SAMPLES_MAX: usize = 120 * 16;

/// Samples in the usual packet, 20 ms, taken until a packet says otherwise.
const PACKET_SAMPLES_USUAL: usize = 20 * 16;

/// The decoder of one track.
pub struct OpusEar {
    decoder: opus::Decoder,
    buffer: [f32; PACKET_SAMPLES_MAX],
    packet_samples: usize,
}

impl OpusEar {
    pub fn new() -> Result<Self, OpusError> {
        let decoder =
            opus::Decoder::new(RATE_HZ, opus::Channels::Mono).map_err(OpusError::Create)?;
        Ok(Self {
            decoder,
            buffer: [0.0; PACKET_SAMPLES_MAX],
            packet_samples: PACKET_SAMPLES_USUAL,
        })
    }

    /// Length of the packets of this track, in samples of 16 kHz: that of the last one decoded.
    pub fn packet_samples(&self) -> usize {
        self.packet_samples
    }

    /// Decodes a packet, 16 kHz mono. The payload is the network's and may be anything.
    pub fn decode(&mut self, payload: &[u8]) -> Result<&[f32], OpusError> {
        let bytes = payload.len();
        // An empty payload would mean "lost" to libopus.
        if bytes == 0 || bytes > PACKET_BYTES_MAX {
            return Err(OpusError::Size { bytes });
        }
        let samples = self
            .decoder
            .decode_float(payload, &mut self.buffer, false)
            .map_err(|source| OpusError::Decode { bytes, source })?;
        self.packet_samples = samples;
        Ok(&self.buffer[..samples])
    }

    /// Rebuilds the packet before `payload`, which is lost, from what `payload` says of it (in-band
    /// FEC); libopus makes it up when there is nothing.
    pub fn rebuild(&mut self, payload: &[u8]) -> Result<&[f32], OpusError> {
        let bytes = payload.len();
        if bytes == 0 || bytes > PACKET_BYTES_MAX {
            return Err(OpusError::Size { bytes });
        }
        let buffer = &mut self.buffer[..self.packet_samples];
        let samples = self
            .decoder
            .decode_float(payload, buffer, true)
            .map_err(|source| OpusError::Decode { bytes, source })?;
        Ok(&self.buffer[..samples])
    }

    /// Makes up one packet from what was heard before (packet loss concealment).
    pub fn conceal(&mut self) -> Result<&[f32], OpusError> {
        let buffer = &mut self.buffer[..self.packet_samples];
        let samples = self
            .decoder
            .decode_float(&[], buffer, false)
            .map_err(|source| OpusError::Decode { bytes: 0, source })?;
        Ok(&self.buffer[..samples])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_encoded_is_heard_and_what_is_lost_is_made_up() {
        let mut encoder =
            opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
        encoder.set_inband_fec(true).unwrap();
        encoder.set_packet_loss_perc(20).unwrap();
        let mut ear = OpusEar::new().unwrap();
        let mut power = [0.0f32; 3];
        for n in 0..50 {
            let tone: Vec<f32> = (0..960)
                .map(|i| {
                    ((n * 960 + i) as f32 * 300.0 * std::f32::consts::TAU / 48_000.0).sin() * 0.5
                })
                .collect();
            let packet = encoder.encode_vec_float(&tone, 1_000).unwrap();
            let sum = |pcm: &[f32]| pcm.iter().map(|it| it * it).sum::<f32>() / pcm.len() as f32;
            match n {
                30 => power[1] = sum(ear.conceal().unwrap()),
                31 => {
                    power[2] = sum(ear.rebuild(&packet).unwrap());
                    ear.decode(&packet).unwrap();
                }
                _ => power[0] = sum(ear.decode(&packet).unwrap()),
            }
            assert_eq!(ear.packet_samples(), 320);
        }
        assert!(power.iter().all(|it| (0.01..0.2).contains(it)), "{power:?}");
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        let mut ear = OpusEar::new().unwrap();
        assert!(matches!(ear.decode(&[]), Err(OpusError::Size { bytes: 0 })));
        assert!(matches!(ear.decode(&[0; 1_501]), Err(OpusError::Size { bytes: 1_501 })));
        assert!(matches!(ear.rebuild(&[]), Err(OpusError::Size { bytes: 0 })));
    }

    proptest! {
        #[test]
        fn anything_may_arrive(packets in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..200), 1..20,
        )) {
            let mut ear = OpusEar::new().unwrap();
            for packet in packets {
                let _ = ear.rebuild(&packet).map(<[f32]>::len);
                let _ = ear.decode(&packet).map(<[f32]>::len);
                let _ = ear.conceal().map(<[f32]>::len);
                prop_assert!((1..=PACKET_SAMPLES_MAX).contains(&ear.packet_samples()));
            }
        }
    }
}
