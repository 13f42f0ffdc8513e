//! The command line: `serve`, `transcribe`, `reindex`, `replay`, `export`, `method`, `model`,
//! `speech-bench`, `token`, `tenant`, `check-config`. It reads arguments, says what went wrong and what to do, and leaves the
//! work to the library.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use vuoro::{
    app::{
        App, StartError, capacity,
        clock::unix_ms,
        config::{Config, tenants::TenantConfig},
        exporting::{self, ExportError, Format, Kind, Look, Selection, Wanted},
        methods::{self, Library},
        models::{self, Presence},
        replay::{Shown, replay},
        telemetry,
    },
    domain::{
        ids::{ParticipantId, RoomId, SessionId, TenantId},
        language::Language,
    },
    notes::driver::{
        index::Index,
        log::{Log, SessionSummary},
    },
    server::{
        ServeError, Server,
        tenants::{self, ClaimedRole, Claims, Tenants},
    },
    speech::driver::{wav::transcribe_file, whisper::WhisperModel},
};

/// Makes a webinar's listeners talk: breakout rooms and searchable notes beside any webinar.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve {
        #[command(flatten)]
        config: ConfigArgs,
        /// TCP port of the pages and UDP port of the media, in place of those configured.
        #[arg(long)]
        port: Option<u16>,
        /// Folder of the log, the index and the secret.
        #[arg(long)]
        data: Option<PathBuf>,
        /// The whisper model, a ggml file.
        #[arg(long)]
        model: Option<PathBuf>,
    },
    /// Turn a WAV file into text.
    Transcribe {
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArgs,
        /// The whisper model, a ggml file.
        #[arg(long)]
        model: Option<PathBuf>,
        /// fi, sv or en; found by listening when it is not given.
        #[arg(long, value_parser = language)]
        language: Option<Language>,
    },
    /// Build the search index anew from the log. The server must not be running.
    Reindex {
        #[command(flatten)]
        config: ConfigArgs,
        /// Folder of the log and the index.
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// Tell what happened in a session, from its log. The server must not be running.
    Replay {
        /// The session's id, as it stands in its links; without one, all sessions are listed.
        session: Option<SessionId>,
        /// Show names and words, not only numbers.
        #[arg(long)]
        words: bool,
        /// fi, sv or en: the language of the method's texts.
        #[arg(long, value_parser = language, default_value = "en")]
        language: Language,
        #[command(flatten)]
        config: ConfigArgs,
        /// Folder of the log.
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// Write a session out as a document. The server must not be running; its review page offers
    /// the same.
    Export(Box<ExportArgs>),
    /// Look at the co-development methods, or check one of your own.
    #[command(subcommand)]
    Method(MethodCommand),
    /// List, fetch, check or remove speech models.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Measure how many rooms this machine can follow with each speech model that is here.
    SpeechBench {
        /// Seconds for each model.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
        /// Rooms that shall be followed at once; the recommended model can.
        #[arg(long, default_value_t = 4)]
        rooms: usize,
        /// Print nothing but the name of the recommended model.
        #[arg(long)]
        name_only: bool,
        #[command(flatten)]
        folder: ModelArgs,
    },
    /// Sign a token for somebody, as a tenant's own server would, to try a page out.
    Token(TokenArgs),
    /// Print a new tenant with fresh keys, to be put into the configuration.
    Tenant {
        /// 1 to 40 lower-case letters, digits and hyphens.
        id: TenantId,
        /// An origin whose pages may show its sessions. May be given several times.
        #[arg(long)]
        origin: Vec<String>,
        /// Where its own server wants to be told what happens.
        #[arg(long)]
        webhook: Option<String>,
    },
    /// Read the configuration and print what is in effect.
    CheckConfig {
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Args)]
struct TokenArgs {
    /// The session's id.
    #[arg(long)]
    session: SessionId,
    /// The tenant's own name for the person, the same whenever they come.
    #[arg(long)]
    person: String,
    /// What everybody sees; asked when it is not given.
    #[arg(long)]
    name: Option<String>,
    /// participant, assistant, host or reviewer.
    #[arg(long, default_value = "participant", value_parser = role)]
    role: ClaimedRole,
    /// By which people are mixed, such as organisation=Lahti. May be given several times.
    #[arg(long, value_parser = tag)]
    tag: Vec<(String, String)>,
    /// How long it is good for, in minutes.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1_440))]
    minutes: u64,
    /// Whose session it is; needed when the configuration has several tenants.
    #[arg(long)]
    tenant: Option<TenantId>,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Args)]
struct ExportArgs {
    /// The session's id, as it stands in its links; `vuoro replay` lists them.
    session: SessionId,
    /// md, html, docx, pdf, xlsx, csv, json, vtt or srt.
    #[arg(long, value_parser = format)]
    format: Format,
    /// fi, sv or en: the language of headings and labels.
    #[arg(long, value_parser = language, default_value = "fi")]
    language: Language,
    /// Only this room: main, room-1 and so on. May be given several times, as may the next two.
    #[arg(long)]
    room: Vec<RoomId>,
    /// Only this phase, by its id in the method.
    #[arg(long)]
    phase: Vec<String>,
    /// Only this kind: said, note, card, line, topic, post, broadcast or unheard.
    #[arg(long, value_parser = kind)]
    kind: Vec<Kind>,
    /// Only the page that sums the event up.
    #[arg(long)]
    summary: bool,
    /// Codes in place of names.
    #[arg(long)]
    pseudonymous: bool,
    /// Only what this person has said and written, by their number: what they may ask for.
    #[arg(long)]
    person: Option<u32>,
    /// The reader's clock ahead of universal time, in minutes.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    offset_min: i32,
    /// The file to write; printed when there is none.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Folder of the log.
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum MethodCommand {
    /// List every method: those of the product and those in the data folder.
    List {
        #[command(flatten)]
        shown: MethodArgs,
    },
    /// Show one method whole.
    Show {
        /// Its id, as `method list` gives it.
        id: String,
        #[command(flatten)]
        shown: MethodArgs,
    },
    /// Check method files and say on which line something is wrong, and what to do.
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// fi, sv or en: in what language to tell what is wrong.
        #[arg(long, value_parser = language, default_value = "en")]
        language: Language,
    },
}

#[derive(Subcommand)]
enum ModelCommand {
    /// List every model, and say which are here.
    List {
        #[command(flatten)]
        folder: ModelArgs,
    },
    /// Bring models, going on where an earlier try stopped. What is here and right stays.
    Fetch {
        /// Names, as `model list` gives them.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        folder: ModelArgs,
    },
    /// Check every model that is here, or those named, byte for byte.
    Verify {
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        folder: ModelArgs,
    },
    /// Delete a model.
    Remove {
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        folder: ModelArgs,
    },
}

#[derive(Args)]
struct ModelArgs {
    /// Folder of the models; that of the configured model when it is not given.
    #[arg(long)]
    folder: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

impl ModelArgs {
    fn path(self) -> anyhow::Result<PathBuf> {
        match self.folder {
            Some(folder) => Ok(folder),
            None => Ok(self.config.load()?.speech.models_folder().to_owned()),
        }
    }
}

#[derive(Args)]
struct MethodArgs {
    /// fi, sv or en: the language of the methods' texts.
    #[arg(long, value_parser = language, default_value = "en")]
    language: Language,
    #[command(flatten)]
    config: ConfigArgs,
    /// Folder whose `methods` folder has your own methods.
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(Args)]
struct ConfigArgs {
    /// The configuration file; `vuoro.toml` when there is one, else the defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn load(&self) -> anyhow::Result<Config> {
        let usual = Path::new("vuoro.toml");
        let usual = usual.exists().then_some(usual);
        Ok(Config::load(self.config.as_deref().or(usual))?)
    }
}

fn language(code: &str) -> Result<Language, String> {
    Language::from_code(code).ok_or_else(|| "write fi, sv or en".to_owned())
}

fn role(code: &str) -> Result<ClaimedRole, String> {
    let found = ClaimedRole::ALL.into_iter().find(|it| it.code() == code);
    found.ok_or_else(|| "write participant, assistant, host or reviewer".to_owned())
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (kind, value) = text.split_once('=').ok_or("write a tag as organisation=Lahti")?;
    Ok((kind.to_owned(), value.to_owned()))
}

fn format(code: &str) -> Result<Format, String> {
    let codes = Format::ALL.map(Format::code);
    Format::from_code(code).ok_or_else(|| format!("write one of {}", codes.join(", ")))
}

fn kind(code: &str) -> Result<Kind, String> {
    let codes = Kind::ALL.map(Kind::code);
    Kind::from_code(code).ok_or_else(|| format!("write one of {}", codes.join(", ")))
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vuoro: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve { config, port, data, model } => {
            let mut config = config.load()?;
            if let Some(port) = port {
                config.server.listen.set_port(port);
                config.media.listen.set_port(port);
            }
            config.data = data.unwrap_or(config.data);
            let asked = model.is_some();
            config.speech.model = model.unwrap_or(config.speech.model);
            serve(config, asked)
        }
        Command::Transcribe { file, config, model, language } => {
            let model = match model {
                Some(model) => model,
                None => config.load()?.speech.model,
            };
            transcribe(&file, &model, language)
        }
        Command::Reindex { config, data } => {
            let mut config = config.load()?;
            config.data = data.unwrap_or(config.data);
            reindex(&config)
        }
        Command::Replay { session, words, language, config, data } => {
            let mut config = config.load()?;
            config.data = data.unwrap_or(config.data);
            tell(&config, session, Shown { words, language })
        }
        Command::Export(asked) => export(*asked),
        Command::Method(MethodCommand::List { shown }) => {
            say(&methods::list(&library(&shown)?, shown.language))
        }
        Command::Method(MethodCommand::Show { id, shown }) => {
            let library = library(&shown)?;
            let method = library.get(&id).with_context(|| {
                format!("there is no method {id:?}: `vuoro method list` lists their ids")
            })?;
            say(&methods::show(method, shown.language))
        }
        Command::Method(MethodCommand::Check { files, language }) => {
            check_methods(&files, language)
        }
        Command::Model(ModelCommand::List { folder }) => say(&models::list(&folder.path()?)),
        Command::Model(ModelCommand::Fetch { names, folder }) => {
            Ok(models::fetch(&names, &folder.path()?)?)
        }
        Command::Model(ModelCommand::Verify { names, folder }) => verify(&names, &folder.path()?),
        Command::Model(ModelCommand::Remove { names, folder }) => remove(&names, &folder.path()?),
        Command::SpeechBench { seconds, rooms, name_only, folder } => {
            let config = folder.config.load()?;
            let threads = config.speech.workers(config.media.cores);
            let each = Duration::from_secs(seconds);
            let measured = capacity::measure(&folder.path()?, threads, each)
                .context("a model cannot be used: vuoro model verify tells which")?;
            if !name_only {
                return say(&capacity::report(&measured, threads, rooms));
            }
            let best = capacity::recommended(&measured, rooms).context("there is no model here")?;
            say(&format!("{}\n", best.model.name))
        }
        Command::Token(asked) => token(asked),
        Command::Tenant { id, origin, webhook } => {
            let tenant = TenantConfig::fresh(&id, origin, webhook, rand::random);
            match tenant.problem() {
                None => say(&tenant.to_toml()),
                Some(problem) => bail!("{problem}"),
            }
        }
        Command::CheckConfig { config } => {
            print!("{}", config.load()?.to_toml());
            Ok(())
        }
    }
}

/// Prints a token, and what to paste.
fn token(asked: TokenArgs) -> anyhow::Result<()> {
    let TokenArgs { session, person, name, role, tag, minutes, tenant, config } = asked;
    let config = config.load()?;
    let asked_for = |it: &&TenantConfig| tenant.as_ref().is_none_or(|id| it.id == id.as_str());
    let mut found = config.tenants.iter().filter(asked_for);
    let of = match (found.next(), found.next()) {
        (Some(one), None) => one,
        (Some(_), Some(_)) => bail!("there are several tenants: choose one with --tenant"),
        _ => bail!("there is no such tenant: `vuoro tenant ID` prints one for the configuration"),
    };
    let key = of.keys.iter().find(|it| it.hs256.is_some()).context(
        "the tenant has no hs256 key; tokens for an eddsa key are signed where its private part is",
    )?;
    let now_s = unix_ms() / 1000;
    let claims = Claims {
        iss: of.id.clone(),
        aud: config.public_url(),
        exp: now_s + minutes * 60,
        iat: Some(now_s),
        nbf: None,
        jti: None,
        session: session.to_string(),
        person,
        name,
        role,
        tags: tag.into_iter().collect(),
        grants: None,
    };
    let token = tenants::sign(&claims, key).context("the token cannot be signed")?;
    let tenants = Tenants::new(&config.tenants, config.public_url());
    tenants.right(&token, now_s).context("the server would not take such a token")?;
    let url = config.public_url();
    say(&format!(
        "{token}\n\nGood for {minutes} minutes. To paste into a page:\n\n\
         <script src=\"{url}/embed.js\"></script>\n\
         <vuoro-session session=\"{session}\" token=\"{token}\"></vuoro-session>\n"
    ))
}

/// `model_asked`: the model was named on the command line.
fn serve(config: Config, model_asked: bool) -> anyhow::Result<()> {
    telemetry::start();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let app = App::start(config).map_err(|error| {
            let remedy = start_remedy(&error);
            anyhow::Error::from(error).context(remedy)
        })?;
        let url = app.config.public_url();
        announce(&app, &url, model_asked);
        let stop = stopped(Arc::clone(&app));
        let serving = Server::new(app)?.serve(stop).await;
        serving.map_err(|error| match &error {
            ServeError::Listen { address, .. } => anyhow::Error::msg(format!(
                "{error}. Another program may use port {}: stop it, or choose another with --port",
                address.port()
            )),
            _ => error.into(),
        })
    })
}

/// What to do about a start that failed.
fn start_remedy(error: &StartError) -> &'static str {
    use vuoro::notes::driver::log::LogError;
    match error {
        StartError::Log(LogError::InUse { .. }) => {
            "another vuoro uses this data folder: stop it, or choose another folder with --data"
        }
        StartError::Log(_) | StartError::Index(_) | StartError::Data { .. } => {
            "the data folder cannot be used: check that it may be written, or choose another with \
             --data"
        }
        StartError::Media(_) => {
            "the media port cannot be used: stop the program that has it, or choose another with \
             --port"
        }
    }
}

fn announce(app: &App, url: &str, model_asked: bool) {
    println!("\n  Vuoro is running.\n");
    println!("  Open a session (for a host):  {url}/");
    println!("  The host's page then gives the address for participants.\n");
    for line in app.hearing.state().told(&app.config.speech, model_asked).lines() {
        println!("  {line}");
    }
    let ports: Vec<_> = app.transport.candidates().iter().map(ToString::to_string).collect();
    println!("  Audio and video: UDP {}.", ports.join(", "));
    println!("  Data: {}. Stop with Ctrl-C.\n", app.config.data.display());
}

/// Until the server is to stop and has kept what was said.
async fn stopped(app: Arc<App>) {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let kind = tokio::signal::unix::SignalKind::terminate();
        match tokio::signal::unix::signal(kind) {
            Ok(mut terminate) => {
                tokio::select! { _ = interrupt => (), _ = terminate.recv() => () }
            }
            Err(_) => _ = interrupt.await,
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
    tracing::info!("stopping");
    app.finish().await;
    // Open sockets would keep the graceful end waiting for as long as people stay.
    tokio::spawn(async {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        std::process::exit(0);
    });
}

fn transcribe(file: &Path, model: &Path, language: Option<Language>) -> anyhow::Result<()> {
    let model = WhisperModel::load(model)
        .context("the model cannot be used; fetch one with vuoro model fetch base")?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:40} {percent:>3} %  {elapsed} of about {duration}",
    )?);
    let on_progress = |done_ms, total_ms| {
        bar.set_length(total_ms);
        bar.set_position(done_ms);
    };
    let on_segment = |segment: vuoro::speech::driver::wav::FileSegment| {
        bar.suspend(|| {
            // A closed pipe is noticed at the end.
            let _ = writeln!(
                std::io::stdout(),
                "[{} - {}] {}",
                segment.span.start,
                segment.span.end,
                segment.text
            );
        });
    };
    let language = transcribe_file(file, &model, language, on_progress, on_segment)?;
    bar.finish_and_clear();
    eprintln!("language: {}", language.code());
    Ok(())
}

fn reindex(config: &Config) -> anyhow::Result<()> {
    let log = existing_log(config)?;
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} records")?);
    let last = Index::rebuild(&config.index_path(), &log, &mut |progress| {
        bar.set_length(progress.of);
        bar.set_position(progress.done);
    })?;
    bar.finish_and_clear();
    println!("the index holds everything up to record {last}");
    Ok(())
}

fn existing_log(config: &Config) -> anyhow::Result<Log> {
    let path = config.log_path();
    if !path.exists() {
        anyhow::bail!("there is no log at {}; choose its folder with --data", path.display());
    }
    Log::open(&path).context("the log cannot be opened; if the server is running, stop it first")
}

fn tell(config: &Config, session: Option<SessionId>, shown: Shown) -> anyhow::Result<()> {
    let log = existing_log(config)?;
    let Some(session) = session else {
        let sessions = log.sessions()?;
        let line = |it: &SessionSummary| {
            format!("{}  {}\n", it.id, if it.ended { "ended" } else { "open" })
        };
        let lines = sessions.iter().map(line);
        return say(&lines.collect::<String>());
    };
    let story = replay(&log.read(session)?, shown);
    say(&story.with_context(|| format!("there is no session {session} in this log"))?)
}

fn export(asked: ExportArgs) -> anyhow::Result<()> {
    let mut config = asked.config.load()?;
    config.data = asked.data.unwrap_or(config.data);
    let log = existing_log(&config)?;
    let wanted = Wanted {
        format: asked.format,
        look: Look { language: asked.language, offset_min: asked.offset_min },
        selection: Selection {
            rooms: asked.room.into_iter().collect(),
            phases: asked.phase.into_iter().collect(),
            kinds: asked.kind.into_iter().collect(),
            summary: asked.summary,
        },
        pseudonymous: asked.pseudonymous,
        own: asked.person.map(ParticipantId),
    };
    let document = exporting::prepare(&log, asked.session, &wanted).map_err(|error| {
        let ExportError::SeveralRooms(rooms) = &error else { return anyhow::Error::from(error) };
        let rooms: Vec<_> = rooms.iter().map(|it| format!("--room {it}")).collect();
        anyhow::Error::msg(format!("{error}: {}", rooms.join(", ")))
    })?;
    exporting::note_taken(&log, asked.session, &wanted)?;
    let bar = ProgressBar::new(document.shown().len() as u64)
        .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} lines")?);
    let mut told = |done: usize| bar.set_position(done as u64);
    match &asked.out {
        Some(path) => {
            exporting::write_file(&document, &wanted, path, &mut told)
                .with_context(|| format!("cannot write {}", path.display()))?;
            bar.finish_and_clear();
            eprintln!("{} lines are in {}", document.shown().len(), path.display());
        }
        None => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            exporting::write(&document, &wanted, &mut out, &mut told)?;
            out.flush()?;
            bar.finish_and_clear();
        }
    }
    Ok(())
}

/// All methods. Own files that are not right are told of and left out.
fn library(args: &MethodArgs) -> anyhow::Result<Library> {
    let data = match &args.data {
        Some(data) => data.clone(),
        None => args.config.load()?.data,
    };
    let (library, faults) = Library::load(Some(&data.join(methods::OWN_FOLDER)));
    faults.iter().for_each(|it| eprintln!("{it}"));
    Ok(library)
}

fn check_methods(files: &[PathBuf], language: Language) -> anyhow::Result<()> {
    let mut wrong = 0;
    for file in files {
        match methods::read(file) {
            Ok(method) => {
                let (phases, minutes) = (method.phases.len(), methods::minutes(&method));
                say(&format!("{} is good: {phases} phases, {minutes} minutes\n", file.display()))?;
            }
            Err(faults) => {
                wrong += 1;
                faults.iter().try_for_each(|it| say(&format!("{}\n", it.in_language(language))))?;
            }
        }
    }
    if 0 < wrong {
        anyhow::bail!("{wrong} of {} files cannot be used as they are", files.len());
    }
    Ok(())
}

fn verify(names: &[String], folder: &Path) -> anyhow::Result<()> {
    let chosen = match names {
        [] => models::all()
            .into_iter()
            .filter(|it| it.presence(folder) != Presence::Missing)
            .collect(),
        names => names.iter().map(|it| models::find(it)).collect::<Result<Vec<_>, _>>()?,
    };
    let mut damaged = Vec::new();
    for model in chosen {
        let right = model.verify(folder)?;
        say(&format!("{}: {}\n", model.name, if right { "ok" } else { "damaged" }))?;
        if !right {
            damaged.push(model.name);
        }
    }
    if !damaged.is_empty() {
        anyhow::bail!("bring what is damaged again: vuoro model fetch {}", damaged.join(" "));
    }
    Ok(())
}

fn remove(names: &[String], folder: &Path) -> anyhow::Result<()> {
    for name in names {
        let removed = models::find(name)?.remove(folder)?;
        say(&format!("{name}: {}\n", if removed { "removed" } else { "was not here" }))?;
    }
    Ok(())
}

/// Prints, and fails instead of panicking when whoever listened has gone.
fn say(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
