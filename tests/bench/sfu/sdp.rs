//! Reads an offer and writes the answer of a client that takes little: Opus and VP8, no simulcast, no
//! retransmission streams. What it does not know it passes over or refuses. Pure.

use std::net::SocketAddr;

pub struct Offer<'a> {
    head: Vec<&'a str>,
    lines: Vec<Line<'a>>,
}

/// One media line with what stands under it.
struct Line<'a> {
    first: &'a str,
    rest: Vec<&'a str>,
}

impl Line<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.rest.iter().find_map(|it| it.strip_prefix(name))
    }

    fn mid(&self) -> &str {
        self.value("a=mid:").unwrap_or_default()
    }

    /// The one payload type that is taken; `None`: nothing of the line is.
    fn payload_type(&self) -> Option<u8> {
        let codec = match self.first.split(' ').next()? {
            "audio" => "opus/48000",
            "video" => "VP8/90000",
            _ => return None,
        };
        self.rest.iter().find_map(|it| {
            let (number, name) = it.strip_prefix("a=rtpmap:")?.split_once(' ')?;
            name.get(..codec.len())?.eq_ignore_ascii_case(codec).then(|| number.parse().ok())?
        })
    }

    /// As the answer has it. `None`: as it was offered.
    fn attribute(&self, it: &str, payload_type: u8) -> Option<bool> {
        const OURS: [&str; 13] = [
            "a=candidate:",
            "a=end-of-candidates",
            "a=msid",
            "a=ssrc",
            "a=rid:",
            "a=simulcast:",
            "a=ice-",
            "a=fingerprint:",
            "a=setup:",
            "a=sendonly",
            "a=recvonly",
            "a=sendrecv",
            "a=inactive",
        ];
        if OURS.iter().any(|ours| it.starts_with(ours)) || it.contains("rtp-stream-id") {
            return Some(false);
        }
        let of =
            ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().find_map(|name| it.strip_prefix(name));
        let number = of?.split(' ').next()?;
        Some(number == "*" || number.parse() == Ok(payload_type))
    }
}

impl<'a> Offer<'a> {
    pub fn read(sdp: &'a str) -> Self {
        let (mut head, mut lines) = (Vec::new(), Vec::<Line>::new());
        for it in sdp.lines() {
            match (it.strip_prefix("m="), lines.last_mut()) {
                (Some(first), _) => lines.push(Line { first, rest: Vec::new() }),
                (None, Some(line)) => line.rest.push(it),
                (None, None) => head.push(it),
            }
        }
        Self { head, lines }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().flat_map(|it| &it.rest);
        self.head.iter().chain(lines).copied()
    }

    pub fn value(&self, name: &str) -> String {
        self.all().find_map(|it| it.strip_prefix(name)).expect(name).to_owned()
    }

    /// The first address for UDP.
    pub fn address(&self) -> SocketAddr {
        let mut candidates = self.all().filter_map(|it| {
            let parts: Vec<_> = it.strip_prefix("a=candidate:")?.split(' ').collect();
            let is_udp = parts.get(2)?.eq_ignore_ascii_case("udp");
            let ip = parts.get(4)?.parse().ok()?;
            is_udp.then(|| Some(SocketAddr::new(ip, parts.get(5)?.parse().ok()?)))?
        });
        candidates.next().expect("an address")
    }

    fn line(&self, mid: &str) -> &Line<'a> {
        self.lines.iter().find(|it| it.mid() == mid).expect("a media line")
    }

    pub fn payload_type(&self, mid: &str) -> u8 {
        self.line(mid).payload_type().expect("Opus or VP8")
    }

    /// The id of a header extension by a part of its name.
    pub fn extension(&self, mid: &str, name: &str) -> Option<u8> {
        extension(&self.line(mid).rest, name)
    }

    /// Where the server asks to be told of each packet that it sends: the id of their numbers.
    pub fn transport_feedback(&self) -> Option<u8> {
        let sends = |it: &&Line| it.rest.contains(&"a=sendonly");
        self.lines.iter().filter(sends).find_map(|it| {
            let asked = it
                .rest
                .iter()
                .any(|it| it.starts_with("a=rtcp-fb:") && it.ends_with("transport-cc"));
            asked.then(|| extension(&it.rest, "transport-wide-cc"))?
        })
    }

    pub fn estimates(&self) -> bool {
        self.all().any(|it| it.starts_with("a=rtcp-fb:") && it.ends_with("goog-remb"))
    }

    /// Line by line the same, with what is ours in place of theirs. `sending`: the lines on which is
    /// sent, with their SSRCs; other lines that the server would receive on stay unused.
    pub fn answer(&self, ice: (&str, &str), fingerprint: &str, sending: &[(&str, u32)]) -> String {
        let mut out = Vec::new();
        let taken: Vec<_> =
            self.lines.iter().filter(|it| it.payload_type().is_some()).map(|it| it.mid()).collect();
        for it in &self.head {
            if it.starts_with("a=group:BUNDLE") {
                out.push(format!("a=group:BUNDLE {}", taken.join(" ")));
            } else if !["a=ice-", "a=fingerprint:", "a=setup:"].iter().any(|no| it.starts_with(no))
            {
                out.push((*it).to_owned());
            }
        }
        for line in &self.lines {
            let parts: Vec<_> = line.first.splitn(4, ' ').collect();
            let Some(payload_type) = line.payload_type() else {
                let formats = parts.get(3).unwrap_or(&"0");
                out.push(format!("m={} 0 {} {formats}", parts[0], parts[2]));
                out.push("c=IN IP4 0.0.0.0".to_owned());
                out.push(format!("a=mid:{}", line.mid()));
                out.push("a=inactive".to_owned());
                continue;
            };
            out.push(format!("m={} 9 {} {payload_type}", parts[0], parts[2]));
            let kept =
                line.rest.iter().filter(|it| line.attribute(it, payload_type) != Some(false));
            out.extend(kept.map(|it| (*it).to_owned()));
            out.push(format!("a=ice-ufrag:{}", ice.0));
            out.push(format!("a=ice-pwd:{}", ice.1));
            out.push(format!("a=fingerprint:sha-256 {fingerprint}"));
            out.push("a=setup:active".to_owned());
            let is_received =
                line.rest.contains(&"a=sendonly") || line.rest.contains(&"a=sendrecv");
            match sending.iter().find(|(mid, _)| *mid == line.mid()) {
                Some((mid, ssrc)) => out.extend([
                    "a=sendonly".to_owned(),
                    format!("a=msid:bench track-{mid}"),
                    format!("a=ssrc:{ssrc} cname:bench"),
                    format!("a=ssrc:{ssrc} msid:bench track-{mid}"),
                ]),
                None if is_received => out.push("a=recvonly".to_owned()),
                None => out.push("a=inactive".to_owned()),
            }
        }
        out.push(String::new());
        out.join("\r\n")
    }
}

fn extension(lines: &[&str], name: &str) -> Option<u8> {
    let mut all = lines.iter().filter_map(|it| it.strip_prefix("a=extmap:"));
    let found = all.find(|it| it.contains(name))?;
    found.split(['/', ' ']).next()?.parse().ok()
}
