//! Alice and Bob write on one sheet, each from a page of their own; Chao comes late, and Mallory sends
//! what no page would.

use proptest::prelude::*;
use yrs::{
    ClientID, Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact,
    Update, updates::decoder::Decode,
};

use super::*;

const ALICE: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const CHAO: ParticipantId = ParticipantId(3);
const FIRST: u32 = 1;

/// What a browser has of a sheet.
struct Page {
    who: ParticipantId,
    doc: Doc,
    text: TextRef,
}

impl Page {
    fn of(who: ParticipantId, sheet: &Sheet) -> Self {
        Self::with_client(who, 70_000 + u64::from(who.0), sheet)
    }

    fn with_client(who: ParticipantId, client: u64, sheet: &Sheet) -> Self {
        let doc = Doc::with_options(Options {
            offset_kind: OffsetKind::Utf16,
            ..Options::with_guid_and_client_id("".into(), ClientID::new(client))
        });
        let text = doc.get_or_insert_text(TEXT);
        let page = Self { who, doc, text };
        page.hears(&sheet.state());
        page
    }

    fn hears(&self, update: &[u8]) {
        let update = Update::decode_v1(update).expect("what the server sends can be read");
        self.doc.transact_mut().apply_update(update).expect("and taken in");
    }

    /// What one keystroke, or several, become on the wire.
    fn does(&self, change: impl FnOnce(&TextRef, &mut yrs::TransactionMut)) -> Vec<u8> {
        let before = self.doc.transact().state_vector();
        let mut transaction = self.doc.transact_mut();
        change(&self.text, &mut transaction);
        drop(transaction);
        self.doc.transact().encode_diff_v1(&before)
    }

    fn types(&self, at: u32, words: &str) -> Vec<u8> {
        self.does(|text, transaction| text.insert(transaction, at, words))
    }

    fn deletes(&self, at: u32, units: u32) -> Vec<u8> {
        self.does(|text, transaction| text.remove_range(transaction, at, units))
    }

    fn reads(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }
}

/// Brings a change onto the sheet, and to the other pages.
fn comes(sheet: &mut Sheet, by: &Page, update: &[u8], others: &[&Page]) {
    assert_eq!(sheet.check(by.who, update), Ok(()));
    let worn = sheet.change(by.who, update);
    assert!(!worn);
    others.iter().for_each(|it| it.hears(update));
}

#[test]
fn two_write_at_the_same_place_at_once_and_nothing_is_lost() {
    let mut sheet = Sheet::blank(FIRST);
    let (alice, bob) = (Page::of(ALICE, &sheet), Page::of(BOB, &sheet));
    let (hers, his) = (alice.types(0, "Lisää puita. "), bob.types(0, "Penkkejä! "));
    comes(&mut sheet, &alice, &hers, &[&bob]);
    comes(&mut sheet, &bob, &his, &[&alice]);
    let both = sheet.text();
    assert!(both.contains("Lisää puita. ") && both.contains("Penkkejä! "), "{both}");
    assert_eq!((alice.reads(), bob.reads()), (both.clone(), both.clone()));
    // Chao comes late, and takes a part of what is there away.
    let chao = Page::of(CHAO, &sheet);
    assert_eq!(chao.reads(), both);
    let gone = chao.deletes(0, 3);
    comes(&mut sheet, &chao, &gone, &[&alice, &bob]);
    assert_eq!(sheet.text(), both.chars().skip(3).collect::<String>());
    assert_eq!(alice.reads(), sheet.text());
    let parts = sheet.parts();
    let of = |who| parts.iter().filter(|it| it.0 == who).map(|it| it.1).sum::<u32>();
    assert_eq!(of(ALICE) + of(BOB), 20, "{parts:?}");
    assert_eq!(of(CHAO), 0, "who only takes away has written nothing");
    assert_eq!(sheet.changed_by(), Some(CHAO));
}

#[test]
fn the_same_changes_make_the_same_sheet_again() {
    let mut sheet = Sheet::blank(FIRST);
    let (alice, bob) = (Page::of(ALICE, &sheet), Page::of(BOB, &sheet));
    let mut log = Vec::new();
    for turn in 0..20 {
        let (by, other) = if turn % 2 == 0 { (&alice, &bob) } else { (&bob, &alice) };
        let update = by.types(turn / 2, "sana ");
        comes(&mut sheet, by, &update, &[other]);
        log.push((by.who, update));
    }
    let mut again = Sheet::blank(FIRST);
    log.iter().for_each(|(by, update)| assert!(!again.change(*by, update)));
    assert_eq!((again.text(), again.parts()), (sheet.text(), sheet.parts()));
    assert_eq!((again.state(), again.number()), (sheet.state(), sheet.number()));
    let copy = sheet.clone();
    assert_eq!((copy.text(), copy.parts()), (sheet.text(), sheet.parts()));
    let update = alice.types(0, "!");
    assert_eq!(copy.check(ALICE, &update), Ok(()));
    assert!(!sheet.change(ALICE, &update));
    assert_ne!(copy.text(), sheet.text(), "a copy goes its own way");
}

#[test]
fn what_is_struck_is_in_nothing_that_a_page_that_comes_is_told() {
    let mut sheet = Sheet::blank(FIRST);
    let alice = Page::of(ALICE, &sheet);
    let typed = alice.types(0, "salaisuus ja puisto");
    comes(&mut sheet, &alice, &typed, &[]);
    let gone = alice.deletes(0, 13);
    comes(&mut sheet, &alice, &gone, &[]);
    let state = sheet.state();
    assert!(!state.windows(9).any(|it| it == b"salaisuus"));
    assert!(state.windows(6).any(|it| it == b"puisto"));
}

#[test]
fn what_is_written_whole_takes_the_place_of_what_stood_there() {
    let mut sheet = Sheet::blank(FIRST);
    let alice = Page::of(ALICE, &sheet);
    let typed = alice.types(0, "Puita");
    comes(&mut sheet, &alice, &typed, &[]);
    let (text, parts) = (sheet.text(), sheet.parts());
    assert!(!sheet.written(ALICE, &text, &parts), "as it stands: nothing changes");
    assert_eq!(sheet.changed_by(), None);
    // As it is read from a log out of which Alice was taken.
    assert!(sheet.written(BOB, "ja tori 😀", &[(BOB, 9)]));
    sheet.lay_out_anew(2);
    assert_eq!(sheet.number(), 2);
    assert_eq!((sheet.text(), sheet.parts()), ("ja tori 😀".into(), vec![(BOB, 9)]));
    assert_eq!(Page::of(CHAO, &sheet).reads(), "ja tori 😀");
    // Nobody has counted: what stood there keeps whose it was.
    assert!(sheet.written(CHAO, "ja uusi tori 😀", &[]));
    sheet.lay_out_anew(3);
    assert_eq!(sheet.parts(), [(BOB, 3), (CHAO, 5), (BOB, 6)]);
    // A page that was on the sheet before is told of the new one.
    assert_eq!(sheet.check(ALICE, &alice.types(5, "!")), Err(Refused::Elsewhere));
}

#[test]
fn a_full_sheet_takes_no_more_but_can_be_written_over() {
    let mut sheet = Sheet::blank(FIRST);
    let alice = Page::of(ALICE, &sheet);
    let page = "ä".repeat(SHEET_CHARS_MAX);
    let typed = alice.types(0, &page);
    comes(&mut sheet, &alice, &typed, &[]);
    let bob = Page::of(BOB, &sheet);
    assert_eq!(sheet.check(BOB, &bob.types(0, "x")), Err(Refused::Full));
    let other = alice.does(|text, transaction| {
        text.remove_range(transaction, 0, 10);
        text.insert(transaction, 0, "kymmenen!!");
    });
    comes(&mut sheet, &alice, &other, &[]);
    assert!(sheet.text().starts_with("kymmenen!!"));
    let huge = Page::of(CHAO, &Sheet::blank(FIRST)).types(0, &"x".repeat(TYPED_BYTES_MAX));
    assert_eq!(Sheet::blank(FIRST).check(CHAO, &huge), Err(Refused::Full));
}

#[test]
fn a_sheet_that_was_changed_very_often_is_laid_out_anew() {
    // Each time from another page, as if she did nothing but reload.
    let mut sheet = Sheet::blank(FIRST);
    let mut pages = 0;
    loop {
        pages += 1;
        let alice = Page::with_client(ALICE, 70_000 + pages, &sheet);
        if sheet.change(ALICE, &alice.types(0, "a")) {
            break;
        }
    }
    assert_eq!(pages, SHEET_PAGES_MAX as u64);
    sheet.lay_out_anew(2);
    assert_eq!(sheet.parts(), [(ALICE, SHEET_PAGES_MAX as u32)]);
    assert_eq!(sheet.changed_by(), Some(ALICE), "it is still to be written down");

    // Or by much that comes and goes.
    let mut sheet = Sheet::blank(FIRST);
    let alice = Page::of(ALICE, &sheet);
    let mut bytes = 0;
    loop {
        let update = if sheet.text().is_empty() {
            alice.types(0, &"x".repeat(1_000))
        } else {
            alice.deletes(0, 1_000)
        };
        bytes += update.len();
        if sheet.change(ALICE, &update) {
            break;
        }
    }
    assert!((SHEET_HISTORY_BYTES_MAX..2 * SHEET_HISTORY_BYTES_MAX).contains(&bytes));
    let before = sheet.text();
    sheet.lay_out_anew(2);
    assert_eq!(Page::of(BOB, &sheet).reads(), before);
}

#[test]
fn nobody_writes_as_somebody_else() {
    let mut sheet = Sheet::blank(FIRST);
    let alice = Page::of(ALICE, &sheet);
    let typed = alice.types(0, "Hei");
    comes(&mut sheet, &alice, &typed, &[]);
    let next = alice.types(3, "!");
    assert_eq!(sheet.check(BOB, &next), Err(Refused::Garbled), "it is Alice's page");
    let laid_out = Page::with_client(BOB, LAID_OUT, &sheet).types(0, "x");
    assert_eq!(sheet.check(BOB, &laid_out), Err(Refused::Garbled), "nobody's page");
}

#[test]
fn what_no_page_of_ours_sends_is_refused() {
    let sheet = Sheet::blank(FIRST);
    let page = Page::of(ALICE, &sheet);
    let good = page.types(0, "Hei");
    assert_eq!(sheet.check(ALICE, &good), Ok(()));
    let check = |update: &[u8]| assert_eq!(sheet.check(ALICE, update), Err(Refused::Garbled));
    for cut in 0..good.len() {
        check(&good[..cut]);
    }
    check(&[&good[..], &[0]].concat());
    check(&[0xff; 200]);
    for hidden in ["a\u{0}b", "a\u{202e}b", "a\rb", "a\u{feff}"] {
        check(&Page::of(ALICE, &sheet).types(0, hidden));
    }
    // Other texts, other kinds, other encodings.
    let doc = Doc::with_client_id(70_001);
    doc.get_or_insert_text("other").insert(&mut doc.transact_mut(), 0, "Hei");
    check(&doc.transact().encode_diff_v1(&StateVector::default()));
    check(&doc.transact().encode_diff_v2(&StateVector::default()));
    let doc = Doc::with_client_id(70_001);
    yrs::Array::push_back(&doc.get_or_insert_array(TEXT), &mut doc.transact_mut(), "x");
    check(&doc.transact().encode_diff_v1(&StateVector::default()));
    let doc = Doc::with_client_id(70_001);
    yrs::Map::insert(&doc.get_or_insert_map(TEXT), &mut doc.transact_mut(), "key", "value");
    check(&doc.transact().encode_diff_v1(&StateVector::default()));
    // What builds on what the sheet has not.
    let later = page.types(3, "!");
    assert_eq!(sheet.check(ALICE, &later), Err(Refused::Elsewhere));
}

/// As in the middle of Alice's emoji, of the one that was there before her, and of one that comes with
/// the same change.
#[test]
fn a_character_is_never_cut_in_two() {
    let mut sheet = Sheet::blank(FIRST);
    assert!(sheet.written(BOB, "a😀b", &[]));
    sheet.lay_out_anew(2);
    let alice = Page::of(ALICE, &sheet);
    let typed = alice.types(0, "c😀d");
    comes(&mut sheet, &alice, &typed, &[]);
    let (hers, his) = (70_000 + u64::from(ALICE.0), 70_000 + u64::from(BOB.0));
    let check = |blocks: &[OddBlock], gone: &[(u64, u64, u64)]| {
        sheet.check(BOB, &odd(his, 0, blocks, gone))
    };
    for client in [LAID_OUT, hers] {
        for (from, units) in [(0, 2), (1, 1), (2, 1), (2, 2)] {
            assert_eq!(
                check(&[], &[(client, from, units)]),
                Err(Refused::Garbled),
                "{from} {units}"
            );
        }
        let (first, second) = (Some((client, 1)), Some((client, 2)));
        assert_eq!(check(&[(first, None, "x")], &[]), Err(Refused::Garbled));
        assert_eq!(check(&[(None, second, "x")], &[]), Err(Refused::Garbled));
        // Whole it may go, and on both sides of it there is room.
        assert_eq!(check(&[], &[(client, 1, 2)]), Ok(()));
        assert_eq!(check(&[(None, first, "x")], &[]), Ok(()));
        assert_eq!(check(&[(second, None, "x")], &[]), Ok(()));
    }
    let beside = Some((LAID_OUT, 0));
    let own = |clock| [(beside, None, "😀"), (Some((his, clock)), None, "x")];
    assert_eq!(check(&own(0), &[]), Err(Refused::Garbled));
    assert_eq!(check(&own(1), &[]), Ok(()));
    assert_eq!(check(&own(1), &[(his, 1, 1)]), Err(Refused::Garbled));
}

/// A letter says that it comes after the fifth and before the second.
#[test]
fn what_is_read_in_two_ways_is_laid_out_anew_when_it_is_written_down() {
    let mut sheet = Sheet::blank(FIRST);
    let his = 70_000 + u64::from(BOB.0);
    let blocks = [(None, None, "sana sana"), (Some((his, 4)), Some((his, 1)), "x")];
    let update = odd(his, 0, &blocks, &[]);
    assert_eq!(sheet.check(BOB, &update), Ok(()));
    assert!(!sheet.change(BOB, &update));
    assert_ne!(Page::of(CHAO, &sheet).reads(), sheet.text(), "the story's change is odd enough");
    let mut number = FIRST;
    write_down(&mut sheet, &mut number, BOB);
    assert_eq!((number, sheet.number(), sheet.since()), (2, 2, 2));
    assert_eq!(Page::of(CHAO, &sheet).reads(), sheet.text());
    write_down(&mut sheet, &mut number, BOB);
    assert_eq!(sheet.number(), 2, "now all read the same");
}

fn write_down(sheet: &mut Sheet, number: &mut u32, by: ParticipantId) {
    let (text, parts) = (sheet.text(), sheet.parts());
    if sheet.written(by, &text, &parts) {
        *number += 1;
        sheet.lay_out_another(*number);
    }
    assert_eq!((sheet.text(), sheet.parts()), (text, parts));
}

fn number(out: &mut Vec<u8>, mut number: u64) {
    while 0x7f < number {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What is on its left, on its right, and what it says; without words two units that are gone.
type OddBlock = (Option<(u64, u64)>, Option<(u64, u64)>, &'static str);

/// A change by a client as it goes over the wire; `gone`: client, clock and length.
fn odd(client: u64, clock: u64, blocks: &[OddBlock], gone: &[(u64, u64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, u64::from(!blocks.is_empty()));
    if !blocks.is_empty() {
        [blocks.len() as u64, client, clock].iter().for_each(|it| number(&mut out, *it));
    }
    for (left, right, text) in blocks {
        let has = |it: &Option<(u64, u64)>, bit| if it.is_some() { bit } else { 0 };
        let kind = if text.is_empty() { 1 } else { 4 };
        out.push(kind | has(left, 0x80) | has(right, 0x40));
        for (client, clock) in [left, right].into_iter().flatten() {
            number(&mut out, *client);
            number(&mut out, *clock);
        }
        if left.is_none() && right.is_none() {
            out.extend([1, 4]);
            out.extend(TEXT.as_bytes());
        }
        if text.is_empty() {
            number(&mut out, 2);
        } else {
            number(&mut out, text.len() as u64);
            out.extend(text.as_bytes());
        }
    }
    number(&mut out, gone.len() as u64);
    for (client, clock, units) in gone {
        [*client, 1, *clock, *units].iter().for_each(|it| number(&mut out, *it));
    }
    out
}

/// A change that looks like one of a page: its own text beside whatever there may be, and stretches of
/// anybody's that go.
fn odd_update() -> impl Strategy<Value = Vec<u8>> {
    let client = || prop::sample::select(vec![LAID_OUT, 70_001, 70_002, 70_003]);
    let beside = || prop::option::of((client(), 0..12_u64));
    let text = prop::sample::select(vec!["", "a", "ää", "😀", "x😀y", "\n", "sana sana"]);
    let block = (beside(), beside(), text);
    let gone = (client(), 0..12_u64, 1..5_u64);
    let blocks = prop::collection::vec(block, 0..4);
    (client(), 0..8_u64, blocks, prop::collection::vec(gone, 0..3))
        .prop_map(|(client, clock, blocks, gone)| odd(client, clock, &blocks, &gone))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// People type, delete and hear of each other late, in any order; all end with the same text.
    #[test]
    fn whoever_writes_what_and_when_all_read_the_same(
        acts in prop::collection::vec((0..3_usize, 0..40_u32, 0..6_u32, "[a-zäö😀\n]{0,6}"), 1..40)
    ) {
        let mut sheet = Sheet::blank(FIRST);
        let pages = [ALICE, BOB, CHAO].map(|who| Page::of(who, &sheet));
        let mut unheard: [Vec<Vec<u8>>; 3] = Default::default();
        for (who, at, units, words) in acts {
            let page = &pages[who];
            // At a whole character, as a page does it.
            let chars: Vec<_> = page.reads().chars().collect();
            let at = (at as usize).min(chars.len());
            let end = (at + units as usize).min(chars.len());
            let long = |it: &[char]| it.iter().map(|it| it.len_utf16() as u32).sum::<u32>();
            if at == end && words.is_empty() {
                continue;
            }
            let (from, gone) = (long(&chars[..at]), long(&chars[at..end]));
            let update = page.does(|text, transaction| {
                if 0 < gone {
                    text.remove_range(transaction, from, gone);
                }
                if !words.is_empty() {
                    text.insert(transaction, from, &words);
                }
            });
            prop_assert_eq!(sheet.check(page.who, &update), Ok(()));
            prop_assert!(!sheet.change(page.who, &update));
            for (other, unheard) in unheard.iter_mut().enumerate().filter(|it| it.0 != who) {
                unheard.push(update.clone());
                if other % 2 == 0 && 3 < unheard.len() {
                    unheard.drain(..).for_each(|it| pages[other].hears(&it));
                }
            }
        }
        for (page, unheard) in pages.iter().zip(unheard) {
            unheard.iter().for_each(|it| page.hears(it));
            prop_assert_eq!(page.reads(), sheet.text());
        }
        let chars: u32 = sheet.parts().iter().map(|it| it.1).sum();
        prop_assert_eq!(chars as usize, sheet.text().chars().count());
    }

    #[test]
    fn odd_changes_never_panic_and_every_page_that_comes_reads_what_is_written_down(
        updates in prop::collection::vec((0..3_u32, odd_update()), 0..30)
    ) {
        let (mut sheet, mut number) = (Sheet::blank(FIRST), FIRST);
        for (who, update) in updates {
            let who = ParticipantId(who + 1);
            if sheet.check(who, &update) != Err(Refused::Garbled) {
                let _ = sheet.change(who, &update);
            }
            write_down(&mut sheet, &mut number, who);
            prop_assert_eq!(Page::of(CHAO, &sheet).reads(), sheet.text());
        }
    }

    /// What a page really sends, with bytes changed, lost and added on the way, between changes that
    /// came whole.
    #[test]
    fn damaged_changes_never_panic_and_every_page_that_comes_reads_what_is_written_down(
        acts in prop::collection::vec((0..3_usize, 0..20_u32, 0..4_u32, "[a-z😀]{0,9}"), 1..20),
        harms in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 20),
    ) {
        let (mut sheet, mut number) = (Sheet::blank(FIRST), FIRST);
        for ((who, at, units, words), (place, how, byte)) in acts.into_iter().zip(harms) {
            // Each comes anew, so that what stands there is what they build on.
            let page = Page::with_client([ALICE, BOB, CHAO][who], 70_000 + who as u64, &sheet);
            let chars: Vec<_> = page.reads().chars().collect();
            let long = |it: &[char]| it.iter().map(|it| it.len_utf16() as u32).sum::<u32>();
            let at = (at as usize).min(chars.len());
            let end = (at + units as usize).min(chars.len());
            if at == end && words.is_empty() {
                continue;
            }
            let update = page.does(|text, transaction| {
                text.remove_range(transaction, long(&chars[..at]), long(&chars[at..end]));
                text.insert(transaction, long(&chars[..at]), &words);
            });
            let mut harmed = update.clone();
            let place = place.index(harmed.len());
            match how {
                0 => harmed[place] = byte,
                1 => _ = harmed.remove(place),
                _ => harmed.insert(place, byte),
            }
            for update in [&harmed, &update] {
                if sheet.check(page.who, update).is_ok() {
                    let _ = sheet.change(page.who, update);
                }
                write_down(&mut sheet, &mut number, page.who);
                prop_assert_eq!(Page::of(CHAO, &sheet).reads(), sheet.text());
                let chars: u32 = sheet.parts().iter().map(|it| it.1).sum();
                prop_assert_eq!(chars as usize, sheet.text().chars().count());
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut sheet = Sheet::blank(FIRST);
        let _ = sheet.check(ALICE, &bytes);
        prop_assert!(!sheet.change(ALICE, &bytes));
    }
}
