//! What an utterance costs: ours, beside whisper with its whole context in the same build and in the stock
//! build, one after another on the same pieces of speech; and the encoder beside a plain product of matrices.

use std::ffi::CStr;
use std::time::Instant;

use vuoro::domain::language::Language;
use vuoro::domain::time::{SessionTime, Span};
use vuoro::speech::driver::whisper::{WhisperModel, words};
use vuoro::speech::engine::segmenter::Utterance;
use vuoro::speech::engine::tongue::Tongue;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
};

use crate::audio::{Clip, RATE};
use crate::figures::{Figures, median, spread};
use crate::peer::{Peer, with_cpu};

/// The utterance that is compared, in seconds.
const PIECE_S: usize = 5;

/// Encoder units that ours takes for it: what `engine::context` gives, read off the running program.
fn units() -> i32 {
    vuoro::speech::engine::context::cut(PIECE_S * RATE) as i32
}

pub fn run(
    name: &str,
    model: &str,
    plain: &str,
    clips: &[Clip],
    rounds: usize,
    figures: &mut Figures,
) {
    let speech: Vec<f32> = clips.iter().flat_map(|it| it.pcm.iter().copied()).collect();
    let pieces: Vec<&[f32]> = speech.chunks_exact(PIECE_S * RATE).collect();
    let ours = WhisperModel::load(model.as_ref()).expect("the model");
    let mut ours = ours.transcriber().expect("a state");
    let mut same = Whole::new(model);
    let mut stock = Peer::start(plain, model);
    let (mut own_ms, mut stock_ms) = (Vec::new(), Vec::new());
    let (mut to_stock, mut to_same) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        for piece in &pieces {
            let pcm = piece.to_vec();
            let span = Span::new(SessionTime::ZERO, SessionTime(PIECE_S as u64 * 1_000));
            let (voice, voice_ms) = (vec![span], span.ms());
            let utterance = Utterance { span, voice, pcm, voice_ms, overlap_ms: 0 };
            let tongue = Tongue::told(Language::English);
            let (_, own) = with_cpu(|| words(&mut ours, &utterance, &tongue, ""));
            let (_, theirs) = stock.transcribe(piece, "en");
            let (_, whole) = with_cpu(|| same.transcribe(piece));
            if round == 0 {
                break; // the first of each fetches memory
            }
            let [own, theirs, whole] = [own, theirs, whole].map(|it| it.as_secs_f64() * 1_000.0);
            own_ms.push(own);
            stock_ms.push(theirs);
            to_stock.push(theirs / own);
            to_same.push(whole / own);
            println!(
                "  {name}: ours {own:.0} ms, stock {theirs:.0}, whole context in our build {whole:.0}"
            );
        }
    }
    figures.add(&format!("{name}_cpu_of_5s_p50"), median(&own_ms), "ms");
    figures.add(&format!("{name}_stock_cpu_of_5s_p50"), median(&stock_ms), "ms");
    figures.add(&format!("{name}_stock_spread"), spread(&stock_ms), "part");
    figures.add(&format!("{name}_cheaper_than_stock"), median(&to_stock), "times");
    figures.add(&format!("{name}_cheaper_than_whole_context"), median(&to_same), "times");
    same.encoder(name, figures);
}

/// whisper-rs used plainly, in this build.
struct Whole {
    context: WhisperContext,
    state: WhisperState,
}

impl Whole {
    fn new(model: &str) -> Self {
        let context = WhisperContext::new_with_params(model, WhisperContextParameters::new());
        let context = context.expect("the model");
        let state = context.create_state().expect("a state");
        Self { context, state }
    }

    fn transcribe(&mut self, pcm: &[f32]) {
        self.state.full(plainly(), pcm).expect("words");
    }

    /// Time of the encoder alone at our context, and what part that is of the rate at which OpenBLAS
    /// multiplies matrices of 1,024 by 1,024 in float32, on one thread, taken in turn.
    fn encoder(&mut self, name: &str, figures: &mut Figures) {
        let mut parameters = plainly();
        parameters.set_audio_ctx(units());
        parameters.set_max_tokens(1);
        let pcm = vec![0.01; PIECE_S * RATE];
        self.state.full(parameters, &pcm).expect("an encoding"); // sets the context for what follows
        let sgemm = Sgemm::load();
        let (mut ms, mut rates) = (Vec::new(), Vec::new());
        for _ in 0..7 {
            let begun = Instant::now();
            self.state.encode(0, 1).expect("an encoding");
            ms.push(begun.elapsed().as_secs_f64() * 1_000.0);
            rates.extend(sgemm.as_ref().map(Sgemm::gflops));
        }
        let gflop = self.gflop();
        let rate = gflop / median(&ms) * 1_000.0;
        figures.add(&format!("{name}_encoder_of_5s"), median(&ms), "ms");
        figures.add(&format!("{name}_encoder_work"), gflop, "GFLOP");
        figures.add(&format!("{name}_encoder_rate"), rate, "GFLOP/s");
        figures.add(&format!("{name}_sgemm_rate"), median(&rates), "GFLOP/s");
        figures.add(&format!("{name}_encoder_of_sgemm"), rate / median(&rates), "part");
    }

    /// Multiplications and additions of the encoder and of the keys and values it gives the decoder.
    fn gflop(&self) -> f64 {
        let context = &self.context;
        let (units, width) = (f64::from(units()), f64::from(context.model_n_audio_state()));
        let mels = f64::from(context.model_n_mels());
        let convolutions = 2.0 * 3.0 * (2.0 * units * mels * width + units * width * width);
        let layer = 2.0 * (12.0 * units * width * width + 2.0 * units * units * width);
        let crossing = 2.0 * 2.0 * units * width * width;
        let layers = f64::from(context.model_n_audio_layer());
        (convolutions + layers * layer + f64::from(context.model_n_text_layer()) * crossing) / 1e9
    }
}

/// whisper's default parameters, on one thread, silent.
fn plainly() -> FullParams<'static, 'static> {
    let mut it = FullParams::new(SamplingStrategy::Greedy { best_of: 5 });
    it.set_language(Some("en"));
    it.set_n_threads(1);
    it.set_print_progress(false);
    it.set_print_special(false);
    it.set_print_realtime(false);
    it.set_print_timestamps(false);
    it
}

/// `cblas_sgemm` of Debian's OpenBLAS, found while running: nothing is linked with it.
struct Sgemm(Cblas);

type Cblas = unsafe extern "C" fn(
    order: i32,
    transpose_a: i32,
    transpose_b: i32,
    m: i32,
    n: i32,
    k: i32,
    alpha: f32,
    a: *const f32,
    lda: i32,
    b: *const f32,
    ldb: i32,
    beta: f32,
    c: *mut f32,
    ldc: i32,
);

impl Sgemm {
    const SIDE: usize = 1_024;

    /// `None` when this machine has no OpenBLAS.
    fn load() -> Option<Self> {
        let name: &CStr = c"libopenblas.so.0";
        // SAFETY: a library's name, and a symbol whose type is CBLAS's own.
        unsafe {
            let library = libc::dlopen(name.as_ptr(), libc::RTLD_NOW);
            if library.is_null() {
                return None;
            }
            let symbol = libc::dlsym(library, c"cblas_sgemm".as_ptr());
            (!symbol.is_null())
                .then(|| Self(std::mem::transmute::<*mut libc::c_void, Cblas>(symbol)))
        }
    }

    fn gflops(&self) -> f64 {
        let side = Self::SIDE;
        let (a, b, mut c) =
            (vec![0.5; side * side], vec![0.25; side * side], vec![0.0; side * side]);
        let n = side as i32;
        let begun = Instant::now();
        // SAFETY: three matrices of the size that is told, row by row (101), not transposed (111).
        unsafe {
            let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
            (self.0)(101, 111, 111, n, n, n, 1.0, a, n, b, n, 0.0, c, n);
        }
        assert!(c[0] > 0.0);
        2.0 * (side as f64).powi(3) / begun.elapsed().as_secs_f64() / 1e9
    }
}
