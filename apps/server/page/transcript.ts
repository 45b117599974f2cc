import type { Message } from "./connection.js";

/** Milliseconds within which a speaker is not named again. */
const breath = 5 * 60_000;
/** Milliseconds after a clearing in which a room's old messages arrive. */
const replay = 1_000;
/** Pixels from the end within which a reader counts as being at it. */
const nearEnd = 60;

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });

/** What is said in a room, laid out as in a play: who, what and when, day by day. */
export class Transcript {
  readonly #log: HTMLElement;
  readonly #list: HTMLElement;
  readonly #toEnd: HTMLElement;
  #last: { readonly senderId: string; readonly sent: Date } | undefined;
  #newest: Date | undefined;
  #clearedAt = 0;
  #followed = true;

  /** `log` scrolls `list` and keeps to its end, unless the reader goes elsewhere; `toEnd` is shown then, and leads back. */
  constructor(log: HTMLElement, list: HTMLElement, toEnd: HTMLElement) {
    this.#log = log;
    this.#list = list;
    this.#toEnd = toEnd;
    // Not every browser lets the keyboard scroll what it cannot focus.
    log.tabIndex = 0;
    log.addEventListener("scroll", () => this.#follow(log.scrollHeight - log.scrollTop - log.clientHeight < nearEnd));
    toEnd.addEventListener("click", () => {
      log.focus();
      this.#stay(true);
    });
    const resized = new ResizeObserver(() => this.#stay(this.#followed));
    resized.observe(log);
    resized.observe(list);
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#last = undefined;
    this.#clearedAt = performance.now();
    this.#stay(true);
  }

  /** True for news, false for what a room replays of the time before. Screen readers read out news only. */
  add({ sender, message, date }: Message, own: boolean): boolean {
    const sent = new Date(date);
    const news = this.#isNews(sent);
    this.#log.ariaLive = news ? "polite" : "off";

    const sameDay = this.#last !== undefined && day.format(this.#last.sent) === day.format(sent);
    if (!sameDay) this.#append("day", make("p", "", day.format(sent)));
    const goesOn = sameDay && this.#last?.senderId === sender.id && Number(sent) - Number(this.#last.sent) < breath;
    const who = make("span", "who", own ? "You" : sender.name || sender.userName);
    who.title = sender.userName;
    const when = make("time", "when", time.format(sent));
    when.dateTime = date;
    when.title = fullTime.format(sent);
    this.#append(`${own ? "own" : "others"}${goesOn ? " goes-on" : ""}`, who, make("p", "what", message), when);
    this.#last = { senderId: sender.id, sent };
    if (own) this.#stay(true);
    return news;
  }

  #isNews(sent: Date): boolean {
    const first = this.#newest === undefined;
    const later = this.#newest === undefined || sent > this.#newest;
    if (later) this.#newest = sent;
    return first ? performance.now() - this.#clearedAt > replay : later;
  }

  #append(kind: string, ...parts: HTMLElement[]): void {
    const item = make("li", kind);
    item.append(...parts);
    this.#list.append(item);
  }

  #stay(atEnd: boolean): void {
    if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
    this.#follow(atEnd);
  }

  #follow(followed: boolean): void {
    this.#followed = followed;
    this.#toEnd.hidden = followed;
  }
}

/** An element with text that may run in either direction, whichever the page does. */
function make<Name extends "li" | "span" | "p" | "time">(
  name: Name,
  kind: string,
  text = "",
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.className = kind;
  element.dir = "auto";
  element.textContent = text;
  return element;
}
