// One text under several hands: what a keystroke has changed, where the cursor stays, and two pages that
// end with the same words whatever was on its way between them.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { type Change, SHEET_CHARS_MAX, type Step, brought, changed, fitting, gather_ms, moved, shown } from "../src/state/sheet";
import { Together } from "../src/state/together.svelte";

describe("what has changed", () => {
  const cases: [string, string, number, ReturnType<typeof changed>][] = [
    ["", "a", 1, { at: 0, gone: 0, comes: "a" }],
    ["abc", "abc", 3, null],
    ["abc", "abXc", 3, { at: 2, gone: 0, comes: "X" }],
    ["abc", "ac", 1, { at: 1, gone: 1, comes: "" }],
    // Among equal letters the cursor says which is new.
    ["aa", "aaa", 1, { at: 0, gone: 0, comes: "a" }],
    ["aa", "aaa", 3, { at: 2, gone: 0, comes: "a" }],
    ["abc", "x", 1, { at: 0, gone: 3, comes: "x" }],
    // Never half a character: these two begin with the same unit, and those end with one.
    ["😀", "😁", 2, { at: 0, gone: 2, comes: "😁" }],
    ["a😀", "a\u{1f200}", 3, { at: 1, gone: 2, comes: "\u{1f200}" }],
  ];
  test.each(cases)("%j becomes %j with the cursor at %i", (before, after, cursor, expected) => {
    const change = changed(before, after, cursor);
    expect(change).toEqual(expected);
    if (change) expect(before.slice(0, change.at) + change.comes + before.slice(change.at + change.gone)).toBe(after);
  });

  test("only what can be read comes onto a sheet", () => {
    expect(shown("a\r\nb\tc\u0000\u202e\ufeff👩‍🌾\ud83d")).toBe("a\nb c👩‍🌾");
  });

  test("of what is pasted comes as much as fits", () => {
    const full = "ä".repeat(SHEET_CHARS_MAX - 1);
    expect(fitting(full, { at: 0, gone: 0, comes: "😀xyz" })).toEqual({ at: 0, gone: 0, comes: "😀" });
    expect(fitting(full, { at: 0, gone: 3, comes: "xyz" })).toEqual({ at: 0, gone: 3, comes: "xyz" });
  });
});

test("the cursor stays at its letter when others write before and after it", () => {
  expect(moved(4, [{ insert: "xx" }])).toBe(6);
  expect(moved(4, [{ retain: 4 }, { insert: "xx" }])).toBe(4);
  expect(moved(4, [{ retain: 6 }, { insert: "xx" }])).toBe(4);
  expect(moved(4, [{ retain: 1 }, { delete: 2 }])).toBe(2);
  expect(moved(4, [{ retain: 3 }, { delete: 5 }])).toBe(3);
  expect(moved(4, [{ delete: 2 }, { retain: 1 }, { insert: "abc" }])).toBe(5);
});

describe("what one page has changed comes to where it belongs in a text that others have changed", () => {
  const base = "Puita ja tori.";
  const cases: [string, Step[], string, string][] = [
    ["nobody else", [{ retain: 5 }, { insert: "," }], base, "Puita, ja tori."],
    ["others before it", [{ retain: 14 }, { insert: " Ja katos." }], "Isoja puita ja tori.", "Isoja puita ja tori. Ja katos."],
    ["others after it", [{ delete: 5 }, { insert: "Penkkejä" }], "Puita ja iso tori.", "Penkkejä ja iso tori."],
    ["both at one place", [{ retain: 9 }, { insert: "pieni " }], "Puita ja iso tori.", "Puita ja pieni iso tori."],
    ["they took what it takes", [{ delete: 6 }], "tori.", "tori."],
    ["it takes around what they wrote", [{ delete: 14 }, { insert: "Kaikki" }], "Puita ja iso tori.", "iso Kaikki"],
    ["two places", [{ delete: 6 }, { retain: 7 }, { insert: "!" }], "Puita ja iso tori.", "ja iso tori!."],
    ["they took all", [{ retain: 14 }, { insert: " Katos." }], "", " Katos."],
  ];
  test.each(cases)("%s", (_, own, theirs, expected) => {
    const write = (text: string, { at, gone, comes }: Change) => text.slice(0, at) + comes + text.slice(at + gone);
    expect(brought(base, own, theirs).reduce(write, theirs)).toBe(expected);
  });
});

test("in a big room less often", () => {
  expect([1, 8, 9, 300].map((it) => gather_ms(it, null))).toEqual([400, 400, 800, 15_200]);
  expect([60_000, 10_000, 2_100, 0].map((it) => gather_ms(300, it)), "before the phase ends").toEqual([15_200, 8_000, 150, 150]);
});

/** What the server does of it: one document, and everybody else is told. */
class Room {
  doc = new Y.Doc();
  pages = new Map<number, Together>();
  /** Who has no line. */
  away = new Set<Together>();
  up = true;
  /** What is sent goes out, and comes nowhere. */
  deaf = false;
  received = 0;
  number = 1;
  since = 1;

  constructor() {
    this.doc.clientID = 1;
  }

  async comes(participant: number): Promise<Together> {
    const page: Together = new Together({
      send: (sheet, update) => {
        if (!this.up || this.away.has(page)) return false;
        if (this.deaf) return true;
        expect(sheet).toBe(this.number);
        this.received += 1;
        const bytes = Uint8Array.from(Buffer.from(update, "base64"));
        Y.applyUpdate(this.doc, bytes);
        for (const [other, it] of this.pages) {
          if (other !== participant && !this.away.has(it)) it.heard(participant, this.number, update);
        }
        return true;
      },
      people: () => this.pages.size,
      left_ms: () => null,
    });
    this.pages.set(participant, page);
    this.tells(page, false);
    await vi.waitFor(() => expect(page.ready).toBe(true));
    return page;
  }

  tells(page: Together, afresh: boolean): void {
    page.told(this.number, this.since, Buffer.from(Y.encodeStateAsUpdate(this.doc)).toString("base64"), afresh);
  }

  /** The same text, without how it came to be. */
  laysOutAnew(): void {
    const { text } = this;
    this.number += 1;
    this.doc = new Y.Doc();
    this.doc.clientID = 1;
    this.doc.getText("text").insert(0, text);
    for (const page of this.pages.values()) if (!this.away.has(page)) this.tells(page, false);
  }

  get text(): string {
    return this.doc.getText("text").toString();
  }
}

describe("a sheet under several hands", () => {
  beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }));
  afterEach(() => void vi.useRealTimers());

  test("two type at the same place; what is gathered comes together", async () => {
    const room = new Room();
    const [alice, bob] = [await room.comes(1), await room.comes(2)];
    "Puita".split("").forEach((it, at) => alice.change({ at, gone: 0, comes: it }));
    bob.change({ at: 0, gone: 0, comes: "Penkki" });
    expect([alice.state, room.received]).toEqual(["unsaved", 0]);
    vi.advanceTimersByTime(400);
    expect(room.received).toBe(2);
    expect(alice.text).toBe(bob.text);
    expect([...alice.text].sort()).toEqual([..."PuitaPenkki"].sort());
    expect([alice.writers, bob.writers]).toEqual([[2], [1]]);
    expect(alice.state).toBe("saving");
    vi.advanceTimersByTime(3_000);
    expect([alice.state, alice.writers]).toEqual(["saved", []]);
  });

  test("what was typed while the line was lost comes when it is back, once", async () => {
    const room = new Room();
    const [alice, bob] = [await room.comes(1), await room.comes(2)];
    alice.change({ at: 0, gone: 0, comes: "Puita" });
    alice.save();
    room.up = false;
    alice.lost();
    alice.change({ at: 5, gone: 0, comes: " ja penkkejä" });
    vi.advanceTimersByTime(1_000);
    expect(room.text).toBe("Puita");
    room.up = true;
    room.tells(alice, false);
    expect([room.text, alice.text, bob.text]).toEqual(Array(3).fill("Puita ja penkkejä"));
    const received = room.received;
    room.tells(alice, false);
    expect(room.received, "nothing is missing").toBe(received);
  });

  test("what is refused is forgotten, and another sheet takes its place", async () => {
    const room = new Room();
    const alice = await room.comes(1);
    room.up = false;
    alice.change({ at: 0, gone: 0, comes: "Puita" });
    room.up = true;
    room.tells(alice, true);
    expect([alice.text, room.text]).toEqual(["", ""]);
    alice.change({ at: 0, gone: 0, comes: "Tori" });
    room.number = room.since = 2;
    room.doc = new Y.Doc();
    room.tells(alice, false);
    expect(alice.text).toBe("");
    vi.advanceTimersByTime(1_000);
    expect(room.text, "what was meant for the other does not come here").toBe("");
  });

  test("where the same text is laid out anew, nobody who types sees anything of it", async () => {
    const room = new Room();
    const [alice, bob] = [await room.comes(1), await room.comes(2)];
    alice.change({ at: 0, gone: 0, comes: "Puita" });
    alice.save();
    const laid = alice.laid;
    const followed = vi.fn();
    alice.followed = followed;
    // She is in the middle of a word, and it is not sent yet.
    alice.change({ at: 5, gone: 0, comes: " ja penk" });
    room.laysOutAnew();
    expect([alice.text, alice.ready, alice.laid]).toEqual(["Puita ja penk", true, laid]);
    expect(followed, "the field stays as it is, and the cursor in it").not.toHaveBeenCalled();
    expect([bob.text, bob.state]).toEqual(["Puita", "saved"]);
    alice.change({ at: 13, gone: 0, comes: "kejä" });
    vi.advanceTimersByTime(400);
    expect([room.text, bob.text, alice.text]).toEqual(Array(3).fill("Puita ja penkkejä"));
    // His change is on its way to the sheet before when this one is laid out: there it is refused, with an
    // answer, and here it comes once.
    bob.change({ at: 0, gone: 0, comes: "Lisää " });
    room.deaf = true;
    bob.save();
    room.deaf = false;
    room.laysOutAnew();
    room.tells(bob, false);
    vi.advanceTimersByTime(400);
    expect([room.text, bob.text, alice.text]).toEqual(Array(3).fill("Lisää Puita ja penkkejä"));
  });

  test("what was typed without a line is kept where the sheet was laid out anew meanwhile", async () => {
    const room = new Room();
    const [alice, bob] = [await room.comes(1), await room.comes(2)];
    alice.change({ at: 0, gone: 0, comes: "Puita ja tori" });
    alice.save();
    vi.advanceTimersByTime(3_000);
    // This comes, but nobody can tell her so any more; what she types then comes nowhere.
    alice.change({ at: 13, gone: 0, comes: "." });
    alice.save();
    room.away.add(alice);
    alice.lost();
    alice.change({ at: 0, gone: 5, comes: "Penkkejä" });
    alice.change({ at: 17, gone: 0, comes: " Ja katos." });
    expect(alice.text).toBe("Penkkejä ja tori. Ja katos.");
    vi.advanceTimersByTime(5_000);
    bob.change({ at: 9, gone: 0, comes: "iso " });
    bob.save();
    room.laysOutAnew();
    const followed = vi.fn();
    [alice.followed, bob.followed] = [followed, null];
    const laid = alice.laid;
    room.away.clear();
    room.tells(alice, false);
    vi.advanceTimersByTime(1_000);
    expect([alice.text, bob.text, room.text]).toEqual(Array(3).fill("Penkkejä ja iso tori. Ja katos."));
    expect(alice.laid, "the field stays").toBe(laid);
    expect(followed, "and follows what the others have written").toHaveBeenCalledOnce();
    vi.advanceTimersByTime(3_000);
    expect(alice.state).toBe("saved");
  });

  test("one takes back what one wrote oneself", async () => {
    const room = new Room();
    const [alice, bob] = [await room.comes(1), await room.comes(2)];
    alice.change({ at: 0, gone: 0, comes: "Puita" });
    alice.save();
    bob.change({ at: 5, gone: 0, comes: " ja tori" });
    bob.save();
    expect(alice.undo(false)).toBe(true);
    alice.save();
    expect([alice.text, bob.text, room.text]).toEqual(Array(3).fill(" ja tori"));
    expect(alice.undo(true)).toBe(true);
    expect(alice.text).toBe("Puita ja tori");
  });

  test("a word that is put together from several keys is left alone meanwhile", async () => {
    const room = new Room();
    const [alice, bob] = [await room.comes(1), await room.comes(2)];
    alice.compose(true);
    bob.change({ at: 0, gone: 0, comes: "Puita" });
    bob.save();
    expect(alice.text).toBe("");
    alice.change({ at: 0, gone: 0, comes: "日本" });
    alice.compose(false);
    alice.save();
    expect(alice.text).toBe(bob.text);
    expect(alice.text).toContain("日本");
  });
});
