// What the benches in browsers share: a server with a folder of its own, people in one real Chromium,
// the relay, figures at the end. It measures nothing itself.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

import { eventually, pause } from "../../browser/help/eventually.mjs";
import { Host, Person, openBrowser } from "../../browser/help/people.mjs";
import { Server } from "../../browser/help/server.mjs";

export { eventually, pause };

const INSTRUMENTS = fileURLToPath(new URL("instruments.js", import.meta.url));
/** Far enough apart for the ear of `instruments.js`, which has 10 ms to tell them apart. */
export const TONES_HZ = [400, 700, 1_000, 1_300, 1_600, 1_900];
export const HUES = [0, 60, 120, 180, 240, 300];

/** `--name value` and `--name`, as numbers where they are. */
export function options(usual) {
  const chosen = { ...usual };
  const given = process.argv.slice(2);
  while (given.length > 0) {
    const name = given.shift().replace(/^--/, "").replaceAll("-", "_");
    if (!(name in usual)) throw new Error(`there is no option ${name}; there are ${Object.keys(usual)}`);
    if (typeof usual[name] === "boolean") chosen[name] = true;
    else chosen[name] = typeof usual[name] === "number" ? Number(given.shift()) : given.shift();
  }
  return chosen;
}

export class Bench {
  figures = [];
  #name;
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), "vuoro-bench-"));
  #servers = [];
  #browsers = [];
  #relays = [];

  constructor(name) {
    this.#name = name;
    process.on("exit", () => this.#leaveNothing());
  }

  /** Runs a bench to its end, whatever happens, and writes down what came out. */
  static async run(name, act) {
    const bench = new Bench(name);
    try {
      const kept = await act(bench);
      bench.#tell(kept);
    } catch (error) {
      for (const it of bench.#servers) console.error(it.account());
      throw error;
    } finally {
      await Promise.allSettled(bench.#browsers.map((it) => it.close()));
      await Promise.allSettled(bench.#servers.map((it) => it.kill()));
      bench.#leaveNothing();
    }
    process.exit(0);
  }

  figure(name, value, unit) {
    this.figures.push({ name: `${this.#name}_${name}`, value, unit });
  }

  /** Of a figure that has been given. */
  value(name) {
    return this.figures.find((it) => it.name === `${this.#name}_${name}`).value;
  }

  /** The median, the 95th of a hundred and the most. */
  percentiles(name, values, unit = "ms") {
    this.figure(`${name}_p50`, percentile(values, 0.5), unit);
    this.figure(`${name}_p95`, percentile(values, 0.95), unit);
    this.figure(`${name}_most`, percentile(values, 1), unit);
  }

  /** On one port for pages and media, before which a relay can stand. `methods`: own ones, by the names of
   * their files. */
  async server({ speech = false, methods = {} } = {}) {
    const port = await Server.freePort();
    const config = path.join(this.#folder, `${port}.toml`);
    const lines = ["[media]", 'addresses = ["127.0.0.1"]'];
    if (!speech) lines.push("[speech]", "enabled = false");
    fs.writeFileSync(config, lines.join("\n"));
    const data = path.join(this.#folder, `data-${port}`);
    fs.mkdirSync(path.join(data, "methods"), { recursive: true });
    for (const [name, text] of Object.entries(methods)) fs.writeFileSync(path.join(data, "methods", name), text);
    const server = new Server({ port, data, cwd: this.#folder, config });
    this.#servers.push(server);
    await server.start();
    return server;
  }

  async browser() {
    const browser = await openBrowser({ microphone: "file", file: null });
    this.#browsers.push(browser);
    return browser;
  }

  async host(server, browser, title = "Bench") {
    const host = new Host(browser);
    await host.opensSession(server.origin, title, "en");
    return host;
  }

  /** `seat`: the number of their voice and face; `road`: as in `instruments.js`, or straight; `faceless`:
   * there is no camera. */
  async guest(browser, name, { seat = 0, watches = false, road = null, tone = true, faceless = false } = {}) {
    const guest = new Guest(name);
    await guest.openPage(browser);
    const given = {
      tone_hz: tone ? TONES_HZ[seat % TONES_HZ.length] : 0,
      hue: faceless ? null : HUES[seat % HUES.length],
      tones: TONES_HZ,
      watches,
    };
    await guest.page.addInitScript((it) => Object.assign(window, it), { benchSeat: given, benchRoad: road });
    await guest.page.addInitScript({ path: INSTRUMENTS });
    guest.seat = seat;
    return guest;
  }

  async relay(server, seed = 1) {
    const relay = new Relay(server.port, seed);
    this.#relays.push(relay);
    await relay.ready;
    return relay;
  }

  #tell(kept) {
    console.log();
    for (const { name, value, unit } of this.figures) console.log(`figure ${name} ${shown(value)} ${unit}`);
    const file = process.env.VUORO_BENCH_JSON ?? `target/bench/${this.#name}.json`;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ figures: this.figures, ...kept }, null, 2));
  }

  #leaveNothing() {
    this.#relays.forEach((it) => it.close());
    this.#servers.forEach((it) => it.killNow());
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A person whose page is measured from inside. */
export class Guest extends Person {
  seat = 0;

  constructor(name) {
    super(name, null);
  }

  ask(what, ...given) {
    return this.page.evaluate(([name, all]) => window.bench[name](...all), [what, given]);
  }

  /** The statistics of the line on which another person comes in; `{}` when there is none. */
  async line(of, kind) {
    const { audio, video } = await this.receives(of);
    const mid = (kind === "audio" ? audio : video)?.mid;
    return (await this.ask("inbound")).find((it) => it.mid === mid) ?? {};
  }
}

/** The program in `tests/bench/relay`. */
export class Relay {
  port = 0;
  ready;
  #process;
  #answers = [];

  constructor(port, seed) {
    const program = process.env.VUORO_RELAY;
    if (!program) throw new Error("VUORO_RELAY is not set; run this with scripts/bench");
    const given = ["--upstream", `127.0.0.1:${port}`, "--seed", String(seed)];
    this.#process = spawn(program, given, { stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdin.on("error", () => undefined);
    const lines = readline.createInterface({ input: this.#process.stdout });
    this.ready = new Promise((resolve) => {
      lines.on("line", (line) => {
        const told = JSON.parse(line);
        if ("port" in told) resolve((this.port = told.port));
        else this.#answers.shift()?.(told);
      });
    });
  }

  get road() {
    return { port: this.port };
  }

  say(command) {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  counts() {
    const answer = new Promise((resolve) => this.#answers.push(resolve));
    this.say({ counts: true });
    return answer;
  }

  close() {
    this.#process.kill("SIGKILL");
  }
}

export function percentile(values, part) {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export function shown(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "none";
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toFixed(3)));
}

/** Prints rows of texts and numbers under their titles. */
export function table(titles, rows) {
  const text = (it) => (typeof it === "number" ? shown(it) : String(it ?? "–"));
  const all = [titles, ...rows.map((row) => row.map(text))];
  const widths = titles.map((_, at) => Math.max(...all.map((row) => row[at].length)));
  for (const row of all) console.log(`  ${row.map((it, at) => it.padEnd(widths[at])).join("  ")}`);
}
