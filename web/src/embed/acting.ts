// Does what the page around the frame asks for, once the command has been checked. Whether it may be
// done is the server's word: a command is done when the server says so, and refused when it does.
import { ApiError, allMethods, search } from "../connection/api";
import { isMainRoom } from "../state/room";
import { speech } from "../state/language.svelte";
import { spread } from "../state/overview";
import type { Facilitation } from "../state/facilitation.svelte";
import type { Participation } from "../state/participation.svelte";
import type { Data } from "../state/preferences.svelte";
import type { SearchAnswer } from "../../embed/src/words";
import type { ClientMessage, ServerMessage, WireLanguage, WireReaction } from "../wire/wire";
import { CommandError } from "./bridge";
import type { Takes } from "./check";
import { found } from "./found";

const CONFIRM_WITHIN_MS = 8_000;
/** What the server drops without a word, such as reactions that come too fast. */
const DROPPED_AFTER_MS = 2_000;
const JOIN_WITHIN_MS = 15_000;

/** One command that waits for the server's word. The server answers in order, so only the first hears. */
interface Pending {
  done(message: ServerMessage): boolean;
  resolve(): void;
  reject(error: CommandError): void;
}

/** What the server is asked, one after the other. */
class Asking {
  #pending: Pending | null = null;
  #last: Promise<unknown> = Promise.resolve();

  heard(message: ServerMessage): void {
    const pending = this.#pending;
    if (!pending) return;
    if (message.type === "error") pending.reject(new CommandError(message.code, message.text, message.code === "too-fast" ? 2_000 : null));
    else if (pending.done(message)) pending.resolve();
  }

  ask(send: () => boolean, done: (message: ServerMessage) => boolean, within_ms = CONFIRM_WITHIN_MS, late = "no-answer"): Promise<void> {
    const asked = this.#last.then(
      () =>
        new Promise<void>((resolve, reject) => {
          const end = (act: () => void) => {
            clearTimeout(timer);
            this.#pending = null;
            act();
          };
          const timer = setTimeout(() => end(() => reject(new CommandError(late, "the server has not confirmed it", late === "too-fast" ? 2_000 : null))), within_ms);
          this.#pending = { done, resolve: () => end(resolve), reject: (error) => end(() => reject(error)) };
          if (!send()) end(() => reject(new CommandError("unreachable", "the line to the server is lost")));
        }),
    );
    this.#last = asked.catch(() => undefined);
    return asked;
  }
}

/** A participant's commands. */
export class ParticipantActs {
  #person: Participation;
  #asking = new Asking();

  constructor(person: Participation) {
    this.#person = person;
  }

  heard(message: ServerMessage): void {
    this.#asking.heard(message);
  }

  async act(command: string, takes: Takes): Promise<unknown> {
    const person = this.#person;
    const on = takes["on"] as boolean;
    switch (command) {
      case "join":
        return this.#join(takes);
      case "setLowData":
        return person.useData(takes["data"] as Data);
      case "setDevices":
        return this.#devices(takes);
    }
    if (person.phase !== "in-room") throw new CommandError("not-in-room", "the person is not in a room now");
    switch (command) {
      case "leave":
        return person.leave();
      case "returnToStream":
        return person.returnToStream();
      case "setMicrophone":
        await person.setMicrophone(on);
        if (person.microphoneOn !== on) throw new CommandError("device-failed", "the microphone cannot be used");
        return;
      case "setCamera":
        await person.setCamera(on);
        if (person.cameraOn !== on) throw new CommandError("device-failed", "the camera cannot be used");
        return;
      case "setScreenshare":
        return this.#share(on);
      case "raiseHand":
        return this.#room({ type: "raise-hand", on }, (room) => room.hands.includes(person.room.me ?? 0) === on);
      case "callForHelp":
        return this.#room({ type: "call", on }, (room) => (room.calls.length > 0) === on);
      case "react": {
        const reaction = takes["reaction"] as WireReaction;
        const seen = (it: ServerMessage) => it.type === "reacted" && it.participant === person.room.me;
        return this.#asking.ask(() => person.say({ type: "react", reaction }), seen, DROPPED_AFTER_MS, "too-fast");
      }
      case "sendChat": {
        const text = takes["text"] as string;
        const told = (it: ServerMessage) => it.type === "post" && it.participant === person.room.me;
        return this.#asking.ask(() => person.say({ type: "post", text }), told);
      }
      case "pauseTranscription":
        // Nobody but the person agrees: a page can only pause, and end a pause.
        if (person.consent === "declined") throw new CommandError("not-allowed", "the person has not agreed");
        return person.setTranscribed(!on);
      case "openPanel":
        if (takes["panel"] === "chat") person.talk.show(person.room.posts);
        else person.talk.open = false;
        return;
      case "setReady":
        return this.#asking.ask(() => person.say({ type: "ready", on }), (it) => it.type === "step" && it.own_ready === on);
      case "passTurn":
        return this.#asking.ask(() => person.say({ type: "pass-turn" }), (it) => it.type === "step");
      default:
        throw new CommandError("unknown-command");
    }
  }

  async #join({ name, microphone, camera }: Takes): Promise<void> {
    const person = this.#person;
    if (person.phase === "in-room") return;
    if (person.phase !== "preparing" && person.phase !== "left") throw new CommandError("not-now", `the person is ${person.phase}`);
    const known = person.person;
    const called = person.nameFixed ? known?.name : ((name as string | undefined) ?? known?.name);
    if (!called?.trim()) throw new CommandError("bad-name", "the person's name is not known yet");
    await person.local.open({ microphone: microphone === true, camera: camera === true });
    if (microphone && !person.local.microphone) throw new CommandError("device-failed", "the microphone cannot be used");
    person.join({ name: called.trim(), language: known?.language ?? speech.language, consent: known?.consent ?? null, organisation: known?.organisation ?? "" });
    await this.#asking.ask(() => true, (it) => it.type === "welcome", JOIN_WITHIN_MS);
  }

  async #devices({ microphone, camera, speaker }: Takes): Promise<void> {
    const { local } = this.#person;
    const all = local.choices;
    const known = (list: readonly MediaDeviceInfo[], id: unknown) => id === undefined || list.some((it) => it.deviceId === id);
    if (!known(all.microphones, microphone) || !known(all.cameras, camera) || !known(all.speakers, speaker)) {
      throw new CommandError("device-failed", "there is no such device");
    }
    if (microphone !== undefined) await local.chooseMicrophone(microphone as string);
    if (camera !== undefined) await local.chooseCamera(camera as string);
    if (speaker !== undefined) local.chooseSpeaker(speaker as string);
  }

  async #share(on: boolean): Promise<void> {
    const { sharing } = this.#person;
    if (!on) return sharing.stop();
    if (!navigator.userActivation?.isActive) throw new CommandError("needs-gesture", "the person must press inside the frame");
    await sharing.start();
    if (!sharing.mine) throw new CommandError("device-failed", "no screen was chosen");
  }

  #room(message: ClientMessage, done: (room: Extract<ServerMessage, { type: "room" }>["room"]) => boolean): Promise<void> {
    const now = this.#person.room.room;
    if (now && done(now)) return Promise.resolve();
    return this.#asking.ask(() => this.#person.say(message), (it) => it.type === "room" && done(it.room));
  }
}

/** A facilitator's commands. */
export class FacilitatorActs {
  #lead: Facilitation;
  #asking = new Asking();

  constructor(lead: Facilitation) {
    this.#lead = lead;
  }

  heard(message: ServerMessage): void {
    this.#asking.heard(message);
  }

  async act(command: string, takes: Takes): Promise<unknown> {
    const lead = this.#lead;
    const participant = takes["participant"] as number;
    type Overview = Extract<ServerMessage, { type: "overview" }>;
    /** Done when the server shows it so, which it may do already. */
    const ask = (message: ClientMessage, done: (it: Overview) => boolean = () => true) =>
      this.#asking.ask(() => lead.say(message), (it) => it.type === "overview" && done(it));
    switch (command) {
      case "openRooms":
        return ask({ type: "open-rooms", count: takes["count"] as number }, (it) => it.rooms.length - 1 === takes["count"]);
      case "closeRooms":
        return ask({ type: "open-rooms", count: 0 }, (it) => it.rooms.length === 1);
      case "assign":
        for (const { participant: who, room } of spread(lead.overview.rooms ?? [])) await this.#move(who, room);
        return;
      case "move":
        return this.#move(participant, takes["room"] as string);
      case "runMethod": {
        const method = (await allMethods()).find((it) => it.id === takes["method"]);
        if (!method) throw new CommandError("bad-method", "there is no such method");
        const { question = "", warn_s = 60 } = takes;
        return ask({ type: "run-method", method, question: question as string, topics: [], warn_s: warn_s as number }, (it) => it.run !== null);
      }
      case "nextPhase":
        return ask({ type: "next", at_once: takes["at_once"] === true });
      case "pauseTimer":
        return ask({ type: "pause", on: takes["on"] as boolean }, (it) => it.run?.paused === takes["on"]);
      case "extendTimer":
        return ask({ type: "extend", seconds: takes["seconds"] as number });
      case "stopMethod":
        return ask({ type: "stop-method" }, (it) => it.run === null);
      case "broadcast":
        return this.#asking.ask(() => lead.say({ type: "broadcast", text: takes["text"] as string }), (it) => it.type === "post" && it.participant === null);
      case "answerHelp":
        if (takes["done"] === true) return ask({ type: "call-done", participant }, (it) => !it.calls.some((call) => call.participant === participant));
        return ask({ type: "call-seen", participant }, (it) => it.calls.every((call) => call.participant !== participant || call.seen));
      case "lowerHand":
        return ask({ type: "lower-hand", participant }, (it) => !it.rooms.some((room) => room.hands.includes(participant)));
      case "endShare":
        return ask({ type: "end-share", participant }, (it) => !it.rooms.some((room) => room.sharing === participant));
      case "endSession":
        return this.#asking.ask(() => lead.say({ type: "end" }), (it) => it.type === "ended");
      default:
        throw new CommandError("unknown-command");
    }
  }

  async #move(participant: number, room: string): Promise<void> {
    if (!/^(main|room-[1-9]\d{0,2})$/.test(room)) throw new CommandError("unknown-room", "write main or room-N");
    const there = (rooms: readonly { room: string; people: readonly { participant: number }[] }[]) =>
      rooms.some((it) => it.room === room && it.people.some((person) => person.participant === participant));
    if (there(this.#lead.overview.rooms ?? [])) return;
    await this.#asking.ask(() => this.#lead.say({ type: "move", participant, room }), (it) => it.type === "overview" && there(it.rooms));
  }
}

export async function find(token: string, takes: Takes): Promise<SearchAnswer> {
  try {
    return found(await search({ tokens: [token], q: takes["text"] as string, offset: (takes["offset"] as number | undefined) ?? 0 }));
  } catch (error) {
    if (error instanceof ApiError) throw new CommandError(error.code, error.message);
    throw error;
  }
}

export function isSmall(room: string | undefined): boolean {
  return room !== undefined && !isMainRoom(room);
}

export function languageOf(text: string | undefined): WireLanguage | null {
  return text === "fi" || text === "sv" || text === "en" ? text : null;
}
