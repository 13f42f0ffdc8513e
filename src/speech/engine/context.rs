//! How much of whisper's 30 s window an utterance needs. Whisper always encodes the whole window
//! unless told otherwise; cutting it makes the cost go with the length of the utterance.

use crate::speech::engine::bounds::{
    CONTEXT_FULL, CONTEXT_MARGIN, CONTEXT_MARGIN_WIDER, CONTEXT_STEP, CONTEXT_UNITS_PER_S, RATE_HZ,
    TOKENS_PER_S_MAX, WHISPER_MS_MIN,
};

/// Encoder units for so many samples of 16 kHz: 50 per second and a margin, rounded up, at most 1500.
pub fn cut(samples: usize) -> u32 {
    with_margin(samples, CONTEXT_MARGIN)
}

/// As [`cut`], for a second try: with a margin that is three times as wide.
pub fn wider(samples: usize) -> u32 {
    with_margin(samples, CONTEXT_MARGIN_WIDER)
}

fn with_margin(samples: usize, margin: u64) -> u32 {
    let samples = (samples as u64).max(WHISPER_MS_MIN * u64::from(RATE_HZ) / 1_000);
    let units = (samples * CONTEXT_UNITS_PER_S).div_ceil(u64::from(RATE_HZ)) + margin;
    let rounded = units.div_ceil(CONTEXT_STEP) * CONTEXT_STEP;
    rounded.min(u64::from(CONTEXT_FULL)) as u32
}

/// Tokens whisper may write about so many samples: a bound on what a loop of it can cost.
pub fn tokens_max(samples: usize) -> u32 {
    let whole_s = (samples as u64).div_ceil(u64::from(RATE_HZ));
    (TOKENS_PER_S_MAX * whole_s + TOKENS_PER_S_MAX).min(224) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_goes_with_the_length() {
        let s = RATE_HZ as usize;
        for (samples, expect) in
            [(0, 128), (s, 128), (2 * s, 192), (5 * s, 320), (12 * s, 704), (29 * s, 1_500)]
        {
            assert_eq!(cut(samples), expect, "{samples}");
            assert!(u64::from(cut(samples)) >= samples as u64 * 50 / 16_000);
        }
        assert_eq!(cut(usize::MAX / 100), CONTEXT_FULL);
        assert_eq!((wider(s), wider(12 * s)), (256, 832));
        assert_eq!(wider(usize::MAX / 100), CONTEXT_FULL);
    }

    #[test]
    fn a_loop_of_whisper_is_bounded() {
        assert_eq!(tokens_max(0), 20);
        assert_eq!(tokens_max(16_000 * 2), 60);
        assert_eq!(tokens_max(16_000 * 30), 224);
    }
}
