// Breaks what a page depends on, again and again, and measures how long it takes to be whole: the line
// of the page, the address of a person, the server itself. Run by `scripts/bench reconnect`.
import { Wire } from "../../browser/help/wire.mjs";
import { Bench, TONES_HZ, eventually, options, pause, table } from "./stage.mjs";

const { times, part } = options({ times: 10, part: "" });
/** Longer than anything that is still called a reconnection. */
const PATIENCE_S = 90;
/** A voice that lasts so long is back, and one that lasted so long after the break was never gone. */
const STEADY_MS = 1_500;
const GAP_COMES_WITHIN_MS = 4_000;

const PARTS = { socket, address, server };

await Bench.run("reconnect", async (bench) => {
  const kept = {};
  const rows = [];
  for (const [name, act] of Object.entries(PARTS).filter(([it]) => it.includes(part))) {
    const { runs, columns } = await act(bench);
    kept[name] = runs;
    for (const [what, { title, goal_ms }] of Object.entries(columns)) {
      bench.percentiles(`${name}_${what}`, runs.map((it) => it[what]));
      const value = (it) => bench.value(`${name}_${what}_${it}`);
      rows.push([title, runs.length, value("p50"), value("p95"), value("most"), goal_ms]);
    }
    bench.figure(`${name}_negotiations`, runs.reduce((sum, it) => sum + it.negotiations, 0), "offers");
    bench.figure(`${name}_never`, runs.filter((it) => it.never).length, "times");
    if (name === "socket") bench.figure("socket_audio_lost", runs.reduce((sum, it) => sum + it.lost, 0), "packets");
  }
  console.log();
  table(["what, in ms", "times", "p50", "p95", "most", "goal p95"], rows);
  return kept;
});

/** `link`: how Alice's link is changed; `road`: which way her media goes. */
async function two(bench, server, { link = (it) => it, road = null } = {}) {
  const browser = await bench.browser();
  const host = await bench.host(server, browser);
  const alice = await bench.guest(browser, "Alice", { seat: 0, watches: true, road });
  const bob = await bench.guest(browser, "Bob", { seat: 1, watches: true });
  await alice.joins(link(host.joinLink), { consent: null });
  await bob.joins(host.joinLink, { consent: null });
  await steady(alice, bob);
  await steady(bob, alice);
  return [alice, bob];
}

/** The page's line to the server is cut, and UDP goes its own way. */
async function socket(bench) {
  const runs = [];
  const server = await bench.server();
  const wire = await Wire.to(server.port);
  const [alice, bob] = await two(bench, server, { link: (it) => wire.link(it) });
  for (let time = 1; time <= times; time += 1) {
    await pause(3_000); // who is cut off again at once waits longer, and rightly so
    const [since, before] = [await alice.ask("now"), await alice.line(bob, "audio")];
    const offers = await alice.negotiations();
    wire.cut();
    const back = async () => (await alice.ask("heard", "welcome", since))[0];
    const welcome = await eventually("the page is welcomed again", back, PATIENCE_S).catch(() => null);
    await pause(300);
    const after = await alice.line(bob, "audio");
    runs.push({
      back: (welcome?.at ?? Number.NaN) - since,
      concealed: (after.concealedSamples - before.concealedSamples) / 48,
      lost: after.packetsLost - before.packetsLost,
      never: !welcome,
      negotiations: (await alice.negotiations()) - offers,
    });
    say("socket", time, runs);
  }
  wire.close();
  const columns = {
    back: { title: "the line is cut: welcomed again", goal_ms: 2_000 },
    concealed: { title: "  sound made up meanwhile" },
  };
  return { runs, columns };
}

/** Alice's datagrams come from another port and address, as when she leaves a wireless network. */
async function address(bench) {
  const runs = [];
  const server = await bench.server();
  const relay = await bench.relay(server);
  const [alice, bob] = await two(bench, server, { road: relay.road });
  for (let time = 1; time <= times; time += 1) {
    await steady(alice, bob);
    await steady(bob, alice);
    await pause(((time * 677) % 2_500) + 500); // at every moment of the browser's own rhythm
    const offers = await alice.negotiations();
    const [a, b] = [await alice.ask("now"), await bob.ask("now")];
    relay.say({ readdress: true });
    const [hears, heard] = await Promise.all([again(alice, bob, a), again(bob, alice, b)]);
    runs.push({
      hears,
      heard,
      never: ![hears, heard].every(Number.isFinite),
      negotiations: (await alice.negotiations()) - offers,
    });
    say("address", time, runs);
  }
  const columns = {
    hears: { title: "another address: hears again", goal_ms: 3_000 },
    heard: { title: "  is heard again", goal_ms: 3_000 },
  };
  return { runs, columns };
}

/** The server dies as in a power cut, and is started at once. */
async function server(bench) {
  const runs = [];
  const it = await bench.server();
  const [alice, bob] = await two(bench, it);
  for (let time = 1; time <= times; time += 1) {
    await steady(alice, bob);
    await steady(bob, alice);
    const [a, b] = [await alice.ask("now"), await bob.ask("now")];
    await it.kill();
    await it.start();
    const answers = (await alice.ask("now")) - a;
    const [hears, heard] = await Promise.all([
      again(alice, bob, a, { isNew: true }),
      again(bob, alice, b, { isNew: true }),
    ]);
    const never = ![hears, heard].every(Number.isFinite);
    runs.push({ answers, back: Math.max(hears, heard), never, negotiations: 0 });
    say("server", time, runs);
  }
  const columns = {
    answers: { title: "the server is killed: answers again" },
    back: { title: "  both hear each other", goal_ms: 10_000 },
  };
  return { runs, columns };
}

function say(name, time, runs) {
  const text = (it) => (typeof it === "number" ? Math.round(it) : it);
  const values = Object.entries(runs.at(-1)).map(([what, it]) => `${what} ${text(it)}`);
  console.log(`  ${name} ${time}/${times}: ${values.join(", ")}`);
}

async function steady(listener, speaker) {
  const hears = async () => {
    const now = await listener.ask("now");
    const voice = await voiceOf(listener, speaker, 0);
    return voice !== null && now - voice > STEADY_MS;
  };
  await eventually(`${listener.name} hears ${speaker.name}`, hears, PATIENCE_S);
}

/** When, in the page's time, the voice that is there now came; null when there is none. */
async function voiceOf(listener, speaker, since) {
  const lines = await listener.ask("changes", since);
  const tone = TONES_HZ[speaker.seat];
  for (const { kind, before, after } of lines) {
    const last = after.at(-1) ?? before;
    if (kind === "audio" && last?.[1] === tone) return last[0];
  }
  return null;
}

/**
 * How long after `since` the last gap ended, in ms; 0 when there was none. `isNew`: only a connection
 * that was made since counts.
 */
async function again(listener, speaker, since, { isNew = false } = {}) {
  const steadyAgain = async () => {
    const now = await listener.ask("now");
    if (isNew && (await listener.ask("heard", "media-connected", since)).length === 0) return null;
    const voice = await voiceOf(listener, speaker, since);
    if (voice === null || now - voice < STEADY_MS || now - since < GAP_COMES_WITHIN_MS) return null;
    return { gap: Math.max(0, voice - since) };
  };
  const found = await eventually(`${speaker.name} is heard again`, steadyAgain, PATIENCE_S).catch(() => null);
  return found?.gap ?? Number.NaN;
}
