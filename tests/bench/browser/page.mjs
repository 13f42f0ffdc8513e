// Measures what a participant's page costs before it can be used: bytes of script, style and type, and
// the time until the form at the door can be filled in, on a processor that is slowed to a quarter as
// most telephones are. Run by `scripts/bench page`.
import zlib from "node:zlib";

import { Bench, eventually, options, table } from "./stage.mjs";

const { loads, slower } = options({ loads: 20, slower: 4 });
/** Nothing that keeps the page from answering comes after it for so long: then it can be used. */
const QUIET_MS = 2_000;
/** As the browser has it: a task that is this long is felt. */
const LONG_MS = 50;

await Bench.run("page", async (bench) => {
  const server = await bench.server();
  const browser = await bench.browser();
  const host = await bench.host(server, browser);

  const loader = await fetch(`${server.origin}/embed.js`, { headers: { "Accept-Encoding": "identity" } });
  const script = Buffer.from(await loader.arrayBuffer());
  bench.figure("loader", zlib.gzipSync(script).length / 1000, "kB");

  const all = [];
  for (let load = 0; load < loads; load += 1) all.push(await opens(browser, host.joinLink));
  const [{ bytes }] = all;
  for (const kind of ["script", "style", "font", "document"]) bench.figure(kind, bytes[kind] / 1000, "kB");
  bench.figure("later_script", bytes.later / 1000, "kB");
  for (const name of ["painted", "form", "usable"]) bench.percentiles(name, all.map((it) => it[name]));
  console.log(`${loads} loads, the processor ${slower} times slower; ms from the click on the link`);
  const row = (name) => [name, ...["p50", "p95", "most"].map((it) => bench.value(`${name}_${it}`))];
  table(["until", "p50", "p95", "most"], ["painted", "form", "usable"].map(row));
  return { loads: all };
});

/** One load with an empty cache, as of somebody who has never been here. */
async function opens(browser, link) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: "en-GB" });
  try {
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    const bytes = { script: 0, style: 0, font: 0, document: 0, later: 0 };
    const kinds = new Map();
    await cdp.send("Network.enable");
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: slower });
    cdp.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
    let first = true;
    cdp.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const kind = { Script: "script", Stylesheet: "style", Font: "font", Document: "document" }[kinds.get(requestId)];
      if (kind === "script" && !first) bytes.later += encodedDataLength;
      else if (kind) bytes[kind] += encodedDataLength;
    });
    await page.addInitScript(watch);
    await page.goto(link);
    await eventually("the form is there", () => page.evaluate(() => window.formAt), 60);
    first = false;
    const times = await eventually("the page is quiet", () => page.evaluate(quiet, [QUIET_MS, LONG_MS]), 60);
    return { bytes, ...times };
  } finally {
    await context.close();
  }
}

/** In the page, before it runs: when the form stands there, and every task that is felt. */
function watch() {
  window.longTasks = [];
  window.formAt = 0;
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries())).observe({ type: "longtask", buffered: true });
  const look = () => {
    if (document.querySelector("[data-testid=join-submit]:not(:disabled)")) window.formAt = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** In the page: the times, once nothing long has happened for a while; null until then. */
function quiet([quiet_ms, long_ms]) {
  const felt = window.longTasks.filter((it) => it.duration >= long_ms);
  const last = Math.max(0, ...felt.map((it) => it.startTime + it.duration));
  if (performance.now() - Math.max(last, window.formAt) < quiet_ms) return null;
  const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null;
  return { painted, form: window.formAt, usable: Math.max(last, window.formAt) };
}
