// Whether the balance is true: conversations whose spans are known are spoken through real browsers, and
// what the server counted of each person is compared with what the definitions give for those spans.
// Two cores carry the four pages of one conversation; a larger machine may have several `--at-once`.
// Run by `scripts/bench balance`.
import fs from "node:fs";

import { RawSocket } from "../../browser/help/socket.mjs";
import { Bench, eventually, options, pause, percentile, table } from "./stage.mjs";
import { truthOf } from "./truth.mjs";
import { castOf, microphone } from "./voices.mjs";

const SCRIPTS = new URL("../../fixtures/conversations.json", import.meta.url);
const NAMES = ["Alice", "Bob", "Chao", "Dina"];
/** The last of them says nothing. */
const TALKERS = 3;
/** A script is over by then, and what chance makes takes the rest of the two minutes. */
const SCRIPT_S = 62;
const LENGTH_S = 122;
/** How far from the microphone people sit, in dB below somebody near, and how loud their rooms are. */
const LEVELS_DB = [0, -6, -12, -18, -24];
const ROOMS_DBFS = [null, -65, -60];
/** So long people must be together before anything is told of how they talk. */
const TOLD_AFTER_S = 121;
/** After the last voice: what finds utterances is that late, on a busy machine later. */
const HEARD_WITHIN_S = 6;
/** From when everybody is there: they are scheduled by the machine's clock. */
const LEAD_S = 2;
/** A page that lost more of its own sound than this said something else than its script. */
const LOST_MS_MAX = 40;

const { conversations, at_once, seed } = options({ conversations: 4, at_once: 1, seed: 1 });

await Bench.run("balance", async (bench) => {
  const server = await bench.server({ speech: true });
  const cast = castOf();
  const scripts = JSON.parse(fs.readFileSync(SCRIPTS, "utf8"));
  const todo = Array.from({ length: conversations }, (_, at) => {
    const chance = chanceOf(seed * 1_000 + at);
    const { name, spans_s } = scripts[at % scripts.length];
    return { at, name, spans_s: [...spans_s, ...invented(chance)], chance };
  });
  const kept = [];
  const work = async () => {
    // A browser for each line of work: the sound of one suffers less from the pages of another.
    const browser = await bench.browser();
    for (let it = todo.shift(); it; it = todo.shift()) {
      const run = await one(bench, server, browser, cast, it).catch((error) => ({ ...about(it), failed: error.message }));
      kept.push(run);
      console.log(`  ${kept.length}/${conversations} ${told(run)}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(at_once, conversations) }, work));
  sumUp(bench, kept);
  return { conversations: kept };
});

function about({ at, name }) {
  return { at, name };
}

/** One conversation in a session of its own, from its opening to its end. */
async function one(bench, server, browser, cast, { at, name, spans_s, chance }) {
  const links = await openSession(server);
  const voices = NAMES.map((_, who) => {
    const own_s = spans_s.filter((it) => it[0] === who + 1).map((it) => it.slice(1));
    const phrases = cast[(who + at) % cast.length];
    const [level_db, room_dbfs] = [pick(LEVELS_DB, chance), pick(ROOMS_DBFS, chance)];
    return { level_db, room_dbfs, ...microphone({ spans_s: own_s, phrases, length_s: LENGTH_S, level_db, room_dbfs, chance }) };
  });
  const people = [];
  try {
    for (const name of NAMES) {
      const guest = await bench.guest(browser, name, { tone: false, faceless: true });
      people.push(guest);
      await guest.joins(links.join, { consent: "on" });
    }
    const together = Date.now();
    for (const [who, it] of people.entries()) await it.ask("takes", voices[who].file.toString("base64"));
    const starts = Date.now() + LEAD_S * 1000;
    const lost = await Promise.all(people.map((it) => it.ask("speaksAt", starts)));
    await pause(Math.max(HEARD_WITHIN_S * 1000, together + TOLD_AFTER_S * 1000 - Date.now()));
    await end(server, links.host);
    const counted = await Promise.all(people.map((it) => countedBy(it)));
    const truth = truthOf(voices.map((it) => it.truth));
    return {
      ...about({ at, name }),
      lost_ms: Math.max(...lost),
      overlap: { true: truth.overlap, counted: counted[0].round.balance.overlap },
      effective_voices: { true: truth.effective_voices, counted: counted[0].round.balance.effective_voices },
      people: truth.people.map((it, who) => ({
        level_db: voices[who].level_db,
        room_dbfs: voices[who].room_dbfs,
        true: it,
        counted: {
          talk_s: counted[who].own.talk_ms / 1000,
          turns: counted[who].own.turns,
          backchannels: counted[who].own.backchannels,
        },
        // To look into what is wrong: where voice was, and where words were written down.
        spans_s: voices[who].truth,
        captions_ms: counted[who].captions,
      })),
    };
  } finally {
    await Promise.allSettled(people.map((it) => it.page.context().close()));
  }
}

async function openSession(server) {
  const answer = await fetch(`${server.origin}/api/sessions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ title: "Bench", language: "en" }),
  });
  const { join_path, host_path } = await answer.json();
  return { join: new URL(join_path, server.origin).href, host: new URL(host_path, server.origin).href };
}

/** As the host does it: everybody is told the round that they were in, and their own part of it. */
async function end(server, hostLink) {
  const socket = await RawSocket.connect(server.origin);
  socket.say({ type: "watch", token: decodeURIComponent(new URL(hostLink).hash.slice(1)) });
  await socket.hears("overview");
  socket.say({ type: "end" });
  await socket.isClosed();
}

async function countedBy(person) {
  const last = async (type) => (await person.ask("heard", type)).at(-1);
  const [round, own] = await eventually(`${person.name} is told of the round`, async () => {
    const both = [await last("round"), await last("own")];
    return both.every(Boolean) && both;
  });
  const captions = (await person.ask("heard", "caption")).filter((it) => it.participant === person.number);
  return { round, own, captions: captions.map((it) => [it.start_ms, it.end_ms]) };
}

/** Three people who talk for most of a minute as people do: turns, pauses, into one another, "mhm". */
function invented(chance) {
  const between = (least, most) => Math.round((least + chance() * (most - least)) * 100) / 100;
  const spans = [];
  let who = 1 + Math.floor(chance() * TALKERS);
  for (let at = SCRIPT_S; at < LENGTH_S - 16; ) {
    const end = at + between(2.5, 11);
    spans.push([who, at, end]);
    for (const other of [1, 2, 3].filter((it) => it !== who)) {
      const heard = spans.findLast((it) => it[0] === other)?.[2] ?? 0;
      const from = between(Math.max(at, heard) + 1, end - 2.5);
      if (end - 2.5 > Math.max(at, heard) + 1 && chance() < 0.5) spans.push([other, from, from + between(0.4, 0.8)]);
    }
    const goesOn = chance() < 0.2;
    const overlaps = !goesOn && chance() < 0.3;
    at = end + (overlaps ? -between(0.3, 1.5) : goesOn ? between(0.6, 2) : between(0.1, 1.2));
    if (!goesOn) who = 1 + ((who + Math.floor(chance() * (TALKERS - 1))) % TALKERS);
  }
  return spans.toSorted((a, b) => a[1] - b[1]);
}

/** Numbers from 0 to 1, the same for the same seed (Park and Miller). */
function chanceOf(seed) {
  let state = (seed * 7_919) % 2_147_483_647 || 1;
  const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let n = 0; n < 10; n += 1) next();
  return next;
}

function pick(list, chance) {
  return list[Math.floor(chance() * list.length)];
}

function isExact(it, what) {
  return it.true[what] === it.counted[what];
}

function errorOf(it) {
  return Math.abs(it.counted.talk_s - it.true.talk_s) / it.true.talk_s;
}

function told(run) {
  if (run.failed) return `${run.name}: FAILED: ${run.failed}`;
  const talkers = run.people.filter((it) => it.true.talk_s > 0);
  const most = 100 * Math.max(...talkers.map(errorOf));
  const wrong = run.people.flatMap((it, who) =>
    ["turns", "backchannels"]
      .filter((what) => !isExact(it, what))
      .map((what) => `${NAMES[who]} ${it.counted[what]} ${what} of ${it.true[what]}`),
  );
  const late = run.lost_ms > LOST_MS_MAX ? `, A PAGE LOST ${run.lost_ms.toFixed(0)} ms OF ITS SOUND` : "";
  return `${run.name}: talk time at most ${most.toFixed(1)} % off, ${wrong.join(", ") || "all counts right"}${late}`;
}

function sumUp(bench, kept) {
  const whole = kept.filter((it) => !it.failed && it.lost_ms <= LOST_MS_MAX);
  const people = whole.flatMap((it) => it.people);
  const talkers = people.filter((it) => it.true.talk_s > 0);
  const share = (list, is) => (100 * list.filter(is).length) / Math.max(1, list.length);
  const sum = (list, of) => list.reduce((all, it) => all + of(it), 0);
  const errors = talkers.map((it) => 100 * errorOf(it));
  const silent = people.filter((it) => it.true.talk_s === 0);
  bench.figure("conversations", whole.length, "conversations");
  bench.figure("left_out", kept.length - whole.length, "conversations");
  bench.figure("talk_error", (100 * sum(talkers, (it) => Math.abs(it.counted.talk_s - it.true.talk_s))) / sum(talkers, (it) => it.true.talk_s), "%");
  bench.figure("talk_bias", (100 * sum(talkers, (it) => it.counted.talk_s - it.true.talk_s)) / sum(talkers, (it) => it.true.talk_s), "%");
  bench.percentiles("talk_error_of_a_person", errors, "%");
  bench.figure("talk_within_5_percent", share(errors, (it) => it <= 5), "%");
  bench.figure("turns_exact", share(people, (it) => isExact(it, "turns")), "%");
  bench.figure("backchannels_exact", share(people, (it) => isExact(it, "backchannels")), "%");
  bench.figure("both_exact", share(people, (it) => isExact(it, "turns") && isExact(it, "backchannels")), "%");
  bench.figure("silent_people_talk", Math.max(0, ...silent.map((it) => it.counted.talk_s)), "s");
  bench.figure("overlap_off_p95", 100 * percentile(whole.map((it) => Math.abs(it.overlap.counted - it.overlap.true)), 0.95), "points");
  bench.figure("effective_voices_off_p95", percentile(whole.map((it) => Math.abs(it.effective_voices.counted - it.effective_voices.true)), 0.95), "voices");
  bench.figure("sound_lost_most", Math.max(...kept.filter((it) => !it.failed).map((it) => it.lost_ms)), "ms");

  console.log();
  const pair = (it) => `${it.counted} of ${it.true}`;
  const numbers = (run, what) => run.people.map((it) => `${it.counted[what]}/${it.true[what]}`).join(" ");
  const seconds = (run) => run.people.map((it) => `${it.counted.talk_s.toFixed(1)}/${it.true.talk_s.toFixed(1)}`).join(" ");
  table(
    ["conversation", "talk s, counted/true", "turns", "backchannels", "overlap %", "effective voices", "sound lost ms"],
    kept
      .filter((it) => !it.failed)
      .map((it) => [
        it.name,
        seconds(it),
        numbers(it, "turns"),
        numbers(it, "backchannels"),
        pair({ counted: (100 * it.overlap.counted).toFixed(1), true: (100 * it.overlap.true).toFixed(1) }),
        pair({ counted: it.effective_voices.counted.toFixed(2), true: it.effective_voices.true.toFixed(2) }),
        it.lost_ms,
      ]),
  );
  console.log("  goals: talk time at most 5 % off; turns and backchannels exact in 95 % of people and conversations");
  if (whole.length < kept.length) console.log("  what a page could not say as it is written is left out of the figures");
}
