// Short notices of things that were refused but stop nothing. Bounded, each gone after a while. It
// never holds a fatal fault.

const SHOWN_MAX = 3;
const SHOWN_MS = 8_000;

export interface Toast {
  key: number;
  code: string;
}

export class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #next = 0;

  add(code: string): void {
    const key = this.#next;
    this.#next += 1;
    this.list = [...this.list.filter((it) => it.code !== code), { key, code }].slice(-SHOWN_MAX);
    setTimeout(() => this.dismiss(key), SHOWN_MS);
  }

  dismiss(key: number): void {
    this.list = this.list.filter((it) => it.key !== key);
  }
}
