// Words in prose and formulas: `[data-light]` lights a part of the figure while pointed at or focused,
// `a.term` shows its definition under the word. Without this script the links lead to figure and
// definition.

const LIT = "is-lit";

let lightingLink = null;
// A pressed link lights its part until the reader is back at the link.
let pressedLink = null;

function showLight() {
  const part = lightingLink?.isConnected ? lightingLink.dataset.light : null;
  for (const element of document.querySelectorAll("[data-part]")) {
    element.classList.toggle(LIT, element.dataset.part === part);
  }
}

function light(link) {
  if (link === lightingLink) return;
  lightingLink = link;
  showLight();
}

const lightLinkAt = (target) => target.closest?.("[data-light]") ?? null;
// What is pointed at counts; else what is focused.
const focusedLight = () => lightLinkAt(document.activeElement ?? document.body) ?? pressedLink;

// What the lit part says, for readers who do not see it.
function textOfPart(link) {
  const parts = [...document.querySelectorAll(`[data-part="${CSS.escape(link.dataset.light)}"]`)];
  const textsOf = (elements) => elements.map((each) => each.textContent.replace(/\s+/g, " ").trim()).filter(Boolean);
  let texts = textsOf(parts);
  // A strip of numbers has no text of its own, but its line has.
  if (!texts.length) texts = textsOf(parts.map((part) => part.closest("tr") ?? part));
  return `${link.textContent.trim()}, in the figure: ${texts.join("; ")}`;
}

document.addEventListener("pointerover", ({ target }) => light(lightLinkAt(target) ?? focusedLight()));
document.addEventListener("focusin", ({ target }) => light(lightLinkAt(target) ?? pressedLink));
document.addEventListener("focusout", () => light(pressedLink));
document.addEventListener("htmx:after:swap", showLight);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-light]");
  const element = link && document.querySelector(`[data-part="${CSS.escape(link.dataset.light)}"]`);
  if (!element) return;
  event.preventDefault();
  light(link);
  document.dispatchEvent(new CustomEvent("headwise:show", { detail: { element, from: link } }));
  document.dispatchEvent(new CustomEvent("headwise:say", { detail: textOfPart(link) }));
});

document.addEventListener("headwise:left-text", ({ detail: { link } }) => {
  pressedLink = lightLinkAt(link);
});

document.addEventListener("headwise:back-in-text", () => {
  pressedLink = null;
  light(focusedLight());
});

// The box of a definition stands directly after its word.
const BOX_ID = "definition";

const openBox = () => document.querySelector(`#${BOX_ID}`);

function closeDefinition() {
  const box = openBox();
  if (!box) return;
  const term = box.previousElementSibling;
  term?.removeAttribute("aria-describedby");
  term?.setAttribute("aria-expanded", "false");
  box.remove();
}

const definitionOf = (term) => document.getElementById(term.hash.slice(1))?.querySelector("dd");

function openDefinition(term) {
  closeDefinition();
  const box = Object.assign(document.createElement("span"), {
    id: BOX_ID,
    className: "definition",
    textContent: definitionOf(term).textContent.trim(),
  });
  box.setAttribute("role", "note");
  term.after(box);
  term.setAttribute("aria-describedby", BOX_ID);
  term.setAttribute("aria-expanded", "true");
  // The box starts below the start of its word, or further left if it would leave the window.
  const { left, width } = box.getBoundingClientRect();
  const rightmost = document.documentElement.clientWidth - width - 8;
  box.style.marginLeft = `${Math.min(term.getBoundingClientRect().left, rightmost) - left}px`;
  document.dispatchEvent(new CustomEvent("headwise:say", { detail: box.textContent }));
}

document.addEventListener("click", (event) => {
  const term = event.target.closest?.("a.term");
  if (!term || !definitionOf(term)) {
    if (!event.target.closest?.(`#${BOX_ID}`)) closeDefinition();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (term.nextElementSibling?.id === BOX_ID) closeDefinition();
  else openDefinition(term);
});

document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") closeDefinition();
});

document.addEventListener("focusout", ({ target }) => {
  if (target.getAttribute?.("aria-describedby") === BOX_ID) closeDefinition();
});
