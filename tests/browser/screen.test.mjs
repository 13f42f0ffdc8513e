// Sharing a screen, as the pages do it with a server that has lines for it. Between page and server
// stands somebody who adds those lines to the offer and takes them out of the answer, and says of the
// room what such a server would: what is tried here is the page.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";

story("a shared screen is sent on its own line, announced, seen large, and ended in every way", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = [await stage.person("Alice"), await stage.person("Bo Lindström")];
  const [hers, his] = [await knowsOfScreens(alice), await knowsOfScreens(bob)];
  for (const it of [alice, bob]) {
    await it.joins(host.joinLink, { consent: "declined" });
    await it.page.setViewportSize({ width: 1280, height: 800 });
  }

  await alice.see("share-screen").click();
  await alice.sees("sharing-notice");
  await eventually("the server is told", () => hers.said("share").at(-1)?.on === true);
  hers.tells(alice.number);
  await eventually("it is sent", async () => {
    const line = (await alice.stats()).outbound.find((it) => it.mid === "screen-out");
    return (line?.framesEncoded ?? 0) > 5 && line.frameWidth === 1280;
  });

  his.tells(alice.number);
  await bob.sees("screen-tile");
  await bob.page.getByText("The screen of Alice").waitFor();
  assert.equal(await bob.see("share-screen").getAttribute("aria-disabled"), "true", "one at a time");
  await eventually("Bo's page asks for it", () => ["medium", "large"].includes(his.said("view").at(-1)?.screen));
  await fakePicture(bob);
  for (const [name, { page }] of Object.entries({ sharing: alice, screen: bob })) await photographs(stage, name, page);
  his.tells(null);
  await bob.see("screen-tile").waitFor({ state: "detached" });

  await alice.see("share-screen").click();
  await alice.see("sharing-notice").waitFor({ state: "detached" });
  assert.equal(hers.said("share").at(-1).on, false);
  hers.tells(null);

  await alice.see("share-screen").click();
  await alice.sees("sharing-notice");
  await alice.page.evaluate(() => window.screenTrack.dispatchEvent(new Event("ended")));
  await alice.see("sharing-notice").waitFor({ state: "detached" });
  await eventually("the browser's own button ends it too", () => hers.said("share").at(-1).on === false);

  await alice.see("share-screen").click();
  await alice.sees("sharing-notice");
  hers.refuses("already-shared");
  await alice.see("sharing-notice").waitFor({ state: "detached" });
  assert.equal(await alice.sees("toast-error", "code"), "already-shared");

  await alice.see("share-screen").click();
  await alice.sees("sharing-notice");
  hers.tells(alice.number);
  await host.opensRooms(1);
  await host.moves(alice, "room-1");
  await alice.see("sharing-notice").waitFor({ state: "detached" });
  assert.equal(hers.said("share").at(-1).on, false, "what was meant for one group is not shown to the next");
  assert.equal(await alice.negotiations(), 1);
  assert.deepEqual(alice.complaints, []);
});

story("where the server has no line for screens there is no button", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice] = await stage.joining(host.joinLink, ["Alice"], { consent: "declined" });
  assert.equal(await alice.see("share-screen").count(), 0);
});

/** Whoever stands between this page and the server. */
async function knowsOfScreens(person) {
  let room = null;
  let toPage = null;
  let sharing = null;
  const told = [];
  await person.page.addInitScript(capture);
  await person.page.routeWebSocket(/\/ws$/, (page) => {
    const server = page.connectToServer();
    toPage = (message) => page.send(JSON.stringify(message));
    page.onMessage((text) => {
      const message = JSON.parse(text);
      told.push(message);
      if (message.type === "share") return;
      if (message.type === "answer") message.sdp = withoutScreens(message.sdp);
      server.send(JSON.stringify(message));
    });
    server.onMessage((text) => {
      const message = JSON.parse(text);
      if (message.room?.people) {
        if (room?.room !== message.room.room) sharing = null;
        room = message.room;
        // As long as this story tells, whatever the server itself knows of it.
        message.room.sharing = sharing;
      }
      if (message.type === "offer") Object.assign(message, withScreens(message));
      toPage(message);
    });
  });
  return {
    said: (type) => told.filter((it) => it.type === type),
    tells: (who) => {
      sharing = who;
      toPage({ type: "room", room: { ...room, sharing } });
    },
    refuses: (code) => toPage({ type: "error", code, text: "", fatal: false }),
  };
}

/** Two more lines: one on which the page sends, one on which it receives. */
function withScreens({ sdp, send, slots }) {
  const [head, ...lines] = sdp.split(/^(?=m=)/m);
  const of = (mid) => lines.find((it) => it.includes(`a=mid:${mid}\r\n`));
  const copy = (line, from, to) =>
    line.replace(`a=mid:${from}\r\n`, `a=mid:${to}\r\n`).replace(/^a=(ssrc|ssrc-group|msid|candidate|end-of-candidates).*\r\n/gm, "");
  const more = [copy(of(send.video), send.video, "screen-out"), copy(of(slots[0].video), slots[0].video, "screen-in")];
  const bundle = head.replace(/^(a=group:BUNDLE .*?)(\r\n)/m, "$1 screen-out screen-in$2");
  return { sdp: [bundle, ...lines, ...more].join(""), send: { ...send, screen: "screen-out" }, screen: "screen-in" };
}

function withoutScreens(sdp) {
  const [head, ...lines] = sdp.split(/^(?=m=)/m);
  return [head.replace(" screen-out screen-in", ""), ...lines.filter((it) => !/a=mid:screen-/.test(it))].join("");
}

/** In the page: a screen with something on it, without the browser's question. */
function capture() {
  navigator.mediaDevices.getDisplayMedia = async () => {
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

/** The server between sends none; what the eye judges is the place for it. */
function fakePicture(person) {
  return person.page.evaluate(async () => {
    const video = document.querySelector("[data-testid=screen-tile] video");
    video.srcObject = await navigator.mediaDevices.getDisplayMedia();
    await video.play();
  });
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
