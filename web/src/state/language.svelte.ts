// Which language this page speaks, and how a person changes it. It never stores the choice: it stands
// in the address as `?lang=`, so that a reload keeps it and nothing is left behind.
import { type Texts, isLanguage, texts } from "../languages";
import type { WireLanguage } from "../wire/wire";

const asked = new URLSearchParams(location.search).get("lang");

class Speech {
  language = $state<WireLanguage>(isLanguage(asked) ? asked : (ofBrowser() ?? "fi"));
  #chosen = $state(isLanguage(asked));

  get texts(): Texts {
    return texts[this.language];
  }

  /** For the address of another page, so that a language that was chosen goes along. */
  get query(): string {
    return this.#chosen ? `lang=${this.language}` : "";
  }

  /** By the person: wins over everything. */
  choose(language: WireLanguage): void {
    this.#chosen = true;
    this.language = language;
    const address = new URL(location.href);
    address.searchParams.set("lang", language);
    history.replaceState(history.state, "", address);
  }

  /** By the session: holds unless the person or the link has said otherwise. */
  suggest(language: WireLanguage): void {
    if (!this.#chosen) this.language = language;
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
