// Shows a head large while the pointer or the focus is on its thumbnail, until a press locks one head.
// Each large map is fetched once. Without this script a press shows it.

const thumbnailAt = (target) => target.closest?.(".head-browser:not(.is-locked) [data-preview]");

const previewArea = (thumbnail) => thumbnail.closest(".head-browser").querySelector(".head-preview");

async function largeMap(thumbnail, head) {
  const area = previewArea(thumbnail);
  const find = (root) => root.querySelector(`[data-large-head="${head}"]`);
  if (find(area)) return find(area);
  // The shared link has the server's own host, which behind a proxy may not be the host of this page.
  const { pathname, search } = new URL(document.querySelector("#share-link").value);
  const address = new URL(pathname + search, location.origin);
  address.searchParams.set("head", head);
  const response = await fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  // A second event for the same head may have added the map in the meantime.
  return find(area) ?? area.appendChild(find(page));
}

async function showHead(thumbnail, head) {
  const area = previewArea(thumbnail);
  area.dataset.wanted = head;
  const chosen = await largeMap(thumbnail, head).catch(() => null);
  // The pointer may have moved on to another head while this one was fetched.
  if (!chosen || area.dataset.wanted !== head) return;
  for (const child of area.children) child.classList.toggle("is-current", child === chosen);
  document.dispatchEvent(new Event("headwise:previewed"));
}

function startPreview({ target, pointerType }) {
  const thumbnail = thumbnailAt(target);
  if (thumbnail && pointerType !== "touch") showHead(thumbnail, thumbnail.dataset.preview);
}

function endPreview({ target }) {
  const thumbnail = thumbnailAt(target);
  if (!thumbnail) return;
  const selected = thumbnail.parentElement.querySelector('[aria-pressed="true"]');
  showHead(thumbnail, selected.dataset.preview);
}

for (const eventName of ["pointerover", "focusin"]) document.addEventListener(eventName, startPreview);
for (const eventName of ["pointerout", "focusout"]) document.addEventListener(eventName, endPreview);
