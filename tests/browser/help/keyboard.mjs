// A person who has a keyboard and nothing else. They find a control by going from stop to stop, as one
// does with Tab, and at every stop the focus is on something, can be seen, and is not hidden behind
// anything. Also what a screen reader is given of the page, as the browser tells it.
import assert from "node:assert/strict";

import { eventually } from "./eventually.mjs";

const STOPS_MAX = 250;
/** So long the browser may take to scroll to what has the focus, on a busy machine. */
const SCROLLED_WITHIN_S = 3;

export class Keyboard {
  page;
  name;
  /** Keys pressed so far. */
  pressed = 0;
  #tree = null;

  constructor({ page, name }) {
    this.page = page;
    this.name = name;
  }

  /** Presses keys, one after another, such as `Enter` or `Shift+Tab`. */
  async press(...keys) {
    for (const key of keys) {
      this.pressed += 1;
      await this.page.keyboard.press(key);
    }
  }

  async types(text) {
    this.pressed += text.length;
    await this.page.keyboard.type(text);
  }

  /** Goes on with Tab until the focus is on what `testid` names, or on what the selector finds. */
  async to(testid, { back = false } = {}) {
    const wanted = /[[.#:> ]/.test(testid) ? testid : `[data-testid="${testid}"]`;
    const passed = [];
    let outside = 0;
    for (let stop = 0; stop < STOPS_MAX; stop += 1) {
      await this.press(back ? "Shift+Tab" : "Tab");
      const { on, seen, why, there } = await this.#stop(wanted);
      // Between the last control and the first one the focus is the browser's own.
      if (!on) assert.ok((outside += 1) < 3, `${this.name} goes round and does not come to ${testid}: ${passed.join(" · ")}`);
      else assert.ok(seen, `${this.name} cannot see the focus on ${why}`);
      if (there) return;
      passed.push(why);
    }
    assert.fail(`${this.name} does not come to ${testid} with the Tab key: ${passed.slice(-30).join(" · ")}`);
  }

  /** Where the focus is, once it can be seen there. */
  async #stop(wanted) {
    const now = () => this.page.evaluate(stopped, wanted);
    const at = await now();
    if (!at.on || at.seen) return at;
    const shown = async () => {
      const later = await now();
      return later.seen && later;
    };
    return eventually("the focus is scrolled to", shown, SCROLLED_WITHIN_S).catch(() => at);
  }

  async does(testid, key = "Enter") {
    await this.to(testid);
    await this.press(key);
  }

  /** What has the focus: its `data-testid` or that of what it stands in; `body` when nothing has it. */
  focus() {
    return this.page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body) return "body";
      return at.closest("[data-testid]")?.dataset.testid ?? (at.id || at.tagName.toLowerCase());
    });
  }

  /** The focus comes to rest on what is named; never on nothing. */
  async focusIs(testid) {
    let now = "";
    const there = async () => (now = await this.focus()) === testid;
    await eventually(`the focus is on ${testid}`, there, 10).catch((error) => {
      throw new Error(`${error.message}; it is on ${now}`);
    });
  }

  /** Wherever it is, it is on something in the page that can be seen. */
  async focusIsKept(after) {
    const kept = async () => (await this.focus()) !== "body";
    await eventually(`${this.name} has a focus after ${after}`, kept, 5);
  }

  /** The accessibility tree as the browser gives it to a screen reader: nodes that are not ignored. */
  async tree() {
    this.#tree ??= await this.page.context().newCDPSession(this.page);
    const { nodes } = await this.#tree.send("Accessibility.getFullAXTree");
    const byId = new Map(nodes.map((it) => [it.nodeId, it]));
    return nodes.filter((it) => !it.ignored).map((it) => ({
      role: it.role?.value,
      name: it.name?.value ?? "",
      ...Object.fromEntries((it.properties ?? []).map(({ name, value }) => [name, value.value])),
      text: () => words(it, byId),
      element: () => this.#element(it.backendDOMNodeId),
    }));
  }

  /** What of the page's element a reader is told besides: its language. */
  async #element(backendNodeId) {
    const { object } = await this.#tree.send("DOM.resolveNode", { backendNodeId });
    const { result } = await this.#tree.send("Runtime.callFunctionOn", {
      objectId: object.objectId,
      functionDeclaration: `function () {
        const at = this.nodeType === 1 ? this : this.parentElement;
        return { lang: at.closest("[lang]").lang, log: at.closest("[role=log]") !== null };
      }`,
      returnByValue: true,
    });
    return result.value;
  }
}

function words(node, byId) {
  if (node.role?.value === "StaticText") return node.name.value;
  return (node.childIds ?? []).map((it) => byId.get(it)).filter(Boolean).map((it) => words(it, byId)).join("");
}

/** In the page: where the focus is, and whether it can be seen there. */
function stopped(wanted) {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return { on: false, seen: false, why: "nothing", there: false };
  const why = at.dataset.testid ?? at.getAttribute("aria-label") ?? (at.id || at.textContent.trim().slice(0, 30)) ?? at.tagName;
  const marked = (it) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(it);
    return (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2) || boxShadow.includes("inset 0px 0px 0px 3px");
  };
  // A control that is drawn by its label has its mark there.
  const drawn = [at, at.closest("label"), ...(at.labels ?? []), at.parentElement].filter((it) => it && it.offsetWidth > 4);
  const shown = drawn.find(marked);
  const box = (shown ?? at).getBoundingClientRect();
  const points = [[0.5, 0.5], [0.1, 0.1], [0.9, 0.9], [0.1, 0.9], [0.9, 0.1]];
  const uncovered = points.some(([x, y]) => {
    const top = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
    return top && (shown ?? at).contains(top);
  });
  const problem = !shown ? " (no mark)" : !uncovered ? " (covered)" : "";
  return { on: true, seen: problem === "", why: why + problem, there: at.matches(wanted) };
}
