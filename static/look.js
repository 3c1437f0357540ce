// Theme and heat scale as this browser remembers them. Not deferred: it runs before the first
// paint, so that no page flashes in another theme.

const LOOK = "headwise:look";
const CHOICES = { theme: ["system", "light", "dark"], heat: ["default", "cividis", "viridis", "greys"] };

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(LOOK)) ?? {};
  } catch {
    return {};
  }
}

function apply(look) {
  const root = document.documentElement;
  for (const [name, [usual, ...others]] of Object.entries(CHOICES)) {
    if (others.includes(look[name])) root.dataset[name] = look[name];
    else delete root.dataset[name];
    for (const input of document.querySelectorAll(`input[name="look-${name}"]`)) {
      input.checked = input.value === (root.dataset[name] ?? usual);
    }
  }
}

const panel = () => document.querySelector("#look");

apply(remembered());
addEventListener("storage", () => apply(remembered()));
// Pages that come back from the history are new elements each time: nothing is kept of the old ones.
for (const moment of ["DOMContentLoaded", "htmx:after:swap"]) {
  document.addEventListener(moment, () => apply(remembered()));
}

document.addEventListener("change", ({ target }) => {
  if (!target.name?.startsWith("look-")) return;
  const look = { ...remembered(), [target.name.replace("look-", "")]: target.value };
  try {
    localStorage.setItem(LOOK, JSON.stringify(look));
  } catch {
    // The choice then lasts as long as the page.
  }
  apply(look);
});

document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !panel()?.open) return;
  panel().open = false;
  panel().querySelector("summary").focus();
});

document.addEventListener("click", ({ target }) => {
  if (panel()?.open && !panel().contains(target)) panel().open = false;
});
