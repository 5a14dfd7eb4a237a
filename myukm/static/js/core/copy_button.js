import { copy } from "./clipboard.js";
import { toast } from "./toast.js";

/** Shows a button that copies its data-copy and shows its data-copied; without JavaScript it stays
 * hidden. */
export default function mount(button) {
  const { copy: text, copied } = button.dataset;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await copy(text);
      toast(copied, "good");
    } catch (error) {
      toast(error.message);
    }
  });
}
