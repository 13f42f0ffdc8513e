// Measures what a person waits for who clicks "join" while three others talk: until the first decoded
// sound and the first decoded picture of somebody. Run by `scripts/bench join`.
import { Bench, eventually, options, table } from "./stage.mjs";

const { joins } = options({ joins: 20 });

await Bench.run("join", async (bench) => {
  const server = await bench.server();
  const browser = await bench.browser();
  const host = await bench.host(server, browser);
  for (const [seat, name] of ["Alice", "Bob", "Chao"].entries()) {
    const guest = await bench.guest(browser, name, { seat });
    await guest.joins(host.joinLink, { consent: null });
  }
  const kept = [];
  for (let join = 1; join <= joins; join += 1) {
    const late = await bench.guest(browser, `Late ${join}`, { seat: 4, watches: true });
    await late.arrives(host.joinLink, { consent: null });
    await late.see("join-submit").click();
    kept.push(await eventually("the first sound and picture", () => waited(late), 30));
    await late.page.context().close();
  }
  const steps = ["welcomed", "connected", "audio", "video"];
  for (const name of steps) bench.percentiles(name, kept.map((it) => it[name]));
  console.log(`${joins} joins; ms from the click`);
  const row = (name) => [name, ...["p50", "p95", "most"].map((it) => bench.value(`${name}_${it}`))];
  table(["until", "p50", "p95", "most"], steps.map(row));
  return { joins: kept };
});

async function waited(person) {
  const at = async (type) => (await person.ask("heard", type)).at(-1)?.at;
  const click = await at("click-join-submit");
  const changes = await person.ask("changes", click);
  const first = (kind) => {
    const all = changes.filter((it) => it.kind === kind).flatMap((it) => it.after);
    return Math.min(...all.filter(([, what]) => what !== null).map(([time]) => time));
  };
  const times = {
    welcomed: (await at("welcome")) - click,
    connected: (await at("media-connected")) - click,
    audio: first("audio") - click,
    video: first("video") - click,
  };
  return Object.values(times).every(Number.isFinite) ? times : null;
}
