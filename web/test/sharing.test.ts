// Sharing a screen: only ever with those who were there when it was asked for.
import { expect, test, vi } from "vitest";
import { NOWHERE, type RoomState } from "../src/state/room";
import { Sharing } from "../src/state/sharing.svelte";
import { QUIET } from "./help";

const inRoom = (room: string): RoomState => ({ ...NOWHERE, me: 1, room: { room, people: [], ...QUIET } });

function stage() {
  const told: unknown[] = [];
  const sharing = new Sharing({
    send: (on) => told.push(on) > 0,
    track: () => {},
    refused: (code) => told.push(code),
  });
  let choose = () => {};
  vi.spyOn(sharing.screen, "open").mockImplementation(() => new Promise((done) => (choose = () => done(true))));
  const close = vi.spyOn(sharing.screen, "close");
  sharing.follow(inRoom("room-1"));
  return { sharing, told, close, choose: () => choose() };
}

test("who chooses a screen shows it to their room", async () => {
  const { sharing, told, choose } = stage();
  const shares = sharing.start();
  choose();
  await shares;
  expect([sharing.mine, told]).toEqual([true, [true]]);
});

test("who is moved while they choose shows nothing to the next room", async () => {
  const { sharing, told, close, choose } = stage();
  const shares = sharing.start();
  sharing.follow(inRoom("room-2"));
  choose();
  await shares;
  expect([sharing.mine, told]).toEqual([false, ["share-ended"]]);
  expect(close).toHaveBeenCalled();
});

test("who leaves while they choose shows nothing to anybody", async () => {
  const { sharing, told, close, choose } = stage();
  const shares = sharing.start();
  sharing.stop();
  close.mockClear();
  choose();
  await shares;
  expect([sharing.mine, told]).toEqual([false, []]);
  expect(close).toHaveBeenCalled();
});
