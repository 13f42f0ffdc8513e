//! The ears: one thread that decodes and listens for everybody, and sends on what it found. A panic in one
//! person's audio stays with that person; what was said is never written here.

#![expect(clippy::disallowed_methods, reason = "the ears notice when packets stop")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::fact::GapReason;
use crate::domain::time::{SessionTime, Span};
use crate::speech::driver::listener::Ear;
use crate::speech::driver::pipeline::VadFactory;
use crate::speech::driver::pipeline::desk::{Job, Stage};
use crate::speech::driver::pipeline::event::{SpeakerId, SpeechEvent};
use crate::speech::driver::pipeline::inbox::Sound;
use crate::speech::driver::pipeline::shared::Shared;
use crate::speech::engine::bounds::{DRAFT_DUE_MS, FINAL_DUE_MS};
use crate::speech::engine::segmenter::{Draft, Utterance};

/// The ears' thread.
pub(super) struct Ears {
    shared: Arc<Shared>,
    vads: VadFactory,
    idle_ms: u64,
    drafts: bool,
    tracks: BTreeMap<SpeakerId, Track>,
}

struct Track {
    generation: u64,
    /// `None` after a panic or when there is no decoder; made at the next packet.
    ear: Option<Ear>,
    /// When the newest packet was heard here, and when it arrived.
    heard: Option<(Instant, SessionTime)>,
    /// After a panic nothing is heard before this.
    rests_until: SessionTime,
}

/// How often the ears look for tracks that have fallen silent.
const LOOK: Duration = Duration::from_millis(100);

impl Ears {
    pub(super) fn new(shared: Arc<Shared>, vads: VadFactory, idle_ms: u64, drafts: bool) -> Self {
        Self { shared, vads, idle_ms, drafts, tracks: BTreeMap::new() }
    }

    pub(super) fn run(mut self) {
        let mut last = None;
        let mut looked = Instant::now();
        loop {
            let awake = self.tracks.values().any(|it| it.ear.as_ref().is_some_and(Ear::is_awake));
            let mut inbox = self.shared.inbox();
            let next = loop {
                if inbox.stopping {
                    return;
                }
                let next = inbox.take(last);
                if next.is_some() || (awake && looked.elapsed() >= LOOK) {
                    break next;
                }
                let changed = &self.shared.inbox_changed;
                inbox = if awake {
                    changed.wait_timeout(inbox, LOOK).unwrap_or_else(PoisonError::into_inner).0
                } else {
                    changed.wait(inbox).unwrap_or_else(PoisonError::into_inner)
                };
            };
            drop(inbox);
            if let Some((speaker, sounds)) = next {
                last = Some(speaker);
                for sound in sounds {
                    self.hear(speaker, sound);
                }
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.look();
            }
        }
    }

    fn hear(&mut self, speaker: SpeakerId, sound: Sound) {
        match sound {
            Sound::Open { generation } => match self.tracks.get(&speaker) {
                Some(track) if track.generation == generation => {}
                _ => {
                    let rests_until = SessionTime::ZERO;
                    let track = Track { generation, ear: None, heard: None, rests_until };
                    self.tracks.insert(speaker, track);
                }
            },
            Sound::Packet(packet) => {
                if let Some(track) = self.tracks.get_mut(&speaker)
                    && packet.arrived >= track.rests_until
                {
                    let arrived = packet.arrived;
                    track.heard = Some((Instant::now(), arrived));
                    track.ear = track.ear.take().or_else(|| new_ear(speaker, &self.vads));
                    self.listen(speaker, arrived, |ear, out| ear.hear(packet, out));
                }
            }
            Sound::Cut => self.end(speaker),
            Sound::Close => {
                self.end(speaker);
                if let Some(track) = self.tracks.remove(&speaker) {
                    // Opened again in the meantime, perhaps closed again too: what waits is of the same
                    // line, so it lives on, and so must the track.
                    let inbox = self.shared.inbox();
                    let mut desk = self.shared.desk();
                    if inbox.will_open(speaker, track.generation) {
                        self.tracks.insert(speaker, track);
                    } else {
                        desk.deafen(speaker, track.generation);
                    }
                }
            }
            Sound::Forget => {
                self.tracks.remove(&speaker);
            }
        }
    }

    fn end(&mut self, speaker: SpeakerId) {
        let arrived = self.tracks.get(&speaker).and_then(|it| it.heard).map(|it| it.1);
        if let Some(arrived) = arrived {
            self.listen(speaker, arrived, |ear, out| ear.cut(out));
        }
    }

    /// Ends the utterances of those from whom nothing has come for a while. Whose packets wait here
    /// has not fallen silent: these ears are late.
    fn look(&mut self) {
        let now = Instant::now();
        let inbox = self.shared.inbox();
        let silent = |(speaker, track): (&SpeakerId, &Track)| {
            let (heard, arrived) = track.heard?;
            let silent_ms = now.saturating_duration_since(heard).as_millis() as u64;
            let awake = track.ear.as_ref().is_some_and(Ear::is_awake);
            let silent = awake && silent_ms >= self.idle_ms && !inbox.waits(*speaker);
            silent.then_some((*speaker, arrived, silent_ms))
        };
        let silent: Vec<_> = self.tracks.iter().filter_map(silent).collect();
        drop(inbox);
        for (speaker, arrived, silent_ms) in silent {
            self.listen(speaker, arrived, |ear, out| ear.idle(silent_ms, out));
        }
    }

    /// Lets the ear of a speaker do something, and sends on what it found. A panic costs that
    /// speaker's running utterance and the next [`REST_MS`], and nothing else. `arrived`: of the newest packet.
    fn listen(
        &mut self,
        speaker: SpeakerId,
        arrived: SessionTime,
        act: impl FnOnce(&mut Ear, &mut Vec<Utterance>),
    ) {
        let Some(track) = self.tracks.get_mut(&speaker) else { return };
        let Some(mut ear) = track.ear.take() else { return };
        let since = ear.open_since().unwrap_or(arrived);
        let mut found = Vec::new();
        let mut draft = None;
        let acted = catch_unwind(AssertUnwindSafe(|| {
            act(&mut ear, &mut found);
            ear
        }));
        let generation = track.generation;
        match acted {
            Ok(mut ear) => {
                self.shared.counts.add_tally(ear.take_tally());
                if ear.take_gone_on() {
                    self.shared.desk().goes_on(speaker);
                }
                draft = ear.take_draft().filter(|_| self.drafts);
                track.ear = Some(ear);
            }
            Err(_) => {
                tracing::error!(%speaker.session, %speaker.participant, "hearing a track panicked");
                track.rests_until = arrived + REST_MS;
                let span = Span::new(since, track.rests_until);
                let reason = GapReason::Failed;
                let event = SpeechEvent::Unheard { speaker, span, reason };
                self.shared.tell(&self.shared.desk(), generation, event);
            }
        }
        if !found.is_empty() || draft.is_some() {
            self.send(speaker, generation, arrived, found, draft);
        }
    }

    fn send(
        &self,
        speaker: SpeakerId,
        generation: u64,
        arrived: SessionTime,
        found: Vec<Utterance>,
        draft: Option<Draft>,
    ) {
        let now_ms = self.shared.now_ms();
        let mut desk = self.shared.desk();
        for utterance in found {
            let (span, voice) = (utterance.span, utterance.voice.clone());
            let uttered = SpeechEvent::Uttered { speaker, span, voice };
            if !self.shared.tell(&desk, generation, uttered) {
                return;
            }
            let Some(line) = desk.line(speaker, generation) else { return };
            let tongue = line.tongue;
            let due_ms = now_ms + FINAL_DUE_MS.saturating_sub(arrived.since_ms(span.end));
            let job = Job { speaker, generation, tongue, utterance, due_ms, stage: Stage::Final };
            self.shared.ended(&mut desk, job);
        }
        if let Some(Draft { utterance, may_be_whole }) = draft {
            let Some(line) = desk.line(speaker, generation) else { return };
            let tongue = line.tongue;
            let stage = Stage::Draft { number: line.ended, may_be_whole };
            let due_ms = now_ms + DRAFT_DUE_MS;
            let job = Job { speaker, generation, tongue, utterance, due_ms, stage };
            desk.push_draft(job);
        }
        self.shared.desk_changed.notify_all();
    }
}

/// How long nothing is heard of a track after a panic, in ms: what panics at one packet may panic at
/// every one, and each panic is an event.
const REST_MS: u64 = 2_000;

fn new_ear(speaker: SpeakerId, vads: &VadFactory) -> Option<Ear> {
    let made = catch_unwind(AssertUnwindSafe(|| Ear::new(vads())));
    match made {
        Ok(Ok(ear)) => Some(ear),
        Ok(Err(error)) => {
            tracing::error!(%speaker.session, %speaker.participant, %error, "no ear for a track");
            None
        }
        Err(_) => {
            tracing::error!(%speaker.session, %speaker.participant, "making an ear panicked");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;
    use crate::domain::spoken::Spoken;
    use crate::speech::driver::listener::tests::packets;
    use crate::speech::driver::pipeline::inbox::Offered;
    use crate::speech::driver::pipeline::tests::alice;
    use crate::speech::driver::vad::LoudnessVad;
    use crate::speech::engine::bounds::IDLE_MS;
    use crate::speech::engine::reorder::OpusPacket;

    #[test]
    fn who_closes_and_opens_again_before_the_ears_notice_is_heard() {
        let shared = Arc::new(Shared::new(60, Arc::new(|_| ())));
        let vads: VadFactory = Arc::new(|| Box::new(LoudnessVad));
        let mut ears = Ears::new(Arc::clone(&shared), vads, IDLE_MS, false);
        let open = || {
            let mut inbox = shared.inbox();
            let generation = shared.desk().open(alice(), Spoken::Told(Language::Finnish));
            inbox.open(alice(), generation);
        };
        let take = || shared.inbox().take(None).unwrap().1;
        open();
        shared.inbox().close(alice(), false);
        let first = take();
        open();
        shared.inbox().close(alice(), false);
        for sound in first {
            ears.hear(alice(), sound);
        }
        assert_eq!(
            (ears.tracks.len(), shared.desk().lines.len()),
            (1, 1),
            "what waits has no line"
        );
        for sound in take() {
            ears.hear(alice(), sound);
        }
        assert_eq!((ears.tracks.len(), shared.desk().lines.len()), (0, 0));
    }

    #[test]
    fn who_waits_for_late_ears_has_not_fallen_silent() {
        let shared = Arc::new(Shared::new(60, Arc::new(|_| ())));
        let vads: VadFactory = Arc::new(|| Box::new(LoudnessVad));
        let mut ears = Ears::new(Arc::clone(&shared), vads, IDLE_MS, false);
        let generation = shared.desk().open(alice(), Spoken::Told(Language::Finnish));
        shared.inbox().open(alice(), generation);
        let packets = packets(&[true; 80], 0);
        let (first, rest) = packets.split_at(40);
        let offer = |packets: &[OpusPacket]| {
            for it in packets {
                assert!(matches!(shared.inbox().offer(alice(), it.clone()), Offered::Taken));
            }
        };
        let hear = |ears: &mut Ears| {
            let (_, sounds) = shared.inbox().take(None).unwrap();
            sounds.into_iter().for_each(|it| ears.hear(alice(), it));
            let heard = &mut ears.tracks.get_mut(&alice()).unwrap().heard.as_mut().unwrap().0;
            *heard -= Duration::from_millis(IDLE_MS);
        };
        let spoken = |ears: &Ears| ears.shared.desk().schedule.waiting_ms();
        offer(first);
        hear(&mut ears);
        offer(rest);
        ears.look();
        assert_eq!(spoken(&ears), 0, "cut although more waits");
        hear(&mut ears);
        ears.look();
        assert!(spoken(&ears) > 1_500, "one utterance: {}", spoken(&ears));
    }
}
