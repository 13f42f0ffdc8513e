// The one media connection of a participant: two lines to send on, then the receiving slots. The
// server offers, the page answers once; who sits in a slot changes without another word here. It never
// opens a device and never decides when a new connection is asked for beyond saying that one is needed.
import type { Mids, SendMids, ServerMessage } from "../wire/wire";

export type PeerState = "none" | "connecting" | "connected" | "lost";

export interface SlotTracks {
  audio: MediaStreamTrack;
  video: MediaStreamTrack;
  /** The video alone, for a tile's element. */
  picture: MediaStream;
}

export interface PeerUser {
  answer(sdp: string): void;
  /** The connection is gone for good: ask the server for another offer. */
  needed(): void;
  changed(state: PeerState): void;
  slots(slots: readonly SlotTracks[]): void;
}

type Offer = Extract<ServerMessage, { type: "offer" }>;

/** A wireless network that changes hands is back within this time, in ms. */
const DISCONNECTED_MS = 5_000;
/** From an answer to a live connection it takes a second; after this it will not come. */
const CONNECT_WITHIN_MS = 15_000;
const VIDEO_BITRATE_MAX = 600_000;

export class Peer {
  /** How many offers were ever taken: one per media connection, however often people move. */
  negotiations = 0;
  #user: PeerUser;
  #connection: RTCPeerConnection | null = null;
  #send: { audio: RTCRtpSender; video: RTCRtpSender } | null = null;
  #mids: readonly Mids[] = [];
  #audio: MediaStreamTrack | null = null;
  #video: MediaStreamTrack | null = null;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(user: PeerUser) {
    this.#user = user;
  }

  async take(offer: Offer): Promise<void> {
    this.#drop();
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.#connection = connection;
    connection.onconnectionstatechange = () => this.#follow(connection);
    this.#user.changed("connecting");
    this.#wait(CONNECT_WITHIN_MS);
    try {
      this.negotiations += 1;
      await connection.setRemoteDescription({ type: "offer", sdp: offer.sdp });
      if (connection !== this.#connection) return;
      const lines = new Map(connection.getTransceivers().map((it) => [it.mid, it]));
      await this.#setUpSending(lines, offer.send);
      this.#setUpSlots(lines, offer.slots);
      await connection.setLocalDescription(await connection.createAnswer());
      if (connection !== this.#connection) return;
      this.#user.answer(connection.localDescription?.sdp ?? "");
      await this.#boundVideo();
    } catch {
      // Too soon or too strange an offer; the wait above asks for another.
    }
  }

  /** What is sent from now on; null sends nothing. Never a new negotiation. */
  async sendTracks(audio: MediaStreamTrack | null, video: MediaStreamTrack | null): Promise<void> {
    this.#audio = audio;
    this.#video = video;
    if (!this.#send) return;
    await Promise.allSettled([
      this.#send.audio.replaceTrack(audio),
      this.#send.video.replaceTrack(video),
    ]);
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

  async #setUpSending(lines: Map<string | null, RTCRtpTransceiver>, send: SendMids): Promise<void> {
    const audio = lines.get(send.audio);
    const video = lines.get(send.video);
    if (!audio || !video) return;
    audio.direction = "sendonly";
    video.direction = "sendonly";
    this.#send = { audio: audio.sender, video: video.sender };
    await this.sendTracks(this.#audio, this.#video);
  }

  #setUpSlots(lines: Map<string | null, RTCRtpTransceiver>, mids: readonly Mids[]): void {
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

  async #boundVideo(): Promise<void> {
    const sender = this.#send?.video;
    if (!sender) return;
    try {
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings) encoding.maxBitrate = VIDEO_BITRATE_MAX;
      await sender.setParameters(parameters);
    } catch {
      // A browser that cannot bound it still has the server's congestion feedback.
    }
  }

  #follow(connection: RTCPeerConnection): void {
    if (connection !== this.#connection) return;
    switch (connection.connectionState) {
      case "connected":
        clearTimeout(this.#patience);
        this.#user.changed("connected");
        break;
      case "disconnected":
        this.#user.changed("lost");
        this.#wait(DISCONNECTED_MS);
        break;
      case "failed":
        this.#giveUp();
        break;
    }
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
    this.#send = null;
    if (!old) return;
    old.onconnectionstatechange = null;
    old.close();
  }
}
