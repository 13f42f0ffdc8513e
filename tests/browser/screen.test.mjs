// Sharing a screen, from one page to another through the server. Only the browser's question and the
// screen itself are made up, as a machine without one has nothing to show.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";

story("a shared screen is seen by the room, by who joins later, by nobody else, and ends in every way", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob, chao] = [await viewer(stage, "Alice"), await viewer(stage, "Bo Lindström"), await viewer(stage, "Chao")];
  for (const it of [alice, bob]) await it.joins(host.joinLink, { consent: "declined" });

  // Both are about to share; Alice is quicker.
  await bob.page.evaluate(() => {
    window.choosing = new Promise((resolve) => (window.chooses = resolve));
  });
  await bob.see("share-screen").click();
  await starts(alice);
  await eventually("it is sent", async () => {
    const sent = (await alice.stats()).outbound.find((it) => it.frameWidth === 1280);
    return (sent?.framesEncoded ?? 0) > 5;
  });
  await sees(bob);
  await bob.page.getByText("The screen of Alice").waitFor();
  await bob.page.evaluate(() => window.chooses());
  await toast(bob, "already-shared").getByRole("button").click();
  await bob.see("sharing-notice").waitFor({ state: "detached" });
  assert.equal(await bob.see("share-screen").getAttribute("aria-disabled"), "true", "one at a time");
  await sees(bob);
  await alice.sees("sharing-notice");

  await chao.joins(host.joinLink, { consent: "declined" });
  const waited_ms = await firstPicture(chao);
  stage.note(`who joins sees the screen after ${waited_ms} ms`);
  await sees(chao);
  for (const [name, { page }] of Object.entries({ sharing: alice, screen: bob })) await photographs(stage, name, page);

  await alice.see("share-screen").click();
  await isOver(alice, [bob, chao]);

  await starts(alice);
  await sees(bob);
  await alice.page.evaluate(() => window.screenTrack.dispatchEvent(new Event("ended")));
  await isOver(alice, [bob, chao]);

  await starts(alice);
  await Promise.all([sees(bob), sees(chao)]);
  await host.opensRooms(1);
  await host.moves(chao, "room-1");
  await chao.isIn("room-1");
  await isOver(null, [chao]);
  await sees(bob);
  await host.moves(alice, "room-1");
  await alice.isIn("room-1");
  await isOver(alice, [bob]);
  await toast(alice, "share-ended").waitFor();
  await chao.hearsAndSees(alice);
  assert.equal(await chao.see("screen-tile").count(), 0, "what was meant for one group is not shown to the next");
  for (const it of [alice, bob, chao]) {
    assert.equal(await it.negotiations(), 1, it.name);
    assert.deepEqual(it.complaints, [], it.name);
  }
});

async function viewer(stage, name) {
  const person = await stage.person(name);
  await person.page.setViewportSize({ width: 1280, height: 800 });
  await person.page.addInitScript(capture);
  return person;
}

async function starts(person) {
  await person.see("share-screen").click();
  await person.sees("sharing-notice");
}

/** What comes in on the line for screens; the one line of pictures that is no slot. */
async function screenOf(person) {
  return (await person.stats()).inbound.find((it) => it.kind === "video" && it.slot === null) ?? null;
}

/** More and more of it, as large as it is. */
async function sees(person) {
  await person.sees("screen-tile");
  const before = (await screenOf(person))?.framesDecoded ?? 0;
  await eventually(`${person.name} sees the screen`, async () => {
    const it = await screenOf(person);
    return it && it.framesDecoded > before + 3 && it.frameWidth === 1280;
  });
  const shown = await person.see("screen-tile").locator("video").evaluate((it) => it.videoWidth);
  assert.equal(shown, 1280);
}

/** How long it takes from now, in ms. */
function firstPicture(person) {
  return person.page.evaluate(async () => {
    const start = performance.now();
    while (!document.querySelector("[data-testid=screen-tile] video")?.videoWidth) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return Math.round(performance.now() - start);
  });
}

/** The tiles go, and nothing more comes in behind them. */
async function isOver(sharer, viewers) {
  await sharer?.see("sharing-notice").waitFor({ state: "detached" });
  for (const it of viewers) await it.see("screen-tile").waitFor({ state: "detached" });
  const packets = () => Promise.all(viewers.map(async (it) => (await screenOf(it))?.packetsReceived ?? 0));
  let before = await packets();
  await eventually("nothing more of it comes in", async () => {
    await viewers[0].page.waitForTimeout(500);
    const [then, now] = [before, await packets()];
    before = now;
    return now.every((it, at) => it === then[at]);
  });
}

function toast(person, code) {
  return person.page.locator(`[data-testid=toast-error][data-code=${code}]`);
}

/** In the page: a screen with something on it. The browser's question waits as long as `choosing`. */
function capture() {
  window.choosing = null;
  navigator.mediaDevices.getDisplayMedia = async () => {
    await window.choosing;
    const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const pen = canvas.getContext("2d");
    const paint = () => {
      pen.fillStyle = "#f7f7fb";
      pen.fillRect(0, 0, 1280, 720);
      pen.fillStyle = "#223";
      pen.font = "bold 54px sans-serif";
      pen.fillText("Koulupihan toiveet", 90, 130);
      pen.font = "34px sans-serif";
      ["Varjoa kesäpäiviin", "Penkkejä, joilla mahtuu juttelemaan", "Reitti pyörille"].forEach((it, at) => pen.fillText(`•  ${it}`, 110, 230 + at * 70));
      pen.fillText(String(Math.round(performance.now() / 100)), 1180, 690);
    };
    paint();
    setInterval(paint, 80);
    const stream = canvas.captureStream(12);
    window.screenTrack = stream.getVideoTracks()[0];
    return stream;
  };
}

async function photographs(stage, name, page) {
  for (const [language, width, height, colorScheme] of [["fi", 360, 740, "light"], ["sv", 1280, 800, "dark"], ["en", 1280, 800, "light"]]) {
    await page.locator(`header button[lang=${language}]`).click();
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForTimeout(400);
    await page.screenshot({ path: stage.screenshot(`${name}-${language}-${width}-${colorScheme}`) });
    const { wide, room } = await page.evaluate(() => ({ wide: document.scrollingElement.scrollWidth, room: innerWidth }));
    assert.ok(wide <= room, `${name} is ${wide} px wide in a window of ${room} px`);
  }
  await page.locator("header button[lang=en]").click();
  await page.setViewportSize({ width: 1280, height: 800 });
}
