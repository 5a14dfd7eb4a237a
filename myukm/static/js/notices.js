// The room's notices: which messages ring (kept by the server), and how (kept by this browser).

import * as api from "./api.js";
import { ask } from "./notification.js";
import { beep, wants } from "./ring.js";
import { keep, local } from "./storage.js";
import { on } from "./stream.js";
import { say } from "./text.js";
import { toast } from "./toast.js";

const { account } = document.documentElement.dataset;

/** Nobody is asked for a permission before they switched the thing on. */
async function switched({ target }) {
  const { name, checked } = target;
  if (name === "sound" && checked) beep();
  if (name === "notify" && checked && !(await ask())) {
    target.checked = false;
    toast(say("not_allowed"), "wait");
    return;
  }
  keep(local, `ring:${account}:${name}`, checked || null);
}

export function startNotices(form, { url, code }) {
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
  on("unread", ({ ukm, notices }) => {
    if (ukm === code && notices) form.elements.notices.value = notices;
  });
}
