// One person's way through a session: joining, being in rooms, losing and finding the line, leaving.
// It ties connection, media and room state together and never draws.
import { Line, type LineState } from "../connection/socket";
import { type KeptPerson, giveSeatUp, introduced, keepPerson, keepSeat, keptPerson, keptSeat } from "../connection/seat";
import { Awake } from "../media/awake";
import { HoldToTalk, LastWish } from "../media/hold";
import type { LocalMedia } from "../media/local.svelte";
import { Peer, type PeerState, type ScreenLines, type SlotTracks } from "../media/peer";
import { Sound } from "../media/sound";
import { Support } from "../media/support";
import type { ClientMessage, ServerMessage, WireConsent, WireLanguage, WireMark, WireReaction } from "../wire/wire";
import { clockOf, remaining } from "./countdown";
import { hasSet, markKey } from "./marks";
import { NOWHERE, type RoomState, myself, reduce } from "./room";
import { type Data, Preferences, type Speaking } from "./preferences.svelte";
import { phaseOf, taskOf } from "./steps";
import { Sharing } from "./sharing.svelte";
import { Talk } from "./talk.svelte";
import { Together } from "./together.svelte";
import { Toasts } from "./toasts.svelte";
import { Viewing } from "./viewing";
import { placeOf } from "./writing";
import { Writing } from "./writing.svelte";

/** The page around the frame, which follows what happens here. */
export interface Attendant {
  /** A message has been taken in. */
  heard(before: RoomState, now: RoomState, message: ServerMessage): void;
  /** A screen reader has been told something. */
  announced(text: string): void;
  /** The person has gone back to what is shown beside; null: nothing is. */
  returned: (() => void) | null;
}

/** A pause that is not confirmed by then is one whose line is dead, in ms: a room of very many is told once a second. */
const CONFIRMED_MS = 2_000;

export type Phase = "preparing" | "joining" | "in-room" | "left" | "ended" | "refused";

export class Participation {
  phase = $state<Phase>("preparing");
  /** The code of the fault that ended it, when `refused`. */
  refusal = $state("");
  room = $state.raw<RoomState>(NOWHERE);
  line = $state<LineState>("closed");
  media = $state<PeerState>("none");
  /** Whether it was left for the stream beside it. */
  backAtStream = $state(false);
  soundBlocked = $state(false);
  slots = $state.raw<readonly SlotTracks[]>([]);
  microphoneOn = $state(false);
  cameraOn = $state(false);
  consent = $state<WireConsent>("declined");
  readonly toasts = new Toasts();
  readonly preferences = new Preferences();
  readonly sharing: Sharing;
  readonly viewing: Viewing;
  /** Open while a key or the button is held. */
  readonly held = new HoldToTalk((open) => void this.setMicrophone(open));
  readonly writing = new Writing(
    (text, at) => this.#send({ type: "write", text, at }),
    () => this.#left_ms(),
  );
  readonly together = new Together({
    send: (sheet, update) => this.#send({ type: "type", sheet, update }),
    people: () => this.room.room?.people.length ?? 0,
    left_ms: () => this.#left_ms(),
  });
  readonly talk = new Talk((text) => this.#send({ type: "post", text }));
  readonly local: LocalMedia;
  attendant: Attendant | null = null;
  #pausing = false;
  #unconfirmed: ReturnType<typeof setTimeout> | undefined;
  /** What the device check begins with. */
  proposed = { microphone: true, camera: true };
  /** Whether the name is the token's and not the person's to change. */
  nameFixed = false;
  #session: string;
  #token: string;
  /** Beside what the tab keeps, for pages whose browser refuses storage. */
  #person: KeptPerson | null = null;
  #seat: string | null = null;
  #own: string | null = null;
  #line: Line | null = null;
  #peer: Peer;
  #sound = new Sound((blocked) => (this.soundBlocked = blocked));
  #support: Support;
  #hadMicrophone = false;
  #awake = new Awake();
  /** Whether there was a camera before it was given up for the sake of data. */
  #cameraForSound = false;
  #microphone = new LastWish({
    ready: () => this.local.microphone !== null,
    wish: (on) => this.local.wish(on),
    open: () => this.local.openMicrophone(),
    done: (on) => {
      this.microphoneOn = on;
      this.#tellMicrophone();
    },
  });

  constructor(session: string, token: string, local: LocalMedia) {
    this.#session = session;
    this.#token = token;
    this.local = local;
    local.changed = () => this.#sendTracks();
    local.speakerChanged = (id) => void this.#sound.chooseSpeaker(id);
    local.interruptedChanged = (on) => {
      if (this.microphoneOn) this.#tellMicrophone();
      this.#sound.wait(on);
    };
    this.sharing = new Sharing({
      send: (on) => this.#send({ type: "share", on }),
      track: (screen) => void this.#peer.sendTracks({ screen }),
      refused: (code) => this.toasts.add(code),
    });
    this.viewing = new Viewing((slots, screen) => this.#send({ type: "view", slots, ...(screen ? { screen } : {}) }));
    this.#peer = new Peer({
      answer: (number, sdp) => this.#send({ type: "answer", number, sdp }),
      needed: () => this.#send({ type: "media" }),
      stuck: () => this.#send({ type: "media", restart: true }),
      changed: (state) => (this.media = state),
      slots: (slots) => {
        this.slots = slots;
        this.#sound.play(slots.map((it) => it.audio));
      },
      screen: (lines: ScreenLines) => this.sharing.offered(lines),
    });
    this.#support = new Support(this.#peer, () => this.room.slots);
    window.vuoro = this.#support;
    document.addEventListener("visibilitychange", this.#hidden);
    addEventListener("blur", this.#unheld);
    void this.#peer.save(this.preferences.data !== "all");
  }

  /** Whether this tab has had a seat in the session before. */
  get known(): boolean {
    return keptSeat(this.#session) !== null;
  }

  /** What the person has said of themself in this tab before. */
  get person(): KeptPerson | null {
    return this.#person ?? keptPerson(this.#session);
  }

  /** What others say of the person, where nothing is known yet. */
  introduce(person: Omit<KeptPerson, "consent">, nameFixed: boolean): void {
    this.nameFixed = nameFixed;
    this.#person = introduced(this.person, person, nameFixed);
  }

  /** A newer right, in place of one that runs out. */
  renew(token: string): void {
    this.#token = token;
    this.#send({ type: "renew", token });
  }

  /** As the embedding page asks, once it has been checked. Whether it went out. */
  say(message: ClientMessage): boolean {
    return this.#send(message);
  }

  /** Leaves the conversation for the stream beside it. */
  returnToStream(): void {
    this.backAtStream = true;
    this.leave();
    this.attendant?.returned?.();
  }

  /** Who was never asked whether their words may be written down has not agreed. */
  join(person: KeptPerson): void {
    this.#keep(person);
    this.consent = person.consent ?? "declined";
    // Who talks by holding a key begins with nothing held.
    if (this.preferences.speaking === "hold") this.local.wish(false);
    if (this.preferences.data === "sound") this.local.closeCamera();
    this.microphoneOn = this.local.microphone !== null && this.local.wished;
    this.cameraOn = this.local.camera !== null;
    this.refusal = "";
    this.room = NOWHERE;
    this.#pausing = false;
    this.local.hold(false);
    this.writing.clear();
    this.together.clear();
    this.phase = "joining";
    this.#line?.close();
    this.#line = new Line({
      opening: () => this.#opening(),
      received: (message) => this.#received(message),
      changed: (state) => {
        if (state === "lost") {
          this.writing.lost();
          this.together.lost();
          this.talk.refused("not-sent");
        }
        this.line = state;
      },
    });
  }

  setMicrophone(on: boolean): Promise<void> {
    return this.#microphone.follow(on);
  }

  /** From then on the microphone is off until something is held, or as it was switched last. */
  speakBy(speaking: Speaking): void {
    this.held.letGo();
    this.preferences.speaking = speaking;
    if (speaking === "hold") void this.setMicrophone(false);
  }

  /** What the person lets come and go. A camera that was given up for it is there again afterwards. */
  async useData(data: Data): Promise<void> {
    const before = this.preferences.data;
    if (data === before) return;
    this.preferences.data = data;
    void this.#peer.save(data !== "all");
    this.#see();
    if (data === "sound") {
      this.#cameraForSound = this.cameraOn;
      if (this.cameraOn) await this.setCamera(false);
    } else if (before === "sound" && this.#cameraForSound) {
      this.#cameraForSound = false;
      await this.setCamera(true);
    }
  }

  async setCamera(on: boolean): Promise<void> {
    if (on && this.preferences.data === "sound") {
      this.toasts.add("sound-only");
      return;
    }
    if (on && !this.local.camera && !(await this.local.openCamera())) return;
    // Meanwhile it may have been given up for the sake of data.
    if (on && (this.preferences.data as Data) === "sound") return this.local.closeCamera();
    this.cameraOn = on;
    if (!on) this.local.closeCamera();
    this.#send({ type: "set-camera", on });
  }

  /** Takes the seat back from the page that has it now, with the devices as they were. */
  async continueHere(): Promise<void> {
    const person = this.person;
    if (!person) return this.prepareAgain();
    const { microphoneOn, cameraOn } = this;
    this.phase = "joining";
    // A microphone that was off is opened too: to speak is then one press, as before.
    await this.local.open({ microphone: this.#hadMicrophone, camera: cameraOn });
    // The page may have been left while the browser asked.
    if ((this.phase as Phase) !== "joining") return;
    this.local.wish(microphoneOn);
    this.join(person);
  }

  /**
   * Pauses or resumes the writing down of this person's words. Until the server has confirmed a pause nothing leaves
   * the microphone: what is said without a line would be written down all the same.
   */
  setTranscribed(on: boolean): void {
    this.#pausing = !on && (this.#pausing || this.consent === "on");
    this.consent = on ? "on" : "off-the-record";
    if (this.#person) this.#keep({ ...this.#person, consent: this.consent });
    const sent = this.#send({ type: "set-consent", consent: this.consent });
    clearTimeout(this.#unconfirmed);
    if (this.#pausing) this.#unconfirmed = setTimeout(() => this.#unheard(), sent ? CONFIRMED_MS : 0);
    this.#hold();
  }

  #unheard(): void {
    if (this.#pausing && this.phase === "in-room") this.toasts.add("pause-unsent");
  }

  /** In which language this person speaks; null: to be found by listening. */
  speakLanguage(language: WireLanguage | null): void {
    const known = language ?? myself(this.room)?.language ?? this.#person?.language ?? "fi";
    const byEar = language === null;
    if (this.#person) this.#keep({ ...this.#person, language: known, byEar });
    this.#sendOrSay({ type: "set-language", language: known, by_ear: byEar });
  }

  /** Whether words are written down in this room. */
  setRoomTranscribed(on: boolean): void {
    this.#sendOrSay({ type: "set-transcription", on });
  }

  /** Takes back what this person said in the last minute. */
  strike(): void {
    this.#sendOrSay({ type: "strike" });
  }

  /** The look back on the last round has been seen. */
  closeRound(): void {
    this.room = { ...this.room, round: null };
  }

  setReady(on: boolean): void {
    this.#send({ type: "ready", on });
  }

  passTurn(): void {
    this.#send({ type: "pass-turn" });
  }

  /** Takes the empty chair, or leaves one's own. */
  sit(on: boolean): void {
    this.#send({ type: "seat", on });
  }

  goTo(room: string): void {
    this.writing.save();
    this.together.save();
    this.#send({ type: "go-to", room });
  }

  /** Whether it went out: an idea typed while the line is lost stays in its field. */
  propose(topic: string): boolean {
    const run = this.room.step?.run;
    return this.#sendOrSay({ type: "write", text: topic, ...(run && { at: placeOf(run) }) });
  }

  score(score: number): void {
    this.#send({ type: "score", score });
  }

  /** A new idea, or another text for one. Whether it went out. */
  writeIdea(text: string, idea?: number): boolean {
    return this.#sendOrSay({ type: "write-idea", text, ...(idea === undefined ? {} : { idea }) });
  }

  combineIdeas(ideas: number[], text: string): boolean {
    return this.#sendOrSay({ type: "combine-ideas", ideas, text });
  }

  /** One's own goes; a combined one is taken apart. */
  removeIdea(idea: number): void {
    this.#sendOrSay({ type: "remove-idea", idea });
  }

  /** The room brings it to all, or does not any more. */
  /** The words of an idea of one's own, wherever it is by now. */
  strikeIdea(idea: number): void {
    this.#sendOrSay({ type: "strike-idea", idea });
  }

  chooseIdea(idea: number, on: boolean): void {
    this.#sendOrSay({ type: "choose-idea", idea, on });
  }

  vote(idea: number, votes: number): void {
    this.#sendOrSay({ type: "vote", idea, votes });
  }

  /** What somebody began to say or write at `start_ms` is this to me; again: no more. */
  mark(participant: number, start_ms: number, mark: WireMark): void {
    const on = !hasSet(this.room.marked.get(markKey(participant, start_ms)), this.room.me, mark);
    this.#sendOrSay({ type: "mark", participant, start_ms, mark, on });
  }

  raiseHand(on: boolean): void {
    this.#sendOrSay({ type: "raise-hand", on });
  }

  react(reaction: WireReaction): void {
    this.#sendOrSay({ type: "react", reaction });
  }

  /** Calls a facilitator, or needs none any more. */
  call(on: boolean): void {
    this.#sendOrSay({ type: "call", on });
  }

  startSound(): void {
    void this.#sound.start();
  }

  /** Proof of who sits here, also after the end: it opens the way to one's own words. Never kept. */
  get own(): string | null {
    return this.#own;
  }

  leave(): void {
    this.#send({ type: "leave" });
    giveSeatUp(this.#session);
    this.#seat = null;
    this.#own = null;
    this.#finish("left");
  }

  /** The session is over, and nobody can come back to it. */
  end(): void {
    giveSeatUp(this.#session);
    keepPerson(this.#session, null);
    this.#finish("ended");
  }

  /** Back to the device check, keeping the seat if there is one. */
  prepareAgain(): void {
    this.backAtStream = false;
    this.phase = "preparing";
    this.refusal = "";
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.#hidden);
    removeEventListener("blur", this.#unheld);
    this.#finish("left");
    this.#awake.close();
    this.#peer.forget();
    this.#sound.close();
    this.viewing.close();
  }

  #opening(): ClientMessage {
    // Only `join` makes a line.
    const nobody: Omit<KeptPerson, "consent"> = { name: "", language: "fi" };
    const { name, language, byEar = false, organisation = "" } = this.#person ?? nobody;
    const seat = keptSeat(this.#session) ?? this.#seat;
    const tags: Record<string, string> = organisation ? { organisation } : {};
    const spoken = byEar ? { language, by_ear: true } : { language };
    return { type: "join", token: this.#token, seat, name, ...spoken, consent: this.consent, tags };
  }

  #received(message: ServerMessage): void {
    this.#support.note(message);
    const known = this.room;
    const before = known.room?.room;
    this.room = reduce(known, message, performance.now());
    this.#see();
    this.sharing.follow(this.room);
    switch (message.type) {
      case "welcome":
        this.#own = message.own;
        this.#welcomed(message.seat, message.media);
        break;
      case "method":
        if (message.method?.phases.some((it) => it.harvest === "line")) this.together.prepare();
        if (!message.method) this.together.clear();
        // What was written in another method is for none of this one's phases.
        if (known.running && message.method?.id !== known.running.method.id) this.writing.clear();
        this.#hold();
        break;
      case "slots":
        this.#hold(); // the method may have ended while the line was lost
        break;
      case "step":
        this.#hold();
        if (taskOf(phaseOf(this.room.running, this.room.step)) !== "room-line") this.together.clear();
        this.writing.told(placeOf(message.run), message.written);
        break;
      case "sheet":
        this.together.told(message.number, message.since, message.state, message.afresh);
        break;
      case "typed":
        this.together.heard(message.participant, message.sheet, message.update);
        break;
      case "offer":
        this.#hold();
        void this.#peer.take(message).then(() => this.viewing.again());
        break;
      case "room":
        if (before !== message.room.room) this.talk.moved();
        this.#follow();
        break;
      case "post":
        this.talk.told(message, this.room.me);
        break;
      case "posts":
        this.talk.toldAll(message.posts);
        break;
      case "ended":
        this.end();
        break;
      case "error":
        this.#refused(message.code, message.fatal);
        break;
    }
    this.attendant?.heard(known, this.room, message);
  }

  /** `media`: the server has our media connection still. */
  #welcomed(seat: string, media: boolean): void {
    this.#seat = seat;
    this.#peer.welcomed();
    keepSeat(this.#session, seat);
    this.phase = "in-room";
    // Told anew after every loss: the server may have come back with an older picture of us.
    this.#tellMicrophone();
    this.#send({ type: "set-camera", on: this.cameraOn });
    this.#sendTracks();
    // Only the line was lost: sound and picture have gone on all the while.
    if (!media || this.#peer.state !== "connected") this.#send({ type: "media" });
    this.viewing.again();
    this.sharing.welcomed(this.room);
    this.#awake.keep(true);
  }

  /** Follows what the method lets this person do. The wish for a microphone stays as it was. */
  #hold(): void {
    const { running, step } = this.room;
    const may = step?.may_speak !== false;
    this.local.hold(!may || this.#pausing);
    // What is held while one may not speak does not open the microphone when one may.
    if (!may) this.held.letGo();
    if (!running) this.writing.clear();
  }

  #left_ms(): number | null {
    const { step, step_ms } = this.room;
    if (!step) return null;
    return remaining(clockOf(step.run, step_ms), 0, performance.now()).left_ms;
  }

  /** The server has the last word on what is written down, never on the devices. */
  #follow(): void {
    const consent = myself(this.room)?.consent;
    if (!consent) return;
    if (consent !== "on" && this.#pausing) {
      this.#pausing = false;
      this.#hold();
    }
    // What it says before it has heard of the pause is of before.
    if (!this.#pausing) this.consent = consent;
  }

  #refused(code: string, fatal: boolean): void {
    if (!fatal) {
      if (this.sharing.refusedBy(code)) return;
      if (code === "too-fast") this.together.again();
      if (!this.talk.refused(code)) this.toasts.add(code);
      return;
    }
    if (code === "session-ended") {
      this.end();
      return;
    }
    this.refusal = code;
    this.#finish("refused");
  }

  #keep(person: KeptPerson): void {
    this.#person = person;
    keepPerson(this.#session, person);
  }

  #finish(phase: Phase): void {
    this.phase = phase;
    this.#hadMicrophone = this.local.microphone !== null;
    this.#line?.close();
    this.#line = null;
    this.held.letGo();
    this.sharing.stop();
    this.viewing.stop();
    this.#peer.close();
    this.slots = [];
    this.talk.open = false;
    this.together.clear();
    this.writing.clear();
    this.local.hold(false);
    this.local.closeMicrophone();
    this.local.closeCamera();
    this.#awake.keep(false);
  }

  /** What can be seen at most, and who sits where. */
  #see(): void {
    this.viewing.seats(this.room.slots, this.preferences.most);
  }

  #sendTracks(): void {
    if (this.phase === "in-room") {
      if (this.microphoneOn && !this.local.microphone) this.#lostMicrophone();
      if (this.cameraOn && !this.local.camera && !this.local.opening) this.#lostCamera();
    }
    void this.#peer.sendTracks({ audio: this.local.microphone, video: this.local.camera });
  }

  #lostMicrophone(): void {
    if (this.local.opening) return;
    this.microphoneOn = false;
    this.#tellMicrophone();
  }

  /** The wish stays while the system has the microphone, but nobody hears it. */
  #tellMicrophone(): void {
    this.#send({ type: "set-microphone", on: this.microphoneOn && !this.local.interrupted });
  }

  #lostCamera(): void {
    this.cameraOn = false;
    this.#send({ type: "set-camera", on: false });
  }

  #send(message: ClientMessage): boolean {
    return this.#line?.send(message) ?? false;
  }

  /** Whether it went out; if not, the person is told. */
  #sendOrSay(message: ClientMessage): boolean {
    const sent = this.#send(message);
    if (!sent) this.toasts.add("not-sent");
    return sent;
  }

  /** A page in the background may never come back, and nobody holds a key of it. One that is back may have
   *  lost its sound to a call. */
  #hidden = (): void => {
    if (document.visibilityState !== "hidden") return this.#sound.again();
    this.writing.save();
    this.held.letGo();
  };

  #unheld = (): void => this.held.letGo();
}
