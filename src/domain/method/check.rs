//! The rules a method document must keep, so that it can run by itself and everything in it has a
//! meaning. It changes nothing, and knows no file and no line.

#[cfg(test)]
pub mod tests;

use std::collections::BTreeSet;

pub use crate::domain::method::fault::{Fault, Problem, Step};
use crate::domain::{
    limits::{ROOM_PEOPLE_MAX, SESSION_PEOPLE_MAX},
    method::{
        Advance, Assign, Cycle, Harvest, Method, Phase, Role, Text, Turns,
        fault::{Absent, Bound, OnlyWith, quoted, unseen},
        length::seconds,
    },
};

/// Faults told at once: more at a time only frighten.
pub const FAULTS_MAX: usize = 20;

/// Characters in an id: it is a file's name and stands in addresses.
pub const ID_CHARS_MAX: usize = 40;

/// Characters in the name of a method, a phase or a role: one line on a phone.
pub const NAME_CHARS_MAX: usize = 60;

/// Characters in a purpose, a rule or whoever made a method: two lines in a list.
pub const SENTENCE_CHARS_MAX: usize = 240;

/// Characters in an instruction or a role's task: read at a glance while others wait.
pub const INSTRUCTION_CHARS_MAX: usize = 400;

/// Characters in a description or a script: a paragraph of the printed guide.
pub const PARAGRAPH_CHARS_MAX: usize = 1_000;

/// Characters in an address.
pub const URL_CHARS_MAX: usize = 300;

pub const PHASES_MAX: usize = 30;
/// One each in the fullest room.
pub const ROLES_MAX: usize = ROOM_PEOPLE_MAX;
/// More nobody keeps in mind.
pub const RULES_MAX: usize = 12;
pub const CYCLES_MAX: usize = 10;
/// As many as there are.
pub const AIMS_MAX: usize = 7;

/// Repetitions of a phase or a cycle. `rounds` and `times` alike.
pub const REPETITIONS_MAX: u64 = 20;

/// Ideas that one room brings to all: with sixty rooms more could not be compared.
pub const CHOSEN_MAX: u64 = 5;

/// Votes of one person.
pub const VOTES_MAX: u64 = 20;

/// Seconds of one phase: time to breathe in at least, half a day at most.
pub const LENGTH_S: (u64, u64) = (10, 4 * 3_600);

/// Seconds for each person: a word at least, a talk of half an hour at most.
pub const LENGTH_S_PER_PERSON: (u64, u64) = (5, 1_800);

/// Hours of a whole method with as many people as are ideal: nobody sits longer.
pub const HOURS_MAX: u64 = 12;

/// Everything that is wrong with a method, roughly in the order of the document, at most
/// `FAULTS_MAX`. Empty: it can be run.
pub fn check(method: &Method) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut root = Place { faults: &mut faults, at: Vec::new() };
    head(&mut root, method);
    roles(&mut root, method);
    cycles(&mut root, method);
    amount(&mut root, "phases", method.phases.len(), (1, PHASES_MAX));
    taken(&mut root, "phases", method.phases.iter().map(|it| it.id.as_str()));
    for index in 0..method.phases.len() {
        phase(&mut root.item("phases", index), method, index);
    }
    whole_length(&mut root, method);
    faults
}

/// Where in the document we are looking.
struct Place<'a> {
    faults: &'a mut Vec<Fault>,
    at: Vec<Step>,
}

impl Place<'_> {
    fn key(&mut self, key: &'static str) -> Place<'_> {
        let at = [&self.at[..], &[Step::Key(key)]].concat();
        Place { faults: self.faults, at }
    }

    fn item(&mut self, key: &'static str, index: usize) -> Place<'_> {
        let at = [&self.at[..], &[Step::Key(key), Step::Index(index)]].concat();
        Place { faults: self.faults, at }
    }

    fn says(&mut self, problem: Problem) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { at: self.at.clone(), problem });
        }
    }

    /// Says it of a key, or of where that key should be.
    fn refuse(&mut self, key: &'static str, problem: Problem) {
        self.key(key).says(problem);
    }

    fn missing(&mut self, absent: Absent) {
        self.refuse(absent.key(), Problem::Missing(absent));
    }

    fn needless(&mut self, key: &'static str, only: OnlyWith) {
        self.refuse(key, Problem::Needless { key, only });
    }

    /// Whether a number is within bounds, both included.
    fn range(
        &mut self,
        key: &'static str,
        value: impl Into<u64>,
        (min, max): (u64, u64),
        because: Bound,
    ) -> bool {
        let value = value.into();
        let right = (min..=max).contains(&value);
        if !right {
            self.refuse(key, Problem::Range { key, value, min, max, because });
        }
        right
    }
}

fn head(root: &mut Place, method: &Method) {
    id(root, &method.id);
    text(&mut root.key("name"), &method.name, NAME_CHARS_MAX);
    text(&mut root.key("purpose"), &method.purpose, SENTENCE_CHARS_MAX);
    text(&mut root.key("description"), &method.description, PARAGRAPH_CHARS_MAX);
    amount(root, "aims", method.aims.len(), (1, AIMS_MAX));
    people(&mut root.key("people"), method);
    amount(root, "rules", method.rules.len(), (0, RULES_MAX));
    for (index, rule) in method.rules.iter().enumerate() {
        text(&mut root.item("rules", index), rule, SENTENCE_CHARS_MAX);
    }
    source(&mut root.key("source"), method);
}

fn people(place: &mut Place, method: &Method) {
    let people = method.people;
    let most = SESSION_PEOPLE_MAX as u64;
    let min = place.range("min", people.min, (2, most), Bound::Alone);
    let max = place.range("max", people.max, (2, most), Bound::Session);
    let ordered = people.min <= people.ideal && people.ideal <= people.max;
    if min && max && !ordered {
        let (min, max, ideal) = (people.min, people.max, people.ideal);
        place.says(Problem::PeopleOrder { min, max, ideal });
    }
}

fn source(place: &mut Place, method: &Method) {
    let url = &method.source.url;
    line(&mut place.key("by"), &method.source.by, SENTENCE_CHARS_MAX);
    if !url.is_empty() {
        line(&mut place.key("url"), url, URL_CHARS_MAX);
        let host = url.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || url.contains(char::is_whitespace) {
            place.refuse("url", Problem::NotAnAddress);
        }
    }
}

fn id(place: &mut Place, id: &str) {
    let right = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    if id.is_empty() || ID_CHARS_MAX < id.len() || !id.bytes().all(right) {
        place.refuse("id", Problem::NotAnId(quoted(id)));
    }
}

fn text(place: &mut Place, text: &Text, chars_max: usize) {
    line(&mut place.key("fi"), &text.fi, chars_max);
    line(&mut place.key("sv"), &text.sv, chars_max);
    line(&mut place.key("en"), &text.en, chars_max);
}

fn line(place: &mut Place, text: &str, max: usize) {
    let chars = text.chars().count();
    if text.trim().is_empty() {
        place.says(Problem::EmptyText);
    } else if max < chars {
        place.says(Problem::LongText { chars, max });
    } else if text.contains(unseen) {
        place.says(Problem::UnseenCharacter);
    }
}

fn amount(place: &mut Place, key: &'static str, count: usize, (min, max): (usize, usize)) {
    if !(min..=max).contains(&count) {
        place.refuse(key, Problem::Amount { key, count, min, max });
    }
}

/// Refuses every id that an earlier one has.
fn taken<'a>(place: &mut Place, key: &'static str, ids: impl Iterator<Item = &'a str>) {
    let mut seen = BTreeSet::new();
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            place.item(key, index).refuse("id", Problem::IdTaken(quoted(id)));
        }
    }
}

fn roles(root: &mut Place, method: &Method) {
    let roles = &method.roles;
    amount(root, "roles", roles.len(), (0, ROLES_MAX));
    taken(root, "roles", roles.iter().map(|it| it.id.as_str()));
    for (index, it) in roles.iter().enumerate() {
        role(&mut root.item("roles", index), it, index + 1 == roles.len());
    }
    let needed: u32 = roles.iter().filter_map(|it| it.count).map(u32::from).sum();
    if ROOM_PEOPLE_MAX < needed as usize {
        root.refuse("roles", Problem::ManyRoles { needed, max: ROOM_PEOPLE_MAX });
    }
}

fn role(place: &mut Place, role: &Role, last: bool) {
    id(place, &role.id);
    text(&mut place.key("name"), &role.name, NAME_CHARS_MAX);
    text(&mut place.key("task"), &role.task, INSTRUCTION_CHARS_MAX);
    match role.count {
        Some(count) => {
            place.range("count", count, (1, ROOM_PEOPLE_MAX as u64), Bound::Plain);
        }
        None if role.stays => place.refuse("stays", Problem::AllStay),
        None if !last => place.says(Problem::RestNotLast),
        None => (),
    }
}

fn cycles(root: &mut Place, method: &Method) {
    amount(root, "cycles", method.cycles.len(), (0, CYCLES_MAX));
    taken(root, "cycles", method.cycles.iter().map(|it| it.id.as_str()));
    for (index, it) in method.cycles.iter().enumerate() {
        cycle(&mut root.item("cycles", index), method, it);
    }
}

fn cycle(place: &mut Place, method: &Method, cycle: &Cycle) {
    id(place, &cycle.id);
    match (&cycle.times, &cycle.each) {
        (Some(times), None) => {
            place.range("times", *times, (2, REPETITIONS_MAX), Bound::Plain);
        }
        (None, Some(each)) => match method.role_index(each).map(|it| method.roles[it].count) {
            None => place.refuse("each", Problem::NoSuchRole(quoted(each))),
            Some(Some(1)) => (),
            Some(_) => place.refuse("each", Problem::EachNotOne(quoted(each))),
        },
        _ => place.says(Problem::TimesOrEach),
    }
    if !method.phases.iter().any(|it| it.cycle.as_ref() == Some(&cycle.id)) {
        place.says(Problem::UnusedCycle);
    }
}

fn phase(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    id(place, &phase.id);
    text(&mut place.key("name"), &phase.name, NAME_CHARS_MAX);
    text(&mut place.key("instruction"), &phase.instruction, INSTRUCTION_CHARS_MAX);
    text(&mut place.key("script"), &phase.script, PARAGRAPH_CHARS_MAX);
    size(place, phase);
    returning(place, method, index);
    seats(place, phase);
    rooms_before(place, method, index);
    enough_people(place, method, index);
    length(place, phase);
    repetition(place, method, index);
    turns(place, phase);
    speaking(place, method, index);
    harvest(place, method, index);
    scribe(place, method, index);
    ideas(place, method, index);
}

/// A word of the format, as it is written.
fn written(assign: Assign) -> &'static str {
    match assign {
        Assign::Plenary => "plenary",
        Assign::Solo => "solo",
        Assign::Same => "same",
        Assign::Mix => "mix",
        Assign::Merge => "merge",
        Assign::Return => "return",
        Assign::Travel => "travel",
        Assign::Carousel => "carousel",
        Assign::Free => "free",
        Assign::Seats => "seats",
    }
}

fn size(place: &mut Place, phase: &Phase) {
    let most = ROOM_PEOPLE_MAX as u64;
    if !matches!(phase.assign, Assign::Mix | Assign::Merge) {
        let given =
            [("size", phase.size), ("size_min", phase.size_min), ("size_max", phase.size_max)];
        for (key, _) in given.iter().filter(|(_, it)| it.is_some()) {
            place.needless(key, OnlyWith::RoomsMade);
        }
        return;
    }
    let Some(size) = phase.size else {
        return place.missing(Absent::Size);
    };
    let because = if ROOM_PEOPLE_MAX < size.into() { Bound::Room } else { Bound::Plain };
    if !place.range("size", size, (2, most), because) {
        return;
    }
    let min = phase
        .size_min
        .is_none_or(|it| place.range("size_min", it, (2, size.into()), Bound::AtMostSize));
    let max = phase
        .size_max
        .is_none_or(|it| place.range("size_max", it, (size.into(), most), Bound::AtLeastSize));
    if min && max && phase.sizes().1 == phase.sizes().2 {
        place.refuse("size", Problem::OneSize(size.into()));
    }
}

fn returning(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    match (phase.assign, &phase.rooms_of) {
        (Assign::Return, None) => {
            place.missing(Absent::RoomsOf);
        }
        (Assign::Return, Some(id)) => match method.phase_index(id) {
            None => place.refuse("rooms_of", Problem::NoSuchPhase(quoted(id))),
            Some(it) if index <= it => place.refuse("rooms_of", Problem::NotEarlier(quoted(id))),
            Some(it) if !method.phases[it].groups() => {
                place.refuse("rooms_of", Problem::MakesNoRooms(quoted(id)));
            }
            Some(_) => (),
        },
        (_, Some(_)) => place.needless("rooms_of", OnlyWith::Return),
        (_, None) => (),
    }
}

fn seats(place: &mut Place, phase: &Phase) {
    const SEATS: (u64, u64) = (2, ROOM_PEOPLE_MAX as u64 - 1);
    match (phase.assign, phase.seats) {
        (Assign::Seats, None) => {
            place.missing(Absent::Seats);
        }
        (Assign::Seats, Some(seats)) => {
            place.range("seats", seats, SEATS, Bound::Plain);
        }
        (_, Some(_)) => place.needless("seats", OnlyWith::Seats),
        (_, None) => (),
    }
}

fn rooms_before(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    match phase.assign {
        Assign::Merge | Assign::Travel | Assign::Carousel if !begins_in_rooms(method, index) => {
            place.refuse("assign", Problem::NoRoomsBefore(written(phase.assign)));
        }
        Assign::Same if index == 0 => place.refuse("assign", Problem::NothingToStayIn),
        Assign::Merge => merging(place, method, index),
        Assign::Travel => {
            let mut hosts = method.roles.iter().filter(|it| it.stays);
            if hosts.next().and_then(|it| it.count) != Some(1) || hosts.next().is_some() {
                place.refuse("assign", Problem::NoHost);
            }
        }
        _ => (),
    }
}

/// Whether people sit in rooms that a method has made whenever the phase at `index` begins: the
/// first time, and when its cycle begins anew.
fn begins_in_rooms(method: &Method, index: usize) -> bool {
    let phase = &method.phases[index];
    let in_cycle = |it: &Phase| phase.cycle.is_some() && it.cycle == phase.cycle;
    let first = method.phases.iter().position(in_cycle).unwrap_or(index).min(index);
    let last = method.phases.iter().rposition(in_cycle).unwrap_or(index);
    let moved_in_cycle = method.phases[first..index].iter().any(moves);
    let again = moved_in_cycle || in_rooms(method, last);
    again && index.checked_sub(1).is_some_and(|it| in_rooms(method, it))
}

fn merging(place: &mut Place, method: &Method, index: usize) {
    let (_, _, max) = method.phases[index].sizes();
    if let Some((size, _, _)) = last_sizes(method, index)
        && max < 2 * size
    {
        place.refuse("size", Problem::CannotMerge { size, max });
    }
    if 1 < method.phases[index].rounds {
        place.refuse("rounds", Problem::MergeAgain);
    }
}

/// The sizes of the rooms people were in last, before the phase at `index`.
fn last_sizes(method: &Method, mut index: usize) -> Option<(usize, usize, usize)> {
    while let Some(before) = index.checked_sub(1) {
        let phase = &method.phases[before];
        match (phase.assign, &phase.rooms_of) {
            (Assign::Mix | Assign::Merge, _) => return right_sizes(phase),
            // Behind the phase it returns to, which the next step then looks at. Always earlier, or
            // a broken document would keep us here.
            (Assign::Return, Some(id)) => index = (method.phase_index(id)? + 1).min(before),
            _ => index = before,
        }
    }
    None
}

/// The sizes of a phase, unless `size` itself is wrong: one fault is told once.
fn right_sizes(phase: &Phase) -> Option<(usize, usize, usize)> {
    let right = (2..=ROOM_PEOPLE_MAX).contains(&phase.size?.into());
    right.then(|| phase.sizes())
}

/// Whether the rooms can be made when as few come as may. Wrong sizes are told of elsewhere.
fn enough_people(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    let needed = match phase.assign {
        Assign::Mix | Assign::Merge => right_sizes(phase).map_or(0, |(_, min, _)| min),
        Assign::Travel | Assign::Carousel => {
            2 * last_sizes(method, index).map_or(0, |(_, min, _)| min)
        }
        _ => 0,
    };
    let people = method.people.min;
    if (2..needed).contains(&usize::from(people)) {
        place.refuse("assign", Problem::FewPeople { people, needed });
    }
}

fn length(place: &mut Place, phase: &Phase) {
    match (phase.length_s, phase.length_s_per_person) {
        (Some(_), Some(_)) => place.refuse("length_s", Problem::TwoLengths),
        (None, None) if phase.advance != Advance::Host => place.says(Problem::NoLength),
        (Some(length), None) => {
            let because = if u64::from(length) < LENGTH_S.0 { Bound::Plain } else { Bound::Hours };
            place.range("length_s", length, LENGTH_S, because);
        }
        (None, Some(length)) => {
            place.range("length_s_per_person", length, LENGTH_S_PER_PERSON, Bound::Plain);
        }
        (None, None) => (),
    }
}

fn repetition(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    place.range("rounds", phase.rounds, (1, REPETITIONS_MAX), Bound::Plain);
    let Some(id) = &phase.cycle else { return };
    if 1 < phase.rounds {
        place.refuse("rounds", Problem::RoundsInCycle);
    }
    let Some(cycle) = method.cycles.iter().find(|it| it.id == *id) else {
        return place.refuse("cycle", Problem::NoSuchCycle(quoted(id)));
    };
    let in_it = |it: &Phase| it.cycle.as_ref() == Some(id);
    let begins = index == 0 || !in_it(&method.phases[index - 1]);
    if begins && method.phases[..index].iter().any(in_it) {
        place.refuse("cycle", Problem::CycleApart(quoted(id)));
    }
    if cycle.each.is_some() && (moves(phase) || !in_rooms(method, index)) {
        place.refuse("assign", Problem::EachMoves);
    }
}

/// Whether people sit in rooms that a method has made, during the phase at `index`.
fn in_rooms(method: &Method, index: usize) -> bool {
    method.phases[..=index].iter().rev().find(|it| moves(it)).is_some_and(Phase::groups)
}

fn moves(phase: &Phase) -> bool {
    !matches!(phase.assign, Assign::Same | Assign::Solo)
}

fn turns(place: &mut Place, phase: &Phase) {
    if !matches!(phase.turns, Turns::Round | Turns::Stick) {
        return;
    }
    if matches!(phase.assign, Assign::Solo | Assign::Free | Assign::Seats) {
        place.refuse("turns", Problem::NoTurns(written(phase.assign)));
    }
    if phase.length_s_per_person.is_none() {
        place.missing(Absent::LengthPerPerson);
    }
}

fn speaking(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    for (at, id) in phase.speaking.iter().enumerate() {
        if method.role_index(id).is_none() {
            place.item("speaking", at).says(Problem::NoSuchRole(quoted(id)));
        }
    }
    if phase.speaking.is_empty() {
        return;
    }
    if phase.turns == Turns::Silent {
        place.refuse("speaking", Problem::SpeakingInSilence("silent"));
    } else if phase.assign == Assign::Solo {
        place.refuse("speaking", Problem::SpeakingInSilence("solo"));
    } else if !method.phases[..=index].iter().any(Phase::groups) {
        place.refuse("speaking", Problem::SpeakingBeforeRooms);
    }
}

fn harvest(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    let solo = phase.assign == Assign::Solo;
    let cards = method.phases[..index].iter().any(|it| it.harvest == Harvest::Card);
    let problem = match phase.harvest {
        Harvest::Score if !cards => Problem::NoCards,
        Harvest::Card if !solo && phase.turns != Turns::Silent => Problem::CardAloud,
        Harvest::Line if solo => Problem::LineAlone,
        _ => return,
    };
    place.refuse("harvest", problem);
}

fn scribe(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    let Some(scribe) = &phase.scribe else { return };
    if phase.harvest != Harvest::Line {
        place.needless("scribe", OnlyWith::Line);
    } else if method.role_index(&scribe.role).is_none() {
        place.key("scribe").refuse("role", Problem::NoSuchRole(quoted(&scribe.role)));
    } else if !method.phases[..=index].iter().any(Phase::groups) {
        place.refuse("scribe", Problem::ScribeBeforeRooms);
    }
}

fn ideas(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    let in_rooms = in_rooms(method, index) || phase.assign == Assign::Free;
    let brought = phase.harvest == Harvest::Ideas && !phase.is_quiet();
    if brought && !in_rooms {
        place.refuse("harvest", Problem::IdeasOfAll);
    }
    if phase.harvest == Harvest::Ideas && !phase.transcribe {
        place.refuse("transcribe", Problem::IdeasUnwritten);
    }
    match phase.choose {
        Some(choose) if brought => _ = place.range("choose", choose, (1, CHOSEN_MAX), Bound::Plain),
        Some(_) => place.needless("choose", OnlyWith::Ideas),
        None => (),
    }
    match (&phase.vote, phase.harvest) {
        (None, Harvest::Votes) => {
            place.missing(Absent::Vote);
        }
        (Some(vote), Harvest::Votes) => {
            let mut place = place.key("vote");
            if place.range("each", vote.each, (1, VOTES_MAX), Bound::Plain) {
                let each = (1, vote.each.into());
                place.range("same", vote.same, each, Bound::Each);
                let own = (0, vote.each.into());
                vote.own.inspect(|it| _ = place.range("own", *it, own, Bound::Plain));
            }
        }
        (Some(_), _) => place.needless("vote", OnlyWith::Votes),
        (None, _) => (),
    }
    if phase.harvest == Harvest::Votes {
        if phase.assign != Assign::Plenary {
            place.refuse("assign", Problem::VotesApart);
        } else if !method.phases[..index].iter().any(|it| it.choose.is_some()) {
            place.refuse("harvest", Problem::NothingChosen);
        }
    }
}

fn whole_length(root: &mut Place, method: &Method) {
    let people = method.people.ideal;
    let length = seconds(method, people.into());
    if HOURS_MAX * 3_600 < length {
        let hours = length.div_ceil(3_600);
        root.refuse("phases", Problem::TooLong { hours, people, max: HOURS_MAX });
    }
}
