// Voices whose begin and end are known: phrases of real recordings, cut where their sound begins and
// ends, laid one after another into the spans of a script. It knows nothing of the program under test:
// what is voice is told by the level of the recording alone.
import { JFK, LIBRIVOX, RATE_HZ, samples, wavOf } from "../../browser/help/recordings.mjs";

const CARDS = "/usr/share/pocketsphinx/test/data/cards/";
const STEP_S = 0.01;
/** So much below its loudest hundredths a recording still counts as voice: below it are breath and room. */
const VOICE_DB = 18;
/** What is voice for fewer steps in a row is a click, with which no phrase begins or ends. */
const VOICED_STEPS_MIN = 3;
/** Silences within a voice that end it, by the definitions of balance; phrases have none as long. */
const GAP_S = 0.25;
/** Between two phrases of one span: a breath, too short to end a voice. */
const BREATH_S = 0.12;
/** A shorter phrase would be a click. */
const PHRASE_S_MIN = 0.3;
/** So that nothing clicks where a phrase is cut. */
const FADE_S = 0.008;
/** What the loudest hundredths are brought to, before a person's own level: somebody near a microphone. */
const LOUD_DBFS = -18;

/** Phrases of one person each, more or less: readers, a president, and people who read playing cards. */
export function castOf() {
  const read = (names) => names.flatMap((it) => phrasesOf(`${LIBRIVOX}${it}.wav`));
  const cards = [1, 2, 3, 4, 5].flatMap((it) => phrasesOf(`${CARDS}00${it}.wav`));
  return [
    read(["0870", "0890"]),
    phrasesOf(JFK),
    read(["0920", "0880", "0930"]),
    cards,
  ];
}

/** The pieces of a recording between silences of `GAP_S`, at one loudness, from their first to their last voice. */
function phrasesOf(file) {
  const bytes = samples(file);
  const sound = Float32Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readInt16LE(2 * at) / 32_768);
  const levels = levelsOf(sound);
  const gain = 10 ** ((LOUD_DBFS - loudest(levels)) / 20);
  const voiced = voicedOf(levels);
  const phrases = [];
  let [first, last] = [null, null];
  for (let at = 0; at <= levels.length; at += 1) {
    if (voiced[at]) {
      first ??= at;
      last = at;
    } else if (first !== null && (at === levels.length || at - last >= GAP_S / STEP_S)) {
      const step = STEP_S * RATE_HZ;
      const phrase = sound.slice(first * step, (last + 1) * step).map((it) => it * gain);
      if (phrase.length >= PHRASE_S_MIN * RATE_HZ) phrases.push(phrase);
      first = null;
    }
  }
  return phrases;
}

/** Whether each step is voice. */
function voicedOf(levels) {
  const loud = loudest(levels);
  const voiced = levels.map((it) => it >= loud - VOICE_DB);
  for (let from = 0, at = 1; at <= voiced.length; at += 1) {
    if (voiced[at] === voiced[from]) continue;
    if (at - from < VOICED_STEPS_MIN) voiced.fill(false, from, at);
    from = at;
  }
  return voiced;
}

function loudest(levels) {
  return levels.toSorted((a, b) => a - b)[Math.floor(0.95 * levels.length)];
}

function levelsOf(sound) {
  const step = STEP_S * RATE_HZ;
  return Array.from({ length: Math.floor(sound.length / step) }, (_, at) => {
    const power = sound.subarray(at * step, (at + 1) * step).reduce((sum, it) => sum + it * it, 0) / step;
    return 10 * Math.log10(Math.max(power, 1e-12));
  });
}

/**
 * One person's microphone during a conversation. `spans_s`: when the script lets them speak; `level_db`:
 * how much quieter than somebody near; `room_dbfs`: their room's own sound, null for none; `chance`: a
 * source of numbers from 0 to 1. Gives the WAV file and the spans as they came out, which end where the
 * last phrase in them ends.
 */
export function microphone({ spans_s, phrases, length_s, level_db, room_dbfs, chance }) {
  const sound = new Float32Array(Math.round(length_s * RATE_HZ));
  const gain = 10 ** (level_db / 20);
  const truth = [];
  let next = Math.floor(chance() * phrases.length);
  for (const [from, to] of spans_s) {
    let at = Math.round(from * RATE_HZ);
    const end = Math.round(to * RATE_HZ);
    let voiced = at;
    while (end - at >= PHRASE_S_MIN * RATE_HZ || voiced === Math.round(from * RATE_HZ)) {
      const phrase = cut(phrases[next % phrases.length], end - at);
      next += 1;
      phrase.forEach((it, n) => (sound[at + n] += it * gain));
      voiced = at + phrase.length;
      at = voiced + Math.round(BREATH_S * RATE_HZ);
    }
    truth.push([Math.round(from * RATE_HZ) / RATE_HZ, voiced / RATE_HZ]);
  }
  if (room_dbfs !== null) {
    // Evenly spread numbers have a third of the power of their square.
    const most = 10 ** (room_dbfs / 20) * Math.sqrt(3);
    for (let n = 0; n < sound.length; n += 1) sound[n] += most * (2 * chance() - 1);
  }
  const bytes = Buffer.alloc(sound.length * 2);
  sound.forEach((it, n) => bytes.writeInt16LE(Math.round(Math.max(-1, Math.min(1, it)) * 32_767), n * 2));
  return { file: wavOf(bytes), truth };
}

/** At most `most` samples of a phrase, ending in voice. */
function cut(phrase, most) {
  let length = Math.min(phrase.length, most);
  const voiced = voicedOf(levelsOf(phrase));
  const step = STEP_S * RATE_HZ;
  while (length < phrase.length && length > step && !voiced[Math.floor(length / step) - 1]) {
    length -= step;
  }
  const piece = phrase.slice(0, length);
  const fade = FADE_S * RATE_HZ;
  for (let n = 0; n < fade; n += 1) {
    piece[n] *= n / fade;
    piece[piece.length - 1 - n] *= n / fade;
  }
  return piece;
}
