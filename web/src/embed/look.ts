// How the page around the frame wants it to look: light or dark, and one colour. What cannot be read is
// never shown: the colour is moved until text on it has 4.5:1.

export type Theme = "auto" | "light" | "dark";

/** Text on the accent, in the light and in the dark look: `--on-pine` in `ui/tokens.css`. */
const ON_ACCENT = { light: "#fffdf8", dark: "#08201e" };
const READABLE = 4.5;

/** Makes the style sheets' own rules for the dark look hold always, never, or as the system says. */
export function applyTheme(theme: Theme): void {
  const media = { auto: "(prefers-color-scheme: dark)", light: "not all", dark: "all" }[theme];
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSMediaRule)) continue;
      const about = dark.get(rule) ?? rule.conditionText.includes("prefers-color-scheme: dark");
      dark.set(rule, about);
      if (about) rule.media.mediaText = media;
    }
  }
  document.documentElement.style.colorScheme = theme === "auto" ? "" : theme;
}

/** Which rules are of the dark look, once their condition no longer says so. */
const dark = new WeakMap<CSSMediaRule, boolean>();

export function applyAccent(accent: string, theme: Theme): void {
  const root = document.documentElement.style;
  const isDark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  const colour = readable(accent, isDark ? ON_ACCENT.dark : ON_ACCENT.light);
  if (colour === null) return root.removeProperty("--pine"), void root.removeProperty("--pine-deep");
  root.setProperty("--pine", colour);
  root.setProperty("--pine-deep", `color-mix(in srgb, ${colour} 80%, ${isDark ? "white" : "black"})`);
}

/** The colour, or the nearest darker or lighter one on which `text` can be read; null: it is none. */
export function readable(colour: string, text: string): string | null {
  const from = parse(colour);
  const on = parse(text);
  if (!from || !on) return null;
  const to = luminance(on) > 0.5 ? 0 : 255;
  for (let part = 0; part <= 20; part++) {
    const mixed = from.map((it) => Math.round(it + ((to - it) * part) / 20));
    if (READABLE <= contrast(mixed, on)) return `#${mixed.map((it) => it.toString(16).padStart(2, "0")).join("")}`;
  }
  return null;
}

function parse(colour: string): number[] | null {
  const [, hex] = /^#([0-9a-f]{6})$/i.exec(colour) ?? [];
  return hex ? [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) : null;
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: number[]): number {
  const [red = 0, green = 0, blue = 0] = colour.map((it) => {
    const part = it / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(a: number[], b: number[]): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}
