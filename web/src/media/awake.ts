// Keeps the screen from going dark: a phone that dims its screen drops its camera and, soon after, its
// network. It never insists: refused on low battery or inside some iframes, the room works without.

export class Awake {
  #wanted = false;
  #lock: WakeLockSentinel | null = null;
  #again = () => void this.#take();

  constructor() {
    // Browsers let go of it when the page is out of sight, and do not take it again by themselves.
    document.addEventListener("visibilitychange", this.#again);
  }

  keep(on: boolean): void {
    this.#wanted = on;
    if (on) void this.#take();
    else void this.#letGo();
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.#again);
    this.keep(false);
  }

  async #take(): Promise<void> {
    const held = this.#lock !== null && !this.#lock.released;
    if (!this.#wanted || held || document.visibilityState !== "visible" || !mayStayAwake()) return;
    try {
      this.#lock = (await navigator.wakeLock?.request("screen")) ?? null;
    } catch {
      return;
    }
    if (!this.#wanted) await this.#letGo();
  }

  async #letGo(): Promise<void> {
    const lock = this.#lock;
    this.#lock = null;
    await lock?.release().catch(() => undefined);
  }
}

/** An iframe that was not given the right would be complained about in the browser's console. */
function mayStayAwake(): boolean {
  return allowed("screen-wake-lock");
}

/** Whether this page, which may be an iframe, has been given a right; where it cannot be told, yes. */
export function allowed(feature: string): boolean {
  const { featurePolicy } = document as { featurePolicy?: { allowsFeature(name: string): boolean } };
  return featurePolicy?.allowsFeature(feature) ?? true;
}
