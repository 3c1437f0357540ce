// What a learner has predicted and checked, kept in this browser alone. Pages work without it.

const STORE = "headwise:progress:";

function read(lesson) {
  try {
    return JSON.parse(localStorage.getItem(STORE + lesson)) ?? {};
  } catch {
    return {};
  }
}

function write(lesson, progress) {
  try {
    localStorage.setItem(STORE + lesson, JSON.stringify(progress));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}

// What the learner has answered on this page. A link may bring answers too: those are somebody else's.
const answered = new Set();

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("#predict .choices button, #check .options button");
  if (button) answered.add(button.closest("section").id);
});

// The first answer counts; later ones are for curiosity.
function noteAnswers(article) {
  const { lesson, step, title } = article.dataset;
  const progress = read(lesson);
  const known = progress.steps?.[step] ?? {};
  const now = { ...known, title };
  for (const kind of answered) {
    const outcome = document.querySelector(`#${kind} [data-outcome]`)?.dataset.outcome;
    if (outcome && !known[kind]) now[kind] = outcome;
  }
  progress.steps = { ...progress.steps, [step]: now };
  if (!document.querySelector("#lab-view .problem")) progress.last = location.pathname + location.search;
  write(lesson, progress);
}

function isDone(step) {
  return Boolean(step?.predict && step?.check);
}

function markSteps() {
  for (const list of document.querySelectorAll(".steps[data-lesson]")) {
    const { steps = {} } = read(list.dataset.lesson);
    for (const link of list.querySelectorAll("a[data-step]")) {
      const done = isDone(steps[link.dataset.step]);
      link.classList.toggle("done", done);
      if (done) link.setAttribute("aria-label", `${link.dataset.step}, done`);
      else link.removeAttribute("aria-label");
    }
  }
}

function offerToResume() {
  for (const start of document.querySelectorAll("a[data-resume]")) {
    const { last } = read(start.dataset.resume);
    if (!last) continue;
    const resume = start.cloneNode();
    resume.href = last;
    resume.textContent = "Go on where you were";
    resume.removeAttribute("data-resume");
    start.before(resume, " ");
    start.className = "secondary";
  }
}

const WORDS = { right: "right", wrong: "not right" };

function lines(steps) {
  return Object.entries(steps)
    .sort(([a], [b]) => a - b)
    .map(([number, step]) => {
      const predicted = WORDS[step.predict] ?? "not predicted";
      const checked = WORDS[step.check] ?? "not checked";
      return `${number}. ${step.title}: prediction ${predicted}, check ${checked}`;
    });
}

function score(steps, kind) {
  return Object.values(steps).filter((step) => step[kind] === "right").length;
}

// What the server puts into a line with a code: for each step its number, prediction and check.
function handIn(steps) {
  const form = document.querySelector("#receipt");
  const letter = (outcome) => ({ right: "r", wrong: "w" })[outcome] ?? "n";
  // A lesson that was changed may have fewer steps than were answered.
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

function handInNothing() {
  const form = document.querySelector("#receipt");
  if (!form) return;
  form.hidden = true;
  form.elements.results.value = "";
}

function fillSummary(end) {
  const { lesson } = end.dataset;
  const { steps = {}, rewrite = "" } = read(lesson);
  const total = document.querySelectorAll(".steps a[data-step]").length;
  const summary = document.querySelector("#summary");
  const text = [
    `Headwise: predictions right ${score(steps, "predict")} of ${total}, checks right ${score(steps, "check")} of ${total}`,
    ...lines(steps),
  ];
  const list = document.createElement("ol");
  list.className = "plain";
  list.append(...lines(steps).map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  const head = Object.assign(document.createElement("p"), { textContent: `${text[0].replace("Headwise: p", "P")}.` });
  summary.replaceChildren(head, list);
  document.querySelector("#summary-actions").hidden = false;
  handIn(steps);

  const own = document.querySelector("#rewrite");
  own.value = rewrite;
  own.addEventListener("input", () => write(lesson, { ...read(lesson), rewrite: own.value }));
  document.querySelector("#copy-summary").onclick = async (event) => {
    const words = own.value.trim() ? [...text, "", own.value.trim()] : text;
    try {
      await navigator.clipboard.writeText(words.join("\n"));
      event.target.textContent = "Copied";
    } catch {
      event.target.textContent = "Your browser does not allow copying; select the text instead";
    }
  };
  document.querySelector("#reset-progress").onclick = () => {
    write(lesson, {});
    own.value = "";
    fillSummary(end);
    handInNothing();
    markSteps();
  };
}

const article = document.querySelector("article[data-step]");
if (article) {
  const note = () => {
    noteAnswers(article);
    markSteps();
  };
  note();
  document.addEventListener("htmx:after:swap", note);
  // Who leaves in the moment between an answer and its swap has answered all the same.
  addEventListener("pagehide", note);
}
markSteps();
offerToResume();
const end = document.querySelector("#end[data-lesson]");
if (end) fillSummary(end);
