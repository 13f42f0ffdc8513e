//! Methods as plain text for a terminal: a list, and one whole. The words around a method's own
//! texts are English, as all of the command line. It prints nothing itself.

use std::fmt::Write;

use crate::{
    app::methods::Library,
    domain::{
        language::Language,
        method::{Advance, Assign, Cycle, Method, Phase, Role, Turns, length},
    },
};

/// Columns of running text: what a terminal surely has.
const COLUMNS: usize = 80;

/// How long a method takes with as many people as are ideal, in whole minutes, rounded up. What
/// waits for the facilitator counts with the length it names, or not at all.
pub fn minutes(method: &Method) -> u64 {
    length::seconds(method, method.people.ideal.into()).div_ceil(60)
}

/// All methods, one a line, under a heading.
pub fn list(library: &Library, language: Language) -> String {
    let mut rows = vec![["ID", "NAME", "PEOPLE", "MIN", "PURPOSE"].map(str::to_owned)];
    rows.extend(library.all().iter().map(|it| {
        let more = if it.phases.iter().any(waits) { "+" } else { "" };
        [
            it.id.clone(),
            it.name.in_language(language).to_owned(),
            format!("{}–{}", it.people.min, it.people.max),
            format!("{}{more}", minutes(it)),
            it.purpose.in_language(language).to_owned(),
        ]
    }));
    let wide = |column: usize| rows.iter().map(|it| it[column].chars().count()).max().unwrap_or(0);
    let [ids, names, people, minutes] = [wide(0), wide(1), wide(2), wide(3)];
    let mut out = String::new();
    for [id, name, crowd, time, purpose] in &rows {
        // Writing to a String cannot fail, here and below.
        let _ =
            writeln!(out, "{id:ids$}  {name:names$}  {crowd:people$}  {time:>minutes$}  {purpose}");
    }
    out
}

/// Whether it goes on only when the facilitator wants, and has no length to count with.
fn waits(phase: &Phase) -> bool {
    phase.advance == Advance::Host
        && phase.length_s.is_none()
        && phase.length_s_per_person.is_none()
}

/// One method, to be read before using it.
pub fn show(method: &Method, language: Language) -> String {
    let said = |it: &crate::domain::method::Text| it.in_language(language).to_owned();
    let people = method.people;
    let mut out = format!("{} ({})\n\n", said(&method.name), method.id);
    wrap(&mut out, "", "", &said(&method.purpose));
    out.push('\n');
    wrap(&mut out, "", "", &said(&method.description));
    let _ = writeln!(
        out,
        "\n{} to {} people, ideally {}; about {} minutes.",
        people.min,
        people.max,
        people.ideal,
        minutes(method)
    );
    heading(&mut out, "Rules", method.rules.is_empty());
    for rule in &method.rules {
        wrap(&mut out, "  - ", "    ", &said(rule));
    }
    heading(&mut out, "Roles", method.roles.is_empty());
    for role in &method.roles {
        let (name, task) = (said(&role.name), said(&role.task));
        wrap(&mut out, "  - ", "    ", &format!("{name} ({}): {task}", who(role)));
    }
    heading(&mut out, "Phases", method.phases.is_empty());
    for (index, phase) in method.phases.iter().enumerate() {
        let what = format!("{}: {}", said(&phase.name), how(method, phase));
        wrap(&mut out, &format!("{:>3}. ", index + 1), "     ", &what);
        wrap(&mut out, "     ", "     ", &said(&phase.instruction));
        wrap(&mut out, "     > ", "     > ", &said(&phase.script));
    }
    let source = format!("Source: {} {}", method.source.by, method.source.url);
    let _ = writeln!(out, "\n{}", source.trim_end());
    out
}

fn heading(out: &mut String, words: &str, nothing: bool) {
    if !nothing {
        let _ = writeln!(out, "\n{words}");
    }
}

fn who(role: &Role) -> String {
    let count = match role.count {
        None => "all who are left".to_owned(),
        Some(1) => "one in each room".to_owned(),
        Some(count) => format!("{count} in each room"),
    };
    if role.stays { count + ", stays" } else { count }
}

/// Rooms, turns, time and repetition of a phase, in one line.
fn how(method: &Method, phase: &Phase) -> String {
    let mut parts = vec![rooms(phase)];
    parts.extend(match phase.turns {
        Turns::Free => None,
        Turns::Round => Some("in turn".to_owned()),
        Turns::Stick => Some("in turn, the others listen".to_owned()),
        Turns::Silent => Some("in silence".to_owned()),
    });
    parts.push(time(phase));
    if 1 < phase.rounds {
        parts.push(format!("{} times", phase.rounds));
    }
    let cycle = phase.cycle.as_ref();
    let cycle = cycle.and_then(|id| method.cycles.iter().find(|it| it.id == *id));
    parts.extend(cycle.map(repeats));
    parts.join(", ")
}

fn rooms(phase: &Phase) -> String {
    let (size, min, max) = phase.sizes();
    match phase.assign {
        Assign::Plenary => "all together".to_owned(),
        Assign::Solo => "alone".to_owned(),
        Assign::Same => "where they are".to_owned(),
        Assign::Mix => format!("new rooms of {size} ({min} to {max})"),
        Assign::Merge => format!("rooms put together into {size} ({min} to {max})"),
        Assign::Return => {
            format!("the rooms of {} again", phase.rooms_of.as_deref().unwrap_or_default())
        }
        Assign::Travel => "hosts stay, the others go each to a new table".to_owned(),
        Assign::Carousel => "groups go on to the next table".to_owned(),
        Assign::Free => "everybody where they like".to_owned(),
        Assign::Seats => format!("{} seats in the main room", phase.seats.unwrap_or_default()),
    }
}

fn time(phase: &Phase) -> String {
    let length = match (phase.length_s, phase.length_s_per_person) {
        (_, Some(each)) => Some(format!("{} each", spoken(each))),
        (length, None) => length.map(spoken),
    };
    match (length, phase.advance) {
        (Some(length), Advance::Time) => length,
        (Some(length), Advance::Ready) => format!("{length} or until all are ready"),
        (Some(length), Advance::Host) => format!("about {length}, until the facilitator goes on"),
        (None, _) => "until the facilitator goes on".to_owned(),
    }
}

fn spoken(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn repeats(cycle: &Cycle) -> String {
    match (cycle.times, &cycle.each) {
        (Some(times), _) => format!("{times} times together with the others of {}", cycle.id),
        (None, Some(role)) => format!("again until everybody has been {role}"),
        (None, None) => String::new(),
    }
}

/// Breaks running text between words. A word longer than a line has one of its own.
fn wrap(out: &mut String, first: &str, next: &str, text: &str) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && COLUMNS < line.chars().count() + 1 + word.chars().count() {
            let _ = writeln!(out, "{line}");
            (line, empty) = (next.to_owned(), true);
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::method::check::tests::good;

    #[test]
    fn the_list_has_a_line_for_each_method() {
        let (library, _) = Library::load(None);
        let text = list(&library, Language::Finnish);
        assert_eq!(text.lines().count(), library.all().len() + 1);
        assert!(text.starts_with("ID "), "{text}");
        let line = text.lines().find(|it| it.starts_with("one-two-four-all ")).unwrap();
        assert!(line.contains("1–2–4–kaikki") && line.contains("4–300"), "{line}");
        assert!(line.contains("  12  Suurikin joukko"), "{line}");
    }

    #[test]
    fn a_method_is_shown_whole() {
        let mut method = good();
        method.phases[2].advance = Advance::Host;
        method.phases[0].rounds = 2;
        let expect = "\
Good (good-1)

good for something

goes like this

6 to 40 people, ideally 12; about 9 minutes.

Rules
  - be kind

Roles
  - host (one in each room, stays): do
  - guest (all who are left): do

Phases
  1. alone: alone, in silence, 1 min, 2 times
     do
     > mind
  2. four: new rooms of 4 (3 to 5), 5 min
     do
     > mind
  3. all: all together, about 2 min, until the facilitator goes on
     do
     > mind

Source: us
";
        assert_eq!(show(&method, Language::English), expect);
    }

    #[test]
    fn long_texts_are_broken_between_words() {
        let mut out = String::new();
        wrap(&mut out, "- ", "  ", &"yhteiskehittäminen ".repeat(5));
        let four = "yhteiskehittäminen yhteiskehittäminen yhteiskehittäminen yhteiskehittäminen";
        assert_eq!(out, format!("- {four}\n  yhteiskehittäminen\n"));
        let (library, _) = Library::load(None);
        for method in library.all() {
            let text = show(method, Language::Swedish);
            let long = text.lines().find(|it| COLUMNS < it.chars().count());
            assert!(long.is_none_or(|it| it.starts_with("Source: ")), "{long:?}");
        }
    }
}
