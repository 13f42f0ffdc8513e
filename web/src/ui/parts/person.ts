// How a person without a picture is shown: initials and a steady tint. Pure.

const TINTS = 6;

/** "Aino Virtanen" → "AV"; "Bo" → "B". Whole characters, also outside the basic plane. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letter = (word: string | undefined) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "";
  return letter(words[0]) + (words.length > 1 ? letter(words.at(-1)) : "");
}

export function tint(participant: number): number {
  return participant % TINTS;
}
