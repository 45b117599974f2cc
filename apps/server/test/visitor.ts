import type { Browser, Page, Response } from "playwright-core";

/** Somebody with a browser of their own, and what can be known about them. */
export interface Visitor {
  readonly page: Page;
  /** What the console shows of errors and warnings, violations of the content security policy among them. */
  readonly complaints: string[];
  /** Of every request and every WebSocket. */
  readonly urls: string[];
  /** What the server has given out at logins. */
  readonly tokens: Promise<string>[];
  /** What the server has given out for WebSockets. */
  readonly tickets: Promise<string>[];
}

/** A visitor with nothing kept from before, on a blank page. */
export async function newVisitor(browser: Browser): Promise<Visitor> {
  const page = await (await browser.newContext({ locale: "en-GB" })).newPage();
  // Shorter than a test's own, so that what fails is what was waited for.
  page.setDefaultTimeout(10_000);
  const visitor: Visitor = { page, complaints: [], urls: [], tokens: [], tickets: [] };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) visitor.complaints.push(message.text());
  });
  page.on("pageerror", (error) => visitor.complaints.push(String(error)));
  page.on("request", (request) => visitor.urls.push(request.url()));
  page.on("websocket", (socket) => visitor.urls.push(socket.url()));
  page.on("response", (response) => {
    if (!response.ok()) return;
    if (response.url().endsWith("/api/login")) visitor.tokens.push(promised(response, "token"));
    if (response.url().endsWith("/api/ticket")) visitor.tickets.push(promised(response, "ticket"));
  });
  return visitor;
}

/** A field of a response. Who asks for it is told if there is none, as where the page was closed before; nobody else. */
function promised(response: Response, field: string): Promise<string> {
  const value = response.json().then((body: Record<string, string>) => body[field] ?? "");
  value.catch(() => {});
  return value;
}

/** Fills in the form that a stranger sees first, and sends it. */
export async function logIn(page: Page, username: string, password: string): Promise<void> {
  const form = page.getByRole("form", { name: "Log in" });
  await form.getByLabel(/^Username/).fill(username);
  await form.getByLabel("Password").fill(password);
  await form.getByRole("button", { name: "Log in" }).click();
}

/** Asks for the other form, fills it in and sends it. */
export async function register(page: Page, username: string, name: string, password: string): Promise<void> {
  await page.getByRole("button", { name: "Register" }).click();
  const form = page.getByRole("form", { name: "Register" });
  await form.getByLabel(/^Username/).fill(username);
  await form.getByLabel(/^Name/).fill(name);
  await form.getByLabel("Password").fill(password);
  await form.getByRole("button", { name: "Register" }).click();
}

/** Resolves when the page shows `text`. */
export async function sees(page: Page, text: string): Promise<void> {
  await page.getByText(text).waitFor();
}

/** Resolves when `text` has been said in the room. */
export async function hears(page: Page, text: string): Promise<void> {
  await page.getByRole("log").getByText(text).waitFor();
}

/** Writes a message and resolves when it has been said. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Your message").fill(text);
  await page.keyboard.press("Enter");
  await hears(page, text);
}

/** Who said what, as the page has it. */
export async function transcript(page: Page): Promise<string[]> {
  const log = page.getByRole("log");
  const [who, what] = await Promise.all([
    log.locator(".who").allTextContents(),
    log.locator(".what").allTextContents(),
  ]);
  return who.map((name, line) => `${name}: ${what[line]}`);
}
