//! The rules a method document must keep, so that it can run by itself and everything in it has a
//! meaning. It changes nothing, and knows no file and no line.

use std::collections::BTreeSet;

pub use crate::domain::method::fault::{Fault, Problem, Step};
use crate::domain::{
    limits::{ROOM_PEOPLE_MAX, SESSION_PEOPLE_MAX},
    method::{
        Advance, Assign, Cycle, Harvest, Method, Phase, Role, Text, Turns,
        fault::{quoted, unseen},
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

    fn missing(&mut self, key: &'static str, because: &'static str) {
        self.refuse(key, Problem::Missing { key, because });
    }

    fn needless(&mut self, key: &'static str, because: &'static str) {
        self.refuse(key, Problem::Needless { key, because });
    }

    /// Whether a number is within bounds, both included.
    fn range(
        &mut self,
        key: &'static str,
        value: impl Into<u64>,
        (min, max): (u64, u64),
        because: &'static str,
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
    let min = place.range("min", people.min, (2, most), ", and nobody talks alone");
    let max = place.range("max", people.max, (2, most), ", but a session holds no more than 300");
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
            place.range("count", count, (1, ROOM_PEOPLE_MAX as u64), "");
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
            place.range("times", *times, (2, REPETITIONS_MAX), "");
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
    const ONLY: &str = "only `mix` and `merge` make rooms of a size; take it out";
    const ROOM: &str = ", but a room holds at most 8 people";
    let most = ROOM_PEOPLE_MAX as u64;
    if !matches!(phase.assign, Assign::Mix | Assign::Merge) {
        let given =
            [("size", phase.size), ("size_min", phase.size_min), ("size_max", phase.size_max)];
        for (key, _) in given.iter().filter(|(_, it)| it.is_some()) {
            place.needless(key, ONLY);
        }
        return;
    }
    let Some(size) = phase.size else {
        return place.missing("size", "`mix` and `merge` make rooms of it; write 2 to 8");
    };
    let because = if ROOM_PEOPLE_MAX < size.into() { ROOM } else { "" };
    if !place.range("size", size, (2, most), because) {
        return;
    }
    let min = phase.size_min.is_none_or(|it| {
        place.range("size_min", it, (2, size.into()), ", but at most `size` makes sense")
    });
    let max = phase.size_max.is_none_or(|it| {
        place.range("size_max", it, (size.into(), most), ", but at least `size` makes sense")
    });
    if min && max && phase.sizes().1 == phase.sizes().2 {
        place.refuse("size", Problem::OneSize(size.into()));
    }
}

fn returning(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    match (phase.assign, &phase.rooms_of) {
        (Assign::Return, None) => {
            place.missing("rooms_of", "write the id of the phase whose rooms are taken up again");
        }
        (Assign::Return, Some(id)) => match method.phase_index(id) {
            None => place.refuse("rooms_of", Problem::NoSuchPhase(quoted(id))),
            Some(it) if index <= it => place.refuse("rooms_of", Problem::NotEarlier(quoted(id))),
            Some(it) if !method.phases[it].groups() => {
                place.refuse("rooms_of", Problem::MakesNoRooms(quoted(id)));
            }
            Some(_) => (),
        },
        (_, Some(_)) => place.needless("rooms_of", "only `return` goes back; take it out"),
        (_, None) => (),
    }
}

fn seats(place: &mut Place, phase: &Phase) {
    const SEATS: (u64, u64) = (2, ROOM_PEOPLE_MAX as u64 - 1);
    match (phase.assign, phase.seats) {
        (Assign::Seats, None) => {
            place.missing("seats", "write how many may speak, 2 to 7; one more chair stands empty");
        }
        (Assign::Seats, Some(seats)) => {
            place.range("seats", seats, SEATS, "");
        }
        (_, Some(_)) => place.needless("seats", "only assign = \"seats\" has any; take it out"),
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
            let because = if u64::from(length) < LENGTH_S.0 { "" } else { ", more than 4 hours" };
            place.range("length_s", length, LENGTH_S, because);
        }
        (None, Some(length)) => {
            place.range("length_s_per_person", length, LENGTH_S_PER_PERSON, "");
        }
        (None, None) => (),
    }
}

fn repetition(place: &mut Place, method: &Method, index: usize) {
    let phase = &method.phases[index];
    place.range("rounds", phase.rounds, (1, REPETITIONS_MAX), "");
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
        place.missing("length_s_per_person", "with `round` and `stick` it is the time of one turn");
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
        place.needless("scribe", "a room writes with the harvest `line`; take it out");
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
        Some(choose) if brought => _ = place.range("choose", choose, (1, CHOSEN_MAX), ""),
        Some(_) => place.needless("choose", "rooms choose with the harvest `ideas`; take it out"),
        None => (),
    }
    match (&phase.vote, phase.harvest) {
        (None, Harvest::Votes) => {
            place.missing("vote", "write how many each has, such as { each = 3 }");
        }
        (Some(vote), Harvest::Votes) => {
            let mut place = place.key("vote");
            if place.range("each", vote.each, (1, VOTES_MAX), "") {
                let each = (1, vote.each.into());
                place.range("same", vote.same, each, ", but each has as many as `each` says");
                let own = (0, vote.each.into());
                vote.own.inspect(|it| _ = place.range("own", *it, own, ""));
            }
        }
        (Some(_), _) => place.needless("vote", "people vote with the harvest `votes`; take it out"),
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

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::domain::method::{Aim, People, Scribe, Source, Vote};

    /// A small method that breaks no rule: alone, in rooms of four, all.
    pub fn good() -> Method {
        let said = |it: &str| Text { fi: it.into(), sv: it.into(), en: it.into() };
        let role = |id: &str, count: Option<u8>| Role {
            id: id.into(),
            name: said(id),
            task: said("do"),
            count,
            stays: count.is_some(),
        };
        let phase = |id: &str, assign: Assign, length_s: u32| Phase {
            id: id.into(),
            name: said(id),
            instruction: said("do"),
            script: said("mind"),
            assign,
            size: None,
            size_min: None,
            size_max: None,
            rooms_of: None,
            seats: None,
            choose: None,
            vote: None,
            scribe: None,
            length_s: Some(length_s),
            length_s_per_person: None,
            rounds: 1,
            cycle: None,
            turns: Turns::Free,
            speaking: Vec::new(),
            harvest: Harvest::Speech,
            advance: Advance::Time,
            transcribe: true,
            balance: true,
            colour: None,
        };
        let mut phases = vec![
            phase("alone", Assign::Solo, 60),
            phase("four", Assign::Mix, 300),
            phase("all", Assign::Plenary, 120),
        ];
        phases[0].turns = Turns::Silent;
        phases[1].size = Some(4);
        Method {
            id: "good-1".into(),
            name: said("Good"),
            purpose: said("good for something"),
            description: said("goes like this"),
            aims: vec![Aim::Share],
            people: People { min: 6, max: 40, ideal: 12 },
            roles: vec![role("host", Some(1)), role("guest", None)],
            rules: vec![said("be kind")],
            cycles: Vec::new(),
            phases,
            source: Source { by: "us".into(), url: String::new() },
        }
    }

    fn cycle(times: Option<u8>, each: Option<&str>) -> Cycle {
        Cycle { id: "again".into(), times, each: each.map(Into::into) }
    }

    fn faults(change: impl FnOnce(&mut Method)) -> Vec<String> {
        let mut method = good();
        change(&mut method);
        let step = |it: &Step| match it {
            Step::Key(key) => (*key).to_owned(),
            Step::Index(index) => index.to_string(),
        };
        let told = |it: &Fault| {
            format!("{}: {}", it.at.iter().map(step).collect::<Vec<_>>().join("."), it.problem)
        };
        check(&method).iter().map(told).collect()
    }

    /// One change, the one place it is found at, and words of what is said about it.
    #[track_caller]
    fn wrong(at: &str, words: &str, change: impl FnOnce(&mut Method)) {
        match &faults(change)[..] {
            [one] => assert!(
                one.starts_with(&format!("{at}: ")) && one.contains(words),
                "expected {at}: … {words}\n   found {one}"
            ),
            found => panic!("expected only {at}: … {words}\n   found {found:#?}"),
        }
    }

    #[track_caller]
    fn right(change: impl FnOnce(&mut Method)) {
        assert_eq!(faults(change), Vec::<String>::new());
    }

    #[test]
    fn a_good_method_has_no_fault() {
        right(|_| ());
    }

    #[test]
    fn texts_and_ids_are_shaped() {
        wrong("id", "`Good 1` is not an id", |it| it.id = "Good 1".into());
        wrong("id", "write 1 to 40", |it| it.id = String::new());
        wrong("id", "write 1 to 40", |it| it.id = "a".repeat(41));
        right(|it| it.id = "a".repeat(40));
        wrong("name.sv", "is empty", |it| it.name.sv = " ".into());
        wrong("purpose.fi", "has 241 characters: shorten it to 240", |it| {
            it.purpose.fi = "ä".repeat(241);
        });
        right(|it| it.purpose.fi = "ä".repeat(240));
        wrong("description.sv", "is empty", |it| it.description.sv = String::new());
        wrong("phases.1.instruction.en", "line break", |it| {
            it.phases[1].instruction.en = "one\ntwo".into();
        });
        wrong("rules.0.en", "invisible", |it| it.rules[0].en = "a\u{202e}b".into());
        wrong("phases.2.script.sv", "is empty", |it| it.phases[2].script.sv = String::new());
        wrong("phases.2.name.sv", "is empty", |it| it.phases[2].name.sv = String::new());
        wrong("phases.2.id", "is not an id", |it| it.phases[2].id = "A".into());
        wrong("roles.1.id", "is not an id", |it| it.roles[1].id = "A".into());
        wrong("roles.1.name.en", "is empty", |it| it.roles[1].name.en = String::new());
        wrong("roles.1.task.fi", "is empty", |it| it.roles[1].task.fi = String::new());
        wrong("aims", "there are 0 `aims`: 1 to 7", |it| it.aims.clear());
        wrong("rules", "there are 13 `rules`", |it| it.rules = vec![it.rules[0].clone(); 13]);
        wrong("phases", "there are 0 `phases`: 1 to 30", |it| it.phases.clear());
        wrong("source.by", "is empty", |it| it.source.by = String::new());
        wrong("source.url", "https://", |it| it.source.url = "http://example.fi".into());
        wrong("source.url", "https://", |it| it.source.url = "https://".into());
        wrong("source.url", "https://", |it| it.source.url = "https://a b".into());
        right(|it| it.source.url = "https://example.fi/x".into());
    }

    #[test]
    fn people_are_some_and_in_order() {
        wrong("people.min", "nobody talks alone: write 2 to 300", |it| it.people.min = 1);
        wrong("people.max", "no more than 300: write 2 to 300", |it| it.people.max = 301);
        wrong("people", "min ≤ ideal ≤ max", |it| it.people.ideal = 41);
        wrong("people", "min ≤ ideal ≤ max", |it| it.people.ideal = 5);
        wrong("phases.1.assign", "2 people may come, but this needs 3", |it| it.people.min = 2);
        right(|it| it.people.min = 3);
        right(|it| it.people.ideal = 6);
        right(|it| it.people.ideal = 40);
        wrong("phases.1.assign", "6 people may come, but this needs 7", |it| {
            it.phases[1].size = Some(8);
        });
        wrong("phases.2.assign", "5 people may come, but this needs 6", |it| {
            it.people.min = 5;
            it.phases[2].assign = Assign::Carousel;
        });
    }

    #[test]
    fn ids_are_given_once() {
        wrong("phases.2.id", "`four` is the id of an earlier one", |it| {
            it.phases[2].id = "four".into();
        });
        wrong("roles.1.id", "`host` is the id of an earlier one", |it| {
            it.roles[1].id = "host".into();
        });
        wrong("cycles.1.id", "`again` is the id of an earlier one", |it| {
            it.phases[1].cycle = Some("again".into());
            it.cycles = vec![cycle(Some(2), None); 2];
        });
    }

    #[test]
    fn rooms_have_a_size_where_they_are_made() {
        let message =
            "phases.1.size: `size` is 12, but a room holds at most 8 people: write 2 to 8";
        assert_eq!(faults(|it| it.phases[1].size = Some(12)), [message]);
        wrong("phases.1.size", "`size` is 1: write 2 to 8", |it| it.phases[1].size = Some(1));
        wrong("phases.1.size", "`size` is 9", |it| {
            it.phases[1].size = Some(9);
            it.phases[2].assign = Assign::Carousel;
        });
        wrong("phases.1.size", "is missing", |it| it.phases[1].size = None);
        wrong("phases.0.size", "no meaning", |it| it.phases[0].size = Some(4));
        wrong("phases.2.size_max", "no meaning", |it| it.phases[2].size_max = Some(4));
        wrong("phases.1.size_min", "write 2 to 4", |it| it.phases[1].size_min = Some(5));
        wrong("phases.1.size_max", "write 4 to 8", |it| it.phases[1].size_max = Some(3));
        wrong("phases.1.size_max", "write 4 to 8", |it| it.phases[1].size_max = Some(9));
        wrong("phases.1.size", "no other size", |it| {
            it.phases[1].size_min = Some(4);
            it.phases[1].size_max = Some(4);
        });
        wrong("phases.1.size", "no other size", |it| {
            (it.phases[1].size, it.phases[1].size_max) = (Some(2), Some(2));
        });
        wrong("phases.1.size", "no other size", |it| {
            it.people.min = 8;
            (it.phases[1].size, it.phases[1].size_min) = (Some(8), Some(8));
        });
        right(|it| it.phases[1].size = Some(2));
        wrong("phases.2.seats", "is missing", |it| it.phases[2].assign = Assign::Seats);
        wrong("phases.2.seats", "no meaning", |it| it.phases[2].seats = Some(4));
        let seats = |seats| {
            move |it: &mut Method| {
                it.phases[2].assign = Assign::Seats;
                it.phases[2].seats = Some(seats);
            }
        };
        wrong("phases.2.seats", "`seats` is 8: write 2 to 7", seats(8));
        right(seats(7));
    }

    #[test]
    fn rooms_that_are_taken_up_exist() {
        let back = |to: &'static str| {
            move |it: &mut Method| {
                it.phases[2].assign = Assign::Return;
                it.phases[2].rooms_of = Some(to.into());
            }
        };
        right(back("four"));
        wrong("phases.2.rooms_of", "there is no phase `five`", back("five"));
        wrong("phases.2.rooms_of", "`all` does not come before", back("all"));
        wrong("phases.2.rooms_of", "`alone` makes no rooms", back("alone"));
        wrong("phases.2.rooms_of", "is missing", |it| it.phases[2].assign = Assign::Return);
        wrong("phases.2.rooms_of", "no meaning", |it| it.phases[2].rooms_of = Some("four".into()));
        for assign in [Assign::Travel, Assign::Carousel] {
            wrong("phases.0.assign", "sit in rooms", |it| it.phases[0].assign = assign);
            right(|it| it.phases[2].assign = assign);
            let after = |between: Assign| {
                move |it: &mut Method| {
                    let mut next = it.phases[2].clone();
                    (next.id, next.assign) = ("next".into(), assign);
                    it.phases[2].assign = between;
                    it.phases.push(next);
                }
            };
            wrong("phases.3.assign", "sit in rooms", after(Assign::Plenary));
            right(after(Assign::Solo));
            right(after(Assign::Same));
            // The second time, people come from the main room.
            let again = |first: usize, last: usize| {
                move |it: &mut Method| {
                    (it.phases[0].assign, it.phases[0].size) = (Assign::Mix, Some(4));
                    (it.phases[1].assign, it.phases[1].size) = (assign, None);
                    it.cycles.push(cycle(Some(2), None));
                    (first..=last).for_each(|at| it.phases[at].cycle = Some("again".into()));
                }
            };
            wrong("phases.1.assign", "sit in rooms", again(1, 2));
            right(again(0, 2));
            right(again(1, 1));
        }
        wrong("phases.0.assign", "nothing before it", |it| it.phases[0].assign = Assign::Same);
        right(|it| it.phases[2].assign = Assign::Same);
        right(|it| it.phases[0].assign = Assign::Free);
    }

    #[test]
    fn what_merges_fits() {
        let merge = |from: u8, to: u8| {
            move |it: &mut Method| {
                it.phases[1].size = Some(from);
                it.phases[2].assign = Assign::Merge;
                it.phases[2].size = Some(to);
            }
        };
        right(merge(2, 4));
        right(merge(3, 6));
        right(|it| {
            it.people.min = 7;
            merge(4, 8)(it);
        });
        wrong(
            "phases.2.size",
            "two rooms of 4 before it do not fit into one of at most 7",
            merge(4, 6),
        );
        wrong("phases.1.assign", "`merge` needs people who sit in rooms", |it| {
            it.phases[1].assign = Assign::Merge;
        });
        wrong("phases.2.rounds", "write `rounds` = 1", |it| {
            merge(2, 4)(it);
            it.phases[2].rounds = 2;
        });
        // Pairs, fours, the pairs again: these can be merged once more.
        let pairs_again = |it: &mut Method, to: &str| {
            merge(2, 4)(it);
            let mut back = it.phases[0].clone();
            (back.id, back.assign, back.rooms_of) =
                ("back".into(), Assign::Return, Some(to.into()));
            let mut fours = it.phases[2].clone();
            fours.id = "fours".into();
            it.phases.extend([back, fours]);
        };
        right(|it| pairs_again(it, "four"));
        wrong("phases.4.size", "two rooms of 4", |it| pairs_again(it, "all"));
    }

    #[test]
    fn roles_can_be_given_out() {
        wrong("roles.0", "put it last", |it| {
            it.roles[0].count = None;
            it.roles[0].stays = false;
        });
        wrong("roles.1.stays", "nobody moves", |it| it.roles[1].stays = true);
        wrong("roles.0.count", "`count` is 0: write 1 to 8", |it| it.roles[0].count = Some(0));
        wrong("roles", "need 9 people", |it| it.roles[1].count = Some(8));
        right(|it| it.roles[1].count = Some(7));
        wrong("roles", "there are 9 `roles`", |it| {
            let one = it.roles[0].clone();
            let ones = (2..9).map(|at| Role { id: format!("host{at}"), ..one.clone() });
            it.roles.splice(1..1, ones);
        });
        let travel = |it: &mut Method| it.phases[2].assign = Assign::Travel;
        wrong("phases.2.assign", "needs a host", |it| {
            travel(it);
            it.roles[0].stays = false;
        });
        wrong("phases.2.assign", "needs a host", |it| {
            travel(it);
            it.roles[0].count = Some(2);
        });
        wrong("phases.2.assign", "needs a host", |it| {
            travel(it);
            (it.roles[1].count, it.roles[1].stays) = (Some(1), true);
        });
        let speaking = |phase: usize, role: &'static str| {
            move |it: &mut Method| it.phases[phase].speaking = vec![role.into()]
        };
        right(speaking(1, "host"));
        right(speaking(2, "host"));
        wrong("phases.1.speaking.0", "there is no role `guru`", speaking(1, "guru"));
        wrong("phases.0.speaking", "`silent` nobody is to speak", speaking(0, "host"));
        wrong("phases.0.speaking", "`solo` nobody is to speak", |it| {
            it.phases[0].turns = Turns::Free;
            speaking(0, "host")(it);
        });
        wrong("phases.0.speaking", "nobody has a role yet", |it| {
            (it.phases[0].turns, it.phases[0].assign) = (Turns::Free, Assign::Plenary);
            speaking(0, "host")(it);
        });
    }

    #[test]
    fn cycles_are_whole_and_end() {
        let again = |made: Cycle, phases: &'static [usize]| {
            move |it: &mut Method| {
                it.cycles.push(made);
                phases.iter().for_each(|at| it.phases[*at].cycle = Some("again".into()));
            }
        };
        right(again(cycle(Some(2), None), &[0, 1]));
        right(again(cycle(Some(20), None), &[2]));
        wrong("cycles.0.times", "write 2 to 20", again(cycle(Some(1), None), &[2]));
        wrong("cycles.0.times", "write 2 to 20", again(cycle(Some(21), None), &[2]));
        wrong("cycles.0", "write one of them", again(cycle(None, None), &[2]));
        wrong("cycles.0", "write one of them", |it| {
            it.phases[2].assign = Assign::Same;
            again(cycle(Some(2), Some("host")), &[2])(it);
        });
        wrong("cycles.0", "no phase is in this cycle", again(cycle(Some(2), None), &[]));
        wrong("phases.2.cycle", "are apart", again(cycle(Some(2), None), &[0, 2]));
        wrong("phases.1.cycle", "there is no cycle `round`", |it| {
            it.phases[1].cycle = Some("round".into());
        });
        wrong("phases.2.rounds", "keep one", |it| {
            it.phases[2].rounds = 2;
            again(cycle(Some(2), None), &[2])(it);
        });
        wrong("cycles.0.id", "is not an id", |it| {
            again(cycle(Some(2), None), &[])(it);
            it.cycles[0].id = "A".into();
            it.phases[2].cycle = Some("A".into());
        });
        wrong("cycles", "there are 11 `cycles`", |it| {
            let end = it.phases[2].clone();
            for at in 0..11 {
                let id = format!("c{at}");
                it.phases.push(Phase { id: id.clone(), cycle: Some(id.clone()), ..end.clone() });
                it.cycles.push(Cycle { id, ..cycle(Some(2), None) });
            }
        });
        wrong("phases.1.rounds", "`rounds` is 0: write 1 to 20", |it| it.phases[1].rounds = 0);
        wrong("phases.1.rounds", "write 1 to 20", |it| it.phases[1].rounds = 21);
        let same = |made: Cycle| {
            move |it: &mut Method| {
                it.phases[2].assign = Assign::Same;
                again(made, &[2])(it);
            }
        };
        right(same(cycle(None, Some("host"))));
        wrong("cycles.0.each", "there is no role `guru`", same(cycle(None, Some("guru"))));
        wrong("cycles.0.each", "`guest` once", same(cycle(None, Some("guest"))));
        wrong("phases.2.assign", "its rooms must last", again(cycle(None, Some("host")), &[2]));
        wrong("phases.1.assign", "its rooms must last", again(cycle(None, Some("host")), &[1]));
        wrong("phases.0.assign", "right before it", again(cycle(None, Some("host")), &[0]));
    }

    #[test]
    fn every_phase_ends() {
        wrong("phases.0", "nothing ends this phase", |it| it.phases[0].length_s = None);
        right(|it| (it.phases[0].length_s, it.phases[0].advance) = (None, Advance::Host));
        wrong("phases.0.length_s", "both given", |it| {
            it.phases[0].length_s_per_person = Some(60);
        });
        wrong("phases.0.length_s", "`length_s` is 9: write 10 to 14400", |it| {
            it.phases[0].length_s = Some(9);
        });
        wrong("phases.0.length_s", "more than 4 hours", |it| it.phases[0].length_s = Some(14_401));
        let each = |seconds| {
            move |it: &mut Method| {
                (it.phases[1].length_s, it.phases[1].length_s_per_person) = (None, Some(seconds));
            }
        };
        right(each(5));
        wrong("phases.1.length_s_per_person", "write 5 to 1800", each(4));
        wrong("phases.1.length_s_per_person", "write 5 to 1800", each(1_801));
        right(|it| {
            it.phases[0].length_s = Some(14_280);
            (it.phases[1].length_s, it.phases[1].rounds) = (Some(14_400), 2);
        });
        wrong("phases", "it lasts 13 hours with 12 people", |it| {
            (it.phases[1].length_s, it.phases[1].rounds) = (Some(14_400), 3);
        });
    }

    #[test]
    fn turns_and_harvest_can_be_kept() {
        let turns = |phase: usize, turns| {
            move |it: &mut Method| {
                it.phases[phase].turns = turns;
                (it.phases[phase].length_s, it.phases[phase].length_s_per_person) =
                    (None, Some(60));
            }
        };
        right(turns(1, Turns::Round));
        right(turns(2, Turns::Stick));
        wrong("phases.0.turns", "no order of turns in `solo`", turns(0, Turns::Stick));
        wrong("phases.1.length_s_per_person", "time of one turn", |it| {
            it.phases[1].turns = Turns::Round;
        });
        wrong("phases.1.harvest", "no cards", |it| it.phases[1].harvest = Harvest::Score);
        wrong("phases.1.harvest", "written alone", |it| it.phases[1].harvest = Harvest::Card);
        wrong("phases.0.harvest", "use `note`", |it| it.phases[0].harvest = Harvest::Line);
        let scribe = |phase: usize, role: &'static str| {
            move |it: &mut Method| {
                it.phases[phase].scribe = Some(Scribe { role: role.into(), alone: false });
                (it.phases[phase].harvest, it.phases[phase].assign) = match phase {
                    1 => (Harvest::Line, Assign::Mix),
                    _ => (Harvest::Line, Assign::Plenary),
                };
            }
        };
        right(scribe(1, "host"));
        right(scribe(2, "host"));
        wrong("phases.1.scribe.role", "there is no role `guru`", scribe(1, "guru"));
        wrong("phases.0.scribe", "nobody has a role yet", |it| {
            scribe(0, "host")(it);
            it.phases[0].turns = Turns::Free;
        });
        wrong("phases.2.scribe", "a room writes with the harvest `line`", |it| {
            it.phases[2].scribe = Some(Scribe { role: "host".into(), alone: true });
        });
        right(|it| {
            it.phases[0].harvest = Harvest::Card;
            it.phases[2].harvest = Harvest::Score;
        });
        right(|it| {
            it.phases[0].turns = Turns::Free;
            it.phases[0].harvest = Harvest::Card;
        });
        right(|it| (it.phases[2].turns, it.phases[2].harvest) = (Turns::Silent, Harvest::Card));
    }

    #[test]
    fn ideas_have_people_before_them_and_votes_have_ideas() {
        let chain = |it: &mut Method| {
            (it.phases[0].harvest, it.phases[1].harvest) = (Harvest::Ideas, Harvest::Ideas);
            it.phases[1].choose = Some(2);
            it.phases[2].harvest = Harvest::Votes;
            it.phases[2].vote = Some(Vote { each: 3, same: 3, own: Some(0), hidden: true });
        };
        let but = |change: fn(&mut Method)| {
            move |it: &mut Method| {
                chain(it);
                change(it);
            }
        };
        let vote = |it: &mut Method| it.phases[2].vote.clone().expect("a vote");
        right(chain);
        right(but(|it| it.phases[0].assign = Assign::Plenary));
        wrong("phases.2.harvest", "let rooms come first", |it| {
            it.phases[2].harvest = Harvest::Ideas;
        });
        right(|it| (it.phases[2].harvest, it.phases[2].assign) = (Harvest::Ideas, Assign::Free));
        wrong("phases.0.transcribe", "written down", but(|it| it.phases[0].transcribe = false));
        wrong("phases.1.choose", "write 1 to 5", but(|it| it.phases[1].choose = Some(6)));
        wrong("phases.0.choose", "rooms choose", but(|it| it.phases[0].choose = Some(1)));
        wrong("phases.2.harvest", "nothing to vote on", but(|it| it.phases[1].choose = None));
        wrong("phases.2.vote", "is missing", but(|it| it.phases[2].vote = None));
        wrong("phases.2.vote", "no meaning", but(|it| it.phases[2].harvest = Harvest::Speech));
        wrong("phases.2.assign", "all vote together", but(|it| it.phases[2].assign = Assign::Same));
        let of = |change: fn(&mut Vote)| {
            move |it: &mut Method| {
                chain(it);
                let mut changed = vote(it);
                change(&mut changed);
                it.phases[2].vote = Some(changed);
            }
        };
        wrong("phases.2.vote.each", "write 1 to 20", of(|it| it.each = 21));
        wrong("phases.2.vote.same", "write 1 to 3", of(|it| it.same = 4));
        wrong("phases.2.vote.own", "write 0 to 3", of(|it| it.own = Some(4)));
        right(of(|it| (it.same, it.own, it.hidden) = (1, None, false)));
    }

    #[test]
    fn a_hopeless_document_is_told_its_first_faults_only() {
        let found = faults(|it| {
            it.phases = vec![it.phases[0].clone(); 400];
            it.phases.iter_mut().for_each(|it| it.length_s = Some(u32::MAX));
        });
        assert_eq!(found.len(), FAULTS_MAX);
        assert!(found[0].contains("there are 400 `phases`: 1 to 30"), "{}", found[0]);
    }
}
