// Which language this page speaks, and how a person changes it. It never stores the choice: it stands
// in the address as `?lang=`, so that a reload keeps it and nothing is left behind.
import { type Texts, isLanguage, languages, wordsOf } from "../languages";
import type { WireLanguage } from "../wire/wire";

const asked = new URLSearchParams(location.search).get("lang");

class Speech {
  #language = $state<WireLanguage>(isLanguage(asked) ? asked : (ofBrowser() ?? "fi"));
  #texts = $state.raw<Texts | null>(null);
  #chosen = $state(isLanguage(asked));
  /** The language that is being brought, and when it is there. */
  #wanted = this.#language;
  #coming: Promise<void> = Promise.resolve();

  get language(): WireLanguage {
    return this.#language;
  }

  /** Nothing is drawn before `begin` is done. */
  get texts(): Texts {
    if (!this.#texts) throw new Error("the page is drawn before its words are here");
    return this.#texts;
  }

  /** Brings the words of the first language. Fails when they cannot be had. */
  async begin(): Promise<void> {
    this.#texts = await wordsOf(this.#language);
  }

  /** Brings the others as well, so that a person can change when the line is down. */
  bringAll(): void {
    for (const it of languages) void wordsOf(it).catch(() => undefined);
  }

  /** For the address of another page, so that a language that was chosen goes along. */
  get query(): string {
    return this.#chosen ? `lang=${this.#wanted}` : "";
  }

  /** By the person: wins over everything. Done when the page speaks it. */
  choose(language: WireLanguage): Promise<void> {
    this.#chosen = true;
    const address = new URL(location.href);
    address.searchParams.set("lang", language);
    history.replaceState(history.state, "", address);
    return this.#speak(language);
  }

  /** By the session: holds unless the person or the link has said otherwise. */
  suggest(language: WireLanguage): void {
    if (!this.#chosen) void this.#speak(language);
  }

  /** When a change that has been asked for is done. */
  settled(): Promise<void> {
    return this.#coming;
  }

  /** Language and words change in one step; where the words cannot be had, neither does. */
  #speak(language: WireLanguage): Promise<void> {
    this.#wanted = language;
    const bring = async () => {
      const words = await wordsOf(language).catch(() => null);
      if (!words || this.#wanted !== language) return;
      this.#language = language;
      this.#texts = words;
    };
    this.#coming = bring();
    return this.#coming;
  }
}

function ofBrowser(): WireLanguage | null {
  for (const tag of navigator.languages ?? []) {
    const short = tag.slice(0, 2).toLowerCase();
    if (isLanguage(short)) return short;
  }
  return null;
}

export const speech = new Speech();
