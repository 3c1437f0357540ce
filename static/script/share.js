// Copies a link, and asks for files in the heat scale that this page shows. Without this script a link
// can be copied by hand.

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
  const file = target.closest?.("a[data-look]");
  if (file) {
    const address = new URL(file.href);
    address.searchParams.set("heat", document.documentElement.dataset.heat ?? "default");
    file.href = address.href;
  }
});

// What was open stays open when the lab is swapped.
let open = false;
document.addEventListener("toggle", ({ target }) => {
  if (target.id === "share") open = target.open;
}, true);
document.addEventListener("htmx:after:swap", () => {
  const share = document.querySelector("#share");
  if (share) share.open = open;
});
