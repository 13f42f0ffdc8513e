// Moves people between rooms a hundred times in real Chromium, and measures for each listener how long
// it takes until the newcomer's voice and face are there. Run by `scripts/bench move`.
import { Bench, HUES, TONES_HZ, eventually, options, pause, table } from "./stage.mjs";

const FPS = 15;
const NAMES = ["Alice", "Bob", "Chao", "Dina"];
const LATE_MS = 10_000;

const { moves, seed } = options({ moves: 100, seed: 1 });

await Bench.run("move", async (bench) => {
  const server = await bench.server();
  const browser = await bench.browser();
  const host = await bench.host(server, browser);
  const people = [];
  for (const [seat, name] of NAMES.entries()) {
    const guest = await bench.guest(browser, name, { seat, watches: true });
    await guest.joins(host.joinLink, { consent: null });
    people.push(guest);
  }
  await host.opensRooms(2);
  const rooms = [[], []];
  for (const [at, person] of people.entries()) {
    await host.moves(person, `room-${(at % 2) + 1}`);
    rooms[at % 2].push(person);
  }
  await pause(3_000);

  const kept = [];
  let chance = seed;
  for (let move = 1; move <= moves; move += 1) {
    // From the fuller room to the other, so that nobody is alone for long.
    const more = rooms[0].length - rooms[1].length;
    const from = more === 0 ? move % 2 : more > 0 ? 0 : 1;
    chance = (chance * 48_271) % 2_147_483_647;
    const [mover] = rooms[from].splice(chance % rooms[from].length, 1);
    const company = [...rooms[1 - from]];
    const pairs = company.flatMap((it) => [
      { listener: it, newcomer: mover },
      { listener: mover, newcomer: it },
    ]);
    for (const it of pairs) it.since = await it.listener.ask("now");
    await host.asksToMove(mover, `room-${2 - from}`);
    rooms[1 - from].push(mover);
    for (const it of pairs) {
      const [listener, newcomer] = [it.listener.number, it.newcomer.number];
      kept.push({ move, listener, newcomer, ...(await arrival(it)) });
    }
    await pause(700); // so that voices are steady before the next move
  }
  const offers = await Promise.all(people.map((it) => it.negotiations()));
  const renegotiated = offers.reduce((sum, it) => sum + it - 1, 0);

  const of = (name) => kept.map((it) => it[name]).filter((it) => it !== undefined);
  const never = (name) => of(name).filter((it) => !Number.isFinite(it)).length;
  bench.percentiles("audio_gap", of("audio_ms"));
  bench.percentiles("video_gap", of("video_ms"));
  bench.figure("video_gap_frames_p95", Math.ceil((bench.value("video_gap_p95") / 1000) * FPS), "frames");
  bench.percentiles("told", of("told_ms"));
  bench.figure("never_heard", never("audio_ms"), "pairs");
  bench.figure("never_seen", never("video_ms"), "pairs");
  bench.figure("negotiations", renegotiated, "offers");
  console.log(`${moves} moves, ${kept.length} people newly heard and seen by somebody; ms`);
  table(
    ["what", "p50", "p95", "most", "goal p95"],
    [["audio gap", 150], ["video gap", 500], ["told", null]].map(([title, goal]) => {
      const values = ["p50", "p95", "most"].map((it) => bench.value(`${title.replace(" ", "_")}_${it}`));
      return [title, ...values, goal];
    }),
  );
  console.log(`  negotiations: ${renegotiated} (must be 0)`);
  return { moves: kept };
});

/**
 * How long one listener waits for one newcomer. Sound: from when the page is told, or the voice before
 * stops, whichever is sooner, to the first 10 ms of the new voice, so that what the browser makes up of
 * the old voice is part of the gap; sound that is there when the page is told has none. Picture: from when the page is told to the first decoded one.
 */
async function arrival({ listener, newcomer, since }) {
  const measure = async () => {
    const told = await listener.ask("heard", "slots", since);
    const place = told.find((it) => it.participants.includes(newcomer.number));
    if (!place) return null;
    const offer = (await listener.ask("heard", "offer")).at(-1);
    const mids = offer.slots[place.participants.indexOf(newcomer.number)];
    const changes = await listener.ask("changes", since);
    const line = (kind) => changes.find((it) => it.mid === mids[kind]) ?? { before: null, after: [] };
    const first = (kind, what) => line(kind).after.find(([, it]) => it === what)?.[0];
    const [voice, face] = [first("audio", TONES_HZ[newcomer.seat]), first("video", HUES[newcomer.seat])];
    const { before, after } = line("audio");
    const stopped = before?.[1] ? after[0][0] : Number.POSITIVE_INFINITY;
    // What has not come yet is NaN; both are waited for.
    came = {
      audio_ms: Math.max(0, voice - Math.min(place.at, stopped)),
      video_ms: Math.max(0, face - place.at),
      told_ms: place.at - since,
    };
    return voice === undefined || face === undefined ? null : came;
  };
  let came = { audio_ms: Number.NaN, video_ms: Number.NaN };
  return eventually("the newcomer", measure, LATE_MS / 1000).catch(() => came);
}
