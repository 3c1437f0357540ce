// Says in the live region what a swap changed: a problem, the verdict, a panel, pressed buttons, and
// what the chosen head reads. While the learner types it waits. Other scripts speak by the event
// "headwise:say". Answers without scripts are whole pages, so the server says nothing here.

const WAIT_WHILE_TYPING_MILLISECONDS = 1000;
const MAX_BUTTONS = 3;

const textOf = (selector) => {
  const element = document.querySelector(selector);
  return element?.textContent.replace(/\s+/g, " ").trim() ?? "";
};

function say(text) {
  const region = document.querySelector("#announce");
  if (!region || !text) return;
  // A text that is equal to the one before would not be read again.
  region.textContent = text === region.textContent ? `${text}\u00a0` : text;
}

function labelOfGroup(button) {
  const group = button.closest('[role="group"]');
  return group?.getAttribute("aria-label") ?? textOf(`#${group?.getAttribute("aria-labelledby")}`);
}

// A number alone needs the name of its group: "Layer 1".
function nameOf(button) {
  const copy = button.cloneNode(true);
  for (const picture of copy.querySelectorAll("svg, [aria-hidden]")) picture.remove();
  const name = button.getAttribute("aria-label") ?? copy.textContent.replace(/\s+/g, " ").trim();
  if (!/^\d+$/.test(name)) return name;
  return `${labelOfGroup(button)} ${name}`.trim();
}

function states() {
  // What a press on a cell explains is read itself.
  const selector = '#lab :is([aria-pressed], [aria-expanded])[id]:not([name="cell"])';
  const buttons = [...document.querySelectorAll(selector)];
  return new Map(
    buttons.map((button) => [
      button.id,
      {
        button,
        name: nameOf(button),
        kind: button.hasAttribute("aria-expanded") ? "panel" : "switch",
        // Buttons of one name in one group are a choice, unless several can be pressed. The label of a
        // group may hold a number: "Heads of layer 1".
        choice: button.closest('[role="group"], table') ? `${button.name} ${labelOfGroup(button).replace(/\d/g, "")}` : null,
        isOn: (button.getAttribute("aria-pressed") ?? button.getAttribute("aria-expanded")) === "true",
      },
    ]),
  );
}

function snapshot() {
  return {
    problem: textOf(":is(#lab-view, #home-maps) .problem"),
    question: textOf("#predict > p"),
    verdict: textOf("#verdict"),
    feedback: textOf("#check [data-outcome]"),
    reading: textOf(":is(#lab .reading, .home-reading)"),
    explained: textOf("#explained > p"),
    compared: document.querySelector("#compared svg")?.getAttribute("aria-label") ?? textOf("#panel .hidden-part"),
    states: states(),
  };
}

// The only pressed button of a choice.
function chosenButton(states, choice) {
  const pressed = [...states.values()].filter((each) => each.choice === choice && each.isOn);
  return pressed.length === 1 ? pressed[0] : null;
}

function changedButtons(before, after) {
  // Buttons that appear with a panel have not changed.
  const changes = [...after.values()].filter(({ button, isOn }) => (before.get(button.id)?.isOn ?? isOn) !== isOn);
  const opened = changes.filter(({ kind, isOn }) => kind === "panel" && isOn);
  const panels = opened.length ? opened : changes.filter(({ kind }) => kind === "panel");
  const texts = panels.map(({ name, isOn }) => `${name}: ${isOn ? "open" : "closed"}`);
  for (const { name, choice, isOn } of changes.filter(({ kind }) => kind === "switch")) {
    const chosen = choice && chosenButton(before, choice) && chosenButton(after, choice);
    texts.push(chosen ? `${chosen.name} chosen` : `${name} ${isOn ? "on" : "off"}`);
  }
  return [...new Set(texts)].slice(0, MAX_BUTTONS);
}

// Never empty: a press that changes nothing is answered by what the chosen head reads.
function whatChanged(before, after) {
  if (after.problem) return after.problem;
  if (after.verdict && after.verdict !== before.verdict) return after.verdict;
  if (after.feedback && after.feedback !== before.feedback) return after.feedback;
  const texts = changedButtons(before.states, after.states);
  for (const part of ["explained", "compared", "reading"]) {
    const isNew = after[part] && after[part] !== before[part];
    if (isNew && !texts.some((text) => text.includes(after[part]))) texts.push(after[part]);
  }
  if (!texts.length) texts.push(after.reading);
  if (before.verdict && !after.verdict) texts.push(`New question: ${after.question}`);
  return texts
    .filter(Boolean)
    .map((text) => (/[.!?:]$/.test(text) ? text : `${text}.`))
    .join(" ");
}

let before = snapshot();
let lastTyped = 0;
let timer;

document.addEventListener("input", ({ target }) => {
  if (target.id === "text") lastTyped = Date.now();
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const after = snapshot();
  const earlier = before;
  // While the learner types, the state before the first letter counts.
  const wait = lastTyped + WAIT_WHILE_TYPING_MILLISECONDS - Date.now();
  const isTyping = wait > 0 && ctx.sourceElement?.id === "text";
  clearTimeout(timer);
  if (ctx.headwise?.quiet) {
    before = after;
    return;
  }
  const speak = () => {
    before = after;
    say(whatChanged(earlier, after));
  };
  if (isTyping) timer = setTimeout(speak, wait);
  else speak();
});

document.addEventListener("headwise:say", ({ detail }) => say(detail));
