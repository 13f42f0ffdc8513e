//! What people and facilitators do, sensible or not, as dice have it.

use std::collections::BTreeMap;

use rand::Rng;
use vuoro::domain::{
    fact::{Consent, GapReason},
    ideas::{Command, IdeaId},
    ids::{ConnectionId, ParticipantId, RoomId},
    language::Language,
    limits::{BREAKOUT_ROOMS_MAX, QUESTION_CHARS_MAX, TOPICS_MAX, WATCHERS_MAX, WRITTEN_CHARS_MAX},
    method::{Advance, Assign, Harvest},
    mixing::Keep,
    run::RunOptions,
    session::{Input, Wish},
    spoken::Spoken,
    talk::Reaction,
    time::Span,
};

use super::{Mood, Run, invented, oracles::Checked};

/// One invented person, on a page or not.
#[derive(Clone, Debug, Default)]
pub struct Soul {
    pub seat: Option<ParticipantId>,
    pub page: Option<ConnectionId>,
    pub tags: BTreeMap<String, String>,
}

impl Run {
    pub fn act(&mut self) -> Checked {
        if self.mood == Mood::Wild && self.one_in(60) {
            return self.jump();
        }
        if self.one_in(35) {
            return if self.one_in(3) { self.crash_amid() } else { self.crash() };
        }
        if self.one_in(4) {
            return self.act_as_host();
        }
        if self.one_in(8) {
            return self.act_together();
        }
        let index = self.dice.random_range(0..self.souls.len());
        match (self.souls[index].seat, self.souls[index].page) {
            (Some(seat), Some(page)) => self.act_as(index, seat, page),
            _ if self.mood == Mood::Steady => Ok(()),
            _ => self.join(index),
        }
    }

    fn act_as(&mut self, index: usize, seat: ParticipantId, page: ConnectionId) -> Checked {
        let wild = self.mood == Mood::Wild;
        let wish = match self.dice.random_range(0..100) {
            0..10 if wild => return self.step(Input::Disconnected { connection: page }),
            10..13 if wild => Wish::Leave,
            13..16 if wild => return self.reload(index),
            16..20 => Wish::SetConsent(self.consent()),
            20..23 => Wish::SetMicrophone(self.one_in(2)),
            23..25 => Wish::SetCamera(self.one_in(2)),
            25..32 => return self.speak(seat),
            32..34 => return self.step(Input::Watch { connection: page }),
            34..36 => Wish::Next { at_once: true },
            36..37 => return self.late_wish(),
            37..45 => self.any_wish(),
            _ => match self.fitting_wish(seat) {
                Some((page, wish)) => return self.wish(page, wish),
                None => return Ok(()),
            },
        };
        self.wish(page, wish)
    }

    fn wish(&mut self, connection: ConnectionId, wish: Wish) -> Checked {
        self.step(Input::Wish { connection, wish })
    }

    /// What the phase asks for, of the person, or of whoever has the turn in their room.
    fn fitting_wish(&mut self, seat: ParticipantId) -> Option<(ConnectionId, Wish)> {
        let phase = self.world.disk.phase()?.clone();
        let room = *self.world.disk.places.get(&seat)?;
        let own = *self.world.page_of.get(&seat)?;
        let turns = &self.world.disk.show.as_ref()?.turns;
        let holder = turns.get(&room).and_then(|it| it.holder);
        let mut wishes = vec![];
        if phase.advance == Advance::Ready {
            wishes.push((own, Wish::SetReady(!self.one_in(6))));
        }
        if let Some(page) = holder.and_then(|it| self.world.page_of.get(&it)) {
            wishes.push((*page, Wish::PassTurn));
        }
        match phase.assign {
            Assign::Seats => wishes.push((own, Wish::SetSeated(!self.one_in(4)))),
            Assign::Free => wishes.push((own, Wish::GoTo { room: self.room() })),
            _ => (),
        }
        match phase.harvest {
            Harvest::Speech => (),
            Harvest::Score => wishes.push((own, Wish::Score(self.dice.random_range(1..=5)))),
            Harvest::Ideas | Harvest::Votes => {
                let command = self.idea_command(phase.harvest);
                wishes.push((own, Wish::Ideas(command)));
            }
            Harvest::Line if !self.one_in(4) => {
                let (at, words) = (self.dice.random_range(0..20), self.text());
                wishes.extend(self.world.types(own, at, &words).map(|it| (own, it)));
            }
            _ => wishes.push((own, Wish::Write { text: self.text(), at: None })),
        }
        let at = self.dice.random_range(0..wishes.len().max(1));
        wishes.into_iter().nth(at)
    }

    /// Ideas have low numbers, so that one that is guessed is often there.
    fn idea_command(&mut self, harvest: Harvest) -> Command {
        let idea = IdeaId(self.dice.random_range(1..30));
        if harvest == Harvest::Votes {
            return Command::Vote { idea, votes: self.dice.random_range(0..3) };
        }
        match self.dice.random_range(0..8) {
            0..3 => Command::Write { idea: None, text: "an idea".to_owned() },
            3 => Command::Write { idea: Some(idea), text: "a better one".to_owned() },
            4 => Command::Remove { idea },
            5 => Command::Choose { idea, on: !self.one_in(4) },
            _ => {
                let other = IdeaId(self.dice.random_range(1..30));
                Command::Combine { ideas: vec![idea, other], text: "both".to_owned() }
            }
        }
    }

    /// What seldom fits.
    fn any_wish(&mut self) -> Wish {
        match self.dice.random_range(0..7) {
            0 => Wish::SetReady(self.one_in(2)),
            1 => Wish::PassTurn,
            2 => Wish::SetSeated(self.one_in(2)),
            3 => Wish::GoTo { room: self.room() },
            4 => Wish::Write { text: self.text(), at: None },
            5 => Wish::Score(self.dice.random_range(0..8)),
            _ => Wish::End,
        }
    }

    /// Everybody does what the phase asks: is ready, writes a card, scores, takes their turn.
    fn act_together(&mut self) -> Checked {
        let Some(phase) = self.world.disk.phase().cloned() else { return Ok(()) };
        let pages: Vec<_> = self.world.page_of.values().copied().collect();
        for connection in pages {
            let wish = match (phase.advance, phase.harvest) {
                (_, Harvest::Card) if !self.one_in(3) => {
                    Wish::Write { text: self.text(), at: None }
                }
                (_, Harvest::Score) => Wish::Score(self.dice.random_range(1..=5)),
                (_, Harvest::Ideas | Harvest::Votes) => {
                    Wish::Ideas(self.idea_command(phase.harvest))
                }
                (Advance::Ready, _) => Wish::SetReady(true),
                _ => Wish::PassTurn,
            };
            self.wish(connection, wish)?;
            let pause_ms = self.dice.random_range(0..300);
            self.wait(pause_ms)?;
        }
        Ok(())
    }

    pub fn join(&mut self, index: usize) -> Checked {
        let connection = self.new_page();
        let seat = match self.dice.random_range(0..20) {
            0 if self.mood == Mood::Wild => None,
            _ => self.souls[index].seat,
        };
        let name = match self.dice.random_range(0..60) {
            0 => " ".to_owned(),
            _ => format!("Soul {index}"),
        };
        self.enter(index, connection, seat, name)
    }

    pub fn enter(
        &mut self,
        index: usize,
        connection: ConnectionId,
        seat: Option<ParticipantId>,
        name: String,
    ) -> Checked {
        let consent = self.consent();
        let old = self.souls[index].page.replace(connection);
        let tags = self.souls[index].tags.clone();
        let language = Language::ALL[index % 3];
        let spoken = Spoken::Told(language);
        self.step(Input::Join { connection, seat, name, spoken, consent, tags })?;
        if self.world.owner(connection).is_none() {
            self.souls[index].page = old;
        }
        Ok(())
    }

    /// A wish that was under way when its page was closed.
    fn late_wish(&mut self) -> Checked {
        let Some(connection) = self.gone else { return Ok(()) };
        self.wish(connection, Wish::SetReady(true))
    }

    /// Is heard for a while; then it is found, and sooner or later written down.
    fn speak(&mut self, participant: ParticipantId) -> Checked {
        let said_ms = self.dice.random_range(100..15_000);
        let (from, until) = (self.now, self.now + said_ms);
        let span = Span::new(from, until);
        let written_at = until + self.dice.random_range(0..20_000);
        self.utterances += 1;
        let number = self.utterances;
        let words = match self.dice.random_range(0..8) {
            0 => Input::Unheard { participant, span, reason: GapReason::Backlog },
            _ => {
                let text = format!("Words {number}.");
                Input::Transcribed {
                    participant,
                    span,
                    language: Language::Finnish,
                    text,
                    words: vec![],
                }
            }
        };
        self.speech.insert((until, number * 3), Input::Voice { participant, on: false });
        self.speech.insert(
            (until, number * 3 + 1),
            Input::Uttered { participant, span, voice: vec![span] },
        );
        self.speech.insert((written_at, number * 3 + 2), words);
        self.step(Input::Voice { participant, on: true })
    }

    fn room(&mut self) -> RoomId {
        match self.dice.random_range(0..10) {
            0..2 => RoomId::Main,
            2..6 => RoomId::Breakout(1),
            _ => RoomId::Breakout(self.dice.random_range(0..self.world.disk.breakouts + 2)),
        }
    }

    fn text(&mut self) -> String {
        match self.dice.random_range(0..20) {
            0 => String::new(),
            1 => "x".repeat(WRITTEN_CHARS_MAX + 1),
            _ => format!("Text {}", self.dice.random_range(0..1_000)),
        }
    }

    fn consent(&mut self) -> Consent {
        match self.dice.random_range(0..10) {
            0 => Consent::Declined,
            1 => Consent::OffTheRecord,
            _ => Consent::On,
        }
    }
}

/// Beside speaking.
impl Run {
    pub fn talk(&mut self) -> Checked {
        if self.one_in(5) {
            return self.attend();
        }
        let pages: Vec<_> = self.world.page_of.values().copied().collect();
        let Some(page) = pages.get(self.dice.random_range(0..pages.len().max(1))).copied() else {
            return Ok(());
        };
        let wish = match self.dice.random_range(0..10) {
            0..3 => Wish::RaiseHand(!self.one_in(4)),
            3 => Wish::React(Reaction::ALL[self.dice.random_range(0..Reaction::ALL.len())]),
            4..7 => Wish::Post { text: self.text() },
            7..9 => Wish::Call(!self.one_in(4)),
            _ => Wish::Share(!self.one_in(4)),
        };
        self.wish(page, wish)
    }

    fn attend(&mut self) -> Checked {
        let Some(host) = self.world.hosts.last().copied() else { return Ok(()) };
        let caller = self.world.disk.calls.keys().next().copied();
        let participant = caller.filter(|_| !self.one_in(5)).unwrap_or_else(|| self.anybody());
        let wish = match self.dice.random_range(0..8) {
            0..2 => Wish::Broadcast { text: self.text() },
            2..4 => Wish::SeeCall { participant },
            4 => Wish::EndCall { participant },
            5..7 => Wish::LowerHand { participant: self.anybody() },
            _ => Wish::EndShare { participant: self.anybody() },
        };
        self.wish(host, wish)
    }
}

/// Facilitators.
impl Run {
    pub fn act_as_host(&mut self) -> Checked {
        let host = self.world.hosts.last().copied();
        let Some(host) = host.filter(|_| !self.one_in(40)) else {
            let connection = self.new_page();
            return self.step(Input::Watch { connection });
        };
        if self.world.disk.show.is_none() && self.one_in(2) {
            return self.run_method(host);
        }
        let wild = self.mood == Mood::Wild;
        let wish = match self.dice.random_range(0..100) {
            0..4 => return self.step(Input::Disconnected { connection: host }),
            4..6 => return self.run_method(host),
            6..9 => self.wrong_method(),
            9..34 => Wish::Next { at_once: self.one_in(2) },
            34..42 => Wish::Pause(true),
            42..56 => Wish::Pause(false),
            56..60 => Wish::Extend { ms: self.extension_ms() },
            60..61 => Wish::StopMethod,
            61..72 if wild => Wish::Move { participant: self.anybody(), room: self.room() },
            72..76 if wild => self.keep_wish(),
            76..79 if wild => Wish::Pin { participant: self.anybody(), on: !self.one_in(3) },
            79..81 => Wish::OpenRooms { count: self.dice.random_range(0..5) },
            81..82 | 86..90 => Wish::OpenRooms { count: BREAKOUT_ROOMS_MAX + 1 },
            82..83 if wild => return self.crowd_of_hosts(),
            83..84 if wild => return self.crowd_one_room(host),
            84..85 if self.one_in(4) => Wish::End,
            85..86 => Wish::SetReady(true),
            _ => return Ok(()),
        };
        self.wish(host, wish)
    }

    pub fn run_method(&mut self, connection: ConnectionId) -> Checked {
        let waits = self.mood != Mood::Untouched;
        let product = invented::of_the_product();
        let method = match self.one_in(2) {
            _ if self.souls.len() == 10 && self.one_in(2) => invented::of_eights(),
            true => product[self.dice.random_range(0..product.len())].clone(),
            false => invented::invented(&mut self.dice, waits),
        };
        let count = if self.one_in(2) { 0 } else { self.dice.random_range(1..6) };
        let options = RunOptions {
            question: "What next?".to_owned(),
            topics: (0..count).map(|it| format!("Topic {it}")).collect(),
            warn_ms: 60_000,
            seed: self.dice.random(),
        };
        self.wish(connection, Wish::RunMethod { method: method.into(), options })
    }

    fn wrong_method(&mut self) -> Wish {
        let mut method = invented::called("world-cafe");
        let mut options = RunOptions::default();
        match self.dice.random_range(0..4) {
            0 => method.phases.clear(),
            1 => options.question = "x".repeat(QUESTION_CHARS_MAX + 1),
            2 => options.topics = vec!["t".to_owned(); TOPICS_MAX + 1],
            _ => options.topics = vec![" ".to_owned()],
        }
        Wish::RunMethod { method: method.into(), options }
    }

    fn extension_ms(&mut self) -> u64 {
        match self.dice.random_range(0..8) {
            0 => 0,
            1 => u64::MAX,
            2 => 12 * 3_600_000,
            _ => self.dice.random_range(1_000..600_000),
        }
    }

    fn keep_wish(&mut self) -> Wish {
        let rule = [Keep::Apart, Keep::Together, Keep::AsItComes][self.dice.random_range(0..3)];
        Wish::Keep { participants: [self.anybody(), self.anybody()], rule }
    }

    fn anybody(&mut self) -> ParticipantId {
        ParticipantId(self.dice.random_range(1..self.world.disk.people.len() as u32 + 3))
    }

    /// More facilitators than may follow; then most go again.
    fn crowd_of_hosts(&mut self) -> Checked {
        let pages: Vec<_> = (0..=WATCHERS_MAX).map(|_| self.new_page()).collect();
        for connection in &pages {
            self.step(Input::Watch { connection: *connection })?;
        }
        for connection in &pages[1..] {
            self.step(Input::Disconnected { connection: *connection })?;
        }
        Ok(())
    }

    /// One after the other into one room, until it is full.
    fn crowd_one_room(&mut self, connection: ConnectionId) -> Checked {
        for participant in self.world.disk.places.keys().copied().take(10).collect::<Vec<_>>() {
            let room = RoomId::Breakout(1);
            self.wish(connection, Wish::Move { participant, room })?;
        }
        Ok(())
    }
}
