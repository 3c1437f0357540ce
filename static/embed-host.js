// For pages that embed a lab: sets the height of each frame to the height that its lab reports.

addEventListener("message", ({ source, data }) => {
  const height = data?.headwise?.height;
  if (typeof height !== "number") return;
  for (const frame of document.querySelectorAll("iframe[data-headwise]")) {
    if (frame.contentWindow === source) frame.style.height = `${Math.ceil(height)}px`;
  }
});
