const page = () => document.documentElement.dataset;

function chosen() {
  return page().theme ?? "auto";
}

function apply(theme) {
  if (theme === "auto") delete page().theme;
  else page().theme = theme;
}

function choose(theme) {
  apply(theme);
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // The browser forbids the store: the choice ends with this page.
  }
}

function mark(form) {
  form.elements.theme.value = chosen();
}

/** Starts the forms that choose between light, dark and the system's theme, in step with other tabs. */
export function startThemes() {
  const forms = document.querySelectorAll("[data-theme-choice]");
  for (const form of forms) {
    mark(form);
    form.addEventListener("change", () => choose(form.elements.theme.value));
  }
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== "theme") return;
    apply(newValue ?? "auto"); // the tab that chose it has stored it
    forms.forEach(mark);
  });
}
