// A box that switches one kind of this browser's notifications on, for the account.

import { accountId } from "../core/account.js";
import { t } from "../core/i18n.js";
import { local, read, write } from "../core/storage.js";
import { toast } from "../core/toast.js";
import { allowed, ask } from "./notification.js";

const key = (kind) => `ring:${accountId()}:${kind}`;

/** Whether this browser wants notifications of that kind, and may show them. */
export const wanted = (kind) => read(local, key(kind), false) && allowed();

/** Lets a box switch them on; the browser asks for its permission then. */
export function startNotificationSwitch(box, kind) {
  if (!box) return;
  box.disabled = !window.Notification;
  box.parentElement.hidden = box.disabled;
  if (box.disabled) return;
  box.checked = wanted(kind);
  box.addEventListener("change", async () => {
    if (box.checked && !(await ask())) {
      box.checked = false;
      toast(t("not_allowed"), "wait");
    }
    write(local, key(kind), box.checked || null);
  });
}
