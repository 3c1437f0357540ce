// A cursor over the cells of a map. The pointer or the arrow keys move it; the value of the current
// cell is printed below the map and announced. A click, or Enter, asks the lab to explain the cell.
// Several maps in a row are one tab stop; Page Up and Page Down go from one to the next. Rows that are
// not shown yet have no numbers, and nothing is fetched for them. Without this script the panels
// "Explain a cell" and "Every number" do the same.

const MAPS = "#lab figure[data-head] svg.map:not(.map-thumb)";
const HIDDEN_NUMBER = "?";
const HIDDEN_TEXT = "appears when you have predicted";
const HINTS = {
  "map-keys": "Arrow keys read the cells. Enter explains one.",
  "map-keys-row": "Arrow keys read the cells. Enter explains one. Page Up and Page Down go to other maps.",
};

function gridOf(svg) {
  const ground = svg.querySelector(".ground");
  const queries = svg.querySelectorAll("text.query");
  return { ground, n: queries.length, side: ground.width.baseVal.value };
}

function cellUnderPointer(svg, event) {
  const { ground, n, side } = gridOf(svg);
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(ground.getScreenCTM().inverse());
  const [row, column] = [point.y, point.x].map((coordinate) => Math.floor((coordinate / side) * n));
  return row >= 0 && column >= 0 && row < n && column < n ? { row, column } : null;
}

function isCurrent(svg, { row, column }) {
  return svg.dataset.row === String(row) && svg.dataset.column === String(column);
}

function isReadable(svg, { row }) {
  const hiddenRows = svg.querySelector(".hidden-cells")?.dataset.rows.split(" ") ?? [];
  return !hiddenRows.includes(String(row));
}

function labelOf(svg, kind, index) {
  const text = svg.querySelectorAll(`text.${kind}`)[index];
  return text.querySelector("title")?.textContent ?? text.textContent;
}

// The numbers of a head come from its table, which is fetched once for each view and head.
const tables = new Map();

function fetchWeights(head) {
  const address = new URL(`${location.pathname}/numbers${location.search}`, location.origin);
  address.searchParams.set("head", head);
  if (!tables.has(address.href)) {
    const rows = fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } })
      .then((response) =>
        response.ok && response.headers.has("Headwise") ? response.text() : Promise.reject(response.status),
      )
      .then((html) => {
        const page = new DOMParser().parseFromString(html, "text/html");
        return [...page.querySelectorAll(".numbers tbody tr")].map((row) =>
          [...row.querySelectorAll("td")].map((cell) => cell.textContent),
        );
      });
    rows.catch(() => tables.delete(address.href));
    tables.set(address.href, rows);
  }
  return tables.get(address.href);
}

async function numberText(svg, cell) {
  if (!isReadable(svg, cell)) return HIDDEN_TEXT;
  try {
    const weights = await fetchWeights(svg.closest("figure").dataset.head);
    const number = weights[cell.row][cell.column];
    return number === HIDDEN_NUMBER ? HIDDEN_TEXT : number;
  } catch {
    return "the server did not answer with the number";
  }
}

async function moveCursor(svg, cell, { isSilent = false } = {}) {
  const { row, column } = cell;
  const { ground, n, side } = gridOf(svg);
  const size = side / n;
  let cursor = svg.querySelector(".cursor");
  if (!cursor) {
    cursor = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    cursor.setAttribute("class", "cursor");
    ground.parentNode.append(cursor);
  }
  for (const [name, value] of Object.entries({ x: column * size, y: row * size, width: size, height: size })) {
    cursor.setAttribute(name, value);
  }
  Object.assign(svg.dataset, { row, column });
  const number = await numberText(svg, cell);
  // The cursor may have moved on while the table was fetched.
  if (!isCurrent(svg, cell)) return;
  const key = labelOf(svg, "key", column);
  const text = `${labelOf(svg, "query", row)} reads ${key}: ${number}`;
  const figure = svg.closest("figure");
  const readOut = figure.querySelector(".read-out");
  if (readOut) readOut.textContent = figure.matches(".small-map") ? `${key}: ${number}` : text;
  if (!isSilent) document.dispatchEvent(new CustomEvent("headwise:say", { detail: text }));
}

function removeCursor(svg) {
  svg.querySelector(".cursor")?.remove();
  delete svg.dataset.row;
  delete svg.dataset.column;
  const readOut = svg.closest("figure").querySelector(".read-out");
  if (readOut) readOut.textContent = "";
}

function explainCell(svg, cell) {
  if (!isReadable(svg, cell)) return;
  const { head } = svg.closest("figure").dataset;
  const chosen = document.querySelector('#lab input[name="was_head"]')?.value;
  const fields = { cell: `${cell.row}.${cell.column}`, open: "explain" };
  if (head !== chosen) fields.head = head;
  focusedCell = document.activeElement === svg ? { head, ...cell } : null;
  document.dispatchEvent(new CustomEvent("headwise:edit", { detail: { fields, shows: ["cell", "open"] } }));
}

// Each response replaces the map, so keyboard focus has to be restored on the new element.
let focusedCell = null;

function restoreFocus() {
  if (!focusedCell) return;
  const { head, ...cell } = focusedCell;
  const svg = document.querySelector(`figure[data-head="${head}"] svg.map:not(.map-thumb)`);
  focusedCell = null;
  svg?.focus({ preventScroll: true });
  // The explanation is announced, not the cell again.
  if (svg) moveCursor(svg, cell, { isSilent: true });
}

function addHints() {
  for (const [id, textContent] of Object.entries(HINTS)) {
    if (document.getElementById(id)) continue;
    document.body.append(Object.assign(document.createElement("p"), { id, hidden: true, textContent }));
  }
}

const mapsBeside = (svg) => [...(svg.closest(".maps, .heads, .lab-body")?.querySelectorAll(MAPS) ?? [svg])];

function makeTabStop(svg) {
  for (const each of mapsBeside(svg)) each.setAttribute("tabindex", each === svg ? "0" : "-1");
}

function makeMapsFocusable() {
  const maps = document.querySelectorAll(MAPS);
  if (maps.length) addHints();
  for (const svg of maps) {
    if (!svg.hasAttribute("tabindex")) {
      const maps = mapsBeside(svg);
      makeTabStop(maps.find((each) => each.closest("figure.chosen")) ?? maps[0]);
    }
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "map of weights");
    if (!svg.hasAttribute("aria-label")) {
      svg.setAttribute("aria-label", `Map of head ${svg.closest("figure").dataset.head}`);
    }
    svg.setAttribute("aria-describedby", mapsBeside(svg).length > 1 ? "map-keys-row" : "map-keys");
    svg.removeAttribute("aria-hidden");
  }
}

document.addEventListener("focusin", ({ target }) => {
  if (target.matches?.(MAPS)) makeTabStop(target);
});

const PAGE_STEPS = { PageUp: -1, PageDown: 1 };
const ARROW_STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

document.addEventListener("keydown", (event) => {
  const svg = event.target.closest?.(MAPS);
  if (!svg || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  const current = { row: Number(svg.dataset.row ?? 0), column: Number(svg.dataset.column ?? 0) };
  if (event.key === "Enter") {
    event.preventDefault();
    explainCell(svg, current);
    return;
  }
  if (event.key in PAGE_STEPS) {
    const maps = mapsBeside(svg);
    const beside = maps[maps.indexOf(svg) + PAGE_STEPS[event.key]];
    if (beside) {
      event.preventDefault();
      beside.focus();
    }
    return;
  }
  const last = gridOf(svg).n - 1;
  let next;
  if (event.key in ARROW_STEPS) {
    // The first arrow key only makes the cursor visible, in the first cell.
    const [down, right] = "row" in svg.dataset ? ARROW_STEPS[event.key] : [0, 0];
    next = { row: current.row + down, column: current.column + right };
  } else if (event.key === "Home") next = { row: current.row, column: 0 };
  else if (event.key === "End") next = { row: current.row, column: last };
  else return;
  event.preventDefault();
  // An explanation may have scrolled the map out of view.
  svg.scrollIntoView({ block: "nearest" });
  moveCursor(svg, { row: Math.min(last, Math.max(0, next.row)), column: Math.min(last, Math.max(0, next.column)) });
});

document.addEventListener("pointermove", (event) => {
  const svg = event.target.closest?.(MAPS);
  const cell = svg && cellUnderPointer(svg, event);
  if (cell && !isCurrent(svg, cell)) moveCursor(svg, cell);
});

document.addEventListener("pointerout", ({ target, relatedTarget, pointerType }) => {
  const svg = target.closest?.(MAPS);
  const isLeft = svg && pointerType !== "touch" && !svg.contains(relatedTarget);
  if (isLeft && document.activeElement !== svg) removeCursor(svg);
});

document.addEventListener("click", (event) => {
  const svg = event.target.closest?.(MAPS);
  const cell = svg && cellUnderPointer(svg, event);
  if (cell) explainCell(svg, cell);
});

makeMapsFocusable();
document.addEventListener("htmx:after:swap", () => {
  makeMapsFocusable();
  restoreFocus();
});
