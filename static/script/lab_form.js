// Sends changes of the view, one request at a time. A change becomes a hidden field of the form, so
// the next request carries every change that no answer has shown yet. Other scripts change the view by
// the event "headwise:edit": `fields` by name, `quiet` if the learner did not ask for it, `replaces` if
// it adds no entry to the history. Links `a[data-act]` in prose change the parameters that they name.

const EDIT = "headwise:edit";
// A field that sets others: it must not be sent with a newer choice of these.
const SETS_OTHERS = { head: "at", layer: "at" };

const form = () => document.querySelector("#lab");

function setField(name, value) {
  if (name === "text") {
    form().querySelector("#text").value = value;
    return;
  }
  const hidden = (each) => form().querySelector(`input[type="hidden"][name="${each}"]`);
  const field = hidden(name) ?? Object.assign(document.createElement("input"), { type: "hidden", name });
  field.value = value;
  if (!field.isConnected) form().querySelector("#lab-view").prepend(field);
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

// Before htmx reads the form.
document.addEventListener("submit", ({ target, submitter }) => {
  if (target === form() && submitter?.name) setField(submitter.name, submitter.value);
}, true);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-act]");
  if (!link || !form() || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const fields = Object.fromEntries(new URLSearchParams(link.dataset.act));
  if ("text" in fields) {
    // The link's word belongs to its own sentence, and a prediction to the sentence before.
    fields.was_text = fields.text;
    form().querySelector('input[type="hidden"][name="predict"]')?.remove();
  }
  document.dispatchEvent(new CustomEvent(EDIT, { detail: { fields } }));
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
