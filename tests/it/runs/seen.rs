//! What is seen of a session: what has happened in it, and whether its log tells the same.

use vuoro::domain::{
    fact::Fact,
    ideas::Change,
    ids::{ConnectionId, RoomId},
    limits::RETURN_MS,
    message::{Message, MoveReason, Overview, RoomView, StepView},
    method::Assign,
    mixing::Keep,
    run::Clock,
    session::{Input, Output, Session, Wish},
    talk::Post,
    time::SessionTime,
};

use super::{
    PROBE, Run, Seen,
    oracles::{Checked, ensure},
    steps::rounds_without_repeat,
};

pub const MUST_HAPPEN: &[&str] = &[
    "idea written",
    "ideas combined",
    "idea removed",
    "idea chosen",
    // Ways to make rooms, and the server killed in each.
    "plenary",
    "solo",
    "same",
    "mix",
    "merge",
    "return",
    "travel",
    "carousel",
    "free",
    "seats",
    "crash amid facts",
    "crash in no phase",
    "crash in plenary",
    "crash in solo",
    "crash in same",
    "crash in mix",
    "crash in merge",
    "crash in return",
    "crash in travel",
    "crash in carousel",
    "crash in free",
    "crash in seats",
    // Refusals.
    "bad-method",
    "bad-name",
    "bad-room-count",
    "bad-text",
    "not-allowed",
    "not-now",
    "replaced",
    "room-full",
    "session-ended",
    "session-full",
    "unknown-participant",
    "unknown-room",
    // People.
    "left",
    "left by grace",
    "back in time",
    "back too late",
    "late joiner placed",
    "alone to company",
    "company to alone",
    "moved by themselves",
    "moved by a host",
    "role given late",
    "role refilled",
    "turn passed by absence",
    "turn passed by time",
    "turn passed by wish",
    "turns over early",
    "all ready",
    "seat taken",
    "seat left",
    "wrote",
    "sheet told",
    "typed",
    "sheet written down",
    "scored",
    "post kept",
    "post unasked",
    "post in confidence",
    "posts forgotten",
    "posts told again",
    "broadcast",
    "called",
    "call seen",
    "call ended",
    "call ended by a step",
    "hand lowered by a step",
    "share ended by a step",
    "ranking told",
    "said",
    "not kept",
    // Facilitators.
    "paused",
    "went on",
    "extended",
    "closed early",
    "moved on at once",
    "stopped",
    "another method instead",
    "kept apart",
    "kept together",
    "pinned",
    "ended amid a method",
    // The method, the clock and the log.
    "method ended by itself",
    "untouched to the end",
    "preview agreed",
    "steady rounds",
    "late tick",
    "jump",
    "replay compared",
    "step compared",
    "harvest compared",
    "posts compared",
];

pub fn crash_in(assign: Option<Assign>) -> &'static str {
    match assign {
        None => "crash in no phase",
        Some(it) => names(it)[1],
    }
}

fn names(assign: Assign) -> [&'static str; 2] {
    match assign {
        Assign::Plenary => ["plenary", "crash in plenary"],
        Assign::Solo => ["solo", "crash in solo"],
        Assign::Same => ["same", "crash in same"],
        Assign::Mix => ["mix", "crash in mix"],
        Assign::Merge => ["merge", "crash in merge"],
        Assign::Return => ["return", "crash in return"],
        Assign::Travel => ["travel", "crash in travel"],
        Assign::Carousel => ["carousel", "crash in carousel"],
        Assign::Free => ["free", "crash in free"],
        Assign::Seats => ["seats", "crash in seats"],
    }
}

impl Run {
    /// Counts what an input has brought, by what there was before it.
    pub fn count_before(&mut self, input: &Input, out: &[Output]) {
        let steps = out.iter().find_map(|it| match it {
            Output::Keep(Fact::StepBegan(began)) => began.rooms.clone(),
            _ => None,
        });
        if let Some(rooms) = steps {
            let [calls, hands] = self.world.leave_their_rooms(&rooms);
            let shares = out.iter().any(|it| matches!(it, Output::Share { on: false, .. }));
            for (what, happens) in [
                ("call ended by a step", calls),
                ("hand lowered by a step", hands),
                ("share ended by a step", shares),
            ] {
                if happens {
                    self.saw(what);
                }
            }
        }
        for output in out {
            match output {
                Output::Keep(fact) => self.count_fact(input, fact),
                Output::Send { message, .. } => self.count_message(message),
                _ => (),
            }
        }
        let kept = out.iter().any(|it| matches!(it, Output::Keep(_)));
        match input {
            Input::Transcribed { .. } if !kept => self.saw("not kept"),
            Input::Wish { wish: Wish::End, .. } if kept && self.world.disk.show.is_some() => {
                self.saw("ended amid a method");
            }
            Input::Join { seat: Some(seat), .. } => {
                let known = self.world.disk.people.contains_key(seat);
                let placed = self.world.disk.places.contains_key(seat);
                match (known, placed, self.world.is_present(*seat)) {
                    (true, true, false) => self.saw("back in time"),
                    (true, false, _) => self.saw("back too late"),
                    _ => (),
                }
            }
            _ => (),
        }
    }

    fn count_fact(&mut self, input: &Input, fact: &Fact) {
        let wish = match input {
            Input::Wish { wish, .. } => Some(wish),
            _ => None,
        };
        let comes = matches!(input, Input::Join { .. }) || matches!(wish, Some(Wish::Move { .. }));
        let what = match fact {
            Fact::Placed { room: None, .. } if *input == Input::Tick => "left by grace",
            Fact::Placed { room: None, .. } => "left",
            Fact::StepBegan(began) => {
                let ready = matches!(wish, Some(Wish::SetReady(_)));
                let steady = self.world.planned.as_ref().is_some_and(|it| it.steady);
                let within = began
                    .rooms
                    .as_ref()
                    .is_some_and(|it| usize::from(began.place.of) <= rounds_without_repeat(it));
                if steady && within && 0 < began.place.round {
                    self.saw("steady rounds");
                }
                if ready {
                    self.saw("all ready");
                }
                let show = self.world.disk.show.as_ref();
                let method = match wish {
                    Some(Wish::RunMethod { method, .. }) => Some(&**method),
                    _ => show.map(|it| &*it.method),
                };
                match method.and_then(|it| it.phases.get(usize::from(began.place.phase))) {
                    Some(phase) => names(phase.assign)[0],
                    None => "a step of no method",
                }
            }
            Fact::MethodEnded => match wish {
                Some(Wish::StopMethod) => "stopped",
                Some(Wish::RunMethod { .. }) => "another method instead",
                Some(_) => "method ended by wish",
                None => "method ended by itself",
            },
            Fact::ClockSet { clock } => match (wish, clock) {
                (Some(Wish::Pause(_)), Clock::Paused { .. }) => "paused",
                (Some(Wish::Pause(_)), Clock::Running { .. }) => "went on",
                (Some(Wish::Extend { .. }), _) => "extended",
                (Some(Wish::Next { .. }), _) => "closed early",
                _ => "turns over early",
            },
            Fact::TurnPassed { .. } => match (wish, input) {
                (Some(Wish::PassTurn), _) => "turn passed by wish",
                (Some(Wish::Leave), _) | (_, Input::Disconnected { .. }) => {
                    "turn passed by absence"
                }
                _ => "turn passed by time",
            },
            Fact::Seated { on: true, .. } => "seat taken",
            Fact::Seated { on: false, .. } => "seat left",
            Fact::RoleGiven { .. } if comes => "role given late",
            Fact::RoleGiven { .. } => "role refilled",
            Fact::Wrote { parts, .. } if !parts.is_empty() => "sheet written down",
            Fact::Wrote { .. } => "wrote",
            Fact::Typed { .. } => "typed",
            Fact::Scored { .. } => "scored",
            Fact::Ideas(Change::Written { from, .. }) if from.is_empty() => "idea written",
            Fact::Ideas(Change::Written { .. }) => "ideas combined",
            Fact::Ideas(Change::Removed { .. }) => "idea removed",
            Fact::Ideas(Change::Chosen { .. }) => "idea chosen",
            Fact::Ideas(Change::Voted { .. }) => "voted",
            Fact::Posted { .. } => "post kept",
            Fact::Broadcast { .. } => "broadcast",
            Fact::Called { .. } => "called",
            Fact::CallSeen { .. } => "call seen",
            Fact::CallEnded { .. } => "call ended",
            Fact::Said { .. } => "said",
            Fact::Kept { rule: Keep::Apart, .. } => "kept apart",
            Fact::Kept { rule: Keep::Together, .. } => "kept together",
            Fact::Pinned { room: Some(_), .. } => "pinned",
            _ => return,
        };
        self.saw(what);
        if what != "stopped" && matches!(wish, Some(Wish::Next { at_once: true })) {
            self.saw("moved on at once");
        }
    }

    fn count_message(&mut self, message: &Message) {
        let what = match message {
            Message::Moved(MoveReason::Late) => "late joiner placed",
            Message::Moved(MoveReason::Alone) => "alone to company",
            Message::Moved(MoveReason::Company) => "company to alone",
            Message::Moved(MoveReason::Own) => "moved by themselves",
            Message::Moved(MoveReason::Host) => "moved by a host",
            Message::Sheet(_) => "sheet told",
            Message::Post(it) if !it.kept && self.world.disk.writes_now() => "post unasked",
            Message::Post(it) if !it.kept => "post in confidence",
            Message::Posts(it) if it.is_empty() => "posts forgotten",
            Message::Posts(_) => "posts told again",
            Message::Harvest(it) if !it.ranking.is_empty() => "ranking told",
            Message::Rejected(it) => it.code(),
            _ => return,
        };
        self.saw(what);
    }
}

/// The whole, as the first facilitator sees it who comes. `None`: nobody may look.
pub fn overview_of(session: &mut Session, now: SessionTime) -> Option<Overview> {
    let mut out = vec![];
    session.handle(now, Input::Watch { connection: PROBE }, &mut out);
    overview_in(out)
}

pub fn overview_in(out: Vec<Output>) -> Option<Overview> {
    out.into_iter().find_map(|it| match it {
        Output::Send { message: Message::Overview(overview), .. } => Some(overview),
        _ => None,
    })
}

/// The same rooms and the same step; the clock waits for people to return.
pub fn is_replayed(live: &Overview, restored: &Overview) -> Checked {
    let same = live.rooms.len() == restored.rooms.len()
        && live
            .rooms
            .iter()
            .zip(&restored.rooms)
            .all(|(a, b)| without_pages(a) == without_pages(b));
    ensure(same, "replay", || format!("{:?} instead of {:?}", restored.rooms, live.rooms))?;
    let step = |it: &Overview| it.run.as_ref().map(|it| (it.place, it.clock.paused));
    ensure(step(live) == step(restored), "replay", || {
        format!("{:?} instead of {:?}", restored.run, live.run)
    })?;
    let left = |it: &Overview| it.run.as_ref().and_then(|it| it.clock.left_ms);
    let calls = |it: &Overview| it.calls.clone();
    ensure(calls(live) == calls(restored), "replay", || {
        format!("{:?} instead of {:?}", calls(restored), calls(live))
    })?;
    is_close(left(live), left(restored))
}

fn is_close(live: Option<u64>, restored: Option<u64>) -> Checked {
    let close = match (live, restored) {
        (Some(live), Some(restored)) => live <= restored && restored <= live + RETURN_MS,
        (live, restored) => live == restored,
    };
    ensure(close, "replay", || format!("left {restored:?} instead of {live:?}"))
}

fn without_pages(room: &RoomView) -> RoomView {
    let mut room = room.clone();
    for person in &mut room.people {
        (person.microphone, person.camera, person.present) = (false, false, false);
    }
    (room.hands, room.sharing) = (vec![], None);
    room
}

/// What somebody is told who comes back, by the live session and by one that was restored.
pub fn is_shown_the_same(live: &[Output], restored: &[Output], seen: &mut Seen) -> Checked {
    let room = |it: &[Output]| {
        it.iter().find_map(|it| match it {
            Output::Send { message: Message::Welcome { room, .. }, .. } => {
                Some(without_pages(room))
            }
            _ => None,
        })
    };
    let harvest = |it: &[Output]| {
        it.iter().find_map(|it| match it {
            Output::Send { message: Message::Harvest(it), .. } => Some(it.clone()),
            _ => None,
        })
    };
    ensure(room(live) == room(restored), "replay", || {
        format!("{:?} instead of {:?}", room(restored), room(live))
    })?;
    ensure(harvest(live) == harvest(restored), "replay", || {
        format!("{:?} instead of {:?}", harvest(restored), harvest(live))
    })?;
    let posts = [live, restored].map(kept_posts);
    ensure(posts[0] == posts[1], "replay", || format!("{:?} instead of {:?}", posts[1], posts[0]))?;
    if !posts[0].is_empty() {
        *seen.entry("posts compared").or_insert(0) += 1;
    }
    let steps = [live, restored].map(first_step);
    let clocks = steps.clone().map(|it| it.and_then(|it| it.run.clock.left_ms));
    is_close(clocks[0], clocks[1])?;
    let [one, other] = steps.map(|it| it.map(lasting));
    ensure(one == other, "replay", || format!("{other:?} instead of {one:?}"))?;
    if one.is_some() {
        *seen.entry("step compared").or_insert(0) += 1;
    }
    if harvest(live).is_some() {
        *seen.entry("harvest compared").or_insert(0) += 1;
    }
    Ok(())
}

fn kept_posts(out: &[Output]) -> Vec<Post> {
    let posts = out.iter().find_map(|it| match it {
        Output::Send { message: Message::Posts(it), .. } => Some(it.clone()),
        _ => None,
    });
    posts.unwrap_or_default().into_iter().filter(|it| it.kept).collect()
}

fn first_step(out: &[Output]) -> Option<StepView> {
    out.iter().find_map(|it| match it {
        Output::Send { message: Message::Step(step), .. } => Some(step.clone()),
        _ => None,
    })
}

/// Without what does not outlive the process: who is ready, and the rest of a second.
fn lasting(mut step: StepView) -> StepView {
    (step.run.ready, step.run.ready_of, step.own_ready) = (0, 0, false);
    (step.run.clock.left_ms, step.run.clock.grace_ms) = (None, 0);
    step.turn.iter_mut().for_each(|it| it.left_ms = 0);
    step
}

/// A fact, short.
pub fn kept(output: &Output) -> Option<String> {
    let Output::Keep(fact) = output else { return None };
    Some(match fact {
        Fact::StepBegan(it) => {
            let rooms = it.rooms.as_ref().map(|it| {
                it.iter().map(|it| it.iter().map(|it| it.0).collect::<Vec<_>>()).collect::<Vec<_>>()
            });
            format!("{:?} {:?} {rooms:?}", it.place, it.length_ms)
        }
        Fact::MethodBegan { method, .. } => {
            let phases = method.phases.iter().map(|it| format!("{:?}x{}", it.assign, it.rounds));
            format!("{} begins: {}", method.id, phases.collect::<Vec<_>>().join(" "))
        }
        Fact::Placed { participant, room } => {
            format!("{participant} {}", room.map_or("out".to_owned(), |it: RoomId| it.to_string()))
        }
        other => format!("{other:?}"),
    })
}

/// The page that is told something.
pub fn told(output: &Output) -> Option<ConnectionId> {
    match output {
        Output::Send { connection, .. } => Some(*connection),
        _ => None,
    }
}
