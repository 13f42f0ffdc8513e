// Starts the page. It never knows what a page is: `App` reads that from the address, too.
import "./ui/fonts.css";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/captions.css";
import { mount } from "svelte";
import { readLink } from "./connection/link";
import { speech } from "./state/language.svelte";
import App from "./ui/App.svelte";
import { pageScript } from "./ui/pages";

/** After what the page itself needs. */
const OTHER_LANGUAGES_AFTER_MS = 3_000;
/** Without words there is nothing that could be said of it. */
const AGAIN_AFTER_MS = 2_000;

async function begin(target: HTMLElement): Promise<void> {
  // Side by side with the words; `App` says so when it cannot be had.
  void pageScript(readLink(location.pathname, location.hash).page)?.catch(() => undefined);
  while (!(await speech.begin().then(() => true, () => false))) await pause(AGAIN_AFTER_MS);
  mount(App, { target });
  setTimeout(() => speech.bringAll(), OTHER_LANGUAGES_AFTER_MS);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const target = document.getElementById("app");
if (target) void begin(target);
