import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { Browser, Page, Route, WebSocketRoute } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, launchChromium } from "./chromium.js";
import { goodPassword, member, post } from "./client.js";
import { type ServerProcess, startServer, temporaryDirectory } from "./server-process.js";
import { hears, logIn, newVisitor, register, say, sees, transcript, type Visitor } from "./visitor.js";

describe.skipIf(chromiumPath === undefined)("the chat page", () => {
  let port: string;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: ServerProcess;
  let browser: Browser;
  const visitors: Visitor[] = [];
  /** What a browser itself says of a request that the server refuses, or of a server that is not there. */
  let expectedComplaint: RegExp | undefined;

  beforeAll(async () => {
    [port, directory] = await Promise.all([freePort(), temporaryDirectory()]);
    [browser] = await Promise.all([launchChromium(), start()]);
  });

  afterEach(async () => {
    const expected = expectedComplaint;
    expectedComplaint = undefined;
    for (const { page, complaints, urls, tokens, tickets } of visitors.splice(0)) {
      const [longLived, singleUse] = [await Promise.all(tokens), await Promise.all(tickets)];
      await page.context().close();
      expect(complaints.filter((complaint) => expected?.test(complaint) !== true)).toEqual([]);
      for (const token of longLived) expect(urls.filter((url) => url.includes(token))).toEqual([]);
      for (const ticket of singleUse) expect(urls.filter((url) => url.includes(ticket)).length).toBeLessThanOrEqual(1);
      for (const secret of [...longLived, ...singleUse]) expect(server.output()).not.toContain(secret);
    }
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
    await directory.remove();
  });

  /** Again on the same port and with the same data, after a kill. */
  async function start(): Promise<void> {
    server = await startServer({ dataDirectory: directory.path, env: { PORT: port } });
  }

  async function visit(path = "/"): Promise<Visitor> {
    const visitor = await newVisitor(browser);
    visitors.push(visitor);
    await visitor.page.goto(server.url + path);
    return visitor;
  }

  /** A visitor who has registered and been let in. */
  async function guest(username: string, path: string, name = ""): Promise<Visitor> {
    const visitor = await visit(path);
    await register(visitor.page, username, name, goodPassword);
    await sees(visitor.page, "Connected");
    return visitor;
  }

  it("lets two people talk in a room", async () => {
    const [ada, charles] = await Promise.all([guest("ada", "/#engine", "Ada Lovelace"), guest("charles", "/#engine")]);
    await say(ada.page, "What shall it be told?");
    await hears(charles.page, "What shall it be told?");
    await say(charles.page, "<b>Numbers</b> & 🙂\u202e");
    await hears(ada.page, "Numbers");
    expect(await transcript(ada.page)).toEqual(["You: What shall it be told?", "charles: <b>Numbers</b> & 🙂\u202e"]);
    expect(await transcript(charles.page)).toEqual([
      "Ada Lovelace: What shall it be told?",
      "You: <b>Numbers</b> & 🙂\u202e",
    ]);
  });

  it("opens each connection by a ticket, and shows its token to nobody but the API", async () => {
    const { page, urls, tokens, tickets } = await visit("/#tickets");
    const handshakes: string[] = [];
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Network.enable");
    devtools.on("Network.webSocketWillSendHandshakeRequest", ({ request }) => {
      handshakes.push(JSON.stringify(request));
    });
    await register(page, "tickets", "", goodPassword);
    await sees(page, "Connected");
    await page.reload();
    await sees(page, "Connected");
    const [one, two] = await Promise.all(tickets);
    const chat = `${server.url.replace("http", "ws")}/ws/chat/tickets/?ticket=`;
    expect(urls.filter((url) => url.startsWith("ws"))).toEqual([chat + one, chat + two]);
    expect(one).not.toBe(two);
    expect(handshakes).toHaveLength(2);
    expect(tokens).toHaveLength(1);
    for (const handshake of handshakes) expect(handshake).not.toContain(await tokens[0]);
  });

  it("goes on asking for a ticket that it cannot have, or that was too long on its way", async () => {
    expectedComplaint = /^Failed to load resource: (net::ERR_FAILED|the server responded with a status of 503)/;
    const { page } = await guest("asking", "/#asking");
    const answers: ((route: Route) => Promise<void>)[] = [
      (route) => route.abort(),
      (route) => route.fulfill({ status: 503, json: { detail: "Later." } }),
      (route) => route.fulfill({ status: 200, json: { ticket: "x".repeat(43) } }),
    ];
    await page.route("**/api/ticket", (route) => (answers.shift() ?? ((last: Route) => last.continue()))(route));
    await stopClock(page);
    await page.evaluate("location.hash = '#asked'");
    await sees(page, "Connection lost.");
    while (!(await page.getByText("Nobody else is here").isVisible())) await page.clock.runFor(1_000);
    expect(answers).toEqual([]);
  });

  it("asks for a new login where the token is not good for a ticket any more", async () => {
    expectedComplaint = /^Failed to load resource: the server responded with a status of 401/;
    const { page } = await guest("expired", "/#expired");
    await page.route("**/api/ticket", (route) => route.continue({ headers: { authorization: "Bearer expired" } }));
    await page.reload();
    await sees(page, "You are not logged in any more.");
    await page.unroute("**/api/ticket");
    await logIn(page, "expired", goodPassword);
    await sees(page, "Connected");
  });

  it("shows who is here: comers at once, a reload not at all, leavers after a while", async () => {
    const byron = await guest("byron", "/#attended", "Ada Byron");
    await sees(byron.page, "Nobody else is here");
    const babbage = await guest("babbage", "/#attended");
    await sees(byron.page, "Here: babbage, you");
    await sees(babbage.page, "Here: Ada Byron, you");
    await byron.page.evaluate(
      "shown = []; new MutationObserver(() => shown.push(here.textContent)).observe(here, { childList: true })",
    );
    await babbage.page.reload();
    await sees(babbage.page, "Here: Ada Byron, you");
    await say(byron.page, "still there?");
    await hears(babbage.page, "still there?");
    await babbage.page.getByRole("button", { name: "Log out" }).click();
    await sees(byron.page, "Nobody else is here");
    expect(await byron.page.evaluate("shown")).toEqual(["Nobody else is here"]);
  });

  it("goes from room to room", async () => {
    const { page } = await guest("grace", "/");
    await say(page, "in public");
    await page.getByLabel("Another room").fill("a/b");
    await page.keyboard.press("Enter");
    await sees(page, "A room's name contains no slash");
    await page.getByLabel("Another room").fill("café 100% ?#");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "café 100% ?#" }).waitFor();
    await sees(page, "Connected");
    await say(page, "in the café");
    expect(await transcript(page)).toEqual(["You: in the café"]);
    await page.getByRole("link", { name: "Public room" }).click();
    await hears(page, "in public");
    await page.goBack();
    await hears(page, "in the café");
    expect(await transcript(page)).toEqual(["You: in the café"]);
  });

  it("says what is wrong, at the field where it is", async () => {
    expectedComplaint = /^Failed to load resource: the server responded with a status of 400/;
    await member(server.url, "taken");
    const { page } = await visit();
    await logIn(page, "taken", "not the password");
    await page.getByRole("alert").getByText("Unable to log in with provided credentials.").waitFor();

    await register(page, "Taken", "", goodPassword);
    await sees(page, "A user with that username already exists.");
    expect(await focused(page)).toBe("register-username");
    expect(await described(page, /^Username/)).toBe("A user with that username already exists.");
    expect(await described(page, /^Password/)).toBe("");

    const form = page.getByRole("form", { name: "Register" });
    await form.getByLabel(/^Username/).fill("fresh");
    await form.getByLabel("Password").fill("password1");
    await page.keyboard.press("Enter");
    await sees(page, "This password is too common.");
    expect(await described(page, /^Username/)).toBe("");
    expect(await described(page, /^Password/)).toBe("This password is too common.");
    expect(await focused(page)).toBe("register-password");
  });

  it("keeps its user logged in over a reload, and shows what was said before", async () => {
    const { page } = await guest("lasting", "/#lasting");
    await say(page, "one");
    await say(page, "two");
    await page.reload();
    await hears(page, "two");
    expect(await transcript(page)).toEqual(["You: one", "You: two"]);
  });

  it("asks for a new login as soon as the old one has ended elsewhere, and keeps the draft", async () => {
    const { page, tokens } = await guest("ended", "/#ended");
    await page.getByLabel("Your message").fill("half a thought");
    await post(`${server.url}/api/logout`, {}, { authorization: `Bearer ${await tokens[0]}` });
    await sees(page, "You are not logged in any more.");
    await logIn(page, "ended", goodPassword);
    await sees(page, "Connected");
    expect(await page.getByLabel("Your message").inputValue()).toBe("half a thought");
  });

  it("gives back what was under way when the connection broke, unless it had arrived", async () => {
    const { page } = await visit("/#broken");
    let hearsServer = true;
    let reachesServer = true;
    let socket: WebSocketRoute | undefined;
    let heard = (): void => {};
    await page.routeWebSocket(/\/ws\/chat\//, (route) => {
      socket = route;
      const upstream = route.connectToServer();
      route.onMessage((message) => {
        if (reachesServer) upstream.send(message);
      });
      upstream.onMessage((message) => {
        if (hearsServer) route.send(message);
        heard();
      });
    });
    await page.reload();
    await register(page, "broken", "", goodPassword);
    await sees(page, "Connected");
    await say(page, "again");

    reachesServer = false;
    await page.getByLabel("Your message").fill("again");
    await page.keyboard.press("Enter");
    await socket?.close({ code: 1012 });
    await sees(page, "Connection lost.");
    reachesServer = true;
    await sees(page, "Connected");
    await hears(page, "again");
    expect(await page.getByLabel("Your message").inputValue()).toBe("again");

    hearsServer = false;
    const echoed = new Promise<void>((resolve) => {
      heard = resolve;
    });
    await page.keyboard.press("Enter");
    await echoed;
    await socket?.close({ code: 1012 });
    await sees(page, "Connection lost.");
    expect(await page.getByLabel("Your message").inputValue()).toBe("again");
    hearsServer = true;
    await page.getByRole("log").getByText("again").nth(1).waitFor();
    expect(await page.getByLabel("Your message").inputValue()).toBe("");
  });

  it("gives back what the server does not take, and says why", async () => {
    const { page } = await guest("refused", "/#refused");
    await page.getByLabel("Your message").fill("a\0b");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("expected a message without null characters").waitFor();
    expect(await page.getByLabel("Your message").inputValue()).toBe("a\0b");
    await page.getByLabel("Your message").fill("x".repeat(4_001));
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("at most 4000 characters").waitFor();
    expect(await page.getByLabel("Your message").inputValue()).toHaveLength(4_001);
  });

  it("counts in the title what is said while nobody looks", async () => {
    const [ada, charles] = await Promise.all([guest("ada3", "/#title"), guest("charles3", "/#title")]);
    await say(charles.page, "seen");
    await hears(ada.page, "seen");
    await ada.page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, value: true })");
    await say(charles.page, "one");
    await say(charles.page, "two");
    await hears(ada.page, "two");
    expect(await ada.page.title()).toBe("(2) title – Sluice");
    await ada.page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))");
    expect(await ada.page.title()).toBe("title – Sluice");
  });

  it("fits a small phone", async () => {
    const { page } = await guest("phone", `/#${"long".repeat(16)}`, "Wolfeschlegelsteinhausen".repeat(6));
    await page.setViewportSize({ width: 320, height: 568 });
    await say(page, `${"W".repeat(300)} ${"مرحبا".repeat(60)}`);
    expect(
      await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"),
    ).toEqual([320, 568]);
    await page.getByRole("button", { name: "Rooms" }).click();
    await page.getByRole("link", { name: "Public room" }).click();
    await page.getByRole("heading", { name: "Public room" }).waitFor();
    expect(await page.getByRole("link", { name: "Public room" }).isVisible()).toBe(false);
    expect(await focused(page)).toBe("message");
  });

  it("ends the token with a logout", async () => {
    const { page, tokens } = await guest("leaving", "/");
    const answered = page.waitForResponse((response) => response.url().endsWith("/api/logout"));
    await page.getByRole("button", { name: "Log out" }).click();
    expect((await answered).status()).toBe(204);
    await sees(page, "You are logged out.");
    const headers = { authorization: `Bearer ${await tokens[0]}` };
    expect((await fetch(`${server.url}/api/me`, { headers })).status).toBe(401);
    await page.reload();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  });

  it("shows one's devices, ends one and the others, and changes the password", async () => {
    const devices = { username: "devices", password: goodPassword };
    const begin = async (userAgent: string): Promise<string> => {
      const response = await post(`${server.url}/api/login`, devices, { "user-agent": userAgent });
      return ((await response.json()) as { token: string }).token;
    };
    const status = async (token: string): Promise<number> =>
      (await fetch(`${server.url}/api/me`, { headers: { authorization: `Bearer ${token}` } })).status;
    const { page } = await guest("devices", "/#devices");
    const [phone, script] = [
      await begin("Mozilla/5.0 (iPhone) Version/18 Safari/605"),
      await begin("<b>curl</b>/8.5 x"),
    ];
    const account = page.getByRole("dialog");
    const items = account.getByRole("listitem");

    await page.getByRole("button", { name: "Account" }).click();
    await items.filter({ hasText: "this device" }).filter({ hasText: "1 open connection" }).waitFor();
    expect((await items.locator(".device").allTextContents()).sort()).toEqual([
      "<b>curl</b>/8.5",
      expect.stringMatching(/^Chrome on /),
      "Safari on iPhone",
    ]);
    await account.getByRole("button", { name: /^Log out Safari on iPhone/ }).click();
    await items.filter({ hasText: "iPhone" }).waitFor({ state: "detached" });
    expect([await status(phone), await status(script)]).toEqual([401, 200]);
    await account.getByRole("button", { name: "Log out all others" }).click();
    await items.filter({ hasText: "curl" }).waitFor({ state: "detached" });
    expect(await status(script)).toBe(401);

    expectedComplaint = /^Failed to load resource: the server responded with a status of 400/;
    await account.getByLabel("Old password").fill("not this one");
    await account.getByLabel(/^New password/).fill(`new ${goodPassword}`);
    await page.keyboard.press("Enter");
    await account.getByText("Your old password was entered incorrectly.").waitFor();
    await account.getByLabel("Old password").fill(goodPassword);
    await page.keyboard.press("Enter");
    await account.getByText("Your password is changed.").waitFor();
    await account.getByRole("button", { name: "Close" }).click();
    await say(page, "still here");
  });

  it("can be used with the keyboard alone", async () => {
    await member(server.url, "keys");
    const { page } = await visit("/#keys");
    const { keyboard } = page;
    await keyboard.type("keys");
    await keyboard.press("Tab");
    await keyboard.type(goodPassword);
    await keyboard.press("Enter");
    await sees(page, "Connected");
    await keyboard.type("first line");
    await keyboard.press("Shift+Enter");
    await keyboard.type("second line");
    await keyboard.press("Enter");
    await hears(page, "second line");
    expect(await transcript(page)).toEqual(["You: first line\nsecond line"]);

    const stops = [];
    for (let stop = 0; stop < 7; stop++) {
      await keyboard.press("Shift+Tab");
      stops.unshift(await focused(page));
      expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    }
    expect(stops).toEqual(["#", "#keys", "room-name", "Enter", "to-account", "logout", "log"]);
  });

  it("says that the connection is lost, and comes back by itself with everything", async () => {
    expectedComplaint = refusedConnection;
    const [ada, charles] = await Promise.all([guest("ada2", "/#storm"), guest("charles2", "/#storm")]);
    await say(ada.page, "before");
    await hears(charles.page, "before");
    await Promise.all([stopClock(ada.page), stopClock(charles.page)]);
    await server.kill();
    await Promise.all([sees(ada.page, "Connection lost."), sees(charles.page, "Connection lost.")]);
    await ada.page.getByLabel("Your message").fill("after");
    await ada.page.keyboard.press("Enter");
    await sees(ada.page, "There is no connection now.");

    await start();
    await Promise.all([ada, charles].map(({ page }) => page.clock.runFor(longestWait)));
    await Promise.all([sees(ada.page, "Connected"), sees(charles.page, "Connected")]);
    await ada.page.keyboard.press("Enter");
    await Promise.all([hears(ada.page, "after"), hears(charles.page, "after")]);
    expect(await transcript(charles.page)).toEqual(["ada2: before", "ada2: after"]);
    expect(await transcript(ada.page)).toEqual(["You: before", "You: after"]);
  });

  it("waits longer and longer for the server, but not when the network is back", async () => {
    expectedComplaint = refusedConnection;
    const { page } = await guest("patient", "/#patience");
    await stopClock(page);
    await server.kill();
    const countdown = page.locator("#countdown", { hasText: /^in \d+ s$/ });
    for (const longest of [1, 2, 4, 8, 16, 30, 30]) {
      const seconds = Number(/\d+/.exec((await countdown.textContent()) ?? ""));
      expect(seconds).toBeGreaterThanOrEqual(longest / 2);
      expect(seconds).toBeLessThanOrEqual(longest);
      await page.clock.runFor(seconds * 1_000);
    }
    await countdown.waitFor();
    await start();
    await page.evaluate("dispatchEvent(new Event('online'))");
    await sees(page, "Connected");
  });
});

/** Milliseconds after which a page has tried again at the latest. */
const longestWait = 30_000;

/** From now on the page's time passes when the test says so. */
async function stopClock(page: Page): Promise<void> {
  await page.clock.install();
  await page.clock.pauseAt((await page.evaluate<number>("Date.now()")) + 1_000);
}

/** What the browser itself says of a server that is not there. */
const refusedConnection = /ERR_CONNECTION_REFUSED/;

/**
 * A port that is free now. One that the system picks for the server itself could not be had again after a kill: the
 * connections that are left over from it hold it for a while.
 */
async function freePort(): Promise<string> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return String(port);
}

/** What is said of a field beyond its label. */
async function described(page: Page, label: RegExp): Promise<string | null> {
  const field = page.getByRole("form").getByLabel(label);
  return page.locator(`#${await field.getAttribute("aria-describedby")}`).textContent();
}

/** Where the focus is. */
async function focused(page: Page): Promise<string | null> {
  const element = page.locator(":focus");
  return (await element.getAttribute("id")) ?? (await element.getAttribute("href")) ?? element.textContent();
}
