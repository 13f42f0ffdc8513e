//! The chain from one person's ideas to what all choose: who may write, combine, choose and vote, and
//! from which ideas each came. It changes by what has happened alone; it tells nobody and knows no
//! names.

mod shown;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use self::shown::{IdeaView, IdeasView, SourceView, Tally};

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

    /// Whether somebody wrote it, or combined it, or wrote anything that it came from.
    fn has_part(&self, who: ParticipantId, idea: IdeaId) -> bool {
        self.ideas.get(&idea).is_some_and(|it| {
            it.by == who || it.from.iter().any(|parent| self.has_part(who, *parent))
        })
    }
}
