// The one media connection of a participant: lines to send on, then the receiving slots. The server
// offers, the page answers; who sits in a slot changes without another word here. It never opens a
// device and never decides when a new connection is asked for beyond saying that one is needed.
import type { Mids, SendMids, ServerMessage } from "../wire/wire";
import { SCREEN_BITRATE_MAX, encodings } from "./layers";

export type PeerState = "none" | "connecting" | "connected" | "lost";

export interface SlotTracks {
  audio: MediaStreamTrack;
  video: MediaStreamTrack;
  /** The video alone, for a tile's element. */
  picture: MediaStream;
}

/** What the connection can do with screens. */
export interface ScreenLines {
  /** Whether one can be shared. */
  send: boolean;
  /** The one that somebody shares; null where none can be received. */
  picture: MediaStream | null;
}

export interface PeerUser {
  answer(number: number, sdp: string): void;
  /** The connection is gone for good: ask the server for another offer. */
  needed(): void;
  /** The connection hangs: ask the server to lead it another way. */
  stuck(): void;
  changed(state: PeerState): void;
  slots(slots: readonly SlotTracks[]): void;
  screen(lines: ScreenLines): void;
}

export interface SentTracks {
  audio: MediaStreamTrack | null;
  video: MediaStreamTrack | null;
  screen: MediaStreamTrack | null;
}

type Offer = Extract<ServerMessage, { type: "offer" }>;
type Lines = Map<string | null, RTCRtpTransceiver>;
type Kind = keyof SentTracks;

/** A wireless network that changes hands is back within this time, in ms. */
const DISCONNECTED_MS = 5_000;
/** The network is there again: the server follows to a new address by itself within this, in ms. */
const ONLINE_MS = 2_500;
/** From an answer to a live connection it takes a second; after this it will not come. */
const CONNECT_WITHIN_MS = 15_000;

export class Peer {
  /** How many media connections there ever were, however often people move or networks change. */
  negotiations = 0;
  #user: PeerUser;
  #connection: RTCPeerConnection | null = null;
  #send: Partial<Record<Kind, RTCRtpSender>> = {};
  #number = 0;
  #mids: readonly Mids[] = [];
  #tracks: SentTracks = { audio: null, video: null, screen: null };
  #saving = false;
  #bounding: Promise<void> = Promise.resolve();
  #patience: ReturnType<typeof setTimeout> | undefined;
  #hasten = () => this.#followNetwork();

  constructor(user: PeerUser) {
    this.#user = user;
    addEventListener("online", this.#hasten);
    network()?.addEventListener("change", this.#hasten);
  }

  /** A line to the server is open: it counts its offers anew if it is another one. */
  welcomed(): void {
    this.#number = 0;
  }

  async take(offer: Offer): Promise<void> {
    if (offer.number <= this.#number) return; // a newer one has overtaken it
    this.#number = offer.number;
    if (offer.restart) return this.#goOnByAnotherWay(offer);
    this.#drop();
    const connection = new RTCPeerConnection({ iceServers: relays(offer), bundlePolicy: "max-bundle" });
    this.#connection = connection;
    connection.onconnectionstatechange = () => this.#follow(connection);
    this.#user.changed("connecting");
    this.#wait(CONNECT_WITHIN_MS);
    try {
      this.negotiations += 1;
      await connection.setRemoteDescription({ type: "offer", sdp: offer.sdp });
      if (connection !== this.#connection) return;
      const lines: Lines = new Map(connection.getTransceivers().map((it) => [it.mid, it]));
      await this.#setUpSending(lines, offer.send);
      this.#setUpSlots(lines, offer.slots);
      this.#setUpScreen(lines, offer.screen);
      await connection.setLocalDescription(await connection.createAnswer());
      if (connection !== this.#connection) return;
      this.#user.answer(offer.number, connection.localDescription?.sdp ?? "");
      await this.#bound();
    } catch {
      // Too soon or too strange an offer; the wait above asks for another.
    }
  }

  /** What is sent from now on; null sends nothing. Never a new negotiation. */
  async sendTracks(tracks: Partial<SentTracks>): Promise<void> {
    this.#tracks = { ...this.#tracks, ...tracks };
    const kinds: Kind[] = ["audio", "video", "screen"];
    const changed = kinds.filter((kind) => this.#send[kind]?.track !== this.#tracks[kind]);
    await Promise.allSettled(changed.map((kind) => this.#send[kind]?.replaceTrack(this.#tracks[kind])));
  }

  /** Sends as little of the camera as is of use. */
  async save(saving: boolean): Promise<void> {
    if (this.#saving === saving) return;
    this.#saving = saving;
    await this.#bound();
  }

  async report(): Promise<RTCStatsReport | null> {
    return (await this.#connection?.getStats()) ?? null;
  }

  /** The lines of the slots, in their order. */
  get mids(): readonly Mids[] {
    return this.#mids;
  }

  get state(): string {
    return this.#connection?.connectionState ?? "none";
  }

  close(): void {
    this.#drop();
    this.#user.changed("none");
  }

  /** As `close`, for good. */
  forget(): void {
    removeEventListener("online", this.#hasten);
    network()?.removeEventListener("change", this.#hasten);
    this.close();
  }

  /** New credentials for the connection there is: its lines, tracks and slots are left alone. */
  async #goOnByAnotherWay(offer: Offer): Promise<void> {
    const connection = this.#connection;
    if (!connection) {
      this.#user.needed();
      return;
    }
    this.#wait(CONNECT_WITHIN_MS);
    try {
      connection.setConfiguration({ ...connection.getConfiguration(), iceServers: relays(offer) });
      await connection.setRemoteDescription({ type: "offer", sdp: offer.sdp });
      await connection.setLocalDescription(await connection.createAnswer());
      if (connection !== this.#connection) return;
      this.#user.answer(offer.number, connection.localDescription?.sdp ?? "");
      // Where the way is another one but was never lost, no change of state will say that all is well.
      if (connection.connectionState === "connected") clearTimeout(this.#patience);
    } catch {
      this.#giveUp();
    }
  }

  async #setUpSending(lines: Lines, send: SendMids): Promise<void> {
    const found = { audio: lines.get(send.audio), video: lines.get(send.video), screen: undefined as RTCRtpTransceiver | undefined };
    if (send.screen !== undefined) found.screen = lines.get(send.screen);
    for (const kind of ["audio", "video", "screen"] as const) {
      const line = found[kind];
      if (!line) continue;
      line.direction = "sendonly";
      this.#send[kind] = line.sender;
    }
    await this.sendTracks({});
  }

  #setUpSlots(lines: Lines, mids: readonly Mids[]): void {
    const slots: SlotTracks[] = [];
    for (const mid of mids) {
      const audio = lines.get(mid.audio);
      const video = lines.get(mid.video);
      if (!audio || !video) continue;
      audio.direction = "recvonly";
      video.direction = "recvonly";
      const picture = new MediaStream([video.receiver.track]);
      slots.push({ audio: audio.receiver.track, video: video.receiver.track, picture });
    }
    this.#mids = mids;
    this.#user.slots(slots);
  }

  #setUpScreen(lines: Lines, mid: string | undefined): void {
    const line = mid === undefined ? undefined : lines.get(mid);
    if (line) line.direction = "recvonly";
    const picture = line ? new MediaStream([line.receiver.track]) : null;
    this.#user.screen({ send: this.#send.screen !== undefined, picture });
  }

  /** One after another: browsers refuse parameters that were read before others were set. */
  #bound(): Promise<void> {
    this.#bounding = this.#bounding.then(async () => {
      const { video, screen } = this.#send;
      await setEncodings(video, "balanced", (count) => encodings(count, this.#saving));
      await setEncodings(screen, "maintain-resolution", () => [{ maxBitrate: SCREEN_BITRATE_MAX }]);
    });
    return this.#bounding;
  }

  #follow(connection: RTCPeerConnection): void {
    if (connection !== this.#connection) return;
    switch (connection.connectionState) {
      case "connected":
        clearTimeout(this.#patience);
        this.#user.changed("connected");
        // Some browsers know the encodings only now.
        void this.#bound();
        break;
      case "disconnected":
        this.#user.changed("lost");
        this.#wait(DISCONNECTED_MS);
        this.#user.stuck();
        break;
      case "failed":
        this.#giveUp();
        break;
    }
  }

  /** The device has another network. If sound and picture do not come by it, no need to wait longer. */
  #followNetwork(): void {
    if (this.#connection?.connectionState !== "disconnected") return;
    this.#wait(ONLINE_MS);
    this.#user.stuck();
  }

  #wait(wait_ms: number): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#giveUp(), wait_ms);
  }

  #giveUp(): void {
    this.#user.changed("lost");
    // Asked again and again until an offer comes, as the wish is lost when the line is.
    this.#wait(DISCONNECTED_MS);
    this.#user.needed();
  }

  #drop(): void {
    clearTimeout(this.#patience);
    const old = this.#connection;
    this.#connection = null;
    this.#send = {};
    if (!old) return;
    old.onconnectionstatechange = null;
    old.close();
  }
}

/** Servers of somebody else through which the network lets us where it lets us nowhere else. */
function relays({ relays }: Offer): RTCIceServer[] {
  return relays ? [relays] : [];
}

/** How the browser encodes a line; `of` is asked with how many layers it has been offered. */
async function setEncodings(
  sender: RTCRtpSender | undefined,
  degradation: RTCDegradationPreference,
  of: (count: number) => readonly Partial<RTCRtpEncodingParameters>[],
): Promise<void> {
  if (!sender) return;
  try {
    const parameters = sender.getParameters();
    const wanted = of(parameters.encodings.length);
    parameters.encodings.forEach((it, at) => Object.assign(it, wanted[at]));
    parameters.degradationPreference = degradation;
    await sender.setParameters(parameters);
  } catch {
    // A browser that cannot bound it still has the server's congestion feedback.
  }
}

/** Told by some browsers; the others say only that they are online. */
function network(): EventTarget | undefined {
  return (navigator as { connection?: EventTarget }).connection;
}
