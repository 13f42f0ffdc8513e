// The UDP line between a browser and the server, as a thing that can change hands: what it carries can
// come from another address from one moment to the next, as when a phone leaves a wireless network. It
// looks at nothing that passes and loses nothing.
import dgram from "node:dgram";

const HERE = "127.0.0.1";
/** The other address: on Linux every address that begins with 127 is this machine. */
const ELSEWHERE = "127.0.0.2";

export class Air {
  port;
  #server;
  #near = dgram.createSocket("udp4");
  /** By the browser's port: what the server sees in its place. */
  #lines = new Map();
  #from = HERE;

  /** To the server's UDP port; its own is in `port`. */
  static async to(server) {
    const air = new Air();
    air.#server = server;
    air.#near.on("message", (datagram, from) => void air.#up(datagram, from));
    await new Promise((resolve) => air.#near.bind(0, HERE, resolve));
    air.port = air.#near.address().port;
    return air;
  }

  /** The person's media goes this way; before their page is opened. */
  async carries(person) {
    await person.page.addInitScript((port) => {
      const Real = window.RTCPeerConnection;
      window.RTCPeerConnection = class extends Real {
        setRemoteDescription({ type, sdp }) {
          const isOther = (line) => line.startsWith("a=candidate:") && !/ udp .* 127\.0\.0\.1 /i.test(line);
          const lines = sdp.split("\r\n").filter((line) => !isOther(line));
          const led = lines.map((line) => line.replace(/^(a=candidate:.* 127\.0\.0\.1 )\d+ /, `$1${port} `));
          return super.setRemoteDescription({ type, sdp: led.join("\r\n") });
        }
      };
    }, this.port);
  }

  /** Another address and port for all of it, from now on. */
  changesHands() {
    this.#from = this.#from === HERE ? ELSEWHERE : HERE;
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
  }

  close() {
    for (const line of this.#lines.values()) line.close();
    this.#near.close();
  }

  #up(datagram, from) {
    let line = this.#lines.get(from.port);
    if (!line) {
      line = dgram.createSocket("udp4");
      line.on("message", (down) => this.#near.send(down, from.port, from.address));
      line.bind(0, this.#from);
      this.#lines.set(from.port, line);
    }
    line.send(datagram, this.#server, HERE);
  }
}
