// Tab leaves a dropdown, and its list closes. Gradio 6.31 takes the key for one that searches, and
// opens the list again once the focus is gone: so its handler is not told of this key. And Chromium
// stops at a list that can be scrolled, which is gone a moment later, and the focus with it.
() => {
  const leave = (event) => {
    const box = event.target;
    if (event.key !== "Tab" || !box.matches?.("input[role=combobox]")) return;
    document.getElementById(box.getAttribute("aria-controls"))?.setAttribute("tabindex", "-1");
    event.stopPropagation();
  };
  window.addEventListener("keydown", leave, true);
}
