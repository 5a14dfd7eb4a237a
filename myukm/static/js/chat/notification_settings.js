// The room's notification settings: which messages notify (stored by the server) and how, by sound
// or by the browser's notification (stored by this browser).

import { accountId } from "../core/account.js";
import { t } from "../core/i18n.js";
import { local, write } from "../core/storage.js";
import { StoredChoice, storeCheckbox } from "../core/stored_choice.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { ask } from "../push/notification.js";
import { beep, wants } from "./notifier.js";

/** Stores a switch in this browser, which asks for its permission only when notifications are
 * switched on; the switch may be changed again meanwhile. */
async function storeSwitch({ target }) {
  const { name } = target;
  if (name === "sound" && target.checked) beep();
  if (name === "notify" && target.checked && !(await ask())) {
    target.checked = false;
    toast(t("not_allowed"), "wait");
    return;
  }
  if (write(local, `ring:${accountId()}:${name}`, target.checked || null)) return;
  target.checked = wants(name);
  toast(t("not_stored"), "bad");
}

export function startNotificationSettings(form, { url, code }) {
  for (const name of ["sound", "notify"]) {
    form.elements[name].checked = wants(name);
    form.elements[name].addEventListener("change", storeSwitch);
  }
  // Otherwise Enter in the form would load the page again.
  form.addEventListener("submit", (event) => event.preventDefault());
  startNotices(form.elements.notices, url, code);
  // "every": all messages of this UKM are sent by push, not only mentions and replies.
  storeCheckbox(form.elements.every, `${url}/push`, "every");
}

/** Stores which messages notify. */
function startNotices(choices, url, code) {
  const choice = new StoredChoice(`${url}/notices`, "notices", choices.value, (value) => {
    choices.value = value;
  });
  for (const each of choices) each.addEventListener("change", () => choice.choose(choices.value));
  on("unread", ({ ukm, notices }) => ukm === code && notices && choice.changed(notices));
}
