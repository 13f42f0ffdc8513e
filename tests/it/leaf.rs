//! What a browser has of its room's sheet: a document of the same library, with a number of its own.

use vuoro::domain::message::SheetView;
use yrs::{
    ClientID, Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact,
    TransactionMut, Update, updates::decoder::Decode,
};

pub struct Leaf {
    pub number: u32,
    client: u64,
    doc: Doc,
    text: TextRef,
}

impl Leaf {
    /// `client`: what the browser calls itself; none of two that write on one sheet at once.
    pub fn of(client: u64, sheet: &SheetView) -> Self {
        let leaf = Self::blank(client, sheet.number);
        leaf.hears(&sheet.state);
        leaf
    }

    fn blank(client: u64, number: u32) -> Self {
        let options = Options {
            offset_kind: OffsetKind::Utf16,
            ..Options::with_guid_and_client_id("".into(), ClientID::new(client))
        };
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text("text");
        Self { number, client, doc, text }
    }

    /// Takes in what the server tells.
    pub fn hears(&self, update: &[u8]) {
        let update = Update::decode_v1(update).expect("what the server sends can be read");
        self.doc.transact_mut().apply_update(update).expect("and taken in");
    }

    pub fn reads(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    /// The change that puts `words` at a character, as far as there are so many. It stands on the leaf
    /// itself only when it has been heard.
    pub fn types(&self, at: usize, words: &str) -> Vec<u8> {
        let units: usize = self.reads().chars().take(at).map(char::len_utf16).sum();
        self.would(|text, transaction| text.insert(transaction, units as u32, words))
    }

    /// The change that takes units of UTF-16 away.
    pub fn takes(&self, at: usize, units: usize) -> Vec<u8> {
        self.would(|text, transaction| text.remove_range(transaction, at as u32, units as u32))
    }

    fn would(&self, change: impl FnOnce(&TextRef, &mut TransactionMut)) -> Vec<u8> {
        let trial = Self::blank(self.client, self.number);
        trial.hears(&self.doc.transact().encode_state_as_update_v1(&StateVector::default()));
        let before = trial.doc.transact().state_vector();
        change(&trial.text, &mut trial.doc.transact_mut());
        trial.doc.transact().encode_diff_v1(&before)
    }
}
