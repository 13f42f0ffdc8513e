//! How likely each 16 ms of audio is voice. Never remembers audio beyond the detector's own window.

use crate::speech::engine::bounds::FRAME_SAMPLES;

/// A voice activity detector of one person.
pub trait Vad: Send {
    /// Probability of voice in the frame, 0 to 1. `frame`: 16 kHz mono in [-1, 1], frames in order.
    fn voice(&mut self, frame: &[f32; FRAME_SAMPLES]) -> f32;

    /// Forgets what was heard: the next frame has nothing to do with the last.
    fn reset(&mut self);
}

/// The detector of the `earshot` crate: its weights are in the binary.
pub struct Earshot(Box<::earshot::Detector>);

impl Earshot {
    pub fn new() -> Self {
        Self(::earshot::Detector::default_boxed())
    }
}

impl Default for Earshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Vad for Earshot {
    fn voice(&mut self, frame: &[f32; FRAME_SAMPLES]) -> f32 {
        // Earshot wants [-1, 1] and asserts it; codecs overshoot, and a NaN would stay in its state.
        let frame = frame.map(|it| if it.is_finite() { it.clamp(-1.0, 1.0) } else { 0.0 });
        self.0.predict_f32(&frame).clamp(0.0, 1.0)
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

/// Takes loud samples for voice, and panics at a sample of exactly [`LoudnessVad::PANIC`].
#[cfg(test)]
#[derive(Default)]
pub struct LoudnessVad;

#[cfg(test)]
impl LoudnessVad {
    pub const PANIC: f32 = 0.777;
}

#[cfg(test)]
impl Vad for LoudnessVad {
    fn voice(&mut self, frame: &[f32; FRAME_SAMPLES]) -> f32 {
        assert!(!frame.contains(&Self::PANIC), "asked to panic");
        let power = frame.iter().map(|it| it * it).sum::<f32>() / FRAME_SAMPLES as f32;
        if power > 1e-3 { 1.0 } else { 0.0 }
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_rubbish_are_not_voice() {
        let mut vad = Earshot::new();
        for frame in
            [[0.0; FRAME_SAMPLES], [f32::NAN; FRAME_SAMPLES], [f32::INFINITY; FRAME_SAMPLES]]
        {
            for _ in 0..50 {
                let probability = vad.voice(&frame);
                assert!((0.0..0.3).contains(&probability), "{probability}");
            }
        }
        vad.voice(&[9.0; FRAME_SAMPLES]);
        vad.reset();
    }
}
