// While the first unread message is older than all loaded ones, a bar leads to it or marks all
// messages as read. While newer messages are not loaded either, the bar cannot mark all as read,
// because the last message is unknown.

import * as api from "../core/api.js";
import { fillSlots } from "../core/dom.js";
import { number } from "../core/format.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";

export function startUnreadBar({ timeline, url, unread, goTo, reading }) {
  const bar = document.getElementById("unread-bar");
  const [up, done] = bar.querySelectorAll("button");
  const update = () => {
    bar.hidden = !timeline.hasGap;
    done.hidden = timeline.anchor.newerLeft;
  };
  fillSlots(bar, { label: t("unread_above", { n: number(unread) }) });
  up.addEventListener("click", async () => {
    await goTo(timeline.firstUnread);
    update();
  });
  done.addEventListener("click", async () => {
    try {
      await api.post(`${url}/read`, { last_id: timeline.lastServerId });
      timeline.setFirstUnread(NaN);
      update();
      reading.checkSoon();
    } catch (error) {
      toast(error.message, "bad");
    }
  });
  timeline.box.addEventListener("scroll", update, { passive: true });
  update();
}
