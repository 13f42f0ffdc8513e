// Audio is never written: a whole run of the server under `strace`, which sees every file it opens for
// writing and every byte that goes into one. Left out, with a word, where the machine has no `strace` or
// does not let it look.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { recall, recordings } from "./help/recordings.mjs";

const CALLS = "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,splice";
/** In the data folder; nothing else may be written anywhere. */
const OURS = /^(notes\.sqlite(-wal|-shm|-journal)?|notes\.lock|token-secret|index(\.building)?\/.*)$/;
/** No files: devices, and what the system tells of itself. */
const NO_FILES = /^(\/dev\/|\/proc\/|\/sys\/|(pipe|socket|anon_inode|UNIX|TCP|UDP|NETLINK)[:[])/;
/** What one fact may cost: pages of the log written into its write-ahead log and once more from there, a
    commit of the index with its files and their merging. */
const FACT_BYTES = 400_000;

const looks = () => spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status === 0;

story("a whole run writes words and no sound", async (stage) => {
  if (!looks()) {
    stage.note("left out: there is no strace here, or it may not look");
    return;
  }
  const trace = stage.path("trace");
  const bin = stage.path("traced");
  const seccomp = spawnSync("strace", ["-f", "--seccomp-bpf", "-o", "/dev/null", "true"]).status === 0;
  // `-D`: the process we start is the server itself, so that it can be stopped as always.
  const options = `-D -f -y ${seccomp ? "--seccomp-bpf " : ""}-s 0 -e trace=${CALLS} -o '${trace}'`;
  fs.writeFileSync(bin, `#!/bin/sh\nexec strace ${options} '${process.env.VUORO_BIN}' "$@"\n`, { mode: 0o755 });
  const server = await stage.server({ bin });
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"]);

  await alice.see("toggle-transcription").click();
  await bob.seesConsent(alice, "off-the-record");
  await quiet(trace);
  const before = written(trace, server.data).bytes;
  await alice.says(recordings.leisure);
  await bob.seesSpeaking(alice, true);
  await bob.seesSpeaking(alice, false);
  const after = written(trace, server.data).bytes;
  // To speak into another microphone is to switch it; nothing of that is a fact.
  assert.equal(after - before, 0, "who talks off the record makes the server write nothing");

  await alice.see("toggle-transcription").click();
  await bob.seesConsent(alice, "on");
  await alice.says(recordings.selfish, 1, recordings.respectable, 1, recordings.country);
  const enough = async () => recall(recordings.selfish.words, await bob.wordsOf("Alice")) >= 0.6;
  await eventually("Bob reads what Alice said", enough, WORDS_WITHIN_S * 2);
  await bob.seesSpeaking(alice, false);
  await server.stop();
  await quiet(trace);

  const all = written(trace, server.data);
  const strange = [...all.files].filter((it) => !OURS.test(it));
  assert.deepEqual(strange, [], "only the log, the index and the secret are written");
  const captions = (await bob.captions()).length;
  const most = FACT_BYTES * (captions + 12) + 1_000_000;
  assert.ok(all.bytes < most, `${all.bytes} bytes are more than ${captions} captions need`);
  const lying = fs.statSync(`${server.data}/notes.sqlite`).size;
  assert.ok(lying < 200_000, `the log has ${lying} bytes`);
  stage.note(`${all.bytes} bytes written in all, ${after - before} of a sentence off the record; log ${lying} bytes`);
  stage.note(`files opened for writing: ${[...all.files].filter((it) => !it.startsWith("index")).sort().join(", ")}, index/*`);
}, 900);

/** Every file opened for writing, and how many bytes went into files, by their paths in `data`. */
function written(trace, data) {
  const files = new Set();
  let bytes = 0;
  const inside = (file) => (file.startsWith(`${data}/`) ? file.slice(data.length + 1) : file);
  for (const line of fs.readFileSync(trace, "latin1").split("\n")) {
    const opened = /\b(?:open|openat|creat)\(.*\b(?:O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)\b.*\) = \d+<(.*)>$/.exec(line);
    if (opened && !NO_FILES.test(opened[1])) files.add(inside(opened[1]));
    const wrote = /\b(?:p?write(?:64|v|v2)?|copy_file_range|sendfile|splice)\(\d+<(.*?)>.* = (\d+)$/.exec(line);
    if (wrote && !NO_FILES.test(wrote[1])) {
      files.add(inside(wrote[1]));
      bytes += Number(wrote[2]);
    }
  }
  return { files, bytes };
}

/** Waits until what was going on has been written. */
async function quiet(trace) {
  let last = -1;
  await eventually("the server has written what it had to", async () => {
    const size = fs.statSync(trace).size;
    const still = size === last;
    last = size;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return still;
  });
}
