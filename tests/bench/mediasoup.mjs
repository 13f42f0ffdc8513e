// A mediasoup worker for the benches: takes one JSON request a line, answers each with one line.
// `npm i mediasoup_prebuilt@3.8.4`: a worker of 2021 in a third party's package; a newer one may be
// faster.
import { createRequire } from "node:module";
import readline from "node:readline";

const require = createRequire(`${process.env.VUORO_PEERS}/`);
const mediasoup = require("mediasoup_prebuilt");

const AUDIO = { kind: "audio", mimeType: "audio/opus", clockRate: 48_000, channels: 2, payloadType: 111 };
const VIDEO = { kind: "video", mimeType: "video/VP8", clockRate: 90_000, payloadType: 96 };
const worker = await mediasoup.createWorker({ logLevel: "error" });
const people = [];
let router = null;

const actions = {
  worker: () => ({ pid: worker.pid }),

  /** A room, with a transport for each of its people on which they send. */
  async room({ size, video, ssrcs, fingerprint }) {
    router = await worker.createRouter({ mediaCodecs: video ? [AUDIO, VIDEO] : [AUDIO] });
    const room = [];
    for (let index = 0; index < size; index++) {
      const transport = await router.createWebRtcTransport({ listenIps: ["127.0.0.1"], enableUdp: true });
      const fingerprints = [{ algorithm: "sha-256", value: fingerprint }];
      await transport.connect({ dtlsParameters: { role: "client", fingerprints } });
      const producers = [];
      for (const kind of video ? ["audio", "video"] : ["audio"]) {
        producers.push(await transport.produce({ kind, rtpParameters: sent(kind, ssrcs[index][kind]) }));
      }
      room.push({ router, transport, producers });
    }
    for (const to of room) {
      for (const from of room.filter((it) => it !== to)) {
        for (const producer of from.producers) await consume(to, producer);
      }
    }
    people.push(...room);
    return room.map(({ transport }) => ({
      ufrag: transport.iceParameters.usernameFragment,
      password: transport.iceParameters.password,
      port: transport.iceCandidates[0].port,
    }));
  },

  /** Everybody is made to hear four others, as moving people between rooms of five takes. */
  async edges({ count, size }) {
    if (router === null) router = await worker.createRouter({ mediaCodecs: [AUDIO] });
    const all = [];
    for (let index = 0; index < count; index++) {
      const transport = await router.createWebRtcTransport({ listenIps: ["127.0.0.1"], enableUdp: true });
      all.push({
        router,
        transport,
        producers: [await transport.produce({ kind: "audio", rtpParameters: sent("audio", 1_000 + index) })],
      });
    }
    const begun = process.hrtime.bigint();
    const made = [];
    for (const [index, to] of all.entries()) {
      const room = Math.floor(index / size) * size;
      for (const from of all.slice(room, room + size)) {
        if (from !== to) made.push(consume(to, from.producers[0]));
      }
    }
    const consumers = await Promise.all(made);
    const ms = Number(process.hrtime.bigint() - begun) / 1e6;
    all.forEach((it) => it.transport.close());
    return { ms, edges: consumers.length };
  },
};

function sent(kind, ssrc) {
  const { mimeType, clockRate, channels, payloadType } = kind === "audio" ? AUDIO : VIDEO;
  return {
    codecs: [{ mimeType, clockRate, channels, payloadType, parameters: {}, rtcpFeedback: [] }],
    encodings: [{ ssrc }],
    rtcp: { cname: "bench" },
  };
}

/** Without bandwidth estimation, which would hold video back: the synthetic clients report none. */
function consume(to, producer) {
  const codecs = to.router.rtpCapabilities.codecs.map((it) => ({
    ...it,
    rtcpFeedback: it.rtcpFeedback.filter(({ type }) => type === "nack" || type === "ccm"),
  }));
  return to.transport.consume({ producerId: producer.id, rtpCapabilities: { codecs, headerExtensions: [] } });
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { action, ...request } = JSON.parse(line);
  const answer = await Promise.resolve(actions[action](request)).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}
worker.close();
