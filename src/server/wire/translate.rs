//! From the words of the house to those on the wire, and back. No word is decided here: each has one on
//! the other side, and what has none does not compile.

use super::{
    Mids, SendMids, ServerMessage, WireCall, WireCaption, WireCard, WireConsent, WireIdea,
    WireKeep, WireKept, WireLanguage, WireLine, WireMark, WireMoveReason, WireName, WirePerson,
    WirePost, WireReaction, WireRelays, WireRoom, WireRoomBalance, WireRun, WireSource, WireStage,
    WireStep, WireTurn, WireVote, WireWaiting, WireWanted, WireWriting,
};
use crate::{
    app::session_task::Offer,
    domain::{
        consent::Writing,
        fact,
        ideas::{IdeaId, IdeaView, IdeasView, SourceView, Stage, Tally},
        ids::ParticipantId,
        language::Language,
        mark::Mark,
        message::{
            BalanceView, CallView, Caption, ClockView, HarvestView, MethodView, MoveReason,
            OwnTotal, PersonView, RankedCard, RoomBalance, RoomView, RoundView, RunView, StepView,
            WaitingView,
        },
        mixing::Keep,
        talk::{Post, Reaction},
        time::SessionTime,
        view,
    },
};

impl From<WireLanguage> for Language {
    fn from(it: WireLanguage) -> Language {
        match it {
            WireLanguage::Finnish => Language::Finnish,
            WireLanguage::Swedish => Language::Swedish,
            WireLanguage::English => Language::English,
        }
    }
}

impl From<Language> for WireLanguage {
    fn from(it: Language) -> WireLanguage {
        match it {
            Language::Finnish => WireLanguage::Finnish,
            Language::Swedish => WireLanguage::Swedish,
            Language::English => WireLanguage::English,
        }
    }
}

impl From<WireConsent> for fact::Consent {
    fn from(it: WireConsent) -> fact::Consent {
        match it {
            WireConsent::On => fact::Consent::On,
            WireConsent::OffTheRecord => fact::Consent::OffTheRecord,
            WireConsent::Declined => fact::Consent::Declined,
        }
    }
}

impl From<fact::Consent> for WireConsent {
    fn from(it: fact::Consent) -> WireConsent {
        match it {
            fact::Consent::On => WireConsent::On,
            fact::Consent::OffTheRecord => WireConsent::OffTheRecord,
            fact::Consent::Declined => WireConsent::Declined,
        }
    }
}

impl From<Writing> for WireWriting {
    fn from(it: Writing) -> WireWriting {
        match it {
            Writing::On => WireWriting::On,
            Writing::OffByMethod => WireWriting::OffByMethod,
            Writing::OffByHost => WireWriting::OffByHost,
            Writing::OffByRoom => WireWriting::OffByRoom,
        }
    }
}

impl From<RoomBalance> for WireRoomBalance {
    fn from(it: RoomBalance) -> WireRoomBalance {
        WireRoomBalance {
            room: it.room.to_string(),
            people: it.people,
            heard: it.heard,
            effective_voices: it.effective_voices,
            evenness: it.evenness,
            turns: it.turns,
            turn_variance: it.turn_variance,
            mix: it.mix,
            overlap: it.overlap,
            backchannels: it.backchannels,
            interruptions: it.interruptions.successful + it.interruptions.unsuccessful,
        }
    }
}

impl From<RoundView> for ServerMessage {
    fn from(it: RoundView) -> ServerMessage {
        let lasted_ms = wire_ms_of(it.lasted_ms);
        ServerMessage::Round { lasted_ms, shares: it.shares, balance: it.room.into() }
    }
}

impl From<OwnTotal> for ServerMessage {
    fn from(it: OwnTotal) -> ServerMessage {
        ServerMessage::Own {
            talk_ms: wire_ms_of(it.talk_ms),
            turns: it.turns,
            backchannels: it.backchannels,
            people_heard: it.people_heard,
            rounds: it.rounds,
        }
    }
}

impl From<WireWanted> for view::Wanted {
    fn from(it: WireWanted) -> view::Wanted {
        match it {
            WireWanted::Nothing => view::Wanted::Nothing,
            WireWanted::Small => view::Wanted::Small,
            WireWanted::Medium => view::Wanted::Medium,
            WireWanted::Large => view::Wanted::Large,
        }
    }
}

impl From<RoomView> for WireRoom {
    fn from(it: RoomView) -> Self {
        let people = it.people.into_iter().map(WirePerson::from).collect();
        let call = |it: CallView| WireCall { participant: it.by.0, seen: it.seen };
        WireRoom {
            room: it.room.to_string(),
            people,
            writing: it.writing.into(),
            hands: it.hands.into_iter().map(|it| it.0).collect(),
            sharing: it.sharing.map(|it| it.0),
            calls: it.calls.into_iter().map(call).collect(),
            followed: it.followed,
        }
    }
}

impl From<WaitingView> for WireWaiting {
    fn from(it: WaitingView) -> Self {
        WireWaiting {
            participant: it.by.0,
            room: it.room.to_string(),
            waited_ms: wire_ms_of(it.waited_ms),
            seen: it.seen,
        }
    }
}

impl From<Post> for WirePost {
    fn from(it: Post) -> Self {
        WirePost {
            participant: it.by.map(|it| it.0),
            name: it.name,
            at_ms: wire_ms(it.at),
            text: it.text,
            kept: it.kept,
        }
    }
}

impl From<WireReaction> for Reaction {
    fn from(it: WireReaction) -> Reaction {
        match it {
            WireReaction::Clap => Reaction::Clap,
            WireReaction::Heart => Reaction::Heart,
            WireReaction::Laugh => Reaction::Laugh,
            WireReaction::Wonder => Reaction::Wonder,
            WireReaction::ThumbsUp => Reaction::ThumbsUp,
        }
    }
}

impl From<Reaction> for WireReaction {
    fn from(it: Reaction) -> WireReaction {
        match it {
            Reaction::Clap => WireReaction::Clap,
            Reaction::Heart => WireReaction::Heart,
            Reaction::Laugh => WireReaction::Laugh,
            Reaction::Wonder => WireReaction::Wonder,
            Reaction::ThumbsUp => WireReaction::ThumbsUp,
        }
    }
}

impl From<WireMark> for Mark {
    fn from(it: WireMark) -> Mark {
        match it {
            WireMark::Feeling => Mark::Feeling,
            WireMark::Experience => Mark::Experience,
            WireMark::Thought => Mark::Thought,
            WireMark::Worry => Mark::Worry,
            WireMark::Challenge => Mark::Challenge,
            WireMark::Idea => Mark::Idea,
        }
    }
}

impl From<Mark> for WireMark {
    fn from(it: Mark) -> WireMark {
        match it {
            Mark::Feeling => WireMark::Feeling,
            Mark::Experience => WireMark::Experience,
            Mark::Thought => WireMark::Thought,
            Mark::Worry => WireMark::Worry,
            Mark::Challenge => WireMark::Challenge,
            Mark::Idea => WireMark::Idea,
        }
    }
}

impl From<PersonView> for WirePerson {
    fn from(it: PersonView) -> Self {
        WirePerson {
            participant: it.participant.0,
            name: it.name,
            language: it.language.into(),
            by_ear: it.by_ear,
            consent: it.consent.into(),
            microphone: it.microphone,
            camera: it.camera,
            present: it.present,
        }
    }
}

impl From<Caption> for WireCaption {
    fn from(it: Caption) -> Self {
        WireCaption {
            participant: it.participant.0,
            name: it.name,
            start_ms: wire_ms(it.span.start),
            end_ms: wire_ms(it.span.end),
            language: it.language.into(),
            text: it.text,
        }
    }
}

impl From<BalanceView> for ServerMessage {
    fn from(it: BalanceView) -> Self {
        ServerMessage::Balance {
            shares: it.shares,
            effective_voices: it.effective_voices,
            own_talk_ms: wire_ms_of(it.own.talk_ms),
            own_turns: it.own.turns,
            own_backchannels: it.own.backchannels,
            own_ratio: it.own.ratio,
            invites: it.invites,
            own_share: it.own.share,
        }
    }
}

impl From<WireKeep> for Keep {
    fn from(it: WireKeep) -> Keep {
        match it {
            WireKeep::Apart => Keep::Apart,
            WireKeep::Together => Keep::Together,
            WireKeep::AsItComes => Keep::AsItComes,
        }
    }
}

impl From<Keep> for WireKeep {
    fn from(it: Keep) -> WireKeep {
        match it {
            Keep::Apart => WireKeep::Apart,
            Keep::Together => WireKeep::Together,
            Keep::AsItComes => WireKeep::AsItComes,
        }
    }
}

impl From<([ParticipantId; 2], Keep)> for WireKept {
    fn from((participants, rule): ([ParticipantId; 2], Keep)) -> WireKept {
        WireKept { participants: participants.map(|it| it.0), rule: rule.into() }
    }
}

impl From<Option<MethodView>> for ServerMessage {
    fn from(it: Option<MethodView>) -> Self {
        let (method, question, warn_ms) = match it {
            Some(view) => (Some(view.method), view.question, wire_ms_of(view.warn_ms)),
            None => (None, String::new(), 0),
        };
        ServerMessage::Method { method, question, warn_ms }
    }
}

impl From<RunView> for WireRun {
    fn from(it: RunView) -> Self {
        let ClockView { left_ms, grace_ms, paused } = it.clock;
        WireRun {
            phase: it.place.phase,
            round: it.place.round,
            of: it.place.of,
            left_ms: left_ms.map(wire_ms_of),
            grace_ms: wire_ms_of(grace_ms),
            paused,
            ready: it.ready,
            ready_of: it.ready_of,
        }
    }
}

impl From<StepView> for WireStep {
    fn from(it: StepView) -> Self {
        WireStep {
            run: it.run.into(),
            role: it.role,
            may_speak: it.may_speak,
            own_ready: it.own_ready,
            turn: it.turn.map(|turn| WireTurn {
                participant: turn.participant.0,
                left_ms: wire_ms_of(turn.left_ms),
            }),
            seated: it.seated.into_iter().map(|id| id.0).collect(),
            topic: it.topic,
            topics: it.topics,
            people: it.people,
            card: it.card,
            own_score: it.own_score,
            written: it.written,
        }
    }
}

impl From<MoveReason> for WireMoveReason {
    fn from(it: MoveReason) -> Self {
        match it {
            MoveReason::Step => WireMoveReason::Step,
            MoveReason::Late => WireMoveReason::Late,
            MoveReason::Alone => WireMoveReason::Alone,
            MoveReason::Company => WireMoveReason::Company,
            MoveReason::Host => WireMoveReason::Host,
            MoveReason::Own => WireMoveReason::Own,
        }
    }
}

impl From<IdeaView> for WireIdea {
    fn from(it: IdeaView) -> Self {
        let source = |it: SourceView| WireSource {
            depth: it.depth,
            idea: it.idea.0,
            by: it.by.map(|it| it.0),
            own: it.own,
            text: it.text,
        };
        WireIdea {
            idea: it.idea.0,
            by: it.by.map(|it| it.0),
            room: it.room.map(|it| it.to_string()),
            text: it.text,
            from: it.from.into_iter().map(source).collect(),
            mine: it.mine,
            chosen: it.chosen,
            own: it.own,
            group: it.group,
            votes: it.votes,
        }
    }
}

impl From<(IdeaId, u8)> for WireVote {
    fn from((idea, votes): (IdeaId, u8)) -> Self {
        WireVote { idea: idea.0, votes: votes.into() }
    }
}

impl From<Tally> for ServerMessage {
    fn from(it: Tally) -> Self {
        let vote = |(idea, votes): (IdeaId, u32)| WireVote { idea: idea.0, votes };
        let votes = it.votes.into_iter().map(vote).collect();
        ServerMessage::Tally { votes, voters: it.voters }
    }
}

impl From<Stage> for WireStage {
    fn from(it: Stage) -> Self {
        match it {
            Stage::Alone => WireStage::Alone,
            Stage::Room => WireStage::Room,
            Stage::Vote => WireStage::Vote,
            Stage::Result => WireStage::Result,
        }
    }
}

impl From<HarvestView> for ServerMessage {
    fn from(it: HarvestView) -> Self {
        let lines = it.lines.into_iter();
        let lines = lines.map(|(room, text)| WireLine { room: room.to_string(), text }).collect();
        let ranking = it.ranking.into_iter();
        let card = |RankedCard { text, points, scores }| WireCard { text, points, scores };
        let ranking = ranking.map(card).collect();
        ServerMessage::Harvest { lines, ranking }
    }
}

impl ServerMessage {
    pub fn ideas(view: IdeasView, names: Vec<(ParticipantId, String)>) -> Self {
        let name = |(id, name): (ParticipantId, String)| WireName { participant: id.0, name };
        ServerMessage::Ideas {
            stage: view.stage.into(),
            ideas: view.ideas.into_iter().map(WireIdea::from).collect(),
            names: names.into_iter().map(name).collect(),
            own_votes: view.own_votes.into_iter().map(WireVote::from).collect(),
        }
    }

    pub fn offer(it: Offer, relays: Option<WireRelays>) -> Self {
        let mids = |[audio, video]: [String; 2]| Mids { audio, video };
        let slots = it.slots.into_iter().map(mids).collect();
        let [audio, video] = it.send;
        let [own_screen, screen] = it.screen;
        let send = SendMids { audio, video, screen: Some(own_screen) };
        let restart = it.restarts.then_some(true);
        let (number, sdp) = (it.number, it.sdp);
        ServerMessage::Offer { number, sdp, send, slots, screen: Some(screen), restart, relays }
    }
}

/// A session is over long before 49 days, where this would stop.
pub fn wire_ms(at: SessionTime) -> u32 {
    wire_ms_of(at.as_ms())
}

/// As `wire_ms`, of a length.
pub fn wire_ms_of(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}
