// The gallery: every state of the pages that a person can meet, seen in three languages, by day and by
// night, on a phone and on a laptop, without being built anew: people turn their phones, too. In each
// look axe and the rules of pa11y go through the page, and what a machine can check of its shape is
// checked. With `VUORO_GALLERY=folder` every look is taken and photographed; without it each state is
// seen in two of the languages, by turns, once on a phone and once on a laptop, and photographed only
// where `VUORO_SCREENSHOTS` names a folder. It never changes what the page shows.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { eventually } from "./eventually.mjs";

const script = (name) => fs.readFileSync(createRequire(new URL("../../../web/package.json", import.meta.url)).resolve(name), "utf8");
const AXE = script("axe-core/axe.min.js");
/** What pa11y goes through a page with. */
const SNIFFER = script("@pa11y/html_codesniffer/build/HTMLCS.js");
/** `VUORO_GALLERY_LANGUAGES=fi,sv` takes a part of the looks. */
const LANGUAGES = (process.env.VUORO_GALLERY_LANGUAGES || "fi,sv,en").split(",");
const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };
const LOOKS = [[PHONE, "light"], [LAPTOP, "dark"], [PHONE, "dark"], [LAPTOP, "light"]];
/** The rules of WCAG 2.2 A and AA, and what axe holds to be good practice besides. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Whether every look is taken, or two of each state. */
export const WHOLE = Boolean(process.env.VUORO_GALLERY);
const FOLDER = process.env.VUORO_GALLERY || process.env.VUORO_SCREENSHOTS;

/** The names of all states that any gallery of this process has shown, and what came out in all. */
export const shown = new Set();
export const total = { looks: 0, findings: 0 };

export class Gallery {
  #found = [];
  #looks = 0;
  /** States of this gallery, by which languages and looks take turns. */
  #nth = 0;

  /**
   * Looks at what there is now. `page`: whose window it is; `ground`: the frame in it that is looked at,
   * or the page. `each`: done before each language, for what goes by itself after some seconds.
   * `whole`: the picture is of the whole page, not of the window. `only`: the one language that the page
   * speaks.
   */
  async shows(name, { page }, { ground = page, whole = false, each = null, only = null } = {}) {
    assert.ok(!shown.has(name), `there are two states called ${name}`);
    shown.add(name);
    this.#nth += 1;
    await page.bringToFront();
    let next = 2 * this.#nth;
    for (const [at, language] of LANGUAGES.entries()) {
      if (only ? only !== language : !WHOLE && (this.#nth + at) % LANGUAGES.length === 2) continue;
      await each?.();
      if (!only) await speaks(ground, language);
      const looks = WHOLE ? LOOKS : [LOOKS[next++ % LOOKS.length]];
      for (const [size, colorScheme] of looks) {
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await isDrawn(ground);
        await this.#looksAt(`${name}-${language}-${size.width}-${colorScheme}`, page, ground, { colorScheme, whole });
      }
    }
  }

  async #looksAt(name, page, ground, { colorScheme, whole }) {
    this.#looks += 1;
    total.looks += 1;
    if (FOLDER) {
      fs.mkdirSync(FOLDER, { recursive: true });
      await page.screenshot({ path: path.resolve(FOLDER, `${name}.png`), fullPage: whole });
    }
    const { wide, light } = await ground.evaluate(measures);
    if (wide > 0) this.#finds(name, `${wide} px too wide`);
    if (light !== (colorScheme === "light")) this.#finds(name, "is not drawn as asked");
    if (!(await ground.evaluate(() => "axe" in window))) await ground.evaluate(`${AXE};${SNIFFER}`);
    for (const it of await ground.evaluate(examined, TAGS)) this.#finds(name, it);
    for (const it of await ground.evaluate(sniffed)) this.#finds(name, `pa11y: ${it}`);
  }

  /** Told at once: a story that does not come to its end would keep it to itself. */
  #finds(name, what) {
    this.#found.push(`${name}: ${what}`);
    total.findings += 1;
    console.log(`found ${name}: ${what}`);
  }

  /** Fails with everything that has been found, and with what the pages of these people complained of. */
  isFaultless(stage, people) {
    stage.note(`${this.#looks} looks, ${this.#found.length} findings`);
    const complaints = people.flatMap((it) => it.complaints.map((words) => `${it.name}: ${words}`));
    assert.deepEqual([...this.#found, ...complaints], []);
  }
}

/** Whatever lies over the page, its language can be chosen; and it still lies there then. */
async function speaks(ground, language) {
  const open = await ground.locator("dialog[open]").count();
  await ground.locator(`header button[lang=${language}]`).evaluate((it) => it.click());
  await ground.locator(`html[lang=${language}]`).waitFor({ state: "attached" });
  await eventually("the same dialogs are open", async () => (await ground.locator("dialog[open]").count()) === open);
}

/** In the page: what axe finds, one line each. */
async function examined(tags) {
  const told = (rule, node) => `${rule.id}: ${node.target.join(" ")}: ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message}`;
  const { violations } = await window.axe.run(document, {
    runOnly: { type: "tag", values: tags },
    // Who says what they see, to a machine that obeys words, must be understood.
    rules: { "label-content-name-mismatch": { enabled: true } },
    resultTypes: ["violations"],
  });
  const found = [];
  for (const rule of violations) {
    for (const node of rule.nodes) {
      // A control that only lies half behind the toolbar now can be scrolled to.
      if (rule.id === "target-size" && /obscured/i.test(JSON.stringify(node.any) + JSON.stringify(node.all))) {
        const element = document.querySelector(node.target[0]);
        element?.scrollIntoView({ block: "center" });
        const again = await window.axe.run(element, { runOnly: { type: "rule", values: ["target-size"] } });
        if (again.violations.length === 0) continue;
      }
      found.push(told(rule, node));
    }
  }
  return found;
}

/** In the page: what pa11y would call errors, one line each. */
async function sniffed() {
  const ERROR = 1;
  await new Promise((resolve, reject) => {
    window.HTMLCS.process("WCAG2AA", document, (error) => (error ? reject(error) : resolve()));
  });
  const told = ({ code, msg, element }) => `${code}: ${element.outerHTML?.slice(0, 120) ?? element.nodeName}: ${msg.slice(0, 160)}`;
  // A search that answers while one types has nothing to be sent.
  const sent = ({ code, element }) => !(code.includes("H32.2") && element.matches("form[role=search]"));
  // What is folded away is not drawn anew when the colours change, until it is opened.
  const drawn = ({ code, element }) => !(code.includes("1_4_3") && element.checkVisibility?.() === false);
  return window.HTMLCS.getMessages().filter((it) => it.type === ERROR && sent(it) && drawn(it)).map(told);
}

/** In the page: how many pixels it, or what lies over it, is too wide, and whether its ground is light. */
function measures() {
  const sheet = document.querySelector("dialog:modal") ?? document.scrollingElement;
  const wide = Math.max(sheet.scrollWidth - sheet.clientWidth, document.scrollingElement.scrollWidth - innerWidth);
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  return { wide, light: canvas.getImageData(0, 0, 1, 1).data[1] > 127 };
}

/** New sizes and colours have reached every element. */
function isDrawn(ground) {
  return ground.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    await frame();
    const finite = document.getAnimations().filter((it) => it.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(finite.map((it) => it.finished));
    await frame();
  });
}
