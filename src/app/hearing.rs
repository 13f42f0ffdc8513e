//! Whether and how this server turns speech into text: finds, checks and loads the model, and lets
//! sessions listen. Without a model everything else works, and pages are told why.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;

use crate::{
    app::{config::SpeechSettings, models},
    domain::{ids::SessionId, spoken::Spoken, time::SessionTime},
    media::driver::tap::TappedPacket,
    speech::driver::{
        pipeline::{OpusPacket, SpeakerId, Speech, SpeechConfig, SpeechEvent},
        vad::Earshot,
        whisper::WhisperModel,
    },
};

/// How often it is looked whether the last words have been read.
const LOOK: Duration = Duration::from_millis(50);

/// Whether speech becomes text here, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HearingState {
    On { model: String },
    Off,
    ModelMissing,
    ModelDamaged,
}

impl HearingState {
    /// For the terminal: with which model and why with that one, or why there is none and what to do.
    /// `asked`: it was named where the server was started.
    pub fn told(&self, settings: &SpeechSettings, asked: bool) -> String {
        let path = settings.model.display();
        let why = if asked {
            "as --model says"
        } else if settings.model == SpeechSettings::default().model {
            "the default: neither --model nor the configuration names another"
        } else {
            "as the configuration says"
        };
        let all = models::all();
        let wanted = all.iter().find(|it| settings.model.ends_with(&it.file));
        let wanted = wanted.map_or("base", |it| &it.name);
        let folder = settings.models_folder();
        match self {
            Self::On { model } => {
                format!("Speech becomes text with the model {model}\n({path}; {why}).")
            }
            Self::Off => {
                "Speech is not turned into text: switched off in the configuration.".into()
            }
            Self::ModelMissing => {
                let here = all.iter().filter(|it| it.presence(folder) == models::Presence::Here);
                let here: Vec<_> =
                    here.map(|it| format!("--model {}", it.path(folder).display())).collect();
                let instead = match here.as_slice() {
                    [] => String::new(),
                    here => format!("\nOr start with one that is here: {}", here.join(", ")),
                };
                format!(
                    "Speech is NOT turned into text: there is no model at\n{path}\n({why}).\nFetch \
                     it with `vuoro model fetch {wanted} --folder {}`, and start again.{instead}",
                    folder.display(),
                )
            }
            Self::ModelDamaged => format!(
                "Speech is NOT turned into text: the model is damaged:\n{path}\n({why}).\nFetch it \
                 again with `vuoro model fetch {wanted} --folder {}`, and start again.\n`vuoro model \
                 verify` tells which are right.",
                folder.display(),
            ),
        }
    }
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
    pub fn listen(&self, speaker: SpeakerId, on: bool, spoken: Spoken) {
        let Some(speech) = &self.speech else { return };
        if on { speech.open(speaker, spoken) } else { speech.close(speaker, true) }
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

    /// Hears nobody any more, and waits until all that was said has been read, but no longer than
    /// `patience`: the rest is told as unheard.
    pub async fn finish_all(&self, patience: Duration) {
        let Some(speech) = &self.speech else { return };
        speech.close_all();
        let done = async {
            while !speech.is_done() {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(patience, done).await.is_err() {
            speech.give_up();
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

    #[test]
    fn it_is_told_which_model_and_why_and_what_to_do_without() {
        let check = |state: &HearingState, settings: &SpeechSettings, asked, told: &[&str]| {
            let text = state.told(settings, asked);
            told.iter().for_each(|it| assert!(text.contains(it), "{it}: {text}"));
            text
        };
        let on = HearingState::On { model: "base".into() };
        let usual = SpeechSettings::default();
        check(&on, &usual, false, &["model base", "models/whisper/ggml-base.bin; the default"]);
        check(&on, &usual, true, &["ggml-base.bin; as --model says"]);
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("ggml-small.bin");
        let own = SpeechSettings { model: model.clone(), ..Default::default() };
        check(&on, &own, false, &["as the configuration says"]);
        let fetch = format!("vuoro model fetch small --folder {}", folder.path().display());
        let missing = &HearingState::ModelMissing;
        let alone = check(missing, &own, true, &["NOT", "ggml-small.bin\n(as --model", &fetch]);
        assert!(!alone.contains("is here"), "{alone}");
        let tiny = models::find("tiny").unwrap();
        let file = std::fs::File::create(tiny.path(folder.path())).unwrap();
        file.set_len(tiny.bytes).unwrap();
        check(missing, &own, true, &["that is here: --model", "ggml-tiny.bin"]);
        check(&HearingState::ModelDamaged, &own, false, &["damaged", &fetch, "verify"]);
    }
}
