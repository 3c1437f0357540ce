// Keeps the place of rows that scroll sideways, and the chosen button in them in view, after a swap.

const ROWS = [".word-row", ".more-row"];
const CHOSEN = ':is([aria-pressed="true"], [aria-expanded="true"])';

let places = new Map();

function showChosen(row) {
  const button = row.querySelector(CHOSEN);
  if (!button) return;
  const [inner, outer] = [button.getBoundingClientRect(), row.getBoundingClientRect()];
  if (inner.left < outer.left) row.scrollLeft += inner.left - outer.left - 8;
  else if (inner.right > outer.right) row.scrollLeft += inner.right - outer.right + 8;
}

function showAllChosen() {
  for (const selector of ROWS) {
    const row = document.querySelector(selector);
    if (!row) continue;
    row.scrollLeft = places.get(selector) ?? row.scrollLeft;
    showChosen(row);
  }
}

document.addEventListener("htmx:before:swap", () => {
  places = new Map(ROWS.map((selector) => [selector, document.querySelector(selector)?.scrollLeft]));
});

document.addEventListener("htmx:after:swap", showAllChosen);
showAllChosen();
