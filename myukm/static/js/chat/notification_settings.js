// The room's notification settings: which messages notify (stored by the server) and how, by sound
// or by the browser's notification (stored by this browser).

import { accountId } from "../core/account.js";
import { t } from "../core/i18n.js";
import { local, write } from "../core/storage.js";
import { storeChoice } from "../core/store_choice.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { ask } from "../push/notification.js";
import { beep, wants } from "./notifier.js";

/** Stores a switch. The browser asks for its permission only when notifications are switched on. */
async function storeSwitch({ target }) {
  const { name, checked } = target;
  if (name === "sound" && checked) beep();
  if (name === "notify" && checked && !(await ask())) {
    target.checked = false;
    toast(t("not_allowed"), "wait");
    return;
  }
  write(local, `ring:${accountId()}:${name}`, checked || null);
}

export function startNotificationSettings(form, { url, code }) {
  for (const name of ["sound", "notify"]) {
    form.elements[name].checked = wants(name);
    form.elements[name].addEventListener("change", storeSwitch);
  }
  startNotices(form.elements.notices, url, code);
  form.elements.every.addEventListener("change", async ({ target }) => {
    const { checked } = target;
    if ((await storeChoice(`${url}/push`, { every: checked })) === false) target.checked = !checked;
  });
}

/** Stores which messages notify; returns to the last choice if the new one could not be stored. */
function startNotices(choices, url, code) {
  let chosen = choices.value;
  const show = (value) => {
    chosen = value;
    choices.value = value;
  };
  for (const choice of choices) {
    choice.addEventListener("change", async ({ target: { value } }) => {
      const isStored = await storeChoice(`${url}/notices`, { notices: value });
      if (isStored !== null) show(isStored ? value : chosen);
    });
  }
  on("unread", ({ ukm, notices }) => ukm === code && notices && show(notices));
}
