// The sheet of the person's room: what stands on it, and what is on its way there. Yjs merges, and comes
// only when a room writes. It never loses words to a lost line: what the server has not, it is sent when
// the page is told how the sheet stands.
import type * as Yjs from "yjs";
import { type Change, type Step, apart, brought, changed, fitting, gather_ms } from "./sheet";

type Library = typeof Yjs;

/** The server handles one page's words in order: what it has not refused by now has arrived, in ms. */
const ARRIVED_MS = 2_000;
/** Somebody of whom nothing has come for so long writes no more, in ms. */
const WRITES_MS = 3_000;
/** When the library could not be had, so long until it is asked for again, in ms. */
const AGAIN_MS = 3_000;
/** Asked for so often in vain, it may never come: browsers remember what they could not have. */
const ASKED_MAX = 2;
/** What waits for the library at most; a sheet that more has come for is told anew to a new page. */
const PUT_OFF_MAX = 500;

export type SheetState = "none" | "unsaved" | "saving" | "saved";

interface Surroundings {
  /** Whether it went out. */
  send: (sheet: number, update: string) => boolean;
  /** How many are in the room. */
  people: () => number;
  /** Until the phase ends, in ms; null: nobody knows. */
  left_ms: () => number | null;
}

export class Together {
  /** How often another sheet was laid out, or taken away: the field begins anew. */
  laid = $state(0);
  /** Whether there is a sheet to write on. */
  ready = $state(false);
  /** There is one, and it cannot be laid out: another page may be able to. */
  lacking = $state(false);
  text = $state("");
  state = $state<SheetState>("none");
  /** Who else is writing. */
  writers = $state.raw<readonly number[]>([]);
  /** The field follows what others have changed; the text is as it stands then. */
  followed: ((steps: readonly Step[]) => void) | null = null;
  #around: Surroundings;
  #fetches: () => Promise<Library>;
  #library: Library | null = null;
  #loading = false;
  #asked = 0;
  #number: number | null = null;
  #since: number | null = null;
  #doc: Yjs.Doc | null = null;
  /** The same without what the server may not have: what of the person's is on its way is known by it. */
  #known: Yjs.Doc | null = null;
  #undo: Yjs.UndoManager | null = null;
  /** What came while the library did not, or while a word was being composed. */
  #put_off: ((library: Library) => void)[] = [];
  #composing = false;
  #unsent: Uint8Array[] = [];
  #last: Uint8Array | null = null;
  /** Sent, and not known to have arrived, in their order. */
  #flying: { update: Uint8Array; arrival: ReturnType<typeof setTimeout> }[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #arrival: ReturnType<typeof setTimeout> | undefined;
  #asking: ReturnType<typeof setTimeout> | undefined;
  #writing = new Map<number, ReturnType<typeof setTimeout>>();

  constructor(around: Surroundings, fetches: () => Promise<Library> = () => import("yjs")) {
    this.#around = around;
    this.#fetches = fetches;
  }

  /** Fetches what it takes, before it is needed. */
  prepare(): void {
    if (this.#library || this.#loading) return;
    this.#loading = true;
    this.#asked += 1;
    clearTimeout(this.#asking);
    this.#fetches().then(
      (library) => {
        this.#library = library;
        this.#catchUp();
      },
      () => {
        this.#loading = false;
        if (this.#asked >= ASKED_MAX && this.#put_off.length > 0) this.lacking = true;
        this.#asking = setTimeout(() => this.prepare(), AGAIN_MS);
      },
    );
  }

  /** The sheet, whole. `since`: the same for as long as it is the same text, also laid out anew. `afresh`:
   *  what the page has beside is refused. */
  told(number: number, since: number, state: string, afresh: boolean): void {
    this.prepare();
    // It has all in it that came before.
    if (!this.#library) this.#put_off = [];
    this.#then((library) => {
      if (!this.#doc || afresh || since !== this.#since) {
        this.#forget();
        this.#lay(library, number, bytes(state));
        this.#since = since;
      } else if (number !== this.#number) this.#layAnew(library, number, bytes(state));
      else this.#take(library, this.#doc, bytes(state));
    });
  }

  /** Somebody else has changed it. */
  heard(participant: number, number: number, update: string): void {
    this.#then((library) => {
      if (!this.#doc || !this.#known || number !== this.#number) return;
      library.applyUpdate(this.#doc, bytes(update), THEIRS);
      library.applyUpdate(this.#known, bytes(update));
      this.#writes(participant);
    });
  }

  /** The person has changed what stands there. */
  change({ at, gone, comes }: Change): void {
    const doc = this.#doc;
    if (!doc) return;
    const text = doc.getText(TEXT);
    doc.transact(() => {
      if (gone > 0) text.delete(at, gone);
      if (comes) text.insert(at, comes);
    }, OURS);
    this.text = text.toString();
  }

  /** Back, or forth again, through one's own changes alone. Whether there were any. */
  undo(forth: boolean): boolean {
    return (forth ? this.#undo?.redo() : this.#undo?.undo()) != null;
  }

  /** While a word is put together from several keys, nothing else may change the field. */
  compose(on: boolean): void {
    this.#composing = on;
    if (!on) this.#catchUp();
  }

  /** Sends what is not yet sent. */
  save(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (!this.#library || this.#number === null || this.#unsent.length === 0) return;
    const update = this.#library.mergeUpdates(this.#unsent);
    if (this.#around.send(this.#number, text64(update))) {
      this.#unsent = [];
      this.#last = update;
      this.#flies(update);
      this.#sent();
    }
  }

  /** Without a line nothing arrives; what is missing is sent when the sheet is told again. */
  lost(): void {
    clearTimeout(this.#arrival);
    this.#flying.forEach((it) => clearTimeout(it.arrival));
    if (this.state === "saving") this.state = "unsaved";
    [...this.#writing.keys()].forEach((it) => this.#stops(it));
  }

  /** What was sent last may have been too much at once: it is sent again a little later. If it was not,
   *  the server tells how the sheet stands. */
  again(): void {
    if (this.state !== "saving" || !this.#last) return;
    clearTimeout(this.#arrival);
    this.state = "unsaved";
    this.#unsent.unshift(this.#last);
    clearTimeout(this.#flying.pop()?.arrival);
    clearTimeout(this.#gathering);
    this.#gathering = setTimeout(() => this.save(), ARRIVED_MS);
  }

  clear(): void {
    this.#forget();
    clearTimeout(this.#asking);
    this.#put_off = [];
    this.lacking = false;
    [...this.#writing.keys()].forEach((it) => this.#stops(it));
  }

  #then(act: (library: Library) => void): void {
    if (this.#library && !this.#composing && this.#put_off.length === 0) act(this.#library);
    else this.#put_off.push(act);
    if (this.#library || this.#put_off.length <= PUT_OFF_MAX) return;
    this.#put_off = [];
    this.lacking = true;
  }

  #catchUp(): void {
    const library = this.#library;
    while (library && !this.#composing && this.#put_off.length > 0) this.#put_off.shift()?.(library);
  }

  #take(library: Library, doc: Yjs.Doc, state: Uint8Array): void {
    library.applyUpdate(doc, state, THEIRS);
    if (this.#known) library.applyUpdate(this.#known, state);
    this.#landed();
    this.#unsent = [];
    // What the server has not: compared letter by letter, also of what is gone again on both sides.
    const there = new library.Doc();
    library.applyUpdate(there, state);
    const known = library.encodeStateVector(there);
    const own = (it: Yjs.Doc) => library.decodeStateVector(library.encodeStateVector(it)).get(doc.clientID) ?? 0;
    if (own(doc) !== own(there) || there.getText(TEXT).toString() !== this.text) {
      this.#unsent = [library.encodeStateAsUpdate(doc, known)];
      this.save();
    }
    there.destroy();
  }

  /** What of the person's has not come there, or had no line to come by, is brought onto it. Where the
   *  others have written nothing meanwhile the person sees nothing of it. */
  #layAnew(library: Library, number: number, state: Uint8Array): void {
    const [seen, own] = [this.text, this.#own(library, state)];
    this.#drop();
    this.#lay(library, number, state);
    for (const it of brought(own.base, own.steps, this.text)) this.change(fitting(this.text, it));
    const change = changed(seen, this.text);
    if (change) this.followed?.([{ retain: change.at }, { delete: change.gone }, { insert: change.comes }]);
  }

  /** The text without what of the person's did not come to `there`, and what that is. Of what was sent last
   *  nobody says whether it came; it comes in its order, so that base is taken which is the nearest. */
  #own(library: Library, there: Uint8Array): { base: string; steps: Step[] } {
    const text = textOf(copy(library, there));
    const base = copy(library, library.encodeStateAsUpdate(this.#known ?? new library.Doc()));
    const all = library.encodeStateAsUpdate(this.#doc ?? new library.Doc());
    let nearest = { base: "", steps: [] as Step[], apart: Infinity };
    for (let sent = 0; sent <= this.#flying.length; sent += 1) {
      const before = sent > 0 ? this.#flying[sent - 1] : null;
      if (before) library.applyUpdate(base, before.update);
      const far = apart(textOf(base), text);
      if (nearest.apart < far) continue;
      const trial = copy(library, library.encodeStateAsUpdate(base));
      let steps: Step[] = [];
      trial.getText(TEXT).observe((event: Yjs.YTextEvent) => (steps = event.delta as Step[]));
      library.applyUpdate(trial, all);
      nearest = { base: textOf(base), steps, apart: far };
      trial.destroy();
    }
    base.destroy();
    return nearest;
  }

  #lay(library: Library, number: number, state: Uint8Array): void {
    const doc = copy(library, state);
    // Small numbers are the server's.
    doc.clientID = 65_536 + Math.floor(Math.random() * 0xffff_0000);
    this.#known = copy(library, state);
    const text = doc.getText(TEXT);
    doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== THEIRS) this.#changed(update);
    });
    text.observe((event: Yjs.YTextEvent, transaction: Yjs.Transaction) => {
      if (transaction.origin === OURS) return;
      this.text = text.toString();
      this.followed?.(event.delta as Step[]);
    });
    this.#undo = new library.UndoManager(text, { trackedOrigins: new Set([OURS]) });
    this.#doc = doc;
    this.#number = number;
    this.text = text.toString();
    this.state = this.text ? "saved" : "none";
    this.ready = true;
    this.lacking = false;
  }

  #drop(): void {
    clearTimeout(this.#gathering);
    clearTimeout(this.#arrival);
    this.#gathering = undefined;
    this.#undo?.destroy();
    this.#doc?.destroy();
    this.#known?.destroy();
    this.#undo = this.#doc = this.#known = this.#number = null;
    this.#unsent = [];
    this.#last = null;
    this.#landed();
  }

  #forget(): void {
    this.#drop();
    this.laid += 1;
    this.ready = false;
    this.text = "";
    this.state = "none";
  }

  #changed(update: Uint8Array): void {
    clearTimeout(this.#arrival);
    this.#unsent.push(update);
    this.state = "unsaved";
    this.#gathering ??= setTimeout(() => this.save(), gather_ms(this.#around.people(), this.#around.left_ms()));
  }

  /** What has not been refused by then has arrived. */
  #flies(update: Uint8Array): void {
    const arrival = setTimeout(() => {
      this.#flying.shift();
      if (this.#known) this.#library?.applyUpdate(this.#known, update);
    }, ARRIVED_MS);
    this.#flying.push({ update, arrival });
  }

  /** Whether it has arrived is known otherwise, or does not matter any more. */
  #landed(): void {
    this.#flying.splice(0).forEach((it) => clearTimeout(it.arrival));
  }

  #sent(): void {
    this.state = "saving";
    clearTimeout(this.#arrival);
    this.#arrival = setTimeout(() => (this.state = "saved"), ARRIVED_MS);
  }

  #writes(participant: number): void {
    clearTimeout(this.#writing.get(participant));
    if (!this.#writing.has(participant)) this.writers = [...this.writers, participant];
    this.#writing.set(
      participant,
      setTimeout(() => this.#stops(participant), WRITES_MS),
    );
  }

  #stops(participant: number): void {
    clearTimeout(this.#writing.get(participant));
    this.#writing.delete(participant);
    this.writers = this.writers.filter((it) => it !== participant);
  }
}

/** The name of the text in the document; the server knows it by the same. */
const TEXT = "text";
const THEIRS = "theirs";
const OURS = "ours";

function copy(library: Library, state: Uint8Array): Yjs.Doc {
  const doc = new library.Doc();
  library.applyUpdate(doc, state);
  return doc;
}

function textOf(doc: Yjs.Doc): string {
  return doc.getText(TEXT).toString();
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
}

function text64(update: Uint8Array): string {
  return btoa(Array.from(update, (it) => String.fromCharCode(it)).join(""));
}
