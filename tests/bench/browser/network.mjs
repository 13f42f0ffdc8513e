// One person speaks over a bad network to one with a good one, and the other way round: how much sound
// is real, how often pictures freeze, which words the server understands. Many networks, each several
// times with other chances. Run by `scripts/bench network`.
import { recordings, wav, words } from "../../browser/help/recordings.mjs";
import { Bench, eventually, options, pause, percentile, table } from "./stage.mjs";

/** Both directions of the far person's line; `down` and `up` where they differ. */
const PROFILES = {
  clean: {},
  "loss 1 %": { both: { loss: 0.01 } },
  "loss 5 %": { both: { loss: 0.05 } },
  "loss 10 %": { both: { loss: 0.1 } },
  "loss 20 %": { both: { loss: 0.2 } },
  "loss 10 % in bursts of 4": { both: { loss: 0.1, burst: 4 } },
  "jitter 50 ms": { both: { jitter_ms: 50 } },
  "jitter 200 ms": { both: { jitter_ms: 200 } },
  "round trip 400 ms": { both: { delay_ms: 200 } },
  "reordered 10 %": { both: { reorder: 0.1, reorder_ms: 40 } },
  "doubled 10 %": { both: { duplicate: 0.1 } },
  "mobile: loss 3 %, 60 ms, jitter 60 ms": { both: { loss: 0.03, burst: 2, delay_ms: 60, jitter_ms: 60 } },
  "narrow: 500 kbit/s": { both: { rate_kbps: 500, queue_ms: 250 } },
  "dark for 3 s": { blackout_ms: 3_000 },
  "dark for 10 s": { blackout_ms: 10_000 },
  "UDP blocked": { only: "tcp" },
};
const SPEECH = [recordings.country, recordings.leisure, recordings.selfish];
const REFERENCE = SPEECH.map((it) => it.words).join(" ");
/** Short: a server need not send silence, and what is not sent counts as made up by the browser. */
const PAUSE_S = 0.4;
/** Into the speech, so that it is dark in the middle of it. */
const DARK_AFTER_MS = 4_000;
/** After the speech: what a recogniser may need on a busy machine until its last words are there. */
const WORDS_WITHIN_S = 120;
const WORDS_STILL_MS = 12_000;
/** Of the faces that `instruments.js` draws. */
const FPS = 15;

const { seeds, at_once, only } = options({ seeds: 10, at_once: 2, only: "" });

await Bench.run("network", async (bench) => {
  const server = await bench.server({ speech: true });
  const browser = await bench.browser();
  const speech = wav([0.5, ...SPEECH.flatMap((it) => [it, PAUSE_S]), 0.5]).toString("base64");
  const asked = only.split("|");
  const wanted = Object.keys(PROFILES).filter((it) => it === "clean" || asked.some((part) => it.includes(part)));
  const todo = Array.from({ length: seeds }, (_, at) => wanted.map((name) => ({ name, seed: at + 1 }))).flat();
  const kept = [];
  const total = todo.length;
  const work = async () => {
    for (let it = todo.shift(); it; it = todo.shift()) {
      const begun = Date.now();
      const run = await one(bench, server, browser, speech, it).catch((error) => ({ ...it, failed: error.message }));
      kept.push(run);
      const time = Math.round((Date.now() - begun) / 1000);
      console.log(`  ${kept.length}/${total} ${it.name}, seed ${it.seed}: ${told(run)} (${time} s)`);
    }
  };
  await Promise.all(Array.from({ length: at_once }, work));
  sumUp(bench, wanted, kept);
  return { runs: kept };
});

async function one(bench, server, browser, speech, { name, seed }) {
  const profile = PROFILES[name];
  const relay = await bench.relay(server, seed * 1_000);
  if (profile.both) relay.say({ up: profile.both, down: profile.both });
  const road = profile.only ? { only: profile.only } : relay.road;
  const pages = [];
  try {
    const link = await openSession(server);
    const near = await bench.guest(browser, "Near", { tone: false });
    pages.push(near);
    const far = await bench.guest(browser, "Far", { tone: false, road });
    pages.push(far);
    await near.joins(link, { consent: "declined" });
    const begun = Date.now();
    await far.joins(link, { consent: "on" });
    const joined_ms = Date.now() - begun;
    const hears = async (one, other) => (await one.line(other, "audio")).packetsReceived;
    const flows = async () => (await hears(near, far)) && (await hears(far, near));
    await eventually("they are connected", flows, 60);
    await pause(2_000); // voices and pictures have begun

    const both = (kind) => [near.line(far, kind), far.line(near, kind)];
    const lines = () => Promise.all([...both("audio"), ...both("video")]);
    const before = await lines();
    const begun_page = await near.ask("now");
    const speaking = Promise.all([far.ask("says", speech), near.ask("says", speech)]);
    if (profile.blackout_ms) {
      await pause(DARK_AFTER_MS);
      relay.say({ blackout_ms: profile.blackout_ms });
    }
    await speaking;
    const after = await lines();
    const seconds = ((await near.ask("now")) - begun_page) / 1000;
    const heard = await understood(near, far);
    const end = await lines();
    await pause(1_500);
    const later = await lines();
    const negotiations = (await far.negotiations()) + (await near.negotiations());
    const goesOn = (at) => (later[at].packetsReceived ?? 0) > (end[at].packetsReceived ?? 0);
    return {
      name,
      seed,
      joined_ms,
      protocol: await far.ask("protocol"),
      up: sound(before[0], after[0]),
      down: sound(before[1], after[1]),
      up_video: picture(before[2], after[2], seconds),
      down_video: picture(before[3], after[3], seconds),
      errors: errorsIn(words(REFERENCE), words(heard)) / words(REFERENCE).length,
      words: heard,
      negotiations,
      ways: negotiations > 2 ? [await waysOf(far), await waysOf(near)] : [],
      goes_on: goesOn(0) && goesOn(1),
      relay: profile.only ? null : await relay.counts(),
    };
  } finally {
    await Promise.allSettled(pages.map((it) => it.page.context().close()));
    relay.close();
  }
}

/** What became of a page's connections, with seconds since it was opened: why there was more than one. */
async function waysOf(guest) {
  const kinds = ["offer", ...["connecting", "connected", "disconnected", "failed"].map((it) => `media-${it}`)];
  const all = (await Promise.all([...kinds, "socket-closed"].map((it) => guest.ask("heard", it)))).flat();
  return all.sort((a, b) => a.at - b.at).map((it) => `${it.type} ${(it.at / 1000).toFixed(1)}`).join(", ");
}

async function openSession(server) {
  const answer = await fetch(`${server.origin}/api/sessions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ title: "Bench", language: "en" }),
  });
  return new URL((await answer.json()).join_path, server.origin).href;
}

/** The captions of the far person, once no more come. */
async function understood(near, far) {
  let text = "";
  let since = Date.now();
  const still = async () => {
    const captions = (await near.ask("heard", "caption")).filter((it) => it.participant === far.number);
    const now = captions.map((it) => it.text).join(" ");
    if (now !== text) [text, since] = [now, Date.now()];
    return Date.now() - since > WORDS_STILL_MS && (text !== "" || Date.now() - since > 4 * WORDS_STILL_MS);
  };
  await eventually("the last words", still, WORDS_WITHIN_S).catch(() => undefined);
  return text;
}

/**
 * Of a stretch of sound: which share of what is to be heard was real, and how long it was silent without
 * a packet that says so. Silence is one packet in 400 ms (Opus DTX), and the browser counts what it puts
 * between them as concealed; it counts the silence that a long darkness fades to the same way.
 */
function sound(before, after) {
  const more = (name) => (after[name] ?? 0) - (before[name] ?? 0);
  const silent = more("silentConcealedSamples");
  const audible = more("totalSamplesReceived") - silent;
  return {
    played: audible > 0 ? 1 - (more("concealedSamples") - silent) / audible : Number.NaN,
    silent_s: silent / 48_000,
    seconds: (audible + silent) / 48_000,
    lost: more("packetsLost"),
    fec: more("fecPacketsReceived"),
    delay_ms: (1000 * more("jitterBufferDelay")) / Math.max(1, more("jitterBufferEmittedCount")),
  };
}

/** The browser counts a freeze when it is over; the share of pictures that came counts what is not. */
function picture(before, after, seconds) {
  const more = (name) => (after[name] ?? 0) - (before[name] ?? 0);
  const came = more("framesDecoded") / (FPS * seconds);
  return { came, freezes: more("freezeCount"), frozen_s: more("totalFreezesDuration") };
}

/** Words put in, left out or changed (Levenshtein). */
function errorsIn(reference, heard) {
  let row = heard.map((_, at) => at + 1);
  row.unshift(0);
  for (const [at, word] of reference.entries()) {
    const next = [at + 1];
    for (let it = 1; it <= heard.length; it += 1) {
      const same = row[it - 1] + (word === heard[it - 1] ? 0 : 1);
      next.push(Math.min(same, row[it] + 1, next[it - 1] + 1));
    }
    row = next;
  }
  return row.at(-1);
}

function told(run) {
  if (run.failed) return `FAILED: ${run.failed}`;
  const share = (it) => `${(it * 100).toFixed(1)} %`;
  return (
    `${run.protocol}, heard of it ${share(run.up.played)}, hears ${share(run.down.played)}, ` +
    `frozen ${run.up_video.frozen_s.toFixed(1)} and ${run.down_video.frozen_s.toFixed(1)} s, ` +
    `word errors ${share(run.errors)}${run.ways.map((it) => `\n    ${it}`).join("")}${run.goes_on ? "" : ", AND IS SILENT AT THE END"}`
  );
}

function sumUp(bench, wanted, kept) {
  const mean = (values) => values.reduce((sum, it) => sum + it, 0) / values.length;
  const runsOf = (name) => kept.filter((it) => it.name === name && !it.failed);
  const errorsOf = (name) => new Map(runsOf(name).map((it) => [it.seed, it.errors]));
  const clean = errorsOf("clean");
  const rows = [];
  for (const name of wanted) {
    const runs = runsOf(name);
    const all = kept.filter((it) => it.name === name).length;
    const added = [...errorsOf(name)].filter(([seed]) => clean.has(seed)).map(([seed, it]) => it - clean.get(seed));
    const fine = runs.filter((it) => it.goes_on && it.negotiations === 2).length;
    const values = {
      played_up: 100 * mean(runs.map((it) => it.up.played)),
      played_down: 100 * mean(runs.map((it) => it.down.played)),
      played_least: 100 * Math.min(...runs.flatMap((it) => [it.up.played, it.down.played])),
      silent: mean(runs.map((it) => (it.up.silent_s + it.down.silent_s) / 2)),
      pictures: 100 * mean(runs.map((it) => (it.up_video.came + it.down_video.came) / 2)),
      frozen: mean(runs.map((it) => (it.up_video.frozen_s + it.down_video.frozen_s) / 2)),
      freezes: mean(runs.map((it) => (it.up_video.freezes + it.down_video.freezes) / 2)),
      word_errors: 100 * mean(runs.map((it) => it.errors)),
      added_word_errors: 100 * mean(added),
      goes_on: (100 * fine) / Math.max(1, all),
    };
    const units = { silent: "s", frozen: "s", freezes: "freezes", added_word_errors: "points" };
    const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_|_$/g, "");
    for (const [what, value] of Object.entries(values)) bench.figure(`${plain}_${what}`, value, units[what] ?? "%");
    const joined = percentile(runs.map((it) => it.joined_ms), 0.5);
    const shown = Object.values(values).map((it) => (Number.isFinite(it) ? it.toFixed(1) : "–"));
    rows.push([name, `${runs.length}/${all}`, ...shown, joined]);
  }
  console.log();
  console.log("played: of what is not silence, the share that was not made up.");
  console.log("Means over the runs. up: of the far person at the near one; down: of the near one at the far one.");
  table(
    [
      "network of the far person",
      "runs",
      "played up %",
      "down %",
      "least %",
      "silent s",
      "pictures %",
      "frozen s",
      "freezes",
      "word errors %",
      "added",
      "goes on, no new offer %",
      "joined ms",
    ],
    rows,
  );
  const calm = mean(runsOf("clean").flatMap((it) => [it.up.played, it.down.played]));
  if (!(calm > 0.99)) {
    console.log("  THE MACHINE IS TOO BUSY: the clean network loses sound too, and nothing here is a verdict");
  }
  console.log("  goals: at 10 % loss 95 % played and at most 3 points added; at 20 % at most 10;");
  console.log("  dark for 10 s: goes on; UDP blocked: goes on over TCP");
}
