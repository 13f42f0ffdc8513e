//! Voikko, a free morphology of Finnish, where the machine has it: Debian's `libvoikko1` and
//! `voikko-fi`. It is found when the program starts and is no part of it: its dictionary is under a
//! licence of its own (GPL), and without it search works with the built-in lists. Never asked for
//! another language, never told a sentence.

use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, c_char, c_void},
    sync::{Mutex, PoisonError},
};

use libloading::Library;

use crate::notes::engine::words::{Morphology, Reading};

/// The library by the names systems give it.
const NAMES: [&str; 3] = ["libvoikko.so.1", "libvoikko.1.dylib", "libvoikko-1.dll"];

/// Words whose readings are remembered; then all are forgotten. A language's common words are said
/// again and again, and an analysis costs tens of microseconds.
const REMEMBERED_MAX: usize = 50_000;

/// Longer words are no words.
const WORD_CHARS_MAX: usize = 60;

type Init = unsafe extern "C" fn(*mut *const c_char, *const c_char, *const c_char) -> *mut c_void;
type Terminate = unsafe extern "C" fn(*mut c_void);
type Analyze = unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut *mut c_void;
type Value = unsafe extern "C" fn(*const c_void, *const c_char) -> *mut c_char;
type FreeValue = unsafe extern "C" fn(*mut c_char);
type FreeAnalyses = unsafe extern "C" fn(*mut *mut c_void);

pub struct Voikko {
    inner: Mutex<Inner>,
}

struct Inner {
    handle: *mut c_void,
    terminate: Terminate,
    analyze: Analyze,
    value: Value,
    free_value: FreeValue,
    free_analyses: FreeAnalyses,
    remembered: BTreeMap<String, Vec<Reading>>,
    /// Last, so that it is unloaded after the handle is closed.
    _library: Library,
}

// SAFETY: a handle may be used by any thread, one at a time; the mutex sees to that.
unsafe impl Send for Inner {}

impl Voikko {
    /// `None`: the library or its Finnish dictionary is not here.
    pub fn find() -> Option<Voikko> {
        // SAFETY: a system library of this name runs no code at loading but its own initialisation,
        // and the types above are those of its header (voikko.h, version 4).
        unsafe {
            let library = NAMES.iter().find_map(|name| Library::new(name).ok())?;
            let init: Init = *library.get(b"voikkoInit\0").ok()?;
            let inner = Inner {
                handle: {
                    let mut error = std::ptr::null();
                    let handle = init(&mut error, c"fi".as_ptr(), std::ptr::null());
                    if handle.is_null() {
                        return None;
                    }
                    handle
                },
                terminate: *library.get(b"voikkoTerminate\0").ok()?,
                analyze: *library.get(b"voikkoAnalyzeWordCstr\0").ok()?,
                value: *library.get(b"voikko_mor_analysis_value_cstr\0").ok()?,
                free_value: *library.get(b"voikko_free_mor_analysis_value_cstr\0").ok()?,
                free_analyses: *library.get(b"voikko_free_mor_analysis\0").ok()?,
                remembered: BTreeMap::new(),
                _library: library,
            };
            Some(Voikko { inner: Mutex::new(inner) })
        }
    }
}

impl Morphology for Voikko {
    fn readings(&self, word: &str) -> Vec<Reading> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = inner.remembered.get(word) {
            return known.clone();
        }
        let found = inner.analyze(word);
        if REMEMBERED_MAX <= inner.remembered.len() {
            inner.remembered.clear();
        }
        inner.remembered.insert(word.to_owned(), found.clone());
        found
    }
}

impl Inner {
    fn analyze(&self, word: &str) -> Vec<Reading> {
        if WORD_CHARS_MAX < word.chars().count() {
            return Vec::new();
        }
        let Ok(asked) = CString::new(word) else { return Vec::new() };
        let mut readings = Vec::new();
        // SAFETY: the handle lives; the answer is null or an array that ends with null, and is freed
        // once, after its last use.
        unsafe {
            let analyses = (self.analyze)(self.handle, asked.as_ptr());
            if analyses.is_null() {
                return Vec::new();
            }
            let mut at = analyses;
            while !(*at).is_null() {
                let value = |key: &CStr| self.value(*at, key);
                if let Some(lemma) = value(c"BASEFORM") {
                    let structure = value(c"STRUCTURE").unwrap_or_default();
                    let bases = value(c"WORDBASES").unwrap_or_default();
                    readings.push(reading(lemma.to_lowercase(), &structure, &bases));
                }
                at = at.add(1);
            }
            (self.free_analyses)(analyses);
        }
        // A word that could be cut in many ways is mostly the one with the fewest cuts.
        let fewest = readings.iter().map(|it| it.parts.len()).min().unwrap_or(0);
        readings.retain(|it| it.parts.len() == fewest);
        readings.sort_unstable();
        readings.dedup();
        readings
    }

    /// SAFETY: `analysis` is one that has not been freed.
    unsafe fn value(&self, analysis: *const c_void, key: &CStr) -> Option<String> {
        // SAFETY: the answer is null or a text that is freed once, after it has been copied.
        unsafe {
            let text = (self.value)(analysis, key.as_ptr());
            if text.is_null() {
                return None;
            }
            let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
            (self.free_value)(text);
            Some(copy)
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: the handle is closed once, and nothing uses it afterwards.
        unsafe { (self.terminate)(self.handle) }
    }
}

/// `structure`: a `=` before each part. `bases`: `+terve(terve)+ys(+ys)+palvel(palvella)+u(+u)`,
/// where what begins with `+` inside brackets only makes a word of the one before.
fn reading(lemma: String, structure: &str, bases: &str) -> Reading {
    if structure.matches('=').count() < 2 {
        return Reading { lemma, parts: Vec::new() };
    }
    let mut parts: Vec<String> = Vec::new();
    // What stands in the text for the last part, to which endings may be added.
    let mut surface = String::new();
    for piece in bases.split('+').zip(bases.split('+').skip(1)).map(|it| it.1) {
        // A "+" inside brackets has cut "ys(" from "ys)".
        let Some((text, base)) = piece.split_once('(') else {
            let is_rest = piece.ends_with(')');
            if !is_rest && 2 < piece.chars().count() {
                parts.push(piece.to_lowercase());
                surface = piece.to_owned();
            }
            continue;
        };
        let base = base.trim_end_matches(')');
        if base.is_empty() {
            surface.push_str(text);
            if let Some(last) = parts.last_mut() {
                *last = surface.to_lowercase();
            }
        } else {
            surface = text.to_owned();
            parts.extend(base.split('=').map(str::to_lowercase));
        }
    }
    Reading { lemma, parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lemma: &str, structure: &str, bases: &str, expect: &str) {
        let reading = reading(lemma.to_owned(), structure, bases);
        assert_eq!(reading.parts.join(" "), expect, "{bases}");
    }

    #[test]
    fn parts_are_words_with_what_was_added_to_them() {
        let two = "=ppp=ppp";
        check("kunta", "=ppppp", "+kunta(kunta)", "");
        check("liikunta", "=pppppppp", "+liiku(liikkua)+n+ta(+ta)", "");
        check(
            "terveyspalvelu",
            two,
            "+terve(terve)+ys(+ys)+palvel(palvella)+u(+u)",
            "terveys palvelu",
        );
        check("lastensuojelu", two, "+lasten(lapsi)+suojel(suojella)+u(+u)", "lapsi suojelu");
        check("vapaa-aika", two, "+vapaa(vapaa)+-+aika(aika)", "vapaa aika");
        check("hyvinvointialue", two, "+hyvinvointi(hyvin=vointi)+alue(alue)", "hyvin vointi alue");
        check("sisäilma", two, "+sisä+ilma(ilma)", "sisä ilma");
        check("outo", two, "(((+)+x(", "");
    }

    #[test]
    fn where_it_is_installed_it_knows_finnish() {
        let Some(voikko) = Voikko::find() else { return };
        let told = voikko.readings("hyvinvointialueilla");
        assert!(told.iter().any(|it| it.lemma == "hyvinvointialue"), "{told:?}");
        assert_eq!(voikko.readings("hyvinvointialueilla"), told, "remembered");
        assert_eq!(voikko.readings("xyzzy"), []);
        assert_eq!(voikko.readings(&"a".repeat(10_000)), []);
    }
}
