// The TCP line between a browser and the server, as a thing that can break: every connection that goes
// through it can be cut at once, while UDP goes its own way. It looks at nothing that passes.
import net from "node:net";

export class Wire {
  port;
  #server;
  #down = false;
  #pairs = new Set();

  /** To the server's TCP port; its own is in `port`. */
  static async to(port) {
    const wire = new Wire();
    wire.#server = net.createServer((near) => wire.#join(near, net.connect(port, "127.0.0.1")));
    await new Promise((resolve) => wire.#server.listen(0, "127.0.0.1", resolve));
    wire.port = wire.#server.address().port;
    return wire;
  }

  /** The same link, through this wire. */
  link(link) {
    const url = new URL(link);
    url.port = String(this.port);
    return url.href;
  }

  /** Connections that go through it now. */
  get lines() {
    return this.#pairs.size;
  }

  /** As when a wireless network changes hands; new connections go through. */
  cut() {
    for (const pair of this.#pairs) for (const end of pair) end.resetAndDestroy();
    this.#pairs.clear();
  }

  /** As when a phone changes its network: what is said on the connections there are leads nowhere, and nobody closes them. */
  swallow() {
    for (const pair of this.#pairs) for (const end of pair) end.unpipe().resume();
  }

  /** As where there is no network: nothing goes through until it is mended. */
  break() {
    this.#down = true;
    this.cut();
  }

  mend() {
    this.#down = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }

  #join(near, far) {
    if (this.#down) return [near, far].forEach((end) => end.on("error", () => {}).destroy());
    const pair = [near, far];
    this.#pairs.add(pair);
    for (const [one, other] of [pair, [far, near]]) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
  }
}
