//! Invented text: noises in, words out, by whisper plainly, by whisper behind the voice detector alone, and
//! with every guard; and that quiet people are still heard.

use std::path::Path;
use std::sync::{Arc, Mutex};

use vuoro::domain::language::Language;
use vuoro::speech::driver::wav::transcribe_with;
use vuoro::speech::driver::whisper::{Effort, Transcriber, WhisperFailure, WhisperModel};
use vuoro::speech::engine::guard::Piece;

use crate::audio::{Clip, RATE, decibels, noises, scratch, write};
use crate::figures::Figures;
use crate::peer::Peer;
use crate::words::{plain, word_errors};

/// Peaks, in dBFS: a noise at the microphone, in the room, next door.
const LEVELS_DB: [f64; 3] = [-10.0, -30.0, -50.0];

/// Words of one noise: whisper's own, behind the voice detector, with all guards.
#[derive(Clone, Copy, Default)]
struct Invented {
    minutes: f64,
    plainly: usize,
    unguarded: usize,
    guarded: usize,
}

impl Invented {
    fn add(&mut self, other: Invented) {
        self.minutes += other.minutes;
        self.plainly += other.plainly;
        self.unguarded += other.unguarded;
        self.guarded += other.guarded;
    }
}

/// `seconds`: of each noise at each level. `real`: recordings in which nobody speaks.
pub fn run(
    name: &str,
    model: &str,
    peer: &str,
    seconds: f64,
    clips: &[Clip],
    real: &[Clip],
    figures: &mut Figures,
) {
    let mut bench = Bench {
        ours: WhisperModel::load(model.as_ref()).expect("the model"),
        plain: Peer::start(peer, model),
        path: scratch("noise").join("noise.wav"),
    };
    let mut sum = bench.noise("silence", &vec![0.0; (seconds * RATE as f64) as usize]);
    for (kind, pcm) in noises(seconds, 1) {
        for level_db in LEVELS_DB {
            let pcm: Vec<f32> = pcm.iter().map(|it| it * decibels(level_db)).collect();
            sum.add(bench.noise(&format!("{kind} at {level_db} dB"), &pcm));
        }
    }
    for clip in real {
        sum.add(bench.noise(&clip.name, &clip.pcm));
    }
    figures.add(&format!("{name}_noise"), sum.minutes, "min");
    figures.add(&format!("{name}_invented_plainly"), sum.plainly as f64, "words");
    figures.add(&format!("{name}_invented_behind_vad"), sum.unguarded as f64, "words");
    figures.add(&format!("{name}_invented"), sum.guarded as f64, "words");
    for level_db in [0.0, -30.0, -40.0] {
        let (mut errors, mut words) = (0, 0);
        for clip in clips {
            let pcm: Vec<f32> = clip.pcm.iter().map(|it| it * decibels(level_db)).collect();
            let said = bench.through_ours(&pcm).1;
            errors += word_errors(&clip.words, &said);
            words += plain(&clip.words).len();
        }
        println!("  {name}: speech at {level_db} dB, {errors} of {words} words wrong");
        let figure = format!("{name}_wer_at_{}_db", -level_db as i32);
        figures.add(&figure, 100.0 * errors as f64 / words as f64, "%");
    }
    let _ = std::fs::remove_dir_all(bench.path.parent().unwrap_or(Path::new("none")));
}

struct Bench {
    ours: WhisperModel,
    plain: Peer,
    path: std::path::PathBuf,
}

impl Bench {
    fn noise(&mut self, kind: &str, pcm: &[f32]) -> Invented {
        let plainly = words_of(&self.plain.transcribe(pcm, "en").0);
        let (unguarded, guarded) = self.through_ours(pcm);
        let [unguarded, guarded] = [unguarded, guarded].map(|it| words_of(&it));
        println!(
            "  {kind}: plainly {plainly}, behind the voice detector {unguarded}, guarded {guarded}"
        );
        Invented { minutes: pcm.len() as f64 / RATE as f64 / 60.0, plainly, unguarded, guarded }
    }

    /// What whisper said of the utterances that were found, and what of it was kept.
    fn through_ours(&self, pcm: &[f32]) -> (String, String) {
        write(&self.path, pcm);
        let raw = Arc::new(Mutex::new(String::new()));
        let inner = self.ours.transcriber().expect("a state");
        let mut overheard = Overheard { inner: Box::new(inner), raw: Arc::clone(&raw) };
        let mut kept = String::new();
        let language = Some(Language::English);
        transcribe_with(
            &self.path,
            &mut overheard,
            language,
            |_, _| (),
            |it| {
                kept += " ";
                kept += &it.text;
            },
        )
        .expect("a transcript");
        let raw = std::mem::take(&mut *raw.lock().expect("what was said"));
        (raw, kept)
    }
}

/// Words, tags such as `[BLANK_AUDIO]` among them: without guards they would stand in the notes.
fn words_of(text: &str) -> usize {
    plain(text).len()
}

/// Writes down what whisper says before anything is judged; of two tries the first.
struct Overheard {
    inner: Box<dyn Transcriber>,
    raw: Arc<Mutex<String>>,
}

impl Transcriber for Overheard {
    fn transcribe(
        &mut self,
        pcm: &[f32],
        language: Language,
        prompt: &str,
        effort: Effort,
    ) -> Result<Vec<Piece>, WhisperFailure> {
        let pieces = self.inner.transcribe(pcm, language, prompt, effort)?;
        if effort == Effort::Cut {
            let mut raw = self.raw.lock().expect("what was said");
            pieces.iter().for_each(|it| *raw += &it.text);
        }
        Ok(pieces)
    }

    fn detect(&mut self, pcm: &[f32]) -> Result<Language, WhisperFailure> {
        self.inner.detect(pcm)
    }
}
