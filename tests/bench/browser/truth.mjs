// What is true of a conversation, from who spoke when: the definitions of balance once more, counted
// hundredth by hundredth of a second and not as the server does it. It takes spans and nothing else.

const STEP_S = 0.01;
/** Silence that does not end a voice, and a voice that is none. */
const GAP_S = 0.3;
const VOICE_S_MIN = 0.25;
/** A backchannel: so short, wholly inside another's voice, who goes on for so long. */
const SUPPORT_S_MAX = 1;
const GOES_ON_S = 0.5;
/** The floor is somebody's who has spoken alone for so long. */
const ALONE_S = 1;

/** `voices`: of each person spans `[from, to]` in seconds, in order. */
export function truthOf(voices) {
  const all = voices.map(joined);
  const isSupport = ([from, to], own) =>
    to - from <= SUPPORT_S_MAX + 1e-9 &&
    all.some((other, at) => at !== own && other.some((it) => it[0] <= from && to + GOES_ON_S <= it[1] + 1e-9));
  const talk = all.map((spans, own) => spans.filter((it) => !isSupport(it, own)));
  const people = talk.map((spans, own) => ({
    talk_s: spans.reduce((sum, [from, to]) => sum + to - from, 0),
    turns: 0,
    backchannels: all[own].length - spans.length,
  }));
  const end = Math.max(0, ...talk.flat().map((it) => it[1]));
  let [any, many, floor] = [0, 0, null];
  let alone = { who: null, span: null, steps: 0 };
  for (let step = 0; step * STEP_S < end; step += 1) {
    const now = (step + 0.5) * STEP_S;
    const speaking = talk.flatMap((spans, who) => {
      const span = spans.findIndex(([from, to]) => from <= now && now < to);
      return span < 0 ? [] : [{ who, span }];
    });
    if (speaking.length > 0) any += 1;
    if (speaking.length > 1) many += 1;
    const [one] = speaking.length === 1 ? speaking : [{ who: null, span: null }];
    const goesOn = one.who === alone.who && one.span === alone.span;
    alone = { ...one, steps: goesOn ? alone.steps + 1 : 1 };
    if (one.who !== null && one.who !== floor && alone.steps * STEP_S >= ALONE_S - 1e-9) {
      floor = one.who;
      people[floor].turns += 1;
    }
  }
  const sum = people.reduce((all, it) => all + it.talk_s, 0);
  const shares = people.map((it) => it.talk_s / sum).filter((it) => it > 0);
  const effective_voices = Math.exp(-shares.reduce((all, it) => all + it * Math.log(it), 0));
  return { people, overlap: many / any, effective_voices };
}

function joined(spans) {
  const whole = [];
  for (const [from, to] of spans) {
    const last = whole.at(-1);
    if (last && from - last[1] < GAP_S) last[1] = Math.max(last[1], to);
    else whole.push([from, to]);
  }
  return whole.filter(([from, to]) => to - from >= VOICE_S_MIN);
}
