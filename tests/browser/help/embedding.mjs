// Somebody else's page, with a `<vuoro-session>` in it: served from 127.0.0.1, while Vuoro is at
// localhost, in a browser that blocks what third parties would store.
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

import { PATIENCE, eventually } from "./eventually.mjs";
import { wav } from "./recordings.mjs";

const { chromium } = createRequire(new URL("../../../web/package.json", import.meta.url))("playwright-core");
const PATIENCE_MS = 45_000 * PATIENCE;

/** A web server of one page and no more; `document` may be changed. */
export class ForeignServer {
  document = "<!doctype html>";
  /** What else it answers, by path. */
  files = new Map();
  #server;

  static async start() {
    const it = new ForeignServer();
    it.#server = http.createServer((request, answer) => {
      const file = it.files.get(new URL(request.url, "http://x").pathname);
      if (typeof file === "function") return file(request, answer);
      answer.setHeader("Content-Type", "text/html; charset=utf-8");
      answer.end(file ?? it.document);
    });
    await new Promise((resolve) => it.#server.listen(0, "127.0.0.1", resolve));
    return it;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A browser with a profile that says no to third parties. */
export async function openStrictBrowser(stage, name) {
  const profile = stage.path(`profile-${name}`);
  fs.mkdirSync(path.join(profile, "Default"), { recursive: true });
  const preferences = { profile: { block_third_party_cookies: true, cookie_controls_mode: 1 } };
  fs.writeFileSync(path.join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  const file = stage.path(`${name}.wav`);
  fs.writeFileSync(file, wav([1]));
  return chromium.launchPersistentContext(profile, {
    executablePath: process.env.VUORO_CHROMIUM ?? "/usr/bin/chromium",
    headless: false,
    viewport: { width: 1000, height: 800 },
    locale: "en-GB",
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--use-fake-device-for-media-stream=fps=10",
      "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-audio-capture=${file}%noloop`,
    ],
  });
}

export class EmbeddingPage {
  name = "embedding";
  foreign;
  server;
  host;
  session;
  tokens = {};
  page;
  context;
  #urls = [];
  #complaints = [];

  /**
   * A server that lets the foreign origin show it, a session on it, and the page open but empty.
   * `tenants`: what else stands in the configuration, for the foreign origin.
   */
  static async open(stage, { tenants = () => "", name = "embedding" } = {}) {
    const it = new EmbeddingPage();
    it.foreign = await ForeignServer.start();
    stage.atEnd(() => it.foreign.stop());
    const config = stage.path(`${name}.toml`);
    fs.writeFileSync(config, `[server]\nembed_parents = ["${it.foreign.origin}"]\n${tenants(it.foreign.origin)}`);
    it.server = await stage.server({ config });
    it.host = await stage.host(it.server);
    it.session = new URL(it.host.joinLink).pathname.split("/")[2];
    const tokenOf = (link) => decodeURIComponent(new URL(link).hash.slice(1));
    it.tokens = { join: tokenOf(it.host.joinLink), review: tokenOf(it.host.reviewLink), host: tokenOf(it.host.page.url()) };
    await it.sitsDown(stage, name);
    return it;
  }

  /** Another browser with the same page. */
  async another(stage, name) {
    const it = new EmbeddingPage();
    Object.assign(it, { foreign: this.foreign, server: this.server, host: this.host, session: this.session, tokens: this.tokens, name });
    await it.sitsDown(stage, name);
    return it;
  }

  async sitsDown(stage, name) {
    this.context = await openStrictBrowser(stage, name);
    stage.atEnd(() => void this.context.close().catch(() => undefined));
    stage.people.push(this);
    this.page = this.context.pages()[0] ?? (await this.context.newPage());
    this.page.setDefaultTimeout(PATIENCE_MS);
    this.page.on("pageerror", (error) => this.#complaints.push(error.message));
    this.page.on("console", (it) => it.type() === "error" && this.#complaints.push(it.text()));
    this.context.on("request", (it) => this.#urls.push(it.url()));
  }

  /** `attributes` of the element; `more`: what else stands in the page. */
  async shows(attributes, { more = "", script = "" } = {}) {
    const all = Object.entries(attributes).map(([key, value]) => `${key}="${String(value).replaceAll('"', "&quot;")}"`);
    this.foreign.document = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Event</title>
      <script>
        window.seen = [];
        window.watchers = [];
      </script>
      <script src="${this.server.origin}/embed.js"></script>
      ${more}
      <vuoro-session id="it" ${all.join(" ")}></vuoro-session>
      <script>
        const element = document.getElementById("it");
        for (const name of ${JSON.stringify(EVENTS)}) element.addEventListener(name, (it) => window.seen.push({ name, detail: it.detail }));
        ${script}
      </script></html>`;
    await this.page.goto(this.foreign.origin);
  }

  async reloads() {
    await this.page.reload();
  }

  get frame() {
    return this.page.frameLocator("vuoro-session iframe");
  }

  /** The frame itself, to look into. */
  async inside() {
    const handle = await this.page.waitForSelector("vuoro-session iframe");
    return handle.contentFrame();
  }

  /** Events so far, since the page was loaded. */
  seen() {
    return this.page.evaluate(() => window.seen);
  }

  /** Waits for the first such event. */
  event(name, which = () => true) {
    const found = async () => (await this.seen()).find((it) => it.name === name && which(it.detail))?.detail;
    return eventually(`the page hears ${name}`, found, 60);
  }

  /** Until nothing more is heard for two seconds. */
  async settles() {
    for (let heard = -1, now = 0; heard !== now; ) {
      heard = now;
      await this.page.waitForTimeout(2_000);
      now = (await this.seen()).length;
    }
  }

  forgets() {
    return this.page.evaluate(() => void (window.seen.length = 0));
  }

  command(name, takes = {}) {
    return this.page.evaluate(([command, options]) => document.getElementById("it")[command](options), [name, takes]);
  }

  /** The code with which a command is refused; fails when it is done. */
  refusal(name, takes = {}) {
    return this.page.evaluate(
      ([command, options]) =>
        document.getElementById("it").command(command, options).then(
          () => "done",
          (error) => error.code,
        ),
      [name, takes],
    );
  }

  async storageIsBlocked() {
    const frame = await this.inside();
    return frame.evaluate(() => {
      try {
        return sessionStorage === null;
      } catch (error) {
        return error.name === "SecurityError";
      }
    });
  }

  /** Frames of YouTube and Vimeo are answered here, as there is no network. */
  async fakePlayers() {
    const answer = (route) => route.fulfill({ contentType: "text/html", body: PLAYER });
    for (const it of ["https://www.youtube.com/**", "https://www.youtube-nocookie.com/**", "https://player.vimeo.com/**"]) {
      await this.context.route(it, answer);
    }
  }

  /** What the player beside has been told. */
  async playerHeard() {
    const handle = await this.page.waitForSelector("#stream");
    const frame = await handle.contentFrame();
    return frame.evaluate(() => window.heard ?? []);
  }

  /** A frame of a third origin in the page, which says all this to the page and to our frame. */
  async evilFrame(messages) {
    const evil = await ForeignServer.start();
    evil.document = `<!doctype html><script>
      for (const message of ${JSON.stringify(messages)}) {
        parent.postMessage(message, "*");
        for (let i = 0; i < parent.frames.length; i++) if (parent.frames[i] !== window) parent.frames[i].postMessage(message, "*", [new MessageChannel().port2]);
      }
      document.title = "said";
    </script>`;
    await this.page.evaluate((src) => {
      const frame = Object.assign(document.createElement("iframe"), { src, id: "evil" });
      document.body.append(frame);
    }, evil.origin);
    const handle = await this.page.waitForSelector("#evil");
    const frame = await handle.contentFrame();
    await eventually("the evil frame has spoken", async () => (await frame.title()) === "said");
    await this.page.evaluate(() => document.getElementById("evil").remove());
    evil.stop();
  }

  urls() {
    return this.#urls;
  }

  async picture(file) {
    await this.page?.screenshot({ path: file, timeout: 5_000 }).catch(() => undefined);
  }

  async account() {
    // A page without the element has nothing to tell.
    const seen = (await this.seen().catch(() => null)) ?? [];
    const names = seen.map((it) => `${it.name} ${JSON.stringify(it.detail).slice(0, 120)}`).slice(-25);
    return `--- ${this.name}\n  ${names.join("\n  ")}\n  ${this.#complaints.slice(-10).join("\n  ")}`;
  }
}

const EVENTS = [...Object.keys(createRequire(import.meta.url)("../../../web/embed/schema.json").events)];

/** What the players of others do that we need: they say how loud they are and keep what they are told. */
const PLAYER = `<!doctype html><script>
  window.heard = [];
  addEventListener("message", ({ data }) => {
    window.heard.push(data);
    const { event, method } = JSON.parse(data);
    if (event === "listening") parent.postMessage(JSON.stringify({ event: "infoDelivery", info: { volume: 60, playerState: 1 } }), "*");
    if (method === "getVolume") parent.postMessage(JSON.stringify({ method, value: 0.6 }), "*");
    if (method === "getPaused") parent.postMessage(JSON.stringify({ method, value: false }), "*");
  });
</script>`;
