//! The fields of the index, and how a text becomes words in it. Never reads or writes a file.
//!
//! What was said is kept twice: in its very forms (`text`), and by stem in the field of its
//! language. Letters are only made small: å, ä and ö are letters of their own, not ornaments.

use tantivy::{
    TantivyDocument,
    schema::{
        FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing,
        TextOptions,
    },
    tokenizer::{
        Language as Snowball, LowerCaser, RawTokenizer, SimpleTokenizer, Stemmer, TextAnalyzer,
        TokenFilter, TokenStream, Tokenizer, TokenizerManager,
    },
};

use crate::domain::{
    ids::{ParticipantId, RoomId, SessionId},
    language::Language,
    time::Span,
};
use crate::notes::engine::{endings, highlight};

pub const SEQ: &str = "seq";
pub const ROOM: &str = "room";
pub const START_MS: &str = "start_ms";

const FORMS: &str = "forms";

#[derive(Clone, Copy, Debug)]
pub struct Fields {
    pub seq: Field,
    pub session: Field,
    pub participant: Field,
    pub name: Field,
    pub room: Field,
    pub start_ms: Field,
    pub end_ms: Field,
    pub language: Field,
    pub text: Field,
    /// In the order of [`Language::ALL`].
    stems: [Field; 3],
}

pub fn build() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let forms = TextFieldIndexing::default()
        .set_tokenizer(FORMS)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let fields = Fields {
        seq: schema.add_u64_field(SEQ, FAST | STORED),
        session: schema.add_text_field("session", STRING),
        participant: schema.add_u64_field("participant", INDEXED | STORED),
        name: schema.add_text_field("name", STORED),
        room: schema.add_u64_field(ROOM, FAST | INDEXED | STORED),
        start_ms: schema.add_u64_field(START_MS, FAST | STORED),
        end_ms: schema.add_u64_field("end_ms", FAST | STORED),
        language: schema.add_text_field("language", STORED),
        text: schema.add_text_field(
            "text",
            TextOptions::default().set_indexing_options(forms).set_stored(),
        ),
        stems: Language::ALL.map(|language| {
            let stems = TextFieldIndexing::default()
                .set_tokenizer(language.code())
                .set_index_option(IndexRecordOption::WithFreqs);
            let options = TextOptions::default().set_indexing_options(stems);
            schema.add_text_field(&format!("text_{}", language.code()), options)
        }),
    };
    (schema.build(), fields)
}

impl Fields {
    /// The field that holds what was said in `language`, by stem.
    pub fn stems(&self, language: Language) -> Field {
        let [finnish, swedish, english] = self.stems;
        match language {
            Language::Finnish => finnish,
            Language::Swedish => swedish,
            Language::English => english,
        }
    }

    #[allow(clippy::too_many_arguments)] // One for each field; a struct would say them twice.
    pub fn document(
        &self,
        seq: u64,
        session: SessionId,
        participant: ParticipantId,
        name: &str,
        room: RoomId,
        span: Span,
        language: Language,
        text: &str,
    ) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_u64(self.seq, seq);
        document.add_text(self.session, session.to_string());
        document.add_u64(self.participant, u64::from(participant.0));
        document.add_text(self.name, name);
        document.add_u64(self.room, room_number(room));
        document.add_u64(self.start_ms, span.start.as_ms());
        document.add_u64(self.end_ms, span.end.as_ms());
        document.add_text(self.language, language.code());
        document.add_text(self.text, text);
        document.add_text(self.stems(language), text);
        document
    }
}

/// 0 for the main room.
pub fn room_number(room: RoomId) -> u64 {
    match room {
        RoomId::Main => 0,
        RoomId::Breakout(number) => u64::from(number),
    }
}

/// `None` when no room has such a number.
pub fn room(number: u64) -> Option<RoomId> {
    match u16::try_from(number) {
        Ok(0) => Some(RoomId::Main),
        Ok(number) => Some(RoomId::Breakout(number)),
        Err(_) => None,
    }
}

pub fn tokenizers() -> TokenizerManager {
    // With tantivy's own: it looks one up even for fields of numbers.
    let manager = TokenizerManager::default();
    manager.register(FORMS, forms());
    for language in Language::ALL {
        manager.register(language.code(), stems(language, SimpleTokenizer::default()));
    }
    manager
}

fn forms() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default()).filter(LowerCaser).build()
}

fn stems(language: Language, tokenizer: impl Tokenizer) -> TextAnalyzer {
    let snowball = match language {
        Language::Finnish => Snowball::Finnish,
        Language::Swedish => Snowball::Swedish,
        Language::English => Snowball::English,
    };
    TextAnalyzer::builder(tokenizer)
        .filter(LowerCaser)
        .filter(Stemmer::new(snowball))
        .filter(Fold(language))
        .build()
}

/// The stemmers for questions and for marking what matched: the same rules as the index's own.
pub struct Stemmers {
    forms: TextAnalyzer,
    of_texts: [TextAnalyzer; 3],
    of_words: [TextAnalyzer; 3],
}

impl Stemmers {
    pub fn new() -> Stemmers {
        Stemmers {
            forms: forms(),
            of_texts: Language::ALL.map(|it| stems(it, SimpleTokenizer::default())),
            of_words: Language::ALL.map(|it| stems(it, RawTokenizer::default())),
        }
    }

    /// The stem of one word.
    pub fn stem(&self, language: Language, word: &str) -> String {
        let mut analyzer = Self::of(&self.of_words, language).clone();
        let mut stream = analyzer.token_stream(word);
        if stream.advance() { stream.token().text.clone() } else { word.to_owned() }
    }

    /// All words of a text.
    pub fn tokens(&self, language: Language, text: &str) -> Vec<highlight::Token> {
        let (mut forms, mut stems) =
            (self.forms.clone(), Self::of(&self.of_texts, language).clone());
        let (mut forms, mut stems) = (forms.token_stream(text), stems.token_stream(text));
        let mut tokens = Vec::new();
        // Both cut at the same places; only what they make of a word differs.
        while forms.advance() && stems.advance() {
            let form = forms.token();
            tokens.push(highlight::Token {
                range: form.offset_from..form.offset_to,
                word: form.text.clone(),
                stem: stems.token().text.clone(),
            });
        }
        tokens
    }

    fn of(analyzers: &[TextAnalyzer; 3], language: Language) -> &TextAnalyzer {
        let [finnish, swedish, english] = analyzers;
        match language {
            Language::Finnish => finnish,
            Language::Swedish => swedish,
            Language::English => english,
        }
    }
}

/// `engine::endings` as a filter of tantivy's.
#[derive(Clone)]
struct Fold(Language);

#[derive(Clone)]
struct FoldTokenizer<T> {
    language: Language,
    inner: T,
}

struct FoldStream<S> {
    language: Language,
    inner: S,
}

impl TokenFilter for Fold {
    type Tokenizer<T: Tokenizer> = FoldTokenizer<T>;

    fn transform<T: Tokenizer>(self, inner: T) -> FoldTokenizer<T> {
        FoldTokenizer { language: self.0, inner }
    }
}

impl<T: Tokenizer> Tokenizer for FoldTokenizer<T> {
    type TokenStream<'a> = FoldStream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        FoldStream { language: self.language, inner: self.inner.token_stream(text) }
    }
}

impl<S: TokenStream> TokenStream for FoldStream<S> {
    fn advance(&mut self) -> bool {
        if !self.inner.advance() {
            return false;
        }
        let token = self.inner.token_mut();
        token.text = endings::fold(self.language, &token.text);
        true
    }

    fn token(&self) -> &tantivy::tokenizer::Token {
        self.inner.token()
    }

    fn token_mut(&mut self) -> &mut tantivy::tokenizer::Token {
        self.inner.token_mut()
    }
}
