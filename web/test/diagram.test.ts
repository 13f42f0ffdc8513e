// That the picture of a method shows what its data says: everybody in every frame, nobody outside, no
// two on one another. How beautiful it is no test can see.
import { describe, expect, test } from "vitest";
import { CENTRE, DISK, FRAME, LOOKS, type Place, type Step, drawMethod, pack, standing } from "../src/state/diagram";
import { methodMinutes, phaseLengths, roomSizes } from "../src/state/grouping";
import type { Assign, Method, Phase, Role } from "../src/wire/wire";

const text = (it: string) => ({ fi: it, sv: it, en: it });

function phase(assign: Assign, more: Partial<Phase> = {}): Phase {
  const id = more.id ?? `${assign}-${more.size ?? ""}`;
  return {
    id,
    name: text(id),
    instruction: text("Do it."),
    script: text("Say it."),
    assign,
    size: null,
    size_min: null,
    size_max: null,
    rooms_of: null,
    seats: null,
    length_s: 300,
    length_s_per_person: null,
    rounds: 1,
    cycle: null,
    turns: "free",
    speaking: [],
    harvest: "speech",
    advance: "time",
    transcribe: true,
    balance: true,
    colour: null,
    ...more,
  };
}

function role(id: string, count: number | null, stays = false): Role {
  return { id, name: text(id), task: text("Do it."), count, stays };
}

function method(phases: Phase[], more: Partial<Method> = {}): Method {
  return {
    id: "m",
    name: text("M"),
    purpose: text("P"),
    description: text("D"),
    aims: ["ideas"],
    people: { min: 4, max: 300, ideal: 24 },
    roles: [],
    rules: [],
    cycles: [],
    source: { by: "", url: "" },
    ...more,
    phases,
  };
}

const HOSTS = [role("host", 1, true), role("guest", null)];

/** Every way of grouping, in every size, and the combinations that real methods use. */
const METHODS: Record<string, Method> = {
  "1-2-4-all": method([phase("solo"), phase("mix", { size: 2 }), phase("merge", { size: 4 }), phase("plenary")]),
  café: method([phase("mix", { size: 4 }), phase("travel", { rounds: 2 }), phase("same"), phase("plenary")], { roles: HOSTS }),
  "café of five": method([phase("mix", { size: 5 }), phase("travel")], { roles: HOSTS }),
  learning: method([phase("plenary"), phase("mix", { size: 5 }), phase("carousel", { rounds: 3 })], { roles: HOSTS }),
  fishbowl: method([phase("plenary"), phase("seats", { seats: 4 }), phase("plenary")]),
  "few seats": method([phase("seats", { seats: 2 }), phase("seats", { seats: 6 })]),
  "open space": method([phase("plenary"), phase("free"), phase("same"), phase("plenary")]),
  troika: method(
    [
      phase("mix", { size: 3 }),
      phase("same", { cycle: "turn", speaking: ["client"] }),
      phase("same", { id: "b", cycle: "turn", speaking: ["consultant"] }),
      phase("plenary"),
    ],
    { roles: [role("client", 1), role("consultant", null)], cycles: [{ id: "turn", times: null, each: "client" }] },
  ),
  hats: method([phase("mix", { size: 5, colour: "blue" }), phase("same", { colour: "red", turns: "stick" }), phase("plenary")]),
  opera: method([phase("solo"), phase("mix", { id: "pair", size: 2 }), phase("plenary"), phase("return", { rooms_of: "pair" })]),
  "one small room": method([phase("plenary"), phase("solo"), phase("plenary", { id: "end", turns: "round" })], {
    people: { min: 3, max: 8, ideal: 6 },
  }),
  "groups anew": method([phase("mix", { id: "a", size: 4 }), phase("mix", { id: "b", size: 4 }), phase("mix", { id: "c", size: 3 })]),
};
for (const size of [2, 3, 4, 5, 6, 7, 8]) METHODS[`groups of ${size}`] = method([phase("mix", { size }), phase("plenary")]);

const far = (one: Place, other: Place) => Math.hypot(one.x - other.x, one.y - other.y);

function everyStep(check: (step: Step, dot: number, people: number) => void): void {
  for (const it of Object.values(METHODS)) {
    const scene = drawMethod(it);
    for (const step of scene.steps) check(step, scene.dot, scene.people);
  }
}

describe("in every frame", () => {
  test("is everybody, once", () => {
    everyStep((step, _, people) => {
      const found = step.dots.map((it) => it.person).sort((one, other) => one - other);
      expect(found).toEqual(Array.from({ length: people }, (_unused, it) => it));
    });
  });

  test("nobody and no floor is outside of the disk", () => {
    everyStep((step, dot) => {
      for (const it of step.dots) expect(far(it, { x: CENTRE, y: CENTRE }) + dot).toBeLessThanOrEqual(DISK + 0.05);
      for (const it of step.floors) expect(far(it, { x: CENTRE, y: CENTRE }) + it.r).toBeLessThanOrEqual(DISK + 0.05);
      for (const it of step.dots) expect([it.x, it.y].every((at) => 0 < at && at < FRAME)).toBe(true);
    });
  });

  test("nobody stands on another, or on an empty chair", () => {
    everyStep((step, dot) => {
      const places = [...step.dots, ...step.chairs];
      places.forEach((one, at) => {
        for (const other of places.slice(at + 1)) expect(far(one, other)).toBeGreaterThan(2 * dot);
      });
    });
  });

  test("groups do not overlap", () => {
    everyStep((step) => {
      const rooms = step.floors.filter((it) => it.kind === "room" || it.kind === "alone");
      rooms.forEach((one, at) => {
        for (const other of rooms.slice(at + 1)) expect(far(one, other)).toBeGreaterThan(one.r + other.r);
      });
    });
  });

  test("people are large enough to be seen", () => {
    everyStep((_, dot) => expect(dot).toBeGreaterThan(3.5));
  });

  test("whoever sits in a room is on its floor", () => {
    everyStep((step, dot) => {
      const rooms = step.floors.filter((it) => it.kind === "room");
      if (rooms.length === 0 || step.strokes.some((it) => it.kind === "wander")) return;
      for (const it of step.dots) {
        expect(rooms.some((room) => far(room, it) + dot <= room.r + 0.05)).toBe(true);
      }
    });
  });
});

describe("a method is recognised", () => {
  const steps = (name: string) => drawMethod(METHODS[name] ?? method([])).steps;
  const together = (step: Step | undefined, person: number) => {
    const at = step?.dots.find((it) => it.person === person);
    const room = step?.floors.find((it) => at && far(it, at) <= it.r);
    return step?.dots.filter((it) => room && far(it, room) <= room.r).map((it) => it.person) ?? [];
  };

  test("pairs that merge stay together", () => {
    const [, pairs, fours] = steps("1-2-4-all");
    for (const it of pairs?.dots ?? []) {
      expect(together(fours, it.person)).toEqual(expect.arrayContaining(together(pairs, it.person)));
    }
    expect(fours?.link).toBe("join");
  });

  test("at a café one stays, and the others part", () => {
    const [first, next] = steps("café");
    const table = together(first, 0);
    const host = next?.dots.find((it) => it.person === table[0]);
    expect(host).toMatchObject({ part: "stays" });
    expect(together(next, table[0] ?? 0).filter((it) => table.includes(it))).toEqual([table[0]]);
    expect(next?.strokes.length).toBeGreaterThan(0);
  });

  test("in a carousel the others go on together", () => {
    const [, first, next] = steps("learning");
    const [host, ...others] = together(first, 0);
    expect(together(next, host ?? 0)).not.toEqual(expect.arrayContaining(others));
    expect(together(next, others[0] ?? 0)).toEqual(expect.arrayContaining(others));
  });

  test("rooms that are returned to are the same", () => {
    const [, pairs, , again] = steps("opera");
    for (const person of [0, 1, 5]) expect(together(again, person)).toEqual(together(pairs, person));
  });

  test("groups made anew are of others", () => {
    const [one, two] = steps("groups anew");
    expect(together(two, 0).filter((it) => together(one, 0).includes(it)).length).toBeLessThan(3);
    expect(two?.link).toBe("cross");
  });

  test("a few have seats and speak, and one chair is empty", () => {
    const bowl = steps("fishbowl")[1];
    expect(bowl?.dots.filter((it) => it.voice === "speaks")).toHaveLength(4);
    expect(bowl?.chairs).toHaveLength(1);
  });

  test("only some speak where the phase says so", () => {
    const [, client, consultants] = steps("troika");
    const speaking = (step: Step | undefined) => step?.dots.filter((it) => it.voice === "speaks").length;
    expect(speaking(client)).toBe(4);
    expect(speaking(consultants)).toBe(8);
  });

  test("a cycle spans its phases, as often as a room has people", () => {
    expect(steps("troika").map((it) => it.cycle)).toEqual([
      null,
      { times: 3, first: true, last: false },
      { times: 3, first: false, last: true },
      null,
    ]);
  });

  test("rounds, signs and hats", () => {
    expect(steps("learning").map((it) => it.rounds)).toEqual([1, 1, 3]);
    const [blue, red, all] = steps("hats");
    expect([blue?.colour, red?.colour, all?.colour]).toEqual(["blue", "red", null]);
    expect(red?.signs).toEqual(["stick"]);
    expect(blue?.hats.every((it) => it.width > 10)).toBe(true);
    expect(all?.hats).toEqual([]);
  });

  test("somebody looks the same all the way", () => {
    for (const it of Object.values(METHODS)) {
      const looks = drawMethod(it).steps.map((step) =>
        [...step.dots].sort((one, other) => one.person - other.person).map((dot) => dot.look),
      );
      for (const look of looks) expect(look).toEqual(looks[0]);
      expect(Math.max(...looks.flat())).toBeLessThan(LOOKS);
    }
  });

  test("frames are those of the phases, in their order, so that one can be marked", () => {
    for (const it of Object.values(METHODS)) {
      expect(drawMethod(it).steps.map((step) => step.phase)).toEqual(it.phases.map((_, at) => at));
    }
  });

  test("one frame is marked, those before it are done", () => {
    const marks = steps("learning").map((it) => standing(it, { phase: 1, round: 0, of: 1 }));
    expect(marks).toEqual(["done", "here", "ahead"]);
    expect(steps("learning").map((it) => standing(it, null))).toEqual(["ahead", "ahead", "ahead"]);
  });
});

test("circles fill a disk without touching", () => {
  for (let count = 1; count <= 20; count += 1) {
    const { r, centres } = pack(count, 50, 2);
    expect(centres).toHaveLength(count);
    expect(r).toBeGreaterThan(8);
  }
});

describe("sums", () => {
  test("rooms as the server makes them", () => {
    expect(roomSizes(14, phase("mix", { size: 4 }))).toEqual([4, 4, 3, 3]);
    expect(roomSizes(7, phase("mix", { size: 2 }))).toEqual([3, 2, 2]);
    expect(roomSizes(3, phase("mix", { size: 4 }))).toEqual([3]);
    expect(roomSizes(0, phase("mix", { size: 4 }))).toEqual([]);
  });

  test("rounds, cycles and people count in the length", () => {
    const troika = METHODS.troika ?? method([]);
    // 24 people in trios: 5 + 3 × (5 + 5) + 5.
    expect(methodMinutes(troika)).toBe(40);
    expect(phaseLengths(troika, 24).map((it) => it.cycles)).toEqual([1, 3, 3, 1]);
    const meet = method([phase("mix", { size: 2, rounds: 3, length_s: null, length_s_per_person: 120 })]);
    expect(methodMinutes(meet)).toBe(12);
    expect(methodMinutes(method([phase("plenary", { length_s: null, advance: "host" })]))).toBe(1);
  });
});
