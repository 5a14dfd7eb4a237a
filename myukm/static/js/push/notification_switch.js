// A checkbox that switches one kind of notifications in this browser on and off, for the account.

import { accountId } from "../core/account.js";
import { t } from "../core/i18n.js";
import { local, read, write } from "../core/storage.js";
import { toast } from "../core/toast.js";
import { allowed, ask } from "./notification.js";

const key = (kind) => `ring:${accountId()}:${kind}`;

/** Whether this browser wants notifications of that kind, and may show them. */
export const isWanted = (kind) => read(local, key(kind), false) && allowed();

/** Starts the checkbox `box`, if the page has one. Checking it lets the browser ask for
 * permission. */
export function startNotificationSwitch(box, kind) {
  if (!box) return;
  box.disabled = !window.Notification;
  box.parentElement.hidden = box.disabled;
  if (box.disabled) return;
  box.checked = isWanted(kind);
  box.addEventListener("change", async () => {
    if (box.checked && !(await ask())) {
      box.checked = false;
      toast(t("not_allowed"), "wait");
    }
    write(local, key(kind), box.checked || null);
  });
}
