// That every language says what the others say. Missing texts do not compile; these find empty and
// forgotten ones.
import { expect, test } from "vitest";
import { fault, languages, nameOf, refusal, roomName, wordsOf } from "../src/languages";

const [fi, sv, en] = await Promise.all([wordsOf("fi"), wordsOf("sv"), wordsOf("en")]);
const texts = { fi, sv, en };

function leaves(value: unknown, path: string, found: Map<string, string>): Map<string, string> {
  if (typeof value === "string") found.set(path, value);
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) leaves(inner, `${path}.${key}`, found);
  }
  return found;
}

test("no text is empty, and all languages have the same", () => {
  const keys = (language: (typeof languages)[number]) =>
    [...leaves(texts[language], "", new Map()).keys()].sort();
  for (const language of languages) {
    expect(keys(language)).toEqual(keys("en"));
    for (const [path, text] of leaves(texts[language], "", new Map())) {
      expect(text.trim(), `${language}${path}`).not.toBe("");
    }
  }
});

test("every language has its own name", () => {
  expect(languages.map(nameOf)).toEqual(["Suomi", "Svenska", "English"]);
});

test("hardly any text is left in another language", () => {
  const english = leaves(texts.en, "", new Map());
  for (const language of ["fi", "sv"] as const) {
    const same = [...leaves(texts[language], "", new Map())].filter(
      ([path, text]) => english.get(path) === text && text.length > 12,
    );
    expect(same).toEqual([]);
  }
});

test("unknown codes have an answer too", () => {
  expect(fault(texts.fi, "no-such-code")).toBe(texts.fi.otherFault);
  expect(fault(texts.fi, "constructor")).toBe(texts.fi.otherFault);
  expect(refusal(texts.sv, "no-such-code")).toBe(texts.sv.otherRefusal);
});

test("the balance in each language's own grammar", () => {
  expect(texts.fi.balance.likeVoices(2.94, 4)).toBe("Kuin 2,9 ääntä neljästä");
  expect(texts.fi.balance.likeVoices(1.02, 3)).toBe("Kuin yksi ääni kolmesta");
  expect(texts.sv.balance.likeVoices(2.94, 4)).toBe("Som 2,9 röster av 4");
  expect(texts.en.balance.likeVoices(2.94, 4)).toBe("Like 2.9 voices of 4");
  expect(texts.en.balance.likeVoices(1.02, 3)).toBe("Like one voice of 3");
});

test("who has been silent reads of listening, and of no zero", () => {
  const own = { talk_ms: 0, turns: 0, backchannels: 0, people_heard: 2, rounds: 1 };
  for (const language of languages) {
    const { balance, keepMine } = texts[language];
    for (const it of [balance.ownText(0, 0, 0), ...keepMine.lines(own)]) {
      expect(it, language).not.toMatch(/0/);
    }
    expect(balance.ownText(0.4, 65_000, 2), language).toMatch(/40.*1 min 5 s.*2/);
    expect(keepMine.lines({ ...own, talk_ms: 65_000, turns: 2, backchannels: 1 }), language).toHaveLength(4);
  }
});

test("rooms have names", () => {
  expect(roomName(texts.fi, "main")).toBe("Yhteinen huone");
  expect(roomName(texts.sv, "room-2")).toBe("Rum 2");
});
