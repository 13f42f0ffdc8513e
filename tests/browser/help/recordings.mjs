// What the people of these stories say: recordings of real speakers with the words that are in them,
// and the measure of how many of those words came out as text. 16 kHz, mono, 16 bits.
import fs from "node:fs";

export const RATE_HZ = 16_000;
export const LIBRIVOX = "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-";
export const JFK = new URL("../../fixtures/jfk.wav", import.meta.url);
const KIRJASTO = new URL("../../fixtures/kirjasto.wav", import.meta.url);

/**
 * LibriVox and the speech of 1961 are in the public domain; the Finnish is a synthetic voice (Festival,
 * `hy_fi_mv`) that reads two sentences of `tests/bench/speech/finnish.txt`. Words as a listener writes them.
 */
export const recordings = {
  country: recording(
    JFK,
    "and so my fellow americans ask not what your country can do for you " +
      "ask what you can do for your country",
  ),
  leisure: recording(
    `${LIBRIVOX}0870.wav`,
    "and mister john dashwood had then leisure to consider how much there might be " +
      "prudently in his power to do for them",
  ),
  youngMan: recording(`${LIBRIVOX}0880.wav`, "he was not an ill disposed young man"),
  selfish: recording(
    `${LIBRIVOX}0890.wav`,
    "unless to be rather cold hearted and rather selfish is to be ill disposed",
  ),
  respectable: recording(
    `${LIBRIVOX}0920.wav`,
    "had he married a more amiable woman he might have been made still more respectable than he was",
  ),
  library: recording(
    KIRJASTO,
    "kunnan palvelut ovat tärkeitä kaikille asukkaille haluamme kuulla nuorten mielipiteitä uudesta kirjastosta",
  ),
  amiable: recording(`${LIBRIVOX}0930.wav`, "he might even have been made amiable himself"),
};

function recording(file, words) {
  return { file, words };
}

/** A WAV file of recordings and, given in seconds, silences. */
export function wav(parts) {
  return wavOf(Buffer.concat(parts.map((it) => (typeof it === "number" ? silence(it) : samples(it.file)))));
}

/** A WAV file of bare samples. */
export function wavOf(sound) {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + sound.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(1, 22); // channels
  head.writeUInt32LE(RATE_HZ, 24);
  head.writeUInt32LE(RATE_HZ * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(sound.length, 40);
  return Buffer.concat([head, sound]);
}

function silence(seconds) {
  return Buffer.alloc(Math.round(seconds * RATE_HZ) * 2);
}

/** The bare samples of a recording. */
export function samples(file) {
  const bytes = fs.readFileSync(file);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [kind, length] = [bytes.toString("latin1", at, at + 4), bytes.readUInt32LE(at + 4)];
    if (kind === "fmt " && (bytes.readUInt32LE(at + 12) !== RATE_HZ || bytes.readUInt16LE(at + 10) !== 1)) {
      throw new Error(`${file} is not 16 kHz mono`);
    }
    if (kind === "data") return bytes.subarray(at + 8, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  throw new Error(`${file} has no sound`);
}

/** Small letters without punctuation; the two spellings of one word made one. */
export function words(text) {
  const plain = text.toLowerCase().replace(/\bmr\.?(?=\s)/g, "mister").replace(/['’]/g, "");
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Which part of the reference's words stand in the text, in their order: 0 to 1. */
export function recall(reference, text) {
  const [wanted, heard] = [words(reference), words(text)];
  let row = new Array(heard.length + 1).fill(0);
  for (const word of wanted) {
    const next = [0];
    heard.forEach((it, at) => {
      next.push(it === word ? row[at] + 1 : Math.max(row[at + 1], next[at]));
    });
    row = next;
  }
  return wanted.length === 0 ? 1 : row[heard.length] / wanted.length;
}

/** Words that tell this recording from the others: long enough to be no chance. */
export function tellingWords(mine, others) {
  const theirs = new Set(others.flatMap((it) => words(it.words)));
  return [...new Set(words(mine.words))].filter((it) => it.length >= 5 && !theirs.has(it));
}
