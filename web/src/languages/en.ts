// The texts in English.
import type { Texts } from "./texts";
import { listed, minutes, oneDecimal, percent } from "./words";

const LOCALE = "en-GB";
const names = (it: readonly string[]) => listed(it, LOCALE, (n) => `${n} others`);

export const en: Texts = {
  name: "English",
  locale: LOCALE,

  common: {
    tagline: "Everyone gets a turn",
    chooseLanguage: "Language of the page",
    skip: "Skip to content",
    tryAgain: "Try again",
    close: "Close",
    cancel: "Cancel",
    toStart: "To the start page",
    loading: "One moment…",
    copy: "Copy",
    copied: "Copied",
    mainRoom: "Main room",
    room: (number) => `Room ${number}`,
    people: (count) => (count === 1 ? "1 person" : `${count} people`),
    newTab: "opens in a new tab",
  },

  start: {
    title: "From listeners to people in conversation",
    lead:
      "Vuoro gives the people at your webinar small rooms where everyone gets a turn to speak – and writes down what was said, so that no good idea is lost.",
    picture: "Three small rooms with people in them. An arrow takes one person on to the next room.",
    formTitle: "New session",
    sessionTitle: "What is the session called?",
    sessionTitleHint: "For example: Residents’ evening about the new school",
    language: "Language of the session",
    languageHint: "Everyone can still choose their own.",
    create: "Create the session",
    creating: "Creating…",
    titleMissing: "Give the session a name first.",
    promises: [
      { title: "Nothing to install", text: "One link in the browser, on a phone or a laptop." },
      { title: "Speech becomes text", text: "On this server only. The sound is never stored." },
      { title: "No cookies", text: "No accounts, no tracking, no outside services." },
    ],
  },

  transcription: {
    missing: {
      title: "Speech is not turned into text: the speech model is missing",
      text: "On the server, run scripts/fetch-model base and restart Vuoro.",
    },
    damaged: {
      title: "Speech is not turned into text: the speech model is damaged",
      text: "On the server, fetch it again with scripts/fetch-model base and restart Vuoro.",
    },
    off: {
      title: "Speech is not turned into text: it is switched off",
      text: "The administrator can switch it on in the server’s settings.",
    },
    forPeople: "The conversation itself works as usual.",
    whatToDo: "What to do",
  },

  join: {
    pageTitle: "Join",
    welcome: "Welcome",
    lead: "Check your sound and picture, then come in. It takes half a minute.",
    back: "Your seat is waiting for you. Come back in.",
    name: "Your name",
    nameHint: "The others see it. First name is fine.",
    nameMissing: "Write your name first.",
    language: "Language you speak",
    languageHint: "Helps in turning your speech into text.",
    devices: "Sound and picture",
    openDevices: "Turn on microphone and camera",
    openingDevices: "Answer the browser’s question: allow.",
    devicesWhy: "The browser asks for your permission. Nobody sees or hears you before you come in.",
    microphone: "Microphone",
    camera: "Camera",
    speaker: "Loudspeaker",
    defaultDevice: "Default",
    useMicrophone: "Microphone on",
    useCamera: "Camera on",
    level: "Loudness of your microphone",
    levelGood: "We hear you well.",
    levelQuiet: "Say something: the bar should move.",
    testSpeaker: "Play a test sound",
    preview: "Your picture, mirrored",
    cameraOff: "Camera is off",
    consentTitle: "May your words be written down?",
    consentExplained: [
      "Your speech is turned into text on this server only, and the text is kept. Nothing goes to outside services.",
      "The sound and the picture are never stored.",
      "You can pause at any time with one button. The others see that you have paused.",
    ],
    consentOn: "Yes, write down what I say",
    consentOnHint: "Your words can be found afterwards with your name.",
    consentDeclined: "No, do not write down what I say",
    consentDeclinedHint: "You can still take part in everything, just like the others.",
    consentMissing: "Choose yes or no before you come in.",
    consentPaused: "You had paused. You come back paused and resume when you wish.",
    consentUnasked: "What is said in this session is neither turned into text nor kept.",
    continueHere: "Continue here",
    submit: "Come in",
    submitListening: "Come in to listen",
    joining: "Joining…",
    withoutMicrophone: "Come in without a microphone",
  },

  problems: {
    "no-microphone": {
      title: "No microphone found",
      text: "Plug in a headset or switch the microphone on in the computer’s settings, then try again. You can also come in to listen.",
    },
    denied: {
      title: "The browser may not use your microphone",
      text: "Click the lock or camera icon beside the address and allow the microphone, then try again. You can also come in to listen.",
    },
    busy: {
      title: "The microphone is in use elsewhere",
      text: "Close other calls, such as Teams or Zoom, or mute them there, then try again. You can also come in to listen.",
    },
    insecure: {
      title: "This address does not allow a microphone",
      text: "Browsers give microphone and camera only on secure (https) pages. Ask the organiser for an address that begins with https://. You can come in to listen.",
    },
    "no-camera": "No camera found. You can come in without one.",
    "camera-denied": "The browser may not use the camera. You can come in without one.",
    "camera-busy": "The camera is in use elsewhere. You can come in without one.",
  },

  room: {
    you: "you",
    youAre: "You are in",
    microphone: "Mic",
    camera: "Camera",
    writing: "Transcript",
    on: "on",
    off: "off",
    paused: "paused",
    leave: "Leave",
    settings: "Settings",
    microphoneOff: "Microphone off",
    away: "Away for a moment",
    speaking: "Speaking",
    written: "In the transcript",
    notWritten: "Not in the transcript",
    alone: { title: "You are the first one here", text: "The others are on their way. Take a breath." },
    reconnecting: "The connection broke. We are taking you back…",
    mediaReconnecting: "Sound and picture are being reconnected…",
    soundBlocked: "The browser has muted the others.",
    turnSoundOn: "Turn sound on",
    moved: (room, others) =>
      others.length === 0
        ? `You are now in: ${room}. Nobody else is here yet.`
        : `You are now in: ${room}. Also here: ${names(others)}.`,
    joined: (who) => `${names(who)} came in.`,
    left: (who) => `${names(who)} left.`,
    others: (count) => `and ${count} more`,
    people: "People in the room",
    toolbar: "Your controls",
    shortcuts: "Keyboard shortcuts",
    shortcutsHint: "M: microphone, V: camera, T: transcript",
    done: "Done",
  },

  captions: {
    title: "What is being said",
    empty: "What people say appears here as text.",
    readAloud: "Let a screen reader read new lines",
    toNewest: "To the newest",
    cameTo: (room) => `You came to: ${room}`,
  },

  balance: {
    title: "Balance of the conversation",
    hint: "The parts have no names. The more even the ring, the more people have been heard.",
    waiting: "The ring appears when you have talked for a while.",
    likeVoices: (voices, of) => {
      const voice = oneDecimal(voices, LOCALE);
      return voice === "1.0" ? `Like one voice of ${of}` : `Like ${voice} voices of ${of}`;
    },
    centre: (of) => `of ${of}`,
    own: "My own part",
    ownOnlyYou: "Only you see this.",
    ownText: (share, talk_ms, turns) =>
      `You have spoken ${percent(share, LOCALE)} of the time: ${minutes(talk_ms)}, ${turns === 1 ? "1 turn" : `${turns} turns`}.`,
  },

  left: { title: "You left the session", text: "Thank you for taking part. The link takes you back in.", again: "Come back in" },
  ended: { title: "The session has ended", text: "Thank you for the conversation. You can close this page." },

  host: {
    pageTitle: "Host",
    links: "Links to hand out",
    joinLink: "For participants",
    joinLinkHint: "Put it beside the webinar or send it in the chat.",
    reviewLink: "For reading afterwards",
    reviewLinkHint: "Whoever has it can read and search what was written down.",
    joinYourself: "Take part yourself",
    openReview: "Read and search",
    rooms: "Rooms",
    roomsCount: "Breakout rooms",
    openRooms: (count) => (count === 1 ? "Open 1 room" : `Open ${count} rooms`),
    changeRooms: (count) => (count === 1 ? "Change to 1 room" : `Change to ${count} rooms`),
    closeRooms: "Bring everybody back",
    spread: "Spread people evenly",
    spreadHint: "Those in the main room go to the rooms, evenly.",
    move: (name) => `Move ${name} to`,
    nobody: "Nobody here",
    nobodyYet: { title: "Nobody has come yet", text: "Hand out the participant link. People appear here as they come in." },
    dragHint: "Move a person with the menu, or drag them to another room.",
    end: "End the session",
    endQuestion: {
      title: "End the session for everybody?",
      text: "All rooms close at once. What was written down stays readable through the review link.",
    },
    endConfirm: "End for everybody",
    ended: { title: "The session has ended", text: "What was written down can be read and searched." },
    microphoneOn: "microphone on",
    microphoneOff: "microphone off",
    cameraOn: "camera on",
    away: "away",
    present: (count, rooms) =>
      `${count === 1 ? "1 person" : `${count} people`} · ${rooms === 0 ? "no rooms open" : rooms === 1 ? "1 room open" : `${rooms} rooms open`}`,
    connecting: "Connecting to the session…",
  },

  review: {
    pageTitle: "What was said",
    query: "Search what was said",
    queryHint: "Words in any form. “In quotes” finds an exact phrase.",
    speaker: "Speaker",
    everybody: "Everybody",
    room: "Room",
    everyRoom: "All rooms",
    found: (count, query) =>
      `${count === 0 ? "Nothing" : count === 1 ? "1 passage" : `${count} passages`} found for “${query}”`,
    all: (count) => (count === 1 ? "1 passage in all" : `${count} passages, in the order of time`),
    nothingFound: { title: "Nothing found", text: "Try another word, a shorter one, or fewer filters." },
    nothingYet: {
      title: "Nothing has been written down yet",
      text: "Words appear here when somebody speaks who has agreed to it.",
    },
    more: (left) => `Show more (${left} left)`,
    goingOn: "The session is still going on. Search again to see the newest.",
    held: (date) => `Held on ${date}`,
    clear: "Clear",
    intoSession: "into the session",
    results: "Passages",
  },

  faults: {
    "unknown-session": {
      title: "We cannot find this session",
      text: "The link may be cut short or the session may have been removed. Ask the organiser for a new link.",
    },
    "bad-token": {
      title: "This link does not work",
      text: "A part of the link is missing or it is for something else. Copy the whole link again, or ask the organiser for a new one.",
    },
    "not-allowed": {
      title: "This link is not for this page",
      text: "Ask the organiser for the right link.",
    },
    "room-full": {
      title: "The room is full",
      text: "Every seat is taken just now. Wait a moment and try again, or tell the organiser.",
    },
    "session-full": {
      title: "The session is full",
      text: "Every seat is taken just now. Wait a moment and try again, or tell the organiser.",
    },
    "session-ended": { title: "The session has ended", text: "Thank you for your interest. You can close this page." },
    replaced: {
      title: "You are taking part elsewhere",
      text: "You opened the session in another tab or on another device. You can also continue here; the other one closes.",
    },
    "bad-name": {
      title: "The name cannot be used",
      text: "It may be empty, too long or have unusual characters. Go back and write another one.",
    },
    "too-slow": {
      title: "Your connection could not keep up",
      text: "Move closer to the wireless router, close other videos and try again. Without a camera it goes more easily.",
    },
    internal: {
      title: "Something went wrong at our end",
      text: "It was not your fault. Try again; if it does not help, tell the organiser.",
    },
    unreachable: {
      title: "The server does not answer",
      text: "Check your network connection and try again.",
    },
    nowhere: { title: "There is no such page", text: "Check the address or ask the organiser for a new link." },
  },
  otherFault: { title: "That did not work", text: "Try again; if it does not help, tell the organiser." },
  refusals: {
    "room-full": "The room is full: eight people at most.",
    "unknown-room": "That room is no longer open.",
    "unknown-participant": "That person is no longer in the session.",
    "bad-room-count": "There can be 1 to 100 rooms.",
    "not-allowed": "You do not have the right to do that.",
    "session-full": "The session is full.",
    "not-sent": "The connection is broken just now. Try again in a moment.",
    "not-copied": "The browser did not allow copying. Select the link and copy it yourself.",
    unreachable: "The server does not answer. Check your network and try again.",
    "bad-title": "That name cannot be used. Try a shorter or simpler one.",
    internal: "Something went wrong at our end. Try again.",
  },
  otherRefusal: "That did not work. Try again.",
};
