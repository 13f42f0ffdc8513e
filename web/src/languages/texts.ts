// Every text of the pages, as one type: a language that lacks one does not compile. Only words here;
// it never decides when they are shown.

/** A fault or a refusal: what has happened, and what the person can do. */
export interface Told {
  title: string;
  text: string;
}

export interface Texts {
  /** The language's own name for itself. */
  name: string;
  /** BCP 47, for numbers and times. */
  locale: string;

  common: {
    tagline: string;
    chooseLanguage: string;
    skip: string;
    tryAgain: string;
    close: string;
    cancel: string;
    toStart: string;
    loading: string;
    copy: string;
    copied: string;
    mainRoom: string;
    room: (number: number) => string;
    people: (count: number) => string;
    newTab: string;
  };

  start: {
    title: string;
    lead: string;
    picture: string;
    formTitle: string;
    sessionTitle: string;
    sessionTitleHint: string;
    language: string;
    languageHint: string;
    create: string;
    creating: string;
    titleMissing: string;
    promises: readonly Told[];
  };

  transcription: {
    missing: Told;
    damaged: Told;
    off: Told;
    forPeople: string;
    whatToDo: string;
  };

  join: {
    pageTitle: string;
    welcome: string;
    lead: string;
    back: string;
    name: string;
    nameHint: string;
    nameMissing: string;
    language: string;
    languageHint: string;
    devices: string;
    openDevices: string;
    openingDevices: string;
    devicesWhy: string;
    microphone: string;
    camera: string;
    speaker: string;
    defaultDevice: string;
    useMicrophone: string;
    useCamera: string;
    level: string;
    levelGood: string;
    levelQuiet: string;
    testSpeaker: string;
    preview: string;
    cameraOff: string;
    consentTitle: string;
    consentExplained: readonly string[];
    consentOn: string;
    consentOnHint: string;
    consentDeclined: string;
    consentDeclinedHint: string;
    consentMissing: string;
    consentPaused: string;
    consentUnasked: string;
    continueHere: string;
    submit: string;
    submitListening: string;
    joining: string;
    withoutMicrophone: string;
  };

  problems: {
    "no-microphone": Told;
    denied: Told;
    busy: Told;
    insecure: Told;
    "no-camera": string;
    "camera-denied": string;
    "camera-busy": string;
  };

  room: {
    you: string;
    youAre: string;
    microphone: string;
    camera: string;
    writing: string;
    on: string;
    off: string;
    paused: string;
    leave: string;
    settings: string;
    microphoneOff: string;
    away: string;
    speaking: string;
    written: string;
    notWritten: string;
    alone: Told;
    reconnecting: string;
    mediaReconnecting: string;
    soundBlocked: string;
    turnSoundOn: string;
    moved: (room: string, names: string[]) => string;
    joined: (names: string[]) => string;
    left: (names: string[]) => string;
    others: (count: number) => string;
    people: string;
    toolbar: string;
    shortcuts: string;
    shortcutsHint: string;
    done: string;
  };

  captions: {
    title: string;
    empty: string;
    readAloud: string;
    toNewest: string;
    cameTo: (room: string) => string;
  };

  balance: {
    title: string;
    hint: string;
    waiting: string;
    likeVoices: (voices: number, of: number) => string;
    centre: (of: number) => string;
    own: string;
    ownOnlyYou: string;
    ownText: (share: number, talk_ms: number, turns: number) => string;
  };

  left: Told & { again: string };
  ended: Told;

  host: {
    pageTitle: string;
    links: string;
    joinLink: string;
    joinLinkHint: string;
    reviewLink: string;
    reviewLinkHint: string;
    joinYourself: string;
    openReview: string;
    rooms: string;
    roomsCount: string;
    openRooms: (count: number) => string;
    changeRooms: (count: number) => string;
    closeRooms: string;
    spread: string;
    spreadHint: string;
    move: (name: string) => string;
    nobody: string;
    nobodyYet: Told;
    dragHint: string;
    end: string;
    endQuestion: Told;
    endConfirm: string;
    ended: Told;
    microphoneOn: string;
    microphoneOff: string;
    cameraOn: string;
    away: string;
    present: (count: number, rooms: number) => string;
    connecting: string;
  };

  review: {
    pageTitle: string;
    query: string;
    queryHint: string;
    speaker: string;
    everybody: string;
    room: string;
    everyRoom: string;
    found: (count: number, query: string) => string;
    all: (count: number) => string;
    nothingFound: Told;
    nothingYet: Told;
    more: (left: number) => string;
    goingOn: string;
    held: (date: string) => string;
    clear: string;
    intoSession: string;
    results: string;
  };

  /** By the codes of the server, and those the page makes itself. */
  faults: Record<FaultCode, Told>;
  otherFault: Told;
  /** Non-fatal refusals, in one sentence. */
  refusals: Record<string, string>;
  otherRefusal: string;
}

export type FaultCode =
  | "unknown-session"
  | "bad-token"
  | "not-allowed"
  | "room-full"
  | "session-full"
  | "session-ended"
  | "replaced"
  | "bad-name"
  | "too-slow"
  | "internal"
  | "unreachable"
  | "nowhere";
