// The files that are chosen for the next message: by button, camera, paste or drop.

import { cloneTemplate, fillSlots } from "../core/dom.js";
import { size } from "../core/format.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { newId } from "./outbox.js";

const MAX_FILES = 10;
const PICTURE = /^image\/(jpeg|png|webp|gif)$/;

/** The size of a picture as it will be seen, {} for any other file. */
async function measure(file) {
  if (!PICTURE.test(file.type)) return {};
  try {
    const { width, height } = await createImageBitmap(file);
    return { width, height };
  } catch {
    return {};
  }
}

export class Attachments {
  /** `form` is the composer, `room` the element on which files may be dropped. */
  constructor(form, room) {
    this.chosen = [];
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
      const files = [...event.clipboardData.files];
      if (!files.length) return;
      event.preventDefault();
      this.add(files);
    });
    this.takeDrops(room);
  }

  takeDrops(room) {
    const takes = ({ dataTransfer }) => dataTransfer?.types.includes("Files") && !this.isClosed;
    room.addEventListener("dragover", (event) => {
      if (!takes(event)) return;
      event.preventDefault();
      room.classList.add("is-drop");
    });
    room.addEventListener("dragleave", ({ relatedTarget }) => {
      if (!room.contains(relatedTarget)) room.classList.remove("is-drop");
    });
    room.addEventListener("drop", (event) => {
      room.classList.remove("is-drop");
      if (!takes(event)) return;
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
  }

  get isClosed() {
    return this.form.elements.message.disabled;
  }

  async add(files) {
    for (const file of files) {
      if (this.chosen.length >= MAX_FILES) return toast(t("too_many_files"), "wait");
      if (file.size > this.maxBytes) toast(t("file_too_large", { name: file.name }), "wait");
      else await this.addOne(file);
    }
    this.form.elements.message.focus();
  }

  async addOne(file) {
    const entry = { client_id: newId(), file, name: file.name, ...(await measure(file)) };
    this.chosen.push(entry);
    const chip = fillSlots(cloneTemplate("attached-file"), {
      name: file.name,
      size: size(file.size),
    });
    if (entry.width) {
      const image = new Image(44, 44);
      Object.assign(image, { src: URL.createObjectURL(file), alt: "" });
      chip.querySelector("svg").replaceWith(image);
    }
    const button = chip.querySelector("button");
    button.setAttribute("aria-label", t("remove_file", { name: file.name }));
    button.addEventListener("click", () => this.remove(entry, chip));
    this.box.append(chip);
    this.box.hidden = false;
  }

  remove(entry, chip) {
    this.chosen = this.chosen.filter((each) => each !== entry);
    chip.remove();
    this.box.hidden = !this.chosen.length;
    this.form.elements.message.focus();
  }

  /** Returns what is chosen and empties the list. */
  take() {
    const { chosen } = this;
    for (const image of this.box.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.chosen = [];
    this.box.replaceChildren();
    this.box.hidden = true;
    return chosen;
  }
}
