import {
  askForTicket,
  changePassword,
  devicesOf,
  endDevice,
  endOtherDevices,
  logIn,
  logOut,
  Refused,
  register,
  type Session,
} from "./account.js";
import { ChatConnection, type ConnectionState } from "./connection.js";
import { deviceItems } from "./devices.js";
import { onSubmit, say } from "./form.js";
import { inRoom } from "./here.js";
import { recall, remember } from "./memory.js";
import { addressOf, roomFault, roomInAddress, roomTitle, visit } from "./rooms.js";
import { Transcript } from "./transcript.js";

const sessionKey = "sluice.session";
const longestMessage = 4_000;

const entrance = part("entrance", HTMLElement);
const notice = part("entrance-notice", HTMLElement);
const loginForm = part("login", HTMLFormElement);
const registerForm = part("register", HTMLFormElement);
const chat = part("chat", HTMLElement);
const side = part("side", HTMLElement);
const roomList = part("rooms", HTMLElement);
const enterForm = part("enter", HTMLFormElement);
const retry = part("retry", HTMLButtonElement);
const composeForm = part("compose", HTMLFormElement);
const composeFault = part("compose-fault", HTMLElement);
const composer = part("message", HTMLTextAreaElement);
const account = part("account", HTMLDialogElement);
const passwordForm = part("password", HTMLFormElement);
const devicesFault = part("devices-fault", HTMLElement);
const transcript = new Transcript(part("log", HTMLElement), part("messages", HTMLElement), part("to-end", HTMLElement));

let session: Session | undefined;
let unread = 0;
/** Sent, and not yet seen to come back, which alone says that the server has it. */
let underWay: string[] = [];
/** What the composer held when the last of that was taken back. */
let takenBack: string | undefined;

const connection = new ChatConnection({
  changed(state) {
    showConnection(state);
    if (state.phase === "open") {
      transcript.clear();
      say(composeFault, "");
    } else takeBack();
    if (state.phase === "refused" && state.code === 4401) leave("You are not logged in any more. Log in to go on.");
  },
  received(message) {
    const own = message.sender.id === session?.user.id;
    const news = transcript.add(message, own);
    if (news && document.hidden) unread++;
    if (own) arrived(message.message, news);
    showTitle();
  },
  attended(people) {
    say(part("here", HTMLElement), inRoom(people, session?.user.id));
  },
  rejected(why) {
    takeBack();
    say(composeFault, `The server did not take it: ${why}.`);
  },
});

function enter(next: Session): void {
  // A draft outlives a login that has expired, but is nobody else's.
  if (composer.dataset.author !== next.user.id) composer.value = "";
  composer.dataset.author = next.user.id;
  session = next;
  remember(() => sessionStorage, sessionKey, session);
  loginForm.reset();
  registerForm.reset();
  say(part("me", HTMLElement), next.user.name || next.user.username);
  entrance.hidden = true;
  chat.hidden = false;
  join();
}

function leave(why: string): void {
  connection.leave();
  session = undefined;
  remember(() => sessionStorage, sessionKey, undefined);
  transcript.clear();
  account.close();
  chat.hidden = true;
  say(notice, why);
  showEntrance(loginForm);
}

function showEntrance(form: HTMLFormElement): void {
  entrance.hidden = false;
  for (const each of [loginForm, registerForm]) each.hidden = each !== form;
  showTitle();
  form.querySelector("input")?.focus();
}

function join(): void {
  const current = session;
  if (current === undefined) return;
  const room = roomInAddress();
  takeBack();
  transcript.clear();
  say(part("room-title", HTMLElement), roomTitle(room));
  showTitle();
  roomList.replaceChildren(
    ...visit(room).map((each) => {
      const link = document.createElement("a");
      link.href = addressOf(each);
      link.dir = "auto";
      link.textContent = roomTitle(each);
      if (each === room) link.ariaCurrent = "page";
      const item = document.createElement("li");
      item.append(link);
      return item;
    }),
  );
  connection.join(room, (signal) => askForTicket(current, signal));
  side.hidePopover();
  composer.focus();
}

/** Back to where it was written: it may not have arrived. */
function takeBack(): void {
  if (underWay.length === 0) return;
  composer.value = [...underWay, composer.value].filter((text) => text !== "").join("\n");
  underWay = [];
  takenBack = composer.value;
}

/** Taken back and yet arrived, as the room's replay shows: nobody should have to send it twice. */
function arrived(text: string, news: boolean): void {
  const place = underWay.indexOf(text);
  if (place >= 0) underWay.splice(place, 1);
  else if (news && text === takenBack && text === composer.value) composer.value = "";
}

/** Does something about the devices, and shows what there are after it. */
async function withDevices(act: (session: Session) => Promise<void> = async () => {}): Promise<void> {
  const current = session;
  if (current === undefined) return;
  try {
    await act(current);
    const devices = await devicesOf(current);
    if (current !== session) return;
    const items = deviceItems(devices, (device) => void withDevices((own) => endDevice(own, device)));
    part("devices", HTMLElement).replaceChildren(...items);
    part("end-others", HTMLButtonElement).hidden = devices.length < 2;
    say(devicesFault, "");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(devicesFault, error.message);
  }
}

function showConnection(state: ConnectionState): void {
  chat.dataset.phase = state.phase;
  say(part("connection-text", HTMLElement), inWords(state));
  say(part("countdown", HTMLElement), state.phase === "lost" ? `in ${state.retryInSeconds} s` : "");
  retry.hidden = state.phase !== "lost";
}

function inWords(state: ConnectionState): string {
  switch (state.phase) {
    case "connecting":
      return "Connecting…";
    case "open":
      return "Connected";
    case "lost":
      return "Connection lost. Reconnecting";
    case "refused":
      if (state.code === 4403) return "You may not enter this room.";
      if (state.code === 4404) return "There is no such room.";
      return `This room cannot be entered: ${state.reason || "the server gave no reason"}.`;
  }
}

function showTitle(): void {
  const room = session === undefined ? "" : `${roomTitle(roomInAddress())} – `;
  document.title = `${unread > 0 ? `(${unread}) ` : ""}${room}Sluice`;
}

function part<Kind extends HTMLElement>(id: string, kind: abstract new () => Kind): Kind {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new TypeError(`expected the page to have a ${kind.name} with the id "${id}"`);
  return element;
}

onSubmit(loginForm, async (fields) => enter(await logIn(fields)));
onSubmit(registerForm, async (fields) => enter(await register(fields)));
part("to-register", HTMLButtonElement).addEventListener("click", () => showEntrance(registerForm));
part("to-login", HTMLButtonElement).addEventListener("click", () => showEntrance(loginForm));

part("logout", HTMLButtonElement).addEventListener("click", () => {
  if (session === undefined) return;
  const ended = session;
  composer.value = "";
  underWay = [];
  leave("You are logged out.");
  logOut(ended).catch(() => say(notice, "You are logged out here, but the server could not be told."));
});

part("to-account", HTMLButtonElement).addEventListener("click", () => {
  passwordForm.reset();
  say(part("password-notice", HTMLElement), "");
  account.showModal();
  void withDevices();
});
part("close-account", HTMLButtonElement).addEventListener("click", () => account.close());
part("end-others", HTMLButtonElement).addEventListener("click", () => void withDevices(endOtherDevices));
onSubmit(passwordForm, async ({ old_password = "", new_password = "" }) => {
  if (session === undefined) return;
  say(part("password-notice", HTMLElement), "");
  await changePassword(session, { old_password, new_password });
  passwordForm.reset();
  say(part("password-notice", HTMLElement), "Your password is changed.");
  await withDevices();
});

onSubmit(enterForm, ({ room = "" }) => {
  const name = room.trim();
  const fault = roomFault(name);
  if (fault !== undefined) throw new Refused({ room: [fault] });
  enterForm.reset();
  location.hash = addressOf(name);
  composer.focus();
});
addEventListener("hashchange", join);

composeForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = composer.value.trim();
  composer.focus();
  if (text === "") return;
  if (text.length > longestMessage) {
    say(composeFault, `A message has at most ${longestMessage} characters, and this one ${text.length}.`);
  } else if (connection.send(text)) {
    underWay.push(text);
    composer.value = "";
    say(composeFault, "");
  } else say(composeFault, "There is no connection now. Your message stays here until you send it.");
});
composer.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter is its own.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composeForm.requestSubmit();
});

retry.addEventListener("click", () => {
  connection.retryNow();
  composer.focus();
});
addEventListener("online", () => connection.retryNow());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  connection.retryNow();
  unread = 0;
  showTitle();
});

const kept = recall<Session>(() => sessionStorage, sessionKey);
if (kept === undefined) showEntrance(loginForm);
else enter(kept);
