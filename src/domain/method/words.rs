//! What is wrong with a method document, and the remedy, in every language of the product, for whoever
//! wrote it. Keys and words of the format stay as the document has them. It finds nothing itself.

use std::fmt;

use crate::domain::method::{
    Text,
    fault::{Absent, Bound, OnlyWith, Problem},
};

/// A text whose three languages are written from the same values.
macro_rules! said {
    ($fi:literal, $sv:literal, $en:literal $(,)?) => {
        Text { fi: format!($fi), sv: format!($sv), en: format!($en) }
    };
}
pub(crate) use said;

/// In every language. One arm for each problem: the compiler sees that none is left without words.
pub fn told(problem: &Problem) -> Text {
    match problem {
        Problem::NotAnId(id) => said!(
            "`{id}` ei kelpaa tunnukseksi: kirjoita 1–40 merkkiä, joita ovat kirjaimet a–z, numerot ja yhdysviiva",
            "`{id}` duger inte som id: skriv 1–40 tecken av bokstäverna a–z, siffror och bindestreck",
            "`{id}` is not an id: write 1 to 40 of the letters a to z, digits and hyphens",
        ),
        Problem::IdTaken(id) => said!(
            "tunnus `{id}` on jo aiemmalla: anna tälle toinen",
            "ett tidigare har redan id:t `{id}`: ge detta ett annat",
            "`{id}` is the id of an earlier one too: give this one another",
        ),
        Problem::EmptyText => said!(
            "teksti on tyhjä: kirjoita se",
            "texten är tom: skriv en",
            "the text is empty: write one",
        ),
        Problem::LongText { chars, max } => said!(
            "tekstissä on {chars} merkkiä: lyhennä se enintään {max} merkkiin",
            "texten har {chars} tecken: förkorta den till högst {max}",
            "the text has {chars} characters: shorten it to {max} at most",
        ),
        Problem::UnseenCharacter => said!(
            "tekstissä on rivinvaihto tai näkymätön merkki: kirjoita se yhdelle riville",
            "texten har ett radbyte eller ett osynligt tecken: skriv den på en rad",
            "the text has a line break or an invisible character: write it on one line",
        ),
        Problem::Amount { key, count, min, max } => said!(
            "kohdassa `{key}` on {count}: mahdollista on {min}–{max}",
            "det finns {count} `{key}`: {min} till {max} är möjligt",
            "there are {count} `{key}`: {min} to {max} are possible",
        ),
        Problem::NotAnAddress => said!(
            "osoitteen alussa ei ole https:// tai siinä on välilyönti: korjaa se tai jätä se pois",
            "adressen börjar inte med https:// eller har ett mellanslag: rätta den eller lämna bort den",
            "the address does not begin with https:// or has a space: correct it or leave it out",
        ),
        Problem::PeopleOrder { min, max, ideal } => said!(
            "`people` on {min}–{max}, ihanteena {ideal}: kirjoita niin, että min ≤ ideal ≤ max",
            "`people` är {min}–{max}, helst {ideal}: skriv så att min ≤ ideal ≤ max",
            "`people` are {min} to {max}, ideally {ideal}: write them so that min ≤ ideal ≤ max",
        ),
        Problem::TooLong { hours, people, max } => said!(
            "tähän menee {hours} tuntia, kun ihmisiä on {people}: lyhennä vaiheita niin, että aikaa menee enintään {max} tuntia",
            "det tar {hours} timmar med {people} personer: förkorta faserna till högst {max} timmar sammanlagt",
            "it lasts {hours} hours with {people} people: shorten its phases to {max} hours in all",
        ),
        Problem::RestNotLast => said!(
            "rooli, jolla ei ole kohtaa `count`, saa kaikki loput: siirrä se viimeiseksi tai kirjoita sille `count`",
            "en roll utan `count` får alla som är kvar: sätt den sist, eller skriv dess `count`",
            "a role without `count` takes all who are left: put it last, or write its `count`",
        ),
        Problem::ManyRoles { needed, max } => said!(
            "roolit vaativat {needed} ihmistä, mutta huoneeseen mahtuu enintään {max}: pienennä niiden lukuja `count`",
            "rollerna kräver {needed} personer, men ett rum rymmer högst {max}: sänk deras `count`",
            "the roles need {needed} people, but a room holds at most {max}: lower their `count`",
        ),
        Problem::AllStay => said!(
            "jos kaikki loput jäävät, kukaan ei siirry: kirjoita `count` kohdan `stays` viereen",
            "om alla som är kvar stannar flyttar ingen: skriv `count` bredvid `stays`",
            "if all who are left stay, nobody moves: write `count` beside `stays`",
        ),
        Problem::NoSuchRole(id) => said!(
            "roolia `{id}` ei ole: kirjoita jonkin roolin (`roles`) tunnus",
            "det finns ingen roll `{id}`: skriv id:t för en av `roles`",
            "there is no role `{id}`: write the id of one of `roles`",
        ),
        Problem::SpeakingBeforeRooms => said!(
            "kenelläkään ei ole vielä roolia: tee ensin huoneet (`mix`) tai ota `speaking` pois",
            "ingen har en roll ännu: låt rum komma först (`mix`), eller ta bort `speaking`",
            "nobody has a role yet: let rooms come first (`mix`), or take `speaking` out",
        ),
        Problem::ScribeBeforeRooms => said!(
            "kenelläkään ei ole vielä roolia: tee ensin huoneet (`mix`) tai ota `scribe` pois",
            "ingen har en roll ännu: låt rum komma först (`mix`), eller ta bort `scribe`",
            "nobody has a role yet: let rooms come first (`mix`), or take `scribe` out",
        ),
        Problem::SpeakingInSilence(word) => said!(
            "kun vaihe on `{word}`, kukaan ei puhu: ota `speaking` pois",
            "med `{word}` ska ingen tala: ta bort `speaking`",
            "with `{word}` nobody is to speak: take `speaking` out",
        ),
        Problem::NoHost => said!(
            "`travel` vaatii joka pöytään isännän: anna yhdelle roolille, ja vain yhdelle, `stays` ja count 1",
            "`travel` kräver en värd vid varje bord: ge en roll, och bara en, `stays` och count 1",
            "`travel` needs a host at each table: give one role, and only one, `stays` and count 1",
        ),
        Problem::TimesOrEach => said!(
            "kierto vaatii kohdan `times` tai `each`, mutta ei molempia: kirjoita toinen niistä",
            "en cykel kräver `times` eller `each`, men inte båda: skriv den ena",
            "a cycle needs `times` or `each`, and not both: write one of them",
        ),
        Problem::EachNotOne(role) => said!(
            "`each` antaa jokaiselle roolin `{role}` kerran: sen kohdan `count` on oltava 1",
            "`each` ger var och en rollen `{role}` en gång: dess `count` måste vara 1",
            "`each` gives everybody the role `{role}` once: its `count` must be 1",
        ),
        Problem::UnusedCycle => said!(
            "tässä kierrossa ei ole yhtään vaihetta: kirjoita sen tunnus jonkin vaiheen kohtaan `cycle` tai ota kierto pois",
            "ingen fas finns i denna cykel: skriv dess id som `cycle` för någon, eller ta bort den",
            "no phase is in this cycle: write its id as the `cycle` of some, or take it out",
        ),
        Problem::NoSuchCycle(id) => said!(
            "kiertoa `{id}` ei ole: kirjoita jonkin kierron (`cycles`) tunnus",
            "det finns ingen cykel `{id}`: skriv id:t för en av `cycles`",
            "there is no cycle `{id}`: write the id of one of `cycles`",
        ),
        Problem::CycleApart(id) => said!(
            "kierron `{id}` vaiheet ovat erillään: sijoita ne peräkkäin",
            "faserna i cykeln `{id}` står isär: sätt dem efter varandra",
            "the phases of the cycle `{id}` are apart: put them one after the other",
        ),
        Problem::RoundsInCycle => said!(
            "`rounds` ja `cycle` toistavat molemmat: jätä vain toinen",
            "`rounds` och `cycle` upprepar båda: behåll den ena",
            "`rounds` and `cycle` both repeat: keep one of them",
        ),
        Problem::EachMoves => said!(
            "kierto antaa roolin vuorollaan jokaiselle, joten huoneiden on pysyttävä: käytä siinä `same` tai `solo`, ja tee huoneet (`mix`) juuri ennen sitä",
            "cykeln ger var och en en roll i tur och ordning, så rummen måste bestå: använd `same` eller `solo` i den, och skapa rummen (`mix`) precis före den",
            "the cycle gives everybody a role in turn, so its rooms must last: use `same` or `solo` in it, and make the rooms (`mix`) right before it",
        ),
        Problem::OneSize(size) => said!(
            "vain {size} hengen huoneisiin mahtuvat vain jotkin ihmismäärät: suurenna kohtaa `size_max`",
            "rum för {size} och inga andra storlekar rymmer bara vissa antal personer: låt `size_max` vara större",
            "rooms of {size} and no other size hold only some numbers of people: let `size_max` be more",
        ),
        Problem::FewPeople { people, needed } => said!(
            "tulla voi {people} ihmistä, mutta tämä vaatii {needed}: suurenna people.min tai pienennä huoneita (`size`, `size_min`)",
            "{people} personer kan komma, men detta kräver {needed}: höj people.min, eller gör rummen mindre (`size`, `size_min`)",
            "{people} people may come, but this needs {needed}: raise people.min, or make the rooms smaller (`size`, `size_min`)",
        ),
        Problem::NothingToStayIn => said!(
            "tätä ennen ei ole mitään, mihin jäädä: käytä `plenary`, `solo` tai `mix`",
            "det finns inget före att stanna i: använd `plenary`, `solo` eller `mix`",
            "there is nothing before it to stay in: use `plenary`, `solo` or `mix`",
        ),
        Problem::NoRoomsBefore(word) => said!(
            "`{word}` vaatii, että ihmiset istuvat huoneissa: sijoita juuri ennen tätä vaihe `mix` tai `return`, niin että välissä on vain `same` tai `solo`",
            "`{word}` kräver att folk sitter i rum: låt en fas med `mix` eller `return` komma precis före, med bara `same` och `solo` emellan",
            "`{word}` needs people who sit in rooms: let a phase with `mix` or `return` come right before it, with nothing but `same` and `solo` between",
        ),
        Problem::NoSuchPhase(id) => said!(
            "vaihetta `{id}` ei ole: kirjoita sellaisen aiemman vaiheen tunnus, joka tekee huoneita",
            "det finns ingen fas `{id}`: skriv id:t för en tidigare fas som skapar rum",
            "there is no phase `{id}`: write the id of an earlier phase that makes rooms",
        ),
        Problem::NotEarlier(id) => said!(
            "`{id}` ei ole ennen tätä vaihetta: kirjoita aiemman vaiheen tunnus",
            "`{id}` kommer inte före denna fas: skriv id:t för en tidigare",
            "`{id}` does not come before this phase: write the id of an earlier one",
        ),
        Problem::MakesNoRooms(id) => said!(
            "`{id}` ei tee huoneita, joihin palata: kirjoita sellaisen vaiheen tunnus, joka tekee",
            "`{id}` skapar inga rum att återvända till: skriv id:t för en fas som gör det",
            "`{id}` makes no rooms to return to: write the id of a phase that does",
        ),
        Problem::CannotMerge { size, max } => said!(
            "kaksi aiempaa {size} hengen huonetta ei mahdu yhteen, jossa on enintään {max}: suurenna tätä kohtaa `size` tai pienennä niitä huoneita",
            "två rum för {size} före det ryms inte i ett för högst {max}: gör detta `size` större eller de rummen mindre",
            "two rooms of {size} before it do not fit into one of at most {max}: make this `size` bigger or those rooms smaller",
        ),
        Problem::MergeAgain => said!(
            "uusi yhdistäminen ei tuo enää mitään yhteen: kirjoita `rounds` = 1",
            "att slå ihop igen för inget mer samman: skriv `rounds` = 1",
            "merging again puts nothing more together: write `rounds` = 1",
        ),
        Problem::Range { key, value, min, max, because } => {
            let Text { fi, sv, en } = bound(*because);
            said!(
                "`{key}` on {value}{fi}: kirjoita {min}–{max}",
                "`{key}` är {value}{sv}: skriv {min} till {max}",
                "`{key}` is {value}{en}: write {min} to {max}",
            )
        }
        Problem::Missing(absent) => {
            let (key, Text { fi, sv, en }) = (absent.key(), remedy(*absent));
            said!("`{key}` puuttuu: {fi}", "`{key}` saknas: {sv}", "`{key}` is missing: {en}")
        }
        Problem::Needless { key, only } => {
            let Text { fi, sv, en } = place(*only);
            said!(
                "kohdalla `{key}` ei ole tässä merkitystä: {fi}; ota se pois",
                "`{key}` har ingen betydelse här: {sv}; ta bort den",
                "`{key}` has no meaning here: {en}; take it out",
            )
        }
        Problem::TwoLengths => said!(
            "sekä `length_s` että `length_s_per_person` on annettu: jätä vain toinen",
            "både `length_s` och `length_s_per_person` är givna: behåll den ena",
            "`length_s` and `length_s_per_person` are both given: keep one of them",
        ),
        Problem::NoLength => said!(
            "mikään ei päätä tätä vaihetta: kirjoita `length_s` tai `length_s_per_person`, tai advance = \"host\"",
            "ingenting avslutar denna fas: skriv `length_s` eller `length_s_per_person`, eller advance = \"host\"",
            "nothing ends this phase: write `length_s` or `length_s_per_person`, or advance = \"host\"",
        ),
        Problem::NoTurns(word) => said!(
            "kun vaihe on `{word}`, vuoroilla ei ole järjestystä: käytä turns = \"free\" tai \"silent\"",
            "i `{word}` finns ingen turordning: använd turns = \"free\" eller \"silent\"",
            "there is no order of turns in `{word}`: use turns = \"free\" or \"silent\"",
        ),
        Problem::NoCards => said!(
            "pisteytettäviä kortteja ei ole: sijoita tätä ennen vaihe, jonka harvest on `card`",
            "det finns inga kort att poängsätta: låt en fas med harvest `card` komma före",
            "there are no cards to score: let a phase with the harvest `card` come before it",
        ),
        Problem::CardAloud => said!(
            "kortti kirjoitetaan yksin: käytä assign = \"solo\" tai turns = \"silent\"",
            "ett kort skrivs ensam: använd assign = \"solo\" eller turns = \"silent\"",
            "a card is written alone: use assign = \"solo\" or turns = \"silent\"",
        ),
        Problem::LineAlone => said!(
            "huone kirjoittaa rivin yhdessä, mutta tämä on `solo`: käytä kohtaa `note`",
            "en rad skrivs av ett rum tillsammans, men detta är `solo`: använd `note`",
            "a line is written by a room together, but this is `solo`: use `note`",
        ),
        Problem::IdeasOfAll => said!(
            "ideat ovat huoneen edessä: kirjoittakaa ne yksin (`solo` tai `silent`) tai tee ensin huoneet (`mix`); kaikilla yhdessä ne ovat vaiheessa `votes`",
            "idéer ligger framför ett rum: skriv dem ensamma (`solo` eller `silent`), eller låt rum komma först (`mix`); alla tillsammans har dem i `votes`",
            "ideas lie before a room: write them alone (`solo` or `silent`), or let rooms come first (`mix`); all together `votes` has them",
        ),
        Problem::IdeasUnwritten => said!(
            "ideat näytetään muille, joten ne kirjoitetaan muistiin: ota `transcribe` pois",
            "idéer visas för andra, så de skrivs ner: ta bort `transcribe`",
            "ideas are shown to others, so they are written down: take `transcribe` out",
        ),
        Problem::VotesApart => said!(
            "kaikki äänestävät yhdessä: käytä assign = \"plenary\"",
            "alla röstar tillsammans: använd assign = \"plenary\"",
            "all vote together: use assign = \"plenary\"",
        ),
        Problem::NothingChosen => said!(
            "äänestettävää ei ole: sijoita tätä ennen vaihe, jonka harvest on `ideas` ja jossa on `choose`",
            "det finns inget att rösta om: låt en fas med harvest `ideas` och med `choose` komma före",
            "there is nothing to vote on: let a phase with the harvest `ideas` and with `choose` come before it",
        ),
    }
}

/// In English, for logs and the command line.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&told(self).en)
    }
}

/// Goes on after the number.
fn bound(because: Bound) -> Text {
    match because {
        Bound::Plain => said!("", "", ""),
        Bound::Alone => said!(
            ", eikä kukaan keskustele yksin",
            ", och ingen samtalar ensam",
            ", and nobody talks alone",
        ),
        Bound::Session => said!(
            ", mutta tilaisuuteen mahtuu enintään 300",
            ", men ett möte rymmer högst 300",
            ", but a session holds no more than 300",
        ),
        Bound::Room => said!(
            ", mutta huoneeseen mahtuu enintään 8 ihmistä",
            ", men ett rum rymmer högst 8 personer",
            ", but a room holds at most 8 people",
        ),
        Bound::AtMostSize => said!(
            ", mutta järkevää on enintään `size`",
            ", men högst `size` är vettigt",
            ", but at most `size` makes sense",
        ),
        Bound::AtLeastSize => said!(
            ", mutta järkevää on vähintään `size`",
            ", men minst `size` är vettigt",
            ", but at least `size` makes sense",
        ),
        Bound::Hours => said!(", yli 4 tuntia", ", mer än 4 timmar", ", more than 4 hours"),
        Bound::Each => said!(
            ", mutta jokaisella on niin monta kuin `each` sanoo",
            ", men var och en har så många som `each` säger",
            ", but each has as many as `each` says",
        ),
    }
}

fn remedy(absent: Absent) -> Text {
    match absent {
        Absent::Size => said!(
            "`mix` ja `merge` tekevät huoneet sen mukaan; kirjoita 2–8",
            "`mix` och `merge` skapar rum efter den; skriv 2 till 8",
            "`mix` and `merge` make rooms of it; write 2 to 8",
        ),
        Absent::RoomsOf => said!(
            "kirjoita sen vaiheen tunnus, jonka huoneisiin palataan",
            "skriv id:t för den fas vars rum tas upp igen",
            "write the id of the phase whose rooms are taken up again",
        ),
        Absent::Seats => said!(
            "kirjoita, kuinka moni saa puhua, 2–7; yksi tuoli lisäksi on tyhjä",
            "skriv hur många som får tala, 2 till 7; en stol till står tom",
            "write how many may speak, 2 to 7; one more chair stands empty",
        ),
        Absent::LengthPerPerson => said!(
            "kun `turns` on `round` tai `stick`, se on yhden puheenvuoron aika",
            "med `round` och `stick` är den tiden för en tur",
            "with `round` and `stick` it is the time of one turn",
        ),
        Absent::Vote => said!(
            "kirjoita, montako ääntä jokaisella on, esimerkiksi {{ each = 3 }}",
            "skriv hur många röster var och en har, till exempel {{ each = 3 }}",
            "write how many each has, such as {{ each = 3 }}",
        ),
    }
}

fn place(only: OnlyWith) -> Text {
    match only {
        OnlyWith::RoomsMade => said!(
            "vain `mix` ja `merge` tekevät tietynkokoisia huoneita",
            "bara `mix` och `merge` skapar rum av en viss storlek",
            "only `mix` and `merge` make rooms of a size",
        ),
        OnlyWith::Return => said!(
            "vain `return` palaa takaisin",
            "bara `return` går tillbaka",
            "only `return` goes back",
        ),
        OnlyWith::Seats => said!(
            "sellaisia on vain, kun assign = \"seats\"",
            "bara assign = \"seats\" har sådana",
            "only assign = \"seats\" has any",
        ),
        OnlyWith::Line => said!(
            "huone kirjoittaa, kun harvest on `line`",
            "ett rum skriver med harvest `line`",
            "a room writes with the harvest `line`",
        ),
        OnlyWith::Ideas => said!(
            "huoneet valitsevat, kun harvest on `ideas`",
            "rum väljer med harvest `ideas`",
            "rooms choose with the harvest `ideas`",
        ),
        OnlyWith::Votes => said!(
            "äänestetään, kun harvest on `votes`",
            "man röstar med harvest `votes`",
            "people vote with the harvest `votes`",
        ),
    }
}
