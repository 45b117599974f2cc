import { expect, it } from "vitest";
import { inMemory } from "./counter.js";

it("holds fifty thousand keys: for one more, what was counted longest ago is forgotten", async () => {
  const counter = inMemory("test", 60);
  await counter.penalty("busy");
  await counter.penalty("quiet");
  for (let key = 0; key < 49_998; key++) await counter.penalty(`${key}`);
  await counter.penalty("busy");
  await counter.set("one more", 1, 60);
  expect(await counter.get("quiet")).toBeNull();
  expect(await counter.get("0")).not.toBeNull();
  expect(await counter.get("busy")).toMatchObject({ consumedPoints: 2 });
});
