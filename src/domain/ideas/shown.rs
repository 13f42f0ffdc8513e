//! What pages, and who reads a session afterwards, are shown of ideas: which, in what order, with what
//! they came from, and how a vote stands. It changes nothing.

use super::{Idea, IdeaId, Ideas, Stage};
use crate::domain::{
    ids::{ParticipantId, RoomId},
    method::Phase,
};

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

impl Ideas {
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
}
