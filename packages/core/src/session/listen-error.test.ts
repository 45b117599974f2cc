import { expect, it } from "vitest";
import { listenError } from "./listen-error.js";

it("says where and why a server cannot listen, in words and as a code", () => {
  const cause = new Error("listen EACCES");
  expect(listenError("127.0.0.1:80", "EACCES", cause)).toMatchObject({
    message: "cannot listen on 127.0.0.1:80 (EACCES)",
    code: "EACCES",
    cause,
  });
});

it("has a code where the system gave none, and no cause where there is none", () => {
  const error = listenError("/run/app.sock", undefined);
  expect(error).toMatchObject({ message: "cannot listen on /run/app.sock (EUNKNOWN)", code: "EUNKNOWN" });
  expect(error).not.toHaveProperty("cause");
});
