// The methods of the server, as a facilitator's page knows them: asked for once, when the page opens, and kept
// while methods run and end. It asks again only when it is told to, after the server could not be reached.
import { allMethods } from "../connection/api";
import type { Method } from "../wire/wire";

export class MethodList {
  /** Null: not here yet. */
  all = $state.raw<readonly Method[] | null>(null);
  unreachable = $state(false);

  async fetch(): Promise<void> {
    this.unreachable = false;
    try {
      this.all = await allMethods();
    } catch {
      this.unreachable = true;
    }
  }
}
