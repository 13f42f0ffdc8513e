//! The pure parts of the benches' tools, which nothing runs tests of where they are: the bad network,
//! the reports and the answers of the load generator.

#[allow(dead_code, reason = "the relay uses the rest of it")]
#[path = "../bench/relay/road.rs"]
mod road;

#[allow(dead_code, reason = "the load generator uses the rest of it")]
#[path = "../bench/sfu/reports.rs"]
mod reports;

#[allow(dead_code, reason = "the load generator uses the rest of it")]
#[path = "../bench/sfu/sdp.rs"]
mod sdp;

mod on_road {
    use super::road::*;

    /// One datagram of 200 bytes each ms: when each arrives.
    fn walk(profile: Profile, seed: u64, count: u64) -> (Vec<Arrivals>, Counts) {
        let mut road = Road::new(profile, seed);
        let arrivals = (0..count).map(|it| road.take(it * 1_000, 200)).collect();
        (arrivals, road.counts())
    }

    fn assert_near(part: f64, wanted: f64, by: f64) {
        assert!((part - wanted).abs() < by, "{part} is not about {wanted}");
    }

    #[test]
    fn a_perfect_network_changes_nothing() {
        let (arrivals, counts) = walk(Profile::default(), 1, 100);
        for (at, it) in arrivals.iter().enumerate() {
            assert_eq!(*it, Arrivals { first: Some(at as u64 * 1_000), copy: None });
        }
        assert_eq!(counts, Counts { taken: 100, ..Counts::default() });
    }

    #[test]
    fn the_same_seed_tells_the_same_and_another_does_not() {
        let bad = Profile {
            loss: 0.2,
            jitter_ms: 30.0,
            reorder: 0.1,
            reorder_ms: 9.0,
            duplicate: 0.1,
            ..Profile::default()
        };
        assert_eq!(walk(bad.clone(), 7, 500), walk(bad.clone(), 7, 500));
        assert_ne!(walk(bad.clone(), 7, 500).0, walk(bad, 8, 500).0);
    }

    #[test]
    fn loss_comes_to_its_share_alone_and_in_bursts() {
        for burst in [0.0, 5.0] {
            let profile = Profile { loss: 0.1, burst, ..Profile::default() };
            let (arrivals, counts) = walk(profile, 3, 100_000);
            assert_near(counts.lost as f64 / 1e5, 0.1, 0.01);
            let lost: Vec<_> = arrivals.iter().map(|it| it.first.is_none()).collect();
            let begun = lost.windows(2).filter(|it| !it[0] && it[1]).count();
            assert_near(counts.lost as f64 / begun as f64, f64::max(burst, 1.11), 0.3);
        }
        let all = Profile { loss: 1.0, burst: 5.0, ..Profile::default() };
        assert_eq!(walk(all, 3, 100).1.lost, 100);
    }

    #[test]
    fn jitter_delays_and_keeps_the_order() {
        let profile = Profile { delay_ms: 50.0, jitter_ms: 40.0, ..Profile::default() };
        let (arrivals, _) = walk(profile, 5, 1_000);
        let times: Vec<_> = arrivals.iter().filter_map(|it| it.first).collect();
        assert!(times.is_sorted());
        for (at, time) in times.iter().enumerate() {
            assert!((50_000..=90_000).contains(&(time - at as u64 * 1_000)));
        }
    }

    #[test]
    fn who_is_overtaken_comes_after_its_follower_and_copies_come_too() {
        let profile =
            Profile { reorder: 0.25, reorder_ms: 10.0, duplicate: 0.5, ..Profile::default() };
        let (arrivals, counts) = walk(profile, 9, 10_000);
        let times: Vec<_> = arrivals.iter().filter_map(|it| it.first).collect();
        assert!(times.windows(2).any(|it| it[1] < it[0]));
        assert_near(counts.late as f64 / 1e4, 0.25, 0.02);
        assert_near(counts.doubled as f64 / 1e4, 0.5, 0.02);
        assert!(arrivals.iter().all(|it| it.copy.is_none() || it.copy == it.first));
    }

    #[test]
    fn a_narrow_place_makes_a_queue_and_then_loses() {
        // 200 bytes each ms are 1.6 Mbit/s: half of them fit.
        let profile = Profile { rate_kbps: 800.0, queue_ms: 100.0, ..Profile::default() };
        let (arrivals, counts) = walk(profile, 1, 10_000);
        assert_near(counts.lost as f64 / 1e4, 0.5, 0.02);
        for (at, it) in arrivals.iter().enumerate() {
            assert!(it.first.is_none_or(|it| it - at as u64 * 1_000 <= 104_000));
        }
    }

    #[test]
    fn in_the_dark_nothing_arrives_and_after_it_all() {
        let mut road = Road::new(Profile::default(), 1);
        road.darken(10_000);
        assert_eq!(road.take(9_999, 200), Arrivals::default());
        assert_eq!(road.take(10_000, 200).first, Some(10_000));
    }
}

mod on_reports {
    use super::reports::*;

    fn packet(number: u16, ticks: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 111];
        packet.extend(number.to_be_bytes());
        packet.extend(ticks.to_be_bytes());
        packet.extend([0, 0, 0, 9, 1, 2, 3]);
        packet
    }

    #[test]
    fn a_block_says_what_was_lost() {
        let mut reception = Reception::default();
        for it in [65_534_u16, 65_535, 0, 1, 4] {
            reception.packet(&packet(it, 0), 48, 0);
        }
        reception.sender_report(77, 1_000_000_000);
        let block = reception.block(9, 2_000_000_000);
        assert_eq!(block[..4], [0, 0, 0, 9]);
        assert_eq!(block[4], (2 * 255 / 7) as u8);
        assert_eq!(block[5..8], [0, 0, 2]);
        assert_eq!(block[8..12], 65_540_u32.to_be_bytes());
        assert_eq!(block[16..20], 77_u32.to_be_bytes());
        assert_eq!(block[20..24], 65_536_u32.to_be_bytes());
        assert!(!reception.is_fresh());
    }

    #[test]
    fn a_compound_falls_into_its_packets() {
        let mut compound = Vec::new();
        sender_report(&mut compound, 1, 0, 0, 0, 0);
        receiver_report(&mut compound, 1, &[[7; 24]]);
        estimate(&mut compound, 1, &[5, 6]);
        let kinds: Vec<_> = rtcp_packets(&compound).map(|(kind, it)| (kind, it.len())).collect();
        assert_eq!(kinds, [(200, 28), (201, 32), (206, 28)]);
    }

    #[test]
    fn the_transport_number_is_found_among_other_extensions() {
        let mut packet = packet(1, 0);
        packet.truncate(12);
        packet[0] |= 0x10;
        packet.extend([0xbe, 0xde, 0, 2, 0x10, 0x80, 0x51, 0x12, 0x34, 0, 0, 0]);
        assert_eq!(transport_number(&packet, 5), Some(0x1234));
        assert_eq!(transport_number(&packet, 6), None);
    }

    #[test]
    fn feedback_tells_what_came_and_when() {
        let mut feedback = TransportFeedback::default();
        feedback.packet(10, 64_000_000);
        feedback.packet(12, 65_000_000);
        feedback.packet(11, 264_000_000);
        let packet = feedback.next(1, 2).unwrap();
        assert_eq!(packet[..4], [0x8f, 205, 0, 6]);
        assert_eq!(packet[12..16], [0, 10, 0, 3]);
        assert_eq!(packet[16..20], [0, 0, 1, 0]);
        // 10 at once; 11 after 800 units, which takes two bytes; 12 before it.
        assert_eq!(packet[20..22], (0xc000_u16 | 1 << 12 | 2 << 10 | 2 << 8).to_be_bytes());
        assert_eq!(packet[22..27], [0, 3, 32, 252, 228]);
        assert!(feedback.next(1, 2).is_none());
    }
}

mod on_sdp {
    use super::sdp::*;

    const OFFER: &str = "v=0\r\na=group:BUNDLE 0 1 2 3\r\na=ice-lite\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=mid:0\r\na=ice-ufrag:them\r\na=recvonly\r\n\
        a=rtpmap:63 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
        a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
        a=candidate:1 1 tcp 9 192.0.2.1 443 typ host tcptype passive\r\n\
        a=candidate:0 1 udp 9 192.0.2.1 5000 typ host\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n\
        a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rid:h recv\r\na=simulcast:recv h;q\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=sendonly\r\na=rtpmap:96 VP8/90000\r\n\
        a=ssrc:7 cname:them\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:3\r\n";

    #[test]
    fn what_is_needed_is_found() {
        let offer = Offer::read(OFFER);
        assert_eq!(offer.address(), "192.0.2.1:5000".parse::<std::net::SocketAddr>().unwrap());
        assert_eq!(offer.value("a=ice-ufrag:"), "them");
        assert_eq!((offer.payload_type("0"), offer.payload_type("1")), (111, 96));
        assert_eq!(offer.extension("0", "audio-level"), Some(9));
        assert_eq!(offer.transport_feedback(), None, "asked for where the server receives");
    }

    #[test]
    fn the_answer_takes_little() {
        let answer = Offer::read(OFFER).answer(("us", "secret"), "AA", &[("0", 5)]);
        let lines: Vec<_> = answer.lines().filter(|it| it.starts_with("m=")).collect();
        let wanted = [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "m=video 9 UDP/TLS/RTP/SAVPF 96",
            "m=video 9 UDP/TLS/RTP/SAVPF 96",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        ];
        assert_eq!(lines, wanted);
        for gone in ["rtx", "red/", "simulcast", "a=rid", "candidate", "them", "ice-lite"] {
            assert!(!answer.contains(gone), "{gone} in {answer}");
        }
        let directions: Vec<_> =
            answer.lines().filter(|it| it.ends_with("only") || *it == "a=inactive").collect();
        assert_eq!(directions, ["a=sendonly", "a=inactive", "a=recvonly", "a=inactive"]);
        assert!(answer.contains("a=group:BUNDLE 0 1 2\r\n") && answer.contains("a=ssrc:5 "));
    }
}
