// A unit's own pages follow what others do: the list is taken afresh, one's own rank reloads.

import { number } from "../core/format.js";
import { t } from "../core/i18n.js";
import { reloadParts } from "../core/partial_reload.js";
import { renderRelativeTimes } from "../core/time.js";
import { on } from "../live/events_bus.js";

const SETTLE_MS = 300;
const { code, me, refresh: list } = document.getElementById("unit").dataset;
let timer = 0;

/** Many changes at once cost one look; whoever stands on a link in the list stays there. */
function listChanged() {
  if (!list) return;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const href = document.activeElement?.getAttribute("href");
    const inside = document.getElementById(list).contains(document.activeElement);
    await reloadParts([list]);
    if (inside && href) document.querySelector(`#${list} [href="${CSS.escape(href)}"]`)?.focus();
  }, SETTLE_MS);
}

function membershipChanged({ ukm, user_id: user, member }) {
  if (ukm !== code) return;
  if (String(user) !== me) listChanged();
  else if (member) location.reload();
  else location.assign("/ukm");
}

function showReports({ ukm, open }) {
  if (ukm !== code) return;
  const mark = document.getElementById("open-reports");
  if (mark) {
    mark.firstChild.textContent = number(open);
    mark.hidden = open === 0;
  }
  if (location.pathname.endsWith("/reports")) listChanged();
}

function seen(iso) {
  const time = document.createElement("time");
  time.dateTime = iso;
  return [t("last_seen"), " ", time];
}

function showPresence({ ukm, user_id: user, status, last_seen: last }) {
  const row = ukm === code && document.querySelector(`[data-user="${user}"]`);
  if (!row) return;
  row.querySelector(".presence").dataset.status = status;
  const words =
    status === "offline" ? seen(last ?? new Date().toISOString()) : [t(`status_${status}`)];
  row.querySelector('[data-slot="here"]').replaceChildren(...words);
  renderRelativeTimes();
}

document.getElementById("until")?.addEventListener("input", ({ target }) => {
  target.form.querySelector('[name="for"][value=""]').checked = true;
});
on("membership", membershipChanged);
on("ukm.reports", showReports);
on("presence", showPresence);
