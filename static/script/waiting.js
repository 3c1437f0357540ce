// While the server thinks, and when it does not answer: the old maps stay, and so does what was typed.
// Elements are looked up when they are needed, since a page from the history has new ones.

const PATIENCE = 150; // milliseconds before a wait is worth telling

const trouble = () => document.querySelector("#trouble");
let waiting = 0;
let timer;

function busy(is) {
  const lab = document.querySelector(".lab");
  lab?.classList.toggle("busy", is);
  lab?.setAttribute("aria-busy", String(is));
}

document.addEventListener("htmx:before:request", () => {
  waiting += 1;
  timer ??= setTimeout(() => busy(true), PATIENCE);
});

document.addEventListener("htmx:finally:request", () => {
  waiting = Math.max(0, waiting - 1);
  if (waiting) return;
  clearTimeout(timer);
  timer = undefined;
  busy(false);
});

document.addEventListener("htmx:error", () => {
  trouble().hidden = false;
  document.querySelector("#announce").textContent = trouble().querySelector("p").textContent;
});

document.addEventListener("htmx:after:swap", () => {
  if (trouble()) trouble().hidden = true;
});

document.addEventListener("click", ({ target }) => {
  if (target.closest("#trouble button")) document.querySelector("#lab").requestSubmit();
});

if (parent === window) navigator.serviceWorker?.register(new URL("offline.js", import.meta.url), { scope: "/" }).catch(() => {
  // Without it a browser shows its own page where there is no network.
});
