//! The chain from one person's ideas to what all choose: who may write, combine, choose and vote, and
//! from which ideas each came. It changes by what has happened alone; it tells nobody and knows no
//! names.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    ids::{ParticipantId, RoomId},
    limits::{COMBINED_MAX, IDEA_CHARS_MAX, IDEAS_PERSON_MAX, IDEAS_ROOM_MAX, THEME_CHARS_MAX},
    method::{Assign, Harvest, Phase, Vote},
    rejection::Rejection,
};

/// An idea's number in its session, from 1; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdeaId(pub u32);

/// What somebody wants to do with ideas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A new one, or another text for one there is.
    Write { idea: Option<IdeaId>, text: String },
    /// One idea out of several, which are seen no more.
    Combine { ideas: Vec<IdeaId>, text: String },
    /// One's own goes; a combined one is taken apart into what it was made of.
    Remove { idea: IdeaId },
    /// It is to be brought to all; off: not any more.
    Choose { idea: IdeaId, on: bool },
    /// So many of one's votes lie on it from now on.
    Vote { idea: IdeaId, votes: u8 },
    /// One's own words are taken back, wherever the idea is by now; its place in the chain stays.
    Strike { idea: IdeaId },
}

/// What has happened to ideas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new idea or, where `idea` is known, another text for it.
    Written {
        idea: IdeaId,
        /// Who wrote this text.
        by: ParticipantId,
        /// Where they were.
        room: RoomId,
        /// Whether the room sees it; else, so far, its writer alone.
        open: bool,
        /// Empty: its writer has taken the words back since.
        text: String,
        /// What it was combined of; nothing in one person's own.
        from: Vec<IdeaId>,
    },
    Removed {
        idea: IdeaId,
        by: ParticipantId,
    },
    Chosen {
        idea: IdeaId,
        by: ParticipantId,
        on: bool,
    },
    Voted {
        by: ParticipantId,
        idea: IdeaId,
        votes: u8,
    },
    /// Its words are gone. In the log they stand in no record of it any more.
    Struck {
        idea: IdeaId,
        by: ParticipantId,
    },
    /// A facilitator has put it with others under a name; `None`: it stands for itself again.
    Grouped {
        idea: IdeaId,
        group: Option<String>,
    },
}

/// What a phase does with ideas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Each writes for themselves.
    Alone,
    /// A room has its ideas before it.
    Room,
    /// All vote on what the rooms have chosen.
    Vote,
    /// All see what was chosen, and how the vote went.
    Result,
}

impl Stage {
    pub fn of(phase: &Phase) -> Option<Stage> {
        match (phase.harvest, phase.assign) {
            (Harvest::Ideas, _) if phase.is_quiet() => Some(Stage::Alone),
            (Harvest::Ideas, _) => Some(Stage::Room),
            (Harvest::Votes, _) => Some(Stage::Vote),
            (_, Assign::Plenary) => Some(Stage::Result),
            _ => None,
        }
    }
}

/// What one page is shown of ideas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdeasView {
    pub stage: Stage,
    pub ideas: Vec<IdeaView>,
    /// Where the person's own votes lie.
    pub own_votes: Vec<(IdeaId, u8)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdeaView {
    pub idea: IdeaId,
    /// Who wrote it; `None`: a room, or nobody is to know.
    pub by: Option<ParticipantId>,
    /// On whose table it lies; `None`: on nobody's yet.
    pub room: Option<RoomId>,
    /// Empty: its words have been taken back.
    pub text: String,
    /// All that it came from: what it was combined of, each followed by what that was combined of.
    pub from: Vec<SourceView>,
    /// Whether the receiver has had a part in it.
    pub mine: bool,
    pub chosen: bool,
    /// Whether its words are the receiver's own, and still there.
    pub own: bool,
    /// Under which name a facilitator has put it with others.
    pub group: Option<String>,
    /// `None`: hidden, or nobody has been asked to vote.
    pub votes: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceView {
    /// 1: the idea was combined of it; 2: it is what one of those was combined of; and so on.
    pub depth: u8,
    pub idea: IdeaId,
    /// As in [`IdeaView`].
    pub by: Option<ParticipantId>,
    pub own: bool,
    pub text: String,
}

/// How a vote stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Ideas with votes.
    pub votes: Vec<(IdeaId, u32)>,
    /// How many people have voted.
    pub voters: u32,
}

/// The ideas of one run of a method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ideas {
    ideas: BTreeMap<IdeaId, Idea>,
    votes: BTreeMap<ParticipantId, BTreeMap<IdeaId, u8>>,
    /// Whether people have been asked to vote.
    asked: bool,
    /// Who sat in which breakout room when the ideas there were laid on its table.
    sat: BTreeMap<RoomId, Vec<ParticipantId>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Idea {
    by: ParticipantId,
    text: String,
    from: Vec<IdeaId>,
    /// The one it has been combined into.
    into: Option<IdeaId>,
    /// `None`: seen by its writer alone.
    table: Option<RoomId>,
    chosen: bool,
    removed: bool,
    group: Option<String>,
}

impl Idea {
    /// Whether its words are those of this person alone, and still there.
    fn is_own(&self, who: ParticipantId) -> bool {
        self.by == who && self.from.is_empty() && !self.text.is_empty()
    }

    /// Whether it stands for itself.
    fn stands(&self) -> bool {
        self.into.is_none() && !self.removed
    }
}

impl Ideas {
    /// Whether nobody has written any.
    pub fn is_empty(&self) -> bool {
        self.ideas.is_empty()
    }

    /// What comes of a wish, or why nothing does. `next`: the number for a new idea, above all that
    /// were given in the session.
    pub fn ask(
        &self,
        (by, room): (ParticipantId, RoomId),
        phase: &Phase,
        next: IdeaId,
        command: Command,
    ) -> Result<Change, Rejection> {
        if let Command::Strike { idea } = command {
            // Whatever the phase: nobody waits until words may be taken back.
            return match self.ideas.get(&idea) {
                Some(it) if it.is_own(by) => Ok(Change::Struck { idea, by }),
                Some(_) => Err(Rejection::NotAllowed),
                None => Err(Rejection::UnknownIdea),
            };
        }
        let stage = Stage::of(phase).ok_or(Rejection::NotNow)?;
        let writes = stage == Stage::Alone || (stage == Stage::Room && room != RoomId::Main);
        match command {
            Command::Write { text, .. } | Command::Combine { text, .. }
                if !(1..=IDEA_CHARS_MAX).contains(&text.chars().count()) =>
            {
                Err(Rejection::BadText)
            }
            Command::Write { idea, text } if writes => {
                let open = stage == Stage::Room;
                let from = Vec::new();
                let idea = match idea {
                    Some(idea) => {
                        let it = self.before(by, room, stage, idea)?;
                        if it.from.is_empty() && it.by != by {
                            return Err(Rejection::NotAllowed);
                        }
                        idea
                    }
                    None => {
                        self.check_space(by, open.then_some(room))?;
                        next
                    }
                };
                Ok(Change::Written { idea, by, room, open, text, from })
            }
            Command::Combine { ideas, text } if writes && stage == Stage::Room => {
                let different: BTreeSet<_> = ideas.iter().collect();
                if !(2..=COMBINED_MAX).contains(&ideas.len()) || different.len() < ideas.len() {
                    return Err(Rejection::BadCombination);
                }
                for idea in &ideas {
                    self.before(by, room, stage, *idea)?;
                }
                self.check_space(by, None)?;
                Ok(Change::Written { idea: next, by, room, open: true, text, from: ideas })
            }
            Command::Remove { idea } if writes => {
                let it = self.before(by, room, stage, idea)?;
                if it.from.is_empty() && it.by != by {
                    return Err(Rejection::NotAllowed);
                }
                Ok(Change::Removed { idea, by })
            }
            Command::Choose { idea, on } if writes && stage == Stage::Room => {
                let most = phase.choose.ok_or(Rejection::NotNow)?;
                let it = self.before(by, room, stage, idea)?;
                let chosen = self.on_table(room).filter(|it| it.1.chosen).count();
                if on && !it.chosen && usize::from(most) <= chosen {
                    return Err(Rejection::EnoughChosen);
                }
                Ok(Change::Chosen { idea, by, on })
            }
            Command::Vote { idea, votes } if stage == Stage::Vote => {
                let vote = phase.vote.as_ref().ok_or(Rejection::NotNow)?;
                self.check_vote(by, vote, idea, votes)?;
                Ok(Change::Voted { by, idea, votes })
            }
            _ => Err(Rejection::NotNow),
        }
    }

    /// What comes of a facilitator's wish to put an idea with others, or why nothing does.
    pub fn ask_group(
        &self,
        phase: &Phase,
        idea: IdeaId,
        group: Option<String>,
    ) -> Result<Change, Rejection> {
        if !matches!(Stage::of(phase), Some(Stage::Vote | Stage::Result)) {
            return Err(Rejection::NotNow);
        }
        if !self.chosen().any(|it| *it.0 == idea) {
            return Err(Rejection::UnknownIdea);
        }
        let fits = |it: &String| (1..=THEME_CHARS_MAX).contains(&it.chars().count());
        if !group.as_ref().is_none_or(fits) {
            return Err(Rejection::BadText);
        }
        Ok(Change::Grouped { idea, group })
    }

    /// An idea that somebody has before them, and which stands for itself.
    fn before(
        &self,
        who: ParticipantId,
        room: RoomId,
        stage: Stage,
        idea: IdeaId,
    ) -> Result<&Idea, Rejection> {
        let seen = |it: &&Idea| match stage {
            Stage::Alone => it.by == who && it.table.is_none(),
            _ => it.table == Some(room),
        };
        let found = self.ideas.get(&idea).filter(|it| it.stands()).filter(seen);
        found.ok_or(Rejection::UnknownIdea)
    }

    fn check_space(&self, by: ParticipantId, table: Option<RoomId>) -> Result<(), Rejection> {
        let written = self.ideas.values().filter(|it| it.by == by).count();
        let crowded = table.is_some_and(|it| IDEAS_ROOM_MAX <= self.on_table(it).count());
        if crowded || IDEAS_PERSON_MAX <= written { Err(Rejection::EnoughIdeas) } else { Ok(()) }
    }

    fn check_vote(
        &self,
        by: ParticipantId,
        vote: &Vote,
        idea: IdeaId,
        votes: u8,
    ) -> Result<(), Rejection> {
        if !self.ideas.get(&idea).is_some_and(|it| it.stands() && it.chosen) {
            return Err(Rejection::UnknownIdea);
        }
        if vote.same < votes {
            return Err(Rejection::EnoughVotes);
        }
        let mut own = self.votes.get(&by).cloned().unwrap_or_default();
        let before = own.insert(idea, votes).unwrap_or(0);
        // Fewer are always possible, also for who had more than they may have now.
        if votes <= before {
            return Ok(());
        }
        let all: u32 = own.values().map(|it| u32::from(*it)).sum();
        if u32::from(vote.each) < all {
            return Err(Rejection::EnoughVotes);
        }
        let mine = own.iter().filter(|it| self.has_part(by, *it.0));
        let to_own: u32 = mine.map(|it| u32::from(*it.1)).sum();
        match vote.own {
            Some(most) if u32::from(most) < to_own && self.has_part(by, idea) => {
                Err(Rejection::EnoughOwnVotes)
            }
            _ => Ok(()),
        }
    }

    /// The only way ideas change while a phase is on. A log that has lost records, or has others than
    /// `ask` would give, still makes a forest: nothing comes from itself, and nothing goes into two.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Written { idea, by, room, open, text, from } => {
                if let Some(known) = self.ideas.get_mut(idea) {
                    known.text.clone_from(text);
                    return;
                }
                let mut chosen = false;
                let mut parents = Vec::new();
                for parent in from.iter().filter(|it| *it < idea) {
                    if let Some(it) = self.ideas.get_mut(parent).filter(|it| it.stands()) {
                        it.into = Some(*idea);
                        chosen |= std::mem::take(&mut it.chosen);
                        parents.push(*parent);
                    }
                }
                let (by, text, table) = (*by, text.clone(), open.then_some(*room));
                let (from, into, removed, group) = (parents, None, false, None);
                let new = Idea { by, text, from, into, table, chosen, removed, group };
                self.ideas.insert(*idea, new);
            }
            Change::Removed { idea, .. } => {
                let Some(it) = self.ideas.get_mut(idea) else { return };
                (it.removed, it.chosen) = (true, false);
                // The log has its words no more, and what is lived is what the log tells.
                it.text.clear();
                let table = it.table;
                for parent in it.from.clone() {
                    if let Some(it) = self.ideas.get_mut(&parent) {
                        (it.into, it.table) = (None, table);
                    }
                }
            }
            Change::Chosen { idea, on, .. } => {
                if let Some(it) = self.ideas.get_mut(idea).filter(|it| it.stands()) {
                    it.chosen = *on;
                }
            }
            Change::Voted { by, idea, votes } => {
                let own = self.votes.entry(*by).or_default();
                own.insert(*idea, *votes);
                own.retain(|_, votes| 0 < *votes);
            }
            Change::Struck { idea, by } => {
                if let Some(it) = self.ideas.get_mut(idea).filter(|it| it.is_own(*by)) {
                    it.text.clear();
                }
            }
            Change::Grouped { idea, group } => {
                if let Some(it) = self.ideas.get_mut(idea) {
                    it.group.clone_from(group);
                }
            }
        }
    }

    /// A step begins, with everybody where they are from now on.
    pub fn begin(&mut self, phase: &Phase, people: &BTreeMap<RoomId, Vec<ParticipantId>>) {
        match Stage::of(phase) {
            Some(Stage::Vote) => {
                self.votes.clear();
                self.asked = true;
            }
            Some(Stage::Room) => self.lay(phase, people),
            _ => (),
        }
    }

    /// Puts before each room what its people bring. At tables that stay, what lies there stays.
    fn lay(&mut self, phase: &Phase, people: &BTreeMap<RoomId, Vec<ParticipantId>>) {
        let anew = matches!(phase.assign, Assign::Mix | Assign::Merge | Assign::Return);
        let now: BTreeMap<ParticipantId, RoomId> = people
            .iter()
            .filter(|it| *it.0 != RoomId::Main)
            .flat_map(|(room, people)| people.iter().map(|it| (*it, *room)))
            .collect();
        for idea in self.ideas.values_mut().filter(|it| it.stands()) {
            let Some(table) = idea.table else {
                idea.table = now.get(&idea.by).copied();
                continue;
            };
            if anew {
                // It goes with who wrote it; when they have left, with somebody who knows it.
                let sat = self.sat.get(&table).into_iter().flatten();
                let goes_with = std::iter::once(&idea.by).chain(sat).find_map(|it| now.get(it));
                idea.table = goes_with.copied().or(idea.table);
                idea.chosen &= phase.choose.is_none();
            }
        }
        self.sat = people.clone();
    }

    /// Somebody comes into a room while it has its ideas before it, and brings their own.
    pub fn comes(&mut self, who: ParticipantId, room: RoomId) {
        if room == RoomId::Main {
            return;
        }
        let own = self.ideas.values_mut().filter(|it| it.by == who && it.table.is_none());
        own.filter(|it| it.stands()).for_each(|it| it.table = Some(room));
    }

    fn on_table(&self, room: RoomId) -> impl Iterator<Item = (&IdeaId, &Idea)> {
        self.ideas.iter().filter(move |it| it.1.stands() && it.1.table == Some(room))
    }

    /// What all are shown and vote on.
    fn chosen(&self) -> impl Iterator<Item = (&IdeaId, &Idea)> {
        self.ideas.iter().filter(|it| it.1.stands() && it.1.chosen)
    }

    /// What a page is shown; `None`: nothing, in this phase. `who` `None`: a facilitator, who also sees
    /// votes that are hidden from others.
    pub fn view(
        &self,
        phase: &Phase,
        who: Option<ParticipantId>,
        room: RoomId,
    ) -> Option<IdeasView> {
        let stage = Stage::of(phase)?;
        let hidden = who.is_some() && phase.vote.as_ref().is_some_and(|it| it.hidden);
        let of = |it: (&IdeaId, &Idea), votes: Option<u32>| self.idea_view(who, it, votes);
        let own =
            |it: &(&IdeaId, &Idea)| it.1.stands() && it.1.table.is_none() && Some(it.1.by) == who;
        let ideas: Vec<_> = match stage {
            Stage::Alone | Stage::Room if who.is_none() => return None,
            Stage::Alone => self.ideas.iter().filter(own).map(|it| of(it, None)).collect(),
            Stage::Room if room == RoomId::Main => Vec::new(),
            Stage::Room => self.on_table(room).map(|it| of(it, None)).collect(),
            Stage::Vote => {
                let votes = |idea| (!hidden).then(|| self.votes_for(idea));
                let mut ideas: Vec<_> = self.chosen().map(|it| of(it, votes(*it.0))).collect();
                ideas.sort_by_key(|it| (it.room, it.idea));
                ideas
            }
            Stage::Result => self.result(who),
        };
        if stage == Stage::Result && ideas.is_empty() {
            return None;
        }
        let own_votes = who.and_then(|it| self.votes.get(&it)).into_iter().flatten();
        let own_votes = own_votes.map(|(idea, votes)| (*idea, *votes)).collect();
        Some(IdeasView { stage, ideas, own_votes })
    }

    /// What was chosen, most votes first where people voted.
    pub fn result(&self, who: Option<ParticipantId>) -> Vec<IdeaView> {
        let votes = |idea| self.asked.then(|| self.votes_for(idea));
        let mut ideas: Vec<_> =
            self.chosen().map(|it| self.idea_view(who, it, votes(*it.0))).collect();
        ideas.sort_by_key(|it| (std::cmp::Reverse(it.votes), it.room, it.idea));
        ideas
    }

    pub fn tally(&self) -> Tally {
        let votes = self.chosen().map(|it| (*it.0, self.votes_for(*it.0)));
        let voters = self.votes.values().filter(|it| !it.is_empty()).count();
        Tally {
            votes: votes.filter(|it| 0 < it.1).collect(),
            voters: u32::try_from(voters).unwrap_or(u32::MAX),
        }
    }

    fn votes_for(&self, idea: IdeaId) -> u32 {
        self.votes.values().filter_map(|it| it.get(&idea)).map(|it| u32::from(*it)).sum()
    }

    pub fn votes_of(&self, who: ParticipantId) -> Vec<(IdeaId, u8)> {
        let own = self.votes.get(&who).into_iter().flatten();
        own.map(|(idea, votes)| (*idea, *votes)).collect()
    }

    fn idea_view(
        &self,
        who: Option<ParticipantId>,
        (id, idea): (&IdeaId, &Idea),
        votes: Option<u32>,
    ) -> IdeaView {
        let mut from = Vec::new();
        self.trace(who, idea, 1, &mut from);
        IdeaView {
            idea: *id,
            by: idea.from.is_empty().then_some(idea.by),
            room: idea.table,
            text: idea.text.clone(),
            from,
            mine: who.is_some_and(|it| self.has_part(it, *id)),
            chosen: idea.chosen,
            own: who.is_some_and(|it| idea.is_own(it)),
            group: idea.group.clone(),
            votes,
        }
    }

    fn trace(&self, who: Option<ParticipantId>, idea: &Idea, depth: u8, out: &mut Vec<SourceView>) {
        for id in &idea.from {
            let Some(parent) = self.ideas.get(id) else { continue };
            let by = parent.from.is_empty().then_some(parent.by);
            let own = who.is_some_and(|it| parent.is_own(it));
            out.push(SourceView { depth, idea: *id, by, own, text: parent.text.clone() });
            self.trace(who, parent, depth.saturating_add(1), out);
        }
    }

    /// Whether somebody wrote it, or combined it, or wrote anything that it came from.
    fn has_part(&self, who: ParticipantId, idea: IdeaId) -> bool {
        self.ideas.get(&idea).is_some_and(|it| {
            it.by == who || it.from.iter().any(|parent| self.has_part(who, *parent))
        })
    }
}

#[cfg(test)]
mod tests {
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
        let combine =
            |ideas: &[IdeaId]| Command::Combine { ideas: ideas.to_vec(), text: "x".into() };
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
        let shown: Vec<_> =
            stage.view(BOB).ideas.into_iter().map(|it| (it.text, it.votes)).collect();
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
        assert_eq!(
            stage.ask(ALICE, Command::Strike { idea: IdeaId(99) }),
            Err(Rejection::UnknownIdea)
        );
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
        let ask =
            |stage: &Play, phase: &Phase, idea, group| stage.ideas.ask_group(phase, idea, group);
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
}
