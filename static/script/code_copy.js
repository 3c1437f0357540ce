// Copies the code of a step with the numbers of the view, which a link downloads. Without this script
// the link remains.

function showButton() {
  const button = document.querySelector("[data-copy-from]");
  if (button) button.hidden = !document.getElementById(button.dataset.copyFrom);
}

showButton();
document.addEventListener("htmx:after:swap", showButton);

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy-from]");
  if (!button) return;
  const link = document.getElementById(button.dataset.copyFrom);
  try {
    await copy(fetchText(link.href));
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied; download it instead";
  }
  document.querySelector("#announce").textContent = button.textContent;
});

async function fetchText(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(response.statusText);
  return response.text();
}

// Safari writes to the clipboard only during the click, so it gets a promise; Firefox 115 has no
// ClipboardItem.
async function copy(text) {
  if (!window.ClipboardItem) return navigator.clipboard.writeText(await text);
  const content = text.then((code) => new Blob([code], { type: "text/plain" }));
  return navigator.clipboard.write([new ClipboardItem({ "text/plain": content })]);
}
