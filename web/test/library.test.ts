// Past sessions: found again, and what people say of their methods.
import { expect, test } from "vitest";
import { EVERYTHING, methodsIn, narrowed, pilotsByMethod, themesIn, tokensIn } from "../src/state/library";
import type { PastSession, PilotTold } from "../src/wire/wire";
import { text } from "./help";

function past(of: Partial<PastSession>): PastSession {
  return {
    session: "S",
    title: "Kevät",
    language: "fi",
    opened_unix_ms: new Date(2026, 3, 15, 23, 30).getTime(),
    ended: true,
    people: 12,
    methods: [],
    questions: [],
    themes: [],
    pilots: [],
    ...of,
  };
}
const cafe = { id: "learning-cafe", name: text("Café") };
const SPRING = past({ title: "Kevät", themes: ["Tiet", "Koulut"], methods: [cafe], questions: ["Mitä pihalle?"] });
const AUTUMN = past({ title: "Syksy", themes: ["Koulut"], opened_unix_ms: new Date(2026, 9, 1).getTime() });

test("narrowed by method, theme, day and the beginnings of words", () => {
  const found = (wanted: object) => narrowed([AUTUMN, SPRING], { ...EVERYTHING, ...wanted }).map((it) => it.title);
  expect(found({})).toEqual(["Syksy", "Kevät"]);
  expect(found({ method: "learning-cafe" })).toEqual(["Kevät"]);
  expect(found({ theme: "Koulut" })).toEqual(["Syksy", "Kevät"]);
  expect(found({ from: "2026-04-15", until: "2026-04-15" })).toEqual(["Kevät"]);
  expect(found({ from: "2026-04-16" })).toEqual(["Syksy"]);
  expect(found({ words: "KOUL pih" })).toEqual(["Kevät"]);
  expect(found({ words: "oulut" })).toEqual([]);
  expect(found({ words: "café" })).toEqual(["Kevät"]);
});

test("what there is to choose from, each once and by its name", () => {
  expect(methodsIn([SPRING, AUTUMN, SPRING], "en")).toEqual([{ id: "learning-cafe", name: "Café" }]);
  expect(themesIn([SPRING, AUTUMN], "fi")).toEqual(["Koulut", "Tiet"]);
});

test("answers of several sessions are one sum, and of too few only how many they are", () => {
  const told = (yes: number, ...lines: string[]): PilotTold => {
    return { heard: [0, 0, 1, yes], clear: [0, 0, 0, yes], fresh: [yes, 0, 0, 0], again: [0, 0, 0, 0], lines };
  };
  const pilots = (method: string, answers: number, of: PilotTold | null) => ({ pilots: [{ method, answers, told: of }] });
  const all = pilotsByMethod([
    pilots("cafe", 3, told(2, "Hyvä")),
    pilots("cafe", 2, null),
    pilots("cafe", 4, told(3, "Ahdas")),
    pilots("hats", 1, null),
  ]);
  expect(all.map((it) => [it.method, it.sessions, it.answers])).toEqual([["cafe", 3, 9], ["hats", 1, 1]]);
  expect(all[0]?.told).toEqual({ ...told(5, "Ahdas", "Hyvä"), heard: [0, 0, 2, 5] });
  expect(all[1]?.told).toBeNull();
});

test("links are pasted as they come", () => {
  expect(tokensIn("https://v.example/review/A#a.b.c\n https://v.example/library#d-1.e_2.f,g.h.i")).toEqual([
    "a.b.c",
    "d-1.e_2.f",
    "g.h.i",
  ]);
  expect(tokensIn("https://v.example/ not#a-link")).toEqual([]);
});
