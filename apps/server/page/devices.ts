import type { Device } from "./account.js";

/** What browsers call themselves, those first that call themselves by the names of others, too. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/Edg(e|A|iOS)?\//, "Edge"],
  [/OPR\//, "Opera"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/(Firefox|FxiOS)\//, "Firefox"],
  [/(Chrome|CriOS)\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/Windows/, "Windows"],
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/CrOS/, "ChromeOS"],
  [/Mac OS X/, "Mac"],
  [/Linux/, "Linux"],
];

/** What people know a device by, from its User-Agent: "Firefox on Windows". */
export function deviceName(userAgent: string | null): string {
  if (userAgent === null) return "Unknown device";
  const named = (names: typeof browsers) => names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = named(browsers);
  const system = named(systems);
  if (browser === undefined) return userAgent.split(" ")[0] ?? userAgent;
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** The items of the list of devices, each with a button that ends it but for the one at hand. */
export function deviceItems(devices: readonly Device[], end: (device: Device) => void): HTMLLIElement[] {
  return devices.map((device) => {
    const name = text("span", "device", deviceName(device.user_agent));
    name.title = device.user_agent ?? "";
    const item = document.createElement("li");
    item.append(name, text("p", "faded", story(device)));
    if (device.current) item.append(text("em", "this-device", "this device"));
    else {
      const button = text("button", "link", "Log out");
      button.type = "button";
      button.ariaLabel = `Log out ${deviceName(device.user_agent)}, since ${moment(device.created_at)}`;
      button.addEventListener("click", () => end(device));
      item.append(button);
    }
    return item;
  });
}

function story({ created_at: began, last_used_at: used, connections }: Device): string {
  const open = `${connections} open ${connections === 1 ? "connection" : "connections"}`;
  return `Logged in ${moment(began)}${used === null ? "" : `, last used ${moment(used)}`}, ${open}`;
}

function moment(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function text<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  content: string,
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.className = className;
  // A stranger may have said what this is: it stays text.
  element.textContent = content;
  return element;
}
