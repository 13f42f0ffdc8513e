//! Word errors and real-time factor over whole talks: ours by its whole path for files, whisper plainly.

use vuoro::domain::language::Language;
use vuoro::speech::driver::wav::transcribe_file;
use vuoro::speech::driver::whisper::WhisperModel;

use crate::audio::{Clip, scratch, write};
use crate::figures::Figures;
use crate::peer::{Peer, with_cpu};
use crate::words::{plain, word_errors};

#[derive(Default)]
struct Sum {
    errors: usize,
    cpu_s: f64,
}

impl Sum {
    fn add(&mut self, figures: &mut Figures, name: &str, words: usize, seconds: f64) {
        figures.add(&format!("{name}_wer"), 100.0 * self.errors as f64 / words as f64, "%");
        figures.add(&format!("{name}_rtf"), self.cpu_s / seconds, "CPU s/s");
    }
}

/// `whole`: the peer is given each talk whole, else nothing is compared.
pub fn run(
    name: &str,
    model: &str,
    peer: Option<&str>,
    talks: &[Clip],
    language: Language,
    figures: &mut Figures,
) {
    let folder = scratch("talks");
    let ours = WhisperModel::load(model.as_ref()).expect("the model");
    let mut stock = peer.map(|it| Peer::start(it, model));
    let (mut own, mut theirs) = (Sum::default(), Sum::default());
    for (n, talk) in talks.iter().enumerate() {
        let path = folder.join(format!("{n}.wav"));
        write(&path, &talk.pcm);
        let mut said = String::new();
        let (done, cpu) = with_cpu(|| {
            transcribe_file(
                &path,
                &ours,
                Some(language),
                |_, _| (),
                |it| {
                    said += " ";
                    said += &it.text;
                },
            )
        });
        done.expect("a transcript");
        let errors = word_errors(&talk.words, &said);
        own.errors += errors;
        own.cpu_s += cpu.as_secs_f64();
        let mut line =
            format!("  {}: ours {errors} of {} wrong", talk.name, plain(&talk.words).len());
        if std::env::var_os("VUORO_BENCH_SHOW").is_some() {
            println!("  is   {}\n  ours {}", talk.words, said.trim());
        }
        if let Some(stock) = &mut stock {
            let (said, cpu) = stock.transcribe(&talk.pcm, language.code());
            let errors = word_errors(&talk.words, &said);
            theirs.errors += errors;
            theirs.cpu_s += cpu.as_secs_f64();
            line += &format!(", whisper plainly {errors}");
        }
        println!("{line}");
    }
    let words: usize = talks.iter().map(|it| plain(&it.words).len()).sum();
    let seconds: f64 = talks.iter().map(Clip::seconds).sum();
    figures.add(&format!("{name}_words"), words as f64, "words");
    figures.add(&format!("{name}_minutes"), seconds / 60.0, "min");
    own.add(figures, name, words, seconds);
    if stock.is_some() {
        theirs.add(figures, &format!("{name}_plain"), words, seconds);
    }
    let _ = std::fs::remove_dir_all(folder);
}
