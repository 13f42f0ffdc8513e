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
        python.arg(script.0.join(SCRIPT)).arg("--folder").arg(folder.path()).arg("--list");
        let listed = python.output().expect("python3");
        let said = String::from_utf8_lossy(&listed.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&listed.stderr).into_owned();
        assert!(said.starts_with("tiny ") && complaint.is_empty(), "{said}{complaint}");
        drop(script);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_unknown_name_brings_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("new");
        assert!(matches!(fetch(&["bass".into()], &wanted), Err(ModelError::Unknown { .. })));
        assert!(!wanted.exists());
    }
}
