//! The task that owns one session: feeds its inputs, performs its outputs in order, and lets nobody
//! hear of a fact before the disk has it. It decides nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender, error::TrySendError},
    sync::oneshot,
    time::Instant,
};

use crate::{
    app::{clock::Clock, hearing::Hearing},
    domain::{
        fact::{Consent, Fact},
        ids::{ConnectionId, ParticipantId, RoomId, SessionId},
        language::Language,
        limits::SESSION_PEOPLE_MAX,
        message::{Message, RoomView},
        session::{Input, Output, Session, Wish},
        spoken::Spoken,
        time::SessionTime,
        view::View,
    },
    media::driver::{
        forwarder::{Forwarder, MediaEvent},
        tap::{AudioTap, TappedPacket},
        transport::Transport,
    },
    notes::driver::log::{Log, LogError},
    speech::driver::pipeline::{SpeakerId, SpeechEvent},
};

pub use crate::media::{driver::forwarder::Offer, engine::router::Slots};

/// Requests of pages waiting for the session, and as many more that it has looked at while the disk
/// was slow. Full: the pages wait.
const COMMANDS_MAX: usize = 256;

/// So many wishes are seen to in a row before voices and words have a turn: else pages that never stop
/// asking would keep everybody's words waiting. As many as can come meanwhile, so that what has been
/// looked at stays within [`PUT_OFF_MAX`], and no wish for silence is overlooked.
const WISHES_IN_A_ROW: usize = COMMANDS_MAX;

/// What it has looked at when it has looked at all that waits.
const PUT_OFF_MAX: usize = 2 * COMMANDS_MAX;

/// Messages waiting for one page. Full: the page is too slow and is let go; it comes back and is
/// told everything anew. Whoever holds a session hears of each person twice at once, when all begin to
/// speak in one moment or come back from their rooms.
pub const NEWS_MAX: usize = 4 * SESSION_PEOPLE_MAX;

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
        spoken: Spoken,
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
        /// When the page asked for it: it may have to wait for the disk.
        asked: Instant,
    },
    /// A peer connection, the first or a new one; or the one there is, by another way.
    Media {
        connection: ConnectionId,
        restart: bool,
    },
    Answer {
        connection: ConnectionId,
        number: u32,
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
    /// Asks to be answered when the disk has all that has been wished and said.
    Settle(oneshot::Sender<()>),
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

    /// Until the disk has all that has been wished and said, or the session runs no more.
    pub async fn settle(&self) {
        let (settled, answer) = oneshot::channel();
        if self.send(Command::Settle(settled)).await {
            let _ = answer.await; // the task may have ended
        }
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
    let (handle, task, inboxes) = prepare(id, session, clock, around);
    (handle, tokio::spawn(task.run(inboxes)))
}

fn prepare(
    id: SessionId,
    session: Session,
    clock: Clock,
    around: Surroundings,
) -> (SessionHandle, Task, Inboxes) {
    let (commands, command_receiver) = mpsc::channel(COMMANDS_MAX);
    let (media, media_receiver) = mpsc::unbounded_channel();
    let (speech, speech_receiver) = mpsc::unbounded_channel();
    around.hearing.attach(id, speech);
    let deaf = Arc::new(AtomicBool::new(false));
    let hearing = Arc::clone(&around.hearing);
    let tap = Arc::new(Tap { session: id, clock, hearing, deaf: Arc::clone(&deaf) });
    let events: UnboundedSender<MediaEvent> = media;
    let forwarder = Forwarder::new(
        &around.transport,
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
        commands: command_receiver,
        put_off: VecDeque::new(),
        settling: Vec::new(),
        deaf,
        out: Vec::new(),
        leaves_at: Some(Instant::now() + IDLE),
    };
    let inboxes = Inboxes { media: media_receiver, speech: speech_receiver };
    (SessionHandle { id, commands }, task, inboxes)
}

/// Events of media and speech are bounded where they arise: a voice begins at most a few times a
/// second, and speech has a backlog limited in seconds.
struct Inboxes {
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
    commands: Receiver<Command>,
    /// What pages wished while something else was seen to. At most [`PUT_OFF_MAX`].
    put_off: VecDeque<Command>,
    /// Who asked to be answered when nothing waits any more. Only a server that stops asks.
    settling: Vec<oneshot::Sender<()>>,
    /// Nobody in the session is heard, until every wish has been seen to.
    deaf: Arc<AtomicBool>,
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
        let (mut ticked, mut in_a_row) = (false, 0);
        loop {
            if self.put_off.is_empty() && self.commands.is_empty() {
                self.deaf.store(false, Ordering::SeqCst);
                in_a_row = 0;
                if inboxes.speech.is_empty() {
                    // Who asked may have lost patience.
                    self.settling.drain(..).for_each(|it| _ = it.send(()));
                }
            }
            let wake = self.session.poll_timeout().map(|(at, _)| self.clock.until(at));
            // No page can stop the clock, nor the clock the pages: they take turns.
            ticked = !ticked && wake.is_some_and(|it| it.is_zero());
            let wrong = if ticked {
                self.input(Input::Tick).await
            } else if WISHES_IN_A_ROW <= in_a_row {
                in_a_row = 0;
                self.between_wishes(&mut inboxes).await
            } else {
                // Wishes before words: who asks for silence has it also from what is being written down.
                tokio::select! {
                    biased;
                    command = next(&mut self.put_off, &mut self.commands) => match command {
                        Some(command) => {
                            in_a_row += 1;
                            self.command(command).await
                        }
                        None => break,
                    },
                    Some(event) = inboxes.media.recv() => self.media(event).await,
                    Some(event) = inboxes.speech.recv() => self.speech(event).await,
                    () = sleep(wake) => self.input(Input::Tick).await,
                    () = sleep_until(self.leaves_at) => break,
                }
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
            packets_silent = packets.silent.load(Ordering::Relaxed),
            packets_repaired = packets.repaired.load(Ordering::Relaxed),
            "session task ends"
        );
    }

    /// What media and the ears have said while wishes came without a pause. Words wait on while
    /// anybody waits for silence.
    async fn between_wishes(&mut self, inboxes: &mut Inboxes) -> Result<(), LogError> {
        for _ in 0..inboxes.media.len() {
            let Ok(event) = inboxes.media.try_recv() else { break };
            self.media(event).await?;
        }
        // What comes while these are looked at came after the words.
        for _ in 0..self.commands.len() {
            let Ok(command) = self.commands.try_recv() else { break };
            self.put_off(command);
        }
        debug_assert!(self.put_off.len() <= PUT_OFF_MAX, "more than can wait");
        for _ in 0..inboxes.speech.len() {
            if self.put_off.iter().any(asks_for_silence) {
                break;
            }
            let Ok(event) = inboxes.speech.try_recv() else { break };
            self.speech(event).await?;
        }
        Ok(())
    }

    async fn command(&mut self, command: Command) -> Result<(), LogError> {
        match command {
            Command::Join { connection, news, seat, name, spoken, consent, tags } => {
                self.clients.insert(connection, Client { news, participant: None });
                self.input(Input::Join { connection, seat, name, spoken, consent, tags }).await
            }
            Command::Watch { connection, news } => {
                self.clients.insert(connection, Client { news, participant: None });
                self.input(Input::Watch { connection }).await
            }
            Command::Wish { connection, mut wish, asked } => {
                if let Wish::Strike { waited_ms } = &mut wish {
                    *waited_ms = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
                }
                self.input(Input::Wish { connection, wish }).await
            }
            Command::Media { connection, restart } => {
                self.offer_media(connection, restart);
                Ok(())
            }
            Command::Answer { connection, number, sdp } => {
                self.take_answer(connection, number, sdp);
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
            Command::Settle(settled) => {
                self.settling.push(settled);
                Ok(())
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
            SpeechEvent::Uttered { speaker, span, voice } => {
                Input::Uttered { participant: speaker.participant, span, voice }
            }
            SpeechEvent::Partial { speaker, span, language, text } => {
                Input::Partial { participant: speaker.participant, span, language, text }
            }
            SpeechEvent::Segment { speaker, span, language, text, words } => {
                let participant = speaker.participant;
                Input::Transcribed { participant, span, language, text, words }
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

    /// Waits until the disk has the facts, and looks meanwhile at what pages wish: nobody who wants
    /// silence waits for a disk.
    async fn keep(&mut self, facts: Vec<(SessionTime, Fact)>) -> Result<(), LogError> {
        if facts.is_empty() {
            return Ok(());
        }
        let kept = append(self.around.log.clone(), self.id, facts);
        tokio::pin!(kept);
        loop {
            let space = self.put_off.len() < COMMANDS_MAX;
            tokio::select! {
                biased;
                kept = &mut kept => return kept,
                Some(command) = self.commands.recv(), if space => self.put_off(command),
            }
        }
    }

    /// Keeps a wish for later; one for silence, and what cannot be looked at, closes the ears.
    fn put_off(&mut self, command: Command) {
        let last_seen = COMMANDS_MAX <= self.put_off.len() + 1;
        if asks_for_silence(&command) || last_seen {
            self.deaf.store(true, Ordering::SeqCst);
        }
        self.put_off.push_back(command);
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
            Output::Listen { participant, on, spoken } => {
                let speaker = self.speaker(participant);
                self.forwarder.listen(participant, on);
                self.around.hearing.listen(speaker, on, spoken);
            }
            Output::Hush { participant, on } => {
                self.forwarder.hush(participant, on);
                if on {
                    self.around.hearing.cut(self.speaker(participant));
                }
            }
            Output::Share { participant, on } => self.forwarder.show(participant, on),
            Output::Expect { words } => self.around.hearing.expect(self.id, &words),
            Output::Finished => (),
        }
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

    fn offer_media(&self, connection: ConnectionId, restart: bool) {
        let Some((participant, news)) = self.seated(connection) else { return };
        let (forwarder, id) = (self.forwarder.clone(), self.id);
        let lives = restart && forwarder.live_slots(participant).is_some();
        tokio::spawn(async move {
            let offered = if lives {
                forwarder.restart(participant).await
            } else {
                forwarder.connect(participant).await
            };
            let offered = match offered {
                Ok(offer) => News::Offer(offer),
                Err(error) => {
                    tracing::error!(session = %id, %participant, %error, "no media connection");
                    News::MediaFailed
                }
            };
            let _ = news.send(offered).await; // the page may have gone
        });
    }

    fn take_answer(&self, connection: ConnectionId, number: u32, sdp: String) {
        let Some((participant, news)) = self.seated(connection) else { return };
        let (forwarder, id) = (self.forwarder.clone(), self.id);
        tokio::spawn(async move {
            if let Err(error) = forwarder.answer(participant, number, sdp).await {
                tracing::warn!(session = %id, %participant, %error, "a media answer is refused");
                let _ = news.send(News::MediaFailed).await; // the page may have gone
            }
        });
    }

    /// A page's wish of what it sees. Who has no seat sees nobody.
    fn view(&self, connection: ConnectionId, view: View) {
        if let Some((participant, _)) = self.seated(connection) {
            self.forwarder.view(participant, view);
        }
    }

    fn seated(&self, connection: ConnectionId) -> Option<(ParticipantId, Sender<News>)> {
        let client = self.clients.get(&connection)?;
        Some((client.participant?, client.news.clone()))
    }
}

/// What has been put off comes first. `None`: no page can send anything any more.
async fn next(put_off: &mut VecDeque<Command>, later: &mut Receiver<Command>) -> Option<Command> {
    match put_off.pop_front() {
        Some(command) => Some(command),
        None => later.recv().await,
    }
}

/// Whether somebody is to be heard less once this has been granted.
fn asks_for_silence(command: &Command) -> bool {
    match command {
        Command::Wish { wish: Wish::SetConsent(consent), .. } | Command::Join { consent, .. } => {
            *consent != Consent::On
        }
        Command::Wish { wish: Wish::SetTranscription { on, .. }, .. } => !on,
        Command::Wish { wish: Wish::Strike { .. }, .. } => true,
        _ => false,
    }
}

/// Tries until the disk takes the facts. Errors: what no waiting mends.
async fn append(
    log: Log,
    session: SessionId,
    facts: Vec<(SessionTime, Fact)>,
) -> Result<(), LogError> {
    loop {
        match log.append(session, facts.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if may_pass(&error) => {
                tracing::error!(%session, %error, "the session waits for the log");
                tokio::time::sleep(RETRY_LOG).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether waiting may mend it. A backup that holds the file for a while throws nobody out.
fn may_pass(error: &LogError) -> bool {
    use LogError::{DiskFull, InUse, Sqlite};
    matches!(error, DiskFull { .. } | InUse { .. } | Sqlite { .. })
}

/// Takes the session's audio to the ears.
struct Tap {
    session: SessionId,
    clock: Clock,
    hearing: Arc<Hearing>,
    deaf: Arc<AtomicBool>,
}

impl AudioTap for Tap {
    fn packet(&self, from: ParticipantId, packet: TappedPacket) {
        if self.deaf.load(Ordering::SeqCst) {
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::config::{MediaConfig, SpeechSettings},
        domain::{fact::GapReason, time::Span},
    };

    const ALICE: ConnectionId = ConnectionId(1);

    /// A session with nobody in it, its task not yet running, and the file of its log.
    async fn prepared(folder: &std::path::Path) -> (SessionHandle, Task, Inboxes) {
        let log = Log::open(&folder.join("log")).unwrap();
        let id = SessionId::new(1_790_000_000_000, 1);
        let (title, language) = ("Kevät".to_owned(), Language::Finnish);
        let opened = (SessionTime::ZERO, Fact::Opened { title, language, unix_ms: 0 });
        log.append(id, vec![opened.clone()]).await.unwrap();
        let session = Session::restore([opened], SessionTime::ZERO).unwrap();
        let media = MediaConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            tcp_port: Some(0),
            ..Default::default()
        };
        let around = Surroundings {
            log,
            hearing: Arc::new(Hearing::start(&SpeechSettings {
                enabled: false,
                ..Default::default()
            })),
            transport: Transport::bind(&media.ports()).unwrap(),
        };
        prepare(id, session, Clock::new(0, SessionTime::ZERO), around)
    }

    /// What a page is told, until it is what was waited for.
    async fn wait_for(page: &mut Receiver<News>, wanted: impl Fn(&News) -> bool) {
        let told = async { while !page.recv().await.is_some_and(|it| wanted(&it)) {} };
        tokio::time::timeout(Duration::from_secs(60), told).await.expect("the page is told");
    }

    async fn wait_until(flag: &AtomicBool, wanted: bool) -> bool {
        let seen = async {
            while flag.load(Ordering::SeqCst) != wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen).await.is_ok()
    }

    /// Alice's page, once she is in.
    async fn come_in(session: &SessionHandle) -> Receiver<News> {
        let (news, mut page) = mpsc::channel(NEWS_MAX);
        let (name, consent) = ("Alice".to_owned(), Consent::On);
        let spoken = Spoken::Told(Language::Finnish);
        let (connection, tags) = (ALICE, BTreeMap::new());
        let join = Command::Join { connection, news, seat: None, name, spoken, consent, tags };
        assert!(session.send(join).await);
        wait_for(&mut page, |it| matches!(it, News::Welcome { .. })).await;
        page
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_minute_taken_back_is_the_one_before_asking_though_the_disk_was_slow() {
        let folder = tempfile::tempdir().unwrap();
        let (session, task, inboxes) = prepared(folder.path()).await;
        let log = task.around.log.clone();
        let task = tokio::spawn(task.run(inboxes));
        let mut page = come_in(&session).await;
        let asked = Instant::now() - Duration::from_secs(40);
        let wish = Wish::Strike { waited_ms: 0 };
        assert!(session.send(Command::Wish { connection: ALICE, wish, asked }).await);
        wait_for(&mut page, |it| matches!(it, News::Message(Message::Struck { .. }))).await;
        let records = log.read(session.id).unwrap();
        let Some(Fact::Struck { span, .. }) = records.last().map(|it| &it.fact) else {
            panic!("{records:?}")
        };
        assert!((100_000..130_000).contains(&span.ms()), "{span:?}");
        task.abort();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_goes_off_the_record_is_not_heard_though_the_disk_is_stuck() {
        let folder = tempfile::tempdir().unwrap();
        let (session, task, inboxes) = prepared(folder.path()).await;
        let (deaf, log) = (Arc::clone(&task.deaf), task.around.log.clone());
        let task = tokio::spawn(task.run(inboxes));
        let mut page = come_in(&session).await;
        let connection = ALICE;
        assert!(!deaf.load(Ordering::SeqCst));

        // Somebody else holds the file: no fact reaches it, and the session waits.
        let disk = rusqlite::Connection::open(folder.path().join("log")).unwrap();
        disk.execute_batch("BEGIN IMMEDIATE").unwrap();
        let wish = |wish| Command::Wish { connection, wish, asked: Instant::now() };
        assert!(session.send(wish(Wish::Call(true))).await);
        assert!(session.send(wish(Wish::SetConsent(Consent::OffTheRecord))).await);
        assert!(wait_until(&deaf, true).await, "Alice is heard for as long as the disk is stuck");

        disk.execute_batch("ROLLBACK").unwrap();
        let off = |it: &News| {
            let News::Message(Message::Room(room)) = it else { return false };
            room.people.iter().all(|it| it.consent == Consent::OffTheRecord)
        };
        wait_for(&mut page, off).await;
        assert!(wait_until(&deaf, false).await, "others are never heard again");
        let facts: Vec<_> = log.read(session.id).unwrap().into_iter().map(|it| it.fact).collect();
        assert!(
            matches!(facts.as_slice(), [.., Fact::Called { .. }, Fact::ConsentSet { .. }]),
            "{facts:?}"
        );
        task.abort();
    }

    #[test]
    fn a_log_that_another_program_holds_for_a_while_throws_nobody_out() {
        let path = std::path::PathBuf::from("log");
        let session = SessionId::new(1, 1);
        assert!(may_pass(&LogError::InUse { path: path.clone() }));
        assert!(may_pass(&LogError::DiskFull { path: path.clone() }));
        assert!(!may_pass(&LogError::Damaged { path, reason: String::new() }));
        assert!(!may_pass(&LogError::NotOpened { session }));
    }

    /// A session that runs, with somebody in it, and what its ears are told.
    struct Running {
        session: SessionHandle,
        speech: mpsc::UnboundedSender<SpeechEvent>,
        log: Log,
        clock: Clock,
        task: tokio::task::JoinHandle<()>,
    }

    async fn running(folder: &std::path::Path) -> Running {
        let (session, task, mut inboxes) = prepared(folder).await;
        let (speech, ears) = mpsc::unbounded_channel();
        inboxes.speech = ears;
        let (log, clock) = (task.around.log.clone(), task.clock);
        let task = tokio::spawn(task.run(inboxes));
        drop(come_in(&session).await);
        Running { session, speech, log, clock, task }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_said_before_a_planned_stop_is_on_the_disk_when_the_server_goes() {
        let folder = tempfile::tempdir().unwrap();
        let Running { session, speech, log, clock, task } = running(folder.path()).await;
        let speaker = SpeakerId { session: session.id, participant: ParticipantId(1) };
        for said in 1..=20 {
            let at = clock.now() + said;
            let (span, reason) = (Span::new(at, at + 900), GapReason::Backlog);
            speech.send(SpeechEvent::Unheard { speaker, span, reason }).unwrap();
        }
        session.settle().await;
        let records = log.read(session.id).unwrap();
        let unheard = records.iter().filter(|it| matches!(it.fact, Fact::Unheard { .. }));
        assert_eq!(unheard.count(), 20);
        task.abort();
    }

    /// Bo asks for another language again and again, and waits for nothing.
    async fn pester(session: SessionHandle, connection: ConnectionId) {
        for turn in 0_u64.. {
            let language = if turn % 2 == 0 { Language::Swedish } else { Language::Finnish };
            let wish = Wish::SetLanguage(Spoken::Told(language));
            let wish = Command::Wish { connection, wish, asked: Instant::now() };
            if !session.send(wish).await {
                break;
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_page_that_never_stops_asking_stops_neither_the_clock_nor_the_words_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let Running { session, speech, log, clock, task } = running(folder.path()).await;
        let (news, mut host) = mpsc::channel(NEWS_MAX);
        assert!(session.send(Command::Watch { connection: ConnectionId(2), news }).await);
        let overview = |it: &News| matches!(it, News::Message(Message::Overview(_)));
        wait_for(&mut host, overview).await;
        // Several at once, so that the queue is never empty however fast the disk is.
        let pages: Vec<_> = (0..8).map(|_| tokio::spawn(pester(session.clone(), ALICE))).collect();
        let language_set = |it: &Fact| matches!(it, Fact::LanguageSet { .. });
        let asked =
            || log.read(session.id).unwrap().iter().filter(|it| language_set(&it.fact)).count();
        while asked() < 100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while host.try_recv().is_ok() {}
        wait_for(&mut host, overview).await;

        let span = Span::new(clock.now(), clock.now() + 900);
        let speaker = SpeakerId { session: session.id, participant: ParticipantId(1) };
        let reason = GapReason::Backlog;
        speech.send(SpeechEvent::Unheard { speaker, span, reason }).unwrap();
        let words = |it: &Fact| matches!(it, Fact::Unheard { .. });
        let kept = async {
            while !log.read(session.id).unwrap().iter().any(|it| words(&it.fact)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), kept).await.expect("her words are kept");
        pages.iter().for_each(tokio::task::JoinHandle::abort);
        task.abort();
    }
}
