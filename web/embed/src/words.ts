// Written from `schema.json` by `test/embed-words.test.ts`; never by hand.

export const VERSION = 1;
export const ATTRIBUTES = [
  "session",
  "server",
  "token",
  "lang",
  "name",
  "organisation",
  "theme",
  "accent",
  "audio",
  "video",
  "low-data",
  "min-height",
  "player",
  "duck",
  "duck-volume",
] as const;
/** Followed while the frame is open. */
export const LIVE = [
  "lang",
  "theme",
  "accent",
  "low-data",
] as const;
export const COMMANDS = [
  "capabilities",
  "state",
  "setLanguage",
  "setTheme",
  "join",
  "leave",
  "returnToStream",
  "setMicrophone",
  "setCamera",
  "setScreenshare",
  "setDevices",
  "setLowData",
  "raiseHand",
  "react",
  "sendChat",
  "callForHelp",
  "pauseTranscription",
  "openPanel",
  "setReady",
  "passTurn",
  "openRooms",
  "closeRooms",
  "assign",
  "move",
  "runMethod",
  "nextPhase",
  "pauseTimer",
  "extendTimer",
  "stopMethod",
  "broadcast",
  "answerHelp",
  "lowerHand",
  "endShare",
  "endSession",
  "search",
] as const;
export const EVENTS = [
  "ready",
  "session.ended",
  "phase.changed",
  "device.granted",
  "device.denied",
  "joined",
  "left",
  "person.joined",
  "person.left",
  "person.updated",
  "microphone.changed",
  "camera.changed",
  "screen.changed",
  "panel.changed",
  "hand.changed",
  "reaction",
  "chat.message",
  "broadcast.received",
  "speaking.changed",
  "rooms.opened",
  "rooms.closed",
  "room.changed",
  "stream.returned",
  "method.started",
  "method.ended",
  "round.started",
  "round.ending",
  "timer.tick",
  "timer.warning",
  "turn.changed",
  "help.requested",
  "help.answered",
  "caption.final",
  "caption.struck",
  "consent.changed",
  "balance.updated",
  "overview.changed",
  "connection.changed",
  "player.changed",
  "a11y.announce",
  "error",
] as const;

export type ErrorCode =
  | "not-ready"
  | "not-in-room"
  | "unknown-command"
  | "bad-arguments"
  | "not-allowed"
  | "needs-gesture"
  | "device-failed"
  | "no-answer"
  | "too-fast"
  | "origin-not-allowed"
  | "bad-token"
  | "token-expired"
  | "bad-claims"
  | "ticket-used"
  | "unknown-session"
  | "session-ended"
  | "session-full"
  | "room-full"
  | "bad-name"
  | "bad-text"
  | "bad-method"
  | "not-now"
  | "already-shared"
  | "unknown-idea"
  | "bad-combination"
  | "sheet-full"
  | "enough-ideas"
  | "enough-chosen"
  | "enough-votes"
  | "enough-own-votes"
  | "unknown-room"
  | "unknown-participant"
  | "bad-room-count"
  | "replaced"
  | "unreachable"
  | "timeout"
  | "internal";

/** What this server and this token can do. */
export interface Capabilities {
  version: number;
  role: "participant" | "facilitator" | "assistant" | "reviewer";
  commands: CommandName[];
  events: EventName[];
  transcription: boolean;
}

/** Where a person stands. */
export interface State {
  role: "participant" | "facilitator" | "assistant" | "reviewer";
  phase: string;
  participant: number | null;
  room: string | null;
  microphone: boolean;
  camera: boolean;
  people: { participant: number; name: string; present: boolean }[];
}

export interface SearchAnswer {
  total: number;
  hits: {
    /** Null: of nobody, or nobody is to know of whom. */
    participant: number | null;
    name: string;
    room: string;
    start_ms: number;
    end_ms: number;
    language: "fi" | "sv" | "en";
    parts: { text: string; hit: boolean }[];
  }[];
  /** Every room in which something is found. */
  rooms: string[];
}

/** What each command takes and gives. */
export interface Commands {
  /** What this server and this token can do. For: anybody. */
  capabilities: { takes: Record<string, never>; gives: Capabilities };
  /** Where the person stands now. For: anybody. */
  state: { takes: Record<string, never>; gives: State };
  /** Changes the language of the frame. For: anybody. */
  setLanguage: { takes: { language: "fi" | "sv" | "en" }; gives: void };
  /** Changes the look. For: anybody. */
  setTheme: { takes: { theme?: "auto" | "light" | "dark"; accent?: string }; gives: void };
  /** Comes in without the device check. What the page cannot give is consent: who was never asked is not written down until they agree themselves. For: participant. */
  join: { takes: { name?: string; microphone?: boolean; camera?: boolean }; gives: void };
  /** Gives the seat up. For: participant. */
  leave: { takes: Record<string, never>; gives: void };
  /** As the button in the frame: leaves the conversation, and the player is as loud as before. For: participant. */
  returnToStream: { takes: Record<string, never>; gives: void };
  /** Opens or closes the microphone. A method may keep it closed for now; then it opens when the person's turn comes. For: participant. */
  setMicrophone: { takes: { on: boolean }; gives: void };
  /** Opens or closes the camera. For: participant. */
  setCamera: { takes: { on: boolean }; gives: void };
  /** Ends sharing; or begins it, which browsers allow only just after a press inside the frame (else `needs-gesture`). For: participant. */
  setScreenshare: { takes: { on: boolean }; gives: void };
  /** Chooses devices by their ids in the frame. For: participant. */
  setDevices: { takes: { microphone?: string; camera?: string; speaker?: string }; gives: void };
  /** What is sent and received. For: participant. */
  setLowData: { takes: { data: "all" | "save" | "sound" }; gives: void };
  /** Puts the hand up or down. For: participant. */
  raiseHand: { takes: { on: boolean }; gives: void };
  /** Shown to the room for a moment. For: participant. */
  react: { takes: { reaction: "clap" | "heart" | "laugh" | "wonder" | "thumbs-up" }; gives: void };
  /** Writes to the own room. For: participant. */
  sendChat: { takes: { text: string }; gives: void };
  /** Calls a facilitator, or needs none any more. For: participant. */
  callForHelp: { takes: { on: boolean }; gives: void };
  /** Pauses the writing down of this person's words; `false` resumes it for who has agreed before (else `not-allowed`). For: participant. */
  pauseTranscription: { takes: { on: boolean }; gives: void };
  /** Opens the chat, or closes it. For: participant. */
  openPanel: { takes: { panel: "chat" | "none" }; gives: void };
  /** Ready to go on, where the phase asks. For: participant. */
  setReady: { takes: { on: boolean }; gives: void };
  /** The own turn is over. For: participant. */
  passTurn: { takes: Record<string, never>; gives: void };
  /** Breakout rooms 1 to `count` are open. For: facilitator. */
  openRooms: { takes: { count: number }; gives: void };
  /** Everybody comes back to the main room. For: facilitator. */
  closeRooms: { takes: Record<string, never>; gives: void };
  /** Spreads everybody in the main room evenly over the open rooms. For: facilitator. */
  assign: { takes: Record<string, never>; gives: void };
  /** Puts a person into a room, `main` or `room-N`. For: facilitator, assistant. */
  move: { takes: { participant: number; room: string }; gives: void };
  /** Runs a method of the server by its id. For: facilitator. */
  runMethod: { takes: { method: string; question?: string; warn_s?: number }; gives: void };
  /** Ends the phase; `at_once`: without time to finish the sentence. For: facilitator. */
  nextPhase: { takes: { at_once?: boolean }; gives: void };
  /** Stops the clock, or lets it go on. For: facilitator. */
  pauseTimer: { takes: { on: boolean }; gives: void };
  /** Makes the phase longer. For: facilitator. */
  extendTimer: { takes: { seconds: number }; gives: void };
  /** Ends the method; everybody comes back. For: facilitator. */
  stopMethod: { takes: Record<string, never>; gives: void };
  /** Writes to everybody in every room. For: facilitator. */
  broadcast: { takes: { text: string }; gives: void };
  /** Has seen a call for help; `done`: it is over. For: facilitator, assistant. */
  answerHelp: { takes: { participant: number; done?: boolean }; gives: void };
  /** Lowers a person's hand. For: facilitator, assistant. */
  lowerHand: { takes: { participant: number }; gives: void };
  /** Ends the sharing of a person's screen. For: facilitator, assistant. */
  endShare: { takes: { participant: number }; gives: void };
  /** Ends the session for everybody. For: facilitator. */
  endSession: { takes: Record<string, never>; gives: void };
  /** Searches what was written down. For: reviewer. */
  search: { takes: { text: string; offset?: number }; gives: SearchAnswer };
}
export type CommandName = keyof Commands;

/** The `detail` of each event. */
export interface Events {
  /** The frame is connected and the token is good: commands are answered from now on. */
  "ready": { role: "participant" | "facilitator" | "assistant" | "reviewer"; title: string };
  /** The session is over for everybody. */
  "session.ended": Record<string, never>;
  /** Where this person stands: the device check, joining, in a room, gone. */
  "phase.changed": { phase: "preparing" | "joining" | "in-room" | "left" | "ended" | "refused" };
  /** The person has let the browser use a device. */
  "device.granted": { device: "microphone" | "camera" };
  /** A device cannot be used, and why. */
  "device.denied": { device: "microphone" | "camera"; problem: string };
  /** This person is in. */
  "joined": { participant: number; room: string };
  /** This person is out, by their own act or by a refusal. */
  "left": { reason: "left" | "ended" | "refused" };
  /** Somebody came into this person's room. */
  "person.joined": { participant: number; name: string };
  /** Somebody is not in this person's room any more. */
  "person.left": { participant: number };
  /** Microphone, camera, consent or presence of somebody here has changed. */
  "person.updated": { participant: number; microphone: boolean; camera: boolean; consent: "on" | "off-the-record" | "declined"; present: boolean };
  /** The own microphone. */
  "microphone.changed": { on: boolean };
  /** The own camera. */
  "camera.changed": { on: boolean };
  /** Whether somebody shares a screen in this room, and who. */
  "screen.changed": { participant: number | null };
  /** The chat was opened or closed. */
  "panel.changed": { panel: "chat" | "none" };
  /** Who has a hand up in this room, in the order of the queue. */
  "hand.changed": { hands: number[] };
  /** Somebody shows what they feel. */
  "reaction": { participant: number; reaction: string };
  /** Somebody has written to the room. */
  "chat.message": { participant: number; name: string; text: string; at_ms: number };
  /** A facilitator has written to everybody. */
  "broadcast.received": { text: string };
  /** Somebody began or stopped to speak. */
  "speaking.changed": { participant: number; on: boolean };
  /** There are small rooms now. For a participant: they are in one, and the page's player is turned down. */
  "rooms.opened": { count: number | null };
  /** There are none any more. For a participant: they are back in the main room, and the player is as before. */
  "rooms.closed": Record<string, never>;
  /** This person is in another room. */
  "room.changed": { room: string; reason: "step" | "late" | "alone" | "company" | "host" | "own" | null; people: number[] };
  /** This person has gone back to the stream. */
  "stream.returned": Record<string, never>;
  /** A method runs. */
  "method.started": { method: string; question: string };
  /** None runs any more. */
  "method.ended": Record<string, never>;
  /** A phase, or a round of one, has begun. `left_ms` is null where the facilitator ends it. */
  "round.started": { phase: number; round: number; of: number; left_ms: number | null };
  /** Time is up; people finish their sentences and are moved in `grace_ms`. */
  "round.ending": { grace_ms: number };
  /** Every second while a phase has a clock. */
  "timer.tick": { left_ms: number };
  /** The phase ends soon. */
  "timer.warning": { left_ms: number };
  /** Whose turn it is to speak, where a method gives turns. */
  "turn.changed": { participant: number | null; mine: boolean };
  /** Somebody here calls a facilitator (for a facilitator: somebody anywhere). */
  "help.requested": { participant: number; room: string };
  /** A facilitator knows of the call. */
  "help.answered": { participant: number };
  /** Words that somebody in this room said and that are written down. */
  "caption.final": { participant: number; name: string; language: "fi" | "sv" | "en"; text: string; start_ms: number; end_ms: number };
  /** This person, or somebody else here, has taken back what they said in that time: no `caption.final` of theirs that shares time with it may be shown or kept. */
  "caption.struck": { participant: number; start_ms: number; end_ms: number };
  /** Whether this person's words are written down. */
  "consent.changed": { consent: "on" | "off-the-record" | "declined" };
  /** How evenly the room has talked: parts of the talk time without names, largest first. */
  "balance.updated": { shares: number[]; effective_voices: number };
  /** For a facilitator: every room and who is in it, at most four times a second. */
  "overview.changed": { rooms: { room: string; people: { participant: number; name: string; present: boolean }[]; hands: number[] }[] };
  /** The line to the server. */
  "connection.changed": { state: "connecting" | "open" | "lost" | "closed" };
  /** What the element has done with the page's player. */
  "player.changed": { ducked: boolean };
  /** What the frame has just told a screen reader. */
  "a11y.announce": { text: string };
  /** A refusal or a fault. After a fatal one the frame says so and offers what can be done. */
  "error": { code: ErrorCode; text: string; fatal: boolean; retry_after_ms: number | null };
}
export type EventName = keyof Events;
