// The picture of a method as plain shapes: one small frame for each phase, with the same people in all
// of them, and what leads from one to the next. Pure: from the method's data alone, no words, no colours.
import type { Colour, Method, Phase } from "../wire/wire";
import { cycleTimes, inGroups, shares, wishedSize } from "./grouping";
import { type Seating, pictured, seats } from "./seating";
import {
  CENTRE,
  DISK,
  FRAME,
  type Place,
  angleOf,
  arc,
  hiddenAngle,
  line,
  onCircle,
  pack,
  tip,
} from "./shapes";

export { CENTRE, DISK, FRAME, type Place, pack };

/** Left of each frame: what leads into it. */
export const GUTTER = 26;
/** Above the frames, for each kind of repetition that a method has. */
export const LOOP = 24;
/** So many looks of people; somebody looks the same all the way. */
export const LOOKS = 6;
/** So many looks of floors; a table looks the same all the way. */
export const FLOORS = 3;

export interface Dot extends Place {
  person: number;
  look: number;
  /** Has a part of their own in the room; `stays`: and stays when others go. */
  part: "none" | "own" | "stays";
  /** `speaks` and `listens` only where the phase lets some speak and not others. */
  voice: "any" | "speaks" | "listens";
}

export interface Floor extends Place {
  r: number;
  look: number;
  /** Alone, in a room, everybody, or the few in the middle. */
  kind: "alone" | "room" | "all" | "seats";
}

/** An arrow or a path; `d` is SVG path data. */
export interface Stroke {
  d: string;
  kind: "move" | "wander" | "turn";
}

export type Sign = "silent" | "stick" | "round" | "note" | "line" | "card" | "score" | "topics" | "ideas" | "votes";

/** What leads into a frame. */
export type Link = "none" | "stay" | "on" | "part" | "gather" | "cross" | "join" | "circle" | "back" | "loose";

export interface Step {
  /** Index among the method's phases. */
  phase: number;
  link: Link;
  floors: Floor[];
  dots: Dot[];
  /** Empty chairs. */
  chairs: Place[];
  strokes: Stroke[];
  signs: Sign[];
  /** Where a hat of this colour is drawn, and how wide. */
  colour: Colour | null;
  hats: (Place & { width: number })[];
  rounds: number;
  /** Its part of the line over a cycle. */
  cycle: { times: number; first: boolean; last: boolean } | null;
}

export interface Scene {
  people: number;
  /** Radius of a person. */
  dot: number;
  hasRounds: boolean;
  hasCycles: boolean;
  steps: Step[];
}

/** Where a method stands: the phase by its index, the round from 0. */
export interface Here {
  phase: number;
  round: number;
  of: number;
}

/** What a frame is to those who stand somewhere. */
export function standing(step: Step, here: Here | null): "done" | "here" | "ahead" {
  if (here === null || here.phase < step.phase) return "ahead";
  return step.phase === here.phase ? "here" : "done";
}

const GAP = 3;
const DOT_MAX = 6.4;

export function drawMethod(method: Method): Scene {
  const people = pictured(method);
  const seating = seats(method, people);
  const dot = dotRadius(method, seating, people);
  const looks = looksOf(seating, people);
  const steps = method.phases.map((phase, at) => {
    const it = seating[at] ?? { kind: "all", rooms: [] };
    return drawStep(method, phase, at, it, seating[at - 1], { dot, looks, people });
  });
  return {
    people,
    dot,
    hasRounds: steps.some((it) => it.rounds > 1),
    hasCycles: steps.some((it) => it.cycle !== null),
    steps,
  };
}

/** People who sit together at first look alike, so that one sees where they go. */
function looksOf(seating: readonly Seating[], people: number): number[] {
  const first = seating.find((it) => it.kind === "rooms");
  const looks = Array.from({ length: people }, (_, it) => it % LOOKS);
  if (first && first.rooms.length > 1) {
    first.rooms.forEach((group, room) => {
      for (const person of group) looks[person] = room % LOOKS;
    });
  }
  return looks;
}

/** As large as every phase allows: people do not shrink on the way. */
function dotRadius(method: Method, seating: readonly Seating[], people: number): number {
  let radius = people <= 8 ? DOT_MAX + 1 : DOT_MAX;
  seating.forEach((it, at) => {
    radius = Math.min(radius, fits(it, method.phases[at], people, roomGap(method)));
  });
  return Math.round(radius * 100) / 100;
}

function fits(it: Seating, phase: Phase | undefined, people: number, gap: number): number {
  switch (it.kind) {
    case "alone":
      return pack(people, DISK, GAP).r - 3;
    case "all":
      return onRing(people, DISK - 3);
    case "seats": {
      const few = seatsOf(phase, people);
      return Math.min(onRing(people - few, DISK), onRing(few + 1, SEATS_RING + 2));
    }
    case "free":
      return onRing(Math.max(...uneven(people)), freeSpots().r - 2);
    case "rooms": {
      const { r } = pack(it.rooms.length, DISK, gap);
      const widest = phase?.colour ? (r - HAT_INNER) / 2 : Infinity;
      return Math.min(widest, ...it.rooms.map((group) => onRing(group.length, r - 2)));
    }
  }
}

/** The largest radius of `count` dots side by side on a ring that stays within `r`. */
function onRing(count: number, r: number): number {
  if (count <= 1) return r;
  const sine = Math.sin(Math.PI / count);
  // 2 (r − d) sin = 2 d + gap
  return (2 * r * sine - 2) / (2 + 2 * sine);
}

interface Look {
  dot: number;
  looks: readonly number[];
  people: number;
}

/** What a ring leaves free for a hat, and for the edge around it. */
const HAT_INNER = 12.5;
const SEATS_RING = 19;
const SPOTS = 3;
const WANDERERS = 3;

function seatsOf(phase: Phase | undefined, people: number): number {
  return Math.min(phase?.seats ?? 4, people - 1);
}

/** Tables stay where they are and as they are, with space for the ways between them. */
function roomGap(method: Method): number {
  const gaps = method.phases.map((it) => (it.assign === "travel" ? 13 : it.assign === "carousel" ? 9 : GAP));
  return Math.max(...gaps);
}

function drawStep(
  method: Method,
  phase: Phase,
  at: number,
  it: Seating,
  before: Seating | undefined,
  look: Look,
): Step {
  const step: Step = {
    phase: at,
    link: linkInto(phase, before),
    floors: [],
    dots: [],
    chairs: [],
    strokes: [],
    signs: signsOf(phase),
    colour: phase.colour,
    hats: [],
    rounds: phase.rounds,
    cycle: cycleOf(method, phase, at, it),
  };
  if (it.kind === "seats") drawSeats(step, phase, look);
  else if (it.kind === "free") drawFree(step, phase, look);
  else drawRooms(step, method, phase, it, look);
  if (phase.colour) step.hats = hatsOver(step.floors, look.dot);
  return step;
}

/** In the middle of each ring. */
function hatsOver(floors: readonly Floor[], dot: number): Step["hats"] {
  const rings = floors.filter((it) => it.kind !== "alone");
  return rings.map((it) => ({ x: it.x, y: it.y, width: Math.min(40, 1.8 * (it.r - 2 * dot - 3)) }));
}

function drawRooms(step: Step, method: Method, phase: Phase, it: Seating, look: Look): void {
  const { r, centres } = pack(it.rooms.length, DISK, it.kind === "rooms" ? roomGap(method) : GAP);
  const kind = it.kind === "all" ? "all" : it.kind === "alone" ? "alone" : "room";
  it.rooms.forEach((group, room) => {
    const centre = centres[room] ?? { x: CENTRE, y: CENTRE };
    const floorRadius = kind === "alone" ? Math.min(r, look.dot + 5) : r;
    step.floors.push({ ...centre, r: floorRadius, look: kind === "room" ? room % FLOORS : 0, kind });
    const ring = group.length === 1 ? 0 : ringFor(group.length, r, look.dot);
    const turned = tilt(group.length);
    group.forEach((person, nth) => {
      const place = onCircle(centre, ring, turned + (nth * 2 * Math.PI) / group.length);
      const parts = kind === "room" || (kind === "all" && phase.speaking.length > 0);
      step.dots.push(dotOf(method, phase, place, person, nth, parts, look));
    });
    if (kind !== "alone") turnStroke(step, phase, centre, ring - look.dot, group.length);
  });
  if (phase.assign === "carousel") carouselArrows(step, centres, r);
  if (phase.assign === "travel") travelArrows(step, centres, r);
}

/** Few people do not sit along the wall of a large room. */
function ringFor(count: number, r: number, dot: number): number {
  const widest = r - dot - Math.max(2.5, r * 0.1);
  const wanted = (dot + 6) / Math.sin(Math.PI / count);
  return Math.min(widest, Math.max(wanted, r * 0.5));
}

/** Pairs sit side by side, fours in a square, others with one at the top. */
function tilt(count: number): number {
  if (count === 2) return Math.PI;
  if (count === 4) return (-3 * Math.PI) / 4;
  return -Math.PI / 2;
}

function dotOf(
  method: Method,
  phase: Phase,
  place: Place,
  person: number,
  nth: number,
  inRoom: boolean,
  look: Look,
): Dot {
  const role = inRoom ? roleOf(method, nth) : null;
  const limited = phase.speaking.length > 0 && role !== null;
  return {
    ...place,
    person,
    look: look.looks[person] ?? 0,
    part: role === null || role.count === null ? "none" : role.stays ? "stays" : "own",
    voice: !limited ? "any" : phase.speaking.includes(role.id) ? "speaks" : "listens",
  };
}

/** Roles are given out in their order. */
function roleOf(method: Method, nth: number): Method["roles"][number] | null {
  let from = 0;
  for (const role of method.roles) {
    if (role.count === null || nth < from + role.count) return role;
    from += role.count;
  }
  return null;
}

/** The word goes round: an arrow within the ring, where there is space. */
function turnStroke(step: Step, phase: Phase, centre: Place, inner: number, count: number): void {
  if ((phase.turns !== "stick" && phase.turns !== "round") || phase.colour) return;
  const r = Math.min(inner - 4, 20);
  if (count < 3 || r < 3.6) return;
  step.strokes.push({ kind: "turn", d: arc(centre, r, -Math.PI * 0.35, Math.PI * 1.25, Math.min(5, r * 0.5)) });
}

function carouselArrows(step: Step, centres: readonly Place[], r: number): void {
  const count = centres.length;
  if (count < 2) return;
  const middle = { x: CENTRE, y: CENTRE };
  centres.forEach((from, table) => {
    const to = centres[(table + 1) % count];
    if (!to) return;
    const start = angleOf(middle, from);
    const sweep = (angleOf(middle, to) - start + 4 * Math.PI) % (2 * Math.PI) || 2 * Math.PI;
    const away = Math.hypot(from.x - CENTRE, from.y - CENTRE);
    // On a circle through the rims of the tables, only where it is outside of them.
    const at = away + r * 0.55;
    const hidden = hiddenAngle(away, at, r + 2.5);
    if (sweep - 2 * hidden < 0.12) return;
    step.strokes.push({ kind: "move", d: arc(middle, at, start + hidden, start + sweep - hidden, 5) });
  });
}

/** Between every two tables, as people go each to another. */
function travelArrows(step: Step, centres: readonly Place[], r: number): void {
  centres.forEach((one, at) => {
    for (const other of centres.slice(at + 1)) {
      const length = Math.hypot(other.x - one.x, other.y - one.y);
      const [ux, uy] = [(other.x - one.x) / length, (other.y - one.y) / length];
      const edge = r + 2;
      if (length - 2 * edge < 5) continue;
      // Not through a table that stands in between.
      const through = centres.some((it) => it !== one && it !== other && toLine(it, one, ux, uy, length) < r + 3);
      if (through) continue;
      const from = { x: one.x + ux * edge, y: one.y + uy * edge };
      const to = { x: other.x - ux * edge, y: other.y - uy * edge };
      const head = Math.min(3.6, (length - 2 * edge) * 0.28);
      step.strokes.push({ kind: "move", d: `${line(from, to, head)}${tip(from, -ux, -uy, head)}` });
    }
  });
}

function toLine(it: Place, from: Place, ux: number, uy: number, length: number): number {
  const along = (it.x - from.x) * ux + (it.y - from.y) * uy;
  if (along < 0 || length < along) return Infinity;
  return Math.abs((it.x - from.x) * uy - (it.y - from.y) * ux);
}

/** A few speak in the middle, one chair is empty, the others sit around. */
function drawSeats(step: Step, phase: Phase, look: Look): void {
  const middle = { x: CENTRE, y: CENTRE };
  const few = seatsOf(phase, look.people);
  const around = look.people - few;
  step.floors.push({ ...middle, r: DISK, look: 2, kind: "all" });
  step.floors.push({ ...middle, r: SEATS_RING + 2 + 2, look: 1, kind: "seats" });
  const inner = SEATS_RING + 2 - look.dot;
  const chair = -Math.PI / 2;
  step.chairs.push(onCircle(middle, inner, chair));
  for (let person = 0; person < look.people; person += 1) {
    const seated = person < few;
    const place = seated
      ? onCircle(middle, inner, chair + ((person + 1) * 2 * Math.PI) / (few + 1))
      : onCircle(middle, DISK - look.dot - 2.5, chair + ((person - few + 0.5) * 2 * Math.PI) / around);
    const voice = seated ? "speaks" : "listens";
    step.dots.push({ ...place, person, look: look.looks[person] ?? 0, part: "none", voice });
  }
  // From beside the chair, where nobody sits, to it.
  const from = { x: CENTRE, y: CENTRE - DISK + 3 };
  const to = { x: CENTRE, y: CENTRE - inner - look.dot - 2 };
  step.strokes.push({ kind: "move", d: line(from, to, 4) });
}

function freeSpots(): { r: number; centres: Place[] } {
  return pack(SPOTS, DISK, 7);
}

/** Groups as they come, and some on their way. */
function drawFree(step: Step, phase: Phase, look: Look): void {
  const { r, centres } = freeSpots();
  const middle = { x: CENTRE, y: CENTRE };
  const wandering = phase.assign === "free" ? Math.min(WANDERERS, look.people - SPOTS) : 0;
  const sitting = uneven(look.people - wandering);
  let person = 0;
  sitting.forEach((count, spot) => {
    const centre = centres[spot] ?? middle;
    step.floors.push({ ...centre, r, look: spot % FLOORS, kind: "room" });
    const ring = count === 1 ? 0 : ringFor(count, r, look.dot);
    for (let nth = 0; nth < count; nth += 1) {
      const place = onCircle(centre, ring, tilt(count) + (nth * 2 * Math.PI) / count);
      step.dots.push({ ...place, person, look: look.looks[person] ?? 0, part: "none", voice: "any" });
      person += 1;
    }
  });
  const away = Math.hypot((centres[0]?.x ?? 0) - CENTRE, (centres[0]?.y ?? 0) - CENTRE);
  for (let nth = 0; nth < wandering; nth += 1) {
    const angle = angleOf(middle, centres[nth] ?? middle) + Math.PI / SPOTS;
    const at = Math.min(DISK - look.dot - 1, away + r * 0.55);
    const hidden = hiddenAngle(away, at, r + 2);
    const beside = (look.dot + 2.5) / at;
    const [from, to] = [angle - Math.PI / SPOTS + hidden, angle + Math.PI / SPOTS - hidden];
    const place = onCircle(middle, at, angle);
    step.dots.push({ ...place, person, look: look.looks[person] ?? 0, part: "none", voice: "any" });
    step.strokes.push({ kind: "wander", d: arc(middle, at, from, angle - beside, 0) });
    step.strokes.push({ kind: "wander", d: arc(middle, at, angle + beside, to, 4) });
    person += 1;
  }
}

/** Not the same everywhere: people are free. */
function uneven(people: number): number[] {
  const even = shares(people, SPOTS);
  const [first = 0, second = 0, third = 0] = even;
  return third > 2 && first + 1 <= 6 ? [first + 1, second, third - 1] : even;
}

function signsOf(phase: Phase): Sign[] {
  const signs: Sign[] = [];
  if (phase.turns !== "free") signs.push(phase.turns);
  if (phase.harvest === "private") signs.push("note");
  else if (phase.harvest !== "speech") signs.push(phase.harvest);
  return signs;
}

function cycleOf(method: Method, phase: Phase, at: number, it: Seating): Step["cycle"] {
  if (phase.cycle === null) return null;
  const room = Math.max(...it.rooms.map((group) => group.length));
  const sizes = method.phases.filter((other) => other.cycle === phase.cycle && inGroups(other));
  const size = sizes[0]?.size ?? (it.kind === "rooms" ? room : lastSize(method, at) ?? room);
  const times = cycleTimes(method, phase, size);
  return {
    times,
    first: method.phases[at - 1]?.cycle !== phase.cycle,
    last: method.phases[at + 1]?.cycle !== phase.cycle,
  };
}

/** The size of the rooms people are in since an earlier phase. */
function lastSize(method: Method, at: number): number | null {
  for (let before = at; before >= 0; before -= 1) {
    const phase = method.phases[before];
    if (phase && (phase.assign === "mix" || phase.assign === "merge")) return wishedSize(phase);
    if (phase?.assign === "plenary") return null;
  }
  return null;
}

function linkInto(phase: Phase, before: Seating | undefined): Link {
  if (before === undefined) return "none";
  const wereInRooms = before.kind === "rooms" || before.kind === "free";
  switch (phase.assign) {
    case "same":
      return "stay";
    case "solo":
      return before.kind === "alone" ? "stay" : "on";
    case "plenary":
      return before.kind === "all" ? "stay" : "gather";
    case "seats":
      return before.kind === "seats" ? "stay" : wereInRooms ? "gather" : "on";
    case "mix":
      return wereInRooms ? "cross" : "part";
    case "merge":
      return "join";
    case "travel":
      return "cross";
    case "carousel":
      return "circle";
    case "return":
      return "back";
    case "free":
      return "loose";
  }
}

