// Whose a key is: of a text, or a shortcut.
import { expect, test } from "vitest";
import { Typing } from "../src/ui/parts/focus";

/** Keys at their time, and whether each came to a field. The answer: which of them were typed. */
function typed(...keys: [key: string, at_ms: number, field?: "field"][]): string {
  const typing = new Typing();
  const of = ([key, at_ms, field]: (typeof keys)[number]) => {
    if (key === "pointer") return typing.ends();
    typing.key(key, field !== undefined, at_ms);
    return typing.on ? key : "";
  };
  return keys.map(of).join("");
}

test("letters outside a field are shortcuts", () => {
  expect(typed(["m", 0], ["v", 100])).toBe("");
});

test("who goes on typing when the field has gone presses no shortcuts", () => {
  expect(typed(["t", 0, "field"], ["v", 300], ["m", 600])).toBe("tvm");
  expect(typed(["t", 0, "field"], ["v", 1_900], ["m", 3_800])).toBe("tvm");
});

test("after a while without a key they are shortcuts again", () => {
  expect(typed(["t", 0, "field"], ["m", 2_000])).toBe("t");
});

test.each(["Tab", "Escape", "pointer"])("at once after %s", (key) => {
  expect(typed(["t", 0, "field"], [key, 100], ["m", 200])).toBe("t");
});

test("of a field that is left by Tab or Escape the key itself is still the field's", () => {
  expect(typed(["t", 0, "field"], ["Tab", 100, "field"], ["m", 200])).toBe("tTab");
});
