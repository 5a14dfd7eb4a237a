// The page of notifications: pushes to this device on and off, a test of them, the UKMs that notify
// of every message, and the saving of messages for times without network.

import { isSaving, saveAll, stopSaving } from "../chat/saved_messages.js";
import * as api from "../core/api.js";
import { t } from "../core/i18n.js";
import { storeCheckbox } from "../core/stored_choice.js";
import { toast } from "../core/toast.js";
import { state, switchOff, switchOn } from "../push/subscription.js";

export default function startNotifications(root) {
  const device = root.querySelector("#device");
  const show = (now) => {
    device.dataset.state = now;
    for (const part of device.querySelectorAll("[data-when]")) {
      part.hidden = !part.dataset.when.split(" ").includes(now);
    }
  };
  const act = (work) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const now = await work();
      if (now) show(now);
    } catch (error) {
      toast(error instanceof api.ApiError ? error.message : t("push_failed"), "bad");
    }
    button.disabled = false;
  };
  const onClick = (name, work) =>
    device.querySelector(`[data-act="${name}"]`).addEventListener("click", act(work));
  onClick("on", () => switchOn(device.dataset.key));
  onClick("off", async () => {
    await switchOff();
    return "off";
  });
  onClick("test", async () => {
    await api.post("/push/test");
    toast(t("push_test"), "neutral");
  });
  for (const box of root.querySelectorAll("#ukms input")) {
    storeCheckbox(box, `/ukm/${box.value}/push`, "every");
  }
  startSavingSwitch(root);
  currentState(device.dataset).then(show);
}

/** The state of pushes in this browser. If the server has lost this browser's subscription (the push
 * service ended it, or a backup without it was restored), subscribes anew; "off" if that fails. */
async function currentState({ subscribed, key }) {
  const now = await state();
  if (now !== "on" || subscribed !== undefined) return now;
  return switchOn(key).catch((error) => {
    console.info(error.message);
    return "off";
  });
}

function startSavingSwitch(root) {
  const box = root.querySelector("#saving");
  if (!box) return;
  box.checked = isSaving();
  box.addEventListener("change", async () => {
    if (!box.checked) {
      stopSaving();
      return;
    }
    const { authorName } = root.dataset; // for messages that are written without network
    const rooms = [...root.querySelectorAll("#ukms input")].map(({ value: code, dataset }) => ({
      code,
      name: dataset.name,
      author: authorName,
    }));
    const saved = await saveAll(rooms).catch(() => false);
    if (!isSaving()) return; // switched off meanwhile
    if (!saved) stopSaving();
    box.checked = saved;
    toast(t(saved ? "saved" : "saving_failed"), saved ? "good" : "bad");
  });
}
