// Waiting for what must come, never for a time.

const LOOK_EVERY_MS = 200;

/** How many times as long as usual everything may take: for a machine that has other things to do. */
export const PATIENCE = Number(process.env.VUORO_PATIENCE) || 1;

/** Words need whisper: a second on an idle machine, half a minute on one that builds meanwhile. */
export const WORDS_WITHIN_S = 180;

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The first true answer of `condition`; fails with `what` when there is none in time. */
export async function eventually(what, condition, within_s = 45) {
  const end = Date.now() + within_s * PATIENCE * 1000;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${within_s * PATIENCE} s: ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
