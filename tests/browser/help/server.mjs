// The program under test as a process: started, asked over HTTP, stopped politely or killed.
import { spawn, spawnSync } from "node:child_process";
import net from "node:net";

import { eventually } from "./eventually.mjs";

const BIN = needed("VUORO_BIN");
const MODEL = needed("VUORO_MODEL");
const TAIL_LINES = 40;

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run these tests with scripts/test browser`);
  return value;
}

/** Runs the program to its end. */
export function vuoro(args, options = {}) {
  const ran = spawnSync(BIN, args, { encoding: "utf8", timeout: 60_000, ...options });
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

export class Server {
  port;
  data;
  /** Everything it has said so far, on both streams. */
  output = "";
  /** Of the exit, once it has ended. */
  code = null;
  #args;
  #bin;
  #cwd;
  #process = null;
  #ended = Promise.resolve();

  /** A port that nobody has now, neither for TCP nor, most likely, for UDP. */
  static freePort() {
    return new Promise((resolve, reject) => {
      const probe = net.createServer().once("error", reject);
      probe.listen(0, "127.0.0.1", () => {
        const { port } = probe.address();
        probe.close(() => resolve(port));
      });
    });
  }

  /** `bin`: another program that runs it. */
  constructor({ port, data, cwd, model = MODEL, config = null, bin = BIN }) {
    this.port = port;
    this.data = data;
    this.#cwd = cwd;
    this.#bin = bin;
    const more = config ? ["--config", config] : [];
    this.#args = ["serve", "--port", String(port), "--data", data, "--model", model, ...more];
  }

  /** The address as people type it. */
  get origin() {
    return `http://localhost:${this.port}`;
  }

  async start() {
    this.#spawn();
    const answers = async () => {
      if (!this.#process) throw new Error(`the server did not start:\n${this.account()}`);
      const answer = await fetch(`${this.origin}/api/status`).catch(() => null);
      return answer?.ok;
    };
    await eventually("the server answers", answers, 60);
  }

  /** Starts what should not run; resolves with its exit code. */
  async fails() {
    this.#spawn();
    const gone = async () => (this.#process ? null : { code: this.code, output: this.output });
    return eventually("the server gives up", gone, 60);
  }

  /** As a power cut would. */
  async kill() {
    this.killNow();
    await this.#ended;
  }

  killNow() {
    this.#process?.kill("SIGKILL");
  }

  /** As an administrator would. */
  async stop() {
    this.#process?.kill("SIGTERM");
    await this.#ended;
  }

  account() {
    const tail = this.output.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
    return `--- server on port ${this.port}, its last words\n${tail}\n`;
  }

  #spawn() {
    this.code = null;
    const process = spawn(this.#bin, this.#args, { cwd: this.#cwd, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = process;
    const hear = (bytes) => (this.output = (this.output + bytes).slice(-1_000_000));
    process.stdout.on("data", hear);
    process.stderr.on("data", hear);
    this.#ended = new Promise((resolve) => {
      process.on("error", (error) => hear(error.message));
      process.on("close", (code) => {
        this.code = code;
        this.#process = null;
        resolve();
      });
    });
  }
}

/** What a link opens over HTTP, without a page. */
export class Reader {
  #origin;
  #session;
  #token;

  constructor(link) {
    const url = new URL(link);
    this.#origin = url.origin;
    this.#session = url.pathname.split("/")[2];
    this.#token = decodeURIComponent(url.hash.slice(1));
  }

  about() {
    return this.#ask("");
  }

  /** Every hit, page by page. */
  async search(query = {}) {
    const hits = [];
    for (;;) {
      const fields = new URLSearchParams({ ...query, offset: String(hits.length) });
      const page = await this.#ask(`/search?${fields}`);
      hits.push(...page.hits.map((it) => ({ ...it, text: it.parts.map((part) => part.text).join("") })));
      if (page.hits.length === 0 || hits.length >= page.total) return { total: page.total, hits };
    }
  }

  async #ask(path) {
    const headers = { Authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#origin}/api/sessions/${this.#session}${path}`, { headers });
    const body = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(body.code), { status: answer.status, code: body.code });
    return body;
  }
}
