// The pages of one UKM (members, reports, log …) follow what others do: a changed list is reloaded, a
// changed role of this person reloads the page.

import { accountId } from "../core/account.js";
import { debounced } from "../core/debounced.js";
import { number } from "../core/format.js";
import { t } from "../core/i18n.js";
import { openAnew } from "../core/open_anew.js";
import { reloader } from "../core/partial_reload.js";
import { lastSeen } from "../core/time.js";
import { on, onGap } from "../live/events_bus.js";

const SETTLE_MS = 300;

export default function startUkmManage(root) {
  const { code, list } = root.dataset;
  const listChanged = list ? debounced(reloader(list), SETTLE_MS) : () => {};
  const listen = (type, listener) => on(type, (event) => event.ukm === code && listener(event));
  onGap(debounced(reloader(list, "open-requests", "open-reports"), SETTLE_MS));
  listen("membership", (event) => membershipChanged(event, listChanged));
  listen("ukm.reports", ({ open }) => showWaiting("reports", open, listChanged));
  listen("ukm.requests", ({ open }) => showWaiting("requests", open, listChanged));
  if (location.pathname.endsWith("/readers")) listen("ukm.readers", listChanged);
  listen("presence", showPresence);
  document.getElementById("until")?.addEventListener("input", ({ target }) => {
    target.form.querySelector('[name="for"][value=""]').checked = true;
  });
}

function membershipChanged({ user_id: user, member }, listChanged) {
  if (String(user) !== accountId()) listChanged();
  else if (member) openAnew();
  else location.assign("/ukm");
}

/** Shows on a tab how many decisions wait there, and reloads the list if this is the page of that tab. */
function showWaiting(tab, open, listChanged) {
  const mark = document.getElementById(`open-${tab}`);
  if (mark) {
    mark.firstChild.textContent = number(open);
    mark.hidden = open === 0;
  }
  if (location.pathname.endsWith(`/${tab}`)) listChanged();
}

function showPresence({ user_id: user, status, last_seen: last }) {
  const row = document.querySelector(`[data-user="${user}"]`);
  if (!row) return;
  row.querySelector(".presence").dataset.status = status;
  const text =
    status === "offline" ? lastSeen(last ?? new Date().toISOString()) : [t(`status_${status}`)];
  row.querySelector('[data-slot="presence"]').replaceChildren(...text);
}
