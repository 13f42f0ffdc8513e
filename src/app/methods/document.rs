//! A method as the text of a TOML document: read, with the line and the remedy of what is wrong,
//! and written. It touches no file.

use std::{fmt::Write, ops::Range};

use toml::{
    Value,
    de::{DeTable, DeValue},
};

use crate::{
    app::methods::words::{self, Wrong},
    domain::method::{
        Advance, Cycle, Harvest, Method, People, Phase, Role, Scribe, Source, Text, Turns, Vote,
        check::{Step, check},
        fault::quoted,
    },
};

/// Bytes in one document: ten times what a long method takes.
pub const DOCUMENT_BYTES_MAX: usize = 48 * 1024;

/// What is wrong with a document, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodError {
    /// From 1.
    pub line: usize,
    pub what: Wrong,
}

impl MethodError {
    /// In every language, with the remedy.
    pub fn told(&self) -> Text {
        words::wrong(&self.what)
    }
}

/// Reads a document. Whoever gets a method can run it: it has been checked. Of a text that is not
/// TOML or not of a method's shape only the first error is told; else the first twenty.
pub fn parse(text: &str) -> Result<Method, Vec<MethodError>> {
    if DOCUMENT_BYTES_MAX < text.len() {
        let kib = DOCUMENT_BYTES_MAX / 1024;
        return Err(vec![MethodError { line: 1, what: Wrong::TooLong { kib } }]);
    }
    let method: Method = toml::from_str(text).map_err(|error| {
        let line = line_at(text, error.span().unwrap_or_default());
        vec![MethodError { line, what: explained(error.message()) }]
    })?;
    let faults = check(&method);
    if faults.is_empty() {
        return Ok(method);
    }
    let table = DeTable::parse(text).ok();
    let line =
        |at: &[Step]| table.as_ref().map_or(1, |it| line_at(text, span_of(it.get_ref(), at)));
    let told = faults.into_iter();
    Err(told.map(|it| MethodError { line: line(&it.at), what: Wrong::Rule(it.problem) }).collect())
}

fn line_at(text: &str, span: Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|it| *it == b'\n').count() + 1
}

/// Where something stands: its key, or, when it is absent, the nearest thing around it.
fn span_of(table: &DeTable<'_>, at: &[Step]) -> Range<usize> {
    let mut span = 0..0;
    let mut inside: Option<&DeValue<'_>> = None;
    for step in at {
        let table = inside.map_or(Some(table), DeValue::as_table);
        let next = match step {
            Step::Key(key) => {
                table.and_then(|it| it.get_key_value(*key)).map(|(key, it)| (key.span(), it))
            }
            Step::Index(index) => {
                let list = inside.and_then(DeValue::as_array);
                list.and_then(|it| it.get(*index)).map(|it| (it.span(), it))
            }
        };
        let Some((found, value)) = next else { break };
        span = found;
        inside = Some(value.get_ref());
    }
    span
}

/// What a message of `toml` or of serde says.
fn explained(message: &str) -> Wrong {
    let behind = |start: &str| message.strip_prefix(start);
    let expected = |rest: &str| {
        let (found, wanted) = rest.rsplit_once(", expected ").unwrap_or((rest, ""));
        let wanted = wanted.strip_prefix("one of ").unwrap_or(wanted).to_owned();
        (quoted(found.trim_end_matches('`')), wanted)
    };
    if let Some(key) = behind("missing field `") {
        return Wrong::Missing { key: quoted(key.trim_end_matches('`')) };
    }
    if let Some((key, keys)) = behind("unknown field `").map(expected) {
        return Wrong::NoSuchKey { key, keys };
    }
    if let Some((word, words)) = behind("unknown variant `").map(expected) {
        return Wrong::NoSuchWord { word, words };
    }
    let invalid = behind("invalid type: ").or(behind("invalid value: "));
    if let Some((found, wanted)) = invalid.map(expected) {
        return Wrong::DoesNotFit { found: found.replace('`', ""), wanted };
    }
    match message {
        "duplicate key" => Wrong::Twice,
        _ => Wrong::NotToml { message: message.to_owned() },
    }
}

/// Writes a document that `parse` reads back as the same method, as long as that is a right one.
pub fn to_toml(method: &Method) -> String {
    let Method {
        id,
        name,
        purpose,
        description,
        aims,
        people: People { min, max, ideal },
        roles,
        rules,
        cycles,
        phases,
        source: Source { by, url },
    } = method;
    let mut out =
        String::from("# A method of Vuoro. `vuoro method check FILE` tells what is wrong.\n\n");
    put(&mut out, "id", id.as_str());
    put_text(&mut out, "name.", name);
    put_text(&mut out, "purpose.", purpose);
    put_text(&mut out, "description.", description);
    put(&mut out, "aims", aims.iter().map(|it| word(Value::try_from(it))).collect::<Vec<_>>());
    // Writing to a String cannot fail.
    let _ = writeln!(out, "people = {{ min = {min}, max = {max}, ideal = {ideal} }}");
    roles.iter().for_each(|it| put_role(&mut out, it));
    for rule in rules {
        out.push_str("\n[[rules]]\n");
        put_text(&mut out, "", rule);
    }
    cycles.iter().for_each(|it| put_cycle(&mut out, it));
    phases.iter().for_each(|it| put_phase(&mut out, it));
    out.push_str("\n[source]\n");
    put(&mut out, "by", by.as_str());
    put_if(&mut out, "url", Some(url.as_str()).filter(|it| !it.is_empty()));
    out
}

fn put_role(out: &mut String, role: &Role) {
    let Role { id, name, task, count, stays } = role;
    out.push_str("\n[[roles]]\n");
    put(out, "id", id.as_str());
    put_text(out, "name.", name);
    put_text(out, "task.", task);
    put_if(out, "count", *count);
    put_if(out, "stays", stays.then_some(true));
}

fn put_cycle(out: &mut String, cycle: &Cycle) {
    let Cycle { id, times, each } = cycle;
    out.push_str("\n[[cycles]]\n");
    put(out, "id", id.as_str());
    put_if(out, "times", *times);
    put_if(out, "each", each.as_deref());
}

/// What stands at its default is left out.
fn put_phase(out: &mut String, phase: &Phase) {
    let Phase {
        id,
        name,
        instruction,
        script,
        assign,
        size,
        size_min,
        size_max,
        rooms_of,
        seats,
        choose,
        vote,
        scribe,
        length_s,
        length_s_per_person,
        rounds,
        cycle,
        turns,
        speaking,
        harvest,
        advance,
        transcribe,
        balance,
        colour,
    } = phase;
    out.push_str("\n[[phases]]\n");
    put(out, "id", id.as_str());
    put_text(out, "name.", name);
    put_text(out, "instruction.", instruction);
    put_text(out, "script.", script);
    put(out, "assign", word(Value::try_from(assign)));
    put_if(out, "size", *size);
    put_if(out, "size_min", *size_min);
    put_if(out, "size_max", *size_max);
    put_if(out, "rooms_of", rooms_of.as_deref());
    put_if(out, "seats", *seats);
    put_if(out, "length_s", length_s.map(i64::from));
    put_if(out, "length_s_per_person", length_s_per_person.map(i64::from));
    put_if(out, "rounds", (*rounds != 1).then_some(*rounds));
    put_if(out, "cycle", cycle.as_deref());
    put_if(out, "turns", (*turns != Turns::default()).then(|| word(Value::try_from(turns))));
    put_if(out, "speaking", Some(speaking.clone()).filter(|it| !it.is_empty()));
    put_if(
        out,
        "harvest",
        (*harvest != Harvest::default()).then(|| word(Value::try_from(harvest))),
    );
    put_if(out, "choose", *choose);
    if let Some(vote) = vote {
        put_vote(out, vote);
    }
    if let Some(scribe) = scribe {
        put_scribe(out, scribe);
    }
    put_if(
        out,
        "advance",
        (*advance != Advance::default()).then(|| word(Value::try_from(advance))),
    );
    put_if(out, "transcribe", (!transcribe).then_some(false));
    put_if(out, "balance", (!balance).then_some(false));
    put_if(out, "colour", colour.map(|it| word(Value::try_from(it))));
}

fn put_vote(out: &mut String, vote: &Vote) {
    let Vote { each, same, own, hidden } = vote;
    let mut keys = vec![format!("each = {each}")];
    keys.extend((*same != 1).then(|| format!("same = {same}")));
    keys.extend(own.map(|it| format!("own = {it}")));
    keys.extend(hidden.then(|| "hidden = true".to_owned()));
    let _ = writeln!(out, "vote = {{ {} }}", keys.join(", "));
}

fn put_scribe(out: &mut String, scribe: &Scribe) {
    let Scribe { role, alone } = scribe;
    let alone = if *alone { ", alone = true" } else { "" };
    let _ = writeln!(out, "scribe = {{ role = {}{alone} }}", Value::from(role.as_str()));
}

fn put(out: &mut String, key: &str, value: impl Into<Value>) {
    let _ = writeln!(out, "{key} = {}", value.into());
}

fn put_if(out: &mut String, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(out, key, value);
    }
}

/// One line for each language, so that they can be compared and a wrong one has its own line.
fn put_text(out: &mut String, before: &str, text: &Text) {
    let Text { fi, sv, en } = text;
    for (language, said) in [("fi", fi), ("sv", sv), ("en", en)] {
        put(out, &format!("{before}{language}"), said.as_str());
    }
}

/// A word of the format. Every one of them can be written; the empty text would be refused.
fn word(value: Result<Value, toml::ser::Error>) -> Value {
    value.unwrap_or_else(|_| Value::from(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::method::{Aim, Assign, Colour, check::tests::good};

    #[track_caller]
    fn round_trip(method: &Method) {
        let text = to_toml(method);
        assert_eq!(parse(&text).as_ref(), Ok(method), "{text}");
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        round_trip(&good());
        for method in crate::app::methods::Library::load(None).0.all() {
            round_trip(method);
        }
    }

    /// Every key at something other than its default, and texts that need care.
    #[test]
    fn nothing_is_lost_in_writing() {
        let mut method = good();
        method.aims = vec![Aim::Meet, Aim::Choose];
        method.name.fi = "\"Lainaus\" ja \\ ja '''".into();
        method.name.sv = "# ingen kommentar = {}".into();
        method.source.url = "https://example.fi/".into();
        method.cycles = vec![
            Cycle { id: "twice".into(), times: Some(2), each: None },
            Cycle { id: "all".into(), times: None, each: Some("host".into()) },
        ];
        method.phases[0].cycle = Some("twice".into());
        method.phases[0].advance = Advance::Ready;
        method.phases[0].harvest = Harvest::Note;
        method.phases[1].rounds = 2;
        (method.phases[1].size_min, method.phases[1].size_max) = (Some(2), Some(6));
        let turn = &mut method.phases[2];
        (turn.assign, turn.cycle) = (Assign::Same, Some("all".into()));
        (turn.length_s, turn.length_s_per_person) = (None, Some(90));
        (turn.turns, turn.speaking) = (Turns::Stick, vec!["host".into(), "guest".into()]);
        (turn.transcribe, turn.balance, turn.colour) = (false, false, Some(Colour::Green));
        let mut back = turn.clone();
        (back.id, back.assign, back.cycle) = ("back".into(), Assign::Return, None);
        back.rooms_of = Some("four".into());
        let mut sheet = back.clone();
        (sheet.id, sheet.harvest) = ("sheet".into(), Harvest::Line);
        sheet.scribe = Some(Scribe { role: "host".into(), alone: true });
        let mut seats = back.clone();
        (seats.id, seats.assign, seats.rooms_of) = ("seats".into(), Assign::Seats, None);
        (seats.seats, seats.turns) = (Some(4), Turns::Free);
        let mut ideas = back.clone();
        (ideas.id, ideas.harvest, ideas.transcribe) = ("ideas".into(), Harvest::Ideas, true);
        ideas.choose = Some(2);
        let mut votes = ideas.clone();
        (votes.id, votes.assign, votes.rooms_of) = ("votes".into(), Assign::Plenary, None);
        (votes.turns, votes.harvest, votes.choose) = (Turns::Free, Harvest::Votes, None);
        votes.vote = Some(Vote { each: 5, same: 2, own: Some(1), hidden: true });
        method.phases.extend([back, sheet, seats, ideas, votes]);
        round_trip(&method);
    }

    #[test]
    fn a_document_may_be_as_long_as_is_said() {
        let text = to_toml(&good());
        let text = text.clone() + &"#".repeat(DOCUMENT_BYTES_MAX - text.len());
        assert_eq!(parse(&text), Ok(good()));
        assert!(parse(&(text + "#")).is_err());
    }

    /// As some editors leave it.
    #[test]
    fn a_byte_order_mark_and_carriage_returns_are_no_fault() {
        let text = format!("\u{feff}{}", to_toml(&good()).replace('\n', "\r\n"));
        assert_eq!(parse(&text), Ok(good()));
        let line = text.lines().position(|it| it.starts_with("size")).unwrap() + 1;
        let errors = parse(&text.replace("size = 4", "size = 12")).unwrap_err();
        assert_eq!(errors[0].line, line);
    }

    /// The first `old` of a good document becomes `new`; then one error, on the line of `on`.
    #[track_caller]
    fn check(old: &str, new: &str, on: &str, expect: &str) {
        let text = to_toml(&good());
        assert!(text.contains(old), "{old:?} is not in {text}");
        let text = text.replacen(old, new, 1);
        let errors = parse(&text).expect_err(new);
        let line = |it: &MethodError| text.lines().nth(it.line - 1).unwrap_or_default();
        let told: Vec<_> = errors.iter().map(|it| (line(it), it.told().en)).collect();
        assert_eq!(told, [(on, expect.to_owned())]);
    }

    #[test]
    fn what_is_not_a_document_is_told_with_its_line() {
        let sizes = "size = 4\n";
        check(
            sizes,
            "siez = 4\n",
            "siez = 4",
            "there is no key `siez` here: write one of `id`, `name`, `instruction`, `script`, \
             `assign`, `size`, `size_min`, `size_max`, `rooms_of`, `seats`, `choose`, `vote`, \
             `length_s`, `length_s_per_person`, `rounds`, `cycle`, `turns`, `speaking`, \
             `harvest`, `scribe`, `advance`, `transcribe`, `balance`, `colour`",
        );
        check(
            sizes,
            "size = 300\n",
            "size = 300",
            "integer 300 does not fit here: write a whole number from 0 to 255",
        );
        check(
            sizes,
            "size = \"four\"\n",
            "size = \"four\"",
            "string \"four\" does not fit here: write a whole number from 0 to 255",
        );
        check(
            sizes,
            "size = 4\nsize = 5\n",
            "size = 5",
            "this key has been given before: keep one of them",
        );
        check(
            sizes,
            "size = 4 people\n",
            "size = 4 people",
            "this is not TOML: string values must be quoted, expected literal string",
        );
        check(
            "\"mix\"",
            "\"mixed\"",
            "assign = \"mixed\"",
            "`mixed` is not possible here: write one of `plenary`, `solo`, `same`, `mix`, `merge`, \
             `return`, `travel`, `carousel`, `free`, `seats`",
        );
        check("name.sv = \"four\"\n", "", "name.fi = \"four\"", "`sv` is missing: add it");
        check("id = \"four\"\n", "", "[[phases]]", "`id` is missing: add it");
        check(
            "[source]\nby = \"us\"\n",
            "",
            "# A method of Vuoro. `vuoro method check FILE` tells what is wrong.",
            "`source` is missing: add it",
        );
        check(", ideal = 12", "", "people = { min = 6, max = 40 }", "`ideal` is missing: add it");
        check(
            "stays = true",
            "stays = \"yes\"",
            "stays = \"yes\"",
            "string \"yes\" does not fit here: write true or false",
        );
        check(
            "aims = [\"share\"]",
            "aims = 3",
            "aims = 3",
            "integer 3 does not fit here: write a list, in square brackets",
        );
        let long = format!("size = \"{}\"\n", "x".repeat(500));
        check(
            sizes,
            &long,
            long.trim_end(),
            &format!(
                "string \"{}… does not fit here: write a whole number from 0 to 255",
                "x".repeat(32)
            ),
        );
    }

    #[test]
    fn what_breaks_a_rule_is_told_with_its_line() {
        check(
            "size = 4",
            "size = 12",
            "size = 12",
            "`size` is 12, but a room holds at most 8 people: write 2 to 8",
        );
        check(
            "size = 4\n",
            "",
            "[[phases]]",
            "`size` is missing: `mix` and `merge` make rooms of it; write 2 to 8",
        );
        check(
            "name.sv = \"four\"",
            "name.sv = \"\"",
            "name.sv = \"\"",
            "the text is empty: write one",
        );
        check("sv = \"be kind\"", "sv = \"\"", "sv = \"\"", "the text is empty: write one");
        check(
            "min = 6, max = 40",
            "min = 6, max = 400",
            "people = { min = 6, max = 400, ideal = 12 }",
            "`max` is 400, but a session holds no more than 300: write 2 to 300",
        );
        check(
            "length_s = 300\n",
            "",
            "[[phases]]",
            "nothing ends this phase: write `length_s` or `length_s_per_person`, or advance = \
             \"host\"",
        );
        check(
            "size = 4\n",
            "size = 4\nspeaking = [\n  \"host\",\n  \"guru\",\n]\n",
            "  \"guru\",",
            "there is no role `guru`: write the id of one of `roles`",
        );
        check(
            "id = \"all\"",
            "id = \"four\"",
            "id = \"four\"",
            "`four` is the id of an earlier one too: give this one another",
        );
    }

    /// With the same figures and the same words of the format in each.
    #[test]
    fn what_is_wrong_is_told_in_each_language() {
        let told = |old: &str, new: &str| {
            let errors = parse(&to_toml(&good()).replacen(old, new, 1)).expect_err(new);
            let Text { fi, sv, .. } = errors[0].told();
            (fi, sv)
        };
        let both = |fi: &str, sv: &str| (fi.to_owned(), sv.to_owned());
        assert_eq!(
            told("size = 4", "size = 12"),
            both(
                "`size` on 12, mutta huoneeseen mahtuu enintään 8 ihmistä: kirjoita 2–8",
                "`size` är 12, men ett rum rymmer högst 8 personer: skriv 2 till 8",
            )
        );
        assert_eq!(
            told("size = 4", "size = \"neljä\""),
            both(
                "teksti \"neljä\" ei sovi tähän: kirjoita kokonaisluku väliltä 0–255",
                "texten \"neljä\" passar inte här: skriv ett heltal från 0 till 255",
            )
        );
        assert_eq!(
            told("size = 4", "seats = 3"),
            both(
                "`size` puuttuu: `mix` ja `merge` tekevät huoneet sen mukaan; kirjoita 2–8",
                "`size` saknas: `mix` och `merge` skapar rum efter den; skriv 2 till 8",
            )
        );
    }

    #[test]
    fn every_fault_has_its_own_line() {
        let text = to_toml(&good()).replace("length_s = ", "length_s = 1");
        let text = text.replace("length_s = 160", "length_s = 1\nsize = 3");
        let errors = parse(&text).unwrap_err();
        let mut lines: Vec<_> = errors.iter().map(|it| it.line).collect();
        assert_eq!(lines.len(), 2, "{errors:?}");
        lines.dedup();
        assert_eq!(lines.len(), 2, "{errors:?}");
    }

    #[test]
    fn strange_texts_are_refused_and_hurt_nobody() {
        for text in [
            String::new(),
            "\u{feff}".to_owned(),
            "id".to_owned(),
            "\r\n\r\n=".to_owned(),
            "a = ".to_owned() + &"[".repeat(60_000),
            "[a".to_owned() + &".a".repeat(30_000) + "]",
            "x".repeat(DOCUMENT_BYTES_MAX + 1),
            "ä\0\u{1b}[2J".to_owned(),
        ] {
            let errors = parse(&text).unwrap_err();
            let lines = text.lines().count().max(1) + 1;
            assert!(errors.iter().all(|it| (1..=lines).contains(&it.line)), "{errors:?}");
            let told = errors.iter().map(MethodError::told).flat_map(|it| [it.fi, it.sv, it.en]);
            let short = |it: &String| it.len() < 300 && !it.contains('\u{1b}');
            assert!(told.into_iter().all(|it| short(&it)), "{errors:?}");
        }
    }
}
