// Small pure pieces: grid, ring, backoff, links, levels, problems, words.
import { QUIET } from "./help";
import { describe, expect, test } from "vitest";
import { waitBeforeAttempt_ms } from "../src/connection/backoff";
import { nodeOfAttempt } from "../src/connection/socket";
import { readLink } from "../src/connection/link";
import { clock, listed, minutes, oneDecimal } from "../src/languages/words";
import { levelOf } from "../src/media/level";
import { problemOf } from "../src/media/problem";
import { chooseGrid, fitGrid, heightToFill } from "../src/state/grid";
import { spread } from "../src/state/overview";
import { arcs } from "../src/state/ring";
import type { WirePerson } from "../src/wire/wire";
import { initials } from "../src/ui/parts/person";

test("grid: the shape of the space decides", () => {
  const check = (count: number, width: number, height: number, want: [number, number]) => {
    const grid = chooseGrid(count, width, height, 12);
    expect([grid.columns, grid.rows]).toEqual(want);
  };
  check(0, 800, 600, [1, 1]);
  check(1, 800, 600, [1, 1]);
  check(2, 1200, 500, [2, 1]);
  check(2, 500, 1200, [1, 2]);
  check(4, 800, 600, [2, 2]);
  check(8, 1400, 700, [4, 2]);
  check(3, 0, 0, [1, 3]);
});

test("grid: on a page that scrolls two faces stand side by side, not one below the window", () => {
  const columns = (count: number, width: number, windowHeight: number) =>
    chooseGrid(count, width, heightToFill(windowHeight), 12).columns;
  expect(columns(2, 780, 600)).toBe(2);
  expect(columns(4, 780, 600)).toBe(2);
  expect(columns(2, 768, 1024)).toBe(2);
  expect(columns(8, 780, 600)).toBe(4);
});

describe("ring", () => {
  test("one voice is the whole circle", () => {
    expect(arcs([1, 0, 0], 0.02)).toEqual([{ start: 0, length: 1 }]);
  });
  test("silence has no arcs", () => {
    expect(arcs([0, 0], 0.02)).toEqual([]);
    expect(arcs([], 0.02)).toEqual([]);
  });
  test("arcs and gaps add to the circle", () => {
    const pieces = arcs([0.5, 0.3, 0.2], 0.02);
    const sum = pieces.reduce((a, it) => a + it.length + 0.02, 0);
    expect(sum).toBeCloseTo(1);
  });
});

test("backoff: from half a second to eight, spread by chance", () => {
  expect(waitBeforeAttempt_ms(0, 0)).toBe(500);
  expect(waitBeforeAttempt_ms(0, 1)).toBe(500);
  expect(waitBeforeAttempt_ms(3, 0)).toBe(2000);
  expect(waitBeforeAttempt_ms(3, 1)).toBe(4000);
  expect(waitBeforeAttempt_ms(99, 1)).toBe(8000);
});

test("line: to the session's own node, and each second time to where the page came from", () => {
  const page = { protocol: "https:", host: "vuoro.example.fi" };
  const to = (node: string | null) => [1, 2, 3, 4].map((attempt) => nodeOfAttempt(node, page, attempt));
  const [home, node] = ["wss://vuoro.example.fi", "wss://solmu-1.example.fi"];
  expect(to(null)).toEqual([home, home, home, home]);
  expect(to(node)).toEqual([node, home, node, home]);
  expect(nodeOfAttempt(null, { protocol: "http:", host: "localhost:8080" }, 0)).toBe("ws://localhost:8080");
});

test("links: page, session and the token after the hash", () => {
  expect(readLink("/", "")).toEqual({ page: "start", session: "", token: "" });
  expect(readLink("/join/abc", "#t.k")).toEqual({ page: "join", session: "abc", token: "t.k" });
  expect(readLink("/host/abc/", "")).toEqual({ page: "host", session: "abc", token: "" });
  expect(readLink("/join/", "#t").page).toBe("nowhere");
  expect(readLink("/elsewhere/abc", "#t").page).toBe("nowhere");
  expect(readLink("/join/%E0%A4%A", "#%").page).toBe("join");
});

test("level: silence is nothing, full scale is one", () => {
  expect(levelOf(new Float32Array(8))).toBe(0);
  expect(levelOf(new Float32Array(8).fill(1))).toBe(1);
});

test("problems: what browsers call them", () => {
  const named = (name: string) => problemOf({ name });
  expect(named("NotAllowedError")).toBe("denied");
  expect(named("NotFoundError")).toBe("no-microphone");
  expect(named("NotReadableError")).toBe("busy");
  expect(problemOf(new TypeError("no mediaDevices"))).toBe("insecure");
  expect(problemOf(undefined)).toBe("busy");
});

test("words: lists, decimals and times", () => {
  const more = (n: number) => `${n} muuta`;
  expect(listed(["Aino"], "fi-FI", more)).toBe("Aino");
  expect(listed(["Aino", "Bo", "Chao"], "fi-FI", more)).toBe("Aino, Bo ja Chao");
  expect(listed(["1", "2", "3", "4", "5", "6"], "sv-FI", (n) => `${n} andra`)).toBe("1, 2, 3, 4 och 2 andra");
  expect(oneDecimal(2.94, "fi-FI")).toBe("2,9");
  expect(clock(65_000)).toBe("1:05");
  expect(clock(3_665_000)).toBe("1:01:05");
  expect(minutes(200_400)).toBe("3 min 20 s");
});

test("initials: whole characters", () => {
  expect(initials("Aino Maria Virtanen")).toBe("AV");
  expect(initials(" åsa ")).toBe("Å");
  expect(initials("😀 x")).toBe("😀X");
  expect(initials("")).toBe("");
});

test("spread: evenly, to the emptiest, the present only", () => {
  const person = (participant: number, present = true): WirePerson => ({
    participant,
    name: "x",
    language: "fi",
    consent: "on",
    microphone: true,
    camera: false,
    present,
  });
  const moves = spread([
    { room: "main", people: [person(1), person(2), person(3), person(4, false)], ...QUIET },
    { room: "room-1", people: [person(5)], ...QUIET },
    { room: "room-2", people: [], ...QUIET },
  ]);
  expect(moves).toEqual([
    { participant: 1, room: "room-2" },
    { participant: 2, room: "room-1" },
    { participant: 3, room: "room-2" },
  ]);
  expect(spread([{ room: "main", people: [person(1)], ...QUIET }])).toEqual([]);
});

test("no tile is taller than wide, nor wider than a film", () => {
  expect(fitGrid({ columns: 2, rows: 1 }, 812, 700, 12)).toEqual({ width: 812, height: 400 });
  expect(fitGrid({ columns: 1, rows: 2 }, 2000, 412, 12)).toEqual({ width: (200 * 16) / 9, height: 412 });
  expect(fitGrid({ columns: 1, rows: 1 }, 0, 0, 12)).toEqual({ width: 0, height: 0 });
});
