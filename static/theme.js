// Applies the look that this browser has stored: colour theme, heat scale, and whether keys lead to
// other steps. The script is not deferred: it must run before the first paint, or the page would flash
// in another theme.

const STORAGE_KEY = "headwise:look";
// The first choice of each is the default. It is the absence of the attribute.
const CHOICES = {
  theme: ["system", "light", "dark"],
  heat: ["default", "cividis", "viridis", "greys"],
  keys: ["on", "off"],
};

function readTheme() {
  try {
    return JSON.parse(localStorage.getItem(STORAGE_KEY)) ?? {};
  } catch {
    return {};
  }
}

function applyTheme(theme) {
  const root = document.documentElement;
  for (const [name, [defaultChoice, ...otherChoices]] of Object.entries(CHOICES)) {
    if (otherChoices.includes(theme[name])) root.dataset[name] = theme[name];
    else delete root.dataset[name];
    for (const input of document.querySelectorAll(`input[name="look-${name}"]`)) {
      input.checked = input.value === (root.dataset[name] ?? defaultChoice);
    }
  }
}

const menu = () => document.querySelector("#look");

// Styles hide what works with scripts only.
document.documentElement.dataset.scripts = "on";
applyTheme(readTheme());
addEventListener("storage", () => applyTheme(readTheme()));
// A page restored from the history has new elements, so nothing is cached between events.
for (const eventName of ["DOMContentLoaded", "htmx:after:swap"]) {
  document.addEventListener(eventName, () => applyTheme(readTheme()));
}

document.addEventListener("change", ({ target }) => {
  if (!target.name?.startsWith("look-")) return;
  const theme = { ...readTheme(), [target.name.replace("look-", "")]: target.value };
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(theme));
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
  applyTheme(theme);
});

document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !menu()?.open) return;
  menu().open = false;
  menu().querySelector("summary").focus();
});

document.addEventListener("click", ({ target }) => {
  if (menu()?.open && !menu().contains(target)) menu().open = false;
});
