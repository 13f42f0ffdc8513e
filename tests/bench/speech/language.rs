//! In which language somebody is written down who leaves it to the ear: how likely the right one is found to be,
//! in which their first utterances are read, how soon a change of language is noticed, and what asking costs.
//! Each utterance is read once in each language; everything else is the rules of the program played over that.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use vuoro::domain::language::Language;
use vuoro::domain::spoken::Spoken;
use vuoro::domain::time::{SessionTime, Span};
use vuoro::speech::driver::whisper::{
    Effort, Transcriber, WhisperFailure, WhisperModel, WhisperTranscriber, words,
};
use vuoro::speech::engine::guard::Piece;
use vuoro::speech::engine::level::levelled;
use vuoro::speech::engine::segmenter::Utterance;
use vuoro::speech::engine::tongue::{Odds, Tongue};

use crate::audio::{Clip, RATE};
use crate::figures::{Figures, median};
use crate::peer::with_cpu;

/// One person's utterances, in the order they were said. `kind`: with whom they are counted.
pub struct Person {
    pub kind: &'static str,
    pub language: Language,
    pub said: Vec<Clip>,
}

/// What is heard of an utterance at most, in seconds.
const UTTERANCE_S_MAX: usize = 8;

/// What is put down as how sure an utterance is of its language.
const STEPS: [f32; 6] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// By how much words may be less sure than usual, in natural logarithms, before the language is asked about.
const FALLS: [f64; 4] = [0.2, 0.35, 0.5, 0.7];

/// An utterance that is all of a clip, four fifths of it voice.
fn utterance(pcm: &[f32]) -> Utterance {
    let pcm = pcm[..pcm.len().min(UTTERANCE_S_MAX * RATE)].to_vec();
    let ms = pcm.len() as u64 * 1_000 / RATE as u64;
    let span = Span::new(SessionTime::ZERO, SessionTime(ms));
    Utterance { span, voice: vec![span], pcm, voice_ms: ms * 4 / 5, overlap_ms: 0 }
}

pub fn run(name: &str, model: &str, people: &[Person], figures: &mut Figures) {
    let model = WhisperModel::load(model.as_ref()).expect("the model");
    let mut whisper = Once::new(model.transcriber().expect("a state"));
    let mut kinds: Vec<(&str, Language)> = people.iter().map(|it| (it.kind, it.language)).collect();
    kinds.dedup();
    for (kind, language) in kinds {
        let people: Vec<&Person> = people.iter().filter(|it| it.kind == kind).collect();
        let name = format!("{name}_{kind}");
        heard(&name, &mut whisper, language, &people, figures);
        first_utterances(&name, &mut whisper, language, &people, figures);
    }
    changes(name, &mut whisper, people, figures);
    let Once { reading_ms, asking_ms, .. } = &whisper;
    figures.add(&format!("{name}_utterances_read"), asking_ms.len() as f64, "");
    figures.add(&format!("{name}_reading_cpu_p50"), median(reading_ms), "ms");
    figures.add(&format!("{name}_asking_cpu_p50"), median(asking_ms), "ms");
    let added = median(asking_ms) / median(reading_ms);
    figures.add(&format!("{name}_asking_adds"), 100.0 * added, "% CPU");
}

/// How likely the language is by each utterance, and how sure words are in it and in others.
fn heard(
    name: &str,
    whisper: &mut Once,
    language: Language,
    people: &[&Person],
    figures: &mut Figures,
) {
    let (mut of, mut likeliest, mut seconds) = (0u32, 0u32, 0.0);
    let (mut right, mut wrong) = ([0u32; STEPS.len()], [0u32; STEPS.len()]);
    let (mut needless, mut noticed) = ([0u32; FALLS.len()], [0u32; FALLS.len()]);
    let (mut rights, mut wrongs) = (0u32, 0u32);
    for person in people {
        let (mut sure, mut unsure) = (Vec::new(), Vec::new());
        for clip in &person.said {
            let read = |language, whisper: &mut Once| {
                let tongue = Tongue::new(Spoken::ByEar(language));
                words(whisper, &utterance(&clip.pcm), &tongue, "").expect("words").evidence
            };
            let evidence = read(language, whisper);
            sure.extend(whisper.sureness(clip, language));
            let others = Language::ALL.into_iter().filter(|it| *it != language);
            others.for_each(|it| unsure.extend(whisper.sureness(clip, it)));
            let Some(odds) = evidence.odds else { continue };
            of += 1;
            seconds += clip.seconds();
            let most = odds.iter().copied().fold(0.0, f32::max);
            let is_right = odds[language as usize] == most;
            likeliest += u32::from(is_right);
            let counts = if is_right { &mut right } else { &mut wrong };
            counts.iter_mut().zip(STEPS).for_each(|(it, step)| *it += u32::from(step <= most));
            println!("  {name}, {:.1} s: {odds:.3?}", clip.seconds());
        }
        let usual = median(&sure);
        for (n, fall) in FALLS.into_iter().enumerate() {
            let falls = |of: &[f64]| of.iter().filter(|it| **it < usual - fall).count() as u32;
            needless[n] += falls(&sure);
            noticed[n] += falls(&unsure);
        }
        rights += sure.len() as u32;
        wrongs += unsure.len() as u32;
    }
    let part = |it: u32, of: u32| 100.0 * f64::from(it) / f64::from(of.max(1));
    figures.add(&format!("{name}_utterances"), f64::from(of), "");
    figures.add(&format!("{name}_seconds_each"), seconds / f64::from(of.max(1)), "s");
    figures.add(&format!("{name}_likeliest_is_right"), part(likeliest, of), "%");
    for (n, step) in STEPS.into_iter().enumerate() {
        let percent = (step * 100.0).round();
        figures.add(&format!("{name}_right_from_{percent}"), part(right[n], of), "%");
        figures.add(&format!("{name}_wrong_from_{percent}"), part(wrong[n], of), "%");
    }
    for (n, fall) in FALLS.into_iter().enumerate() {
        figures.add(&format!("{name}_falls_{fall}_in_own"), part(needless[n], rights), "%");
        figures.add(&format!("{name}_falls_{fall}_in_other"), part(noticed[n], wrongs), "%");
    }
}

/// In which language each utterance is written down, of people who are taken to speak another; and how many of
/// all are in a wrong one when they were taken for what they are.
fn first_utterances(
    name: &str,
    whisper: &mut Once,
    language: Language,
    people: &[&Person],
    figures: &mut Figures,
) {
    let (mut right, mut of) = ([0u32; 3], [0u32; 3]);
    let (mut strayed, mut all) = (0u32, 0u32);
    for person in people {
        for guess in Language::ALL.into_iter().filter(|it| *it != language) {
            let written = written(whisper, guess, &person.said);
            for (n, it) in written.iter().enumerate().take(of.len()) {
                of[n] += 1;
                right[n] += u32::from(*it == language);
            }
        }
        let written = written(whisper, language, &person.said);
        all += written.len() as u32;
        strayed += written.iter().filter(|it| **it != language).count() as u32;
    }
    for n in 0..of.len() {
        let part = 100.0 * f64::from(right[n]) / f64::from(of[n].max(1));
        figures.add(&format!("{name}_right_in_utterance_{}", n + 1), part, "%");
    }
    figures.add(&format!("{name}_taken_for_another"), f64::from(of[0]), "");
    figures.add(&format!("{name}_strayed"), f64::from(strayed), "utterances");
    figures.add(&format!("{name}_strayed_of"), f64::from(all), "utterances");
}

/// Somebody who is known after three utterances goes on in another language.
fn changes(name: &str, whisper: &mut Once, people: &[Person], figures: &mut Figures) {
    let mut noticed: BTreeMap<(&str, &str), [u32; 4]> = BTreeMap::new();
    let talkers: Vec<&Person> = people.iter().filter(|it| 3 <= it.said.len()).collect();
    for before in &talkers {
        for after in talkers.iter().filter(|it| it.language != before.language) {
            let said = [&before.said[..3], &after.said[..3]].concat();
            let written = written(whisper, before.language, &said);
            let at = written[3..].iter().position(|it| *it == after.language).unwrap_or(3);
            noticed.entry((before.language.code(), after.kind)).or_default()[at] += 1;
        }
    }
    for ((from, to), counts) in noticed {
        let all: u32 = counts.iter().sum();
        for (n, count) in ["first", "second", "third", "later"].into_iter().zip(counts) {
            let part = 100.0 * f64::from(count) / f64::from(all);
            figures.add(&format!("{name}_from_{from}_to_{to}_noticed_{n}"), part, "%");
        }
    }
}

/// In which language each is written down, of somebody who is taken to speak `guess`.
fn written(whisper: &mut Once, guess: Language, said: &[Clip]) -> Vec<Language> {
    let mut tongue = Tongue::new(Spoken::ByEar(guess));
    let mut say = |clip: &Clip| {
        let words = words(whisper, &utterance(&clip.pcm), &tongue, "").expect("words");
        tongue.learn(words.evidence);
        words.language
    };
    said.iter().map(&mut say).collect()
}

/// Which audio, and in which language and how it was read.
type Reading = (u64, Language, bool);

/// Whisper that reads nothing twice in the same way, and knows what reading and asking cost.
struct Once {
    whisper: WhisperTranscriber,
    read: BTreeMap<Reading, Vec<Piece>>,
    odds: BTreeMap<u64, Option<Odds>>,
    /// The audio that was read last.
    last: u64,
    /// With the context cut, and one step of the decoder after it.
    reading_ms: Vec<f64>,
    asking_ms: Vec<f64>,
}

impl Once {
    fn new(whisper: WhisperTranscriber) -> Self {
        let (read, odds) = (BTreeMap::new(), BTreeMap::new());
        Self { whisper, read, odds, last: 0, reading_ms: vec![], asking_ms: vec![] }
    }

    /// How sure the words are in a language, at the first try; `None`: there are none.
    fn sureness(&mut self, clip: &Clip, language: Language) -> Option<f64> {
        let pcm = utterance(&clip.pcm).pcm;
        let pieces = self.transcribe(&levelled(&pcm), language, "", Effort::Cut).expect("words");
        let sum: f32 = pieces.iter().map(|it| it.logprob_mean).sum();
        let said = pieces.iter().any(|it| !it.text.trim().is_empty());
        said.then(|| f64::from(sum / pieces.len() as f32))
    }
}

impl Transcriber for Once {
    fn transcribe(
        &mut self,
        pcm: &[f32],
        language: Language,
        prompt: &str,
        effort: Effort,
    ) -> Result<Vec<Piece>, WhisperFailure> {
        assert!(prompt.is_empty(), "nothing is remembered of prompts");
        let mut hasher = DefaultHasher::new();
        pcm.iter().for_each(|it| it.to_bits().hash(&mut hasher));
        self.last = hasher.finish();
        let reading = (self.last, language, effort == Effort::Cut);
        if let Some(known) = self.read.get(&reading) {
            return Ok(known.clone());
        }
        let (pieces, cpu) = with_cpu(|| self.whisper.transcribe(pcm, language, prompt, effort));
        let pieces = pieces?;
        if effort == Effort::Cut {
            self.reading_ms.push(ms(cpu));
        }
        // While whisper still knows what it has heard, as the program asks.
        if !self.odds.contains_key(&self.last) {
            let (odds, cpu) = with_cpu(|| self.whisper.odds());
            self.asking_ms.push(ms(cpu));
            self.odds.insert(self.last, odds?);
        }
        self.read.insert(reading, pieces.clone());
        Ok(pieces)
    }

    fn detect(&mut self, pcm: &[f32]) -> Result<Language, WhisperFailure> {
        self.whisper.detect(pcm)
    }

    fn odds(&mut self) -> Result<Option<Odds>, WhisperFailure> {
        Ok(self.odds.get(&self.last).copied().flatten())
    }
}

fn ms(it: Duration) -> f64 {
    it.as_secs_f64() * 1_000.0
}

/// Everybody there is. `meetings`: from [`crate::meetings::people`].
pub fn people(
    english: &[Clip],
    meetings: Vec<Vec<Clip>>,
    finnish: &[Clip],
    swedish: &[Clip],
    single: impl Fn(Language) -> Vec<Clip>,
) -> Vec<Person> {
    let mut people = Vec::new();
    let mut add = |kind, language, said: Vec<Vec<Clip>>| {
        let said = said.into_iter().map(|it| it.into_iter().filter(long_enough).collect());
        let person = |said: Vec<Clip>| Person { kind, language, said };
        people.extend(said.map(person).filter(|it| !it.said.is_empty()));
    };
    add("english_read", Language::English, readers(english));
    // The first of each.
    let meetings = meetings.into_iter().map(|it| it.into_iter().filter(long_enough).take(3));
    add("english_meetings", Language::English, meetings.map(Iterator::collect).collect());
    add("finnish_voice", Language::Finnish, finnish.chunks(4).map(<[Clip]>::to_vec).collect());
    add("swedish_voice", Language::Swedish, swedish.chunks(4).map(<[Clip]>::to_vec).collect());
    for (kind, language) in
        [("finnish_words", Language::Finnish), ("swedish_words", Language::Swedish)]
    {
        add(kind, language, lists(&single(language)));
    }
    people
}

/// Of what is shorter the program does not ask.
fn long_enough(clip: &Clip) -> bool {
    1.0 <= clip.seconds()
}

/// One of jfk, whose sentence has three long pauses; two others, who read five each.
fn readers(english: &[Clip]) -> Vec<Vec<Clip>> {
    let Some((jfk, others)) = english.split_first() else { return Vec::new() };
    let phrase = |(from_ms, to_ms): (usize, usize)| Clip {
        name: jfk.name.clone(),
        pcm: jfk.pcm[from_ms * 16..to_ms * 16].to_vec(),
        words: String::new(),
    };
    let phrases = [(200, 2_600), (3_100, 4_700), (5_200, 7_900), (8_000, 11_000)];
    let mut readers = vec![phrases.into_iter().map(phrase).collect()];
    readers.extend(others.chunks(5).map(<[Clip]>::to_vec));
    readers
}

/// Words of one person, five in an utterance with a breath between, each word once in three utterances.
fn lists(single: &[Clip]) -> Vec<Vec<Clip>> {
    let list = |words: &[&Clip]| {
        let mut list = Clip { name: "words".into(), ..Clip::default() };
        for word in words {
            list.pcm.extend(&word.pcm);
            list.pcm.resize(list.pcm.len() + RATE / 8, 0.0);
        }
        list
    };
    // So many steps apart, another list each time.
    let person = |step: usize| {
        let order: Vec<&Clip> =
            (0..single.len()).map(|n| &single[n * step % single.len()]).collect();
        order.chunks(5).filter(|it| 3 <= it.len()).map(list).collect()
    };
    if single.is_empty() { Vec::new() } else { [1, 3, 5].map(person).to_vec() }
}
