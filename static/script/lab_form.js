// Sends changes of the view, one request at a time. A change becomes a hidden field of the form, so
// the next request carries every change that no answer has shown yet. Other scripts change the view by
// the event "headwise:edit": `fields` by name, `quiet` if the learner did not ask for it, `replaces` if
// it adds no entry to the history, `shows` for the names of what is then brought into view. Links
// `a[data-act]` in prose change the parameters that they name; a switch that is on they switch off.

const EDIT = "headwise:edit";
// A field that sets others: it must not be sent with a newer choice of these.
const SETS_OTHERS = { head: "at", layer: "at" };
// Each button of this name sends all values anew, so a press waits for the answer to the press before.
const SETS_ALL = "off";
const SWITCHES = ["causal", "unscaled", "weighted", "shuffled", "groups", "off"];

const form = () => document.querySelector("#lab");

function setField(name, value) {
  if (name === "text") {
    form().querySelector("#text").value = value;
    return;
  }
  const hidden = (each) => form().querySelector(`input[type="hidden"][name="${each}"]`);
  const field = hidden(name) ?? Object.assign(document.createElement("input"), { type: "hidden", name });
  field.value = value;
  if (!field.isConnected) form().querySelector("#lab-fields, #lab-view").prepend(field);
  hidden(SETS_OTHERS[name])?.remove();
}

// Options of the edit that is about to be sent.
let options = {};

document.addEventListener(EDIT, ({ detail: { fields, ...others } }) => {
  if (!form()) return;
  for (const [name, value] of Object.entries(fields)) setField(name, value);
  options = others;
  form().requestSubmit();
  options = {};
});

let pendingRequests = 0;
// The ids of buttons that were pressed during a request.
const waiting = [];

// Before htmx reads the form.
document.addEventListener("submit", (event) => {
  const { target, submitter } = event;
  if (target !== form() || !submitter?.name) return;
  if (submitter.name === SETS_ALL && pendingRequests) {
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting.push(submitter.id);
  } else setField(submitter.name, submitter.value);
}, true);

function submitWaiting() {
  if (pendingRequests || !waiting.length) return;
  const button = document.getElementById(waiting.shift());
  const isTrouble = document.querySelector("#trouble")?.hidden === false;
  if (!button || isTrouble) waiting.length = 0;
  else form().requestSubmit(button);
}

document.addEventListener("htmx:before:request", () => {
  pendingRequests += 1;
});

document.addEventListener("htmx:finally:request", () => {
  pendingRequests = Math.max(0, pendingRequests - 1);
  // After htmx has gone on to its own queue.
  setTimeout(submitWaiting);
});

const fieldsOf = (link) => Object.fromEntries(new URLSearchParams(link.dataset.act));

function isSwitchedOn(fields) {
  const valueOf = (name) => form().querySelector(`#lab-fields input[name="${name}"]`)?.value;
  const isOn = ([name, value]) => SWITCHES.includes(name) && value && value !== "0" && valueOf(name) === value;
  return Object.entries(fields).every(isOn);
}

function markSwitchedOn() {
  if (!form()) return;
  for (const link of document.querySelectorAll("a[data-act]")) {
    if (isSwitchedOn(fieldsOf(link))) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

markSwitchedOn();
document.addEventListener("htmx:after:swap", markSwitchedOn);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-act]");
  if (!link || !form() || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const fields = fieldsOf(link);
  const shows = Object.keys(fields);
  if (isSwitchedOn(fields)) for (const name of shows) fields[name] = "";
  if (fields.cell) fields.open ??= "explain";
  if ("text" in fields) {
    // The link's word belongs to its own sentence, and a prediction to the sentence before.
    fields.was_text = fields.text;
    form().querySelector('input[type="hidden"][name="predict"]')?.remove();
  }
  document.dispatchEvent(new CustomEvent(EDIT, { detail: { fields, shows, from: link } }));
});

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  ctx.headwise = options;
});

// Answers are swapped one after the other, so this is the answer whose address comes next.
let replacesHistory = false;

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  replacesHistory = Boolean(ctx.headwise?.replaces);
});

document.addEventListener("htmx:before:history:update", ({ detail: { history } }) => {
  if (replacesHistory) history.type = "replace";
});
