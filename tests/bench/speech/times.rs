//! When each word was said: our times beside those of others. For the English recordings a recogniser of
//! another kind (PocketSphinx, hidden Markov models over 10 ms) is told the words and says where each is; the
//! synthetic Finnish voice itself tells where its words end; and where two recordings were put one after another,
//! that place is known to the sample. And what the times take of the log.

use std::path::Path;
use std::process::Command;

use vuoro::domain::fact::Fact;
use vuoro::domain::ids::{ParticipantId, RoomId};
use vuoro::domain::language::Language;
use vuoro::domain::time::{SessionTime, Span};
use vuoro::notes::engine::record;
use vuoro::speech::driver::vad::{Earshot, Vad};
use vuoro::speech::driver::whisper::{WhisperModel, WhisperTranscriber, Words, words};
use vuoro::speech::engine::bounds::{FRAME_MS, FRAME_SAMPLES};
use vuoro::speech::engine::floor::Standing;
use vuoro::speech::engine::level::Level;
use vuoro::speech::engine::segmenter::{Segmenter, Utterance};
use vuoro::speech::engine::tongue::Tongue;

use crate::audio::{Clip, RATE, scratch, write};
use crate::figures::{Figures, median};
use crate::words::{plain, word_errors};

/// Silence between two recordings that are put into one utterance, in samples: a short breath.
const BREATH: usize = RATE / 4;

/// Words with when they begin and end, in ms.
type Placed = Vec<(String, f64, f64)>;

/// `timed`: Finnish clips with the end of each word in ms, as the voice tells it.
pub fn run(
    name: &str,
    model: &str,
    english: &[Clip],
    timed: &[(Clip, Vec<f64>)],
    figures: &mut Figures,
) {
    let model = WhisperModel::load(model.as_ref()).expect("the model");
    let mut whisper = model.transcriber().expect("a state");
    let mut read = |pcm: &[f32], language| Read::of(&mut whisper, pcm, language);
    let mut log = Log::default();
    let (mut begins, mut ends, mut later) = (vec![], vec![], vec![]);
    let mut words_of = 0;
    for clip in english {
        let heard = read(&clip.pcm, Language::English);
        words_of += heard.words.len();
        log.add(&heard, clip.seconds());
        let Some(aligned) = aligned(clip) else { continue };
        let mut of_clip = Vec::new();
        for (word, (_, begin, end)) in matched(&heard.words, &aligned) {
            of_clip.push((word.begin_ms - begin).abs());
            later.push(word.begin_ms - begin);
            ends.push((word.end_ms - end).abs());
        }
        let count = of_clip.len();
        println!(
            "  {}: {count} words, begin {:.0} ms off in the middle",
            clip.name,
            median(&of_clip)
        );
        begins.extend(of_clip);
    }
    figures.add(&format!("{name}_english_words"), words_of as f64, "words");
    figures.add(&format!("{name}_words_compared"), begins.len() as f64, "words");
    figures.percentiles(&format!("{name}_begins_off"), &begins, "ms");
    figures.percentiles(&format!("{name}_ends_off"), &ends, "ms");
    figures.add(&format!("{name}_begins_later_p50"), median(&later), "ms");
    seams(name, &mut read, english, figures);
    let (mut off, mut clips) = (Vec::new(), 0);
    for (clip, ends) in timed {
        let heard = read(&clip.pcm, Language::Finnish);
        log.add(&heard, clip.seconds());
        // Only where as many words are heard as were said is it known which is which.
        if heard.words.len() == ends.len() {
            clips += 1;
            off.extend(heard.words.iter().zip(ends).map(|(it, end)| (it.end_ms - end).abs()));
        }
    }
    figures.add(&format!("{name}_finnish_clips_compared"), f64::from(clips), "clips");
    figures.percentiles(&format!("{name}_finnish_ends_off"), &off, "ms");
    log.tell(name, figures);
}

/// A recording as the program reads it.
struct Read {
    said: Vec<(Utterance, Words)>,
    words: Vec<Word>,
}

struct Word {
    text: String,
    begin_ms: f64,
    end_ms: f64,
}

impl Read {
    fn of(whisper: &mut WhisperTranscriber, pcm: &[f32], language: Language) -> Self {
        let mut read = Self { said: Vec::new(), words: Vec::new() };
        for utterance in utterances(pcm) {
            let said = words(whisper, &utterance, &Tongue::told(language), "").expect("words");
            let texts: Vec<&str> = said.text.split_whitespace().collect();
            assert!(said.spans.windows(2).all(|it| it[0].end <= it[1].start), "in order");
            assert!(said.spans.iter().all(|it| utterance.span.covers(*it)), "inside");
            assert_eq!(said.spans.len(), texts.len(), "one for each");
            for (text, span) in texts.iter().zip(&said.spans) {
                let (begin_ms, end_ms) = ms(span);
                read.words.push(Word { text: plain(text).concat(), begin_ms, end_ms });
            }
            read.said.push((utterance, said));
        }
        read
    }
}

/// What the program's own detector finds in a recording.
fn utterances(pcm: &[f32]) -> Vec<Utterance> {
    let (mut vad, mut level, mut segmenter) = (Earshot::new(), Level::default(), Segmenter::new());
    let mut found = Vec::new();
    for (frame, n) in pcm.as_chunks::<FRAME_SAMPLES>().0.iter().zip(0..) {
        let probability = vad.voice(&level.lift(frame));
        segmenter.push(frame, probability, Standing::Out, SessionTime(n * FRAME_MS), &mut found);
    }
    segmenter.cut(&mut found);
    found
}

/// Two recordings with a breath between: where the one ends and the other begins.
fn seams(
    name: &str,
    read: &mut impl FnMut(&[f32], Language) -> Read,
    english: &[Clip],
    figures: &mut Figures,
) {
    let (mut ends, mut begins, mut pairs) = (Vec::new(), Vec::new(), 0);
    let short: Vec<_> = english.iter().filter(|it| it.seconds() < 5.5).collect();
    for (n, first) in short.iter().enumerate() {
        for second in short.iter().cycle().skip(n + 1).take(2) {
            let (first_voice, second_voice) = (voiced(&first.pcm), voiced(&second.pcm));
            let mut pcm = first.pcm[..first_voice.end].to_vec();
            let end = pcm.len();
            pcm.resize(end + BREATH, 0.0);
            pcm.extend(&second.pcm[second_voice.start..]);
            let heard = read(&pcm, Language::English);
            // Only where each word is what was said is it known which is which.
            let said = format!("{} {}", first.words, second.words);
            let last = plain(&first.words).len();
            let text: Vec<&str> = heard.words.iter().map(|it| it.text.as_str()).collect();
            if word_errors(&said, &text.join(" ")) > 0 || text.len() != plain(&said).len() {
                continue;
            }
            pairs += 1;
            let at = |samples: usize| samples as f64 * 1_000.0 / RATE as f64;
            ends.push((heard.words[last - 1].end_ms - at(end)).abs());
            begins.push((heard.words[last].begin_ms - at(end + BREATH)).abs());
        }
    }
    figures.add(&format!("{name}_seams"), f64::from(pairs), "pairs");
    figures.percentiles(&format!("{name}_before_seam_ends_off"), &ends, "ms");
    figures.percentiles(&format!("{name}_after_seam_begins_off"), &begins, "ms");
}

/// What was said, as the log keeps it, with times of words and without.
#[derive(Default)]
struct Log {
    with: usize,
    without: usize,
    seconds: f64,
}

impl Log {
    fn add(&mut self, heard: &Read, seconds: f64) {
        // As an hour into a session.
        const HOUR_MS: u64 = 3_600_000;
        let later = |it: &Span| Span::new(it.start + HOUR_MS, it.end + HOUR_MS);
        for (utterance, words) in heard.said.iter().filter(|it| !it.1.text.is_empty()) {
            let said = |words_at| Fact::Said {
                participant: ParticipantId(12),
                room: RoomId::Main,
                span: later(&utterance.span),
                language: words.language,
                text: words.text.clone(),
                words: words_at,
            };
            self.with += record::encode(&said(words.spans.iter().map(later).collect())).len();
            self.without += record::encode(&said(vec![])).len();
        }
        self.seconds += seconds;
    }

    fn tell(&self, name: &str, figures: &mut Figures) {
        let a_minute = |bytes: usize| bytes as f64 / self.seconds * 60.0;
        figures.add(&format!("{name}_log_without_times"), a_minute(self.without), "bytes/min");
        figures.add(&format!("{name}_log_with_times"), a_minute(self.with), "bytes/min");
    }
}

fn ms(it: &Span) -> (f64, f64) {
    (it.start.as_ms() as f64, it.end.as_ms() as f64)
}

/// Words that both have, in order.
fn matched<'a>(heard: &'a [Word], aligned: &'a Placed) -> Vec<(&'a Word, &'a (String, f64, f64))> {
    let mut rest = aligned.as_slice();
    let mut matched = Vec::new();
    for word in heard {
        // A word that whisper heard otherwise is passed over, not searched for in all that follows.
        let Some(found) = rest.iter().take(3).position(|it| it.0 == word.text) else { continue };
        matched.push((word, &rest[found]));
        rest = &rest[found + 1..];
    }
    matched
}

/// Where PocketSphinx finds the words that it is told; `None` where it is not here, or finds them not.
fn aligned(clip: &Clip) -> Option<Placed> {
    const MODEL: &str = "/usr/share/pocketsphinx/model/en-us";
    let folder = scratch("align");
    write(&folder.join("clip.wav"), &clip.pcm);
    std::fs::write(folder.join("clips"), "clip\n").ok()?;
    let words = clip.words.to_lowercase();
    let grammar = format!("#JSGF V1.0;\ngrammar clip;\npublic <clip> = {words};\n");
    std::fs::write(folder.join("clip.gram"), grammar).ok()?;
    let run = Command::new("pocketsphinx_batch")
        .current_dir(&folder)
        .args(["-hmm", &format!("{MODEL}/en-us"), "-dict", &format!("{MODEL}/cmudict-en-us.dict")])
        .args(["-jsgf", "clip.gram", "-adcin", "yes", "-adchdr", "44", "-cepdir", "."])
        .args(["-cepext", ".wav", "-ctl", "clips", "-hypseg", "found", "-bestpath", "no"])
        // Else it leaves silence out and counts on without it.
        .args(["-remove_silence", "no", "-logfn", "log"])
        .status();
    run.ok().filter(|it| it.success())?;
    let found = std::fs::read_to_string(folder.join("found")).ok()?;
    let _ = std::fs::remove_dir_all(&folder);
    placed(&found)
}

/// `clip S 0 T -18676 A -16317 L -2359`, then for each word its frame, two scores and itself, and at the end the
/// last frame. A frame is 10 ms.
fn placed(found: &str) -> Option<Placed> {
    let fields: Vec<&str> = found.split_whitespace().skip_while(|it| *it != "L").skip(2).collect();
    let frame = |at: usize| fields.get(at)?.parse::<f64>().ok().map(|it| it * 10.0);
    let mut placed = Placed::new();
    let mut at = 0;
    while let (Some(begin), Some(word)) = (frame(at), fields.get(at + 3)) {
        let end = frame(at + 4)?;
        // "the(2)" is another way to say it.
        let word = word.split('(').next().unwrap_or_default();
        if !word.starts_with('<') {
            placed.push((plain(word).concat(), begin, end));
        }
        at += 4;
    }
    (!placed.is_empty()).then_some(placed)
}

/// The ends of words that Festival tells, in seconds, beside each of its clips.
pub fn festival(clips: &[Clip], folder: &Path) -> Vec<(Clip, Vec<f64>)> {
    let timed = |clip: &Clip| {
        let text = std::fs::read(folder.join(format!("{}.words", clip.name))).ok()?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let end = |line: &str| line.split_whitespace().next()?.parse::<f64>().ok();
        let ends: Vec<f64> = text.lines().filter_map(end).map(|it| it * 1_000.0).collect();
        Some((clip.clone(), ends))
    };
    clips.iter().filter_map(timed).collect()
}

/// From the first to the last 20 ms that are louder than a fiftieth of the loudest.
fn voiced(pcm: &[f32]) -> std::ops::Range<usize> {
    let peak = pcm.iter().fold(0.0f32, |peak, it| peak.max(it.abs()));
    let loud = |it: &&[f32]| it.iter().any(|it| peak / 50.0 < it.abs());
    let frames: Vec<&[f32]> = pcm.chunks(RATE / 50).collect();
    let first = frames.iter().position(&loud).unwrap_or(0);
    let last = frames.iter().rposition(loud).unwrap_or(0);
    first * RATE / 50..((last + 1) * RATE / 50).min(pcm.len())
}
