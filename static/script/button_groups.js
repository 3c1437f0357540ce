// Makes each group of buttons one tab stop: arrow keys, Home and End move inside it, in a table also up
// and down. Keeps the focus when a swap replaces or removes the focused element. Without this script
// every button is a tab stop.

const GROUPS = '[role="group"], [role="toolbar"], table.overview';
// Where focus goes if the focused element is gone, by the part of the page in which it was.
const PARTS = ["#verdict", "#predict", "#check", "#panel", "#lab-words", "#lab-view", ".after-lab", ".before-lab"];
const FOCUSABLE = 'a[href], button:not(:disabled):not([tabindex="-1"]), input:not([type="hidden"]), select, summary, [tabindex="0"]';

function buttonsOf(group) {
  const buttons = group.querySelectorAll("button:not(:disabled)");
  return [...buttons].filter((button) => button.closest(GROUPS) === group && button.getClientRects().length);
}

function setTabStop(buttons, current) {
  for (const button of buttons) button.tabIndex = button === current ? 0 : -1;
}

function prepareGroups() {
  for (const group of document.querySelectorAll(GROUPS)) {
    const buttons = buttonsOf(group);
    const isOn = (button) => button.matches('[aria-pressed="true"], [aria-expanded="true"]');
    const current = buttons.find((button) => button === document.activeElement) ?? buttons.find(isOn) ?? buttons[0];
    setTabStop(buttons, current);
  }
}

document.addEventListener("focusin", ({ target }) => {
  const group = target.matches("button") && target.closest(GROUPS);
  if (group) setTabStop(buttonsOf(group), target);
});

const MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const group = target.matches?.("button") && target.closest(GROUPS);
  if (!group) return;
  const buttons = buttonsOf(group);
  const last = buttons.length - 1;
  let next;
  const isVertical = key === "ArrowUp" || key === "ArrowDown";
  const step = isVertical ? (target.closest("tr")?.querySelectorAll("button").length ?? 1) : 1;
  if (key in MOVES) next = Math.min(last, Math.max(0, buttons.indexOf(target) + step * MOVES[key]));
  else if (key === "Home") next = 0;
  else if (key === "End") next = last;
  else return;
  event.preventDefault();
  buttons[next].focus();
});

// The focused element before a swap: its id, its group's label, and the parts that contain it.
let focused = null;

document.addEventListener("htmx:before:swap", () => {
  const element = document.activeElement;
  focused = element && element !== document.body && {
    id: element.id,
    group: element.closest(GROUPS)?.getAttribute("aria-label"),
    parts: PARTS.filter((part) => element.closest(part)),
  };
});

function focusFirstOf(selectors) {
  for (const selector of selectors) {
    const element = document.querySelector(selector);
    if (!element) continue;
    const target = element.matches(FOCUSABLE) ? element : (element.querySelector(FOCUSABLE) ?? element);
    if (target === element && !element.matches(FOCUSABLE)) element.tabIndex = -1;
    target.focus({ preventScroll: true });
    return;
  }
}

function restoreFocus() {
  const element = document.activeElement;
  const isLost = !element || element === document.body || !element.isConnected;
  if (!focused || !isLost) return;
  const { id, group, parts } = focused;
  const byId = id ? [`#${CSS.escape(id)}`] : [];
  const byGroup = group ? [`[aria-label="${CSS.escape(group)}"]`] : [];
  // A press in the prediction that removes its button leads to the verdict.
  const byPart = parts.includes("#predict") ? ["#verdict", ...parts] : [...parts, "#lab-view"];
  focusFirstOf([...byId, ...byGroup, ...byPart]);
}

prepareGroups();
document.addEventListener("htmx:after:swap", () => {
  prepareGroups();
  restoreFocus();
});
