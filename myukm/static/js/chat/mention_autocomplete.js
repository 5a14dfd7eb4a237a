// Completes a name after an @ in the field, by keyboard and by touch.

const MENTION = /(?:^|[^\p{L}\p{N}])@([\p{L}\p{N}][\p{L}\p{N}\p{Mn}'’‘‛′´＇ .-]{0,40}|)$/u;

/** The text between an @ and the caret ("" right after the @); null if the caret is in no
 * mention. */
export function mentionStart(text, caret) {
  return MENTION.exec(text.slice(0, caret))?.[1] ?? null;
}

export class MentionAutocomplete {
  /** `suggest(start)` resolves to the names to offer. */
  constructor(field, list, suggest) {
    Object.assign(this, { field, list, suggest, at: 0, requests: 0 });
    field.addEventListener("input", () => this.update());
    field.addEventListener("blur", () => this.close());
    // Without the default action a press leaves the focus in the field and the phone's keyboard
    // open. The list closes only on click, because otherwise the lifted finger would press the
    // message behind the list.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.pick(option);
    });
  }

  get start() {
    return mentionStart(this.field.value, this.field.selectionStart);
  }

  async update() {
    const { start } = this;
    if (start === null) return this.close();
    this.requests += 1;
    const request = this.requests;
    const names = await this.suggest(start);
    if (request === this.requests && start === this.start) this.show(names);
  }

  show(names) {
    if (!names.length) return this.close();
    this.list.replaceChildren(...names.map(option));
    this.list.hidden = false;
    this.choose(0);
  }

  choose(at) {
    const options = [...this.list.children];
    this.at = (at + options.length) % options.length;
    for (const [n, each] of options.entries()) {
      each.setAttribute("aria-selected", String(n === this.at));
    }
    options[this.at].scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", options[this.at].id);
  }

  close() {
    this.requests += 1; // a response that is under way is ignored
    this.list.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  pick({ textContent: name }) {
    const { start } = this;
    if (start !== null) {
      const { selectionStart: caret } = this.field;
      this.field.setRangeText(`${name} `, caret - start.length, caret, "end");
      this.field.dispatchEvent(new InputEvent("input"));
    }
    this.close();
  }

  /** Handles a key if it acts on the open list; returns whether it did. */
  handleKey(event) {
    if (this.list.hidden) return false;
    if (this.start === null) {
      this.close(); // the caret was moved away from the name
      return false;
    }
    const { key } = event;
    if (key === "ArrowDown") this.choose(this.at + 1);
    else if (key === "ArrowUp") this.choose(this.at - 1);
    else if (key === "Enter" || key === "Tab") this.pick(this.list.children[this.at]);
    else if (key === "Escape") this.close();
    else return false;
    event.preventDefault();
    return true;
  }
}

function option(name, n) {
  const item = document.createElement("li");
  Object.assign(item, { id: `name-${n}`, role: "option", textContent: name });
  item.dir = "auto";
  return item;
}
