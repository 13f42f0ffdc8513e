//! The peer in a process of its own, and how much of the processor a piece of work here has taken.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// `plain`, running with one model.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Peer {
    pub fn start(program: &str, model: &str) -> Self {
        let mut command = Command::new(program);
        command.arg(model).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect(program);
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Self { child, input: input.expect("its input"), output: output.expect("its output") }
    }

    /// The words, and the CPU they took. `language`: two letters.
    pub fn transcribe(&mut self, pcm: &[f32], language: &str) -> (String, Duration) {
        let mut bytes = language.as_bytes().to_vec();
        bytes.extend((pcm.len() as u32).to_le_bytes());
        bytes.extend(pcm.iter().flat_map(|it| it.to_le_bytes()));
        self.input.write_all(&bytes).expect("the peer reads");
        let mut head = [0; 12];
        self.output.read_exact(&mut head).expect("the peer answers");
        let [took @ .., a, b, c, d] = head;
        let mut text = vec![0; u32::from_le_bytes([a, b, c, d]) as usize];
        self.output.read_exact(&mut text).expect("its text");
        let text = String::from_utf8_lossy(&text).into_owned();
        (text, Duration::from_micros(u64::from_le_bytes(took)))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `work` gives, and the CPU it took on this thread, on which whisper runs with one thread.
pub fn with_cpu<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = thread_cpu();
    let done = work();
    (done, thread_cpu() - begun)
}

fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes the one struct it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Keeps this thread, and those it starts from now on, on one core.
pub fn stay_on(core: usize) {
    // SAFETY: a set of cores is plain bits, and the call reads it.
    let done = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set)
    };
    assert_eq!(done, 0, "core {core}");
}
