const root = document.documentElement;

function chosen() {
  return root.dataset.theme ?? "auto";
}

function choose(theme) {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // It holds until the next page, which is all that this browser allows.
  }
}

function mark(form) {
  form.elements.theme.value = chosen();
}

export function startThemes() {
  const forms = document.querySelectorAll("[data-theme-choice]");
  for (const form of forms) {
    mark(form);
    form.addEventListener("change", () => choose(form.elements.theme.value));
  }
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== "theme") return;
    choose(newValue ?? "auto");
    forms.forEach(mark);
  });
}
