// Copies links, and requests figures in the heat scale of this page. Without this script a link can be
// copied by hand.

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (button) {
    const field = document.querySelector(`#${button.dataset.copy}`);
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      field.select();
      button.textContent = "Press Ctrl+C to copy";
    }
    document.querySelector("#announce").textContent = button.textContent;
  }
  const file = target.closest?.("a[data-add-heat]");
  if (file) {
    const address = new URL(file.href);
    address.searchParams.set("heat", document.documentElement.dataset.heat ?? "default");
    file.href = address.href;
  }
});

// A swap replaces the panel; it stays open if it was open.
let isOpen = false;
document.addEventListener("toggle", ({ target }) => {
  if (target.id === "share") isOpen = target.open;
}, true);
document.addEventListener("htmx:after:swap", () => {
  const panel = document.querySelector("#share");
  if (panel) panel.open = isOpen;
});
