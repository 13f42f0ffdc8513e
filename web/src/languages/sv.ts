// The texts in Swedish, as it is written in Finland.
import type { Texts } from "./texts";
import { listed, minutes, oneDecimal, percent } from "./words";

const LOCALE = "sv-FI";
const names = (it: readonly string[]) => listed(it, LOCALE, (n) => `${n} andra`);

export const sv: Texts = {
  name: "Svenska",
  locale: LOCALE,

  common: {
    tagline: "Var och en får sin tur",
    chooseLanguage: "Sidans språk",
    skip: "Gå till innehållet",
    tryAgain: "Försök igen",
    close: "Stäng",
    cancel: "Avbryt",
    toStart: "Till startsidan",
    loading: "Ett ögonblick…",
    copy: "Kopiera",
    copied: "Kopierad",
    mainRoom: "Gemensamma rummet",
    room: (number) => `Rum ${number}`,
    people: (count) => (count === 1 ? "1 person" : `${count} personer`),
    newTab: "öppnas i en ny flik",
  },

  start: {
    title: "Från lyssnare till samtalspartner",
    lead:
      "Vuoro ger webbinariets deltagare smågruppsrum där var och en får ordet. Talet blir samtidigt text, så att ingen god tanke går förlorad.",
    picture: "Tre små rum med människor i. En pil för en person vidare till nästa rum.",
    formTitle: "Nytt möte",
    sessionTitle: "Vad heter mötet?",
    sessionTitleHint: "Till exempel: Invånarkväll om den nya skolan",
    language: "Mötets språk",
    languageHint: "Var och en kan ändå välja sitt eget.",
    create: "Skapa mötet",
    creating: "Skapar…",
    titleMissing: "Ge först mötet ett namn.",
    promises: [
      { title: "Inget att installera", text: "En länk i webbläsaren, på telefon eller dator." },
      { title: "Tal blir text", text: "Endast på den här servern. Ljudet sparas aldrig." },
      { title: "Inga kakor", text: "Inga konton, ingen spårning, inga utomstående tjänster." },
    ],
  },

  transcription: {
    missing: {
      title: "Talet blir inte text: talmodellen saknas",
      text: "Kör scripts/fetch-model base på servern och starta om Vuoro.",
    },
    damaged: {
      title: "Talet blir inte text: talmodellen är skadad",
      text: "Hämta den på nytt till servern med scripts/fetch-model base och starta om Vuoro.",
    },
    off: {
      title: "Talet blir inte text: funktionen är avstängd",
      text: "Administratören kan slå på den i serverns inställningar.",
    },
    forPeople: "Själva samtalet fungerar som vanligt.",
    whatToDo: "Så här gör man",
  },

  join: {
    pageTitle: "Delta",
    welcome: "Välkommen",
    lead: "Kontrollera ljud och bild och kom sedan med. Det tar en halv minut.",
    back: "Din plats väntar på dig. Kom tillbaka.",
    name: "Ditt namn",
    nameHint: "De andra ser det. Förnamnet räcker.",
    nameMissing: "Skriv först ditt namn.",
    language: "Språk du talar",
    languageHint: "Hjälper till att göra ditt tal till text.",
    devices: "Ljud och bild",
    openDevices: "Slå på mikrofon och kamera",
    openingDevices: "Svara på webbläsarens fråga: tillåt.",
    devicesWhy: "Webbläsaren ber om ditt tillstånd. Ingen ser eller hör dig innan du kommer med.",
    microphone: "Mikrofon",
    camera: "Kamera",
    speaker: "Högtalare",
    defaultDevice: "Standard",
    useMicrophone: "Mikrofon på",
    useCamera: "Kamera på",
    level: "Ljudstyrkan i din mikrofon",
    levelGood: "Vi hör dig bra.",
    levelQuiet: "Säg något: stapeln ska röra sig.",
    testSpeaker: "Spela ett testljud",
    preview: "Din egen bild, spegelvänd",
    cameraOff: "Kameran är av",
    consentTitle: "Får det du säger textas?",
    consentExplained: [
      "Ditt tal blir text endast på den här servern, och texten sparas. Ingenting skickas till utomstående.",
      "Ljud och bild sparas aldrig.",
      "Du kan pausa textningen när som helst med en knapp. De andra ser att du har pausat.",
    ],
    consentOn: "Ja, det jag säger får textas",
    consentOnHint: "Dina inlägg går att läsa efteråt med ditt namn.",
    consentDeclined: "Nej, det jag säger får inte textas",
    consentDeclinedHint: "Du kan ändå delta i allt precis som de andra.",
    consentMissing: "Välj ja eller nej innan du kommer med.",
    consentPaused: "Du hade pausat textningen. Den är pausad tills du slår på den igen.",
    consentUnasked: "Det som sägs på det här mötet varken textas eller sparas.",
    continueHere: "Fortsätt här",
    submit: "Kom med",
    submitListening: "Kom och lyssna",
    joining: "Ansluter…",
    withoutMicrophone: "Kom med utan mikrofon",
  },

  problems: {
    "no-microphone": {
      title: "Ingen mikrofon hittades",
      text: "Koppla in ett headset eller aktivera mikrofonen i datorns inställningar och försök igen. Du kan också komma och bara lyssna.",
    },
    denied: {
      title: "Webbläsaren får inte använda mikrofonen",
      text: "Klicka på låset eller kameran intill adressen, tillåt mikrofonen och försök igen. Du kan också komma och bara lyssna.",
    },
    busy: {
      title: "Mikrofonen används någon annanstans",
      text: "Stäng andra samtal, till exempel Teams eller Zoom, och försök igen. Du kan också komma och bara lyssna.",
    },
    insecure: {
      title: "Den här adressen tillåter ingen mikrofon",
      text: "Webbläsare ger mikrofon och kamera bara till skyddade (https) sidor. Be arrangören om en adress som börjar med https://. Du kan komma och lyssna.",
    },
    "no-camera": "Ingen kamera hittades. Du kan komma med utan kamera.",
    "camera-denied": "Webbläsaren får inte använda kameran. Du kan komma med utan kamera.",
    "camera-busy": "Kameran används någon annanstans. Du kan komma med utan kamera.",
  },

  room: {
    you: "du",
    youAre: "Du är i",
    microphone: "Mikrofon",
    camera: "Kamera",
    writing: "Textning",
    on: "på",
    off: "av",
    paused: "pausad",
    leave: "Lämna",
    // A soft hyphen: the buttons are narrow on a phone.
    settings: "Inställ\u00ADningar",
    microphoneOff: "Mikrofonen av",
    away: "Borta ett ögonblick",
    speaking: "Talar",
    written: "Talet textas",
    notWritten: "Talet textas inte",
    alone: { title: "Du är först på plats", text: "De andra är på väg. Ta det lugnt en stund." },
    reconnecting: "Anslutningen bröts. Ansluter på nytt…",
    mediaReconnecting: "Ljud och bild bröts. Ansluter på nytt…",
    soundBlocked: "Webbläsaren har stängt av de andras ljud.",
    turnSoundOn: "Slå på ljudet",
    moved: (room, others) =>
      others.length === 0
        ? `Du är nu här: ${room}. Ingen annan är här ännu.`
        : `Du är nu här: ${room}. Här är ${names(others)}.`,
    joined: (who) => `${names(who)} kom in.`,
    left: (who) => `${names(who)} gick.`,
    others: (count) => `och ${count} till`,
    people: "Personer i rummet",
    toolbar: "Dina reglage",
    shortcuts: "Kortkommandon",
    shortcutsHint: "M: mikrofon, V: kamera, T: textning",
    done: "Klart",
  },

  captions: {
    title: "Det som sägs",
    empty: "Det som sägs visas här som text.",
    readAloud: "Låt skärmläsaren läsa nya rader",
    toNewest: "Till det nyaste",
    cameTo: (room) => `Du kom hit: ${room}`,
  },

  balance: {
    title: "Samtalets balans",
    hint: "Delarna har inga namn. Ju jämnare ring, desto fler har blivit hörda.",
    waiting: "Ringen visas när ni har talat en stund.",
    likeVoices: (voices, of) => {
      const voice = oneDecimal(voices, LOCALE);
      return voice === "1,0" ? `Som en röst av ${of}` : `Som ${voice} röster av ${of}`;
    },
    centre: (of) => `av ${of}`,
    own: "Min egen del",
    ownOnlyYou: "Bara du ser det här.",
    ownText: (share, talk_ms, turns) =>
      `Du har talat ${percent(share, LOCALE)} av tiden: ${minutes(talk_ms)}, ${turns === 1 ? "1 inlägg" : `${turns} inlägg`}.`,
  },

  left: { title: "Du lämnade mötet", text: "Tack för att du var med. Samma länk tar dig tillbaka.", again: "Kom tillbaka" },
  ended: { title: "Mötet är slut", text: "Tack för samtalet. Du kan stänga den här sidan." },

  host: {
    pageTitle: "Samtalsledare",
    links: "Länkar att dela ut",
    joinLink: "Till deltagarna",
    joinLinkHint: "Placera den bredvid webbinariet eller skicka den i chatten.",
    reviewLink: "För läsning efteråt",
    reviewLinkHint: "Den som har länken kan läsa inläggen och söka i dem.",
    joinYourself: "Delta själv",
    openReview: "Läs och sök",
    rooms: "Rum",
    roomsCount: "Smågruppsrum",
    openRooms: (count) => `Öppna ${count} rum`,
    changeRooms: (count) => `Ändra till ${count} rum`,
    closeRooms: "Kalla tillbaka alla",
    spread: "Fördela jämnt",
    spreadHint: "De som är i det gemensamma rummet fördelas jämnt på rummen.",
    move: (name) => `Flytta ${name} till`,
    nobody: "Ingen här",
    nobodyYet: { title: "Ingen har kommit ännu", text: "Dela ut deltagarlänken. Deltagarna syns här allteftersom de kommer." },
    dragHint: "Flytta en person med menyn eller dra den till ett annat rum.",
    end: "Avsluta mötet",
    endQuestion: {
      title: "Avsluta mötet för alla?",
      text: "Alla rum stängs genast. Inläggen går fortfarande att läsa.",
    },
    endConfirm: "Avsluta för alla",
    ended: { title: "Mötet är slut", text: "Det som sades går att läsa och söka i." },
    microphoneOn: "mikrofon på",
    microphoneOff: "mikrofon av",
    cameraOn: "kamera på",
    away: "borta",
    present: (count, rooms) =>
      `${count === 1 ? "1 person" : `${count} personer`} · ${rooms === 0 ? "inga rum öppna" : rooms === 1 ? "1 rum öppet" : `${rooms} rum öppna`}`,
    connecting: "Ansluter till mötet…",
  },

  review: {
    pageTitle: "Det som sades",
    query: "Sök i det som sades",
    queryHint: "Ord i vilken form som helst. ”Inom citattecken” söker en exakt fras.",
    speaker: "Talare",
    everybody: "Alla",
    room: "Rum",
    everyRoom: "Alla rum",
    found: (count, query) =>
      `${count === 0 ? "Inget ställe" : count === 1 ? "1 ställe" : `${count} ställen`} hittades med ”${query}”`,
    all: (count) => (count === 1 ? "Sammanlagt 1 ställe" : `${count} ställen i tidsordning`),
    nothingFound: { title: "Inget hittades", text: "Pröva ett annat eller kortare ord, eller ta bort någon avgränsning." },
    nothingYet: {
      title: "Det finns ingen text ännu",
      text: "Texten visas här när någon som har samtyckt till textning talar.",
    },
    more: (left) => `Visa fler (${left} kvar)`,
    goingOn: "Mötet pågår fortfarande. Sök på nytt för att se det nyaste.",
    held: (date) => `Hölls ${date}`,
    clear: "Rensa",
    intoSession: "från mötets början",
    results: "Ställen",
  },

  faults: {
    "unknown-session": {
      title: "Mötet hittas inte",
      text: "Länken kan vara ofullständig eller mötet borttaget. Be arrangören om en ny länk.",
    },
    "bad-token": {
      title: "Länken fungerar inte",
      text: "En del av länken saknas, eller så är den avsedd för något annat. Kopiera hela länken på nytt eller be arrangören om en ny.",
    },
    "not-allowed": { title: "Länken hör inte till den här sidan", text: "Be arrangören om rätt länk." },
    "room-full": {
      title: "Rummet är fullt",
      text: "Alla platser är upptagna just nu. Vänta en stund och försök igen, eller säg till arrangören.",
    },
    "session-full": {
      title: "Mötet är fullt",
      text: "Alla platser är upptagna just nu. Vänta en stund och försök igen, eller säg till arrangören.",
    },
    "session-ended": { title: "Mötet är slut", text: "Tack för ditt intresse. Du kan stänga den här sidan." },
    replaced: {
      title: "Du deltar någon annanstans",
      text: "Du öppnade mötet i en annan flik eller på en annan enhet. Du kan också fortsätta här, då stängs den andra.",
    },
    "bad-name": {
      title: "Namnet kan inte användas",
      text: "Det är tomt, för långt eller har ovanliga tecken. Gå tillbaka och skriv ett annat.",
    },
    "too-slow": {
      title: "Din anslutning hängde inte med",
      text: "Flytta dig närmare den trådlösa basstationen, stäng andra videor och försök igen. Utan kamera går det lättare.",
    },
    internal: {
      title: "Något gick fel hos oss",
      text: "Det var inte ditt fel. Försök igen; om det inte hjälper, säg till arrangören.",
    },
    unreachable: { title: "Servern svarar inte", text: "Kontrollera din nätanslutning och försök igen." },
    nowhere: { title: "Sidan finns inte", text: "Kontrollera adressen eller be arrangören om en ny länk." },
  },
  otherFault: { title: "Det lyckades inte", text: "Försök igen; om det inte hjälper, säg till arrangören." },
  refusals: {
    "room-full": "Rummet är fullt: högst åtta personer.",
    "unknown-room": "Rummet är inte längre öppet.",
    "unknown-participant": "Personen är inte längre med i mötet.",
    "bad-room-count": "Det kan finnas 1–100 rum.",
    "not-allowed": "Du har inte rätt att göra det.",
    "session-full": "Mötet är fullt.",
    "not-sent": "Anslutningen är bruten just nu. Försök igen om en stund.",
    "not-copied": "Webbläsaren tillät inte kopiering. Markera länken och kopiera den själv.",
    unreachable: "Servern svarar inte. Kontrollera nätet och försök igen.",
    "bad-title": "Namnet kan inte användas. Pröva ett kortare eller enklare.",
    internal: "Något gick fel hos oss. Försök igen.",
  },
  otherRefusal: "Det lyckades inte. Försök igen.",
};
