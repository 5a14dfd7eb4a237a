// The files that are chosen for the next message: by button, camera, paste or drop. The browser keeps
// them until they are sent or removed, because the page may be left or closed before.

import { cloneTemplate, fillSlots } from "../core/dom.js";
import { getFile, putFile, removeFile } from "../core/file_store.js";
import { size } from "../core/format.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { newId } from "./outbox.js";
import { measure } from "./picture_size.js";

const MAX_FILES = 10;

/** Shows the picture in place of the icon. Its blob address is released once it is loaded. */
function showThumbnail(chip, file) {
  const image = new Image(44, 44);
  Object.assign(image, { src: URL.createObjectURL(file), alt: "" });
  image.onload = () => URL.revokeObjectURL(image.src);
  chip.querySelector("svg").replaceWith(image);
}

export class Attachments {
  /** `form` is the composer, `room` the element on which files may be dropped, `owner` the account
   * that chooses. */
  constructor(form, room, owner) {
    this.chosen = [];
    this.changed = () => {};
    this.form = form;
    this.owner = owner;
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
    const id = newId();
    putFile(this.owner, id, file);
    this.show(id, file);
    this.changed();
  }

  /** Shows the files again that an earlier page has kept in `draft`, and from now on keeps the ids of
   * the chosen files there. */
  async keepIn(draft) {
    await draft.adopted;
    for (const id of draft.value.files) {
      const file = await getFile(this.owner, id).catch(() => null);
      if (file) this.show(id, file);
      else toast(t("file_lost"), "wait");
    }
    this.changed = () => draft.save({ files: this.chosen.map(({ client_id: id }) => id) });
    this.changed();
  }

  show(id, file) {
    const entry = { client_id: id, name: file.name, type: file.type, size: file.size };
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
    measure(file).then((dimensions) => {
      Object.assign(entry, dimensions);
      if (dimensions.width) showThumbnail(chip, file);
    });
  }

  remove(entry, chip) {
    this.chosen = this.chosen.filter((each) => each !== entry);
    chip.remove();
    this.box.hidden = !this.chosen.length;
    this.form.elements.message.focus();
    removeFile(this.owner, entry.client_id);
    this.changed();
  }

  /** Empties the list. The browser still keeps the files, for the outbox. */
  clear() {
    this.chosen = [];
    this.box.replaceChildren();
    this.box.hidden = true;
    this.changed();
  }
}
