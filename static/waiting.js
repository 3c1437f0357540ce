// While the server thinks, and when it does not answer: the old maps stay, and so does what was typed.

const PATIENCE = 150; // milliseconds before a wait is worth telling

const lab = document.querySelector(".lab");
const trouble = document.querySelector("#trouble");
let waiting = 0;
let timer;

function busy(is) {
  lab.classList.toggle("busy", is);
  lab.setAttribute("aria-busy", String(is));
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
  trouble.hidden = false;
  const told = trouble.querySelector("p").textContent;
  document.querySelector("#announce").textContent = told;
});

document.addEventListener("htmx:after:swap", () => {
  trouble.hidden = true;
});

trouble.querySelector("button").addEventListener("click", () => document.querySelector("#lab").requestSubmit());
