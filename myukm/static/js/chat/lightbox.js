// One picture as large as the window; arrow keys and buttons lead to the others of its message.

import { fillSlots } from "../core/dom.js";
import { t } from "../core/i18n.js";

/** Opens the pictures in `list` when they are pressed. */
export function startLightbox(list) {
  const dialog = document.getElementById("lightbox");
  const image = dialog.querySelector("img");
  let links = [];
  let shown = 0;

  function show(index) {
    shown = (index + links.length) % links.length;
    const { href } = links[shown];
    const { alt } = links[shown].querySelector("img");
    image.removeAttribute("src"); // or the previous picture would stay until this one has loaded
    Object.assign(image, { src: href, alt, hidden: false });
    dialog.querySelector("a").href = href;
    fillSlots(dialog, { name: alt, place: links.length > 1 ? `${shown + 1}/${links.length}` : "" });
    for (const button of dialog.querySelectorAll("[data-step]")) button.hidden = links.length < 2;
  }

  list.addEventListener("click", (event) => {
    const link = event.target.closest("a.file-picture[href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    links = [...link.parentElement.querySelectorAll("a.file-picture")];
    show(links.indexOf(link));
    dialog.showModal();
  });
  dialog.addEventListener("click", ({ target }) => {
    const step = target.closest("[data-step]")?.dataset.step;
    if (step) show(shown + Number(step));
    else if (target === dialog || target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("keydown", ({ key }) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (step && links.length > 1) show(shown + step);
  });
  image.addEventListener("error", () => {
    image.hidden = true; // it is deleted, or there is no network
    fillSlots(dialog, { name: t("no_picture") });
  });
  dialog.addEventListener("close", () => image.removeAttribute("src"));
}
