// Goes into a page before it runs: gives its person a voice and a face that can be told apart from the
// others', leads its media through another port when asked, and measures what comes in. It changes
// nothing that the page does, and is never part of the product.
(() => {
  const seat = window.benchSeat ?? { tone_hz: 0, hue: 0 };
  const FPS = 15;
  const SIZE = { width: 320, height: 240 };
  /** Messages of which more than the type is kept. */
  const KEPT_WHOLE = ["slots", "caption", "round", "own"];

  /** A message of the server, with the page's time in ms. */
  const heard = [];
  const peers = [];
  let voice = null;
  /** What is to be spoken next. */
  let taken = null;

  // Voice and face

  /** One graph for the page; every microphone that is opened is an end of it. */
  function makeVoice() {
    const context = new AudioContext({ sampleRate: 48_000 });
    const out = context.createGain();
    const tone = context.createOscillator();
    const loudness = context.createGain();
    loudness.gain.value = seat.tone_hz > 0 ? 0.2 : 0;
    tone.frequency.value = seat.tone_hz || 400;
    tone.connect(loudness).connect(out);
    tone.start();
    // Before the person has clicked it may not run.
    const timer = setInterval(() => {
      if (context.state === "running") clearInterval(timer);
      else void context.resume();
    }, 100);
    return { context, out, loudness };
  }

  /** A WAV file, ready to be spoken. */
  async function spoken(base64) {
    voice ??= makeVoice();
    await voice.context.resume();
    const bytes = Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
    const speech = voice.context.createBufferSource();
    speech.buffer = await voice.context.decodeAudioData(bytes.buffer);
    speech.connect(voice.out);
    return speech;
  }

  function microphone() {
    voice ??= makeVoice();
    const end = voice.context.createMediaStreamDestination();
    voice.out.connect(end);
    return end.stream.getAudioTracks()[0];
  }

  /** A plain colour with something that moves in it, so that there is something to encode. */
  function camera() {
    const canvas = Object.assign(document.createElement("canvas"), SIZE);
    const pen = canvas.getContext("2d");
    const draw = () => {
      pen.fillStyle = `hsl(${seat.hue} 100% 50%)`;
      pen.fillRect(0, 0, SIZE.width, SIZE.height);
      pen.fillStyle = "#fff";
      pen.fillRect((performance.now() / 10) % SIZE.width, 200, 24, 24);
    };
    draw();
    const track = canvas.captureStream(FPS).getVideoTracks()[0];
    const timer = setInterval(() => (track.readyState === "live" ? draw() : clearInterval(timer)), 1_000 / FPS);
    return track;
  }

  if (navigator.mediaDevices) {
    navigator.mediaDevices.getUserMedia = async (wanted = {}) => {
      if (wanted.video && seat.hue === null) throw new DOMException("there is no camera", "NotFoundError");
      const tracks = [];
      if (wanted.audio) tracks.push(microphone());
      if (wanted.video) tracks.push(camera());
      return new MediaStream(tracks);
    };
  }

  // The road

  /** `road.port`: where UDP goes; `road.only`: `tcp` leaves no candidate but those of TCP. */
  function led(sdp) {
    const road = window.benchRoad;
    if (!road) return sdp;
    const isFirst = new Set();
    let section = 0;
    const lines = sdp.split("\r\n").filter((line) => {
      if (line.startsWith("m=")) section += 1;
      if (!line.startsWith("a=candidate:")) return true;
      const isUdp = line.split(" ")[2].toLowerCase() === "udp";
      if (road.only === "tcp") return !isUdp;
      if (!isUdp || isFirst.has(section)) return false;
      isFirst.add(section);
      return true;
    });
    const turned = lines.map((line) => {
      if (!line.startsWith("a=candidate:") || road.only === "tcp") return line;
      const parts = line.split(" ");
      parts[4] = "127.0.0.1";
      parts[5] = String(road.port);
      return parts.join(" ");
    });
    return turned.join("\r\n");
  }

  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...settings) {
      super(...settings);
      peers.push(this);
      this.addEventListener("connectionstatechange", () =>
        heard.push({ type: `media-${this.connectionState}`, at: performance.now() }),
      );
      this.addEventListener("track", ({ track }) => listenTo(track));
    }
    setRemoteDescription(description) {
      return super.setRemoteDescription({ type: description.type, sdp: led(description.sdp) });
    }
  };

  // Before the page has its own: what it does in answer comes after.
  addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-testid]");
    if (button) heard.push({ type: `click-${button.dataset.testid}`, at: performance.now() });
  }, true);

  const RealSocket = window.WebSocket;
  window.WebSocket = class extends RealSocket {
    constructor(...settings) {
      super(...settings);
      this.addEventListener("message", ({ data }) => {
        if (typeof data !== "string") return;
        const message = JSON.parse(data);
        const kept = KEPT_WHOLE.includes(message.type) ? message : { type: message.type };
        if (message.type === "offer") kept.slots = message.slots;
        if (message.type === "welcome") kept.participant = message.participant;
        heard.push({ ...kept, at: performance.now() });
      });
      this.addEventListener("close", () => heard.push({ type: "socket-closed", at: performance.now() }));
    }
  };

  // What comes in: when whose voice, and when whose face. Each line is watched from its beginning.

  const TONE_LEAST = 0.02;
  /** After so long without a sample, in ms, the next one counts as a change whatever it is. */
  const STILL_MS = 300;
  /** Per track id: `[at_ms, what]` whenever what is heard or seen there changes. */
  const lines = new Map();

  function listenTo(track) {
    if (!window.benchSeat?.watches) return;
    const line = { kind: track.kind, now: null, last: 0, changes: [] };
    lines.set(track.id, line);
    const frames = new MediaStreamTrackProcessor({ track, maxBufferSize: 10 }).readable.getReader();
    const look = track.kind === "audio" ? toneOf : hueOf;
    void (async () => {
      for (;;) {
        const { done, value } = await frames.read();
        if (done) return;
        const what = look(value);
        const at = performance.now();
        value.close();
        const isSame = what === line.now && at - line.last < STILL_MS;
        line.last = at;
        if (isSame) continue;
        line.now = what;
        line.changes.push([at, what]);
        if (line.changes.length > 400) line.changes.shift();
      }
    })();
  }

  /** Which person's tone is in these 10 ms; null: nobody's. Goertzel's filter, one for each tone. */
  function toneOf(data) {
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    let [best, most] = [null, TONE_LEAST];
    for (const tone_hz of window.benchSeat.tones) {
      const turn = 2 * Math.cos((2 * Math.PI * tone_hz) / data.sampleRate);
      let [one, two] = [0, 0];
      for (const sample of samples) [one, two] = [sample + turn * one - two, one];
      const power = Math.sqrt(Math.max(0, one * one + two * two - turn * one * two)) / (samples.length / 2);
      if (power > most) [best, most] = [tone_hz, power];
    }
    return best;
  }

  let pixel = null;
  /** The hue of a picture's corner, in steps of 60 degrees; null: no colour. */
  function hueOf(picture) {
    pixel ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    pixel.drawImage(picture, 8, 8, 8, 8, 0, 0, 1, 1);
    const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
    const most = Math.max(red, green, blue);
    const range = most - Math.min(red, green, blue);
    if (range < 60) return null;
    const part =
      most === red
        ? (green - blue) / range
        : most === green
          ? 2 + (blue - red) / range
          : 4 + (red - green) / range;
    return (Math.round((part + 6) % 6) % 6) * 60;
  }

  // Asked from outside

  window.bench = {
    now: () => performance.now(),
    heard: (type, after = 0) => heard.filter((it) => it.type === type && it.at >= after),

    /** Per line: kind, mid, and the changes since a time, with what there was before. */
    changes(since) {
      const mids = new Map();
      for (const it of peers.at(-1)?.getTransceivers() ?? []) mids.set(it.receiver.track.id, it.mid);
      return [...lines].filter(([id]) => mids.has(id)).map(([id, line]) => {
        const before = line.changes.filter(([at]) => at < since).at(-1) ?? null;
        const after = line.changes.filter(([at]) => at >= since);
        return { kind: line.kind, mid: mids.get(id), before, after };
      });
    },

    /** The statistics of what comes in, as the browser has them. */
    async inbound() {
      const report = (await peers.at(-1)?.getStats()) ?? [];
      return [...report].map(([, it]) => it).filter((it) => it.type === "inbound-rtp");
    },

    /** How this connection goes: `udp` or `tcp`; null while it does not. */
    async protocol() {
      const report = (await peers.at(-1)?.getStats()) ?? new Map();
      const all = [...report].map(([, it]) => it);
      const transport = all.find((it) => it.type === "transport");
      const pair = all.find((it) => it.id === transport?.selectedCandidatePairId);
      const remote = all.find((it) => it.id === pair?.remoteCandidateId);
      return remote?.protocol ?? null;
    },

    tone(on) {
      voice ??= makeVoice();
      voice.loudness.gain.value = on ? 0.2 : 0;
    },

    /** Speaks a WAV file; resolves when it is over. */
    async says(base64) {
      const speech = await spoken(base64);
      const over = new Promise((resolve) => (speech.onended = resolve));
      speech.start();
      await over;
    },

    /** Takes a WAV file in, to be spoken with `speaksAt`. */
    async takes(base64) {
      taken = await spoken(base64);
    },

    /** Speaks what was taken from that time on, which must be still to come. Resolves when it is over, with
     * how many ms of its sound a busy machine has lost: so much less has been played than time has passed. */
    async speaksAt(starts_unix_ms) {
      const { context } = voice;
      const over = new Promise((resolve) => (taken.onended = resolve));
      const ahead_ms = starts_unix_ms - Date.now();
      if (ahead_ms <= 0) throw new Error(`too late to speak by ${-ahead_ms} ms`);
      const starts_s = context.currentTime + ahead_ms / 1000;
      taken.start(starts_s);
      await over;
      return Date.now() - starts_unix_ms - 1000 * (context.currentTime - starts_s);
    },
  };
})();
