//! Which narrowings a line meets, and how many lines there are with each value of what one can narrow by. Counts
//! by numbers and names them at the end. Never reads a document.

use std::collections::BTreeSet;

use crate::domain::{
    ids::{ParticipantId, RoomId},
    language::Language,
    mark::Mark,
};
use crate::notes::driver::index::{
    question::{Counts, Placed, Search},
    schema::{self, Facets, Place},
};
use crate::notes::engine::entries::Kind;

/// What a question is narrowed by, as numbers.
#[derive(Clone, Debug)]
pub struct Narrow {
    /// It is narrowed by none of these.
    nothing: bool,
    kinds: u64,
    languages: u64,
    /// 0: any, or none.
    marks: u64,
    rooms: BTreeSet<u16>,
    participants: BTreeSet<u32>,
    /// People are counted: where one session is asked about, for their numbers are a session's own.
    pub counts_people: bool,
}

impl Narrow {
    pub fn of(search: &Search) -> Self {
        let bits = |at: Vec<Option<usize>>| {
            at.into_iter().flatten().fold(0_u64, |bits, at| bits | 1 << at)
        };
        let any = |bits: u64| if bits == 0 { u64::MAX } else { bits };
        let nothing = search.kinds.is_empty()
            && search.languages.is_empty()
            && search.marks.is_empty()
            && search.rooms.is_empty();
        let kind = |kind: &Kind| Kind::ALL.iter().position(|it| it == kind);
        let language = |language: &Language| Language::ALL.iter().position(|it| it == language);
        Self {
            nothing,
            kinds: any(bits(search.kinds.iter().map(kind).collect())),
            languages: any(bits(search.languages.iter().map(language).collect())),
            marks: bits(search.marks.iter().map(|it| Some(it.index())).collect()),
            rooms: search
                .rooms
                .iter()
                .map(|it| match it {
                    RoomId::Main => 0,
                    RoomId::Breakout(number) => *number,
                })
                .collect(),
            participants: search.participants.iter().map(|it| it.0).collect(),
            counts_people: search.sessions.len() == 1 || search.within.len() == 1,
        }
    }

    /// Whether it matters who said something.
    pub fn by_participant(&self) -> bool {
        self.counts_people || !self.participants.is_empty()
    }

    /// Whether what this one said is asked for. `participant`: as [`Facets::participant_number`].
    pub fn meets_participant(&self, participant: u32) -> bool {
        self.participants.is_empty() || self.participants.contains(&participant)
    }

    /// Which of the narrowings, but for that by participant, something does not meet: as bits in the order of
    /// [`Numbers`].
    pub fn misses(&self, facets: Facets, placed: Placed) -> u8 {
        let bit = |met: bool, at: u8| u8::from(!met) << at;
        let of_place = bit(placed.session, 0) | bit(placed.phase, 1) | bit(placed.question, 2);
        if self.nothing {
            return of_place;
        }
        of_place
            | bit(self.kinds >> facets.kind_index() & 1 == 1, 3)
            | bit(self.languages >> facets.language_index() & 1 == 1, 4)
            | bit(self.marks == 0 || self.marks & facets.marks() != 0, 5)
            | bit(self.rooms.is_empty() || self.rooms.contains(&facets.room_number()), 6)
    }
}

/// Counts by number, while they are counted: of those that miss no narrowing, or none but that of its own kind.
#[derive(Default)]
pub struct Numbers {
    /// By place, for session, phase and question.
    places: [Vec<u32>; 3],
    kinds: [u32; 16],
    languages: [u32; 4],
    marks: [u32; 6],
    rooms: Vec<u32>,
    participants: Vec<u32>,
}

fn count(counts: &mut Vec<u32>, at: usize, many: u32) {
    if let Some(count) = counts.get_mut(at) {
        *count += many;
    } else {
        counts.resize(at, 0);
        counts.push(many);
    }
}

fn sum(into: &mut Vec<u32>, from: &[u32]) {
    if into.len() < from.len() {
        into.resize(from.len(), 0);
    }
    into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
}

impl Numbers {
    /// `misses`: as [`Narrow::misses`] of each of so many; with more than one nothing is counted.
    pub fn count(&mut self, misses: u8, facets: Facets, place: usize, many: u32) {
        if misses == 0 {
            self.places.iter_mut().for_each(|it| count(it, place, many));
            self.count_small(many, many, many, facets);
            count(&mut self.rooms, usize::from(facets.room_number()), many);
        } else if misses.count_ones() == 1 {
            self.count_one(misses.trailing_zeros(), facets, place, many);
        }
    }

    /// One that meets every narrowing but perhaps that by participant.
    pub fn count_person(&mut self, participant: u32) {
        // Numbered from 1 in the order of joining, so never many more than there are people.
        count(&mut self.participants, participant.min(1 << 20) as usize, 1);
    }

    /// `dimension`: the bit of the only narrowing that is not met.
    fn count_one(&mut self, dimension: u32, facets: Facets, place: usize, many: u32) {
        match dimension {
            3 => self.count_small(many, 0, 0, facets),
            4 => self.count_small(0, many, 0, facets),
            5 => self.count_small(0, 0, many, facets),
            6 => count(&mut self.rooms, usize::from(facets.room_number()), many),
            it => {
                if let Some(places) = self.places.get_mut(it as usize) {
                    count(places, place, many);
                }
            }
        }
    }

    /// So many of this kind, of this language and with these marks.
    fn count_small(&mut self, kinds: u32, languages: u32, marks: u32, facets: Facets) {
        if let Some(count) = self.kinds.get_mut(facets.kind_index()) {
            *count += kinds;
        }
        if let Some(count) = self.languages.get_mut(facets.language_index()) {
            *count += languages;
        }
        let set = facets.marks();
        for (at, count) in (0_u32..).zip(&mut self.marks) {
            *count += (set >> at & 1) as u32 * marks;
        }
    }

    /// Adds how many there are in each place, and forgets it: the numbers of places are a segment's own.
    pub fn move_places(&mut self, places: &[Option<Place>], counts: &mut Counts) {
        let [sessions, phases, questions] = &mut self.places;
        let counted = |numbers: &mut Vec<u32>| -> Vec<(&Place, u64)> {
            let all = places.iter().zip(std::mem::take(numbers));
            all.filter(|it| 0 < it.1).filter_map(|it| Some((it.0.as_ref()?, it.1.into()))).collect()
        };
        for (place, many) in counted(sessions) {
            *counts.sessions.entry(place.session).or_default() += many;
        }
        for (place, many) in counted(phases).into_iter().filter(|it| !it.0.method.is_empty()) {
            let phase = (place.method.clone(), place.phase.clone());
            *counts.phases.entry(phase).or_default() += many;
        }
        for (place, many) in counted(questions).into_iter().filter(|it| !it.0.question.is_empty()) {
            *counts.questions.entry(place.question.clone()).or_default() += many;
        }
    }

    /// Those of another segment, whose places have been moved.
    pub fn add(&mut self, other: &Numbers) {
        sum(&mut self.rooms, &other.rooms);
        sum(&mut self.participants, &other.participants);
        let each = |into: &mut [u32], from: &[u32]| {
            into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
        };
        each(&mut self.kinds, &other.kinds);
        each(&mut self.languages, &other.languages);
        each(&mut self.marks, &other.marks);
    }

    /// All but the places.
    pub fn add_to(self, counts: &mut Counts) {
        let counted = |numbers: &[u32]| -> Vec<(usize, u64)> {
            let all = numbers.iter().enumerate().filter(|it| 0 < *it.1);
            all.map(|(at, count)| (at, u64::from(*count))).collect()
        };
        for (kind, count) in counted(&self.kinds) {
            let kind = Kind::ALL.get(kind);
            kind.into_iter().for_each(|it| *counts.kinds.entry(*it).or_default() += count);
        }
        for (language, count) in counted(&self.languages) {
            let language = Language::ALL.get(language);
            language.into_iter().for_each(|it| *counts.languages.entry(*it).or_default() += count);
        }
        for (mark, count) in counted(&self.marks) {
            let mark = Mark::ALL.get(mark);
            mark.into_iter().for_each(|it| *counts.marks.entry(*it).or_default() += count);
        }
        for (room, count) in counted(&self.rooms) {
            let room = schema::room(u16::try_from(room).unwrap_or(u16::MAX));
            *counts.rooms.entry(room).or_default() += count;
        }
        for (participant, count) in counted(&self.participants) {
            if participant != 0 {
                let participant = ParticipantId(u32::try_from(participant).unwrap_or(u32::MAX));
                *counts.participants.entry(participant).or_default() += count;
            }
        }
    }
}
