//! Alice, Bob, Chao and Dana write, combine, choose and vote; every play is played again from its log.

use super::*;
use crate::domain::method::check::tests::good;
use proptest::prelude::*;

const ALICE: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const CHAO: ParticipantId = ParticipantId(3);
const DANA: ParticipantId = ParticipantId(4);
const ONE: RoomId = RoomId::Breakout(1);
const TWO: RoomId = RoomId::Breakout(2);

/// Alone, in rooms where two may be chosen, a vote of three of which one is for one's own, and all.
fn phases() -> [Phase; 4] {
    let mut phases = good().phases;
    phases[0].harvest = Harvest::Ideas;
    (phases[1].harvest, phases[1].choose) = (Harvest::Ideas, Some(2));
    let result = phases[2].clone();
    phases[2].harvest = Harvest::Votes;
    phases[2].vote = Some(Vote { each: 3, same: 2, own: Some(1), hidden: true });
    [phases[0].clone(), phases[1].clone(), phases[2].clone(), result]
}

/// A run whose log is kept, so that it can be run again.
struct Play {
    ideas: Ideas,
    phase: Phase,
    people: BTreeMap<RoomId, Vec<ParticipantId>>,
    next: u32,
    log: Vec<Kept>,
}

enum Kept {
    Began(Box<Phase>, BTreeMap<RoomId, Vec<ParticipantId>>),
    Changed(Change),
}

impl Play {
    fn new() -> Self {
        let [phase, ..] = phases();
        let people = [(RoomId::Main, vec![ALICE, BOB, CHAO, DANA])].into();
        Self { ideas: Ideas::default(), phase, people, next: 1, log: Vec::new() }
    }

    fn begin(&mut self, phase: &Phase, rooms: &[(RoomId, &[ParticipantId])]) {
        self.people = rooms.iter().map(|(room, people)| (*room, people.to_vec())).collect();
        self.phase = phase.clone();
        self.ideas.begin(phase, &self.people);
        self.log.push(Kept::Began(phase.clone().into(), self.people.clone()));
    }

    fn room_of(&self, who: ParticipantId) -> RoomId {
        let sits = |it: &(&RoomId, &Vec<ParticipantId>)| it.1.contains(&who);
        self.people.iter().find(sits).map_or(RoomId::Main, |it| *it.0)
    }

    fn ask(&mut self, who: ParticipantId, command: Command) -> Result<(), Rejection> {
        let by = (who, self.room_of(who));
        let change = self.ideas.ask(by, &self.phase, IdeaId(self.next), command)?;
        if let Change::Written { idea: IdeaId(idea), .. } = change
            && idea == self.next
        {
            self.next += 1;
        }
        self.ideas.apply(&change);
        self.log.push(Kept::Changed(change));
        Ok(())
    }

    fn write(&mut self, who: ParticipantId, text: &str) -> IdeaId {
        let idea = IdeaId(self.next);
        self.ask(who, Command::Write { idea: None, text: text.into() }).expect("written");
        idea
    }

    fn combine(&mut self, who: ParticipantId, ideas: &[IdeaId], text: &str) -> IdeaId {
        let idea = IdeaId(self.next);
        let command = Command::Combine { ideas: ideas.to_vec(), text: text.into() };
        self.ask(who, command).expect("combined");
        idea
    }

    fn choose(&mut self, who: ParticipantId, idea: IdeaId) -> Result<(), Rejection> {
        self.ask(who, Command::Choose { idea, on: true })
    }

    fn vote(&mut self, who: ParticipantId, idea: IdeaId, votes: u8) -> Result<(), Rejection> {
        self.ask(who, Command::Vote { idea, votes })
    }

    fn view(&self, who: ParticipantId) -> IdeasView {
        self.ideas.view(&self.phase, Some(who), self.room_of(who)).expect("something to see")
    }

    fn sees(&self, who: ParticipantId) -> Vec<String> {
        self.view(who).ideas.into_iter().map(|it| it.text).collect()
    }
}

/// Two rooms of two with an idea of each, the first in the first phase.
fn in_rooms() -> (Play, [IdeaId; 4]) {
    let mut stage = Play::new();
    let [alone, rooms, ..] = phases();
    stage.begin(&alone, &[(RoomId::Main, &[ALICE, BOB, CHAO, DANA])]);
    let ideas = [(ALICE, "tree"), (BOB, "bench"), (CHAO, "roof"), (DANA, "swing")]
        .map(|(who, text)| stage.write(who, text));
    stage.begin(&rooms, &[(ONE, &[ALICE, BOB]), (TWO, &[CHAO, DANA])]);
    (stage, ideas)
}

#[test]
fn alone_each_sees_their_own_and_in_the_room_what_all_there_brought() {
    let mut stage = Play::new();
    let [alone, rooms, ..] = phases();
    stage.begin(&alone, &[(RoomId::Main, &[ALICE, BOB, CHAO])]);
    let tree = stage.write(ALICE, "tree");
    stage.write(BOB, "bench");
    let swing = stage.write(ALICE, "swing");
    assert_eq!(stage.sees(ALICE), ["tree", "swing"]);
    assert_eq!(stage.sees(BOB), ["bench"]);
    assert_eq!(stage.sees(CHAO), [""; 0]);
    let other = |idea| Command::Write { idea: Some(idea), text: "mine".into() };
    assert_eq!(stage.ask(BOB, other(tree)), Err(Rejection::UnknownIdea));
    stage.ask(ALICE, Command::Write { idea: Some(tree), text: "oak".into() }).expect("hers");
    stage.ask(ALICE, Command::Remove { idea: swing }).expect("hers");
    // Chao is on the way, and brings what they wrote when they come.
    stage.write(CHAO, "roof");
    stage.begin(&rooms, &[(ONE, &[ALICE, BOB]), (RoomId::Main, &[CHAO])]);
    assert_eq!(stage.sees(BOB), ["oak", "bench"]);
    assert_eq!(stage.ask(BOB, other(tree)), Err(Rejection::NotAllowed));
    stage.ideas.comes(CHAO, ONE);
    assert_eq!(stage.sees(ALICE), ["oak", "bench", "roof"]);
    assert_eq!(stage.ideas.view(&rooms, None, ONE), None, "no facilitator reads along");
}

#[test]
fn what_is_combined_keeps_what_it_came_from_and_can_be_taken_apart() {
    let (mut stage, [tree, bench, roof, _]) = in_rooms();
    let shade = stage.combine(BOB, &[tree, bench], "shade");
    assert_eq!(stage.sees(ALICE), ["shade"]);
    let view = stage.view(ALICE).ideas.remove(0);
    assert!(view.mine && view.by.is_none());
    let from: Vec<_> = view.from.iter().map(|it| (it.depth, it.by, &*it.text)).collect();
    assert_eq!(from, [(1, Some(ALICE), "tree"), (1, Some(BOB), "bench")]);
    let combine = |ideas: &[IdeaId]| Command::Combine { ideas: ideas.to_vec(), text: "x".into() };
    assert_eq!(stage.ask(ALICE, combine(&[shade])), Err(Rejection::BadCombination));
    assert_eq!(stage.ask(ALICE, combine(&[shade, shade])), Err(Rejection::BadCombination));
    assert_eq!(stage.ask(ALICE, combine(&[shade, tree])), Err(Rejection::UnknownIdea));
    assert_eq!(stage.ask(ALICE, combine(&[shade, roof])), Err(Rejection::UnknownIdea));
    // The room's own words anybody there may better.
    let better = Command::Write { idea: Some(shade), text: "shade and seats".into() };
    stage.ask(ALICE, better).expect("the room's");
    stage.ask(ALICE, Command::Remove { idea: shade }).expect("the room's");
    assert_eq!(stage.sees(BOB), ["tree", "bench"]);
    let again = stage.combine(ALICE, &[bench, tree], "sitting under it");
    let swing = stage.write(BOB, "swing");
    stage.combine(BOB, &[again, swing], "yard");
    let view = stage.view(BOB).ideas.remove(0);
    let from: Vec<_> = view.from.iter().map(|it| (it.depth, &*it.text)).collect();
    assert_eq!(from, [(1, "sitting under it"), (2, "bench"), (2, "tree"), (1, "swing")]);
}

#[test]
fn a_room_chooses_as_many_as_it_may_and_all_see_them() {
    let (mut stage, [tree, bench, roof, swing]) = in_rooms();
    let [_, _, vote, result] = phases();
    let cart = stage.write(BOB, "cart");
    stage.choose(ALICE, tree).expect("one");
    stage.choose(BOB, bench).expect("two");
    assert_eq!(stage.choose(BOB, cart), Err(Rejection::EnoughChosen));
    assert_eq!(stage.choose(BOB, roof), Err(Rejection::UnknownIdea), "of another room");
    // What was chosen and is combined is chosen as one, so that there is room for another.
    stage.combine(ALICE, &[tree, bench], "shade");
    stage.choose(BOB, cart).expect("two");
    stage.choose(CHAO, roof).expect("one");
    assert_eq!(stage.vote(CHAO, roof, 1), Err(Rejection::NotNow));
    let all: &[_] = &[ALICE, BOB, CHAO, DANA];
    stage.begin(&vote, &[(RoomId::Main, all)]);
    assert_eq!(stage.sees(DANA), ["cart", "shade", "roof"]);
    assert_eq!(stage.vote(DANA, swing, 1), Err(Rejection::UnknownIdea), "nobody chose it");
    stage.begin(&result, &[(RoomId::Main, all)]);
    assert_eq!(stage.sees(DANA).len(), 3);
}

#[test]
fn votes_are_counted_hidden_and_only_so_many_are_for_ones_own() {
    let (mut stage, [tree, bench, roof, swing]) = in_rooms();
    let [_, _, vote, result] = phases();
    let shade = stage.combine(BOB, &[tree, bench], "shade");
    for (who, idea) in [(ALICE, shade), (CHAO, roof), (DANA, swing)] {
        stage.choose(who, idea).expect("chosen");
    }
    let all: &[_] = &[ALICE, BOB, CHAO, DANA];
    stage.begin(&vote, &[(RoomId::Main, all)]);
    // Alice has a part in what her tree became.
    stage.vote(ALICE, shade, 1).expect("one for her own");
    assert_eq!(stage.vote(ALICE, shade, 2), Err(Rejection::EnoughOwnVotes));
    assert_eq!(stage.vote(ALICE, roof, 3), Err(Rejection::EnoughVotes), "two on one at most");
    stage.vote(ALICE, roof, 2).expect("three in all");
    assert_eq!(stage.vote(ALICE, swing, 1), Err(Rejection::EnoughVotes));
    stage.vote(ALICE, shade, 0).expect("taken back");
    stage.vote(ALICE, swing, 1).expect("and given to another");
    stage.vote(CHAO, shade, 2).expect("not his own");
    let view = stage.view(BOB);
    assert!(view.ideas.iter().all(|it| it.votes.is_none()) && view.own_votes.is_empty());
    assert_eq!(stage.view(ALICE).own_votes, [(roof, 2), (swing, 1)]);
    let host = stage.ideas.view(&vote, None, RoomId::Main).expect("the host sees them come");
    let votes: Vec<_> = host.ideas.iter().map(|it| (&*it.text, it.votes)).collect();
    assert_eq!(votes, [("shade", Some(2)), ("roof", Some(2)), ("swing", Some(1))]);
    assert_eq!(stage.ideas.tally().voters, 2);
    stage.begin(&result, &[(RoomId::Main, all)]);
    let shown: Vec<_> = stage.view(BOB).ideas.into_iter().map(|it| (it.text, it.votes)).collect();
    let expected = [("shade", 2), ("roof", 2), ("swing", 1)];
    assert_eq!(shown, expected.map(|(text, votes)| (text.to_owned(), Some(votes))));
}

#[test]
fn ideas_go_with_their_writers_and_stay_on_tables_that_stay() {
    let (mut stage, [_, bench, roof, _]) = in_rooms();
    let [_, rooms, ..] = phases();
    stage.choose(BOB, bench).expect("chosen");
    stage.combine(DANA, &[roof, IdeaId(4)], "play");
    let mut merge = rooms.clone();
    merge.assign = Assign::Merge;
    // Dana, who combined them, has left; Chao sat with her and brings it along.
    stage.begin(&merge, &[(TWO, &[ALICE, BOB, CHAO])]);
    assert_eq!(stage.sees(ALICE), ["tree", "bench", "play"]);
    assert!(stage.view(ALICE).ideas.iter().all(|it| !it.chosen), "these four choose anew");
    stage.choose(ALICE, bench).expect("chosen");
    let mut carousel = rooms;
    carousel.assign = Assign::Carousel;
    stage.begin(&carousel, &[(ONE, &[ALICE, BOB, CHAO]), (TWO, &[DANA])]);
    assert_eq!(stage.sees(DANA), ["tree", "bench", "play"], "the table keeps them");
    assert_eq!(stage.view(DANA).ideas.iter().filter(|it| it.chosen).count(), 1);
}

#[test]
fn alice_takes_her_words_back_wherever_they_are_and_the_chain_stays() {
    let (mut stage, [tree, bench, ..]) = in_rooms();
    stage.combine(BOB, &[tree, bench], "shade");
    assert_eq!(stage.ask(BOB, Command::Strike { idea: tree }), Err(Rejection::NotAllowed));
    assert_eq!(stage.ask(ALICE, Command::Strike { idea: IdeaId(99) }), Err(Rejection::UnknownIdea));
    stage.ask(ALICE, Command::Strike { idea: tree }).expect("her own");
    let shade = stage.view(ALICE).ideas.remove(0);
    let from: Vec<_> = shade.from.iter().map(|it| (&*it.text, it.own)).collect();
    assert_eq!(
        (&*shade.text, shade.mine, from),
        ("shade", true, vec![("", false), ("bench", false)])
    );
    assert!(stage.view(BOB).ideas[0].from[1].own, "his he may take back");
    assert_eq!(
        stage.ask(ALICE, Command::Strike { idea: tree }),
        Err(Rejection::NotAllowed),
        "gone"
    );
}

#[test]
fn a_facilitator_puts_what_was_chosen_into_groups_and_nothing_else() {
    let (mut stage, [tree, bench, ..]) = in_rooms();
    stage.choose(ALICE, tree).expect("chosen");
    let [_, rooms, vote, result] = phases();
    let name = |it: &str| Some(it.to_owned());
    let ask = |stage: &Play, phase: &Phase, idea, group| stage.ideas.ask_group(phase, idea, group);
    assert_eq!(ask(&stage, &rooms, tree, name("Green")), Err(Rejection::NotNow));
    assert_eq!(ask(&stage, &vote, bench, name("Green")), Err(Rejection::UnknownIdea));
    for bad in ["".to_owned(), "x".repeat(THEME_CHARS_MAX + 1)] {
        assert_eq!(ask(&stage, &result, tree, Some(bad)), Err(Rejection::BadText));
    }
    let grouped = ask(&stage, &result, tree, name("Green")).expect("it may");
    stage.ideas.apply(&grouped);
    assert_eq!(stage.ideas.result(None)[0].group, name("Green"));
    let alone = ask(&stage, &vote, tree, None).expect("it may");
    stage.ideas.apply(&alone);
    assert_eq!(stage.ideas.result(None)[0].group, None);
}

#[test]
fn everything_has_a_limit() {
    let (mut stage, _) = in_rooms();
    let write = |text: &str| Command::Write { idea: None, text: text.into() };
    assert_eq!(stage.ask(ALICE, write("")), Err(Rejection::BadText));
    let long = "ä".repeat(IDEA_CHARS_MAX);
    assert_eq!(stage.ask(ALICE, write(&(long.clone() + "ä"))), Err(Rejection::BadText));
    stage.ask(ALICE, write(&long)).expect("as long as it may be");
    for _ in 2..IDEAS_PERSON_MAX {
        stage.write(ALICE, "another");
    }
    assert_eq!(stage.ask(ALICE, write("one too many")), Err(Rejection::EnoughIdeas));
    // Taking ideas away makes no space: the log keeps that they were written.
    stage.ask(ALICE, Command::Remove { idea: IdeaId(1) }).expect("hers");
    assert_eq!(stage.ask(ALICE, write("one too many")), Err(Rejection::EnoughIdeas));
}

#[test]
fn a_log_with_holes_makes_a_forest_all_the_same() {
    let mut ideas = Ideas::default();
    let written = |idea: u32, from: &[u32]| Change::Written {
        idea: IdeaId(idea),
        by: ALICE,
        room: ONE,
        open: true,
        text: idea.to_string(),
        from: from.iter().map(|it| IdeaId(*it)).collect(),
    };
    for change in [
        written(2, &[1, 2, 7]),
        written(3, &[2]),
        written(4, &[2, 3]),
        Change::Removed { idea: IdeaId(9), by: BOB },
    ] {
        ideas.apply(&change);
    }
    let rooms = &phases()[1];
    let view = ideas.view(rooms, Some(BOB), ONE).expect("a room's ideas");
    let told: Vec<_> = view.ideas.iter().map(|it| (it.idea.0, it.from.len())).collect();
    assert_eq!(told, [(4, 2)]);
}

#[derive(Clone, Debug)]
enum Act {
    Next(usize),
    Ask(u32, Command),
}

fn act() -> impl Strategy<Value = Act> {
    let idea = || (1..30_u32).prop_map(IdeaId);
    let command = prop_oneof![
        (proptest::option::of(idea()), 0..3_usize)
            .prop_map(|(idea, length)| Command::Write { idea, text: "x".repeat(length) }),
        proptest::collection::vec(idea(), 1..4)
            .prop_map(|ideas| Command::Combine { ideas, text: "y".into() }),
        idea().prop_map(|idea| Command::Remove { idea }),
        (idea(), any::<bool>()).prop_map(|(idea, on)| Command::Choose { idea, on }),
        (idea(), 0..4_u8).prop_map(|(idea, votes)| Command::Vote { idea, votes }),
        idea().prop_map(|idea| Command::Strike { idea }),
    ];
    prop_oneof![
        1 => (0..4_usize).prop_map(Act::Next),
        9 => (1..5_u32, command).prop_map(|(who, command)| Act::Ask(who, command)),
    ]
}

fn check(stage: &Play) {
    let ideas = &stage.ideas;
    for (id, idea) in &ideas.ideas {
        // Provenance has no rings and no holes, and each idea goes into one other at most.
        for parent in &idea.from {
            assert!(parent < id && ideas.ideas.contains_key(parent));
            let goes = &ideas.ideas[parent].into;
            assert!(idea.removed || *goes == Some(*id), "{parent:?} into {goes:?}");
        }
        if let Some(into) = idea.into {
            assert!(ideas.ideas[&into].from.contains(id) && !idea.chosen);
        }
        assert!(!(idea.removed && idea.chosen));
    }
    if let Some(vote) = &stage.phase.vote {
        for (who, votes) in &ideas.votes {
            let sum: u32 = votes.values().map(|it| u32::from(*it)).sum();
            let own: u32 = (votes.iter().filter(|it| ideas.has_part(*who, *it.0)))
                .map(|it| u32::from(*it.1))
                .sum();
            assert!(sum <= vote.each.into() && own <= vote.own.unwrap_or(vote.each).into());
        }
        let cast: u32 = ideas.tally().votes.iter().map(|it| it.1).sum();
        let given = ideas.votes.values().flat_map(BTreeMap::values);
        let given: u32 = given.map(|it| u32::from(*it)).sum();
        assert_eq!(cast, given, "no vote is lost");
    }
    if stage.phase.choose.is_some() {
        for room in [ONE, TWO] {
            assert!(ideas.on_table(room).filter(|it| it.1.chosen).count() <= 2);
        }
    }
    // Whatever stands is before somebody, or still with its writer.
    let standing = ideas.ideas.values().filter(|it| it.stands());
    let placed = [ONE, TWO].map(|it| ideas.on_table(it).count()).iter().sum::<usize>();
    assert_eq!(placed, standing.filter(|it| it.table.is_some()).count());
}

proptest! {
    #[test]
    fn whatever_people_do_budgets_hold_traces_are_whole_and_the_log_says_the_same(
        acts in proptest::collection::vec(act(), 1..120),
    ) {
        let mut stage = Play::new();
        let phases = phases();
        let all: &[_] = &[ALICE, BOB, CHAO, DANA];
        let rooms: &[(RoomId, &[_])] = &[(ONE, &[ALICE, BOB]), (TWO, &[CHAO, DANA])];
        let main: &[(RoomId, &[_])] = &[(RoomId::Main, all)];
        for act in acts {
            match act {
                Act::Next(phase) => {
                    stage.begin(&phases[phase], if phase == 1 { rooms } else { main });
                }
                Act::Ask(who, command) => _ = stage.ask(ParticipantId(who), command),
            }
            check(&stage);
        }
        let mut again = Ideas::default();
        for kept in &stage.log {
            match kept {
                Kept::Began(phase, people) => again.begin(phase, people),
                Kept::Changed(change) => again.apply(change),
            }
        }
        prop_assert_eq!(again, stage.ideas);
    }
}
