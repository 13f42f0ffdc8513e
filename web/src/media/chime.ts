// Plays two soft notes so that a person can hear whether the chosen speaker works. Never plays by
// itself.

export async function playChime(speaker: string): Promise<void> {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const element = new Audio();
  element.srcObject = out.stream;
  if (speaker && "setSinkId" in element) await element.setSinkId(speaker).catch(() => undefined);
  await element.play();
  const start = context.currentTime + 0.05;
  note(context, out, 523.25, start);
  note(context, out, 783.99, start + 0.22);
  setTimeout(() => {
    element.pause();
    void context.close().catch(() => undefined);
  }, 1_400);
}

function note(context: AudioContext, out: AudioNode, frequency_hz: number, at: number): void {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.type = "sine";
  tone.frequency.value = frequency_hz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.25, at + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.7);
  tone.connect(volume).connect(out);
  tone.start(at);
  tone.stop(at + 0.8);
}
