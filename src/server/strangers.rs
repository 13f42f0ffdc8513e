//! A limit on whom we do not know: how often a network may come with a token that is none, open a session
//! without a key, or hold a socket that says nothing. Who has a right is never limited here, whoever else
//! sits behind the same address. It remembers no network longer than it takes to be forgiven.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, HeaderName, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    app::clock::unix_ms,
    domain::limits::{
        STRANGER_EVERY_MS, STRANGER_NETWORKS_MAX, STRANGER_SOCKETS_MAX, STRANGER_TRIES_MAX,
    },
    server::{Server, api::problem::Problem, error::TooMany},
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What counts as one stranger: an IPv4 address, or the /64 of an IPv6 one, as a single household or
/// machine has all 2^64 addresses of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(it) => Network::V4(it.to_bits()),
            IpAddr::V6(it) => Network::V6((it.to_bits() >> 64) as u64),
        }
    }
}

/// The network from which a request comes. Of what stands in `X-Forwarded-For`, only the part that
/// `proxies` have written is believed: from the right, up to the first address that is none of them.
pub fn network_of(headers: &HeaderMap, peer: IpAddr, proxies: &[IpAddr]) -> Network {
    let mut from = peer.to_canonical();
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut told = lines.filter_map(|it| it.to_str().ok()).flat_map(|it| it.rsplit(','));
    while proxies.contains(&from) {
        match told.next().and_then(|it| it.trim().parse::<IpAddr>().ok()) {
            Some(address) => from = address.to_canonical(),
            None => break,
        }
    }
    from.into()
}

/// How often each of many has tried: so many times at once, then one every so often.
pub struct Tries<Who> {
    /// When somebody has been forgiven everything, in Unix ms (the generic cell rate algorithm).
    forgiven_at: BTreeMap<Who, u64>,
    at_once_max: u64,
    every_ms: u64,
    remembered_max: usize,
}

impl<Who: Ord + Clone> Tries<Who> {
    pub fn new(at_once_max: u64, every_ms: u64, remembered_max: usize) -> Self {
        Self { forgiven_at: BTreeMap::new(), at_once_max, every_ms, remembered_max }
    }

    /// One try. Errors: too many.
    pub fn count(&mut self, who: Who, now_ms: u64) -> Result<(), TooMany> {
        let owed_at = self.forgiven_at.get(&who).copied().unwrap_or(0).max(now_ms);
        let owes_ms = owed_at + self.every_ms - now_ms;
        let most_ms = self.at_once_max * self.every_ms;
        if most_ms < owes_ms {
            return Err(TooMany { wait_ms: owes_ms - most_ms });
        }
        self.make_room(&who, now_ms);
        self.forgiven_at.insert(who, now_ms + owes_ms);
        Ok(())
    }

    /// When too many are remembered, those are forgotten who owe least.
    fn make_room(&mut self, newcomer: &Who, now_ms: u64) {
        if self.forgiven_at.len() < self.remembered_max || self.forgiven_at.contains_key(newcomer) {
            return;
        }
        self.forgiven_at.retain(|_, at| now_ms < *at);
        let least = self.forgiven_at.iter().min_by_key(|it| *it.1).map(|it| it.0.clone());
        if let Some(least) = least.filter(|_| self.remembered_max <= self.forgiven_at.len()) {
            self.forgiven_at.remove(&least);
        }
    }
}

pub struct Strangers {
    proxies: Vec<IpAddr>,
    tries: Mutex<Tries<Network>>,
    silent: Mutex<BTreeMap<Network, usize>>,
}

impl Strangers {
    pub fn new(proxies: &[IpAddr]) -> Self {
        Self {
            proxies: proxies.iter().map(IpAddr::to_canonical).collect(),
            tries: Mutex::new(network_tries()),
            silent: Mutex::default(),
        }
    }

    pub fn network(&self, headers: &HeaderMap, extensions: &Extensions) -> Network {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([127, 0, 0, 1]), |it| it.0.ip());
        network_of(headers, peer, &self.proxies)
    }

    /// Counts a try of somebody without a right. Errors: too many; the answer that says so.
    pub fn count(&self, network: Network) -> Result<(), TooMany> {
        lock(&self.tries).count(network, unix_ms())
    }

    /// A socket opens that has not said yet who it is. `None`: its network has too many of them.
    pub fn opens(self: &Arc<Self>, network: Network) -> Option<Silent> {
        let mut silent = lock(&self.silent);
        let count = silent.entry(network).or_default();
        if STRANGER_SOCKETS_MAX <= *count {
            return None;
        }
        *count += 1;
        Some(Silent { strangers: Arc::clone(self), network })
    }
}

fn network_tries() -> Tries<Network> {
    Tries::new(STRANGER_TRIES_MAX, STRANGER_EVERY_MS, STRANGER_NETWORKS_MAX)
}

/// A socket that has not said yet who it is.
pub struct Silent {
    strangers: Arc<Strangers>,
    pub network: Network,
}

impl Drop for Silent {
    fn drop(&mut self) {
        let mut silent = lock(&self.strangers.silent);
        match silent.get_mut(&self.network) {
            Some(count) if 1 < *count => *count -= 1,
            _ => _ = silent.remove(&self.network),
        }
    }
}

/// Counts every request that was refused for want of a right.
pub async fn limit(State(server): State<Server>, request: Request, next: Next) -> Response {
    let network = server.strangers.network(request.headers(), request.extensions());
    let is_api = request.uri().path().starts_with("/api/v1");
    let answer = next.run(request).await;
    if !matches!(
        answer.status(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::GONE
    ) {
        return answer;
    }
    match server.strangers.count(network) {
        Ok(()) => answer,
        Err(too_many) if is_api => Problem::from(too_many).into_response(),
        Err(too_many) => too_many.into_response(),
    }
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn whoever_changes_address_within_their_network_is_the_same_stranger() {
        assert_eq!(network("2001:db8:0:7::1"), network("2001:db8:0:7:ffff:1234::9"));
        assert_ne!(network("2001:db8:0:7::1"), network("2001:db8:0:8::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }

    #[test]
    fn only_what_our_own_proxies_say_of_an_address_is_believed() {
        let proxies = ["127.0.0.1", "10.0.0.2"].map(|it| it.parse().unwrap());
        let check = |peer: &str, told: &[&str], expect: &str| {
            let mut headers = HeaderMap::new();
            told.iter().for_each(|it| _ = headers.append(FORWARDED_FOR, it.parse().unwrap()));
            let from = network_of(&headers, peer.parse().unwrap(), &proxies);
            assert_eq!(from, network(expect), "{peer} {told:?}");
        };
        check("192.0.2.7", &[], "192.0.2.7");
        check("192.0.2.7", &["198.51.100.1"], "192.0.2.7");
        check("127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1");
        check("127.0.0.1", &["198.51.100.1", "10.0.0.2"], "198.51.100.1");
        check("127.0.0.1", &["198.51.100.1, nonsense"], "127.0.0.1");
        check("::ffff:127.0.0.1", &["2001:db8::1"], "2001:db8::1");
        check("127.0.0.1", &[], "127.0.0.1");
    }

    #[test]
    fn a_network_that_tries_too_often_waits_and_no_other_does() {
        let mut tries = network_tries();
        let too_many = |wait_ms| Err(TooMany { wait_ms });
        let (mallory, alice) = (network("2001:db8::1"), network("192.0.2.7"));
        for _ in 0..STRANGER_TRIES_MAX {
            assert_eq!(tries.count(mallory, 1_000), Ok(()));
        }
        assert_eq!(tries.count(mallory, 1_000), too_many(STRANGER_EVERY_MS));
        assert_eq!(tries.count(network("2001:db8::2"), 1_000), too_many(STRANGER_EVERY_MS));
        assert_eq!(tries.count(alice, 1_000), Ok(()));
        assert_eq!(tries.count(mallory, 1_000 + STRANGER_EVERY_MS), Ok(()));
        let again = tries.count(mallory, 1_001 + STRANGER_EVERY_MS);
        assert_eq!(again, too_many(STRANGER_EVERY_MS - 1));
    }

    #[test]
    fn many_networks_are_remembered_no_longer_than_there_is_room() {
        let mut tries = network_tries();
        let mallory = network("192.0.2.7");
        for _ in 0..STRANGER_TRIES_MAX {
            tries.count(mallory, 0).unwrap();
        }
        for other in 0..STRANGER_NETWORKS_MAX as u64 + 10 {
            assert_eq!(tries.count(Network::V6(other), 0), Ok(()));
        }
        assert_eq!(tries.forgiven_at.len(), STRANGER_NETWORKS_MAX);
        assert!(tries.count(mallory, 0).is_err(), "who owes most is forgotten last");
    }

    #[test]
    fn sockets_that_say_nothing_are_few_and_are_let_go() {
        let strangers = Arc::new(Strangers::new(&[]));
        let (mallory, alice) = (network("192.0.2.7"), network("192.0.2.8"));
        let mut open: Vec<_> =
            std::iter::from_fn(|| strangers.opens(mallory)).take(10_000).collect();
        assert_eq!(open.len(), STRANGER_SOCKETS_MAX);
        assert!(strangers.opens(alice).is_some());
        open.pop();
        assert!(strangers.opens(mallory).is_some());
        drop(open);
        assert!(lock(&strangers.silent).is_empty());
    }
}
