// What a change in the list of devices means for the one in use. Pure: it never opens a device and
// never asks the browser for the list.

export interface Listed {
  id: string;
  label: string;
}

export type DeviceChange =
  | { kind: "none" }
  /** The one in use is no longer there: what the browser takes by default is next. */
  | { kind: "gone"; label: string }
  /** The one the person chose is there again. */
  | { kind: "back"; device: Listed }
  /** One that was never seen before; the person may want it. */
  | { kind: "new"; device: Listed };

/** Other names that browsers give to a device which is in the list by its own name too. */
const OTHER_NAMES = new Set(["", "default", "communications"]);

/**
 * `chosen`: what the person has picked, or empty; `inUse`: what is open, or empty. A list that was
 * empty says nothing: before permission browsers tell no names.
 */
export function changeOf(
  before: readonly Listed[],
  after: readonly Listed[],
  chosen: string,
  inUse: string,
): DeviceChange {
  const was = new Map(before.map((it) => [it.id, it]));
  const is = new Map(after.map((it) => [it.id, it]));
  if (inUse !== "" && was.has(inUse) && !is.has(inUse)) {
    return { kind: "gone", label: was.get(inUse)?.label ?? "" };
  }
  const wanted = is.get(chosen);
  if (wanted && chosen !== inUse && !was.has(chosen)) return { kind: "back", device: wanted };
  if (before.length === 0) return { kind: "none" };
  const fresh = after.find((it) => !OTHER_NAMES.has(it.id) && !was.has(it.id));
  return fresh ? { kind: "new", device: fresh } : { kind: "none" };
}
