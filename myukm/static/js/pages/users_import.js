// Checks the chosen file without leaving the page, so that it need not be chosen again to invite.

import { t } from "../core/i18n.js";
import { isReadable } from "../core/readable_file.js";
import { toast } from "../core/toast.js";

/** An upload of some megabytes over a slow network takes this long. */
const TIMEOUT_MS = 60_000;

/** The check of the file that is chosen now. */
let newest = null;

export default function startUsersImport(form) {
  const result = document.getElementById("roster-result");
  form.addEventListener("change", () => {
    newest?.abort();
    newest = null;
    result.replaceChildren();
  });
  form.addEventListener("submit", async (event) => {
    result.replaceChildren();
    if (event.submitter?.hasAttribute("formaction")) {
      allowOnce(event.submitter, form);
      return;
    }
    event.preventDefault();
    newest?.abort();
    const own = new AbortController();
    newest = own;
    const timer = setTimeout(() => own.abort(), TIMEOUT_MS);
    try {
      await check(form, result, own.signal);
    } catch {
      if (newest !== own || !form.roster.files[0]) return;
      const readable = await isReadable(form.roster.files[0]);
      if (!readable) form.reset();
      toast(t(readable ? "network_error" : "file_changed"), "bad");
    } finally {
      clearTimeout(timer);
    }
  });
}

/** Lets a button send the chosen file only once, because sending it again would void the codes of the
 * first answer. */
function allowOnce(button, form) {
  const enable = () => {
    button.disabled = false;
  };
  setTimeout(() => {
    button.disabled = true; // only now, because a disabled button sends nothing
  });
  form.addEventListener("change", enable, { once: true });
  addEventListener("pageshow", enable, { once: true }); // back from the page of a refusal
}

async function check(form, result, signal) {
  const response = await fetch(form.action, { method: "POST", body: new FormData(form), signal });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("roster-result");
  if (fresh) result.replaceChildren(...fresh.childNodes);
  else toast(page.querySelector("h1")?.textContent, "bad"); // an ended log-in
}
