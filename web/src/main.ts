// Starts the page. It never knows what a page is: `App` reads that from the address, too.
import "./ui/fonts.css";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/captions.css";
import { mount } from "svelte";
import { waitBeforeAttempt_ms } from "./connection/backoff";
import { readLink } from "./connection/link";
import { countReload, forgetReloads, nextAfter, reloads } from "./connection/reloading";
import { speech } from "./state/language.svelte";
import App from "./ui/App.svelte";
import { pageScript } from "./ui/pages";

/** After what the page itself needs. */
const OTHER_LANGUAGES_AFTER_MS = 3_000;
/** A script that has failed is not there a moment later: the first wait is as long as the second of a line. */
const PATIENCE = 1;

async function begin(target: HTMLElement): Promise<void> {
  // Side by side with the words; `App` says so when it cannot be had.
  void pageScript(readLink(location.pathname, location.hash).page)?.catch(() => undefined);
  for (let asked = 1; !(await speech.begin().then(() => true, () => false)); asked += 1) {
    const before = reloads();
    await pause(waitBeforeAttempt_ms(PATIENCE + asked + (before ?? 0), Math.random()));
    const next = nextAfter(asked, before, await answers());
    if (next === "reload" && countReload()) return location.reload();
    if (next !== "ask") tell(target);
  }
  forgetReloads();
  target.replaceChildren();
  mount(App, { target });
  setTimeout(() => speech.bringAll(), OTHER_LANGUAGES_AFTER_MS);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function answers(): Promise<boolean> {
  return fetch(location.pathname, { method: "HEAD", cache: "no-store" }).then((it) => it.ok, () => false);
}

/** Without words there is nothing to say it with but what stands in the document. */
function tell(target: HTMLElement): void {
  const words = document.querySelector<HTMLTemplateElement>("template#lacking");
  if (!words || target.hasChildNodes()) return;
  target.append(words.content.cloneNode(true));
  target.querySelector("button")?.addEventListener("click", () => {
    forgetReloads();
    location.reload();
  });
}

const target = document.getElementById("app");
if (target) void begin(target);
