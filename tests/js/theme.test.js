import assert from "node:assert/strict";
import test from "node:test";
import { startThemes } from "../../myukm/static/js/core/theme.js";
import { makePage } from "./page.js";

test("a theme that another tab chose is shown, and not stored a second time", () => {
  const stored = makePage();
  const form = {
    elements: { theme: {} },
    addEventListener: (_type, heard) => (form.heard = heard),
  };
  const tab = new EventTarget();
  Object.assign(document, { querySelectorAll: () => [form] });
  Object.assign(globalThis, {
    localStorage: window.localStorage,
    addEventListener: tab.addEventListener.bind(tab),
  });
  startThemes();
  tab.dispatchEvent(Object.assign(new Event("storage"), { key: "theme", newValue: "dark" }));
  assert.equal(document.documentElement.dataset.theme, "dark");
  assert.equal(form.elements.theme.value, "dark");
  assert.deepEqual([...stored], []);

  form.elements.theme.value = "light";
  form.heard();
  assert.equal(document.documentElement.dataset.theme, "light");
  assert.deepEqual([...stored], [["theme", "light"]]);
});
