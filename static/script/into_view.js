// After a swap, brings into view what the learner asked for: the verdict, feedback, a panel that opened,
// a cell that is explained. In the wide layout the lab scrolls inside itself.

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

let before = states();

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const after = states();
  const changed = Object.keys(WATCHED).filter((_, index) => after[index] && after[index] !== before[index]);
  before = after;
  if (ctx.headwise?.quiet || ctx.sourceElement?.id === "text") return;
  const element = document.querySelector(changed.at(-1) ?? "#nothing-changed");
  if (element) bringIntoView(element);
});
