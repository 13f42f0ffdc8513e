//! Hears one person: audio into frames, frames through the VAD, voice into utterances; and in front of
//! that, for a live track, packets into audio. The same path serves a track and a file.

use crate::domain::time::SessionTime;
use crate::speech::driver::opus::{OpusEar, OpusError};
use crate::speech::driver::vad::Vad;
use crate::speech::engine::bounds::{FRAME_SAMPLES, IDLE_MS, SAMPLES_PER_MS};
use crate::speech::engine::floor::Floor;
use crate::speech::engine::level::Level;
use crate::speech::engine::reorder::{OpusPacket, Ordered, Reorder};
use crate::speech::engine::segmenter::{Draft, Segmenter, Utterance};
use crate::speech::engine::timing::{MediaClock, fill};

/// Audio of one person into utterances.
pub struct Listener {
    vad: Box<dyn Vad>,
    /// Of the person and their room, through all pauses.
    level: Level,
    floor: Floor,
    segmenter: Segmenter,
    /// Samples that do not fill a frame yet.
    rest: Vec<f32>,
    /// When the first sample was spoken, and how many have come since.
    start: SessionTime,
    samples: u64,
}

impl Listener {
    pub fn new(vad: Box<dyn Vad>) -> Self {
        Self {
            vad,
            level: Level::default(),
            floor: Floor::default(),
            segmenter: Segmenter::new(),
            rest: Vec::with_capacity(FRAME_SAMPLES),
            start: SessionTime::ZERO,
            samples: 0,
        }
    }

    /// Where the audio heard so far ends.
    pub fn end(&self) -> SessionTime {
        self.start + self.samples / SAMPLES_PER_MS as u64
    }

    /// Goes on with audio that begins at `at` and has nothing to do with what was heard before.
    pub fn restart(&mut self, at: SessionTime, out: &mut Vec<Utterance>) {
        self.segmenter.cut(out);
        self.vad.reset();
        self.rest.clear();
        self.start = at;
        self.samples = 0;
    }

    /// Hears the next samples, 16 kHz mono.
    pub fn hear(&mut self, mut pcm: &[f32], out: &mut Vec<Utterance>) {
        while !pcm.is_empty() {
            let (now, later) = pcm.split_at(pcm.len().min(FRAME_SAMPLES - self.rest.len()));
            pcm = later;
            self.rest.extend_from_slice(now);
            self.samples += now.len() as u64;
            if let Ok(frame) = <&[f32; FRAME_SAMPLES]>::try_from(self.rest.as_slice()) {
                let at = self.start + (self.samples - FRAME_SAMPLES as u64) / SAMPLES_PER_MS as u64;
                let voice = self.vad.voice(&self.level.lift(frame));
                self.segmenter.push(frame, voice, self.floor.hear(frame), at, out);
                self.rest.clear();
            }
        }
    }

    /// Hears so many ms of nothing.
    pub fn hear_silence(&mut self, ms: u64, out: &mut Vec<Utterance>) {
        self.hear(&vec![0.0; ms as usize * SAMPLES_PER_MS], out);
    }

    /// Ends the running utterance now.
    pub fn cut(&mut self, out: &mut Vec<Utterance>) {
        self.segmenter.cut(out);
    }

    pub fn open_since(&self) -> Option<SessionTime> {
        self.segmenter.open_since()
    }

    /// See [`Segmenter::take_draft`].
    pub fn take_draft(&mut self) -> Option<Draft> {
        self.segmenter.take_draft()
    }

    /// See [`Segmenter::take_gone_on`].
    pub fn take_gone_on(&mut self) -> bool {
        self.segmenter.take_gone_on()
    }
}

/// The packets of one person's track into utterances.
pub struct Ear {
    reorder: Reorder,
    clock: MediaClock,
    opus: OpusEar,
    listener: Listener,
    /// Arrival of the newest packet; `None` before the first and after an idle time.
    heard_at: Option<SessionTime>,
    lost: u32,
    tally: Tally,
}

/// What went wrong in a track since it was last asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub late: u64,
    pub lost: u64,
    pub undecodable: u64,
}

impl Ear {
    pub fn new(vad: Box<dyn Vad>) -> Result<Self, OpusError> {
        Ok(Self {
            reorder: Reorder::new(),
            clock: MediaClock::new(),
            opus: OpusEar::new()?,
            listener: Listener::new(vad),
            heard_at: None,
            lost: 0,
            tally: Tally::default(),
        })
    }

    /// Hears one packet, and those that waited for it.
    pub fn hear(&mut self, packet: OpusPacket, out: &mut Vec<Utterance>) {
        self.heard_at = Some(packet.arrived);
        let late = self.reorder.late();
        let mut ordered = Vec::new();
        self.reorder.push(packet, &mut ordered);
        self.tally.late += self.reorder.late() - late;
        self.follow(ordered, out);
    }

    /// Ends the running utterance now, with all packets that have come.
    pub fn cut(&mut self, out: &mut Vec<Utterance>) {
        self.flush(out);
        self.listener.cut(out);
    }

    /// Ends the running utterance when no packet has come for [`IDLE_MS`]. `silent_ms`: how long
    /// that has been.
    pub fn idle(&mut self, silent_ms: u64, out: &mut Vec<Utterance>) {
        if self.heard_at.is_some() && silent_ms >= IDLE_MS {
            self.cut(out);
            self.heard_at = None;
        }
    }

    /// Whether [`Ear::idle`] has anything to end.
    pub fn is_awake(&self) -> bool {
        self.heard_at.is_some()
    }

    /// Where the running utterance began.
    pub fn open_since(&self) -> Option<SessionTime> {
        self.listener.open_since()
    }

    /// What is being said, as far as it has been heard, when that is worth to be read.
    pub fn take_draft(&mut self) -> Option<Draft> {
        self.listener.take_draft()
    }

    /// Whether more is said since than a draft had that might have been whole; once.
    pub fn take_gone_on(&mut self) -> bool {
        self.listener.take_gone_on()
    }

    /// Takes the counts.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    fn flush(&mut self, out: &mut Vec<Utterance>) {
        let mut ordered = Vec::new();
        self.reorder.flush(&mut ordered);
        self.follow(ordered, out);
    }

    fn follow(&mut self, ordered: Vec<Ordered>, out: &mut Vec<Utterance>) {
        for next in ordered {
            match next {
                Ordered::Lost { count } => {
                    self.lost = self.lost.saturating_add(count);
                    self.tally.lost += u64::from(count);
                }
                Ordered::Packet(packet) => self.decode(&packet, out),
            }
        }
    }

    fn decode(&mut self, packet: &OpusPacket, out: &mut Vec<Utterance>) {
        let at = self.clock.at(packet.timestamp, packet.arrived);
        let packet_ms = (self.opus.packet_samples() / SAMPLES_PER_MS) as u64;
        let lost = std::mem::take(&mut self.lost);
        let filling = fill(self.listener.end(), at, lost, packet_ms);
        if filling.restart || self.listener.samples == 0 {
            self.listener.restart(at, out);
        } else {
            for _ in 0..filling.conceal {
                if let Ok(pcm) = self.opus.conceal() {
                    self.listener.hear(pcm, out);
                }
            }
            if filling.silence_ms > 0 {
                self.listener.hear_silence(filling.silence_ms, out);
            }
            if filling.fec
                && let Ok(pcm) = self.opus.rebuild(&packet.payload)
            {
                self.listener.hear(pcm, out);
            }
        }
        match self.opus.decode(&packet.payload) {
            Ok(pcm) => self.listener.hear(pcm, out),
            // Whatever was in it is lost like a packet that never came; the next one says how long
            // it was.
            Err(_) => {
                self.tally.undecodable += 1;
                self.lost = 1;
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use bytes::Bytes;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::domain::time::Span;
    use crate::speech::driver::vad::{Earshot, LoudnessVad};

    /// A tone or silence as Opus packets of 20 ms. Like a voice it has syllables, which no room has.
    pub fn packets(loud: &[bool], first: u16) -> Vec<OpusPacket> {
        let mut encoder =
            opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
        encoder.set_inband_fec(true).unwrap();
        encoder.set_packet_loss_perc(20).unwrap();
        let encode = |(n, &loud): (usize, &bool)| {
            let is_soft = n % 25 < 4;
            let strength = if !loud {
                0.0
            } else if is_soft {
                0.2
            } else {
                0.5
            };
            let pcm: Vec<f32> =
                (0..960).map(|i| (((n * 960 + i) as f32) * 0.03).sin() * strength).collect();
            OpusPacket {
                sequence: first.wrapping_add(n as u16),
                timestamp: (n as u32 * 960).wrapping_add(u32::MAX - 4_000),
                arrived: SessionTime(10_000 + n as u64 * 20),
                payload: Bytes::from(encoder.encode_vec_float(&pcm, 1_000).unwrap()),
            }
        };
        loud.iter().enumerate().map(encode).collect()
    }

    fn hear(packets: Vec<OpusPacket>) -> (Vec<Utterance>, Tally) {
        let mut ear = Ear::new(Box::new(LoudnessVad)).unwrap();
        let mut out = Vec::new();
        for packet in packets {
            ear.hear(packet, &mut out);
        }
        ear.cut(&mut out);
        (out, ear.take_tally())
    }

    fn loud(parts: &[(bool, usize)]) -> Vec<bool> {
        parts.iter().flat_map(|&(loud, count)| vec![loud; count]).collect()
    }

    fn near(got: SessionTime, expect_ms: u64) {
        assert!(got.as_ms().abs_diff(expect_ms) <= 40, "{got:?} is not about {expect_ms}");
    }

    #[test]
    fn a_tone_in_silence_is_where_it_was() {
        let (got, tally) = hear(packets(&loud(&[(false, 50), (true, 50), (false, 50)]), 65_500));
        assert_eq!(got.len(), 1);
        near(got[0].span.start, 11_000);
        near(got[0].span.end, 12_000);
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn lost_packets_leave_the_times_right() {
        for lost in [40..41, 40..43, 40..52] {
            let all = packets(&loud(&[(false, 20), (true, 60), (false, 60)]), 7);
            let some =
                all.into_iter().enumerate().filter(|it| !lost.contains(&it.0)).map(|it| it.1);
            let (got, tally) = hear(some.collect());
            assert_eq!(tally.lost, lost.len() as u64);
            assert_eq!(got.len(), 1, "{lost:?}");
            near(got[0].span.start, 10_400);
            near(got[0].span.end, 11_600);
            // The tone is made up for up to five packets, and silent beyond.
            let silent =
                got[0].pcm[8_000..17_000].chunks(320).filter(|it| it.iter().all(|it| *it == 0.0));
            assert!(silent.count() <= lost.len().saturating_sub(5), "{lost:?}");
        }
    }

    #[test]
    fn rubbish_is_counted_and_survived() {
        let mut all = packets(&loud(&[(false, 20), (true, 60), (false, 60)]), 7);
        for n in [30, 31, 50] {
            all[n].payload = Bytes::new();
        }
        let (got, tally) = hear(all);
        assert_eq!(tally.undecodable, 3);
        assert_eq!(got.len(), 1);
        near(got[0].span.end, 11_600);
    }

    #[test]
    fn a_track_that_stops_is_a_person_who_stopped() {
        let mut ear = Ear::new(Box::new(LoudnessVad)).unwrap();
        let mut out = Vec::new();
        for packet in packets(&[true; 50], 7) {
            ear.hear(packet, &mut out);
        }
        ear.idle(IDLE_MS - 1, &mut out);
        assert_eq!(out.len(), 0);
        assert!(ear.is_awake());
        ear.idle(IDLE_MS, &mut out);
        assert_eq!(out.len(), 1);
        assert!(!ear.is_awake());
    }

    #[test]
    fn a_pause_of_the_clock_parts_two_utterances() {
        let mut all = packets(&[true; 100], 7);
        for packet in &mut all[50..] {
            packet.arrived = packet.arrived + 60_000;
        }
        let (got, _) = hear(all);
        assert_eq!(got.len(), 2);
        near(got[0].span.end, 11_000);
        near(got[1].span.start, 71_000);
    }

    /// The detector alone holds on to the room, which is lifted for the sake of soft voices.
    #[test]
    fn who_speaks_softly_is_not_given_the_sound_of_the_room() {
        let mut voice = jfk(-18.0);
        voice.resize(voice.len() + 20 * 16_000, 0.0);
        let mut chance = StdRng::seed_from_u64(1);
        let mut room = 0.0;
        let pcm: Vec<f32> = voice
            .iter()
            .map(|it| {
                // Of -52 dBFS, and lower than hiss, as rooms are.
                room += 0.4 * (0.01 * chance.random_range(-1.0..1.0f32) - room);
                it + room
            })
            .collect();
        let spans: Vec<Span> =
            heard_through_opus(&pcm).into_iter().flat_map(|it| it.voice).collect();
        assert!(spans.iter().all(|it| it.end.as_ms() < 11_400), "{spans:?}");
        let ms: u64 = spans.iter().map(|it| it.ms()).sum();
        assert!((6_500..8_500).contains(&ms), "{ms} in {spans:?}");
    }

    #[test]
    fn speech_through_opus_is_found_however_quiet() {
        for gain_db in [0.0, -30.0, -40.0f32] {
            is_found(gain_db);
        }
    }

    fn jfk(gain_db: f32) -> Vec<f32> {
        let gain = 10f32.powf(gain_db / 20.0);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/jfk.wav");
        let samples = hound::WavReader::open(path).unwrap().into_samples::<i16>();
        samples.map(|it| (f32::from(it.unwrap()) * gain).round() / 32_768.0).collect()
    }

    fn heard_through_opus(pcm: &[f32]) -> Vec<Utterance> {
        let mut encoder =
            opus::Encoder::new(16_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
        let mut ear = Ear::new(Box::new(Earshot::new())).unwrap();
        let mut out = Vec::new();
        for (n, pcm) in pcm.chunks_exact(320).enumerate() {
            let payload = Bytes::from(encoder.encode_vec_float(pcm, 1_000).unwrap());
            let (sequence, timestamp) = (n as u16, n as u32 * 960);
            let arrived = SessionTime(n as u64 * 20 + n as u64 % 7);
            ear.hear(OpusPacket { sequence, timestamp, arrived, payload }, &mut out);
        }
        ear.cut(&mut out);
        out
    }

    fn is_found(gain_db: f32) {
        let out = heard_through_opus(&jfk(gain_db));
        let spans: Vec<(u64, u64)> =
            out.iter().map(|it| (it.span.start.as_ms(), it.span.end.as_ms())).collect();
        let expect = [(330, 2_400), (3_300, 4_450), (5_400, 7_650), (8_200, 10_900)];
        assert_eq!(spans.len(), expect.len(), "{gain_db} dB: {spans:?}");
        for (got, expect) in spans.iter().zip(expect) {
            assert!(got.0.abs_diff(expect.0) <= 250, "{spans:?}");
            assert!(got.1.abs_diff(expect.1) <= 250, "{spans:?}");
        }
        if gain_db < 0.0 {
            return;
        }
        // Where the recording is louder than 25 dB below its loudest, silences below 300 ms closed.
        let voice: Vec<(u64, u64)> = out
            .iter()
            .flat_map(|it| &it.voice)
            .map(|it| (it.start.as_ms(), it.end.as_ms()))
            .collect();
        let expect = [(320, 2_130), (3_280, 4_310), (5_410, 7_680), (8_190, 10_990)];
        assert_eq!(voice.len(), expect.len(), "{voice:?}");
        let ms = |spans: &[(u64, u64)]| spans.iter().map(|it| it.1 - it.0).sum::<u64>();
        let error = ms(&voice).abs_diff(ms(&expect)) as f64 / ms(&expect) as f64;
        assert!(error <= 0.05, "{error} in {voice:?}");
    }
}
