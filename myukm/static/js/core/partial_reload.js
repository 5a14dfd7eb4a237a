import { renderRelativeTimes } from "./time.js";

/** Takes the parts with these ids from a fresh copy of the page, as the server renders them. */
export async function reloadParts(ids) {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ids) document.getElementById(id).replaceWith(fresh.getElementById(id));
  renderRelativeTimes();
}
