// Shift with an arrow key leads to the step before or after, unless a field has the focus, text is
// selected, or the learner has switched it off under Look.

function stepBeside(offset) {
  const links = [...document.querySelectorAll("#steps a")];
  const current = links.findIndex((link) => link.hasAttribute("aria-current"));
  return current < 0 ? null : (links[current + offset] ?? (offset > 0 ? document.querySelector("#next .next-step") : null));
}

document.addEventListener("keydown", (event) => {
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  if (!event.shiftKey || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (document.documentElement.dataset.keys === "off") return;
  if (event.target.closest?.("input, select, textarea, [contenteditable]")) return;
  if (!getSelection().isCollapsed) return;
  stepBeside(event.key === "ArrowLeft" ? -1 : 1)?.click();
});
