// A page's line to the server, with a socket that does what it is told: it is opened again when it is
// dead, also where nobody says so.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Line, type LineState } from "../src/connection/socket";
import { Writing } from "../src/state/writing.svelte";

class Socket {
  static readonly OPEN = 1;
  static all: Socket[] = [];
  readyState = 0;
  said: string[] = [];
  onopen = () => {};
  onclose = () => {};
  onmessage = (_: { data: string }) => {};

  constructor() {
    Socket.all.push(this);
  }

  opens(): this {
    this.readyState = Socket.OPEN;
    this.onopen();
    return this;
  }

  hears(type: string): void {
    this.onmessage({ data: JSON.stringify({ type }) });
  }

  send(text: string): void {
    this.said.push(text);
  }

  /** As where the other end is gone: nobody answers. */
  close(): void {
    this.readyState = 2;
  }
}

const last = () => Socket.all.at(-1)!;
let states: LineState[];
let heard: string[];
let line: Line;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("location", { protocol: "https:", host: "vuoro.example.fi" });
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("removeEventListener", () => {});
  [states, heard, Socket.all] = [[], [], []];
  line = new Line({
    opening: () => ({ type: "watch", token: "t" }),
    received: (it) => heard.push(it.type),
    changed: (it) => states.push(it),
  });
});

afterEach(() => {
  line.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a line on which nothing comes is given up, and another is opened", () => {
  const first = last().opens();
  first.hears("overview");
  vi.advanceTimersByTime(21_500);
  expect(states.at(-1)).toBe("lost");
  vi.advanceTimersByTime(10_000);
  expect(Socket.all.length).toBeGreaterThan(1);
  last().opens();
  expect(states.at(-1)).toBe("open");
  expect(last().said).toEqual([JSON.stringify({ type: "watch", token: "t" })]);
  first.hears("overview");
  expect(heard, "what an old line still says is not heard").toEqual(["overview"]);
});

test("while the server says that it is there the line is kept, and nobody else is told", () => {
  last().opens();
  for (let at = 0; at < 20; at += 1) {
    vi.advanceTimersByTime(5_000);
    last().hears("alive");
  }
  expect(Socket.all.length).toBe(1);
  expect(heard).toEqual([]);
});

test("after a sleep what has come meanwhile is read before the line is given up", () => {
  last().opens();
  vi.advanceTimersByTime(15_500);
  last().hears("alive");
  vi.advanceTimersByTime(3_000);
  expect([states.at(-1), Socket.all.length]).toEqual(["open", 1]);
});

test("what is written while the line is lost is sent once it is known where the method stands", () => {
  const sent: unknown[] = [];
  const writing = new Writing(
    (text, at) => sent.push([text, at]) > 0,
    () => null,
  );
  const [private_, shared] = [{ phase: 0, round: 0 }, { phase: 1, round: 0 }];
  writing.told(private_, "");
  writing.lost();
  writing.type("My doubts");
  vi.advanceTimersByTime(10_000);
  expect(sent, "the line may be there again, but what it is there for is not told").toEqual([]);
  writing.told(private_, "");
  expect(sent).toEqual([["My doubts", private_]]);
  writing.lost();
  writing.type("My doubts, and more");
  writing.told(shared, "");
  vi.advanceTimersByTime(10_000);
  expect(sent.length, "a private note is not for the room").toBe(1);
  writing.type("For the room");
  vi.advanceTimersByTime(10_000);
  expect(sent.at(-1)).toEqual(["For the room", shared]);
});
