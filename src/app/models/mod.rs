//! The speech models there are: what the manifest says of each, which are here, and whether they are
//! right. Brings, checks and removes files in one folder, and never trusts one whose checksum is wrong.

mod fetch;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

pub use fetch::fetch;

/// The list of models, as it was when the program was built.
const MANIFEST: &str = include_str!("../../../models/whisper/manifest.toml");

/// One model, as the manifest has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub name: String,
    /// What it is good for, in a phrase.
    pub about: String,
    /// Name of its file.
    pub file: String,
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
    /// The official place.
    pub url: Option<String>,
    /// CPU for a short utterance beside `tiny`'s; what has none is not for a CPU.
    pub work: Option<f64>,
    /// How good it is for Finnish: 0 is not usable, and more is better.
    pub finnish: u8,
}

/// What is in the folder under a model's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Of the right size; [`Model::verify`] looks inside.
    Here,
    /// Some file of another size.
    Damaged,
    Missing,
}

/// Why a model could not be brought, checked or removed.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("there is no model called {name:?}: `vuoro model list` lists them")]
    Unknown { name: String },
    #[error("using the model file {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("preparing the folder {folder}: {source}")]
    Folder { folder: PathBuf, source: io::Error },
    #[error(
        "running python3, which brings models: {source}. Install Python 3.11 or newer, or bring the \
         file yourself from {url} and put it into {folder}"
    )]
    Python { source: io::Error, url: String, folder: PathBuf },
    #[error("not all could be had; what is said above tells what to do")]
    NotHad,
}

/// Every model of the manifest, from the lightest to the heaviest. None when the manifest is not as it
/// should be, which a test rules out.
pub fn all() -> Vec<Model> {
    read(MANIFEST).unwrap_or_default()
}

/// The model of that name.
pub fn find(name: &str) -> Result<Model, ModelError> {
    let unknown = || ModelError::Unknown { name: name.to_owned() };
    all().into_iter().find(|it| it.name == name).ok_or_else(unknown)
}

impl Model {
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.file)
    }

    pub fn presence(&self, folder: &Path) -> Presence {
        match std::fs::metadata(self.path(folder)) {
            Ok(it) if it.len() == self.bytes => Presence::Here,
            Ok(_) => Presence::Damaged,
            Err(_) => Presence::Missing,
        }
    }

    /// Whether the whole file is what it should be. Reads all of it: a second for each 500 MB.
    pub fn verify(&self, folder: &Path) -> Result<bool, ModelError> {
        let path = self.path(folder);
        is_right(&path).map_err(|source| ModelError::File { path, source })
    }

    /// Deletes the file, and what has come of one that was interrupted. Tells whether there was any.
    pub fn remove(&self, folder: &Path) -> Result<bool, ModelError> {
        let mut any = false;
        for path in [self.path(folder), folder.join(format!("{}.part", self.file))] {
            match std::fs::remove_file(&path) {
                Ok(()) => any = true,
                Err(source) if source.kind() == io::ErrorKind::NotFound => (),
                Err(source) => return Err(ModelError::File { path, source }),
            }
        }
        Ok(any)
    }
}

/// Lines of every model: name, size, whether it is here, what it is for.
pub fn list(folder: &Path) -> String {
    let line = |it: Model| {
        let presence = match it.presence(folder) {
            Presence::Here => "here",
            Presence::Damaged => "damaged",
            Presence::Missing => "-",
        };
        format!("{:<15} {:>5} MB  {presence:<8} {}\n", it.name, it.bytes / 1_000_000, it.about)
    };
    all().into_iter().map(line).collect()
}

/// `ggml-base.bin` is `base`.
pub fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_prefix("ggml-").unwrap_or(&stem).to_owned()
}

/// Whether the file is what the manifest says of a file with its name; one that the manifest does
/// not know is the administrator's own.
pub fn is_right(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(expected) = all().into_iter().find(|it| it.file == name) else { return Ok(true) };
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => hash.update(&buffer[..length]),
        }
    }
    let found: String = hash.finalize().iter().map(|it| format!("{it:02x}")).collect();
    Ok(found == expected.sha256)
}

/// The manifest is a table of models; each has at least `file`, `bytes` and `sha256`.
fn read(manifest: &str) -> Option<Vec<Model>> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let models = manifest.get("model")?.as_table()?;
    let model = |(name, it): (&String, &toml::Value)| {
        let text = |key| it.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let number = |key| it.get(key).and_then(toml::Value::as_integer);
        Some(Model {
            name: name.clone(),
            about: text("about")?,
            file: text("file")?,
            bytes: u64::try_from(number("bytes")?).ok()?,
            sha256: text("sha256")?,
            url: text("url"),
            work: it.get("work").and_then(toml::Value::as_float),
            finnish: u8::try_from(number("finnish")?).ok()?,
        })
    };
    let mut models: Vec<Model> = models.iter().map(model).collect::<Option<_>>()?;
    models.sort_by(|a, b| a.bytes.cmp(&b.bytes).then_with(|| a.name.cmp(&b.name)));
    Some(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_can_be_read() {
        let models = read(MANIFEST).expect("every model has what it needs");
        assert_eq!(models.first().unwrap().name, "tiny");
        for it in &models {
            assert!(it.sha256.len() == 64 && it.file.ends_with(".bin"), "{it:?}");
        }
        let base = find("base").unwrap();
        assert_eq!(base.sha256, "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe");
        assert!(find("bass").unwrap_err().to_string().contains("\"bass\""));
    }

    #[test]
    fn what_is_here_is_told_from_what_is_damaged_and_can_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut tiny = find("tiny").unwrap();
        assert_eq!(tiny.presence(folder), Presence::Missing);
        assert!(!tiny.remove(folder).unwrap());
        std::fs::write(tiny.path(folder), b"half").unwrap();
        std::fs::write(folder.join("ggml-tiny.bin.part"), b"some").unwrap();
        assert_eq!(tiny.presence(folder), Presence::Damaged);
        assert!(list(folder).starts_with("tiny "), "{}", list(folder));
        assert!(list(folder).contains("MB  damaged"), "{}", list(folder));
        tiny.bytes = 4;
        assert_eq!(tiny.presence(folder), Presence::Here);
        assert!(!tiny.verify(folder).unwrap(), "the right size and the wrong bytes");
        assert!(tiny.remove(folder).unwrap());
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
        assert!(tiny.verify(folder).unwrap_err().to_string().contains("ggml-tiny.bin"));
    }

    #[test]
    fn an_unknown_file_is_the_administrators_own() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("my-own.bin");
        std::fs::write(&own, b"anything").unwrap();
        assert!(is_right(&own).unwrap());
        assert_eq!(name_of(&own), "my-own");
        assert_eq!(name_of(Path::new("x/ggml-small-q8_0.bin")), "small-q8_0");
    }
}
