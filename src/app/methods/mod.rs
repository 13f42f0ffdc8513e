//! The methods there are: those of the product, which are inside the binary, and an organisation's
//! own, which are files in its data folder. It reads them and never writes or runs one.

mod document;
mod printed;
mod words;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fmt,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

pub use document::{DOCUMENT_BYTES_MAX, MethodError, parse, to_toml};
pub use printed::{list, minutes, show};

use crate::domain::{
    language::Language,
    method::{Method, Text, length},
};

/// The folder of an organisation's own methods, inside the data folder.
pub const OWN_FOLDER: &str = "methods";

/// Own files read at most: a bound on what a folder put there by mistake can cost.
const OWN_FILES_MAX: usize = 500;

#[derive(rust_embed::RustEmbed)]
#[folder = "models/methods"]
struct Builtin;

/// Every method that can be run here.
#[derive(Clone, Debug, Default)]
pub struct Library {
    methods: Vec<Method>,
}

/// Why a file gives no method, and what to do about it. Shown as `FILE:LINE: text`, in English unless asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    pub file: PathBuf,
    /// From 1. Absent when it is about the file or folder as a whole.
    pub line: Option<usize>,
    pub text: Text,
}

impl FileFault {
    pub fn in_language(&self, language: Language) -> String {
        let line = self.line.map(|it| format!("{it}:")).unwrap_or_default();
        format!("{}:{line} {}", self.file.display(), self.text.in_language(language))
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_language(Language::English))
    }
}

impl Library {
    /// The product's methods, and those in `own`, a folder that need not exist; of two with the
    /// same id the own one counts. Files that are not right are left out and told of. Blocks while
    /// it reads.
    pub fn load(own: Option<&Path>) -> (Library, Vec<FileFault>) {
        let mut faults = Vec::new();
        let mut methods = BTreeMap::new();
        for method in builtin(&mut faults) {
            methods.insert(method.id.clone(), method);
        }
        if let Some(folder) = own {
            methods.extend(own_methods(folder, &mut faults));
        }
        let mut methods: Vec<_> = methods.into_values().collect();
        methods.sort_by_key(|it| length::seconds(it, it.people.ideal.into()));
        (Library { methods }, faults)
    }

    /// The shortest first, those of one length by id.
    pub fn all(&self) -> &[Method] {
        &self.methods
    }

    pub fn get(&self, id: &str) -> Option<&Method> {
        self.methods.iter().find(|it| it.id == id)
    }
}

/// Reads one file. It must be a plain one; at most `DOCUMENT_BYTES_MAX` of it are looked at.
pub fn read(file: &Path) -> Result<Method, Vec<FileFault>> {
    let fault = |line, text| FileFault { file: file.to_owned(), line, text };
    let text = text_of(file).map_err(|error| vec![fault(None, words::unreadable(&error))])?;
    parse(&text).map_err(|errors| errors.iter().map(|it| fault(Some(it.line), it.told())).collect())
}

/// One byte more than is allowed tells that there is too much.
fn text_of(file: &Path) -> std::io::Result<String> {
    if !fs::metadata(file)?.is_file() {
        return Err(std::io::Error::other("not a file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    if DOCUMENT_BYTES_MAX < bytes.len() {
        // The cut may be inside a character.
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

fn builtin(faults: &mut Vec<FileFault>) -> Vec<Method> {
    let mut methods = Vec::new();
    for name in Builtin::iter().filter(|it| is_document(Path::new(it.as_ref()))) {
        let text = Builtin::get(&name).map(|it| it.data.into_owned()).unwrap_or_default();
        match parse(&String::from_utf8_lossy(&text)) {
            Ok(method) => methods.push(method),
            Err(errors) => faults.extend(errors.into_iter().map(|it| FileFault {
                file: Path::new("models/methods").join(name.as_ref()),
                line: Some(it.line),
                text: it.told(),
            })),
        }
    }
    methods
}

fn own_methods(folder: &Path, faults: &mut Vec<FileFault>) -> BTreeMap<String, Method> {
    let mut methods = BTreeMap::new();
    let mut read_from: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in own_files(folder, faults) {
        let method = match read(&file) {
            Ok(method) => method,
            Err(found) => {
                faults.extend(found);
                continue;
            }
        };
        if let Some(other) = read_from.get(&method.id) {
            let text = words::id_taken(&method.id, &other.display().to_string());
            faults.push(FileFault { file, line: None, text });
            continue;
        }
        read_from.insert(method.id.clone(), file);
        methods.insert(method.id.clone(), method);
    }
    methods
}

/// By name, so that it does not depend on the disk which of two files counts.
fn own_files(folder: &Path, faults: &mut Vec<FileFault>) -> Vec<PathBuf> {
    let mut fault = |text| faults.push(FileFault { file: folder.to_owned(), line: None, text });
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            fault(words::unreadable_folder(&error));
            return Vec::new();
        }
    };
    let mut files: Vec<_> =
        entries.filter_map(|it| Some(it.ok()?.path())).filter(|it| is_document(it)).collect();
    files.sort();
    if OWN_FILES_MAX < files.len() {
        fault(words::too_many(OWN_FILES_MAX));
        files.truncate(OWN_FILES_MAX);
    }
    files
}

/// Editors keep hidden copies beside the file they write.
fn is_document(file: &Path) -> bool {
    let hidden = file.file_name().is_some_and(|it| it.to_string_lossy().starts_with('.'));
    !hidden && file.extension() == Some(OsStr::new("toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_product_is_right() {
        let (library, faults) = Library::load(None);
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults, Vec::<String>::new());
        let mut files: Vec<_> = Builtin::iter().map(|it| it.into_owned()).collect();
        files.sort();
        let mut named: Vec<_> = library.all().iter().map(|it| format!("{}.toml", it.id)).collect();
        named.sort();
        assert_eq!(named, files, "each file is named as its id, and nothing else lies there");
        assert!(3 <= files.len(), "{files:?}");
    }

    #[test]
    fn every_text_is_said_in_each_language() {
        for method in Library::load(None).0.all() {
            for (at, text) in texts(method) {
                let Text { fi, sv, en } = text;
                let id = &method.id;
                assert!(![fi, sv, en].iter().any(|it| it.trim().is_empty()), "{id}, {at}: empty");
                // A name may be one word, and that the same: OPERA, Presentation.
                let differs = fi != sv && fi != en && sv != en;
                assert!(differs || at.ends_with("name"), "{id}, {at}: not translated: {text:?}");
            }
        }
    }

    fn texts(method: &Method) -> Vec<(String, &Text)> {
        let mut texts = vec![
            ("name".to_owned(), &method.name),
            ("purpose".to_owned(), &method.purpose),
            ("description".to_owned(), &method.description),
        ];
        texts.extend(method.rules.iter().map(|it| ("rule".to_owned(), it)));
        for role in &method.roles {
            texts.extend([(format!("{} name", role.id), &role.name)]);
            texts.extend([(format!("{} task", role.id), &role.task)]);
        }
        for phase in &method.phases {
            texts.extend([(format!("{} name", phase.id), &phase.name)]);
            texts.extend([(format!("{} instruction", phase.id), &phase.instruction)]);
            texts.extend([(format!("{} script", phase.id), &phase.script)]);
        }
        texts
    }

    #[test]
    fn the_shortest_comes_first() {
        let (library, _) = Library::load(None);
        let minutes: Vec<_> = library.all().iter().map(minutes).collect();
        assert!(minutes.is_sorted(), "{minutes:?}");
        assert_eq!(library.get("no-such"), None);
    }

    /// A folder of own files, and what comes of it beyond the product's: own names by id, faults.
    #[track_caller]
    fn check(files: &[(&str, &[u8])], own: &[(&str, &str)], faults: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let (library, found) = Library::load(Some(folder.path()));
        for (id, name) in own {
            assert_eq!(library.get(id).map(|it| it.name.en.as_str()), Some(*name));
        }
        let mut ids: Vec<_> = Library::load(None).0.methods.into_iter().map(|it| it.id).collect();
        ids.extend(own.iter().map(|(id, _)| (*id).to_owned()));
        ids.sort();
        ids.dedup();
        let mut known: Vec<_> = library.all().iter().map(|it| it.id.clone()).collect();
        known.sort();
        assert_eq!(known, ids);
        let place = format!("{}/", folder.path().display());
        let found: Vec<_> = found.iter().map(|it| it.to_string().replacen(&place, "", 2)).collect();
        assert_eq!(found, faults);
    }

    fn own(id: &str, name: &str) -> Vec<u8> {
        let mut method = crate::domain::method::check::tests::good();
        (method.id, method.name.en) = (id.to_owned(), name.to_owned());
        to_toml(&method).into_bytes()
    }

    #[test]
    fn own_files_join_the_products_and_take_their_places() {
        let (ours, instead) = (own("ours", "Ours"), own("me-we-all", "Instead"));
        check(
            &[("a.toml", &ours), ("b.toml", &instead), (".c.toml", b"x"), ("notes.txt", b"x")],
            &[("ours", "Ours"), ("me-we-all", "Instead")],
            &[],
        );
        let (library, faults) = Library::load(Some(Path::new("/no/such/folder")));
        assert_eq!((library.all().len(), faults), (Library::load(None).0.all().len(), Vec::new()));
    }

    #[test]
    fn a_broken_file_is_told_of_and_stops_nothing() {
        let ours = own("ours", "Ours");
        let broken = String::from_utf8(own("other", "Other")).unwrap();
        let broken = broken.replace("size = 4", "size = 12");
        let line = broken.lines().position(|it| it == "size = 12").unwrap() + 1;
        let long = vec![b'#'; DOCUMENT_BYTES_MAX + 1];
        check(
            &[
                ("a.toml", &ours),
                ("b.toml", &ours),
                ("c.toml", broken.as_bytes()),
                ("d.toml", b"\xff"),
                ("e.toml", &long),
            ],
            &[("ours", "Ours")],
            &[
                "b.toml: the id `ours` is that of a.toml too: give this one another",
                &format!(
                    "c.toml:{line}: `size` is 12, but a room holds at most 8 people: write 2 to 8"
                ),
                "d.toml: cannot be read (invalid utf-8 sequence of 1 bytes from index 0): see that \
                 it is a text file in UTF-8 and may be read",
                "e.toml:1: the document is longer than 48 KiB: shorten it",
            ],
        );
    }

    #[test]
    fn what_is_not_a_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("x.toml")).unwrap();
        let faults = Library::load(Some(folder.path())).1;
        assert!(matches!(&faults[..], [it] if it.text.en.contains("not a file")), "{faults:?}");
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let faults = Library::load(Some(&file)).1;
        assert!(matches!(&faults[..], [it] if it.text.en.contains("a folder")), "{faults:?}");
    }
}
