//! Turns utterances into words with whisper.cpp. One model is shared by all; each worker has its own
//! state. Never logs what was said, and lets whisper.cpp log nothing.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use whisper_rs::whisper_rs_sys::whisper_set_mel_with_state;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError,
    WhisperState, WhisperSysContext, WhisperSysState,
};

use crate::domain::language::Language;
use crate::domain::time::Span;
use crate::speech::driver::ggml::{Means, Rounded, computing, multiply_in_eight_bits};
use crate::speech::engine::bounds::{
    PROMPT_CHARS_MAX, PROMPT_TOKENS_MAX, SAMPLES_PER_MS, WHISPER_MS_MIN,
};
use crate::speech::engine::context;
use crate::speech::engine::guard::{Heard, Piece, Verdict, echoes, is_alike, judge};
use crate::speech::engine::level::levelled;
use crate::speech::engine::mel::{
    FRAME_MS, FRAMES_PER_UNIT, Filters, HEAD_BYTES_MAX, NoFilters, Spectrogram, Spectrograph,
    frames_of,
};
use crate::speech::engine::reading::{Reading, Tokens};
use crate::speech::engine::segmenter::Utterance;
use crate::speech::engine::times::word_spans;
use crate::speech::engine::tongue::{Evidence, Odds, Tongue};

/// Why words could not be had.
#[derive(Debug, thiserror::Error)]
pub enum WhisperFailure {
    #[error("reading the whisper model {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the whisper model {path} is not a ggml file; it begins with {magic:02x?}")]
    NotAModel { path: PathBuf, magic: [u8; 4] },
    #[error("the whisper model {path} has {bytes} bytes; the smallest has {MODEL_BYTES_MIN}")]
    TooSmall { path: PathBuf, bytes: u64 },
    #[error("loading the whisper model {path}: {source}")]
    Filters { path: PathBuf, source: NoFilters },
    #[error("loading the whisper model {path}: {source}")]
    Load { path: PathBuf, source: WhisperError },
    #[error("making a state of the whisper model: {0}")]
    State(WhisperError),
    #[error("transcribing {ms} ms of audio: {source}")]
    Transcribe { ms: u64, source: WhisperError },
    #[error("finding the language of {ms} ms of audio: {source}")]
    Detect { ms: u64, source: WhisperError },
    #[error("transcribing {ms} ms of audio: {why}")]
    Other { ms: u64, why: String },
    #[error("stopped, as something else is more urgent")]
    Stopped,
}

/// Stops a transcriber from another thread: pulled, what it is at ends with [`WhisperFailure::Stopped`], and
/// so does all it is given until the brake is released. It is asked before each product with weights, a matter of
/// milliseconds; where these are whisper.cpp's own it is once the encoder is through, and before each token.
#[derive(Clone, Debug, Default)]
pub struct Brake(Arc<AtomicBool>);

impl Brake {
    pub fn pull(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn release(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub fn is_pulled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// With the context cut to the utterance: four to seven times cheaper than whole.
    Cut,
    /// With more context than that: what loops where it is cut mostly does not here.
    Wider,
}

/// What turns audio into pieces of text. One per worker thread.
pub trait Transcriber: Send {
    /// `pcm`: 16 kHz mono in [-1, 1], at most 30 s. `prompt`: words to expect, may be empty.
    fn transcribe(
        &mut self,
        pcm: &[f32],
        language: Language,
        prompt: &str,
        effort: Effort,
    ) -> Result<Vec<Piece>, WhisperFailure>;

    /// What the next answer most likely begins with, in tokens: those of an earlier one, of less of the same sound.
    /// What is so is then read in one step; what is read is the same.
    fn expect(&mut self, _tokens: &[i32]) {}

    /// The tokens of the last answer.
    fn said(&self) -> &[i32] {
        &[]
    }

    /// Which of our languages is spoken; of others, whichever sounds nearest.
    fn detect(&mut self, pcm: &[f32]) -> Result<Language, WhisperFailure>;

    /// How likely each of our languages is in what was transcribed last: no more than one step of the
    /// decoder, as the sounds have been understood already. `None`: this one cannot tell, as a model of
    /// one language.
    fn odds(&mut self) -> Result<Option<Odds>, WhisperFailure> {
        Ok(None)
    }

    /// What stops it. One that cannot be stopped has one that does nothing.
    fn brake(&self) -> Brake {
        Brake::default()
    }
}

/// The words of an utterance, guarded; empty when there are none. Tries twice when the first answer
/// looks like a failure; the second is taken unless it is empty. Where next to nothing is heard and
/// whisper says what the prompt says, it is asked again without, and must have heard about the same.
/// Where the language is in doubt it is asked for, and the utterance is read again when it is another.
pub fn words(
    transcriber: &mut dyn Transcriber,
    utterance: &Utterance,
    tongue: &Tongue,
    prompt: &str,
) -> Result<Words, WhisperFailure> {
    let mut reader = Reader::new(transcriber, utterance);
    let (mut read, evidence) = reader.in_some_language(tongue, prompt)?;
    let mut retried = read.retry;
    if retried {
        let second = reader.read(read.language, prompt, Effort::Wider)?;
        read = if second.text.is_empty() { read } else { second };
    }
    if echoes(&read.text, prompt, &reader.heard) {
        retried = true;
        if !is_alike(&read.text, &reader.read(read.language, "", Effort::Cut)?.text) {
            read.text.clear();
        }
    }
    Ok(Words { retried, ..read.told(utterance, evidence) })
}

/// The words of what is still being said, guarded and tried once; `None` when they are not to be
/// trusted. What is not `None` is what [`words`] would say.
pub fn draft(
    transcriber: &mut dyn Transcriber,
    utterance: &Utterance,
    tongue: &Tongue,
    prompt: &str,
) -> Result<Option<Words>, WhisperFailure> {
    let mut reader = Reader::new(transcriber, utterance);
    let (read, evidence) = reader.in_some_language(tongue, prompt)?;
    let is_certain = !read.retry && !echoes(&read.text, prompt, &reader.heard);
    Ok(is_certain.then(|| read.told(utterance, evidence)))
}

/// What was said in one utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    pub text: String,
    /// One span for each word of the text, as white space parts them.
    pub spans: Vec<Span>,
    /// In which it was read.
    pub language: Language,
    pub evidence: Evidence,
    pub retried: bool,
    /// As whisper said it, to [`Transcriber::expect`] when more of it is read.
    pub tokens: Vec<i32>,
}

/// Reads one utterance, perhaps again and again.
struct Reader<'a> {
    transcriber: &'a mut dyn Transcriber,
    pcm: std::borrow::Cow<'a, [f32]>,
    heard: Heard,
}

impl<'a> Reader<'a> {
    fn new(transcriber: &'a mut dyn Transcriber, utterance: &'a Utterance) -> Self {
        let heard = Heard::of(&utterance.pcm, utterance.voice_ms);
        Self { transcriber, pcm: levelled(&utterance.pcm), heard }
    }

    /// One attempt, as the guard leaves it.
    fn read(
        &mut self,
        language: Language,
        prompt: &str,
        effort: Effort,
    ) -> Result<Attempt, WhisperFailure> {
        let pieces = self.transcriber.transcribe(&self.pcm, language, prompt, effort)?;
        let Verdict { text, retry } = judge(&pieces, &self.heard);
        let sum: f32 = pieces.iter().map(|it| it.logprob_mean).sum();
        let confidence = (!text.is_empty()).then_some(sum / pieces.len().max(1) as f32);
        let tokens = self.transcriber.said().to_vec();
        Ok(Attempt { text, retry, language, confidence, tokens })
    }

    /// Reads it in the language it is likeliest in.
    fn in_some_language(
        &mut self,
        tongue: &Tongue,
        prompt: &str,
    ) -> Result<(Attempt, Evidence), WhisperFailure> {
        let mut read = self.read(tongue.language(), prompt, Effort::Cut)?;
        let wonders = tongue.wonders(self.heard.voice_ms, read.confidence);
        let odds = if wonders { self.transcriber.odds()? } else { None };
        let likeliest = odds.as_ref().map_or(read.language, |it| tongue.verdict(it));
        if likeliest != read.language {
            read = self.read(likeliest, prompt, Effort::Cut)?;
        }
        let evidence = Evidence { odds, confidence: read.confidence };
        Ok((read, evidence))
    }
}

/// What one try has given, guarded.
struct Attempt {
    text: String,
    retry: bool,
    language: Language,
    /// How sure whisper is of its words; `None` when it has none.
    confidence: Option<f32>,
    tokens: Vec<i32>,
}

impl Attempt {
    fn told(self, utterance: &Utterance, evidence: Evidence) -> Words {
        let Attempt { text, language, tokens, .. } = self;
        let spans = word_spans(&text, &utterance.voice, utterance.span);
        Words { text, spans, language, evidence, retried: false, tokens }
    }
}

/// A loaded whisper model: 75 MB (tiny) to 3 GB, in memory once.
#[derive(Clone)]
pub struct WhisperModel {
    context: Arc<WhisperContext>,
    /// Without, whisper.cpp computes as it does by itself.
    rounded: Option<Arc<Rounded>>,
    filters: Arc<Filters>,
}

/// First bytes of every ggml file.
const MAGIC: [u8; 4] = *b"lmgg";

/// Bytes of the smallest model there can be: tiny in 4 bits has some 25 MB. A file cut short before
/// its weights would be taken by whisper.cpp as "an empty model for testing".
const MODEL_BYTES_MIN: u64 = 16_000_000;

impl WhisperModel {
    /// Loads a ggml file. A file that is cut short is refused by whisper.cpp, which says no more than
    /// that; one that is no ggml file at all is refused here. What is made of the weights at the first use (a second
    /// of work with small) is made here.
    pub fn load(path: &Path) -> Result<Self, WhisperFailure> {
        whisper_rs::install_logging_hooks();
        multiply_in_eight_bits();
        let read = |source| WhisperFailure::Read { path: path.into(), source };
        let mut file = File::open(path).map_err(read)?;
        let mut magic = [0; 4];
        file.read_exact(&mut magic).map_err(read)?;
        if magic != MAGIC {
            return Err(WhisperFailure::NotAModel { path: path.into(), magic });
        }
        let bytes = file.metadata().map_err(read)?.len();
        if bytes < MODEL_BYTES_MIN {
            return Err(WhisperFailure::TooSmall { path: path.into(), bytes });
        }
        let mut head = Vec::new();
        file.take(HEAD_BYTES_MAX).read_to_end(&mut head).map_err(read)?;
        let filters = Filters::of_model(&head)
            .map_err(|source| WhisperFailure::Filters { path: path.into(), source })?;
        let mut parameters = WhisperContextParameters::new();
        // Slower on the CPUs measured (2100 against 1715 ms for 29 s with tiny).
        parameters.flash_attn(false);
        let context = WhisperContext::new_with_params(path, parameters)
            .map_err(|source| WhisperFailure::Load { path: path.into(), source })?;
        let rounded = Some(Arc::new(Rounded::new(context.model_n_text_state() as usize)));
        let model = Self { context: Arc::new(context), rounded, filters: Arc::new(filters) };
        let silence = [0.0; WHISPER_MS_MIN as usize * SAMPLES_PER_MS];
        model.transcriber()?.transcribe(&silence, Language::default(), "", Effort::Cut)?;
        Ok(model)
    }

    /// The same model as on a processor that is not made for products in eight bits: whisper.cpp computes by itself.
    pub fn by_ggml_alone(self) -> Self {
        Self { rounded: None, ..self }
    }

    /// A worker's own state: some 100 MB with base.
    pub fn transcriber(&self) -> Result<WhisperTranscriber, WhisperFailure> {
        let encoded = Box::new(AtomicBool::default());
        let blank = self.context.tokenize(" ", 1).ok().and_then(|it| it.first().copied());
        let (end, first_time) = (self.context.token_eot(), self.context.token_beg());
        let nothing = self.context.token_nosp();
        Ok(WhisperTranscriber {
            context: Arc::clone(&self.context),
            rounded: self.rounded.clone(),
            state: self.context.create_state().map_err(WhisperFailure::State)?,
            parameters: parameters(&encoded),
            encoded,
            spectrograph: Spectrograph::new(Arc::clone(&self.filters)),
            tokens: Tokens { end, first_time, nothing, blank },
            brake: Brake::default(),
            guess: Vec::new(),
            said: Vec::new(),
        })
    }
}

/// With these whisper.cpp encodes and does no more; what the decoder says is read by [`Reading`]. They point at the flag
/// and must not outlive it. Made once: whisper-rs leaks the language's name each time it is set.
fn parameters(encoded: &AtomicBool) -> FullParams<'static, 'static> {
    let mut it = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    // SAFETY: the callback is given what it asks for, and the transcriber keeps it as long as these parameters.
    // (whisper-rs's safe way to stop takes its closure for one of another type.)
    unsafe {
        it.set_abort_callback(Some(has_encoded));
        it.set_abort_callback_user_data(std::ptr::from_ref(encoded).cast_mut().cast());
    }
    // Not asked for by the encoder; without it whisper would look for one.
    it.set_language(Some(Language::default().code()));
    // Two threads on one utterance collapse when the other core is busy (performance.md, 2.2).
    it.set_n_threads(1);
    it.set_print_progress(false);
    it
}

/// Asked by whisper.cpp when its encoder is through: whether it is to stop there. It is.
///
/// # Safety
/// `flag` points at an [`AtomicBool`].
unsafe extern "C" fn has_encoded(flag: *mut c_void) -> bool {
    // SAFETY: as above.
    unsafe { &*flag.cast::<AtomicBool>() }.store(true, Ordering::Relaxed);
    true
}

/// What whisper.cpp draws while it waits for a spectrogram of ours: as little as it takes, since it mirrors the
/// first 200 samples. That takes 1 ms; to draw 5 s of sound it needs 18, and we one.
const NOTHING: [f32; 320] = [0.0; 320];

/// Called by whisper.cpp before its encoder looks at the spectrogram of [`NOTHING`]: puts ours in its place.
///
/// # Safety
/// `context` and `state` are whisper's own, `drawn` points at a [`Spectrogram`].
unsafe extern "C" fn hand_over(
    context: *mut WhisperSysContext,
    state: *mut WhisperSysState,
    drawn: *mut c_void,
) -> bool {
    // SAFETY: as above.
    let drawn = unsafe { &*drawn.cast::<Spectrogram>() };
    let (values, frames, bands) = (drawn.values.as_ptr(), drawn.frames(), drawn.bands);
    // SAFETY: as above; there are so many values, and whisper copies them.
    let refused = unsafe {
        whisper_set_mel_with_state(context, state, values, frames as c_int, bands as c_int)
    };
    refused == 0
}

/// One worker's whisper. Not shared between threads at one time.
pub struct WhisperTranscriber {
    context: Arc<WhisperContext>,
    rounded: Option<Arc<Rounded>>,
    state: WhisperState,
    parameters: FullParams<'static, 'static>,
    /// Set by whisper.cpp when its encoder is through. Pointed at.
    encoded: Box<AtomicBool>,
    spectrograph: Spectrograph,
    tokens: Tokens,
    brake: Brake,
    guess: Vec<i32>,
    said: Vec<i32>,
}

impl Transcriber for WhisperTranscriber {
    fn transcribe(
        &mut self,
        pcm: &[f32],
        language: Language,
        prompt: &str,
        effort: Effort,
    ) -> Result<Vec<Piece>, WhisperFailure> {
        let guess = std::mem::take(&mut self.guess);
        self.said.clear();
        let ms = (pcm.len() / SAMPLES_PER_MS) as u64;
        let units = match effort {
            Effort::Cut => context::cut(pcm.len()),
            Effort::Wider => context::wider(pcm.len()),
        };
        let frames = frames_of(pcm.len().max(SAMPLES_MIN));
        let drawn = self.spectrograph.draw(pcm, units as usize * FRAMES_PER_UNIT);
        self.encode(&drawn, units, ms)?;
        let most = context::tokens_max(pcm.len()) as usize;
        let length = frames.div_ceil(FRAMES_PER_UNIT) as i32;
        let mut reading = Reading::new(self.tokens, length, most);
        let prompt = self.prompt(language, prompt);
        let done = self.read(&prompt, &guess, &mut reading);
        if self.brake.is_pulled() {
            return Err(WhisperFailure::Stopped);
        }
        done.map_err(|source| WhisperFailure::Transcribe { ms, source })?;
        self.said.extend_from_slice(reading.said());
        let bytes: Vec<u8> = reading
            .text()
            .filter_map(|it| self.context.token_to_bytes(it).ok())
            .flatten()
            .copied()
            .collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (no_speech, logprob_mean) = (reading.no_speech(), reading.logprob_mean());
        let piece = Piece { text, no_speech, logprob_mean };
        Ok(if piece.text.is_empty() { vec![] } else { vec![piece] })
    }

    fn expect(&mut self, tokens: &[i32]) {
        self.guess = tokens.to_vec();
    }

    fn said(&self) -> &[i32] {
        &self.said
    }

    fn brake(&self) -> Brake {
        self.brake.clone()
    }

    fn detect(&mut self, pcm: &[f32]) -> Result<Language, WhisperFailure> {
        let ms = (pcm.len() / SAMPLES_PER_MS) as u64;
        let failed = |source| WhisperFailure::Detect { ms, source };
        if !self.context.is_multilingual() {
            return Ok(Language::English);
        }
        self.state.pcm_to_mel(&padded(pcm), 1).map_err(failed)?;
        let (_, probabilities) =
            self.computing(1, |state| state.lang_detect(0, 1)).0.map_err(failed)?;
        let of = |it: Language| {
            let id = whisper_rs::get_lang_id(it.code()).and_then(|id| usize::try_from(id).ok());
            id.and_then(|id| probabilities.get(id)).copied().unwrap_or(0.0)
        };
        let best = Language::ALL.into_iter().max_by(|a, b| of(*a).total_cmp(&of(*b)));
        Ok(best.unwrap_or_default())
    }

    fn odds(&mut self) -> Result<Option<Odds>, WhisperFailure> {
        let failed = |source| WhisperFailure::Detect { ms: 0, source };
        if !self.context.is_multilingual() {
            return Ok(None);
        }
        // What the encoder made of the audio is still in the state, for the decoder to begin anew.
        let start = [self.context.token_sot()];
        self.computing(1, |state| state.decode(&start, 0, 1)).0.map_err(failed)?;
        let logits = self.state.get_logits().map_err(failed)?;
        let logit = |it: Language| {
            let token = whisper_rs::get_lang_id(it.code()).map(|id| self.context.token_lang(id));
            let token = token.and_then(|it| usize::try_from(it).ok());
            token.and_then(|it| logits.get(it)).copied().unwrap_or(f32::NEG_INFINITY)
        };
        let logits = Language::ALL.map(logit);
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let odds = logits.map(|it| (it - most).exp());
        let sum: f32 = odds.iter().sum();
        Ok(sum.is_finite().then(|| odds.map(|it| it / sum)))
    }
}

impl WhisperTranscriber {
    /// Does some work with the state. Returns the odds of what follows each of the newest `rows` tokens.
    fn computing<T>(
        &mut self,
        rows: usize,
        work: impl FnOnce(&mut WhisperState) -> T,
    ) -> (T, Vec<f32>) {
        let (rounded, stop) = (self.rounded.clone(), Arc::clone(&self.brake.0));
        computing(Means { rounded, stop, rows }, || work(&mut self.state))
    }

    /// Has the encoder understand what was drawn, in so many units of its context.
    fn encode(&mut self, drawn: &Spectrogram, units: u32, ms: u64) -> Result<(), WhisperFailure> {
        let mut parameters = self.parameters.clone();
        parameters.set_audio_ctx(units as i32);
        parameters.set_duration_ms((drawn.frames() * FRAME_MS) as i32);
        // SAFETY: the callback is given what it asks for, and that outlives the call these are for.
        unsafe {
            parameters.set_start_encoder_callback(Some(hand_over));
            let drawn = std::ptr::from_ref(drawn).cast_mut().cast();
            parameters.set_start_encoder_callback_user_data(drawn);
        }
        self.encoded.store(false, Ordering::Relaxed);
        let (done, _) = self.computing(1, |state| state.full(parameters, &NOTHING));
        if self.brake.is_pulled() {
            return Err(WhisperFailure::Stopped);
        }
        let has_taken_it = self.state.n_len() == drawn.frames() as c_int;
        match done {
            _ if has_taken_it && self.encoded.load(Ordering::Relaxed) => Ok(()),
            Err(source) => Err(WhisperFailure::Transcribe { ms, source }),
            Ok(()) => {
                let why = "whisper has not taken the spectrogram".into();
                Err(WhisperFailure::Other { ms, why })
            }
        }
    }

    /// What the decoder is told before it answers.
    fn prompt(&self, language: Language, prompt: &str) -> Vec<i32> {
        let mut told = self.tokens(prompt);
        if !told.is_empty() {
            told.insert(0, self.context.token_prev());
        }
        told.push(self.context.token_sot());
        if self.context.is_multilingual() {
            let language = whisper_rs::get_lang_id(language.code()).unwrap_or_default();
            told.extend([self.context.token_lang(language), self.context.token_transcribe()]);
        }
        told
    }

    /// Lets the decoder answer, token by token; as far as it is as guessed, in one step.
    fn read(
        &mut self,
        prompt: &[i32],
        guess: &[i32],
        reading: &mut Reading,
    ) -> Result<(), WhisperError> {
        // Without products of ours only the odds after the last token are to be had.
        let is_ours = self.rounded.as_ref().is_some_and(|it| it.is_used());
        let starts = [self.tokens.first_time];
        let mut guess: &[i32] = match guess {
            _ if !is_ours => &[],
            [] => &starts, // as nearly every answer does
            guess => guess,
        };
        let mut next = [prompt, guess].concat();
        let mut known = 0;
        // Whether anything is said at all is asked of what follows the token that starts.
        let start = prompt.iter().rev().take_while(|it| **it != self.context.token_sot()).count();
        let mut before = if is_ours { start } else { 0 };
        while !reading.is_over() && !self.brake.is_pulled() {
            let rows = before + 1 + guess.len();
            let odds = self.odds_after(&next, known, rows)?;
            known += next.len() - guess.len();
            for (row, odds) in odds.chunks_exact(odds.len() / rows).enumerate() {
                if row < before {
                    if row == 0 {
                        reading.hear(odds);
                    }
                    continue;
                }
                let token = reading.follow(odds);
                match guess.split_first() {
                    Some((first, rest)) if *first == token && !reading.is_over() => {
                        guess = rest;
                        known += 1;
                    }
                    _ => {
                        (next, guess) = (vec![token], &[]);
                        break;
                    }
                }
            }
            before = 0;
        }
        Ok(())
    }

    /// The odds of what follows each of the newest `rows` of these tokens, after as many as are `known` already.
    fn odds_after(
        &mut self,
        tokens: &[i32],
        known: usize,
        rows: usize,
    ) -> Result<Vec<f32>, WhisperError> {
        let (done, odds) = self.computing(rows, |state| state.decode(tokens, known, 1));
        done?;
        if !odds.is_empty() {
            return Ok(odds);
        }
        // whisper-rs tells those after the first token of a step, so the last gets one for itself.
        if let [before @ .., last] = tokens
            && !before.is_empty()
        {
            self.computing(1, |state| state.decode(&[*last], known + before.len(), 1)).0?;
        }
        Ok(self.state.get_logits()?.to_vec())
    }

    /// The prompt as tokens: bounded, and not as text, which whisper-rs would leak at every call.
    pub fn tokens(&self, prompt: &str) -> Vec<i32> {
        let prompt: String =
            prompt.chars().filter(|it| !it.is_control()).take(PROMPT_CHARS_MAX).collect();
        if prompt.is_empty() {
            return Vec::new();
        }
        // No token is shorter than a byte. whisper-rs takes the answer "too many" for a length, so
        // there must be room for all of them.
        let mut tokens = self.context.tokenize(&prompt, prompt.len() + 16).unwrap_or_default();
        // Those from the end mark on are orders to whisper and no text.
        tokens.retain(|it| *it < self.context.token_eot());
        tokens.truncate(PROMPT_TOKENS_MAX);
        tokens
    }
}

/// Whisper stops at once when there is less than a second.
const SAMPLES_MIN: usize = WHISPER_MS_MIN as usize * SAMPLES_PER_MS;

fn padded(pcm: &[f32]) -> std::borrow::Cow<'_, [f32]> {
    if pcm.len() >= SAMPLES_MIN {
        return pcm.into();
    }
    let mut padded = pcm.to_vec();
    padded.resize(SAMPLES_MIN, 0.0);
    padded.into()
}

/// Says what the script says, in its order, whatever it hears; `Err` fails, and the word "panic"
/// panics.
#[cfg(test)]
pub struct ScriptedTranscriber {
    pub script: std::collections::VecDeque<Result<&'static str, ()>>,
    pub efforts: Vec<Effort>,
}

#[cfg(test)]
impl ScriptedTranscriber {
    pub fn new(script: impl IntoIterator<Item = Result<&'static str, ()>>) -> Self {
        Self { script: script.into_iter().collect(), efforts: Vec::new() }
    }
}

#[cfg(test)]
impl Transcriber for ScriptedTranscriber {
    fn transcribe(
        &mut self,
        pcm: &[f32],
        _: Language,
        _: &str,
        effort: Effort,
    ) -> Result<Vec<Piece>, WhisperFailure> {
        self.efforts.push(effort);
        let ms = (pcm.len() / SAMPLES_PER_MS) as u64;
        match self.script.pop_front() {
            Some(Ok("panic")) => panic!("asked to panic"),
            Some(Ok(text)) => {
                Ok(vec![Piece { text: text.into(), no_speech: 0.0, logprob_mean: -0.1 }])
            }
            Some(Err(())) => Err(WhisperFailure::Other { ms, why: "scripted".into() }),
            None => Ok(vec![]),
        }
    }

    fn detect(&mut self, _: &[f32]) -> Result<Language, WhisperFailure> {
        Ok(Language::Swedish)
    }

    fn odds(&mut self) -> Result<Option<Odds>, WhisperFailure> {
        Ok(Some([0.05, 0.95, 0.0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::spoken::Spoken;
    use crate::domain::time::SessionTime;

    fn utterance(voice_ms: u64) -> Utterance {
        let span = Span::new(SessionTime(0), SessionTime(2_000));
        let (voice, pcm) = (vec![span], vec![0.1; 32_000]);
        Utterance { span, voice, pcm, voice_ms, overlap_ms: 0 }
    }

    fn check_with(
        prompt: &str,
        voice_ms: u64,
        script: &[&'static str],
        expect: &str,
    ) -> Vec<Effort> {
        let mut transcriber = ScriptedTranscriber::new(script.iter().map(|it| Ok(*it)));
        let utterance = utterance(voice_ms);
        let tongue = Tongue::told(Language::Finnish);
        let got = words(&mut transcriber, &utterance, &tongue, prompt).unwrap();
        assert_eq!(got.text, expect, "{script:?}");
        transcriber.efforts
    }

    fn check(script: &[&'static str], expect: &str, efforts: &[Effort]) {
        assert_eq!(check_with("", 2_000, script, expect), efforts);
    }

    #[test]
    fn an_answer_of_one_word_of_the_glossary_is_no_echo_when_it_is_heard_without() {
        use Effort::{Cut, Wider};
        let glossary = "Troika, Kuntaliitto.";
        let check = |voice_ms, script: &[&'static str], expect: &str, efforts: &[Effort]| {
            assert_eq!(check_with(glossary, voice_ms, script, expect), efforts, "{script:?}");
        };
        check(400, &["Kuntaliitto.", "Kunta lito."], "Kuntaliitto.", &[Cut, Cut]);
        check(400, &["Kuntaliitto.", "[BLANK_AUDIO]"], "", &[Cut, Cut]);
        check(400, &["Kuntaliitto.", "Kiitos."], "", &[Cut, Cut]);
        check(400, &["troika troika troika", "Troika.", "Troikka"], "Troika.", &[Cut, Wider, Cut]);
        check(2_000, &["Kuntaliitto."], "Kuntaliitto.", &[Cut]);
        // While it is being said nobody asks twice; it is shown when it has been said.
        let mut transcriber = ScriptedTranscriber::new([Ok("Kuntaliitto.")]);
        let tongue = Tongue::told(Language::Finnish);
        let drafted = draft(&mut transcriber, &utterance(400), &tongue, glossary);
        assert_eq!(drafted.unwrap(), None);
    }

    #[test]
    fn who_is_heard_by_ear_is_read_again_in_the_language_they_speak() {
        let mut tongue = Tongue::new(Spoken::ByEar(Language::Finnish));
        let mut transcriber = ScriptedTranscriber::new([Ok("hei san"), Ok("hejsan"), Ok("tack")]);
        let mut say = |tongue: &Tongue| {
            let words = words(&mut transcriber, &utterance(2_000), tongue, "").unwrap();
            (words.text, words.language, words.evidence)
        };
        let (text, language, evidence) = say(&tongue);
        assert_eq!((text.as_str(), language), ("hejsan", Language::Swedish));
        tongue.learn(evidence);
        let (text, language, _) = say(&tongue);
        assert_eq!((text.as_str(), language), ("tack", Language::Swedish));
    }

    #[test]
    fn a_loop_is_tried_again_with_more_context() {
        use Effort::{Cut, Wider};
        check(&["hello there"], "hello there", &[Cut]);
        check(&["go on go on go on", "go on and on"], "go on and on", &[Cut, Wider]);
        check(&["go on go on go on", ""], "go on", &[Cut, Wider]);
    }

    #[test]
    fn what_is_no_model_is_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ggml-none.bin");
        let why = |path: &Path| WhisperModel::load(path).err().unwrap().to_string();
        assert!(why(&path).contains("ggml-none.bin: No such file"), "{}", why(&path));
        std::fs::write(&path, "<html>not found</html>").unwrap();
        assert!(why(&path).contains("is not a ggml file"), "{}", why(&path));
        std::fs::write(&path, b"lmgg\x01\x02").unwrap();
        assert!(why(&path).contains("has 6 bytes"), "{}", why(&path));
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(MODEL_BYTES_MIN).unwrap();
        assert!(why(&path).starts_with("loading the whisper model"), "{}", why(&path));
    }
}
