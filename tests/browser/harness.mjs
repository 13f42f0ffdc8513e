// The stage of every story: a server with a folder of its own, people with a browser each, and a clean
// end, however the story ends. People do what people do: they open links, fill in, click, and speak
// into a microphone. Run by `scripts/test browser`, which names the program, the model and the browser.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";

import { Host, Person, openBrowser } from "./help/people.mjs";
import { Server } from "./help/server.mjs";

export { PATIENCE, WORDS_WITHIN_S, eventually } from "./help/eventually.mjs";

/** Set to look at the log of a failed story afterwards. */
const KEEP = process.env.VUORO_KEEP === "1";
const SCREENSHOTS = path.resolve(process.env.VUORO_SCREENSHOTS ?? "target/screenshots");

/** A test that is given a stage. `limit_s`: what a busy machine may need for it. */
export function story(title, act, limit_s = 540) {
  test(title, async (told) => {
    const stage = new Stage(title, told);
    let timer;
    const late = new Promise((_, reject) => {
      const tooLate = () => reject(new Error(`the story takes more than ${limit_s} s`));
      timer = setTimeout(tooLate, limit_s * 1000);
    });
    try {
      await Promise.race([act(stage), late]);
    } catch (error) {
      await stage.showWhatHappened();
      throw error;
    } finally {
      clearTimeout(timer);
      await stage.clear();
    }
  });
}

class Stage {
  people = [];
  servers = [];
  #title;
  #told;
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), "vuoro-story-"));
  #browsers = [];
  #endings = [];
  #left = () => this.#leaveNothing();

  constructor(title, told) {
    this.#title = title;
    this.#told = told;
    process.on("exit", this.#left);
  }

  /** A measured figure, for whoever reads the output. */
  note(text) {
    this.#told.diagnostic(text);
  }

  /** What is to be done at the end, however it comes: what stays open keeps the tests from ending. */
  atEnd(act) {
    this.#endings.push(act);
  }

  /** A new folder or file name that goes away with the stage. */
  path(name) {
    return path.join(this.#folder, name);
  }

  /** Started, and answering. */
  async server(settings = {}) {
    const server = await this.prepareServer(settings);
    await server.start();
    return server;
  }

  /** Not started yet. */
  async prepareServer(settings = {}) {
    const data = settings.data ?? this.path(`data-${this.servers.length}`);
    const server = new Server({ port: await Server.freePort(), cwd: this.#folder, ...settings, data });
    this.servers.push(server);
    return server;
  }

  async browser(settings) {
    const browser = await openBrowser(settings);
    this.#browsers.push(browser);
    return browser;
  }

  /** Somebody opens a session on the start page, and stays on the host's page. */
  async host(server, title = "Asukasilta", language = "en") {
    const host = new Host(await this.browser({ microphone: "none" }));
    this.people.push(host);
    await host.opensSession(server.origin, title, language);
    return host;
  }

  /** Somebody with a browser of their own, not in any session yet. */
  async person(name, settings = {}) {
    const file = this.path(`${name}-${this.people.length}.wav`);
    const person = new Person(name, file);
    this.people.push(person);
    await person.sitsDown(await this.browser({ ...settings, file }));
    return person;
  }

  /** People who join one after another, so that they are numbered in the order given. */
  async joining(link, names, settings = {}) {
    const people = await Promise.all(names.map((name) => this.person(name)));
    for (const person of people) await person.joins(link, settings);
    return people;
  }

  screenshot(name) {
    fs.mkdirSync(SCREENSHOTS, { recursive: true });
    return path.join(SCREENSHOTS, `${name}.png`);
  }

  async showWhatHappened() {
    const name = this.#title.toLowerCase().replace(/[^a-z]+/g, "-").slice(0, 40);
    for (const it of this.people) {
      console.log(await it.account());
      await it.picture(this.screenshot(`failed-${name}-${it.name}`));
    }
    for (const it of this.servers) console.log(it.account());
    if (KEEP) console.log(`--- the servers' data stay in ${this.#folder}`);
  }

  async clear() {
    for (const act of this.#endings) act();
    await Promise.allSettled(this.#browsers.map((it) => it.close()));
    await Promise.allSettled(this.servers.map((it) => it.kill()));
    // A closed browser may go on writing into its profile for a moment: all is looked through again, which only
    // this way of removing does.
    if (!KEEP) await fs.promises.rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
    this.#leaveNothing();
    process.off("exit", this.#left);
  }

  /** The last thing, and able to run when the process already ends. */
  #leaveNothing() {
    this.servers.forEach((it) => it.killNow());
    if (!KEEP) fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
