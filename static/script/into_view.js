// After a swap, brings into view what the learner asked for: the verdict, feedback, a panel that opened,
// a cell that is explained, and what a link in prose changed. Other scripts show an element by the event
// "headwise:show". In the wide layout the lab stands beside the prose: only the lab scrolls then.

// What is brought into view, and the text or state whose change says that it was asked for.
const WATCHED = {
  "#verdict": () => document.querySelector("#verdict")?.textContent,
  "#check [data-outcome]": () => document.querySelector("#check [data-outcome]")?.textContent,
  "#panel": () => document.querySelector('#lab [aria-expanded="true"]')?.id,
  "#explained": () => document.querySelector('#lab input[name="cell"]')?.value,
};

const states = () => Object.values(WATCHED).map((state) => state() ?? "");

function scrollerOf(element) {
  for (let each = element.parentElement; each; each = each.parentElement) {
    if (each.scrollHeight > each.clientHeight && /auto|scroll/.test(getComputedStyle(each).overflowY)) return each;
  }
  return document.documentElement;
}

function bringIntoView(element) {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const isTall = element.offsetHeight > scrollerOf(element).clientHeight;
  element.scrollIntoView({ block: isTall ? "start" : "nearest", behavior: isCalm ? "auto" : "smooth" });
}

// What a link in prose changes, by the parameters that it names; for others the first map of the lab.
const FIGURES = {
  open: "#panel",
  cell: "#explained",
  off: ".wide-plot",
  groups: ".head-pairs",
  model: ".model-cards",
  text: ".pair-table",
  layer: ".pair-table",
};
const FIRST_MAP = ".lab-body :is(figure.head, .map-row:not(.map-and-row), .head-cards, .strips)";

function changedFigure(names) {
  const figures = names.map((name) => FIGURES[name]).filter(Boolean);
  for (const figure of [...figures, FIRST_MAP, ".lab-body", "#lab-view"]) {
    const element = document.querySelector(figure);
    if (element) return element;
  }
  return null;
}

// What is in view stays where it is. Above and below what fits, the space is equal.
function bringToMiddle(element) {
  const lab = document.querySelector(".lab");
  const isBeside = lab && getComputedStyle(lab).position === "sticky";
  if (isBeside && !lab.contains(element)) return;
  const scroller = isBeside ? lab : document.documentElement;
  const frameTop = isBeside ? lab.getBoundingClientRect().top : 0;
  const { top, bottom, height } = element.getBoundingClientRect();
  const space = scroller.clientHeight - height;
  if (top >= frameTop && bottom <= frameTop + scroller.clientHeight) return;
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scroller.scrollBy({ top: top - frameTop - Math.max(space / 2, 8), behavior: isCalm ? "auto" : "smooth" });
}

function show(element, link) {
  if (!element) return;
  bringToMiddle(element);
  if (link) document.dispatchEvent(new CustomEvent("headwise:left-text", { detail: { link } }));
}

document.addEventListener("headwise:show", ({ detail: { element, from } }) => show(element, from));

// Where the words stand in one line that scrolls, the word that asks is in view.
function showAskingWord() {
  const row = document.querySelector(".word-row");
  const word = row?.querySelector('[aria-pressed="true"]');
  if (word) row.scrollLeft = word.offsetLeft - row.offsetLeft - (row.clientWidth - word.offsetWidth) / 2;
}

let before = states();
showAskingWord();
document.addEventListener("htmx:after:swap", showAskingWord);

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const after = states();
  const changed = Object.keys(WATCHED).filter((_, index) => after[index] && after[index] !== before[index]);
  const asksAnew = before[0] && !after[0];
  before = after;
  const { shows, from } = ctx.headwise ?? {};
  if (shows) {
    const link = from?.isConnected === false ? document.getElementById(from.id) : from;
    show(asksAnew ? document.querySelector("#predict") : changedFigure(shows), link);
    return;
  }
  if (ctx.headwise?.quiet || ctx.sourceElement?.id === "text") return;
  const element = document.querySelector(changed.at(-1) ?? "#nothing-changed");
  if (element) bringIntoView(element);
});
