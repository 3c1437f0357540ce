// Stores what a learner predicted and checked, in this browser only. Pages work without it.

const KEY_PREFIX = "headwise:progress:";

function readProgress(lesson) {
  try {
    return JSON.parse(localStorage.getItem(KEY_PREFIX + lesson)) ?? {};
  } catch {
    return {};
  }
}

function writeProgress(lesson, progress) {
  try {
    localStorage.setItem(KEY_PREFIX + lesson, JSON.stringify(progress));
  } catch {
    // Without storage the lesson works, but nothing is remembered.
  }
}

// Questions that the learner answered on this page. A link may bring the answers of somebody else.
const answeredHere = new Set();

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("#predict .choices button, #check .options button");
  if (button) answeredHere.add(button.closest("section").id);
});

const QUESTIONS = {
  predict: { button: "#predict .choices button", field: "predict" },
  check: { button: "#check .options button", field: "check" },
};

// What a stored choice belongs to: the text of the question, and for a prediction also all that its
// answer depends on.
function questionOf(name) {
  const section = document.getElementById(name);
  const text = section?.querySelector(":scope > p")?.textContent.trim() ?? "";
  return name === "check" ? text : `${text}\n${section?.dataset.question}`;
}

// Only the first answer to a question counts; the latest choice is what comes back.
function recordAnswers(article) {
  const { lesson, step, title } = article.dataset;
  const progress = readProgress(lesson);
  const recorded = progress.steps?.[step] ?? {};
  const updated = { ...recorded, title };
  for (const question of answeredHere) {
    const outcome = document.querySelector(`#${question} [data-outcome]`)?.dataset.outcome;
    if (outcome && !recorded[question]) updated[question] = outcome;
    const choice = document.querySelector(`${QUESTIONS[question].button}[aria-pressed="true"]`)?.value;
    if (choice) updated.choices = { ...updated.choices, [question]: { choice, question: questionOf(question) } };
  }
  progress.steps = { ...progress.steps, [step]: updated };
  if (!document.querySelector("#lab-view .problem")) progress.last = location.pathname + location.search;
  writeProgress(lesson, progress);
}

// Answers the questions as the learner did on an earlier visit, if they are the same and the address
// has no answer.
function restoreChoices(article) {
  const { lesson, step } = article.dataset;
  const choices = readProgress(lesson).steps?.[step]?.choices ?? {};
  const address = new URLSearchParams(location.search);
  const fields = {};
  for (const [name, { button, field }] of Object.entries(QUESTIONS)) {
    const stored = choices[name];
    if (!stored || address.has(field) || stored.question !== questionOf(name)) continue;
    const buttons = [...document.querySelectorAll(`${button}:not(:disabled)`)];
    if (buttons.some(({ value }) => value === stored.choice)) fields[field] = stored.choice;
  }
  if (!Object.keys(fields).length) return;
  const detail = { fields, quiet: true, replaces: true };
  document.dispatchEvent(new CustomEvent("headwise:edit", { detail }));
}

function isDone(step) {
  return Boolean(step?.predict && step?.check);
}

function markDoneSteps() {
  for (const list of document.querySelectorAll("ol[data-lesson]")) {
    const { steps = {} } = readProgress(list.dataset.lesson);
    for (const link of list.querySelectorAll("a[data-step]")) {
      const done = isDone(steps[link.dataset.step]);
      link.classList.toggle("is-done", done);
      const title = link.title || link.textContent.trim();
      link.setAttribute("aria-label", done ? `${title}, done` : title);
    }
  }
}

function offerToResume() {
  for (const start of document.querySelectorAll("a[data-resume]")) {
    const { last } = readProgress(start.dataset.resume);
    if (!last) continue;
    start.href = last;
    start.hidden = false;
  }
}

const OUTCOME_TEXTS = { right: "right", wrong: "not right" };

function summaryLines(steps) {
  return Object.entries(steps)
    .sort(([a], [b]) => a - b)
    .map(([number, step]) => {
      const predicted = OUTCOME_TEXTS[step.predict] ?? "not predicted";
      const checked = OUTCOME_TEXTS[step.check] ?? "not checked";
      return `${number}. ${step.title}: prediction ${predicted}, check ${checked}`;
    });
}

const CELL_TEXTS = { right: "✓ right", wrong: "not right" };

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// What a step that is not all right offers.
function linkText({ predict, check }) {
  if (predict === "wrong" || check === "wrong") return "Try it again";
  return predict && check ? "" : "Try it";
}

// A line of the table of results: step, prediction, check, and a link back if something is missing.
function resultRow(link, step) {
  const cells = ["predict", "check"].map((question) =>
    element("td", { textContent: CELL_TEXTS[step[question]] ?? "not yet" }),
  );
  const text = linkText(step);
  const back = text ? [element("a", { href: link.href, textContent: text, ariaLabel: `${text}: ${link.title}` })] : [];
  const name = element("th", { scope: "row", textContent: `${link.dataset.step}. ${link.title}` });
  const row = element("tr", {}, name, ...cells, element("td", {}, ...back));
  row.dataset.step = link.dataset.step;
  return row;
}

function resultTable(links, steps) {
  const names = ["Step", "Prediction", "Check"].map((name) => element("th", { scope: "col", textContent: name }));
  const head = element("thead", {}, element("tr", {}, ...names, element("td")));
  const rows = links.map((link) => resultRow(link, steps[link.dataset.step] ?? {}));
  return element("table", { className: "data-table results" }, head, element("tbody", {}, ...rows));
}

function countRight(steps, question) {
  return Object.values(steps).filter((step) => step[question] === "right").length;
}

const receiptForm = () => document.querySelector("#receipt");

// Fills in the results that the server signs: for each step its number, prediction and check.
function fillReceiptForm(steps) {
  const form = receiptForm();
  const letter = (outcome) => ({ right: "r", wrong: "w" })[outcome] ?? "n";
  // A new version of the lesson may have fewer steps than this browser has answers for.
  const listed = [...document.querySelectorAll(".steps a[data-step]")].map((link) => link.dataset.step);
  const results = Object.entries(steps)
    .filter(([number]) => listed.includes(number))
    .sort(([a], [b]) => a - b)
    .map(([number, { predict, check }]) => number + letter(predict) + letter(check))
    .join("");
  if (!form || !results) return;
  form.hidden = false;
  form.elements.results.value = results;
}

function clearReceiptForm() {
  const form = receiptForm();
  if (!form) return;
  form.hidden = true;
  form.elements.results.value = "";
}

function fillSummary(end) {
  const { lesson } = end.dataset;
  const { steps = {}, rewrite = "" } = readProgress(lesson);
  const links = [...document.querySelectorAll(".steps a[data-step]")];
  const lines = summaryLines(steps);
  const score = `predictions right ${countRight(steps, "predict")} of ${links.length}, checks right ${countRight(steps, "check")} of ${links.length}`;
  const heading = element("p", { textContent: `${score[0].toUpperCase()}${score.slice(1)}.` });
  document.querySelector("#summary").replaceChildren(heading, resultTable(links, steps));
  document.querySelector("#summary-actions").hidden = false;
  document.querySelector("#reset").hidden = false;
  fillReceiptForm(steps);

  const rewriteField = document.querySelector("#rewrite");
  rewriteField.value = rewrite;
  rewriteField.addEventListener("input", () =>
    writeProgress(lesson, { ...readProgress(lesson), rewrite: rewriteField.value }),
  );
  document.querySelector("#copy-summary").onclick = async (event) => {
    const ownWords = rewriteField.value.trim();
    const text = [`Headwise: ${score}`, ...lines, ...(ownWords ? ["", ownWords] : [])];
    try {
      await navigator.clipboard.writeText(text.join("\n"));
      event.target.textContent = "Copied";
    } catch {
      event.target.textContent = "Your browser does not allow copying; select the text instead";
    }
  };
  document.querySelector("#reset-progress").onclick = () => {
    writeProgress(lesson, {});
    rewriteField.value = "";
    fillSummary(end);
    clearReceiptForm();
    markDoneSteps();
  };
}

const article = document.querySelector("article[data-step]");
if (article) {
  const update = () => {
    recordAnswers(article);
    markDoneSteps();
  };
  update();
  document.addEventListener("htmx:after:swap", update);
  // An answer also counts if the learner leaves before the response arrives.
  addEventListener("pagehide", update);
  // The form can be sent as soon as htmx has read the page.
  document.addEventListener("htmx:after:process", () => restoreChoices(article), { once: true });
}
markDoneSteps();
offerToResume();
const end = document.querySelector("#end[data-lesson]");
if (end) fillSummary(end);
