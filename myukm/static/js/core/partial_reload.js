import { renderRelativeTimes } from "./time.js";

/** Replaces the elements with these ids by those of a fresh copy of the page. */
export async function reloadParts(ids) {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ids) document.getElementById(id).replaceWith(fresh.getElementById(id));
  renderRelativeTimes();
}
