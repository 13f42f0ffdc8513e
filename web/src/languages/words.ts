// Small pieces of language that the texts share: lists of names, decimals, lengths of time. Pure.

/** "Aino, Bo and Chao"; long lists are cut, as nobody listens to thirty names. */
export function listed(names: readonly string[], locale: string, more: (n: number) => string): string {
  const shown = names.length > 5 ? [...names.slice(0, 4), more(names.length - 4)] : [...names];
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(shown);
}

export function oneDecimal(value: number, locale: string): string {
  return new Intl.NumberFormat(locale, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  }).format(value);
}

/** As "44 850" in Finnish. */
export function whole(value: number, locale: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(value);
}

/** `share`: 0 to 1. */
export function percent(share: number, locale: string): string {
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }).format(share);
}

/** Session time as `m:ss` or `h:mm:ss`. */
export function clock(time_ms: number): string {
  const seconds = Math.floor(time_ms / 1000);
  const two = (it: number) => String(it).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** As "3 min 20 s" in every language of ours. */
export function minutes(time_ms: number): string {
  const seconds = Math.round(time_ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A length that is announced or planned, as "45 s", "12 min" or "1 h 30 min": whole, never exact. */
export function lasting(time_ms: number): string {
  const seconds = Math.round(time_ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const whole = Math.round(seconds / 60);
  if (seconds < 600 && seconds % 60 !== 0) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (whole < 60) return `${whole} min`;
  return whole % 60 === 0 ? `${whole / 60} h` : `${Math.floor(whole / 60)} h ${whole % 60} min`;
}

/** "Aino, Bo and Chao", however many. */
export function allOf(names: readonly string[], locale: string): string {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(names);
}

/** "1. First. 2. Second." */
export function numbered(parts: readonly string[]): string {
  return parts.map((part, at) => `${at + 1}. ${part}.`).join(" ");
}

/** As "45 min" or "1 h 30 min" in every language of ours. */
export function inHours(all_minutes: number): string {
  const hours = Math.floor(all_minutes / 60);
  const rest = all_minutes % 60;
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** As "45 s", "2 min" or "1 min 30 s" in every language of ours. */
export function shortTime(all_seconds: number): string {
  const minutes = Math.floor(all_seconds / 60);
  const rest = Math.round(all_seconds % 60);
  // Never broken across lines.
  if (minutes === 0) return `${rest}\u00a0s`;
  return rest === 0 ? `${minutes}\u00a0min` : `${minutes}\u00a0min\u00a0${rest}\u00a0s`;
}
