// People in front of their browsers. Each does with the pages what a person can do, and tells what a
// person can see; the support hook `window.vuoro` tells what only their ears and eyes could.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";

import { PATIENCE, eventually } from "./eventually.mjs";
import { wav } from "./recordings.mjs";

const { chromium } = createRequire(new URL("../../../web/package.json", import.meta.url))("playwright-core");
const SMALL_WINDOW = { width: 800, height: 600 };
const PATIENCE_MS = 45_000 * PATIENCE;

/** Before the words: a new microphone takes a moment to reach the others. */
const LEAD_S = 2;
/** After the words: Chromium repeats the last moment of the file for ever. */
const TAIL_S = 1;

/**
 * `microphone`: `file` speaks what is in `file` each time it is opened; `beeps`: a tone every second,
 * for ever; `none`: there is no device at all; `denied`: the person says no.
 */
export async function openBrowser({ microphone = "file", file = null } = {}) {
  const args = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars", // as on a phone: a window of 360 px has 360 px for the page
  ];
  // Fewer pictures a second than a camera has: here a few machines' worth of people share two cores.
  if (microphone !== "none") args.push("--use-fake-device-for-media-stream=fps=10");
  args.push(microphone === "denied" ? "--deny-permission-prompts" : "--use-fake-ui-for-media-stream");
  if (microphone === "file" && file) args.push(`--use-file-for-fake-audio-capture=${file}%noloop`);
  return chromium.launch({
    executablePath: process.env.VUORO_CHROMIUM ?? "/usr/bin/chromium",
    headless: false, // `--headless=new` above: the whole browser, but for its windows
    args,
  });
}

class Someone {
  name;
  page = null;
  /** What the page complained of. */
  complaints = [];
  browser = null;

  constructor(name) {
    this.name = name;
  }

  async openPage(browser) {
    this.browser = browser;
    this.page = await browser.newPage({ viewport: SMALL_WINDOW, locale: "en-GB" });
    this.page.setDefaultTimeout(PATIENCE_MS);
    this.page.on("pageerror", (error) => this.complaints.push(error.message));
    this.page.on("console", (it) => it.type() === "error" && this.complaints.push(it.text()));
  }

  see(testid) {
    return this.page.getByTestId(testid);
  }

  /** Waits until something is there, and tells a `data-` attribute of it, or null. */
  async sees(testid, attribute = null) {
    const it = this.see(testid).first();
    await it.waitFor();
    return attribute ? it.getAttribute(`data-${attribute}`) : null;
  }

  async picture(file) {
    await this.page?.screenshot({ path: file, timeout: 5_000 }).catch(() => undefined);
  }

  async account() {
    const about = await this.circumstances().catch((error) => `cannot be asked: ${error.message}`);
    const complaints = this.complaints.slice(-10).join("\n  ");
    return `--- ${this.name} at ${this.page?.url().replace(/#.*/, "")}\n  ${about}\n  ${complaints}`;
  }

  async circumstances() {
    return this.page.locator("main").innerText({ timeout: 2_000 });
  }
}

export class Host extends Someone {
  joinLink = "";
  reviewLink = "";

  constructor(browser) {
    super("host");
    this.browser = browser;
  }

  async opensSession(origin, title, language) {
    await this.openPage(this.browser);
    await this.page.goto(`${origin}/?lang=en`);
    await this.see("start-title").fill(title);
    await this.see("start-language").selectOption(language);
    await this.see("start-create").click();
    this.joinLink = await this.see("host-join-link").inputValue();
    this.reviewLink = await this.see("host-review-link").inputValue();
  }

  async opensRooms(count) {
    await this.see("host-rooms-count").fill(String(count));
    await this.see("host-open-rooms").click();
    await this.room(`room-${count}`).waitFor();
  }

  async moves(person, room) {
    await this.asksToMove(person, room);
    await this.room(room).locator(this.#entry(person)).waitFor();
  }

  async asksToMove(person, room) {
    await this.page.locator(this.#entry(person)).getByTestId("host-move").selectOption(room);
  }

  room(room) {
    return this.page.locator(`[data-testid=host-room][data-room=${room}]`);
  }

  person(person) {
    return this.page.locator(this.#entry(person));
  }

  #entry(person) {
    return `[data-testid=host-person][data-participant="${person.number}"]`;
  }

  async starts(method, minutes, question) {
    await this.choosesMethod(method, minutes, question);
    await this.startsMethod();
  }

  /** Chooses a method, and sets the minutes of its phases by their ids. */
  async choosesMethod(method, minutes = {}, question = "") {
    await this.see(`method-choose-${method}`).click();
    await this.see("method-question").fill(question);
    for (const [phase, length] of Object.entries(minutes)) {
      await this.see(`method-minutes-${phase}`).fill(String(length));
    }
    await this.see("method-plan").waitFor();
  }

  async startsMethod() {
    await this.see("method-start").click();
    await this.see("run-phase").waitFor();
  }

  /** Opens the link to what was said in a tab beside. */
  async opensReview() {
    const reader = new Reviewer("reviewer");
    await reader.openPage(this.browser);
    await reader.page.goto(withLanguage(this.reviewLink));
    await reader.sees("review-query");
    return reader;
  }
}

class Reviewer extends Someone {
  /** Looks words up again and again, as the index may be a moment behind. */
  async finds(words, { room = null } = {}) {
    const looked = async () => {
      await this.page.reload();
      if (room) await this.see("review-room").selectOption(room).catch(() => undefined);
      await this.see("review-query").fill(words);
      await this.see("review-query").press("Enter");
      await this.page.locator("section[aria-busy=false]").waitFor();
      const marked = this.page.locator("[data-testid=review-hit]:has(mark)").first();
      const found = await marked.waitFor({ timeout: 2_000 }).then(() => true, () => false);
      return found ? this.hits() : null;
    };
    return eventually(`the review finds "${words}"`, looked);
  }

  hits() {
    return this.see("review-hit").evaluateAll((all) =>
      all.map((it) => ({
        participant: Number(it.dataset.participant),
        room: it.dataset.room,
        name: it.querySelector("[data-testid=review-name]").textContent,
        text: it.querySelector("[data-testid=review-text]").textContent,
        marked: [...it.querySelectorAll("mark")].map((mark) => mark.textContent),
      })),
    );
  }
}

export class Person extends Someone {
  /** Of their seat, once they have joined. */
  number = null;
  #file;

  constructor(name, file) {
    super(name);
    this.#file = file;
  }

  async sitsDown(browser) {
    fs.writeFileSync(this.#file, wav([TAIL_S]));
    await this.openPage(browser);
  }

  /**
   * The join page, filled in but not sent. `plain`: as browsers do, with echo cancelling and so on;
   * `language`: the spoken one, `page`: that of the page; `consent`: null leaves the question open;
   * `camera`: without it a machine of a few cores has time for what a story is about.
   */
  async arrives(link, { language = "en", consent = "on", plain = false, page = "en", camera = true } = {}) {
    await this.page.goto(withLanguage(link, plain ? "" : "&raw-audio", page));
    await this.see("join-name").fill(this.name);
    await this.see("join-language").selectOption(language);
    if (consent) await this.see(`join-consent-${consent}`).check();
    if (!camera) await this.see("join-camera").uncheck();
  }

  async joins(link, choices) {
    await this.arrives(link, choices);
    await this.see("join-submit").click();
    await this.isInside();
  }

  /** Without a microphone: the page says why, and the person comes in all the same. */
  async joinsListening(link) {
    await this.arrives(link);
    await this.see("join-submit").click();
    const problem = await this.sees("device-problem", "code");
    assert.equal(await this.see("join-microphone").isChecked(), false, "no microphone is on that is not there");
    await this.see("join-listening").click();
    await this.isInside();
    return problem;
  }

  async isInside() {
    await this.see("room-name").waitFor();
    this.number = Number(await this.see("tile").first().getAttribute("data-participant"));
    await this.isConnected();
  }

  isConnected() {
    const connected = async () => (await this.stats())?.connectionState === "connected";
    return eventually(`${this.name}'s audio and video are connected`, connected);
  }

  /** Speaks into another microphone: the fake one reads its file anew when it is opened. */
  async says(...parts) {
    fs.writeFileSync(this.#file, wav([LEAD_S, ...parts, TAIL_S]));
    await this.see("settings").click();
    const choice = this.page.locator("dialog[open] select").first();
    const devices = await choice.locator("option").evaluateAll((all) => all.map((it) => it.value));
    const now = await choice.inputValue();
    await choice.selectOption(devices.find((it) => it !== now && it !== "default"));
    await this.page.keyboard.press("Escape");
    await this.page.locator("dialog[open]").waitFor({ state: "detached" });
  }

  /** How this person sees another one. */
  tile(of) {
    return this.page.locator(`[data-testid=tile][data-participant="${of.number}"]`);
  }

  async seesSpeaking(of, on) {
    const tile = `[data-testid=tile][data-participant="${of.number}"][data-speaking=${on}]`;
    await this.page.locator(tile).waitFor();
  }

  async seesConsent(of, consent) {
    const tile = `[data-testid=tile][data-participant="${of.number}"][data-consent=${consent}]`;
    await this.page.locator(tile).waitFor();
  }

  async isIn(room) {
    await this.page.locator(`[data-testid=room-name][data-room=${room}]`).waitFor();
  }

  /** The method has come to a phase, as this person sees it. */
  isInPhase(phase, within_s = 90) {
    const seen = this.page.locator(`[data-testid=step-phase][data-phase="${phase}"]`);
    return seen.waitFor({ timeout: within_s * 1000 });
  }

  /** What the countdown shows, in seconds. */
  async secondsLeft() {
    const [, minutes, seconds] = /(\d+):(\d+)/.exec(await this.see("step-countdown").textContent());
    return Number(minutes) * 60 + Number(seconds);
  }

  /** The index of each phase that the server has told this page of, in order. */
  async phasesSeen() {
    const told = (await this.messages()).filter((it) => it.type === "step");
    return told.map((it) => it.run.phase);
  }

  /** After the server has died: by itself, with a connection of its own. */
  async isConnectedAgain() {
    const welcomes = async () => (await this.messages()).filter((it) => it.type === "welcome").length;
    await eventually(`${this.name}'s page joins again`, async () => 2 <= (await welcomes()), 60);
    // The dead connection calls itself connected for some seconds: first the new one must be there.
    const offered = async () => 2 <= (await this.negotiations());
    await eventually(`${this.name}'s page is offered a new connection`, offered, 60);
    await this.isConnected();
  }

  captions() {
    return this.see("caption").evaluateAll((all) =>
      all.map((it) => ({
        participant: Number(it.dataset.participant),
        name: it.querySelector("[data-testid=caption-name]").textContent,
        text: it.querySelector("[data-testid=caption-text]").textContent,
        language: it.querySelector("[data-testid=caption-text]").lang,
      })),
    );
  }

  /** All that stands beside a person's name here. */
  async wordsOf(name) {
    const captions = await this.captions();
    return captions.filter((it) => it.name === name).map((it) => it.text).join(" ");
  }

  /** Messages of the server that the page has taken in, captions whole. */
  messages() {
    return this.page.evaluate(() => [...(window.vuoro?.messages ?? [])]);
  }

  negotiations() {
    return this.page.evaluate(() => window.vuoro.negotiations);
  }

  stats() {
    return this.page.evaluate(() => window.vuoro?.stats() ?? null);
  }

  /** What comes in from another person: `{ audio, video }`, each as in `Inbound`, or nothing. */
  async receives(from) {
    const inbound = (await this.stats()).inbound.filter((it) => it.participant === from.number);
    const line = (kind) => inbound.find((it) => it.kind === kind) ?? null;
    return { audio: line("audio"), video: line("video") };
  }

  /** More sound and more pictures of another person keep coming. */
  async hearsAndSees(other) {
    const measure = async () => {
      const { audio, video } = await this.receives(other);
      return audio && video ? [audio.packetsReceived, audio.totalSamplesReceived, video.framesDecoded] : null;
    };
    const first = await eventually(`${this.name} is sent ${other.name}`, measure);
    const more = async () => (await measure())?.every((it, at) => it > first[at]);
    await eventually(`${this.name} goes on hearing and seeing ${other.name}`, more);
  }

  async circumstances() {
    const room = await this.see("room-name").getAttribute("data-room", { timeout: 2_000 }).catch(() => null);
    const [captions, stats] = [await this.captions(), await this.stats()];
    const said = captions.map((it) => `  ${it.name}: ${it.text}`).join("\n");
    const lines = (stats?.inbound ?? []).map((it) => {
      const more = it.kind === "audio" ? `energy ${it.totalAudioEnergy}` : `${it.framesDecoded} frames`;
      return `  ${it.kind} of ${it.participant}: ${it.packetsReceived} packets, ${more}`;
    });
    return `in ${room}, ${stats?.connectionState}, ${stats?.negotiations} negotiations\n${said}\n${lines.join("\n")}`;
  }
}

/** A link in English, whatever the browser's language. */
function withLanguage(link, more = "", language = "en") {
  return link.replace("#", `?lang=${language}${more}#`);
}
