//! One page's WebSocket: reads its messages, checks their shape and its right, hands them to the
//! session, and writes what the session answers. A page that sends what it should not is told so
//! once and closed; nobody else notices.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    extract::{
        State,
        ws::{Message as Frame, WebSocket, WebSocketUpgrade},
    },
    http::{Extensions, HeaderMap, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use tokio::{
    sync::mpsc,
    time::{Instant, Interval, sleep_until},
};

use crate::{
    app::{
        clock::unix_ms,
        registry::Registry,
        session_task::{Command, NEWS_MAX, News, SessionHandle},
    },
    domain::{
        fact::Consent,
        ideas::{self, IdeaId},
        ids::{ConnectionId, ParticipantId},
        limits::{MESSAGE_BYTES_MAX, VIEW_EVERY_MS},
        message::{Message, SheetView},
        rejection::Rejection,
        run::RunOptions,
        session::Wish,
        spoken::Spoken,
        time::SessionTime,
        view::{View, Wanted},
    },
    server::{
        Server,
        error::{Refusal, TooMany},
        relays::relays,
        strangers::Silent,
        token::{Right, Role},
        wire::{
            ClientMessage, ServerMessage, Transcription, WireGrant, WireLanguage, WireVote,
            WireWanted, wire_ms,
        },
    },
};

/// A page must say who it is within this time.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);

/// How often we ask whether the page is still there, and for how long it may be silent.
const PING_EVERY: Duration = Duration::from_secs(5);
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// How often a page may say something, and how much at once. A page of ours that is written on sends two
/// or three a second, and some dozens in its first moment. What comes faster is read later, not refused:
/// nothing of an honest page is lost, and the network makes the sender of the rest wait.
const SAYS_EVERY: Duration = Duration::from_millis(50);
const SAYS_AT_ONCE: u32 = 100;

pub async fn upgrade(
    State(server): State<Server>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: WebSocketUpgrade,
) -> Response {
    let config = &server.app.config;
    let house = (!config.server.nodes.is_empty()).then(|| config.public_url());
    if !is_of_house(&headers, house.as_deref()) {
        return Refusal::NOT_ALLOWED.into_response();
    }
    let network = server.strangers.network(&headers, &extensions);
    let Some(silent) = server.strangers.opens(network) else {
        return Refusal::from(Rejection::TooFast).into_response();
    };
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| serve(server, socket, silent))
}

/// Only our own pages may connect, which are those of the asked host or, where several servers are one
/// house, of the `house`'s public address; programs that are no browsers send no origin.
fn is_of_house(headers: &HeaderMap, house: Option<&str>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let same = origin.split_once("://").is_some_and(|(_, it)| Some(it) == host);
    same || Some(origin) == house
}

async fn serve(server: Server, socket: WebSocket, silent: Silent) {
    let (sink, mut stream) = socket.split();
    let mut page = Page { sink };
    let first = tokio::time::timeout(FIRST_MESSAGE, next_message(&mut stream)).await;
    let introduced = match first {
        Ok(Some(Ok(message))) => introduce(&server, message),
        Ok(Some(Err(refusal))) => Err(refusal),
        Ok(None) | Err(_) => return,
    };
    let (right, introduction) = match introduced {
        Ok(introduced) => introduced,
        Err(refusal) => {
            let counted = server.strangers.count(silent.network);
            return page.dismiss(counted.err().map_or(refusal, TooMany::refusal)).await;
        }
    };
    drop(silent);
    let session = right.session;
    let connection = Registry::next_connection();
    let (news_sender, news) = mpsc::channel(NEWS_MAX);
    let command = introduction.into_command(connection, news_sender);
    let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let sent = server.app.sessions.send(session, command);
    let Some(sent) = page.waits_for(sent, &mut ping).await else { return };
    let handle = match sent {
        Ok(handle) => handle,
        Err(error) => {
            tracing::warn!(%session, %error, "a session cannot be joined");
            return page.dismiss(Refusal::from(&error)).await;
        }
    };
    let mut talk = Talk { server, right, handle: handle.clone(), connection };
    talk.run(&mut page, stream, news, ping).await;
    handle.send(Command::Disconnected { connection }).await;
    page.close().await;
}

/// What a page asked for with its first message, its right proved.
enum Introduction {
    Participant {
        seat: Option<ParticipantId>,
        name: String,
        spoken: Spoken,
        consent: Consent,
        tags: BTreeMap<String, String>,
    },
    Facilitator,
}

impl Introduction {
    fn into_command(self, connection: ConnectionId, news: mpsc::Sender<News>) -> Command {
        match self {
            Introduction::Participant { seat, name, spoken, consent, tags } => {
                Command::Join { connection, news, seat, name, spoken, consent, tags }
            }
            Introduction::Facilitator => Command::Watch { connection, news },
        }
    }
}

fn introduce(server: &Server, message: ClientMessage) -> Result<(Right, Introduction), Refusal> {
    let (token, needed) = match &message {
        ClientMessage::Join { token, .. } => (token, Role::Participant),
        ClientMessage::Watch { token } => (token, Role::Facilitator),
        _ => return Err(Refusal::NOT_ALLOWED),
    };
    let right = server.tokens.right(token).ok_or(Refusal::BAD_TOKEN)?;
    let helps = needed == Role::Facilitator && right.role == Role::Assistant;
    if right.role != needed && !helps {
        return Err(Refusal::NOT_ALLOWED);
    }
    let introduction = match message {
        ClientMessage::Join { seat, name, language, by_ear, consent, tags, .. } => {
            Introduction::Participant {
                // A seat that has run out, or is another's, is no reason to be sent away: a new one is given.
                seat: seat.and_then(|it| server.tokens.read_seat(&it, &right)),
                // What the tenant says of the person wins over what the page does.
                name: right.person.name.clone().unwrap_or(name),
                spoken: spoken(language, by_ear),
                consent: consent.into(),
                tags: if right.person.tags.is_empty() { tags } else { right.person.tags.clone() },
            }
        }
        _ => Introduction::Facilitator,
    };
    Ok((right, introduction))
}

fn spoken(language: WireLanguage, by_ear: bool) -> Spoken {
    let language = language.into();
    if by_ear { Spoken::ByEar(language) } else { Spoken::Told(language) }
}

/// The page after its first message.
struct Talk {
    server: Server,
    right: Right,
    handle: SessionHandle,
    connection: ConnectionId,
}

impl Talk {
    async fn run(
        &mut self,
        page: &mut Page,
        mut stream: futures_util::stream::SplitStream<WebSocket>,
        mut news: mpsc::Receiver<News>,
        mut ping: Interval,
    ) {
        let mut silent = Duration::ZERO;
        let mut views = Views { waiting: None, next: Instant::now() };
        let mut pace = Pace { free: Instant::now() };
        let mut until = self.until();
        loop {
            tokio::select! {
                frame = pace.next(&mut stream) => {
                    pace.count(Instant::now());
                    silent = Duration::ZERO;
                    match frame.map(read_frame) {
                        None | Some(Incoming::Gone) => return,
                        Some(Incoming::Nothing) => (),
                        Some(Incoming::Refused(refusal)) => return page.refuse(refusal, true).await,
                        Some(Incoming::Message(ClientMessage::Renew { token })) => {
                            match self.renew(&token) {
                                Ok(()) => until = self.until(),
                                Err(refusal) => page.refuse(refusal, false).await,
                            }
                        }
                        Some(Incoming::Message(message)) => match self.command(message) {
                            Ok(Command::View { view, .. }) => views.waiting = Some(view),
                            Ok(command) => {
                                let sent = page.waits_for(self.handle.send(command), &mut ping).await;
                                if sent != Some(true) { return }
                            }
                            Err(refusal) => page.refuse(refusal, false).await,
                        },
                    }
                }
                view = views.due() => {
                    let connection = self.connection;
                    let sent = self.handle.send(Command::View { connection, view });
                    if page.waits_for(sent, &mut ping).await != Some(true) { return }
                }
                told = news.recv() => match told {
                    // The session let this page go, or has stopped: the page may come back.
                    None => return page.refuse(Refusal::TOO_SLOW, false).await,
                    Some(News::Close) => return,
                    Some(told) => if !page.send(&self.translate(told)).await { return },
                },
                () = sleep_until(until) => {
                    return page.refuse(Refusal::TOKEN_EXPIRED, true).await;
                }
                _ = ping.tick() => {
                    if SILENCE_MAX <= silent || !page.ping().await {
                        return;
                    }
                    silent += PING_EVERY;
                }
            }
        }
    }

    /// When the right runs out.
    fn until(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.right.valid_s())
    }

    /// A newer right takes the place of the one in use, if it is the same person's.
    fn renew(&mut self, token: &str) -> Result<(), Refusal> {
        let new = self.server.tokens.right(token).ok_or(Refusal::BAD_TOKEN)?;
        let same = |it: &Right| (it.session, it.role, it.person.external.clone());
        if same(&new) != same(&self.right) {
            return Err(Refusal::NOT_ALLOWED);
        }
        self.right = new;
        Ok(())
    }

    fn command(&self, message: ClientMessage) -> Result<Command, Refusal> {
        let connection = self.connection;
        let granted = grant_of(&message).is_none_or(|it| self.right.grants(it));
        if !granted || (self.right.role == Role::Assistant && !is_help(&message)) {
            return Err(Refusal::NOT_ALLOWED);
        }
        let wish = match message {
            ClientMessage::Join { .. }
            | ClientMessage::Watch { .. }
            | ClientMessage::Renew { .. } => {
                return Err(Refusal::NOT_ALLOWED);
            }
            ClientMessage::Media { restart } => {
                let restart = restart.unwrap_or(false);
                return Ok(Command::Media { connection, restart });
            }
            ClientMessage::Answer { number, sdp } => {
                return Ok(Command::Answer { connection, number, sdp });
            }
            ClientMessage::View { slots, screen } => {
                let view = read_view(&slots, screen)?;
                return Ok(Command::View { connection, view });
            }
            ClientMessage::SetConsent { consent } => Wish::SetConsent(consent.into()),
            ClientMessage::SetLanguage { language, by_ear } => {
                Wish::SetLanguage(spoken(language, by_ear))
            }
            ClientMessage::SetTranscription { on, room } => {
                let room = room.map(|it| it.parse()).transpose().map_err(|_| Refusal::MALFORMED)?;
                Wish::SetTranscription { room, on }
            }
            ClientMessage::Strike => Wish::Strike { waited_ms: 0 },
            ClientMessage::SetMicrophone { on } => Wish::SetMicrophone(on),
            ClientMessage::SetCamera { on } => Wish::SetCamera(on),
            ClientMessage::Leave => Wish::Leave,
            ClientMessage::OpenRooms { count } => Wish::OpenRooms { count },
            ClientMessage::Move { participant, room } => Wish::Move {
                participant: ParticipantId(participant),
                room: room.parse().map_err(|_| Refusal::MALFORMED)?,
            },
            ClientMessage::End => Wish::End,
            ClientMessage::RunMethod { method, question, topics, warn_s } => Wish::RunMethod {
                method,
                options: RunOptions {
                    question,
                    topics,
                    warn_ms: u64::from(warn_s) * 1000,
                    seed: rand::random(),
                },
            },
            ClientMessage::Next { at_once } => Wish::Next { at_once },
            ClientMessage::Pause { on } => Wish::Pause(on),
            ClientMessage::Extend { seconds } => Wish::Extend { ms: u64::from(seconds) * 1000 },
            ClientMessage::StopMethod => Wish::StopMethod,
            ClientMessage::Keep { participants, rule } => {
                Wish::Keep { participants: participants.map(ParticipantId), rule: rule.into() }
            }
            ClientMessage::Pin { participant, on } => {
                Wish::Pin { participant: ParticipantId(participant), on }
            }
            ClientMessage::Ready { on } => Wish::SetReady(on),
            ClientMessage::PassTurn => Wish::PassTurn,
            ClientMessage::Seat { on } => Wish::SetSeated(on),
            ClientMessage::GoTo { room } => {
                Wish::GoTo { room: room.parse().map_err(|_| Refusal::MALFORMED)? }
            }
            ClientMessage::Write { text, at } => {
                Wish::Write { text, at: at.map(|it| (it.phase, it.round)) }
            }
            ClientMessage::Type { sheet, update } => Wish::Type {
                sheet,
                update: BASE64_STANDARD.decode(update).map_err(|_| Refusal::MALFORMED)?,
            },
            ClientMessage::Score { score } => Wish::Score(score),
            ClientMessage::WriteIdea { idea, text } => {
                Wish::Ideas(ideas::Command::Write { idea: idea.map(IdeaId), text })
            }
            ClientMessage::CombineIdeas { ideas, text } => {
                let ideas = ideas.into_iter().map(IdeaId).collect();
                Wish::Ideas(ideas::Command::Combine { ideas, text })
            }
            ClientMessage::RemoveIdea { idea } => {
                Wish::Ideas(ideas::Command::Remove { idea: IdeaId(idea) })
            }
            ClientMessage::ChooseIdea { idea, on } => {
                Wish::Ideas(ideas::Command::Choose { idea: IdeaId(idea), on })
            }
            ClientMessage::Vote { idea, votes } => {
                Wish::Ideas(ideas::Command::Vote { idea: IdeaId(idea), votes })
            }
            ClientMessage::StrikeIdea { idea } => {
                Wish::Ideas(ideas::Command::Strike { idea: IdeaId(idea) })
            }
            ClientMessage::GroupIdea { idea, group } => {
                Wish::GroupIdea { idea: IdeaId(idea), group }
            }
            ClientMessage::RaiseHand { on } => Wish::RaiseHand(on),
            ClientMessage::React { reaction } => Wish::React(reaction.into()),
            ClientMessage::Post { text } => Wish::Post { text },
            ClientMessage::Mark { participant, start_ms, mark, on } => Wish::Mark {
                of: ParticipantId(participant),
                at: SessionTime(u64::from(start_ms)),
                mark: mark.into(),
                on,
            },
            ClientMessage::Call { on } => Wish::Call(on),
            ClientMessage::Share { on } => Wish::Share(on),
            ClientMessage::Broadcast { text } => Wish::Broadcast { text },
            ClientMessage::LowerHand { participant } => {
                Wish::LowerHand { participant: ParticipantId(participant) }
            }
            ClientMessage::CallSeen { participant } => {
                Wish::SeeCall { participant: ParticipantId(participant) }
            }
            ClientMessage::CallDone { participant } => {
                Wish::EndCall { participant: ParticipantId(participant) }
            }
            ClientMessage::EndShare { participant } => {
                Wish::EndShare { participant: ParticipantId(participant) }
            }
            ClientMessage::SetGlossary { text } => Wish::SetGlossary { text },
            ClientMessage::Follow { room } => Wish::Follow {
                room: room.map(|it| it.parse()).transpose().map_err(|_| Refusal::MALFORMED)?,
            },
        };
        Ok(Command::Wish { connection, wish, asked: Instant::now() })
    }

    fn translate(&self, news: News) -> ServerMessage {
        let transcription = || Transcription::from(self.server.app.hearing.state());
        match news {
            News::Welcome { you, title, language, room, media } => ServerMessage::Welcome {
                participant: you.0,
                seat: self.server.tokens.seat(&self.right, you),
                own: self.server.tokens.own(self.right.session, you),
                title,
                language: language.into(),
                room: room.into(),
                transcription: transcription(),
                media,
                node: self.server.app.config.server.nodes.first().cloned(),
            },
            News::Message(Message::Welcome { you, title, language, room }) => {
                self.translate(News::Welcome { you, title, language, room, media: false })
            }
            News::Message(Message::Overview(overview)) => ServerMessage::Overview {
                title: overview.title,
                language: overview.language.into(),
                rooms: overview.rooms.into_iter().map(Into::into).collect(),
                transcription: transcription(),
                transcribes: overview.transcribes,
                run: overview.run.map(Into::into),
                pinned: overview.pinned.iter().map(|it| it.0).collect(),
                kept: overview.kept.into_iter().map(Into::into).collect(),
                calls: overview.calls.into_iter().map(Into::into).collect(),
                glossary: overview.glossary,
            },
            News::Message(Message::Method(view)) => view.into(),
            News::Message(Message::Step(step)) => ServerMessage::Step(step.into()),
            News::Message(Message::Moved(reason)) => ServerMessage::Moved { reason: reason.into() },
            News::Message(Message::Sheet(SheetView { number, since, state, afresh })) => {
                let state = BASE64_STANDARD.encode(state);
                ServerMessage::Sheet { number, since, state, afresh }
            }
            News::Message(Message::Typed { by, sheet, update }) => ServerMessage::Typed {
                participant: by.0,
                sheet,
                update: BASE64_STANDARD.encode(update),
            },
            News::Message(Message::Harvest(harvest)) => harvest.into(),
            News::Message(Message::Ideas { view, names }) => ServerMessage::ideas(view, names),
            News::Message(Message::OwnVotes(votes)) => {
                ServerMessage::OwnVotes { votes: votes.into_iter().map(WireVote::from).collect() }
            }
            News::Message(Message::Tally(tally)) => tally.into(),
            News::Message(Message::Reacted { by, reaction }) => {
                ServerMessage::Reacted { participant: by.0, reaction: reaction.into() }
            }
            News::Message(Message::Marked { by, of, at, mark, on }) => ServerMessage::Marked {
                participant: of.0,
                start_ms: wire_ms(at),
                by: by.0,
                mark: mark.into(),
                on,
            },
            News::Message(Message::Post(post)) => ServerMessage::Post(post.into()),
            News::Message(Message::Posts(posts)) => {
                ServerMessage::Posts { posts: posts.into_iter().map(Into::into).collect() }
            }
            News::Message(Message::Room(room)) => ServerMessage::Room { room: room.into() },
            News::Message(Message::Speaking { participant, on }) => {
                ServerMessage::Speaking { participant: participant.0, on }
            }
            News::Message(Message::Caption(caption)) => ServerMessage::Caption(caption.into()),
            News::Message(Message::Partial(caption)) => ServerMessage::Partial(caption.into()),
            News::Message(Message::Following(room)) => {
                ServerMessage::Following { room: room.map(|it| it.to_string()) }
            }
            News::Message(Message::Struck { participant, span }) => ServerMessage::Struck {
                participant: participant.0,
                start_ms: wire_ms(span.start),
                end_ms: wire_ms(span.end),
            },
            News::Message(Message::Balance(balance)) => balance.into(),
            News::Message(Message::Round(round)) => round.into(),
            News::Message(Message::Own(own)) => own.into(),
            News::Message(Message::RoomBalances(rooms)) => {
                ServerMessage::RoomBalances { rooms: rooms.into_iter().map(Into::into).collect() }
            }
            News::Message(Message::Rounds(rooms)) => {
                ServerMessage::Rounds { rooms: rooms.into_iter().map(Into::into).collect() }
            }
            News::Message(Message::Rejected(rejection)) => {
                Refusal::from(rejection).message(rejection.is_fatal())
            }
            News::Message(Message::Ended) => ServerMessage::Ended,
            News::Offer(offer) => {
                let relays = relays(&self.server.app.config.media, unix_ms());
                ServerMessage::offer(offer, relays)
            }
            News::Slots(slots) => ServerMessage::Slots {
                participants: slots.iter().map(|it| it.map(|it| it.0)).collect(),
            },
            News::MediaFailed => Refusal::MEDIA_FAILED.message(false),
            // Ends the conversation before it gets here.
            News::Close => ServerMessage::Ended,
        }
    }
}

/// What an assistant may do: see to people, and lead nothing.
fn is_help(message: &ClientMessage) -> bool {
    matches!(
        message,
        ClientMessage::Move { .. }
            | ClientMessage::LowerHand { .. }
            | ClientMessage::CallSeen { .. }
            | ClientMessage::CallDone { .. }
            | ClientMessage::EndShare { .. }
            | ClientMessage::Follow { .. }
    )
}

/// What a token may withhold.
fn grant_of(message: &ClientMessage) -> Option<WireGrant> {
    match message {
        ClientMessage::Post { .. } => Some(WireGrant::Chat),
        ClientMessage::React { .. } => Some(WireGrant::React),
        ClientMessage::RaiseHand { on: true } => Some(WireGrant::Hand),
        ClientMessage::Call { on: true } => Some(WireGrant::Call),
        ClientMessage::Share { on: true } => Some(WireGrant::Screenshare),
        _ => None,
    }
}

/// Lets a page say [`SAYS_AT_ONCE`] things at once, and one more each [`SAYS_EVERY`].
struct Pace {
    /// When all that has been said would have been said, had it come evenly.
    free: Instant,
}

impl Pace {
    /// Not before this is the next one read.
    fn due(&self) -> Instant {
        let ahead = SAYS_EVERY * (SAYS_AT_ONCE - 1);
        self.free.checked_sub(ahead).unwrap_or(self.free)
    }

    fn count(&mut self, now: Instant) {
        self.free = self.free.max(now) + SAYS_EVERY;
    }

    /// Nothing is lost when it is not waited for.
    async fn next<T>(&self, said: &mut (impl futures_util::Stream<Item = T> + Unpin)) -> Option<T> {
        if Instant::now() < self.due() {
            sleep_until(self.due()).await;
        }
        said.next().await
    }
}

/// What a page wants to see, passed on no faster than anybody needs to know. Only its last wish
/// counts, and that one always is.
struct Views {
    waiting: Option<View>,
    /// Not before this.
    next: Instant,
}

impl Views {
    /// Ends when there is a wish and its time has come. Nothing is lost when it is not waited for.
    async fn due(&mut self) -> View {
        let Some(view) = self.waiting else { return std::future::pending().await };
        sleep_until(self.next).await;
        self.waiting = None;
        self.next = Instant::now() + Duration::from_millis(VIEW_EVERY_MS);
        view
    }
}

/// Who does not say how large the screen is shown shows it.
fn read_view(slots: &[WireWanted], screen: Option<WireWanted>) -> Result<View, Refusal> {
    // A message is at most 64 KiB, and so is what is collected here.
    let slots: Vec<_> = slots.iter().map(|it| Wanted::from(*it)).collect();
    let screen = screen.map_or(Wanted::Large, Wanted::from);
    View::new(&slots, screen).ok_or(Refusal::MALFORMED)
}

enum Incoming {
    Message(ClientMessage),
    /// A pong, or the like.
    Nothing,
    Refused(Refusal),
    Gone,
}

fn read_frame(frame: Result<Frame, axum::Error>) -> Incoming {
    match frame {
        Ok(Frame::Text(text)) => match serde_json::from_str(text.as_str()) {
            Ok(message) => Incoming::Message(message),
            Err(_) => Incoming::Refused(Refusal::MALFORMED),
        },
        Ok(Frame::Binary(_)) => Incoming::Refused(Refusal::MALFORMED),
        Ok(Frame::Ping(_) | Frame::Pong(_)) => Incoming::Nothing,
        Ok(Frame::Close(_)) => Incoming::Gone,
        // The library has its own errors for this; their text is the one thing they share.
        Err(error) if error.to_string().contains("too long") => {
            Incoming::Refused(Refusal::TOO_LARGE)
        }
        Err(_) => Incoming::Gone,
    }
}

async fn next_message(
    stream: &mut futures_util::stream::SplitStream<WebSocket>,
) -> Option<Result<ClientMessage, Refusal>> {
    loop {
        match read_frame(stream.next().await?) {
            Incoming::Message(message) => return Some(Ok(message)),
            Incoming::Refused(refusal) => return Some(Err(refusal)),
            Incoming::Nothing => (),
            Incoming::Gone => return None,
        }
    }
}

/// The writing half. A failed write is a page that has gone; reading notices it too.
struct Page {
    sink: SplitSink<WebSocket, Frame>,
}

impl Page {
    /// `false`: the page has gone.
    async fn send(&mut self, message: &ServerMessage) -> bool {
        let Ok(text) = serde_json::to_string(message) else { return true };
        let sent = self.sink.send(Frame::Text(text.into()));
        matches!(tokio::time::timeout(SILENCE_MAX, sent).await, Ok(Ok(())))
    }

    /// Asks the page whether it is there, and tells it that we are. Whether both went out.
    async fn ping(&mut self) -> bool {
        let sent = self.sink.send(Frame::Ping(Default::default()));
        matches!(tokio::time::timeout(SILENCE_MAX, sent).await, Ok(Ok(())))
            && self.send(&ServerMessage::Alive).await
    }

    /// Does some work for the page. As long as it takes, as where a session waits for its disk, the page
    /// is told that its line is alive: it would open another, and wait there. `None`: it is gone.
    async fn waits_for<T>(
        &mut self,
        work: impl Future<Output = T>,
        ping: &mut Interval,
    ) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                _ = ping.tick() => if !self.ping().await { return None },
            }
        }
    }

    async fn refuse(&mut self, refusal: Refusal, fatal: bool) {
        self.send(&refusal.message(fatal)).await;
    }

    async fn dismiss(mut self, refusal: Refusal) {
        self.refuse(refusal, true).await;
        self.close().await;
    }

    async fn close(&mut self) {
        let _ = tokio::time::timeout(SILENCE_MAX, self.sink.close()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limits::SLOTS;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_view_is_passed_on_at_once_and_the_next_not_before_its_time() {
        let view = |it| View::new(&[it; SLOTS], it).unwrap();
        let mut views = Views { waiting: None, next: Instant::now() };
        assert_eq!(views.due().now_or_never(), None, "nothing is wished");
        views.waiting = Some(view(Wanted::Small));
        views.waiting = Some(view(Wanted::Medium));
        assert_eq!(views.due().await, view(Wanted::Medium), "the last wish counts");
        views.waiting = Some(view(Wanted::Large));
        assert_eq!(views.due().now_or_never(), None, "too soon");
        assert_eq!(views.waiting, Some(view(Wanted::Large)), "and not lost");
        views.next = Instant::now();
        assert_eq!(views.due().await, view(Wanted::Large));
    }

    #[test]
    fn a_page_says_much_at_once_and_then_as_much_as_anybody_can_follow() {
        let begin = Instant::now();
        let mut pace = Pace { free: begin };
        for said in 0..SAYS_AT_ONCE {
            assert!(pace.due() <= begin, "after {said}");
            pace.count(begin);
        }
        assert_eq!(pace.due(), begin + SAYS_EVERY, "one more, a little later");
        let later = pace.due();
        pace.count(later);
        assert_eq!(pace.due(), later + SAYS_EVERY);
        let rested = begin + 2 * SAYS_AT_ONCE * SAYS_EVERY;
        pace.count(rested);
        assert!(pace.due() <= rested, "a rest makes up for it");
    }

    #[tokio::test]
    async fn what_is_said_too_fast_is_read_later_and_not_lost() {
        let mut pace = Pace { free: Instant::now() };
        let mut said = futures_util::stream::iter([1, 2]);
        assert_eq!(pace.next(&mut said).await, Some(1));
        for _ in 0..SAYS_AT_ONCE {
            pace.count(Instant::now());
        }
        assert_eq!(pace.next(&mut said).now_or_never(), None, "too soon");
        assert_eq!(pace.next(&mut said).await, Some(2));
    }

    #[test]
    fn a_page_names_no_more_slots_than_there_are() {
        let small = [WireWanted::Small; SLOTS + 1];
        assert!(read_view(&small, None).is_err());
        let view = read_view(&small[..1], None).unwrap();
        assert_eq!((view.slots[0], view.slots[1]), (Wanted::Small, Wanted::Nothing));
        assert_eq!(view.screen, Wanted::Large, "who does not say shows it large");
    }
}
