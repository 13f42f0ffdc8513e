//! The fields of the index, and how an entry becomes a document. Never reads or writes a file.
//!
//! The words of an entry are kept in their very forms with their places (`text`, for phrases and
//! beginnings), and as the keys by which `engine::words` finds them (`keys`). Letters are only made
//! small: å, ä and ö are letters of their own, not ornaments.
//!
//! What an entry is counted and narrowed by stands in two columns, so that a hundred thousand hits
//! are counted in a millisecond: `facets`, a number with all that is small, and `place`, a text with
//! the session, the method, the phase and the question.

use tantivy::{
    TantivyDocument,
    schema::{
        FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing,
        TextOptions, Value,
    },
    tokenizer::{LowerCaser, SimpleTokenizer, TextAnalyzer, TokenizerManager},
};

use crate::domain::{
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    mark::Mark,
    time::{SessionTime, Span},
};
use crate::notes::engine::entries::{Entry, Kind};

pub const SEQ: &str = "seq";
pub const UNIX_MS: &str = "unix_ms";
pub const FACETS: &str = "facets";
pub const PLACE: &str = "place";

const FORMS: &str = "forms";

/// Between the parts of a place; no text has it.
const PLACE_SEPARATOR: char = '\u{1f}';

#[derive(Clone, Copy, Debug)]
pub struct Fields {
    pub seq: Field,
    pub session: Field,
    unix_ms: Field,
    start_ms: Field,
    end_ms: Field,
    facets: Field,
    place: Field,
    marks: Field,
    name: Field,
    pub text: Field,
    pub keys: Field,
}

pub fn build() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let forms = TextFieldIndexing::default()
        .set_tokenizer(FORMS)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let keys = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    let fields = Fields {
        seq: schema.add_u64_field(SEQ, FAST | INDEXED | STORED),
        session: schema.add_text_field("session", STRING),
        unix_ms: schema.add_u64_field(UNIX_MS, FAST | STORED),
        start_ms: schema.add_u64_field("start_ms", STORED),
        end_ms: schema.add_u64_field("end_ms", STORED),
        facets: schema.add_u64_field(FACETS, FAST | STORED),
        place: schema.add_text_field(PLACE, TextOptions::default().set_fast("raw").set_stored()),
        marks: schema.add_u64_field("marks", STORED),
        name: schema.add_text_field("name", STORED),
        text: schema.add_text_field(
            "text",
            TextOptions::default().set_indexing_options(forms).set_stored(),
        ),
        keys: schema.add_text_field("keys", TextOptions::default().set_indexing_options(keys)),
    };
    (schema.build(), fields)
}

pub fn tokenizers() -> TokenizerManager {
    // With tantivy's own: it looks one up even for fields of numbers.
    let manager = TokenizerManager::default();
    let forms = TextAnalyzer::builder(SimpleTokenizer::default()).filter(LowerCaser).build();
    manager.register(FORMS, forms);
    manager
}

impl Fields {
    /// `keys`: of all the words of the entry.
    pub fn document<'a>(
        &self,
        entry: &Entry,
        keys: impl IntoIterator<Item = &'a str>,
    ) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_u64(self.seq, entry.seq);
        document.add_text(self.session, entry.session.to_string());
        document.add_u64(self.unix_ms, entry.unix_ms);
        document.add_u64(self.start_ms, entry.span.start.as_ms());
        document.add_u64(self.end_ms, entry.span.end.as_ms());
        document.add_u64(self.facets, Facets::of(entry).0);
        document.add_text(self.place, place_text(entry));
        document.add_u64(self.marks, packed_marks(&entry.marks));
        document.add_text(self.name, &entry.name);
        document.add_text(self.text, &entry.text);
        keys.into_iter().for_each(|key| document.add_text(self.keys, key));
        document
    }

    /// `None`: it is not whole.
    pub fn entry(&self, document: &TantivyDocument) -> Option<Entry> {
        let number = |field| document.get_first(field)?.as_u64();
        let text = |field| document.get_first(field)?.as_str();
        let facets = Facets(number(self.facets)?);
        let place = Place::read(text(self.place)?)?;
        let span =
            Span::new(SessionTime(number(self.start_ms)?), SessionTime(number(self.end_ms)?));
        Some(Entry {
            seq: number(self.seq)?,
            session: place.session,
            participant: facets.participant(),
            name: text(self.name)?.to_owned(),
            room: facets.room(),
            span,
            unix_ms: number(self.unix_ms)?,
            language: facets.language()?,
            kind: facets.kind()?,
            method: place.method,
            phase: place.phase,
            question: place.question,
            marks: unpacked_marks(number(self.marks)?),
            text: text(self.text)?.to_owned(),
        })
    }
}

/// Kind (4 bits), language (2), marks (6), room (16) and participant (32; 0 for none) in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facets(pub u64);

impl Facets {
    pub fn of(entry: &Entry) -> Self {
        let index = |at: Option<usize>| at.unwrap_or_default() as u64;
        let kind = index(Kind::ALL.iter().position(|it| *it == entry.kind));
        let language = index(Language::ALL.iter().position(|it| *it == entry.language));
        let marks = (entry.marks.iter().enumerate())
            .filter(|(_, count)| 0 < **count)
            .fold(0, |marks, (at, _)| marks | 1 << at);
        let room = match entry.room {
            RoomId::Main => 0,
            RoomId::Breakout(number) => u64::from(number),
        };
        let participant = entry.participant.map_or(0, |it| u64::from(it.0));
        Self(kind | language << 4 | marks << 6 | room << 12 | participant << 28)
    }

    fn bits(self, from: u32, many: u32) -> u64 {
        self.0 >> from & ((1 << many) - 1)
    }

    /// The same without the participant.
    pub fn of_nobody(self) -> Facets {
        Facets(self.bits(0, 28))
    }

    pub fn kind_index(self) -> usize {
        self.bits(0, 4) as usize
    }

    pub fn language_index(self) -> usize {
        self.bits(4, 2) as usize
    }

    /// One bit for each of [`Mark::ALL`].
    pub fn marks(self) -> u64 {
        self.bits(6, 6)
    }

    pub fn room_number(self) -> u16 {
        self.bits(12, 16) as u16
    }

    /// 0: nobody's.
    pub fn participant_number(self) -> u32 {
        self.bits(28, 32) as u32
    }

    fn kind(self) -> Option<Kind> {
        Kind::ALL.get(self.kind_index()).copied()
    }

    fn language(self) -> Option<Language> {
        Language::ALL.get(self.language_index()).copied()
    }

    fn room(self) -> RoomId {
        room(self.room_number())
    }

    fn participant(self) -> Option<ParticipantId> {
        Some(ParticipantId(self.participant_number())).filter(|it| it.0 != 0)
    }
}

/// 0 is the main room.
pub fn room(number: u16) -> RoomId {
    if number == 0 { RoomId::Main } else { RoomId::Breakout(number) }
}

/// Where in all that is going on something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub session: SessionId,
    pub method: String,
    pub phase: String,
    pub question: String,
}

impl Place {
    /// `None`: not a place.
    pub fn read(text: &str) -> Option<Place> {
        let mut parts = text.split(PLACE_SEPARATOR);
        let session = parts.next()?.parse().ok()?;
        let mut next = || parts.next().map(str::to_owned);
        Some(Place { session, method: next()?, phase: next()?, question: next()? })
    }

    pub fn of(entry: &Entry) -> Place {
        Place {
            session: entry.session,
            method: entry.method.clone(),
            phase: entry.phase.clone(),
            question: entry.question.clone(),
        }
    }
}

fn place_text(entry: &Entry) -> String {
    let clean = |text: &str| text.replace(PLACE_SEPARATOR, " ");
    let parts = [
        entry.session.to_string(),
        clean(&entry.method),
        clean(&entry.phase),
        clean(&entry.question),
    ];
    parts.join(&PLACE_SEPARATOR.to_string())
}

/// How many have set each mark, ten bits each; more than that many are that many.
fn packed_marks(marks: &[u16; Mark::ALL.len()]) -> u64 {
    marks.iter().rev().fold(0, |packed, count| packed << 10 | u64::from((*count).min(1_023)))
}

fn unpacked_marks(packed: u64) -> [u16; Mark::ALL.len()] {
    std::array::from_fn(|at| (packed >> (10 * at) & 1_023) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_being_a_document() {
        let (_, fields) = build();
        let entry = Entry {
            seq: 7,
            session: SessionId::new(1_790_000_000_000, 3),
            participant: Some(ParticipantId(u32::MAX)),
            name: "Alice".into(),
            room: RoomId::Breakout(65_535),
            span: Span::new(SessionTime(5), SessionTime(9)),
            unix_ms: 1_790_000_000_005,
            language: Language::English,
            kind: Kind::Broadcast,
            method: "troika".into(),
            phase: "help".into(),
            question: "What next?".into(),
            marks: [0, 1, 1_023, 5, 0, 3],
            text: "Hello there".into(),
        };
        assert_eq!(fields.entry(&fields.document(&entry, [])), Some(entry.clone()));
        let nobody = Entry { participant: None, room: RoomId::Main, ..entry };
        assert_eq!(fields.entry(&fields.document(&nobody, [])), Some(nobody));
        assert_eq!(fields.entry(&TantivyDocument::new()), None);
    }
}
