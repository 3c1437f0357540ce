// Reading a map: a pointer, a finger or the arrow keys move a cursor over its cells; what it stands on
// is shown below the map and spoken. A press, or Enter, asks the lab to explain the cell. Without this
// script the chips and the table of numbers do the same.

const MAPS = "figure[data-head] svg.map:not(.map-thumb)";

function grid(svg) {
  const ground = svg.querySelector(".ground");
  const queries = svg.querySelectorAll("text.query");
  return { ground, n: queries.length, side: ground.width.baseVal.value };
}

function cellAt(svg, event) {
  const { ground, n, side } = grid(svg);
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(ground.getScreenCTM().inverse());
  const [row, column] = [point.y, point.x].map((at) => Math.floor((at / side) * n));
  return row >= 0 && column >= 0 && row < n && column < n ? { row, column } : null;
}

function label(svg, kind, index) {
  const text = svg.querySelectorAll(`text.${kind}`)[index];
  return text.querySelector("title")?.textContent ?? text.textContent;
}

// The numbers of a head come from its table, fetched once for every view and head.
const tables = new Map();

function numbers(head) {
  const link = document.querySelector(".numbers-link a");
  const address = new URL(link.href);
  address.searchParams.set("head", head);
  if (!tables.has(address.href)) {
    const rows = fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } })
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)))
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

async function show(svg, { row, column }) {
  const figure = svg.closest("figure");
  const { ground, n, side } = grid(svg);
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
  const tell = (text) => {
    figure.querySelector(".read-out").textContent = text;
    document.querySelector("#announce").textContent = text;
  };
  const words = `${label(svg, "query", row)} reads ${label(svg, "key", column)}`;
  try {
    const rows = await numbers(figure.dataset.head);
    if (svg.dataset.row === String(row) && svg.dataset.column === String(column)) {
      tell(`${words}: ${rows[row][column]}`);
    }
  } catch {
    tell(`${words}; the server did not answer with the number`);
  }
}

function explain(svg, { row, column }) {
  const form = document.querySelector("#lab");
  const chosen = {
    head: svg.closest("figure").dataset.head,
    word: svg.closest("[data-words]").dataset.words.split(" ")[row],
    cell: `${row}.${column}`,
  };
  for (const [name, value] of Object.entries(chosen)) {
    form.querySelectorAll(`input[type="hidden"][name="${name}"]`).forEach((input) => input.remove());
    const input = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    form.querySelector("#lab-view").prepend(input);
  }
  returning = document.activeElement === svg ? { head: chosen.head, row, column } : null;
  form.requestSubmit();
}

// A map is a new element after each answer: who was on it by keyboard is put back.
let returning = null;

function putBack() {
  if (!returning) return;
  const { head, ...cell } = returning;
  const svg = document.querySelector(`figure[data-head="${head}"] svg.map:not(.map-thumb)`);
  returning = null;
  svg?.focus({ preventScroll: true });
  if (svg) show(svg, cell);
}

function readable() {
  for (const svg of document.querySelectorAll(MAPS)) {
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "map of weights");
    svg.setAttribute("aria-label", "Map: arrow keys read its cells, Enter explains one");
    svg.removeAttribute("aria-hidden");
  }
}

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

document.addEventListener("keydown", (event) => {
  const svg = event.target.closest?.(MAPS);
  if (!svg) return;
  const at = { row: Number(svg.dataset.row ?? 0), column: Number(svg.dataset.column ?? 0) };
  if (event.key === "Enter") {
    event.preventDefault();
    explain(svg, at);
    return;
  }
  const last = grid(svg).n - 1;
  let next;
  if (event.key in MOVES) {
    const [down, right] = "row" in svg.dataset ? MOVES[event.key] : [0, 0];
    next = { row: at.row + down, column: at.column + right };
  } else if (event.key === "Home") next = { row: at.row, column: 0 };
  else if (event.key === "End") next = { row: at.row, column: last };
  else return;
  event.preventDefault();
  show(svg, { row: Math.min(last, Math.max(0, next.row)), column: Math.min(last, Math.max(0, next.column)) });
});

document.addEventListener("pointermove", (event) => {
  const svg = event.target.closest?.(MAPS);
  const cell = svg && cellAt(svg, event);
  if (cell && (svg.dataset.row !== String(cell.row) || svg.dataset.column !== String(cell.column))) show(svg, cell);
});

document.addEventListener("click", (event) => {
  const svg = event.target.closest?.(MAPS);
  const cell = svg && cellAt(svg, event);
  if (cell) explain(svg, cell);
});

readable();
document.addEventListener("headwise:staged", readable);
document.addEventListener("htmx:after:swap", () => {
  readable();
  putBack();
});
