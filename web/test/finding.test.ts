// Which methods the gallery finds, and where its links lead.
import { expect, test } from "vitest";
import { onward, readLink } from "../src/connection/link";
import { ANY, readCount, suited } from "../src/state/finding";
import type { Method } from "../src/wire/wire";

function method(id: string, name: string, more: Partial<Method> = {}): Method {
  const text = (it: string) => ({ fi: it, sv: `sv ${it}`, en: `en ${it}` });
  return {
    id,
    name: text(name),
    purpose: text("Jaetaan kokemuksia"),
    description: text("D"),
    aims: ["share"],
    people: { min: 4, max: 30, ideal: 12 },
    roles: [],
    rules: [],
    cycles: [],
    phases: [],
    source: { by: "", url: "" },
    ...more,
  };
}

const CAFE = method("cafe", "Oppimiskahvila", { people: { min: 12, max: 60, ideal: 20 } });
const PAIRS = method("pairs", "1–2–4–kaikki", { aims: ["ideas"] });
const ALL = [CAFE, PAIRS];
const ids = (it: readonly Method[]) => it.map((one) => one.id);

test("words are found however they bend, in the language of the page", () => {
  expect(ids(suited(ALL, { ...ANY, words: "KAHVILA" }, "fi"))).toEqual(["cafe"]);
  expect(ids(suited(ALL, { ...ANY, words: "kokemukset" }, "fi"))).toEqual(["cafe", "pairs"]);
  expect(ids(suited(ALL, { ...ANY, words: "1-2-4" }, "fi"))).toEqual(["pairs"]);
  expect(ids(suited(ALL, { ...ANY, words: "sv" }, "fi"))).toEqual([]);
  expect(ids(suited(ALL, { ...ANY, words: "ideoida" }, "fi", (it) => (it.id === "pairs" ? ["Ideoida"] : [])))).toEqual(["pairs"]);
});

test("people, time and aim narrow", () => {
  expect(ids(suited(ALL, { ...ANY, people: 5 }, "fi"))).toEqual(["pairs"]);
  expect(ids(suited(ALL, { ...ANY, people: 40 }, "fi"))).toEqual(["cafe"]);
  expect(ids(suited(ALL, { ...ANY, aim: "ideas" }, "fi"))).toEqual(["pairs"]);
  expect(ids(suited(ALL, { ...ANY, minutes: 1 }, "fi"))).toEqual(["cafe", "pairs"]);
  expect(ids(suited(ALL, ANY, "fi"))).toEqual(["cafe", "pairs"]);
});

test("only numbers that make sense are asked for", () => {
  expect([null, "", " ", "0", "-3", "2.5", "x"].map(readCount)).toEqual(Array(7).fill(null));
  expect(readCount(" 12 ")).toBe(12);
});

test("the gallery and a method have pages of their own", () => {
  expect(readLink("/methods", "")).toEqual({ page: "methods", session: "", token: "" });
  expect(readLink("/methods/six-hats", "#x")).toEqual({ page: "method", session: "six-hats", token: "" });
  expect(readLink("/methods/a/b", "").page).toBe("nowhere");
});

test("language and method go along to the next page, before the token", () => {
  expect(onward("/host/ab#t", "?lang=sv&method=six-hats&q=x")).toBe("/host/ab?lang=sv&method=six-hats#t");
  expect(onward("/host/ab#t", "")).toBe("/host/ab#t");
  expect(onward("/", "lang=fi", { method: "troika" })).toBe("/?lang=fi&method=troika");
});
