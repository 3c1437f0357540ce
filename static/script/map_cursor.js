// A cursor over the cells of a map. The pointer or the arrow keys move it; the value of the current
// cell is printed below the map and announced. A click, or Enter, asks the lab to explain the cell.
// Without this script the word buttons and the table of numbers do the same.

const MAPS = "figure[data-head] svg.map:not(.map-thumb)";

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

function labelOf(svg, kind, index) {
  const text = svg.querySelectorAll(`text.${kind}`)[index];
  return text.querySelector("title")?.textContent ?? text.textContent;
}

// The numbers of a head come from its table, which is fetched once for each view and head.
const tables = new Map();

function fetchWeights(head) {
  const link = document.querySelector(".numbers-link a");
  const address = new URL(link.href);
  address.searchParams.set("head", head);
  if (!tables.has(address.href)) {
    const rows = fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } })
      .then((response) => (response.ok ? response.text() : Promise.reject(response.status)))
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

async function moveCursor(svg, { row, column }) {
  const figure = svg.closest("figure");
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
  const announce = (text) => {
    figure.querySelector(".read-out").textContent = text;
    document.querySelector("#announce").textContent = text;
  };
  const words = `${labelOf(svg, "query", row)} reads ${labelOf(svg, "key", column)}`;
  try {
    const weights = await fetchWeights(figure.dataset.head);
    // The cursor may have moved on while the table was fetched.
    if (isCurrent(svg, { row, column })) announce(`${words}: ${weights[row][column]}`);
  } catch {
    announce(`${words}; the server did not answer with the number`);
  }
}

function explainCell(svg, { row, column }) {
  const form = document.querySelector("#lab");
  const fields = {
    head: svg.closest("figure").dataset.head,
    word: svg.closest("[data-words]").dataset.words.split(" ")[row],
    cell: `${row}.${column}`,
  };
  for (const [name, value] of Object.entries(fields)) {
    form.querySelectorAll(`input[type="hidden"][name="${name}"]`).forEach((input) => input.remove());
    const input = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    form.querySelector("#lab-view").prepend(input);
  }
  focusedCell = document.activeElement === svg ? { head: fields.head, row, column } : null;
  form.requestSubmit();
}

// Each response replaces the map, so keyboard focus has to be restored on the new element.
let focusedCell = null;

function restoreFocus() {
  if (!focusedCell) return;
  const { head, ...cell } = focusedCell;
  const svg = document.querySelector(`figure[data-head="${head}"] svg.map:not(.map-thumb)`);
  focusedCell = null;
  svg?.focus({ preventScroll: true });
  if (svg) moveCursor(svg, cell);
}

function makeMapsFocusable() {
  for (const svg of document.querySelectorAll(MAPS)) {
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "map of weights");
    svg.setAttribute("aria-label", "Map: arrow keys read its cells, Enter explains one");
    svg.removeAttribute("aria-hidden");
  }
}

const ARROW_STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

document.addEventListener("keydown", (event) => {
  const svg = event.target.closest?.(MAPS);
  if (!svg) return;
  const current = { row: Number(svg.dataset.row ?? 0), column: Number(svg.dataset.column ?? 0) };
  if (event.key === "Enter") {
    event.preventDefault();
    explainCell(svg, current);
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
  moveCursor(svg, { row: Math.min(last, Math.max(0, next.row)), column: Math.min(last, Math.max(0, next.column)) });
});

document.addEventListener("pointermove", (event) => {
  const svg = event.target.closest?.(MAPS);
  const cell = svg && cellUnderPointer(svg, event);
  if (cell && !isCurrent(svg, cell)) moveCursor(svg, cell);
});

document.addEventListener("click", (event) => {
  const svg = event.target.closest?.(MAPS);
  const cell = svg && cellUnderPointer(svg, event);
  if (cell) explainCell(svg, cell);
});

makeMapsFocusable();
document.addEventListener("headwise:previewed", makeMapsFocusable);
document.addEventListener("htmx:after:swap", () => {
  makeMapsFocusable();
  restoreFocus();
});
