() => {
  // Keys of the arena: they press its visible buttons, and do nothing while something is written.
  if (window.tonesmithArena) return;
  window.tonesmithArena = true;
  const buttons = {
    1: "left", a: "left", 2: "right", b: "right", 3: "tie", t: "tie", 4: "bad", n: "bad",
  };
  document.addEventListener("keydown", (event) => {
    const written = event.target.closest("input, textarea, select, [contenteditable=true]");
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || written) return;
    const name = buttons[event.key.toLowerCase()];
    const button = name && document.querySelector(`#arena-${name}`);
    if (button && button.offsetParent) button.click();
  });
}
