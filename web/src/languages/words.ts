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
