// What holds the microphone open in push-to-talk, and a wish for a device that takes time to open. Pure
// of devices and of the page: it never listens to a key and never asks for a microphone by itself.

/** `press`: switched by a press without a hold, as screen readers and switches give it. */
export type Holder = "key" | "pointer" | "press";

/**
 * Open while at least one holder holds. Tells only changes, so that a key that repeats says nothing.
 */
export class HoldToTalk {
  #holders = new Set<Holder>();
  #told: (open: boolean) => void;

  constructor(told: (open: boolean) => void) {
    this.#told = told;
  }

  get open(): boolean {
    return this.#holders.size > 0;
  }

  press(holder: Holder): void {
    const was = this.open;
    this.#holders.add(holder);
    if (!was) this.#told(true);
  }

  release(holder: Holder): void {
    if (this.#holders.delete(holder) && !this.open) this.#told(false);
  }

  /** A press where nothing can be held: opens, and closes whatever holds. */
  switch(): void {
    if (this.open) this.letGo();
    else this.press("press");
  }

  /** The page is out of sight or another window has the keys: nobody holds anything any more. */
  letGo(): void {
    if (!this.open) return;
    this.#holders.clear();
    this.#told(false);
  }
}

export interface WishedDevice {
  /** Whether it is there to be switched on at once. */
  ready(): boolean;
  /** What is wished, also while the device is still being opened. */
  wish(on: boolean): void;
  /** Asks for it; this may wait for the person. */
  open(): Promise<boolean>;
  /** The wish has come true. */
  done(on: boolean): void;
}

/**
 * Only the last wish counts: who lets go while the browser still asks for permission is not heard
 * when it comes.
 */
export class LastWish {
  #device: WishedDevice;
  #number = 0;

  constructor(device: WishedDevice) {
    this.#device = device;
  }

  async follow(on: boolean): Promise<void> {
    this.#number += 1;
    const mine = this.#number;
    this.#device.wish(on);
    if (on && !this.#device.ready()) {
      const opened = await this.#device.open();
      if (!opened || mine !== this.#number) return;
    }
    this.#device.done(on);
  }
}

/** What a key event tells of whom it is meant for. */
export interface KeyTarget {
  /** Where one types or chooses with the keyboard. */
  field: boolean;
  /** A control that the key itself would press. */
  control: boolean;
  /** The person came to it with the keyboard, and not by a click or because a sheet was closed. */
  reached: boolean;
}

/** Whether the space bar is for talking, or for what has the focus. */
export function mayTalkByKey({ field, control, reached }: KeyTarget): boolean {
  return !field && (!control || !reached);
}
