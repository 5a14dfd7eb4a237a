// A button with the focus is disabled by its own action, or by a progress event. The focus then
// goes to the button that takes its place, which may be enabled only some events later.

const NEXT = {
  start: ["pause"],
  "retry-failed": ["pause"],
  resume: ["pause"],
  accept: ["pause"],
  pause: ["resume"],
  cancel: ["start"],
  reset: ["start"],
};
/** After a change that no press caused, the first of these that is enabled. */
const MAIN_ACTIONS = ["resume", "pause", "start"];

export class ActionFocus {
  constructor(root) {
    this.root = root;
    this.wanted = null;
    this.button = null;
  }

  /** To be called when a button was pressed. */
  pressed(button) {
    this.button = button;
    this.wanted = NEXT[button.dataset.action];
  }

  /** To be called when the press had no effect: the focus stays with the button. */
  refused(button) {
    this.button = button;
    this.wanted = [button.dataset.action];
  }

  /** To be called before buttons may change. */
  remember() {
    const focused = document.activeElement;
    if (focused?.dataset.action) this.button = focused;
    else if (!this.button?.disabled) this.button = null; // the person went elsewhere
  }

  /** To be called when buttons may have changed. Does nothing once the person moved the focus. */
  settle() {
    const focused = document.activeElement;
    const isLost = [null, document.body, this.button].includes(focused) || focused.disabled;
    const wanted = this.wanted ?? (this.button?.disabled ? MAIN_ACTIONS : []);
    const button = isLost && wanted.map((action) => this.find(action)).find(Boolean);
    if (button) button.focus();
    if (button || !isLost) this.wanted = null;
  }

  find(action) {
    const buttons = this.root.querySelectorAll(`[data-action="${action}"]:enabled`);
    return [...buttons].find((button) => button.checkVisibility());
  }
}
