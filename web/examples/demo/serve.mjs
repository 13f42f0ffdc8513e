// `scripts/start --demo`: an event page of somebody else's, on another origin than the server, with a
// session in it that is opened for it. It ends when the server does. Never for a real event: whoever
// reaches the page gets the host's link, too.
import fs from "node:fs";
import http from "node:http";

const PORT = 8090;
const PAGE = `http://localhost:${PORT}`;
const SERVER_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

const vuoro = `http://localhost:${Number(process.argv[2] ?? 8080)}`;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const answers = () => fetch(`${vuoro}/api/status`).then((it) => it.ok, () => false);

async function openSession() {
  for (const until = Date.now() + SERVER_WITHIN_MS; !(await answers()); await pause(LOOK_EVERY_MS)) {
    if (until < Date.now()) throw new Error(`${vuoro} does not answer`);
  }
  const body = JSON.stringify({ title: "A webinar with Vuoro beside it", language: "en" });
  const answer = await fetch(`${vuoro}/api/sessions`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** A stream that one hears get quieter: three soft notes, again and again, as a WAV file. */
function stream() {
  const rate = 16_000;
  const samples = Int16Array.from({ length: 6 * rate }, (_, at) => {
    const [note, t] = [Math.floor(at / (2 * rate)), (at % (2 * rate)) / rate];
    const fades = Math.min(1, t * 20) * Math.exp(-1.5 * t);
    return 6_000 * fades * Math.sin(2 * Math.PI * [392, 494, 587][note] * t);
  });
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer)]);
}

const { session, host_path, join_path } = await openSession();
const words = {
  VUORO: vuoro,
  PAGE,
  HOST: `${vuoro}${host_path}`,
  SESSION: session,
  TOKEN: decodeURIComponent(join_path.split("#")[1]),
};
const page = fs
  .readFileSync(new URL("page.html", import.meta.url), "utf8")
  .replace(/\b(VUORO|PAGE|HOST|SESSION|TOKEN)\b/g, (word) => words[word]);
const sound = stream();
const server = http.createServer((request, answer) => {
  const isSound = request.url === "/stream.wav";
  answer.setHeader("Content-Type", isSound ? "audio/wav" : "text/html; charset=utf-8");
  answer.end(isSound ? sound : page);
});
server.on("error", (error) => {
  console.error(`The event page cannot be served: ${error.message}`);
  process.exit(1);
});
server.listen(PORT, "localhost", () => console.log(`An event page with a session in it: ${PAGE}`));
while (await answers()) await pause(5 * LOOK_EVERY_MS);
process.exit();
