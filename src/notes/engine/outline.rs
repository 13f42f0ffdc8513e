//! A session at a glance, for who reads it afterwards: its methods, who spoke where and when, who met
//! whom, what was marked and what has been collected. Pure, made from the records; has no words but
//! those of methods and themes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    fact::{CommentOn, Consent, Fact, Record},
    ideas::IdeaView,
    ids::{ParticipantId, RoomId},
    mark::Mark,
    method::Method,
    rooms::regroup,
    run::{Grouping, Run},
    time::{SessionTime, Span},
};

/// Voice of one person that is interrupted for less than this is one stretch, in ms: a picture of two
/// hours cannot show less.
const STRETCH_GAP_MS: u64 = 10_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    pub runs: Vec<RunOutline>,
    pub steps: Vec<StepOutline>,
    pub rooms: BTreeMap<RoomId, Vec<Stretch>>,
    /// How often two people have come into one breakout room, the lower number first.
    pub met: BTreeMap<(ParticipantId, ParticipantId), u32>,
    /// As [`people`] tells.
    pub people: BTreeMap<ParticipantId, Option<String>>,
    /// What marks stand, by the moment of what they are set on.
    pub marks: Vec<(SessionTime, Mark)>,
    /// The board: themes in the order of their coming, with the entries under each.
    pub board: Vec<(String, Vec<u64>)>,
    /// What reviewers say of entries and themes, in the order of saying it.
    pub comments: Vec<Comment>,
    /// When the last thing happened.
    pub last: SessionTime,
}

/// A comment of a reviewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its place in the log.
    pub seq: u64,
    pub on: CommentOn,
    pub name: String,
    pub unix_ms: u64,
    pub text: String,
}

/// A method that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutline {
    pub at: SessionTime,
    pub method: Arc<Method>,
    pub question: String,
    /// What the rooms chose for all, most votes first. Whose each was only where they let it be known.
    pub ideas: Vec<IdeaView>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOutline {
    pub at: SessionTime,
    /// An index among the runs.
    pub run: usize,
    /// Indices as in `Place`.
    pub phase: u16,
    pub round: u16,
    /// Who was put into which breakout room, from the first on; empty: people stayed where they were.
    pub rooms: Grouping,
}

/// Somebody speaking, nearly without a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub participant: ParticipantId,
    pub span: Span,
}

/// The session that `records` tell of, all of them and in order.
pub fn outline(records: &[Record]) -> Outline {
    let mut outline = Outline { people: people(records), ..Outline::default() };
    let mut places: BTreeMap<ParticipantId, RoomId> = BTreeMap::new();
    let mut marks: BTreeSet<(SessionTime, Mark, ParticipantId, ParticipantId)> = BTreeSet::new();
    let mut collected: Vec<(u64, String)> = Vec::new();
    let mut agreed: BTreeSet<ParticipantId> = BTreeSet::new();
    let mut running: Option<Run> = None;
    for record in records {
        if !matches!(record.fact, Fact::Collected { .. } | Fact::Commented { .. }) {
            outline.last = outline.last.max(record.at);
        }
        match &record.fact {
            Fact::Joined { participant, consent, .. }
            | Fact::ConsentSet { participant, consent } => {
                agrees(&mut agreed, *participant, *consent);
            }
            Fact::Placed { participant, room: Some(room) } => {
                let there = places.iter().filter(|it| it.1 == room && it.0 != participant);
                let there: Vec<_> = there.map(|it| *it.0).collect();
                if *room != RoomId::Main && places.get(participant) != Some(room) {
                    there.iter().for_each(|it| outline.meet(*participant, *it));
                }
                places.insert(*participant, *room);
                if let Some(run) = &mut running {
                    run.comes(*participant, *room);
                }
            }
            Fact::Placed { participant, room: None } => _ = places.remove(participant),
            Fact::MethodBegan { method, options } => {
                outline.take_ideas(running.take(), &agreed);
                running = Some(Run::new(Arc::clone(method), options.clone()));
                let (method, question) = (Arc::clone(method), options.question.clone());
                let (at, ideas) = (record.at, Vec::new());
                outline.runs.push(RunOutline { at, method, question, ideas });
            }
            Fact::StepBegan(began) => {
                if let Some(run) = outline.runs.len().checked_sub(1) {
                    let (phase, round) = (began.place.phase, began.place.round);
                    let rooms = began.rooms.clone().unwrap_or_default();
                    outline.steps.push(StepOutline { at: record.at, run, phase, round, rooms });
                }
                if let Some(rooms) = &began.rooms {
                    outline.regroup(&mut places, rooms);
                }
                if let Some(run) = &mut running {
                    let mut people: BTreeMap<RoomId, Vec<ParticipantId>> = BTreeMap::new();
                    places.iter().for_each(|it| people.entry(*it.1).or_default().push(*it.0));
                    run.begin(record.at, began, &people);
                }
            }
            Fact::Ideas(change) => {
                if let Some(run) = &mut running {
                    run.change_ideas(change);
                }
            }
            Fact::MethodEnded => {
                regroup(&mut places, &[]);
                outline.take_ideas(running.take(), &agreed);
            }
            Fact::Said { participant, room, span, .. } => outline.spoke(*participant, *room, *span),
            Fact::Marked { by, of, at, mark, on } => {
                if *on {
                    marks.insert((*at, *mark, *of, *by));
                } else {
                    marks.remove(&(*at, *mark, *of, *by));
                }
            }
            Fact::Collected { entry, theme } => {
                collected.retain(|it| it.0 != *entry);
                collected.extend(theme.clone().map(|it| (*entry, it)));
            }
            Fact::Commented { on, name, unix_ms, text } => outline.comments.push(Comment {
                seq: record.seq,
                on: on.clone(),
                name: name.clone(),
                unix_ms: *unix_ms,
                text: text.clone(),
            }),
            _ => (),
        }
    }
    outline.take_ideas(running, &agreed);
    outline.marks = marks.into_iter().map(|it| (it.0, it.1)).collect();
    for (entry, theme) in collected {
        match outline.board.iter_mut().find(|it| it.0 == theme) {
            Some((_, entries)) => entries.push(entry),
            None => outline.board.push((theme, vec![entry])),
        }
    }
    // A theme that somebody has spoken of stays for as long as the comment does.
    for comment in &outline.comments {
        if let CommentOn::Theme(theme) = &comment.on
            && outline.board.iter().all(|it| it.0 != *theme)
        {
            outline.board.push((theme.clone(), Vec::new()));
        }
    }
    outline
}

/// Everybody who has had a seat, and under which name they had it last; `None`: they do not agree, as
/// far as the records go, that what they say is kept.
pub fn people(records: &[Record]) -> BTreeMap<ParticipantId, Option<String>> {
    let (mut people, mut agreed) = (BTreeMap::new(), BTreeSet::new());
    for record in records {
        match &record.fact {
            Fact::Joined { participant, name, consent, .. } => {
                agrees(&mut agreed, *participant, *consent);
                people.insert(*participant, Some(name.clone()));
            }
            Fact::ConsentSet { participant, consent } => {
                agrees(&mut agreed, *participant, *consent);
            }
            _ => (),
        }
    }
    people.iter_mut().filter(|it| !agreed.contains(it.0)).for_each(|it| *it.1 = None);
    people
}

fn agrees(agreed: &mut BTreeSet<ParticipantId>, who: ParticipantId, consent: Consent) {
    match consent {
        Consent::On => _ = agreed.insert(who),
        Consent::OffTheRecord | Consent::Declined => _ = agreed.remove(&who),
    }
}

impl Outline {
    /// What a method has brought that is over, or that is as far as the records go.
    fn take_ideas(&mut self, run: Option<Run>, agreed: &BTreeSet<ParticipantId>) {
        let Some((run, of)) = run.zip(self.runs.last_mut()) else { return };
        of.ideas = run.ideas().result(None);
        for idea in &mut of.ideas {
            let sources = idea.from.iter_mut().map(|it| &mut it.by);
            for by in std::iter::once(&mut idea.by).chain(sources) {
                *by = by.filter(|it| agreed.contains(it));
            }
        }
    }

    fn meet(&mut self, one: ParticipantId, other: ParticipantId) {
        *self.met.entry((one.min(other), one.max(other))).or_default() += 1;
    }

    fn regroup(
        &mut self,
        places: &mut BTreeMap<ParticipantId, RoomId>,
        rooms: &[Vec<ParticipantId>],
    ) {
        let before = places.clone();
        regroup(places, rooms);
        for people in rooms {
            for (at, one) in people.iter().enumerate() {
                for other in people.iter().skip(at + 1) {
                    // Who stays together has not met anew.
                    let together = before
                        .get(one)
                        .is_some_and(|it| *it != RoomId::Main && before.get(other) == Some(it));
                    if !together {
                        self.meet(*one, *other);
                    }
                }
            }
        }
    }

    fn spoke(&mut self, participant: ParticipantId, room: RoomId, span: Span) {
        let stretches = self.rooms.entry(room).or_default();
        // Words come late and out of order, but never by much.
        let last = stretches.iter_mut().rev().take(32).find(|it| it.participant == participant);
        match last {
            Some(last) if span.start.since_ms(last.span.end) <= STRETCH_GAP_MS => {
                last.span = Span::new(last.span.start.min(span.start), last.span.end.max(span.end));
            }
            _ => stretches.push(Stretch { participant, span }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{fact::Consent, language::Language};

    const ALICE: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);

    fn told(facts: Vec<(u64, Fact)>) -> Outline {
        let record = |(seq, (at, fact))| Record { seq, at: SessionTime(at), fact };
        outline(&(1..).zip(facts).map(record).collect::<Vec<_>>())
    }

    fn joined(participant: ParticipantId, name: &str) -> Fact {
        let (language, consent) = (Language::Finnish, Consent::On);
        Fact::Joined { participant, name: name.into(), language, consent, tags: BTreeMap::new() }
    }

    fn said(participant: ParticipantId, start: u64, end: u64) -> (u64, Fact) {
        let fact = Fact::Said {
            participant,
            room: RoomId::Breakout(1),
            span: Span::new(SessionTime(start), SessionTime(end)),
            language: Language::Finnish,
            text: "Hei.".into(),
            words: vec![],
        };
        (end, fact)
    }

    #[test]
    fn alice_and_bob_meet_talk_mark_and_are_collected() {
        let room = Some(RoomId::Breakout(1));
        let mark =
            |on| Fact::Marked { by: BOB, of: ALICE, at: SessionTime(5_000), mark: Mark::Idea, on };
        let theme = |entry, theme: Option<&str>| {
            (90_000, Fact::Collected { entry, theme: theme.map(str::to_owned) })
        };
        let outline = told(vec![
            (0, joined(ALICE, "Alice")),
            (0, joined(BOB, "Bob")),
            (1_000, Fact::Placed { participant: ALICE, room }),
            (2_000, Fact::Placed { participant: BOB, room }),
            said(ALICE, 5_000, 9_000),
            said(BOB, 10_000, 11_000),
            said(ALICE, 12_000, 14_000),
            said(ALICE, 60_000, 61_000),
            (62_000, mark(true)),
            (63_000, mark(false)),
            (64_000, mark(true)),
            theme(5, Some("Tiet")),
            theme(6, Some("Koulut")),
            theme(7, Some("Tiet")),
            theme(5, Some("Koulut")),
            theme(7, None),
        ]);
        assert_eq!(outline.met, [((ALICE, BOB), 1)].into());
        let stretches: Vec<_> = outline.rooms.values().flatten().collect();
        let spans: Vec<_> =
            stretches.iter().map(|it| (it.span.start.as_ms(), it.span.end.as_ms())).collect();
        assert_eq!(spans, [(5_000, 14_000), (10_000, 11_000), (60_000, 61_000)]);
        assert_eq!(outline.marks, [(SessionTime(5_000), Mark::Idea)]);
        assert_eq!(outline.board, [("Koulut".to_owned(), vec![6, 5])]);
        assert_eq!(outline.last, SessionTime(64_000));
    }

    #[test]
    fn a_theme_that_is_spoken_of_stays_on_the_board() {
        let comment = |on, text: &str| {
            let (name, unix_ms, text) = ("Dana".to_owned(), 9_000_000, text.to_owned());
            (9_000, Fact::Commented { on, name, unix_ms, text })
        };
        let tiet = || CommentOn::Theme("Tiet".into());
        let collected = |theme: Option<&str>| {
            (8_000, Fact::Collected { entry: 1, theme: theme.map(str::to_owned) })
        };
        let outline = told(vec![
            said(ALICE, 1_000, 2_000),
            collected(Some("Tiet")),
            comment(CommentOn::Entry(1), "Tästä lisää"),
            comment(tiet(), "Kuka hoitaa?"),
            collected(None),
        ]);
        assert_eq!(outline.board, [("Tiet".to_owned(), vec![])]);
        let said: Vec<_> = outline.comments.iter().map(|it| (it.seq, &it.on, &*it.text)).collect();
        let expected = [(3, &CommentOn::Entry(1), "Tästä lisää"), (4, &tiet(), "Kuka hoitaa?")];
        assert_eq!(said, expected);
        assert_eq!(outline.last, SessionTime(2_000), "what reviewers do is no part of it");
    }

    #[test]
    fn who_does_not_agree_is_counted_and_not_named() {
        let consents = [Consent::On, Consent::Declined, Consent::On];
        let mut facts: Vec<_> = (1..)
            .zip(consents)
            .map(|(number, consent)| {
                let Fact::Joined { participant, name, language, tags, .. } =
                    joined(ParticipantId(number), "Somebody")
                else {
                    unreachable!("it is one who joins")
                };
                (0, Fact::Joined { participant, name, language, consent, tags })
            })
            .collect();
        let chao = ParticipantId(3);
        facts.push((9, Fact::ConsentSet { participant: chao, consent: Consent::Declined }));
        let names: Vec<_> = told(facts).people.into_values().collect();
        assert_eq!(names, [Some("Somebody".to_owned()), None, None]);
    }
}
