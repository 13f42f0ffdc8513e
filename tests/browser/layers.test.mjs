// Three layers of a camera, from one page to another through the server; then the page's end of a media
// connection against another connection in the same page, where everything can be offered: layers or
// none, a shared screen, and another way through the network for the connection there is.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";
import { bundle } from "./help/bundle.mjs";

/** The width of the small layer, and some. */
const SMALL = 320;

story("through the server, a small tile is sent the small layer of a camera, and a large tile more", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = [await stage.person("Alice"), await stage.person("Bob")];
  const views = [];
  bob.page.on("websocket", (it) => {
    it.on("framesent", ({ payload }) => payload.includes('"view"') && views.push(JSON.parse(payload).slots));
  });
  for (const it of [alice, bob]) await it.joins(host.joinLink, { consent: "declined" });
  const layers = async () => {
    const sent = (await alice.stats()).outbound.filter((it) => it.kind === "video" && it.rid !== null);
    return sent.length === 3 && sent.every((it) => it.framesEncoded > 10) ? sent : null;
  };
  const sent = await eventually("three layers flow", layers);
  const width = Object.fromEntries(sent.map((it) => [it.rid, it.frameWidth]));
  assert.deepEqual(Object.keys(width).sort(), ["f", "h", "q"]);
  assert.ok(width.q <= SMALL && width.q < width.h && width.h < width.f, JSON.stringify(width));

  const isShown = async (size, wanted, fits) => {
    await bob.page.setViewportSize(size);
    const picture = async () => (await bob.receives(alice)).video;
    await eventually(`it is wanted ${wanted}`, async () => views.at(-1)?.[(await picture())?.slot] === wanted);
    await eventually(`what is ${wanted} comes`, async () => fits((await picture()).frameWidth));
    // Longer than the server needs to learn what the line carries. Where a machine's time is taken by its neighbours the
    // picture has stood for seconds, so there are three tries; what comes must be of the right size in all of them.
    for (let tries = 1; ; tries += 1) {
      const came = [];
      for (let at = 0; at < 8; at += 1) {
        const before = (await picture()).framesDecoded;
        await bob.page.waitForTimeout(1_000);
        const { framesDecoded, frameWidth } = await picture();
        assert.ok(fits(frameWidth), `${wanted}: ${frameWidth} px`);
        came.push(framesDecoded - before);
      }
      if (came.filter((it) => it > 0).length >= 6) return;
      stage.note(`${wanted}: ${came.join(", ")} frames a second`);
      assert.ok(tries < 3, `${wanted}: the picture stands`);
    }
  };
  const [phone, laptop] = [{ width: 320, height: 640 }, { width: 1280, height: 800 }];
  await isShown(phone, "small", (it) => 0 < it && it <= SMALL);
  await isShown(laptop, "large", (it) => SMALL < it);
  await isShown(phone, "small", (it) => 0 < it && it <= SMALL);
  for (const it of [alice, bob]) {
    assert.equal(await it.negotiations(), 1, it.name);
    assert.deepEqual(it.complaints, [], it.name);
  }
});

story("a camera is sent in three layers where the server asks for them", async (stage) => {
  const page = await loopback(stage);
  await page.evaluate(() => window.connects({ layers: ["q", "h", "f"] }));
  const flowing = async () => {
    const sent = (await page.evaluate(() => window.sent())).filter((it) => it.kind === "video" && it.rid);
    return sent.length === 3 && sent.every((it) => it.packets > 20) ? sent : null;
  };
  const sent = await eventually("three layers flow", flowing);
  const widths = Object.fromEntries(sent.map((it) => [it.rid, it.width]));
  assert.deepEqual(widths, { q: 240, h: 480, f: 960 });
  stage.note(`layers: ${sent.map((it) => `${it.rid} ${it.width}×${it.height}`).join(", ")}`);

  await page.evaluate(() => window.peer.save(true));
  const before = await page.evaluate(() => window.sent());
  const packets = (list, rid) => list.find((it) => it.rid === rid).packets;
  const saved = await eventually("the smallest one goes on", async () => {
    const now = await page.evaluate(() => window.sent());
    return packets(now, "q") > packets(before, "q") + 40 ? now : null;
  });
  assert.ok(packets(saved, "f") - packets(before, "f") < 40, "who saves data does not send the large one");
  assert.equal(await page.evaluate(() => window.peer.negotiations), 1);
});

story("where one picture is asked for, one is sent", async (stage) => {
  const page = await loopback(stage);
  await page.evaluate(() => window.connects({ layers: [] }));
  const sent = await eventually("it flows", async () => {
    const video = (await page.evaluate(() => window.sent())).filter((it) => it.kind === "video" && it.packets > 20);
    return video.length > 0 ? video : null;
  });
  assert.equal(sent.length, 1);
  // Less on a machine that has no time; never the whole picture, which all who watch would have to take.
  assert.ok(sent[0].width <= 640, `${sent[0].width} px`);
});

story("another way through the network leaves the connection and its tracks alone", async (stage) => {
  const page = await loopback(stage);
  await page.evaluate(() => window.connects({ layers: ["q", "h", "f"] }));
  await eventually("it is connected", () => page.evaluate(() => window.peer.state === "connected"));
  const { before, after } = await page.evaluate(() => window.restarts());
  assert.notEqual(before.credentials, after.credentials, "the answer has new credentials");
  assert.ok(before.slots === after.slots && before.slots === 1, "nobody's slot was made anew");
  assert.equal(await page.evaluate(() => window.peer.negotiations), 1);
  const seen = await page.evaluate(() => window.frames());
  await eventually("pictures go on both ways", async () => {
    const now = await page.evaluate(() => window.frames());
    return now.sent > seen.sent + 5 && now.received > seen.received + 5;
  });
});

story("a screen goes out on a line of its own and comes in on another", async (stage) => {
  const page = await loopback(stage);
  await page.evaluate(() => window.connects({ layers: [], screen: true }));
  const lines = await eventually("the page knows its lines", () => page.evaluate(() => window.screenLines));
  assert.deepEqual(lines, { send: true, receive: true });
  await page.evaluate(() => window.shares());
  await eventually("the screen is sent", async () => {
    const sent = await page.evaluate(() => window.sent());
    return sent.some((it) => it.width === 1280 && it.packets > 10);
  });
  await page.evaluate(() => window.peer.sendTracks({ screen: null }));
  assert.equal(await page.evaluate(() => window.peer.negotiations), 1);
});

/** A page with both ends, not connected yet. */
async function loopback(stage) {
  const page = await (await stage.browser({ microphone: "none" })).newPage();
  await page.addScriptTag({ content: await bundle("media/peer.ts", "media") });
  await page.evaluate(bothEnds);
  return page;
}

/** In the page: the other end, which offers as a server does, and measures. */
function bothEnds() {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 960, height: 540 });
  const paint = canvas.getContext("2d");
  setInterval(() => {
    for (let at = 0; at < 40; at += 1) {
      paint.fillStyle = `hsl(${Math.random() * 360} 70% 50%)`;
      paint.fillRect(Math.random() * 960, Math.random() * 540, 60, 60);
    }
  }, 40);
  const camera = canvas.captureStream(24).getVideoTracks()[0];
  const server = new RTCPeerConnection();
  let slotsMade = 0;
  let answered = null;
  let offers = 0;
  let mids;

  window.screenLines = null;
  window.peer = new window.media.Peer({
    answer: (number, sdp) => number === offers && answered(sdp),
    needed: () => undefined,
    changed: () => undefined,
    slots: () => (slotsMade += 1),
    screen: (it) => (window.screenLines = { send: it.send, receive: it.picture !== null }),
  });

  /** Offers, hands the offer to the page as the server would write it, and takes its answer. */
  async function negotiates(layers, options, more) {
    await server.setLocalDescription(await server.createOffer(options));
    await new Promise((resolve) => {
      if (server.iceGatheringState === "complete") resolve();
      server.onicegatheringstatechange = () => server.iceGatheringState === "complete" && resolve();
    });
    const answer = new Promise((resolve) => (answered = resolve));
    const sdp = asksForLayers(server.localDescription.sdp, mids?.send.video ?? "1", layers);
    mids ??= { send: { audio: "0", video: "1" }, slots: [{ audio: "2", video: "3" }], ...more };
    offers += 1;
    await window.peer.take({ type: "offer", number: offers, sdp, ...mids, ...(options ? { restart: true } : {}) });
    await server.setRemoteDescription({ type: "answer", sdp: withoutLayers(await answer) });
    return answer;
  }

  window.connects = async ({ layers, screen = false }) => {
    server.addTransceiver("audio", { direction: "recvonly" });
    server.addTransceiver("video", { direction: "recvonly" });
    server.addTransceiver("audio", { direction: "sendonly" });
    server.addTransceiver(camera, { direction: "sendonly" });
    if (screen) {
      server.addTransceiver("video", { direction: "recvonly" });
      server.addTransceiver("video", { direction: "sendonly" });
    }
    await window.peer.sendTracks({ video: camera });
    const send = { audio: "0", video: "1", ...(screen ? { screen: "4" } : {}) };
    window.answer = await negotiates(layers, undefined, { send, ...(screen ? { screen: "5" } : {}) });
    window.layers = layers;
  };

  window.restarts = async () => {
    const credentials = (sdp) => /a=ice-ufrag:(.*)/.exec(sdp)[1].trim();
    const before = { credentials: credentials(window.answer), slots: slotsMade };
    const again = await negotiates(window.layers, { iceRestart: true });
    return { before, after: { credentials: credentials(again), slots: slotsMade } };
  };

  window.shares = () => {
    const large = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const pen = large.getContext("2d");
    setInterval(() => pen.fillText(String(performance.now()), Math.random() * 1200, Math.random() * 700), 60);
    return window.peer.sendTracks({ screen: large.captureStream(15).getVideoTracks()[0] });
  };

  window.sent = async () => {
    const all = [];
    (await window.peer.report()).forEach((it) => {
      if (it.type !== "outbound-rtp") return;
      all.push({ kind: it.kind, rid: it.rid ?? null, packets: it.packetsSent, width: it.frameWidth ?? null, height: it.frameHeight ?? null });
    });
    return all;
  };

  window.frames = async () => {
    let [sent, received] = [0, 0];
    (await window.peer.report()).forEach((it) => {
      if (it.type === "outbound-rtp") sent += it.framesEncoded ?? 0;
      if (it.type === "inbound-rtp") received += it.framesDecoded ?? 0;
    });
    return { sent, received };
  };

  /** The other end is a browser, which cannot ask for layers itself; a server can. */
  function asksForLayers(sdp, mid, rids) {
    if (rids.length === 0) return sdp;
    const asked = [...rids.map((it) => `a=rid:${it} recv`), `a=simulcast:recv ${rids.join(";")}`];
    return sectionsOf(sdp, mid, (lines) => [...lines, ...asked]);
  }

  function withoutLayers(sdp) {
    return sdp.split("\r\n").filter((it) => !/^a=(rid|simulcast):/.test(it)).join("\r\n");
  }

  function sectionsOf(sdp, mid, change) {
    const [head, ...sections] = sdp.split(/^(?=m=)/m);
    const changed = sections.map((it) => {
      const lines = it.split("\r\n").filter(Boolean);
      return [...(lines.includes(`a=mid:${mid}`) ? change(lines) : lines), ""].join("\r\n");
    });
    return head + changed.join("");
  }
}
