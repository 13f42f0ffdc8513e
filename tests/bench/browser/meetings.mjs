// Measures the map of who met whom of a large event: three hundred people whom the server itself has
// regrouped six times in rooms of five, with lines in each, looked at afterwards on a processor that is slowed
// to a quarter as most telephones are. Run by `scripts/bench meetings`; with `VUORO_SCREENSHOTS` it leaves
// pictures on a phone and a laptop, by day and by night.
import fs from "node:fs";
import path from "node:path";

import { silent } from "../../browser/help/socket.mjs";
import { Bench, eventually, options, pause, table } from "./stage.mjs";

const { loads, slower, people: many } = options({ loads: 10, slower: 4, people: 300 });
const ROUNDS = 6;
const ROOM = 5;
/** Joining, so many at once. */
const AT_ONCE = 20;
const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };
const FIRST = "Aino Bo Chao Dilara Eero Fatima Gustav Hanna Ines Juho Katri Leo Maija-Liisa Niilo Oona".split(" ");
const LAST = (
  "Virtanen Lindström Öztürk-Korhonen Mäkelä Nieminen Åkerström Salonen Heikkinen Holmström Räsänen " +
  "Laine Koskinen Saarinen Ahonen Wikström Tuominen Hämäläinen Jokinen Kallio Lehtonen"
).split(" ");

await Bench.run("meetings", async (bench) => {
  const server = await bench.server({ methods: { "impromptu-networking.toml": roomsOfFive() } });
  const browser = await bench.browser();
  const host = await bench.host(server, browser, "Kevätpäivä");
  await holdTheEvent(server, host);

  const all = [];
  for (let load = 0; load < loads; load += 1) all.push(await looks(browser, host.reviewLink));
  const names = Object.keys(all[0]);
  for (const name of names) bench.percentiles(name, all.map((it) => it[name]));
  console.log(`${loads} loads of ${many} people, the processor ${slower} times slower; ms`);
  const row = (name) => [name, ...["p50", "p95", "most"].map((it) => bench.value(`${name}_${it}`))];
  table(["until", "p50", "p95", "most"], names.map(row));
  if (process.env.VUORO_SCREENSHOTS) await photographs(browser, host.reviewLink, process.env.VUORO_SCREENSHOTS);
  return { loads: all };
});

/** A method of the product, with six rounds in larger rooms. */
function roomsOfFive() {
  const text = fs.readFileSync(new URL("../../../models/methods/impromptu-networking.toml", import.meta.url), "utf8");
  return text
    .replace("size = 2\nsize_max = 3\nlength_s_per_person = 135\nrounds = 3\nturns = \"round\"", `size = ${ROOM}\nlength_s = 900\nrounds = ${ROUNDS}`)
    .replace(/^people = .*/m, `people = { min = 4, max = ${many}, ideal = 60 }`);
}

async function holdTheEvent(server, host) {
  const named = Array.from({ length: many }, (_, at) => `${FIRST[at % FIRST.length]} ${LAST[Math.floor(at / FIRST.length) % LAST.length]}`);
  const guests = [];
  for (let at = 0; at < many; at += AT_ONCE) {
    const these = named.slice(at, at + AT_ONCE);
    // Some of them want nothing to be kept of what they say.
    const come = (name, nth) => silent(server, host.joinLink, [name], { consent: (at + nth) % 17 === 0 ? "declined" : "on" });
    guests.push(...(await Promise.all(these.map(come))).flat());
  }
  const steps = ({ socket }) => socket.messages.filter((it) => it.type === "step").length;
  await host.starts("impromptu-networking", {}, "Mikä toimii jo?");
  for (let round = 0; round < ROUNDS; round += 1) {
    const grouped = (it) => it.socket.messages.findLast((one) => one.type === "room")?.room.room?.startsWith("room-");
    await eventually(`round ${round} has begun`, () => guests.every((it) => grouped(it) && steps(it) > round), 90);
    for (let nth = 0; nth < guests.length; nth += ROOM - 1) {
      guests[nth].socket.say({ type: "post", text: `Kierros ${round + 1}: lähipalvelut toimivat, ja bussi kulkee myös iltaisin.` });
    }
    await pause(500);
    await host.see("run-next-now").click();
  }
  await host.see("host-end").click();
  await host.see("host-end-confirm").click();
  guests.forEach(({ socket }) => socket.close());
}

/** One look at the map with an empty cache, and what one does there. */
async function looks(browser, link) {
  const context = await browser.newContext({ viewport: PHONE, locale: "fi-FI" });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const cdp = await context.newCDPSession(page);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: slower });
    await page.addInitScript(watch);
    await page.goto(inFinnish(link));
    const meetings = page.getByTestId("view-meetings");
    await meetings.waitFor();
    const review = await page.evaluate(() => window.now());
    const map = await felt(page, () => meetings.click());
    await page.locator("[data-testid=review-meetings] figure > svg").waitFor();
    return { review, map, ...(await acts(page)) };
  } finally {
    await context.close();
  }
}

/** What one does with it: a letter of a name, the name, a tap on the map, whom they met, and both tables. */
async function acts(page) {
  const part = page.getByTestId("review-meetings");
  const asked = page.getByTestId("meetings-person");
  await asked.focus();
  const letter = await felt(page, () => page.keyboard.press("k"));
  await page.keyboard.type("orh");
  const chosen = await felt(page, () => page.keyboard.press("Enter"));
  const person = await page.getByTestId("meetings-of").innerText();
  const map = part.locator("figure > svg");
  await map.scrollIntoViewIfNeeded();
  const box = await map.boundingBox();
  const tap = await felt(page, () => page.mouse.click(box.x + box.width / 3, box.y + box.height / 2));
  await eventually("somebody else is chosen", async () => (await page.getByTestId("meetings-of").innerText()) !== person);
  const other = await felt(page, () => page.getByTestId("meetings-met").first().click());
  await page.getByTestId("meetings-clear").click();
  const focus = () => page.evaluate(() => document.activeElement?.getAttribute("data-testid"));
  await eventually("the focus is in the field", async () => (await focus()) === "meetings-person");
  const summaries = part.locator("summary");
  await longest(page);
  const rounds = await felt(page, () => summaries.first().click());
  const rounds_felt = await longest(page);
  await summaries.first().click();
  const everybody = await felt(page, () => summaries.last().click());
  const table_felt = await longest(page);
  return { letter, chosen, tap, other, rounds, rounds_felt, table: everybody, table_felt };
}

/** From the first event of what a person does until the page has been drawn with what comes of it, in ms. */
async function felt(page, act) {
  await page.evaluate(() => window.listens());
  await act();
  await pause(300);
  return eventually("it is drawn", () => page.evaluate(() => window.drawn()));
}

/** The longest that the page could not answer since it was last asked, once it has been quiet for a second. */
async function longest(page) {
  await pause(1_000);
  return page.evaluate(() => Math.max(0, ...window.longTasks.splice(0).map((it) => it.duration)));
}

/** In the page, before it runs. */
function watch() {
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries())).observe({ type: "longtask", buffered: true });
  let began = null;
  let ended = null;
  const begin = () => (began ??= performance.now());
  const acted = () => requestAnimationFrame(() => setTimeout(() => (ended = performance.now())));
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, begin, true);
  for (const kind of ["click", "keydown", "input", "toggle"]) addEventListener(kind, acted, true);
  window.now = () => performance.now();
  window.listens = () => (began = ended = null);
  window.drawn = () => (ended === null ? null : ended - began);
}

async function photographs(browser, link, folder) {
  fs.mkdirSync(folder, { recursive: true });
  const context = await browser.newContext({ viewport: PHONE, locale: "fi-FI" });
  const page = await context.newPage();
  await page.goto(inFinnish(link));
  await page.getByTestId("view-meetings").click();
  for (const [where, viewport] of [["phone", PHONE], ["laptop", LAPTOP]]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await pause(300);
      await page.screenshot({ path: path.join(folder, `meetings-${where}-${colorScheme}.png`), fullPage: true });
    }
    await page.getByTestId("meetings-person").fill("oztu");
    await pause(300);
    await page.screenshot({ path: path.join(folder, `meetings-${where}-search.png`), fullPage: true });
    await page.getByTestId("meetings-person").press("Enter");
    await pause(300);
    await page.screenshot({ path: path.join(folder, `meetings-${where}-chosen.png`), fullPage: true });
  }
  await context.close();
}

function inFinnish(link) {
  return link.replace("#", "?lang=fi#");
}
