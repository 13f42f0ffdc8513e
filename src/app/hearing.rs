//! Whether and how this server turns speech into text: finds, checks and loads the model, and lets
//! sessions listen. Without a model everything else works, and pages are told why.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::mpsc::UnboundedSender;

use crate::{
    app::{config::SpeechSettings, models},
    domain::{ids::SessionId, language::Language, time::SessionTime},
    media::driver::tap::TappedPacket,
    speech::driver::{
        pipeline::{OpusPacket, SpeakerId, Speech, SpeechConfig, SpeechEvent},
        vad::Earshot,
        whisper::WhisperModel,
    },
};

/// Whether speech becomes text here, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HearingState {
    On { model: String },
    Off,
    ModelMissing,
    ModelDamaged,
}

/// What a session wants to hear of its speech.
pub type SpeechEvents = UnboundedSender<SpeechEvent>;

pub struct Hearing {
    state: HearingState,
    speech: Option<Speech>,
    listeners: Arc<Listeners>,
}

#[derive(Default)]
struct Listeners {
    by_session: Mutex<BTreeMap<SessionId, SpeechEvents>>,
}

impl Hearing {
    /// Loads the model; blocks for about a second. Every trouble is a state, said on the terminal.
    /// Workers that are not chosen yet (0) are one.
    pub fn start(settings: &SpeechSettings) -> Self {
        let listeners = Arc::new(Listeners::default());
        let (state, speech) = match load(settings) {
            Ok(None) => (HearingState::Off, None),
            Ok(Some(model)) => {
                let name = models::name_of(&settings.model);
                match start_speech(settings, model, Arc::clone(&listeners)) {
                    Ok(speech) => (HearingState::On { model: name }, Some(speech)),
                    Err(error) => {
                        tracing::error!(%error, "speech cannot start; nothing is transcribed");
                        (HearingState::ModelDamaged, None)
                    }
                }
            }
            Err(state) => (state, None),
        };
        Self { state, speech, listeners }
    }

    pub fn state(&self) -> &HearingState {
        &self.state
    }

    /// From now on events of this session's people go to `events`.
    pub fn attach(&self, session: SessionId, events: SpeechEvents) {
        self.listeners.lock().insert(session, events);
    }

    pub fn detach(&self, session: SessionId) {
        self.listeners.lock().remove(&session);
        self.expect(session, "");
    }

    /// What may be said in the session, from now on.
    pub fn expect(&self, session: SessionId, words: &str) {
        if let Some(speech) = &self.speech {
            speech.expect(session, words);
        }
    }

    /// Begins or stops to listen to a person. Stopping forgets also what is being worked on.
    pub fn listen(&self, speaker: SpeakerId, on: bool, language: Language) {
        let Some(speech) = &self.speech else { return };
        if on { speech.open(speaker, language) } else { speech.close(speaker, true) }
    }

    /// The person has moved: what they say from now on is an utterance of its own.
    pub fn cut(&self, speaker: SpeakerId) {
        if let Some(speech) = &self.speech {
            speech.cut(speaker);
        }
    }

    /// The person has left; what they have said is still written down.
    pub fn finish(&self, speaker: SpeakerId) {
        if let Some(speech) = &self.speech {
            speech.close(speaker, false);
        }
    }

    /// Never waits.
    pub fn packet(&self, speaker: SpeakerId, arrived: SessionTime, packet: TappedPacket) {
        let TappedPacket { sequence, timestamp, payload } = packet;
        if let Some(speech) = &self.speech {
            speech.offer(speaker, OpusPacket { sequence, timestamp, arrived, payload });
        }
    }
}

impl Listeners {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, SpeechEvents>> {
        self.by_session.lock().unwrap_or_else(|it| it.into_inner())
    }

    fn tell(&self, event: SpeechEvent) {
        if let Some(events) = self.lock().get(&event.speaker().session) {
            // A session that has just ended hears nothing more; that is no failure.
            let _ = events.send(event);
        }
    }
}

fn load(settings: &SpeechSettings) -> Result<Option<WhisperModel>, HearingState> {
    if !settings.enabled {
        return Ok(None);
    }
    let path = settings.model.as_path();
    match models::is_right(path) {
        Ok(true) => (),
        Ok(false) => {
            tracing::error!(
                path = %path.display(),
                "the model is not what its checksum says; nothing is transcribed. Fetch it again: \
                 scripts/fetch-model"
            );
            return Err(HearingState::ModelDamaged);
        }
        Err(error) => {
            tracing::error!(
                path = %path.display(), %error,
                "there is no model to read; nothing is transcribed. Fetch one: scripts/fetch-model"
            );
            return Err(HearingState::ModelMissing);
        }
    }
    WhisperModel::load(path).map(Some).map_err(|error| {
        tracing::error!(%error, "the model cannot be loaded; nothing is transcribed");
        HearingState::ModelDamaged
    })
}

fn start_speech(
    settings: &SpeechSettings,
    model: WhisperModel,
    listeners: Arc<Listeners>,
) -> Result<Speech, crate::speech::driver::pipeline::SpeechError> {
    let config =
        SpeechConfig { workers: settings.workers.max(1), backlog_s_max: settings.backlog_s_max };
    Speech::start(
        config,
        Arc::new(move || model.transcriber().map(|it| Box::new(it) as _)),
        Arc::new(|| Box::new(Earshot::new())),
        Arc::new(move |event| listeners.tell(event)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_missing_or_damaged_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("ggml-base.bin");
        let mut settings = SpeechSettings { model: model.clone(), ..Default::default() };
        assert_eq!(*Hearing::start(&settings).state(), HearingState::ModelMissing);
        std::fs::write(&model, b"half a model").unwrap();
        assert_eq!(*Hearing::start(&settings).state(), HearingState::ModelDamaged);
        settings.enabled = false;
        assert_eq!(*Hearing::start(&settings).state(), HearingState::Off);
    }
}
