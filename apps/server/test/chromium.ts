import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = [
  process.env.CHROMIUM_PATH ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Chromium on this machine; undefined if there is none, in which case a line has said so. On CI there must be one. */
export const chromiumPath: string | undefined = places.find((place) => existsSync(place));

if (chromiumPath === undefined) {
  const missing = "No Chromium for the tests of the chat page: install one, or name one in CHROMIUM_PATH";
  if (process.env.CI) throw new Error(missing);
  process.stderr.write(`${missing}. They are skipped.\n`);
}

/** Starts it without a window, and without what it would do on its own behalf. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
