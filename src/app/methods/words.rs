//! What is wrong with a method's file, in every language of the product, for whoever wrote it. What breaks
//! a rule of methods is worded in `domain/method/words`; this is of files and of TOML.

use crate::domain::method::{
    Text,
    check::Problem,
    words::{said, told},
};

/// Words of whoever wrote the document are shortened by `quoted`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    TooLong {
        kib: usize,
    },
    Missing {
        key: String,
    },
    /// `keys`: those there are here, as a list.
    NoSuchKey {
        key: String,
        keys: String,
    },
    NoSuchWord {
        word: String,
        words: String,
    },
    /// As `serde` names them: what stands there, and of what type it should be.
    DoesNotFit {
        found: String,
        wanted: String,
    },
    /// A key that has been given before.
    Twice,
    /// What the reader of TOML says, in its English.
    NotToml {
        message: String,
    },
    /// It can be read, and breaks a rule of methods.
    Rule(Problem),
}

pub fn wrong(what: &Wrong) -> Text {
    match what {
        Wrong::Rule(problem) => told(problem),
        Wrong::TooLong { kib } => said!(
            "tiedosto on yli {kib} KiB: lyhennä sitä",
            "dokumentet är längre än {kib} KiB: förkorta det",
            "the document is longer than {kib} KiB: shorten it",
        ),
        Wrong::Missing { key } => said!(
            "`{key}` puuttuu: lisää se",
            "`{key}` saknas: lägg till den",
            "`{key}` is missing: add it",
        ),
        Wrong::NoSuchKey { key, keys } => said!(
            "kohtaa `{key}` ei tässä ole: kirjoita jokin näistä: {keys}",
            "det finns ingen nyckel `{key}` här: skriv en av {keys}",
            "there is no key `{key}` here: write one of {keys}",
        ),
        Wrong::NoSuchWord { word, words } => said!(
            "`{word}` ei ole tässä mahdollinen: kirjoita jokin näistä: {words}",
            "`{word}` är inte möjligt här: skriv en av {words}",
            "`{word}` is not possible here: write one of {words}",
        ),
        Wrong::DoesNotFit { found, wanted } => {
            let (found, wanted) = (value(found), kind(wanted));
            let (fi, sv, en) = (&found.fi, &found.sv, &found.en);
            let (to_fi, to_sv, to_en) = (wanted.fi, wanted.sv, wanted.en);
            said!(
                "{fi} ei sovi tähän: kirjoita {to_fi}",
                "{sv} passar inte här: skriv {to_sv}",
                "{en} does not fit here: write {to_en}",
            )
        }
        Wrong::Twice => said!(
            "tämä kohta on annettu jo aiemmin: jätä vain toinen",
            "denna nyckel har redan getts: behåll den ena",
            "this key has been given before: keep one of them",
        ),
        Wrong::NotToml { message } => said!(
            "tämä ei ole TOML-muotoa: {message}",
            "detta är inte TOML: {message}",
            "this is not TOML: {message}",
        ),
    }
}

pub fn unreadable(error: &std::io::Error) -> Text {
    said!(
        "tiedostoa ei voi lukea ({error}): katso, että se on UTF-8-tekstiä ja sitä saa lukea",
        "kan inte läsas ({error}): se till att det är en textfil i UTF-8 och får läsas",
        "cannot be read ({error}): see that it is a text file in UTF-8 and may be read",
    )
}

pub fn unreadable_folder(error: &std::io::Error) -> Text {
    said!(
        "kansiota ei voi lukea ({error}): katso, että se on kansio ja sitä saa lukea",
        "kan inte läsas ({error}): se till att det är en mapp och får läsas",
        "cannot be read ({error}): see that it is a folder and may be read",
    )
}

pub fn id_taken(id: &str, other: &str) -> Text {
    said!(
        "tunnus `{id}` on myös tiedostossa {other}: anna tälle toinen",
        "id:t `{id}` finns också i {other}: ge detta ett annat",
        "the id `{id}` is that of {other} too: give this one another",
    )
}

pub fn too_many(max: usize) -> Text {
    said!(
        "menetelmiä on yli {max}: loput jäävät pois",
        "har fler än {max} metoder: de andra lämnas bort",
        "has more than {max} methods: the others are left out",
    )
}

/// A value as `serde` tells of it, such as `integer 300` and `string "four"`.
fn value(found: &str) -> Text {
    const KINDS: [(&str, &str, &str); 7] = [
        ("integer", "luku", "talet"),
        ("floating point", "desimaaliluku", "decimaltalet"),
        ("string", "teksti", "texten"),
        ("boolean", "totuusarvo", "sanningsvärdet"),
        ("sequence", "luettelo", "en lista"),
        ("map", "taulukko", "en tabell"),
        ("unit value", "tyhjä", "ett tomt värde"),
    ];
    let known = KINDS.iter().find_map(|(en, fi, sv)| Some((found.strip_prefix(en)?, fi, sv)));
    match known {
        Some((rest, fi, sv)) => said!("{fi}{rest}", "{sv}{rest}", "{found}"),
        None => said!("{found}", "{found}", "{found}"),
    }
}

/// What a type of ours looks like in a document.
fn kind(wanted: &str) -> Text {
    match wanted {
        "u8" => said!(
            "kokonaisluku väliltä 0–255",
            "ett heltal från 0 till 255",
            "a whole number from 0 to 255",
        ),
        "u16" | "u32" => said!(
            "kokonaisluku, joka ei ole negatiivinen",
            "ett heltal som inte är negativt",
            "a whole number, not negative",
        ),
        "a boolean" => said!("true tai false", "true eller false", "true or false"),
        "a string" => said!(
            "teksti lainausmerkkeihin",
            "en text inom citattecken",
            "a text in quotation marks",
        ),
        "a sequence" => said!(
            "luettelo hakasulkeisiin",
            "en lista inom hakparenteser",
            "a list, in square brackets",
        ),
        "struct Text" => said!(
            "teksti jokaiselle kielelle `fi`, `sv` ja `en`",
            "en text för vart och ett av `fi`, `sv` och `en`",
            "a text for each of `fi`, `sv` and `en`",
        ),
        "struct People" => {
            said!("`min`, `max` ja `ideal`", "`min`, `max` och `ideal`", "`min`, `max` and `ideal`",)
        }
        "struct Vote" => said!(
            "`each` ja halutessa `same`, `own` ja `hidden`",
            "`each` och, om så önskas, `same`, `own` och `hidden`",
            "`each` and, if wanted, `same`, `own` and `hidden`",
        ),
        "struct Source" => said!(
            "`by` ja `url`, jos sellainen on",
            "`by` och, om det finns en, `url`",
            "`by` and, if there is one, `url`",
        ),
        _ if wanted.starts_with("struct ") => {
            said!("taulukko, jossa on kohtia", "en tabell med nycklar", "a table with keys",)
        }
        _ => said!("{wanted}", "{wanted}", "{wanted}"),
    }
}
