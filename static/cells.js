// A press on a cell of a map asks the lab to explain it. Without this, the chips do the same.

function cellAt(svg, event) {
  const ground = svg.querySelector(".ground");
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(ground.getScreenCTM().inverse());
  const side = ground.width.baseVal.value;
  const n = svg.querySelectorAll("text.query").length;
  const [row, column] = [point.y, point.x].map((at) => Math.floor((at / side) * n));
  return row >= 0 && column >= 0 && row < n && column < n ? { row, column } : null;
}

document.addEventListener("click", (event) => {
  const svg = event.target.closest?.("figure[data-head] svg.map");
  if (!svg) return;
  const cell = cellAt(svg, event);
  const form = document.querySelector("#lab");
  if (!cell) return;
  const chosen = {
    head: svg.closest("figure").dataset.head,
    word: svg.closest("[data-words]").dataset.words.split(" ")[cell.row],
    cell: `${cell.row}.${cell.column}`,
  };
  for (const [name, value] of Object.entries(chosen)) {
    form.querySelectorAll(`input[type="hidden"][name="${name}"]`).forEach((input) => input.remove());
    const input = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    form.querySelector("#lab-view").prepend(input);
  }
  form.requestSubmit();
});
