// The files that are chosen for the next message: by button, camera, paste or drop.

import { cloneTemplate, fillSlots } from "../core/dom.js";
import { size } from "../core/format.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { newId } from "./outbox.js";

const MAX_FILES = 10;
const PICTURE = /^image\/(jpeg|png|webp|gif)$/;

/** Resolves to {width, height} of a picture as it is shown, {} for any other file. */
async function measure(file) {
  if (!PICTURE.test(file.type)) return {};
  try {
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    bitmap.close(); // frees some 50 MB for a photo of a phone
    return { width, height };
  } catch {
    return {};
  }
}

/** Shows the picture in place of the icon. Its blob address is released once it is loaded. */
function showThumbnail(chip, file) {
  const image = new Image(44, 44);
  Object.assign(image, { src: URL.createObjectURL(file), alt: "" });
  image.onload = () => URL.revokeObjectURL(image.src);
  chip.querySelector("svg").replaceWith(image);
}

export class Attachments {
  /** `form` is the composer, `room` the element on which files may be dropped. */
  constructor(form, room) {
    this.chosen = []; // promises, because a picture takes time to measure
    this.form = form;
    this.box = document.getElementById("attached");
    this.maxBytes = Number(this.box.dataset.maxBytes);
    for (const input of form.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        this.add([...input.files]);
        input.value = "";
      });
    }
    for (const button of form.querySelectorAll("[data-pick]")) {
      button.addEventListener("click", () => document.getElementById(button.dataset.pick).click());
    }
    form.elements.message.addEventListener("paste", (event) => {
      const { files, types } = event.clipboardData;
      // Office programs add a picture of the copied text to the clipboard.
      const isText = types.includes("text/plain") && types.includes("text/html");
      if (!files.length || isText) return;
      event.preventDefault();
      this.add([...files]);
    });
    this.listenForDrops(room);
  }

  listenForDrops(room) {
    const isAccepted = ({ dataTransfer }) =>
      dataTransfer?.types.includes("Files") && !this.isClosed;
    room.addEventListener("dragover", (event) => {
      if (!isAccepted(event)) return;
      event.preventDefault();
      room.classList.add("is-drop");
    });
    room.addEventListener("dragleave", ({ relatedTarget }) => {
      if (!room.contains(relatedTarget)) room.classList.remove("is-drop");
    });
    room.addEventListener("drop", (event) => {
      room.classList.remove("is-drop");
      if (!isAccepted(event)) return;
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
  }

  get isClosed() {
    return this.form.elements.message.disabled;
  }

  add(files) {
    for (const file of files) {
      if (this.chosen.length >= MAX_FILES) return toast(t("too_many_files"), "wait");
      if (file.size > this.maxBytes) toast(t("file_too_large", { name: file.name }), "wait");
      else this.addOne(file);
    }
    this.form.elements.message.focus();
  }

  addOne(file) {
    const entry = measure(file).then((size) => ({
      client_id: newId(),
      file,
      name: file.name,
      ...size,
    }));
    this.chosen.push(entry);
    const chip = fillSlots(cloneTemplate("attached-file"), {
      name: file.name,
      size: size(file.size),
    });
    const button = chip.querySelector("button");
    button.setAttribute("aria-label", t("remove_file", { name: file.name }));
    button.addEventListener("click", () => this.remove(entry, chip));
    this.box.append(chip);
    this.box.hidden = false;
    entry.then((measured) => measured.width && showThumbnail(chip, file));
  }

  remove(entry, chip) {
    this.chosen = this.chosen.filter((each) => each !== entry);
    chip.remove();
    this.box.hidden = !this.chosen.length;
    this.form.elements.message.focus();
  }

  /** Empties the list at once, and resolves to the chosen files once they are measured. */
  take() {
    const { chosen } = this;
    this.chosen = [];
    this.box.replaceChildren();
    this.box.hidden = true;
    return Promise.all(chosen);
  }
}
