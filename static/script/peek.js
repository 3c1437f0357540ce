// Pointing at a small map shows that head large, until a press locks one; what is shown is fetched from
// the server once. Without this script a press shows it.

const open = (target) => target.closest?.(".focusable:not(.locked) [data-peek]");

async function onStage(thumb, head) {
  const stage = thumb.closest(".focusable").querySelector(".stage");
  const found = stage.querySelector(`[data-stage="${head}"]`);
  if (found) return found;
  // The link begins as the server sees itself, which behind a proxy is not where this page is.
  const { pathname, search } = new URL(document.querySelector("#share-link").value);
  const address = new URL(pathname + search, location.origin);
  address.searchParams.set("head", head);
  const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fetched = page.querySelector(`[data-stage="${head}"]`);
  // Another pointer may have been quicker.
  return stage.querySelector(`[data-stage="${head}"]`) ?? stage.appendChild(fetched);
}

async function show(thumb, head) {
  const stage = thumb.closest(".focusable").querySelector(".stage");
  stage.dataset.wanted = head;
  const chosen = await onStage(thumb, head).catch(() => null);
  if (!chosen || stage.dataset.wanted !== head) return;
  for (const each of stage.children) each.classList.toggle("at", each === chosen);
  document.dispatchEvent(new Event("headwise:staged"));
}

function peek({ target, pointerType }) {
  const thumb = open(target);
  if (thumb && pointerType !== "touch") show(thumb, thumb.dataset.peek);
}

function unpeek({ target }) {
  const thumb = open(target);
  if (thumb) show(thumb, thumb.parentElement.querySelector('[aria-pressed="true"]').dataset.peek);
}

for (const moment of ["pointerover", "focusin"]) document.addEventListener(moment, peek);
for (const moment of ["pointerout", "focusout"]) document.addEventListener(moment, unpeek);
