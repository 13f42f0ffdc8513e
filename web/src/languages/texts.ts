// Every text of the pages, as one type: a language that lacks one does not compile. Only words here;
// it never decides when they are shown.

import type { Aim, Assign, Colour, Harvest, Turns, WireKind, WireLanguage, WireLevel, WireMark, WireReaction } from "../wire/wire";

/** A fault or a refusal: what has happened, and what the person can do. */
export interface Told {
  title: string;
  text: string;
}

export interface Texts {
  /** BCP 47, for numbers and times. */
  locale: string;

  common: {
    tagline: string;
    chooseLanguage: string;
    skip: string;
    tryAgain: string;
    loadAgain: string;
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
    keep: string;
    keepHint: string;
    keepUsual: string;
    keepFor: (days: number) => string;
    create: string;
    creating: string;
    titleMissing: string;
    promises: readonly Told[];
  };

  transcription: {
    missing: Told;
    damaged: Told;
    off: Told;
    /** To those who take part. */
    plain: string;
    forPeople: string;
  };

  join: {
    pageTitle: string;
    welcome: string;
    lead: string;
    back: string;
    name: string;
    nameHint: string;
    nameMissing: string;
    organisation: string;
    organisationHint: string;
    optional: string;
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
    keptFor: (days: number) => string;
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

  /** A method that runs, as a participant sees it. */
  steps: {
    now: string;
    round: (round: number, of: number) => string;
    phase: (phase: number, of: number) => string;
    question: string;
    topic: string;
    where: string;
    rules: string;
    role: string;
    left: string;
    open: string;
    paused: string;
    finish: (seconds: number) => string;
    movingOn: string;
    timeLeft: (time: string) => string;
    warned: (time: string) => string;
    unwritten: string;
    finishTold: string;
    told: (phase: string, instruction: string) => string;
    over: string;

    myTurn: string;
    turnOf: (name: string) => string;
    nobodysTurn: string;
    pass: string;
    others: { round: string; stick: string };
    myTurnTold: string;

    held: {
      now: string;
      silent: string;
      turn: (name: string) => string;
      seats: string;
      roles: (names: string[]) => string;
      other: string;
      returns: string;
      again: string;
      mayOpen: string;
    };

    write: {
      note: string;
      noteHint: string;
      private: string;
      privateHint: string;
      card: string;
      cardHint: string;
      line: string;
      lineHint: string;
      lacking: string;
      saving: string;
      saved: string;
      unsaved: string;
      offline: string;
      /** Of whoever writes for the group: to them, and to the others. `role` is its name in the method. */
      scribe: { own: (role: string) => string; other: (role: string) => string; alone: (role: string) => string };
      writing: (who: readonly string[]) => string;
      think: string;
    };
    somebody: string;

    ready: string;
    readyCount: (ready: number, of: number) => string;

    score: {
      title: string;
      question: string;
      low: string;
      high: string;
      hidden: string;
      noCard: string;
    };

    topics: {
      title: string;
      add: string;
      submit: string;
      none: string;
    };

    ideas: {
      alone: string;
      aloneHint: string;
      room: string;
      roomHint: string;
      add: string;
      submit: string;
      none: string;
      count: (count: number) => string;
      edit: string;
      editOf: (text: string) => string;
      text: string;
      save: string;
      cancel: string;
      remove: string;
      removeOf: (text: string) => string;
      apart: string;
      apartOf: (text: string) => string;
      combine: string;
      combineTitle: (count: number) => string;
      choose: string;
      chosen: string;
      chooseOf: (text: string) => string;
      chosenCount: (chosen: number, of: number) => string;
      combined: string;
      mine: string;
      from: (count: number) => string;
      takenBack: string;
      /** Takes the words back while the session is on. */
      strike: string;
      strikeOf: (text: string) => string;
      groupHint: string;
      groupName: string;
      groupOf: (text: string) => string;
      groupDo: string;
      groupDoOf: (text: string) => string;
      ungrouped: string;
      vote: string;
      give: string;
      given: string;
      giveOf: (votes: number, text: string) => string;
      left: (votes: number) => string;
      ownLimit: (votes: number) => string;
      hidden: string;
      votes: (votes: number) => string;
      voters: (people: number) => string;
      result: string;
      counted: string;
      nothing: string;
    };

    seats: {
      title: string;
      seated: (names: string[]) => string;
      empty: string;
      take: string;
      leave: string;
      you: string;
      hint: string;
      sign: string;
      turnSign: string;
    };

    places: {
      title: string;
      hint: string;
      goShort: string;
      here: string;
      back: string;
    };

    harvest: {
      lines: string;
      ranking: string;
      points: (points: number) => string;
      scores: (scores: number) => string;
    };

    moved: {
      step: string;
      together: string;
      late: (phase: string) => string;
      alone: string;
      company: string;
      host: string;
      own: string;
    };
    movedTitle: string;
  };

  /** Beside speaking: hands, reactions, chat, help. */
  talk: {
    bar: string;
    /** On a button; with `handUp`, the place in the queue from 1. */
    hand: string;
    handLong: string;
    handUp: (place: number) => string;
    handOf: (place: number) => string;
    handsUp: (names: string[]) => string;
    myHandLowered: string;
    react: string;
    reactLong: string;
    reactions: Record<WireReaction, string>;
    reacted: (name: string, reaction: string) => string;
    chat: string;
    chatLong: string;
    /** After `chatLong`. */
    unread: (count: number) => string;
    title: string;
    empty: string;
    write: string;
    writeHint: string;
    send: string;
    host: string;
    kept: string;
    notKept: string;
    notKeptOwn: string;
    posted: (name: string) => string;
    fromHost: string;
    help: string;
    helpLong: string;
    called: string;
    calledBy: (name: string) => string;
    calledWhere: string;
    seen: string;
    cancelCall: string;
    endCall: string;
    sharing: (name: string) => string;
    sharingEnded: (name: string) => string;
    shares: string;
  };

  /** In which language a person speaks. */
  spoken: {
    title: string;
    hint: string;
    /** It is found by listening. */
    byEar: string;
    byEarHint: string;
    /** As it is heard now. */
    writtenIn: Record<WireLanguage, string>;
    change: string;
  };

  captions: {
    title: string;
    empty: string;
    readAloud: string;
    toNewest: string;
    cameTo: (room: string) => string;
    /** Of words that are still being said. */
    unfinished: string;
    followed: string;
    followedNoMore: string;
    look: {
      open: string;
      title: string;
      sample: string;
      kept: string;
      size: { title: string; normal: string; large: string; larger: string; largest: string };
      colours: { title: string; page: string; dark: string; yellow: string; light: string };
      place: { title: string; side: string; above: string; below: string };
    };
  };

  /** What people say something is to them. */
  marks: {
    title: string;
    /** In the order of the keys 1 to 6. */
    names: Record<WireMark, string>;
    set: (mark: string) => string;
    open: (name: string) => string;
    keys: string;
  };

  balance: {
    title: string;
    hint: string;
    waiting: string;
    likeVoices: (voices: number, of: number) => string;
    own: string;
    ownOnlyYou: string;
    /** Without a turn: not a word of zero. */
    ownText: (share: number, talk_ms: number, turns: number) => string;
    /** Small signs that one listens, given to others while they talked. */
    listening: (signs: number) => string;
    /** To the room, when somebody has not been heard: never about them. */
    invites: string;
  };

  /** After a round. */
  lookBack: {
    title: (lasted: string) => string;
    heard: (heard: number, of: number) => string;
    turns: (turns: number) => string;
    support: (signs: number) => string;
    peopleHeard: (people: number) => string;
  };

  /** What a person may keep at the end. */
  keepMine: {
    title: string;
    text: string;
    save: string;
    /** The name of the file. */
    file: string;
    /** What there was none of is not in them. */
    lines: (own: { talk_ms: number; turns: number; backchannels: number; people_heard: number; rounds: number }) => string[];
  };

  /** Words that are not written down, or not any more. */
  offTheRecord: {
    off: { "off-by-method": string; "off-by-host": string; "off-by-room": string };
    turnOff: string;
    turnOffHint: string;
    turnOn: string;
    strike: string;
    strikeHint: string;
    struck: string;
    /** Where it stood. */
    struckLine: string;
  };

  /** How a person takes part: devices, keys, data, screens. */
  controls: {
    devices: string;
    speaking: {
      title: string;
      switch: Told;
      hold: Told;
      /** On the button: at rest, and while one is heard. */
      holdShort: string;
      heard: string;
      holdLong: string;
    };
    cleaning: {
      title: string;
      text: string;
      noiseSuppression: Told;
      echoCancellation: Told;
      autoGainControl: Told;
      unsupported: string;
    };
    data: {
      title: string;
      all: Told;
      save: Told;
      sound: Told;
      suggested: string;
      soundOnly: string;
      larger: string;
      picturesAgain: string;
      noCamera: string;
    };
    keys: {
      title: string;
      text: string;
      show: string;
      list: string;
      space: string;
      talk: string;
      microphone: string;
      camera: string;
      transcript: string;
    };
    window: {
      open: string;
      close: string;
      openLong: string;
      hint: string;
      title: string;
    };
    screen: {
      share: string;
      stop: string;
      shareLong: string;
      mine: string;
      /** Beside the picture. */
      of: (name: string) => string;
      by: (name: string) => string;
      waiting: string;
      full: string;
    };
    /** `label`: as the browser names the device. */
    notice: Record<"gone" | "back" | "new", Record<"microphone" | "camera" | "speaker", (label: string) => string>> & {
      interrupted: string;
      use: string;
    };
  };

  left: Told & { again: string };
  ended: Told;

  host: {
    /** The switch for all rooms, on and off. */
    transcribes: string;
    transcribesNot: string;
    transcribesHint: string;
    /** The switch of one room, on and off. */
    roomWrites: string;
    roomWritesNot: string;
    lastRound: string;
    roomsNotPeople: string;
    pageTitle: string;
    links: string;
    joinLink: string;
    joinLinkHint: string;
    reviewLink: string;
    reviewLinkHint: string;
    /** For a page of the integrator's own: what it is, the lines, what else they need. */
    ownPage: string;
    ownPageLines: string;
    ownPageHint: string;
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
    pin: string;
    unpin: string;
    pinned: string;
    calls: {
      title: (count: number) => string;
      of: (name: string) => string;
      waited: (time: string) => string;
      justNow: string;
      see: string;
      seen: string;
      end: string;
      told: (name: string, room: string) => string;
    };
    broadcast: {
      open: string;
      title: string;
      text: string;
      write: string;
      send: string;
      sent: string;
    };
    /** Words and names to be heard rightly. */
    glossary: { open: string; title: string; text: string; label: string; hint: string; save: string };
    /** Reading the captions of a room along. */
    reading: {
      start: string;
      stop: string;
      title: (room: string) => string;
      hint: string;
      empty: string;
      another: string;
    };
    hand: (place: number) => string;
    lowerHand: (name: string) => string;
    shares: string;
    endShare: (name: string) => string;
    keep: {
      open: string;
      title: string;
      text: string;
      first: string;
      second: string;
      rule: string;
      apart: string;
      together: string;
      asItComes: string;
      save: string;
      choose: string;
      made: string;
      said: (a: string, b: string) => string;
    };
    method: {
      title: string;
      lead: string;
      choose: string;
      chosen: string;
      another: string;
      loading: string;
      unreachable: string;
      upload: string;
      uploadHint: string;
      faults: (count: number) => string;
      fault: (line: number, text: string) => string;
      suits: (min: number, max: number) => string;
      length: (time: string) => string;
      question: string;
      questionHint: string;
      topics: string;
      topicsHint: string;
      phases: string;
      minutes: (phase: string) => string;
      minutesShort: string;
      perPerson: string;
      untilYou: string;
      size: (phase: string) => string;
      sizeShort: string;
      more: string;
      warn: string;
      warnHint: string;
      people: string;
      peopleHint: (present: number) => string;
      tooFew: (people: number, min: number) => string;
      tooMany: (people: number, max: number) => string;
      export: string;
      start: string;
      startHint: string;
      nobody: string;
    };
    plan: {
      title: string;
      summary: (people: number, time: string, steps: number) => string;
      partners: (min: number, max: number, mean: number) => string;
      noRepeats: string;
      repeats: (count: number) => string;
      timetable: string;
      clock: string;
      phase: string;
      length: string;
      rooms: string;
      allTogether: string;
      openEnd: string;
      roomsOf: (rooms: number, sizes: string) => string;
      size: (rooms: number, people: number) => string;
      who: string;
      room: string;
      round: (round: number, of: number) => string;
      matrix: string;
      matrixText: (met: number, pairs: number, twice: number) => string;
      once: string;
      twice: string;
      never: string;
      refused: (text: string) => string;
      person: (number: number) => string;
      about: string;
    };
    run: {
      title: string;
      pause: string;
      resume: string;
      paused: string;
      extend: (minutes: number) => string;
      next: string;
      nextHint: string;
      nextNow: string;
      nextNowHint: string;
      stop: string;
      stopQuestion: Told;
      stopConfirm: string;
      script: string;
      coming: string;
      last: string;
      ready: (ready: number, of: number) => string;
      openEnd: string;
      finishing: (seconds: number) => string;
      goesOn: string;
      extendGroup: string;
      ends: (time: string) => string;
    };
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
    narrow: string;
    narrowBy: {
      kinds: string;
      marks: string;
      phases: string;
      questions: string;
      languages: string;
      sessions: string;
      rooms: string;
      participants: string;
    };
    kinds: Record<WireKind, string>;
    showAll: (shown: string) => string;
    context: string;
    alike: string;
    noAlike: string;
    closeContext: string;
    collect: string;
    collectHint: string;
    collected: (theme: string) => string;
    theme: string;
    newTheme: string;
    takeOff: string;
    views: { lines: string; timeline: string; meetings: string; board: string; ideas: string; pilots: string };
    comments: {
      title: string;
      count: (comments: number) => string;
      add: string;
      text: string;
      name: string;
      send: string;
      remove: string;
      /** Where a writer has given no name. */
      nobody: string;
    };
    /** Who met whom in the small rooms. */
    meetings: {
      title: string;
      nothing: string;
      pairs: string;
      ofPairs: (met: string, pairs: string) => string;
      /** The middle one of how many others people have met. */
      each: string;
      range: (fewest: number, most: number) => string;
      again: string;
      nobody: string;
      unnamed: (people: number) => string;
      person: string;
      search: string;
      /** How many names begin as typed, and how many of them are shown. */
      found: (names: number, shown: number) => string;
      of: (name: string, others: number) => string;
      /** Whom somebody met when no round put them together: the host moved them, or they came later. */
      otherwise: string;
      alone: string;
      oftener: (name: string, times: number) => string;
      inAll: (met: number, pairs: number, again: number) => string;
      rounds: string;
      table: string;
      name: string;
      metOthers: string;
      whom: string;
    };
    boardEmpty: Told;
    timelineTitle: string;
    timelineHint: string;
    timelineTable: string;
    spoke: (name: string, times: number, minutes: string) => string;
    marksOverTime: string;
    addSession: string;
    addSessionDo: string;
    addSessionHint: string;
    badLink: string;
    keysHint: string;
    nameless: string;
    timeWord: string;
  };

  methods: MethodTexts;

  /** In a frame in somebody else's page. */
  embed: {
    connecting: string;
    returnToStream: string;
    returned: Told & { again: string };
  };

  /** By the codes of the server, and those the page makes itself. */
  faults: Record<FaultCode, Told>;
  otherFault: Told;
  check: {
    title: string;
    lead: (name: string) => string;
    until: (day: string) => string;
    kept: (days: number) => string;
    lines: (count: number) => string;
    struck: (count: number) => string;
    nothing: string;
    kinds: Record<string, string>;
    text: string;
    correct: string;
    correctOf: (text: string) => string;
    strike: string;
    strikeOf: (text: string) => string;
    save: string;
    corrected: string;
    correctedBadge: string;
    struckNow: string;
    approveHint: string;
    approve: string;
    approved: string;
    take: string;
    withdraw: string;
    nameGone: string;
    eraseAll: string;
    allGone: string;
    sure: { strike: Told; name: Told; all: Told };
    yes: { strike: string; name: string; all: string };
    invite: (days: number) => string;
    open: string;
    keepLink: string;
    keepLinkHint: string;
  };

  /** How a method worked, as people say it after the end. */
  pilot: {
    title: string;
    lead: string;
    questions: { heard: string; clear: string; fresh: string; again: string };
    levels: Record<WireLevel, string>;
    line: string;
    lineHint: string;
    send: string;
    pass: string;
    thanks: string;
    figures: string;
    answers: (answers: number) => string;
    few: string;
    lines: (lines: number) => string;
  };

  /** Sessions that were held. */
  library: {
    title: string;
    lead: string;
    words: string;
    method: string;
    everyMethod: string;
    noMethod: string;
    theme: string;
    themes: string;
    everyTheme: string;
    from: string;
    until: string;
    found: (count: number, of: number) => string;
    searchAll: (sessions: number) => string;
    open: string;
    goesOn: string;
    inSessions: (sessions: number) => string;
    empty: Told;
    add: string;
    addHint: string;
    badLink: string;
    full: (sessions: number) => string;
    toLibrary: string;
  };

  exports: {
    open: string;
    title: string;
    text: string;
    what: string;
    everything: string;
    summary: string;
    summaryHint: string;
    room: string;
    everyRoom: string;
    format: string;
    /** By the ending of the file; the order is that of the menu. */
    formats: Record<string, string>;
    language: string;
    pseudonyms: string;
    pseudonymsHint: string;
    save: string;
    saving: (kilobytes: number) => string;
    saved: (name: string) => string;
    noted: string;
  };

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
  | "origin-not-allowed"
  | "not-embedded"
  | "token-expired"
  | "bad-claims"
  | "ticket-used"
  | "unknown-method"
  | "launch-refused"
  | "nowhere";

/** The gallery, a method's page, its picture in words. Times are in seconds. */
export interface MethodTexts {
  pageTitle: string;
  title: string;
  lead: string;
  /** On the start page. */
  invitation: Told;
  chosen: string;
  change: string;
  toAll: string;
  query: string;
  queryHint: string;
  people: string;
  minutes: string;
  aim: string;
  anyAim: string;
  aims: Record<Aim, string>;
  clear: string;
  results: string;
  found: (count: number, of: number) => string;
  nothingFound: Told;
  forPeople: (min: number, max: number) => string;
  ideally: (people: number) => string;
  /** All of it, in minutes. */
  takes: (minutes: number) => string;
  run: string;
  download: string;
  print: string;
  phases: string;
  phaseCount: (count: number) => string;
  forFacilitator: string;
  roles: string;
  stays: string;
  speaks: string;
  listens: string;
  howMany: (count: number | null) => string;
  rules: string;
  source: string;
  notWritten: string;
  length: (seconds: number) => string;
  perPerson: (seconds: number) => string;
  untilHost: string;
  whenReady: string;
  rounds: (count: number) => string;
  /** Of phases that are gone through together. */
  cycle: (times: number | null) => string;
  cycleEach: (role: string) => string;
  assign: Record<Assign, (size: number) => string>;
  turns: Record<Exclude<Turns, "free">, string>;
  speaking: (roles: readonly string[]) => string;
  harvest: Record<Exclude<Harvest, "speech">, string>;
  colours: Record<Colour, string>;
  pictured: (name: string, phases: readonly string[]) => string;
  youAreHere: string;
  here: (name: string, round: number, of: number) => string;
}
