//! Finds utterances in one person's voice from the probabilities of a VAD.
//! Never decodes, never judges what was said, never loses a sample inside an utterance.

use std::collections::VecDeque;

use crate::domain::limits::{VOICE_GAP_MS, VOICE_MIN_MS};
use crate::domain::time::{SessionTime, Span};
use crate::domain::timeline::Timeline;
use crate::speech::engine::bounds::{
    CUT_LEAVES_MS, CUT_WITHIN_MS, DRAFT_EVERY_MS, EARLY_MS, FRAME_MS, FRAME_SAMPLES,
    HANGOVER_LONG_MS, HANGOVER_MS, HOLE_MS_MAX, KEEP_PROBABILITY, LONG_MS, ONSET_FRAMES,
    OPEN_PROBABILITY, OVERLAP_MS, PREFILL_MS, REST_VOICE_MS_MIN, SOUND_DB, TAIL_MS, TRAIL_MS,
    UTTERANCE_MS_MAX,
};
use crate::speech::engine::floor::Standing;
use crate::speech::engine::level::power;

/// An utterance as far as it has been heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub utterance: Utterance,
    /// Silence has begun. If nothing more is said, the utterance that comes has the same span and the
    /// same samples.
    pub may_be_whole: bool,
}

/// One person's voice between two silences.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// From the first voice to the end of the last; the spans of one person never overlap.
    pub span: Span,
    /// When in the span there was voice, in order, from where its sound begins to where it ends. A silence too
    /// short to be one ([`VOICE_GAP_MS`]) is part of it; longer ones lie between, as an utterance lives through
    /// more than a conversation counts.
    pub voice: Vec<Span>,
    /// 16 kHz, mono, in [-1, 1]: the span, some audio before and after it, at most
    /// [`UTTERANCE_MS_MAX`].
    pub pcm: Vec<f32>,
    /// How much of it is voice, in ms.
    pub voice_ms: u64,
    /// How much of its beginning is also the end of the one before, in ms: it was cut where no silence
    /// was. Its span begins after that.
    pub overlap_ms: u64,
}

#[derive(Clone, Debug)]
struct Frame {
    at: SessionTime,
    samples: [f32; FRAME_SAMPLES],
    /// Of voice; 0 for what is like the room.
    probability: f32,
    power: f32,
    stands_out: bool,
}

impl Frame {
    fn voiced(&self) -> bool {
        self.probability >= KEEP_PROBABILITY
    }
}

/// The segmenter of one person. While nothing is said it keeps the last [`PREFILL_MS`]; three frames
/// in a row of certain voice open an utterance, [`HANGOVER_MS`] without even doubtful voice close it.
#[derive(Debug, Default)]
pub struct Segmenter {
    frames: VecDeque<Frame>,
    open: bool,
    /// The running utterance goes on after a forced cut.
    continued: bool,
    /// Certain frames in a row at the end of `frames`.
    onset: usize,
    /// Silent frames in a row at the end of `frames`.
    silent: usize,
    /// Frames at the beginning of `frames` that were in the last utterance already.
    overlap: usize,
    /// Where the last span ended.
    ended: SessionTime,
    /// Frames of voice since the last draft, or since the utterance began.
    undrafted: usize,
    /// A draft is of use now.
    draft_due: bool,
    /// Voice has come back after a silence at which a draft was of use.
    gone_on: bool,
}

impl Segmenter {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one frame: its samples, the VAD's probability of voice in it, how it stands to its room, the time
    /// of its first sample. At most one utterance comes out of one frame, two when the time jumps.
    pub fn push(
        &mut self,
        samples: &[f32; FRAME_SAMPLES],
        probability: f32,
        standing: Standing,
        at: SessionTime,
        out: &mut Vec<Utterance>,
    ) {
        if let Some(last) = self.frames.back() {
            let expected = last.at + FRAME_MS;
            if at < last.at || at.since_ms(expected) > HOLE_MS_MAX {
                self.cut(out);
            }
        }
        let probability = if standing == Standing::In { 0.0 } else { probability };
        let (power, stands_out) = (power(samples), standing == Standing::Out);
        let frame = Frame { at, samples: *samples, probability, power, stands_out };
        self.gone_on |= self.open && frame.voiced() && frames_in(TAIL_MS) <= self.silent;
        self.onset = if probability >= OPEN_PROBABILITY { self.onset + 1 } else { 0 };
        self.silent = if frame.voiced() { 0 } else { self.silent + 1 };
        self.undrafted += usize::from(frame.voiced());
        self.frames.push_back(frame);
        if !self.open {
            self.open = self.onset >= ONSET_FRAMES;
            if !self.open {
                self.trim();
                self.undrafted = self.onset;
            }
            return;
        }
        let length_ms = frames_ms(self.frames.len());
        let hangover_ms = if length_ms >= LONG_MS { HANGOVER_LONG_MS } else { HANGOVER_MS };
        if frames_ms(self.silent) >= hangover_ms {
            let keep = self.silent.saturating_sub(frames_in(TAIL_MS));
            self.emit(self.frames.len() - keep, out);
            self.close();
        } else if length_ms + FRAME_MS > UTTERANCE_MS_MAX {
            let (place, is_silent) = self.quietest();
            let overlap = if is_silent { 0 } else { frames_in(OVERLAP_MS) };
            self.emit_and_keep(place, overlap, out);
            self.continued = true;
            // What is left has not been read yet.
            self.draft_due = true;
            if self.silent >= self.frames.len() {
                self.close();
            }
        } else if self.silent == frames_in(TAIL_MS) {
            // Perhaps this is the end: then the draft is the whole utterance.
            self.draft_due = self.undrafted > 0;
        } else if frames_ms(self.undrafted) >= DRAFT_EVERY_MS {
            self.draft_due = true;
        }
    }

    /// The running utterance as far as it has been heard, when that is worth to be read: after
    /// [`DRAFT_EVERY_MS`] of new voice, and when silence begins.
    pub fn take_draft(&mut self) -> Option<Draft> {
        if !std::mem::take(&mut self.draft_due) || !self.open {
            return None;
        }
        self.undrafted = 0;
        let keep = self.silent.saturating_sub(frames_in(TAIL_MS));
        let frames = || self.frames.range(..self.frames.len() - keep);
        let may_be_whole = frames_in(TAIL_MS) <= self.silent;
        self.utterance(frames).map(|utterance| Draft { utterance, may_be_whole })
    }

    /// Whether more is said since than a draft had that might have been whole; once.
    pub fn take_gone_on(&mut self) -> bool {
        std::mem::take(&mut self.gone_on)
    }

    /// Ends the running utterance now, as when a person changes rooms: nothing from before goes into
    /// the next one.
    pub fn cut(&mut self, out: &mut Vec<Utterance>) {
        if self.open {
            let silent = self.silent.saturating_sub(frames_in(TAIL_MS));
            self.emit(self.frames.len().saturating_sub(silent), out);
        }
        self.discard();
    }

    /// Forgets all audio, as when consent is withdrawn.
    pub fn discard(&mut self) {
        self.frames = VecDeque::new();
        self.onset = 0;
        self.silent = 0;
        self.close();
    }

    /// Where the running utterance began; `None` while nothing is said.
    pub fn open_since(&self) -> Option<SessionTime> {
        self.frames.front().filter(|_| self.open).map(|it| it.at)
    }

    fn close(&mut self) {
        self.open = false;
        self.continued = false;
        self.undrafted = 0;
        self.draft_due = false;
        self.gone_on = false;
        self.overlap = 0;
        self.trim();
    }

    fn trim(&mut self) {
        while self.frames.len() > frames_in(PREFILL_MS) {
            self.frames.pop_front();
        }
    }

    /// Takes the first `count` frames out as an utterance, if there is enough voice in them.
    fn emit(&mut self, count: usize, out: &mut Vec<Utterance>) {
        self.emit_and_keep(count, 0, out);
    }

    /// As `emit`; the last `overlap` of the frames are also the first of the next utterance.
    fn emit_and_keep(&mut self, count: usize, overlap: usize, out: &mut Vec<Utterance>) {
        let count = count.min(self.frames.len());
        let utterance = self.utterance(|| self.frames.range(..count));
        self.overlap = overlap.min(count);
        self.frames.drain(..count - self.overlap);
        self.ended = utterance.as_ref().map_or(self.ended, |it| it.span.end.max(self.ended));
        out.extend(utterance);
    }

    /// What these frames would be as an utterance; `None`: too little voice.
    fn utterance<'a, I>(&self, frames: impl Fn() -> I) -> Option<Utterance>
    where
        I: DoubleEndedIterator<Item = &'a Frame>,
    {
        let min_ms = if self.continued { REST_VOICE_MS_MIN } else { VOICE_MIN_MS };
        let voiced = || frames().filter(|it| it.voiced());
        let new = || frames().skip(self.overlap).filter(|it| it.voiced());
        if frames_ms(new().count()) < min_ms {
            return None;
        }
        let pieces = voices(&frames().skip(self.overlap).collect::<Vec<_>>());
        let (first, last) = (new().next()?.at, voiced().next_back()?.at);
        let first = pieces.spans().first().map_or(first, |it| it.start.min(first));
        let span = Span::new(first.max(self.ended), last + FRAME_MS);
        let pieces: Timeline =
            pieces.spans().iter().filter_map(|it| it.intersection(span)).collect();
        // What is too short to open an utterance is no begin and no end of a voice either.
        let pieces = pieces.smoothed(0, frames_ms(ONSET_FRAMES));
        let voice = pieces.smoothed(VOICE_GAP_MS, 0).spans().to_vec();
        let pcm = frames().flat_map(|it| it.samples).collect();
        let voice_ms = frames_ms(voiced().count());
        let overlap_ms = frames_ms(self.overlap);
        Some(Utterance { span, voice, pcm, voice_ms, overlap_ms })
    }

    /// Where to cut when somebody talks on: in the middle of the longest silence of the last part, or,
    /// when there is none, in its quietest 80 ms. Number of frames before the cut, and whether it is in
    /// a silence.
    fn quietest(&self) -> (usize, bool) {
        let from = self.frames.len().saturating_sub(frames_in(CUT_WITHIN_MS));
        let to = self.frames.len().saturating_sub(frames_in(CUT_LEAVES_MS)).max(from + 1);
        let mut best = (0, 0);
        let mut run = 0;
        for (i, frame) in self.frames.range(from..to).enumerate() {
            run = if frame.voiced() { 0 } else { run + 1 };
            if run >= best.0 {
                best = (run, from + i + 1 - run / 2);
            }
        }
        if best.0 >= SILENCE_FRAMES_MIN {
            return (best.1, true);
        }
        let energy: Vec<f32> = self.frames.range(from..to).map(|it| it.power).collect();
        let quietest = energy
            .windows(QUIET_FRAMES)
            .map(|it| it.iter().sum::<f32>())
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1));
        (quietest.map_or(to, |(i, _)| from + i + QUIET_FRAMES / 2), false)
    }
}

/// When there was voice in these frames: the VAD tells that, and the sound where it begins and ends. What
/// goes on at their end has no end yet.
fn voices(frames: &[&Frame]) -> Timeline {
    let voiced = frames.iter().filter(|it| it.voiced());
    let loudest = voiced.map(|it| it.power).fold(0.0, f32::max);
    let least = loudest * 10f32.powf(-SOUND_DB / 10.0);
    let sounds = |it: &&&Frame| it.stands_out && least <= it.power;
    let mut spans = Vec::new();
    // Where the voice before ended, and where this one is.
    let (mut ended, mut first) = (0, 0);
    for run in frames.chunk_by(|a, b| a.voiced() == b.voiced()) {
        let last = first + run.len();
        if run[0].voiced() {
            let before = frames[ended..first].iter().rev().take(frames_in(EARLY_MS));
            let early = before.take_while(sounds).count();
            let after = run.iter().rev().take(frames_in(TRAIL_MS)).take_while(|it| !sounds(it));
            let trail = if last == frames.len() { 0 } else { after.count() };
            let piece = &frames[first - early..last - trail];
            if let (Some(from), Some(to)) = (piece.first(), piece.last()) {
                spans.push(Span::new(from.at, to.at + FRAME_MS));
            }
            ended = last;
        }
        first = last;
    }
    spans.into_iter().collect()
}

/// Silent frames in a row that count as a silence to cut in: 48 ms, more than the stop of a "t".
const SILENCE_FRAMES_MIN: usize = 3;

/// Frames over which loudness is compared where there is no silence: 80 ms.
const QUIET_FRAMES: usize = 5;

fn frames_ms(frames: usize) -> u64 {
    frames as u64 * FRAME_MS
}

fn frames_in(ms: u64) -> usize {
    (ms / FRAME_MS) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `(probability, frames)` runs. Sample values are their own numbers, so that every lost or
    /// doubled sample shows. Returns `(first, one past last)` sample of each utterance, without what
    /// it begins with of the one before, and its span.
    fn run(parts: &[(f32, usize)]) -> Vec<(usize, usize, Span)> {
        let mut segmenter = Segmenter::new();
        let mut out = Vec::new();
        let mut n = 0usize;
        for &(probability, frames) in parts {
            for _ in 0..frames {
                let samples = std::array::from_fn(|i| (n * FRAME_SAMPLES + i) as f32);
                let at = SessionTime(1_000 + n as u64 * FRAME_MS);
                segmenter.push(&samples, probability, standing(probability), at, &mut out);
                n += 1;
            }
        }
        segmenter.cut(&mut out);
        out.iter()
            .map(|it| {
                assert!(it.pcm.windows(2).all(|two| two[1] - two[0] == 1.0), "a sample is lost");
                assert!(it.pcm.len() as u64 <= UTTERANCE_MS_MAX * 16);
                let first = it.pcm[0] as usize;
                (first + it.overlap_ms as usize * 16, first + it.pcm.len(), it.span)
            })
            .collect()
    }

    /// The spans in ms since the first frame.
    fn check(parts: &[(f32, usize)], expect: &[(u64, u64)]) {
        let got: Vec<(u64, u64)> = run(parts)
            .iter()
            .map(|it| (it.2.start.as_ms() - 1_000, it.2.end.as_ms() - 1_000))
            .collect();
        assert_eq!(got, expect, "{parts:?}");
    }

    fn standing(probability: f32) -> Standing {
        if probability >= KEEP_PROBABILITY { Standing::Out } else { Standing::In }
    }

    const YES: f32 = 0.9;
    const MAYBE: f32 = 0.45;
    const NO: f32 = 0.1;

    #[test]
    fn voice_between_silences_is_an_utterance() {
        check(&[(NO, 50), (YES, 30), (NO, 60)], &[(800, 1_280)]);
        check(
            &[(NO, 50), (YES, 30), (NO, 40), (YES, 20), (NO, 60)],
            &[(800, 1_280), (1_920, 2_240)],
        );
        check(&[(NO, 500)], &[]);
    }

    /// Where a voice is heard in frames of the VAD's probability and of a level in dBFS, in frames; those
    /// above -60 dBFS stand out of the room.
    fn voice(parts: &[(f32, f32, usize)]) -> Vec<(u64, u64)> {
        let mut segmenter = Segmenter::new();
        let mut out = Vec::new();
        let frames = parts.iter().flat_map(|it| std::iter::repeat_n((it.0, it.1), it.2));
        for ((probability, dbfs), n) in frames.zip(0..) {
            let standing = if dbfs > -60.0 { Standing::Out } else { Standing::After };
            let samples = [10f32.powf(dbfs / 20.0); FRAME_SAMPLES];
            segmenter.push(&samples, probability, standing, SessionTime(n * FRAME_MS), &mut out);
        }
        segmenter.cut(&mut out);
        assert!(out.iter().all(|it| it.voice.iter().all(|voice| it.span.covers(*voice))));
        let frames = |it: &Span| (it.start.as_ms() / FRAME_MS, it.end.as_ms() / FRAME_MS);
        out.iter().flat_map(|it| it.voice.iter().map(frames)).collect()
    }

    #[test]
    fn the_voice_in_an_utterance_is_told_without_its_pauses_and_clicks() {
        let (loud, room) = (-20.0, -70.0);
        // A pause of 288 ms is none, one of 304 ms is; an utterance goes on through both.
        let pauses = [(YES, loud, 30), (NO, room, 18), (YES, loud, 30), (NO, room, 19)];
        let pauses = [pauses.as_slice(), &[(YES, loud, 30), (NO, room, 60)]].concat();
        assert_eq!(voice(&pauses), [(0, 78), (97, 127)]);
        // A frame or two are no voice, though they lie near one.
        let (before, after) =
            ([(NO, room, 50), (MAYBE, loud, 2)], [(MAYBE, loud, 1), (NO, room, 60)]);
        let within = [(NO, room, 8), (YES, loud, 30), (NO, room, 8)];
        assert_eq!(voice(&[before.as_slice(), &within, &after].concat()), [(60, 90)]);
        // What goes on has no end yet.
        let long = voice(&[(YES, loud, 1_000), (YES, room, 5)]);
        assert_eq!((long[0].0, long.last().unwrap().1), (0, 1_005));
    }

    #[test]
    fn a_voice_begins_and_ends_with_its_sound() {
        let (loud, soft, room) = (-20.0, -40.0, -70.0);
        // The VAD is late at both ends; it is sure of soft words between loud ones.
        let late = [(NO, room, 50), (NO, soft, 4), (YES, loud, 20), (YES, room, 9), (NO, room, 60)];
        assert_eq!(voice(&late), [(50, 74)]);
        let soft_end =
            [(NO, room, 50), (YES, loud, 20), (YES, soft, 9), (NO, soft, 3), (NO, room, 60)];
        assert_eq!(voice(&soft_end), [(50, 79)]);
        let softly = [(YES, loud, 20), (YES, -50.0, 40), (YES, loud, 20), (NO, room, 60)];
        assert_eq!(voice(&softly), [(0, 80)]);
        // Long before it was nobody's voice, and it holds on for so long only.
        let breath = [(NO, soft, 30), (YES, loud, 20), (YES, room, 30), (NO, room, 60)];
        assert_eq!(voice(&breath), [(20, 80 - frames_in(TRAIL_MS) as u64)]);
        // A breath that is taken for voice is so soft beside it that it is none.
        let gasp =
            [(NO, room, 50), (MAYBE, -50.0, 3), (NO, room, 3), (YES, loud, 20), (NO, room, 60)];
        assert_eq!(voice(&gasp), [(56, 76)]);
        // What is like the room is none.
        assert_eq!(voice(&[(NO, -61.0, 30), (YES, -45.0, 20), (NO, -61.0, 60)]), [(30, 50)]);
    }

    #[test]
    fn what_lies_between_two_utterances_is_in_one_of_them() {
        let parts = [(YES, -20.0, 500), (NO, -30.0, 8), (YES, -20.0, 400), (NO, -70.0, 60)];
        assert_eq!(voice(&parts), [(0, 500), (504, 908)]);
    }

    #[test]
    fn a_short_silence_does_not_end_it_and_doubtful_voice_keeps_it() {
        check(&[(YES, 30), (NO, 28), (YES, 30), (NO, 60)], &[(0, 88 * 16)]);
        check(&[(YES, 30), (MAYBE, 60), (YES, 10), (NO, 60)], &[(0, 1_600)]);
    }

    #[test]
    fn doubtful_voice_alone_and_clicks_open_nothing() {
        check(&[(MAYBE, 200)], &[]);
        check(&[(NO, 20), (YES, 2), (NO, 40), (YES, 2), (NO, 40)], &[]);
        check(&[(NO, 20), (YES, 14), (NO, 40)], &[]);
        check(&[(NO, 20), (YES, 16), (NO, 40)], &[(320, 576)]);
    }

    #[test]
    fn audio_before_and_after_comes_along_once() {
        let got = run(&[(NO, 50), (YES, 30), (NO, 60), (YES, 30), (NO, 60)]);
        assert_eq!(got[0].0 / FRAME_SAMPLES, 50 + 3 - 1 - frames_in(PREFILL_MS));
        assert_eq!(got[0].1 / FRAME_SAMPLES, 80 + frames_in(TAIL_MS));
        assert!(got[1].0 >= got[0].1);
        let close = run(&[(YES, 30), (NO, 30), (YES, 30), (NO, 60)]);
        assert_eq!(close.len(), 2);
        assert!(close[1].0 >= close[0].1, "audio given twice");
    }

    #[test]
    fn long_talk_is_cut_in_its_longest_silence_and_goes_on_there() {
        let got = run(&[(YES, 500), (NO, 8), (YES, 100), (NO, 4), (YES, 1_000), (NO, 60)]);
        assert_eq!(got[0].1 / FRAME_SAMPLES, 504);
        assert_eq!(got[1].0, got[0].1);
        assert_eq!(got[2].0, got[1].1);
        assert!(got.windows(2).all(|it| it[0].2.end <= it[1].2.start));
    }

    #[test]
    fn what_is_cut_without_a_silence_is_heard_in_both() {
        let mut segmenter = Segmenter::new();
        let mut out = Vec::new();
        for n in 0..1_600 {
            segmenter.push(
                &[0.5; FRAME_SAMPLES],
                YES,
                Standing::Out,
                SessionTime(n * FRAME_MS),
                &mut out,
            );
        }
        segmenter.cut(&mut out);
        assert_eq!(
            out.iter().map(|it| it.overlap_ms).collect::<Vec<_>>(),
            [0, OVERLAP_MS, OVERLAP_MS, OVERLAP_MS]
        );
        assert!(out.iter().all(|it| it.pcm.len() as u64 <= UTTERANCE_MS_MAX * 16));
        let whole: u64 = out.iter().map(|it| it.pcm.len() as u64 / 16 - it.overlap_ms).sum();
        assert_eq!(whole, 1_600 * FRAME_MS);
        assert!(out.windows(2).all(|it| it[0].span.end == it[1].span.start));
        // In a silence nothing is.
        let (_, whole) = drafts(&[(YES, 500), (NO, 8), (YES, 400)]);
        assert_eq!(whole[0].overlap_ms, 0);
    }

    #[test]
    fn a_breath_ends_what_is_long_already() {
        let got = run(&[(YES, 400), (NO, 14), (YES, 100), (NO, 60)]);
        assert_eq!(got.len(), 2);
        assert_eq!(run(&[(YES, 200), (NO, 14), (YES, 100), (NO, 60)]).len(), 1);
    }

    /// The drafts of `(probability, frames)` runs, and the utterances after them.
    fn drafts(parts: &[(f32, usize)]) -> (Vec<Draft>, Vec<Utterance>) {
        let mut segmenter = Segmenter::new();
        let (mut drafts, mut out) = (Vec::new(), Vec::new());
        let mut n = 0;
        for &(probability, frames) in parts {
            for _ in 0..frames {
                let samples = std::array::from_fn(|i| (n * FRAME_SAMPLES as u64 + i as u64) as f32);
                segmenter.push(
                    &samples,
                    probability,
                    standing(probability),
                    SessionTime(n * FRAME_MS),
                    &mut out,
                );
                drafts.extend(segmenter.take_draft());
                n += 1;
            }
        }
        (drafts, out)
    }

    #[test]
    fn a_draft_comes_with_new_voice_and_at_a_pause() {
        let told = |it: &[Draft]| {
            let told = |it: &Draft| (it.utterance.span.end.as_ms(), it.may_be_whole);
            it.iter().map(told).collect::<Vec<_>>()
        };
        let (got, whole) = drafts(&[(NO, 50), (YES, 110), (NO, 60)]);
        assert_eq!(told(&got), [(800 + 800, false), (800 + 1_600, false), (800 + 1_760, true)]);
        assert_eq!(whole, [got[2].utterance.clone()], "the draft at the pause is the utterance");
        let (got, whole) = drafts(&[(YES, 30), (NO, 20), (YES, 30), (NO, 60)]);
        assert_eq!(told(&got), [(480, true), (1_120 + 160, true)]);
        assert_eq!(whole, [got[1].utterance.clone()]);
        let (got, _) = drafts(&[(NO, 50), (YES, 5), (NO, 60)]);
        assert_eq!(got, [], "a click is no word");
    }

    #[test]
    fn who_says_more_after_a_pause_has_gone_on_once() {
        let mut segmenter = Segmenter::new();
        let mut gone_on = Vec::new();
        let parts = [(YES, 30), (NO, 12), (YES, 5), (NO, 20), (YES, 5), (NO, 60), (YES, 30)];
        let probabilities = parts.iter().flat_map(|it| vec![it.0; it.1]);
        for (n, probability) in probabilities.enumerate() {
            let at = SessionTime(n as u64 * FRAME_MS);
            segmenter.push(
                &[0.5; FRAME_SAMPLES],
                probability,
                standing(probability),
                at,
                &mut Vec::new(),
            );
            if segmenter.take_gone_on() {
                gone_on.push(n);
            }
        }
        assert_eq!(gone_on, [67], "a breath is no pause, and after the end somebody begins anew");
    }

    #[test]
    fn after_a_forced_cut_the_rest_is_drafted_at_once() {
        let (got, whole) = drafts(&[(YES, 751)]);
        assert_eq!(whole.len(), 1);
        let rest = &got.last().unwrap().utterance;
        assert_eq!(rest.span.start, whole[0].span.end);
        assert_eq!(rest.span.end.as_ms(), 750 * FRAME_MS);
    }

    #[test]
    fn a_cut_closes_and_leaves_nothing_behind() {
        let mut segmenter = Segmenter::new();
        let mut out = Vec::new();
        let frame = [0.5; FRAME_SAMPLES];
        for n in 0..40 {
            segmenter.push(&frame, YES, Standing::Out, SessionTime(n * 16), &mut out);
        }
        assert_eq!(segmenter.open_since(), Some(SessionTime(0)));
        segmenter.cut(&mut out);
        assert_eq!(out.len(), 1);
        for n in 40..60 {
            segmenter.push(&frame, YES, Standing::Out, SessionTime(n * 16), &mut out);
        }
        segmenter.cut(&mut out);
        assert_eq!(out[1].span, Span::new(SessionTime(640), SessionTime(960)));
        assert_eq!(out[1].pcm.len(), 20 * FRAME_SAMPLES);
    }

    #[test]
    fn what_is_discarded_is_never_said() {
        let mut segmenter = Segmenter::new();
        let mut out = Vec::new();
        for n in 0..400 {
            segmenter.push(
                &[0.5; FRAME_SAMPLES],
                YES,
                Standing::Out,
                SessionTime(n * 16),
                &mut out,
            );
        }
        segmenter.discard();
        segmenter.cut(&mut out);
        assert_eq!(out, vec![]);
        assert_eq!(segmenter.open_since(), None);
    }

    #[test]
    fn a_jump_of_time_ends_the_utterance() {
        for jump in [10_000u64, 0] {
            let mut segmenter = Segmenter::new();
            let mut out = Vec::new();
            for n in 0..40 {
                segmenter.push(
                    &[0.5; FRAME_SAMPLES],
                    YES,
                    Standing::Out,
                    SessionTime(5_000 + n * 16),
                    &mut out,
                );
            }
            for n in 0..40 {
                segmenter.push(
                    &[0.5; FRAME_SAMPLES],
                    YES,
                    Standing::Out,
                    SessionTime(jump + n * 16),
                    &mut out,
                );
            }
            segmenter.cut(&mut out);
            assert!(out.windows(2).all(|it| it[0].span.end <= it[1].span.start));
            assert_eq!(out[0].span.ms(), 640);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// No sample inside an utterance is lost, none is given twice, spans of one person never
        /// overlap, and every certain voice long enough is in some utterance.
        #[test]
        fn no_voice_is_lost(parts in proptest::collection::vec(
            (prop_oneof![Just(YES), Just(MAYBE), Just(NO), 0f32..1.0], 1usize..300), 1..25,
        )) {
            let got = run(&parts);
            for two in got.windows(2) {
                prop_assert!(two[0].1 <= two[1].0);
                prop_assert!(two[0].2.end <= two[1].2.start);
            }
            let covered = |frame: usize| got.iter().any(|it| {
                it.0 <= frame * FRAME_SAMPLES && (frame + 1) * FRAME_SAMPLES <= it.1
            });
            let mut at = 0;
            for (probability, frames) in parts {
                if probability >= OPEN_PROBABILITY && frames_ms(frames) >= VOICE_MIN_MS {
                    for frame in at..at + frames {
                        prop_assert!(covered(frame), "frame {frame} is lost");
                    }
                }
                at += frames;
            }
        }
    }
}
