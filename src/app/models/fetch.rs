//! Brings models by `scripts/fetch-model`, which is inside the binary: one way with its order of
//! sources, progress, going on after a break, and checksums, whether there is a checkout or not.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{MANIFEST, ModelError, find};

/// The script and what it needs, each at its place below a folder.
const SCRIPT: &str = "scripts/fetch-model";
const FILES: [(&str, &str); 4] = [
    (SCRIPT, include_str!("../../../scripts/fetch-model")),
    (
        "scripts/model_tools/ct2_to_ggml.py",
        include_str!("../../../scripts/model_tools/ct2_to_ggml.py"),
    ),
    (
        "scripts/model_tools/onnx_to_ggml.py",
        include_str!("../../../scripts/model_tools/onnx_to_ggml.py"),
    ),
    ("models/whisper/manifest.toml", MANIFEST),
];

/// Brings models into the folder, saying on the terminal how far it is. What is here and right stays.
/// Blocks until all have come or failed. Needs Python on the machine.
pub fn fetch(names: &[String], folder: &Path) -> Result<(), ModelError> {
    let models = names.iter().map(|it| find(it)).collect::<Result<Vec<_>, _>>()?;
    let wrong = |source| ModelError::Folder { folder: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(wrong)?;
    let script = Script::write(folder).map_err(wrong)?;
    let mut python = Command::new("python3");
    python.arg(script.0.join(SCRIPT)).arg("--folder").arg(folder).args(names);
    let status = python.status().map_err(|source| {
        let urls: Vec<_> = models.into_iter().filter_map(|it| it.url).collect();
        ModelError::Python { source, url: urls.join(", "), folder: folder.to_owned() }
    })?;
    if status.success() { Ok(()) } else { Err(ModelError::NotHad) }
}

/// The script's own folder, inside that of the models; goes away with this.
struct Script(PathBuf);

impl Script {
    fn write(folder: &Path) -> std::io::Result<Self> {
        let script = Self(folder.join(format!(".fetch-{}", std::process::id())));
        for (file, text) in FILES {
            let path = script.0.join(file);
            fs::create_dir_all(path.parent().unwrap_or(&script.0))?;
            fs::write(path, text)?;
        }
        Ok(script)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // What stays is some kilobytes of text.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_whole_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let script = Script::write(folder.path()).unwrap();
        let mut python = Command::new("python3");
        python.arg(script.0.join(SCRIPT)).arg("--folder").arg(folder.path()).arg("--help");
        let helped = python.output().expect("python3");
        let said = String::from_utf8_lossy(&helped.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&helped.stderr).into_owned();
        assert!(said.contains("--check NAME") && complaint.is_empty(), "{said}{complaint}");
        drop(script);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    /// Runs the script where the official place cannot be reached.
    fn fetch_unconnected(folder: &Path, name: &str) -> (bool, String) {
        let place = tempfile::tempdir().unwrap();
        let script = Script::write(place.path()).unwrap();
        let mut running = Command::new("python3");
        running.arg(script.0.join(SCRIPT)).arg("--folder").arg(folder).arg(name);
        // Nobody listens at port 9.
        let nobody = "http://127.0.0.1:9";
        running.env("https_proxy", nobody).env("HTTPS_PROXY", nobody);
        let done = running.output().expect("python3");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    }

    #[test]
    fn who_cannot_reach_a_model_is_told_what_to_do_and_keeps_what_is_here() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("not/yet/there");
        let (right, said) = fetch_unconnected(&new, "large-v3-turbo");
        assert!(!right && new.is_dir(), "{said}");
        for told in ["on the network", "https_proxy", "resolve/main", "not/yet/there", "--check"] {
            assert!(said.contains(told), "{told}: {said}");
        }
        assert!(!said.contains("Traceback") && !said.contains("good to go on with"), "{said}");
        let base = find("base").unwrap();
        let file = fs::File::create(base.path(&new)).unwrap();
        file.set_len(base.bytes).unwrap();
        let (_, said) = fetch_unconnected(&new, "large-v3-turbo");
        assert!(said.contains("good to go on with: base"), "{said}");
    }

    #[test]
    fn a_folder_that_cannot_be_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a-file");
        fs::write(&file, "").unwrap();
        let (right, said) = fetch_unconnected(&file, "tiny");
        assert!(
            !right && said.contains("cannot be written") && said.contains("--folder"),
            "{said}"
        );
        assert!(!said.contains("Traceback"), "{said}");
    }

    #[test]
    fn an_unknown_name_brings_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("new");
        assert!(matches!(fetch(&["bass".into()], &wanted), Err(ModelError::Unknown { .. })));
        assert!(!wanted.exists());
    }
}
