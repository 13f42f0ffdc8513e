//! The labels of a document in three languages, and how it tells days, times and rooms. Only what
//! stands around people's own words; never those.

use crate::{
    domain::{ids::RoomId, language::Language},
    notes::engine::export::Kind,
};

/// Every label; a language that lacked one would not compile.
pub struct Words {
    pub summary: &'static str,
    pub held: &'static str,
    pub length: &'static str,
    pub people: &'static str,
    pub rooms_used: &'static str,
    pub spoken: &'static str,
    pub written: &'static str,
    pub words_said: &'static str,
    pub languages: &'static str,
    pub met: &'static str,
    pub unheard: &'static str,
    pub method: &'static str,
    pub phases: &'static str,
    pub topics: &'static str,
    pub chosen: &'static str,
    pub ranking: &'static str,
    pub ideas: &'static str,
    /// Of one, and of several.
    pub votes: [&'static str; 2],
    pub taken_back: &'static str,
    pub board: &'static str,
    pub only_commented: &'static str,
    pub comment: &'static str,
    pub pilot: &'static str,
    pub pilot_answers: &'static str,
    pub pilot_few: &'static str,
    /// Heard, clear, fresh, again.
    pub pilot_questions: [&'static str; 4],
    /// In the order of `Level::ALL`.
    pub pilot_levels: [&'static str; 4],
    pub pilot_lines: &'static str,
    pub points: &'static str,
    pub all_lines: &'static str,
    pub some_lines: &'static str,
    pub outside: &'static str,
    pub round: &'static str,
    pub main_room: &'static str,
    pub room: &'static str,
    pub who: &'static str,
    pub number: &'static str,
    pub time: &'static str,
    pub start_ms: &'static str,
    pub end_ms: &'static str,
    pub kind: &'static str,
    pub language: &'static str,
    pub phase: &'static str,
    pub text: &'static str,
    pub goes_on: &'static str,
    pub pseudonymous: &'static str,
    pub nothing: &'static str,
    pub missing: &'static str,
    pub facilitator: &'static str,
    pub person: &'static str,
    /// In the order of `Kind::ALL`.
    pub kinds: [&'static str; 9],
    /// In the order of `Language::ALL`.
    pub tongues: [&'static str; 3],
    pub months: [&'static str; 12],
}

impl Words {
    pub fn in_language(language: Language) -> &'static Words {
        match language {
            Language::Finnish => &FINNISH,
            Language::Swedish => &SWEDISH,
            Language::English => &ENGLISH,
        }
    }

    pub fn room(&self, room: RoomId) -> String {
        match room {
            RoomId::Main => self.main_room.to_owned(),
            RoomId::Breakout(number) => format!("{} {number}", self.room),
        }
    }

    pub fn kind(&self, kind: Kind) -> &'static str {
        Kind::ALL.iter().zip(self.kinds).find(|it| *it.0 == kind).map_or("", |it| it.1)
    }

    pub fn tongue(&self, language: Language) -> &'static str {
        Language::ALL.iter().zip(self.tongues).find(|it| *it.0 == language).map_or("", |it| it.1)
    }
}

/// "1 vote", "3 votes".
pub fn votes(votes: u32, words: &Words) -> String {
    let [one, several] = words.votes;
    format!("{votes}\u{a0}{}", if votes == 1 { one } else { several })
}

/// The day in the reader's words and the time on their clock; in universal time says so.
pub fn day_and_time(unix_ms: u64, offset_min: i32, language: Language) -> String {
    let seconds = i64::try_from(unix_ms / 1000).unwrap_or(0) + i64::from(offset_min) * 60;
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp(seconds) else { return String::new() };
    let months = Words::in_language(language).months;
    let month = months.get(usize::from(u8::from(at.month()) - 1)).copied().unwrap_or_default();
    let (year, day, hour, minute) = (at.year(), at.day(), at.hour(), at.minute());
    let zone = if offset_min == 0 { " UTC" } else { "" };
    match language {
        Language::Finnish => format!("{day}. {month} {year} klo {hour}.{minute:02}{zone}"),
        Language::Swedish => format!("{day} {month} {year} kl. {hour}.{minute:02}{zone}"),
        Language::English => format!("{day} {month} {year}, {hour}:{minute:02}{zone}"),
    }
}

/// "45 s", "12 min" or "1 h 30 min", in every language of ours; never broken across lines.
pub fn lasting(ms: u64) -> String {
    let minutes = (ms + 30_000) / 60_000;
    match (ms, minutes) {
        (..60_000, _) => format!("{}\u{a0}s", ms / 1000),
        (_, ..60) => format!("{minutes}\u{a0}min"),
        _ if minutes.is_multiple_of(60) => format!("{}\u{a0}h", minutes / 60),
        _ => format!("{}\u{a0}h\u{a0}{}\u{a0}min", minutes / 60, minutes % 60),
    }
}

const FINNISH: Words = Words {
    summary: "Yhteenveto",
    held: "Pidetty",
    length: "Kesto",
    people: "Osallistujia",
    rooms_used: "Huoneita",
    spoken: "Puheenvuoroja tekstinä",
    written: "Kirjoitettuja ajatuksia",
    words_said: "Puhuttuja sanoja",
    languages: "Kielet",
    met: "Ryhmissä tavanneita pareja",
    unheard: "Kirjaamatta jääneitä kohtia",
    method: "Menetelmä",
    phases: "Näin edettiin",
    topics: "Aiheet",
    chosen: "Ryhmien yhteiset tulokset",
    ranking: "Ideat pisteiden mukaan",
    ideas: "Mitä valittiin ja mistä se syntyi",
    votes: ["ääni", "ääntä"],
    taken_back: "kirjoittaja on poistanut sanansa",
    board: "Taulu",
    only_commented: "Kommentoidut kohdat, jotka eivät ole taululla",
    comment: "Kommentti",
    pilot: "Miten menetelmä toimi",
    pilot_answers: "Vastauksia",
    pilot_few: "Sisältö näytetään, kun vastauksia on vähintään kolme.",
    pilot_questions: [
        "Minua kuunneltiin",
        "Tiesin, mitä piti tehdä",
        "Kuulin tai ymmärsin jotain uutta",
        "Osallistuisin tällaiseen uudelleen",
    ],
    pilot_levels: ["ei", "vähän", "enimmäkseen", "kyllä"],
    pilot_lines: "Omin sanoin:",
    points: "pistettä",
    all_lines: "Mitä sanottiin ja kirjoitettiin",
    some_lines: "Valittu osa siitä, mitä sanottiin ja kirjoitettiin",
    outside: "Ennen menetelmiä ja niiden välissä",
    round: "kierros",
    main_room: "Yhteinen huone",
    room: "Huone",
    who: "Kuka",
    number: "Numero",
    time: "Aika",
    start_ms: "Alku (ms)",
    end_ms: "Loppu (ms)",
    kind: "Laji",
    language: "Kieli",
    phase: "Vaihe",
    text: "Teksti",
    goes_on: "Tilaisuus on vielä kesken; tämä on tilanne juuri nyt.",
    pseudonymous: "Nimet on korvattu tunnuksilla. Puheen sisällöstä voi silti tunnistaa ihmisen.",
    nothing: "Tästä valinnasta ei löytynyt mitään sanottua eikä kirjoitettua.",
    missing: "puhetta, jota ei saatu tekstiksi",
    facilitator: "Ohjaaja",
    person: "Osallistuja",
    kinds: [
        "sanoi",
        "muistiinpano",
        "kortti",
        "ryhmän tulos",
        "aihe",
        "idea",
        "viesti",
        "viesti kaikille",
        "kirjaamatta",
    ],
    tongues: ["suomi", "ruotsi", "englanti"],
    months: [
        "tammikuuta",
        "helmikuuta",
        "maaliskuuta",
        "huhtikuuta",
        "toukokuuta",
        "kesäkuuta",
        "heinäkuuta",
        "elokuuta",
        "syyskuuta",
        "lokakuuta",
        "marraskuuta",
        "joulukuuta",
    ],
};

const SWEDISH: Words = Words {
    summary: "Sammanfattning",
    held: "Hölls",
    length: "Längd",
    people: "Deltagare",
    rooms_used: "Rum",
    spoken: "Inlägg i tal som text",
    written: "Skrivna tankar",
    words_said: "Sagda ord",
    languages: "Språk",
    met: "Par som möttes i grupper",
    unheard: "Ställen som inte blev text",
    method: "Metod",
    phases: "Så gick det till",
    topics: "Ämnen",
    chosen: "Gruppernas gemensamma resultat",
    ranking: "Idéer enligt poäng",
    ideas: "Det som valdes och vad det kom ur",
    votes: ["röst", "röster"],
    taken_back: "skribenten har tagit bort sina ord",
    board: "Tavlan",
    only_commented: "Kommenterade ställen som inte finns på tavlan",
    comment: "Kommentar",
    pilot: "Hur metoden fungerade",
    pilot_answers: "Svar",
    pilot_few: "Innehållet visas när det finns minst tre svar.",
    pilot_questions: [
        "Jag blev lyssnad på",
        "Jag visste vad jag skulle göra",
        "Jag hörde eller förstod något nytt",
        "Jag skulle delta i det här igen",
    ],
    pilot_levels: ["nej", "lite", "till största delen", "ja"],
    pilot_lines: "Med egna ord:",
    points: "poäng",
    all_lines: "Det som sades och skrevs",
    some_lines: "En vald del av det som sades och skrevs",
    outside: "Före metoderna och mellan dem",
    round: "omgång",
    main_room: "Gemensamma rummet",
    room: "Rum",
    who: "Vem",
    number: "Nummer",
    time: "Tid",
    start_ms: "Början (ms)",
    end_ms: "Slut (ms)",
    kind: "Slag",
    language: "Språk",
    phase: "Fas",
    text: "Text",
    goes_on: "Evenemanget pågår ännu; det här är läget just nu.",
    pseudonymous: "Namnen har ersatts med koder. Innehållet kan ändå avslöja vem som talade.",
    nothing: "I det här urvalet finns inget som sades eller skrevs.",
    missing: "tal som inte blev text",
    facilitator: "Ledaren",
    person: "Deltagare",
    kinds: [
        "sade",
        "anteckning",
        "kort",
        "gruppens resultat",
        "ämne",
        "idé",
        "meddelande",
        "meddelande till alla",
        "utan text",
    ],
    tongues: ["finska", "svenska", "engelska"],
    months: [
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ],
};

const ENGLISH: Words = Words {
    summary: "Summary",
    held: "Held",
    length: "Length",
    people: "People",
    rooms_used: "Rooms",
    spoken: "Spoken lines as text",
    written: "Written thoughts",
    words_said: "Words said",
    languages: "Languages",
    met: "Pairs who met in groups",
    unheard: "Moments that did not become text",
    method: "Method",
    phases: "How it went",
    topics: "Topics",
    chosen: "What the groups arrived at",
    ranking: "Ideas by points",
    ideas: "What was chosen, and what it came from",
    votes: ["vote", "votes"],
    taken_back: "the writer has taken their words back",
    board: "The board",
    only_commented: "Commented passages that are not on the board",
    comment: "Comment",
    pilot: "How the method worked",
    pilot_answers: "Answers",
    pilot_few: "What they say is shown when there are three or more.",
    pilot_questions: [
        "I was listened to",
        "I knew what to do",
        "I heard or understood something new",
        "I would take part in this again",
    ],
    pilot_levels: ["no", "a little", "mostly", "yes"],
    pilot_lines: "In their own words:",
    points: "points",
    all_lines: "What was said and written",
    some_lines: "A chosen part of what was said and written",
    outside: "Before the methods and between them",
    round: "round",
    main_room: "Main room",
    room: "Room",
    who: "Who",
    number: "Number",
    time: "Time",
    start_ms: "Start (ms)",
    end_ms: "End (ms)",
    kind: "Kind",
    language: "Language",
    phase: "Phase",
    text: "Text",
    goes_on: "The session is still going on; this is how it stands now.",
    pseudonymous: "Names are replaced by codes. What was said may still show who said it.",
    nothing: "Nothing was said or written in this selection.",
    missing: "speech that did not become text",
    facilitator: "Facilitator",
    person: "Participant",
    kinds: [
        "said",
        "note",
        "card",
        "group's result",
        "topic",
        "idea",
        "message",
        "message to all",
        "not written down",
    ],
    tongues: ["Finnish", "Swedish", "English"],
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};
