//! The peer: transcribes what comes in with default parameters and whisper's whole 30 s of context.
//! `plain MODEL`; in: language (2 bytes), number of samples (u32), samples (f32); out: CPU in µs (u64),
//! length of the text (u32), text. All little-endian. It knows nothing of ours.

use std::io::{Read, Write};

use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters};

fn main() {
    whisper_rs::install_logging_hooks();
    let model = std::env::args().nth(1).expect("a model");
    let context = WhisperContext::new_with_params(&model, WhisperContextParameters::new());
    let mut state = context.expect("the model").create_state().expect("a state");
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut head = [0; 6];
    while input.read_exact(&mut head).is_ok() {
        let [a, b, length @ ..] = head;
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize * 4];
        input.read_exact(&mut bytes).expect("samples");
        let pcm: Vec<f32> =
            bytes.chunks_exact(4).map(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]])).collect();
        let language = String::from_utf8(vec![a, b]).expect("a language");
        let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 5 });
        parameters.set_language(Some(&language));
        parameters.set_n_threads(1);
        parameters.set_print_progress(false);
        parameters.set_print_special(false);
        parameters.set_print_realtime(false);
        parameters.set_print_timestamps(false);
        let begun = cpu_us();
        state.full(parameters, &pcm).expect("words");
        let took = cpu_us() - begun;
        let text: String =
            state.as_iter().map(|it| it.to_str_lossy().unwrap_or_default().into_owned()).collect();
        output.write_all(&took.to_le_bytes()).expect("a reader");
        output.write_all(&(text.len() as u32).to_le_bytes()).expect("a reader");
        output.write_all(text.as_bytes()).expect("a reader");
        output.flush().expect("a reader");
    }
}

fn cpu_us() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes the one struct it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}
