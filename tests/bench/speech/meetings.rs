//! Turns and overlaps of real meetings: what our voice detector and our balance make of the AMI excerpts, beside
//! the speaker turns that people have marked. There is only the room's mixed channel, so each person is given
//! a track of their own: the room as it sounds during their marked turns, and silence else. What this cannot
//! show is a voice that reaches another's microphone.

use std::collections::BTreeMap;
use std::path::Path;

use vuoro::domain::balance::Balance;
use vuoro::domain::ids::ParticipantId;
use vuoro::domain::language::Language;
use vuoro::domain::time::{SessionTime, Span};
use vuoro::domain::timeline::Timeline;
use vuoro::speech::driver::wav::transcribe_with;
use vuoro::speech::driver::whisper::{Effort, Transcriber, WhisperFailure};
use vuoro::speech::engine::guard::Piece;

use crate::audio::{Clip, RATE, read, scratch, write};
use crate::figures::Figures;

type Voices = BTreeMap<ParticipantId, Vec<Span>>;

/// `folder`: the wavs and the `debug.*.rttm` beside them.
pub fn run(folder: &Path, figures: &mut Figures) {
    let mut sum = Compared::default();
    for (name, marked) in turns(folder) {
        let Some(pcm) = excerpt(folder, &name) else { continue };
        let heard = heard(&pcm, &marked);
        let compared = Compared::of(&marked, &heard);
        println!(
            "  {name}: {} people, talk {:.1} s marked and {:.1} heard, overlap {:.1} and {:.1} s, turns {} \
             and {}, of {} people right",
            marked.len(),
            compared.marked_ms as f64 / 1e3,
            compared.heard_ms as f64 / 1e3,
            compared.marked_overlap_ms as f64 / 1e3,
            compared.heard_overlap_ms as f64 / 1e3,
            compared.marked_turns,
            compared.heard_turns,
            compared.turns_right,
        );
        sum.add(&compared);
    }
    let part = |of: u64, all: u64| 100.0 * of as f64 / all.max(1) as f64;
    figures.add("ami_minutes", sum.ms as f64 / 60e3, "min");
    figures.add("ami_talk_missed", part(sum.missed_ms, sum.marked_ms), "%");
    figures.add("ami_talk_too_much", part(sum.too_much_ms, sum.marked_ms), "%");
    figures.add("ami_talk_time_error", part(sum.error_ms, sum.marked_ms), "%");
    figures.add("ami_overlap_marked", sum.marked_overlap_ms as f64 / 1e3, "s");
    figures.add("ami_overlap_heard", sum.heard_overlap_ms as f64 / 1e3, "s");
    figures.add("ami_turns_marked", f64::from(sum.marked_turns), "turns");
    figures.add("ami_turns_heard", f64::from(sum.heard_turns), "turns");
    figures.add("ami_people", sum.people as f64, "people");
    figures.add("ami_people_with_turns_right", sum.turns_right as f64, "people");
}

#[derive(Default)]
struct Compared {
    ms: u64,
    people: usize,
    marked_ms: u64,
    heard_ms: u64,
    /// Marked and not heard; heard and not marked.
    missed_ms: u64,
    too_much_ms: u64,
    /// Of each person's talk time as the balance counts it, summed.
    error_ms: u64,
    marked_overlap_ms: u64,
    heard_overlap_ms: u64,
    marked_turns: u32,
    heard_turns: u32,
    turns_right: usize,
}

impl Compared {
    fn of(marked: &Voices, heard: &Voices) -> Self {
        let mut it = Self { ms: 30_000, people: marked.len(), ..Self::default() };
        let people: Vec<ParticipantId> = marked.keys().copied().collect();
        let (by_mark, by_ear) = (balance(marked), balance(heard));
        for id in &people {
            let (mark, ear) = (timeline(&marked[id]), timeline(&heard[id]));
            it.marked_ms += mark.total_ms();
            it.heard_ms += ear.total_ms();
            it.missed_ms += uncovered_ms(&mark, &ear);
            it.too_much_ms += uncovered_ms(&ear, &mark);
            let end = SessionTime(60_000);
            let (mark, ear) =
                (by_mark.summary(&people, end).own(*id), by_ear.summary(&people, end).own(*id));
            it.error_ms += mark.talk_ms.abs_diff(ear.talk_ms);
            it.marked_turns += mark.turns;
            it.heard_turns += ear.turns;
            it.turns_right += usize::from(mark.turns == ear.turns);
        }
        it.marked_overlap_ms = overlap_ms(marked);
        it.heard_overlap_ms = overlap_ms(heard);
        it
    }

    fn add(&mut self, other: &Compared) {
        self.ms += other.ms;
        self.people += other.people;
        self.marked_ms += other.marked_ms;
        self.heard_ms += other.heard_ms;
        self.missed_ms += other.missed_ms;
        self.too_much_ms += other.too_much_ms;
        self.error_ms += other.error_ms;
        self.marked_overlap_ms += other.marked_overlap_ms;
        self.heard_overlap_ms += other.heard_overlap_ms;
        self.marked_turns += other.marked_turns;
        self.heard_turns += other.heard_turns;
        self.turns_right += other.turns_right;
    }
}

fn balance(voices: &Voices) -> Balance {
    let mut balance = Balance::new(SessionTime::ZERO);
    for (id, spans) in voices {
        spans.iter().for_each(|it| balance.uttered(*id, *it, &[*it]));
    }
    balance
}

fn timeline(spans: &[Span]) -> Timeline {
    spans.iter().copied().collect()
}

fn uncovered_ms(of: &Timeline, by: &Timeline) -> u64 {
    of.spans().iter().map(|it| it.ms() - by.covered_ms(*it)).sum()
}

/// Time in which at least two people have their voice on.
fn overlap_ms(voices: &Voices) -> u64 {
    let voices: Vec<Timeline> = voices.values().map(|it| timeline(it)).collect();
    let two = |ms: &u64| voices.iter().filter(|it| it.at(SessionTime(*ms)).is_some()).count() > 1;
    (0..30_000).filter(two).count() as u64
}

/// The utterances that our path for files finds in each person's track.
fn heard(pcm: &[f32], marked: &Voices) -> Voices {
    let path = scratch("meeting").join("track.wav");
    let track = |spans: &Vec<Span>| {
        let mut track = vec![0.0; pcm.len()];
        for span in spans {
            let at = |it: SessionTime| (it.as_ms() as usize * RATE / 1_000).min(pcm.len());
            let range = at(span.start)..at(span.end);
            track[range.clone()].copy_from_slice(&pcm[range]);
        }
        write(&path, &track);
        let mut found = Vec::new();
        let language = Some(Language::English);
        transcribe_with(&path, &mut Spans, language, |_, _| (), |it| found.push(it.span))
            .expect("spans");
        found
    };
    marked.iter().map(|(id, spans)| (*id, track(spans))).collect()
}

/// Writes one word for each utterance: only when somebody spoke is asked.
struct Spans;

impl Transcriber for Spans {
    fn transcribe(
        &mut self,
        _: &[f32],
        _: Language,
        _: &str,
        _: Effort,
    ) -> Result<Vec<Piece>, WhisperFailure> {
        Ok(vec![Piece { text: "voice".into(), no_speech: 0.0, logprob_mean: 0.0 }])
    }

    fn detect(&mut self, _: &[f32]) -> Result<Language, WhisperFailure> {
        Ok(Language::English)
    }
}

/// The excerpts whose words are known: from the corpus's own transcripts (`ami.txt`).
pub fn spoken(folder: &Path) -> Vec<Clip> {
    let clip = |line: &str| {
        let (name, words) = line.split_once(':')?;
        let pcm = excerpt(folder, name)?;
        Some(Clip { name: name.into(), pcm, words: words.trim().into() })
    };
    include_str!("ami.txt").lines().filter(|it| !it.starts_with('#')).filter_map(clip).collect()
}

/// What each person of each excerpt says, in order: the room as it sounds during their marked turns, turns less
/// than half a second apart as one.
pub fn people(folder: &Path) -> Vec<Vec<Clip>> {
    const PAUSE_MS: u64 = 500;
    let mut people = Vec::new();
    for (name, marked) in turns(folder) {
        let Some(pcm) = excerpt(folder, &name) else { continue };
        for (id, spans) in marked {
            let mut said: Vec<Span> = Vec::new();
            for span in timeline(&spans).spans() {
                match said.last_mut().filter(|it| span.start.since_ms(it.end) < PAUSE_MS) {
                    Some(last) => *last = Span::new(last.start, span.end),
                    None => said.push(*span),
                }
            }
            let clip = |span: &Span| {
                let at = |it: SessionTime| (it.as_ms() as usize * RATE / 1_000).min(pcm.len());
                let pcm = pcm[at(span.start)..at(span.end)].to_vec();
                Clip { name: format!("{name} {id}"), pcm, words: String::new() }
            };
            people.push(said.iter().map(clip).collect());
        }
    }
    people
}

/// The marked turns of each excerpt, by its name.
fn turns(folder: &Path) -> BTreeMap<String, Voices> {
    let mut excerpts: BTreeMap<String, Voices> = BTreeMap::new();
    let mut names: BTreeMap<(String, String), u32> = BTreeMap::new();
    for set in ["train", "development", "test"] {
        let path = folder.join(format!("debug.{set}.rttm"));
        let text = std::fs::read_to_string(path).expect("speaker turns");
        for line in text.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, excerpt, _, start, length, _, _, who, ..] = fields[..] else { continue };
            let ms = |it: &str| (it.parse::<f64>().expect("seconds") * 1_000.0).round() as u64;
            let next = names.len() as u32 + 1;
            let id = *names.entry((excerpt.into(), who.into())).or_insert(next);
            let span = Span::new(SessionTime(ms(start)), SessionTime(ms(start) + ms(length)));
            excerpts
                .entry(excerpt.into())
                .or_default()
                .entry(ParticipantId(id))
                .or_default()
                .push(span);
        }
    }
    excerpts
}

/// One of the recordings has a name with a tilde, to try programs with.
fn excerpt(folder: &Path, name: &str) -> Option<Vec<f32>> {
    let path = [name.to_owned(), name.replace('n', "ñ"), name.replace('n', "n\u{303}")]
        .map(|it| folder.join(format!("{it}.wav")))
        .into_iter()
        .find(|it| it.exists())?;
    Some(read(&path))
}
