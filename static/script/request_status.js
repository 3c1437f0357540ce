// Dims the lab during a slow request, and shows an error with a retry button if the server does not
// answer. Only answers of Headwise are swapped: a proxy's error page, a sign-in page or an empty answer
// leaves maps and text as they are. Elements are looked up on each use, because a page restored from
// the history has new ones.

const OWN_HEADER = "Headwise";
const SLOW_AFTER_MILLISECONDS = 150;

const errorBox = () => document.querySelector("#trouble");
let pendingRequests = 0;
let timer;
// A page that the history could not restore: its address is in the browser already.
let failedRestore = false;

function setBusy(isBusy) {
  const lab = document.querySelector(".lab");
  lab?.classList.toggle("is-busy", isBusy);
  lab?.setAttribute("aria-busy", String(isBusy));
}

function showError(ctx) {
  failedRestore = "HX-History-Restore-Request" in (ctx?.request?.headers ?? {});
  const box = errorBox();
  if (!box) return;
  box.hidden = false;
  const detail = box.querySelector("p").textContent;
  document.dispatchEvent(new CustomEvent("headwise:say", { detail }));
}

function hideError() {
  const box = errorBox();
  if (!box || box.hidden) return;
  if (box.contains(document.activeElement)) document.querySelector("#text").focus();
  box.hidden = true;
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

document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.headers.has(OWN_HEADER)) return;
  event.preventDefault();
  showError(ctx);
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.text?.trim()) return;
  event.preventDefault();
  showError(ctx);
});

document.addEventListener("htmx:error", ({ detail }) => showError(detail.ctx));

document.addEventListener("htmx:after:swap", hideError);

// What was pressed or typed is in the form, so sending it again repeats what failed.
document.addEventListener("click", ({ target }) => {
  if (!target.closest("#trouble button")) return;
  if (failedRestore) location.reload();
  else document.querySelector("#lab").requestSubmit();
});
