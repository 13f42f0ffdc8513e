//! Holds the shape of `src/`: which part may use which, and that the pure parts stay pure.
//!
//! Reads every file as text, with no parser and nothing but `std`: comments, texts and test code are
//! taken out, `use` trees are spelt out, and what is left is compared with the tables below. It can
//! be deceived by macros and by renaming (`use std as s`); it is meant for colleagues, not enemies.
//! It never measures sizes: those are a matter of taste.

use std::{fs, path::Path};

/// Who may use whom; a part may always use itself. The whole architecture, in one table.
/// `main.rs` and `lib.rs` may use everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("media", &["domain"]),
    ("speech", &["domain"]),
    ("notes", &["domain"]),
    ("app", &["domain", "media", "speech", "notes"]),
    ("server", &["domain", "app"]),
];

/// Whether a file must be told the time, the chance and the bytes.
fn is_pure(file: &str) -> bool {
    file.starts_with("src/domain/") || file.contains("/engine/") || file.ends_with("/engine.rs")
}

const TOLD_TIME: &str = "time is told: take `SessionTime` as an argument";
const SHELL_ACTS: &str = "return an output and let the shell do it";
const NO_ORDER: &str = "its order differs from run to run: use a BTreeMap or BTreeSet";
const TOLD_CHANCE: &str = "chance is told: take a seed or random bits as an argument";
const SILENT: &str = "return what is to be known; the shell logs and prints";

/// What pure code must not say, as (part of) a path or a single word, and what to say instead.
const BANNED_IN_PURE: &[(&str, &str)] = &[
    ("Instant", TOLD_TIME),
    ("SystemTime", TOLD_TIME),
    ("tokio", SHELL_ACTS),
    ("async", "return an output and let the shell wait for it"),
    ("await", "return an output and let the shell wait for it"),
    ("std::fs", SHELL_ACTS),
    ("std::net", SHELL_ACTS),
    ("std::process", SHELL_ACTS),
    ("std::thread", "return an output; the shell owns threads and tasks"),
    ("std::env", "take it as an argument; `app/config.rs` reads the environment"),
    ("HashMap", NO_ORDER),
    ("HashSet", NO_ORDER),
    ("rand::rng", TOLD_CHANCE),
    ("rand::random", TOLD_CHANCE),
    ("thread_rng", TOLD_CHANCE),
    ("OsRng", TOLD_CHANCE),
    ("Ulid::new", TOLD_CHANCE),
    ("Ulid::generate", TOLD_CHANCE),
    ("print", SILENT),
    ("println", SILENT),
    ("eprint", SILENT),
    ("eprintln", SILENT),
    ("dbg", SILENT),
    ("unsafe", "no rule needs it; put it behind a driver's safe function"),
];

/// What only some files may say: things are written down and read at the edge alone.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    (
        "serde",
        &[
            "src/server/wire/",
            "src/server/token.rs",
            "src/server/tenants.rs",
            "src/server/lti.rs",
            "src/server/api/",
            "src/notes/engine/",
            "src/app/config.rs",
            "src/app/config/",
            // A method is a document: its types are the file format.
            "src/domain/method/",
        ],
        "plain types here; write them down in the wire, the records or the configuration",
    ),
    (
        "serde_json",
        &["src/server/", "src/notes/"],
        "plain types here; write them down in the wire or the records",
    ),
];

#[test]
fn the_source_keeps_its_shape() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = rust_files(&root.join("src"));
    assert!(10 < files.len(), "hardly any source found in {}", root.display());
    let mut report = String::new();
    for path in files {
        let file = path.strip_prefix(root).expect("found below it").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("source is readable text");
        for (line, says) in faults(&file, &text) {
            report.push_str(&format!("  {file}:{line}: {says}\n"));
        }
    }
    assert!(report.is_empty(), "not tidy (see the tables in tests/tidy.rs):\n{report}");
}

/// The bench of search names the parts of `notes` it is built of, so that no document need be built; no other
/// test would see that one is missing.
#[test]
fn the_bench_of_search_has_all_that_its_parts_use() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bench = fs::read_to_string(root.join("tests/bench/search/main.rs")).expect("readable");
    let (mut half, mut named) = ("", Vec::new());
    for line in bench.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("pub mod ") {
            match name.strip_suffix(" {") {
                Some(name) => half = name,
                None => named.push(format!("{half}/{}", name.trim_end_matches(';'))),
            }
        }
    }
    assert!(10 < named.len(), "hardly any part found in the bench of search");
    for part in &named {
        let path = root.join("src/notes").join(part);
        let files = if path.is_dir() { rust_files(&path) } else { vec![path.with_extension("rs")] };
        for file in files.iter().filter(|it| !it.ends_with("tests.rs")) {
            let text = fs::read_to_string(file).expect("source is readable text");
            let code = without_tests(&without_comments_and_texts(&text));
            for Said { path, .. } in paths(&code) {
                if let [root, notes, half @ ("driver" | "engine"), used, ..] =
                    path.iter().map(String::as_str).collect::<Vec<_>>()[..]
                    && (root, notes) == ("crate", "notes")
                {
                    let used = format!("{half}/{used}");
                    assert!(named.contains(&used), "{part} uses {used}: name it in the bench too");
                }
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("source folder is readable")
        .map(|it| it.expect("entry is readable").path())
        .collect();
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            files.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|it| it == "rs") {
            files.push(entry);
        }
    }
    files
}

/// Line numbers, from 1, and what is wrong there. `file`: from the root, `src/…`.
fn faults(file: &str, text: &str) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push((1, "begin with a `//!` line that says what the file is for".to_string()));
    }
    let module = module_of(file);
    let part = module.first().copied().unwrap_or_default();
    let may_use = MAY_USE.iter().find(|(name, _)| *name == part).map(|(_, may_use)| *may_use);
    if may_use.is_none() && !part.is_empty() {
        faults.push((1, format!("`{part}` is no part of the house: see MAY_USE")));
    }
    if file.ends_with("/tests.rs") || file.contains("/tests/") {
        return faults; // A test module in a file of its own may do as it likes.
    }

    let code = without_tests(&without_comments_and_texts(text));
    for Said { line, path } in paths(&code) {
        let path = from_the_root(&path, &module);
        let shown = path.join("::");
        let used = path.get(1).filter(|_| path[0] == "crate").map_or("", |it| it);
        let known = MAY_USE.iter().any(|(name, _)| *name == used);
        if known && used != part && may_use.is_some_and(|it| !it.contains(&used)) {
            faults.push((line, format!("`{shown}`: {part} must not use {used}")));
        }
        if is_pure(file) && 1 < path.len() && says(&path, "driver") {
            faults.push((line, format!("`{shown}`: an engine never knows a driver")));
        }
        for (banned, instead) in BANNED_IN_PURE {
            if is_pure(file) && says(&path, banned) {
                faults.push((line, format!("`{shown}` in pure code: {instead}")));
            }
        }
        for (word, places, instead) in ONLY_IN {
            if says(&path, word) && !places.iter().any(|place| file.starts_with(place)) {
                faults.push((line, format!("`{shown}`: {instead}")));
            }
        }
    }
    faults
}

/// `src/media/engine/slot.rs` → media, engine, slot; nothing for `main.rs` and `lib.rs`.
fn module_of(file: &str) -> Vec<&str> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    match inner {
        "main" | "lib" => Vec::new(),
        _ => inner.split('/').collect(),
    }
}

/// Whether the words of `wanted` stand in `path`, one after the other.
fn says(path: &[String], wanted: &str) -> bool {
    let wanted: Vec<_> = wanted.split("::").collect();
    path.windows(wanted.len()).any(|it| it == wanted)
}

/// A path that climbs out of its part with `super::super::…` as one that starts at `crate`.
fn from_the_root(path: &[String], module: &[&str]) -> Vec<String> {
    let climbs = path.iter().take_while(|it| *it == "super").count();
    if climbs == 0 || climbs < module.len() {
        return path.to_vec();
    }
    let mut absolute = vec!["crate".to_string()];
    absolute.extend_from_slice(&path[climbs..]);
    absolute
}

/// The text with blanks where comments, strings and characters were; lines stay where they are.
fn without_comments_and_texts(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_comment_or_text(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|it| if *it == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment, string or character that begins at `at` is over; `at` when none begins there.
fn end_of_comment_or_text(chars: &[char], at: usize) -> usize {
    let is =
        |at: usize, wanted: &str| wanted.chars().eq(chars[at..].iter().copied().take(wanted.len()));
    let after = |from: usize, wanted: &str| {
        (from..chars.len()).find(|it| is(*it, wanted)).map_or(chars.len(), |it| it + wanted.len())
    };
    let in_a_word = 0 < at && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if is(at, "//") {
        return (at..chars.len()).find(|it| chars[*it] == '\n').unwrap_or(chars.len());
    }
    if is(at, "/*") {
        let (mut depth, mut it) = (1, at + 2);
        while 0 < depth && it < chars.len() {
            match () {
                () if is(it, "/*") => (depth, it) = (depth + 1, it + 2),
                () if is(it, "*/") => (depth, it) = (depth - 1, it + 2),
                () => it += 1,
            }
        }
        return it;
    }
    if chars[at] == 'r' && (!in_a_word || chars[at - 1] == 'b' || chars[at - 1] == 'c') {
        let hashes = chars[at + 1..].iter().take_while(|it| **it == '#').count();
        if chars.get(at + 1 + hashes) == Some(&'"') {
            return after(at + 2 + hashes, &format!("\"{}", "#".repeat(hashes)));
        }
    }
    if chars[at] == '"' {
        let mut it = at + 1;
        while it < chars.len() && chars[it] != '"' {
            it += if chars[it] == '\\' { 2 } else { 1 };
        }
        return (it + 1).min(chars.len());
    }
    if chars[at] == '\'' && chars.get(at + 1) == Some(&'\\') {
        return after(at + 3, "'");
    }
    if chars[at] == '\'' && chars.get(at + 2) == Some(&'\'') {
        return at + 3;
    }
    at // A lone quotation mark belongs to a lifetime.
}

/// The code with blanks where items marked `#[cfg(test)]` were.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        kept.push_str(&rest[..start]);
        let item = &rest[start..];
        let mut depth = 0_usize;
        let end = item[MARK.len()..].char_indices().find_map(|(at, it)| {
            match it {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => (),
            }
            (depth == 0 && (it == ';' || it == '}')).then_some(MARK.len() + at + 1)
        });
        let end = end.unwrap_or(item.len());
        kept.extend(item[..end].chars().map(|it| if it == '\n' { '\n' } else { ' ' }));
        rest = &item[end..];
    }
    kept + rest
}

/// A path, spelt out, and the line it ends on.
struct Said {
    line: usize,
    path: Vec<String>,
}

/// Every path and every single word in the code. `use a::{b, c::{d, e}};` says `a::b`, `a::c::d` and
/// `a::c::e`.
fn paths(code: &str) -> Vec<Said> {
    let tokens = tokens(code);
    let mut said = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = path_at(&tokens, at, &[], &mut said);
    }
    said
}

/// Reads one path (with all its branches) behind `stem`; returns where to go on.
fn path_at(
    tokens: &[(usize, String)],
    mut at: usize,
    stem: &[String],
    said: &mut Vec<Said>,
) -> usize {
    let is = |at: usize, wanted: &str| tokens.get(at).is_some_and(|(_, it)| it == wanted);
    if is(at, "::") {
        at += 1; // `::std::fs` is `std::fs`.
    }
    let Some((line, word)) = tokens.get(at).filter(|(_, it)| is_word(it)) else {
        return at + 1;
    };
    let mut path = stem.to_vec();
    path.push(word.clone());
    let mut line = *line;
    at += 1;
    while is(at, "::") {
        if is(at + 1, "{") {
            at += 2;
            while at < tokens.len() && !is(at, "}") {
                at = path_at(tokens, at, &path, said);
            }
            return at + 1;
        }
        match tokens.get(at + 1) {
            Some((next, word)) if is_word(word) => {
                path.push(word.clone());
                line = *next;
                at += 2;
            }
            _ => break, // `::*` and `::<T>`
        }
    }
    said.push(Said { line, path });
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|it: char| it.is_alphabetic() || it == '_')
}

/// Words, `::` and single marks, each with its line.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens: Vec<(usize, String)> = Vec::new();
    for (index, text) in code.lines().enumerate() {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                tokens.push((index + 1, rest[..length].to_string()));
            }
            rest = &rest[length..];
        }
    }
    tokens
}

/// Proof that each rule can fail, and that none fails without reason. Lines are counted from the
/// snippet's first; 0 is the `//!` line before it.
#[test]
fn tidy_sees_what_is_wrong_and_nothing_else() {
    let check = |file: &str, code: &str, expected: Option<(usize, &str)>| {
        let found = faults(file, &format!("//! x\n{code}"));
        match expected {
            None => assert!(found.is_empty(), "{file}: {code:?} is right, but: {found:?}"),
            Some((line, word)) => assert!(
                found.iter().any(|(at, says)| *at == line + 1 && says.contains(word)),
                "{file}: {code:?} must be reported on its line {line} for {word:?}, but: {found:?}"
            ),
        }
    };
    let wrong = |file, line, word, code| check(file, code, Some((line, word)));
    let right = |file, code| check(file, code, None);

    // Direction of the arrows.
    wrong("src/domain/session.rs", 1, "must not use app", "use crate::app::clock::Clock;");
    wrong("src/domain/mod.rs", 1, "must not use media", "use crate::media;");
    wrong("src/media/driver/tap.rs", 1, "must not use speech", "use crate::speech::engine::Frame;");
    wrong(
        "src/notes/driver/log.rs",
        2,
        "must not use media",
        "\nfn f() { crate::media::driver::x() }",
    );
    wrong("src/app/config.rs", 1, "must not use server", "use crate::server::wire;");
    wrong("src/server/http.rs", 1, "must not use notes", "use crate::notes::engine::query::Query;");
    wrong(
        "src/speech/mod.rs",
        3,
        "must not use notes",
        "use crate::{\n    domain::ids,\n    notes,\n};",
    );
    wrong(
        "src/media/engine/slot.rs",
        1,
        "must not use notes",
        "use super::super::super::notes::x;",
    );
    wrong("src/media/engine/slot.rs", 1, "never knows a driver", "use super::super::driver::peer;");
    wrong("src/media/engine/slot.rs", 1, "never knows a driver", "use crate::media::driver::peer;");
    wrong("src/util.rs", 0, "no part of the house", "");
    right("src/media/engine/slot.rs", "use crate::{domain::ids, media::engine::layer};");
    right("src/media/driver/peer.rs", "use super::super::engine::slot;");
    right(
        "src/app/session_task.rs",
        "use crate::{media, notes, speech, domain::session::Session};",
    );
    right("src/server/ws.rs", "use crate::{app, domain};");
    right("src/main.rs", "use vuoro::{app, notes, server}; use crate::notes::x;");
    right("src/domain/notes.rs", "use crate::domain::notes; struct App { media: u8, server: u8 }");

    // Purity.
    let pure = "src/domain/rotation.rs";
    wrong(pure, 1, "time is told", "use std::time::Instant;");
    wrong(pure, 1, "time is told", "use std::time::{Duration, SystemTime};");
    wrong(pure, 1, "time is told", "fn f() { let _ = std::time::Instant::now(); }");
    wrong(pure, 1, "tokio", "fn f(x: tokio::sync::mpsc::Sender<u8>) {}");
    wrong(pure, 1, "async", "pub async fn f() {}");
    wrong(pure, 1, "std::fs", "use std::{fmt, fs};");
    wrong(pure, 1, "std::net", "fn f(at: ::std::net::SocketAddr) {}");
    wrong(pure, 1, "std::thread", "use std::{io, thread::{self, sleep}};");
    wrong(pure, 3, "BTreeMap", "use std::{\n    collections::{\n        HashMap,\n    },\n};");
    wrong(pure, 1, "BTreeSet", "fn f(it: &std::collections::HashSet<u8>) {}");
    wrong(pure, 1, "chance is told", "fn f() { let mut rng = rand::rng(); }");
    wrong(pure, 1, "chance is told", "fn f() { ulid::Ulid::new() }");
    wrong(pure, 1, "the shell logs", "fn f() { println!(\"x\") }");
    wrong(pure, 1, "no rule needs it", "fn f() { unsafe { g() } }");
    wrong("src/speech/engine/segmenter.rs", 1, "HashMap", "use std::collections::HashMap;");
    wrong("src/speech/engine.rs", 1, "HashMap", "use std::collections::HashMap;");
    wrong(
        pure,
        5,
        "HashMap",
        "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nuse std::collections::HashMap;",
    );
    wrong(pure, 2, "HashMap", "fn f() -> char { '\"' }\ntype A<'a> = HashMap<&'a str, u8>;");
    right(pure, "use std::{collections::BTreeMap, fmt, time::Duration};");
    right(pure, "fn f(rng: &mut impl rand::Rng) -> u8 { rng.random() }");
    right(
        pure,
        "// never Instant::now()\n/* tokio /* HashMap */ unsafe */\n/// As std::fs does.\nfn f() {}",
    );
    right(
        pure,
        "fn f() -> [&'static str; 3] { [\"tokio::spawn\", r#\"a \"HashMap\"\"#, \"\\\"unsafe\"] }",
    );
    right(pure, "struct InstantReplay; struct Asynchronous { unsafe_count: u8, hash_map: u8 }");
    right(
        pure,
        "fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::{collections::HashMap, fs};\n}",
    );
    right(pure, "#[cfg(test)]\nuse std::collections::HashMap;\nfn f() {}");
    right("src/domain/session/tests.rs", "use std::collections::HashMap;");
    right("src/media/driver/socket.rs", "use std::{collections::HashMap, time::Instant};");

    // Written down at the edge alone.
    wrong("src/domain/fact.rs", 1, "plain types", "use serde::Serialize;");
    wrong("src/app/registry.rs", 1, "plain types", "#[derive(serde::Deserialize)]\nstruct A;");
    wrong("src/server/http.rs", 2, "plain types", "\nuse serde::{Deserialize, Serialize};");
    wrong("src/app/session_task.rs", 1, "plain types", "fn f() { serde_json::to_string(&1) }");
    right("src/server/wire/mod.rs", "use serde::{Deserialize, Serialize};");
    right("src/server/ws.rs", "fn f() { serde_json::to_string(&1) }");
    right("src/notes/engine/record.rs", "use serde::{Deserialize, Serialize};");
    right("src/app/config.rs", "use serde::Deserialize;");
    right("src/domain/method/mod.rs", "use serde::Deserialize;");

    // The first line.
    let found = faults("src/domain/ids.rs", "use std::fmt;\n//! too late\n");
    assert!(found.iter().any(|(line, says)| *line == 1 && says.contains("`//!`")), "{found:?}");
}
