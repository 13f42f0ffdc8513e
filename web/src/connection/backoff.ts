// How long to wait before the next attempt to connect. It never sleeps and never throws dice: the
// chance is handed in.

const FIRST_MS = 500;
const LONGEST_MS = 8_000;

/**
 * `attempt`: 0 for the first one after a loss. `chance`: 0 to 1, spreads the pages of a whole webinar
 * over half of the wait, so that they do not all knock at the same moment after a restart.
 */
export function waitBeforeAttempt_ms(attempt: number, chance: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.max(FIRST_MS, Math.round(full * (0.5 + chance / 2)));
}
