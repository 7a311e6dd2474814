// In a block of HTML: what carries `data-act` is told to the server, and keeps the focus.
let key = "";
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-act]");
  if (!chosen) return;
  key = chosen.dataset.key || "";
  trigger("click", { ...chosen.dataset });
  // On a small screen the list has done its work.
  if (chosen.dataset.act !== "open") return;
  element.closest(".ts-history")?.classList.remove("ts-open");
  document.getElementById("chat-fold")?.setAttribute("aria-expanded", "false");
});
watch("value", () => {
  if (!key || document.activeElement !== document.body) return;
  element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
});
