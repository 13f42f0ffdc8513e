// Devices, keys and data while one talks: a person changes their microphone, talks by holding a key,
// goes without pictures, turns to another tab, and the call goes on without one more negotiation.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";
import { pause } from "./help/eventually.mjs";
import { silent } from "./help/socket.mjs";

/** `VIEW_EVERY_MS` of the server: what a page says sooner waits there. */
const SERVER_TAKES_EVERY_MS = 250;

story("another microphone, other sound, and a pulled headset: the call goes on", async (stage) => {
  const [alice, bob] = await pair(stage);
  await alice.hearsAndSees(bob);
  const settings = await opens(alice);

  const devices = await microphones(alice);
  assert.ok(devices.length >= 2, `two microphones at least: ${devices}`);
  const other = devices.find((it) => it !== "default" && it !== devices[0]);
  await settings.locator("select").first().selectOption(other);
  await eventually("Bob speaks into the other one", async () => (await track(alice)).device === other);
  await bob.hearsAndSees(alice);

  assert.equal((await track(alice)).noise, true);
  await alice.see("cleaning-noiseSuppression").uncheck();
  await eventually("the noise is left in", async () => (await track(alice)).noise === false);
  assert.equal((await track(alice)).echo, true, "and the rest is as it was");
  await alice.page.keyboard.press("Escape");
  await bob.hearsAndSees(alice);

  // The headset goes, as far as a page can tell; then it is back.
  await alice.page.evaluate((gone) => window.unplug(gone), other);
  assert.equal(await alice.sees("device-notice", "code"), "gone-microphone");
  await eventually("another one is in use", async () => (await track(alice)).device !== other);
  await bob.hearsAndSees(alice);
  await alice.page.evaluate(() => window.unplug(null));
  await eventually("it is told", async () => (await alice.sees("device-notice", "code")) === "back-microphone");
  await eventually("and in use again", async () => (await track(alice)).device === other);
  await bob.hearsAndSees(alice);

  // Muted stays muted, whatever is plugged in or out.
  await alice.page.keyboard.press("m");
  await isHeard(alice, false);
  await alice.page.evaluate((gone) => window.unplug(gone), other);
  await eventually("another one again", async () => (await track(alice)).device !== other);
  assert.equal((await track(alice)).enabled, false, "a microphone never opens by itself");
  assert.equal(await alice.negotiations(), 1);
  assert.equal(await bob.negotiations(), 1);
  assert.deepEqual(alice.complaints, []);
});

story("push-to-talk: heard while the space bar or the button is held, and not a moment longer", async (stage) => {
  const [alice, bob] = await pair(stage);
  await opens(alice);
  await alice.see("speaking-hold").check();
  await alice.page.keyboard.press("Escape");
  await isHeard(alice, false);
  const { keyboard, mouse } = alice.page;
  const silent = async (why) => {
    await isHeard(alice, false);
    assert.equal((await track(alice)).enabled, false, why);
  };

  await keyboard.down("Space");
  await isHeard(alice, true);
  assert.equal((await track(alice)).enabled, true);
  await bob.page.locator(`[data-testid=tile][data-participant="${alice.number}"] >> text="Microphone off"`).waitFor({ state: "detached" });
  await keyboard.up("Space");
  await silent("let go");

  const button = alice.see("toggle-microphone");
  const box = await button.boundingBox();
  await mouse.move(box.x + 20, box.y + 20);
  await mouse.down();
  await isHeard(alice, true);
  await mouse.move(box.x + 20, box.y - 300);
  await mouse.up();
  await silent("let go outside the button");

  await keyboard.down("Space");
  await isHeard(alice, true);
  await alice.page.evaluate(() => dispatchEvent(new Event("blur")));
  await silent("another window has the keys");
  await keyboard.up("Space");

  // The keyboard has come to a button: the space bar presses that one.
  const camera = await alice.see("toggle-camera").getAttribute("aria-pressed");
  await button.focus();
  await keyboard.press("Tab");
  await keyboard.press("Space");
  await eventually("the camera follows", async () => (await alice.see("toggle-camera").getAttribute("aria-pressed")) !== camera);
  await silent("it was for the camera");

  await keyboard.press("?");
  await alice.page.getByTestId("shortcuts-dialog").getByText("Hold and talk").waitFor();
  await alice.see("shortcuts-here").uncheck();
  await keyboard.press("Escape");
  await alice.page.locator("dialog[open]").waitFor({ state: "detached" });
  await alice.page.evaluate(() => document.activeElement?.blur());
  await keyboard.down("Space");
  await pause(300);
  await silent("shortcuts are switched off");
  await keyboard.up("Space");
  assert.equal(await alice.negotiations(), 1);
  assert.deepEqual(alice.complaints, []);
});

story("who lets go while the browser still asks for the microphone is not heard when it comes", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await guest(stage, "Alice");
  await alice.arrives(host.joinLink);
  await alice.page.evaluate(() => (window.slow_ms = 1_500));
  await alice.page.getByRole("checkbox", { name: "Microphone on" }).uncheck();
  await alice.page.getByRole("checkbox", { name: "Camera on" }).uncheck();
  await alice.see("join-submit").click();
  await alice.isInside();
  await opens(alice);
  await alice.see("speaking-hold").check();
  await alice.page.keyboard.press("Escape");

  await alice.page.keyboard.down("Space");
  await pause(200);
  await alice.page.keyboard.up("Space");
  await eventually("the microphone is given at last", async () => (await track(alice)) !== null);
  await pause(300);
  assert.equal((await track(alice)).enabled, false);
  await isHeard(alice, false);

  await alice.page.keyboard.down("Space");
  await isHeard(alice, true);
  await alice.page.keyboard.up("Space");
  await isHeard(alice, false);
});

story("the link of a session that is over leaves neither camera nor microphone on", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await guest(stage, "Alice");
  const { page } = alice;
  await page.context().grantPermissions(["camera", "microphone"]);
  await host.see("host-end").click();
  await host.see("host-end-confirm").click();
  await host.sees("host-ended");

  // The devices come before the server's answer.
  let late = true;
  await page.route("**/api/**", async (route) => {
    if (late) await eventually("the devices are on", async () => (await on(alice)).length === 2);
    await route.continue();
  });
  await page.goto(host.joinLink.replace("#", "?lang=en#"));
  await alice.sees("goodbye");
  await eventually("and off again", async () => (await on(alice)).length === 0, 5);

  // They come after it.
  late = false;
  await page.addInitScript(() => (window.slow_ms = 1_500));
  await page.reload();
  await alice.sees("goodbye");
  await pause(3_000);
  assert.deepEqual(await on(alice), []);
  assert.deepEqual(alice.complaints, []);
});

story("a call comes to the telephone: off for the others until it is over, and then all are heard again", async (stage) => {
  const [alice, bob] = await pair(stage);
  await alice.hearsAndSees(bob);
  // As the system does it.
  const call = (on) =>
    alice.page.evaluate((on) => {
      const track = window.given.findLast((it) => it.kind === "audio");
      Object.defineProperty(track, "muted", { configurable: true, get: () => on });
      track.dispatchEvent(new Event(on ? "mute" : "unmute"));
      if (on) document.querySelectorAll("audio").forEach((it) => it.pause());
    }, on);
  const plays = () => alice.page.evaluate(() => [...document.querySelectorAll("audio")].every((it) => !it.paused || !it.srcObject));
  const off = bob.page.locator(`[data-testid=tile][data-participant="${alice.number}"] >> text="Microphone off"`);
  await call(true);
  await alice.sees("interrupted");
  await off.waitFor();
  await isHeard(alice, true);
  await pause(1_500);
  assert.equal(await plays(), false, "nothing plays against the call");
  await call(false);
  await off.waitFor({ state: "detached" });
  await alice.see("interrupted").waitFor({ state: "detached" });
  await eventually("all play again", plays);
  await alice.hearsAndSees(bob);
  assert.deepEqual(alice.complaints, []);
});

story("whoever is typing when a phase ends switches nothing by their letters", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await guest(stage, "Alice");
  await alice.joins(host.joinLink, { plain: true });
  const others = await silent(server, host.joinLink, ["Bob", "Chao", "Dana"]);
  await host.starts("me-we-all", { brief: 30, me: 30, best: 30, we: 30 });
  await alice.isInPhase("brief");
  for (const phase of ["me", "best"]) {
    await host.see("run-next-now").click();
    await alice.isInPhase(phase);
  }
  const { keyboard } = alice.page;
  await alice.see("written").click();
  const before = (await said(alice, "set-camera")).length;
  let types = true;
  const typing = (async () => {
    while (types) await keyboard.press("v", { delay: 60 });
  })();
  await host.see("run-next-now").click();
  await alice.isInPhase("we");
  const heading = () => alice.page.evaluate(() => document.activeElement?.dataset.testid === "room-name");
  await eventually("the move has taken the focus", heading);
  await pause(1_000);
  types = false;
  await typing;
  assert.equal((await said(alice, "set-camera")).length, before);

  // Later the key is a shortcut again.
  await pause(2_500);
  await keyboard.press("v");
  await eventually("the camera follows", async () => (await said(alice, "set-camera")).length > before);
  others.forEach(({ socket }) => socket.close());
});

story("sound only sends no picture and asks for none; a hidden page asks for none either", async (stage) => {
  const [alice, bob] = await pair(stage);
  await alice.hearsAndSees(bob);
  await eventually("Bob is asked for", async () => ["medium", "large"].includes((await views(alice)).at(-1)?.[await slotOf(alice, bob)]));
  assert.ok(await alice.page.evaluate(() => window.locks > 0), "the screen is kept awake");

  await alice.page.setViewportSize({ width: 360, height: 740 });
  await eventually("a smaller tile is asked for smaller", async () => ["small", "medium"].includes((await views(alice)).at(-1)?.[await slotOf(alice, bob)]));
  await hide(alice, true);
  await eventually("a page that is not seen wants nothing", async () => (await views(alice)).at(-1)?.every((it) => it === "nothing"));
  const locks = await alice.page.evaluate(() => window.locks);
  await hide(alice, false);
  await eventually("and all of it again", async () => (await views(alice)).at(-1)?.some((it) => it !== "nothing"));
  await eventually("the screen is kept awake again", async () => (await alice.page.evaluate(() => window.locks)) > locks);

  await opens(alice);
  await alice.see("data-sound").check();
  await alice.page.keyboard.press("Escape");
  assert.equal(await alice.sees("data-notice", "code"), "sound");
  await eventually("no picture is asked for", async () => (await views(alice)).at(-1)?.every((it) => it === "nothing"));
  const sent = async () => (await alice.stats()).outbound.find((it) => it.kind === "video")?.framesEncoded ?? 0;
  await eventually("the camera's light is out", async () => (await alice.see("toggle-camera").getAttribute("aria-pressed")) === "false");
  const then = await sent();
  await bob.page.waitForTimeout(1_500);
  assert.ok((await sent()) - then <= 1, "no more pictures are sent");
  assert.equal(await alice.tile(bob).locator("video").count(), 0, "none is shown");
  await alice.page.keyboard.press("v");
  assert.equal(await alice.sees("toast-error", "code"), "sound-only");

  await alice.see("data-notice").getByRole("button", { name: "Bring the pictures back" }).click();
  await bob.hearsAndSees(alice);
  await alice.hearsAndSees(bob);
  const told = await said(alice, "view");
  const gaps = told.slice(1).map((it, at) => it.at - told[at].at);
  assert.ok(gaps.every((it) => it >= SERVER_TAKES_EVERY_MS), `no faster than the server takes it: ${gaps}`);
  assert.equal(await alice.negotiations(), 1);
  assert.deepEqual(alice.complaints, []);
});

story("a browser that is told to save data begins with small pictures, and says so", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await guest(stage, "Alice", () => {
    Object.defineProperty(navigator.connection, "saveData", { get: () => true });
  });
  const bob = await guest(stage, "Bob");
  for (const it of [alice, bob]) await it.joins(host.joinLink, { plain: true });
  assert.equal(await alice.sees("data-notice", "code"), "save");
  await eventually("Bob is asked for, small", async () => (await views(alice)).at(-1)?.[await slotOf(alice, bob)] === "small");
  await alice.see("data-notice").getByRole("button", { name: "Show larger pictures" }).click();
  await eventually("and larger", async () => (await views(alice)).at(-1)?.[await slotOf(alice, bob)] !== "small");
});

story("the faces stay in a small window, also when the page itself is not seen", async (stage) => {
  const [alice, bob] = await pair(stage);
  await alice.hearsAndSees(bob);
  await alice.page.setViewportSize({ width: 1280, height: 800 });
  await alice.see("small-window").click();
  const small = () =>
    alice.page.evaluate(() => {
      const page = window.documentPictureInPicture.window?.document;
      const video = page?.querySelector("[data-testid=small-room] [data-testid=tile] video");
      return video ? { time: video.currentTime, ground: getComputedStyle(page.body).backgroundColor } : null;
    });
  const first = await eventually("Bob is in it", small);
  assert.notEqual(first.ground, "rgba(0, 0, 0, 0)", "it is dressed as the page");
  await eventually("and moves", async () => (await small()).time > first.time);
  await hide(alice, true);
  await pause(1_500);
  assert.notEqual((await views(alice)).at(-1)[await slotOf(alice, bob)], "nothing", "Bob is still seen");
  await hide(alice, false);
  await alice.see("small-window").click();
  await eventually("it is closed", async () => (await small()) === null);
  assert.deepEqual(alice.complaints, []);
});

story("where there is no such window, the browser's own shows whoever speaks", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await guest(stage, "Alice", () => delete window.documentPictureInPicture);
  const bob = await guest(stage, "Bob");
  for (const it of [alice, bob]) await it.joins(host.joinLink, { plain: true });
  await alice.hearsAndSees(bob);
  await alice.page.setViewportSize({ width: 1280, height: 800 });
  await alice.see("small-window").click();
  await eventually("it is there", () => alice.page.evaluate(() => document.pictureInPictureElement !== null));
  await hide(alice, true);
  await eventually("Bob is asked for", async () => (await views(alice)).at(-1)?.[await slotOf(alice, bob)] === "medium");
  await hide(alice, false);
  await alice.see("small-window").click();
  await eventually("it is closed", () => alice.page.evaluate(() => document.pictureInPictureElement === null));
});

story("settings, keys and notices fit, in every language, on a phone and a laptop, by day and by night", async (stage) => {
  const [alice] = await pair(stage);
  const { page } = alice;
  const device = (await (await opens(alice)).locator("select").first().locator("option").evaluateAll((all) => all.map((it) => it.value))).at(-1);
  await page.locator("dialog[open] select").first().selectOption(device);
  await alice.see("speaking-hold").check();
  await page.keyboard.press("Escape");
  await page.evaluate((gone) => window.unplug(gone), device);
  await alice.sees("device-notice");
  for (const language of ["fi", "sv", "en"]) {
    await page.locator(`header button[lang=${language}]`).click();
    await fits(stage, alice, `notice-${language}`);
    await page.keyboard.down("Space");
    await isHeard(alice, true);
    await fits(stage, alice, `talking-${language}`, [[360, "light"]]);
    await page.keyboard.up("Space");
    await opens(alice);
    await fits(stage, alice, `settings-${language}`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await alice.sees("shortcuts-dialog");
    await fits(stage, alice, `keys-${language}`, [[360, "dark"], [1280, "light"]]);
    await page.keyboard.press("Escape");
  }
});

/** Photographs what there is, and holds that nothing sticks out at the side. */
async function fits(stage, { page }, name, looks = [[360, "light"], [360, "dark"], [1280, "light"], [1280, "dark"]]) {
  for (const [width, colorScheme] of looks) {
    await page.setViewportSize({ width, height: width === 360 ? 740 : 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForTimeout(150);
    const picture = `${name}-${width}-${colorScheme}`;
    await page.screenshot({ path: stage.screenshot(picture) });
    const wide = await page.evaluate(() => {
      const sheet = document.querySelector("dialog:modal") ?? document.scrollingElement;
      return sheet.scrollWidth - sheet.clientWidth;
    });
    assert.ok(wide <= 0, `${picture}: ${wide} px too wide`);
  }
}

/** Two people in the main room, as browsers are: with echo cancelling and the like. */
async function pair(stage) {
  const server = await stage.server();
  const host = await stage.host(server);
  const people = [await guest(stage, "Alice"), await guest(stage, "Bob")];
  for (const it of people) await it.joins(host.joinLink, { plain: true });
  return people;
}

async function guest(stage, name, more = () => undefined) {
  const person = await stage.person(name);
  await person.page.addInitScript(watches);
  await person.page.addInitScript(more);
  return person;
}

/** In the page, before its own scripts: what it asks of the browser and tells the server. */
function watches() {
  window.said = [];
  window.locks = 0;
  window.given = [];
  window.slow_ms = 0;
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    window.said.push({ ...JSON.parse(text), at: performance.now() });
    return send.call(this, text);
  };
  let held = null;
  const lock = navigator.wakeLock?.request.bind(navigator.wakeLock);
  if (lock) {
    navigator.wakeLock.request = (kind) => {
      window.locks += 1;
      held = lock(kind);
      return held;
    };
  }
  const media = navigator.mediaDevices;
  const list = media.enumerateDevices.bind(media);
  const open = media.getUserMedia.bind(media);
  let gone = null;
  media.enumerateDevices = async () => (await list()).filter((it) => it.deviceId !== gone);
  media.getUserMedia = async (want) => {
    if (window.slow_ms) await new Promise((resolve) => setTimeout(resolve, window.slow_ms));
    if (gone && want.audio?.deviceId?.exact === gone) throw new DOMException("", "OverconstrainedError");
    const stream = await open(want);
    window.given.push(...stream.getTracks());
    return stream;
  };
  window.unplug = (id) => {
    gone = id;
    media.dispatchEvent(new Event("devicechange"));
  };
  // The tracks that are sent, wherever they come from.
  const senders = [];
  window.senders = senders;
  const replace = RTCRtpSender.prototype.replaceTrack;
  RTCRtpSender.prototype.replaceTrack = function (it) {
    if (!senders.includes(this)) senders.push(this);
    return replace.call(this, it);
  };
  window.hide = async (on) => {
    if (on) await (await held)?.release(); // as the browser does
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (on ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  };
}

async function opens(person) {
  await person.see("settings").click();
  const dialog = person.see("settings-dialog");
  await dialog.waitFor();
  return dialog;
}

function microphones(person) {
  return person.page.locator("dialog[open] select").first().locator("option").evaluateAll((all) => all.map((it) => it.value));
}

/** The microphone that is sent now: which, how it is cleaned, whether it is open. */
function track(person) {
  return person.page.evaluate(() => {
    const it = window.senders.map((sender) => sender.track).find((it) => it?.kind === "audio");
    if (!it) return null;
    const { deviceId: device, noiseSuppression: noise, echoCancellation: echo } = it.getSettings();
    return { device, noise, echo, enabled: it.enabled };
  });
}

/** The devices that are on, whatever becomes of them: their kinds. */
function on(person) {
  return person.page.evaluate(() => window.given.filter((it) => it.readyState === "live").map((it) => it.kind));
}

function isHeard(person, on) {
  return person.page.locator(`[data-testid=toggle-microphone][data-wish=${on}]`).waitFor();
}

function hide(person, on) {
  return person.page.evaluate((on) => window.hide(on), on);
}

function said(person, type) {
  return person.page.evaluate((type) => window.said.filter((it) => it.type === type), type);
}

async function views(person) {
  return (await said(person, "view")).map((it) => it.slots);
}

async function slotOf(person, other) {
  return (await person.stats()).inbound.find((it) => it.participant === other.number)?.slot;
}
