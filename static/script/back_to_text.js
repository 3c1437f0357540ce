// Offers a way back to a link in prose that brought another part of the page into view: a button while
// the link is out of view.

const button = Object.assign(document.createElement("button"), {
  type: "button",
  className: "back-to-text",
  textContent: "Back to the text",
});

let link = null;
let hasLeft = false;

const observer = new IntersectionObserver((entries) => {
  const { isIntersecting, target } = entries.at(-1);
  // An element that a swap replaced is not in view, but cannot be returned to.
  if (!isIntersecting && target.isConnected) {
    hasLeft = true;
    document.querySelector(".lab").after(button);
  } else if (hasLeft) forget();
});

function forget() {
  observer.disconnect();
  button.remove();
  link = null;
  hasLeft = false;
  document.dispatchEvent(new CustomEvent("headwise:back-in-text"));
}

document.addEventListener("headwise:left-text", ({ detail }) => {
  const lab = document.querySelector(".lab");
  if (!lab || getComputedStyle(lab).position === "sticky") return;
  observer.disconnect();
  ({ link } = detail);
  hasLeft = false;
  observer.observe(link);
});

// A swap replaces links in prose whose text depends on the view.
document.addEventListener("htmx:after:swap", () => {
  if (!link || link.isConnected) return;
  observer.disconnect();
  const { id, dataset } = link;
  const same = id ? document.getElementById(id) : document.querySelector(`a[data-light="${dataset.light}"]`);
  if (!same) forget();
  else observer.observe((link = same));
});

button.addEventListener("click", () => {
  const target = link;
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target.scrollIntoView({ block: "center", behavior: isCalm ? "auto" : "smooth" });
  target.focus({ preventScroll: true });
});
