//! Writing sessions out: the same for the command line and for pages. It reads the log and nothing
//! else, and writes down that somebody has taken a document away, never what was in it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use crate::{
    app::{clock::unix_ms, piloting::pilots},
    domain::ids::{ParticipantId, RoomId, SessionId},
    notes::driver::log::{Log, LogError},
    notes::engine::export,
};

pub use crate::notes::driver::upkeep::Access;
pub use crate::notes::engine::export::{Document, Format, Kind, Line, Look, SCHEMA, Selection};

/// What is to be written out.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub format: Format,
    pub look: Look,
    pub selection: Selection,
    pub pseudonymous: bool,
    /// Only what this person has said and written, and all of that.
    pub own: Option<ParticipantId>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("there is no such session, or no such person in it")]
    Unknown,
    #[error("captions are of one room, and {} have some: choose one of them", .0.len())]
    SeveralRooms(BTreeSet<RoomId>),
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Reads a session and makes the document that is wanted of it. Blocks on the disk.
pub fn prepare(log: &Log, session: SessionId, wanted: &Wanted) -> Result<Document, ExportError> {
    let records = log.read(session)?;
    let document = match wanted.own {
        None => export::gather(session, &records),
        Some(own) => export::gather_own(session, &records, own),
    };
    let mut document = document.ok_or(ExportError::Unknown)?;
    if wanted.own.is_none() {
        document.pilots = pilots(log, session)?;
    }
    let key = log.pseudonym_key(session)?.ok_or(ExportError::Unknown)?;
    let document = match wanted.pseudonymous {
        true => document.pseudonymised(&key, wanted.look),
        false => document.with_codes(&key, wanted.look),
    };
    let document = document.select(&wanted.selection);
    let rooms = document.rooms_with_speech();
    if wanted.format.is_of_one_room() && 1 < rooms.len() {
        return Err(ExportError::SeveralRooms(rooms));
    }
    Ok(document)
}

/// Writes a document that `prepare` has made. `told` hears after each line how many are written.
pub fn write(
    document: &Document,
    wanted: &Wanted,
    out: &mut dyn Write,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    export::render(document, wanted.format, wanted.look, out, told)
}

/// As `write`, into a file that is there only when it is whole, and only its owner may read.
///
/// Errors: those of the disk; then whatever stood under the name still stands there.
pub fn write_file(
    document: &Document,
    wanted: &Wanted,
    path: &Path,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        // A terminal or a pipe: whoever reads from it sees the writing end.
        let mut out = io::BufWriter::new(File::options().write(true).open(path)?);
        return write(document, wanted, &mut out, told).and_then(|()| out.flush());
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    name.push(format!(".{:08x}", rand::random::<u32>()));
    let unfinished = folder.join(name);
    let written = write_new(document, wanted, &unfinished, told)
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // What is left of it tells as much as the whole. If it never came to be, so much the better.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_new(
    document: &Document,
    wanted: &Wanted,
    path: &Path,
    told: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = io::BufWriter::new(options.open(path)?);
    write(document, wanted, &mut out, told)?;
    out.into_inner()?.sync_all()
}

/// Writes down that a document was taken from the command line. Not to be called where a runtime runs.
pub fn note_taken(log: &Log, session: SessionId, wanted: &Wanted) -> Result<(), LogError> {
    let what = what(wanted);
    log.note_access_blocking(
        session,
        Access { unix_ms: unix_ms(), who: "command line".into(), what },
    )
}

/// As the access log has it.
pub fn what(wanted: &Wanted) -> String {
    let pseudonymous = if wanted.pseudonymous { ", pseudonymous" } else { "" };
    let own = wanted.own.map(|it| format!(", of {it}")).unwrap_or_default();
    format!("export {}{pseudonymous}{own}", wanted.format.code())
}

/// A name for the file that says what it is of and gives away nothing.
pub fn file_name(document: &Document, format: Format) -> String {
    let day = export::day(document.opened_unix_ms);
    format!("vuoro-{day}-{}.{}", document.session.to_string().to_lowercase(), format.code())
}

impl crate::app::App {
    /// As `prepare`, on a thread where it may block.
    pub async fn document(
        &self,
        session: SessionId,
        wanted: Wanted,
    ) -> Result<(Document, Wanted), ExportError> {
        let log = self.sessions.log().clone();
        let prepared = tokio::task::spawn_blocking(move || {
            prepare(&log, session, &wanted).map(|document| (document, wanted))
        });
        prepared.await.unwrap_or(Err(ExportError::Log(LogError::Closed)))
    }

    /// Writes down that somebody opened or took away something; `who` is no name.
    pub async fn note_access(
        &self,
        session: SessionId,
        who: String,
        what: String,
    ) -> Result<(), LogError> {
        let access = Access { unix_ms: unix_ms(), who, what };
        self.sessions.log().note_access(session, access).await
    }

    /// The last accesses to a session, latest first.
    pub async fn accesses(&self, session: SessionId) -> Result<Vec<Access>, LogError> {
        let log = self.sessions.log().clone();
        let read = tokio::task::spawn_blocking(move || log.accesses(session)).await;
        read.unwrap_or(Err(LogError::Closed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        fact::{Fact, Record},
        language::Language,
        time::SessionTime,
    };

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Fact::Opened { title: "Ilta".into(), language: Language::Finnish, unix_ms: 0 };
        let records = [Record { seq: 1, at: SessionTime::ZERO, fact: opened }];
        let document = export::gather(SessionId::new(1, 1), &records).unwrap();
        let wanted = Wanted {
            format: Format::Markdown,
            look: Look::default(),
            selection: Selection::default(),
            pseudonymous: false,
            own: None,
        };
        let there = || fs::read_dir(folder.path()).unwrap().count();
        let path = folder.path().join("ilta.md");
        write_file(&document, &wanted, &path, &mut |_| ()).unwrap();
        assert_eq!(there(), 1, "nothing lies beside it");
        assert!(fs::read_to_string(&path).unwrap().starts_with("# Ilta"));
        // A folder cannot be replaced by a file: the last step fails.
        let taken = folder.path().join("folder");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("something"), "").unwrap();
        assert!(write_file(&document, &wanted, &taken, &mut |_| ()).is_err());
        assert_eq!(there(), 2, "nothing of it is left");
    }
}
