//! The configuration: one TOML file, every field with its default. Read once, then passed on.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

pub mod tenants;

use crate::{
    app::config::tenants::TenantConfig,
    media::driver::transport::{Ports, PublicAddress, TcpPort},
};

/// What is shown in the place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// Days for which a session may be kept.
pub const KEEP_DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;

/// Everything an administrator can choose. A missing field has its default; an unknown one is
/// refused.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folder of the log, the index and the secret. Made when it is missing. Default: `data`.
    pub data: PathBuf,
    pub server: ServerConfig,
    pub media: MediaConfig,
    pub speech: SpeechSettings,
    pub notes: NotesConfig,
    /// Whose sessions these are, where several share the server. Default: none, sessions are opened on
    /// the start page and belong to whoever has their links.
    pub tenants: Vec<TenantConfig>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and TCP port of the pages. Default: `127.0.0.1:8080`, this machine only; browsers
    /// give a microphone only to `localhost` and to `https`, so put a TLS proxy before any other.
    pub listen: SocketAddr,
    /// The address people type, without a final slash, for links that are printed. Default: none,
    /// which prints `http://localhost` and the port.
    pub public_url: Option<String>,
    /// Origins whose pages may show us in an iframe, such as `https://tapahtuma.example.fi`.
    /// Default: none but our own.
    pub embed_parents: Vec<String>,
    /// Where the servers of one house take the lines of pages, such as `wss://solmu-1.example.fi`; this
    /// server's own first. A page is told the first when it joins and keeps its line there, whichever
    /// server has given it the page. Default: none, lines go where pages come from.
    pub nodes: Vec<String>,
    /// Whoever opens a session must send this as a bearer token. Default: none, anybody who reaches
    /// the server may open one.
    pub create_key: Option<String>,
    /// Addresses of the proxies in front of us, which say in `X-Forwarded-For` from where somebody
    /// comes; strangers who try too often are told apart by it. Default: this machine.
    pub proxies: Vec<IpAddr>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct MediaConfig {
    /// Address and UDP port of all audio and video. Default: `0.0.0.0:8080`.
    pub listen: SocketAddr,
    /// TCP port of the same, for browsers whose network lets no UDP through; 0: none. Default: the
    /// one after the last UDP port, where it is free.
    pub tcp_port: Option<u16>,
    /// IP addresses under which browsers reach those ports, best first; needed behind address
    /// translation. With a port, `198.51.100.7:3478`, where another is mapped to the UDP port.
    /// Default: none, which takes this machine's own.
    pub addresses: Vec<MediaAddress>,
    /// Threads that forward, each with a UDP port of its own, counted on from `listen`; a session
    /// lives on one. One carries three hundred people with video. 1 to 64. Default: 1.
    pub cores: usize,
    /// TURN servers, for networks that let nothing else through, such as
    /// `turns:turn.example.fi:443?transport=tcp`. Default: none.
    pub turn_urls: Vec<String>,
    /// The secret that those servers share with us (coturn: `static-auth-secret`).
    pub turn_secret: Option<String>,
}

/// An IP address, with or without a port.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum MediaAddress {
    WithPort(SocketAddr),
    Alone(IpAddr),
}

impl MediaConfig {
    pub fn ports(&self) -> Ports {
        let address = |it: &MediaAddress| match it {
            MediaAddress::WithPort(it) => PublicAddress { ip: it.ip(), port: Some(it.port()) },
            MediaAddress::Alone(ip) => PublicAddress { ip: *ip, port: None },
        };
        Ports {
            listen: self.listen,
            tcp: match self.tcp_port {
                None => TcpPort::Next,
                Some(0) => TcpPort::None,
                Some(port) => TcpPort::At(port),
            },
            addresses: self.addresses.iter().map(address).collect(),
            cores: self.cores,
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechSettings {
    /// Whether speech is turned into text at all. Default: true.
    pub enabled: bool,
    /// The whisper model, a ggml file. Default: `models/whisper/ggml-base.bin`.
    pub model: PathBuf,
    /// Threads that transcribe, each on one utterance and one core; 0: chosen by the machine, all cores
    /// but those that forward and, from four on, one for everything else. Default: 0.
    pub workers: usize,
    /// Seconds of speech that may wait for a worker before the oldest is given up. 12 to 3600.
    /// Default: 120.
    pub backlog_s_max: u64,
}

impl SpeechSettings {
    /// Threads that transcribe, at least one. `forwarding`: cores that forward sound and picture.
    pub fn workers(&self, forwarding: usize) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if self.workers == 0 { workers_of(cores, forwarding) } else { self.workers }
    }

    /// The folder in which the model lies, and others beside it.
    pub fn models_folder(&self) -> &Path {
        match self.model.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}

/// Cores that are left for whisper: one thread on an utterance, since two on one collapse when the other
/// core is busy, and as many utterances side by side as there are cores that nothing else needs.
fn workers_of(cores: usize, forwarding: usize) -> usize {
    let others = usize::from(4 <= cores);
    cores.saturating_sub(forwarding + others).max(1)
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct NotesConfig {
    /// Days for which a session is kept after the last thing that happened in it, where its host has
    /// not chosen otherwise. Then it is taken out whole. 1 to 3650. Default: 30.
    pub keep_days: u32,
    /// Days for which people can check their own words by the link they are given at the end. 1 to
    /// 60. Default: 7.
    pub check_days: u32,
}

impl Default for NotesConfig {
    fn default() -> Self {
        Self { keep_days: 30, check_days: 7 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            server: ServerConfig::default(),
            media: MediaConfig::default(),
            speech: SpeechSettings::default(),
            notes: NotesConfig::default(),
            tenants: Vec::new(),
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
            embed_parents: Vec::new(),
            nodes: Vec::new(),
            create_key: None,
            proxies: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        }
    }
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
            tcp_port: None,
            addresses: Vec::new(),
            cores: 1,
            turn_urls: Vec::new(),
            turn_secret: None,
        }
    }
}

impl Default for SpeechSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            model: PathBuf::from("models/whisper/ggml-base.bin"),
            workers: 0,
            backlog_s_max: 120,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration {path} is not right:\n{source}")]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    #[error("the configuration {path}: {problem}")]
    Invalid { path: PathBuf, problem: String },
}

impl Config {
    /// Reads a file, or gives the defaults when there is none to read.
    pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
        let Some(path) = path else { return Ok(Config::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|source| ConfigError::Parse {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        match config.problem() {
            None => Ok(config),
            Some(problem) => Err(ConfigError::Invalid { path: path.to_owned(), problem }),
        }
    }

    fn problem(&self) -> Option<String> {
        if !(12..=3_600).contains(&self.speech.backlog_s_max) {
            return Some("speech.backlog_s_max must be from 12 to 3600".to_owned());
        }
        if !(1..=64).contains(&self.media.cores) {
            return Some("media.cores must be from 1 to 64".to_owned());
        }
        let is_turn = |it: &String| it.starts_with("turn:") || it.starts_with("turns:");
        if let Some(wrong) = self.media.turn_urls.iter().find(|it| !is_turn(it)) {
            return Some(format!(
                "media.turn_urls: {wrong:?} is not a TURN server; write for example \
                 \"turns:turn.example.fi:443?transport=tcp\""
            ));
        }
        if self.media.turn_urls.is_empty() != self.media.turn_secret.is_none() {
            return Some("media.turn_urls and media.turn_secret need each other".to_owned());
        }
        if !KEEP_DAYS.contains(&self.notes.keep_days) {
            return Some("notes.keep_days must be from 1 to 3650".to_owned());
        }
        if !(1..=60).contains(&self.notes.check_days) {
            return Some("notes.check_days must be from 1 to 60".to_owned());
        }
        if let Some(wrong) = self.server.nodes.iter().find(|it| !is_origin(it, ["wss://", "ws://"]))
        {
            return Some(format!(
                "server.nodes: {wrong:?} is not where lines go; write for example \
                 \"wss://solmu-1.example.fi\", without a path"
            ));
        }
        if let Some(wrong) = self.server.embed_parents.iter().find(|it| !tenants::is_page(it)) {
            return Some(format!("server.embed_parents: {}", tenants::no_origin(wrong)));
        }
        tenants::problem(&self.tenants)
    }

    /// The effective configuration, as it could stand in the file; but for its secrets, in whose place
    /// stands [`HIDDEN`], so that it can be shown to whoever helps.
    pub fn to_toml(&self) -> String {
        let mut shown = self.clone();
        hide(&mut shown.server.create_key);
        hide(&mut shown.media.turn_secret);
        shown.tenants.iter_mut().for_each(TenantConfig::hide_secrets);
        toml::to_string_pretty(&shown).unwrap_or_else(|it| format!("# cannot be shown: {it}\n"))
    }

    pub fn log_path(&self) -> PathBuf {
        self.data.join("notes.sqlite")
    }

    pub fn index_path(&self) -> PathBuf {
        self.data.join("index")
    }

    pub fn secret_path(&self) -> PathBuf {
        self.data.join("token-secret")
    }

    /// The address people type.
    pub fn public_url(&self) -> String {
        let port = self.server.listen.port();
        let url = self.server.public_url.clone();
        url.unwrap_or_else(|| format!("http://localhost:{port}")).trim_end_matches('/').to_owned()
    }
}

fn hide(secret: &mut Option<String>) {
    if let Some(secret) = secret {
        HIDDEN.clone_into(secret);
    }
}

/// A scheme and a host with or without a port, and nothing that could end its place in a header.
fn is_origin(text: &str, schemes: [&str; 2]) -> bool {
    let host = schemes.iter().find_map(|it| text.strip_prefix(it));
    host.is_some_and(|it| {
        let good = |it: u8| it.is_ascii_graphic() && !b"/;,'\"*?#@\\".contains(&it);
        !it.is_empty() && it.bytes().all(good)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("vuoro.toml")).map_err(|it| it.to_string())
    }

    #[test]
    fn what_is_shown_can_be_read_back() {
        let config = Config::default();
        assert_eq!(check(&config.to_toml()), Ok(config.clone()));
        assert_eq!(check(""), Ok(config));
    }

    #[test]
    fn no_secret_is_shown() {
        let config = check(
            "[server]\ncreate_key = 'kuiskaus-1'\n\
             [media]\nturn_urls = ['turn:example.fi']\nturn_secret = 'kuiskaus-2'\n\
             [[tenants]]\nid = 'lahti'\napi_key = 'kuiskaus-3-kuiskaus-3-kuiskaus-3'\n\
             keys = [{ id = 'one', hs256 = 'kuiskaus-4-kuiskaus-4-kuiskaus-4' }, \
             { eddsa = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }]\n\
             webhook = { url = 'https://lahti.fi', \
             secret = 'whsec_a3Vpc2thdXMtNWt1aXNrYXVzLTVrdWlza2F1cy01' }",
        );
        let config = config.unwrap();
        let shown = config.to_toml();
        for secret in ["kuiskaus", "whsec_"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_eq!(shown.matches(HIDDEN).count(), 5, "{shown}");
        // What is no secret stays, as whoever looks for a mistake must see it.
        for told in ["id = \"one\"", "11qYAYKx", "https://lahti.fi", "turn:example.fi"] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        assert_eq!(config.tenants[0].api_key.as_ref().map(String::len), Some(32), "only shown");
    }

    #[test]
    fn whisper_gets_the_cores_that_nothing_else_needs() {
        for (cores, forwarding, expect) in
            [(1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 1, 2), (8, 1, 6), (16, 4, 11), (2, 8, 1)]
        {
            assert_eq!(workers_of(cores, forwarding), expect, "{cores} cores");
        }
        let settings = SpeechSettings { workers: 3, ..Default::default() };
        assert_eq!(settings.workers(1), 3);
        assert_eq!(settings.models_folder(), Path::new("models/whisper"));
    }

    #[test]
    fn addresses_may_have_ports() {
        let config = check("[media]\naddresses = ['198.51.100.7:3478', '2001:db8::7']").unwrap();
        let ports: Vec<_> = config.media.ports().addresses.iter().map(|it| it.port).collect();
        assert_eq!(ports, [Some(3_478), None]);
    }

    #[test]
    fn what_is_unknown_or_wrong_is_refused_with_its_name() {
        for (text, named) in [
            ("[speech]\nmodle = 'x'", "modle"),
            ("[sever]\nlisten = '127.0.0.1:1'", "sever"),
            ("[server]\nlisten = 'here'", "listen"),
            ("[speech]\nbacklog_s_max = 3", "backlog_s_max"),
            ("[media]\ncores = 0", "cores"),
            ("[notes]\nkeep_days = 0", "keep_days"),
            ("[notes]\ncheck_days = 61", "check_days"),
            ("[media]\naddresses = ['example.fi']", "addresses"),
            ("[media]\nturn_urls = ['example.fi']\nturn_secret = 'north'", "turn_urls"),
            ("[media]\nturn_urls = ['turn:example.fi']", "turn_secret"),
            ("[server]\nnodes = ['https://solmu-1.example.fi']", "nodes"),
            ("[server]\nnodes = ['wss://solmu-1.example.fi/ws']", "nodes"),
            ("[server]\nembed_parents = ['example.fi']", "embed_parents"),
            ("[server]\nembed_parents = ['https://example.fi; script-src *']", "embed_parents"),
            ("[[tenants]]\nid = 'Lahti'", "id must be"),
            ("[[tenants]]\nid = 'lahti'\norigins = ['https://*.lahti.fi']", "origins"),
            ("[[tenants]]\nid = 'lahti'\napi_key = 'short'", "api_key"),
            ("[[tenants]]\nid = 'lahti'\nkeys = [{ hs256 = 'short' }]", "hs256"),
            ("[[tenants]]\nid = 'lahti'\nkeys = [{ eddsa = 'AAAA' }]", "eddsa"),
            ("[[tenants]]\nid = 'lahti'\nkeys = [{ id = 'one' }]", "either"),
            ("[[tenants]]\nid = 'lahti'\n[[tenants]]\nid = 'lahti'", "another"),
            (
                "[[tenants]]\nid = 'lahti'\nwebhook = { url = 'http://lahti.fi', secret = '' }",
                "webhook.url",
            ),
            (
                "[[tenants]]\nid = 'lahti'\nwebhook = { url = 'https://lahti.fi', secret = 'x' }",
                "webhook.secret",
            ),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(named), "{text:?} gave {error:?}");
        }
    }
}
