//! One session: the only door to its rules. Everything that happens comes in as an [`Input`] with
//! its time; everything that must be done goes out as [`Output`]s, in order. It never waits, never
//! fails, never reads a clock: a wish that cannot be granted is answered with a rejection.
//!
//! What lasts changes only through [`Fact`]s, so that a session can be rebuilt from its log.
//! Connections, microphones and balance do not last: people come back and bring them along.
//!
//! This file: what a session is, which part of it an input goes to, and how facts change it. `door` has
//! the words at the door; `seats` is who comes, goes and is moved; `guide` runs methods; `ideas` is the
//! chain from one person's to all; `converse` is what people do beside speaking; `together` is what a
//! room writes; `captions` is words on their way; `record` is what may be written down; `look_back` is
//! what is counted of the talk; `tell` says what pages are told.

mod captions;
mod converse;
mod door;
mod glossary;
mod guide;
mod ideas;
mod look_back;
mod record;
mod seats;
mod tell;
mod together;

use std::collections::{BTreeMap, BTreeSet};

pub use self::door::{Input, Output, Wish};
use self::{look_back::Total, record::Record, seats::Person};
use crate::domain::{
    balance::Balance,
    fact::{Consent, Fact},
    ideas::{Change, IdeaId},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    limits::{BALANCE_EVERY_MS, LEVEL_HANGOVER_MS, LEVEL_ONSET_MS, SEGMENT_CHARS_MAX},
    message::{Caption, Message, MoveReason},
    mixing::{Meetings, Mixing},
    rejection::Rejection,
    rooms::Rooms,
    run::Run,
    spoken::Spoken,
    talk::Talk,
    time::{SessionTime, Span},
};

#[derive(Debug)]
pub struct Session {
    title: String,
    language: Language,
    ended: bool,
    rooms: Rooms,
    seats: BTreeMap<ParticipantId, Seat>,
    connections: BTreeMap<ConnectionId, Role>,
    balances: BTreeMap<RoomId, Balance>,
    /// When the groups that are together now came together.
    grouped_at: SessionTime,
    /// What each person has had of the talk until then. Nowhere in the log; gone at the end.
    totals: BTreeMap<ParticipantId, Total>,
    /// Who has met whom, in all methods of the session.
    met: Meetings,
    mixing: Mixing,
    /// The method that runs.
    run: Option<Run>,
    /// The number given last to an idea, in all methods of the session.
    last_idea: IdeaId,
    /// The number given last to a sheet, in methods that are over.
    last_sheet: u32,
    record: Record,
    /// Voice activity detection has found somebody's voice: it works.
    has_ears: bool,
    /// Whose audio is listened to, in which language, as the shell was last told.
    heard: BTreeMap<ParticipantId, Spoken>,
    talk: Talk,
    captions: captions::Captions,
    glossary: String,
    /// What the shell was told last to expect.
    expected: String,
    /// Whom the method has taken the floor from, as the shell was last told.
    hushed: BTreeSet<ParticipantId>,
    /// What must be told later, and when.
    due: Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Participant(ParticipantId),
    Facilitator,
}

#[derive(Clone, Debug)]
struct Seat {
    name: String,
    spoken: Spoken,
    consent: Consent,
    /// Nothing said before may be kept: they agreed then, or took back what was before.
    agreed_since: SessionTime,
    struck_at: Option<SessionTime>,
    microphone: bool,
    camera: bool,
    /// By audio level, as the room was last told.
    speaking: bool,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Here(ConnectionId),
    Away { since: SessionTime },
}

#[derive(Debug, Default)]
struct Due {
    overview: Option<SessionTime>,
    big_rooms: BTreeMap<RoomId, SessionTime>,
    balances: BTreeMap<RoomId, SessionTime>,
    room_balances: Option<SessionTime>,
    /// People are to be told anew where the method stands.
    step: Option<SessionTime>,
    /// Facilitators, and people from whom it is not hidden, are to be told how a vote stands.
    tally: Option<SessionTime>,
    /// Sheets are to be written down whole: when, and since when they have been changed.
    sheets: BTreeMap<RoomId, (SessionTime, SessionTime)>,
    /// Rooms in which somebody sits alone, and when they are taken to others.
    company: BTreeMap<RoomId, SessionTime>,
}

impl Session {
    /// The session its facts tell of. Everybody with a place is away at `now`, and has the grace
    /// time to come back. `None` when the first fact is not `Opened`.
    pub fn restore(
        facts: impl IntoIterator<Item = (SessionTime, Fact)>,
        now: SessionTime,
    ) -> Option<Session> {
        let mut facts = facts.into_iter();
        let (_, Fact::Opened { title, language, .. }) = facts.next()? else { return None };
        let mut session = Session {
            title,
            language,
            ended: false,
            rooms: Rooms::default(),
            seats: BTreeMap::new(),
            connections: BTreeMap::new(),
            balances: BTreeMap::new(),
            grouped_at: now,
            totals: BTreeMap::new(),
            met: Meetings::default(),
            mixing: Mixing::default(),
            run: None,
            last_idea: IdeaId(0),
            last_sheet: 0,
            record: Record::default(),
            has_ears: false,
            heard: BTreeMap::new(),
            talk: Talk::default(),
            captions: captions::Captions::default(),
            glossary: String::new(),
            expected: String::new(),
            hushed: BTreeSet::new(),
            due: Due::default(),
        };
        facts.for_each(|(at, fact)| session.apply(at, &fact));
        session.all_away(now);
        if let Some(run) = &mut session.run {
            run.wait_for_return(now);
            // What was typed when the server stopped is written down at the next moment.
            session.due.sheets = run.unwritten().map(|it| (it.0, (now, now))).collect();
        }
        Some(session)
    }

    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Applies one input. Never fails, never waits, never reads a clock; a refusal is an output.
    pub fn handle(&mut self, now: SessionTime, input: Input, out: &mut Vec<Output>) {
        let from = out.len();
        match input {
            Input::Join { connection, seat, name, spoken, consent, tags } => {
                let person = Person { name, spoken, consent, tags };
                let joined = self.join(now, connection, seat, person, out);
                answer(connection, joined, out);
            }
            Input::Watch { connection } => {
                let watching = self.watch(now, connection, out);
                answer(connection, watching, out);
            }
            Input::Disconnected { connection } => self.disconnect(now, connection, out),
            Input::Wish { connection, wish } => {
                let granted = self.grant(now, connection, wish, out);
                answer(connection, granted, out);
            }
            Input::Voice { participant, on } => {
                // The levels are sure only when it has been so for a while.
                let for_ms = if on { LEVEL_ONSET_MS } else { LEVEL_HANGOVER_MS };
                self.voice(now, participant, (on, now - for_ms), out);
            }
            Input::Uttered { participant, span, voice } => {
                self.uttered(now, participant, span, &voice);
            }
            Input::Partial { participant, span, language, text } => {
                self.partial(participant, span, (language, text), out);
            }
            Input::Transcribed { participant, span, language, text, words } => {
                self.transcribed(now, participant, span, (language, text, words), out);
            }
            Input::Unheard { participant, span, reason } => {
                self.withdraw(participant, out);
                if let Some(room) = self.on_record_at(participant, span) {
                    self.keep(now, Fact::Unheard { participant, room, span, reason }, out);
                }
            }
            Input::Tick => self.tick(now, out),
        }
        self.guide(now, out);
        self.settle_captions(now, out);
        self.settle_expected(out);
        self.tune(now, from, out);
    }

    /// When the session next wants [`Input::Tick`], and why.
    pub fn poll_timeout(&self) -> Option<(SessionTime, &'static str)> {
        if self.ended {
            return None;
        }
        let graces = self.rooms.people().filter_map(|(id, _)| self.grace_end(id));
        let all = (graces.map(|at| (at, "a seat's grace ends")))
            .chain(self.due.overview.map(|at| (at, "an overview is due")))
            .chain(self.due.big_rooms.values().map(|at| (*at, "a big room has changed")))
            .chain(self.due.balances.values().map(|at| (*at, "a balance is due")))
            .chain(self.due.room_balances.map(|at| (at, "balances of rooms are due")))
            .chain(self.due.step.map(|at| (at, "a step has changed")))
            .chain(self.due.tally.map(|at| (at, "a vote has changed")))
            .chain(self.due.sheets.values().map(|it| (it.0, "a sheet is to be written down")))
            .chain(self.due.company.values().map(|at| (*at, "somebody sits alone")))
            .chain(self.guide_timeout());
        all.min()
    }

    fn grant(
        &mut self,
        now: SessionTime,
        connection: ConnectionId,
        wish: Wish,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        if self.ended {
            return Err(Rejection::SessionEnded);
        }
        match (self.connections.get(&connection).copied(), wish) {
            (Some(Role::Participant(id)), Wish::SetConsent(consent)) => {
                self.set_consent(now, id, consent, out);
            }
            (Some(Role::Participant(id)), Wish::SetLanguage(spoken)) => {
                self.set_language(now, id, spoken, out);
                if let Some(room) = self.rooms.room_of(id) {
                    self.room_changed(now, room, None, out);
                }
            }
            (Some(Role::Participant(id)), Wish::SetTranscription { room: None, on }) => {
                let room = self.rooms.room_of(id).ok_or(Rejection::NotNow)?;
                self.set_transcription(now, (Some(room), Some(id)), on, out)?;
            }
            (Some(Role::Facilitator), Wish::SetTranscription { room, on }) => {
                self.set_transcription(now, (room, None), on, out)?;
            }
            (Some(Role::Participant(id)), Wish::Strike { waited_ms }) => {
                self.strike(now, (id, waited_ms), out)?;
            }
            (Some(Role::Participant(id)), Wish::SetMicrophone(on)) => {
                self.change_seat(now, id, out, |seat| seat.microphone = on);
                if !on {
                    self.voice(now, id, (false, now), out);
                }
            }
            (Some(Role::Participant(id)), Wish::SetCamera(on)) => {
                self.change_seat(now, id, out, |seat| seat.camera = on);
            }
            (Some(Role::Participant(id)), Wish::Leave) => {
                out.push(Output::Close { connection });
                self.leave(now, id, out);
            }
            (
                Some(Role::Participant(id)),
                wish @ (Wish::SetReady(_)
                | Wish::PassTurn
                | Wish::SetSeated(_)
                | Wish::GoTo { .. }
                | Wish::Write { .. }
                | Wish::Score(_)),
            ) => {
                self.take_part(now, id, wish, out)?;
            }
            (Some(Role::Participant(id)), Wish::Type { sheet, update }) => {
                self.change_sheet(now, id, (sheet, update), out)?;
            }
            (Some(Role::Participant(id)), Wish::Ideas(command)) => {
                self.change_ideas(now, id, command, out)?;
            }
            (
                Some(Role::Participant(id)),
                wish @ (Wish::RaiseHand(_)
                | Wish::React(_)
                | Wish::Post { .. }
                | Wish::Mark { .. }
                | Wish::Call(_)
                | Wish::Share(_)),
            ) => {
                self.converse(now, id, wish, out)?;
            }
            (
                Some(Role::Facilitator),
                wish @ (Wish::Broadcast { .. }
                | Wish::LowerHand { .. }
                | Wish::SeeCall { .. }
                | Wish::EndCall { .. }
                | Wish::EndShare { .. }),
            ) => self.attend(now, wish, out)?,
            (Some(Role::Facilitator), Wish::GroupIdea { idea, group }) => {
                self.group_idea(now, idea, group, out)?;
            }
            (Some(Role::Facilitator), Wish::SetGlossary { text }) => {
                self.set_glossary(now, &text, out)?;
            }
            (Some(Role::Facilitator), Wish::Follow { room }) => {
                self.follow(now, connection, room, out)?;
            }
            (Some(Role::Facilitator), Wish::OpenRooms { count }) => {
                if self.run.is_some() {
                    return Err(Rejection::NotNow);
                }
                self.open_rooms(now, count, out)?;
            }
            (Some(Role::Facilitator), Wish::Move { participant, room }) => {
                self.move_to(now, participant, room, MoveReason::Host, out)?;
            }
            (Some(Role::Facilitator), Wish::End) => self.end(now, out),
            (
                Some(Role::Facilitator),
                wish @ (Wish::RunMethod { .. }
                | Wish::Next { .. }
                | Wish::Pause(_)
                | Wish::Extend { .. }
                | Wish::StopMethod
                | Wish::Keep { .. }
                | Wish::Pin { .. }),
            ) => self.lead(now, wish, out)?,
            _ => return Err(Rejection::NotAllowed),
        }
        Ok(())
    }

    fn end(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        for participant in self.talk.sharers().collect::<Vec<_>>() {
            self.talk.unshare(participant);
            out.push(Output::Share { participant, on: false });
        }
        self.write_sheets_down(now, out);
        let rounds = self.rounds(now);
        for (participant, _) in self.rooms.people().collect::<Vec<_>>() {
            out.push(Output::Place { participant, room: None });
        }
        self.keep(now, Fact::Ended, out);
        self.close_rounds(now, rounds, out);
        self.balances.clear();
        self.totals.clear();
        self.run = None;
        self.hushed.clear();
        self.heard.clear();
        for connection in std::mem::take(&mut self.connections).into_keys() {
            out.push(Output::Send { connection, message: Message::Ended });
            out.push(Output::Close { connection });
        }
        self.all_away(now);
        self.due = Due::default();
        out.push(Output::Finished);
    }

    /// The person speaks since a moment, or no longer than until it.
    fn voice(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        (on, at): (bool, SessionTime),
        out: &mut Vec<Output>,
    ) {
        let Some(room) = self.rooms.room_of(participant) else { return };
        let Some(seat) = self.seats.get_mut(&participant) else { return };
        if seat.speaking == on {
            return;
        }
        seat.speaking = on;
        self.balance_of(room).speaking(participant, on, at);
        self.due.balances.entry(room).or_insert(now + BALANCE_EVERY_MS);
        let listeners = self.connections_in(room).chain(self.facilitators());
        out.extend(listeners.map(|connection| Output::Send {
            connection,
            message: Message::Speaking { participant, on },
        }));
    }

    fn uttered(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        span: Span,
        voice: &[Span],
    ) {
        let Some(room) = self.rooms.room_at(participant, span.start) else { return };
        if !std::mem::replace(&mut self.has_ears, true) {
            self.balances.values_mut().for_each(Balance::has_ears);
        }
        self.balance_of(room).uttered(participant, span, voice);
        self.due.balances.entry(room).or_insert(now + BALANCE_EVERY_MS);
    }

    fn transcribed(
        &mut self,
        now: SessionTime,
        participant: ParticipantId,
        span: Span,
        (language, text, words): (Language, String, Vec<Span>),
        out: &mut Vec<Output>,
    ) {
        let text: String = text.trim().chars().take(SEGMENT_CHARS_MAX).collect();
        let Some(room) = self.on_record_at(participant, span) else { return };
        if text.is_empty() {
            return;
        }
        let words = word_spans(&text, words, span);
        let said = Fact::Said { participant, room, span, language, text: text.clone(), words };
        let heard_as = self.seats.get(&participant).map(|it| it.spoken);
        self.keep(now, said, out);
        let name = self.seats.get(&participant).map(|it| it.name.clone()).unwrap_or_default();
        let caption = Caption { participant, name, span, language, text };
        self.partial_is_over(participant, span);
        self.tell_words(room, span, Message::Caption(caption), out);
        // Who is heard in another language now is shown so.
        if self.seats.get(&participant).map(|it| it.spoken) != heard_as
            && let Some(room) = self.rooms.room_of(participant)
        {
            self.room_changed(now, room, None, out);
        }
    }

    /// The room in which the person was when they began, if their words may be kept.
    fn on_record_at(&self, participant: ParticipantId, span: Span) -> Option<RoomId> {
        let seat = self.seats.get(&participant)?;
        let agreed = seat.consent == Consent::On && seat.agreed_since <= span.start;
        let room = self.rooms.room_at(participant, span.start)?;
        (agreed && self.record.covers(room, span)).then_some(room)
    }

    fn tick(&mut self, now: SessionTime, out: &mut Vec<Output>) {
        if self.ended {
            return;
        }
        let gone: Vec<_> = (self.rooms.people().map(|(id, _)| id))
            .filter(|id| self.grace_end(*id).is_some_and(|end| end <= now))
            .collect();
        gone.into_iter().for_each(|id| self.leave(now, id, out));
        self.tick_method(now, out);
        for room in take_due(&mut self.due.big_rooms, now) {
            self.tell_room(room, None, out);
        }
        for room in take_due(&mut self.due.balances, now) {
            self.tell_balance(now, room, out);
        }
        if self.due.room_balances.is_some_and(|at| at <= now) {
            self.tell_room_balances(now, out);
        }
        if self.due.overview.is_some_and(|at| at <= now) {
            self.due.overview = None;
            let overview = self.overview(now);
            out.extend(self.facilitators().map(|connection| Output::Send {
                connection,
                message: Message::Overview(overview.clone()),
            }));
        }
    }

    fn keep(&mut self, now: SessionTime, fact: Fact, out: &mut Vec<Output>) {
        let shared: Vec<_> = self.talk.sharers().collect();
        self.apply(now, &fact);
        out.push(Output::Keep(fact));
        // Whoever has moved shares no more, and is not to be seen sharing where they come.
        let shares: BTreeSet<_> = self.talk.sharers().collect();
        let ended = shared.into_iter().filter(|it| !shares.contains(it));
        out.extend(ended.map(|participant| Output::Share { participant, on: false }));
    }

    /// The only way lasting state changes; the same for a live fact and for one from the log.
    fn apply(&mut self, at: SessionTime, fact: &Fact) {
        match fact {
            Fact::Joined { participant, name, language, consent, tags } => {
                self.mixing.tags.insert(*participant, tags.clone());
                let before = self.seats.get(participant);
                let agreed_since = match before {
                    Some(before) if before.consent == *consent => before.agreed_since,
                    _ => at,
                };
                let struck_at = before.and_then(|it| it.struck_at);
                let spoken = before.map(|it| it.spoken).filter(|it| it.language() == *language);
                let seat = Seat {
                    name: name.clone(),
                    spoken: spoken.unwrap_or(Spoken::Told(*language)),
                    consent: *consent,
                    agreed_since,
                    struck_at,
                    microphone: false,
                    camera: false,
                    speaking: false,
                    presence: Presence::Away { since: at },
                };
                self.seats.insert(*participant, seat);
            }
            Fact::Placed { participant, room } => {
                self.rooms.put(*participant, *room, at);
                if let Some((run, room)) = self.run.as_mut().zip(*room) {
                    run.comes(*participant, room);
                }
                if let Some(room @ RoomId::Breakout(_)) = *room {
                    let there: Vec<_> = self.rooms.people_in(room).collect();
                    self.met.met_each(*participant, &there);
                }
            }
            Fact::ConsentSet { participant, consent } => {
                if let Some(seat) = self.seats.get_mut(participant) {
                    seat.consent = *consent;
                    seat.agreed_since = at;
                }
            }
            Fact::LanguageSet { participant, spoken } => {
                if let Some(seat) = self.seats.get_mut(participant) {
                    seat.spoken = *spoken;
                }
            }
            Fact::Said { participant, language, .. } => {
                if let Some(seat) = self.seats.get_mut(participant) {
                    seat.spoken = seat.spoken.heard_as(*language);
                }
            }
            Fact::TranscriptionSet { room, on, .. } => self.record.set(*room, *on, at),
            Fact::Struck { participant, .. } => {
                if let Some(seat) = self.seats.get_mut(participant) {
                    seat.agreed_since = seat.agreed_since.max(at);
                }
            }
            Fact::RoomsOpened { count } => {
                self.rooms.open(*count);
                self.record.regrouped(at);
            }
            Fact::Ideas(change) => {
                if let Change::Written { idea, .. } = change {
                    self.last_idea = self.last_idea.max(*idea);
                }
                if let Some(run) = &mut self.run {
                    run.change_ideas(change);
                }
            }
            Fact::GlossarySet { text } => self.glossary.clone_from(text),
            Fact::Ended => self.ended = true,
            Fact::Kept { participants, rule } => self.mixing.keep(*participants, *rule),
            Fact::Pinned { participant, room } => self.mixing.pin(*participant, *room),
            Fact::Opened { .. }
            | Fact::BelongsTo { .. }
            | Fact::Unheard { .. }
            | Fact::Marked { .. }
            | Fact::Collected { .. }
            | Fact::Commented { .. } => (),
            of_method => self.apply_method(at, of_method),
        }
        self.apply_talk(at, fact);
    }
}

/// The spans of the words of a text that may have been cut; none where they do not belong to it.
fn word_spans(text: &str, mut words: Vec<Span>, within: Span) -> Vec<Span> {
    let count = text.split_whitespace().count();
    words.truncate(count);
    let in_order = words.windows(2).all(|it| it[0].end <= it[1].start);
    let inside = words.iter().all(|it| within.covers(*it));
    if words.len() == count && in_order && inside { words } else { Vec::new() }
}

/// Tells of a refusal; a fatal one closes the connection.
fn answer(connection: ConnectionId, result: Result<(), Rejection>, out: &mut Vec<Output>) {
    let Err(rejection) = result else { return };
    out.push(Output::Send { connection, message: Message::Rejected(rejection) });
    if rejection.is_fatal() {
        out.push(Output::Close { connection });
    }
}

/// Takes the rooms out whose time has come.
fn take_due(due: &mut BTreeMap<RoomId, SessionTime>, now: SessionTime) -> BTreeSet<RoomId> {
    let ready: BTreeSet<_> =
        due.iter().filter(|(_, at)| **at <= now).map(|(room, _)| *room).collect();
    due.retain(|room, _| !ready.contains(room));
    ready
}
