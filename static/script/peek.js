// Pointing at a small map shows that head large, until a press locks one. Without this script a press
// shows it.

const open = (target) => target.closest?.(".focusable:not(.locked) [data-peek]");

function stage(thumb, head) {
  for (const each of thumb.closest(".focusable").querySelectorAll("[data-stage]")) {
    each.classList.toggle("at", each.dataset.stage === head);
  }
}

function peek({ target, pointerType }) {
  const thumb = open(target);
  if (thumb && pointerType !== "touch") stage(thumb, thumb.dataset.peek);
}

function unpeek({ target }) {
  const thumb = open(target);
  if (thumb) stage(thumb, thumb.parentElement.querySelector('[aria-pressed="true"]').dataset.peek);
}

for (const moment of ["pointerover", "focusin"]) document.addEventListener(moment, peek);
for (const moment of ["pointerout", "focusout"]) document.addEventListener(moment, unpeek);
