// Plays the stages of a computation: presses one stage button after the other. Whatever else the
// learner does in the lab pauses it. Readers who prefer less motion have the buttons alone.

const SECONDS_PER_STAGE = 1.5;

const group = () => document.querySelector("[data-stages]");
const stagesOf = () => [...group().querySelectorAll('button[name="stage"]')];
const playButton = () => document.querySelector("[data-play]");

let timer = null;

function showState() {
  const button = playButton();
  if (button) button.textContent = timer ? "Pause" : "Play";
}

function pause() {
  clearTimeout(timer);
  timer = null;
  showState();
}

function press(button) {
  const fields = { stage: button.value };
  document.dispatchEvent(new CustomEvent("headwise:edit", { detail: { fields, replaces: true } }));
}

// After the last stage it ends.
function playNext(index) {
  const stages = group() ? stagesOf() : [];
  if (index >= stages.length) {
    pause();
    return;
  }
  press(stages[index]);
  timer = setTimeout(() => playNext(index + 1), SECONDS_PER_STAGE * 1000);
  showState();
}

function play() {
  const stages = stagesOf();
  const current = stages.findIndex((button) => button.getAttribute("aria-pressed") === "true");
  playNext(current === stages.length - 1 ? 0 : current + 1);
}

document.addEventListener("click", ({ target }) => {
  if (target.closest?.("[data-play]")) {
    if (timer) pause();
    else play();
  } else if (timer && target.closest?.("#lab button, #predict button, a")) pause();
});

document.addEventListener("input", () => timer && pause());
document.addEventListener("htmx:after:swap", showState);
document.addEventListener("headwise:no-answer", pause);
showState();
