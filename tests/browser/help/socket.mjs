// A WebSocket that does as it is told, also what no browser would: broken JSON, bytes, far too much.
// Node 20 has none of its own.
import crypto from "node:crypto";
import http from "node:http";

import { eventually } from "./eventually.mjs";

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export class RawSocket {
  /** Every message of the server, parsed. */
  messages = [];
  closed = false;
  #socket;
  #rest = Buffer.alloc(0);

  /** Resolves when the server has agreed to talk; rejects with its HTTP status when it does not. */
  static connect(origin, headers = {}) {
    return new Promise((resolve, reject) => {
      const request = http.get(`${origin}/ws`, {
        headers: {
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": crypto.randomBytes(16).toString("base64"),
          ...headers,
        },
      });
      request.on("upgrade", (_answer, socket, head) => resolve(new RawSocket(socket, head)));
      request.on("response", (answer) => {
        answer.resume();
        reject(Object.assign(new Error(`refused with ${answer.statusCode}`), { status: answer.statusCode }));
      });
      request.on("error", reject);
    });
  }

  constructor(socket, head) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#read(bytes));
    socket.on("close", () => (this.closed = true));
    socket.on("error", () => (this.closed = true));
    this.#read(head);
  }

  say(message) {
    this.sendText(JSON.stringify(message));
  }

  sendText(text) {
    this.#frame(TEXT, Buffer.from(text));
  }

  sendBytes(bytes) {
    this.#frame(BINARY, bytes);
  }

  /** The first message of a type, waited for. */
  async hears(type) {
    return eventually(`the server says ${type}`, () => this.messages.find((it) => it.type === type));
  }

  async isClosed() {
    await eventually("the server closes the socket", () => this.closed);
  }

  close() {
    this.#socket.destroy();
  }

  #frame(kind, body) {
    const mask = crypto.randomBytes(4);
    const long = body.length > 0xffff ? 10 : body.length > 125 ? 4 : 2;
    const head = Buffer.alloc(long);
    head[0] = 0x80 | kind;
    head[1] = 0x80 | (long === 2 ? body.length : long === 4 ? 126 : 127);
    if (long === 4) head.writeUInt16BE(body.length, 2);
    if (long === 10) head.writeBigUInt64BE(BigInt(body.length), 2);
    const masked = Buffer.from(body.map((byte, at) => byte ^ mask[at % 4]));
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat([head, mask, masked]));
  }

  #read(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const short = this.#rest[1] & 0x7f;
      const long = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#rest.length < long) return;
      const length =
        short === 126
          ? this.#rest.readUInt16BE(2)
          : short === 127
            ? Number(this.#rest.readBigUInt64BE(2))
            : short;
      if (this.#rest.length < long + length) return;
      const kind = this.#rest[0] & 0x0f;
      const body = this.#rest.subarray(long, long + length);
      this.#rest = this.#rest.subarray(long + length);
      if (kind === TEXT) this.messages.push(JSON.parse(body.toString()));
      if (kind === PING) this.#frame(PONG, body);
      if (kind === CLOSE) this.#socket.end();
    }
  }
}

/** Who has a seat and no media: their initials are shown. They do what their sockets say. */
export async function silent(server, link, names, { consent = "on" } = {}) {
  const token = decodeURIComponent(new URL(link).hash.slice(1));
  const all = [];
  for (const name of names) {
    const socket = await RawSocket.connect(server.origin);
    socket.say({ type: "join", token, seat: null, name, language: "fi", consent, tags: {} });
    all.push({ name, socket, number: (await socket.hears("welcome")).participant });
  }
  return all;
}
