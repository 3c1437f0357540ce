// Dims the lab during a slow request, and shows an error with a retry button if the server does not
// answer. The old maps and the typed sentence stay. Elements are looked up on each use, because a page
// restored from the history has new ones.

const SLOW_AFTER_MILLISECONDS = 150;

const errorBox = () => document.querySelector("#trouble");
let pendingRequests = 0;
let timer;

function setBusy(isBusy) {
  const lab = document.querySelector(".lab");
  lab?.classList.toggle("is-busy", isBusy);
  lab?.setAttribute("aria-busy", String(isBusy));
}

document.addEventListener("htmx:before:request", () => {
  pendingRequests += 1;
  timer ??= setTimeout(() => setBusy(true), SLOW_AFTER_MILLISECONDS);
});

document.addEventListener("htmx:finally:request", () => {
  pendingRequests = Math.max(0, pendingRequests - 1);
  if (pendingRequests) return;
  clearTimeout(timer);
  timer = undefined;
  setBusy(false);
});

document.addEventListener("htmx:error", () => {
  errorBox().hidden = false;
  document.querySelector("#announce").textContent = errorBox().querySelector("p").textContent;
});

document.addEventListener("htmx:after:swap", () => {
  if (errorBox()) errorBox().hidden = true;
});

document.addEventListener("click", ({ target }) => {
  if (target.closest("#trouble button")) document.querySelector("#lab").requestSubmit();
});
