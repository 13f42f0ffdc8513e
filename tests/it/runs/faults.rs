//! Ways to spoil what the session does, to see each oracle fail.

use rand::Rng;
use vuoro::domain::{
    fact::Fact,
    ids::{ParticipantId, RoomId},
    language::Language,
    message::{Message, MoveReason, Overview, PersonView},
    method::Assign,
    run::{Clock, Grouping, StepBegan},
    session::{Input, Output, Wish},
    time::Span,
};

use super::{Run, steps::rounds_without_repeat};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    PersonTwice,
    PersonNowhere,
    PlaceNever,
    RoomsTooFull,
    AloneForGood,
    LateInMain,
    GroupsUneven,
    GroupOfOne,
    MergeTorn,
    ReturnElsewhere,
    HostTravels,
    StepTooSoon,
    StepNeverEnds,
    StepSkipped,
    StepTooShort,
    ClockWrong,
    TicksLate,
    TickNever,
    TurnStays,
    LogLosesWords,
    LogLosesRole,
    LogLosesMove,
    LogLosesClock,
    HushNever,
    UnhushNever,
    FloorUntold,
    ListenOffNever,
    SaidInConfidence,
    StepUntold,
    RoleUntold,
    RoomUntold,
    MethodUntold,
    OverviewUntold,
    KeepLast,
    SamePeopleAgain,
    PreviewOther,
    SendToClosed,
    FinishedNever,
    LeftUndone,
    HandStays,
    ShareGoesAlong,
    CallUnseen,
    LogLosesCall,
    LogLosesPost,
    PostedInConfidence,
    PostsNotForgotten,
}

/// Each with the oracle that must see it.
pub const FAULTS: &[(Fault, &str)] = &[
    (Fault::PersonTwice, "one room each"),
    (Fault::PersonNowhere, "one room each"),
    (Fault::PlaceNever, "one room each"),
    (Fault::RoomsTooFull, "sizes"),
    (Fault::AloneForGood, "never alone"),
    (Fault::LateInMain, "late ones"),
    (Fault::GroupsUneven, "sizes"),
    (Fault::GroupOfOne, "sizes"),
    (Fault::MergeTorn, "old rooms together"),
    (Fault::ReturnElsewhere, "rooms again"),
    (Fault::HostTravels, "hosts stay"),
    (Fault::StepTooSoon, "not too soon"),
    (Fault::StepNeverEnds, "ends in time"),
    (Fault::StepSkipped, "order"),
    (Fault::StepTooShort, "length"),
    (Fault::ClockWrong, "clock"),
    (Fault::TicksLate, "whole length"),
    (Fault::TickNever, "timeout"),
    (Fault::TurnStays, "turns"),
    (Fault::LogLosesWords, "replay"),
    (Fault::LogLosesRole, "replay"),
    (Fault::LogLosesMove, "replay"),
    (Fault::LogLosesClock, "replay"),
    (Fault::HushNever, "floor"),
    (Fault::UnhushNever, "floor"),
    (Fault::FloorUntold, "floor"),
    (Fault::ListenOffNever, "ears"),
    (Fault::SaidInConfidence, "confidence"),
    (Fault::StepUntold, "screens"),
    (Fault::RoleUntold, "screens"),
    (Fault::RoomUntold, "screens"),
    (Fault::MethodUntold, "screens"),
    (Fault::OverviewUntold, "screens"),
    (Fault::KeepLast, "kept before told"),
    (Fault::SamePeopleAgain, "repeats"),
    (Fault::PreviewOther, "preview"),
    (Fault::SendToClosed, "closed"),
    (Fault::FinishedNever, "finished"),
    (Fault::LeftUndone, "done at once"),
    (Fault::HandStays, "beside"),
    (Fault::ShareGoesAlong, "beside"),
    (Fault::CallUnseen, "beside"),
    (Fault::LogLosesCall, "replay"),
    (Fault::LogLosesPost, "replay"),
    (Fault::PostedInConfidence, "confidence"),
    (Fault::PostsNotForgotten, "forgotten"),
];

impl Run {
    /// What the session is not told.
    pub fn is_unheard(&self, input: &Input) -> bool {
        let why = self.session.poll_timeout().map(|it| it.1);
        match self.fault {
            Some(Fault::TickNever) => *input == Input::Tick,
            Some(Fault::StepNeverEnds) => *input == Input::Tick && why == Some("a step ends"),
            _ => false,
        }
    }

    /// What the session is told without anybody having wished it.
    pub fn spoil_input(&mut self, input: &Input, out: &mut Vec<Output>) {
        if self.fault != Some(Fault::StepTooSoon) || *input != Input::Tick || !self.one_in(20) {
            return;
        }
        let at_once = Wish::Next { at_once: true };
        if let Some(connection) = self.world.hosts.first().copied() {
            self.session.handle(self.now, Input::Wish { connection, wish: at_once }, out);
        }
    }

    /// What comes only when somebody looks.
    pub fn spoil_probe(&mut self, out: &mut Vec<Output>) {
        if self.fault == Some(Fault::LeftUndone) && self.one_in(100) {
            out.insert(0, Output::Keep(Fact::MethodEnded));
        }
    }

    /// What is not written into the log, though the disk had it.
    pub fn is_lost(&mut self, fact: &Fact) -> bool {
        let loses = match self.fault {
            Some(Fault::LogLosesWords) => matches!(fact, Fact::Wrote { .. }),
            Some(Fault::LogLosesRole) => {
                matches!(fact, Fact::RoleGiven { .. } | Fact::Seated { .. })
            }
            Some(Fault::LogLosesMove) => matches!(fact, Fact::Placed { room: Some(_), .. }),
            Some(Fault::LogLosesCall) => matches!(fact, Fact::Called { .. }),
            Some(Fault::LogLosesPost) => matches!(fact, Fact::Posted { .. }),
            Some(Fault::LogLosesClock) => matches!(fact, Fact::ClockSet { .. }),
            _ => false,
        };
        loses && self.one_in(4)
    }

    pub fn spoil_overview(&self, overview: &mut Overview) {
        let [first, .., last] = &mut overview.rooms[..] else { return };
        match self.fault {
            Some(Fault::PersonTwice) => last.people.extend(first.people.first().cloned()),
            Some(Fault::PersonNowhere) => _ = last.people.pop(),
            Some(Fault::HandStays) => last.hands.extend(first.hands.first().copied()),
            Some(Fault::CallUnseen) => first.calls.iter_mut().for_each(|it| it.seen = false),
            _ => (),
        }
    }

    pub fn spoil(&mut self, out: &mut Vec<Output>) {
        let Some(fault) = self.fault else { return };
        self.spoil_steps(fault, out);
        self.spoil_facts(fault, out);
        self.spoil_doings(fault, out);
        self.spoil_told(fault, out);
    }

    fn spoil_steps(&mut self, fault: Fault, out: &mut [Output]) {
        let methods = out.iter().find_map(|it| match it {
            Output::Keep(Fact::MethodBegan { method, .. }) => Some(method.clone()),
            _ => None,
        });
        let shown = || self.world.disk.show.as_ref().map(|it| it.method.clone());
        let Some(method) = methods.or_else(shown) else { return };
        for output in out {
            let Output::Keep(Fact::StepBegan(began)) = output else { continue };
            let assign = method.phases[usize::from(began.place.phase)].assign;
            match fault {
                Fault::StepSkipped if 0 < began.place.phase => began.place.phase -= 1,
                Fault::StepTooShort => {
                    began.length_ms.iter_mut().for_each(|it| *it /= 2);
                }
                Fault::SamePeopleAgain => self.seat_as_before(began),
                _ => (),
            }
            if let Some(rooms) = &mut began.rooms {
                spoil_groups(fault, assign, rooms, |it| {
                    self.world.disk.show.as_ref().is_some_and(|show| show.stays(it))
                });
            }
        }
    }

    fn seat_as_before(&self, began: &mut StepBegan) {
        let show = self.world.disk.show.as_ref();
        let before = show.and_then(|it| it.made.get(&began.place.phase));
        let counted = self.world.counted(self.now);
        let steady = self.world.planned.as_ref().is_some_and(|it| it.is_steady(&counted));
        if let Some(before) = before.filter(|_| steady && 0 < began.place.round) {
            let within = usize::from(began.place.of) <= rounds_without_repeat(before);
            began.rooms = if within { Some(before.clone()) } else { began.rooms.take() };
        }
    }

    fn spoil_facts(&mut self, fault: Fault, out: &mut Vec<Output>) {
        match fault {
            Fault::AloneForGood => {
                let comes = |it: &Output| {
                    let Output::Send { message: Message::Moved(why), .. } = it else {
                        return false;
                    };
                    matches!(why, MoveReason::Alone | MoveReason::Company)
                };
                let put =
                    |it: &Output| matches!(it, Output::Keep(Fact::Placed { room: Some(_), .. }));
                if let Some(moved) = out.iter().position(comes)
                    && let Some(put) = out[..moved].iter().rposition(put)
                {
                    out.truncate(put);
                }
            }
            Fault::LateInMain => self.stay_in_main(out),
            Fault::ClockWrong => {
                for output in out {
                    if let Output::Keep(Fact::ClockSet {
                        clock: Clock::Running { ends: Some(ends) },
                    }) = output
                    {
                        *ends = *ends + 1;
                    }
                }
            }
            Fault::TurnStays => {
                let passed = |it: &Output| matches!(it, Output::Keep(Fact::TurnPassed { .. }));
                out.truncate(out.iter().position(passed).unwrap_or(out.len()));
            }
            Fault::SaidInConfidence => {
                let speaker = self.world.disk.people.keys().next().copied();
                let open = !self.world.disk.writes_now() && self.one_in(20);
                if let Some(participant) = speaker.filter(|_| open) {
                    out.push(Output::Keep(Fact::Said {
                        participant,
                        room: RoomId::Main,
                        span: Span::new(self.now - 1, self.now + 1),
                        language: Language::Finnish,
                        text: "A secret.".to_owned(),
                        words: vec![],
                    }));
                }
            }
            Fault::PostedInConfidence => {
                let unkept = out.iter().find_map(|it| match it {
                    Output::Send { message: Message::Post(it), .. } if !it.kept => {
                        Some((it.by?, it.text.clone()))
                    }
                    _ => None,
                });
                if let Some((participant, text)) = unkept {
                    let room = self.world.disk.places[&participant];
                    out.push(Output::Keep(Fact::Posted { participant, room, text }));
                }
            }
            Fault::KeepLast => out.sort_by_key(|it| matches!(it, Output::Keep(_))),
            _ => (),
        }
    }

    /// Whoever comes late is shown to the main room, in facts, media and messages.
    fn stay_in_main(&self, out: &mut Vec<Output>) {
        let late = |it: &Output| {
            matches!(it, Output::Send { message: Message::Moved(MoveReason::Late), .. })
        };
        if !out.iter().any(late) {
            return;
        }
        out.retain(|it| !matches!(it, Output::Send { message: Message::Room(_), .. }));
        for output in out {
            match output {
                Output::Keep(Fact::Placed { room, .. }) | Output::Place { room, .. } => {
                    *room = Some(RoomId::Main);
                }
                Output::Send { message: Message::Welcome { you, room, .. }, .. } => {
                    room.room = RoomId::Main;
                    room.people.retain(|it| it.participant == *you);
                    let others = self.world.disk.people_in(RoomId::Main);
                    room.people.extend(others.filter(|it| it != you).map(|it| self.view(it)));
                    room.people.sort_by_key(|it| it.participant);
                }
                _ => (),
            }
        }
    }

    fn view(&self, participant: ParticipantId) -> PersonView {
        let (name, consent) = self.world.disk.people[&participant].clone();
        PersonView {
            participant,
            name,
            language: Language::Finnish,
            by_ear: false,
            consent,
            microphone: false,
            camera: false,
            present: true,
        }
    }

    fn spoil_doings(&mut self, fault: Fault, out: &mut Vec<Output>) {
        match fault {
            Fault::PlaceNever => out
                .retain(|it| !matches!(it, Output::Place { room: Some(RoomId::Breakout(_)), .. })),
            Fault::HushNever => out.retain(|it| !matches!(it, Output::Hush { on: true, .. })),
            Fault::UnhushNever => out.retain(|it| !matches!(it, Output::Hush { on: false, .. })),
            Fault::ListenOffNever => {
                out.retain(|it| !matches!(it, Output::Listen { on: false, .. }));
            }
            Fault::FinishedNever => out.retain(|it| *it != Output::Finished),
            Fault::ShareGoesAlong => {
                out.retain(|it| !matches!(it, Output::Share { on: false, .. }));
            }
            Fault::SendToClosed => {
                if let Some(Output::Close { connection }) = out.last().cloned() {
                    out.push(Output::Send { connection, message: Message::Ended });
                }
            }
            _ => (),
        }
    }

    fn spoil_told(&mut self, fault: Fault, out: &mut Vec<Output>) {
        let dice = &mut self.dice;
        let mut without = |drops: fn(&Message) -> bool, one_in: u32| {
            out.retain(|it| match it {
                Output::Send { message, .. } => !drops(message) || !dice.random_ratio(1, one_in),
                _ => true,
            });
        };
        match fault {
            Fault::StepUntold => without(|it| matches!(it, Message::Step(_)), 3),
            Fault::PostsNotForgotten => {
                without(|it| matches!(it, Message::Posts(it) if it.is_empty()), 1);
            }
            Fault::RoomUntold => without(|it| matches!(it, Message::Room(_)), 3),
            Fault::MethodUntold => without(|it| matches!(it, Message::Method(Some(_))), 2),
            Fault::OverviewUntold => without(|it| matches!(it, Message::Overview(_)), 2),
            Fault::RoleUntold => {
                let given = out.iter().any(|it| matches!(it, Output::Keep(Fact::RoleGiven { .. })));
                if given {
                    out.retain(|it| !matches!(it, Output::Send { message: Message::Step(_), .. }));
                }
            }
            Fault::FloorUntold => {
                for output in out {
                    if let Output::Send { message: Message::Step(step), .. } = output {
                        step.may_speak = true;
                    }
                }
            }
            _ => (),
        }
    }
}

fn spoil_groups(
    fault: Fault,
    assign: Assign,
    rooms: &mut Grouping,
    stays: impl Fn(ParticipantId) -> bool,
) {
    if rooms.len() < 2 {
        return;
    }
    match (fault, assign) {
        (Fault::RoomsTooFull, Assign::Mix) if 8 < rooms.iter().flatten().count() => {
            let all = std::mem::take(rooms);
            rooms.push(all.into_iter().flatten().collect());
        }
        (Fault::GroupsUneven, Assign::Mix) if 3 < rooms[1].len() => {
            let moved = rooms[1].pop();
            rooms[0].extend(moved);
        }
        (Fault::GroupOfOne, Assign::Mix) => rooms[0].truncate(1),
        (Fault::MergeTorn, Assign::Merge) => swap(rooms, |_| true),
        (Fault::ReturnElsewhere, Assign::Return) => rooms.rotate_left(1),
        (Fault::HostTravels, Assign::Travel | Assign::Carousel) => swap(rooms, stays),
        _ => (),
    }
}

/// Two people of the first two rooms change places, the first of them such a one.
fn swap(rooms: &mut Grouping, who: impl Fn(ParticipantId) -> bool) {
    let [one, other, ..] = &mut rooms[..] else { return };
    let at = one.iter().position(|it| who(*it));
    if let (Some(at), Some(last)) = (at, other.last_mut()) {
        std::mem::swap(&mut one[at], last);
    }
}
