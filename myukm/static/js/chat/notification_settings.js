// The room's notification settings: which messages notify (stored by the server) and how, by sound
// or by the browser's notification (stored by this browser).

import { accountId } from "../core/account.js";
import * as api from "../core/api.js";
import { t } from "../core/i18n.js";
import { local, write } from "../core/storage.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { ask } from "../push/notification.js";
import { beep, wants } from "./notifier.js";

/** Stores a switch; the browser asks for its permission only now, when it is needed. */
async function switched({ target }) {
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
    form.elements[name].addEventListener("change", switched);
  }
  for (const choice of form.elements.notices) {
    choice.addEventListener("change", () =>
      api
        .put(`${url}/notices`, { notices: choice.value })
        .catch((error) => toast(error.message, "bad")),
    );
  }
  form.elements.every.addEventListener("change", ({ target: { checked } }) =>
    api.put(`${url}/push`, { every: checked }).catch((error) => toast(error.message, "bad")),
  );
  on("unread", ({ ukm, notices }) => {
    if (ukm === code && notices) form.elements.notices.value = notices;
  });
}
