//! Whether and how this server turns speech into text: finds, checks and loads the model, and lets
//! sessions listen. Without a model everything else works, and pages are told why.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

use sha2::{Digest, Sha256};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    app::config::SpeechSettings,
    domain::{ids::SessionId, language::Language, time::SessionTime},
    media::driver::tap::TappedPacket,
    speech::driver::{
        pipeline::{OpusPacket, SpeakerId, Speech, SpeechConfig, SpeechEvent},
        vad::Earshot,
        whisper::WhisperModel,
    },
};

/// The list of models with their checksums, as it was when the program was built.
const MANIFEST: &str = include_str!("../../models/whisper/manifest.toml");

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
    pub fn start(settings: &SpeechSettings) -> Self {
        let listeners = Arc::new(Listeners::default());
        let (state, speech) = match load(settings) {
            Ok(None) => (HearingState::Off, None),
            Ok(Some(model)) => {
                let name = model_name(&settings.model);
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
        let (SpeechEvent::Uttered { speaker, .. }
        | SpeechEvent::Segment { speaker, .. }
        | SpeechEvent::Unheard { speaker, .. }) = &event;
        if let Some(events) = self.lock().get(&speaker.session) {
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
    match is_right(path) {
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
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = if settings.workers == 0 { (cores / 2).max(1) } else { settings.workers };
    let config = SpeechConfig { workers, backlog_s_max: settings.backlog_s_max };
    Speech::start(
        config,
        Arc::new(move || model.transcriber().map(|it| Box::new(it) as _)),
        Arc::new(|| Box::new(Earshot::new())),
        Arc::new(move |event| listeners.tell(event)),
    )
}

/// `ggml-base.bin` is `base`.
fn model_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_prefix("ggml-").unwrap_or(&stem).to_owned()
}

/// Whether the file is what the manifest says of a file with its name; one that the manifest does
/// not know is the administrator's own.
fn is_right(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(expected) = manifest_sha256(MANIFEST, &name) else { return Ok(true) };
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => hash.update(&buffer[..length]),
        }
    }
    let found: String = hash.finalize().iter().map(|it| format!("{it:02x}")).collect();
    Ok(found == expected)
}

/// The manifest is a table of models; each has at least `file`, and `sha256` when it is known.
fn manifest_sha256(manifest: &str, file: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let models = manifest.get("model")?.as_table()?;
    let model =
        models.values().find(|it| it.get("file").and_then(|it| it.as_str()) == Some(file))?;
    model.get("sha256")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_model_has_a_checksum() {
        let sha256 = manifest_sha256(MANIFEST, "ggml-base.bin").unwrap();
        assert_eq!(sha256, "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe");
        assert_eq!(manifest_sha256(MANIFEST, "my-own.bin"), None);
    }

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
