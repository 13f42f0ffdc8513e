// The texts in Finnish.
import type { Texts } from "./texts";
import { listed, minutes, oneDecimal, percent } from "./words";

const LOCALE = "fi-FI";
const names = (it: readonly string[]) => listed(it, LOCALE, (n) => `${n} muuta`);

/** "Of four" is one word in Finnish. */
const OUT_OF = [
  "nollasta",
  "yhdestä",
  "kahdesta",
  "kolmesta",
  "neljästä",
  "viidestä",
  "kuudesta",
  "seitsemästä",
  "kahdeksasta",
];
const outOf = (count: number) => OUT_OF[count] ?? `${count} hengestä`;

export const fi: Texts = {
  name: "Suomi",
  locale: LOCALE,

  common: {
    tagline: "Jokainen saa vuoron",
    chooseLanguage: "Sivun kieli",
    skip: "Siirry sisältöön",
    tryAgain: "Yritä uudelleen",
    close: "Sulje",
    cancel: "Peruuta",
    toStart: "Etusivulle",
    loading: "Hetkinen…",
    copy: "Kopioi",
    copied: "Kopioitu",
    mainRoom: "Yhteinen huone",
    room: (number) => `Huone ${number}`,
    people: (count) => (count === 1 ? "1 henkilö" : `${count} henkilöä`),
    newTab: "avautuu uuteen välilehteen",
  },

  start: {
    title: "Kuuntelijoista keskustelijoiksi",
    lead:
      "Vuoro tarjoaa webinaarin osallistujille ryhmähuoneet, joissa jokainen saa puheenvuoron. Puhe muuttuu samalla tekstiksi, jotta yksikään hyvä ajatus ei katoa.",
    picture: "Kolme pientä huonetta ja niissä ihmisiä. Nuoli vie yhden ihmisen seuraavaan huoneeseen.",
    formTitle: "Uusi tilaisuus",
    sessionTitle: "Mikä on tilaisuuden nimi?",
    sessionTitleHint: "Esimerkiksi: Asukasilta uudesta koulusta",
    language: "Tilaisuuden kieli",
    languageHint: "Jokainen voi silti valita omansa.",
    create: "Luo tilaisuus",
    creating: "Luodaan…",
    titleMissing: "Anna ensin tilaisuudelle nimi.",
    promises: [
      { title: "Ei asennettavaa", text: "Yksi linkki selaimessa, puhelimella tai tietokoneella." },
      { title: "Puhe tekstiksi", text: "Vain tällä palvelimella. Ääntä ei tallenneta." },
      { title: "Ei evästeitä", text: "Ei tunnuksia, ei seurantaa, ei ulkopuolisia palveluja." },
    ],
  },

  transcription: {
    missing: {
      title: "Puhetta ei muuteta tekstiksi: puhemalli puuttuu",
      text: "Aja palvelimella scripts/fetch-model base ja käynnistä Vuoro uudelleen.",
    },
    damaged: {
      title: "Puhetta ei muuteta tekstiksi: puhemalli on vioittunut",
      text: "Hae malli palvelimelle uudelleen komennolla scripts/fetch-model base ja käynnistä Vuoro uudelleen.",
    },
    off: {
      title: "Puhetta ei muuteta tekstiksi: toiminto on pois päältä",
      text: "Ylläpitäjä voi ottaa sen käyttöön palvelimen asetuksista.",
    },
    forPeople: "Muuten keskustelu toimii tavalliseen tapaan.",
    whatToDo: "Mitä tehdä",
  },

  join: {
    pageTitle: "Liity",
    welcome: "Tervetuloa",
    lead: "Tarkista ääni ja kuva ja tule mukaan. Siihen menee puoli minuuttia.",
    back: "Paikkasi odottaa sinua. Tule takaisin.",
    name: "Nimesi",
    nameHint: "Muut näkevät sen. Etunimi riittää.",
    nameMissing: "Kirjoita ensin nimesi.",
    language: "Kieli, jota puhut",
    languageHint: "Auttaa muuttamaan puheesi tekstiksi.",
    devices: "Ääni ja kuva",
    openDevices: "Avaa mikrofoni ja kamera",
    openingDevices: "Vastaa selaimen kysymykseen: salli.",
    devicesWhy: "Selain kysyy sinulta luvan. Kukaan ei näe eikä kuule sinua, ennen kuin tulet mukaan.",
    microphone: "Mikrofoni",
    camera: "Kamera",
    speaker: "Kaiutin",
    defaultDevice: "Oletus",
    useMicrophone: "Mikrofoni päällä",
    useCamera: "Kamera päällä",
    level: "Mikrofonisi äänenvoimakkuus",
    levelGood: "Kuulemme sinut hyvin.",
    levelQuiet: "Sano jotain: palkin pitäisi liikkua.",
    testSpeaker: "Soita testiääni",
    preview: "Oma kuvasi peilattuna",
    cameraOff: "Kamera on pois päältä",
    consentTitle: "Saako puheesi tekstittää?",
    consentExplained: [
      "Puheesi muutetaan tekstiksi vain tällä palvelimella, ja teksti tallennetaan. Mitään ei lähetetä ulkopuolisille.",
      "Ääntä ja kuvaa ei tallenneta koskaan.",
      "Voit keskeyttää tekstityksen milloin tahansa yhdellä painikkeella. Muut näkevät, että se on keskeytetty.",
    ],
    consentOn: "Kyllä, puheeni saa tekstittää",
    consentOnHint: "Puheenvuorosi voi lukea jälkikäteen nimesi kanssa.",
    consentDeclined: "Ei, puhettani ei saa tekstittää",
    consentDeclinedHint: "Voit silti osallistua kaikkeen kuten muutkin.",
    consentMissing: "Valitse kyllä tai ei ennen kuin tulet mukaan.",
    consentPaused: "Olit keskeyttänyt tekstityksen. Se pysyy keskeytettynä, kunnes jatkat sitä.",
    consentUnasked: "Tässä tilaisuudessa puhetta ei tekstitetä eikä tallenneta.",
    continueHere: "Jatka täällä",
    submit: "Tule mukaan",
    submitListening: "Tule kuuntelemaan",
    joining: "Liitytään…",
    withoutMicrophone: "Tule mukaan ilman mikrofonia",
  },

  problems: {
    "no-microphone": {
      title: "Mikrofonia ei löydy",
      text: "Kytke kuulokemikrofoni tai ota mikrofoni käyttöön tietokoneen asetuksista ja yritä uudelleen. Voit tulla myös vain kuuntelemaan.",
    },
    denied: {
      title: "Selain ei saa käyttää mikrofonia",
      text: "Napsauta osoitteen vieressä olevaa lukkoa tai kameraa, salli mikrofoni ja yritä uudelleen. Voit tulla myös vain kuuntelemaan.",
    },
    busy: {
      title: "Mikrofoni on muussa käytössä",
      text: "Sulje muut puhelut, kuten Teams tai Zoom, ja yritä uudelleen. Voit tulla myös vain kuuntelemaan.",
    },
    insecure: {
      title: "Tässä osoitteessa mikrofoni ei toimi",
      text: "Selaimet antavat mikrofonin ja kameran vain suojatuille (https) sivuille. Pyydä järjestäjältä osoite, joka alkaa https://. Voit tulla kuuntelemaan.",
    },
    "no-camera": "Kameraa ei löydy. Voit tulla mukaan ilman kameraa.",
    "camera-denied": "Selain ei saa käyttää kameraa. Voit tulla mukaan ilman kameraa.",
    "camera-busy": "Kamera on muussa käytössä. Voit tulla mukaan ilman kameraa.",
  },

  room: {
    you: "sinä",
    youAre: "Olet täällä",
    microphone: "Mikrofoni",
    camera: "Kamera",
    writing: "Tekstitys",
    on: "päällä",
    off: "pois",
    paused: "keskeytetty",
    leave: "Poistu",
    settings: "Asetukset",
    microphoneOff: "Mikrofoni pois",
    away: "Hetken poissa",
    speaking: "Puhuu",
    written: "Puhe tekstitetään",
    notWritten: "Puhetta ei tekstitetä",
    alone: { title: "Olet täällä ensimmäisenä", text: "Muut ovat tulossa. Hengähdä hetki." },
    reconnecting: "Yhteys katkesi. Yhdistetään uudelleen…",
    mediaReconnecting: "Ääni ja kuva katkesivat. Yhdistetään uudelleen…",
    soundBlocked: "Selain on mykistänyt muiden äänen.",
    turnSoundOn: "Ota ääni käyttöön",
    moved: (room, others) =>
      others.length === 0
        ? `Olet nyt täällä: ${room}. Muita ei vielä ole.`
        : `Olet nyt täällä: ${room}. Paikalla: ${names(others)}.`,
    joined: (who) => (who.length === 1 ? `${names(who)} tuli huoneeseen.` : `${names(who)} tulivat huoneeseen.`),
    left: (who) => (who.length === 1 ? `${names(who)} lähti.` : `${names(who)} lähtivät.`),
    others: (count) => `ja ${count} muuta`,
    people: "Huoneessa olevat",
    toolbar: "Omat säätimesi",
    shortcuts: "Pikanäppäimet",
    shortcutsHint: "M: mikrofoni, V: kamera, T: tekstitys",
    done: "Valmis",
  },

  captions: {
    title: "Puhe tekstinä",
    empty: "Puhe ilmestyy tähän tekstinä.",
    readAloud: "Lue uudet rivit ruudunlukijalla",
    toNewest: "Uusimpaan",
    cameTo: (room) => `Tulit tänne: ${room}`,
  },

  balance: {
    title: "Keskustelun tasapaino",
    hint: "Osilla ei ole nimiä. Mitä tasaisempi rengas, sitä useampi on tullut kuulluksi.",
    waiting: "Rengas ilmestyy, kun olette puhuneet hetken.",
    likeVoices: (voices, of) => {
      const voice = oneDecimal(voices, LOCALE);
      return voice === "1,0" ? `Kuin yksi ääni ${outOf(of)}` : `Kuin ${voice} ääntä ${outOf(of)}`;
    },
    centre: (of) => outOf(of),
    own: "Oma osuuteni",
    ownOnlyYou: "Vain sinä näet tämän.",
    ownText: (share, talk_ms, turns) =>
      `Olet puhunut ${percent(share, LOCALE)} ajasta: ${minutes(talk_ms)}, ${turns === 1 ? "1 puheenvuoro" : `${turns} puheenvuoroa`}.`,
  },

  left: { title: "Poistuit tilaisuudesta", text: "Kiitos, että olit mukana. Samasta linkistä pääset takaisin.", again: "Tule takaisin" },
  ended: { title: "Tilaisuus on päättynyt", text: "Kiitos keskustelusta. Voit sulkea tämän sivun." },

  host: {
    pageTitle: "Tilaisuuden vetäjä",
    links: "Jaettavat linkit",
    joinLink: "Osallistujille",
    joinLinkHint: "Upota webinaarin viereen tai lähetä osallistujille.",
    reviewLink: "Jälkikäteen luettavaksi",
    reviewLinkHint: "Linkin saanut voi lukea puheenvuorot ja hakea niistä.",
    joinYourself: "Osallistu itse",
    openReview: "Lue ja hae",
    rooms: "Huoneet",
    roomsCount: "Ryhmähuoneita",
    openRooms: (count) => (count === 1 ? "Avaa 1 huone" : `Avaa ${count} huonetta`),
    changeRooms: (count) => (count === 1 ? "Muuta yhdeksi huoneeksi" : `Muuta ${count} huoneeksi`),
    closeRooms: "Kutsu kaikki takaisin",
    spread: "Jaa ryhmiin",
    spreadHint: "Yhteisessä huoneessa olevat siirtyvät tasaisesti huoneisiin.",
    move: (name) => `Siirrä ${name} huoneeseen`,
    nobody: "Ei ketään",
    nobodyYet: { title: "Kukaan ei ole vielä tullut", text: "Lähetä linkki osallistujille. He näkyvät tässä heti, kun he tulevat." },
    dragHint: "Siirrä henkilö valikosta tai raahaa hänet toiseen huoneeseen.",
    end: "Päätä tilaisuus",
    endQuestion: {
      title: "Päätetäänkö tilaisuus?",
      text: "Kaikki huoneet sulkeutuvat heti ja tilaisuus päättyy kaikilta. Puheenvuorot jäävät luettaviksi.",
    },
    endConfirm: "Päätä tilaisuus",
    ended: { title: "Tilaisuus on päättynyt", text: "Puheenvuoroja voi lukea ja niistä voi hakea." },
    microphoneOn: "mikrofoni päällä",
    microphoneOff: "mikrofoni pois",
    cameraOn: "kamera päällä",
    away: "poissa",
    present: (count, rooms) =>
      `${count === 1 ? "1 henkilö" : `${count} henkilöä`} · ${rooms === 0 ? "huoneita ei ole auki" : rooms === 1 ? "1 huone auki" : `${rooms} huonetta auki`}`,
    connecting: "Yhdistetään tilaisuuteen…",
  },

  review: {
    pageTitle: "Mitä puhuttiin",
    query: "Hae puheenvuoroista",
    queryHint: "Sanat missä muodossa tahansa. ”Lainausmerkeissä” löytyy täsmälleen sama ilmaus.",
    speaker: "Puhuja",
    everybody: "Kaikki",
    room: "Huone",
    everyRoom: "Kaikki huoneet",
    found: (count, query) =>
      `Haulla ”${query}” löytyi ${count === 0 ? "ei mitään" : count === 1 ? "1 kohta" : `${count} kohtaa`}`,
    all: (count) => (count === 1 ? "Yhteensä 1 kohta" : `${count} kohtaa aikajärjestyksessä`),
    nothingFound: { title: "Mitään ei löytynyt", text: "Kokeile toista tai lyhyempää sanaa tai vähemmän rajauksia." },
    nothingYet: {
      title: "Tekstiä ei vielä ole",
      text: "Tekstiä ilmestyy, kun joku tekstitykseen suostunut puhuu.",
    },
    more: (left) => `Näytä lisää (${left} jäljellä)`,
    goingOn: "Tilaisuus on vielä käynnissä. Hae uudelleen, niin näet uusimmat.",
    held: (date) => `Pidetty ${date}`,
    clear: "Tyhjennä",
    intoSession: "tilaisuuden alusta",
    results: "Kohdat",
  },

  faults: {
    "unknown-session": {
      title: "Tilaisuutta ei löydy",
      text: "Linkki voi olla vajaa tai tilaisuus poistettu. Pyydä järjestäjältä uusi linkki.",
    },
    "bad-token": {
      title: "Linkki ei toimi",
      text: "Linkistä puuttuu osa tai se on muuhun tarkoitukseen. Kopioi koko linkki uudelleen tai pyydä uusi järjestäjältä.",
    },
    "not-allowed": { title: "Linkki ei kuulu tälle sivulle", text: "Pyydä järjestäjältä oikea linkki." },
    "room-full": {
      title: "Huone on täynnä",
      text: "Kaikki paikat ovat juuri nyt varattuja. Odota hetki ja yritä uudelleen tai kerro järjestäjälle.",
    },
    "session-full": {
      title: "Tilaisuus on täynnä",
      text: "Kaikki paikat ovat juuri nyt varattuja. Odota hetki ja yritä uudelleen tai kerro järjestäjälle.",
    },
    "session-ended": { title: "Tilaisuus on päättynyt", text: "Kiitos kiinnostuksestasi. Voit sulkea tämän sivun." },
    replaced: {
      title: "Olet mukana toisaalla",
      text: "Avasit tilaisuuden toisessa välilehdessä tai laitteessa. Voit jatkaa myös täällä, jolloin toinen sulkeutuu.",
    },
    "bad-name": {
      title: "Nimeä ei voi käyttää",
      text: "Se on tyhjä, liian pitkä tai siinä on outoja merkkejä. Palaa ja kirjoita toinen.",
    },
    "too-slow": {
      title: "Yhteytesi ei pysynyt mukana",
      text: "Siirry lähemmäs langatonta tukiasemaa, sulje muut videot ja yritä uudelleen. Ilman kameraa yhteys toimii kevyemmin.",
    },
    internal: {
      title: "Jokin meni meillä pieleen",
      text: "Vika ei ollut sinun. Yritä uudelleen; jos se ei auta, kerro järjestäjälle.",
    },
    unreachable: { title: "Palvelin ei vastaa", text: "Tarkista verkkoyhteytesi ja yritä uudelleen." },
    nowhere: { title: "Tällaista sivua ei ole", text: "Tarkista osoite tai pyydä järjestäjältä uusi linkki." },
  },
  otherFault: { title: "Se ei onnistunut", text: "Yritä uudelleen; jos se ei auta, kerro järjestäjälle." },
  refusals: {
    "room-full": "Huone on täynnä: enintään kahdeksan henkilöä.",
    "unknown-room": "Huone ei ole enää auki.",
    "unknown-participant": "Henkilö ei ole enää tilaisuudessa.",
    "bad-room-count": "Huoneita voi olla 1–100.",
    "not-allowed": "Sinulla ei ole siihen oikeutta.",
    "session-full": "Tilaisuus on täynnä.",
    "not-sent": "Yhteys on juuri nyt poikki. Yritä hetken päästä uudelleen.",
    "not-copied": "Selain ei sallinut kopiointia. Valitse linkki ja kopioi se itse.",
    unreachable: "Palvelin ei vastaa. Tarkista verkkoyhteys ja yritä uudelleen.",
    "bad-title": "Nimeä ei voi käyttää. Kokeile lyhyempää tai yksinkertaisempaa.",
    internal: "Jokin meni meillä pieleen. Yritä uudelleen.",
  },
  otherRefusal: "Se ei onnistunut. Yritä uudelleen.",
};
