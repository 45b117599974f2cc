import { type Faults, Refused } from "./account.js";

/**
 * Calls `act` with the fields of a form that is submitted, and shows what it is `Refused` for: at the field of that
 * name, in the element `<field's id>-fault`, and the rest in the form's `.fault` with the role of an alert.
 */
export function onSubmit(form: HTMLFormElement, act: (fields: Record<string, string>) => Promise<void> | void): void {
  let busy = false;
  async function submit(): Promise<void> {
    busy = true;
    try {
      await act(Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)])));
      showFaults(form, {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      showFaults(form, error.faults);
    } finally {
      busy = false;
    }
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!busy) void submit();
  });
}

function showFaults(form: HTMLFormElement, faults: Faults): void {
  const others = new Map(Object.entries(faults));
  let first: HTMLInputElement | undefined;
  for (const field of form.querySelectorAll("input")) {
    const messages = faults[field.name] ?? [];
    others.delete(field.name);
    field.ariaInvalid = String(messages.length > 0);
    say(form.querySelector(`#${field.id}-fault`), messages.join(" "));
    if (messages.length > 0) first ??= field;
  }
  say(form.querySelector(".fault[role=alert]"), [...others.values()].flat().join(" "));
  first?.focus();
}

/** Sets a text where it changes it: screen readers read out whatever is set, the same or not. */
export function say(element: Element | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text;
}
