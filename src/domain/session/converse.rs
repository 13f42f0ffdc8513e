//! What people do beside speaking, and what facilitators do about it: hands, reactions, posts, calls
//! for help, shared screens. Who may, who is told, and what of it is kept. It moves nobody.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    consent::Consent,
    fact::Fact,
    ids::{ConnectionId, ParticipantId, RoomId},
    limits::POST_CHARS_MAX,
    mark::Mark,
    message::Message,
    rejection::Rejection,
    session::{Output, Session, Wish},
    talk::{Call, Post, Reaction, clean_text},
    time::SessionTime,
};

impl Session {
    // Participants.

    pub(super) fn converse(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        wish: Wish,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let room = self.rooms.room_of(participant).ok_or(Rejection::NotNow)?;
        match wish {
            Wish::RaiseHand(true) => {
                if self.talk.raise(participant, room) {
                    self.room_changed(now, room, None, out);
                }
            }
            Wish::RaiseHand(false) => self.lower_hand(now, participant, out),
            Wish::React(reaction) => self.react(now, (participant, room), reaction, out),
            Wish::Post { text } => self.post(now, (participant, room), &text, out)?,
            Wish::Mark { of, at, mark, on } => {
                self.mark(now, (participant, room), (of, at), (mark, on), out)?;
            }
            Wish::Call(true) => self.call(now, participant, room, out)?,
            Wish::Call(false) => self.end_call(now, participant, out),
            Wish::Share(true) => self.share(now, participant, room, out)?,
            Wish::Share(false) => self.end_share(now, participant, out),
            _ => return Err(Rejection::NotAllowed),
        }
        Ok(())
    }

    fn lower_hand(&mut self, now: SessionTime, who: ParticipantId, out: &mut Vec<Output>) {
        if self.talk.lower(who)
            && let Some(room) = self.rooms.room_of(who)
        {
            self.room_changed(now, room, None, out);
        }
    }

    /// One too many is dropped without a word: nobody is to be told off for clapping.
    fn react(
        &mut self,
        now: SessionTime,
        (by, room): (ParticipantId, RoomId),
        reaction: Reaction,
        out: &mut Vec<Output>,
    ) {
        if self.talk.may_react(now, by, room) {
            self.tell_in(room, Message::Reacted { by, reaction }, out);
        }
    }

    fn post(
        &mut self,
        now: SessionTime,
        (by, room): (ParticipantId, RoomId),
        text: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let text = clean_text(text, POST_CHARS_MAX).ok_or(Rejection::BadText)?;
        if !self.talk.may_post(now, by, room) {
            return Err(Rejection::TooFast);
        }
        let seat = self.seats.get(&by).ok_or(Rejection::NotNow)?;
        // Written or said: nothing of a person is kept that they have not agreed to.
        let kept = self.record.is_on(room) && seat.consent == Consent::On;
        let post = Post { by: Some(by), name: seat.name.clone(), at: now, text, kept };
        if kept {
            let text = post.text.clone();
            self.keep(now, Fact::Posted { participant: by, room, text }, out);
        } else {
            self.talk.post(room, post.clone());
        }
        self.tell_in(room, Message::Post(post), out);
        Ok(())
    }

    /// Only what was said or written where the person was, or is: nobody marks what they cannot have
    /// heard or read. Whether there are words at that moment the log's readers see.
    fn mark(
        &mut self,
        now: SessionTime,
        (by, room): (ParticipantId, RoomId),
        (of, at): (ParticipantId, SessionTime),
        (mark, on): (Mark, bool),
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let there = self.rooms.room_at(of, at).filter(|_| at <= now);
        let there = there.ok_or(Rejection::NotNow)?;
        if there != room && self.rooms.room_at(by, at) != Some(there) {
            return Err(Rejection::NotNow);
        }
        if !self.talk.may_mark(now, by) {
            return Err(Rejection::TooFast);
        }
        self.keep(now, Fact::Marked { by, of, at, mark, on }, out);
        self.tell_in(room, Message::Marked { by, of, at, mark, on }, out);
        Ok(())
    }

    /// In a breakout room one call is enough for all; in the main room each calls for themselves.
    fn call(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        room: RoomId,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let is_called = match room {
            RoomId::Main => self.talk.call_of(participant).is_some(),
            RoomId::Breakout(_) => self.talk.calls_in(room).next().is_some(),
        };
        if is_called {
            return Ok(());
        }
        if !self.talk.may_call(now, participant) {
            return Err(Rejection::TooFast);
        }
        self.keep(now, Fact::Called { participant, room }, out);
        self.room_changed(now, room, None, out);
        Ok(())
    }

    fn end_call(&mut self, now: SessionTime, participant: ParticipantId, out: &mut Vec<Output>) {
        let Some(room) = self.talk.call_of(participant).map(|it| it.room) else { return };
        self.keep(now, Fact::CallEnded { participant }, out);
        self.room_changed(now, room, None, out);
    }

    fn share(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        room: RoomId,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        match self.talk.sharer_in(room) {
            Some(it) if it == participant => Ok(()),
            Some(_) => Err(Rejection::AlreadyShared),
            None => {
                self.talk.share(participant, room);
                out.push(Output::Share { participant, on: true });
                self.room_changed(now, room, None, out);
                Ok(())
            }
        }
    }

    fn end_share(&mut self, now: SessionTime, participant: ParticipantId, out: &mut Vec<Output>) {
        if self.talk.unshare(participant) {
            out.push(Output::Share { participant, on: false });
            if let Some(room) = self.rooms.room_of(participant) {
                self.room_changed(now, room, None, out);
            }
        }
    }

    // Facilitators. What is over already needs no answer: others may have been quicker.

    pub(super) fn attend(
        &mut self,
        now: SessionTime,
        wish: Wish,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        match wish {
            Wish::Broadcast { text } => return self.broadcast(now, &text, out),
            Wish::LowerHand { participant } => {
                self.is_here(participant)?;
                self.lower_hand(now, participant, out);
            }
            Wish::SeeCall { participant } => {
                self.is_here(participant)?;
                let call = self.talk.call_of(participant).filter(|it| !it.seen).copied();
                if let Some(Call { room, .. }) = call {
                    self.keep(now, Fact::CallSeen { participant }, out);
                    self.room_changed(now, room, None, out);
                }
            }
            Wish::EndCall { participant } => {
                self.is_here(participant)?;
                self.end_call(now, participant, out);
            }
            Wish::EndShare { participant } => {
                self.is_here(participant)?;
                self.end_share(now, participant, out);
            }
            _ => return Err(Rejection::NotAllowed),
        }
        Ok(())
    }

    fn is_here(&self, participant: ParticipantId) -> Result<(), Rejection> {
        self.rooms.room_of(participant).map(|_| ()).ok_or(Rejection::UnknownParticipant)
    }

    fn broadcast(
        &mut self,
        now: SessionTime,
        text: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        let text = clean_text(text, POST_CHARS_MAX).ok_or(Rejection::BadText)?;
        if !self.talk.may_broadcast(now) {
            return Err(Rejection::TooFast);
        }
        let kept = self.record.is_on_for_all();
        let post = broadcast_post(now, text, kept);
        if kept {
            self.keep(now, Fact::Broadcast { text: post.text.clone() }, out);
        } else {
            self.post_everywhere(&post);
        }
        self.tell_all(Message::Post(post), out);
        Ok(())
    }

    // Telling.

    fn tell_in(&self, room: RoomId, message: Message, out: &mut Vec<Output>) {
        out.extend(
            self.connections_in(room)
                .map(|connection| Output::Send { connection, message: message.clone() }),
        );
    }

    /// What has been written in a room, to somebody who comes there.
    pub(super) fn tell_posts(&self, connection: ConnectionId, room: RoomId, out: &mut Vec<Output>) {
        let posts = self.talk.posts_in(room);
        if !posts.is_empty() {
            out.push(Output::Send { connection, message: Message::Posts(posts) });
        }
    }

    /// Keeps a fact with which a new phase begins: what was written before is gone, also on the pages.
    pub(super) fn keep_and_forget_posts(
        &mut self,
        now: SessionTime,
        fact: Fact,
        out: &mut Vec<Output>,
    ) {
        let rooms = self.talk.rooms_with_posts();
        let readers: Vec<_> = rooms.into_iter().flat_map(|it| self.connections_in(it)).collect();
        self.keep(now, fact, out);
        let forget = |connection| Output::Send { connection, message: Message::Posts(Vec::new()) };
        out.extend(readers.into_iter().map(forget));
    }

    // Facts.

    /// The part of `apply` that is of this.
    pub(super) fn apply_talk(&mut self, at: SessionTime, fact: &Fact) {
        match fact {
            Fact::Posted { participant, room, text } => {
                let name = self.seats.get(participant).map(|it| it.name.clone());
                let name = name.unwrap_or_default();
                let (by, text) = (Some(*participant), text.clone());
                self.talk.post(*room, Post { by, name, at, text, kept: true });
            }
            Fact::Broadcast { text } => {
                self.post_everywhere(&broadcast_post(at, text.clone(), true));
            }
            Fact::Called { participant, room } => {
                self.talk.called(Call { by: *participant, room: *room, since: at, seen: false });
            }
            Fact::CallSeen { participant } => self.talk.call_seen(*participant),
            Fact::CallEnded { participant } => self.talk.call_ended(*participant),
            Fact::StepBegan(_) | Fact::MethodEnded => {
                self.talk.forget_posts();
                self.follow_moves();
            }
            Fact::Placed { .. } => self.follow_moves(),
            Fact::Ended => self.talk = Default::default(),
            _ => (),
        }
    }

    fn follow_moves(&mut self) {
        let places: BTreeMap<_, _> = self.rooms.people().collect();
        self.talk.follow(&places);
    }

    /// Each room with people in it has it among its posts.
    fn post_everywhere(&mut self, post: &Post) {
        let rooms: BTreeSet<_> = self.rooms.people().map(|it| it.1).collect();
        rooms.into_iter().for_each(|it| self.talk.post(it, post.clone()));
    }
}

fn broadcast_post(at: SessionTime, text: String, kept: bool) -> Post {
    Post { by: None, name: String::new(), at, text, kept }
}
