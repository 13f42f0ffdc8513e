// The support hook `window.vuoro`: what a tester or a person on the phone with support can read from
// the browser's console. It never holds a token or a seat, and nothing of it leaves the page.
import { isStruck } from "../state/captions";
import type { ServerMessage, WireCaption } from "../wire/wire";
import type { Peer } from "./peer";

const MESSAGES_MAX = 500;

/** What one line brings in. Names as in the WebRTC statistics; times in seconds, as there. */
export interface Inbound {
  kind: string;
  mid: string;
  /** Null for the shared screen, whose line is no slot. */
  slot: number | null;
  /** Who sits in the slot now. */
  participant: number | null;
  packetsReceived: number | null;
  packetsLost: number | null;
  bytesReceived: number | null;
  framesDecoded: number | null;
  frameWidth: number | null;
  frameHeight: number | null;
  totalAudioEnergy: number | null;
  totalSamplesReceived: number | null;
  totalSamplesDuration: number | null;
  concealedSamples: number | null;
  jitter: number | null;
  jitterBufferDelay: number | null;
  jitterBufferEmittedCount: number | null;
}

export interface Outbound {
  kind: string;
  mid: string;
  packetsSent: number | null;
  bytesSent: number | null;
  framesEncoded: number | null;
  frameWidth: number | null;
  frameHeight: number | null;
  /** Of a layer; null where there is one picture only. */
  rid: string | null;
}

export interface StatsDigest {
  connectionState: string;
  negotiations: number;
  /** In seconds. */
  currentRoundTripTime: number | null;
  inbound: Inbound[];
  outbound: Outbound[];
}

type Words = "caption" | "partial";
export type Seen = { type: Exclude<ServerMessage["type"], Words> } | ({ type: Words } & WireCaption);

export interface SupportHook {
  stats(): Promise<StatsDigest>;
  readonly negotiations: number;
  /** The last messages of the server, by type; captions and steps whole. Words that were taken back go from here too. */
  readonly messages: readonly Seen[];
}

declare global {
  interface Window {
    vuoro?: SupportHook;
  }
}

export class Support implements SupportHook {
  readonly messages: Seen[] = [];
  #peer: Peer;
  #slots: () => readonly (number | null)[];

  constructor(peer: Peer, slots: () => readonly (number | null)[]) {
    this.#peer = peer;
    this.#slots = slots;
  }

  get negotiations(): number {
    return this.#peer.negotiations;
  }

  note(message: ServerMessage): void {
    if (message.type === "struck") {
      const kept = this.messages.filter((it) => !("text" in it && isStruck(it, message)));
      this.messages.splice(0, this.messages.length, ...kept);
    }
    const whole = message.type === "caption" || message.type === "partial" || message.type === "step";
    this.messages.push(whole ? { ...message } : { type: message.type });
    if (this.messages.length > MESSAGES_MAX) this.messages.shift();
  }

  async stats(): Promise<StatsDigest> {
    const report = await this.#peer.report();
    const entries: Stat[] = [];
    report?.forEach((it: Stat) => entries.push(it));
    const pair = entries.find((it) => it.type === "candidate-pair" && it["nominated"] === true);
    return {
      connectionState: this.#peer.state,
      negotiations: this.negotiations,
      currentRoundTripTime: number(pair?.["currentRoundTripTime"]),
      inbound: entries.filter((it) => it.type === "inbound-rtp").map((it) => this.#inbound(it)),
      outbound: entries.filter((it) => it.type === "outbound-rtp").map(outbound),
    };
  }

  #inbound(it: Stat): Inbound {
    const mid = String(it["mid"] ?? "");
    const found = this.#peer.mids.findIndex((slot) => slot.audio === mid || slot.video === mid);
    return {
      kind: String(it["kind"] ?? ""),
      mid,
      slot: found < 0 ? null : found,
      participant: this.#slots()[found] ?? null,
      packetsReceived: number(it["packetsReceived"]),
      packetsLost: number(it["packetsLost"]),
      bytesReceived: number(it["bytesReceived"]),
      framesDecoded: number(it["framesDecoded"]),
      frameWidth: number(it["frameWidth"]),
      frameHeight: number(it["frameHeight"]),
      totalAudioEnergy: number(it["totalAudioEnergy"]),
      totalSamplesReceived: number(it["totalSamplesReceived"]),
      totalSamplesDuration: number(it["totalSamplesDuration"]),
      concealedSamples: number(it["concealedSamples"]),
      jitter: number(it["jitter"]),
      jitterBufferDelay: number(it["jitterBufferDelay"]),
      jitterBufferEmittedCount: number(it["jitterBufferEmittedCount"]),
    };
  }
}

type Stat = { type: string } & Record<string, unknown>;

function outbound(it: Stat): Outbound {
  return {
    kind: String(it["kind"] ?? ""),
    mid: String(it["mid"] ?? ""),
    packetsSent: number(it["packetsSent"]),
    bytesSent: number(it["bytesSent"]),
    framesEncoded: number(it["framesEncoded"]),
    frameWidth: number(it["frameWidth"]),
    frameHeight: number(it["frameHeight"]),
    rid: typeof it["rid"] === "string" ? it["rid"] : null,
  };
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
