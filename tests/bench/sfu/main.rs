//! A load of synthetic WebRTC clients, and what is measured under it: `sfu` beside peers, `rotate`,
//! `soak`. Run by `scripts/bench`, which gives the server one core and this the other. It depends on
//! the program's outer surface alone: the binary, HTTP, the WebSocket, offer and answer, UDP.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock and waits")]

mod client;
mod compare;
mod figures;
mod floor;
mod janus;
mod load;
mod net;
mod peers;
mod reports;
mod rotate;
mod sdp;
mod soak;
mod webinar;

use std::path::PathBuf;

use figures::Arguments;
use peers::Programs;

fn main() {
    let arguments = Arguments::read();
    if arguments.at(0) == Some("floor") {
        let number = |index| arguments.at(index).and_then(|it| it.parse::<u32>().ok());
        let number = |index| number(index).expect("a number");
        floor::serve(number(1) as u16, number(2), number(3));
    }
    let programs = Programs {
        vuoro: arguments.text("--vuoro").expect("--vuoro PROGRAM").into(),
        peers: arguments.text("--peers").expect("--peers FOLDER").into(),
        mediasoup: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bench/mediasoup.mjs"),
    };
    match arguments.at(0) {
        Some("sfu") => compare::run(&arguments, &programs),
        Some("rotate") => rotate::run(&arguments, &programs),
        Some("soak") => soak::run(&arguments, &programs),
        _ => panic!("sfu, rotate or soak?"),
    }
}
