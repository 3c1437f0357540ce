// In a frame, reports the height of the lab to the embedding page, where /embed.js listens.

if (document.body.classList.contains("embedded") && parent !== window) {
  const reportHeight = () =>
    parent.postMessage({ headwise: { height: document.documentElement.offsetHeight } }, "*");
  new ResizeObserver(reportHeight).observe(document.documentElement);
}
