// For pages that embed a lab: gives each of their frames the height that its lab tells.

addEventListener("message", ({ source, data }) => {
  const height = data?.headwise?.height;
  if (typeof height !== "number") return;
  for (const frame of document.querySelectorAll("iframe[data-headwise]")) {
    if (frame.contentWindow === source) frame.style.height = `${Math.ceil(height)}px`;
  }
});
