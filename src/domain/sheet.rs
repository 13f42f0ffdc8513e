//! A sheet: the text that a room writes together, many hands at once. How their changes are merged is
//! `yrs`'s business (the CRDT of Yjs, which the pages run); what may be brought onto a sheet, and who
//! wrote which part of what stands on it, is decided here. Bytes from pages never panic: they are read
//! here first, letter by letter, and only what a page that writes plain text can have made is let in.
//! It tells nobody, and has no clock and no chance: the same changes in the same order, the same sheet.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use yrs::{
    ClientID, Doc, GetString, Observable, OffsetKind, Options, Out, ReadTxn, StateVector, Text,
    TextRef, Transact, Update,
    types::{Delta, text::TextEvent},
    updates::decoder::Decode,
};

use crate::domain::{
    ids::ParticipantId,
    limits::{SHEET_CHARS_MAX, SHEET_HISTORY_BYTES_MAX, SHEET_PAGES_MAX, TYPED_BYTES_MAX},
    talk::is_invisible,
};

/// The name of the text in the document; pages know it by the same.
const TEXT: &str = "text";

/// Who has written what stood on the sheet when it was laid out. Pages give themselves numbers by
/// chance, and none gives itself this one.
const LAID_OUT: u64 = 1;

/// Numbers that Yjs gives are below it: the integers that a page's language counts exactly.
const CLIENTS_END: u64 = 1 << 53;

/// More letters than this nobody brings onto one sheet; sums of them stay within 32 bits.
const CLOCK_MAX: u64 = 1 << 30;

/// A stretch of the text, in characters, and who wrote it.
pub type Part = (ParticipantId, u32);

/// Why a change is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is none, or none of a plain text by this person.
    Garbled,
    /// It builds on something that the sheet has not, or has already: the page is behind or ahead.
    Elsewhere,
    /// The sheet would have too many characters.
    Full,
}

pub struct Sheet {
    number: u32,
    /// The number that it had when its text began: the same for as long as it goes on.
    since: u32,
    doc: Doc,
    text: TextRef,
    /// What stands there, and of whom: one for each unit of UTF-16, in which Yjs counts.
    letters: Vec<Letter>,
    /// Whose page each of Yjs's clients is.
    pages: BTreeMap<u64, ParticipantId>,
    /// Where a character outside the basic plane has its second unit: client and clock.
    second_halves: BTreeSet<(u64, u32)>,
    /// Who changed it last, since it was last written down whole.
    changed_by: Option<ParticipantId>,
    /// Bytes of all changes since it was laid out.
    history_bytes: usize,
    /// What the merging did to the text, until it is taken.
    steps: Arc<Mutex<Vec<Step>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Letter {
    unit: u16,
    by: ParticipantId,
}

/// From the beginning of the text to its end, in units.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Stays(usize),
    Goes(usize),
    Comes(Vec<u16>),
}

impl Sheet {
    /// An empty one. `number`: what tells it from every other of the session.
    pub fn blank(number: u32) -> Self {
        Self::of(number, number, Vec::new())
    }

    fn of(number: u32, since: u32, letters: Vec<Letter>) -> Self {
        let options = Options {
            offset_kind: OffsetKind::Utf16,
            ..Options::with_guid_and_client_id("".into(), ClientID::new(LAID_OUT))
        };
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text(TEXT);
        let stands = text_of(&letters);
        if !stands.is_empty() {
            text.insert(&mut doc.transact_mut(), 0, &stands);
        }
        let second_halves = second_halves(0, &stands).map(|it| (LAID_OUT, it)).collect();
        let steps = follow(&text);
        Self {
            number,
            since,
            doc,
            text,
            letters,
            pages: BTreeMap::new(),
            second_halves,
            changed_by: None,
            history_bytes: 0,
            steps,
        }
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    /// The number that it had when its text began. A page that has a sheet of another number and the same
    /// `since` has an earlier state of this text.
    pub fn since(&self) -> u32 {
        self.since
    }

    /// What stands on it.
    pub fn text(&self) -> String {
        text_of(&self.letters)
    }

    /// Who wrote which part of it, in order. Adds to its characters.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for letter in self.letters.iter().filter(|it| !is_second_half(it.unit)) {
            match parts.last_mut() {
                Some((by, chars)) if *by == letter.by => *chars += 1,
                _ => parts.push((letter.by, 1)),
            }
        }
        parts
    }

    /// Who changed it last, if it has been changed since it was last written down whole.
    pub fn changed_by(&self) -> Option<ParticipantId> {
        self.changed_by
    }

    /// All of it, for a page that comes: an update in Yjs's first encoding. Letters that were taken
    /// away again are not in it.
    pub fn state(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    /// Whether a change may be brought onto it by this person: an update in Yjs's first encoding.
    pub fn check(&self, by: ParticipantId, update: &[u8]) -> Result<(), Refused> {
        let brought = self.read(by, update)?;
        let comes = brought.text_chars();
        let stands = self.letters.iter().filter(|it| !is_second_half(it.unit)).count();
        // What goes with the same change is counted only when it matters.
        if SHEET_CHARS_MAX < stands + comes {
            let mut trial = self.clone();
            trial.merge(by, update);
            if SHEET_CHARS_MAX < trial.text().chars().count() {
                return Err(Refused::Full);
            }
        }
        Ok(())
    }

    /// Brings a change onto it that was let in; any other is left out. Whether all changes together have
    /// become so much that the sheet is to be laid out anew.
    #[must_use]
    pub fn change(&mut self, by: ParticipantId, update: &[u8]) -> bool {
        let Ok(brought) = self.read(by, update) else { return false };
        if let Some((client, mut clock)) = brought.client {
            self.pages.insert(client, by);
            for it in &brought.blocks {
                self.second_halves.extend(second_halves(clock, it.text).map(|it| (client, it)));
                clock += it.units;
            }
        }
        self.merge(by, update);
        self.changed_by = Some(by);
        self.history_bytes += update.len();
        SHEET_HISTORY_BYTES_MAX < self.history_bytes || SHEET_PAGES_MAX <= self.pages.len()
    }

    /// It has been written down whole. `parts`: whose it is, empty where nobody has counted. Whether that
    /// differs from what stood there or from what a page that comes would read, so that the sheet is to be
    /// laid out anew.
    #[must_use]
    pub fn written(&mut self, by: ParticipantId, text: &str, parts: &[Part]) -> bool {
        self.changed_by = None;
        if self.text() == text {
            return !self.is_read_by_all();
        }
        self.letters = match letters_of(text, parts) {
            Some(letters) => letters,
            None => self.letters_beside(by, text),
        };
        true
    }

    /// As it stands, without how it came to be, under another number.
    pub fn lay_out_anew(&mut self, number: u32) {
        let changed_by = self.changed_by;
        *self = Self { changed_by, ..Self::of(number, self.since, self.letters.clone()) };
    }

    /// As `lay_out_anew`, where the text is another than pages have.
    pub fn lay_out_another(&mut self, number: u32) {
        self.since = number;
        self.lay_out_anew(number);
    }

    /// The letters of another text: what begins and ends as this one keeps whose it was.
    fn letters_beside(&self, by: ParticipantId, text: &str) -> Vec<Letter> {
        let new: Vec<u16> = text.encode_utf16().collect();
        let old = &self.letters;
        let alike = |it: &(&u16, &Letter)| *it.0 == it.1.unit;
        let before = new.iter().zip(old).take_while(alike).count();
        let least = new.len().min(old.len()) - before;
        let after = new.iter().rev().zip(old.iter().rev()).take(least).take_while(alike).count();
        let middle = new.get(before..new.len() - after).unwrap_or_default();
        let first = old.get(..before).unwrap_or_default();
        let last = old.get(old.len() - after..).unwrap_or_default();
        let own = middle.iter().map(|unit| Letter { unit: *unit, by });
        first.iter().copied().chain(own).chain(last.iter().copied()).collect()
    }

    /// What a change brings, if it is one that this person can bring onto this sheet now.
    fn read<'a>(&self, by: ParticipantId, update: &'a [u8]) -> Result<Brought<'a>, Refused> {
        if TYPED_BYTES_MAX < update.len() {
            return Err(Refused::Full);
        }
        let brought = Brought::read(update).ok_or(Refused::Garbled)?;
        if brought.blocks.iter().any(|it| it.text.contains(is_hidden)) {
            return Err(Refused::Garbled);
        }
        let known = self.doc.transact().state_vector();
        let mut own_end = None;
        if let Some((client, from)) = brought.client {
            if client == LAID_OUT || self.pages.get(&client).is_some_and(|it| *it != by) {
                return Err(Refused::Garbled);
            }
            if known.get(&ClientID::new(client)) != from {
                return Err(Refused::Elsewhere);
            }
            own_end = Some((client, from));
        }
        let has = |own: Option<(u64, u32)>, (client, clock): (u64, u32)| match own {
            Some((it, end)) if it == client => clock < end,
            _ => clock < known.get(&ClientID::new(client)),
        };
        let mut own_halves = BTreeSet::new();
        for block in &brought.blocks {
            let beside = || [block.left, block.right].into_iter().flatten();
            if beside().any(|it| !has(own_end, it)) {
                return Err(Refused::Elsewhere);
            }
            // Between the last unit on its left and the first on its right it takes its place.
            let after = block.left.map(|(client, clock)| (client, clock + 1));
            if [after, block.right].iter().flatten().any(|it| self.is_within(&own_halves, it)) {
                return Err(Refused::Garbled);
            }
            if let Some((client, end)) = &mut own_end {
                own_halves.extend(second_halves(*end, block.text).map(|it| (*client, it)));
                *end += block.units;
            }
        }
        for (client, from, units) in &brought.gone {
            if !has(own_end, (*client, from + units - 1)) {
                return Err(Refused::Elsewhere);
            }
            let ends = [(*client, *from), (*client, from + units)];
            if ends.iter().any(|it| self.is_within(&own_halves, it)) {
                return Err(Refused::Garbled);
            }
        }
        Ok(brought)
    }

    /// Whether a page that comes now reads what stands here. Yjs promises that for changes that pages have
    /// made; where one says that it stands before what it stands after, it depends on the order in which
    /// it is read. What is written down is to be what all have, so it is tried then.
    fn is_read_by_all(&self) -> bool {
        let page = self.clone();
        page.text.get_string(&page.doc.transact()) == self.text()
    }

    /// Whether a cut before this unit would leave halves of a character. No page of ours makes one, and
    /// where text comes between the two, pages do not agree in which order they then stand.
    fn is_within(&self, brought: &BTreeSet<(u64, u32)>, unit: &(u64, u32)) -> bool {
        self.second_halves.contains(unit) || brought.contains(unit)
    }

    /// `update` has been read.
    fn merge(&mut self, by: ParticipantId, update: &[u8]) {
        if let Ok(update) = Update::decode_v1(update) {
            // An error would leave the text as far as it came, and so do we.
            let _ = self.doc.transact_mut().apply_update(update);
        }
        let steps = std::mem::take(&mut *self.steps.lock().unwrap_or_else(PoisonError::into_inner));
        self.letters = stepped(&self.letters, by, &steps);
        let stands = self.text.get_string(&self.doc.transact());
        if self.text() != stands {
            // Whose letters they are is then not known better; what stands is what all pages have.
            self.letters = stands.encode_utf16().map(|unit| Letter { unit, by }).collect();
        }
    }
}

impl Clone for Sheet {
    /// Another with the same text, letters and changes; `yrs` would share one document among both.
    fn clone(&self) -> Self {
        let other = Self::of(self.number, self.since, Vec::new());
        if let Ok(state) = Update::decode_v1(&self.state()) {
            let _ = other.doc.transact_mut().apply_update(state);
        }
        other.steps.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Self {
            letters: self.letters.clone(),
            pages: self.pages.clone(),
            second_halves: self.second_halves.clone(),
            changed_by: self.changed_by,
            history_bytes: self.history_bytes,
            ..other
        }
    }
}

impl fmt::Debug for Sheet {
    /// Without its words: what is printed may end in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.letters.len();
        write!(f, "Sheet {{ number: {}, units: {units} }}", self.number)
    }
}

fn follow(text: &TextRef) -> Arc<Mutex<Vec<Step>>> {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&steps);
    text.observe("letters", move |transaction, event: &TextEvent| {
        let step = |it: &Delta| match it {
            Delta::Retain(units, _) => Step::Stays(*units as usize),
            Delta::Deleted(units) => Step::Goes(*units as usize),
            Delta::Inserted(Out::Any(yrs::Any::String(it)), _) => {
                Step::Comes(it.encode_utf16().collect())
            }
            Delta::Inserted(..) => Step::Stays(0),
        };
        let steps: Vec<Step> = event.delta(transaction).iter().map(step).collect();
        *told.lock().unwrap_or_else(PoisonError::into_inner) = steps;
    });
    steps
}

fn stepped(letters: &[Letter], by: ParticipantId, steps: &[Step]) -> Vec<Letter> {
    let mut before = letters.iter().copied();
    let mut after = Vec::with_capacity(letters.len());
    for step in steps {
        match step {
            Step::Stays(units) => after.extend(before.by_ref().take(*units)),
            Step::Goes(units) => before.by_ref().take(*units).for_each(drop),
            Step::Comes(units) => {
                after.extend(units.iter().map(|unit| Letter { unit: *unit, by }));
            }
        }
    }
    after.extend(before);
    after
}

fn text_of(letters: &[Letter]) -> String {
    let units = letters.iter().map(|it| it.unit);
    char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// `None`: the parts are not those of this text.
fn letters_of(text: &str, parts: &[Part]) -> Option<Vec<Letter>> {
    let mut by = parts.iter().flat_map(|(by, chars)| (0..*chars).map(move |_| *by));
    let mut letters = Vec::new();
    for it in text.chars() {
        let by = by.next()?;
        let mut units = [0; 2];
        letters.extend(it.encode_utf16(&mut units).iter().map(|unit| Letter { unit: *unit, by }));
    }
    by.next().is_none().then_some(letters)
}

/// The second unit of a character outside the basic plane.
fn is_second_half(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

/// The clocks of such units in a text that begins at a clock.
fn second_halves(from: u32, text: &str) -> impl Iterator<Item = u32> {
    (from..).zip(text.encode_utf16()).filter(|it| is_second_half(it.1)).map(|it| it.0)
}

/// What cannot be seen has no place in a text that others read; the joiners of emoji and of Persian
/// show in what they join.
fn is_hidden(it: char) -> bool {
    !matches!(it, '\n' | '\u{200c}' | '\u{200d}') && is_invisible(it)
}

/// An update of Yjs, read as far as a page that writes plain text can make one: stretches of text by
/// one client, each beside others, and stretches that go.
struct Brought<'a> {
    /// Which client brings text, and at which of its clocks that begins.
    client: Option<(u64, u32)>,
    blocks: Vec<Block<'a>>,
    /// Client, clock and length.
    gone: Vec<(u64, u32, u32)>,
}

struct Block<'a> {
    left: Option<(u64, u32)>,
    right: Option<(u64, u32)>,
    /// Empty for a stretch that is gone already.
    text: &'a str,
    units: u32,
}

impl<'a> Brought<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader { bytes };
        let mut brought = Brought { client: None, blocks: Vec::new(), gone: Vec::new() };
        match reader.number()? {
            0 => (),
            1 => {
                let blocks = reader.number()?;
                let client = reader.client()?;
                let from = reader.clock()?;
                brought.client = Some((client, from));
                let mut end = u64::from(from);
                for _ in 0..blocks {
                    let block = reader.block()?;
                    end += u64::from(block.units);
                    if CLOCK_MAX < end {
                        return None;
                    }
                    brought.blocks.push(block);
                }
                if brought.blocks.is_empty() {
                    return None;
                }
            }
            _ => return None,
        }
        for _ in 0..reader.number()? {
            let client = reader.client()?;
            for _ in 0..reader.number()? {
                let (clock, units) = (reader.clock()?, reader.clock()?);
                if units == 0 || CLOCK_MAX < u64::from(clock) + u64::from(units) {
                    return None;
                }
                brought.gone.push((client, clock, units));
            }
        }
        // One that changes nothing is no change.
        let changes = brought.client.is_some() || !brought.gone.is_empty();
        (changes && reader.bytes.is_empty()).then_some(brought)
    }

    fn text_chars(&self) -> usize {
        self.blocks.iter().map(|it| it.text.chars().count()).sum()
    }
}

/// Yjs's first encoding (lib0): numbers of seven bits a byte, the lowest first.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// Below 2^53, in as few bytes as it needs: nobody else can then read it as another.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let shortest = byte != 0 || shift == 0;
                return (shortest && number < CLIENTS_END).then_some(number);
            }
        }
        None
    }

    fn client(&mut self) -> Option<u64> {
        self.number()
    }

    fn clock(&mut self) -> Option<u32> {
        self.number().filter(|it| *it < CLOCK_MAX).and_then(|it| u32::try_from(it).ok())
    }

    fn text(&mut self) -> Option<&'a str> {
        let bytes = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.bytes.split_at_checked(bytes)?;
        self.bytes = rest;
        std::str::from_utf8(text).ok()
    }

    fn block(&mut self) -> Option<Block<'a>> {
        const HAS_LEFT: u8 = 0x80;
        const HAS_RIGHT: u8 = 0x40;
        const GONE: u8 = 1;
        const TEXT_COMES: u8 = 4;
        let info = self.byte()?;
        let mut beside = |has: u8| match info & has {
            0 => Some(None),
            _ => Some(Some((self.client()?, self.clock()?))),
        };
        let (left, right) = (beside(HAS_LEFT)?, beside(HAS_RIGHT)?);
        // Where it has no neighbours, it says of which text it is.
        if left.is_none() && right.is_none() && (self.number()? != 1 || self.text()? != TEXT) {
            return None;
        }
        let (text, units) = match info & !(HAS_LEFT | HAS_RIGHT) {
            GONE => ("", self.clock()?),
            TEXT_COMES => {
                let text = self.text()?;
                (text, u32::try_from(text.encode_utf16().count()).ok()?)
            }
            _ => return None,
        };
        (units != 0).then_some(Block { left, right, text, units })
    }
}

#[cfg(test)]
mod tests;
