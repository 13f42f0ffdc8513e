//! The task that owns one session: feeds its inputs, performs its outputs in order, and lets nobody
//! hear of a fact before the disk has it. It decides nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender, error::TrySendError},
    time::Instant,
};

use crate::{
    app::{clock::Clock, hearing::Hearing},
    domain::{
        fact::{Consent, Fact},
        ids::{ConnectionId, ParticipantId, RoomId, SessionId},
        language::Language,
        message::{Message, RoomView},
        session::{Input, Output, Session, Wish},
        time::SessionTime,
        view::View,
    },
    media::driver::{
        forwarder::{Forwarder, MediaEvent},
        peer::Transport,
        tap::{AudioTap, TappedPacket},
    },
    notes::driver::log::{Log, LogError},
    speech::driver::pipeline::{SpeakerId, SpeechEvent},
};

pub use crate::media::{driver::peer::Offer, engine::router::Slots};

/// Requests of pages waiting for the session. Full: the pages wait.
const COMMANDS_MAX: usize = 256;

/// Messages waiting for one page. Full: the page is too slow and is let go; it comes back and is
/// told everything anew.
pub const NEWS_MAX: usize = 256;

/// After the end the task stays for words said before it.
const LINGER: Duration = Duration::from_secs(60);

/// A session that nobody has open for so long leaves the memory; its log brings it back.
const IDLE: Duration = Duration::from_secs(600);

/// When the disk refuses, so long until it is tried again. Nothing is told meanwhile.
const RETRY_LOG: Duration = Duration::from_secs(1);

/// What a page wants.
#[derive(Debug)]
pub enum Command {
    Join {
        connection: ConnectionId,
        news: Sender<News>,
        seat: Option<ParticipantId>,
        name: String,
        language: Language,
        consent: Consent,
        tags: BTreeMap<String, String>,
    },
    Watch {
        connection: ConnectionId,
        news: Sender<News>,
    },
    Wish {
        connection: ConnectionId,
        wish: Wish,
    },
    /// A peer connection, the first or a new one.
    Media {
        connection: ConnectionId,
    },
    Answer {
        connection: ConnectionId,
        sdp: String,
    },
    /// How large the page shows what it receives.
    View {
        connection: ConnectionId,
        view: View,
    },
    Disconnected {
        connection: ConnectionId,
    },
}

/// What a page is told.
#[derive(Debug)]
pub enum News {
    Message(Message),
    /// As `Message::Welcome`, with whether the seat's media connection still lives.
    Welcome {
        you: ParticipantId,
        title: String,
        language: Language,
        room: RoomView,
        media: bool,
    },
    Offer(Offer),
    Slots(Slots),
    /// The media connection could not be made.
    MediaFailed,
    /// Nothing follows.
    Close,
}

/// A reference to a running session. The session ends when its task does, not with its handles.
#[derive(Clone, Debug)]
pub struct SessionHandle {
    pub id: SessionId,
    commands: Sender<Command>,
}

impl SessionHandle {
    /// `false`: the session is not running any more. Waits while the session has too much to do.
    pub async fn send(&self, command: Command) -> bool {
        self.give(command).await.is_ok()
    }

    /// As `send`, but what could not be sent comes back.
    pub async fn give(&self, command: Command) -> Result<(), Command> {
        self.commands.send(command).await.map_err(|it| it.0)
    }

    pub fn is_running(&self) -> bool {
        !self.commands.is_closed()
    }
}

/// What a session needs of the program.
pub struct Surroundings {
    pub log: Log,
    pub hearing: Arc<Hearing>,
    pub transport: Arc<Transport>,
}

/// Starts the task of a session. Needs a tokio runtime.
pub fn start(
    id: SessionId,
    session: Session,
    clock: Clock,
    around: Surroundings,
) -> (SessionHandle, tokio::task::JoinHandle<()>) {
    let (commands, command_receiver) = mpsc::channel(COMMANDS_MAX);
    let (media, media_receiver) = mpsc::unbounded_channel();
    let (speech, speech_receiver) = mpsc::unbounded_channel();
    around.hearing.attach(id, speech);
    let tap = Arc::new(Tap { session: id, clock, hearing: Arc::clone(&around.hearing) });
    let events: UnboundedSender<MediaEvent> = media;
    let forwarder = Forwarder::new(
        Arc::clone(&around.transport),
        Arc::new(move || clock.now()),
        tap,
        // The task may have ended; then there is nobody to tell.
        Arc::new(move |event| _ = events.send(event)),
    );
    let task = Task {
        id,
        session,
        clock,
        around,
        forwarder,
        clients: BTreeMap::new(),
        out: Vec::new(),
        leaves_at: Some(Instant::now() + IDLE),
    };
    let inboxes =
        Inboxes { commands: command_receiver, media: media_receiver, speech: speech_receiver };
    (SessionHandle { id, commands }, tokio::spawn(task.run(inboxes)))
}

/// Events of media and speech are bounded where they arise: a voice begins at most a few times a
/// second, and speech has a backlog limited in seconds.
struct Inboxes {
    commands: Receiver<Command>,
    media: UnboundedReceiver<MediaEvent>,
    speech: UnboundedReceiver<SpeechEvent>,
}

struct Task {
    id: SessionId,
    session: Session,
    clock: Clock,
    around: Surroundings,
    forwarder: Forwarder,
    clients: BTreeMap<ConnectionId, Client>,
    out: Vec<Output>,
    /// When the task ends; `None` while somebody has the session open.
    leaves_at: Option<Instant>,
}

struct Client {
    news: Sender<News>,
    participant: Option<ParticipantId>,
}

impl Task {
    async fn run(mut self, mut inboxes: Inboxes) {
        loop {
            let wake = self.session.poll_timeout().map(|(at, _)| self.clock.until(at));
            let wrong = tokio::select! {
                biased;
                Some(event) = inboxes.media.recv() => self.media(event).await,
                Some(event) = inboxes.speech.recv() => self.speech(event).await,
                command = inboxes.commands.recv() => match command {
                    Some(command) => self.command(command).await,
                    None => break,
                },
                () = sleep(wake) => self.input(Input::Tick).await,
                () = sleep_until(self.leaves_at) => break,
            };
            if let Err(error) = wrong {
                tracing::error!(session = %self.id, %error, "the session stops; it can be rejoined");
                break;
            }
            self.leaves_at = match self.leaves_at {
                _ if !self.clients.is_empty() => None,
                Some(at) => Some(at),
                None if self.session.is_ended() => Some(Instant::now() + LINGER),
                None => Some(Instant::now() + IDLE),
            };
        }
        self.around.hearing.detach(self.id);
        let packets = self.forwarder.counters();
        tracing::info!(
            session = %self.id,
            packets_received = packets.received.load(Ordering::Relaxed),
            packets_forwarded = packets.forwarded.load(Ordering::Relaxed),
            packets_dropped = packets.dropped.load(Ordering::Relaxed),
            "session task ends"
        );
    }

    async fn command(&mut self, command: Command) -> Result<(), LogError> {
        match command {
            Command::Join { connection, news, seat, name, language, consent, tags } => {
                self.clients.insert(connection, Client { news, participant: None });
                self.input(Input::Join { connection, seat, name, language, consent, tags }).await
            }
            Command::Watch { connection, news } => {
                self.clients.insert(connection, Client { news, participant: None });
                self.input(Input::Watch { connection }).await
            }
            Command::Wish { connection, wish } => {
                self.input(Input::Wish { connection, wish }).await
            }
            Command::Media { connection } => {
                self.offer_media(connection);
                Ok(())
            }
            Command::Answer { connection, sdp } => {
                self.take_answer(connection, sdp);
                Ok(())
            }
            Command::View { connection, view } => {
                self.view(connection, view);
                Ok(())
            }
            Command::Disconnected { connection } => {
                self.clients.remove(&connection);
                self.input(Input::Disconnected { connection }).await
            }
        }
    }

    async fn media(&mut self, event: MediaEvent) -> Result<(), LogError> {
        match event {
            MediaEvent::Voice { participant, on } => {
                self.input(Input::Voice { participant, on }).await?;
            }
            MediaEvent::Slots { participant, slots } => self.tell(participant, News::Slots(slots)),
            MediaEvent::Connected { participant } => {
                tracing::debug!(session = %self.id, %participant, "media connected");
            }
            MediaEvent::Failed { participant } => {
                tracing::info!(session = %self.id, %participant, "media connection lost");
                self.input(Input::Voice { participant, on: false }).await?;
            }
        }
        Ok(())
    }

    async fn speech(&mut self, event: SpeechEvent) -> Result<(), LogError> {
        let input = match event {
            SpeechEvent::Uttered { speaker, span } => {
                Input::Uttered { participant: speaker.participant, span }
            }
            SpeechEvent::Segment { speaker, span, language, text } => {
                Input::Transcribed { participant: speaker.participant, span, language, text }
            }
            SpeechEvent::Unheard { speaker, span, reason } => {
                Input::Unheard { participant: speaker.participant, span, reason }
            }
        };
        self.input(input).await
    }

    /// Feeds an input and performs all that comes of it.
    async fn input(&mut self, input: Input) -> Result<(), LogError> {
        let now = self.clock.now();
        let mut out = std::mem::take(&mut self.out);
        self.session.handle(now, input, &mut out);
        let mut facts: Vec<_> = out
            .iter()
            .filter_map(|it| match it {
                Output::Keep(fact) => Some((now, fact.clone())),
                _ => None,
            })
            .collect();
        let mut moves = Vec::new();
        for output in out.drain(..) {
            // Those who are placed one after another move at once: a step of a method is one edit.
            if let Output::Place { participant, room } = output {
                moves.push((participant, room));
                continue;
            }
            self.place(&mut moves);
            match output {
                // The first one keeps them all: one commit, and nothing is told before it.
                Output::Keep(_) => self.keep(std::mem::take(&mut facts)).await?,
                other => self.perform(other),
            }
        }
        self.place(&mut moves);
        self.out = out;
        Ok(())
    }

    async fn keep(&mut self, facts: Vec<(SessionTime, Fact)>) -> Result<(), LogError> {
        if facts.is_empty() {
            return Ok(());
        }
        loop {
            match self.around.log.append(self.id, facts.clone()).await {
                Ok(_) => return Ok(()),
                Err(error @ (LogError::DiskFull { .. } | LogError::Sqlite { .. })) => {
                    tracing::error!(session = %self.id, %error, "the session waits for the log");
                    tokio::time::sleep(RETRY_LOG).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn place(&mut self, moves: &mut Vec<(ParticipantId, Option<RoomId>)>) {
        if moves.is_empty() {
            return;
        }
        for (participant, room) in moves.iter() {
            let speaker = self.speaker(*participant);
            match room {
                Some(_) => self.around.hearing.cut(speaker),
                None => self.around.hearing.finish(speaker),
            }
        }
        self.forwarder.place_all(moves);
        moves.clear();
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Keep(_) | Output::Place { .. } => (),
            Output::Send { connection, message } => match message {
                Message::Welcome { you, title, language, room } => {
                    let media = self.forwarder.live_slots(you);
                    let news = News::Welcome { you, title, language, room, media: media.is_some() };
                    self.welcome(connection, you, news, media);
                }
                other => self.send(connection, News::Message(other)),
            },
            Output::Close { connection } => {
                self.send(connection, News::Close);
                self.clients.remove(&connection);
            }
            Output::Listen { participant, on, language } => {
                let speaker = self.speaker(participant);
                self.forwarder.listen(participant, on);
                self.around.hearing.listen(speaker, on, language);
            }
            Output::Hush { participant, on } => {
                self.forwarder.hush(participant, on);
                if on {
                    self.around.hearing.cut(self.speaker(participant));
                }
            }
            Output::Share { participant, on } => self.share(participant, on),
            Output::Finished => (),
        }
    }

    /// The session's word on whose screen goes to its room, for the media to follow.
    fn share(&self, participant: ParticipantId, on: bool) {
        tracing::debug!(session = %self.id, %participant, on, "shares the screen");
    }

    /// Who only lost the socket keeps the media connection, and is told who sits in its slots.
    fn welcome(
        &mut self,
        connection: ConnectionId,
        you: ParticipantId,
        news: News,
        slots: Option<Slots>,
    ) {
        if let Some(client) = self.clients.get_mut(&connection) {
            client.participant = Some(you);
        }
        self.send(connection, news);
        if let Some(slots) = slots {
            self.send(connection, News::Slots(slots));
        }
    }

    fn speaker(&self, participant: ParticipantId) -> SpeakerId {
        SpeakerId { session: self.id, participant }
    }

    fn tell(&mut self, participant: ParticipantId, news: News) {
        let seated = |it: &(&ConnectionId, &Client)| it.1.participant == Some(participant);
        if let Some(connection) = self.clients.iter().find(seated).map(|it| *it.0) {
            self.send(connection, news);
        }
    }

    /// A page that does not read is let go: dropping its sender closes its socket.
    fn send(&mut self, connection: ConnectionId, news: News) {
        let Some(client) = self.clients.get(&connection) else { return };
        if let Err(TrySendError::Full(_)) = client.news.try_send(news) {
            tracing::warn!(session = %self.id, %connection, "a page is too slow and is let go");
            self.clients.remove(&connection);
        }
    }

    fn offer_media(&self, connection: ConnectionId) {
        let Some((participant, news)) = self.seated(connection) else { return };
        let (forwarder, id) = (self.forwarder.clone(), self.id);
        tokio::spawn(async move {
            let offered = match forwarder.connect(participant).await {
                Ok(offer) => News::Offer(offer),
                Err(error) => {
                    tracing::error!(session = %id, %participant, %error, "no media connection");
                    News::MediaFailed
                }
            };
            let _ = news.send(offered).await; // the page may have gone
        });
    }

    fn take_answer(&self, connection: ConnectionId, sdp: String) {
        let Some((participant, news)) = self.seated(connection) else { return };
        let (forwarder, id) = (self.forwarder.clone(), self.id);
        tokio::spawn(async move {
            if let Err(error) = forwarder.answer(participant, sdp).await {
                tracing::warn!(session = %id, %participant, %error, "a media answer is refused");
                let _ = news.send(News::MediaFailed).await; // the page may have gone
            }
        });
    }

    /// A page's wish of what it sees, on its way to the media. Who has no seat sees nobody.
    fn view(&self, connection: ConnectionId, view: View) {
        let Some((participant, _)) = self.seated(connection) else { return };
        self.pass_view_to_media(participant, view);
    }

    /// The hook for the forwarder, which chooses layers by it. It does not yet: all is sent.
    fn pass_view_to_media(&self, participant: ParticipantId, view: View) {
        tracing::trace!(session = %self.id, %participant, ?view, "a page says what it shows");
    }

    fn seated(&self, connection: ConnectionId) -> Option<(ParticipantId, Sender<News>)> {
        let client = self.clients.get(&connection)?;
        Some((client.participant?, client.news.clone()))
    }
}

/// Takes the session's audio to the ears.
struct Tap {
    session: SessionId,
    clock: Clock,
    hearing: Arc<Hearing>,
}

impl AudioTap for Tap {
    fn packet(&self, from: ParticipantId, packet: TappedPacket) {
        let speaker = SpeakerId { session: self.session, participant: from };
        self.hearing.packet(speaker, self.clock.now(), packet);
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
