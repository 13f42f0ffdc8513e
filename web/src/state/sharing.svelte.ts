// Sharing a screen: one's own, and which line brings somebody else's. It never shares on into another
// room: what was meant for one group is not shown to the next.
import { Screen } from "../media/screen.svelte";
import type { ScreenLines } from "../media/peer";
import type { RoomState } from "./room";

export interface SharingUser {
  /** Tells the server; whether it went out. */
  send(on: boolean): boolean;
  track(screen: MediaStreamTrack | null): void;
  /** Why sharing came to nothing, by the code of its text. */
  refused(code: string): void;
}

/** Whose screen is shown in the own room. */
export function sharerOf(room: RoomState): number | null {
  return room.room?.sharing ?? null;
}

export class Sharing {
  readonly screen = new Screen();
  lines = $state.raw<ScreenLines>({ send: false, picture: null });
  /** Whether the own screen is being shown to the room. */
  mine = $state(false);
  #user: SharingUser;
  #room = "";
  /** The server has said that it is ours. */
  #confirmed = false;
  /** How often it was asked for or ended. */
  #asked = 0;

  constructor(user: SharingUser) {
    this.#user = user;
    this.screen.ended = () => this.stop();
  }

  /** Whether there is a button for it at all. */
  get possible(): boolean {
    return this.lines.send && Screen.possible;
  }

  offered(lines: ScreenLines): void {
    this.lines = lines;
  }

  async start(): Promise<void> {
    if (this.mine || this.screen.opening) return;
    const [room, asked] = [this.#room, ++this.#asked];
    if (!(await this.screen.open())) return;
    // While they chose they may have been moved, or have left: it was meant for those who were there then.
    if (room !== this.#room || asked !== this.#asked) {
      this.screen.close();
      if (asked === this.#asked) this.#user.refused("share-ended");
      return;
    }
    if (!this.#user.send(true)) {
      this.screen.close();
      this.#user.refused("not-sent");
      return;
    }
    this.mine = true;
    this.#confirmed = false;
    this.#user.track(this.screen.track);
  }

  stop(): void {
    this.#asked += 1;
    if (!this.mine) return this.screen.close();
    this.mine = false;
    this.screen.close();
    this.#user.track(null);
    this.#user.send(false);
  }

  /** After a lost line or a reload: the server may have another picture of it than we have. */
  welcomed(state: RoomState): void {
    this.#confirmed = false;
    if (this.mine) this.#user.send(true);
    else if (sharerOf(state) !== null && sharerOf(state) === state.me) this.#user.send(false);
  }

  /** The room has changed: another one, or somebody else shares. */
  follow(state: RoomState): void {
    const room = state.room?.room ?? "";
    const moved = this.#room !== "" && room !== this.#room;
    this.#room = room;
    if (!this.mine) return;
    const sharer = sharerOf(state);
    if (sharer === state.me && !moved) {
      this.#confirmed = true;
      return;
    }
    if (moved || this.#confirmed || sharer !== null) {
      this.stop();
      this.#user.refused(moved ? "share-ended" : sharer === null ? "share-stopped" : "already-shared");
    }
  }

  /** Whether a refusal was meant for sharing, which nobody has confirmed yet. */
  refusedBy(code: string): boolean {
    if (!this.mine || this.#confirmed || code !== "already-shared") return false;
    this.stop();
    this.#user.refused(code);
    return true;
  }
}
